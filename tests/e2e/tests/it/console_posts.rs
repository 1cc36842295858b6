//! Posts in the console: written once, published on several pages and accounts, planned, moved, cancelled.

use std::path::Path;

use base64::Engine;
use e2e::browser::{Browser, DESK};
use e2e::console::Guest;
use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_for, world};
use fantoccini::Locator;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};

async fn done(tenant: &Tenant, id: &str) -> Value {
    wait_for("the post's end", async || {
        let post = tenant.get(&format!("/api/posts/{id}")).await;
        matches!(post.text("status"), "published" | "failed" | "cancelled").then_some(post)
    })
    .await
}

/// The value of a hidden field of a form.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).expect(name);
    rest.split('"').next().unwrap().to_owned()
}

/// The id in an address such as `/posts/post_1`.
fn post_in(address: &str) -> String {
    address.strip_prefix("/posts/").expect(address).to_owned()
}

#[tokio::test]
async fn a_text_is_written_once_and_each_of_its_posts_has_a_fate_of_its_own() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-posts").pages(2).connect().await;
    let mut guest = Guest::log_in(&tenant.create_login("Mona Market", "moderator").await).await;
    let state = world().sim_state().await;
    let account = state.find("instagram", "page_id", &person.pages[0]).clone();

    // The accounts behind the pages are looked for, and what was typed stays.
    let form = guest.get("/posts/new").await;
    let request_id = hidden(&form.text, "request_id");
    let typed = [("message", "Open day"), ("request_id", request_id.as_str())];
    let found = guest.post("/posts/new/accounts", &typed).await;
    assert!(found.text.contains("2 Instagram accounts found."), "{}", found.text);
    assert!(found.text.contains("Open day</textarea>") && found.text.contains(account.text("username")));

    // A mistake is beside its field, and nothing is stored.
    let [first, second] = [0, 1].map(|index: usize| format!("page:{}", person.pages[index]));
    let instagram = format!("instagram:{}", account.text("id"));
    let images = |second: &str| format!("https://cdn.example/1.jpg\r\nhttps://cdn.example/{second}\r\n");
    let (wrong, right) = (images("2.png"), images("2.jpg"));
    let send = |images| {
        [
            ("target", first.as_str()),
            ("target", second.as_str()),
            ("target", instagram.as_str()),
            ("message", "Open day\r\nCome in"),
            ("images", images),
            ("when", "now"),
            ("at", ""),
            ("zone", "Europe/Berlin"),
            ("request_id", request_id.as_str()),
        ]
    };
    let refused = guest.post("/posts/new", &send(wrong.as_str())).await;
    assert!(refused.text.contains("Picture 2: Instagram: Use JPEG"), "{}", refused.text);
    assert!(refused.text.contains("Open day\nCome in</textarea>") && refused.text.contains("2.png"));
    assert!(tenant.items("/api/posts").await.is_empty());
    let part = guest.csrf_token().await;
    let fragment: Vec<(&str, &str)> = send(wrong.as_str()).into_iter().chain([("form_key", part.as_str())]).collect();
    let look = guest.request(Method::POST, "/posts/new/preview", &fragment, &[("x-part", "1")]).await;
    assert!(look.text.starts_with("<section class=\"look\">"), "{}", look.text);
    assert!(look.text.contains("Characters left: 2,184"), "a line break is one character: {}", look.text);

    // One page's pictures are refused once; a double click is one request.
    let fault = json!({ "path": format!("/{}/photos", person.pages[1]), "method": "POST", "kind": "error", "code": 100, "times": 1 });
    world().call_sim(Method::POST, "faults", &fault).await;
    let (one, two) = (guest.post("/posts/new", &send(&right)).await, guest.post("/posts/new", &send(&right)).await);
    assert_eq!((one.status.as_u16(), &one.location), (303, &two.location), "{}", one.text);
    let id = post_in(&one.location);
    let first_post = done(&tenant, &id).await;
    assert_eq!(first_post.text("status"), "published", "{first_post}");
    assert_eq!(first_post.text("message"), "Open day\nCome in");
    let siblings: Vec<String> = first_post.list("siblings").iter().map(|id| id.as_str().unwrap().to_owned()).collect();
    assert_eq!((siblings.len(), tenant.items("/api/posts").await.len()), (2, 3));
    let (failed, on_instagram) = (done(&tenant, &siblings[0]).await, done(&tenant, &siblings[1]).await);
    assert_eq!((failed.text("status"), on_instagram.text("status")), ("failed", "published"), "{failed}");
    assert_eq!(on_instagram.text("media_type"), "carousel");

    // The failed one says why and what to do, and is published again.
    let page = guest.get(&format!("/posts/{}", failed.text("id"))).await;
    for words in ["What to do: ", "Publish again", "From the same draft", "Published"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    let again = guest.post(&format!("/posts/{}/publish", failed.text("id")), &[("x", "")]).await;
    assert_eq!(again.status, 303, "{}", again.text);
    assert_eq!(done(&tenant, failed.text("id")).await.text("status"), "published");
    let copy = guest.get(&format!("/posts/new?copy={id}")).await;
    assert!(copy.text.contains("Open day\nCome in</textarea>"), "{}", copy.text);
    assert_ne!(hidden(&copy.text, "request_id"), request_id);
}

