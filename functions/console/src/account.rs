//! What people see and set for themselves: who they are here, which mails they get, and the keys.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::directory::UserOut;
use leadwire::http::Problem;
use leadwire::model::mail_preference::MailProblemReason;
use leadwire::tr;
use maud::{Markup, html};

use crate::components::{Tone, alert, csrf_field};
use crate::flash::redirect_with;
use crate::form::{PersonForm, Submitted};
use crate::keys;
use crate::language;
use crate::layout::{Section, page};
use crate::session::Visitor;
use crate::state::Console;
use crate::steps;

const PATH: &str = "/account";

pub(crate) async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let described = match visitor.user() {
        Some(user) => Some(
            console.rooms.directory.describe_user(&visitor.session.caller.scope_of_colleague()?, user.clone()).await?,
        ),
        None => None,
    };
    let body = html! {
        section.card { h2 { (tr!("You")) } (facts(&visitor, described.as_ref())) }
        section.card { h2 { (tr!("Mails to you")) } (mails(&visitor, described.as_ref())) }
        (keys::section(&visitor))
        (steps::way_back(&visitor, &jar))
    };
    Ok(page(&visitor, jar, Section::Elsewhere, &tr!("Your account"), &body))
}

fn facts(visitor: &Visitor, described: Option<&UserOut>) -> Markup {
    html! {
        dl.facts {
            div { dt { (tr!("Name")) } dd { (visitor.name()) } }
            @if let Some(out) = described { div { dt { (tr!("E-mail")) } dd { (out.user.email) } } }
            @if let Some(role) = described.and_then(|out| out.user.role.as_deref()) { div { dt { (tr!("Role")) } dd { (role) } } }
            @if let Some(org) = visitor.org_name() { div { dt { (tr!("Org")) } dd { (org) } } }
            div { dt { (tr!("Language")) } dd { (leadwire::language::language().own_name()) " · " (language::switch()) } }
        }
    }
}

fn mails(visitor: &Visitor, described: Option<&UserOut>) -> Markup {
    let Some(out) = described else {
        return html! { p { (tr!("Your CRM has not added you to this org, so you get no mails.")) } };
    };
    html! {
        @if let Some(problem) = &out.mail_problem {
            (alert(Tone::Bad, html! { p {
                @match problem.reason {
                    MailProblemReason::Bounced => (tr!("Mails to {address} cannot be delivered. Ask an admin of your CRM to correct the address, or save here to try again.", address = problem.address)),
                    MailProblemReason::Complained => (tr!("Mails to {address} were reported as unwanted, so none are sent. Save here to get them again.", address = problem.address)),
                }
            } }))
        }
        form method="post" action={ (PATH) "/mails" } {
            (csrf_field(visitor))
            label.tick { input type="checkbox" name="notifications" checked[out.notifications]; " " (tr!("Leads that are assigned to me")) }
            p.quiet { (tr!("You get one mail for each lead, up to twenty an hour, and one for all further leads. An admin switches these mails on for each integration.")) }
            @if out.user.is_admin() {
                label.tick { input type="checkbox" name="alerts" checked[out.alerts]; " " (tr!("Alerts about connections and webhooks")) }
                p.quiet { (tr!("Before a connection expires, and when leads have stopped or a webhook fails.")) }
            }
            div.acts { button.primary { (tr!("Save")) } }
        }
    }
}

/// Switches mails on or off.
pub(crate) async fn switch_mails(form: PersonForm) -> Result<Response, Problem> {
    let Submitted { console, actor, jar, fields } = form;
    // Who is no admin gets no alerts, and is not asked about them.
    let alerts = actor.user.is_admin().then(|| fields.is_ticked("alerts"));
    let notifications = Some(fields.is_ticked("notifications"));
    let saved = console.rooms.directory.switch_mails(&actor.access, actor.user, notifications, alerts).await;
    Ok(redirect_with(PATH, jar, saved.map(|_| tr!("Saved.").into_owned()).map_err(Problem::from)))
}
