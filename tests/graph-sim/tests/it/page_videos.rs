//! Videos and reels of pages.

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{Answer, Meta, read};
use crate::files::mp4;

const VIDEOS: &str = "/104398761152301/videos";
const REELS: &str = "/104398761152301/video_reels";
const FILE: (&str, &str) = ("file_url", "https://cdn.example/a.mp4");

async fn now(meta: &Meta) -> i64 {
    meta.sim_get("clock").await["now"].as_i64().expect("seconds")
}

async fn status(meta: &Meta, page: &str, id: &str) -> Value {
    meta.get(&format!("/{id}?fields=status,post_id,permalink_url,published,description"), page).await.json
}

#[tokio::test]
async fn a_video_is_processed_then_published_and_names_its_post_late() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let id = meta.post(VIDEOS, &page, &[FILE, ("description", "Tour"), ("title", "T")]).await.id();
    let read = status(&meta, &page, &id).await;
    assert_eq!(
        (&read["status"]["video_status"], &read["published"], &read["post_id"]),
        (&json!("processing"), &json!(false), &Value::Null)
    );
    assert_eq!(meta.truth("posts").await.len(), 0);
    meta.advance(3).await;
    let read = status(&meta, &page, &id).await;
    assert_eq!(
        (&read["status"]["video_status"], &read["published"], &read["post_id"]),
        (&json!("ready"), &json!(true), &Value::Null)
    );
    meta.advance(2).await;
    let read = status(&meta, &page, &id).await;
    let posts = meta.truth("posts").await;
    assert_eq!((&read["post_id"], &posts[0]["message"]), (&posts[0]["id"], &json!("Tour")));
    assert_eq!(
        posts[0]["media"],
        json!([{"type": "video", "id": id, "url": FILE.1, "digest": posts[0]["media"][0]["digest"]}])
    );
    assert_eq!(read["status"]["publishing_phase"]["publish_status"], "published");
    let list = meta.get(&format!("{VIDEOS}?fields=id,permalink_url"), &page).await;
    assert_eq!(list.column("id"), [id.as_str()]);
    assert_eq!(meta.post(&format!("/{id}"), &page, &[("description", "New")]).await.json, json!({"success": true}));
    assert_eq!(meta.delete(&format!("/{id}"), &page).await.json, json!({"success": true}));
    assert_eq!(meta.truth("posts").await.len(), 0);
}

#[tokio::test]
async fn a_schedule_needs_published_false() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let at = (now(&meta).await + 3600).to_string();
    let refused = meta.post(VIDEOS, &page, &[FILE, ("scheduled_publish_time", &at)]).await;
    assert_eq!(refused.error(), (400, 100, None));
    assert_eq!(refused.message(), "(#100) You cannot specify a scheduled publish time on a published post");
    let form = [FILE, ("scheduled_publish_time", &at), ("published", "false")];
    let id = meta.post(VIDEOS, &page, &form).await.id();
    meta.advance(10).await;
    assert_eq!(status(&meta, &page, &id).await["status"]["publishing_phase"]["publish_status"], "scheduled");
    assert_eq!(meta.truth("posts").await[0]["status"], "scheduled");
    meta.advance(3600).await;
    assert_eq!(meta.truth("posts").await[0]["status"], "published");
    // An unpublished one has no post until it is published.
    let id = meta.post(VIDEOS, &page, &[FILE, ("published", "false")]).await.id();
    meta.advance(10).await;
    assert_eq!(meta.truth("posts").await.len(), 1);
    meta.post(&format!("/{id}"), &page, &[("published", "true")]).await;
    assert_eq!(meta.truth("posts").await.len(), 2);
}

