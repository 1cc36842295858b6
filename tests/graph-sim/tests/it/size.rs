//! Ten thousand leads over thirty pages stay fast.

use std::collections::HashSet;
use std::time::Instant;

use graph_sim::seed;
use serde_json::{Value, json};

use crate::client::{ALL_SCOPES, CHECK_UP, Meta};
use crate::receiver::{Post, Receiver};

async fn timed<T>(what: &str, work: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let result = work.await;
    println!("{what}: {:?}", start.elapsed());
    result
}

#[tokio::test]
async fn ten_thousand_leads_over_thirty_pages_are_made_and_read() {
    let meta = Meta::start().await;
    let (mut forms, mut pages) = (Vec::new(), Vec::new());
    for number in 0..12 {
        let person = meta.sim("users", json!({"pages": 2 + number % 2})).await;
        for page in person["pages"].as_array().unwrap() {
            forms.push(page["forms"][0]["id"].clone());
            pages.push((person["id"].clone(), page["id"].as_str().unwrap().to_owned()));
        }
    }
    assert_eq!(forms.len(), 30);
    let shares = json!({"drop": 0.05, "late": 0.1, "duplicate": 0.1, "reorder": 0.1, "mixed": 0.02});
    let storm = json!({"seed": 5, "leads": 10_000, "form_ids": forms, "shares": shares});
    let brewed = Instant::now();
    meta.sim("storm", storm).await;
    println!("storm: {:?}", brewed.elapsed());
    let state = timed("state", meta.sim_get("state")).await;
    assert_eq!(state["leads"].as_array().unwrap().len(), 10_000);

    let token = meta.login(pages[0].0.as_str().unwrap(), ALL_SCOPES, "").await;
    let token = meta.page_of(&token, &pages[0].1).await;
    let form = forms[0].as_str().unwrap();
    let list = timed("list", meta.get(&format!("/{form}/leads?limit=50"), &token)).await;
    let elements: Value = list.column("id").iter().map(|id| json!({"relative_url": id})).collect();
    let rows = timed("batch", meta.batch(&token, &elements)).await.json;
    assert_eq!(rows.as_array().unwrap().iter().filter(|row| row["code"] == 200).count(), 50);
}

#[tokio::test]
async fn a_storm_of_ten_thousand_is_announced_whole() {
    let meta = Meta::start().await;
    let receiver = Receiver::start().await;
    receiver.subscribe(&meta, &[seed::DENTAL], "leadgen").await;
    let start = Instant::now();
    meta.sim("storm", json!({"seed": 5, "leads": 10_000, "form_ids": [CHECK_UP], "shares": {"mixed": 0.02}})).await;
    println!("storm: {:?}", start.elapsed());
    receiver
        .wait(|posts| {
            let ids = posts.iter().flat_map(Post::leads).map(|(_, id)| id).filter(|id| !id.is_empty());
            ids.collect::<HashSet<_>>().len() == 10_000
        })
        .await;
    println!("announced: {:?}", start.elapsed());
    let page = meta.page(seed::DENTAL).await;
    timed("list", meta.get(&format!("/{CHECK_UP}/leads?limit=100"), &page)).await;
}
