//! Storms: many leads, every delivery problem, and repeatability.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{CATERING, CHECK_UP, IMPLANTS, Meta, read};
use crate::receiver::{Post, Receiver};

#[tokio::test]
async fn what_was_injected_is_what_happens() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL, seed::BAKERY], "leadgen").await;
    let shares =
        json!({"drop": 0.1, "late": 0.1, "duplicate": 0.1, "reorder": 0.1, "mixed": 0.1, "unreadable_first": 0.1});
    let answer = meta
        .sim(
            "storm",
            json!({"seed": 7, "leads": 300, "form_ids": [CHECK_UP, IMPLANTS, CATERING], "shares": shares,
                   "late_ms": 700, "readable_after_ms": 3_600_000}),
        )
        .await;
    assert_eq!(answer["leads"], 300);
    let injected = |name: &str| usize::try_from(answer["injected"][name].as_u64().unwrap()).unwrap();
    let kinds = ["webhook", "drop", "late", "duplicate", "reorder", "mixed", "unreadable_first"];
    assert_eq!(kinds.iter().map(|kind| injected(kind)).sum::<usize>(), 300);
    assert!(kinds.iter().all(|kind| injected(kind) > 10), "{answer}");

    let announced = 300 - injected("drop");
    let posts = receiver.wait(|posts| counted(posts).len() == announced).await;
    let twice = counted(&posts).values().filter(|count| **count > 1).count();
    assert!(twice <= injected("duplicate"));
    let foreign = |post: &&Post| post.bytes.windows(9).any(|bytes| bytes == b"messaging");
    assert_eq!(posts.iter().filter(foreign).count(), injected("mixed"));

    let state = meta.sim_get("state").await;
    let leads = state["leads"].as_array().unwrap();
    assert_eq!(leads.len(), 300);
    let count = |member: &str, value: &str| leads.iter().filter(|lead| lead[member] == value).count();
    assert_eq!(leads.iter().filter(|lead| lead["delivery"]["state"] == "dropped").count(), injected("drop"));
    assert!(count("platform", "ig") > 60 && count("platform", "fb") > 60);
    for form in [CHECK_UP, IMPLANTS, CATERING] {
        assert!(count("form_id", form) > 60, "{form}");
    }
    let ads: HashSet<&str> = leads.iter().filter_map(|lead| lead["ad_id"].as_str()).collect();
    assert_eq!(ads.len(), 9, "three of each form");

    let user = meta.mara().await;
    let mut readable = 0;
    for (page, form) in [(seed::DENTAL, CHECK_UP), (seed::DENTAL, IMPLANTS), (seed::BAKERY, CATERING)] {
        let token = meta.page_of(&user, page).await;
        readable += meta.get(&format!("/{form}/leads?fields=id&limit=500"), &token).await.column("id").len();
    }
    assert_eq!(readable, 300 - injected("unreadable_first"));
}

#[tokio::test]
async fn the_same_seed_decides_the_same() {
    let meta = Meta::start().await;
    let mut runs = Vec::new();
    for seed in [11, 11, 12] {
        meta.sim("reset", json!({})).await;
        let body = json!({"seed": seed, "leads": 200, "form_ids": [CHECK_UP, CATERING], "shares": {"drop": 0.3, "late": 0.3},
                          "same_person": 0.2});
        let injected = meta.sim("storm", body).await["injected"].clone();
        let state = meta.sim_get("state").await;
        let mut leads = state["leads"].as_array().unwrap().clone();
        leads.sort_by_key(|lead| lead["id"].to_string());
        let decisions: Vec<Value> = leads
            .iter()
            .map(|lead| json!([lead["form_id"], lead["platform"], lead["ad_id"], lead["delivery"]["state"]]))
            .collect();
        runs.push((injected, decisions));
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

#[tokio::test]
async fn the_same_person_comes_again_with_the_same_address_to_the_same_page() {
    let meta = Meta::start().await;
    let body = json!({"seed": 3, "leads": 400, "form_ids": [CHECK_UP, IMPLANTS, CATERING], "same_person": 0.3});
    let repeated = meta.sim("storm", body).await["injected"]["same_person"].as_u64().unwrap();
    assert!((60..180).contains(&repeated), "{repeated}");
    let state = meta.sim_get("state").await;
    let mut seen: HashMap<String, HashSet<String>> = HashMap::new();
    let mut again = 0;
    for lead in state["leads"].as_array().unwrap() {
        let data = lead["field_data"].as_array().unwrap();
        let email = data.iter().find(|field| field["name"] == "email" || field["name"] == "e-mail-adresse").unwrap();
        let pages = seen.entry(email["values"][0].to_string()).or_default();
        again += u64::from(!pages.insert(lead["page_id"].to_string()));
        assert_eq!(pages.len(), 1, "never on another page");
    }
    assert_eq!(again, repeated);
}

#[tokio::test]
async fn a_storm_lasts_as_long_as_asked_and_a_reset_ends_it() {
    let meta = Meta::start().await;
    let count = async || meta.sim_get("state").await["leads"].as_array().unwrap().len();
    let start = Instant::now();
    meta.sim("storm", json!({"seed": 1, "leads": 50, "form_ids": [CHECK_UP], "over_ms": 800})).await;
    assert!(count().await < 50, "answered at once");
    while count().await < 50 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(start.elapsed() >= Duration::from_millis(700));
    meta.sim("storm", json!({"seed": 1, "leads": 100_000, "form_ids": [CHECK_UP], "over_ms": 60_000})).await;
    meta.sim("reset", json!({})).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn what_comes_later_does_not_wait_for_the_end_of_a_storm() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let body =
        json!({"seed": 1, "leads": 60_000, "form_ids": [CHECK_UP], "over_ms": 600_000, "shares": {"reorder": 0.5}});
    meta.sim("storm", body).await;
    receiver.wait_for_leads(150).await;
    let fates: HashSet<bool> = {
        let state = meta.sim_get("state").await;
        let oldest = state["leads"].as_array().unwrap().iter().take(20);
        oldest.map(|lead| lead["delivery"]["attempts"] == 0).collect()
    };
    assert_eq!(fates, HashSet::from([false]), "the reordered among them too");
}

#[tokio::test]
async fn mistakes_in_a_storm_are_told() {
    let meta = Meta::start().await;
    for (body, word) in [
        (json!({"seed": 1, "leads": 0, "form_ids": [CHECK_UP]}), "leads"),
        (json!({"seed": 1, "leads": 1, "form_ids": []}), "at least one"),
        (json!({"seed": 1, "leads": 1, "form_ids": ["1"]}), "no form 1"),
        (json!({"seed": 1, "leads": 1, "form_ids": [CHECK_UP], "shares": {"drop": 0.6, "late": 0.5}}), "at most 1"),
        (json!({"seed": 1, "leads": 1, "form_ids": [CHECK_UP], "shares": {"drop": -1}}), "between 0 and 1"),
        (json!({"seed": 1, "leads": 1, "form_ids": [CHECK_UP], "shares": {"hail": 1}}), "hail"),
        (json!({"seed": 1, "leads": 1, "form_ids": [CHECK_UP], "same_person": 2}), "same_person"),
    ] {
        let answer = read(meta.http().post(meta.url("/_sim/storm")).json(&body)).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.json["error"].as_str().unwrap().contains(word), "{body}: {}", answer.text);
    }
}

/// The number of announcements of each lead.
fn counted(posts: &[Post]) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for (_, id) in posts.iter().flat_map(Post::leads).filter(|(_, id)| !id.is_empty()) {
        *times.entry(id).or_default() += 1;
    }
    times
}
