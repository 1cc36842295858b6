//! One lead: the person, their answers, its assignee, and everything that happened to it.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::directory::Access;
use leadwire::error::ErrorCode;
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::{LeadId, OrgScope};
use leadwire::leads::{LeadDetails, LeadIn};
use leadwire::model::failure::FailureCode;
use leadwire::model::lead::assignment::Reason;
use leadwire::model::lead::query::Assignee;
use leadwire::model::lead::trace::{Step, StepKind};
use leadwire::model::lead::{Answer, FoundBy, Lead};
use leadwire::model::org::User;
use maud::{Markup, html};

use super::erasure::erasure_form;
use super::notes::{self, RefusedNotes};
use super::{STATUSES, assignee, name_of, status_badge};
use crate::components::{badge, csrf_field, live_fragment, refresh_in, time};
use crate::flash::redirect_with;
use crate::form::Fields;
use crate::layout::{Section, page};
use crate::session::{LeadReader, Visitor};
use crate::state::Console;

pub(super) async fn show(
    State(console): State<Console>,
    reader: LeadReader,
    Id(id): Id<LeadId>,
    Query(query): Query<BTreeMap<String, String>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let LeadReader { visitor, scope, .. } = &reader;
    match console.leads.get(scope, &id).await {
        Ok(details) => render(&console, &reader, &details, None, jar).await,
        Err(missing) if missing.code() == ErrorCode::NotFound => {
            let (part, Pending { is_known, is_over }) = pending_lead(&console, scope, &id).await?;
            if !is_known && !query.contains_key("awaited") {
                return Err(missing.into());
            }
            let title = if is_over { "This lead could not be imported" } else { "A lead on its way" };
            let body = html! {
                (live_fragment(&format!("/leads/{id}/arrival"), &part))
            };
            Ok(page(visitor, jar, Section::Leads, title, &body))
        }
        Err(error) => Err(error.into()),
    }
}

/// The page of a lead, after a mistake with what was typed.
pub(super) async fn render(
    console: &Console,
    LeadReader { visitor, scope, access }: &LeadReader,
    details: &LeadDetails,
    refused: Option<&RefusedNotes<'_>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let lead = &details.lead;
    let users = console.directory.users(scope).await?;
    let steps = console.leads.trace(scope, &lead.id).await?.items;
    let body = html! {
        div.columns {
            div {
                section.card {
                    (person(lead))
                    (answers("Answers", &lead.answers))
                    @if !lead.consents.is_empty() {
                        h3 { "Consents" }
                        ul.plain { @for consent in &lead.consents { li { @if consent.checked { "☑ " } @else { "☐ " } (consent.key) } } }
                    }
                    @if !lead.fields.is_empty() {
                        details { summary { "Fields in the CRM" } dl.rows { @for (field, value) in &lead.fields { div { dt { code { (field) } } dd { (value) } } } } }
                    }
                }
                (later_submissions(details))
                section { h2 { "History" } (timeline(&steps, &users)) }
            }
            aside {
                section.card { @if access.is_some() { (acts(visitor, lead, &users)) } @else { (assignment(lead, &users)) } }
                @if access.is_some() { (notes::card(visitor, lead, refused)) } @else { (notes::read_only_card(lead)) }
                (notes::reports_card(&steps))
                section.card { h2 { "Origin" } (origin(lead)) }
                @if visitor.is_admin() && visitor.has_meta() { section.card { (erasure_form(visitor, lead)) } }
            }
        }
    };
    Ok(page(visitor, jar, Section::Leads, &name_of(lead), &body))
}

/// Whether an awaited lead has arrived: a fragment of the waiting page, which leads to the lead once it has.
pub(super) async fn arrival(
    State(console): State<Console>,
    LeadReader { scope, .. }: LeadReader,
    Id(id): Id<LeadId>,
) -> Result<Markup, Problem> {
    match console.leads.get(&scope, &id).await {
        Ok(_) => Ok(html! { p { a.button href={ "/leads/" (id) } data-go { "View the lead" } } }),
        Err(missing) if missing.code() == ErrorCode::NotFound => Ok(pending_lead(&console, &scope, &id).await?.0),
        Err(error) => Err(error.into()),
    }
}

