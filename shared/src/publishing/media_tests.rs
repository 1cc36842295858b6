//! Uploaded files: what is refused before Meta is asked, and how Meta gets them.

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode};

use super::meta_test_support::Meta;
use super::test_support::Fixture;
use super::{InstagramPostIn, MediaIn, PagePostIn};
use crate::error::{ActError, ErrorCode};
use crate::model::publishing::PostStatus;
use crate::model::publishing::upload::tests::{jpeg, movie, mp4_data, mp4_start, png};

impl Meta {
    /// Answers as a bucket does.
    pub(super) fn file(&mut self, method: &Method, key: &str, headers: &HeaderMap, body: &Bytes) -> Response {
        match *method {
            Method::PUT => drop(self.files.insert(key.to_owned(), body.to_vec())),
            Method::DELETE => drop(self.files.remove(key)),
            _ => return self.show_file(key, headers),
        }
        StatusCode::OK.into_response()
    }

    fn show_file(&self, key: &str, headers: &HeaderMap) -> Response {
        let Some(file) = self.files.get(key) else { return StatusCode::NOT_FOUND.into_response() };
        let kind = if key.ends_with("png") { "image/png" } else { "image/jpeg" };
        let range = headers.get("range").and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
        let Some((from, to)) = range.and_then(|range| range.split_once('-')) else {
            return ([("content-type", kind)], file.clone()).into_response();
        };
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
        if from >= file.len() {
            return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
        }
        (StatusCode::PARTIAL_CONTENT, file[from..file.len().min(to + 1)].to_vec()).into_response()
    }
}

/// Uploads a file as a browser does. Returns its address.
async fn upload(fixture: &Fixture, content_type: &str, file: Vec<u8>) -> String {
    let input = MediaIn { content_type: content_type.to_owned(), size: file.len() as u64 };
    let upload = fixture.publishing().begin_upload(&fixture.access().await, &input).await.unwrap();
    assert!(upload.upload_url.contains(&format!("uploads/a/{}", upload.id)), "{upload:?}");
    assert!(upload.upload_url.contains("X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost"), "{upload:?}");
    assert!(!upload.upload_url.contains("checksum"), "{upload:?}");
    fixture.meta.world().files.insert(format!("uploads/a/{}", upload.id), file);
    upload.address
}

fn to_page(images: &[&String]) -> PagePostIn {
    let images: Vec<&str> = images.iter().map(|image| image.as_str()).collect();
    serde_json::from_value(serde_json::json!({ "pageId": "7", "message": "Hi", "images": images })).unwrap()
}

fn to_instagram(field: &str, address: &str) -> InstagramPostIn {
    serde_json::from_value(serde_json::json!({ "pageId": "7", field: address })).unwrap()
}

