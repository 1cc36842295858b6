//! One lead: the person, their answers, its assignee, and everything that happened to it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::slice;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::directory::Access;
use leadwire::error::{ActError, ErrorCode, Missing};
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::{BulkChangeId, LeadId, OrgScope};
use leadwire::leads::LeadDetails;
use leadwire::model::lead::assignment::Reason;
use leadwire::model::lead::bulk::LeadField;
use leadwire::model::lead::identity::normalised_email;
use leadwire::model::lead::phone;
use leadwire::model::lead::query::Assignee;
use leadwire::model::lead::trace::StepKind;
use leadwire::model::lead::{FoundBy, Lead};
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};

use super::answers::{consents, later_submissions, lead_answers};
use super::bulk::undo_path;
use super::erasure::erasure_form;
use super::history::timeline;
use super::notes::{self, RefusedNotes};
use super::{STATUSES, assignee, name_of, status_badge, status_name};
use crate::actor::LeadReader;
use crate::components::{Tone, badge, csrf_field, live_fragment, mail_link, phone_link, refresh_in, time};
use crate::flash::{Flash, redirect_with};
use crate::form::Fields;
use crate::layout::{PageHead, Section, page, pending_flash};
use crate::request::wants_fragment;
use crate::session::Visitor;
use crate::state::Console;

pub(super) async fn show(
    State(console): State<Console>,
    reader: LeadReader,
    Id(id): Id<LeadId>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let LeadReader { visitor, scope, .. } = &reader;
    match console.rooms.leads.get(scope, &id).await {
        Ok(details) => render(&console, &reader, &details, None, &headers, jar).await,
        Err(missing) if missing.code() == ErrorCode::NotFound => {
            let (part, Pending { is_known, is_over }) = pending_lead(&console, scope, &id).await?;
            if !is_known && !query.contains_key("awaited") {
                return Err(missing.into());
            }
            let title = if is_over { tr!("This lead could not be imported") } else { tr!("A lead on its way") };
            let body = html! {
                (live_fragment(&format!("/leads/{id}/arrival"), &part))
            };
            Ok(page(visitor, jar, Section::Leads, &title, &body))
        }
        Err(error) => Err(error.into()),
    }
}

/// A lead, with the mistake in what was typed: as a page, or beside the list if the script asks for that.
pub(super) async fn render(
    console: &Console,
    reader: &LeadReader,
    details: &LeadDetails,
    refused: Option<&RefusedNotes<'_>>,
    headers: &HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (visitor, lead) = (&reader.visitor, &details.lead);
    let body = body(console, reader, details, refused).await?;
    if !wants_fragment(headers) {
        let name = name_of(lead);
        let head = PageHead::new(&name).about(badges(lead)).acts(contact_acts(lead));
        return Ok(page(visitor, jar, Section::Leads, head, &body));
    }
    let jar = if visitor.flash.is_some() { Flash::clear(jar) } else { jar };
    Ok((jar, panel(visitor, lead, &body)).into_response())
}

/// A lead beside the list, where the script shows it.
fn panel(visitor: &Visitor, lead: &Lead, body: &Markup) -> Markup {
    html! {
        header.panel-head data-row={ "lead-" (lead.id) } {
            h2 { (name_of(lead)) }
            (badges(lead))
            a.button.plain href={ "/leads/" (lead.id) } { (tr!("Open full view")) }
            button.plain type="button" data-close-panel aria-keyshortcuts="Escape" { (tr!("Close")) }
        }
        (pending_flash(visitor))
        (body)
    }
}

async fn body(
    console: &Console,
    LeadReader { visitor, scope, access }: &LeadReader,
    details: &LeadDetails,
    refused: Option<&RefusedNotes<'_>>,
) -> Result<Markup, Problem> {
    let lead = &details.lead;
    let (users, trace) =
        tokio::try_join!(console.rooms.directory.users(scope), console.rooms.leads.trace(scope, &lead.id))?;
    let steps = trace.items;
    Ok(html! {
        div.columns.lead-columns {
            div {
                section.card {
                    (person(lead))
                    (lead_answers(&lead.answers, [&lead.full_name, &lead.email, &lead.phone]))
                    (consents(&lead.consents))
                    @if !lead.fields.is_empty() {
                        details { summary { (tr!("Fields in the CRM")) } dl.rows { @for (field, value) in &lead.fields { div { dt { code { (field) } } dd { (value) } } } } }
                    }
                }
                (later_submissions(details))
                section.card { h2 { (tr!("History")) } (timeline(&steps, &users)) }
            }
            aside {
                section.card { @if access.is_some() { (acts(visitor, lead, &users)) } @else { (assignment(lead, &users)) } }
                @if access.is_some() { (notes::card(visitor, lead, refused)) } @else { (notes::read_only_card(lead)) }
                (notes::reports_card(&steps))
                section.card { h2 { (tr!("Origin")) } (origin(lead)) }
                @if visitor.is_admin() && visitor.has_meta() { section.card { (erasure_form(visitor, lead)) } }
            }
        }
    })
}

