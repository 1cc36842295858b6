//! The list of leads, as people work with it.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::wait_for;
use serde_json::{Value, json};

#[tokio::test]
async fn new_leads_appear_by_themselves_and_several_are_changed_at_once() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-list").users(&["ann", "ben"]).connect().await;
    let email = tenant.create_login("Lee List", "admin").await;
    let form = &person.forms[0];
    let browser = Browser::open(DESK).await;
    browser.open_page("/leads").await;
    browser.log_in(&email).await;
    browser.wait_for_text("No leads yet").await;
    let submit = async |name: &str| {
        let answers = json!({ "full_name": name, "email": format!("{}@example.com", name.to_lowercase()) });
        tenant.wait_for_leads(&LeadFixture::new(form).answers(&answers).submit(1).await).await
    };
    submit("Lena").await;
    browser.wait_for_text("Lena").await;
    assert!(!browser.text().await.contains("No leads yet"));

    // What is selected stays selected while others arrive.
    browser.click("tr[data-row] input[name=lead]").await;
    browser.wait_for_text("1 selected").await;
    submit("Dora").await;
    submit("Tessa").await;
    browser.wait_for_text("Tessa").await;
    browser.wait_for_text("1 selected").await;
    browser.check_page("leads-selected").await;
    browser.click("[data-all=lead]").await;
    browser.wait_for_text("3 selected").await;
    browser.choose(".bulk select[name=assigned_to]", "ben").await;
    browser.press("Assign").await;
    browser.wait_for_text("3 leads changed.").await;
    assert!(tenant.leads("").await.iter().all(|lead| lead["assigned_to"] == "ben"));

    // By keys: to the second row, select it, assign.
    for key in ["j", "j", "x"] {
        browser.press_key(key).await;
    }
    browser.wait_for_text("1 selected").await;
    browser.press_key("a").await;
    let focus = "return document.activeElement.name";
    assert_eq!(browser.client.execute(focus, vec![]).await.unwrap(), "assigned_to");
    browser.choose(".bulk select[name=status]", "Contacted").await;
    browser.press("Change status").await;
    browser.wait_for_text("1 lead changed.").await;
    let contacted: Vec<Value> = tenant.leads("status=contacted").await;
    assert_eq!(contacted.len(), 1);
    assert_eq!(contacted[0]["full_name"], "Dora", "the second of the list, newest first");

    // Views and filters are addresses.
    browser.press("Contacted").await;
    wait_for("the view", async || (!browser.text().await.contains("Tessa")).then_some(())).await;
    browser.wait_for_text("Dora").await;
    browser.press("Remove filter: Contacted").await;
    browser.wait_for_text("Tessa").await;
    browser.press_key("/").await;
    browser.press_key("lena").await;
    browser.press("Find").await;
    wait_for("what is found", async || (!browser.text().await.contains("Tessa")).then_some(())).await;
    browser.wait_for_text("Lena").await;

    // Anywhere by a few letters.
    browser.click("[data-palette]").await;
    browser.press_key("wri").await;
    browser.wait_for_text("Write a post").await;
    browser.check_page("palette").await;
    browser.press_key("\u{e007}").await;
    wait_for("the composer", async || browser.client.current_url().await.ok().filter(|url| url.path() == "/posts/new"))
        .await;
    browser.close().await;
}

