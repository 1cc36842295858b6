//! Where the files come from: loopback and the simulated internet.

use graph_sim::seed;
use serde_json::json;

use crate::client::{Meta, read};
use crate::files::{FileServer, jpeg, mp4};

const PHOTOS: &str = "/104398761152301/photos";
const VIDEOS: &str = "/104398761152301/videos";

#[tokio::test]
async fn loopback_addresses_are_really_fetched() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let file = jpeg(640, 480, 7);
    let server = FileServer::start(file.clone()).await;
    let whole = server.url("/whole/a.png");
    let id = meta.post(PHOTOS, &page, &[("url", &whole)]).await.id();
    let read = meta.get(&format!("/{id}?fields=width,height"), &page).await.json;
    assert_eq!((&read["width"], &read["height"]), (&json!(640), &json!(480)), "the content counts, not the name");
    let named = whole.replace("127.0.0.1", "localhost");
    meta.post(PHOTOS, &page, &[("url", &named)]).await.id();
    let bucket = whole.replace("127.0.0.1", "bucket.localhost");
    meta.post(PHOTOS, &page, &[("url", &bucket)]).await.id();
    let moved = server.url("/moved");
    meta.post(PHOTOS, &page, &[("url", &moved)]).await.id();
    let missing = server.url("/missing");
    assert_eq!(meta.post(PHOTOS, &page, &[("url", &missing)]).await.error(), (400, 324, None));
    assert_eq!(meta.post(PHOTOS, &page, &[("url", "http://127.0.0.1:1/a.jpg")]).await.error(), (400, 324, None));
    assert_eq!(meta.post(PHOTOS, &page, &[("url", "ftp://127.0.0.1/a.jpg")]).await.error(), (400, 324, None));
    let fetches = meta.sim_get("web").await["fetches"].clone();
    assert_eq!((&fetches[0]["url"], &fetches[0]["status"]), (&json!(whole), &json!(200)));
}

#[tokio::test]
async fn a_host_with_ranges_serves_videos_but_no_photos() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let pictures = FileServer::start(jpeg(640, 480, 7)).await;
    let picture = pictures.url("/ranges/a.jpg");
    let refused = meta.post(PHOTOS, &page, &[("url", &picture)]).await;
    assert_eq!((refused.error(), refused.message()), ((400, 324, None), "(#324) Missing or invalid image file"));
    // Instagram takes it, unless told otherwise.
    let media = format!("/{}/media", meta.instagram_of(seed::DENTAL, &page).await);
    meta.post(&media, &page, &[("image_url", &picture)]).await.id();
    meta.sim("publishing", json!({"partial_pictures": "nowhere"})).await;
    let refused = meta.post(&media, &page, &[("image_url", &picture)]).await;
    assert_eq!(refused.error(), (400, 9004, Some(2_207_052)));
    meta.sim("publishing", json!({"partial_pictures": "everywhere"})).await;
    meta.post(PHOTOS, &page, &[("url", &picture)]).await.id();
    let videos = FileServer::start(mp4(10, 0)).await;
    meta.post(VIDEOS, &page, &[("file_url", &videos.url("/ranges/a.mp4"))]).await.id();
}

#[tokio::test]
async fn a_registered_address_answers_the_first_times_as_told() {
    let meta = Meta::start().await;
    let page = meta.publisher(seed::DENTAL).await;
    let url = "https://cdn.example/a.jpg?sig=1";
    meta.sim("web", json!({"url": url, "status": 503, "times": 2})).await;
    let second = meta.sim("web", json!({"url": url, "status": 302, "location": "/b.jpg"})).await;
    for expected in [400, 400, 200, 200] {
        assert_eq!(meta.post(PHOTOS, &page, &[("url", url), ("published", "false")]).await.status, expected);
    }
    meta.sim("web", json!({"url": "https://cdn.example/b.jpg", "status": 307, "location": url})).await;
    assert_eq!(meta.post(PHOTOS, &page, &[("url", url)]).await.status, 400, "in circles");
    let report = meta.sim_get("web").await;
    assert_eq!((&report["sites"][0]["hits"], &report["sites"][0]["times_left"]), (&json!(2), &json!(0)));
    assert_eq!(report["fetches"][0], json!({"url": url, "status": 503, "at": report["fetches"][0]["at"]}));
    read(meta.http().delete(meta.url(&format!("/_sim/web?id={}", second["id"])))).await;
    meta.post(PHOTOS, &page, &[("url", url), ("published", "false")]).await.id();
    for wrong in [json!({"url": "a.jpg"}), json!({"url": url, "status": 99}), json!({"url": url, "times": 0})] {
        let answer = read(meta.http().post(meta.url("/_sim/web")).json(&wrong)).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
}
