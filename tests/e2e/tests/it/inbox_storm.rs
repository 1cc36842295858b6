//! Many people at once on all channels, while notices are lost, doubled and reordered, workers are killed, and Meta's
//! answers are lost.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use e2e::fixtures::{ConnectedOrg, OrgFixture};
use e2e::json::Json;
use e2e::tenant::Tenant;
use e2e::world::{wait_at_most, world};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

/// People who write. Each has a thread on Messenger, Instagram and WhatsApp, and a comment.
const PEOPLE: usize = 14;
/// What the webhook does with a notice, in turns of different lengths.
const DELIVERIES: [&str; 7] = ["webhook", "drop", "duplicate", "webhook", "reorder", "drop", "duplicate"];

async fn sim(path: &str, body: Value) -> Value {
    world().call_sim(Method::POST, path, &body).await
}

/// Everything that a person writes on all channels. WhatsApp has no list in which a lost notice could be found, and tells
/// of whole seconds only.
async fn write(number: usize, page: &str, account: &str, phone: &str, post: &str) {
    let name = format!("Storm {number}");
    let now = jiff::Timestamp::now().as_second();
    let manner = |turn: usize| DELIVERIES[(number + turn) % DELIVERIES.len()];
    for turn in 0..4_usize {
        let text = format!("{turn} of {number}");
        let body =
            json!({ "channel": "messenger", "page_id": page, "person": name, "text": text, "deliver": manner(turn) });
        let sent = sim("messages", body).await;
        if (number + turn).is_multiple_of(5) {
            sim("messages", json!({ "kind": "edit", "mid": sent["mid"], "text": format!("{text}, edited") })).await;
        }
        if (number + turn).is_multiple_of(7) {
            sim("messages", json!({ "kind": "delete", "mid": sent["mid"] })).await;
        }
        let body = json!({ "channel": "instagram", "instagram_id": account, "person": name, "text": text, "deliver": manner(turn + 2) });
        sim("messages", body).await;
        let deliver = if manner(turn) == "drop" { "duplicate" } else { manner(turn) };
        let body = json!({ "channel": "whatsapp", "phone_number_id": phone, "person": name, "text": text, "deliver": deliver, "at": now - 60 + i64::try_from(turn).unwrap() });
        sim("messages", body).await;
    }
    let body = json!({ "object": "page", "post_id": post, "text": name, "person": name, "deliver": manner(1) });
    let comment = sim("comments", body).await;
    let body = json!({ "object": "page", "post_id": post, "text": format!("Reply to {number}"), "by_page": true,
        "parent_id": comment["id"], "deliver": manner(3) });
    sim("comments", body).await;
}

/// A conversation as both sides have it: Meta's ids and the texts, oldest first, without what was unsent. What was unsent
/// before its notice was lost is known to none.
type Said = Vec<(String, String)>;

fn said<'a>(messages: impl IntoIterator<Item = &'a Value>, id: &str) -> Said {
    let left = messages.into_iter().filter(|message| message["deleted"] != true);
    left.map(|message| {
        (message[id].as_str().unwrap_or("-").to_owned(), message["text"].as_str().unwrap_or("-").to_owned())
    })
    .collect()
}

/// Each conversation of the org with what was said in it.
async fn seen(tenant: &Tenant) -> Vec<(Value, Said)> {
    let mut found = Vec::new();
    for some in tenant.all_items("/api/conversations?limit=100").await.chunks(8) {
        found.extend(
            join_all(some.iter().map(async |conversation| {
                let path = format!("/api/conversations/{}/messages?limit=100", conversation.text("id"));
                let mut messages = tenant.all_items(&path).await;
                messages.reverse();
                (conversation.clone(), said(&messages, "meta_id"))
            }))
            .await,
        );
    }
    found
}

/// The threads and comments of a page, its Instagram account and a WhatsApp number at Meta, by their first message.
async fn said_at_meta(accounts: [&str; 3]) -> BTreeMap<String, Said> {
    let state = world().sim_state().await;
    let mut truth = BTreeMap::new();
    for thread in state.list("threads") {
        let is_ours = ["page_id", "instagram_id", "phone_number_id"]
            .iter()
            .any(|key| accounts.iter().any(|id| thread[key] == *id));
        if is_ours {
            let said = said(thread.list("messages"), "mid");
            truth.insert(said[0].0.clone(), said);
        }
    }
    for comment in state.list("comments").iter().filter(|comment| comment["page_id"] == accounts[0]) {
        let id = comment.text("id").to_owned();
        let root = comment["parent_id"].as_str().unwrap_or(&id).to_owned();
        truth.entry(root).or_insert_with(Vec::new).extend(said([comment], "id"));
    }
    truth
}

