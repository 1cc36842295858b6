//! One text for many targets, and the targets themselves.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::meta_test_support::Meta;
use super::test_support::Fixture;
use super::{ComposeIn, ComposedPosts, TargetIn};
use crate::error::{ActError, ErrorCode};
use crate::ids::{InstagramAccountId, PageId, PostId};
use crate::model::publishing::tests::post;
use crate::model::publishing::{Post, PostKind, PostStatus};
use crate::once::OnceKey;
use crate::table::post::PostFilter;
use crate::table::tests::{connection, scope};

impl Meta {
    /// Answers a batch of questions about the pages' Instagram accounts.
    pub(super) fn accounts(&self, form: &BTreeMap<String, String>) -> Value {
        let calls: Vec<Value> = serde_json::from_str(&form["batch"]).unwrap();
        let account = json!({ "instagram_business_account": { "id": "178", "username": "acme" } });
        let answer = |call: &Value| match call["relative_url"].as_str().unwrap().split('?').next() {
            Some("7") if !self.is_unlinked => json!({ "code": 200, "body": account.to_string() }),
            _ => json!({ "code": 200, "body": "{}" }),
        };
        calls.iter().map(answer).collect()
    }
}

fn page(id: &str) -> TargetIn {
    TargetIn::PageId(PageId::parse(id).unwrap())
}

fn instagram(id: &str) -> TargetIn {
    TargetIn::InstagramAccountId(InstagramAccountId::parse(id).unwrap())
}

fn sale() -> ComposeIn {
    ComposeIn {
        targets: vec![page("7"), instagram("178"), page("8")],
        message: Some("Sale".to_owned()),
        link: Some("https://shop.example/sale".to_owned()),
        images: vec!["https://cdn.example/1.jpg".to_owned(), "https://cdn.example/2.jpg".to_owned()],
        video: None,
        scheduled_at: None,
        request_id: None,
    }
}

/// A fixture whose org has a second page, of which the vault has no token.
async fn fixture() -> Fixture {
    let fixture = Fixture::new().await;
    let second = crate::model::connection::Connection { page_id: PageId::parse("8").unwrap(), ..connection("a") };
    fixture.publisher.table.save_connection(&fixture.scope, &second).await.unwrap();
    fixture.meta.world().now = crate::clock::now();
    fixture
}

async fn stored(fixture: &Fixture) -> Vec<Post> {
    fixture.publisher.table.posts(&fixture.scope, &PostFilter::default(), None, 100).await.unwrap().0
}

async fn compose(fixture: &Fixture, input: ComposeIn, id: Option<&str>) -> Result<ComposedPosts, ActError> {
    let once = id.map(|id| OnceKey::new("write-posts", "request_id", id, &input).unwrap());
    fixture.publishing().compose(&fixture.access().await, input, once).await
}

#[tokio::test]
async fn one_text_becomes_a_post_for_each_target() {
    let fixture = fixture().await;
    let items = compose(&fixture, sale(), None).await.unwrap().items;
    assert!(items.iter().all(|item| item.status == PostStatus::Queued));
    let ids: Vec<PostId> = items.into_iter().map(|item| item.post_id).collect();
    let posts = fixture.publisher.table.posts_by_id(&fixture.scope, &ids).await.unwrap();
    let places: Vec<_> = posts.iter().map(|post| (post.kind, post.page_id.as_str())).collect();
    assert_eq!(places, [(PostKind::Page, "7"), (PostKind::Instagram, "7"), (PostKind::Page, "8")]);
    assert_eq!(posts[1].instagram_account_id.as_ref().unwrap().as_str(), "178");
    for post in &posts {
        assert_eq!(post.group.as_deref(), Some(ids[0].as_str()));
        let siblings: Vec<&PostId> = ids.iter().filter(|id| **id != post.id).collect();
        assert_eq!(post.siblings.iter().collect::<Vec<_>>(), siblings);
        assert_eq!(post.message.as_deref(), Some("Sale\n\nhttps://shop.example/sale"));
        assert_eq!(post.media.len(), 2);
    }
    assert_eq!(fixture.meta.world().queued.len(), 3);
    let later = ComposeIn { scheduled_at: Some(crate::clock::now() + SignedDuration::from_hours(24)), ..sale() };
    let items = compose(&fixture, later, None).await.unwrap().items;
    assert!(items.iter().all(|item| item.status == PostStatus::Scheduled));
    assert_eq!(fixture.meta.world().queued.len(), 3, "the schedule finds these");
}

#[tokio::test]
async fn each_of_the_posts_has_a_fate_of_its_own() {
    let fixture = fixture().await;
    let items = compose(&fixture, sale(), None).await.unwrap().items;
    fixture.run().await;
    let mut fates = Vec::new();
    for item in items {
        fates.push(fixture.post(&item.post_id).await.status);
    }
    assert_eq!(fates, [PostStatus::Published, PostStatus::Published, PostStatus::Failed], "page 8 has no token");
}