#[tokio::test]
async fn a_lead_is_read_and_changed_beside_the_list() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-panel").users(&["ann"]).connect().await;
    let email = tenant.create_login("Pan El", "admin").await;
    for name in ["Ada", "Bea"] {
        let answers = json!({ "full_name": name, "email": format!("{name}@example.com") });
        tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await).await;
    }
    let browser = Browser::open(DESK).await;
    browser.open_page("/leads").await;
    browser.log_in(&email).await;
    browser.press("Bea").await;
    browser.wait_for_text("Open the page").await;
    browser.check_page("leads-panel").await;
    browser.choose("#lead-panel select[name=status]", "Contacted").await;
    browser.click("#lead-panel form[action$='/status'] button").await;
    browser.wait_for_text("Status changed.").await;
    let run = async |script: &str| browser.client.execute(script, vec![]).await.unwrap();
    // The list beside it follows, and is still the list.
    let row = "return document.querySelector('tr[data-row][aria-current]')?.innerText ?? ''";
    wait_for("the row", async || run(row).await.as_str().is_some_and(|row| row.contains("Contacted")).then_some(()))
        .await;
    assert_eq!(browser.client.current_url().await.unwrap().path(), "/leads");
    assert_eq!(tenant.leads("status=contacted").await[0]["full_name"], "Bea");
    // A mistake is told in the panel, and what was typed stays.
    browser.fill("#lead-panel input[name=value]", "much").await;
    browser.click("#lead-panel form[action*='/notes'] button").await;
    let mistake = "return document.querySelector('#lead-panel input[name=value][aria-invalid]') !== null";
    wait_for("the mistake", async || (run(mistake).await == true).then_some(())).await;
    assert_eq!(run("return document.querySelector('#lead-panel input[name=value]').value").await, "much");
    // By keys: the next one, back to the list, and open again.
    run("document.activeElement.blur()").await;
    browser.press_key("j").await;
    let open = "return document.querySelector('#lead-panel:not([hidden]) h2')?.textContent ?? ''";
    wait_for("the next lead", async || (run(open).await == "Ada").then_some(())).await;
    browser.press_key("\u{e00c}").await;
    wait_for("the list", async || (run(open).await == "").then_some(())).await;
    assert_eq!(run("return document.activeElement.textContent").await, "Ada");
    browser.press_key("\u{e007}").await;
    wait_for("the lead again", async || (run(open).await == "Ada").then_some(())).await;
    browser.close().await;
}

#[tokio::test]
async fn on_a_phone_ten_leads_take_little_room_and_one_can_be_called() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-list-phone").users(&["ann"]).connect().await;
    let email = tenant.create_login("Pho Ne", "admin").await;
    let answers = json!({ "full_name": "Cal Lee", "email": "cal@example.com", "phone_number": "+14155550123" });
    let mut ids = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await;
    // The same person again is not another row.
    ids.extend(LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await);
    ids.extend(LeadFixture::new(&person.forms[0]).submit(9).await);
    wait_for("the leads", async || (tenant.leads("").await.len() == 10).then_some(())).await;
    let browser = Browser::open(PHONE).await;
    browser.open_page("/leads").await;
    browser.log_in(&email).await;
    browser.wait_for_text("Cal Lee").await;
    browser.wait_for_text("2 forms").await;
    browser.check_page("leads-rows").await;
    let heights = "return Math.max(...[...document.querySelectorAll('tr[data-row]')].map((row) => row.offsetHeight))";
    let highest = browser.client.execute(heights, vec![]).await.unwrap().as_f64().unwrap();
    assert!(highest <= 100.0, "a row of {highest} pixels");
    let call = "return document.querySelector('a.phone[href=\"tel:+14155550123\"]') !== null";
    assert_eq!(browser.client.execute(call, vec![]).await.unwrap(), true);
    browser.close().await;
}

#[tokio::test]
async fn a_change_of_several_leads_without_script_is_checked_and_told() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-bulk").users(&["ann"]).connect().await;
    let leads = tenant.wait_for_leads(&LeadFixture::new(&person.forms[0]).submit(2).await).await;
    let ids: Vec<&str> = leads.iter().map(|lead| lead.text("id")).collect();
    let mut guest = Guest::log_in(&tenant.create_login("Bul K", "admin").await).await;
    let mut post = async |fields: &[(&str, &str)]| {
        guest.post("/leads/bulk", fields).await;
        guest.get("/leads").await.text
    };
    for (fields, words) in [
        (vec![("act", "status"), ("status", "lost")], "Select the leads to change"),
        (vec![("act", "status"), ("status", "gone"), ("lead", ids[0])], "status"),
        (
            vec![("act", "assign"), ("assigned_to", "zoe"), ("lead", ids[0])],
            "Choose a person who is active in this org.",
        ),
        (vec![("act", "assign"), ("lead", ids[0])], "assigned"),
        (vec![("act", "status"), ("status", "lost"), ("lead", "meta-1")], "0 leads changed; 1 no longer there."),
    ] {
        let page = post(&fields).await;
        assert!(page.contains(words), "{fields:?}: {page}");
    }
    assert!(tenant.leads("").await.iter().all(|lead| lead["status"] == "new" && lead["assigned_to"].is_null()));
    let page =
        post(&[("act", "status"), ("status", "lost"), ("lead", ids[0]), ("lead", ids[1]), ("lead", "meta-1")]).await;
    assert!(page.contains("2 leads changed; 1 no longer there."), "{page}");
    assert_eq!(tenant.leads("status=lost").await.len(), 2);
    assert_eq!(tenant.events("lead.updated").await.len(), 2, "the CRM is told of each");
}