/// Whether an awaited lead has arrived: a fragment of the waiting page, which leads to the lead once it has.
pub(super) async fn arrival(
    State(console): State<Console>,
    LeadReader { scope, .. }: LeadReader,
    Id(id): Id<LeadId>,
) -> Result<Markup, Problem> {
    match console.rooms.leads.get(&scope, &id).await {
        Ok(_) => Ok(html! { p { a.button href={ "/leads/" (id) } data-go { (tr!("View the lead")) } } }),
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
    let steps = match console.rooms.leads.trace(scope, id).await {
        Ok(trace) => trace.items,
        Err(missing) if missing.code() == ErrorCode::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let last = steps.last().map(|step| step.step);
    let part = html! {
        @if last == Some(StepKind::Dismissed) {
            div.card { p { (badge(Tone::Dim, &tr!("Dismissed"))) " " (tr!("This lead could not be imported, and Leadwire does not try again.")) } }
        } @else if last == Some(StepKind::Parked) {
            div.card { p { (badge(Tone::Bad, &tr!("Parked"))) " " (tr!("It could not be imported.")) " " a href="/delivery#parked" { (tr!("Try again")) } } }
        } @else {
        (refresh_in(2))
        div.card { p.waiting { span.spinner aria-hidden="true" {} (badge(Tone::Calm, &tr!("On its way"))) " " (tr!("This page shows the lead as soon as it arrives.")) } }
        }
        (timeline(&steps, &[]))
    };
    let is_over = matches!(last, Some(StepKind::Dismissed | StepKind::Parked));
    Ok((part, Pending { is_known: !steps.is_empty(), is_over }))
}

/// What its row in the list shows beside the name, too.
fn badges(lead: &Lead) -> Markup {
    html! { (status_badge(lead.status)) @if lead.test { " " (badge(Tone::Dim, &tr!("Test lead"))) } }
}

/// The ways to reach the person, as far as a device can take them.
fn contact_acts(lead: &Lead) -> Markup {
    let number = lead.phone.as_deref().and_then(phone::dialable);
    let email = lead.email.as_deref().filter(|typed| normalised_email(typed).is_some());
    html! {
        @if let Some(number) = number { a.button href={ "tel:" (number) } { (tr!("Call")) } }
        @if let Some(email) = email { a.button href={ "mailto:" (email) } { (tr!("Write an e-mail")) } }
    }
}

fn person(lead: &Lead) -> Markup {
    html! {
        dl.rows {
            @if let Some(email) = &lead.email { div { dt { (tr!("E-mail")) } dd.address { (mail_link(email)) } } }
            @if let Some(phone) = &lead.phone { div { dt { (tr!("Phone")) } dd.address { (phone_link(phone)) } } }
            div { dt { (tr!("Submitted")) } dd { (time(lead.created_time)) } }
            div { dt { (tr!("In the CRM since")) } dd { (time(lead.provenance.stored_at.unwrap_or(lead.received_at))) } }
        }
    }
}

fn assignment(lead: &Lead, users: &[User]) -> Markup {
    html! { h2 { (tr!("Assigned to")) } p { (assignee(lead.assigned_to.as_ref(), users)) } p.quiet { (assignment_reason(lead)) } }
}

fn acts(visitor: &Visitor, lead: &Lead, users: &[User]) -> Markup {
    let path = format!("/leads/{}", lead.id);
    let assigned = |user: &User| lead.assigned_to.as_ref() == Some(&user.id);
    let inactive_assignee =
        lead.assigned_to.as_ref().filter(|id| !users.iter().any(|user| user.id == **id && user.active));
    html! {
        form method="post" action={ (path) "/assign" } {
            (csrf_field(visitor))
            div.inline {
                label {
                    (tr!("Assigned to"))
                    select name="assigned_to" {
                        option value=(Assignee::UNASSIGNED) selected[lead.assigned_to.is_none()] { (tr!("Unassigned")) }
                        @for user in users.iter().filter(|user| user.active) { option value=(user.id) selected[assigned(user)] { (user.name) } }
                        @if let Some(id) = inactive_assignee { option value=(id) selected disabled { (tr!("{user} (not active)", user = id)) } }
                    }
                }
                button { (tr!("Reassign")) }
            }
            p.quiet.fix { (assignment_reason(lead)) }
        }
        form method="post" action={ (path) "/status" } {
            (csrf_field(visitor))
            div.inline {
                label {
                    (tr!("Status"))
                    select name="status" { @for (this, value) in STATUSES { option value=(value) selected[this == lead.status] { (status_name(this)) } } }
                }
                button { (tr!("Change status")) }
            }
        }
    }
}

fn assignment_reason(lead: &Lead) -> Cow<'static, str> {
    match lead.assignment.reason {
        Reason::Turn => tr!("Assigned in rotation."),
        Reason::Chosen => tr!("The integration assigns all its leads to this person."),
        Reason::StrategyUnassigned => tr!("The integration assigns no leads."),
        Reason::NobodyEligible => tr!("No one could take leads at that time."),
        Reason::UserNotEligible => {
            tr!("The integration assigns its leads to a person who could not take any when this one arrived.")
        }
        Reason::Manual => tr!("Assigned manually."),
        Reason::NotAsked => tr!("It was imported without assignment, as requested."),
        Reason::NoIntegration => tr!("Its form does not belong to a connected page."),
        Reason::TestLead => tr!("Test leads are never assigned."),
    }
}

fn origin(lead: &Lead) -> Markup {
    let found_by = match lead.found_by {
        FoundBy::Webhook => tr!("Meta's webhook"),
        FoundBy::Sweep => tr!("Regular comparison with Meta; the webhook missed it"),
        FoundBy::Sync => tr!("Sync now"),
        FoundBy::Import => tr!("File import"),
        FoundBy::Backfill => tr!("Search for earlier leads"),
    };
    let ad_objects = [
        (tr!("Campaign"), &lead.attribution.campaign_name, &lead.attribution.campaign_id),
        (tr!("Ad set"), &lead.attribution.adset_name, &lead.attribution.adset_id),
        (tr!("Ad"), &lead.attribution.ad_name, &lead.attribution.ad_id),
    ];
    html! {
        dl.rows {
            div { dt { (tr!("Source")) } dd { (lead.tags.join(", ")) } }
            @if let Some(page) = &lead.page_name { div { dt { (tr!("Page")) } dd { (page) } } }
            @if let Some(form) = &lead.attribution.form_name {
                div { dt { (tr!("Form")) } dd { (form) @if let Some(id) = &lead.attribution.form_id { " " a href={ "/leads?form_id=" (id) } { (tr!("All leads of this form")) } } } }
            }
            @if lead.attribution.is_organic == Some(true) { div { dt { (tr!("Ad")) } dd { (tr!("None: the form was opened without an ad")) } } }
            @if let Some(partner) = &lead.attribution.partner_name { div { dt { (tr!("Partner")) } dd { (partner) } } }
            @for (label, name, id) in ad_objects {
                @if name.is_some() || id.is_some() { div { dt { (label) } dd { (name.as_deref().or(id.as_deref()).unwrap_or_default()) } } }
            }
            div { dt { (tr!("Found by")) } dd { (found_by) } }
            @if let Some(id) = &lead.leadgen_id { div { dt { (tr!("Meta's id")) } dd { code { (id) } } } }
        }
    }
}

/// Changes a field of a lead, and says where that is undone.
async fn change(console: &Console, access: &Access, id: &LeadId, to: &LeadField) -> Result<Option<String>, Problem> {
    let change = BulkChangeId::new();
    let outcome = console.rooms.leads.change_several(access, (&change, 0), slice::from_ref(id), to).await?;
    match outcome.failure {
        Some(error) => Err(error.into()),
        None if outcome.gone > 0 => Err(ActError::not_found(Missing::Lead).into()),
        None => Ok(outcome.can_be_undone.then(|| undo_path(change.as_str()))),
    }
}

/// Says that what was saved is what was there.
fn nothing_changed() -> Cow<'static, str> {
    tr!("Nothing changed.")
}

