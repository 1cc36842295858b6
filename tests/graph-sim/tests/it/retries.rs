//! Retries when a receiver does not return 200, on the simulated clock.

use std::time::{Duration, Instant};

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{CHECK_UP, Meta};
use crate::receiver::Receiver;

const HOUR: i64 = 3600;

/// Waits until the statistics satisfy `enough`.
async fn stats(meta: &Meta, enough: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let stats = meta.sim_get("stats").await;
        if enough(&stats["webhooks"]) {
            return stats["webhooks"].clone();
        }
        assert!(Instant::now() < deadline, "{stats}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn posts(count: u64) -> impl Fn(&Value) -> bool {
    move |webhooks| webhooks["posts"].as_u64() == Some(count)
}

#[tokio::test]
async fn a_failed_body_is_repeated_at_once_and_then_with_falling_frequency_until_it_is_taken() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    receiver.answer(500);
    meta.one_lead(CHECK_UP).await;
    stats(&meta, posts(2)).await;
    let mut expected = 2;
    for pause in [60, 300, 900, HOUR] {
        meta.sim("clock", json!({"advance_s": pause / 2})).await;
        meta.sim("clock", json!({"advance_s": pause / 2 + 1})).await;
        expected += 1;
        stats(&meta, posts(expected)).await;
    }
    receiver.answer(200);
    meta.sim("clock", json!({"advance_s": 4 * HOUR})).await;
    let webhooks = stats(&meta, posts(expected + 1)).await;
    assert_eq!(webhooks["answers"], json!({"200": 1, "500": expected}));
    assert_eq!(webhooks["waiting"], json!({"changes": 0, "bodies": 0}));
    let received = receiver.posts();
    assert!(received.iter().all(|post| post.bytes == received[0].bytes), "the same bytes each time");
    let lead = meta.sim_get("state").await["leads"][0].clone();
    assert_eq!((&lead["delivered"], &lead["delivery"]["attempts"]), (&json!(true), &json!(expected + 1)));
}

#[tokio::test]
async fn after_thirty_six_hours_a_body_is_given_up() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    receiver.answer(503);
    meta.one_lead(CHECK_UP).await;
    stats(&meta, posts(2)).await;
    for attempts in 3.. {
        meta.sim("clock", json!({"advance_s": 12 * HOUR})).await;
        let webhooks =
            stats(&meta, |webhooks| webhooks["posts"].as_u64() >= Some(attempts) || webhooks["waiting"]["bodies"] == 0)
                .await;
        if webhooks["waiting"]["bodies"] == 0 && webhooks["posts"] == attempts {
            break;
        }
        assert!(attempts < 12, "still trying: {webhooks}");
    }
    stats(&meta, |webhooks| webhooks["waiting"]["bodies"] == 0).await;
    let lead = meta.sim_get("state").await["leads"][0].clone();
    assert_eq!((&lead["delivered"], &lead["delivery"]["state"]), (&json!(false), &json!("given_up")));
}

#[tokio::test]
async fn other_success_codes_than_200_count_as_failures() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    receiver.answer(204);
    meta.one_lead(CHECK_UP).await;
    let webhooks = stats(&meta, posts(2)).await;
    assert_eq!(webhooks["answers"], json!({"204": 2}));
}

#[tokio::test]
async fn an_hour_of_failed_messaging_unsubscribes_the_page() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL, seed::BAKERY], "leadgen,messages").await;
    receiver.answer(500);
    meta.sim("events", json!({"id": seed::DENTAL, "messaging": {"message": {"mid": "m_1"}}})).await;
    stats(&meta, posts(2)).await;
    meta.sim("clock", json!({"advance_s": HOUR + 1})).await;
    stats(&meta, posts(3)).await;
    let fields = async |page_id: &str| {
        let state = meta.sim_get("state").await;
        let pages = state["pages"].as_array().unwrap().clone();
        pages.iter().find(|page| page["id"] == page_id).unwrap()["subscribed_fields"].clone()
    };
    assert_eq!(fields(seed::DENTAL).await, json!([]));
    assert_eq!(fields(seed::BAKERY).await, json!(["leadgen", "messages"]));
}
