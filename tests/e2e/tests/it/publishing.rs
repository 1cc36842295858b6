//! Posts: from the API to a page and to Instagram, as Meta has them in the end.

use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_at_most, wait_for, world};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const TO_PAGE: &str = "/api/upstream/call/facebook-provider/post-to-page";
const TO_INSTAGRAM: &str = "/api/upstream/call/facebook-provider/post-to-instagram";

/// Asks for a post and returns its id.
async fn post(tenant: &Tenant, path: &str, body: &Value) -> String {
    let (status, answer) = tenant.call(Method::POST, path, body).await;
    assert_eq!(status, 202, "{body}: {answer}");
    answer.text("postId").to_owned()
}

/// Waits until a post is done, and returns it.
async fn done(tenant: &Tenant, id: &str) -> Value {
    wait_for("the post's end", async || {
        let post = tenant.get(&format!("/api/posts/{id}")).await;
        matches!(post.text("status"), "published" | "failed" | "cancelled").then_some(post)
    })
    .await
}

/// The public posts of a page at Meta.
async fn public_posts(page: &str) -> Vec<Value> {
    let state = world().sim_state().await;
    let is_public = |post: &&Value| post["page_id"] == page && post["status"] == "published";
    state.list("posts").iter().filter(is_public).cloned().collect()
}

/// The media of the Instagram account behind a page.
async fn public_media(page: &str) -> Vec<Value> {
    let state = world().sim_state().await;
    let account = state.list("instagram").iter().find(|account| account["page_id"] == page).cloned();
    account.expect("the page has an account").list("media").to_vec()
}

#[tokio::test]
async fn a_post_is_public_once_with_its_pictures_in_order_and_the_crm_is_told() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-page").connect().await;
    let page = &person.pages[0];
    let images = json!(["https://cdn.example/a.jpg", "https://cdn.example/b.jpg", "https://cdn.example/c.jpg"]);
    let body = json!({ "pageId": page, "message": "Open day\n\nCome in", "images": images, "requestId": "r1" });
    let id = post(&tenant, TO_PAGE, &body).await;
    // The same request again, also two at once, is the same post.
    let (one, two) = tokio::join!(post(&tenant, TO_PAGE, &body), post(&tenant, TO_PAGE, &body));
    assert_eq!((one.as_str(), two.as_str()), (id.as_str(), id.as_str()));
    let post = done(&tenant, &id).await;
    assert_eq!(post.text("status"), "published", "{post}");
    let public = public_posts(page).await;
    assert_eq!(public.len(), 1, "{public:?}");
    assert_eq!((post.text("meta_id"), post.text("permalink")), (public[0].text("id"), public[0].text("permalink_url")));
    let urls: Vec<&str> = public[0].list("media").iter().map(|media| media.text("url")).collect();
    assert_eq!(json!(urls), images);
    assert_eq!(public[0].text("message"), "Open day\n\nCome in");
    let event = wait_for("the event", async || {
        tenant.events("post.published").await.into_iter().find(|event| event["post_id"] == id.as_str())
    })
    .await;
    assert_eq!((event.text("meta_id"), event.text("org")), (public[0].text("id"), "publishing-page"));
    let (status, answer) =
        tenant.call(Method::POST, TO_PAGE, &json!({ "pageId": page, "message": "Other", "requestId": "r1" })).await;
    assert_eq!((status, answer.text("code")), (409, "request_reused"), "{answer}");
    let listed = tenant.items(&format!("/api/posts?status=published&page_id={page}")).await;
    assert_eq!((listed.len(), listed[0].text("id")), (1, id.as_str()));
    let (status, answer) = tenant.call(Method::DELETE, &format!("/api/posts/{id}"), &Value::Null).await;
    assert_eq!((status, answer.text("code")), (409, "post_published"), "{answer}");
}