pub(super) async fn assign(
    State(console): State<Console>,
    reader: LeadReader,
    Id(id): Id<LeadId>,
    jar: PrivateCookieJar,
    form: Fields,
) -> Result<Response, Problem> {
    let act = async |access: &Access| {
        let unknown = || Problem::field("assigned_to", ErrorCode::UserUnknown, tr!("Choose a person from this org."));
        // Browsers omit a disabled option: an absent field is no request to unassign the lead.
        let chosen = form.get("assigned_to").ok_or_else(unknown)?;
        let to = match Assignee::parse(chosen).map_err(|_| unknown())? {
            Assignee::Unassigned => None,
            Assignee::User(user) => Some(user),
        };
        let before = console.rooms.leads.get(&access.scope, &id).await?.lead.assigned_to;
        let undo = change(&console, access, &id, &LeadField::AssignedTo(to.clone())).await?;
        let text = match &to {
            _ if to == before => nothing_changed(),
            Some(_) => tr!("Reassigned."),
            None => tr!("The lead is unassigned now."),
        };
        Ok::<_, Problem>(Flash { undo, ..Flash::done(text) })
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
        let before = console.rooms.leads.get(&access.scope, &id).await?.lead.status;
        let undo = change(&console, access, &id, &LeadField::Status(status)).await?;
        let text = if status == before { nothing_changed() } else { tr!("Status changed.") };
        Ok::<_, Problem>(Flash { undo, ..Flash::done(text) })
    };
    Ok(redirect_with(&format!("/leads/{id}"), jar, act(reader.access.as_ref().ok_or_else(read_only)?).await))
}

/// The rejection for colleagues who can see leads here and work on them in the CRM.
pub(super) fn read_only() -> Problem {
    let detail = tr!("You can view leads, but only admins and moderators can change them.");
    Problem::new(ProblemCode::LeadsAreToSee, detail)
}
