//! Photos on pages: published alone, or staged for a post.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::Meta;
use crate::files::{jpeg, png};
use crate::page_posts::{FEED, attached, stage};

#[tokio::test]
async fn staged_photos_are_attached_in_order_in_every_spelling() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let mut expected = Vec::new();
    for spelling in 0..3 {
        let mut ids = Vec::new();
        for name in ["a", "b", "c"] {
            ids.push(stage(&meta, &page, &format!("https://cdn.example/{spelling}/{name}.jpg")).await);
        }
        ids.reverse();
        let list = attached(&ids);
        let elements: Vec<String> = ids.iter().map(|id| json!({"media_fbid": id}).to_string()).collect();
        let form: Vec<(&str, &str)> = match spelling {
            0 => vec![("attached_media", &list)],
            1 => vec![
                ("attached_media[0]", &elements[0]),
                ("attached_media[1]", &elements[1]),
                ("attached_media[2]", &elements[2]),
            ],
            _ => vec![
                ("attached_media[0][media_fbid]", &ids[0]),
                ("attached_media[1][media_fbid]", &ids[1]),
                ("attached_media[2][media_fbid]", &ids[2]),
            ],
        };
        let id = meta.post(FEED, &page, &form).await.id();
        let post = meta.get(&format!("/{id}?fields=attachments{{type,subattachments{{target{{id}}}}}}"), &page).await;
        let album = &post.json["attachments"]["data"][0];
        let shown: Vec<_> =
            album["subattachments"]["data"].as_array().unwrap().iter().map(|it| it["target"]["id"].clone()).collect();
        assert_eq!((album["type"].as_str(), shown), (Some("album"), ids.iter().map(|id| json!(id)).collect()));
        expected.push(ids);
    }
    for (post, ids) in meta.truth("posts").await.iter().zip(&expected) {
        let media: Vec<_> = post["media"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(media, *ids);
        assert_eq!(post["media"][0]["type"], "photo");
    }
    assert!(meta.truth("photos").await.iter().all(|photo| photo["used"] == true && photo["published"] == true));
}

#[tokio::test]
async fn a_photo_in_a_second_post_leaves_the_first() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let (a, b) = (
        stage(&meta, &page, "https://cdn.example/a.jpg").await,
        stage(&meta, &page, "https://cdn.example/b.jpg").await,
    );
    meta.post(FEED, &page, &[("attached_media", &attached(&[a.clone(), b.clone()]))]).await.id();
    meta.post(FEED, &page, &[("message", "Again"), ("attached_media", &attached(std::slice::from_ref(&a)))]).await.id();
    let truth = meta.truth("posts").await;
    let media = |post: &Value| post["media"].as_array().unwrap().iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
    assert_eq!((media(&truth[0]), media(&truth[1])), (vec![json!(b)], vec![json!(a)]));
}

#[tokio::test]
async fn staged_photos_die_after_a_day_unless_a_post_uses_them() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let used = stage(&meta, &page, "https://cdn.example/a.jpg").await;
    let lost = stage(&meta, &page, "https://cdn.example/b.jpg").await;
    meta.post(FEED, &page, &[("attached_media", &attached(std::slice::from_ref(&used)))]).await.id();
    meta.advance(86_000).await;
    assert_eq!(meta.truth("photos").await.len(), 2);
    meta.advance(500).await;
    assert_eq!(meta.get(&format!("/{lost}"), &page).await.error(), (400, 100, Some(33)));
    let late = meta.post(FEED, &page, &[("message", "Late"), ("attached_media", &attached(&[lost]))]).await;
    assert_eq!(late.error(), (400, 100, None));
    assert_eq!(meta.get(&format!("/{used}"), &page).await.status, 200);
}