/// A lead that is not stored yet.
struct Pending {
    /// Whether anything is known of it. A lead on its way already has a trace.
    is_known: bool,
    /// Whether it is not on its way any more: it is parked, or dismissed.
    is_over: bool,
}

/// What is known of a lead that is not stored yet.
async fn pending_lead(console: &Console, scope: &OrgScope, id: &LeadId) -> Result<(Markup, Pending), Problem> {
    let steps = match console.leads.trace(scope, id).await {
        Ok(trace) => trace.items,
        Err(missing) if missing.code() == ErrorCode::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let last = steps.last().map(|step| step.step);
    let part = html! {
        @if last == Some(StepKind::Dismissed) {
            div.card { p { (badge("dim", "Dismissed")) " It could not be imported, and is not tried again." } }
        } @else if last == Some(StepKind::Parked) {
            div.card { p { (badge("bad", "Parked")) " It could not be imported. " a href="/delivery#parked" { "Try again" } } }
        } @else {
        (refresh_in(2))
        div.card { p.waiting { span.spinner aria-hidden="true" {} (badge("calm", "On its way")) " This page shows the lead as soon as it arrives." } }
        }
        (timeline(&steps, &[]))
    };
    let is_over = matches!(last, Some(StepKind::Dismissed | StepKind::Parked));
    Ok((part, Pending { is_known: !steps.is_empty(), is_over }))
}

fn person(lead: &Lead) -> Markup {
    html! {
        dl.rows {
            div { dt { "Status" } dd { (status_badge(lead.status)) @if lead.test { " " (badge("calm", "Test lead")) } } }
            @if let Some(email) = &lead.email { div { dt { "E-mail" } dd.address { a href={ "mailto:" (email) } { (email) } } } }
            @if let Some(phone) = &lead.phone { div { dt { "Phone" } dd.address { a href={ "tel:" (phone) } { (phone) } } } }
            div { dt { "Submitted" } dd { (time(lead.created_time)) } }
            div { dt { "In the CRM since" } dd { (time(lead.provenance.stored_at.unwrap_or(lead.received_at))) } }
        }
    }
}

fn answers(title: &str, answers: &[Answer]) -> Markup {
    html! {
        h2 { (title) }
        @if answers.is_empty() { p.quiet { "No answers." } }
        dl.rows {
            @for answer in answers {
                div { dt { (answer.label) } dd { @if answer.values.is_empty() { span.quiet { "No answer" } } @else { span.text { (answer.values.join(", ")) } } } }
            }
        }
    }
}

fn later_submissions(details: &LeadDetails) -> Markup {
    html! {
        @for submission in &details.submissions {
            section.card {
                p.quiet { "The same person submitted " (submission.form_name.as_deref().unwrap_or("another form")) " on " (time(submission.created_time)) "." }
                (answers("Answers in that form", &submission.answers))
            }
        }
    }
}

fn assignment(lead: &Lead, users: &[User]) -> Markup {
    html! { h2 { "Assigned to" } p { (assignee(lead.assigned_to.as_ref(), users)) } p.quiet { (assignment_reason(lead)) } }
}

fn acts(visitor: &Visitor, lead: &Lead, users: &[User]) -> Markup {
    let path = format!("/leads/{}", lead.id);
    let assigned = |user: &User| lead.assigned_to.as_ref() == Some(&user.id);
    let inactive_assignee =
        lead.assigned_to.as_ref().filter(|id| !users.iter().any(|user| user.id == **id && user.active));
    html! {
        form method="post" action={ (path) "/assign" } {
            (csrf_field(visitor))
            label {
                "Assigned to"
                select name="assigned_to" {
                    option value=(Assignee::UNASSIGNED) selected[lead.assigned_to.is_none()] { "Unassigned" }
                    @for user in users.iter().filter(|user| user.active) { option value=(user.id) selected[assigned(user)] { (user.name) } }
                    @if let Some(id) = inactive_assignee { option value=(id) selected disabled { (id) " (not active)" } }
                }
            }
            p.quiet { (assignment_reason(lead)) }
            button { "Reassign" }
        }
        form method="post" action={ (path) "/status" } {
            (csrf_field(visitor))
            label {
                "Status"
                select name="status" { @for (this, value, name) in STATUSES { option value=(value) selected[this == lead.status] { (name) } } }
            }
            button { "Change status" }
        }
    }
}

fn assignment_reason(lead: &Lead) -> &'static str {
    match lead.assignment.reason {
        Reason::Turn => "It was this person's turn.",
        Reason::Chosen => "The integration assigns all its leads to this person.",
        Reason::StrategyUnassigned => "The integration assigns no leads.",
        Reason::NobodyEligible => "No active user was permitted to manage leads.",
        Reason::UserNotEligible => "The chosen person could not receive leads when this one arrived.",
        Reason::Manual => "Assigned manually.",
        Reason::NotAsked => "It was imported without assignment, as requested.",
        Reason::NoIntegration => "Its form does not belong to a connected page.",
        Reason::TestLead => "Test leads are never assigned.",
    }
}

