//! The list of leads, as people work with it.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::console::{Guest, Page};
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::world::wait_for;
use reqwest::Method;
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
    browser.wait_for_text("Open full view").await;
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
    // The open lead is the one that keys mean.
    let is_selected = "return document.querySelector('tr[aria-current] input[name=lead]').checked";
    browser.press_key("x").await;
    assert_eq!(run(is_selected).await, true);
    browser.press_key("x").await;
    assert_eq!(run(is_selected).await, false);
    browser.press_key("s").await;
    assert_eq!(
        run("return document.activeElement.closest('#lead-panel')?.id + document.activeElement.name").await,
        "lead-panelstatus"
    );
    browser.press_key("\u{e00c}").await;
    wait_for("the list again", async || (run(open).await == "").then_some(())).await;
    // A row does what its name does, with the same keys held; beside its box, it is selected.
    browser.click("tr[data-row] td.status").await;
    wait_for("the lead of the row", async || (run(open).await == "Bea").then_some(())).await;
    browser.press_key("\u{e00c}").await;
    wait_for("the list once more", async || (run(open).await == "").then_some(())).await;
    let held = "window.open = (address) => { window.opened = address }; \
        document.querySelector('tr[data-row] td.form').dispatchEvent(new MouseEvent('click', { bubbles: true, ctrlKey: true })); \
        return [window.opened, document.querySelector('tr[data-row] .title a').href]";
    let held = run(held).await;
    assert!(held[0].is_string() && held[0] == held[1], "{held}");
    assert_eq!(run(open).await, "", "another tab has it");
    run("document.querySelector('tr[data-row] td.tick').click()").await;
    browser.wait_for_text("1 selected").await;
    run("document.querySelector('tr[data-row] td.tick').click()").await;
    // The head stays in sight of a long list.
    let head = "document.querySelector('tr[data-row]').style.height = '3000px'; scrollTo(0, 1500); \
        return document.querySelector('.leads th.name').getBoundingClientRect().top";
    assert_eq!(run(head).await, 0);
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
    // Meta's own test leads have texts in the place of numbers and addresses.
    let dummy = |field: &str| format!("<test lead: dummy data for {field}>");
    let dummies = json!({ "full_name": "Dum My", "email": dummy("email"), "phone_number": dummy("phone_number") });
    ids.extend(LeadFixture::new(&person.forms[0]).answers(&dummies).submit(1).await);
    ids.extend(LeadFixture::new(&person.forms[0]).submit(8).await);
    wait_for("the leads", async || (tenant.leads("").await.len() == 10).then_some(())).await;
    let browser = Browser::open(PHONE).await;
    browser.open_page("/leads").await;
    browser.log_in(&email).await;
    browser.wait_for_text("Cal Lee").await;
    browser.wait_for_text("2 forms").await;
    browser.check_page("leads-rows").await;
    // Above them, one row, and a sheet for what is done rarely.
    let toolbar = "return document.querySelector('.toolbar').offsetHeight";
    let toolbar = browser.client.execute(toolbar, vec![]).await.unwrap().as_f64().unwrap();
    assert!(toolbar <= 60.0, "a toolbar of {toolbar} pixels");
    assert!(!browser.text().await.contains("Export all leads"));
    browser.press("Filters").await;
    browser.check_page("leads-filters").await;
    browser.press("Filters").await;
    browser.press("More actions").await;
    browser.wait_for_text("Export all leads").await;
    browser.check_page("leads-acts").await;
    browser.press_key("\u{e00c}").await;
    wait_for("the sheet to close", async || (!browser.text().await.contains("Export all leads")).then_some(())).await;
    let heights = "return Math.max(...[...document.querySelectorAll('tr[data-row]')].map((row) => row.offsetHeight))";
    let highest = browser.client.execute(heights, vec![]).await.unwrap().as_f64().unwrap();
    assert!(highest <= 80.0, "a row of {highest} pixels");
    let call = "return document.querySelector('a.phone[href=\"tel:+14155550123\"]') !== null";
    assert_eq!(browser.client.execute(call, vec![]).await.unwrap(), true);
    let text = browser.text().await;
    assert!(text.contains("dummy data for phone_number"), "{text}");
    let links = "return document.querySelectorAll('a[href*=dummy]').length";
    assert_eq!(browser.client.execute(links, vec![]).await.unwrap(), 0, "no one can be called by a text");
    browser.press("Dum My").await;
    browser.wait_for_text("History").await;
    browser.check_page("lead-dummy").await;
    assert_eq!(browser.client.execute(links, vec![]).await.unwrap(), 0);
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

