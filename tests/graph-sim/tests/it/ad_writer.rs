//! A client that writes ads: the usual chain, and what Meta says against it.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{Answer, CHECK_UP, Meta};

/// A picture of one point.
pub(crate) const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// Someone who writes ads in the seed's first account.
pub(crate) struct Writer {
    pub(crate) meta: Meta,
    pub(crate) token: String,
}

/// Parameters of a write. `Value::Null` leaves one out.
pub(crate) fn form(base: Value, more: Value) -> Vec<(String, String)> {
    let mut members = base.as_object().expect("an object").clone();
    members.extend(more.as_object().expect("an object").clone());
    let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    members.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, text(value))).collect()
}

/// A campaign with budgets on its ad sets.
pub(crate) fn campaign() -> Value {
    json!({
        "name": "Leads [k7f3]", "objective": "OUTCOME_LEADS", "buying_type": "AUCTION",
        "special_ad_categories": [], "status": "PAUSED", "is_adset_budget_sharing_enabled": false,
    })
}

/// An ad set for Dental's leads.
pub(crate) fn adset(campaign_id: &str) -> Value {
    json!({
        "name": "Audience [k7f3]", "campaign_id": campaign_id, "daily_budget": 1500, "billing_event": "IMPRESSIONS",
        "optimization_goal": "LEAD_GENERATION", "destination_type": "ON_AD",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP", "promoted_object": {"page_id": seed::DENTAL}, "targeting": audience(),
        "status": "PAUSED",
    })
}

pub(crate) fn audience() -> Value {
    json!({
        "geo_locations": {"countries": ["US"]}, "age_min": 18, "targeting_automation": {"advantage_audience": 0},
    })
}

/// The content of a lead ad's creative.
pub(crate) fn story(hash: &str) -> Value {
    json!({"page_id": seed::DENTAL, "link_data": {
        "link": "http://fb.me/", "message": "Book a free first visit", "name": "Free check-up", "image_hash": hash,
        "call_to_action": {"type": "SIGN_UP", "value": {"lead_gen_form_id": CHECK_UP}},
    }})
}

impl Writer {
    pub(crate) async fn start() -> Self {
        let meta = Meta::start().await;
        let token = meta.mara().await;
        Self { meta, token }
    }

    pub(crate) async fn post(&self, path: &str, base: Value, more: Value) -> Answer {
        let form = form(base, more);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.meta.post(path, &self.token, &form).await
    }

    /// Writes to an edge of the account.
    pub(crate) async fn write(&self, edge: &str, base: Value, more: Value) -> Answer {
        self.post(&format!("/act_{}/{edge}", seed::AD_ACCOUNT), base, more).await
    }

    /// Writes what must succeed and returns its id.
    pub(crate) async fn make(&self, edge: &str, base: Value) -> String {
        let answer = self.write(edge, base, json!({})).await;
        answer.json["id"].as_str().unwrap_or_else(|| panic!("{edge}: {}", answer.text)).to_owned()
    }

    pub(crate) async fn read(&self, id: &str, fields: &str) -> Value {
        self.meta.get(&format!("/{id}?fields={fields}"), &self.token).await.json
    }

    /// Adds a picture and returns its hash.
    pub(crate) async fn picture(&self) -> String {
        let answer = self.write("adimages", json!({"bytes": PICTURE}), json!({})).await;
        answer.json["images"]["bytes"]["hash"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    }

    /// The ids of a new campaign and its ad set.
    pub(crate) async fn pair(&self) -> [String; 2] {
        let campaign_id = self.make("campaigns", campaign()).await;
        let adset_id = self.make("adsets", adset(&campaign_id)).await;
        [campaign_id, adset_id]
    }

    pub(crate) async fn creative(&self) -> String {
        let story = story(&self.picture().await);
        self.make("adcreatives", json!({"name": "Creative [k7f3]", "object_story_spec": story})).await
    }

    /// The ids of a new campaign, ad set, creative and ad.
    pub(crate) async fn chain(&self) -> [String; 4] {
        let [campaign_id, adset_id] = self.pair().await;
        let creative_id = self.creative().await;
        let ad = json!({
            "name": "Ad [k7f3]", "adset_id": adset_id, "creative": {"creative_id": creative_id}, "status": "PAUSED",
        });
        let ad_id = self.make("ads", ad).await;
        [campaign_id, adset_id, creative_id, ad_id]
    }
}

/// The error's subcode and the first parameter it blames.
pub(crate) fn blamed(answer: &Answer) -> (Option<i64>, String) {
    let (status, code, subcode) = answer.error();
    assert_eq!((status, code), (400, 100), "{}", answer.text);
    let error = &answer.json["error"];
    let data: Value =
        error["error_data"].as_str().map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"));
    let path = data["blame_field_specs"][0].as_array().map(Vec::as_slice).unwrap_or_default();
    let path: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
    (subcode, path.join("."))
}
