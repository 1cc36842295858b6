//! One lead: the person, their answers, its assignee, and everything that happened to it.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::StatusCode;
use leadwire::admin::leads::{LeadDetails, LeadIn, UNASSIGNED, change, read, status};
use leadwire::admin::proof::trace;
use leadwire::http::Problem;
use leadwire::ids::{LeadId, OrgScope, UserId};
use leadwire::model::lead::assignment::Reason;
use leadwire::model::lead::trace::{Step, StepKind};
use leadwire::model::lead::{Answer, FoundBy, Lead};
use leadwire::model::org::User;
use maud::{Markup, html};

use super::{STATUSES, assignee, name_of, status_badge};
use crate::elements::{badge, going_on, proof, time, watched};
use crate::fields::Fields;
use crate::frame::{Section, page};
use crate::notice::told_at;
use crate::state::Console;
use crate::visitor::{Reader, Visitor};

pub(super) async fn show(
    State(console): State<Console>,
    Reader { visitor, scope, access }: Reader,
    Path(id): Path<String>,
    Query(given): Query<BTreeMap<String, String>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let services = &console.services;
    let details = match read(services, &scope, &id).await {
        Ok(details) => details,
        Err(missing) if missing.status == 404 => {
            let (part, is_known) = on_its_way(&console, &scope, &id).await?;
            if LeadId::parse(&id).is_err() || !is_known && !given.contains_key("awaited") {
                return Err(missing);
            }
            let body = html! {
                (watched(&format!("/leads/{id}/arrival"), &part))
            };
            return Ok(page(&visitor, jar, Section::Leads, "A lead on its way", &body));
        }
        Err(problem) => return Err(problem),
    };
    let lead = &details.lead;
    let users = services.table.users(&scope).await?;
    let steps = trace(services, &scope, lead.id.as_str()).await?.items;
    let body = html! {
        div.columns {
            div {
                section.card {
                    (person(lead))
                    (answers("What they answered", &lead.answers))
                    @if !lead.consents.is_empty() {
                        h3 { "Consents" }
                        ul.plain { @for consent in &lead.consents { li { @if consent.checked { "☑ " } @else { "☐ " } (consent.key) } } }
                    }
                    @if !lead.fields.is_empty() {
                        details { summary { "Fields in the CRM" } dl.rows { @for (field, value) in &lead.fields { div { dt { code { (field) } } dd { (value) } } } } }
                    }
                }
                (later(&details))
                section { h2 { "What happened" } (timeline(&steps, &users)) }
            }
            aside {
                section.card { @if access.is_some() { (acts(&visitor, lead, &users)) } @else { (whose(lead, &users)) } }
                section.card { h2 { "Where it comes from" } (origin(lead)) }
            }
        }
    };
    Ok(page(&visitor, jar, Section::Leads, &name_of(lead), &body))
}

/// Whether an awaited lead has arrived: a fragment of the waiting page, which leads to the lead once it has.
pub(super) async fn arrival(
    State(console): State<Console>,
    Reader { scope, .. }: Reader,
    Path(id): Path<String>,
) -> Result<Markup, Problem> {
    match read(&console.services, &scope, &id).await {
        Ok(_) => Ok(html! { p { a.button href={ "/leads/" (id) } data-go { "It has come" } } }),
        Err(missing) if missing.status == 404 => Ok(on_its_way(&console, &scope, &id).await?.0),
        Err(problem) => Err(problem),
    }
}

/// What is known of a lead that is not stored yet, and whether that is anything. A lead on its way already has a trace.
async fn on_its_way(console: &Console, scope: &OrgScope, id: &str) -> Result<(Markup, bool), Problem> {
    let steps = match trace(&console.services, scope, id).await {
        Ok(trace) => trace.items,
        Err(missing) if missing.status == 404 => Vec::new(),
        Err(problem) => return Err(problem),
    };
    let is_parked = steps.last().is_some_and(|step| step.step == StepKind::Parked);
    let part = html! {
        @if is_parked {
            div.card { p { (badge("bad", "Parked")) " It could not be brought in. " a href="/delivery#parked" { "Try it again" } } }
        } @else {
        (going_on(2))
        div.card { p.waiting { span.spinner aria-hidden="true" {} (badge("calm", "Not in yet")) " This page shows the lead as soon as it comes." } }
        }
        (timeline(&steps, &[]))
    };
    Ok((part, !steps.is_empty()))
}

