//! Answers of members whose own answer from Meta gets lost: looked for before they are sent again.

use super::AnswerIn;
use super::answer_tests::{text, written};
use crate::model::inbox::outgoing::UNKNOWN;
use crate::publishing::test_support::Fault;

#[tokio::test]
async fn a_lost_answer_of_meta_s_neither_loses_nor_doubles_a_message() {
    for error in [None, Some((2, None)), Some((1, Some(1_357_046)))] {
        for after in [true, false] {
            let (world, id) = written().await;
            let answer = world.answer(&id, text("Hi")).await.unwrap();
            let call = "POST 7/messages";
            world.fixture.meta.world().faults.push_back(Fault { call, after, error });
            let state = world.settle_answer(&answer.id).await;
            assert_eq!((state.mid.is_some(), world.sent().len()), (true, 1), "{error:?} {after}: {state:?}");
        }
    }
}

#[tokio::test]
async fn a_message_that_meta_cannot_show_at_the_moment_is_not_taken_for_one_that_was_not_sent() {
    let file = AnswerIn { attachment_url: Some("https://files.example/a.png".into()), ..AnswerIn::default() };
    for input in [text("Hi"), file] {
        let (world, id) = written().await;
        let answer = world.answer(&id, input).await.unwrap();
        let outage = || Fault { call: "GET 7/conversations", after: false, error: Some((2, None)) };
        let lost = Fault { call: "POST 7/messages", after: true, error: None };
        world.fixture.meta.world().faults.extend([lost, outage(), outage(), outage(), outage(), outage()]);
        let state = world.settle_answer(&answer.id).await;
        assert_eq!((state.mid.as_deref(), world.sent().len()), (Some("mid1"), 1), "{state:?}");
    }
}

#[tokio::test]
async fn a_message_that_meta_never_shows_is_left_to_the_member() {
    let (world, id) = written().await;
    for (error, hours) in [((2, None), 6), ((200, None), 0), ((100, None), 0)] {
        let answer = world.answer(&id, text("Hi")).await.unwrap();
        let (asked, lost) = (world.now(), Fault { call: "POST 7/messages", after: true, error: None });
        let hidden = std::iter::repeat_with(|| Fault { call: "GET 7/conversations", after: false, error: Some(error) });
        world.fixture.meta.world().faults.extend(std::iter::once(lost).chain(hidden.take(2_000)));
        let state = world.settle_answer(&answer.id).await;
        assert_eq!(state.failure.unwrap().message, UNKNOWN);
        assert_eq!(world.now().duration_since(asked).as_hours(), hours);
        let mut meta = world.fixture.meta.world();
        assert_eq!(std::mem::take(&mut meta.answers).len(), 1, "it is not sent again");
        meta.faults.clear();
    }
}

#[tokio::test]
async fn two_answers_with_the_same_words_are_two() {
    let (world, id) = written().await;
    let (one, two) = (world.answer(&id, text("Yes")).await.unwrap(), world.answer(&id, text("Yes")).await.unwrap());
    world.fixture.meta.world().faults.push_back(Fault { call: "POST 7/messages", after: true, error: None });
    let (one, two) = (world.settle_answer(&one.id).await, world.settle_answer(&two.id).await);
    assert_ne!(one.mid, two.mid);
    assert_eq!(world.sent().len(), 2);
}
