//! Importing leads from a file in the console.

use e2e::browser::{Browser, DESK};
use e2e::console::{Guest, Page};
use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use fantoccini::Locator;
use reqwest::Method;
use serde_json::json;

const PATH: &str = "/leads/import";

#[tokio::test]
async fn a_file_of_leads_is_checked_and_then_imported() {
    let tenant = OrgFixture::new("console-import").create().await;
    let email = tenant.create_login("Imo Port", "admin").await;
    let file = e2e::browser::picture_folder().with_file_name("console-import.csv");
    std::fs::write(&file, "full_name,email,created_time\nIda Import,ida@example.com,2026-11-01T10:00:00Z\nBob Bad,bob@example.com,never\n").unwrap();
    let browser = Browser::open(DESK).await;
    browser.open_page(PATH).await;
    browser.log_in(&email).await;
    let choose = browser.client.find(Locator::Css("input[type=file]")).await.unwrap();
    choose.send_keys(file.to_str().unwrap()).await.unwrap();
    browser.press("Check the file").await;
    browser.wait_for_text("Nothing has been imported yet.").await;
    for words in ["1 new lead to import", "1 line skipped", "created_time", "New leads will stay unassigned"] {
        browser.wait_for_text(words).await;
    }
    browser.check_page("import").await;
    assert!(tenant.leads("").await.is_empty());
    // The page has the file: it is not chosen again.
    browser.press("Import this file").await;
    browser.wait_for_text("Imported, except for some lines.").await;
    browser.wait_for_text("console-import.csv").await;
    assert_eq!(tenant.leads("").await[0]["full_name"], "Ida Import");
    // It was the wrong file.
    browser.press("Undo").await;
    browser.wait_for_text("This removes 1 lead that the import created and notifies the CRM.").await;
    browser.check_page("import-undo").await;
    browser.press("Undo the import").await;
    browser.wait_for_text("The import is undone: 1 removed.").await;
    browser.wait_for_text("Undone").await;
    assert!(tenant.leads("").await.is_empty());
    browser.close().await;
}

/// Sends what the form with the checked file has, as a browser without script does.
async fn import_checked(guest: &mut Guest, page: &Page) -> Page {
    let names = ["packed", "file_name", "assign", "from_line", "fingerprint", "import_id"];
    let fields = names.map(|name| (name, page.hidden_field(name)));
    guest.post_file(PATH, &fields, ("", "")).await
}

#[tokio::test]
async fn exactly_what_was_checked_is_imported_and_once() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-checked").users(&["ann"]).connect().await;
    let form = &person.forms[0];
    let mut guest = Guest::log_in(&tenant.create_login("Che Cked", "admin").await).await;
    let file = format!("id,form_id,full_name,email,city\nl:501,f:{form},One,one@example.com,\"Ulm\nam See\"\n");
    let checked = guest.post_file(PATH, &[("check", "yes")], ("one.csv", &file)).await;
    assert!(checked.text.contains("1 new lead to import"), "{}", checked.text);
    assert!(!checked.hidden_field("packed").is_empty(), "{}", checked.text);
    // Another tab has another file.
    let two = "full_name,email\nTwo,two@example.com\n";
    let other = guest.post_file(PATH, &[("check", "yes"), ("assign", "yes")], ("two.csv", two)).await;
    assert!(tenant.leads("").await.is_empty());

    // Since the check, the form's mapping has changed: it is checked again.
    let mapping = json!({ "rules": [{ "field": "nickname", "from": ["full_name"] }] });
    tenant.call_ok(Method::PUT, &format!("/api/meta/forms/{form}/mapping"), &mapping).await;
    let again = import_checked(&mut guest, &checked).await;
    assert!(again.text.contains("Nothing was imported: since the check"), "{}", again.text);
    assert!(tenant.leads("").await.is_empty());
    let done = import_checked(&mut guest, &again).await;
    for words in ["Imported.", "one.csv", ">Che Cked</span>"] {
        assert!(done.text.contains(words), "{words}: {}", done.text);
    }
    let lead = tenant.get("/api/leads/meta-501").await;
    assert_eq!(lead["fields"]["nickname"], "One", "{lead}");
    assert!(lead["answers"].to_string().contains("Ulm\\nam See"), "not a byte is lost: {lead}");

    // Sent twice, it is imported once.
    let twice = import_checked(&mut guest, &again).await;
    assert_eq!((twice.status.as_u16(), twice.location.as_str()), (303, PATH));
    assert!(guest.get(PATH).await.text.contains("This import has already started."));
    assert_eq!(tenant.items("/api/leads/imports").await.len(), 1);
    // The other tab still has its own file, and what was chosen for it.
    let done = import_checked(&mut guest, &other).await;
    assert!(done.text.contains("two.csv"), "{}", done.text);
    let leads = tenant.leads("").await;
    let two = leads.iter().find(|lead| lead["full_name"] == "Two").unwrap();
    assert_eq!(two.text("assignment.reason"), "no_integration", "assigned as its page says, which it does not have");
    assert_eq!(leads.len(), 2);

    // What no page of ours has packed is no file.
    for packed in ["x", "H4sI", ""] {
        let page = guest.post_file(PATH, &[("packed", packed)], ("", "")).await;
        assert!(page.text.contains("Choose a file."), "{packed}: {}", page.text);
    }
    let audit = tenant.items("/api/audit?act=lead.import&limit=100").await;
    assert!(audit.iter().any(|act| act["outcome"] == "refused"), "{audit:?}");
}