/// Sends a form, and again wherever the answer says, as browsers do. Also returns where it was sent.
async fn post_all(guest: &mut Guest, path: &str, fields: &[(&str, &str)]) -> (Page, Vec<String>) {
    let proof = guest.csrf_token().await;
    let fields: Vec<(&str, &str)> = fields.iter().copied().chain([("form_key", proof.as_str())]).collect();
    let mut paths = vec![path.to_owned()];
    loop {
        let page = guest.request(Method::POST, &paths[paths.len() - 1], &fields, &[]).await;
        if page.status != 307 {
            return (page, paths);
        }
        assert!(paths.len() < 20, "a browser follows 20 redirects");
        paths.push(page.location);
    }
}

#[tokio::test]
async fn all_leads_that_match_are_counted_changed_and_restored_unless_they_were_used_since() {
    const LEADS: usize = 230;
    let ConnectedOrg { tenant, .. } = OrgFixture::new("console-every").users(&["ann", "ben"]).connect().await;
    let row = |number: usize| format!("Lead {number:03},lead-{number}@example.com,2026-01-{:02}\n", number % 28 + 1);
    let file = "full_name,email,created_time\n".to_owned() + &(0..LEADS).map(row).collect::<String>();
    let (status, report) = tenant.upload("/api/leads/import", file.as_bytes()).await;
    assert_eq!((status, report.number("created")), (200, 230), "{report}");
    let mut guest = Guest::log_in(&tenant.create_login("Eve Ry", "admin").await).await;
    assert!(guest.get("/leads/count").await.text.contains("230 leads"));
    assert!(guest.get("/leads/count?from=2026-01-28&until=2026-01-28").await.text.contains("8 leads"));
    let first = |page: &Page| page.text.split("/leads/file-").nth(1).map(|rest| rest[..12].to_owned());
    let newest = guest.get("/leads").await;
    let oldest = guest.get("/leads?order=oldest_first").await;
    assert!(newest.text.contains("aria-sort=\"descending\"") && oldest.text.contains("aria-sort=\"ascending\""));
    assert_ne!(first(&newest), first(&oldest));
    let in_order = tenant.items("/api/leads?order=oldest_first&limit=3").await;
    assert!(in_order.iter().all(|lead| lead.text("created_time").starts_with("2026-01-01")), "{in_order:?}");

    // Every lead that matches, in as many requests as it takes.
    let assign = [("act", "assign"), ("assigned_to", "ben"), ("every", "yes"), ("filters", "status=new")];
    let (_, paths) = post_all(&mut guest, "/leads/bulk", &assign).await;
    assert_eq!(paths.len(), 3);
    let page = guest.get("/leads").await.text;
    assert!(page.contains("230 leads changed."), "{page}");
    let undo = page.split("action=\"").find(|rest| rest.starts_with("/leads/bulk/")).expect("the way back");
    let undo = undo.split('"').next().unwrap().to_owned();
    // A request that is sent again, because its answer was lost, takes nothing from the way back.
    post_all(&mut guest, &paths[1], &assign).await;
    let all_of = async |user: &str| tenant.all_items(&format!("/api/leads?assigned_to={user}&limit=100")).await;
    let assigned = all_of("ben").await;
    assert_eq!(assigned.len(), LEADS);
    let used = assigned[150].text("id");
    tenant.call_ok(Method::PATCH, &format!("/api/leads/{used}"), &json!({ "assigned_to": "ann" })).await;

    let (_, paths) = post_all(&mut guest, &undo, &[]).await;
    assert_eq!(paths.len(), 3);
    let page = guest.get("/leads").await.text;
    assert!(page.contains("229 leads are as before. Changed since, and left alone: 1."), "{page}");
    assert_eq!(all_of("unassigned").await.len(), LEADS - 1);
    assert_eq!(all_of("ann").await.len(), 1, "what was used since stays");
    post_all(&mut guest, &undo, &[]).await;
    assert!(guest.get("/leads").await.text.contains("This change is already undone"));

    // A few as a file, at once.
    let (page, _) = post_all(&mut guest, "/leads/exports/selected", &[("lead", used), ("lead", "meta-1")]).await;
    assert_eq!(page.headers["content-disposition"], "attachment; filename=\"leads.csv\"");
    assert_eq!(page.text.lines().count(), 2, "{}", page.text);
    let has_mark = |page: &Page| page.text.starts_with('\u{feff}');
    assert!(has_mark(&page), "Excel knows UTF-8 by the mark in front, which is no part of the text");
    assert!(page.text.contains(used), "{}", page.text);
    let (page, _) = post_all(&mut guest, "/leads/exports/selected", &[("every", "yes"), ("filters", "")]).await;
    assert_eq!(page.location, "/leads/exports");
    for path in ["/ads/report.csv", "/ads/outcomes.csv"] {
        let page = guest.get(path).await;
        assert!(page.text.contains("name") && has_mark(&page), "{path}: {:?} {}", page.headers, page.text);
    }
    wait_for("the export", async || (tenant.items("/api/leads/exports").await[0]["leads"] == LEADS).then_some(()))
        .await;
}