#[tokio::test]
async fn instagram_takes_a_picture_with_two_fields_and_a_carousel_in_order() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-instagram").connect().await;
    let page = &person.pages[0];
    let state = world().sim_state().await;
    let account = state.list("instagram").iter().find(|account| account["page_id"] == page.as_str()).unwrap().clone();
    let picture =
        json!({ "instagramAccountId": account["id"], "mediaUrl": "https://cdn.example/1.jpg", "caption": "One" });
    let carousel = json!({
        "pageId": page, "caption": "Three",
        "carousel": ["https://cdn.example/1.jpg", "https://cdn.example/2.mp4", "https://cdn.example/3.jpg"],
    });
    let reel = json!({ "pageId": page, "video": "https://cdn.example/r.mp4", "caption": "Moving" });
    for (body, kind) in [(picture, "image"), (carousel, "carousel"), (reel, "reel")] {
        let id = post(&tenant, TO_INSTAGRAM, &body).await;
        let post = done(&tenant, &id).await;
        assert_eq!((post.text("status"), post.text("media_type")), ("published", kind), "{post}");
        // Meta tells the address in an answer of its own, after the post is public.
        let described = wait_for("the post's address", async || {
            let post = tenant.get(&format!("/api/posts/{id}")).await;
            post["permalink"].is_string().then_some(post)
        })
        .await;
        assert!(described.text("permalink").starts_with("http"), "{described}");
    }
    let media = public_media(page).await;
    assert_eq!(media.len(), 3, "{media:?}");
    let three = media.iter().find(|media| media["caption"] == "Three").unwrap();
    assert_eq!(three.list("children").len(), 3);
}

#[tokio::test]
async fn a_scheduled_post_is_moved_cancelled_and_published_on_request() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-schedule").connect().await;
    let page = &person.pages[0];
    let at = |hours: i64| (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)).to_string();
    let scheduled = |message: &str| json!({ "pageId": page, "message": message, "scheduledAt": at(48) });
    let (stays, goes) = (scheduled("Tuesday"), scheduled("Never"));
    let (stays, goes) = (post(&tenant, TO_PAGE, &stays).await, post(&tenant, TO_PAGE, &goes).await);
    let moved = at(72);
    let path = format!("/api/posts/{stays}");
    let changed = tenant.call_ok(Method::PATCH, &path, &json!({ "scheduled_at": moved })).await;
    assert_eq!((changed.text("status"), changed.text("scheduled_at")), ("scheduled", &*moved), "{changed}");
    let cancelled = tenant.call_ok(Method::DELETE, &format!("/api/posts/{goes}"), &Value::Null).await;
    assert_eq!(cancelled.text("status"), "cancelled");
    assert!(public_posts(page).await.is_empty());
    // What is not due yet is published on request, and the cancelled one is not.
    let fire = format!("fire/publish-worker?org={}", tenant.org);
    world().call_dev_api(Method::POST, &fire).await;
    assert_eq!(done(&tenant, &stays).await.text("status"), "published");
    world().call_dev_api(Method::POST, &fire).await;
    let public = public_posts(page).await;
    assert_eq!((public.len(), public[0].text("message")), (1, "Tuesday"));
    assert_eq!(done(&tenant, &goes).await.text("status"), "cancelled");
    for (time, what) in [
        (at(24 * 31), "31 days"),
        (at(-1), "the past"),
        ((jiff::Timestamp::now() + jiff::SignedDuration::from_mins(5)).to_string(), "5 minutes"),
    ] {
        let (status, answer) =
            tenant.call(Method::POST, TO_PAGE, &json!({ "pageId": page, "message": "x", "scheduledAt": time })).await;
        assert_eq!((status, answer.text("field")), (400, "scheduledAt"), "{what}: {answer}");
    }
    let (status, answer) = tenant
        .call(Method::POST, TO_PAGE, &json!({ "pageId": page, "message": "x", "scheduledAt": "2027-01-01T09:00:00" }))
        .await;
    assert_eq!((status, answer.text("field")), (400, "scheduledAt"), "a time without zone: {answer}");
}

