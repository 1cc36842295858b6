//! Campaigns, ad sets and ads.
//!
//! Meta's edges omit archived and deleted objects by default, and refuse a status filter that names `DELETED`. A
//! delivery filter that names all of its values returns all objects.
//!
//! `updated_time` can be filtered, so a sync asks for what changed. But an object's effective status changes with its
//! parent's without a new `updated_time`, so everything is re-read from time to time.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::batch::Call;
use super::leads::parse_meta_time;
use super::{GraphClient, GraphError, GraphPage, Metered, read};
use crate::ids::{AdAccountId, AdObjectId};
use crate::model::ads::creative::Creative;
use crate::model::ads::currency::from_minor;
use crate::model::ads::object::{Ad, AdObject, AdObjectKind, AdSet, Campaign};
use crate::secret::AccessToken;

/// The timeout of listing objects: Meta is slow to list ads with their creatives.
const LIST_TIMEOUT: Duration = Duration::from_mins(1);

/// Every value of `delivery_info`. Archived and deleted objects are listed only if their value is named.
const ALL_DELIVERIES: [&str; 14] = [
    "active",
    "archived",
    "completed",
    "limited",
    "not_delivering",
    "deleted",
    "not_published",
    "pending_review",
    "permanently_deleted",
    "recently_completed",
    "recently_rejected",
    "rejected",
    "scheduled",
    "inactive",
];

/// One response page of objects.
#[derive(Debug)]
pub struct ObjectPage {
    /// In Meta's order. An unreadable object is `Err` with the reason.
    pub objects: Vec<Result<AdObject, String>>,
    /// The cursor of the next page, `None` on the last.
    pub next: Option<String>,
}

/// Selects the objects to list.
#[derive(Debug, Clone, Copy)]
pub struct ObjectQuery<'a> {
    /// The ad account.
    pub account: &'a AdAccountId,
    /// The kind of object.
    pub kind: AdObjectKind,
    /// Only objects updated since this time.
    pub changed_since: Option<Timestamp>,
    /// Only objects of these campaigns; all if empty.
    pub campaigns: &'a [AdObjectId],
    /// Objects per response page.
    pub limit: u32,
    /// The account's currency. Meta reports budgets in its minor units.
    pub currency: &'a str,
}

fn edge(kind: AdObjectKind) -> &'static str {
    match kind {
        AdObjectKind::Campaign => "campaigns",
        AdObjectKind::Adset => "adsets",
        AdObjectKind::Ad => "ads",
    }
}

/// Returns the name of a kind in Meta's filters.
fn entity(kind: AdObjectKind) -> &'static str {
    match kind {
        AdObjectKind::Campaign => "campaign",
        AdObjectKind::Adset => "adset",
        AdObjectKind::Ad => "ad",
    }
}

fn fields(kind: AdObjectKind) -> &'static str {
    match kind {
        AdObjectKind::Campaign => {
            "id,name,objective,status,effective_status,daily_budget,lifetime_budget,bid_strategy,buying_type,special_ad_categories,start_time,stop_time,created_time,updated_time,issues_info"
        }
        AdObjectKind::Adset => {
            "id,name,campaign_id,status,effective_status,daily_budget,lifetime_budget,bid_amount,bid_strategy,optimization_goal,billing_event,destination_type,targeting,start_time,end_time,created_time,updated_time,issues_info"
        }
        AdObjectKind::Ad => {
            "id,name,adset_id,campaign_id,status,effective_status,created_time,updated_time,issues_info,creative{id,body,title,link_url,image_url,thumbnail_url,call_to_action_type,object_story_id,effective_object_story_id,object_story_spec,asset_feed_spec}"
        }
    }
}

impl GraphClient {
    /// Reads a response page of an account's objects, including archived and deleted ones.
    pub async fn ad_objects(
        &self,
        query: ObjectQuery<'_>,
        after: Option<&str>,
        token: &AccessToken,
    ) -> Metered<ObjectPage> {
        let (name, limit) = (entity(query.kind), query.limit.to_string());
        let mut filters = vec![json!({
            "field": format!("{name}.delivery_info"), "operator": "IN", "value": ALL_DELIVERIES,
        })];
        if let Some(since) = query.changed_since {
            // `GREATER_THAN` is exclusive, and the second itself is wanted.
            let value = since.as_second() - 1;
            filters
                .push(json!({ "field": format!("{name}.updated_time"), "operator": "GREATER_THAN", "value": value }));
        }
        if !query.campaigns.is_empty() {
            filters.push(json!({ "field": "campaign.id", "operator": "IN", "value": query.campaigns }));
        }
        let filters = Value::from(filters).to_string();
        let mut parameters = vec![("fields", fields(query.kind)), ("filtering", &filters), ("limit", &limit)];
        if let Some(after) = after {
            parameters.push(("after", after));
        }
        let request = self.http.get(self.url(&format!("{}/{}", query.account, edge(query.kind))));
        let request = request.query(&parameters).timeout(LIST_TIMEOUT);
        self.send_metered(self.authorised(request, token)).await.read_as(|body| {
            let page: GraphPage<Value> = read(body)?;
            let next = page.next();
            let objects = page.data.iter().map(|object| parsed(query.kind, object, query.currency)).collect();
            Ok(ObjectPage { objects, next })
        })
    }

