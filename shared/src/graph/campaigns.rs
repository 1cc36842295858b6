//! Writing ads: campaigns, ad sets, creatives and ads for lead forms (Marketing API). Everything is made paused, carries
//! the campaign's mark in its name, and can so be found again: Meta knows no idempotency key.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{GraphClient, GraphError, GraphPage, read};
use crate::ids::{AdAccountId, AdObjectId};
use crate::model::ads::currency::{decimals, from_minor};
use crate::model::campaigns::draft::{AccountFacts, OBJECTIVE};
use crate::model::campaigns::{AdImage, BidStrategy, Budget, CampaignStatus, LeadCampaign, Review};
use crate::secret::AccessToken;

#[derive(Deserialize)]
struct Made {
    id: AdObjectId,
}

#[derive(Deserialize)]
struct Named {
    id: AdObjectId,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct AccountNode {
    name: Option<String>,
    currency: String,
    #[serde(default)]
    min_daily_budget: i64,
    default_dsa_payor: Option<String>,
    default_dsa_beneficiary: Option<String>,
    #[serde(default)]
    account_status: i64,
}

/// An ad account in which a campaign is to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct WritableAccount {
    /// What people call it.
    pub name: Option<String>,
    /// What a campaign has to respect.
    pub facts: AccountFacts,
    /// Whether ads may run: neither closed nor disabled.
    pub is_active: bool,
}

/// Whether Meta only checks what it is asked to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    /// Meta makes it.
    Make,
    /// Meta checks it (`execution_options=["validate_only"]`).
    Validate,
}

/// Where an object is switched on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It runs.
    Active,
    /// It does not run.
    Paused,
    /// It is put away.
    Archived,
}

/// How a campaign and its ad are at Meta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCampaign {
    /// The campaign's own status.
    pub status: CampaignStatus,
    /// What Meta's review says of the ad.
    pub review: Review,
}