#[tokio::test]
async fn files_that_are_no_video_are_refused() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    meta.sim("web", json!({"url": FILE.1, "status": 404, "times": 1})).await;
    assert_eq!(meta.post(VIDEOS, &page, &[FILE]).await.error(), (400, 389, None));
    let picture = meta.post(VIDEOS, &page, &[("file_url", "https://cdn.example/a.jpg")]).await;
    assert_eq!(picture.error(), (400, 352, Some(1_349_125)));
    let file = [("source", "video/mp4", &b"no video"[..])];
    assert_eq!(meta.post_files(VIDEOS, &page, &[], &file).await.error(), (400, 352, Some(1_349_125)));
    assert_eq!(meta.post(VIDEOS, &page, &[]).await.error(), (400, 100, None));
    let video = mp4(10, 100);
    meta.post_files(VIDEOS, &page, &[("description", "File")], &[("source", "video/mp4", &video)]).await.id();
    let broken = json!({"url": FILE.1, "processing_error": 2_207_026});
    meta.sim("web", broken).await;
    let id = meta.post(VIDEOS, &page, &[FILE]).await.id();
    meta.advance(10).await;
    let read = status(&meta, &page, &id).await;
    assert_eq!(
        (&read["status"]["video_status"], &read["status"]["processing_phase"]["status"]),
        (&json!("error"), &json!("error"))
    );
    assert_eq!(meta.truth("posts").await.len(), 1);
}

#[tokio::test]
async fn a_large_video_arrives_in_parts() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let file = mp4(10, 1_500_000);
    let size = file.len().to_string();
    let start = meta.post(VIDEOS, &page, &[("upload_phase", "start"), ("file_size", &size)]).await.json;
    assert_eq!((&start["start_offset"], &start["end_offset"]), (&json!("0"), &json!("1048576")));
    let session = start["upload_session_id"].as_str().unwrap();
    let transfer = async |offset: usize, part: &[u8]| -> Answer {
        let offset = offset.to_string();
        let form = [("upload_phase", "transfer"), ("upload_session_id", session), ("start_offset", offset.as_str())];
        meta.post_files(VIDEOS, &page, &form, &[("video_file_chunk", "application/octet-stream", part)]).await
    };
    let first = transfer(0, &file[..1_048_576]).await.json;
    assert_eq!(first, json!({"start_offset": "1048576", "end_offset": size}));
    assert_eq!(transfer(0, &file[..10]).await.error(), (400, 6001, Some(1_363_037)));
    let finish = [("upload_phase", "finish"), ("upload_session_id", session), ("description", "Parts")];
    assert_eq!(meta.post(VIDEOS, &page, &finish).await.status, 400, "parts are missing");
    let last = transfer(1_048_576, &file[1_048_576..]).await.json;
    assert_eq!(last, json!({"start_offset": size, "end_offset": size}));
    assert_eq!(meta.post(VIDEOS, &page, &finish).await.json, json!({"success": true}));
    meta.advance(10).await;
    let video = start["video_id"].as_str().unwrap();
    assert_eq!(status(&meta, &page, video).await["description"], "Parts");
    assert_eq!(meta.truth("posts").await[0]["message"], "Parts");
    let other = meta.post(VIDEOS, &page, &[("upload_phase", "start"), ("file_size", "10")]).await.json;
    let session = other["upload_session_id"].as_str().unwrap();
    meta.post(VIDEOS, &page, &[("upload_phase", "cancel"), ("upload_session_id", session)]).await;
    assert_eq!(meta.truth("videos").await.len(), 1);
}

/// Uploads to the address that `start` named.
async fn upload(meta: &Meta, page: &str, start: &Value, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = meta.http().post(start["upload_url"].as_str().expect("an address")).body(body.to_vec());
    request = request.header("authorization", format!("OAuth {page}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    read(request).await
}

#[tokio::test]
async fn a_reel_is_started_uploaded_and_finished() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let start = meta.post(REELS, &page, &[("upload_phase", "start")]).await.json;
    let id = start["video_id"].as_str().unwrap();
    assert!(start["upload_url"].as_str().unwrap().ends_with(&format!("/video-upload/v26.0/{id}")));
    let finish = |state: &'static str| {
        [("upload_phase", "finish"), ("video_id", id), ("video_state", state), ("description", "Reel")]
    };
    assert_eq!(meta.post(REELS, &page, &finish("PUBLISHED")).await.error(), (400, 100, None), "not uploaded");
    let uploaded = upload(&meta, &page, &start, &[("file_url", "https://cdn.example/r.mp4")], &[]).await;
    assert_eq!(uploaded.json, json!({"success": true}));
    assert_eq!(meta.post(REELS, &page, &finish("PUBLISHED")).await.json, json!({"success": true}));
    let read = status(&meta, &page, id).await;
    let expected = json!({
        "video_status": "processing", "uploading_phase": {"status": "complete", "bytes_transfered": 4_000_000},
        "processing_phase": {"status": "in_progress"}, "publishing_phase": {"status": "not_started"},
    });
    assert_eq!(read["status"], expected);
    meta.advance(5).await;
    assert_eq!(status(&meta, &page, id).await["permalink_url"], format!("/reel/{id}/"));
    assert_eq!(meta.truth("posts").await[0]["message"], "Reel");
    assert_eq!(meta.get(REELS, &page).await.column("id"), [id]);
    assert_eq!(meta.sim_get("stats").await["calls"]["POST /video-upload/{video}"], 1);
}

