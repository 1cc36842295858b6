//! The list of leads: views and filters, and rows that stay up to date while they are read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use jiff::civil::Date;
use leadwire::http::Problem;
use leadwire::ids::PageId;
use leadwire::leads::{LeadCount, LeadList};
use leadwire::model::lead::query::Assignee;
use leadwire::model::lead::{FILE_TAG, Lead, tag};
use leadwire::model::org::User;
use leadwire::{language, tr};
use maud::{Markup, html};

use super::bulk;
use super::{
    OLDEST_FIRST, STATUSES, assignee, exports, filters_any, lead_query, name_of, status_badge, status_name, views,
};
use crate::actor::LeadReader;
use crate::components::{
    BULK_FORM, Tone, ago, badge, empty, lazy_fragment, live_fragment, mail_link, phone_link, problem_alert,
    refresh_within, with_markup,
};
use crate::delivery;
use crate::layout::{PageHead, Section, fragment_or_page, page};
use crate::request::{ListQuery, wants_fragment};
use crate::session::Visitor;
use crate::state::Console;
use crate::zone::Zone;

pub(super) const PATH: &str = "/leads";
const PAGE_SIZE: usize = 50;
/// Parked leads that are counted above the list.
const MAX_COUNTED: usize = 100;

pub(super) async fn show(
    State(console): State<Console>,
    LeadReader { visitor, scope, access }: LeadReader,
    Query(query): Query<ListQuery>,
    zone: Zone,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let leads = async {
        let leads = console.rooms.leads.list(&scope, &lead_query(&query, &zone)?, query.get("cursor"), PAGE_SIZE).await;
        leads.map_err(Problem::from)
    };
    let is_fragment = wants_fragment(&headers);
    let own_views = async {
        match is_fragment {
            true => Ok(Vec::new()),
            false => console.rooms.leads.views(&scope, &visitor.session.caller.user).await,
        }
    };
    let parked = async {
        match &access {
            Some(access) if visitor.has_meta() && !is_fragment && !filters_any(&query) => {
                console.rooms.leads.parked(access, None, MAX_COUNTED).await.map(Some)
            }
            _ => Ok(None),
        }
    };
    // What is wrong with the filters stands beside them.
    let (leads, rest) = tokio::join!(leads, async {
        tokio::try_join!(console.rooms.directory.users(&scope), console.rooms.leads.pages(&scope), own_views, parked)
    });
    let (users, pages, own_views, parked) = rest?;
    let can_change = access.is_some();
    let rows = |list: &LeadList| {
        html! {
            @if query.get("cursor").is_none() { (refresh_within(4, 20)) }
            @if list.items.is_empty() && list.next_cursor.is_none() {
                @if query.get("q").is_some() {
                    (empty(&tr!("No one found"), html! { (tr!("Type the start of a first or last name, or a whole e-mail address or phone number. People who only wrote to you are under Inbox → People.")) " " a href=(PATH) { (tr!("See all leads")) } }))
                } @else if filters_any(&query) {
                    @let link = html! { a href=(PATH) { (tr!("see all leads")) } };
                    (empty(&tr!("No leads match"), with_markup(&tr!("Change the filters, or {link}."), &[("link", link)])))
                }
                @else { (nothing(&visitor, &pages)) }
            } @else { (table(&query, list, &users, can_change)) }
        }
    };
    if is_fragment {
        return Ok(rows(&leads?).into_response());
    }
    let body = html! {
        @if let Some(parked) = &parked { (delivery::parked_banner(parked)) }
        div.toolbar {
            form.search method="get" action=(PATH) role="search" aria-label=(tr!("Find leads")) {
                @for name in super::FILTERS.iter().filter(|name| **name != "q") { @if let Some(value) = query.get(name) { input type="hidden" name=(name) value=(value); } }
                input #find type="search" name="q" value=[query.get("q")] aria-label=(tr!("Name, e-mail or phone")) placeholder=(tr!("Name, e-mail or phone"));
                button { (tr!("Find")) }
            }
            (filter_menu(&query, &zone, &users, &pages))
        }
        (views::chips(&query, &visitor, &own_views))
        (chosen(&query, &users, &pages))
        @match &leads {
            Err(problem) => { (problem_alert(Some(problem))) }
            Ok(list) => {
                (total(&query, list))
                @if can_change { (bulk::bar(&visitor, &users, &query, list.next_cursor.is_some() || query.get("cursor").is_some())) }
                (live_fragment(&query.at(PATH, &[]), &rows(list)))
            }
        }
    };
    let title = tr!("Leads");
    let acts = html! {
        @if can_change && visitor.has_meta() {
            // On a phone a sheet, which needs no script; elsewhere the style shows its buttons beside the heading.
            button.more type="button" popovertarget="lead-acts" aria-label=(tr!("More actions")) { "⋯" }
            div #lead-acts popover {
                a.button.plain href="/leads/exports" { (tr!("Exports")) }
                (exports::button(&visitor, &query))
                a.button href="/leads/import" { (tr!("Import a file")) }
            }
        }
    };
    Ok(page(&visitor, jar, Section::Leads, PageHead::new(&title).acts(acts), &body))
}