fn person(lead: &Lead) -> Markup {
    html! {
        dl.rows {
            div { dt { "Status" } dd { (status_badge(lead.status)) @if lead.test { " " (badge("calm", "Test lead")) } } }
            @if let Some(email) = &lead.email { div { dt { "E-mail" } dd.address { (email) } } }
            @if let Some(phone) = &lead.phone { div { dt { "Phone" } dd.address { (phone) } } }
            div { dt { "Sent" } dd { (time(lead.created_time)) } }
            div { dt { "Here since" } dd { (time(lead.passage.stored_at.unwrap_or(lead.received_at))) } }
        }
    }
}

fn answers(title: &str, answers: &[Answer]) -> Markup {
    html! {
        h2 { (title) }
        @if answers.is_empty() { p.quiet { "Nothing." } }
        dl.rows {
            @for answer in answers {
                div { dt { (answer.label) } dd { @if answer.values.is_empty() { span.quiet { "No answer" } } @else { (answer.values.join(", ")) } } }
            }
        }
    }
}

fn later(details: &LeadDetails) -> Markup {
    html! {
        @for submission in &details.submissions {
            section.card {
                p.quiet { "The same person sent " (submission.form_name.as_deref().unwrap_or("another form")) " on " (time(submission.created_time)) "." }
                (answers("Their answers then", &submission.answers))
            }
        }
    }
}

fn whose(lead: &Lead, users: &[User]) -> Markup {
    html! { h2 { "Assigned to" } p { (assignee(lead.assigned_to.as_ref(), users)) } p.quiet { (why(lead)) } }
}

fn acts(visitor: &Visitor, lead: &Lead, users: &[User]) -> Markup {
    let path = format!("/leads/{}", lead.id);
    let assigned = |user: &User| lead.assigned_to.as_ref() == Some(&user.id);
    let gone = lead.assigned_to.as_ref().filter(|id| !users.iter().any(|user| user.id == **id && user.active));
    html! {
        form method="post" action={ (path) "/assign" } {
            (proof(visitor))
            label {
                "Assigned to"
                select name="assigned_to" {
                    option value=(UNASSIGNED) selected[lead.assigned_to.is_none()] { "Nobody" }
                    @for user in users.iter().filter(|user| user.active) { option value=(user.id) selected[assigned(user)] { (user.name) } }
                    @if let Some(id) = gone { option value=(id) selected disabled { (id) " (not active)" } }
                }
            }
            p.quiet { (why(lead)) }
            button { "Reassign" }
        }
        form method="post" action={ (path) "/status" } {
            (proof(visitor))
            label {
                "Status"
                select name="status" { @for (this, value, name) in STATUSES { option value=(value) selected[this == lead.status] { (name) } } }
            }
            button { "Change status" }
        }
    }
}

fn why(lead: &Lead) -> &'static str {
    match lead.assignment.reason {
        Reason::Turn => "It was this person's turn.",
        Reason::Chosen => "The integration gives all its leads to this person.",
        Reason::StrategyUnassigned => "The integration assigns no leads.",
        Reason::NobodyEligible => "Nobody was active and permitted to manage leads.",
        Reason::UserNotEligible => "The chosen person could not get leads when it came.",
        Reason::Manual => "Given by hand.",
        Reason::NotAsked => "It was brought in without being assigned, as asked.",
        Reason::NoIntegration => "Its form is of no connected page.",
        Reason::TestLead => "Test leads are never assigned.",
    }
}