fn refused<T: std::fmt::Debug>(result: Result<T, ActError>) -> (String, String) {
    match result.unwrap_err() {
        ActError::Refused(refusal) => {
            assert_eq!(refusal.code, ErrorCode::MediaInvalid);
            (refusal.field.unwrap().into_owned(), refusal.message)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_is_given_the_file_itself_and_instagram_a_link_that_ends() {
    let fixture = Fixture::new().await;
    let (publishing, access) = (fixture.publishing(), fixture.access().await);
    let photo = upload(&fixture, "image/jpeg", jpeg(1_080, 1_080)).await;
    let posted = publishing.post_to_page(&access, to_page(&[&photo]), None).await.unwrap();
    let gram = publishing.post_to_instagram(&access, to_instagram("mediaUrl", &photo), None).await.unwrap();
    fixture.run().await;
    for id in [&posted.post_id, &gram.post_id] {
        let post = fixture.post(id).await;
        assert_eq!((post.status, &post.media[0].url), (PostStatus::Published, &photo), "{post:?}");
    }
    let world = fixture.meta.world();
    assert_eq!(world.photos.values().collect::<Vec<_>>(), ["a file"]);
    let container = world.containers.values().next().unwrap();
    let link = &container.form["image_url"];
    assert!(link.contains("/files/uploads/a/") && link.contains("X-Amz-Expires=3600"), "{link}");
}

#[tokio::test]
async fn a_file_is_judged_by_its_own_header_before_anything_is_stored() {
    let fixture = Fixture::new().await;
    let (publishing, access) = (fixture.publishing(), fixture.access().await);
    let good = upload(&fixture, "image/jpeg", jpeg(1_080, 1_080)).await;
    let wide = upload(&fixture, "image/jpeg", jpeg(3_000, 1_000)).await;
    let page = upload(&fixture, "image/jpeg", b"<html><script>alert(1)</script>".to_vec()).await;
    let other = upload(&fixture, "image/jpeg", png(10, 10)).await;
    let absent = "media:med_00000000000000000000000000000000.jpg".to_owned();
    for (bad, words) in [(&page, "damaged"), (&other, "image/png, not image/jpeg"), (&absent, "No file was uploaded")] {
        let (field, message) = refused(publishing.post_to_page(&access, to_page(&[&good, bad]), None).await);
        assert_eq!(field, "images[1]");
        assert!(message.contains(words), "{message}");
    }
    assert!(publishing.post_to_page(&access, to_page(&[&wide]), None).await.is_ok(), "a page shows it");
    let (field, message) = refused(publishing.post_to_instagram(&access, to_instagram("image", &wide), None).await);
    assert_eq!(field, "image");
    assert!(message.contains("1.91:1") && message.contains("3000 x 1000"), "{message}");
    assert_eq!(fixture.meta.calls("POST 7/photos"), 0);
}

#[tokio::test]
async fn a_video_is_judged_wherever_its_description_is() {
    let fixture = Fixture::new().await;
    let (publishing, access) = (fixture.publishing(), fixture.access().await);
    let first = [mp4_start(), movie(1_080, 1_920, 30, false), mp4_data(100_000)].concat();
    let last = [mp4_start(), mp4_data(100_000), movie(1_080, 1_920, 70, false)].concat();
    let none = [mp4_start(), mp4_data(100_000)].concat();
    let story = |address: &str| InstagramPostIn {
        media_type: Some(crate::model::publishing::InstagramFormat::Story),
        ..to_instagram("video", address)
    };
    let short = upload(&fixture, "video/mp4", first).await;
    let long = upload(&fixture, "video/mp4", last).await;
    let broken = upload(&fixture, "video/mp4", none).await;
    assert!(publishing.post_to_instagram(&access, story(&short), None).await.is_ok());
    let (field, message) = refused(publishing.post_to_instagram(&access, story(&long), None).await);
    assert_eq!(field, "video");
    assert!(message.contains("3 to 60 seconds; this one lasts 70"), "{message}");
    assert!(publishing.post_to_instagram(&access, to_instagram("video", &long), None).await.is_ok(), "a reel");
    assert!(
        refused(publishing.post_to_instagram(&access, to_instagram("video", &broken), None).await)
            .1
            .contains("damaged")
    );
}

#[tokio::test]
async fn what_no_network_takes_is_not_uploaded() {
    let fixture = Fixture::new().await;
    let (publishing, access) = (fixture.publishing(), fixture.access().await);
    for (content_type, size, field) in [
        ("text/html", 10, "content_type"),
        ("image/svg+xml", 10, "content_type"),
        ("image/webp", 10, "content_type"),
        ("image/jpeg", 0, "size"),
        ("image/jpeg", 10_000_001, "size"),
        ("video/mp4", 1_000_000_001, "size"),
    ] {
        let input = MediaIn { content_type: content_type.to_owned(), size };
        assert_eq!(refused(publishing.begin_upload(&access, &input).await).0, field, "{content_type}");
    }
}

#[tokio::test]
async fn a_file_that_is_gone_when_its_post_is_due_fails_the_post_with_the_reason() {
    let fixture = Fixture::new().await;
    let (publishing, access) = (fixture.publishing(), fixture.access().await);
    let photo = upload(&fixture, "image/jpeg", jpeg(1_080, 1_080)).await;
    let posted = publishing.post_to_page(&access, to_page(&[&photo]), None).await.unwrap();
    fixture.meta.world().files.clear();
    fixture.run().await;
    let failure = fixture.post(&posted.post_id).await.failure.unwrap();
    assert!(failure.message.contains("no longer kept"), "{failure:?}");
}
