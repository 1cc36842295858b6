//! Containers on Instagram: which parameters and files they take.

use serde_json::{Value, json};

use crate::client::{Answer, read};
use crate::files::mp4;
use crate::instagram::{Account, PICTURE, VIDEO};

fn user_message(answer: &Answer) -> &str {
    answer.json["error"]["error_user_msg"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn wrong_parameters_are_refused_with_instagrams_codes() {
    let account = Account::start().await;
    let long = "x".repeat(2201);
    let tags = "#a ".repeat(31);
    let item = ("is_carousel_item", "true");
    let story = ("media_type", "STORIES");
    let reel = ("media_type", "REELS");
    for (form, code, subcode) in [
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
    ] {
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
        (json!({"timeout": true}), (400, -2, Some(2_207_003))),
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
        (json!({"timeout": true}), 2_207_003),
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