#[tokio::test]
async fn a_storm_of_people_is_told_word_for_word_and_answered_once() {
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new("inbox-storm").connect().await;
    let page = person.pages[0].as_str();
    let state = world().sim_state().await;
    let account = state.find("instagram", "page_id", page).text("id").to_owned();
    let business = format!("{} Ltd", state.find("users", "id", person.id.as_str()).text("name"));
    let phone = state.find("whatsapp", "name", business.as_str()).text("phone_numbers.0.id").to_owned();
    let post = sim("posts", json!({ "page_id": page, "message": "Storm" })).await.text("id").to_owned();
    let accounts = [page, account.as_str(), phone.as_str()];

    // People write while the worker dies.
    let writing = async {
        for some in (0..PEOPLE).collect::<Vec<_>>().chunks(6) {
            join_all(some.iter().map(|number| write(*number, page, &account, &phone, &post))).await;
        }
    };
    let dying = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            world().call_dev_api(Method::POST, "kill/engagement-worker").await;
        }
    };
    tokio::join!(writing, dying);
    let agree = async |what: &str| {
        let truth = said_at_meta(accounts).await;
        let begun = Instant::now();
        loop {
            world().call_dev_api(Method::POST, &format!("fire/social-sync?org={}", tenant.org)).await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            let found = seen(&tenant).await;
            let here: BTreeMap<&str, &Said> = found.iter().map(|(_, said)| (said[0].0.as_str(), said)).collect();
            assert_eq!(found.len(), here.len());
            let different: Vec<_> = truth
                .iter()
                .map(|(root, said)| (said, here.get(root.as_str())))
                .filter(|(said, here)| *here != Some(said))
                .collect();
            if different.is_empty() {
                assert_eq!(truth.len(), here.len());
                return found;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(400),
                "{what}: {} of {} differ: {different:#?}",
                different.len(),
                truth.len()
            );
        }
    };
    let found = agree("all that was written").await;
    assert_eq!(found.len(), 4 * PEOPLE);

    // Every conversation is answered, with each request sent twice, while Meta loses answers and the worker dies.
    let mut seed = 0;
    for path in [format!("=/{page}/messages"), format!("=/{phone}/messages"), "/{comment}/comments".to_owned()] {
        for (kind, when) in [("close", "after"), ("close", "before"), ("error", "after"), ("error", "before")] {
            seed += 1;
            let fault = json!({ "path": path, "method": "POST", "kind": kind, "when": when, "code": 2, "status": 500,
                "probability": 0.08, "seed": seed, "times": PEOPLE / 4 });
            sim("faults", fault).await;
        }
    }
    let answering = async {
        for some in found.chunks(6) {
            join_all(some.iter().map(async |(conversation, _)| {
                let path = format!("/api/conversations/{}/messages", conversation.text("id"));
                let body = json!({ "text": format!("Answer in {}", conversation.text("id")), "request_id": conversation["id"] });
                let ask = async || tenant.call(Method::POST, &path, &body).await;
                let (one, two) = tokio::join!(ask(), ask());
                assert_eq!((one.0, two.0, &one.1["id"]), (202, 202, &two.1["id"]), "{} {}", one.1, two.1);
            }))
            .await;
        }
    };
    let dying = async {
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            world().call_dev_api(Method::POST, "kill/answer-worker").await;
        }
    };
    tokio::join!(answering, dying);
    wait_at_most(Duration::from_secs(600), "the answers' end", async || {
        world().call_dev_api(Method::POST, &format!("fire/answer-worker?org={}", tenant.org)).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let said = seen(&tenant).await;
        let open = said.iter().flat_map(|(_, said)| said).filter(|(id, _)| id == "-").count();
        (open == 0).then_some(())
    })
    .await;
    let found = agree("all that was answered").await;
    let answered: BTreeSet<&str> = found
        .iter()
        .filter(|(conversation, said)| {
            let wanted = format!("Answer in {}", conversation.text("id"));
            said.iter().filter(|(_, text)| *text == wanted).count() == 1
        })
        .map(|(conversation, _)| conversation.text("id"))
        .collect();
    assert_eq!(answered.len(), 4 * PEOPLE);
}
