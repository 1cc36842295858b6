//! The mapping of a form's answers: what is typed, saved, previewed and applied to earlier leads.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::FormId;
use leadwire::leads::{MappingIn, Preview, PreviewIn, RerunIn};
use leadwire::tr;
use maud::html;

use super::mapping_form::MappingForm;
use super::mapping_page::{MappingPage, outcome};
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{count, csrf_field};
use crate::flash::redirect_with;
use crate::form::AdminForm;
use crate::layout::{Section, page};
use crate::messages;
use crate::request::wants_fragment;
use crate::state::Console;

/// Time that re-mapping leads takes before it asks whether to continue.
const MAX_RERUN_DURATION: Duration = Duration::from_secs(12);

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<FormId>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let mapping = console.rooms.leads.mapping(&admin.access, &id).await?;
    let form = MappingForm::from_mapping(&mapping);
    let preview = preview_of(&console, &admin, &id, &form).await;
    Ok(MappingPage { mapping: &mapping, form: &form, preview: preview.as_ref().ok(), problem: None }
        .respond(&admin, jar))
}

pub(super) async fn save(
    Id(id): Id<FormId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let mut form = MappingForm::parse(&fields);
    let input = MappingIn { rules: form.rules(), country: form.country.clone(), version: form.version };
    let changed = match form.choices_problem() {
        Some(problem) => Err(problem),
        None => console.rooms.leads.set_mapping(&admin.access, &id, input).await.map_err(Problem::from),
    };
    match changed {
        Ok(saved) => {
            let text = tr!("Saved as version {version}. It applies to new leads.", version = saved.version);
            Ok(redirect_with(&format!("/forms/{id}"), jar, Ok(text)))
        }
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => {
            let mapping = console.rooms.leads.mapping(&admin.access, &id).await?;
            if problem.code.is(ErrorCode::MappingChanged) {
                // The problem was shown: saving again overwrites that version knowingly.
                form.version = Some(mapping.version);
            }
            let shown = MappingPage { mapping: &mapping, form: &form, preview: None, problem: Some(&problem) };
            Ok(shown.respond(&admin, jar).showing(Some(&problem)))
        }
    }
}

/// What the newest lead becomes by the rules as they are typed: a fragment for the script, else the page.
pub(super) async fn preview(
    Id(id): Id<FormId>,
    headers: HeaderMap,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let form = MappingForm::parse(&fields);
    let previewed = preview_of(&console, &admin, &id, &form).await;
    if wants_fragment(&headers) {
        let part = match &previewed {
            Ok(preview) => outcome(preview),
            Err(problem) => html! { p.wrong { (messages::text(problem)) } },
        };
        return Ok(part.into_response());
    }
    let mapping = console.rooms.leads.mapping(&admin.access, &id).await?;
    let (preview, problem) = (previewed.as_ref().ok(), previewed.as_ref().err());
    Ok(MappingPage { mapping: &mapping, form: &form, preview, problem }.respond(&admin, jar))
}

async fn preview_of(console: &Console, admin: &Admin, id: &FormId, form: &MappingForm) -> Result<Preview, Problem> {
    if let Some(problem) = form.choices_problem() {
        return Err(problem);
    }
    let input = PreviewIn { rules: form.rules(), country: form.country.clone(), lead_id: None };
    Ok(console.rooms.leads.preview_mapping(&admin.access, id, input).await?)
}

/// Re-maps the form's earlier leads for a while. If there are more, it ends on a page that continues.
pub(super) async fn rerun(
    Id(id): Id<FormId>,
    AdminForm { console, actor: Admin { visitor, access }, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let number = |name: &str| fields.get(name).and_then(|text| text.parse().ok()).unwrap_or(0_usize);
    let (mut changed, mut unchanged) = (number("changed"), number("unchanged"));
    let mut cursor = fields.get("cursor").map(ToOwned::to_owned);
    let started = Instant::now();
    loop {
        let done = match console.rooms.leads.remap(&access, &id, RerunIn { cursor }).await {
            Ok(done) => done,
            Err(error) => return Ok(redirect_with(&format!("/forms/{id}"), jar, Err::<String, _>(error.into()))),
        };
        let sum = (changed.saturating_add(done.changed), unchanged.saturating_add(done.unchanged));
        ((changed, unchanged), cursor) = (sum, done.next_cursor);
        let Some(next) = &cursor else {
            let text = tr!(
                [changed.saturating_add(unchanged)]
                "{n} lead mapped again: {changed} changed, {unchanged} unchanged."
                    | "{n} leads mapped again: {changed} changed, {unchanged} unchanged.",
                changed = changed,
                unchanged = unchanged
            );
            return Ok(redirect_with(&format!("/forms/{id}"), jar, Ok(text)));
        };
        // The script submits this form by itself; without it, the admin does.
        if started.elapsed() > MAX_RERUN_DURATION {
            let body = html! {
                p { (tr!(
                    "{mapped} leads mapped again so far, {changed} of them changed. There are more.",
                    mapped = count(changed.saturating_add(unchanged)),
                    changed = count(changed)
                )) }
                form method="post" action={ "/forms/" (id) "/rerun" } data-go-on {
                    (csrf_field(&visitor))
                    input type="hidden" name="cursor" value=(next);
                    input type="hidden" name="changed" value=(changed);
                    input type="hidden" name="unchanged" value=(unchanged);
                    button.primary { (tr!("Continue")) }
                    a.button href={ "/forms/" (id) } { (tr!("Stop here")) }
                }
            };
            return Ok(page(&visitor, jar, Section::Forms, &tr!("Mapping leads again"), &body).into_response());
        }
    }
}
