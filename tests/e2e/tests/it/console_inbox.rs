//! The inbox in the console: read, answered, taken, closed and joined without leaving the page.

use e2e::browser::{Browser, DESK, PHONE};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, LeadFixture, OrgFixture};
use e2e::json::Json;
use e2e::meta::Person;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use fantoccini::Locator;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};

async fn sim(path: &str, body: Value) -> Value {
    world().call_sim(Method::POST, path, &body).await
}

/// Someone writes to the page on Messenger.
pub(crate) async fn write(person: &Person, name: &str, text: &str) -> Value {
    let body = json!({ "channel": "messenger", "page_id": person.pages[0], "text": text, "person": name });
    sim("messages", body).await
}

/// Someone wrote so many hours ago.
async fn write_earlier(person: &Person, name: &str, text: &str, hours: i64) -> Value {
    let at = (Timestamp::now() - SignedDuration::from_hours(hours)).to_string();
    let body = json!({ "channel": "messenger", "page_id": person.pages[0], "text": text, "person": name, "at": at });
    sim("messages", body).await
}

/// The number of the WhatsApp account of a person at Meta.
async fn whatsapp_number(person: &Person) -> String {
    let state = world().sim_state().await;
    let business = format!("{} Ltd", state.find("users", "id", person.id.as_str()).text("name"));
    state.find("whatsapp", "name", business.as_str()).text("phone_numbers.0.id").to_owned()
}

/// The only conversation of the org on a channel, once it is there.
pub(crate) async fn conversation(tenant: &Tenant, channel: &str) -> Value {
    wait_for(&format!("the conversation on {channel}"), async || {
        let mut found = tenant.items(&format!("/api/conversations?channel={channel}")).await;
        (found.len() == 1).then(|| found.remove(0))
    })
    .await
}

async fn in_state(tenant: &Tenant, id: &str, is: impl Fn(&Value) -> bool) -> Value {
    wait_for("the conversation's state", async || {
        let found = tenant.get(&format!("/api/conversations/{id}")).await;
        is(&found).then_some(found)
    })
    .await
}

/// A browser of a member who may use the inbox and see leads, at the inbox.
pub(crate) async fn member(tenant: &Tenant, screen: e2e::browser::Screen) -> Browser {
    let email = tenant.create_login("Mona Member", "sales").await;
    let permissions = ["inbox", "lead_management"];
    let user = json!({ "name": "Mona Member", "email": email, "active": true, "permissions": permissions });
    tenant.call_ok(Method::PUT, "/api/users/mona", &user).await;
    let browser = Browser::open(screen).await;
    browser.open_page("/inbox").await;
    browser.log_in(&email).await;
    browser
}

async fn type_keys(browser: &Browser, keys: &str) {
    browser.client.active_element().await.unwrap().send_keys(keys).await.unwrap();
}

async fn script(browser: &Browser, script: &str) -> Value {
    browser.client.execute(script, Vec::new()).await.unwrap()
}

