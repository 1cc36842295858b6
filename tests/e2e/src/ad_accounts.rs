//! Ad accounts at Meta, and linking them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::json::Json;
use crate::tenant::Tenant;
use crate::world::{wait_for, world};

/// An ad account of the simulated Meta.
#[derive(Debug, Clone)]
pub struct AdAccountFixture<'a> {
    /// The id, digits only.
    pub id: &'a str,
    /// The currency, an ISO 4217 code.
    pub currency: &'a str,
    /// The time zone, an IANA name.
    pub timezone: &'a str,
    /// The numbers of campaigns, ad sets in each, and ads in each ad set.
    pub size: (u32, u32, u32),
    /// The days of history.
    pub days: u32,
    /// Decides the numbers of the account.
    pub seed: u64,
    /// The people and system users with access; if empty, the seeded people and all system users.
    pub users: &'a [&'a str],
}

/// A small account.
pub const SMALL_ACCOUNT: AdAccountFixture<'_> = AdAccountFixture {
    id: "9001",
    currency: "USD",
    timezone: "America/New_York",
    size: (4, 3, 5),
    days: 40,
    seed: 7,
    users: &[],
};

impl AdAccountFixture<'_> {
    /// Returns the body of the simulator's call that creates the account.
    #[must_use]
    pub fn to_input(&self) -> Value {
        let (campaigns, adsets, ads) = self.size;
        let mut input = json!({
            "account_id": self.id, "currency": self.currency, "timezone": self.timezone, "campaigns": campaigns,
            "adsets_per_campaign": adsets, "ads_per_adset": ads, "days": self.days, "seed": self.seed,
        });
        if !self.users.is_empty() {
            input["users"] = json!(self.users);
        }
        input
    }
}

/// Creates a system user whose token can read these ad accounts (id, currency, time zone), and returns the token.
///
/// # Panics
/// Panics if the simulator rejects a call.
pub async fn create_ad_accounts(accounts: &[(&str, &str, &str)]) -> String {
    let scopes = json!(["ads_read", "business_management", "pages_show_list"]);
    let user = world().create_system_user(json!({ "pages": 1, "scopes": scopes })).await;
    let users = [user.text("id")];
    for (id, currency, timezone) in accounts {
        let account = AdAccountFixture { id, currency, timezone, size: (3, 2, 3), days: 35, seed: 11, users: &users };
        world().call_sim(Method::POST, "ads", &account.to_input()).await;
    }
    user.text("token").to_owned()
}

/// The request body that links an ad account.
#[must_use]
pub fn link_request(id: &str, client: &str, token: &str) -> Value {
    let client = json!({ "id": client, "name": format!("Client {client}") });
    json!({ "ad_account_id": format!("act_{id}"), "label": format!("Account {id}"), "client": client, "token": token })
}

/// Links an ad account with its own token.
///
/// # Panics
/// Panics if the API rejects the account.
pub async fn link_ad_account(tenant: &Tenant, id: &str, client: &str, token: &str) -> Value {
    tenant.call_ok(Method::POST, "/api/meta-ads/accounts", &link_request(id, client, token)).await
}

/// Imports a lead for each of these ads, named by rows of a report by campaign, ad set and ad. Returns the leads' ids, in
/// that order.
///
/// # Panics
/// Panics if the file is rejected.
pub async fn import_leads_of_ads(tenant: &Tenant, rows: &[Value], created_time: &str) -> Vec<String> {
    let mut file = "full_name,email,created_time,campaign_id,adset_id,ad_id,form_id,platform\n".to_owned();
    for (number, row) in rows.iter().enumerate() {
        let [campaign, adset, ad] = ["campaign_id", "adset_id", "ad_id"].map(|id| row.text(id));
        let line = format!(
            "Ada {number},ada{number}@{org}.example,{created_time},c:{campaign},as:{adset},ag:{ad},f:900000001,fb\n",
            org = tenant.org
        );
        file.push_str(&line);
    }
    let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!((status, report.number("created")), (200, rows.len() as u64), "{report}");
    let mut leads = tenant.leads("").await;
    leads.retain(|lead| lead["full_name"].as_str().is_some_and(|name| name.starts_with("Ada ")));
    let id = |number: usize| {
        let name = format!("Ada {number}");
        let lead = leads.iter().find(|lead| lead["full_name"] == name.as_str()).expect("the lead is listed");
        lead.text("id").to_owned()
    };
    (0..rows.len()).map(id).collect()
}

/// Waits until an account is ready and no sync of it is running.
///
/// # Panics
/// Panics on a timeout or if the account goes into the state `error`.
pub async fn wait_until_ready(tenant: &Tenant, id: &str) -> Value {
    wait_for(&format!("account {id} to be read"), async || {
        let account = tenant.get(&format!("/api/meta-ads/accounts/act_{id}")).await;
        assert_ne!(account["state"], "error", "{account}");
        (account["state"] == "ready" && account["run_id"].is_null()).then_some(account)
    })
    .await
}
