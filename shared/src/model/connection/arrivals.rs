//! The checks of the health report that judge by what arrived. Each page is judged by its own arrivals, so that a lively
//! page hides no silent one; but only by hints, because a page may have nothing to send.

use jiff::{SignedDuration, Timestamp};

use crate::ids::PageId;
use crate::model::connection::check::{Check, CheckId, CheckStatus};
use crate::model::connection::health::{HealthObservation, PageHealth, check};
use crate::tr;

/// A lead that arrives this long after the last webhook was not reported by one.
const MAX_WEBHOOK_DELAY: SignedDuration = SignedDuration::from_hours(24);

/// Whether the last lead arrived without a webhook.
fn is_unreported(webhook: Option<Timestamp>, lead: Option<Timestamp>) -> bool {
    let is_late = |lead: Timestamp| webhook.is_none_or(|webhook| lead.duration_since(webhook) > MAX_WEBHOOK_DELAY);
    lead.is_some_and(is_late)
}

/// Fails if no webhook arrives at all. If only those of some pages are missing, their next lead shows whether that lasts.
pub(super) fn last_webhook(seen: &HealthObservation, now: Timestamp) -> Check {
    use CheckStatus::{Fail, Pass, Unknown};
    let (webhook, lead) = (latest(seen, |page| page.last_webhook_at), latest(seen, |page| page.last_lead_at));
    if is_unreported(webhook, lead) {
        let evidence =
            webhook.map_or_else(|| tr!("None has ever arrived.").into_owned(), |webhook| last_arrival(webhook, now));
        let fix = tr!(
            "Leads arrived that Meta did not report: its webhook does not reach this system. In the Meta app's dashboard, under Webhooks, check the callback URL and the field leadgen of the object Page."
        );
        return check(CheckId::LastWebhook, Fail, evidence, Some(fix));
    }
    let Some(webhook) = webhook else {
        return check(CheckId::LastWebhook, Unknown, tr!("No webhook and no lead has arrived yet."), None);
    };
    let is_missing = |page: &&PageHealth| is_unreported(page.last_webhook_at, page.last_lead_at);
    let missing: Vec<&PageHealth> = seen.pages.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return check(CheckId::LastWebhook, Pass, last_arrival(webhook, now), None);
    }
    let names: Vec<&str> = missing.iter().map(|page| page.observation.name.as_str()).collect();
    let evidence = tr!(
        "Meta reports the leads of other pages, but did not report the last lead of {pages}.",
        pages = names.join(", ")
    );
    let fix = tr!(
        "Nothing is lost: Leadwire also compares its leads with Meta's. If the webhook subscription is in order, wait for the next lead."
    );
    Check { page_ids: ids(&missing), ..check(CheckId::LastWebhook, Unknown, evidence, Some(fix)) }
}

/// A page that is quieter than usual may have no ads at the moment, so this never fails.
pub(super) fn last_lead(seen: &HealthObservation, now: Timestamp) -> Check {
    let Some(lead) = latest(seen, |page| page.last_lead_at) else {
        let evidence = match seen.pages.iter().map(|page| page.connected_at).min() {
            Some(connected_at) => no_arrival_since(connected_at, now),
            None => tr!("None has arrived.").into_owned(),
        };
        let fix = tr!("Send a test lead, or fill in a form yourself, to see whether it arrives.");
        return check(CheckId::LastLead, CheckStatus::Unknown, evidence, Some(fix));
    };
    // Of a lost page, the token's check says more.
    let is_silent = |page: &&PageHealth| page.quiet_since.is_some() && page.lost.is_none();
    let silent: Vec<&PageHealth> = seen.pages.iter().filter(is_silent).collect();
    if silent.is_empty() {
        return check(CheckId::LastLead, CheckStatus::Pass, last_arrival(lead, now), None);
    }
    let evidence: Vec<String> = silent.iter().map(|page| describe_silence(page, &seen.pages)).collect();
    let fix = tr!(
        "If ads for the page are running, send a test lead or fill in its form yourself, to see whether it arrives."
    );
    Check { page_ids: ids(&silent), ..check(CheckId::LastLead, CheckStatus::Unknown, evidence.join(" "), Some(fix)) }
}