#[tokio::test]
async fn three_ways_of_one_person_are_one_and_are_answered_without_leaving_the_page() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-inbox").users(&["sofia"]).connect().await;
    let answers = json!({ "full_name": "Ada Inbox", "email": "ada@inbox.example", "phone_number": "+4917612345777" });
    let lead = LeadFixture::new(&person.forms[0]).answers(&answers).submit(1).await.remove(0);
    tenant.wait_for_leads(std::slice::from_ref(&lead)).await;
    // A comment under a post, a message the next day, a picture on WhatsApp on the third.
    let post = sim("posts", json!({ "page_id": person.pages[0], "message": "Open day" })).await;
    let comment = json!({ "object": "page", "post_id": post["id"], "text": "Until when?", "person": "Ada Inbox" });
    sim("comments", comment).await;
    write(&person, "Ada Inbox", "Is there parking?").await;
    let channels = json!({ "whatsapp": { "phone": "4917612345777" } });
    let on_whatsapp = sim("people", json!({ "name": "Ada I.", "channels": channels })).await;
    let number = whatsapp_number(&person).await;
    let photo = json!({ "channel": "whatsapp", "phone_number_id": number, "person": on_whatsapp["id"], "kind": "image", "attachments": ["image"], "text": "This one" });
    sim("messages", photo).await;
    sim("reactions", json!({ "post_id": post["id"], "person": "Ada Inbox", "type": "love" })).await;
    for channel in ["facebook_comment", "messenger", "whatsapp"] {
        conversation(&tenant, channel).await;
    }
    let browser = member(&tenant, DESK).await;
    browser.wait_for_text("3 conversations, 3 unread").await;
    browser.check_page("inbox-list").await;
    browser.open_page("/account").await;
    assert_eq!(script(&browser, "return document.querySelector('.sections .unread').firstChild.data").await, "3");
    browser.open_page("/inbox").await;

    // The picture.
    browser.press_conversation("WhatsApp").await;
    browser.wait_for_text("This one").await;
    let is_shown =
        "const img = document.querySelector('.picture img'); return Boolean(img?.complete && img.naturalWidth > 0)";
    wait_for("the picture", async || (script(&browser, is_shown).await == json!(true)).then_some(())).await;

    // She takes the comment, and answers below it and privately.
    browser.press_conversation("Facebook comment").await;
    browser.wait_for_text("Under a post").await;
    browser.click("#assign summary").await;
    browser.press("Me").await;
    let below = conversation(&tenant, "facebook_comment").await;
    in_state(&tenant, below.text("id"), |it| it["assigned_to"] == "mona" && it["unread"] == 0).await;
    browser.fill("textarea[name=text]", "Until six").await;
    browser.press("Reply publicly").await;
    browser.wait_for_text("✓").await;
    browser.click("input[value=private]").await;
    browser.fill("textarea[name=text]", "There is parking for you").await;
    browser.wait_for_text("Characters left: 1,976").await;
    browser.press("Send privately").await;
    browser.wait_for_text("It is in their conversation on Messenger.").await;
    browser.check_page("inbox-comment").await;

    // The chat: read by her, and answered from Meta's own inbox.
    browser.press_conversation("Messenger").await;
    browser.wait_for_text("Is there parking?").await;
    browser.fill("textarea[name=text]", "See you there").await;
    browser.press("Send").await;
    let chat = conversation(&tenant, "messenger").await;
    let sent = wait_for("the message at Meta", async || {
        let messages = tenant.items(&format!("/api/conversations/{}/messages", chat.text("id"))).await;
        messages.into_iter().find(|message| message["text"] == "See you there" && message["meta_id"].is_string())
    })
    .await;
    sim("messages", json!({ "kind": "read", "mid": sent["meta_id"] })).await;
    browser.wait_for_text("✓✓ Read").await;
    let echo = json!({ "channel": "messenger", "page_id": person.pages[0], "person": "Ada Inbox", "kind": "echo", "text": "From the app" });
    sim("messages", echo).await;
    browser.wait_for_text("in Meta's own inbox").await;
    browser.check_page("inbox-chat").await;

    // It sleeps, and is closed.
    browser.click("#snooze summary").await;
    browser.click("button[value=tomorrow]").await;
    browser.wait_for_text("Snoozed until").await;
    browser.click(".head button[value=open]").await;
    in_state(&tenant, chat.text("id"), |it| it["status"] == "open").await;
    browser.click(".head button[value=closed]").await;
    browser.wait_for_text("Closed").await;
    in_state(&tenant, chat.text("id"), |it| it["status"] == "closed").await;
    browser.check_log("inbox").await;

    // The person on WhatsApp is the lead, and a member knows who else it is.
    browser.press_conversation("WhatsApp").await;
    browser.click(".head h2 a").await;
    browser.wait_for_text("Channels").await;
    browser.wait_for_text("+4917612345777").await;
    let shows_lead = format!("return Boolean(document.querySelector(\"a[href='/leads/meta-{lead}']\"))");
    assert_eq!(script(&browser, &shows_lead).await, json!(true));
    browser.fill("input[name=person]", "ada inbox").await;
    type_keys(&browser, "\u{e007}").await;
    browser.press("Merge").await;
    browser.press("Merge into one person").await;
    browser.wait_for_text("The two people are merged.").await;
    for words in ["Until six", "From the app", "This one", "❤️ Reacted to a post"] {
        browser.wait_for_text(words).await;
    }
    browser.check_page("inbox-person").await;

    browser.close().await;
}

