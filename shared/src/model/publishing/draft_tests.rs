use super::*;

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn page(message: Option<&str>) -> PageDraft {
    PageDraft { message: message.map(ToOwned::to_owned), ..PageDraft::default() }
}

fn field<T: std::fmt::Debug>(checked: Result<T, DraftError>) -> String {
    checked.unwrap_err().field.into_owned()
}

#[test]
fn a_post_needs_something_to_show() {
    for empty in [page(None), page(Some("")), page(Some(" \n "))] {
        let error = empty.check().unwrap_err();
        assert_eq!((error.field.as_ref(), error.kind), ("message", DraftMistake::Missing));
    }
    let content = page(Some(" Two\n\nlines ")).check().unwrap();
    assert_eq!(content.message.as_deref(), Some(" Two\n\nlines "), "nothing of the text is changed");
}

#[test]
fn a_link_beside_pictures_is_the_last_line_of_the_text() {
    let draft = PageDraft {
        link: Some("https://shop.example/sale".to_owned()),
        image: Some("https://cdn.example/1.jpg".to_owned()),
        ..page(Some("Sale"))
    };
    let content = draft.clone().check().unwrap();
    assert_eq!((content.message.as_deref(), content.link), (Some("Sale\n\nhttps://shop.example/sale"), None));
    let content = PageDraft { image: None, ..draft }.check().unwrap();
    assert_eq!(content.link.as_deref(), Some("https://shop.example/sale"));
}

#[test]
fn a_video_among_pictures_is_refused_by_its_name() {
    let images = texts(&["https://cdn.example/a.jpg", "https://cdn.example/b.mp4?sig=1"]);
    assert_eq!(field(PageDraft { images, ..page(None) }.check()), "images[1]");
    let both = PageDraft {
        video: Some("https://cdn.example/b.mp4".to_owned()),
        image: Some("https://cdn.example/a.jpg".to_owned()),
        ..page(None)
    };
    assert_eq!(field(both.check()), "video");
    let webp = PageDraft { image: Some("https://cdn.example/a.WEBP".to_owned()), ..page(None) };
    assert_eq!(field(webp.check()), "image");
    let unknown = PageDraft { image: Some("https://cdn.example/image.php?id=1".to_owned()), ..page(None) };
    assert!(unknown.check().is_ok(), "what the address does not say is Meta's to judge");
    let many = texts(&["https://cdn.example/a.jpg"; MAX_IMAGES + 1]);
    assert_eq!(field(PageDraft { images: many, ..page(None) }.check()), "images");
}

#[test]
fn texts_have_limits_in_characters() {
    assert!(page(Some(&"ä".repeat(MAX_MESSAGE))).check().is_ok());
    assert_eq!(field(page(Some(&"ä".repeat(MAX_MESSAGE + 1))).check()), "message");
    let caption = |caption: String| InstagramDraft {
        media_url: Some("https://cdn.example/a.jpg".to_owned()),
        caption: Some(caption),
        ..InstagramDraft::default()
    };
    assert!(caption("x".repeat(MAX_CAPTION)).check().is_ok());
    assert_eq!(field(caption("x".repeat(MAX_CAPTION + 1)).check()), "caption");
    assert!(caption("#tag ".repeat(MAX_HASHTAGS)).check().is_ok());
    assert!(caption("#tag ".repeat(MAX_HASHTAGS + 1)).check().is_err());
    assert!(caption("#1 is a#b # ##".repeat(MAX_HASHTAGS)).check().is_ok(), "only words are hashtags");
    assert!(caption("@ann ".repeat(MAX_MENTIONS + 1)).check().is_err());
    assert!(caption("mail a@b.example ".repeat(MAX_MENTIONS + 1)).check().is_ok());
}

#[test]
fn two_fields_suffice_for_instagram() {
    let check = |media_url: &str, format| {
        let draft = InstagramDraft { media_url: Some(media_url.to_owned()), format, ..InstagramDraft::default() };
        draft.check().map(|content| content.format.unwrap())
    };
    assert_eq!(check("https://cdn.example/a.jpg", None), Ok(InstagramFormat::Image));
    assert_eq!(check("https://cdn.example/a", None), Ok(InstagramFormat::Image));
    assert_eq!(check("https://cdn.example/a.mp4?x=.jpg", None), Ok(InstagramFormat::Reel));
    assert_eq!(check("https://cdn.example/a", Some(InstagramFormat::Reel)), Ok(InstagramFormat::Reel));
    assert_eq!(check("https://cdn.example/a.mov", Some(InstagramFormat::Story)), Ok(InstagramFormat::Story));
    assert_eq!(field(check("https://cdn.example/a.png", None)), "mediaUrl");
    assert_eq!(field(check("https://cdn.example/a.mp4", Some(InstagramFormat::Image))), "mediaType");
    assert_eq!(field(check("https://cdn.example/a.jpg", Some(InstagramFormat::Carousel))), "mediaUrl");
    assert_eq!(field(InstagramDraft::default().check()), "mediaUrl");
}

#[test]
fn a_carousel_has_two_to_ten_items_in_order() {
    let carousel =
        |urls: &[&str], format| InstagramDraft { carousel: texts(urls), format, ..InstagramDraft::default() }.check();
    let content = carousel(&["https://cdn.example/1.jpg", "https://cdn.example/2.mp4"], None).unwrap();
    let kinds: Vec<_> = content.media.iter().map(|media| media.r#type).collect();
    assert_eq!((kinds, content.format), (vec![MediaType::Image, MediaType::Video], Some(InstagramFormat::Carousel)));
    assert_eq!(field(carousel(&["https://cdn.example/1.jpg"], None)), "carousel");
    assert_eq!(field(carousel(&["https://cdn.example/1.jpg"; 11], None)), "carousel");
    assert_eq!(field(carousel(&["https://cdn.example/1.jpg", "http://10.0.0.1/2.jpg"], None)), "carousel[1]");
    assert_eq!(field(carousel(&["https://cdn.example/1.jpg"; 2], Some(InstagramFormat::Reel))), "mediaType");
}

#[test]
fn a_time_is_ten_minutes_to_thirty_days_ahead() {
    let now: Timestamp = "2026-11-25T08:00:00Z".parse().unwrap();
    let check = |at: &str| check_time("scheduledAt", at.parse().unwrap(), now).is_ok();
    assert!(check("2026-11-25T08:10:00Z") && check("2026-12-25T08:00:00Z"));
    assert!(!check("2026-11-25T08:05:00Z") && !check("2026-11-25T07:00:00Z") && !check("2026-12-26T08:00:00Z"));
}
