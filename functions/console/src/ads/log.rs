//! The sync log: what was synced for which account, what changed, what failed, and what to do about it.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::ads::syncs::{ObjectOut, SyncOut, SyncStatus};
use leadwire::http::Problem;
use leadwire::model::ads::account::AdAccountState;
use leadwire::model::ads::sync::{Cause, ObjectType, SyncState};
use maud::{Markup, html};

use super::{state_of, tabs};
use crate::components::{ago, badge, count, empty, live_fragment, plural, refresh_in, time};
use crate::layout::{Section, page};
use crate::request::{ListQuery, wants_fragment};
use crate::session::Admin;
use crate::state::Console;

/// Syncs in the log.
const MAX_SYNCS: usize = 30;
/// Syncs on the page of one account.
pub(super) const MAX_ACCOUNT_SYNCS: usize = 5;

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let most = if query.get("latest").is_some() { MAX_ACCOUNT_SYNCS } else { MAX_SYNCS };
    let status = console.ads.sync_status(&access, &query.accounts()?, None, most).await?;
    let part = html! { (by_account(&status)) @if !status.items.is_empty() { section { h2 { "Latest syncs" } (list(&status)) } } };
    if wants_fragment(&headers) {
        return Ok(part.into_response());
    }
    let body = html! {
        (tabs("/ads/log"))
        p.quiet { "Accounts are synced every 15 minutes, and immediately after they are linked." }
        (live_fragment(&query.at("/ads/log", &[]), &part))
    };
    Ok(page(&visitor, jar, Section::Ads, "Sync log", &body))
}

/// Seconds until the list is worth reloading, or `None` if no sync is in progress.
pub(super) fn refresh_delay(status: &SyncStatus) -> Option<u32> {
    let seconds = |sync: &SyncOut| match sync.state {
        SyncState::Queued | SyncState::Running => Some(2),
        SyncState::Waiting => Some(30),
        SyncState::Done | SyncState::Failed | SyncState::Stopped => None,
    };
    status.items.iter().filter_map(seconds).min()
}