fn origin(lead: &Lead) -> Markup {
    let found = match lead.found_by {
        FoundBy::Webhook => "Meta's webhook",
        FoundBy::Sweep => "The regular comparison with Meta; the webhook missed it",
        FoundBy::Sync => "Sync now",
        FoundBy::Import => "A file",
        FoundBy::Backfill => "A search for earlier leads",
    };
    let named = [
        ("Campaign", &lead.campaign_name, &lead.campaign_id),
        ("Ad set", &lead.adset_name, &lead.adset_id),
        ("Ad", &lead.ad_name, &lead.ad_id),
    ];
    html! {
        dl.rows {
            div { dt { "Came by" } dd { (lead.tags.join(", ")) } }
            @if let Some(page) = &lead.page_name { div { dt { "Page" } dd { (page) } } }
            @if let Some(form) = &lead.form_name {
                div { dt { "Form" } dd { (form) @if let Some(id) = &lead.form_id { " " a href={ "/leads?form_id=" (id) } { "All its leads" } } } }
            }
            @for (what, name, id) in named {
                @if name.is_some() || id.is_some() { div { dt { (what) } dd { (name.as_deref().or(id.as_deref()).unwrap_or_default()) } } }
            }
            div { dt { "Found by" } dd { (found) } }
            @if let Some(id) = &lead.leadgen_id { div { dt { "Meta's id" } dd { code { (id) } } } }
        }
    }
}

/// Replaces the directory's ids in a sentence with the people's names.
fn with_names(text: &str, users: &[User]) -> String {
    let named = |word: &str| {
        let bare = word.trim_end_matches(['.', ',']);
        let bare = bare.strip_suffix("'s").unwrap_or(bare);
        let user = users.iter().find(|user| user.id.as_str() == bare)?;
        Some(word.replacen(bare, &user.name, 1))
    };
    let words: Vec<String> = text.split(' ').map(|word| named(word).unwrap_or_else(|| word.to_owned())).collect();
    words.join(" ")
}

fn timeline(steps: &[Step], users: &[User]) -> Markup {
    html! {
        ol.timeline {
            @for step in steps {
                li class=[matches!(step.step, StepKind::Tried | StepKind::Parked).then_some("bad")] {
                    b { (word(step.step)) } " " span.quiet { (time(step.at)) }
                    p { (with_names(&step.detail, users)) }
                }
            }
        }
    }
}

fn word(step: StepKind) -> &'static str {
    match step {
        StepKind::Received => "Received",
        StepKind::Tried => "Tried",
        StepKind::Parked => "Parked",
        StepKind::Replayed => "Tried again by hand",
        StepKind::Fetched => "Fetched from Meta",
        StepKind::Mapped => "Read",
        StepKind::Deduplicated => "Compared with known people",
        StepKind::Assigned => "Assigned",
        StepKind::Published => "Told to the CRM",
        StepKind::Joined => "Sent another form",
        StepKind::Reassigned => "Reassigned",
        StepKind::StatusChanged => "Status changed",
        StepKind::MappedAgain => "Read anew",
    }
}

pub(super) async fn assign(
    State(console): State<Console>,
    reader: Reader,
    Path(id): Path<String>,
    jar: PrivateCookieJar,
    fields: Fields,
) -> Result<Response, Problem> {
    let act = async |access| {
        let unknown = || Problem::field("assigned_to", "user_unknown", "Choose one of the org's people.");
        // Browsers omit a disabled option: an absent field is no request to unassign the lead.
        let chosen = fields.get("assigned_to").ok_or_else(unknown)?;
        let to = (chosen != UNASSIGNED).then(|| UserId::parse(chosen)).transpose().map_err(|_| unknown())?;
        let given = LeadIn { assigned_to: Some(to.clone()), status: None };
        change(&console.services, access, &id, given).await?;
        Ok(if to.is_some() { "Reassigned.".to_owned() } else { "Nobody has this lead now.".to_owned() })
    };
    Ok(told_at(&format!("/leads/{id}"), jar, act(reader.access.as_ref().ok_or_else(only_to_see)?).await))
}

pub(super) async fn change_status(
    State(console): State<Console>,
    reader: Reader,
    Path(id): Path<String>,
    jar: PrivateCookieJar,
    fields: Fields,
) -> Result<Response, Problem> {
    let act = async |access| {
        let given = LeadIn { assigned_to: None, status: Some(status(fields.get("status").unwrap_or_default())?) };
        change(&console.services, access, &id, given).await?;
        Ok("Status changed.".to_owned())
    };
    Ok(told_at(&format!("/leads/{id}"), jar, act(reader.access.as_ref().ok_or_else(only_to_see)?).await))
}

/// The rejection for colleagues who can see leads here and work on them in the CRM.
fn only_to_see() -> Problem {
    let detail = "You can see leads here. Changing them needs the role admin or moderator.";
    Problem::new(StatusCode::FORBIDDEN, "leads_are_to_see", detail)
}
