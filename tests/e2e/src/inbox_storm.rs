//! Many people who write at once on all channels while everything that can fail does, followed by a comparison of every
//! conversation with Meta's, word for word.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::fixtures::{ConnectedOrg, OrgFixture};
use crate::json::Json;
use crate::tenant::Tenant;
use crate::world::world;

/// What the webhook does with a notice, in turns of different lengths.
const DELIVERIES: [&str; 7] = ["webhook", "drop", "duplicate", "webhook", "reorder", "drop", "duplicate"];

/// The parameters of a storm of people, who all write to one page, its Instagram account and one WhatsApp number.
#[derive(Debug, Clone, Copy)]
pub struct InboxStorm {
    /// Names the org.
    pub seed: u64,
    /// People who write. Each has a thread on Messenger, Instagram and WhatsApp, and a comment that the page answers.
    pub people: u32,
    /// Messages of each person in each thread.
    pub turns: u32,
    /// The time in which all of them are written.
    pub over: Duration,
    /// Conversations that are answered afterwards, with each request sent twice.
    pub answered: usize,
    /// The time limit for each of the two comparisons.
    pub timeout: Duration,
}

impl InboxStorm {
    /// The number of messages and comments.
    #[must_use]
    pub fn messages(&self) -> u32 {
        self.people * (3 * self.turns + 2)
    }

    /// The number of conversations.
    #[must_use]
    pub fn conversations(&self) -> usize {
        self.people as usize * 4
    }
}

/// The outcome of a storm of people.
#[derive(Debug, Default)]
pub struct InboxStormReport {
    /// The time in which all was written.
    pub written: Duration,
    /// The time from the last message until the inbox said the same as Meta.
    pub settled: Duration,
    /// Messages by the way they were found.
    pub found_by: BTreeMap<String, usize>,
    /// The time in which the answers were accepted, sent, and the inbox said the same as Meta again.
    pub answered: Duration,
    /// Every violated expectation.
    pub violations: Vec<String>,
}

/// Where people write.
struct Place {
    page: String,
    account: String,
    phone: String,
    post: String,
}

/// A conversation as both sides have it: Meta's ids and the texts, oldest first, without what was unsent. What was unsent
/// before its notice was lost is known to Meta alone.
type Said = Vec<(String, String)>;

/// A conversation of the org, with what was said in it and how each message was found.
struct Seen {
    id: String,
    said: Said,
    found_by: Vec<String>,
}

/// Runs a storm over the running system and compares the outcome.
///
/// # Panics
/// Panics if the system or the simulator rejects a call.
pub async fn run(storm: InboxStorm) -> InboxStormReport {
    let mut report = InboxStormReport::default();
    let org = format!("inbox-storm-{}", storm.seed);
    let ConnectedOrg { tenant, person, .. } = OrgFixture::new(&org).connect().await;
    let state = world().sim_state().await;
    let page = person.pages[0].clone();
    let account = state.find("instagram", "page_id", &page).text("id").to_owned();
    let business = format!("{} Ltd", state.find("users", "id", &person.id).text("name"));
    let phone = state.find("whatsapp", "name", &business).text("phone_numbers.0.id").to_owned();
    let post = sim("posts", json!({ "page_id": page, "message": "Storm" })).await.text("id").to_owned();
    let place = Place { page, account, phone, post };

    let begun = Instant::now();
    let writing = join_all((0..storm.people).map(|number| write(storm, number, &place)));
    tokio::join!(writing, kill("engagement-worker", storm.over));
    report.written = begun.elapsed();
    let begun = Instant::now();
    let found = compare(storm, &tenant, &place, "what was written", &mut report).await;
    report.settled = begun.elapsed();
    if found.len() != storm.conversations() {
        report.violations.push(format!("{} conversations instead of {}", found.len(), storm.conversations()));
    }
    for found_by in found.iter().flat_map(|conversation| &conversation.found_by) {
        *report.found_by.entry(found_by.clone()).or_default() += 1;
    }

    // Meta loses answers and the worker dies while conversations of all channels are answered.
    lose_answers(storm, &place).await;
    let begun = Instant::now();
    let mut answering: Vec<&Seen> = found.iter().collect();
    answering.sort_by_key(|conversation| conversation.said.first().cloned());
    answering.truncate(storm.answered);
    tokio::join!(answer(&tenant, &answering), kill("answer-worker", Duration::ZERO));
    let found = compare(storm, &tenant, &place, "what was answered", &mut report).await;
    report.answered = begun.elapsed();
    for answering in answering {
        let wanted = answer_to(&answering.id);
        let said = found.iter().filter(|conversation| conversation.id == answering.id).flat_map(|it| &it.said);
        let times = said.filter(|(_, text)| *text == wanted).count();
        if times != 1 {
            report.violations.push(format!("{} was answered {times} times", answering.id));
        }
    }
    report
}

