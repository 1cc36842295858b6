//! One lead, traced over all parts.

use std::collections::BTreeSet;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use leadwire::clock;
use leadwire::ids::{LeadId, LeadgenId, OrgScope};
use leadwire::model::delivery::EventSubject;
use leadwire::table::lead::StoredLead;
use leadwire::trace::TraceId;

use crate::account::StackAccount;
use crate::output::{count, print_columns, time};
use crate::product::Product;
use crate::status::ORGS_AT_ONCE;
use crate::{Found, UnusableLine};

/// Something that happened to the lead.
struct LeadMoment {
    at: Timestamp,
    /// Where it is known from: the table, or a function's log.
    place: String,
    words: String,
}

/// Prints what is known of a lead, in the order of time.
pub(crate) async fn trace(account: &StackAccount, id: &str, org: Option<&str>, days: u32) -> Result<Found> {
    let lead = lead_id(id)?;
    let product = Product::open(account).await?;
    let scopes = match org {
        Some(org) => vec![product.org(org).await?.0],
        None => product.orgs().await?.into_iter().map(|(scope, _)| scope).collect(),
    };
    let (mut moments, mut words, mut known_in) = (Vec::new(), BTreeSet::from([id.to_owned(), lead.to_string()]), 0);
    words.extend(lead.as_str().strip_prefix("meta-").map(ToOwned::to_owned));
    let asking = stream::iter(&scopes).map(|scope| stored_moments(&product, scope, &lead)).buffered(ORGS_AT_ONCE);
    let answers: Vec<StoredMoments> = asking.try_collect().await?;
    for (scope, stored) in scopes.iter().zip(answers) {
        if !stored.moments.is_empty() {
            known_in += 1;
            println!("lead {lead} of org {}", scope.org());
        }
        words.extend(stored.trace);
        moments.extend(stored.moments);
    }
    let since = clock::now() - SignedDuration::from_hours(24 * i64::from(days));
    moments.extend(logged_moments(account, &words, since).await?);
    moments.sort_by_key(|moment| moment.at);
    if moments.is_empty() {
        let asked = count(scopes.len(), "org", "orgs");
        return Err(
            UnusableLine(format!("nothing is known of lead {id} in {asked}, nor in {days} days of logs")).into()
        );
    }
    if known_in == 0 {
        println!("lead {lead} is stored in no org; only logs name it");
    }
    println!();
    let row = |moment: &LeadMoment| vec![time(moment.at), moment.place.clone(), moment.words.clone()];
    print_columns(0, &moments.iter().map(row).collect::<Vec<_>>());
    Ok(Found::Fine)
}

/// A lead's id, from Meta's or ours.
fn lead_id(id: &str) -> Result<LeadId> {
    if let Ok(leadgen) = LeadgenId::parse(id) {
        return Ok(LeadId::from_leadgen(&leadgen));
    }
    let lead =
        LeadId::parse(id).ok().filter(|lead| ["meta-", "file-"].iter().any(|kind| lead.as_str().starts_with(kind)));
    lead.ok_or_else(|| {
        UnusableLine(format!("{id} is neither a leadgen id (digits) nor a lead's id (meta-… or file-…)")).into()
    })
}

/// What the table knows of a lead.
#[derive(Default)]
struct StoredMoments {
    moments: Vec<LeadMoment>,
    /// The id under which its way was logged.
    trace: Option<String>,
}

async fn stored_moments(product: &Product<'_>, scope: &OrgScope, lead: &LeadId) -> Result<StoredMoments> {
    let table = &product.table;
    let moment = |at: Timestamp, words: String| LeadMoment { at, place: "table".to_owned(), words };
    let (mut moments, mut trace_id) = (Vec::new(), None);
    // The product's own trace: receipt, attempts, parking, storing, publication, changes, conversions.
    let steps = leadwire::leads::read_trace(table, scope, lead).await?;
    if steps.is_empty() {
        return Ok(StoredMoments::default());
    }
    for step in steps {
        let kind = serde_json::to_value(step.step).ok().and_then(|kind| Some(kind.as_str()?.to_owned()));
        let kind = kind.unwrap_or_default();
        moments.push(moment(step.at, format!("{kind} ({}): {}", step.cause, step.detail)));
    }
    if let Some(stored) = table.find_lead(scope, lead).await? {
        let whose = match &stored {
            StoredLead::Lead(lead) => format!("a lead with {} later submissions", lead.submissions_count),
            StoredLead::Submission(submission) => format!("a submission of lead {}", submission.lead_id),
        };
        let trace = stored.provenance().trace_id.as_ref().map(TraceId::as_str);
        trace_id = trace.map(ToOwned::to_owned);
        let at = stored.provenance().stored_at.unwrap_or_default();
        moments.push(moment(at, format!("stored as {whose}; trace {}", trace.unwrap_or("unknown"))));
    }
    for (user, at, is_settled) in table.mails_about(scope, lead).await? {
        let state = if is_settled { "mailed, or gathered for a mail," } else { "being mailed" };
        moments.push(moment(at, format!("{state} to its assignee {user}")));
    }
    let events = table.events_about(scope, &EventSubject::Lead(lead.clone())).await?;
    if !events.is_empty() {
        for endpoint in table.endpoints(scope).await? {
            for event in &events {
                let Some(delivery) = table.delivery(scope, &endpoint.id, event).await? else { continue };
                let state = serde_json::to_value(delivery.state)?;
                let text = format!(
                    "event {} ({event}) to endpoint {}: {} after {}",
                    delivery.event_name,
                    endpoint.id,
                    state.as_str().unwrap_or_default(),
                    count(usize::try_from(delivery.tries_count).unwrap_or_default(), "try", "tries"),
                );
                moments.push(moment(delivery.created_at, text));
            }
        }
    }
    Ok(StoredMoments { moments, trace: trace_id })
}

/// The log lines of all functions that name the lead, or one of the traces of its way.
async fn logged_moments(account: &StackAccount, words: &BTreeSet<String>, since: Timestamp) -> Result<Vec<LeadMoment>> {
    let mut words: Vec<String> = words.iter().cloned().collect();
    let mut lines = read_lines(account, &words, since).await?;
    // A line that names the lead also says under which trace the rest was logged.
    let traces: BTreeSet<String> = lines.iter().filter_map(|line| line.trace().map(ToOwned::to_owned)).collect();
    let fresh: Vec<String> = traces.into_iter().filter(|trace| !words.contains(trace)).collect();
    if !fresh.is_empty() {
        words.extend(fresh);
        lines = read_lines(account, &words, since).await?;
    }
    let moment =
        |line: crate::logs::LogLine| LeadMoment { at: line.at, place: line.function.clone(), words: line.in_words() };
    Ok(lines.into_iter().map(moment).collect())
}

async fn read_lines(account: &StackAccount, words: &[String], since: Timestamp) -> Result<Vec<crate::logs::LogLine>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut lines = Vec::new();
    for (function, _) in account.functions() {
        lines.extend(account.log_lines(function, &words, since).await?);
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_named_by_meta_s_id_or_ours() {
        assert_eq!(lead_id("123").unwrap().as_str(), "meta-123");
        assert_eq!(lead_id("meta-123").unwrap().as_str(), "meta-123");
        assert_eq!(lead_id("file-ab12").unwrap().as_str(), "file-ab12");
        for bad in ["", "jane", "int_1", "meta 1"] {
            assert!(lead_id(bad).unwrap_err().is::<UnusableLine>(), "{bad}");
        }
    }
}