#[tokio::test]
async fn a_mistake_keeps_what_was_typed_and_a_closed_window_says_what_is_possible() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-inbox-rules").connect().await;
    write(&person, "Ben Typed", "Hello").await;
    write_earlier(&person, "Old Olga", "Anyone there?", 30).await;
    let number = whatsapp_number(&person).await;
    let at = (Timestamp::now() - SignedDuration::from_hours(30)).to_string();
    let late = json!({ "channel": "whatsapp", "phone_number_id": number, "person": "Lena Late", "text": "And now?", "at": at });
    sim("messages", late).await;
    conversation(&tenant, "whatsapp").await;
    wait_for("both chats", async || {
        (tenant.items("/api/conversations?channel=messenger").await.len() == 2).then_some(())
    })
    .await;
    let browser = member(&tenant, DESK).await;
    browser.press_conversation("Ben Typed").await;
    browser.wait_for_text("Characters left: 2,000").await;
    browser.fill("textarea[name=text]", "Look at this").await;
    browser.press("Attach a file").await;
    browser.fill("input[name=attachment_url]", "https://10.0.0.1/a.jpg").await;
    browser.press("Send").await;
    browser.wait_for_text("need text and a file as two separate messages").await;
    let typed = "return [document.querySelector('textarea').value, document.querySelector('[name=attachment_url]').value, location.pathname.startsWith('/inbox/cnv_')]";
    assert_eq!(script(&browser, typed).await, json!(["Look at this", "https://10.0.0.1/a.jpg", true]));
    browser.check_page("inbox-mistake").await;
    browser.fill("textarea[name=text]", "").await;
    browser.press("Send").await;
    wait_for("the mistake at its field", async || {
        script(&browser, "return document.querySelector('#attachment_url-mistake')?.textContent")
            .await
            .as_str()
            .map(drop)
    })
    .await;

    browser.open_page("/inbox?status=all").await;
    browser.press_conversation("Old Olga").await;
    browser.wait_for_text("More than 24 hours have passed").await;
    assert_eq!(script(&browser, "return document.querySelectorAll('[value=reply]').length").await, json!(0));
    browser.fill("textarea[name=text]", "Ask her for a number").await;
    browser.press("Save the note").await;
    browser.wait_for_text("Ask her for a number").await;
    wait_for("the note", async || {
        script(&browser, "return document.querySelectorAll('.message.note').length")
            .await
            .as_u64()
            .filter(|found| *found == 1)
    })
    .await;
    browser.check_page("inbox-closed").await;
    // She writes again: the form is there without a reload.
    write(&person, "Old Olga", "Hello again").await;
    browser.wait_for_text("Hello again").await;
    browser.wait_for_text("Characters left: 2,000").await;

    browser.press_conversation("Lena Late").await;
    browser.wait_for_text("Only an approved template is delivered.").await;
    browser.press("Hello {{1}}, thank you for your request about {{2}}. lead_follow_up, en_US").await;
    browser.fill("details[open] input[name=variable]", "Lena").await;
    type_keys(&browser, "\u{e004}").await;
    type_keys(&browser, "the open day").await;
    browser.click(".templates details[open] button.primary").await;
    browser.wait_for_text("[lead_follow_up]").await;
    browser.wait_for_text("✓✓ Delivered").await;
    browser.check_page("inbox-template").await;
    browser.close().await;
}