/// One row for each account, those with trouble first.
fn by_account(status: &SyncStatus) -> Markup {
    let mut accounts: Vec<&AdAccountOut> = status.accounts.iter().collect();
    let rank = |account: &AdAccountOut| match account.state {
        AdAccountState::Error => 0,
        _ if account.waiting_until.is_some() => 1,
        AdAccountState::Configuring | AdAccountState::Importing => 2,
        AdAccountState::Ready => 3,
        AdAccountState::Paused => 4,
    };
    accounts.sort_by_key(|account| (rank(account), account.label.to_lowercase()));
    html! {
        @if accounts.is_empty() {
            (empty("No ad accounts yet", html! { a href="/ads/accounts/new" { "Link an ad account" } " to see what its ads cost and achieve." }))
        } @else {
            div.card.flush {
                table {
                    thead { tr { th { "Account" } th { "State" } th { "Last sync" } th { "Days since" } th { "What to do" } } }
                    tbody {
                        @for account in accounts {
                            tr {
                                td data-label="Account" { a href={ "/ads/accounts/" (account.id) } { (account.label) } div.quiet { (account.client.name) } }
                                td data-label="State" { (state_of(account)) }
                                td data-label="Last sync" { @match account.last_sync_at { Some(at) => (ago(at)), None => span.quiet { "Not yet" } } }
                                td data-label="Days since" { @match account.imported_since { Some(day) => (day), None => span.quiet { "Importing" } } }
                                td data-label="What to do" {
                                    @match account.reason_message {
                                        None => span.quiet { "Nothing" },
                                        Some(message) => { (message) " " (account.fix.unwrap_or_default()) },
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Whether a sync is worth a card of its own: it is in progress, failed, or changed something.
fn is_telling(sync: &SyncOut) -> bool {
    sync.state != SyncState::Done || sync.objects.iter().any(|object| object.changed > 0 || !object.errors.is_empty())
}

/// The syncs, newest first. Those that changed nothing are only counted.
pub(super) fn list(status: &SyncStatus) -> Markup {
    let label = |sync: &SyncOut| {
        let account = status.accounts.iter().find(|account| account.id == sync.account_id);
        account.map_or_else(|| sync.account_id.to_string(), |account| account.label.clone())
    };
    html! {
        @if let Some(seconds) = refresh_delay(status) { (refresh_in(seconds)) }
        @if status.items.is_empty() {
            (empty("No syncs yet", html! { "Accounts are synced every 15 minutes, and immediately after they are linked." }))
        }
        @for sync in status.items.iter().filter(|sync| is_telling(sync)) { (sync_card(sync, &label(sync))) }
        @let silent = status.items.iter().filter(|sync| !is_telling(sync)).count();
        @if silent > 0 { p.quiet { (plural(silent, "sync")) " found nothing changed." } }
    }
}

fn sync_card(sync: &SyncOut, label: &str) -> Markup {
    let (kind, state) = match sync.state {
        SyncState::Queued => ("calm", "Queued"),
        SyncState::Running => ("calm", "Syncing"),
        SyncState::Waiting => ("warn", "Waiting for Meta"),
        SyncState::Done => ("good", "Done"),
        SyncState::Failed => ("bad", "Failed"),
        SyncState::Stopped => ("dim", "Stopped"),
    };
    let cause = match sync.cause {
        Cause::Schedule => "by schedule",
        Cause::Import => "first import",
        Cause::Request => "requested",
    };
    let changed: u64 = sync.objects.iter().map(|object| object.changed).sum();
    let failed = sync.objects.iter().any(|object| !object.errors.is_empty());
    html! {
        details.card.reading open[sync.state == SyncState::Failed] data-key={ (sync.run_id) (sync.account_id) } {
            summary {
                (badge(kind, state)) " " b { (label) } " " span.quiet { (time(sync.asked_at)) ", " (cause) ", days from " (sync.since) }
                " " span { (count(changed)) " changed" } @if failed { " " (badge("warn", "With errors")) }
            }
            @if let Some(message) = sync.reason_message { p.wrong { (message) } p.fix { b { "What to do: " } (sync.fix.unwrap_or_default()) } }
            @if let Some(evidence) = &sync.evidence { p.quiet { (evidence) } }
            @if let Some(until) = sync.waiting_until { p { "Meta is limiting this account until " (time(until)) ". The sync continues automatically." } }
            @if sync.objects.is_empty() { p.quiet { "Nothing has been synced yet." } }
            @else { (objects(&sync.objects)) }
        }
    }
}

fn objects(objects: &[ObjectOut]) -> Markup {
    html! {
        table {
            thead { tr { th { "What" } th.number { "Read" } th.number { "Changed" } th.number { "Restated" } th.number { "Failed" } th.number { "Calls" } } }
            tbody {
                @for object in objects {
                    tr {
                        td data-label="What" { (name(object.object_type)) }
                        td.number data-label="Read" { (count(object.read)) }
                        td.number data-label="Changed" { (count(object.changed)) }
                        td.number data-label="Restated" { (count(object.restated)) }
                        td.number data-label="Failed" { (count(object.failed)) }
                        td.number data-label="Calls" { (count(object.calls)) }
                    }
                }
            }
        }
        @for object in objects {
            @for error in &object.errors {
                p.wrong { (name(object.object_type)) ": " (error.message) }
                p.fix { b { "What to do: " } (error.fix) " " span.quiet { (error.evidence) } }
            }
        }
    }
}

fn name(kind: ObjectType) -> &'static str {
    match kind {
        ObjectType::Campaigns => "Campaigns",
        ObjectType::Adsets => "Ad sets",
        ObjectType::Ads => "Ads",
        ObjectType::AccountInsights => "Account insights",
        ObjectType::AdInsights => "Ad insights",
    }
}
