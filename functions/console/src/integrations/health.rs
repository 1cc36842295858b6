//! The first tab of an integration: its connection, and its health as Meta reports it now.

use std::borrow::Cow;
use std::collections::BTreeSet;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::connections::{ConnectionOut, Health, IntegrationOut, PageList};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;
use leadwire::model::connection::check::{Check, CheckId, CheckStatus};
use leadwire::model::connection::state::TokenKind;
use leadwire::tr;
use maud::{Markup, html};
use serde::Deserialize;

use super::reconnect;
use super::settings::token_path;
use super::tabs::Tab;
use crate::actor::Admin;
use crate::components::{Tone, alert, badge, csrf_field, lazy_fragment, prose, time, time_or, with_markup};
use crate::request::wants_fragment;
use crate::session::Visitor;
use crate::state::Console;

/// What a login at Meta that was not finished leads back with.
#[derive(Deserialize)]
pub(super) struct Unfinished {
    /// After a login of another account: the pages that would be lost.
    other: Option<String>,
}

pub(super) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Id(id): Id<IntegrationId>,
    Query(query): Query<Unfinished>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let pages = async {
        match &query.other {
            Some(_) => console.rooms.connections.pages(&access, &id).await.map(Some),
            None => Ok(None),
        }
    };
    let (integration, pages) = tokio::try_join!(console.rooms.connections.integration(&access, &id), pages)?;
    let checks = format!("{}/health", Tab::Health.path(&id));
    let body = html! {
        @if let Some((lost, pages)) = query.other.as_deref().zip(pages.as_ref()) { (other_account(&visitor, &integration, pages, lost)) }
        section #health {
            h2.hidden { (tr!("Health")) }
            div.card { (lazy_fragment(&checks, &tr!("Checking token, permissions, subscriptions and forms with Meta…"))) }
        }
        (connection(&visitor, &integration))
    };
    Ok(Tab::Health.page(&visitor, jar, &integration, &body))
}

fn connection(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    html! {
        div.card {
            dl.facts {
                div { dt { (tr!("Last new lead")) } dd { (time_or(integration.last_sync_at, &tr!("None yet"))) } }
                div { dt { (tr!("Expires")) } dd { (time_or(integration.expires_at, &tr!("Never"))) } }
                div { dt { (tr!("Connected through")) } dd { @match integration.token_kind { TokenKind::User => (tr!("Facebook login")), TokenKind::SystemUser => (tr!("A system user's token")) } } }
                div { dt { (tr!("Last checked")) } dd { (time_or(integration.checked_at, &tr!("Not yet"))) } }
            }
            @if integration.reason_message.is_none() {
                @match integration.token_kind {
                    TokenKind::User => div.acts { (reconnect_calmly(visitor, integration)) span.quiet { (tr!("Reconnecting keeps settings, history and leads. Add or remove pages at Facebook.")) } },
                    TokenKind::SystemUser => div.acts { a.button href=(token_path(&integration.id)) { (tr!("Replace the token")) } span.quiet { (tr!("Replacing it keeps settings, history and leads. Assign pages to the system user in Meta Business settings first.")) } },
                }
            }
        }
    }
}

/// Asks before another account takes the place of the connected one.
fn other_account(visitor: &Visitor, integration: &IntegrationOut, pages: &PageList, lost: &str) -> Markup {
    // The address is anyone's to write, so it only selects from the integration's own pages.
    let lost: Vec<&str> = lost.split(',').collect();
    let lost: Vec<&ConnectionOut> = pages.items.iter().filter(|page| lost.contains(&page.page_id.as_str())).collect();
    html! {
        (alert(Tone::Warn, html! {
            h2 { (tr!("This was another account")) }
            @match integration.token_kind {
                TokenKind::User => p { (tr!("You logged in at Facebook as a different person from the one who connected “{name}”. Nothing was changed.", name = integration.name)) },
                TokenKind::SystemUser => p { (tr!("“{name}” uses a system user's token, which can last forever. A person's login ends after 60 days. Nothing was changed.", name = integration.name)) },
            }
            @if !lost.is_empty() {
                p { (tr!("If this account takes its place, leads from these pages stop:")) }
                ul { @for page in &lost { li { (page.page_name) } } }
            }
            p { (tr!("To keep both, connect the other account as an integration of its own.")) }
            div.acts {
                (reconnect(visitor, integration))
                form method="post" action={ "/integrations/" (integration.id) "/reconnect" } {
                    (csrf_field(visitor))
                    input type="hidden" name="replace" value="yes";
                    button.danger { (tr!("Replace the account")) }
                }
            }
        }))
    }
}