#[tokio::test]
async fn a_saved_reply_is_put_into_an_answer_and_an_admin_forgets_who_asks_for_it() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-replies").connect().await;
    write(&person, "Eva Forget", "When are you open?").await;
    let chat = conversation(&tenant, "messenger").await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/inbox/saved-replies").await;
    browser.log_in(&tenant.create_login("Adi Admin", "admin").await).await;
    browser.fill("input[name=title]", "Hours").await;
    browser.fill("textarea[name=text]", "Until six, on Sundays until four.").await;
    browser.press("Save").await;
    browser.wait_for_text("Saved.").await;
    browser.check_page("inbox-saved-replies").await;

    browser.open_page(&format!("/inbox/{}", chat.text("id"))).await;
    browser.press("Use a saved reply").await;
    browser.press("Hours").await;
    wait_for("the reply in the composer", async || {
        let typed = script(&browser, "return document.querySelector('form.composer textarea')?.value").await;
        (typed == "Until six, on Sundays until four.").then_some(())
    })
    .await;
    browser.check_page("inbox-saved-reply").await;
    browser.press("Send").await;
    wait_for("the answer", async || {
        let path = format!("/api/conversations/{}/messages", chat.text("id"));
        tenant.items(&path).await.iter().any(|message| message["status"] == "sent").then_some(())
    })
    .await;

    browser.open_page(&format!("/inbox/people/{}", chat.text("contact.id"))).await;
    browser.press("Erase this person").await;
    browser.check_page("inbox-erasure").await;
    browser.press("Erase Eva Forget").await;
    browser.wait_for_text("The person is erased.").await;
    assert!(tenant.items("/api/contacts").await.is_empty());
}

#[tokio::test]
async fn the_inbox_is_used_by_keys_alone() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-inbox-keys").connect().await;
    for name in ["Kay One", "Kim Two"] {
        write(&person, name, "Hello").await;
        wait_for("the conversation", async || {
            tenant.items("/api/conversations").await.iter().any(|it| it.text("contact.name") == name).then_some(())
        })
        .await;
    }
    let browser = member(&tenant, DESK).await;
    browser.wait_for_text("next, previous").await;
    type_keys(&browser, "j").await;
    browser.wait_for_text("You can reply until").await;
    type_keys(&browser, "j").await;
    let here = "return document.querySelector('.head h2')?.innerText.trim()";
    wait_for("the second one", async || (script(&browser, here).await == "Kay One").then_some(())).await;
    type_keys(&browser, "r").await;
    type_keys(&browser, "jek stays text").await;
    type_keys(&browser, "\u{e009}\u{e007}\u{e000}").await;
    browser.wait_for_text("✓").await;
    browser.wait_for_text("jek stays text").await;
    type_keys(&browser, "\u{e00c}").await;
    type_keys(&browser, "e").await;
    browser.wait_for_text("Reopen").await;
    // Its place in the list is now that of the other one.
    wait_for("the list without it", async || {
        (script(&browser, "return document.querySelectorAll('a.conversation').length").await == 1).then_some(())
    })
    .await;
    type_keys(&browser, "j").await;
    wait_for("the first one", async || (script(&browser, here).await == "Kim Two").then_some(())).await;
    let closed = tenant.items("/api/conversations?status=closed").await;
    assert_eq!((closed.len(), closed[0].text("contact.name")), (1, "Kay One"));
    browser.close().await;
}

#[tokio::test]
async fn on_a_phone_the_list_and_the_conversation_come_one_after_the_other() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-inbox-phone").connect().await;
    write(&person, "Phil Phone", "Hello from the bus").await;
    conversation(&tenant, "messenger").await;
    let browser = member(&tenant, PHONE).await;
    browser.check_page("inbox-list").await;
    let is_seen = async |selector: &str| {
        let found = browser.client.find(Locator::Css(selector)).await.unwrap();
        found.is_displayed().await.unwrap()
    };
    assert!(is_seen(".conversation").await && !is_seen(".pane").await);
    browser.press_conversation("Phil Phone").await;
    browser.wait_for_text("You can reply until").await;
    assert!(is_seen("textarea[name=text]").await && !is_seen(".inbox .list").await);
    browser.check_page("inbox-chat").await;
    browser.fill("textarea[name=text]", "Hello back").await;
    browser.press("Send").await;
    browser.wait_for_text("✓").await;
    browser.click(".back").await;
    browser.wait_for_text("Hello back").await;
    assert!(is_seen(".conversation").await);
    browser.close().await;
}

