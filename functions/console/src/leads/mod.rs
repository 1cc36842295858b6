//! The org's leads: the list with its filters, one lead with its history, and the import from a file.

mod detail;
mod erasure;
mod exports;
mod import;
mod notes;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use leadwire::http::{Problem, fields};
use leadwire::ids::{FormId, PageId, UserId};
use leadwire::model::lead::query::{Assignee, LeadQuery};
use leadwire::model::lead::{FILE_TAG, Lead, Status, tag};
use leadwire::model::org::User;
use maud::{Markup, html};

use crate::components::{badge, empty, problem_alert, time};
use crate::delivery;
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::session::{LeadReader, Visitor};
use crate::state::Console;
use crate::zone::Zone;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(list))
        .route("/import", get(import::form).post(import::import))
        .route("/exports", get(exports::list).post(exports::start))
        .route("/exports/{id}/file", get(exports::file))
        .route("/exports/{id}/delete", post(exports::delete))
        .route("/{id}", get(detail::show))
        .route("/{id}/arrival", get(detail::arrival))
        .route("/{id}/erase", post(erasure::erase))
        .route("/{id}/assign", post(detail::assign))
        .route("/{id}/status", post(detail::change_status))
        .route("/{id}/notes", post(notes::save))
}

pub(crate) const STATUSES: [(Status, &str, &str); 5] = [
    (Status::New, "new", "New"),
    (Status::Contacted, "contacted", "Contacted"),
    (Status::Qualified, "qualified", "Qualified"),
    (Status::Converted, "converted", "Converted"),
    (Status::Lost, "lost", "Lost"),
];

const PAGE_SIZE: usize = 25;
/// Parked leads that are counted above the list.
const MAX_COUNTED: usize = 100;

/// The query that an address describes. Its days are those of the reader's zone, and the last one is included as a whole.
fn lead_query(query: &ListQuery, zone: &Zone) -> Result<LeadQuery, Problem> {
    Ok(LeadQuery {
        text: query.text("q"),
        tag: query.text("tag"),
        page_id: query.get("page_id").map(|text| fields::id("page_id", text, PageId::parse)).transpose()?,
        form_id: query.get("form_id").map(|text| fields::id("form_id", text, FormId::parse)).transpose()?,
        campaign_id: query.text("campaign_id"),
        assigned_to: query
            .get("assigned_to")
            .map(|text| fields::id("assigned_to", text, Assignee::parse))
            .transpose()?,
        status: query.get("status").map(fields::status).transpose()?,
        from: query.get("from").map(|text| zone.parse_day("from", text)).transpose()?,
        to: query.get("until").map(|text| zone.parse_last_day("until", text)).transpose()?,
        ..LeadQuery::default()
    })
}

const FILTERS: [&str; 9] = ["q", "tag", "page_id", "form_id", "campaign_id", "assigned_to", "status", "from", "until"];

fn filters_any(query: &ListQuery) -> bool {
    FILTERS.iter().any(|name| query.get(name).is_some())
}

async fn list(
    State(console): State<Console>,
    LeadReader { visitor, scope, access }: LeadReader,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let users = console.directory.users(&scope).await?;
    let pages = console.leads.pages(&scope).await?;
    let leads = async {
        let leads = console.leads.list(&scope, &lead_query(&query, &zone)?, query.get("cursor"), PAGE_SIZE).await;
        leads.map_err(Problem::from)
    };
    let leads = leads.await;
    let parked = match &access {
        Some(access) if visitor.has_meta() && !filters_any(&query) => {
            Some(console.leads.parked(access, None, MAX_COUNTED).await?)
        }
        _ => None,
    };
    let body = html! {
        @if let Some(parked) = &parked { (delivery::parked_banner(parked)) }
        @if access.is_some() && visitor.has_meta() {
            div.acts {
                a.button href="/leads/import" { "Import a file" }
                (exports::button(&visitor, &query))
                a.button.plain href="/leads/exports" { "Exports" }
            }
        }
        (filter_form(&query, &zone, &users, &pages))
        @match &leads {
            Err(problem) => { (problem_alert(Some(problem))) }
            Ok(list) if list.items.is_empty() && list.next_cursor.is_none() => { (nothing(&visitor, &query, &pages)) }
            Ok(list) => {
                (table(&list.items, &users))
                @if let Some(next) = &list.next_cursor { p.acts { a.button href=(query.at("/leads", &[("cursor", next)])) rel="next" { (if query.get("q").is_some() { "More leads" } else { "Earlier leads" }) } } }
            }
        }
    };
    Ok(page(&visitor, jar, Section::Leads, "Leads", &body))
}

