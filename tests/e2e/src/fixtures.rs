//! An org with an example of everything the console shows.

use reqwest::Method;
use serde_json::{Value, json};

use crate::ad_accounts::{create_ad_accounts, link_ad_account, wait_until_ready};
use crate::json::Json;
use crate::meta::{MARA, Person};
use crate::tenant::Tenant;
use crate::world::{wait_for, world};

/// An org with an example of everything, and what is needed to look at it.
pub struct DemoOrg {
    /// The e-mail address of a user who may see everything.
    pub admin: String,
    /// The pages of the console, each with a name for its picture.
    pub pages: Vec<(&'static str, String)>,
}

/// Creates an org with an example of everything. Connects the pages of `person` and those of a second person whose token then ends, submits leads
/// of all kinds, parks one, maps a form, and links two ad accounts with these ids.
///
/// # Panics
/// Panics if a step fails.
pub async fn create_demo_org(org: &str, person: &Person, ad_accounts: [&str; 2]) -> DemoOrg {
    let tenant = Tenant::create(org, &[]).await;
    let named =
        json!({ "name": "Northwind Group", "plan": { "name": "pro", "features": ["meta"] }, "default_country": "US" });
    tenant.call_ok(Method::PUT, &format!("/api/orgs/{org}"), &named).await;
    for (id, name) in [("sofia", "Sofia Brandt"), ("scott", "Scott Okafor")] {
        let user = json!({ "name": name, "email": format!("{id}@{org}.example"), "permissions": ["lead_management"] });
        tenant.call_ok(Method::PUT, &format!("/api/users/{id}"), &user).await;
    }
    let (admin, gone) = (tenant.create_login("Luca Lindqvist", "admin").await, world().create_person(1).await);
    let round = json!({ "strategy": "round_robin" });
    let more = json!({ "name": "Northwind pages", "description": "All of the north", "assignment": round });
    // Two connections, leads of all kinds, and a parked one.
    let pages: Vec<&str> = person.pages.iter().map(String::as_str).collect();
    let integration = tenant.connect(&person.id, &pages, more, &[]).await.get("integrationId");
    tenant.connect(&gone.id, &[], json!({ "name": "The old account" }), &[]).await;

    let answers = json!({ "full_name": "Maximiliane Freifrau von und zu Hohenlohe-Waldenburg-Schillingsfürst",
        "email": "maximiliane.hohenlohe-waldenburg-schillingsfuerst@very-long-domain-name.example.com" });
    let mut ids = world().submit(&person.forms[0], 1, json!({ "answers": answers })).await;
    for (form, count, platform) in [(0, 6, "fb"), (1, 5, "ig")] {
        ids.extend(world().submit(&person.forms[form], count, json!({ "platform": platform })).await);
    }
    tenant.wait_for_leads(&ids).await;
    for (id, status) in ids.iter().zip(["new", "contacted", "qualified", "converted", "lost"]) {
        tenant.call_ok(Method::PATCH, &format!("/api/leads/meta-{id}"), &json!({ "status": status })).await;
    }
    world().submit_withheld_lead(person).await;
    tenant.wait_for_parked().await;
    let rules = json!({ "rules": [{ "field": "notes", "from": ["full_name", "email"], "join": " / " }] });
    tenant.call_ok(Method::PUT, &format!("/api/meta/forms/{}/mapping", person.forms[0]), &rules).await;
    tenant.call_ok(Method::POST, &format!("/api/meta/integrations/{integration}/sync"), &Value::Null).await;

    // Two ad accounts with data.
    let [dollars, yen] = ad_accounts;
    let token = create_ad_accounts(&[(dollars, "USD", "America/New_York"), (yen, "JPY", "Asia/Tokyo")]).await;
    for (id, client) in [(dollars, "outdoor"), (yen, "tokyo")] {
        link_ad_account(&tenant, id, client, &token).await;
        wait_until_ready(&tenant, id).await;
    }
    // The second connection ends.
    world().change_tokens(json!({ "action": "revoke", "user_id": gone.id })).await;
    wait_for("the end of the old account", async || {
        world().check_all_integrations().await;
        let integrations = tenant.get("/api/meta/integrations").await;
        integrations.list("items").iter().any(|found| found["status"] == "error").then_some(())
    })
    .await;
    let pages = [
        ("integrations", "/integrations".to_owned()),
        ("disconnect", "/integrations?confirm=disconnect".to_owned()),
        ("integration", format!("/integrations/{integration}")),
        ("system-user", "/integrations/token".to_owned()),
        ("leads", "/leads".to_owned()),
        ("lead", format!("/leads/meta-{}", ids[8])),
        ("lead-long", format!("/leads/meta-{}", ids[0])),
        ("import", "/leads/import".to_owned()),
        ("delivery", "/delivery".to_owned()),
        ("forms", "/forms".to_owned()),
        ("mapping", format!("/forms/{}", person.forms[0])),
        ("ads", "/ads".to_owned()),
        ("ads-report", "/ads/report?group_by=campaign&sort=spend&dir=desc".to_owned()),
        ("ads-log", "/ads/log".to_owned()),
        ("ad-account", format!("/ads/accounts/act_{dollars}")),
        ("ad-account-new", "/ads/accounts/new".to_owned()),
    ];
    DemoOrg { admin, pages: pages.into() }
}

/// Mara with only the three pages whose names suit pictures.
///
/// # Panics
/// Panics if the simulated world lacks one of the pages.
pub async fn mara_for_pictures() -> Person {
    let state = world().sim_state().await;
    let pages = ["Harbour Lane Dental", "Northwind Outdoor", "Café Élan"].map(|name| state.find("pages", "name", name));
    Person {
        id: MARA.to_owned(),
        pages: pages.iter().map(|page| page.text("id").to_owned()).collect(),
        forms: pages.iter().map(|page| page.text("forms.0.id").to_owned()).collect(),
    }
}