fn reconnect_calmly(visitor: &Visitor, integration: &IntegrationOut) -> Markup {
    html! { form method="post" action={ "/integrations/" (integration.id) "/reconnect" } { (csrf_field(visitor)) button { (tr!("Reconnect")) } } }
}

/// The checks, which call Meta: a fragment for the script, otherwise the tab with them.
pub(super) async fn checks(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Id(id): Id<IntegrationId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (health, person) = tokio::join!(
        console.rooms.connections.health(&access, &id),
        console.rooms.connections.connected_person(&access, &id)
    );
    // The report says itself that a secret cannot be read.
    let (health, person) = (health?, person.ok().flatten());
    let part = html! {
        (summary(&health))
        @if let Some(name) = person { p { (with_markup(&tr!("Connected at Meta as {name}."), &[("name", html! { b { (name) } })])) } }
        (checklist(&health.items))
    };
    if wants_fragment(&headers) {
        return Ok(part.into_response());
    }
    let integration = console.rooms.connections.integration(&access, &id).await?;
    Ok(Tab::Health.page(&visitor, jar, &integration, &html! { div.card { (part) } }))
}

fn summary(health: &Health) -> Markup {
    let failed = health.items.iter().filter(|check| check.status == CheckStatus::Fail).count();
    let is_unseen = |check: &&Check| check.status == CheckStatus::Unknown && check.id.is_asked_of_meta();
    let unseen = health.items.iter().filter(is_unseen).count();
    let arrivals = health.items.iter().filter(|check| matches!(check.id, CheckId::LastWebhook | CheckId::LastLead));
    let silent = arrivals.flat_map(|check| &check.page_ids).collect::<BTreeSet<_>>().len();
    html! {
        p {
            @if failed > 0 { b.wrong { (tr!([failed] "{n} check failed." | "{n} checks failed.")) } }
            @else if unseen > 0 {
                (badge(Tone::Warn, &tr!("Incomplete"))) " "
                (tr!([unseen] "{n} check could not be completed: leads may be blocked." | "{n} checks could not be completed: leads may be blocked."))
            }
            @else if silent > 0 {
                (badge(Tone::Warn, &tr!("Needs attention"))) " "
                (tr!([silent] "No check failed, but leads or webhooks of {n} page are missing." | "No check failed, but leads or webhooks of {n} pages are missing."))
            }
            @else { (badge(Tone::Good, &tr!("Healthy"))) " " (tr!("Nothing blocks leads.")) }
            " " span.quiet { (with_markup(&tr!("Checked with Meta on {time}."), &[("time", time(health.checked_at))])) }
        }
    }
}

/// The checks that failed, those of which nothing is known, and the others, which are folded while one has failed.
fn checklist(checks: &[Check]) -> Markup {
    let of_status = |status| checks.iter().filter(move |check| check.status == status);
    let failed = of_status(CheckStatus::Fail).count();
    let passed = of_status(CheckStatus::Pass).count();
    html! {
        @if passed < checks.len() {
            ul.checks {
                @for check in of_status(CheckStatus::Fail).chain(of_status(CheckStatus::Unknown)) { (line(check)) }
            }
        }
        @if passed > 0 {
            details open[failed == 0] {
                summary { (tr!([passed] "{n} check passed" | "{n} checks passed")) }
                ul.passed { @for check in of_status(CheckStatus::Pass) { li { b { (name(check.id)) } p.quiet { (prose(&check.evidence)) } } } }
            }
        }
    }
}