/// How many leads match. If they fill more than a page, they are counted later.
fn total(query: &ListQuery, list: &LeadList) -> Markup {
    let is_whole = list.next_cursor.is_none() && query.get("cursor").is_none();
    html! {
        @if is_whole { @if !list.items.is_empty() { p.quiet.total { (counted(LeadCount { leads: list.items.len(), is_all: true })) } } }
        @else if ["q", "campaign_id", "cursor"].iter().all(|name| query.get(name).is_none()) {
            div.total { (lazy_fragment(&query.at("/leads/count", &[("order", "")]), &tr!("Counting…"))) }
        }
    }
}

fn counted(LeadCount { leads, is_all }: LeadCount) -> String {
    match is_all {
        true => tr!([leads] "{n} lead" | "{n} leads"),
        false => tr!([leads] "More than {n} lead" | "More than {n} leads"),
    }
}

/// How many leads match the filters.
pub(super) async fn count_all(
    State(console): State<Console>,
    LeadReader { visitor, scope, .. }: LeadReader,
    Query(query): Query<ListQuery>,
    zone: Zone,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let count = console.rooms.leads.count(&scope, &lead_query(&query, &zone)?).await?;
    let part = html! { @if let Some(count) = count { p.quiet { (counted(count)) } } };
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Leads, &tr!("Leads")), &part))
}

/// The filters that are in force, each with the way to leave it out.
fn chosen(query: &ListQuery, users: &[User], pages: &BTreeMap<PageId, String>) -> Markup {
    let day = |value: &str| value.parse::<Date>().map_or_else(|_| value.to_owned(), language::date);
    let words = |name: &str, value: &str| match name {
        "q" => tr!("“{text}”", text = value),
        "assigned_to" if value == Assignee::UNASSIGNED => tr!("Unassigned").into_owned(),
        "assigned_to" => {
            let user = users.iter().find(|user| user.id.as_str() == value);
            tr!("Assigned to {user}", user = user.map_or(value, |user| &user.name))
        }
        "status" => {
            let status = STATUSES.iter().find(|(_, known)| *known == value);
            status.map_or_else(|| value.to_owned(), |(status, _)| status_name(*status).into_owned())
        }
        "page_id" => {
            let name = pages.iter().find(|(id, _)| id.as_str() == value).map(|(_, name)| name.as_str());
            tr!("Page {page}", page = name.unwrap_or(value))
        }
        "form_id" => tr!("Form {form}", form = value),
        "campaign_id" => tr!("Campaign {campaign}", campaign = value),
        "from" => tr!("From {day}", day = day(value)),
        "until" => tr!("Until {day}", day = day(value)),
        _ => value.to_owned(),
    };
    let filters: Vec<(&str, String)> =
        super::FILTERS.iter().filter_map(|name| Some((*name, words(name, query.get(name)?)))).collect();
    html! {
        @if !filters.is_empty() {
            p.chips {
                @for (name, words) in &filters {
                    a.chip.set href=(query.at(PATH, &[(name, ""), ("cursor", "")])) aria-label=(tr!("Remove filter: {filter}", filter = words)) { (words) span aria-hidden="true" { "×" } }
                }
                a.chip href=(PATH) { (tr!("Clear all")) }
            }
        }
    }
}

fn filter_menu(query: &ListQuery, zone: &Zone, users: &[User], pages: &BTreeMap<PageId, String>) -> Markup {
    let is = |name: &str, value: &str| query.get(name) == Some(value);
    let is_known = |id: &str| pages.keys().any(|page| page.as_str() == id);
    html! {
        details.menu.filter-menu {
            summary.button { (tr!("Filters")) }
            form method="get" action=(PATH) aria-label=(tr!("Filter leads")) {
                @if let Some(text) = query.get("q") { input type="hidden" name="q" value=(text); }
                label { (tr!("Status")) select name="status" {
                    option value="" { (tr!("All")) }
                    @for (status, value) in STATUSES { option value=(value) selected[is("status", value)] { (status_name(status)) } }
                } }
                label { (tr!("Assigned to")) select name="assigned_to" {
                    option value="" { (tr!("Anyone")) }
                    option value=(Assignee::UNASSIGNED) selected[is("assigned_to", Assignee::UNASSIGNED)] { (tr!("Unassigned")) }
                    @for user in users { option value=(user.id) selected[is("assigned_to", user.id.as_str())] { (user.name) } }
                } }
                label { (tr!("Page")) select name="page_id" {
                    option value="" { (tr!("All")) }
                    @if let Some(id) = query.get("page_id").filter(|id| !is_known(id)) { option value=(id) selected { (id) } }
                    @for (id, name) in pages { option value=(id) selected[is("page_id", id.as_str())] { (name) } }
                } }
                label { (tr!("Source")) select name="tag" {
                    option value="" { (tr!("All")) }
                    @for tag in [tag(None), tag(Some("ig")), FILE_TAG] { option value=(tag) selected[is("tag", tag)] { (tag) } }
                } }
                label { (tr!("From")) input type="date" name="from" value=[query.get("from")]; }
                label { (tr!("Until")) input type="date" name="until" value=[query.get("until")]; }
                @if let Some(form) = query.get("form_id") { label { (tr!("Form")) input name="form_id" value=(form) inputmode="numeric"; } }
                @if let Some(campaign) = query.get("campaign_id") { label { (tr!("Campaign at Meta")) input name="campaign_id" value=(campaign) inputmode="numeric"; } }
                (zone.note())
                div.acts { button.primary { (tr!("Filter")) } @if filters_any(query) { a.button.plain href=(PATH) { (tr!("Clear")) } } }
            }
        }
    }
}

