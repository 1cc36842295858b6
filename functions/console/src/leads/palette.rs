//! Leads for the palette, found by what was typed there.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::leads::LeadList;
use leadwire::model::lead::Lead;
use leadwire::model::lead::query::LeadQuery;
use leadwire::tr;
use maud::{Markup, html};

use super::list::PATH;
use super::name_of;
use crate::actor::LeadReader;
use crate::request::{ListQuery, wants_fragment};
use crate::state::Console;

/// Leads that are shown. The list has the others.
const MAX_FOUND: usize = 6;

/// The leads that a text finds, as a fragment; to people without the script, the list shows them.
pub(super) async fn find(
    State(console): State<Console>,
    LeadReader { scope, .. }: LeadReader,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let text = query.text("q");
    if !wants_fragment(&headers) || text.is_none() {
        return Ok(Redirect::to(&query.at(PATH, &[])).into_response());
    }
    let found = console.leads.list(&scope, &LeadQuery { text, ..LeadQuery::default() }, None, MAX_FOUND).await;
    match found.map_err(Problem::from) {
        Ok(list) => Ok(part(&list).into_response()),
        // An address or a number that is not typed to its end.
        Err(unfinished) if unfinished.code.is(ErrorCode::SearchInvalid) => {
            Ok(html! { p { (unfinished.detail) } }.into_response())
        }
        Err(problem) => Err(problem),
    }
}

fn part(list: &LeadList) -> Markup {
    let known = list.items.len();
    html! {
        ul aria-label=(tr!("Leads")) {
            @for lead in &list.items { li { a href={ (PATH) "/" (lead.id) } { b { (name_of(lead)) } " " span.quiet { (contact(lead)) } } } }
        }
        p {
            @if known == 0 { (tr!("No one found")) }
            @else if list.next_cursor.is_some() { (tr!([known] "More than {n} lead found" | "More than {n} leads found")) }
            @else { (tr!([known] "{n} lead found" | "{n} leads found")) }
        }
    }
}

/// What tells people of the same name apart.
fn contact(lead: &Lead) -> String {
    let known = [&lead.email, &lead.phone].into_iter().flatten().map(String::as_str);
    known.collect::<Vec<_>>().join(" · ")
}