fn origin(lead: &Lead) -> Markup {
    let found_by = match lead.found_by {
        FoundBy::Webhook => "Meta's webhook",
        FoundBy::Sweep => "Regular comparison with Meta; the webhook missed it",
        FoundBy::Sync => "Sync now",
        FoundBy::Import => "File import",
        FoundBy::Backfill => "Search for earlier leads",
    };
    let ad_objects = [
        ("Campaign", &lead.attribution.campaign_name, &lead.attribution.campaign_id),
        ("Ad set", &lead.attribution.adset_name, &lead.attribution.adset_id),
        ("Ad", &lead.attribution.ad_name, &lead.attribution.ad_id),
    ];
    html! {
        dl.rows {
            div { dt { "Source" } dd { (lead.tags.join(", ")) } }
            @if let Some(page) = &lead.page_name { div { dt { "Page" } dd { (page) } } }
            @if let Some(form) = &lead.attribution.form_name {
                div { dt { "Form" } dd { (form) @if let Some(id) = &lead.attribution.form_id { " " a href={ "/leads?form_id=" (id) } { "All leads of this form" } } } }
            }
            @if lead.attribution.is_organic == Some(true) { div { dt { "Ad" } dd { "None: the form was opened without an ad" } } }
            @if let Some(partner) = &lead.attribution.partner_name { div { dt { "Partner" } dd { (partner) } } }
            @for (label, name, id) in ad_objects {
                @if name.is_some() || id.is_some() { div { dt { (label) } dd { (name.as_deref().or(id.as_deref()).unwrap_or_default()) } } }
            }
            div { dt { "Found by" } dd { (found_by) } }
            @if let Some(id) = &lead.leadgen_id { div { dt { "Meta's id" } dd { code { (id) } } } }
        }
    }
}

/// Replaces the directory's ids in a sentence with the people's names.
fn with_names(text: &str, users: &[User]) -> String {
    let replace_id = |word: &str| {
        let bare = word.trim_end_matches(['.', ',']);
        let bare = bare.strip_suffix("'s").unwrap_or(bare);
        let user = users.iter().find(|user| user.id.as_str() == bare)?;
        Some(word.replacen(bare, &user.name, 1))
    };
    let words: Vec<String> = text.split(' ').map(|word| replace_id(word).unwrap_or_else(|| word.to_owned())).collect();
    words.join(" ")
}

fn timeline(steps: &[Step], users: &[User]) -> Markup {
    html! {
        ol.timeline {
            @for step in steps {
                li class=[matches!(step.step, StepKind::Tried | StepKind::Parked | StepKind::Waiting).then_some("bad")] {
                    b { (step_label(step.step)) } " " span.quiet { (time(step.at)) }
                    @match failure(step) {
                        None => p { (with_names(&step.detail, users)) },
                        Some(code) => { p { (code.message()) ". " (code.fix()) } details { summary { "Meta's answer" } p.quiet { (step.detail) } } },
                    }
                }
            }
        }
    }
}

