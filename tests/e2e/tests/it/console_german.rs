//! The console in German: chosen by the browser, by the account, and by hand; whole, and only for those who read it.

use std::collections::BTreeSet;

use e2e::browser::{Browser, DESK};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, DemoOrg, LeadFixture, OrgFixture, create_demo_org};
use e2e::json::Json;
use e2e::world::world;
use reqwest::Method;
use serde_json::json;

const GERMAN: [(&str, &str); 1] = [("accept-language", "de-DE,de;q=0.9,en;q=0.8")];

/// What people see or hear of a page: its texts, and the attributes that are read out.
fn texts_of(page: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for piece in page.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap_or((piece, ""));
        let is_code = ["code", "pre", "script", "style", "svg"].iter().any(|name| tag.starts_with(name));
        if !is_code {
            texts.push(text.to_owned());
        }
        for attribute in ["aria-label=\"", "placeholder=\"", "data-label=\"", "alt=\""] {
            texts.extend(tag.split(attribute).skip(1).filter_map(|rest| rest.split('"').next()).map(ToOwned::to_owned));
        }
    }
    texts.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()
}

/// Words that stand in English sentences and not in German ones.
const ENGLISH: [&str; 24] = [
    "the", "your", "you", "is", "are", "not", "and", "of", "with", "for", "from", "this", "that", "its", "no", "has",
    "have", "be", "by", "on", "to", "it", "or", "at",
];

/// What people in the org wrote themselves.
const WRITTEN: [&str; 7] = [
    "All of the north",
    "Hello",
    "Hi, is the blue tent",
    "Open day at the harbour",
    "See you on Saturday",
    "Three rooms",
    "Great",
];

fn is_english(text: &str) -> bool {
    // An id is no sentence, whatever words its letters happen to make.
    if !text.contains(' ') || WRITTEN.iter().any(|written| text.starts_with(written)) {
        return false;
    }
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.filter(|word| ENGLISH.contains(&word.to_lowercase().as_str())).count() >= 2
}

#[tokio::test]
async fn every_page_is_german_to_those_who_read_german() {
    let DemoOrg { admin, pages } =
        create_demo_org("console-german", &world().create_person(3).await, ["700300003", "700300004"]).await;
    let mut guest = Guest::log_in(&admin).await;
    let mut english = BTreeSet::new();
    for (_, path) in &pages {
        let page = guest.request(Method::GET, path, &[], &GERMAN).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.text.contains("<html lang=\"de-DE\""), "{path}");
        for text in texts_of(&page.text).into_iter().filter(|text| is_english(text)) {
            english.insert(text);
        }
    }
    assert!(english.is_empty(), "{english:#?}");
}

#[tokio::test]
async fn a_reader_chooses_the_language_and_the_account_decides_until_then() {
    let ConnectedOrg { tenant, .. } = OrgFixture::new("console-de").connect().await;
    let email = tenant.create_login("Greta", "admin").await;
    let put = async |language: serde_json::Value| {
        let user = json!({ "name": "Greta", "email": email, "role": "admin", "permissions": [], "language": language });
        tenant.call(Method::PUT, "/api/users/greta", &user).await
    };
    assert_eq!(put(json!("de-AT")).await.0, 200);
    let (status, problem) = put(json!("German")).await;
    assert_eq!((status, problem.text("code")), (400, "language_invalid"), "{problem}");
    let mut guest = Guest::log_in(&email).await;
    let english = [("accept-language", "en-US,en;q=0.9")];
    let page = guest.request(Method::GET, "/leads", &[], &english).await;
    assert!(page.text.contains("<html lang=\"de\"") && page.text.contains("Einstellungen"), "the account's language");
    // Chosen by hand, it is kept in this browser.
    let referer = format!("{}/leads?status=new", world().endpoints.url);
    let chosen = guest.request(Method::GET, "/language/en", &[], &[("referer", &referer)]).await;
    assert_eq!((chosen.status.as_u16(), chosen.location.as_str()), (303, "/leads?status=new"));
    let page = guest.request(Method::GET, "/leads", &[], &GERMAN).await;
    assert!(
        page.text.contains("<html lang=\"en-GB\"") || page.text.contains("<html lang=\"en\""),
        "{}",
        &page.text[..200]
    );
    assert!(page.text.contains("Settings"));
    assert_eq!(guest.get("/language/tlh").await.status, 404);
    // Without a login, the browser decides.
    let page = Guest::default().request(Method::GET, "/nowhere", &[], &GERMAN).await;
    assert!(page.text.contains("lang=\"de-DE\"") && page.text.contains("gibt es nichts"), "{}", page.text);
}

#[tokio::test]
async fn what_is_done_in_german_is_stored_and_told_in_english() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-de-acts").users(&["ann"]).connect().await;
    let mut guest = Guest::log_in(&tenant.create_login("Gerd", "admin").await).await;
    guest.get("/language/de").await;
    let lead = LeadFixture::new(&person.forms[0]).submit(1).await.remove(0);
    tenant.wait_for_leads(std::slice::from_ref(&lead)).await;
    let path = format!("/leads/meta-{lead}");
    assert_eq!(guest.post(&format!("{path}/status"), &[("status", "contacted")]).await.status, 303);
    assert_eq!(guest.post(&format!("{path}/assign"), &[("assigned_to", "ann")]).await.status, 303);
    let page = guest.get(&path).await;
    assert!(page.text.contains("Kontaktiert"), "{}", page.text);
    let trace = tenant.get(&format!("/api/leads/meta-{lead}/trace")).await;
    let (_, refused) = tenant.call(Method::PATCH, &format!("/api/leads/meta-{lead}"), &json!({ "status": "x" })).await;
    let audit = tenant.get("/api/audit").await;
    let events = tenant.events("lead.updated").await;
    for told in [trace.to_string(), refused.to_string(), audit.to_string(), json!(events).to_string()] {
        for word in [" wurde", "zugewiesen", "geändert", "Kontaktiert", "Seite", " der ", " und "] {
            assert!(!told.contains(word), "{word}: {told}");
        }
    }
}

#[tokio::test]
async fn the_script_speaks_the_language_of_the_page() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-de-js").connect().await;
    let email = tenant.create_login("Gesa", "admin").await;
    let lead = LeadFixture::new(&person.forms[0]).submit(1).await;
    tenant.wait_for_leads(&lead).await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&email).await;
    browser.click(".who summary").await;
    browser.press("Deutsch").await;
    browser.open_page("/leads").await;
    browser.click("tr[data-row] input[name=lead]").await;
    browser.wait_for_text("1 ausgewählt").await;
    browser.check_page("german-leads").await;
    browser.click(".who summary").await;
    browser.press("English").await;
    browser.click("tr[data-row] input[name=lead]").await;
    browser.wait_for_text("1 selected").await;
    browser.close().await;
}