/// Says how long a page has been silent. A lead of another page since then shows that leads can arrive.
fn describe_silence(page: &PageHealth, pages: &[PageHealth]) -> String {
    let (name, since) = (&page.observation.name, page.last_lead_at.unwrap_or(page.connected_at));
    let other = pages.iter().filter(|other| other.last_lead_at > Some(since)).max_by_key(|other| other.last_lead_at);
    match other {
        Some(other) => tr!(
            "{page} has sent no lead since {time}, which is unusually long. Leadwire can receive leads: {other} has sent some since then.",
            page = name,
            time = since,
            other = other.observation.name
        ),
        None => tr!("{page} has sent no lead since {time}, which is unusually long.", page = name, time = since),
    }
}

fn ids(pages: &[&PageHealth]) -> Vec<PageId> {
    pages.iter().map(|page| page.observation.id.clone()).collect()
}

/// Meta has no call for this, but the symptom is known: test leads arrive and real leads do not.
pub(super) fn app_mode(seen: &HealthObservation) -> Check {
    let (test, real) = (latest(seen, |page| page.last_test_lead_at), latest(seen, |page| page.last_lead_at));
    match (test, real) {
        (_, Some(_)) => {
            check(CheckId::AppMode, CheckStatus::Pass, tr!("Real leads arrive, so the Meta app is live."), None)
        }
        (Some(_), None) => check(
            CheckId::AppMode,
            CheckStatus::Fail,
            tr!("Test leads arrive, but no real lead ever has. This is typical of a Meta app in development mode."),
            Some(tr!(
                "In the Meta app's dashboard, switch the app from Development to Live. If it is live, check the form that the ads use."
            )),
        ),
        (None, None) => {
            let evidence = tr!("Neither test leads nor real leads have arrived yet.");
            check(CheckId::AppMode, CheckStatus::Unknown, evidence, None)
        }
    }
}

fn latest(seen: &HealthObservation, time: impl Fn(&PageHealth) -> Option<Timestamp>) -> Option<Timestamp> {
    seen.pages.iter().filter_map(time).max()
}

/// How long ago something was, in the unit that fits.
enum Age {
    UnderAnHour,
    Hours(u64),
    Days(u64),
}

fn age(time: Timestamp, now: Timestamp) -> Age {
    match u64::try_from(now.duration_since(time).as_hours()) {
        Ok(0) | Err(_) => Age::UnderAnHour,
        Ok(hours @ 1..=48) => Age::Hours(hours),
        Ok(hours) => Age::Days(hours / 24),
    }
}

fn last_arrival(time: Timestamp, now: Timestamp) -> String {
    match age(time, now) {
        Age::UnderAnHour => tr!("The last one arrived less than an hour ago.").into_owned(),
        Age::Hours(hours) => {
            tr!([hours] "The last one arrived {n} hour ago." | "The last one arrived {n} hours ago.")
        }
        Age::Days(days) => tr!([days] "The last one arrived {n} day ago." | "The last one arrived {n} days ago."),
    }
}

fn no_arrival_since(connected_at: Timestamp, now: Timestamp) -> String {
    match age(connected_at, now) {
        Age::UnderAnHour => {
            tr!("No lead has arrived since the first page was connected less than an hour ago.").into_owned()
        }
        Age::Hours(hours) => tr!(
            [hours] "No lead has arrived since the first page was connected {n} hour ago."
                | "No lead has arrived since the first page was connected {n} hours ago."
        ),
        Age::Days(days) => tr!(
            [days] "No lead has arrived since the first page was connected {n} day ago."
                | "No lead has arrived since the first page was connected {n} days ago."
        ),
    }
}
