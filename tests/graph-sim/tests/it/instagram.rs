//! Instagram accounts and publishing there.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, Answer, Meta, PUBLISHING_SCOPES, read};
use crate::files::mp4;

const PICTURE: (&str, &str) = ("image_url", "https://cdn.example/a.jpg");
const VIDEO: (&str, &str) = ("video_url", "https://cdn.example/a.mp4");

/// An account, and the token that publishes there.
struct Account {
    meta: Meta,
    token: String,
    id: String,
}

impl Account {
    async fn start() -> Self {
        let meta = Meta::start().await;
        let token = meta.publisher(seed::DENTAL).await;
        let id = meta.instagram_of(seed::DENTAL, &token).await;
        Self { meta, token, id }
    }

    async fn create(&self, form: &[(&str, &str)]) -> Answer {
        self.meta.post(&format!("/{}/media", self.id), &self.token, form).await
    }

    async fn publish(&self, container: &str) -> Answer {
        self.meta.post(&format!("/{}/media_publish", self.id), &self.token, &[("creation_id", container)]).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.meta.get(path, &self.token).await
    }

    async fn status(&self, container: &str) -> String {
        let answer = self.get(&format!("/{container}?fields=status_code,status")).await;
        answer.json["status_code"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    }

    /// Creates a container and waits until it is finished.
    async fn finished(&self, form: &[(&str, &str)]) -> String {
        let id = self.create(form).await.id();
        self.meta.advance(5).await;
        assert_eq!(self.status(&id).await, "FINISHED");
        id
    }

    async fn truth(&self) -> Value {
        let accounts = self.meta.truth("instagram").await;
        accounts.into_iter().find(|account| account["id"] == self.id.as_str()).unwrap()
    }
}

fn user_message(answer: &Answer) -> &str {
    answer.json["error"]["error_user_msg"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_page_shows_its_account_to_those_with_the_permission() {
    let meta = Meta::start().await;
    let user = meta.login(seed::MARA, PUBLISHING_SCOPES, "").await;
    let fields = "fields=instagram_business_account{id,username},connected_instagram_account";
    let page = meta.get(&format!("/{}?{fields}", seed::DENTAL), &user).await.json;
    let account = &page["instagram_business_account"];
    assert!(account["id"].as_str().unwrap().starts_with("1784140"));
    assert_eq!(
        (&account["username"], &page["connected_instagram_account"]["id"]),
        (&json!("harbourlanedental"), &account["id"])
    );
    let pages = meta.get("/me/accounts?fields=id,instagram_business_account", &user).await;
    let without: Vec<_> = pages.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|page| page["instagram_business_account"].is_null())
        .map(|page| page["id"].clone())
        .collect();
    assert_eq!(without, [seed::THEATRE]);
    // Neither without the permission nor once the owner has unlinked it.
    let id = account["id"].as_str().unwrap();
    let jonas = meta.login(seed::JONAS, ALL_SCOPES, "").await;
    let page = meta.get(&format!("/{}?{fields}", seed::DENTAL), &jonas).await;
    assert_eq!(page.json, json!({"id": seed::DENTAL}), "{}", page.text);
    assert_eq!(meta.get(&format!("/{id}"), &jonas).await.error(), (403, 10, None));
    meta.sim("instagram", json!({"page_id": seed::DENTAL, "linked": false})).await;
    let page = meta.get(&format!("/{}?{fields}", seed::DENTAL), &user).await;
    assert_eq!(page.json, json!({"id": seed::DENTAL}));
    assert_eq!(meta.get(&format!("/{id}"), &user).await.error(), (400, 100, Some(33)));
}

#[tokio::test]
async fn a_picture_is_in_progress_then_finished_then_published_once() {
    let account = Account::start().await;
    let container = account.create(&[PICTURE, ("caption", "Open day #dental")]).await.id();
    assert_eq!(account.status(&container).await, "IN_PROGRESS");
    let early = account.publish(&container).await;
    assert_eq!(early.error(), (400, 9007, Some(2_207_027)));
    let mut error = early.json["error"].clone();
    assert!(error["fbtrace_id"].as_str().unwrap().starts_with('A'));
    error.as_object_mut().unwrap().remove("fbtrace_id");
    let expected = json!({
        "message": "Media ID is not available", "type": "OAuthException", "code": 9007, "error_subcode": 2_207_027,
        "is_transient": false, "error_user_title": "Cannot Publish",
        "error_user_msg": "The media is not ready for publishing, please wait for a moment",
    });
    assert_eq!(error, expected);
    account.meta.advance(1).await;
    assert_eq!(account.status(&container).await, "FINISHED");
    let medium = account.publish(&container).await.id();
    assert_eq!(account.status(&container).await, "PUBLISHED");
    let again = account.publish(&container).await;
    assert_eq!(again.error(), (400, 24, Some(2_207_006)));
    account.meta.sim("publishing", json!({"republish": {"code": 9007, "subcode": 2_207_027}})).await;
    assert_eq!(account.publish(&container).await.error(), (400, 9007, Some(2_207_027)));
    let fields = "id,caption,media_type,media_product_type,permalink,shortcode,timestamp,username,owner{username}";
    let read = account.get(&format!("/{medium}?fields={fields}")).await.json;
    assert_eq!(
        (&read["caption"], &read["media_type"], &read["media_product_type"], &read["owner"]["username"]),
        (&json!("Open day #dental"), &json!("IMAGE"), &json!("FEED"), &json!("harbourlanedental"))
    );
    let code = read["shortcode"].as_str().unwrap();
    assert_eq!(read["permalink"], format!("https://www.instagram.com/p/{code}/"));
    let list = account.get(&format!("/{}/media?fields=id,caption", account.id)).await;
    assert_eq!(list.column("id"), [medium.as_str()]);
    let truth = account.truth().await;
    assert_eq!((truth["media"].as_array().unwrap().len(), &truth["media"][0]["id"]), (1, &json!(medium)));
    assert_eq!(truth["containers"][0]["media_id"], json!(medium));
}

#[tokio::test]
async fn reels_and_stories_are_published_and_stories_are_only_in_their_own_list() {
    let account = Account::start().await;
    let reel = account.create(&[VIDEO, ("media_type", "REELS"), ("caption", "Reel")]).await.id();
    account.meta.advance(2).await;
    assert_eq!(account.status(&reel).await, "IN_PROGRESS", "videos take longer");
    account.meta.advance(2).await;
    let reel = account.publish(&reel).await.id();
    let story = account.finished(&[PICTURE, ("media_type", "STORIES")]).await;
    let story = account.publish(&story).await.id();
    let moving = account.finished(&[VIDEO, ("media_type", "STORIES"), ("upload_type", "")]).await;
    let moving = account.publish(&moving).await.id();
    let media = account.get(&format!("/{}/media?fields=id,media_type,media_product_type,permalink", account.id)).await;
    assert_eq!(
        (media.column("id"), media.column("media_product_type")),
        (vec![reel.clone()], vec!["REELS".to_owned()])
    );
    assert_eq!(media.json["data"][0]["media_type"], "VIDEO");
    assert!(media.json["data"][0]["permalink"].as_str().unwrap().starts_with("https://www.instagram.com/reel/"));
    let stories = format!("/{}/stories", account.id);
    assert_eq!(account.get(&stories).await.column("id"), [moving, story.clone()]);
    assert_eq!(account.get(&format!("/{story}?fields=media_product_type")).await.json["media_product_type"], "STORY");
    account.meta.advance(86_400).await;
    assert_eq!(account.get(&stories).await.column("id"), [""; 0]);
    assert_eq!(account.get(&format!("/{}/media", account.id)).await.column("id"), [reel]);
}

#[tokio::test]
async fn a_carousel_is_as_far_as_the_last_of_its_children() {
    let account = Account::start().await;
    let item = ("is_carousel_item", "true");
    let mut children = Vec::new();
    for number in 0..3 {
        let url = format!("https://cdn.example/{number}.jpg");
        children.push(account.create(&[("image_url", &url), item]).await.id());
    }
    children.push(account.create(&[VIDEO, ("media_type", "VIDEO"), item]).await.id());
    let list = children.join(",");
    let form = [("media_type", "CAROUSEL"), ("children", list.as_str()), ("caption", "Four")];
    let parent = account.create(&form).await.id();
    account.meta.advance(2).await;
    assert_eq!(account.status(&children[0]).await, "FINISHED");
    assert_eq!(account.status(&parent).await, "IN_PROGRESS");
    assert_eq!(account.publish(&parent).await.error(), (400, 9007, Some(2_207_027)));
    account.meta.advance(2).await;
    let medium = account.publish(&parent).await.id();
    let fields = "media_type,children{id,media_type}";
    let read = account.get(&format!("/{medium}?fields={fields}")).await.json;
    assert_eq!(read["media_type"], "CAROUSEL_ALBUM");
    let types: Vec<_> =
        read["children"]["data"].as_array().unwrap().iter().map(|it| it["media_type"].clone()).collect();
    assert_eq!(types, ["IMAGE", "IMAGE", "IMAGE", "VIDEO"]);
    let truth = account.truth().await;
    assert_eq!(truth["media"].as_array().unwrap().len(), 1);
    assert_eq!(truth["media"][0]["children"].as_array().unwrap().len(), 4);
    // Used children cannot be used again.
    assert_eq!(account.create(&form).await.error(), (400, 100, Some(2_207_028)));
}

#[tokio::test]
async fn a_carousel_may_need_finished_children_and_fails_with_a_failed_one() {
    let account = Account::start().await;
    account.meta.sim("publishing", json!({"carousel_needs_finished": true})).await;
    account.meta.sim("web", json!({"url": "https://cdn.example/bad.mp4", "processing_error": 2_207_076})).await;
    let item = ("is_carousel_item", "true");
    let good = account.create(&[PICTURE, item]).await.id();
    let other = account.create(&[PICTURE, item]).await.id();
    let bad = account.create(&[("video_url", "https://cdn.example/bad.mp4"), ("media_type", "VIDEO"), item]).await.id();
    let pair = |a: &str, b: &str| json!([a, b]).to_string();
    let both = pair(&good, &other);
    let form = [("media_type", "CAROUSEL"), ("children", both.as_str())];
    assert_eq!(account.create(&form).await.error(), (400, 9007, Some(2_207_027)));
    account.meta.advance(5).await;
    account.create(&form).await.id();
    let failed = account.get(&format!("/{bad}?fields=status,status_code")).await.json;
    assert_eq!(failed["status"], "Error: Media upload has failed with error code 2207076");
    let failed = pair(&good, &bad);
    assert_eq!(
        account.create(&[("media_type", "CAROUSEL"), ("children", &failed)]).await.error(),
        (400, 100, Some(2_207_028))
    );
    for children in ["[]", &format!("[\"{good}\"]"), "1,2"] {
        let answer = account.create(&[("media_type", "CAROUSEL"), ("children", children)]).await;
        assert_eq!(answer.error(), (400, 100, Some(2_207_028)), "{children}");
    }
    assert_eq!(account.publish(&good).await.status, 400, "an item cannot be published alone");
}

#[tokio::test]
async fn wrong_parameters_are_refused_with_instagrams_codes() {
    let account = Account::start().await;
    let long = "x".repeat(2201);
    let tags = "#a ".repeat(31);
    let item = ("is_carousel_item", "true");
    let story = ("media_type", "STORIES");
    let reel = ("media_type", "REELS");
    let cases: Vec<(Vec<(&str, &str)>, i64, Option<i64>)> = vec![
        (vec![], 100, None),
        (vec![VIDEO], 100, Some(2_207_023)),
        (vec![VIDEO, ("media_type", "VIDEO")], 100, Some(2_207_067)),
        (vec![VIDEO, ("media_type", "MOVIE")], 100, Some(2_207_023)),
        (vec![PICTURE, reel], 100, None),
        (vec![PICTURE, ("caption", &long)], 100, Some(2_207_010)),
        (vec![PICTURE, ("caption", &tags)], 100, Some(2_207_010)),
        (vec![PICTURE, item, ("caption", "no")], 100, None),
        (vec![PICTURE, item, ("collaborators", "[\"a\"]")], 100, None),
        (vec![PICTURE, item, ("is_ai_generated", "true")], 100, None),
        (vec![VIDEO, reel, item], 100, Some(2_207_028)),
        (vec![PICTURE, story, ("collaborators", "[\"a\"]")], 100, None),
        (vec![PICTURE, ("collaborators", "a,b,c,d")], 100, None),
        (vec![PICTURE, ("user_tags", "[{\"username\":\"a\"}]")], 100, Some(2_207_036)),
        (vec![PICTURE, ("user_tags", "[{\"username\":\"a\",\"x\":2,\"y\":0}]")], 100, Some(2_207_036)),
        (vec![VIDEO, reel, ("alt_text", "no")], 100, None),
        (vec![VIDEO, reel, ("thumb_offset", "99999999")], 1, Some(2_207_057)),
        (vec![PICTURE, ("is_carousel_item", "perhaps")], 100, None),
    ];
    for (form, code, subcode) in cases {
        assert_eq!(account.create(&form).await.error(), (400, code, subcode), "{form:?}");
    }
    let good = [PICTURE, ("user_tags", "[{\"username\":\"a\",\"x\":0.5,\"y\":0.5}]"), ("alt_text", "A tooth")];
    account.create(&good).await.id();
    assert_eq!(account.truth().await["containers"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn pictures_that_do_not_fit_are_refused_at_once() {
    let account = Account::start().await;
    for (site, error) in [
        (json!({"status": 404}), (400, 9004, Some(2_207_052))),
        (json!({"status": 206}), (400, 9004, Some(2_207_052))),
        (json!({"status": 302, "location": "https://cdn.example/b.jpg"}), (400, 9004, Some(2_207_052))),
        (json!({"content_type": "text/html"}), (400, 9004, Some(2_207_052))),
        (json!({"content_type": "image/png"}), (400, 36_001, Some(2_207_005))),
        (json!({"bytes": 8 * 1024 * 1024 + 1}), (400, 36_000, Some(2_207_004))),
        (json!({"width": 1000, "height": 1600}), (400, 36_003, Some(2_207_009))),
        (json!({"width": 2000, "height": 1000}), (400, 36_003, Some(2_207_009))),
    ] {
        let mut site = site;
        site["url"] = json!(PICTURE.1);
        site["times"] = json!(1);
        account.meta.sim("web", site.clone()).await;
        let answer = account.create(&[PICTURE]).await;
        assert_eq!(answer.error(), error, "{site}");
        assert!(!user_message(&answer).is_empty());
        assert_eq!(answer.json["error"]["is_transient"], false);
    }
    account.create(&[PICTURE]).await.id();
    // A story may have any shape.
    account.meta.sim("web", json!({"url": PICTURE.1, "width": 1080, "height": 1920})).await;
    account.create(&[PICTURE, ("media_type", "STORIES")]).await.id();
    assert_eq!(
        account.create(&[("image_url", "https://cdn.example/ä.jpg")]).await.error(),
        (400, 9004, Some(2_207_052))
    );
}

#[tokio::test]
async fn videos_that_do_not_fit_end_in_an_error_with_a_text() {
    let account = Account::start().await;
    for (site, subcode) in [
        (json!({"status": 403}), 2_207_077),
        (json!({"content_type": "image/jpeg"}), 2_207_026),
        (json!({"duration_s": 2}), 2_207_026),
        (json!({"duration_s": 901}), 2_207_026),
        (json!({"bytes": 301 * 1024 * 1024}), 2_207_082),
        (json!({"processing_error": 2_207_076}), 2_207_076),
    ] {
        let mut site = site;
        site["url"] = json!(VIDEO.1);
        site["times"] = json!(1);
        account.meta.sim("web", site.clone()).await;
        let container = account.create(&[VIDEO, ("media_type", "REELS")]).await.id();
        assert_eq!(account.status(&container).await, "IN_PROGRESS", "{site}");
        account.meta.advance(4).await;
        let read = account.get(&format!("/{container}?fields=status_code,status")).await.json;
        let text = format!("Error: Media upload has failed with error code {subcode}");
        assert_eq!((&read["status_code"], &read["status"]), (&json!("ERROR"), &json!(text)), "{site}");
        assert_eq!(account.publish(&container).await.error(), (400, -1, Some(2_207_032)));
    }
    account.meta.sim("web", json!({"url": VIDEO.1, "status": 206, "processing_ms": 60_000})).await;
    let slow = account.create(&[VIDEO, ("media_type", "REELS")]).await.id();
    account.meta.advance(59).await;
    assert_eq!(account.status(&slow).await, "IN_PROGRESS");
    account.meta.advance(2).await;
    assert_eq!(account.status(&slow).await, "FINISHED", "a video may come in ranges");
}

#[tokio::test]
async fn containers_expire_after_a_day_and_are_limited() {
    let account = Account::start().await;
    let container = account.finished(&[PICTURE]).await;
    account.meta.advance(86_400).await;
    assert_eq!(account.status(&container).await, "EXPIRED");
    assert_eq!(account.publish(&container).await.error(), (400, -2, Some(2_207_020)));
    assert_eq!(account.publish("17900000000000001").await.error(), (400, 24, Some(2_207_008)));
    for _ in 0..400 {
        account.create(&[PICTURE]).await.id();
    }
    assert_eq!(account.create(&[PICTURE]).await.error(), (400, 9, Some(2_207_042)));
    account.meta.advance(86_400).await;
    account.create(&[PICTURE]).await.id();
}

#[tokio::test]
async fn the_quota_is_that_of_the_account_and_is_checked_when_publishing() {
    let account = Account::start().await;
    let limit = format!("/{}/content_publishing_limit", account.id);
    assert_eq!(account.get(&limit).await.json, json!({"data": [{"quota_usage": 0}]}));
    let both = json!({"data": [{"quota_usage": 0, "config": {"quota_total": 100, "quota_duration": 86_400}}]});
    assert_eq!(account.get(&format!("{limit}?fields=config,quota_usage")).await.json, both);
    account.meta.sim("instagram", json!({"instagram_id": account.id, "quota_total": 2})).await;
    for _ in 0..2 {
        let container = account.finished(&[PICTURE]).await;
        account.publish(&container).await.id();
    }
    let container = account.finished(&[PICTURE]).await;
    assert_eq!(account.publish(&container).await.error(), (400, 9, Some(2_207_042)));
    assert_eq!(account.status(&container).await, "FINISHED");
    assert_eq!(account.get(&limit).await.json["data"][0]["quota_usage"], 2);
    account.meta.advance(86_000).await;
    assert_eq!(account.publish(&container).await.status, 400);
    account.meta.advance(400).await;
    account.publish(&container).await.id();
    let old = account.get(&format!("{limit}?since=1700000000")).await;
    assert_eq!(old.error(), (400, 100, None));
}

#[tokio::test]
async fn publishing_takes_permissions_a_task_and_an_ads_permission_in_a_portfolio() {
    let meta = Meta::start().await;
    let publisher = meta.publisher(seed::DENTAL).await;
    let dental = meta.instagram_of(seed::DENTAL, &publisher).await;
    let media = format!("/{dental}/media");
    let without = meta.login(seed::JONAS, "pages_show_list,pages_read_engagement,instagram_basic", "").await;
    assert_eq!(meta.post(&media, &without, &[PICTURE]).await.error(), (403, 10, None));
    assert_eq!(meta.get(&format!("/{dental}?fields=username"), &without).await.json["username"], "harbourlanedental");
    let priya = meta.login(seed::PRIYA, PUBLISHING_SCOPES, "").await;
    assert_eq!(meta.post(&media, &priya, &[PICTURE]).await.error(), (400, 100, Some(33)), "not her account");
    // A user token works as well as a page token.
    let user = meta.login(seed::MARA, PUBLISHING_SCOPES, "").await;
    meta.post(&media, &user, &[PICTURE]).await.id();
    let rentals = meta.get(&format!("/{}?fields=instagram_business_account", seed::RENTALS), &user).await;
    let rentals = rentals.json["instagram_business_account"]["id"].as_str().unwrap().to_owned();
    assert_eq!(meta.post(&format!("/{rentals}/media"), &user, &[PICTURE]).await.error(), (403, 200, None));
    let outdoor = meta.get(&format!("/{}?fields=instagram_business_account", seed::OUTDOOR), &user).await;
    let outdoor = outdoor.json["instagram_business_account"]["id"].as_str().unwrap().to_owned();
    meta.post(&format!("/{outdoor}/media"), &user, &[PICTURE]).await.id();
    meta.sim("tokens", json!({"action": "scope_revoked", "user_id": seed::MARA, "scopes": ["ads_read"]})).await;
    assert_eq!(meta.post(&format!("/{outdoor}/media"), &user, &[PICTURE]).await.error(), (403, 10, None));
    meta.post(&media, &user, &[PICTURE]).await.id();
}

#[tokio::test]
async fn the_first_reads_may_miss_a_new_object() {
    let account = Account::start().await;
    account.meta.sim("publishing", json!({"missing_reads": 2})).await;
    let container = account.create(&[PICTURE]).await.id();
    account.meta.advance(2).await;
    let read = format!("/{container}?fields=status_code");
    for expected in [400, 400, 200] {
        assert_eq!(account.get(&read).await.status, expected);
    }
    let medium = account.publish(&container).await.id();
    assert_eq!(account.get(&format!("/{medium}?fields=permalink")).await.error(), (400, 100, Some(33)));
    assert_eq!(account.get(&format!("/{}/media", account.id)).await.column("id"), [medium]);
}

#[tokio::test]
async fn a_post_by_hand_is_newer_than_ours() {
    let account = Account::start().await;
    let container = account.finished(&[PICTURE, ("caption", "Ours")]).await;
    let ours = account.publish(&container).await.id();
    let hand = json!({"instagram_id": account.id, "message": "By hand", "media": ["https://a.example/1.jpg", "https://a.example/2.jpg"]});
    let hand = account.meta.sim("posts", hand).await;
    assert!(hand["permalink_url"].as_str().unwrap().starts_with("https://www.instagram.com/p/"));
    let media = account.get(&format!("/{}/media?fields=id,caption,media_type", account.id)).await;
    assert_eq!(media.column("id"), [hand["id"].as_str().unwrap(), &ours]);
    assert_eq!(media.column("media_type"), ["CAROUSEL_ALBUM", "IMAGE"]);
    let truth = account.truth().await;
    assert_eq!(
        (&truth["media"][0]["application"], &truth["media"][1]["application"] == seed::APP_ID),
        (&json!(seed::APP_ID), false)
    );
    let limit = account.get(&format!("/{}/content_publishing_limit", account.id)).await;
    assert_eq!(limit.json["data"][0]["quota_usage"], 1, "only what the API published");
}

#[tokio::test]
async fn a_resumable_upload_takes_bytes_and_an_address() {
    let account = Account::start().await;
    let form = [("media_type", "REELS"), ("upload_type", "resumable")];
    let upload = async |uri: &Value, headers: &[(&str, &str)], body: Vec<u8>| {
        let mut request = account.meta.http().post(uri.as_str().unwrap());
        request = request.header("authorization", format!("OAuth {}", account.token)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request).await
    };
    let file = mp4(15, 100);
    let size = file.len().to_string();
    let by_bytes = account.create(&form).await;
    assert_eq!(account.status(&by_bytes.id()).await, "IN_PROGRESS");
    let answer = upload(&by_bytes.json["uri"], &[("offset", "0"), ("file_size", &size)], file.clone()).await;
    assert_eq!(answer.json["success"], true, "{}", answer.text);
    let by_address = account.create(&form).await;
    let answer = upload(&by_address.json["uri"], &[("file_url", VIDEO.1)], Vec::new()).await;
    assert_eq!(answer.json["success"], true, "{}", answer.text);
    let wrong = account.create(&form).await;
    let answer = upload(&wrong.json["uri"], &[("offset", "10"), ("file_size", &size)], file).await;
    assert_eq!((answer.status, &answer.json["debug_info"]["type"]), (400, &json!("OffsetInvalidError")));
    account.meta.advance(5).await;
    for container in [&by_bytes, &by_address] {
        account.publish(&container.id()).await.id();
    }
    assert_eq!(account.status(&wrong.id()).await, "IN_PROGRESS");
    let stats = account.meta.sim_get("stats").await;
    assert_eq!(
        (&stats["calls"]["POST /ig-api-upload/{container}"], &stats["calls"]["POST /{ig}/media"]),
        (&json!(3), &json!(3))
    );
}

#[tokio::test]
async fn comments_can_be_switched_off_and_deleting_needs_its_own_permission() {
    let account = Account::start().await;
    let container = account.finished(&[PICTURE]).await;
    let medium = account.publish(&container).await.id();
    let path = format!("/{medium}");
    assert_eq!(
        account.meta.post(&path, &account.token, &[("comment_enabled", "false")]).await.error(),
        (403, 10, None)
    );
    assert_eq!(account.meta.delete(&path, &account.token).await.error(), (403, 10, None));
    let more = format!("{PUBLISHING_SCOPES},instagram_manage_comments,instagram_manage_contents");
    let user = account.meta.login(seed::MARA, &more, "").await;
    assert_eq!(account.meta.post(&path, &user, &[("comment_enabled", "false")]).await.json, json!({"success": true}));
    let read = account.meta.get(&format!("{path}?fields=is_comment_enabled"), &user).await;
    assert_eq!(read.json["is_comment_enabled"], false);
    assert_eq!(account.meta.delete(&path, &user).await.json, json!({"success": true}));
    assert_eq!(account.truth().await["media"], json!([]));
}