fn filter_form(query: &ListQuery, zone: &Zone, users: &[User], pages: &BTreeMap<PageId, String>) -> Markup {
    let is = |name: &str, value: &str| query.get(name) == Some(value);
    let is_known = |id: &str| pages.keys().any(|page| page.as_str() == id);
    html! {
        form.filters.card method="get" action="/leads" role="search" aria-label="Filter leads" {
            label { "Name, e-mail or phone" input type="search" name="q" value=[query.get("q")] placeholder="How a name begins, or all of an address or number"; }
            label { "Status" select name="status" {
                option value="" { "All" }
                @for (_, value, name) in STATUSES { option value=(value) selected[is("status", value)] { (name) } }
            } }
            label { "Assigned to" select name="assigned_to" {
                option value="" { "Anyone" }
                option value=(Assignee::UNASSIGNED) selected[is("assigned_to", Assignee::UNASSIGNED)] { "Unassigned" }
                @for user in users { option value=(user.id) selected[is("assigned_to", user.id.as_str())] { (user.name) } }
            } }
            label { "Page" select name="page_id" {
                option value="" { "All" }
                @if let Some(id) = query.get("page_id").filter(|id| !is_known(id)) { option value=(id) selected { (id) } }
                @for (id, name) in pages { option value=(id) selected[is("page_id", id.as_str())] { (name) } }
            } }
            label { "Source" select name="tag" {
                option value="" { "All" }
                @for tag in [tag(None), tag(Some("ig")), FILE_TAG] { option value=(tag) selected[is("tag", tag)] { (tag) } }
            } }
            details open[query.get("from").or(query.get("until")).is_some()] {
                summary { "Dates" }
                label { "From" input type="date" name="from" value=[query.get("from")]; }
                label { "Until" input type="date" name="until" value=[query.get("until")]; }
                (zone.note())
            }
            @if let Some(form) = query.get("form_id") { label { "Form" input name="form_id" value=(form) inputmode="numeric"; } }
            @if let Some(campaign) = query.get("campaign_id") { label { "Campaign at Meta" input name="campaign_id" value=(campaign) inputmode="numeric"; } }
            div.acts { button { "Filter" } @if filters_any(query) { a.button.plain href="/leads" { "Clear" } } }
        }
    }
}

fn nothing(visitor: &Visitor, query: &ListQuery, pages: &BTreeMap<PageId, String>) -> Markup {
    if filters_any(query) {
        return empty("No leads match", html! { "Change the filters, or " a href="/leads" { "see all leads" } "." });
    }
    empty(
        "No leads yet",
        html! {
            @if !visitor.is_admin() || !visitor.has_meta() { "New leads appear here as soon as someone fills in a form." }
            @else if pages.is_empty() { a href="/integrations" { "Connect Facebook" } ", and leads appear here as people submit your forms." }
            @else { "Leads appear here within seconds after someone fills in a form. " a href="/forms" { "Send a test lead" } " to see it happen." }
        },
    )
}

fn table(leads: &[Lead], users: &[User]) -> Markup {
    html! {
        div.card.flush {
            table.leads {
                thead { tr { th { "Name" } th { "Contact" } th { "Source" } th { "Form" } th { "Submitted" } th { "Assigned to" } th { "Status" } } }
                tbody {
                    @for lead in leads {
                        tr {
                            td data-label="Name" { a href={ "/leads/" (lead.id) } { (name_of(lead)) } @if lead.test { " " (badge("calm", "Test")) } }
                            td data-label="Contact" { (contact(lead)) }
                            td data-label="Source" { (lead.tags.join(", ")) @if let Some(page) = &lead.page_name { div.quiet { (page) } } }
                            td data-label="Form" { (lead.attribution.form_name.as_deref().unwrap_or("–")) }
                            td data-label="Submitted" { (time(lead.created_time)) }
                            td data-label="Assigned to" { (assignee(lead.assigned_to.as_ref(), users)) }
                            td data-label="Status" { (status_badge(lead.status)) }
                        }
                    }
                }
            }
        }
    }
}

/// The display name of a lead: its name, otherwise its e-mail address or phone number.
///
/// It is truncated, because anyone can submit a name of any length. The answers show it in full.
fn name_of(lead: &Lead) -> String {
    const MAX_NAME_CHARS: usize = 80;
    let known = [&lead.full_name, &lead.email, &lead.phone].into_iter().flatten().find(|text| !text.trim().is_empty());
    let name = known.map_or("Unnamed lead", String::as_str);
    if name.chars().count() <= MAX_NAME_CHARS {
        name.to_owned()
    } else {
        name.chars().take(MAX_NAME_CHARS).chain(['…']).collect()
    }
}

fn contact(lead: &Lead) -> Markup {
    html! {
        @match (&lead.email, &lead.phone) {
            (None, None) => span.quiet { "None" },
            (email, phone) => {
                @if let Some(email) = email { div.address { (email) } }
                @if let Some(phone) = phone { div.address { (phone) } }
            }
        }
    }
}

/// The assignee, by the name in the directory.
fn assignee(user: Option<&UserId>, users: &[User]) -> Markup {
    html! {
        @match user {
            None => span.quiet { "Unassigned" },
            Some(id) => (users.iter().find(|user| user.id == *id).map_or(id.as_str(), |user| user.name.as_str())),
        }
    }
}

fn status_badge(status: Status) -> Markup {
    let kind = match status {
        Status::New => "warn",
        Status::Contacted | Status::Qualified => "calm",
        Status::Converted => "good",
        Status::Lost => "dim",
    };
    let name = STATUSES.iter().find(|(known, ..)| *known == status).map_or("", |(_, _, name)| name);
    badge(kind, name)
}
