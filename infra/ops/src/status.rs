//! How the system is, on one screen.

mod orgs;
mod platform;

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;
use leadwire::clock;
use serde::Serialize;

pub(crate) use self::orgs::ORGS_AT_ONCE;
use self::orgs::{ImpairedIntegration, OrgCounts};
pub(crate) use self::platform::{event_sources, schedules, stopped_functions};
use crate::Found;
use crate::account::StackAccount;
use crate::output::{age, count, print_columns, seconds};
use crate::product::Product;
use crate::queues::{DEAD_LETTERS, SqsQueue};

/// Integrations that are named.
const SHOWN: usize = 10;

/// All that the screen shows.
#[derive(Debug, Serialize)]
struct SystemStatus {
    stack: String,
    at: Timestamp,
    alarms: Vec<AlarmOn>,
    queues: Vec<QueueState>,
    /// Parked leads of all orgs, by reason.
    parked: BTreeMap<String, usize>,
    /// Integrations of all orgs, by how leads arrive through them.
    integrations: BTreeMap<String, usize>,
    /// The integrations through which leads do not arrive, or may stop to, the worst first.
    impaired: Vec<ImpairedIntegration>,
    schedules: Vec<Switch>,
    event_sources: Vec<Switch>,
    /// Functions that were stopped by a reserved concurrency of 0.
    stopped_functions: Vec<String>,
}

/// An alarm that is on.
#[derive(Debug, Serialize)]
struct AlarmOn {
    /// Its logical id in the template.
    name: String,
    since: Option<Timestamp>,
    /// The heading in infra/runbook.md.
    runbook: Option<String>,
}

#[derive(Debug, Serialize)]
struct QueueState {
    name: String,
    waiting: u64,
    in_flight: u64,
    /// Seconds that the oldest message has waited, as CloudWatch measured it within the last minutes.
    oldest_s: Option<u64>,
    /// `null` for one without a queue of dead letters.
    dead_letters: Option<u64>,
}

/// Something that can be switched off.
#[derive(Debug, Serialize)]
pub(crate) struct Switch {
    pub(crate) name: String,
    pub(crate) state: String,
}

impl Switch {
    /// Whether it is on.
    pub(crate) fn is_on(&self) -> bool {
        ["ENABLED", "Enabled"].contains(&self.state.as_str())
    }
}

/// Shows the status.
pub(crate) async fn show(account: &StackAccount, as_json: bool) -> Result<Found> {
    let product = Product::open(account).await?;
    let (alarms, queues, ages, counts, schedules, event_sources, stopped_functions) = tokio::try_join!(
        platform::alarms_on(account),
        account.queues(),
        platform::oldest_messages(account),
        orgs::read(&product),
        schedules(account),
        event_sources(account),
        stopped_functions(account),
    )?;
    let OrgCounts { parked, integrations, impaired } = counts;
    let status = SystemStatus {
        stack: account.stack.name.clone(),
        at: clock::now(),
        alarms,
        queues: pair_dead_letters(&queues, &ages),
        parked,
        integrations,
        impaired,
        schedules,
        event_sources,
        stopped_functions,
    };
    if as_json {
        println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        print(&status);
    }
    Ok(if status.is_fine() { Found::Fine } else { Found::Problem })
}

impl SystemStatus {
    fn is_fine(&self) -> bool {
        self.alarms.is_empty()
            && self.queues.iter().all(|queue| queue.dead_letters.unwrap_or_default() == 0)
            && !self.is_off()
    }

    /// Whether something is switched off.
    fn is_off(&self) -> bool {
        !self.schedules.iter().chain(&self.event_sources).all(Switch::is_on) || !self.stopped_functions.is_empty()
    }
}

impl QueueState {
    fn is_empty(&self) -> bool {
        self.waiting == 0 && self.in_flight == 0 && self.dead_letters.unwrap_or_default() == 0
    }
}

/// Puts each queue beside its age and its dead letters. Those that no queue of the stack fills stand for themselves.
fn pair_dead_letters(queues: &[SqsQueue], ages: &BTreeMap<&str, u64>) -> Vec<QueueState> {
    let held = |name: &str| queues.iter().find(|queue| queue.name == name).map(|queue| queue.waiting + queue.in_flight);
    let is_paired = |name: &str| queues.iter().any(|queue| queue.dead_letters.as_deref() == Some(name));
    let work = queues.iter().filter(|queue| !queue.name.ends_with(DEAD_LETTERS));
    let work = work.map(|queue| QueueState {
        name: queue.name.clone(),
        waiting: queue.waiting,
        in_flight: queue.in_flight,
        oldest_s: ages.get(queue.name.as_str()).copied(),
        dead_letters: queue.dead_letters.as_deref().and_then(held),
    });
    let alone = queues.iter().filter(|queue| queue.name.ends_with(DEAD_LETTERS) && !is_paired(&queue.name));
    let alone = alone.map(|queue| QueueState {
        name: queue.name.trim_end_matches(DEAD_LETTERS).to_owned(),
        waiting: 0,
        in_flight: 0,
        oldest_s: None,
        dead_letters: held(&queue.name),
    });
    work.chain(alone).collect()
}

