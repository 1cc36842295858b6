//! The org's leads: the list with its filters, one lead with its history, and the import from a file.

mod answers;
mod bulk;
mod detail;
mod erasure;
mod exports;
mod history;
mod import;
mod imports;
mod list;
mod notes;
mod page_file;
mod views;

use std::borrow::Cow;

use axum::Router;
use axum::routing::{get, post};
use leadwire::http::{Problem, fields};
use leadwire::ids::{FormId, PageId, UserId};
use leadwire::model::lead::query::{Assignee, LeadOrder, LeadQuery};
use leadwire::model::lead::{Lead, Status};
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};

use crate::components::{Tone, badge};
use crate::palette;
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(list::show))
        .route("/bulk", post(bulk::apply))
        .route("/bulk/{id}/undo", post(bulk::undo))
        .route("/count", get(list::count_all))
        .route("/views", post(views::save))
        .route("/views/delete", post(views::delete))
        .route("/find", get(palette::find))
        .route("/import", get(import::form).post(import::import))
        .route("/imports/{id}/undo", post(imports::undo))
        .route("/exports", get(exports::list).post(exports::start))
        .route("/exports/selected", post(exports::selected))
        .route("/exports/{id}/file", get(exports::file))
        .route("/exports/{id}/delete", post(exports::delete))
        .route("/{id}", get(detail::show))
        .route("/{id}/arrival", get(detail::arrival))
        .route("/{id}/erase", post(erasure::erase))
        .route("/{id}/assign", post(detail::assign))
        .route("/{id}/status", post(detail::change_status))
        .route("/{id}/notes", post(notes::save))
}

/// The statuses, in the order of a lead's life, with their values in forms and addresses.
pub(crate) const STATUSES: [(Status, &str); 5] = [
    (Status::New, "new"),
    (Status::Contacted, "contacted"),
    (Status::Qualified, "qualified"),
    (Status::Converted, "converted"),
    (Status::Lost, "lost"),
];

/// What people call a status.
pub(crate) fn status_name(status: Status) -> Cow<'static, str> {
    match status {
        Status::New => tr!("New"),
        Status::Contacted => tr!("Contacted"),
        Status::Qualified => tr!("Qualified"),
        Status::Converted => tr!("Won"),
        Status::Lost => tr!("Lost"),
    }
}

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
        order: if query.get("order") == Some(OLDEST_FIRST) { LeadOrder::OldestFirst } else { LeadOrder::NewestFirst },
        ..LeadQuery::default()
    })
}

/// The value of `order` in an address for the list with the oldest lead first.
const OLDEST_FIRST: &str = "oldest_first";

const FILTERS: [&str; 9] = ["q", "tag", "page_id", "form_id", "campaign_id", "assigned_to", "status", "from", "until"];

fn filters_any(query: &ListQuery) -> bool {
    FILTERS.iter().any(|name| query.get(name).is_some())
}

/// The display name of a lead: its name, otherwise its e-mail address or phone number.
///
/// It is truncated, because anyone can submit a name of any length. The answers show it in full.
pub(crate) fn name_of(lead: &Lead) -> String {
    const MAX_NAME_CHARS: usize = 80;
    let known = [&lead.full_name, &lead.email, &lead.phone].into_iter().flatten().find(|text| !text.trim().is_empty());
    let name = known.map_or_else(|| tr!("Unnamed lead"), |name| Cow::Borrowed(name.as_str()));
    if name.chars().count() <= MAX_NAME_CHARS {
        name.into_owned()
    } else {
        name.chars().take(MAX_NAME_CHARS).chain(['…']).collect()
    }
}

/// The assignee, by the name in the directory.
fn assignee(user: Option<&UserId>, users: &[User]) -> Markup {
    html! {
        @match user {
            None => span.quiet { (tr!("Unassigned")) },
            Some(id) => (users.iter().find(|user| user.id == *id).map_or(id.as_str(), |user| user.name.as_str())),
        }
    }
}

/// A status in its tone. No two statuses have the same one, so that a list is read without its words.
pub(crate) fn status_badge(status: Status) -> Markup {
    let tone = match status {
        Status::New => Tone::Fresh,
        Status::Contacted => Tone::Calm,
        Status::Qualified => Tone::Near,
        Status::Converted => Tone::Good,
        Status::Lost => Tone::Dim,
    };
    badge(tone, &status_name(status))
}
