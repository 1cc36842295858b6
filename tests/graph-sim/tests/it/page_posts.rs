//! Publishing posts on pages.

use graph_sim::{Options, seed};
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, Meta, PUBLISHING_SCOPES, app_token, read};
use crate::files::jpeg;

pub(crate) const FEED: &str = "/104398761152301/feed";

async fn now(meta: &Meta) -> i64 {
    meta.sim_get("clock").await["now"].as_i64().expect("seconds")
}

/// Stages a photo on Dental and returns its id.
pub(crate) async fn stage(meta: &Meta, page: &str, url: &str) -> String {
    meta.post(&format!("/{}/photos", seed::DENTAL), page, &[("url", url), ("published", "false")]).await.id()
}

pub(crate) fn attached(ids: &[String]) -> String {
    ids.iter().map(|id| json!({"media_fbid": id})).collect::<Value>().to_string()
}

#[tokio::test]
async fn a_post_is_published_and_read_back() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let form = [("message", "Open day\non Sunday"), ("link", "https://dental.example/open")];
    let id = meta.post(FEED, &page, &form).await.id();
    assert!(id.starts_with(&format!("{}_", seed::DENTAL)), "{id}");
    let fields =
        "id,message,created_time,is_published,permalink_url,application,status_type,from,attachments{url,type}";
    let post = meta.get(&format!("/{id}?fields={fields}"), &page).await.json;
    assert_eq!(
        (&post["message"], &post["is_published"], &post["application"]["id"], &post["status_type"]),
        (&json!("Open day\non Sunday"), &json!(true), &json!(seed::APP_ID), &json!("shared_story"))
    );
    assert_eq!(post["attachments"]["data"], json!([{"type": "share", "url": "https://dental.example/open"}]));
    let list = meta.get(&format!("/{}/published_posts?fields=id,message", seed::DENTAL), &page).await;
    assert_eq!(list.column("id"), [id.as_str()]);
    let truth = &meta.truth("posts").await[0];
    assert_eq!(
        (&truth["id"], &truth["status"], &truth["page_id"]),
        (&json!(id), &json!("published"), &json!(seed::DENTAL))
    );
    assert_eq!(truth["permalink_url"], post["permalink_url"]);
}

#[tokio::test]
async fn the_answer_may_carry_the_fields_that_the_request_names() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let at = (now(&meta).await + 3600).to_string();
    let form = [
        ("message", "Later"),
        ("published", "false"),
        ("scheduled_publish_time", &at),
        ("fields", "id,permalink_url,scheduled_publish_time,is_published"),
    ];
    let answer = meta.post(FEED, &page, &form).await.json;
    assert_eq!(answer["scheduled_publish_time"], json!(at.parse::<i64>().unwrap()));
    assert_eq!(answer["is_published"], false);
    assert!(answer["permalink_url"].as_str().unwrap().starts_with("https://www.facebook.com/"));
    // A field that does not exist does not undo the post.
    let answer = meta.post(FEED, &page, &[("message", "Now"), ("fields", "id,attached_media")]).await;
    assert_eq!((answer.status, &answer.json["error"]["code"]), (200, &json!(100)), "{}", answer.text);
    assert!(answer.json["id"].is_string());
    assert_eq!(meta.truth("posts").await.len(), 2);
}