fn print(status: &SystemStatus) {
    println!("{} at {}", status.stack, crate::output::time(status.at));
    println!("\nAlarms: {}", if status.alarms.is_empty() { "none is on" } else { "" });
    let alarm = |alarm: &AlarmOn| {
        let since = alarm.since.map_or_else(|| "?".to_owned(), |since| age(since, status.at));
        let entry = alarm.runbook.as_deref().unwrap_or("none");
        vec![alarm.name.clone(), format!("for {since}"), format!("runbook: {entry}")]
    };
    print_columns(2, &status.alarms.iter().map(alarm).collect::<Vec<_>>());

    let busy: Vec<&QueueState> = status.queues.iter().filter(|queue| !queue.is_empty()).collect();
    let empty = count(status.queues.len() - busy.len(), "is", "are");
    println!("\nQueues: {empty} empty");
    let head = ["queue", "waiting", "in flight", "oldest", "dead letters"].map(ToOwned::to_owned).to_vec();
    let queue = |queue: &QueueState| {
        let dead = queue.dead_letters.map_or_else(|| "-".to_owned(), |dead| dead.to_string());
        let oldest = queue.oldest_s.map_or_else(|| "-".to_owned(), seconds);
        vec![queue.name.clone(), queue.waiting.to_string(), queue.in_flight.to_string(), oldest, dead]
    };
    if !busy.is_empty() {
        print_columns(2, &[head].into_iter().chain(busy.into_iter().map(queue)).collect::<Vec<_>>());
    }

    println!("\nParked leads: {}", in_words(&status.parked));
    println!("Integrations: {}", in_words(&status.integrations));
    let impaired = |it: &ImpairedIntegration| {
        vec![
            <&str>::from(it.severity).to_owned(),
            format!("cargo ops org {}", it.org),
            format!("integration {}", it.id),
        ]
    };
    print_columns(2, &status.impaired.iter().take(SHOWN).map(impaired).collect::<Vec<_>>());
    if status.impaired.len() > SHOWN {
        println!("  and {} more", status.impaired.len() - SHOWN);
    }
    println!("Schedules: {}", switches(&status.schedules));
    println!("Event sources: {}", switches(&status.event_sources));
    if status.stopped_functions.is_empty() {
        println!("Stopped functions: none");
    } else {
        println!("Stopped functions: {}", status.stopped_functions.join(", "));
    }
    if status.is_off() {
        println!("\nSwitch on what is off: cargo ops switch-on --all, or by name");
    }
    if !status.is_fine() {
        println!("\nThe headings are those of infra/runbook.md. Dead letters: cargo ops dead-letters <queue>");
    }
}

fn in_words(counts: &BTreeMap<String, usize>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    counts.iter().map(|(name, number)| format!("{number} {name}")).collect::<Vec<_>>().join(", ")
}

fn switches(all: &[Switch]) -> String {
    let off: Vec<String> =
        all.iter().filter(|one| !one.is_on()).map(|one| format!("{} is {}", one.name, one.state)).collect();
    if off.is_empty() {
        return format!("{} on", count(all.len(), "is", "are"));
    }
    off.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(name: &str, waiting: u64, dead_letters: Option<&str>) -> SqsQueue {
        SqsQueue {
            name: name.to_owned(),
            url: String::new(),
            arn: String::new(),
            waiting,
            in_flight: 1,
            dead_letters: dead_letters.map(ToOwned::to_owned),
        }
    }

    #[test]
    fn ages_and_dead_letters_stand_beside_their_queues() {
        let shared = Some("lead-sweep-dead-letters");
        let queues = [
            queue("lead-sweep", 2, shared),
            queue("lead-search", 3, shared),
            queue("lead-sweep-dead-letters", 4, None),
            queue("event-destination-dead-letters", 0, None),
        ];
        let paired = pair_dead_letters(&queues, &BTreeMap::from([("lead-search", 90)]));
        let seen: Vec<_> =
            paired.iter().map(|it| (it.name.as_str(), it.waiting, it.oldest_s, it.dead_letters)).collect();
        let expect = [
            ("lead-sweep", 2, None, Some(5)),
            ("lead-search", 3, Some(90), Some(5)),
            ("event-destination", 0, None, Some(1)),
        ];
        assert_eq!(seen, expect);
    }
}