#[tokio::test]
async fn a_post_is_planned_moved_and_cancelled_in_the_zone_of_its_author() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-plan").connect().await;
    let mut guest = Guest::log_in(&tenant.create_login("Pia Plan", "admin").await).await;
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let day = |days: i64| (Timestamp::now() + SignedDuration::from_hours(24 * days)).to_zoned(berlin.clone()).date();
    let at = |days: i64| format!("{}T09:30", day(days));
    let utc = |days: i64| day(days).at(9, 30, 0, 0).to_zoned(berlin.clone()).unwrap().timestamp().to_string();
    let (target, three, five) = (format!("page:{}", person.pages[0]), at(3), at(5));
    let fields = [
        ("target", target.as_str()),
        ("message", "Christmas market"),
        ("when", "later"),
        ("at", three.as_str()),
        ("zone", "Europe/Berlin"),
        ("request_id", "plan"),
    ];
    let sent = guest.post("/posts/new", &fields).await;
    let path = sent.location.clone();
    let id = post_in(&path);
    let post = tenant.get(&format!("/api/posts/{id}")).await;
    assert_eq!((post.text("status"), post.text("scheduled_at")), ("scheduled", &*utc(3)), "{post}");
    assert!(guest.get(&path).await.text.contains("1 post scheduled for"), "the flash says when");
    let month = day(3).strftime("%Y-%m").to_string();
    let calendar = guest.get(&format!("/posts/calendar?month={month}")).await;
    assert!(calendar.text.contains(&path) && calendar.text.contains("Christmas market"), "{}", calendar.text);
    let list = guest.get("/posts?status=scheduled").await;
    assert!(list.text.contains(&path), "{}", list.text);
    assert!(guest.get("/posts?status=failed").await.text.contains("No posts match"));

    let soon = guest.post(&format!("{path}/move"), &[("at", "2020-01-01T09:30"), ("zone", "Europe/Berlin")]).await;
    assert!(soon.text.contains("A time at least 10 minutes ahead") && soon.text.contains("2020-01-01T09:30"));
    let moved = guest.post(&format!("{path}/move"), &[("at", &five), ("zone", "Europe/Berlin")]).await;
    assert_eq!(moved.location, path, "{}", moved.text);
    assert_eq!(tenant.get(&format!("/api/posts/{id}")).await.text("scheduled_at"), utc(5));
    let cancelled = guest.post(&format!("{path}/cancel"), &[("x", "")]).await;
    assert_eq!(cancelled.location, path, "{}", cancelled.text);
    assert_eq!(tenant.get(&format!("/api/posts/{id}")).await.text("status"), "cancelled");
    assert!(guest.get(&path).await.text.contains("The post is cancelled."));
}

#[tokio::test]
async fn a_colleague_needs_the_permission_to_publish_and_no_more() {
    let ConnectedOrg { tenant, .. } = OrgFixture::new("console-author").connect().await;
    let email = tenant.create_login("Cleo Colleague", "sales").await;
    let mut guest = Guest::log_in(&email).await;
    let refused = guest.get("/posts/new").await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert!(refused.text.contains("permission to publish") && !refused.text.contains("href=\"/posts\""));
    let user = json!({ "name": "Cleo", "email": email, "active": true, "permissions": ["publishing"] });
    tenant.call_ok(Method::PUT, "/api/users/cleo", &user).await;
    let start = guest.get("/").await;
    assert_eq!(start.location, "/posts");
    let page = guest.get("/posts/new").await;
    assert!(page.text.contains("form_key") && page.text.contains("href=\"/posts\""), "{}", page.text);
    assert_eq!(guest.get("/leads").await.status, 403, "leads are another permission");
    assert_eq!(guest.get("/integrations").await.status, 403);
}

