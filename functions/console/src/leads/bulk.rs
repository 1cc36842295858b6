//! What is done to several leads of the list at once, and the way back.

use std::collections::BTreeSet;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::directory::Access;
use leadwire::error::ErrorCode;
use leadwire::http::path::Id;
use leadwire::http::{Problem, fields};
use leadwire::ids::{BulkChangeId, LeadId};
use leadwire::model::lead::bulk::LeadField;
use leadwire::model::lead::query::{Assignee, LeadQuery};
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};
use serde::Deserialize;

use super::detail::read_only;
use super::{FILTERS, STATUSES, lead_query, status_name};
use crate::actor::LeadReader;
use crate::acts::Showing;
use crate::components::{BULK_FORM, count, csrf_field};
use crate::flash::{Flash, redirect_with};
use crate::form::Fields;
use crate::request::{ListQuery, local_path};
use crate::session::Visitor;
use crate::state::Console;
use crate::zone::Zone;

/// Leads of one request. More would take longer than a request may.
pub(super) const MAX_LEADS: usize = 100;
/// Requests of one change. A browser follows 20 redirects, some only 16.
const MAX_STEPS: u32 = 15;

/// The bar with what can be done to the selected leads. The style shows it while one is selected.
///
/// `has_more` says whether leads match that are not on this page.
pub(super) fn bar(visitor: &Visitor, users: &[User], query: &ListQuery, has_more: bool) -> Markup {
    html! {
        form.bulk.card id=(BULK_FORM) method="post" action="/leads/bulk" aria-label=(tr!("Selected leads")) {
            (csrf_field(visitor))
            input type="hidden" name="filters" value=(filters_of(query));
            b data-count="lead" { (tr!("Selected leads")) }
            @if has_more { label.check { input type="checkbox" name="every" value="yes"; (tr!("All that match, on all pages")) } }
            label { span.hidden { (tr!("Assign to")) } select name="assigned_to" {
                option value="" { (tr!("Assign to…")) }
                option value=(Assignee::UNASSIGNED) { (tr!("Unassigned")) }
                @for user in users.iter().filter(|user| user.active) { option value=(user.id) { (user.name) } }
            } }
            button name="act" value="assign" { (tr!("Assign")) }
            label { span.hidden { (tr!("Status")) } select name="status" { option value="" { (tr!("Status…")) } @for (status, value) in STATUSES { option value=(value) { (status_name(status)) } } } }
            button name="act" value="status" { (tr!("Change status")) }
            @if visitor.has_meta() { button formaction="/leads/exports/selected" { (tr!("Export")) } }
        }
    }
}

/// The filters of a list as one text, because a form has fields of the same names.
fn filters_of(query: &ListQuery) -> String {
    let filters = FILTERS.iter().filter_map(|name| Some((*name, query.get(name)?)));
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(filters).finish()
}

/// What a form selects of a list.
pub(super) enum Selection {
    /// These leads.
    Leads(Vec<LeadId>),
    /// All leads that match.
    Every(LeadQuery),
}

impl Selection {
    pub(super) fn read(form: &Fields, zone: &Zone) -> Result<Self, Problem> {
        if form.is_ticked("every") {
            let filters = form.text("filters");
            let filters: Vec<_> = url::form_urlencoded::parse(filters.as_bytes()).collect();
            let filters = filters.iter().map(|(name, value)| (&**name, &**value));
            let query = ListQuery::new(filters.filter(|(name, _)| FILTERS.contains(name)));
            return Ok(Self::Every(lead_query(&query, zone)?));
        }
        let unknown = |_| Problem::field("lead", ErrorCode::LeadUnknown, tr!("No lead has this id."));
        let leads: BTreeSet<LeadId> = form.all("lead").map(LeadId::parse).collect::<Result<_, _>>().map_err(unknown)?;
        if leads.is_empty() || leads.len() > MAX_LEADS {
            let detail = tr!("Select the leads to change, {most} at most.", most = MAX_LEADS);
            return Err(Problem::field("lead", ErrorCode::ListInvalid, detail));
        }
        Ok(Self::Leads(leads.into_iter().collect()))
    }
}

/// How far a change of many leads is. The browser carries it from one request to the next.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Progress {
    change: Option<String>,
    #[serde(default)]
    step: u32,
    #[serde(default)]
    changed: usize,
    #[serde(default)]
    gone: usize,
    cursor: Option<String>,
}

