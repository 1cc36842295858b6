//! The palette finds what its reader may see, each kind under its own label.

use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture, create_campaign, schedule_post};
use e2e::json::Json;
use e2e::world::wait_for;
use reqwest::Method;
use serde_json::json;

use crate::console_inbox::{conversation, write};

async fn find(guest: &mut Guest, words: &str) -> String {
    let path = format!("/leads/find?q={words}");
    guest.request(Method::GET, &path, &[], &[("x-part", "1")]).await.text
}

#[tokio::test]
async fn everything_that_is_theirs_is_found_by_its_name() {
    let settings = json!({ "name": "Open <Pages>" });
    let ConnectedOrg { tenant, person, integration, .. } =
        OrgFixture::new("console-finds").settings(&settings).connect().await;
    let answers = json!({ "full_name": "Opena Lead", "email": "opena@example.com" });
    tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await).await;
    write(&person, "Olga Openly", "Good morning").await;
    let conversation = conversation(&tenant, "messenger").await.text("id").to_owned();
    let campaign = create_campaign(&tenant, &integration, [&person.pages[0], &person.forms[0]]).await;
    let post = schedule_post(&tenant, &person.pages[0]).await;
    let paths = [
        format!("/inbox/{conversation}"),
        format!("/campaigns/{campaign}"),
        format!("/posts/{post}"),
        format!("/integrations/{integration}"),
    ];

    let mut admin = Guest::log_in(&tenant.create_login("Finn Der", "admin").await).await;
    // Who wrote is known a moment after the message.
    let mut found = String::new();
    wait_for("the person's name", async || {
        found = find(&mut admin, "open").await;
        found.contains("Olga Openly").then_some(())
    })
    .await;
    for words in ["Opena Lead", "Open day at the harbour", "Open &lt;Pages&gt;", "<p>5 results</p>"] {
        assert!(found.contains(words), "{words}: {found}");
    }
    for label in ["Leads", "Conversations", "Campaigns", "Posts", "Integrations"] {
        assert_eq!(found.matches(&format!("<h2 class=\"quiet\">{label}</h2>")).count(), 1, "{label}: {found}");
    }
    assert!(paths.iter().all(|path| found.contains(&format!("href=\"{path}\""))), "{found}");
    let one = find(&mut admin, "HARBOUR+day").await;
    assert!(one.contains("<p>1 result</p>") && one.contains(&paths[1]), "{one}");
    assert!(find(&mut admin, "zzz").await.contains("Nothing found"));

    // A colleague who only answers the inbox is found that.
    let email = tenant.create_login("Ina Box", "sales").await;
    let user = json!({ "name": "Ina Box", "email": email, "active": true, "permissions": ["inbox"] });
    tenant.call_ok(Method::PUT, "/api/users/ina", &user).await;
    let mut ina = Guest::log_in(&email).await;
    let found = find(&mut ina, "open").await;
    assert!(found.contains("Olga Openly") && found.contains("<p>1 result</p>"), "{found}");
}