#[tokio::test]
async fn an_interrupted_upload_is_resumed_from_the_bytes_received() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let start = meta.post(REELS, &page, &[("upload_phase", "start")]).await.json;
    let file = mp4(10, 1000);
    let size = file.len().to_string();
    let half = upload(&meta, &page, &start, &[("offset", "0"), ("file_size", &size)], &file[..500]).await;
    assert_eq!((half.status, &half.json["debug_info"]["type"]), (400, &json!("PartialRequestError")));
    let id = start["video_id"].as_str().unwrap();
    let phase = &status(&meta, &page, id).await["status"]["uploading_phase"];
    assert_eq!(*phase, json!({"status": "in_progress", "bytes_transfered": 500}));
    let wrong = upload(&meta, &page, &start, &[("offset", "0"), ("file_size", &size)], &file).await;
    assert_eq!(wrong.json["debug_info"]["type"], "OffsetInvalidError");
    let rest = upload(&meta, &page, &start, &[("offset", "500"), ("file_size", &size)], &file[500..]).await;
    assert_eq!(rest.json, json!({"success": true}));
    let stranger = upload(&meta, "EAAwrong", &start, &[("file_url", "https://cdn.example/r.mp4")], &[]).await;
    assert_eq!(stranger.error().1, 190);
}

#[tokio::test]
async fn reels_have_a_shape_a_length_and_a_daily_limit() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let reel = async |url: &str, state: &str, at: &str| {
        let start = meta.post(REELS, &page, &[("upload_phase", "start")]).await.json;
        let uploaded = upload(&meta, &page, &start, &[("file_url", url)], &[]).await;
        let id = start["video_id"].as_str().unwrap().to_owned();
        let form =
            [("upload_phase", "finish"), ("video_id", &id), ("video_state", state), ("scheduled_publish_time", at)];
        (uploaded, meta.post(REELS, &page, &form).await, id)
    };
    let (refused, ..) = reel("https://video.fbcdn.net/a.mp4", "PUBLISHED", "").await;
    assert_eq!(refused.json["debug_info"]["type"], "ProcessingFailedError");
    for site in
        [json!({"duration_s": 91}), json!({"width": 1920, "height": 1080}), json!({"width": 480, "height": 854})]
    {
        let mut site = site;
        site["url"] = json!("https://cdn.example/odd.mp4");
        site["times"] = json!(1);
        meta.sim("web", site.clone()).await;
        let (.., id) = reel("https://cdn.example/odd.mp4", "PUBLISHED", "").await;
        meta.advance(10).await;
        let read = status(&meta, &page, &id).await;
        assert_eq!(read["status"]["processing_phase"]["status"], "error", "{site}");
        assert!(read["status"]["processing_phase"]["error"]["message"].is_string());
    }
    let at = (now(&meta).await + 7200).to_string();
    let (_, finished, id) = reel("https://cdn.example/later.mp4", "SCHEDULED", &at).await;
    assert_eq!(finished.json, json!({"success": true}));
    meta.advance(10).await;
    let phase = &status(&meta, &page, &id).await["status"]["publishing_phase"];
    assert_eq!(
        *phase,
        json!({"status": "not_started", "publish_status": "scheduled", "publish_time": at.parse::<i64>().unwrap()})
    );
    for number in 4..30 {
        let (_, finished, _) = reel(&format!("https://cdn.example/{number}.mp4"), "PUBLISHED", "").await;
        assert_eq!(finished.status, 200, "{number}");
    }
    let (_, finished, _) = reel("https://cdn.example/31.mp4", "PUBLISHED", "").await;
    assert_eq!(finished.error(), (400, 368, Some(1_390_008)));
}