#[tokio::test]
async fn a_lost_answer_neither_loses_nor_doubles_a_post() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-lost").connect().await;
    let page = &person.pages[0];
    let state = world().sim_state().await;
    let account = state.list("instagram").iter().find(|account| account["page_id"] == page.as_str()).unwrap().clone();
    for (when, kind) in [("after", "close"), ("before", "close"), ("after", "error")] {
        let message = format!("{when} {kind}");
        for path in [format!("/{page}/feed"), format!("/{}/media_publish", account.text("id"))] {
            let fault = json!({ "path": path, "method": "POST", "kind": kind, "when": when, "code": 2, "status": 500, "times": 1 });
            world().call_sim(Method::POST, "faults", &fault).await;
        }
        let on_page = post(&tenant, TO_PAGE, &json!({ "pageId": page, "message": message })).await;
        let picture = json!({ "pageId": page, "mediaUrl": "https://cdn.example/1.jpg", "caption": message });
        let on_instagram = post(&tenant, TO_INSTAGRAM, &picture).await;
        for id in [on_page, on_instagram] {
            let post = done(&tenant, &id).await;
            assert_eq!(post.text("status"), "published", "{message}: {post}");
        }
        let posts = public_posts(page).await;
        assert_eq!(posts.iter().filter(|post| post["message"] == message.as_str()).count(), 1, "{message}: {posts:?}");
        let media = public_media(page).await;
        assert_eq!(
            media.iter().filter(|media| media["caption"] == message.as_str()).count(),
            1,
            "{message}: {media:?}"
        );
    }
}

#[tokio::test]
async fn a_worker_that_is_killed_is_replaced_and_nothing_is_doubled() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-kill").connect().await;
    let page = &person.pages[0];
    // Meta takes a while for the call, so that the worker dies in it.
    let slow = json!({ "path": format!("/{page}/feed"), "method": "POST", "kind": "timeout", "when": "after", "hold_ms": 20_000, "times": 1 });
    world().call_sim(Method::POST, "faults", &slow).await;
    let id = post(&tenant, TO_PAGE, &json!({ "pageId": page, "message": "Survives" })).await;
    wait_for("the call at Meta", async || (!public_posts(page).await.is_empty()).then_some(())).await;
    world().call_dev_api(Method::POST, "kill/publish-worker").await;
    let path = format!("/api/posts/{id}");
    let post = wait_at_most(Duration::from_secs(420), "another worker", async || {
        // The schedule looks after posts whose worker has died.
        world().call_dev_api(Method::POST, &format!("fire/publish-worker?org={}", tenant.org)).await;
        let post = tenant.get(&path).await;
        (post.text("status") == "published").then_some(post)
    })
    .await;
    assert_eq!(public_posts(page).await.len(), 1, "{post}");
}

#[tokio::test]
async fn what_meta_refuses_says_which_picture_why_and_what_to_do() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-refused").connect().await;
    let page = &person.pages[0];
    let gone = "https://cdn.example/publishing-refused/gone.jpg";
    let missing = world().call_sim(Method::POST, "web", &json!({ "url": gone, "status": 404 })).await;
    let images = json!(["https://cdn.example/a.jpg", gone]);
    let id = post(&tenant, TO_PAGE, &json!({ "pageId": page, "message": "Two", "images": images })).await;
    let failed = done(&tenant, &id).await;
    assert_eq!((failed.text("status"), failed.text("reason")), ("failed", "media_unreachable"), "{failed}");
    assert!(failed.text("reason_message").contains("Picture 2 of 2"), "{failed}");
    assert!(!failed.text("fix").is_empty());
    assert_eq!(failed.text("media.1.status"), "failed");
    assert!(public_posts(page).await.is_empty());
    let staged =
        world().sim_state().await.list("photos").iter().filter(|photo| photo["page_id"] == page.as_str()).count();
    assert_eq!(staged, 0, "nothing stays behind");
    // The address works again, and the same post is published on request.
    world().call_sim(Method::DELETE, &format!("web?id={}", missing["id"]), &Value::Null).await;
    // A moment passes between a failure and the end of its worker.
    let again = json!({ "scheduled_at": null });
    wait_for("the worker to end", async || {
        let (status, answer) = tenant.call(Method::PATCH, &format!("/api/posts/{id}"), &again).await;
        assert!(status == 200 || answer["code"] == "post_in_progress", "{answer}");
        (status == 200).then_some(())
    })
    .await;
    assert_eq!(done(&tenant, &id).await.text("status"), "published");
    assert_eq!(public_posts(page).await.len(), 1);
}

