//! Who changed what, through the API and in the console.

use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture, schedule_post};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::world;
use reqwest::Method;
use serde_json::{Value, json};

use crate::console_inbox::{conversation, write};

/// A fresh token of a login.
async fn issue_token(email: &str) -> String {
    let url = format!("{}/_local/token", world().endpoints.url);
    let answer = world().http.post(url).json(&json!({ "email": email })).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    answer.text("id_token").to_owned()
}

#[tokio::test]
async fn everyone_who_changes_something_is_named_with_what_it_was_before() {
    let ConnectedOrg { tenant, person, integration, .. } = OrgFixture::new("audit").users(&["ann"]).connect().await;
    let stranger = OrgFixture::new("audit-stranger").create().await;
    let ids = LeadFixture::new(&person.forms[0]).submit(1).await;
    let lead = tenant.wait_for_leads(&ids).await[0].text("id").to_owned();

    // An admin changes a lead through the API; what a header says of where they are counts for nothing.
    let email = tenant.create_login("Ada Min", "admin").await;
    let headers = [
        ("authorization", format!("Bearer {}", issue_token(&email).await)),
        ("orgid", "audit".to_owned()),
        ("x-forwarded-for", "198.51.100.99".to_owned()),
    ];
    let change = json!({ "status": "qualified", "assigned_to": "ann", "note": "Likes red cars" });
    let path = format!("/api/leads/{lead}");
    assert_eq!(tenant.call_with(Method::PATCH, &path, &change, &headers).await.0, 200);
    let bad = json!({ "assigned_to": "zoe" });
    assert_eq!(tenant.call_with(Method::PATCH, &path, &bad, &headers).await.0, 400);
    // The same admin changes an integration in the console.
    let mut guest = Guest::log_in(&email).await;
    let settings = [
        ("name", "Northwind"),
        ("assignment", "round_robin"),
        ("inbox_assignment", "unassigned"),
        ("notify_assignee", "yes"),
    ];
    let saved = guest.post(&format!("/integrations/{integration}/settings"), &settings).await;
    assert_eq!(saved.status, 303, "{}", saved.text);
    let nameless = [("name", ""), settings[1], settings[2]];
    let refused = guest.post(&format!("/integrations/{integration}/settings"), &nameless).await;
    assert_eq!(refused.status, 200);
    // A superadmin chooses the org and changes its plan.
    let mut root = Guest::log_in(&world().endpoints.user("", "superadmin").unwrap().email).await;
    let orgs = root.get("/orgs").await.text;
    let (_, proof) = orgs.split_once("name=\"form_key\" value=\"").unwrap();
    let select = [("org", "audit"), ("form_key", proof.split('"').next().unwrap())];
    assert_eq!(root.request(Method::POST, "/orgs", &select, &[]).await.status, 303);
    let plan = json!({ "name": "audit", "plan": { "name": "max", "features": ["meta"] }, "default_country": "US" });
    tenant.call_ok(Method::PUT, "/api/orgs/audit", &plan).await;

    let acts = tenant.items("/api/audit?limit=100").await;
    let find = |act: &str, outcome: &str| {
        let found = acts.iter().find(|one| one["act"] == act && one["outcome"] == outcome);
        found.unwrap_or_else(|| panic!("no {act} that is {outcome}: {acts:#?}"))
    };
    let changes = |act: &Value| -> Vec<(String, Value, Value)> {
        let one = |change: &Value| (change.text("field").to_owned(), change["before"].clone(), change["after"].clone());
        act["changes"].as_array().unwrap().iter().map(one).collect()
    };
    let of = |field: &str, before: Value, after: Value| (field.to_owned(), before, after);

    let act = find("lead.change", "done");
    assert_eq!((&act["who"]["name"], &act["who"]["role"]), (&json!("Ada Min"), &json!("admin")), "{act}");
    assert_eq!((&act["face"], &act["subjects"]), (&json!("api"), &json!([lead])), "{act}");
    let expected = [
        of("assigned_to", Value::Null, json!("ann")),
        of("status", json!("new"), json!("qualified")),
        of("note", Value::Null, Value::Null),
    ];
    assert_eq!(changes(act), expected);
    let source: Option<std::net::IpAddr> = act.text("source").parse().ok();
    assert!(source.is_some_and(|source| source.to_string() != "198.51.100.99"), "{act}");
    let act = find("lead.change", "refused");
    assert_eq!((&act["code"], &act["changes"]), (&json!("user_unknown"), &json!([])), "{act}");

    let act = find("integration.change", "done");
    assert_eq!((&act["face"], &act["who"]["name"]), (&json!("console"), &json!("Ada Min")), "{act}");
    let round_robin = json!({ "strategy": "round_robin" });
    let changed = changes(act);
    assert!(changed.contains(&of("assignment", json!({ "strategy": "unassigned" }), round_robin)), "{act}");
    assert!(changed.contains(&of("notify_assignee", json!(false), json!(true))), "{act}");
    assert_eq!(find("integration.change", "refused")["code"], "name_invalid");

    let act = find("org.select", "done");
    assert_eq!((&act["face"], &act["who"]["role"]), (&json!("console"), &json!("superadmin")), "{act}");
    let plans = acts.iter().filter(|act| act["act"] == "org.change").collect::<Vec<_>>();
    assert_eq!(changes(plans[0]), [of("plan.name", json!("pro"), json!("max"))]);
    find("session.login", "done");
    find("user.change", "done");
    let text = format!("{acts:?}");
    assert!(!text.contains("red cars") && !text.contains(&email) && !text.contains("Northwind"), "{text}");

    // Another org has its own, and its people do not see this one's.
    assert!(stranger.items("/api/audit?limit=100").await.iter().all(|act| act["act"] == "org.change"));
    let (status, problem) =
        Tenant::as_user("demo", "admin", "audit").call(Method::GET, "/api/audit", &Value::Null).await;
    assert_eq!((status, problem.text("code")), (403, "org_not_allowed"));
    let (status, _) = Tenant::as_user("demo", "sales", "demo").call(Method::GET, "/api/audit", &Value::Null).await;
    assert_eq!(status, 403);

    // Filters, and pages of them.
    let filtered = tenant.items(&format!("/api/audit?act=lead.change&subject={lead}")).await;
    assert_eq!(filtered.len(), 2);
    let who = filtered[0]["who"].text("id").to_owned();
    assert!(tenant.items(&format!("/api/audit?who={who}&limit=100")).await.len() >= 4);
    assert_eq!(tenant.all_items("/api/audit?limit=2").await.len(), acts.len());
    for (query, field) in
        [("act=lead", "act"), ("from=x", "from"), ("who=a%20b", "who"), ("what=1", "what"), ("limit=0", "limit")]
    {
        let (status, problem) = tenant.call(Method::GET, &format!("/api/audit?{query}"), &Value::Null).await;
        assert_eq!((status, problem.text("field")), (400, field), "{query}: {problem}");
    }
    // The console shows the same.
    let page = guest.get(&format!("/audit?act=lead.change&subject={lead}")).await;
    for words in ["Ada Min", "Changed a lead", "Qualified", "Refused", "user_unknown", "Note"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert!(guest.get("/audit?act=nothing").await.text.contains("Choose one of the actions"));
}

#[tokio::test]
async fn the_console_calls_people_and_things_by_their_names() {
    let ConnectedOrg { tenant, person, integration, .. } =
        OrgFixture::new("audit-names").users(&["ann"]).settings(&json!({ "name": "Our pages" })).connect().await;
    tenant.put_user("ann", "Ann Assignee", true).await;
    tenant.put_user("zoe", "Zoe Zed", false).await;
    let answers = json!({ "full_name": "Jane <Roe>", "email": "jane@example.com" });
    let ids = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    let lead = tenant.wait_for_leads(&ids).await[0].text("id").to_owned();
    // The login knows her by another id than the directory does.
    let email = tenant.create_login("Ida Login", "admin").await;
    let ida = json!({ "name": "Ida Directory", "email": email, "role": "admin", "active": true });
    tenant.call_ok(Method::PUT, "/api/users/ida", &ida).await;
    let mut guest = Guest::log_in(&email).await;
    assert_eq!(guest.post(&format!("/leads/{lead}/assign"), &[("assigned_to", "ann")]).await.status, 303);
    let mapping = json!({ "rules": [{ "field": "nickname", "from": ["full_name"] }] });
    tenant.call_ok(Method::PUT, &format!("/api/meta/forms/{}/mapping", person.forms[0]), &mapping).await;
    let pages = json!({ "page_ids": person.pages });
    tenant.call_ok(Method::PUT, &format!("/api/meta/integrations/{integration}/pages"), &pages).await;

    let page = guest.get("/audit").await.text;
    let form = tenant.items("/api/meta/forms").await[0].text("name").to_owned();
    for words in [
        "<b><span title=\"ann\">Ann Assignee</span></b>",
        &format!("<a href=\"/leads/{lead}\" title=\"{lead}\">Jane &lt;Roe&gt;</a>"),
        &format!("<a href=\"/integrations/{integration}\" title=\"{integration}\">Our pages</a>"),
        "<span title=\"ida\">Ida Directory</span>",
        "Zoe Zed (not active)</option>",
        &format!("<a href=\"/forms/{id}\" title=\"{id}\">{form}</a>", id = person.forms[0]),
        // A person has no page: the name leads to all that was done to them.
        "<a href=\"/audit?subject=zoe\" title=\"zoe\">Zoe Zed</a>",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // So are what they wrote to and what they made.
    write(&person, "Zora Writer", "Good morning").await;
    let written = conversation(&tenant, "messenger").await.text("id").to_owned();
    let close = json!({ "status": "closed" });
    tenant.call_ok(Method::PATCH, &format!("/api/conversations/{written}"), &close).await;
    let made = schedule_post(&tenant, &person.pages[0]).await;
    let page = guest.get("/audit").await.text;
    for words in [
        format!("<a href=\"/inbox/{written}\" title=\"{written}\">Zora Writer</a>"),
        format!("<a href=\"/posts/{made}\" title=\"{made}\">Open day Come in</a>"),
    ] {
        assert!(page.contains(&words), "{words}: {page}");
    }
    // A person is chosen by name; what a program did for the org is not theirs.
    let hers = guest.get("/audit?who=ida").await.text;
    assert!(hers.contains("<option value=\"ida\" selected>Ida Directory</option>"), "{hers}");
    assert!(hers.contains("Jane &lt;Roe&gt;") && !hers.contains(&format!(">{form}</a>")), "{hers}");
    let acts = tenant.items("/api/audit?who=ida&limit=100").await;
    assert!(acts.iter().any(|act| act["act"] == "lead.change"), "{acts:?}");
    assert!(acts.iter().all(|act| act["who"]["user_id"] == "ida"), "{acts:?}");
    // The name of a lead is nowhere in what was recorded.
    assert!(!format!("{:?}", tenant.items("/api/audit?limit=100").await).contains("Roe"));
}