async fn sim(path: &str, body: Value) -> Value {
    world().call_sim(Method::POST, path, &body).await
}

/// Kills the function in each of the next three seconds, and after them twice a minute for as long as people write.
async fn kill(function: &str, over: Duration) {
    let begun = Instant::now();
    for round in 0_u32.. {
        tokio::time::sleep(Duration::from_secs(if round < 3 { 1 } else { 30 })).await;
        if round >= 3 && begun.elapsed() > over {
            return;
        }
        world().call_dev_api(Method::POST, &format!("kill/{function}")).await;
    }
}

/// Everything that a person writes on all channels. WhatsApp has no list in which a lost notice could be found, and tells
/// of whole seconds only.
async fn write(storm: InboxStorm, number: u32, place: &Place) {
    let Place { page, account, phone, post } = place;
    let name = format!("Storm {number}");
    let begun = Instant::now();
    let first = jiff::Timestamp::now().as_second() - 60;
    let manner = |turn: u32| DELIVERIES[(number + turn) as usize % DELIVERIES.len()];
    for turn in 0..storm.turns {
        // The people's turns are spread evenly over the time.
        let due = storm.over * (turn * storm.people + number) / (storm.people * storm.turns);
        tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
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
        let at = first + i64::from(turn) + begun.elapsed().as_secs().cast_signed();
        let body = json!({ "channel": "whatsapp", "phone_number_id": phone, "person": name, "text": text, "deliver": deliver, "at": at });
        sim("messages", body).await;
    }
    let body = json!({ "object": "page", "post_id": post, "text": name, "person": name, "deliver": manner(1) });
    let comment = sim("comments", body).await;
    let body = json!({ "object": "page", "post_id": post, "text": format!("Reply to {number}"), "by_page": true,
        "parent_id": comment["id"], "deliver": manner(3) });
    sim("comments", body).await;
}

fn said<'a>(messages: impl IntoIterator<Item = &'a Value>, id: &str) -> Said {
    let left = messages.into_iter().filter(|message| message["deleted"] != true);
    left.map(|message| {
        (message[id].as_str().unwrap_or("-").to_owned(), message["text"].as_str().unwrap_or("-").to_owned())
    })
    .collect()
}

/// Each conversation of the org with what was said in it.
async fn seen(tenant: &Tenant) -> Vec<Seen> {
    let mut found = Vec::new();
    for some in tenant.all_items("/api/conversations?limit=100").await.chunks(8) {
        found.extend(
            join_all(some.iter().map(async |conversation| {
                let id = conversation.text("id").to_owned();
                let path = format!("/api/conversations/{id}/messages?limit=100");
                let mut messages = tenant.all_items(&path).await;
                messages.reverse();
                let found_by = messages.iter().filter_map(|message| message["found_by"].as_str().map(str::to_owned));
                Seen { id, said: said(&messages, "meta_id"), found_by: found_by.collect() }
            }))
            .await,
        );
    }
    found
}