fn nothing(visitor: &Visitor, pages: &BTreeMap<PageId, String>) -> Markup {
    empty(
        &tr!("No leads yet"),
        html! {
            @if !visitor.has_meta() { (tr!("New leads appear here once your plan includes Meta.")) }
            @else if !visitor.is_admin() { (tr!("New leads appear here as soon as someone fills in a form.")) }
            @else if pages.is_empty() {
                @let link = html! { a href="/integrations" { (tr!("Connect Facebook")) } };
                (with_markup(&tr!("{link}, and leads appear here as people submit your forms."), &[("link", link)]))
            }
            @else {
                @let link = html! { a href="/forms" { (tr!("Send a test lead")) } };
                (with_markup(&tr!("Leads appear here within seconds after someone fills in a form. {link} to see it happen."), &[("link", link)]))
            }
        },
    )
}

fn table(query: &ListQuery, list: &LeadList, users: &[User], can_change: bool) -> Markup {
    html! {
        @if !list.items.is_empty() {
            div.card.flush {
                table.leads {
                    thead { tr {
                        @if can_change { th.tick { input type="checkbox" data-all="lead" aria-label=(tr!("Select all leads in this list")) hidden; } }
                        th.name { (tr!("Name")) } th.status { (tr!("Status")) } th.assignee { (tr!("Assigned to")) } th.form { (tr!("Form")) } (when(query))
                    } }
                    tbody { @for lead in &list.items { (row(lead, users, can_change)) } }
                }
            }
        }
        @if let Some(next) = &list.next_cursor { p.acts { a.button href=(query.at(PATH, &[("cursor", next)])) rel="next" { (more(query)) } } }
    }
}

fn more(query: &ListQuery) -> Cow<'static, str> {
    match (query.get("q"), query.get("order")) {
        (Some(_), _) => tr!("More leads"),
        (None, Some(OLDEST_FIRST)) => tr!("Later leads"),
        (None, _) => tr!("Earlier leads"),
    }
}

/// The head of the times, which turns the order round.
fn when(query: &ListQuery) -> Markup {
    let is_oldest_first = query.get("order") == Some(OLDEST_FIRST);
    let turned = if is_oldest_first { "" } else { OLDEST_FIRST };
    html! {
        // What is found by a name is in the order of the names.
        @if query.get("q").is_some() { th.when { (tr!("Submitted")) } }
        @else {
            th.when aria-sort=(if is_oldest_first { "ascending" } else { "descending" }) {
                a href=(query.at(PATH, &[("order", turned), ("cursor", "")])) {
                    (tr!("Submitted")) span aria-hidden="true" { (if is_oldest_first { " ↑" } else { " ↓" }) }
                }
            }
        }
    }
}

fn row(lead: &Lead, users: &[User], can_change: bool) -> Markup {
    let name = name_of(lead);
    html! {
        tr id={ "lead-" (lead.id) } data-row {
            @if can_change { td.tick { input type="checkbox" name="lead" value=(lead.id) form=(BULK_FORM) aria-label=(tr!("Select {name}", name = name)); } }
            td.name {
                div.title {
                    a href={ "/leads/" (lead.id) } { (name) }
                    @if lead.test { " " (badge(Tone::Dim, &tr!("Test"))) }
                    @if lead.submissions_count > 0 { " " span.badge.dim title=(tr!("Forms that this person has sent")) { (tr!([lead.submissions_count + 1] "{n} form" | "{n} forms")) } }
                }
                div.contact {
                    @if let Some(email) = &lead.email { (mail_link(email)) }
                    @if let Some(phone) = &lead.phone { (phone_link(phone)) }
                }
            }
            td.status { (status_badge(lead.status)) }
            td.assignee { (assignee(lead.assigned_to.as_ref(), users)) }
            td.form {
                @if let Some(form) = &lead.attribution.form_name { div.line { (form) } }
                div.quiet.line { (lead.tags.join(", ")) @if let Some(page) = &lead.page_name { " · " (page) } }
            }
            td.when { (ago(lead.created_time)) }
        }
    }
}
