//! The org's leads: the list with its filters, one lead with its history, and the import from a file.

mod import;
mod one;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use axum_extra::extract::PrivateCookieJar;
use leadwire::admin::fields;
use leadwire::admin::leads::{LeadQuestion, UNASSIGNED, list as find, status};
use leadwire::http::Problem;
use leadwire::ids::UserId;
use leadwire::model::connection::Connection;
use leadwire::model::lead::{FILE_TAG, Lead, Status, tag};
use leadwire::model::org::User;
use maud::{Markup, html};

use crate::address::Asked;
use crate::elements::{badge, empty, refused, time};
use crate::frame::{Section, page};
use crate::state::Console;
use crate::visitor::{Reader, Visitor};

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(list))
        .route("/import", get(import::form).post(import::import))
        .route("/{id}", get(one::show))
        .route("/{id}/arrival", get(one::arrival))
        .route("/{id}/assign", post(one::assign))
        .route("/{id}/status", post(one::change_status))
}

const STATUSES: [(Status, &str, &str); 5] = [
    (Status::New, "new", "New"),
    (Status::Contacted, "contacted", "Contacted"),
    (Status::Qualified, "qualified", "Qualified"),
    (Status::Converted, "converted", "Converted"),
    (Status::Lost, "lost", "Lost"),
];

const A_PAGE: usize = 25;

/// The query that an address describes.
fn question(asked: &Asked) -> Result<LeadQuestion, Problem> {
    // The last day is included as a whole.
    let until = asked.get("until").map(|given| fields::day("until", given)).transpose()?;
    let after = until.and_then(|day| day.tomorrow().ok()).map(|day| fields::time("until", &day.to_string()));
    Ok(LeadQuestion {
        tag: asked.text("tag"),
        page_id: asked.text("page_id"),
        form_id: asked.text("form_id"),
        assigned_to: asked.text("assigned_to"),
        status: asked.get("status").map(status).transpose()?,
        from: asked.get("from").map(|given| fields::time("from", given)).transpose()?,
        to: after.transpose()?,
        ..LeadQuestion::default()
    })
}

fn filters_any(asked: &Asked) -> bool {
    const FILTERS: [&str; 7] = ["tag", "page_id", "form_id", "assigned_to", "status", "from", "until"];
    FILTERS.iter().any(|name| asked.get(name).is_some())
}

async fn list(
    State(console): State<Console>,
    Reader { visitor, scope, access }: Reader,
    Query(asked): Query<Asked>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let services = &console.services;
    let users = services.table.users(&scope).await?;
    let connections = services.table.connections(&scope).await?;
    let found = async { find(services, &scope, &question(&asked)?, asked.get("cursor"), A_PAGE).await }.await;
    let body = html! {
        @if access.is_some() && visitor.has_meta() { p.acts { a.button href="/leads/import" { "Import a file" } } }
        (filter_form(&asked, &users, &connections))
        @match &found {
            Err(problem) => { (refused(Some(problem))) }
            Ok(list) if list.items.is_empty() && list.next_cursor.is_none() => { (nothing(&visitor, &asked, &connections)) }
            Ok(list) => {
                (table(&list.items, &users))
                @if let Some(next) = &list.next_cursor { p.acts { a.button href=(asked.at("/leads", &[("cursor", next)])) rel="next" { "Earlier leads" } } }
            }
        }
    };
    Ok(page(&visitor, jar, Section::Leads, "Leads", &body))
}

fn filter_form(asked: &Asked, users: &[User], connections: &[Connection]) -> Markup {
    let is = |name: &str, value: &str| asked.get(name) == Some(value);
    let mut pages: BTreeMap<&str, &str> = BTreeMap::new();
    pages.extend(connections.iter().map(|page| (page.page_id.as_str(), page.page_name.as_str())));
    html! {
        form.filters.card method="get" action="/leads" role="search" aria-label="Filter leads" {
            label { "Status" select name="status" {
                option value="" { "All" }
                @for (_, value, name) in STATUSES { option value=(value) selected[is("status", value)] { (name) } }
            } }
            label { "Assigned to" select name="assigned_to" {
                option value="" { "Everybody" }
                option value=(UNASSIGNED) selected[is("assigned_to", UNASSIGNED)] { "Nobody" }
                @for user in users { option value=(user.id) selected[is("assigned_to", user.id.as_str())] { (user.name) } }
            } }
            label { "Page" select name="page_id" {
                option value="" { "All" }
                @if let Some(id) = asked.get("page_id").filter(|id| !pages.contains_key(id)) { option value=(id) selected { (id) } }
                @for (id, name) in &pages { option value=(id) selected[is("page_id", id)] { (name) } }
            } }
            label { "Came by" select name="tag" {
                option value="" { "All" }
                @for tag in [tag(None), tag(Some("ig")), FILE_TAG] { option value=(tag) selected[is("tag", tag)] { (tag) } }
            } }
            label { "From (UTC)" input type="date" name="from" value=[asked.get("from")]; }
            label { "Until (UTC)" input type="date" name="until" value=[asked.get("until")]; }
            @if let Some(form) = asked.get("form_id") { label { "Form" input name="form_id" value=(form) inputmode="numeric"; } }
            div.acts { button { "Filter" } @if filters_any(asked) { a.button.plain href="/leads" { "Clear" } } }
        }
    }
}

fn nothing(visitor: &Visitor, asked: &Asked, connections: &[Connection]) -> Markup {
    if filters_any(asked) {
        return empty("No leads match", html! { "Change the filters, or " a href="/leads" { "see all leads" } "." });
    }
    empty(
        "No leads yet",
        html! {
            @if !visitor.is_admin() || !visitor.has_meta() { "New leads appear here as soon as somebody fills in a form." }
            @else if connections.is_empty() { a href="/integrations" { "Connect Facebook" } ", and leads appear here as people send them." }
            @else { "They appear here within seconds after somebody fills in a form. " a href="/forms" { "Send a test lead" } " to see it happen." }
        },
    )
}

fn table(leads: &[Lead], users: &[User]) -> Markup {
    html! {
        div.card.flush {
            table.leads {
                thead { tr { th { "Name" } th { "Contact" } th { "Came by" } th { "Form" } th { "Sent" } th { "Assigned to" } th { "Status" } } }
                tbody {
                    @for lead in leads {
                        tr {
                            td data-label="Name" { a href={ "/leads/" (lead.id) } { (name_of(lead)) } @if lead.test { " " (badge("calm", "Test")) } }
                            td data-label="Contact" { (contact(lead)) }
                            td data-label="Came by" { (lead.tags.join(", ")) @if let Some(page) = &lead.page_name { div.quiet { (page) } } }
                            td data-label="Form" { (lead.form_name.as_deref().unwrap_or("–")) }
                            td data-label="Sent" { (time(lead.created_time)) }
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
    const MAX_DURATION: usize = 80;
    let known = [&lead.full_name, &lead.email, &lead.phone].into_iter().flatten().find(|text| !text.trim().is_empty());
    let name = known.map_or("Somebody without a name", String::as_str);
    if name.chars().count() <= MAX_DURATION {
        name.to_owned()
    } else {
        name.chars().take(MAX_DURATION).chain(['…']).collect()
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
            None => span.quiet { "Nobody" },
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
