//! What pages refresh by themselves.

use e2e::browser::DESK;
use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::world::wait_for;

use crate::console_inbox::{conversation, member, write};

#[tokio::test]
async fn what_says_the_same_as_before_is_left_alone() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-refresh").connect().await;
    write(&person, "Kay One", "Hello").await;
    let open = conversation(&tenant, "messenger").await;
    let browser = member(&tenant, DESK).await;
    browser.open_page(&format!("/inbox/{}", open.text("id"))).await;
    browser.wait_for_text("You can reply until").await;
    let script = async |script: &str| browser.client.execute(script, Vec::new()).await.unwrap();
    let looks = "return performance.getEntriesByType('resource').filter((one) => one.name.includes('/live')).length";
    let wait_for_looks = async |count: u64| {
        wait_for("a look at the conversation", async || (script(looks).await.as_u64()? >= count).then_some(())).await;
    };
    wait_for_looks(1).await;
    // "A minute ago" goes on by itself.
    script(
        "window.changes = []; \
            const tell = (all) => all.filter((one) => !one.target.closest('time')).map((one) => one.target.outerHTML); \
            new MutationObserver((all) => window.changes.push(...tell(all))) \
                .observe(document.querySelector('#thread'), { subtree: true, childList: true, attributes: true })",
    )
    .await;
    wait_for_looks(4).await;
    assert_eq!(script("return window.changes").await, serde_json::json!([]));
    // And what has changed is shown.
    write(&person, "Kay One", "Are you there?").await;
    browser.wait_for_text("Are you there?").await;
    browser.close().await;
}