#[tokio::test]
async fn bad_input_is_refused_by_name_before_meta_is_asked() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-input").connect().await;
    let page = &person.pages[0];
    let refuse = async |path: &str, body: Value, field: &str| {
        let (status, answer) = tenant.call(Method::POST, path, &body).await;
        assert_eq!((status, answer.text("field")), (400, field), "{body}: {answer}");
    };
    refuse(TO_PAGE, json!({ "pageId": page }), "message").await;
    refuse(TO_PAGE, json!({ "pageId": page, "message": "x".repeat(63_207) }), "message").await;
    refuse(TO_PAGE, json!({ "pageId": page, "image": "file:///etc/passwd" }), "image").await;
    refuse(TO_PAGE, json!({ "pageId": page, "link": "http://169.254.169.254/latest" }), "link").await;
    refuse(
        TO_PAGE,
        json!({ "pageId": page, "images": ["https://cdn.example/a.jpg", "https://cdn.example/b.mp4?sig=1"] }),
        "images[1]",
    )
    .await;
    refuse(TO_PAGE, json!({ "pageId": "1", "message": "x" }), "pageId").await;
    refuse(TO_INSTAGRAM, json!({ "pageId": page, "mediaUrl": "https://cdn.example/a.png" }), "mediaUrl").await;
    refuse(
        TO_INSTAGRAM,
        json!({ "pageId": page, "mediaUrl": "https://cdn.example/a.jpg", "caption": "#a ".repeat(31) }),
        "caption",
    )
    .await;
    refuse(TO_INSTAGRAM, json!({ "mediaUrl": "https://cdn.example/a.jpg" }), "instagramAccountId").await;
    let (status, answer) = tenant.call(Method::POST, TO_PAGE, &json!({ "pageId": page, "text": "x" })).await;
    assert_eq!(status, 400, "an unknown field: {answer}");
    assert!(tenant.items("/api/posts").await.is_empty());
    let calls = world().sim_state().await;
    assert!(calls.list("posts").iter().all(|post| post["page_id"] != page.as_str()));
}

#[tokio::test]
async fn only_who_may_publish_does_and_only_on_the_org_s_own_pages() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-access").connect().await;
    let other = Tenant::as_superadmin("publishing-access-other");
    other.put_org("Other", &["meta"]).await;
    let body = json!({ "pageId": person.pages[0], "message": "x" });
    let (status, answer) = other.call(Method::POST, TO_PAGE, &body).await;
    assert_eq!((status, answer.text("code")), (400, "page_unknown"), "{answer}");
    let id = post(&tenant, TO_PAGE, &body).await;
    assert_eq!(other.call(Method::GET, &format!("/api/posts/{id}"), &Value::Null).await.0, 404);
    let poor = Tenant::as_superadmin("publishing-access-poor");
    poor.put_org("Poor", &[]).await;
    assert_eq!(poor.call(Method::POST, TO_PAGE, &body).await.0, 402);
    world().change_tokens(json!({ "action": "revoke", "user_id": person.id })).await;
    let id = post(&tenant, TO_PAGE, &json!({ "pageId": person.pages[0], "message": "Too late" })).await;
    let failed = done(&tenant, &id).await;
    assert_eq!((failed.text("status"), failed.text("reason")), ("failed", "connection_expired"), "{failed}");
    wait_for("the check", async || {
        let (status, answer) = tenant.call(Method::POST, TO_PAGE, &body).await;
        (status == 412 && answer.text("code") == "connection_expired").then_some(())
    })
    .await;
}