#[tokio::test]
async fn publishing_takes_the_page_token_the_permissions_and_a_task() {
    let meta = Meta::start().await;
    let user = meta.login(seed::MARA, PUBLISHING_SCOPES, "").await;
    assert_eq!(meta.post(FEED, &user, &[("message", "Hi")]).await.error(), (400, 190, Some(2_069_032)));
    assert_eq!(meta.post(FEED, &app_token(), &[("message", "Hi")]).await.error(), (400, 190, Some(2_069_032)));
    let rentals = meta.page_of(&user, seed::RENTALS).await;
    assert_eq!(meta.post(FEED, &rentals, &[("message", "Hi")]).await.error(), (400, 100, Some(33)));
    let advertiser = meta.post(&format!("/{}/feed", seed::RENTALS), &rentals, &[("message", "Hi")]).await;
    assert_eq!(advertiser.error(), (403, 200, None));
    let jonas = meta.login(seed::JONAS, ALL_SCOPES, "").await;
    let without_scope = meta.page_of(&jonas, seed::DENTAL).await;
    assert_eq!(meta.post(FEED, &without_scope, &[("message", "Hi")]).await.error(), (403, 200, None));
    let photos = format!("/{}/photos", seed::DENTAL);
    let form = [("url", "https://cdn.example/a.jpg")];
    assert_eq!(meta.post(&photos, &without_scope, &form).await.error(), (403, 200, None));
    let videos = format!("/{}/videos", seed::DENTAL);
    let video = meta.post(&videos, &without_scope, &[("file_url", "https://cdn.example/a.mp4")]).await;
    assert_eq!((video.error(), video.message()), ((400, 100, None), "(#100) No permission to publish the video"));
    assert_eq!(meta.truth("posts").await.len(), 0);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let long = "x".repeat(63_207);
    let now = now(&meta).await;
    let (soon, late) = ((now + 300).to_string(), (now + 31 * 86_400).to_string());
    let time = "(#100) The specified scheduled publish time is invalid.";
    meta.sim("web", json!({"url": "https://gone.example/a", "status": 404})).await;
    for (form, code, message) in [
        (&[][..], 100, "(#100) The post is empty. Please enter a message to share."),
        (&[("message", long.as_str())], 100, "(#100) Name parameter too long"),
        (&[("link", "no address")], 1500, "(#1500) The url you supplied is invalid"),
        (&[("link", "https://gone.example/a")], 1_609_005, "The link could not be scraped."),
        (&[("message", "a"), ("published", "false"), ("scheduled_publish_time", soon.as_str())], 100, time),
        (&[("message", "a"), ("published", "false"), ("scheduled_publish_time", late.as_str())], 100, time),
        (&[("message", "a"), ("published", "false"), ("scheduled_publish_time", "1700000000")], 100, time),
        (&[("message", "a"), ("published", "maybe")], 100, "(#100) Param published must be a boolean"),
        (
            &[("message", "a"), ("attached_media", "[1]")],
            100,
            "(#100) Param attached_media must be an array of objects with a media_fbid.",
        ),
        (&[("message", "a"), ("unpublished_content_type", "SOON")], 100, ""),
    ] {
        let answer = meta.post(FEED, &page, form).await;
        assert_eq!((answer.status, answer.error().1), (400, code), "{form:?}: {}", answer.text);
        assert!(answer.message().starts_with(message), "{}", answer.text);
    }
    assert_eq!(meta.truth("posts").await.len(), 0);
}

#[tokio::test]
async fn a_scheduled_post_waits_for_its_time_and_one_without_published_false_does_not() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let at = now(&meta).await + 3600;
    let text = at.to_string();
    let form = [("message", "Hello"), ("published", "false"), ("scheduled_publish_time", text.as_str())];
    let id = meta.post(FEED, &page, &form).await.id();
    let column = async |edge: &str| meta.get(&format!("/{}/{edge}", seed::DENTAL), &page).await.column("id");
    assert_eq!(column("scheduled_posts").await, [id.as_str()]);
    assert_eq!(column("published_posts").await, [""; 0]);
    assert_eq!(column("feed").await, [id.as_str()], "the feed shows what is not published");
    let at_once = meta.post(FEED, &page, &[("message", "Now"), ("scheduled_publish_time", &text)]).await.id();
    assert_eq!(column("published_posts").await, [at_once.as_str()]);
    meta.advance(3601).await;
    assert_eq!(column("scheduled_posts").await, [""; 0]);
    assert_eq!(column("published_posts").await, [id.as_str(), &at_once], "the newest first");
    let truth = meta.truth("posts").await;
    assert_eq!((&truth[0]["status"], &truth[0]["scheduled_publish_time"]), (&json!("published"), &json!(at)));
    // Drafts and dark posts stay as they are.
    let draft = [("message", "Draft"), ("published", "false"), ("unpublished_content_type", "DRAFT")];
    meta.post(FEED, &page, &draft).await.id();
    meta.post(FEED, &page, &[("message", "Dark"), ("published", "false")]).await.id();
    meta.advance(40 * 86_400).await;
    let statuses: Vec<_> = meta.truth("posts").await.iter().map(|post| post["status"].clone()).collect();
    assert_eq!(statuses, ["published", "published", "draft", "unpublished"]);
}

