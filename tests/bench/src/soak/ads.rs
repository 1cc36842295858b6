//! The ad account of an org, whose clicks grow.

use e2e::ad_accounts::{create_ad_accounts, link_ad_account, wait_until_ready};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::world;
use jiff::{Span, Zoned};
use reqwest::Method;
use serde_json::{Value, json};

/// An ad account that is linked to an org.
pub(super) struct Advertised {
    /// The id, digits only.
    id: String,
    /// One of its ads.
    ad: String,
    /// The day whose clicks grow.
    day: String,
}

impl Advertised {
    /// Creates an account with a month of history, and links it.
    pub(super) async fn link(tenant: &Tenant, number: usize) -> Self {
        let id = format!("70092000{number}");
        let token = create_ad_accounts(&[(&id, "EUR", "Europe/Berlin")]).await;
        link_ad_account(tenant, &id, "soak", &token).await;
        wait_until_ready(tenant, &id).await;
        let ads = world().call_sim(Method::GET, &format!("ads/{id}/totals?by=ad"), &Value::Null).await;
        let ad = ads["rows"][0].text("id").to_owned();
        let day = Zoned::now().date().saturating_sub(Span::new().days(3)).to_string();
        Self { id, ad, day }
    }

    /// Has people click on the ad.
    pub(super) async fn click(&self) {
        let shift = json!({ "shift": [{ "ad_id": self.ad, "day": self.day, "clicks": 7 }] });
        world().call_sim(Method::POST, &format!("ads/{}/change", self.id), &shift).await;
    }

    /// Has it read now.
    pub(super) async fn sync(&self, tenant: &Tenant) {
        // One that is being read is not read again.
        let account = json!({ "account_id": format!("act_{}", self.id) });
        tenant.call(Method::POST, "/api/meta-ads/sync", &account).await;
    }

    /// What is wrong with the account: that it cannot be read, or `at_rest`, that the clicks are not those of Meta.
    pub(super) async fn compare(&self, tenant: &Tenant, at_rest: bool) -> Vec<String> {
        let (status, account) =
            tenant.call(Method::GET, &format!("/api/meta-ads/accounts/act_{}", self.id), &Value::Null).await;
        let mut wrong = Vec::new();
        if status == 200 && account["state"] == "error" {
            wrong.push(format!("ad account {}: {}", self.id, account["reason"]));
        }
        if at_rest {
            let since = Zoned::now().date().saturating_sub(Span::new().days(100));
            let report = format!("/api/meta-ads/report?since={since}&group_by=day&account_id=act_{}", self.id);
            let clicks = |days: &[Value]| days.iter().filter_map(|day| day["clicks"].as_u64()).sum::<u64>();
            let ours = clicks(&tenant.items(&report).await);
            let query = format!("ads/{}/totals?since=2020-01-01&until=2040-01-01&by=day", self.id);
            let truth = clicks(world().call_sim(Method::GET, &query, &Value::Null).await.list("rows"));
            if ours != truth {
                wrong.push(format!("ad account {}: {ours} clicks of {truth}", self.id));
            }
        }
        wrong
    }
}
