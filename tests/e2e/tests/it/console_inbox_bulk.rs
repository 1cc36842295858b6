//! Several conversations are selected in the inbox and changed at once, with the script and without it.

use e2e::browser::{DESK, PHONE};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::wait_for;
use fantoccini::Locator;
use serde_json::Value;

use crate::console_inbox::{member, write};

const NAMES: [&str; 3] = ["Bo Bulk", "Bea Bulk", "Bix Bulk"];

/// The conversations of an org to whom three people wrote.
async fn conversations(tenant: &Tenant) -> Vec<Value> {
    wait_for("the conversations", async || {
        Some(tenant.items("/api/conversations").await).filter(|found| found.len() == NAMES.len())
    })
    .await
}

async fn count(tenant: &Tenant, filter: &str) -> usize {
    tenant.items(&format!("/api/conversations?{filter}")).await.len()
}

/// Three people write to a new org.
async fn written_to(org: &str) -> (Tenant, Vec<Value>) {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new(org).connect().await;
    for name in NAMES {
        write(&person, name, "Hello").await;
    }
    let all = conversations(&tenant).await;
    (tenant, all)
}

/// The box of a conversation.
fn box_of(conversation: &Value) -> String {
    format!("input[value={}]", conversation.text("id"))
}

#[tokio::test]
async fn several_conversations_are_taken_and_closed_at_once() {
    let (tenant, all) = written_to("console-inbox-bulk").await;
    let browser = member(&tenant, DESK).await;
    browser.wait_for_text("3 conversations").await;
    browser.click("[data-all]").await;
    browser.wait_for_text("3 selected").await;
    browser.check_page("inbox-selected").await;
    browser.choose(".bulk select[name=assigned_to]", "Me").await;
    browser.click(".bulk button[value=assign]").await;
    browser.wait_for_text("3 conversations changed.").await;
    assert_eq!(count(&tenant, "assigned_to=mona").await, 3);
    browser.click(&box_of(&all[2])).await;
    browser.wait_for_text("1 selected").await;
    browser.click(".bulk button[value=close]").await;
    browser.wait_for_text("1 conversation changed.").await;
    assert_eq!(count(&tenant, "status=closed").await, 1);
    // By keys: the conversation that is read is selected.
    browser.client.active_element().await.unwrap().send_keys("j").await.unwrap();
    browser.wait_for_text("You can reply until").await;
    browser.client.active_element().await.unwrap().send_keys("x").await.unwrap();
    browser.wait_for_text("1 selected").await;
    browser.close().await;
}

#[tokio::test]
async fn on_a_phone_the_bar_appears_with_the_first_box() {
    let (tenant, all) = written_to("console-inbox-bulk-phone").await;
    let browser = member(&tenant, PHONE).await;
    browser.wait_for_text("3 conversations").await;
    let bar = async || browser.client.find(Locator::Css(".bulk")).await.unwrap().is_displayed().await.unwrap();
    assert!(!bar().await, "nothing is selected");
    browser.click(&box_of(&all[0])).await;
    browser.click(&box_of(&all[1])).await;
    browser.wait_for_text("2 selected").await;
    assert!(bar().await);
    browser.check_page("inbox-selected").await;
    browser.click(".bulk button[value=read]").await;
    browser.wait_for_text("2 conversations changed.").await;
    browser.close().await;
}

#[tokio::test]
async fn without_the_script_a_form_changes_those_that_are_there_and_says_what_it_did() {
    let (tenant, all) = written_to("console-inbox-bulk-form").await;
    let ids: Vec<&str> = all.iter().map(|it| it.text("id")).collect();
    let mut admin = Guest::log_in(&tenant.create_login("Adi Admin", "admin").await).await;
    let page = admin.get("/inbox?status=all").await;
    assert!(page.text.contains("action=\"/inbox/bulk?status=all\""), "{}", page.text);
    let path = "/inbox/bulk?status=all";
    let read = [("conversation", ids[0]), ("conversation", ids[1]), ("act", "read")];
    assert_eq!(admin.post(path, &read).await.location, "/inbox?status=all");
    assert!(admin.get("/inbox?status=all").await.text.contains("2 conversations changed."));
    let unread = tenant.items("/api/conversations").await.iter().filter(|it| it["unread"] != 0).count();
    assert_eq!(unread, 1);
    let close = [("conversation", ids[0]), ("conversation", "cnv_none"), ("act", "close")];
    admin.post(path, &close).await;
    assert!(admin.get("/inbox").await.text.contains("1 conversation changed; 1 no longer there."));
    assert_eq!((count(&tenant, "status=closed").await, count(&tenant, "status=open").await), (1, 2));
    // One record, of what was changed and of nothing else.
    let acts = tenant.items("/api/audit?act=conversation.change").await;
    assert_eq!((acts.len(), acts[0]["subjects"].as_array().map(Vec::len)), (2, Some(1)), "{acts:?}");
    // A mistake changes nothing, and is said.
    for (wrong, words) in [
        (&[("act", "close")][..], "Select the conversations to change, 50 at most."),
        (
            &[("conversation", ids[1]), ("act", "assign"), ("assigned_to", "nobody")][..],
            "Choose a person who is active in this org.",
        ),
    ] {
        assert_eq!(admin.post(path, wrong).await.location, "/inbox?status=all");
        let page = admin.get("/inbox?status=all").await;
        assert!(page.text.contains(words), "{}", page.text);
    }
    // Another org's conversations are not there.
    let stranger = OrgFixture::new("console-inbox-bulk-stranger").create().await;
    let mut eve = Guest::log_in(&stranger.create_login("Eve Stranger", "admin").await).await;
    eve.post(path, &[("conversation", ids[1]), ("act", "close")]).await;
    assert!(eve.get("/inbox").await.text.contains("0 conversations changed; 1 no longer there."));
    assert_eq!(count(&tenant, "status=open").await, 2);
}