type Form = Vec<(&'static str, String)>;

impl GraphClient {
    /// Reads an ad account in which a campaign is to be made.
    pub async fn writable_account(&self, id: &AdAccountId, token: &AccessToken) -> Result<WritableAccount, GraphError> {
        const FIELDS: &str = "name,currency,min_daily_budget,default_dsa_payor,default_dsa_beneficiary,account_status";
        let node: AccountNode = read(self.get(id.as_str(), &[("fields", FIELDS)], token).await?)?;
        let facts = AccountFacts {
            min_daily_budget: from_minor(node.min_daily_budget, &node.currency),
            currency: node.currency,
            default_dsa_payor: node.default_dsa_payor,
            default_dsa_beneficiary: node.default_dsa_beneficiary,
        };
        // 1 active, 9 in a grace period, 201 any active.
        Ok(WritableAccount { name: node.name, facts, is_active: matches!(node.account_status, 1 | 9 | 201) })
    }

    /// Makes the campaign, paused. `None` if it was only checked.
    ///
    /// # Errors
    /// After an error it may exist all the same. So it is with every object here.
    pub async fn make_campaign(
        &self,
        campaign: &LeadCampaign,
        execution: Execution,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        let spec = &campaign.spec;
        let categories =
            if spec.special_ad_categories.is_empty() { json!(["NONE"]) } else { json!(spec.special_ad_categories) };
        let mut form = vec![
            ("name", campaign.marked_name()),
            ("objective", OBJECTIVE.to_owned()),
            ("buying_type", "AUCTION".to_owned()),
            ("special_ad_categories", categories.to_string()),
            ("is_adset_budget_sharing_enabled", "false".to_owned()),
            ("status", "PAUSED".to_owned()),
        ];
        if !spec.special_ad_category_countries.is_empty() {
            form.push(("special_ad_category_country", json!(spec.special_ad_category_countries).to_string()));
        }
        self.make("campaigns", campaign, form, execution, token).await
    }

    /// Makes the ad set of a campaign, paused.
    pub async fn make_adset(
        &self,
        campaign: &LeadCampaign,
        parent: &AdObjectId,
        execution: Execution,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        let spec = &campaign.spec;
        let mut targeting = Map::from_iter([
            ("geo_locations".to_owned(), json!({ "countries": spec.targeting.countries })),
            (
                "targeting_automation".to_owned(),
                json!({ "advantage_audience": u8::from(spec.targeting.advantage_audience) }),
            ),
        ]);
        targeting.extend(spec.targeting.age_min.map(|age| ("age_min".to_owned(), json!(age))));
        targeting.extend(spec.targeting.age_max.map(|age| ("age_max".to_owned(), json!(age))));
        let (budget_field, amount) = match spec.budget {
            Budget::Daily(amount) => ("daily_budget", amount),
            Budget::Lifetime(amount) => ("lifetime_budget", amount),
        };
        let strategy: &'static str = spec.bid_strategy.into();
        let mut form = vec![
            ("name", campaign.marked_name()),
            ("campaign_id", parent.to_string()),
            (budget_field, minor(amount, &spec.currency).to_string()),
            ("billing_event", "IMPRESSIONS".to_owned()),
            ("optimization_goal", "LEAD_GENERATION".to_owned()),
            ("destination_type", "ON_AD".to_owned()),
            ("bid_strategy", strategy.to_owned()),
            ("promoted_object", json!({ "page_id": spec.page_id }).to_string()),
            ("targeting", Value::Object(targeting).to_string()),
            ("status", "PAUSED".to_owned()),
        ];
        if spec.bid_strategy != BidStrategy::LowestCostWithoutCap {
            form.extend(spec.bid_amount.map(|amount| ("bid_amount", minor(amount, &spec.currency).to_string())));
        }
        form.extend(spec.start_time.map(|at| ("start_time", at.as_second().to_string())));
        form.extend(spec.end_time.map(|at| ("end_time", at.as_second().to_string())));
        form.extend(spec.dsa_payor.clone().map(|name| ("dsa_payor", name)));
        form.extend(spec.dsa_beneficiary.clone().map(|name| ("dsa_beneficiary", name)));
        self.make("adsets", campaign, form, execution, token).await
    }

    /// Makes the creative: a picture whose call to action opens the lead form. Its label is the campaign's mark, because
    /// creatives cannot be searched by name.
    pub async fn make_creative(
        &self,
        campaign: &LeadCampaign,
        execution: Execution,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        let (spec, creative) = (&campaign.spec, &campaign.spec.creative);
        let action: &'static str = creative.call_to_action.into();
        let (image_field, image) = match &creative.image {
            AdImage::Url(url) => ("picture", url),
            AdImage::Hash(hash) => ("image_hash", hash),
        };
        let mut link = Map::from_iter([
            // Meta asks for an address and opens the form instead.
            ("link".to_owned(), json!(creative.link.as_deref().unwrap_or("http://fb.me/"))),
            ("message".to_owned(), json!(creative.message)),
            (image_field.to_owned(), json!(image)),
            ("call_to_action".to_owned(), json!({ "type": action, "value": { "lead_gen_form_id": spec.form_id } })),
        ]);
        link.extend(creative.headline.as_ref().map(|headline| ("name".to_owned(), json!(headline))));
        let mut story = Map::from_iter([
            ("page_id".to_owned(), json!(spec.page_id)),
            ("link_data".to_owned(), Value::Object(link)),
        ]);
        story.extend(spec.instagram_account_id.as_ref().map(|id| ("instagram_user_id".to_owned(), json!(id))));
        let form = vec![
            ("name", campaign.marked_name()),
            ("object_story_spec", Value::Object(story).to_string()),
            ("adlabels", json!([{ "name": campaign.mark() }]).to_string()),
        ];
        self.make("adcreatives", campaign, form, execution, token).await
    }

    /// Makes the ad, paused.
    pub async fn make_ad(
        &self,
        campaign: &LeadCampaign,
        adset: &AdObjectId,
        creative: &AdObjectId,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        let form = vec![
            ("name", campaign.marked_name()),
            ("adset_id", adset.to_string()),
            ("creative", json!({ "creative_id": creative }).to_string()),
            ("status", "PAUSED".to_owned()),
        ];
        self.make("ads", campaign, form, Execution::Make, token).await
    }

    async fn make(
        &self,
        edge: &str,
        campaign: &LeadCampaign,
        mut form: Form,
        execution: Execution,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        if execution == Execution::Validate {
            form.push(("execution_options", r#"["validate_only"]"#.to_owned()));
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.post(&format!("{}/{edge}", campaign.spec.ad_account_id), &form, token).await?;
        match execution {
            Execution::Make => Ok(Some(read::<Made>(answer)?.id)),
            Execution::Validate => Ok(None),
        }
    }

    /// Finds the campaign by its mark.
    pub async fn find_campaign(
        &self,
        campaign: &LeadCampaign,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        let mark = campaign.mark();
        let filter = json!([{ "field": "name", "operator": "CONTAIN", "value": mark }]).to_string();
        let path = format!("{}/campaigns", campaign.spec.ad_account_id);
        self.find(&path, &[("filtering", filter.as_str())], &mark, token).await
    }

    /// Finds an ad set of this campaign, or an ad of this ad set, by the mark. `edge` is `adsets` or `ads`.
    pub async fn find_below(
        &self,
        parent: &AdObjectId,
        edge: &str,
        mark: &str,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        self.find(&format!("{parent}/{edge}"), &[], mark, token).await
    }

    async fn find(
        &self,
        path: &str,
        more: &[(&str, &str)],
        mark: &str,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        let mut query = vec![("fields", "id,name"), ("limit", "100")];
        query.extend(more);
        let found: Vec<Named> = self.get_all(path, &query, token).await?;
        Ok(found.into_iter().find(|one| one.name.contains(mark)).map(|one| one.id))
    }

    /// Finds the creative by its label.
    pub async fn find_creative(
        &self,
        campaign: &LeadCampaign,
        token: &AccessToken,
    ) -> Result<Option<AdObjectId>, GraphError> {
        let (account, mark) = (&campaign.spec.ad_account_id, campaign.mark());
        let query = [("fields", "id,name"), ("limit", "100")];
        let labels: Vec<Named> = self.get_all(&format!("{account}/adlabels"), &query, token).await?;
        let Some(label) = labels.into_iter().find(|label| label.name == mark) else { return Ok(None) };
        let ids = json!([label.id]).to_string();
        let query = [("ad_label_ids", ids.as_str()), ("fields", "id,name")];
        let path = format!("{account}/adcreativesbylabels");
        let creatives: GraphPage<Named> = read(self.get(&path, &query, token).await?)?;
        Ok(creatives.data.into_iter().next().map(|creative| creative.id))
    }

    /// Reads which lead form a creative opens. Meta accepts a creative whose form it ignores.
    pub async fn creative_form(&self, id: &AdObjectId, token: &AccessToken) -> Result<Option<String>, GraphError> {
        let creative = self.get(id.as_str(), &[("fields", "object_story_spec")], token).await?;
        let form = creative.pointer("/object_story_spec/link_data/call_to_action/value/lead_gen_form_id");
        Ok(form
            .and_then(|form| form.as_str().map(ToOwned::to_owned).or_else(|| form.as_u64().map(|id| id.to_string()))))
    }

    /// Switches a campaign, an ad set or an ad on or off. The same again changes nothing.
    pub async fn set_delivery(
        &self,
        id: &AdObjectId,
        status: DeliveryStatus,
        token: &AccessToken,
    ) -> Result<(), GraphError> {
        let status = match status {
            DeliveryStatus::Active => "ACTIVE",
            DeliveryStatus::Paused => "PAUSED",
            DeliveryStatus::Archived => "ARCHIVED",
        };
        self.post(id.as_str(), &[("status", status)], token).await.map(drop)
    }

    /// Reads how a campaign is, and what Meta's review says of its ad.
    pub async fn seen_campaign(
        &self,
        campaign: &AdObjectId,
        ad: &AdObjectId,
        token: &AccessToken,
    ) -> Result<SeenCampaign, GraphError> {
        let node = self.get(campaign.as_str(), &[("fields", "status")], token).await?;
        let ad = self.get(ad.as_str(), &[("fields", "effective_status,ad_review_feedback")], token).await?;
        let text = |node: &Value, name: &str| node.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let status = match text(&node, "status").ok_or(GraphError::InvalidResponse { status: 200 })?.as_str() {
            "ACTIVE" => CampaignStatus::Active,
            "ARCHIVED" | "DELETED" => CampaignStatus::Archived,
            _ => CampaignStatus::Paused,
        };
        let review = Review {
            status: text(&ad, "effective_status"),
            feedback: ad.get("ad_review_feedback").map(feedback).unwrap_or_default(),
        };
        Ok(SeenCampaign { status, review })
    }
}

/// Every text of a review, in Meta's order: `{"global": {"<policy>": "text"}, "placement_specific": {…}}`.
fn feedback(node: &Value) -> Vec<String> {
    match node {
        Value::Object(parts) => {
            let named = |(name, part): (&String, &Value)| match part {
                Value::String(text) => vec![format!("{name}: {text}")],
                part => feedback(part),
            };
            parts.iter().flat_map(named).collect()
        }
        Value::Array(parts) => parts.iter().flat_map(feedback).collect(),
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

/// An amount in minor units, in which Meta takes money. It was checked to be whole.
fn minor(amount: Decimal, currency: &str) -> i64 {
    (amount * Decimal::from(10_i64.pow(decimals(currency)))).trunc().to_i64().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_whole_in_the_minor_units_of_its_currency() {
        let check = |amount: &str, currency: &str| minor(amount.parse().unwrap(), currency);
        assert_eq!((check("20", "EUR"), check("20.50", "EUR"), check("500", "JPY")), (2000, 2050, 500));
    }

    #[test]
    fn every_word_of_a_review_is_kept() {
        let node = json!({ "global": { "PERSONAL_ATTRIBUTES": "Not about you" }, "placement_specific": { "facebook": { "X": "Y" } } });
        assert_eq!(feedback(&node), ["PERSONAL_ATTRIBUTES: Not about you", "X: Y"]);
        assert!(feedback(&Value::Null).is_empty());
    }
}