impl Progress {
    fn go_on(&self) -> Response {
        let [step, changed, gone] = [self.step.to_string(), self.changed.to_string(), self.gone.to_string()];
        let (change, cursor) = (self.change.as_deref(), self.cursor.as_deref());
        let (change, cursor) = (change.unwrap_or_default(), cursor.unwrap_or_default());
        let progress =
            [("change", change), ("step", &step), ("changed", &changed), ("gone", &gone), ("cursor", cursor)];
        repeat("/leads/bulk", &progress)
    }
}

pub(super) async fn apply(
    State(console): State<Console>,
    reader: LeadReader,
    Query(progress): Query<Progress>,
    zone: Zone,
    headers: HeaderMap,
    jar: PrivateCookieJar,
    form: Fields,
) -> Result<Response, Problem> {
    let access = reader.access.as_ref().ok_or_else(read_only)?;
    let begun = progress.change.clone().map(|change| (change, progress.changed));
    let list = list_of(&headers);
    let (problem, begun) = match apply_step(&console, access, &form, &zone, progress).await {
        Ok(Step::Next(progress)) => return Ok(progress.go_on()),
        Ok(Step::Last(flash)) => return Ok(redirect_with(&list, jar, Ok(flash))),
        Ok(Step::Failed { problem, change, changed }) => (problem, Some((change, changed))),
        Err(problem) => (problem, begun),
    };
    Ok(match begun {
        Some((change, changed)) => {
            let flash = Flash { undo: Some(undo_path(&change)), ..Flash::failed(stopped(changed, &problem)) };
            redirect_with(&list, jar, Ok(flash)).showing(Some(&problem))
        }
        None => redirect_with(&list, jar, Err::<Flash, _>(problem)),
    })
}

/// How many leads were changed before a failure.
fn stopped(changed: usize, problem: &Problem) -> String {
    tr!(
        [changed] "{n} lead changed, then this failed: {problem}" | "{n} leads changed, then this failed: {problem}",
        problem = problem.detail
    )
}

pub(super) fn undo_path(change: &str) -> String {
    format!("/leads/bulk/{change}/undo")
}

/// The list that a form was sent from, as it was filtered, or the page of a lead.
fn list_of(headers: &HeaderMap) -> String {
    let from = headers.get(http::header::REFERER).and_then(|value| value.to_str().ok()?.parse::<url::Url>().ok());
    let address = from.and_then(|url| match url.path().strip_prefix("/leads/") {
        Some(lead) => LeadId::parse(lead).ok().map(|lead| format!("/leads/{lead}")),
        None => url.query().filter(|_| url.path() == "/leads").map(|query| format!("/leads?{query}")),
    });
    address.filter(|address| local_path(address).is_some()).unwrap_or_else(|| "/leads".to_owned())
}

/// Lets the browser send the same form again, with the progress.
fn repeat(path: &str, progress: &[(&str, &str)]) -> Response {
    let progress = ListQuery::new(progress.iter().copied());
    Redirect::temporary(&progress.at(path, &[])).into_response()
}

enum Step {
    Next(Progress),
    Last(Flash),
    /// Some leads may be changed.
    Failed {
        problem: Problem,
        change: String,
        changed: usize,
    },
}