#[tokio::test]
async fn only_a_colleague_with_the_permission_uses_the_inbox_and_only_of_their_org() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-inbox-rights").connect().await;
    write(&person, "Dan Rights", "Hello").await;
    let chat = conversation(&tenant, "messenger").await;
    let path = format!("/inbox/{}", chat.text("id"));
    let who = format!("/inbox/people/{}", chat.text("contact.id"));
    let email = tenant.create_login("Cleo Colleague", "sales").await;
    let put = async |permissions: Value| {
        let user = json!({ "name": "Cleo", "email": email, "active": true, "permissions": permissions });
        tenant.call_ok(Method::PUT, "/api/users/cleo", &user).await;
    };
    put(json!(["lead_management"])).await;
    let mut guest = Guest::log_in(&email).await;
    for address in ["/inbox", "/inbox/list", "/inbox/people", &path, &who, &format!("{path}/live")] {
        assert_eq!(guest.get(address).await.status, 403, "{address}");
    }
    assert!(!guest.get("/leads").await.text.contains("href=\"/inbox\""));
    assert_eq!(guest.post(&format!("{path}/answer"), &[("text", "Hi")]).await.status, 403);
    put(json!(["inbox", "lead_management"])).await;
    assert!(guest.get("/leads").await.text.contains("href=\"/inbox\""));
    // Without the script: the same forms, on pages of their own.
    let page = guest.get(&path).await;
    assert!(page.text.contains("Dan Rights") && page.text.contains("action=\"/inbox/cnv_"), "{}", page.text);
    let long = "x".repeat(2_001);
    let refused = guest.post(&format!("{path}/answer"), &[("text", &long), ("request_id", "once")]).await;
    assert!(refused.text.contains("At most 2000 characters; this has 2001.") && refused.text.contains(&long));
    let answer = [("text", "Hi\r\nDan"), ("request_id", "once")];
    for _ in 0..2 {
        assert_eq!(guest.post(&format!("{path}/answer"), &answer).await.location, path);
    }
    let messages = tenant.items(&format!("/api/conversations/{}/messages", chat.text("id"))).await;
    assert_eq!((messages.len(), messages[0].text("text")), (2, "Hi\nDan"), "a double click is one answer");
    let closed = guest.post(&format!("{path}/status"), &[("status", "closed")]).await;
    assert_eq!(closed.location, path, "{}", closed.text);
    assert!(guest.get(&path).await.text.contains("Reopen"));
    let late =
        guest.post(&format!("{path}/snooze"), &[("until", "at"), ("at", "2020-01-01T09:00"), ("zone", "UTC")]).await;
    assert_eq!(late.location, path);
    assert!(guest.get(&path).await.text.contains("A time in the future."));
    put(json!(["inbox"])).await;
    assert!(!guest.get(&who).await.text.contains("E-mail address or number"), "leads are another permission");

    let stranger = OrgFixture::new("console-inbox-stranger").create().await;
    let mut eve = Guest::log_in(&stranger.create_login("Eve Stranger", "admin").await).await;
    for address in [path.clone(), who.clone(), format!("{path}/live"), format!("{path}/composer")] {
        assert_eq!(eve.get(&address).await.status, 404, "{address}");
    }
    for (address, fields) in [
        (format!("{path}/answer"), [("text", "Mine")]),
        (format!("{path}/status"), [("status", "open")]),
        (format!("{path}/assign"), [("user", "")]),
        (format!("{who}/name"), [("name", "Mine")]),
    ] {
        assert_eq!(eve.post(&address, &fields).await.status, 404, "{address}");
    }
}