#[tokio::test]
async fn a_post_is_seen_before_it_is_public_and_followed_until_it_is() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-look").connect().await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&tenant.create_login("Lou Look", "admin").await).await;
    browser.open_page("/posts/new").await;
    browser.click(&format!("input[value='page:{}']", person.pages[0])).await;
    browser.fill("textarea[name=message]", "Open day #harbour").await;
    browser.wait_for_text("Characters left: 63,189").await;
    browser.press("Pictures or a video from the web").await;
    browser.fill("textarea[name=images]", "http://cdn.example/1.webp").await;
    browser.wait_for_text("Use JPEG, PNG, GIF, BMP or TIFF. This file is .webp.").await;
    browser.check_page("post-look").await;

    // The enter key shows the preview and publishes nothing.
    browser.click("input[name=video]").await;
    browser.press_key("\u{e007}").await;
    wait_for("the preview", async || {
        browser.client.current_url().await.ok().filter(|url| url.path() == "/posts/new/preview")
    })
    .await;
    browser.wait_for_text("Characters left: 63,189").await;
    browser.press("Publish").await;
    browser.wait_for_text("Nothing was published. Correct the marked field").await;
    browser.wait_for_text("Picture 1: Use JPEG").await;
    browser.check_page("post-mistake").await;
    assert!(tenant.items("/api/posts").await.is_empty());
    browser.fill("textarea[name=images]", "http://cdn.example/1.jpg").await;
    browser.press("Publish").await;
    browser.wait_for_text("1 post is being published.").await;
    browser.wait_for_text("It is public.").await;
    browser.check_page("post-published").await;
    assert_eq!(tenant.items("/api/posts").await[0].text("status"), "published");
    browser.close().await;
}

/// A picture of 40 x 30 pixels.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAACgAAAAeCAIAAADRv8uKAAAAK0lEQVR42u3NMQ0AAAgDsClCH3KQigw4mvRvqudExGKxWCwWi8VisVj8N16dfPhsAEPBggAAAABJRU5ErkJggg==";

/// Chooses a file in the open dialog of a form.
async fn choose_file(browser: &Browser, name: &str, content: &[u8]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("uploads");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, content).unwrap();
    let input = browser.client.find(Locator::Css("input[type=file]")).await.unwrap();
    input.send_keys(&file.display().to_string()).await.unwrap();
}

#[tokio::test]
async fn pictures_come_from_the_author_s_own_computer() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("console-uploads").connect().await;
    let browser = Browser::open(DESK).await;
    browser.open_page("/").await;
    browser.log_in(&tenant.create_login("Uma Upload", "admin").await).await;
    browser.open_page("/posts/new").await;
    browser.click(&format!("input[value='page:{}']", person.pages[0])).await;
    let png = base64::prelude::BASE64_STANDARD.decode(PNG).unwrap();
    choose_file(&browser, "page.png", b"<html>").await;
    browser.wait_for_text("page.png: The file is damaged, or not in the format image/png.").await;
    browser.press("Remove").await;
    choose_file(&browser, "first.png", &png).await;
    browser.wait_for_text("40 × 30").await;
    browser.wait_for_text("first.png").await;
    browser.wait_for_text("Instagram: Instagram accepts only JPEG; this is image/png.").await;
    // The preview shows it, from the bucket.
    let shown = async || {
        let script = "return [...document.querySelectorAll('.pictures img')].every((img) => img.complete && img.naturalWidth === 40) \
            && document.querySelectorAll('.pictures img').length";
        browser.client.execute(script, Vec::new()).await.ok().and_then(|number| number.as_u64())
    };
    wait_for("the picture in the preview", async || shown().await.filter(|number| *number == 1)).await;
    browser.check_page("post-uploads").await;

    // What was uploaded survives a mistake.
    browser.fill("input[name=link]", "shop").await;
    browser.press("Publish").await;
    browser.wait_for_text("Nothing was published. Correct the marked field").await;
    browser.fill("input[name=link]", "").await;
    browser.press("Publish").await;
    browser.wait_for_text("It is public.").await;
    let posts = tenant.items("/api/posts").await;
    assert!(posts[0].list("media")[0].text("url").starts_with("media:med_"), "{posts:?}");
    browser.close().await;
}