/// The beginning of a picture, which says how large it is.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0\xff\xc0\0\x11\x08".to_vec();
    file.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
    file.extend(b"\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xd9");
    file
}

/// Uploads a file as a program does, and returns its address.
async fn upload(tenant: &Tenant, file: Vec<u8>) -> String {
    let body = json!({ "content_type": "image/jpeg", "size": file.len() });
    let (status, upload) = tenant.call(Method::POST, "/api/media", &body).await;
    assert_eq!(status, 201, "{upload}");
    let path = format!("/api/media/{}", upload.text("id"));
    assert_eq!(tenant.call(Method::GET, &path, &Value::Null).await.0, 404, "nothing was sent yet");
    let send = |kind: &'static str, file: Vec<u8>| {
        reqwest::Client::new().put(upload.text("upload_url")).header("content-type", kind).body(file).send()
    };
    // The address takes what was asked for and nothing else.
    let longer = [file.clone(), vec![0]].concat();
    for (kind, other) in [("text/html", file.clone()), ("image/jpeg", longer)] {
        assert_eq!(send(kind, other).await.unwrap().status(), 403);
    }
    assert_eq!(send("image/jpeg", file).await.unwrap().status(), 200);
    upload.text("address").to_owned()
}

#[tokio::test]
async fn an_uploaded_picture_is_checked_kept_private_and_published_on_both_networks() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("publishing-uploads").connect().await;
    let stranger = OrgFixture::new("publishing-no-uploads").connect().await.tenant;
    let page = &person.pages[0];
    let (square, wide) = (upload(&tenant, jpeg(1_080, 1_080)).await, upload(&tenant, jpeg(3_000, 1_000)).await);
    let id = |address: &str| address.trim_start_matches("media:").trim_end_matches(".jpg").to_owned();

    let seen = tenant.get(&format!("/api/media/{}", id(&wide))).await;
    assert_eq!((seen["width"].as_u64(), seen["height"].as_u64()), (Some(3_000), Some(1_000)), "{seen}");
    let refusal = |purpose: &str| seen.find("uses", "use", purpose)["refusal"].clone();
    assert_eq!(refusal("page_picture"), Value::Null);
    assert!(refusal("instagram_picture").as_str().unwrap().contains("1.91:1"), "{seen}");
    // With the link, the file is seen for an hour; without it, and from another org, it is not.
    let link = seen.text("url");
    assert_eq!(reqwest::get(link).await.unwrap().status(), 200);
    assert_eq!(reqwest::get(link.split('?').next().unwrap()).await.unwrap().status(), 403);
    assert_eq!(stranger.call(Method::GET, &format!("/api/media/{}", id(&wide)), &Value::Null).await.0, 404);

    let body = json!({ "pageId": page, "mediaUrl": wide });
    let (status, problem) = tenant.call(Method::POST, TO_INSTAGRAM, &body).await;
    assert_eq!((status, problem.text("field")), (400, "mediaUrl"), "{problem}");
    let body = json!({ "pageId": page, "message": "Hi", "images": [square, wide] });
    let on_page = post(&tenant, TO_PAGE, &body).await;
    let gram = post(&tenant, TO_INSTAGRAM, &json!({ "pageId": page, "mediaUrl": square, "caption": "Hi" })).await;
    for id in [&on_page, &gram] {
        let post = done(&tenant, id).await;
        assert_eq!(post.text("status"), "published", "{post}");
        assert_eq!(post.list("media")[0].text("url"), square);
    }
    assert_eq!(public_posts(page).await[0].list("media").len(), 2);
    assert_eq!(public_media(page).await.len(), 1);
}