    /// Reads objects by id, including those that no edge lists: one outcome per object, in order.
    pub async fn ad_objects_by_id(
        &self,
        objects: &[(AdObjectKind, AdObjectId)],
        currency: &str,
        token: &AccessToken,
    ) -> Vec<Result<AdObject, GraphError>> {
        let call = |(kind, id): &(AdObjectKind, AdObjectId)| Call::get(id.as_str(), &[("fields", fields(*kind))]);
        let calls: Vec<Call> = objects.iter().map(call).collect();
        let outcomes = self.batch(&calls, token).await;
        let object = |((kind, _), outcome): (&(AdObjectKind, AdObjectId), Result<Value, GraphError>)| {
            parsed(*kind, &outcome?, currency).map_err(|_| GraphError::InvalidResponse { status: 200 })
        };
        objects.iter().zip(outcomes).map(object).collect()
    }
}

/// Parses an object; the error says what is wrong with it. Only the ids are required, because Meta omits fields without
/// a value.
fn parsed(kind: AdObjectKind, object: &Value, currency: &str) -> Result<AdObject, String> {
    let text = |name: &str| object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let id = |name: &str| -> Result<AdObjectId, String> {
        let value = object.get(name).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| format!("{name}: {error}"))
    };
    let time = |name: &str| object.get(name).and_then(Value::as_str).and_then(parse_meta_time);
    // Zero or absent if the budget is set on the other level.
    let money = |name: &str| {
        let value = object.get(name)?;
        let units = value.as_i64().or_else(|| value.as_str()?.parse().ok()).filter(|units| *units > 0)?;
        Some(from_minor(units, currency))
    };
    let issues = object.get("issues_info").and_then(Value::as_array).into_iter().flatten();
    let issues = issues.filter_map(|issue| {
        let message = ["error_summary", "error_message"].iter().find_map(|name| issue.get(name)?.as_str());
        message.map(str::to_owned)
    });
    let issues = issues.collect();
    let (name, status) = (text("name").unwrap_or_default(), text("status").unwrap_or_default());
    let effective_status = text("effective_status").unwrap_or_else(|| status.clone());
    Ok(match kind {
        AdObjectKind::Campaign => AdObject::Campaign(Campaign {
            id: id("id")?,
            name,
            objective: text("objective"),
            status,
            effective_status,
            daily_budget: money("daily_budget"),
            lifetime_budget: money("lifetime_budget"),
            bid_strategy: text("bid_strategy"),
            buying_type: text("buying_type"),
            special_ad_categories: object
                .get("special_ad_categories")
                .and_then(|list| serde_json::from_value(list.clone()).ok())
                .unwrap_or_default(),
            start_time: time("start_time"),
            stop_time: time("stop_time"),
            created_time: time("created_time"),
            updated_time: time("updated_time"),
            issues,
        }),
        AdObjectKind::Adset => AdObject::Adset(AdSet {
            id: id("id")?,
            name,
            campaign_id: id("campaign_id")?,
            status,
            effective_status,
            daily_budget: money("daily_budget"),
            lifetime_budget: money("lifetime_budget"),
            bid_amount: money("bid_amount"),
            bid_strategy: text("bid_strategy"),
            optimization_goal: text("optimization_goal"),
            billing_event: text("billing_event"),
            destination_type: text("destination_type"),
            targeting: bounded(object.get("targeting")),
            start_time: time("start_time"),
            end_time: time("end_time"),
            created_time: time("created_time"),
            updated_time: time("updated_time"),
            issues,
        }),
        AdObjectKind::Ad => AdObject::Ad(Ad {
            id: id("id")?,
            name,
            adset_id: id("adset_id")?,
            campaign_id: id("campaign_id")?,
            status,
            effective_status,
            creative: Creative::parse(object.get("creative").unwrap_or(&Value::Null)),
            created_time: time("created_time"),
            updated_time: time("updated_time"),
            issues,
        }),
    })
}

/// Replaces oversized targeting by its size. Targeting can list thousands of postal codes, which would not fit into a
/// row, or into a response with a hundred of them.
fn bounded(targeting: Option<&Value>) -> Value {
    const MAX_BYTES: usize = 30_000;
    let bytes = targeting.map_or(0, |targeting| targeting.to_string().len());
    if bytes > MAX_BYTES {
        json!({ "too_large": true, "bytes": bytes })
    } else {
        targeting.cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_in_the_account_s_currency() {
        let object =
            json!({"id": "1", "name": "n", "status": "PAUSED", "daily_budget": "500000", "lifetime_budget": "0"});
        let budget = |currency: &str| match parsed(AdObjectKind::Campaign, &object, currency).unwrap() {
            AdObject::Campaign(campaign) => {
                assert_eq!(campaign.lifetime_budget, None);
                campaign.daily_budget.unwrap().to_string()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!([budget("USD"), budget("JPY")], ["5000.00", "500000"]);
    }

    #[test]
    fn what_is_odd_about_an_object_stays_with_it() {
        let ad = json!({"id": "1", "adset_id": "2", "campaign_id": "3", "creative": null, "issues_info": [{"error_summary": "s"}, 7]});
        let AdObject::Ad(ad) = parsed(AdObjectKind::Ad, &ad, "USD").unwrap() else { panic!() };
        assert_eq!((ad.issues, ad.creative), (vec!["s".to_owned()], Creative::default()));
        for odd in [json!({}), json!({"id": "1"}), json!({"id": "x", "adset_id": "2", "campaign_id": "3"}), json!(7)] {
            assert!(parsed(AdObjectKind::Ad, &odd, "USD").is_err(), "{odd}");
        }
    }
}