/// The threads and comments of the place at Meta, by the id of their first message.
async fn said_at_meta(place: &Place) -> BTreeMap<String, Said> {
    let accounts = [&place.page, &place.account, &place.phone];
    let state = world().sim_state().await;
    let mut truth = BTreeMap::new();
    for thread in state.list("threads") {
        let is_ours = ["page_id", "instagram_id", "phone_number_id"]
            .iter()
            .any(|key| accounts.iter().any(|id| thread[key] == **id));
        let said = if is_ours { said(thread.list("messages"), "mid") } else { Vec::new() };
        if let Some((first, _)) = said.first() {
            truth.insert(first.clone(), said);
        }
    }
    for comment in state.list("comments").iter().filter(|comment| comment["page_id"] == *place.page) {
        let id = comment.text("id").to_owned();
        let root = comment["parent_id"].as_str().unwrap_or(&id).to_owned();
        truth.entry(root).or_insert_with(Vec::new).extend(said([comment], "id"));
    }
    truth
}

/// Waits until the inbox says what Meta does, with nothing on its way, and returns it.
async fn compare(
    storm: InboxStorm,
    tenant: &Tenant,
    place: &Place,
    what: &str,
    report: &mut InboxStormReport,
) -> Vec<Seen> {
    let begun = Instant::now();
    loop {
        for job in ["social-sync", "answer-worker"] {
            world().call_dev_api(Method::POST, &format!("fire/{job}?org={}", tenant.org)).await;
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
        let truth = said_at_meta(place).await;
        let found = seen(tenant).await;
        let here: BTreeMap<&str, &Said> =
            found.iter().filter_map(|it| it.said.first().map(|(id, _)| (id.as_str(), &it.said))).collect();
        let ids: BTreeSet<&str> = truth.keys().map(String::as_str).chain(here.keys().copied()).collect();
        let mut different = Vec::new();
        for id in ids {
            let (at_meta, here) = (truth.get(id), here.get(id).copied());
            if at_meta != here {
                different.push(format!("{what}: Meta has {at_meta:?}, the inbox {here:?}"));
            }
        }
        let are_alone = here.len() == found.len();
        if (different.is_empty() && are_alone) || begun.elapsed() > storm.timeout {
            if !are_alone {
                report
                    .violations
                    .push(format!("{what}: {} conversations begin alike or empty", found.len() - here.len()));
            }
            report.violations.extend(different);
            return found;
        }
    }
}

/// Makes Meta fail some sends before, and some after they took effect.
async fn lose_answers(storm: InboxStorm, Place { page, phone, .. }: &Place) {
    let mut seed = storm.seed;
    for path in [format!("=/{page}/messages"), format!("=/{phone}/messages"), "/{comment}/comments".to_owned()] {
        for (kind, when) in [("close", "after"), ("close", "before"), ("error", "after"), ("error", "before")] {
            seed += 1;
            let times = (storm.answered / 16).max(1);
            let fault = json!({ "path": path, "method": "POST", "kind": kind, "when": when, "code": 2, "status": 500,
                "probability": 0.08, "seed": seed, "times": times });
            sim("faults", fault).await;
        }
    }
}

fn answer_to(conversation: &str) -> String {
    format!("Answer in {conversation}")
}

/// Answers each conversation with a request that is sent twice at the same time.
///
/// # Panics
/// Panics unless both are accepted as the same message.
async fn answer(tenant: &Tenant, conversations: &[&Seen]) {
    for some in conversations.chunks(6) {
        join_all(some.iter().map(async |conversation| {
            let path = format!("/api/conversations/{}/messages", conversation.id);
            let body = json!({ "text": answer_to(&conversation.id), "request_id": conversation.id });
            let ask = async || tenant.call(Method::POST, &path, &body).await;
            let (one, two) = tokio::join!(ask(), ask());
            assert_eq!((one.0, two.0, &one.1["id"]), (202, 202, &two.1["id"]), "{} {}", one.1, two.1);
        }))
        .await;
    }
}
