//! Stories of pages.

use graph_sim::seed;
use serde_json::json;

use crate::client::{Meta, read};

const PAGE: &str = "/104398761152301";

#[tokio::test]
async fn photos_and_videos_become_stories_for_a_day_and_only_once() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let form = [("url", "https://cdn.example/a.jpg"), ("published", "false")];
    let photo = meta.post(&format!("{PAGE}/photos"), &page, &form).await.id();
    let path = format!("{PAGE}/photo_stories");
    let first = meta.post(&path, &page, &[("photo_id", &photo)]).await.json;
    assert_eq!(first["success"], true);
    assert_eq!(meta.post(&path, &page, &[("photo_id", &photo)]).await.error(), (400, 100, Some(1_366_051)));
    let attached = json!([{"media_fbid": photo}]).to_string();
    let post = meta.post(&format!("{PAGE}/feed"), &page, &[("attached_media", &attached)]).await;
    assert_eq!(post.error(), (400, 100, Some(1_366_051)));

    let path = format!("{PAGE}/video_stories");
    let start = meta.post(&path, &page, &[("upload_phase", "start")]).await.json;
    let id = start["video_id"].as_str().unwrap();
    let finish = [("upload_phase", "finish"), ("video_id", id)];
    assert_eq!(meta.post(&path, &page, &finish).await.error(), (400, 100, None), "not uploaded");
    let upload = meta.http().post(start["upload_url"].as_str().unwrap());
    let upload =
        upload.header("authorization", format!("OAuth {page}")).header("file_url", "https://cdn.example/a.mp4");
    assert_eq!(read(upload).await.json, json!({"success": true}));
    let second = meta.post(&path, &page, &finish).await.json;
    assert_eq!(meta.post(&path, &page, &finish).await.error(), (400, 100, Some(1_366_051)));

    let list = meta.get(&format!("{PAGE}/stories?fields=post_id,status,media_type,media_id"), &page).await;
    assert_eq!(list.column("post_id"), [second["post_id"].as_str().unwrap(), first["post_id"].as_str().unwrap()]);
    assert_eq!(
        (list.column("media_type"), list.column("media_id")),
        (vec!["video".into(), "photo".into()], vec![id.into(), photo])
    );
    meta.advance(86_400).await;
    let archived = meta.get(&format!("{PAGE}/stories?status=ARCHIVED"), &page).await;
    assert_eq!(archived.column("status"), ["ARCHIVED", "ARCHIVED"]);
    assert_eq!(meta.get(&format!("{PAGE}/stories?status=PUBLISHED"), &page).await.column("status"), [""; 0]);
    assert_eq!(meta.truth("stories").await.len(), 2);
    assert_eq!(meta.truth("posts").await.len(), 0);
}
