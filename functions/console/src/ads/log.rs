//! The sync log: what was synced for which account, what changed, what failed, and what to do about it.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::ads::syncs::{ObjectOut, SyncOut, SyncStatus};
use leadwire::http::Problem;
use leadwire::language::date;
use leadwire::model::ads::account::AdAccountState;
use leadwire::model::ads::sync::{Cause, ObjectType, SyncState};
use leadwire::tr;
use maud::{Markup, html};

use super::{head, state_of};
use crate::actor::Admin;
use crate::components::{Tone, ago, badge, count, empty, live_fragment, refresh_in, time, with_markup};
use crate::layout::{Section, page};
use crate::request::{ListQuery, wants_fragment};
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
    let status = console.rooms.ads.sync_status(&access, &query.accounts()?, None, most).await?;
    let part = html! { (by_account(&status)) @if !status.items.is_empty() { section { h2 { (tr!("Latest syncs")) } (list(&status)) } } };
    if wants_fragment(&headers) {
        return Ok(part.into_response());
    }
    let body = html! {
        (live_fragment(&query.at("/ads/log", &[]), &part))
    };
    let about = tr!("Accounts are synced every 15 minutes, and immediately after they are linked.");
    let title = tr!("Ads");
    Ok(page(&visitor, jar, Section::Ads, head(&title, "/ads/log").about(html! { (about) }), &body))
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
            (empty(&tr!("No ad accounts yet"), with_markup(
                &tr!("{link} to see what its ads cost and achieve."),
                &[("link", html! { a href="/ads/accounts/new" { (tr!("at the start of a sentence" => "Link an ad account")) } })],
            )))
        } @else {
            div.card.flush {
                table {
                    thead { tr { th { (tr!("Account")) } th { (tr!("Status")) } th { (tr!("Last sync")) } th { (tr!("Data since")) } th { (tr!("What to do")) } } }
                    tbody {
                        @for account in accounts {
                            tr {
                                td data-label=(tr!("Account")) { a href={ "/ads/accounts/" (account.id) } { (account.label) } div.quiet { (account.client.name) } }
                                td data-label=(tr!("Status")) { (state_of(account)) }
                                td data-label=(tr!("Last sync")) { @match account.last_sync_at { Some(at) => (ago(at)), None => span.quiet { (tr!("Not yet")) } } }
                                td data-label=(tr!("Data since")) { @match account.imported_since { Some(day) => (date(day)), None => span.quiet { (tr!("Importing")) } } }
                                td data-label=(tr!("What to do")) {
                                    @match &account.reason_message {
                                        None => span.quiet { "–" },
                                        Some(message) => { (message) " " (account.fix.as_deref().unwrap_or_default()) },
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
            (empty(&tr!("No syncs yet"), html! { (tr!("Accounts are synced every 15 minutes, and immediately after they are linked.")) }))
        }
        @for sync in status.items.iter().filter(|sync| is_telling(sync)) { (sync_card(sync, &label(sync))) }
        @let silent = status.items.iter().filter(|sync| !is_telling(sync)).count();
        @if silent > 0 { p.quiet { (tr!([silent] "{n} sync found nothing changed." | "{n} syncs found nothing changed.")) } }
    }
}

fn sync_card(sync: &SyncOut, label: &str) -> Markup {
    let (tone, state) = match sync.state {
        SyncState::Queued => (Tone::Calm, tr!("Queued")),
        SyncState::Running => (Tone::Calm, tr!("Syncing")),
        SyncState::Waiting => (Tone::Warn, tr!("Waiting for Meta")),
        SyncState::Done => (Tone::Good, tr!("Done")),
        SyncState::Failed => (Tone::Bad, tr!("Failed")),
        SyncState::Stopped => (Tone::Dim, tr!("Stopped")),
    };
    let cause = match sync.cause {
        Cause::Schedule => tr!("by schedule"),
        Cause::Import => tr!("first import"),
        Cause::Request => tr!("requested"),
    };
    let changed: u64 = sync.objects.iter().map(|object| object.changed).sum();
    let failed = sync.objects.iter().any(|object| !object.errors.is_empty());
    html! {
        details.card.reading open[sync.state == SyncState::Failed] data-key={ (sync.run_id) (sync.account_id) } {
            summary {
                (badge(tone, &state)) " " b { (label) } " " span.quiet {
                    (with_markup(
                        &tr!("{time}, {cause}, days from {day}"),
                        &[("time", time(sync.asked_at)), ("cause", html! { (cause) }), ("day", html! { (date(sync.since)) })],
                    ))
                }
                span.quiet { " · " (tr!("{number} changed", number = count(changed))) } @if failed { " " (badge(Tone::Warn, &tr!("With errors"))) }
            }
            @if let Some(message) = &sync.reason_message { p.wrong { (message) } p.fix { b { (tr!("What to do:")) " " } (sync.fix.as_deref().unwrap_or_default()) } }
            @if let Some(evidence) = &sync.evidence { p.quiet { (evidence) } }
            @if let Some(until) = sync.waiting_until { p { (with_markup(&tr!("Meta is limiting this account until {time}. The sync continues automatically."), &[("time", time(until))])) } }
            @if sync.objects.is_empty() { p.quiet { (tr!("Nothing has been synced yet.")) } }
            @else { (objects(&sync.objects)) }
        }
    }
}

fn objects(objects: &[ObjectOut]) -> Markup {
    html! {
        table {
            thead { tr { th { (tr!("What")) } th.number { (tr!("Read")) } th.number { (tr!("Changed")) } th.number { (tr!("Corrected by Meta")) } th.number { (tr!("Failed")) } th.number { (tr!("Calls")) } } }
            tbody {
                @for object in objects {
                    tr {
                        td data-label=(tr!("What")) { (name(object.object_type)) }
                        td.number data-label=(tr!("Read")) { (count(object.read)) }
                        td.number data-label=(tr!("Changed")) { (count(object.changed)) }
                        td.number data-label=(tr!("Corrected by Meta")) { (count(object.restated)) }
                        td.number data-label=(tr!("Failed")) { (count(object.failed)) }
                        td.number data-label=(tr!("Calls")) { (count(object.calls)) }
                    }
                }
            }
        }
        @for object in objects {
            @for error in &object.errors {
                p.wrong { (name(object.object_type)) ": " (error.message) }
                p.fix { b { (tr!("What to do:")) " " } (error.fix) " " span.quiet { (error.evidence) } }
            }
        }
    }
}

fn name(kind: ObjectType) -> Cow<'static, str> {
    match kind {
        ObjectType::Campaigns => tr!("Campaigns"),
        ObjectType::Adsets => tr!("Ad sets"),
        ObjectType::Ads => tr!("Ads"),
        ObjectType::AccountInsights => tr!("Account insights"),
        ObjectType::AdInsights => tr!("Ad insights"),
    }
}