/// Why an attempt failed. What Meta said of it is for those who know its codes.
fn failure(step: &Step) -> Option<FailureCode> {
    let failed = matches!(step.step, StepKind::Tried | StepKind::Parked | StepKind::Waiting);
    serde_json::from_value(step.cause.as_str().into()).ok().filter(|_| failed)
}

fn step_label(step: StepKind) -> &'static str {
    match step {
        StepKind::Received => "Received",
        StepKind::Tried => "Failed attempt",
        StepKind::Parked => "Parked",
        StepKind::Waiting => "Waiting",
        StepKind::Replayed => "Queued again",
        StepKind::Dismissed => "Dismissed",
        StepKind::Fetched => "Fetched from Meta",
        StepKind::Mapped => "Mapped to fields",
        StepKind::Deduplicated => "Checked for duplicates",
        StepKind::Assigned => "Assigned",
        StepKind::Published => "Published to the CRM",
        StepKind::Joined => "Submitted another form",
        StepKind::Reassigned => "Reassigned",
        StepKind::StatusChanged => "Status changed",
        StepKind::DetailsChanged => "Details changed",
        StepKind::MappedAgain => "Mapped again",
        StepKind::ConversionPending => "To be reported to Meta",
        StepKind::ConversionSent => "Reported to Meta",
        StepKind::ConversionNotSent => "Not reported to Meta",
    }
}

/// Says that what was saved is what was there.
const NOTHING_CHANGED: &str = "Nothing changed.";

pub(super) async fn assign(
    State(console): State<Console>,
    reader: LeadReader,
    Id(id): Id<LeadId>,
    jar: PrivateCookieJar,
    form: Fields,
) -> Result<Response, Problem> {
    let act = async |access: &Access| {
        let unknown = || Problem::field("assigned_to", ErrorCode::UserUnknown, "Choose a person from this org.");
        // Browsers omit a disabled option: an absent field is no request to unassign the lead.
        let chosen = form.get("assigned_to").ok_or_else(unknown)?;
        let to = match Assignee::parse(chosen).map_err(|_| unknown())? {
            Assignee::Unassigned => None,
            Assignee::User(user) => Some(user),
        };
        let before = console.leads.get(&access.scope, &id).await?.lead.assigned_to;
        let input = LeadIn { assigned_to: Some(to.clone()), ..LeadIn::default() };
        console.leads.change(access, &id, input).await?;
        let text = match &to {
            _ if to == before => NOTHING_CHANGED,
            Some(_) => "Reassigned.",
            None => "The lead is unassigned now.",
        };
        Ok::<_, Problem>(text.to_owned())
    };
    Ok(redirect_with(&format!("/leads/{id}"), jar, act(reader.access.as_ref().ok_or_else(read_only)?).await))
}

pub(super) async fn change_status(
    State(console): State<Console>,
    reader: LeadReader,
    Id(id): Id<LeadId>,
    jar: PrivateCookieJar,
    form: Fields,
) -> Result<Response, Problem> {
    let act = async |access: &Access| {
        let status = fields::status(form.get("status").unwrap_or_default())?;
        let before = console.leads.get(&access.scope, &id).await?.lead.status;
        let input = LeadIn { status: Some(status), ..LeadIn::default() };
        console.leads.change(access, &id, input).await?;
        Ok::<_, Problem>(if status == before { NOTHING_CHANGED } else { "Status changed." }.to_owned())
    };
    Ok(redirect_with(&format!("/leads/{id}"), jar, act(reader.access.as_ref().ok_or_else(read_only)?).await))
}

/// The rejection for colleagues who can see leads here and work on them in the CRM.
pub(super) fn read_only() -> Problem {
    let detail = "You can view leads here. Changing them requires the role admin or moderator.";
    Problem::new(ProblemCode::LeadsAreToSee, detail)
}