#[tokio::test]
async fn a_colleague_finds_leads_from_anywhere_on_a_phone_too() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-palette").connect().await;
    tenant.put_user("sal", "Sal", true).await;
    let email = tenant.create_login("Sal", "sales").await;
    let mut ids = Vec::new();
    for (name, address) in [("Lena <b>Lang</b>", "lena@example.com"), ("Leo Long", "leo@example.com")] {
        let answers = json!({ "full_name": name, "email": address });
        ids.extend(LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await);
    }
    tenant.wait_for_leads(&ids).await;
    let browser = Browser::open(PHONE).await;
    browser.open_page("/account").await;
    browser.log_in(&email).await;
    browser.wait_for_text("Mails to you").await;
    browser.click("[data-palette]").await;
    browser.press_key("le").await;
    browser.wait_for_text("2 results").await;
    browser.wait_for_text("lena@example.com").await;
    let text = browser.text().await;
    assert!(!text.contains("Import leads"), "what is not theirs is not offered: {text}");
    browser.check_page("palette-leads").await;
    // What is typed on is found instead, and the first that is found is opened by the keyboard.
    browser.press_key("o lo").await;
    browser.wait_for_text("1 result").await;
    browser.press_key("\u{e015}").await;
    let focus = "return document.activeElement.textContent";
    let focus = browser.client.execute(focus, vec![]).await.unwrap();
    assert!(focus.as_str().unwrap().starts_with("Leo Long leo@example.com"), "{focus}");
    browser.press_key("\u{e007}").await;
    let lead = format!("/leads/meta-{}", ids[1]);
    wait_for("the lead", async || browser.client.current_url().await.ok().filter(|url| url.path() == lead)).await;
    browser.close().await;

    // Without script, the same place leads to the search.
    let mut guest = Guest::log_in(&email).await;
    assert!(guest.get("/account").await.text.contains("href=\"/leads#find\""));
    assert!(guest.get("/leads").await.text.contains("id=\"find\""));
    assert_eq!(guest.get("/leads/find?q=Le%26o").await.location, "/leads?q=Le%26o");
    let mut find = async |text: &str| {
        let path = format!("/leads/find?q={text}");
        guest.request(reqwest::Method::GET, &path, &[], &[("x-part", "1")]).await.text
    };
    let found = find("len").await;
    assert!(found.contains("<b>Lena &lt;b&gt;Lang&lt;/b&gt;</b>") && !found.contains("<!DOCTYPE"), "{found}");
    assert!(find("zoe").await.contains("Nothing found"));
    assert!(find("leo@").await.contains("A complete e-mail address"), "it is not typed to its end");
}
