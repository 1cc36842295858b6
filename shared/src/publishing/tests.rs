//! Posts on their way: what Meta sees when calls fail, answers are lost and workers die.

use serde_json::json;

use super::PostChangeIn;
use super::test_support::{Fault, Fixture};
use crate::ids::{InstagramAccountId, PostId};
use crate::jobs::PublishJob;
use crate::leads::crash_tests::dies_at;
use crate::metrics::tests::{take_counts, take_written};
use crate::metrics::{Metric, PostOutcome};
use crate::model::publishing::failure::PostFailureCode;
use crate::model::publishing::tests::post;
use crate::model::publishing::{InstagramFormat, Media, MediaType, Post, PostKind, PostStatus};
use crate::table::tests::{at, connection};

fn images(names: &[&str]) -> Vec<Media> {
    names.iter().map(|name| Media::new(MediaType::Image, format!("https://cdn.example/{name}"))).collect()
}

fn instagram(format: InstagramFormat, names: &[&str]) -> Post {
    Post {
        kind: PostKind::Instagram,
        instagram_account_id: Some(InstagramAccountId::parse("178").unwrap()),
        format: Some(format),
        media: images(names),
        ..post()
    }
}

fn page_video() -> Post {
    Post { media: vec![Media::new(MediaType::Video, "https://cdn.example/v.mp4".to_owned())], ..post() }
}

/// One post of each kind.
fn kinds() -> [Post; 5] {
    [
        post(),
        Post { media: images(&["a.jpg", "b.jpg", "c.jpg"]), ..post() },
        page_video(),
        instagram(InstagramFormat::Image, &["1.jpg"]),
        instagram(InstagramFormat::Carousel, &["1.jpg", "2.jpg", "3.jpg"]),
    ]
}

/// How many posts are public at Meta.
fn public(fixture: &Fixture) -> usize {
    let world = fixture.meta.world();
    world.posts.len() + world.media.len() + world.videos.len()
}

/// The one call that makes a post public.
fn sending(post: &Post) -> &'static str {
    match post.kind {
        PostKind::Instagram => "POST 178/media_publish",
        PostKind::Page if post.is_page_video() => "POST 7/videos",
        PostKind::Page => "POST 7/feed",
    }
}

async fn publish(post: &Post, faults: &[Fault]) -> (Fixture, Post) {
    let fixture = Fixture::new().await;
    fixture.insert(post).await;
    fixture.meta.world().faults.extend(faults.iter().cloned());
    fixture.run().await;
    let done = fixture.post(&post.id).await;
    (fixture, done)
}

fn fault(call: &'static str, after: bool, error: Option<(i64, Option<i64>)>) -> Fault {
    Fault { call, after, error }
}

#[tokio::test]
async fn a_post_of_each_kind_becomes_public_once_with_its_address() {
    for post in kinds() {
        let (fixture, done) = publish(&post, &[]).await;
        assert_eq!((done.status, public(&fixture)), (PostStatus::Published, 1), "{done:#?}");
        assert!(done.meta_id.is_some(), "{done:#?}");
        assert_eq!(fixture.meta.world().events.len(), 1);
        assert!(done.progress.lease.is_none() && done.attention_at().is_none());
        assert!(post.is_page_video() || done.permalink.is_some(), "{done:#?}");
    }
}

#[tokio::test]
async fn the_pictures_of_a_post_are_all_there_in_their_order() {
    let (fixture, _) = publish(&kinds()[1], &[]).await;
    let urls = fixture.meta.world().posts[0]["urls"].clone();
    assert_eq!(urls, json!(["https://cdn.example/a.jpg", "https://cdn.example/b.jpg", "https://cdn.example/c.jpg"]));
    let (fixture, _) = publish(&kinds()[4], &[]).await;
    let world = fixture.meta.world();
    let parent = world.containers.values().find(|container| container.form.contains_key("children")).unwrap();
    let urls: Vec<&str> =
        parent.form["children"].split(',').map(|id| world.containers[id].form["image_url"].as_str()).collect();
    assert_eq!(urls, ["https://cdn.example/1.jpg", "https://cdn.example/2.jpg", "https://cdn.example/3.jpg"]);
}

