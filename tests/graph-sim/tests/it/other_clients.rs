//! The calls of other people's clients, in the forms in which they send them.

use graph_sim::{Options, seed};
use serde_json::{Value, json};

use crate::client::{Meta, read};
use crate::files::{jpeg, mp4};

async fn started() -> (Meta, String) {
    let meta = Meta::start_with(Options { require_proof: false, ..Options::default() }).await;
    let page = meta.publisher(seed::DENTAL).await;
    (meta, page)
}

/// Everything in the query, and JSON bodies.
#[tokio::test]
async fn a_client_with_tokens_in_the_query_publishes_on_a_page() {
    let (meta, page) = started().await;
    let post = async |path: &str, query: &str, body: Value| {
        let url = meta.url(&format!("/v20.0/{}/{path}?access_token={page}{query}", seed::DENTAL));
        read(meta.http().post(url).json(&body)).await.json
    };
    let mut media = Vec::new();
    for name in ["a", "b"] {
        let url = format!("https://uploads.example/{name}.jpg");
        media.push(json!({"media_fbid": post("photos", "", json!({"url": url, "published": false})).await["id"]}));
    }
    let body = json!({"attached_media": media, "link": "https://example.com/", "message": "Two", "published": true});
    let answer = post("feed", "&fields=id,permalink_url", body).await;
    assert!(answer["permalink_url"].as_str().unwrap().starts_with("https://www.facebook.com/"), "{answer}");
    let body = json!({"file_url": "https://uploads.example/a.mp4", "description": "Video", "published": true});
    let video = post("videos", "&fields=id,permalink_url", body).await;
    assert!(video["id"].is_string() && video["permalink_url"].is_string(), "{video}");
    let preset =
        post("feed", "", json!({"message": "Colours", "text_format_preset_id": "blue", "published": true})).await;
    assert!(preset["error"]["message"].as_str().unwrap().contains("text_format_preset_id"));
    assert_eq!(meta.truth("posts").await[0]["media"].as_array().unwrap().len(), 2);
    let accounts = "/me/accounts?fields=id,name,picture.type(large)&limit=100";
    let pages = meta.get(accounts, &meta.mara().await).await;
    assert!(pages.json["data"][0]["picture"]["data"]["url"].is_string(), "{}", pages.text);
}

/// POST requests without a body.
#[tokio::test]
async fn a_client_with_everything_in_the_query_publishes_on_instagram() {
    let (meta, page) = started().await;
    let id = meta.instagram_of(seed::DENTAL, &page).await;
    let post = async |edge: &str, query: &str| {
        let url = meta.url(&format!("/v20.0/{id}/{edge}?{query}&access_token={page}"));
        let answer = read(meta.http().post(url)).await;
        answer.json["id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    };
    let first = post("media", "image_url=https://uploads.example/a.jpg&is_carousel_item=true").await;
    let second =
        post("media", "video_url=https://uploads.example/b.mp4&media_type=VIDEO&thumb_offset=0&is_carousel_item=true")
            .await;
    let collaborators = "collaborators=%5B%22partner%22%5D";
    let query = format!("caption=Hi%20there&media_type=CAROUSEL&children={first}%2C{second}&{collaborators}");
    let parent = post("media", &query).await;
    meta.advance(5).await;
    let url = meta.url(&format!("/v20.0/{parent}?access_token={page}&fields=status_code,status"));
    assert_eq!(read(meta.http().get(url)).await.json["status_code"], "FINISHED");
    let medium = post("media_publish", &format!("creation_id={parent}&field=id")).await;
    let url = meta.url(&format!("/v20.0/{medium}?fields=permalink&access_token={page}"));
    assert!(read(meta.http().get(url)).await.json["permalink"].is_string());
    let url = meta.url(&format!(
        "/v20.0/{id}/media?image_url=https://a.example/a.jpg&collaborators=%5B%22%40a%22%5D&access_token={page}"
    ));
    assert_eq!(read(meta.http().post(url)).await.error(), (400, 100, Some(2_207_018)));
}

/// JSON bodies, and multipart bodies in which `false` is empty.
#[tokio::test]
async fn a_php_client_uploads_files_and_videos_in_parts() {
    let (meta, page) = started().await;
    let mut media = Vec::new();
    for seed in [1, 2] {
        let file = jpeg(800, 800, seed);
        let form = [("published", "")];
        let answer = meta
            .post_files(&format!("/{}/photos", seed::DENTAL), &page, &form, &[("source", "image/jpeg", &file)])
            .await;
        assert_eq!(answer.json["post_id"], Value::Null, "an empty published is false");
        media.push(json!({"media_fbid": answer.id()}));
    }
    let path = format!("/v21.0/{}", seed::DENTAL);
    let json_post =
        async |edge: &str, body: Value| read(meta.http().post(meta.url(&format!("{path}/{edge}"))).json(&body)).await;
    let feed = json_post("feed", json!({"message": "Two", "access_token": page, "attached_media": media})).await;
    assert_eq!(feed.status, 200, "{}", feed.text);
    let video = mp4(8, 10);
    let start = json!({"upload_phase": "start", "file_size": video.len(), "access_token": page});
    let start = json_post("videos", start).await.json;
    let session = start["upload_session_id"].as_str().unwrap();
    let form = [("upload_phase", "transfer"), ("upload_session_id", session), ("start_offset", "0")];
    let videos = format!("/{}/videos", seed::DENTAL);
    let part = [("video_file_chunk", "video/mp4", &video[..])];
    let offsets = meta.post_files(&videos, &page, &form, &part).await.json;
    assert_eq!(offsets["start_offset"], offsets["end_offset"]);
    let form = [("upload_phase", "finish"), ("upload_session_id", session), ("description", "Parts")];
    let thumb = jpeg(100, 100, 1);
    let finish = meta.post_files(&videos, &page, &form, &[("thumb", "image/jpeg", &thumb)]).await;
    assert_eq!(finish.json, json!({"success": true}));
    let form = [("file_url", "https://cdn.example/a.mp4")];
    meta.post_files(&videos, &page, &form, &[("thumb", "image/jpeg", &thumb)]).await.id();
}

/// Meta's own SDK sends lists and objects as JSON inside a form, and batches.
#[tokio::test]
async fn the_sdk_sends_json_inside_forms() {
    let (meta, page) = started().await;
    let photo = meta
        .post(
            &format!("/{}/photos", seed::DENTAL),
            &page,
            &[("url", "https://cdn.example/a.jpg"), ("published", "false")],
        )
        .await
        .id();
    let attached = json!([{"media_fbid": photo}]).to_string();
    let form =
        [("message", "Hi"), ("attached_media", attached.as_str()), ("published", "true"), ("access_token", &page)];
    let url = meta.url(&format!("/v25.0/{}/feed", seed::DENTAL));
    assert_eq!(read(meta.http().post(url).form(&form)).await.status, 200);
    let fields = json!(["id", "message", "permalink_url"]).to_string();
    let list = meta.get(&format!("/{}/published_posts?fields={fields}&summary=true", seed::DENTAL), &page).await;
    assert_eq!((list.column("message"), &list.json["summary"]["total_count"]), (vec!["Hi".to_owned()], &json!(1)));
}
