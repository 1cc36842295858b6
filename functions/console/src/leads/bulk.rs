//! What is done to several leads of the list at once.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::directory::Access;
use leadwire::error::ErrorCode;
use leadwire::http::{Problem, fields};
use leadwire::ids::LeadId;
use leadwire::leads::LeadIn;
use leadwire::model::lead::query::Assignee;
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};

use super::detail::read_only;
use super::{STATUSES, status_name};
use crate::actor::LeadReader;
use crate::components::{count, csrf_field};
use crate::flash::redirect_with;
use crate::form::Fields;
use crate::request::local_path;
use crate::session::Visitor;
use crate::state::Console;

/// The form to which the boxes of the rows belong.
pub(super) const FORM_ID: &str = "bulk";
/// Leads of one request. More would take longer than a request may.
const MAX_LEADS: usize = 100;

/// The bar with what can be done to the selected leads. The style shows it while one is selected.
pub(super) fn bar(visitor: &Visitor, users: &[User]) -> Markup {
    html! {
        form.bulk.card id=(FORM_ID) method="post" action="/leads/bulk" aria-label=(tr!("Selected leads")) {
            (csrf_field(visitor))
            b data-count="lead" { (tr!("Selected leads")) }
            label { span.hidden { (tr!("Assign to")) } select name="assigned_to" {
                option value="" { (tr!("Assign to…")) }
                option value=(Assignee::UNASSIGNED) { (tr!("Unassigned")) }
                @for user in users.iter().filter(|user| user.active) { option value=(user.id) { (user.name) } }
            } }
            button name="act" value="assign" { (tr!("Assign")) }
            label { span.hidden { (tr!("Status")) } select name="status" { option value="" { (tr!("Status…")) } @for (status, value) in STATUSES { option value=(value) { (status_name(status)) } } } }
            button name="act" value="status" { (tr!("Change status")) }
        }
    }
}

pub(super) async fn apply(
    State(console): State<Console>,
    reader: LeadReader,
    headers: http::HeaderMap,
    jar: PrivateCookieJar,
    form: Fields,
) -> Result<Response, Problem> {
    let access = reader.access.as_ref().ok_or_else(read_only)?;
    let outcome = change_all(&console, access, &form).await;
    // Back to the list as it was filtered.
    let from = headers.get(http::header::REFERER).and_then(|value| value.to_str().ok()?.parse::<url::Url>().ok());
    let list =
        from.filter(|url| url.path() == "/leads").and_then(|url| url.query().map(|query| format!("/leads?{query}")));
    let to = list.as_deref().and_then(local_path).unwrap_or("/leads");
    Ok(redirect_with(to, jar, outcome))
}

async fn change_all(console: &Console, access: &Access, form: &Fields) -> Result<String, Problem> {
    let unknown = |_| Problem::field("lead", ErrorCode::LeadUnknown, tr!("No lead has this id."));
    let leads: Vec<LeadId> = form.all("lead").map(LeadId::parse).collect::<Result<_, _>>().map_err(unknown)?;
    if leads.is_empty() || leads.len() > MAX_LEADS {
        let detail = tr!("Select the leads to change, {most} at most.", most = MAX_LEADS);
        return Err(Problem::field("lead", ErrorCode::ListInvalid, detail));
    }
    let input = || -> Result<LeadIn, Problem> {
        if form.get("act") == Some("status") {
            return Ok(LeadIn {
                status: Some(fields::status(form.get("status").unwrap_or_default())?),
                ..LeadIn::default()
            });
        }
        let chosen = form.get("assigned_to").unwrap_or_default();
        let to = fields::id("assigned_to", chosen, Assignee::parse)?;
        let to = match to {
            Assignee::Unassigned => None,
            Assignee::User(user) => Some(user),
        };
        Ok(LeadIn { assigned_to: Some(to), ..LeadIn::default() })
    };
    let (mut changed, mut gone) = (0_usize, 0_usize);
    for id in &leads {
        access.trail.about(id);
        match console.leads.change(access, id, input()?).await {
            Ok(_) => changed += 1,
            // Erased, or joined to another lead, since the list was drawn.
            Err(error) if error.code() == ErrorCode::NotFound => gone += 1,
            Err(error) if changed > 0 => {
                tracing::warn!(%error, changed, "some of the selected leads were not changed");
                let problem = Problem::from(error);
                let detail = tr!(
                    [changed] "{n} lead changed, then this failed: {problem}"
                        | "{n} leads changed, then this failed: {problem}",
                    problem = problem.detail
                );
                return Err(Problem { detail, ..problem });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(match gone {
        0 => tr!([changed] "{n} lead changed." | "{n} leads changed."),
        gone => tr!(
            [changed] "{n} lead changed; {gone} no longer there." | "{n} leads changed; {gone} no longer there.",
            gone = count(gone)
        ),
    })
}