#[tokio::test]
async fn only_photos_of_the_page_that_are_not_published_can_be_attached() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let bakery = meta.publisher(seed::BAKERY).await;
    let foreign = meta
        .post(
            &format!("/{}/photos", seed::BAKERY),
            &bakery,
            &[("url", "https://cdn.example/a.jpg"), ("published", "false")],
        )
        .await
        .id();
    let answer = meta.post(FEED, &page, &[("attached_media", &attached(&[foreign]))]).await;
    assert_eq!(answer.error(), (400, 100, None));
    let published =
        meta.post(&format!("/{}/photos", seed::DENTAL), &page, &[("url", "https://cdn.example/a.jpg")]).await;
    let answer = meta.post(FEED, &page, &[("attached_media", &attached(&[published.id()]))]).await;
    assert_eq!(answer.error(), (400, 100, Some(1_366_051)));
}

#[tokio::test]
async fn photos_come_from_an_address_or_a_file_and_answer_with_their_post() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let photos = format!("/{}/photos", seed::DENTAL);
    let form = [("url", "https://cdn.example/a.jpg"), ("caption", "Our team")];
    let by_address = meta.post(&photos, &page, &form).await.json;
    let file = jpeg(800, 600, 1);
    let form = [("message", "Grüße")];
    let by_file = meta.post_files(&photos, &page, &form, &[("source", "image/jpeg", &file)]).await.json;
    let truth = meta.truth("posts").await;
    for (answer, post) in [&by_address, &by_file].into_iter().zip(&truth) {
        assert_eq!(answer["post_id"], post["id"]);
        assert_eq!(answer["id"], post["media"][0]["id"]);
    }
    assert_eq!((&truth[0]["message"], &truth[1]["message"]), (&json!("Our team"), &json!("Grüße")));
    assert_eq!(
        (&truth[0]["media"][0]["url"], &truth[1]["media"][0]["url"]),
        (&json!("https://cdn.example/a.jpg"), &Value::Null)
    );
    let photo = by_file["id"].as_str().unwrap();
    let read = meta.get(&format!("/{photo}?fields=width,height,name,page_story_id,link"), &page).await.json;
    assert_eq!(
        (&read["width"], &read["height"], &read["name"], &read["page_story_id"]),
        (&json!(800), &json!(600), &json!("Grüße"), &by_file["post_id"])
    );
    let uploaded = meta.get(&format!("{photos}?type=uploaded"), &page).await;
    assert_eq!(uploaded.column("id").len(), 2);
    assert_eq!(meta.get(&photos, &page).await.column("id").len(), 0, "profile pictures");
    // Without its only photo the post is gone.
    meta.delete(&format!("/{photo}"), &page).await;
    assert_eq!(meta.truth("posts").await.len(), 1);
}

#[tokio::test]
async fn pictures_that_meta_does_not_read_are_refused() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let photos = format!("/{}/photos", seed::DENTAL);
    for (site, error) in [
        (json!({"status": 404}), (400, 324, None)),
        (json!({"status": 206}), (400, 324, None)),
        (json!({"timeout": true}), (400, 324, None)),
        (json!({"content_type": "text/html"}), (400, 324, None)),
        (json!({"content_type": "video/mp4"}), (400, 324, None)),
        (json!({"content_type": "image/webp"}), (400, 100, Some(1_366_046))),
        (json!({"bytes": 11 * 1024 * 1024}), (400, 100, Some(1_366_046))),
    ] {
        let mut site = site;
        site["url"] = json!("https://cdn.example/a.jpg");
        site["times"] = json!(1);
        meta.sim("web", site.clone()).await;
        let answer = meta.post(&photos, &page, &[("url", "https://cdn.example/a.jpg")]).await;
        assert_eq!(answer.error(), error, "{site}");
    }
    assert_eq!(meta.post(&photos, &page, &[]).await.message(), "(#324) Requires upload file");
    let page_file = [("source", "image/jpeg", &b"<html>"[..])];
    assert_eq!(meta.post_files(&photos, &page, &[], &page_file).await.error(), (400, 324, None));
    let allowed = [("source", "image/png", &png()[..])];
    meta.post_files(&photos, &page, &[], &allowed).await.id();
}