#[tokio::test]
async fn whatever_goes_wrong_with_the_sending_call_the_post_is_public_once() {
    let errors = [
        None,
        Some((2, None)),
        Some((1, None)),
        Some((4, None)),
        Some((32, None)),
        Some((4, Some(2_207_051))),
        Some((100, None)),
    ];
    for post in kinds() {
        for error in errors {
            let (fixture, done) = publish(&post, &[fault(sending(&post), true, error)]).await;
            assert_eq!(
                (done.status, public(&fixture)),
                (PostStatus::Published, 1),
                "after the work, {error:?}: {done:#?}"
            );
            assert_eq!(fixture.meta.calls(sending(&post)), 1, "{error:?}");
        }
        for error in [None, Some((2, None)), Some((4, None)), Some((32, None))] {
            let (fixture, done) = publish(&post, &[fault(sending(&post), false, error)]).await;
            assert_eq!(
                (done.status, public(&fixture)),
                (PostStatus::Published, 1),
                "before the work, {error:?}: {done:#?}"
            );
        }
        let (fixture, done) = publish(&post, &[fault(sending(&post), false, Some((100, None)))]).await;
        assert_eq!((done.status, public(&fixture)), (PostStatus::Failed, 0), "{done:#?}");
        assert!(done.failure.unwrap().message.contains("Meta's own words"));
    }
}

