//! The orgs that a superadmin may act for.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::PrivateCookieJar;
use leadwire::directory::Access;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::OrgId;
use leadwire::model::org::Org;
use leadwire::tr;
use maud::html;
use serde::Deserialize;

use crate::acts::RequestTrail;
use crate::components::{self, Tone, empty, with_markup};
use crate::flash::Flash;
use crate::form::Fields;
use crate::layout::{PageHead, Section, page};
use crate::request::local_path;
use crate::session::Visitor;
use crate::state::Console;

/// What is looked for, and where the user was going.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    back: String,
}

/// Lists all orgs to select from.
pub(crate) async fn list(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let orgs = console.rooms.directory.orgs(&visitor.session.caller).await?;
    let selected = visitor.session.acts_for();
    let wanted_name = wanted.q.trim().to_lowercase();
    let is_found = |org: &&Org| {
        wanted_name.is_empty()
            || org.name.to_lowercase().contains(&wanted_name)
            || org.id.as_str().to_lowercase().contains(&wanted_name)
    };
    let mut found: Vec<&Org> = orgs.iter().filter(is_found).collect();
    found.sort_by_key(|org| (selected != Some(&org.id), !org.has_meta(), org.name.to_lowercase()));
    let body = html! {
        @if orgs.len() > 10 {
            form.toolbar.search method="get" action="/orgs" role="search" aria-label=(tr!("Find orgs")) {
                @if !wanted.back.is_empty() { input type="hidden" name="back" value=(wanted.back); }
                input type="search" name="q" value=(wanted.q) aria-label=(tr!("Name or id")) placeholder=(tr!("Name or id"));
                button { (tr!("Find")) }
            }
        }
        @if orgs.is_empty() {
            (empty(&tr!("No orgs yet"), with_markup(
                &tr!("The CRM pushes its orgs with {code}; they appear here."),
                &[("code", html! { code { "PUT /api/orgs/{id}" } })],
            )))
        } @else if found.is_empty() {
            (empty(&tr!("No org matches"), html! { a href="/orgs" { (tr!("See all orgs")) } }))
        } @else {
            div.card.flush {
                table {
                    thead { tr { th { (tr!("Org")) } th { (tr!("Id")) } th { (tr!("Plan")) } th { "Meta" } th { span.hidden { (tr!("Select")) } } } }
                    tbody {
                        @for org in &found {
                            tr {
                                td data-label=(tr!("Org")) { b { (org.name) } }
                                td data-label=(tr!("Id")) { code { (org.id) } }
                                td data-label=(tr!("Plan")) { span.plan { (org.plan.name) } }
                                td data-label="Meta" { @if org.has_meta() { (tr!("Included")) } @else { (tr!("Not in the plan")) } }
                                td.acts {
                                    @if selected == Some(&org.id) {
                                        (components::badge(Tone::Good, &tr!("Selected")))
                                    } @else {
                                        form method="post" action="/orgs" {
                                            (components::csrf_field(&visitor))
                                            input type="hidden" name="org" value=(org.id);
                                            input type="hidden" name="back" value=(wanted.back);
                                            button aria-label=(tr!("Select {name}", name = org.name)) { (tr!("Select")) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    let title = tr!("Orgs");
    let head = PageHead::new(&title).about(html! { (tr!("Choose an org to work in.")) });
    Ok(page(&visitor, jar, Section::Elsewhere, head, &body))
}

/// Selects an org.
pub(crate) async fn select(
    State(console): State<Console>,
    visitor: Visitor,
    jar: PrivateCookieJar,
    RequestTrail(trail): RequestTrail,
    fields: Fields,
) -> Result<Response, Problem> {
    let unknown = || Problem::field("org", ProblemCode::OrgUnknown, tr!("There is no such org."));
    let id = OrgId::parse(fields.get("org").unwrap_or_default()).map_err(|_| unknown())?;
    let orgs = console.rooms.directory.orgs(&visitor.session.caller).await?;
    let org = orgs.iter().find(|org| org.id == id).ok_or_else(unknown)?;
    // It belongs to the org that is chosen: its admins see who acts for it.
    Access::new(visitor.session.caller.clone(), Some(id.as_str()))?.begin(trail).await?;
    if !console.sessions.select_org(visitor.secret(), &id).await? {
        let detail = tr!("Your session has ended. Log in again.");
        return Err(Problem::new(ProblemCode::SessionEnded, detail));
    }
    let flash = Flash::done(tr!("You now work in {name}.", name = org.name));
    let back = local_path(fields.get("back").unwrap_or_default()).unwrap_or("/");
    Ok((flash.put(jar), Redirect::to(back)).into_response())
}
