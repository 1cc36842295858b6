//! Ad accounts at Meta, and linking them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::json::Json;
use crate::tenant::Tenant;
use crate::world::{wait_for, world};

/// Creates a system user whose token can read these ad accounts (id, currency, time zone), and returns the token.
///
/// # Panics
/// Panics if the simulator rejects a call.
pub async fn create_ad_accounts(accounts: &[(&str, &str, &str)]) -> String {
    let scopes = json!(["ads_read", "business_management", "pages_show_list"]);
    let user = world().call_sim(Method::POST, "system_users", &json!({ "pages": 1, "scopes": scopes })).await;
    for (id, currency, timezone) in accounts {
        let size = json!({
            "account_id": id, "currency": currency, "timezone": timezone, "campaigns": 3, "adsets_per_campaign": 2,
            "ads_per_adset": 3, "days": 35, "seed": 11, "users": [user["id"]],
        });
        world().call_sim(Method::POST, "ads", &size).await;
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