#[tokio::test]
async fn a_full_queue_is_refused_like_a_wrong_time() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    meta.sim("publishing", json!({"schedule_queue": 1})).await;
    let at = (now(&meta).await + 3600).to_string();
    let form = |message| [("message", message), ("published", "false"), ("scheduled_publish_time", at.as_str())];
    meta.post(FEED, &page, &form("One")).await.id();
    let refused = meta.post(FEED, &page, &form("Two")).await;
    assert_eq!(refused.message(), "(#100) The specified scheduled publish time is invalid.");
    meta.sim("publishing", json!({"schedule_queue": null})).await;
    meta.post(FEED, &page, &form("Two")).await.id();
}

#[tokio::test]
async fn the_same_post_again_is_a_duplicate_for_a_day() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let form = [("message", "Sale ends Sunday"), ("link", "https://shop.example/sale")];
    let id = meta.post(FEED, &page, &form).await.id();
    let again = meta.post(FEED, &page, &form).await;
    assert_eq!((again.error(), again.message()), ((400, 506, None), "(#506) Duplicate status message"));
    meta.post(FEED, &page, &form[..1]).await.id();
    let other_page = meta.publisher(seed::BAKERY).await;
    meta.post(&format!("/{}/feed", seed::BAKERY), &other_page, &form).await.id();
    // The same pictures, uploaded again, are the same post; a deleted post is none.
    for expected in [200, 400] {
        let photo = stage(&meta, &page, "https://cdn.example/a.jpg").await;
        let form = [("message", "Look"), ("attached_media", &attached(&[photo]))];
        assert_eq!(meta.post(FEED, &page, &form).await.status, expected);
    }
    assert_eq!(meta.delete(&format!("/{id}"), &page).await.json, json!({"success": true}));
    let id = meta.post(FEED, &page, &form).await.id();
    meta.advance(86_401).await;
    assert_ne!(meta.post(FEED, &page, &form).await.id(), id);
    meta.sim("publishing", json!({"rejects_repeats": false})).await;
    meta.post(FEED, &page, &form).await.id();
}

#[tokio::test]
async fn a_post_is_changed_only_by_the_app_that_made_it() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let id = meta.post(FEED, &page, &[("message", "Helo")]).await.id();
    let form = [("message", "Hello"), ("is_hidden", "true")];
    assert_eq!(meta.post(&format!("/{id}"), &page, &form).await.json, json!({"success": true}));
    let by_hand = meta
        .sim("posts", json!({"page_id": seed::DENTAL, "message": "By hand", "media": ["https://a.example/1.jpg"]}))
        .await;
    let by_hand = by_hand["id"].as_str().unwrap();
    let answer = meta.post(&format!("/{by_hand}"), &page, &[("message", "Mine")]).await;
    assert_eq!(answer.error(), (403, 200, None));
    let truth = meta.truth("posts").await;
    assert_eq!((&truth[0]["message"], &truth[0]["hidden"]), (&json!("Hello"), &json!(true)));
    assert_eq!((&truth[1]["message"], truth[1]["application"] == seed::APP_ID), (&json!("By hand"), false));
    let answer = meta.post(&format!("/{id}"), &page, &[("scheduled_publish_time", "1")]).await;
    assert_eq!(answer.message(), "(#100) You cannot specify a scheduled publish time on a published post");
    for id in [id.as_str(), by_hand] {
        assert_eq!(meta.delete(&format!("/{id}"), &page).await.json, json!({"success": true}));
        assert_eq!(meta.delete(&format!("/{id}"), &page).await.error(), (400, 100, Some(33)));
    }
}

#[tokio::test]
async fn a_scheduled_post_is_moved_published_early_or_deleted() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let start = now(&meta).await;
    let at = |seconds: i64| (start + seconds).to_string();
    let form = |message: &'static str, at: &str| {
        [("message", message.to_owned()), ("published", "false".to_owned()), ("scheduled_publish_time", at.to_owned())]
    };
    let mut ids = Vec::new();
    for message in ["moved", "early", "deleted"] {
        let form = form(message, &at(3600));
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        ids.push(meta.post(FEED, &page, &form).await.id());
    }
    let later = at(7200);
    let moved = meta.post(&format!("/{}", ids[0]), &page, &[("scheduled_publish_time", &later)]).await;
    assert_eq!(moved.json, json!({"success": true}));
    let wrong = meta.post(&format!("/{}", ids[0]), &page, &[("scheduled_publish_time", &at(60))]).await;
    assert_eq!(wrong.error(), (400, 100, None));
    meta.post(&format!("/{}", ids[1]), &page, &[("is_published", "true")]).await;
    meta.delete(&format!("/{}", ids[2]), &page).await;
    meta.advance(3700).await;
    let statuses =
        async || -> Vec<Value> { meta.truth("posts").await.iter().map(|post| post["status"].clone()).collect() };
    assert_eq!(statuses().await, ["scheduled", "published"]);
    meta.advance(3600).await;
    assert_eq!(statuses().await, ["published", "published"]);
}