async fn apply_step(
    console: &Console,
    access: &Access,
    form: &Fields,
    zone: &Zone,
    mut progress: Progress,
) -> Result<Step, Problem> {
    let to = new_value(form)?;
    let (leads, next) = match Selection::read(form, zone)? {
        Selection::Leads(leads) => (leads, None),
        Selection::Every(query) => {
            if progress.step == 0 {
                check_count(console, access, &query).await?;
            }
            let list = console.rooms.leads.list(&access.scope, &query, progress.cursor.as_deref(), MAX_LEADS).await?;
            (list.items.into_iter().map(|lead| lead.id).collect(), list.next_cursor)
        }
    };
    let change = match &progress.change {
        None => BulkChangeId::new(),
        Some(id) => fields::id("change", id, BulkChangeId::parse)?,
    };
    let outcome = console.rooms.leads.change_several(access, (&change, progress.step), &leads, &to).await?;
    progress.changed = progress.changed.saturating_add(outcome.changed);
    progress.gone = progress.gone.saturating_add(outcome.gone);
    let (changed, gone) = (progress.changed, progress.gone);
    let change = change.as_str().to_owned();
    if let Some(error) = outcome.failure {
        return Ok(Step::Failed { problem: error.into(), change, changed });
    }
    let undo = (outcome.can_be_undone || progress.step > 0).then(|| undo_path(&change));
    progress.change = Some(change);
    progress.cursor = next;
    progress.step = progress.step.saturating_add(1);
    let text = match gone {
        _ if progress.cursor.is_some() && progress.step < MAX_STEPS => return Ok(Step::Next(progress)),
        _ if progress.cursor.is_some() => tr!(
            [changed] "{n} lead changed. More leads may match: filter the list further to change the rest."
                | "{n} leads changed. More leads may match: filter the list further to change the rest."
        ),
        0 => tr!([changed] "{n} lead changed." | "{n} leads changed."),
        gone => tr!(
            [changed] "{n} lead changed; {gone} no longer there." | "{n} leads changed; {gone} no longer there.",
            gone = count(gone)
        ),
    };
    Ok(Step::Last(Flash { undo, ..Flash::done(text) }))
}

/// Refuses more leads than one change can have, as far as they can be counted, before any of them is changed.
async fn check_count(console: &Console, access: &Access, query: &LeadQuery) -> Result<(), Problem> {
    let most = MAX_LEADS * MAX_STEPS as usize;
    let Some(counted) = console.rooms.leads.count(&access.scope, query).await? else { return Ok(()) };
    if counted.leads <= most {
        return Ok(());
    }
    let detail = tr!(
        "More than {most} leads match. Filter the list further, for example by date, and change them part by part.",
        most = count(most)
    );
    Err(Problem::field("lead", ErrorCode::ListInvalid, detail))
}

fn new_value(form: &Fields) -> Result<LeadField, Problem> {
    if form.get("act") == Some("status") {
        return Ok(LeadField::Status(fields::status(form.get("status").unwrap_or_default())?));
    }
    let chosen = form.get("assigned_to").unwrap_or_default();
    Ok(LeadField::AssignedTo(match fields::id("assigned_to", chosen, Assignee::parse)? {
        Assignee::Unassigned => None,
        Assignee::User(user) => Some(user),
    }))
}

/// How far the undoing of a change is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct UndoProgress {
    #[serde(default)]
    restored: usize,
    #[serde(default)]
    kept: usize,
}

pub(super) async fn undo(
    State(console): State<Console>,
    reader: LeadReader,
    Id(id): Id<BulkChangeId>,
    Query(mut progress): Query<UndoProgress>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
    _: Fields,
) -> Result<Response, Problem> {
    let access = reader.access.as_ref().ok_or_else(read_only)?;
    let outcome = match console.rooms.leads.undo_several(access, &id).await {
        Ok(undone) => {
            progress.restored = progress.restored.saturating_add(undone.restored);
            progress.kept = progress.kept.saturating_add(undone.kept);
            if undone.has_more {
                let [restored, kept] = [progress.restored.to_string(), progress.kept.to_string()];
                let progress = [("restored", restored.as_str()), ("kept", &kept)];
                return Ok(repeat(&format!("/leads/bulk/{id}/undo"), &progress));
            }
            Ok(Flash::done(match progress.kept {
                0 => tr!([progress.restored] "{n} lead is as before." | "{n} leads are as before."),
                kept => tr!(
                    [progress.restored] "{n} lead is as before. Changed since, and left alone: {kept}."
                        | "{n} leads are as before. Changed since, and left alone: {kept}.",
                    kept = count(kept)
                ),
            }))
        }
        Err(error) if error.code() == ErrorCode::NotFound => {
            Ok(Flash::failed(tr!("This change is already undone, or it was made more than a day ago.")))
        }
        Err(error) => {
            let problem = Problem::from(error);
            let flash = Flash { undo: Some(undo_path(id.as_str())), ..Flash::from(&problem) };
            return Ok(redirect_with(&list_of(&headers), jar, Ok(flash)).showing(Some(&problem)));
        }
    };
    Ok(redirect_with(&list_of(&headers), jar, outcome))
}