#[tokio::test]
async fn a_worker_that_dies_at_any_point_leaves_one_post() {
    for post in kinds() {
        for point in 0.. {
            assert!(point < 400, "the work does not come to an end");
            let fixture = Fixture::new().await;
            fixture.insert(&post).await;
            let finished = dies_at(point, fixture.work(&PublishJob::post(&post))).await;
            fixture.run().await;
            let done = fixture.post(&post.id).await;
            assert_eq!((done.status, public(&fixture)), (PostStatus::Published, 1), "{point}: {done:#?}");
            assert_eq!(fixture.meta.calls(sending(&post)), 1, "{point}: {:?}", fixture.meta.world().calls);
            let mut events = fixture.meta.world().events.clone();
            events.dedup();
            assert_eq!(events.len(), 1, "{point}: a repeated event has the same id");
            if finished.is_some() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn workers_at_the_same_instant_publish_one_post() {
    for post in kinds() {
        let fixture = Fixture::new().await;
        let due = Post { status: PostStatus::Scheduled, scheduled_at: Some(fixture.now()), ..post };
        fixture.insert(&due).await;
        let job = PublishJob::post(&due);
        let (early, again) = (PublishJob { early: true, ..job.clone() }, job.clone());
        let outcomes = tokio::join!(fixture.work(&job), fixture.work(&again), fixture.work(&early));
        assert!(outcomes.0.is_ok() && outcomes.1.is_ok() && outcomes.2.is_ok());
        fixture.run().await;
        assert_eq!(public(&fixture), 1);
        assert_eq!(fixture.meta.calls(sending(&due)), 1);
        assert_eq!(
            fixture.meta.world().containers.len(),
            due.media.len() * usize::from(due.kind == PostKind::Instagram)
                + usize::from(due.media.len() > 1 && due.kind == PostKind::Instagram)
        );
    }
}

#[tokio::test]
async fn a_post_made_by_hand_is_never_taken_for_ours() {
    let post = instagram(InstagramFormat::Image, &["1.jpg"]);
    let fixture = Fixture::new().await;
    fixture.insert(&post).await;
    let (now, theirs) = (fixture.now() + jiff::SignedDuration::from_secs(60), "their own words");
    fixture.meta.world().media.push(json!({ "id": "foreign", "caption": theirs, "timestamp": now.to_string() }));
    fixture.meta.world().faults.push_back(fault("POST 178/media_publish", true, None));
    fixture.run().await;
    let done = fixture.post(&post.id).await;
    assert_eq!(done.status, PostStatus::Published);
    assert_ne!(done.meta_id.as_deref(), Some("foreign"));
    assert_eq!(public(&fixture), 2);
}

#[tokio::test]
async fn two_posts_with_the_same_words_are_two_posts() {
    let fixture = Fixture::new().await;
    let (one, two) = (post(), Post { id: PostId::parse("post_2").unwrap(), ..post() });
    fixture.insert(&one).await;
    fixture.insert(&two).await;
    let lost = fault("POST 7/feed", true, None);
    fixture.meta.world().faults.extend([lost.clone(), lost]);
    fixture.run().await;
    let ids = [fixture.post(&one.id).await.meta_id, fixture.post(&two.id).await.meta_id];
    assert!(ids[0].is_some() && ids[1].is_some() && ids[0] != ids[1], "{ids:?}");
    assert_eq!(public(&fixture), 2);
}

#[tokio::test]
async fn a_picture_that_cannot_be_had_for_a_moment_is_asked_for_again() {
    let post = &kinds()[4];
    let unreachable = fault("POST 178/media", false, Some((9004, Some(2_207_052))));
    let (fixture, done) = publish(post, std::slice::from_ref(&unreachable)).await;
    assert_eq!((done.status, public(&fixture)), (PostStatus::Published, 1), "{done:#?}");
    assert_eq!(fixture.meta.calls("POST 178/media"), 5, "three items, one of them twice, and the carousel");
    let (fixture, done) = publish(post, &vec![unreachable; 20]).await;
    let failure = done.failure.unwrap();
    assert_eq!((failure.code, public(&fixture)), (PostFailureCode::MediaUnreachable, 0));
    assert!(failure.message.contains("Picture 1 of 3 (https://cdn.example/1.jpg)"), "{failure:?}");
    assert_eq!(fixture.meta.calls("POST 178/media"), 3, "not for ever");
}

#[tokio::test]
async fn what_was_prepared_for_a_post_that_fails_is_removed() {
    let post = &kinds()[1];
    let fixture = Fixture::new().await;
    fixture.insert(post).await;
    fixture.meta.world().refuse_photo = Some("https://cdn.example/c.jpg".to_owned());
    fixture.run().await;
    let done = fixture.post(&post.id).await;
    assert_eq!((done.status, public(&fixture)), (PostStatus::Failed, 0));
    assert!(done.failure.unwrap().message.contains("Picture 3 of 3"));
    assert!(fixture.meta.world().photos.is_empty(), "nothing stays behind");
}

#[tokio::test]
async fn posts_are_counted_by_what_became_of_them() {
    for (refused, outcome) in [(None, PostOutcome::Published), (Some("c.jpg"), PostOutcome::Failed)] {
        let fixture = Fixture::new().await;
        fixture.insert(&kinds()[1]).await;
        fixture.meta.world().refuse_photo = refused.map(|name| format!("https://cdn.example/{name}"));
        take_written();
        fixture.run().await;
        assert_eq!(take_counts(), [(Metric::Posts(outcome), 1.0)]);
    }
}

#[tokio::test]
async fn a_container_that_meta_dropped_is_made_again() {
    let post = instagram(InstagramFormat::Image, &["1.jpg"]);
    let fixture = Fixture::new().await;
    fixture.insert(&post).await;
    fixture.meta.world().expire_containers = 1;
    fixture.run().await;
    let done = fixture.post(&post.id).await;
    assert_eq!((done.status, public(&fixture)), (PostStatus::Published, 1), "{done:#?}");
    assert_eq!(fixture.meta.world().containers.len(), 2);
}

#[tokio::test]
async fn a_limit_of_the_day_is_waited_for_and_then_told() {
    let post = instagram(InstagramFormat::Image, &["1.jpg"]);
    let fixture = Fixture::new().await;
    fixture.insert(&post).await;
    fixture.meta.world().quota = 0;
    fixture.run().await;
    let done = fixture.post(&post.id).await;
    assert_eq!(done.failure.unwrap().code, PostFailureCode::LimitReached);
    assert_eq!(fixture.meta.calls("POST 178/media_publish"), 0);
    assert!(fixture.now() >= at("2026-01-02T20:00:00Z"), "most of a day was waited");
}

#[tokio::test]
async fn a_page_is_not_hurried() {
    let fixture = Fixture::new().await;
    for number in 0..8 {
        let id = PostId::parse(&format!("post_{number}")).unwrap();
        fixture.insert(&Post { id, message: Some(format!("Number {number}")), ..post() }).await;
    }
    fixture.run().await;
    let world = fixture.meta.world();
    let mut times: Vec<jiff::Timestamp> =
        world.posts.iter().map(|post| post["created_time"].as_str().unwrap().parse().unwrap()).collect();
    times.sort();
    assert_eq!(times.len(), 8);
    assert!(times.windows(2).all(|pair| pair[1].duration_since(pair[0]).as_secs() >= 5), "{times:?}");
}

#[tokio::test]
async fn a_post_that_was_moved_is_not_published_by_its_old_message() {
    let fixture = Fixture::new().await;
    let later = fixture.now() + jiff::SignedDuration::from_hours(1);
    let moved = Post { status: PostStatus::Scheduled, scheduled_at: Some(later), ..post() };
    fixture.insert(&moved).await;
    fixture.work(&PublishJob::post(&moved)).await.unwrap();
    assert_eq!((public(&fixture), fixture.post(&moved.id).await.status), (0, PostStatus::Scheduled));
    let cancelled = Post { id: PostId::parse("post_2").unwrap(), status: PostStatus::Cancelled, ..post() };
    fixture.insert(&cancelled).await;
    fixture.work(&PublishJob::post(&cancelled)).await.unwrap();
    assert_eq!(public(&fixture), 0);
    // Nor by the message of a wait, after the post has failed and was moved.
    let waiting = Post { id: PostId::parse("post_3").unwrap(), ..post() };
    fixture.insert(&waiting).await;
    fixture.meta.world().faults.push_back(fault("POST 7/feed", false, Some((4, None))));
    fixture.work(&PublishJob::post(&waiting)).await.unwrap();
    let rest: PublishJob = serde_json::from_value(fixture.meta.world().queued.pop().unwrap().0).unwrap();
    let seen = fixture.post(&waiting.id).await;
    let mut again = Post { status: PostStatus::Scheduled, scheduled_at: Some(later), ..seen };
    again.restart(fixture.now());
    assert!(fixture.publisher.table.put_post(&fixture.scope, &mut again).await.unwrap());
    fixture.work(&rest).await.unwrap();
    assert_eq!((public(&fixture), fixture.post(&waiting.id).await.status), (0, PostStatus::Scheduled));
    again = fixture.post(&waiting.id).await;
    again.status = PostStatus::Cancelled;
    assert!(fixture.publisher.table.put_post(&fixture.scope, &mut again).await.unwrap());
    fixture.run().await;
    assert_eq!((public(&fixture), fixture.post(&moved.id).await.status), (1, PostStatus::Published));
    assert!(fixture.now() >= later);
}

#[tokio::test]
async fn an_outage_delays_a_post_and_does_not_double_it() {
    for post in kinds() {
        let outage: Vec<Fault> = (0..25).map(|_| fault("", false, Some((2, None)))).collect();
        let (fixture, done) = publish(&post, &outage).await;
        assert_eq!((done.status, public(&fixture)), (PostStatus::Published, 1), "{done:#?}");
    }
}

/// Does what a member does with a post that failed, who lives in the present.
async fn publish_again(fixture: &Fixture, post: &Post) {
    let (publishing, access) = (fixture.publishing(), fixture.access().await);
    publishing.move_post(&access, &post.id, &PostChangeIn { scheduled_at: None }).await.unwrap();
    fixture.meta.world().now = crate::clock::now();
}

/// The page goes while it is not known whether Meta has published the post, and comes back.
#[tokio::test]
async fn a_post_that_failed_after_a_lost_answer_is_looked_for_before_it_is_published_again() {
    for post in kinds() {
        for (lost, is_forgotten) in [(true, false), (false, false), (true, true), (false, true)] {
            let fixture = Fixture::new().await;
            fixture.insert(&post).await;
            let job = PublishJob::post(&post);
            fixture.meta.world().faults.push_back(fault(sending(&post), lost, None));
            while fixture.post(&post.id).await.progress.attempt.is_none() {
                fixture.work(&job).await.unwrap();
                fixture.meta.world().now += jiff::SignedDuration::from_secs(5);
            }
            fixture.publisher.table.delete_connection(&fixture.scope, &connection("a")).await.unwrap();
            fixture.run().await;
            let failed = fixture.post(&post.id).await;
            assert_eq!(failed.failure.map(|failure| failure.code), Some(PostFailureCode::PageNotConnected));
            fixture.publisher.table.save_connection(&fixture.scope, &connection("a")).await.unwrap();
            if is_forgotten {
                // Meta drops a container after a day, whatever became of it.
                fixture.meta.world().containers.clear();
            }
            publish_again(&fixture, &post).await;
            fixture.run().await;
            let done = fixture.post(&post.id).await;
            assert_eq!((done.status, public(&fixture)), (PostStatus::Published, 1), "{lost} {is_forgotten}: {done:#?}");
        }
    }
}

#[tokio::test]
async fn a_video_that_meta_does_not_get_ready_in_time_is_taken_back() {
    let post = page_video();
    let fixture = Fixture::new().await;
    fixture.insert(&post).await;
    fixture.work(&PublishJob::post(&post)).await.unwrap();
    assert_eq!(public(&fixture), 1);
    fixture.meta.world().now += jiff::SignedDuration::from_hours(2);
    fixture.run().await;
    let failed = fixture.post(&post.id).await;
    assert_eq!(failed.failure.map(|failure| failure.code), Some(PostFailureCode::MediaNotReady));
    assert_eq!(public(&fixture), 0, "it does not become public behind the CRM's back");
    publish_again(&fixture, &post).await;
    fixture.run().await;
    assert_eq!((fixture.post(&post.id).await.status, public(&fixture)), (PostStatus::Published, 1));
}

#[tokio::test]
async fn a_dead_token_ends_the_post_and_has_the_integration_checked() {
    let (fixture, done) = publish(&post(), &[fault("POST 7/feed", false, Some((190, Some(460))))]).await;
    assert_eq!(done.failure.unwrap().code, PostFailureCode::ConnectionExpired);
    assert_eq!((public(&fixture), fixture.meta.world().events.len()), (0, 1));
}