#[tokio::test]
async fn lists_have_pages_periods_and_a_largest_limit() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    for number in 0..3 {
        meta.sim("posts", json!({"page_id": seed::DENTAL, "message": number.to_string(), "age_s": 100 * number})).await;
    }
    let list = format!("/{}/published_posts", seed::DENTAL);
    assert_eq!(meta.get(&format!("{list}?limit=101"), &page).await.error(), (400, 100, None));
    let first = meta.get(&format!("{list}?limit=2&fields=message"), &page).await;
    assert_eq!(first.column("message"), ["0", "1"]);
    let after = first.json["paging"]["cursors"]["after"].as_str().unwrap();
    assert_eq!(meta.get(&format!("{list}?limit=2&after={after}&fields=message"), &page).await.column("message"), ["2"]);
    let since = now(&meta).await - 150;
    assert_eq!(meta.get(&format!("{list}?since={since}&fields=message"), &page).await.column("message"), ["0", "1"]);
    let unknown = meta.get(&format!("{list}?fields=nonsense"), &page).await;
    assert_eq!(unknown.message(), "(#100) Tried accessing nonexisting field (nonsense) on node type (PagePost)");
    let user = meta.login(seed::MARA, PUBLISHING_SCOPES, "").await;
    assert_eq!(meta.get(&list, &user).await.error(), (400, 190, Some(2_069_032)));
}

#[tokio::test]
async fn json_bodies_and_calls_without_version_publish_too() {
    let meta = Meta::start_with(Options { require_proof: false, ..Options::default() }).await;
    let page = meta.publisher(seed::DENTAL).await;
    let photo = stage(&meta, &page, "https://cdn.example/a.jpg").await;
    let body = json!({"message": "JSON", "attached_media": [{"media_fbid": photo}], "published": true});
    let request = meta.http().post(meta.url(FEED)).bearer_auth(&page).json(&body);
    assert_eq!(read(request).await.status, 200);
    let address = meta.url(&format!("/v25.0{FEED}?access_token={page}&message=Query"));
    assert_eq!(read(meta.http().post(address)).await.status, 200);
    let truth = meta.truth("posts").await;
    assert_eq!((&truth[0]["message"], &truth[1]["message"]), (&json!("JSON"), &json!("Query")));
    assert_eq!(truth[0]["media"][0]["id"], json!(photo));
}

#[tokio::test]
async fn batches_publish_and_carry_files() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let batch = json!([
        {"method": "POST", "relative_url": format!("{}/feed", seed::DENTAL), "body": "message=From+a+batch"},
        {"method": "POST", "relative_url": format!("{}/photos", seed::DENTAL), "body": "published=false",
         "attached_files": "one"},
        {"method": "POST", "relative_url": format!("{}/photos", seed::DENTAL),
         "body": "published=false&url=https://cdn.example/b.jpg"},
    ]);
    let (one, other) = (jpeg(100, 100, 1), jpeg(200, 200, 2));
    let files = [("other", "image/jpeg", &other[..]), ("one", "image/jpeg", &one[..])];
    let answer = meta.post_files("/", &page, &[("batch", &batch.to_string())], &files).await;
    let codes: Vec<_> = answer.json.as_array().unwrap().iter().map(|row| row["code"].clone()).collect();
    assert_eq!(codes, [200, 200, 200], "{}", answer.text);
    let photos = meta.truth("photos").await;
    assert_eq!((&photos[0]["bytes"], &photos[1]["url"]), (&json!(one.len()), &json!("https://cdn.example/b.jpg")));
    assert_eq!(meta.truth("posts").await[0]["message"], "From a batch");
    let stats = meta.sim_get("stats").await;
    assert_eq!(stats["sub_requests"]["POST /{page}/photos"], 2);
}