#[tokio::test]
async fn of_a_text_with_a_mistake_nothing_is_stored() {
    let fixture = fixture().await;
    let soon = Some(crate::clock::now() + SignedDuration::from_mins(5));
    let png = vec!["https://cdn.example/1.jpg".to_owned(), "https://cdn.example/2.png".to_owned()];
    let pages = |number: u32| (0..number).map(|id| page(&format!("9{id}"))).collect::<Vec<_>>();
    let cases = [
        (ComposeIn { targets: Vec::new(), ..sale() }, "targets", ErrorCode::TargetMissing),
        (ComposeIn { targets: pages(21), ..sale() }, "targets", ErrorCode::TargetMissing),
        (ComposeIn { targets: vec![page("7"), page("8"), page("7")], ..sale() }, "targets[2]", ErrorCode::ListInvalid),
        (ComposeIn { targets: vec![page("7"), page("9")], ..sale() }, "targets[1]", ErrorCode::PageUnknown),
        (
            ComposeIn { targets: vec![page("7"), instagram("179")], ..sale() },
            "targets[1]",
            ErrorCode::InstagramAccountUnknown,
        ),
        (ComposeIn { scheduled_at: soon, ..sale() }, "scheduled_at", ErrorCode::TimeNotAllowed),
        (ComposeIn { images: png, ..sale() }, "images[1]", ErrorCode::MediaInvalid),
        (ComposeIn { images: Vec::new(), ..sale() }, "images", ErrorCode::ContentMissing),
        (ComposeIn { message: Some("x".repeat(2_201)), ..sale() }, "message", ErrorCode::TextTooLong),
        (
            ComposeIn { targets: pages(20), message: Some("😀".repeat(60_000)), ..sale() },
            "message",
            ErrorCode::TextTooLong,
        ),
        (ComposeIn { link: Some("http://10.0.0.1/".to_owned()), ..sale() }, "link", ErrorCode::AddressNotAllowed),
    ];
    for (input, field, code) in cases {
        let error = compose(&fixture, input, Some("r")).await.unwrap_err();
        let ActError::Refused(refusal) = &error else { panic!("{field}: {error}") };
        assert_eq!((refusal.field.as_deref(), refusal.code), (Some(field), code), "{error}");
        assert_eq!((stored(&fixture).await.len(), fixture.meta.world().queued.len()), (0, 0), "{field}");
    }
    assert!(compose(&fixture, sale(), Some("r")).await.is_ok(), "the request's id was not used up");
}

#[tokio::test]
async fn posts_are_stored_all_or_none() {
    let fixture = Fixture::new().await;
    let too_large = Post { id: PostId::parse("post_2").unwrap(), message: Some("x".repeat(500_000)), ..post() };
    assert!(fixture.publisher.table.insert_posts(&fixture.scope, &[post(), too_large], None).await.is_err());
    assert_eq!(stored(&fixture).await, []);
}

#[tokio::test]
async fn a_request_that_comes_twice_makes_its_posts_once() {
    let fixture = fixture().await;
    let (one, two) = tokio::join!(compose(&fixture, sale(), Some("r")), compose(&fixture, sale(), Some("r")));
    let (one, three) = (one.unwrap(), compose(&fixture, sale(), Some("r")).await.unwrap());
    assert_eq!((&one, &one), (&two.unwrap(), &three));
    assert_eq!(stored(&fixture).await.len(), 3);
    let other = ComposeIn { message: Some("Another".to_owned()), ..sale() };
    let error = compose(&fixture, other, Some("r")).await.unwrap_err();
    let ActError::Refused(refusal) = &error else { panic!("{error}") };
    assert_eq!((refusal.field.as_deref(), refusal.code), (Some("request_id"), ErrorCode::RequestReused));
    assert_eq!(stored(&fixture).await.len(), 3);
}

#[tokio::test]
async fn the_accounts_behind_pages_are_found_kept_and_forgotten() {
    let fixture = fixture().await;
    let (publishing, access) = (fixture.publishing(), fixture.access().await);
    let accounts = async || {
        let targets = publishing.targets(&access).await.unwrap();
        let name = |account: super::InstagramTarget| (account.id.as_str().to_owned(), account.username);
        targets.into_iter().filter_map(|target| target.instagram.map(name)).collect::<Vec<_>>()
    };
    assert_eq!(accounts().await, []);
    let refreshed = publishing.refresh_accounts(&access).await.unwrap();
    assert_eq!((refreshed.found, refreshed.failed), (1, 1), "of page 8 there is no token");
    let known = [("178".to_owned(), Some("acme".to_owned()))];
    assert_eq!(accounts().await, known);
    fixture.publisher.table.save_connection(&scope("a"), &connection("a")).await.unwrap();
    assert_eq!(accounts().await, known, "connecting again forgets nothing");
    fixture.meta.world().is_unlinked = true;
    publishing.refresh_accounts(&access).await.unwrap();
    assert_eq!(accounts().await, []);
}

#[tokio::test]
async fn a_page_says_why_nothing_can_be_published_on_it() {
    let fixture = fixture().await;
    let (publishing, access) = (fixture.publishing(), fixture.access().await);
    let targets = publishing.targets(&access).await.unwrap();
    assert_eq!(targets.len(), 2);
    assert!(targets.iter().all(|target| target.problem.is_none()), "{targets:?}");
    let reader = crate::model::connection::Connection { tasks: vec!["ANALYZE".to_owned()], ..connection("a") };
    fixture.publisher.table.save_connection(&fixture.scope, &reader).await.unwrap();
    let targets = publishing.targets(&access).await.unwrap();
    let problems: Vec<bool> = targets.iter().map(|target| target.problem.is_some()).collect();
    assert_eq!(problems, [true, false], "{targets:?}");
}