fn line(check: &Check) -> Markup {
    let (tone, status) = match check.status {
        CheckStatus::Pass => (Tone::Good, tr!("Passed")),
        CheckStatus::Fail => (Tone::Bad, tr!("Failed")),
        CheckStatus::Unknown => (Tone::Calm, tr!("Unknown")),
    };
    html! {
        li {
            (badge(tone, &status))
            div {
                b { (name(check.id)) }
                p { (prose(&check.evidence)) }
                @if let Some(fix) = &check.fix { p.fix { b { (tr!("What to do:")) " " } (prose(fix)) } }
                @if check.id == CheckId::Backlog && check.status == CheckStatus::Fail { p { a href="/delivery" { (tr!("Open Delivery")) } } }
            }
        }
    }
}

fn name(id: CheckId) -> Cow<'static, str> {
    match id {
        CheckId::Token => tr!("Access token"),
        CheckId::Scopes => tr!("Permissions"),
        CheckId::PageTasks => tr!("Page tasks"),
        CheckId::Subscription => tr!("Webhook subscription"),
        CheckId::LeadAccess => "Leads Access Manager".into(),
        CheckId::Forms => tr!("Forms"),
        CheckId::LastWebhook => tr!("Last webhook"),
        CheckId::LastLead => tr!("Last lead"),
        CheckId::AppMode => tr!("App mode"),
        CheckId::Backlog => tr!("Backlog"),
        CheckId::Whatsapp => "WhatsApp".into(),
    }
}

#[cfg(test)]
mod tests {
    use leadwire::ids::PageId;

    use super::*;

    #[test]
    fn no_integration_is_healthy_while_leads_or_webhooks_of_a_page_are_missing() {
        let page = |id: &str| vec![PageId::parse(id).unwrap()];
        let check = |id, page_ids| Check {
            id,
            status: CheckStatus::Unknown,
            evidence: "Seen.".to_owned(),
            fix: None,
            page_ids,
        };
        let shown = |webhook, lead| {
            let items = vec![check(CheckId::LastWebhook, webhook), check(CheckId::LastLead, lead)];
            let checked_at = jiff::Timestamp::UNIX_EPOCH;
            summary(&Health { status: CheckStatus::Pass, checked_at, items, next_cursor: None }).into_string()
        };
        assert!(shown(vec![], vec![]).contains("Healthy"));
        for (webhook, lead, words) in [
            (page("1"), vec![], "1 page are missing"),
            (vec![], page("1"), "1 page are missing"),
            (page("1"), page("1"), "1 page are missing"),
            (page("1"), page("2"), "2 pages are missing"),
        ] {
            let shown = shown(webhook, lead);
            assert!(shown.contains(words) && !shown.contains("Healthy"), "{words}: {shown}");
        }
    }

    #[test]
    fn what_passed_is_folded_while_a_check_has_failed() {
        let check = |id, status| Check { id, status, evidence: "Seen.".to_owned(), fix: None, page_ids: vec![] };
        let token = check(CheckId::Token, CheckStatus::Pass);
        let unknown = check(CheckId::AppMode, CheckStatus::Unknown);
        let shown = checklist(&[token.clone(), unknown.clone()]).into_string();
        assert!(shown.contains("<details open><summary>1 check passed</summary>"), "{shown}");
        let failed = check(CheckId::Forms, CheckStatus::Fail);
        let shown = checklist(&[token, unknown, failed]).into_string();
        assert!(shown.contains("<details><summary>"), "{shown}");
        let (before, after) = shown.split_once(">Forms<").unwrap();
        assert!(!before.contains("App mode") && after.contains("App mode"), "{shown}");
    }
}
