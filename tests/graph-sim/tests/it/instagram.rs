//! Instagram accounts and publishing there.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, Answer, Meta, PUBLISHING_SCOPES};

pub(crate) const PICTURE: (&str, &str) = ("image_url", "https://cdn.example/a.jpg");
pub(crate) const VIDEO: (&str, &str) = ("video_url", "https://cdn.example/a.mp4");

/// An account, and the token that publishes there.
pub(crate) struct Account {
    pub(crate) meta: Meta,
    pub(crate) token: String,
    pub(crate) id: String,
}

impl Account {
    pub(crate) async fn start() -> Self {
        let meta = Meta::start().await;
        let token = meta.publisher(seed::DENTAL).await;
        let id = meta.instagram_of(seed::DENTAL, &token).await;
        Self { meta, token, id }
    }

    pub(crate) async fn create(&self, form: &[(&str, &str)]) -> Answer {
        self.meta.post(&format!("/{}/media", self.id), &self.token, form).await
    }

    pub(crate) async fn publish(&self, container: &str) -> Answer {
        self.meta.post(&format!("/{}/media_publish", self.id), &self.token, &[("creation_id", container)]).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.meta.get(path, &self.token).await
    }

    pub(crate) async fn status(&self, container: &str) -> String {
        let answer = self.get(&format!("/{container}?fields=status_code,status")).await;
        answer.json["status_code"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    }

    /// Creates a container and waits until it is finished.
    pub(crate) async fn finished(&self, form: &[(&str, &str)]) -> String {
        let id = self.create(form).await.id();
        self.meta.advance(5).await;
        assert_eq!(self.status(&id).await, "FINISHED");
        id
    }

    pub(crate) async fn truth(&self) -> Value {
        let accounts = self.meta.truth("instagram").await;
        accounts.into_iter().find(|account| account["id"] == self.id.as_str()).expect("the account")
    }
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
    account.meta.advance(86_400).await;
    assert_eq!(account.get(&limit).await.json["data"][0]["quota_usage"], 0);
    let container = account.finished(&[PICTURE]).await;
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
        (&truth["media"][0]["application"], truth["media"][1]["application"] == seed::APP_ID),
        (&json!(seed::APP_ID), false)
    );
    let limit = account.get(&format!("/{}/content_publishing_limit", account.id)).await;
    assert_eq!(limit.json["data"][0]["quota_usage"], 1, "only what the API published");
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

#[tokio::test]
async fn calls_count_against_the_account_and_consent_names_it() {
    let account = Account::start().await;
    account.meta.sim("limits", json!({"account_id": account.id, "type": "instagram", "calls": 2})).await;
    let container = account.create(&[PICTURE]).await.id();
    let read = account.get(&format!("/{container}")).await;
    let usage: Value = serde_json::from_str(read.headers["x-business-use-case-usage"].to_str().unwrap()).unwrap();
    assert_eq!(usage[&account.id][0]["type"], "instagram");
    assert_eq!(account.get(&format!("/{}", account.id)).await.error(), (400, 80_002, None));
    assert_eq!(account.get(&format!("/{}", seed::DENTAL)).await.status, 200, "the page has a limit of its own");
    let user = account.meta.login(seed::MARA, PUBLISHING_SCOPES, &format!("&_pages={}", seed::DENTAL)).await;
    let described = account.meta.get(&format!("/debug_token?input_token={user}"), &user).await;
    let granular = described.json["data"]["granular_scopes"].as_array().unwrap();
    let basic = granular.iter().find(|scope| scope["scope"] == "instagram_basic").unwrap();
    assert_eq!(basic["target_ids"], json!([account.id]));
}
