//! The settings of an integration: its name, the assignment of its leads, a system user's token, and deleting it.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::connections::IntegrationOut;
use leadwire::directory::UserOut;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::IntegrationId;
use leadwire::model::connection::state::TokenKind;
use leadwire::model::mail_preference::{MailProblem, MailProblemReason};
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};

use super::assignment::Work;
use super::tabs::Tab;
use crate::actor::Admin;
use crate::components::{Confirm, Confirming, csrf_field, is_wrong, problem_alert, with_markup};
use crate::form::Fields;
use crate::session::Visitor;
use crate::state::Console;

/// What the admin tried to save, and why it was rejected.
pub(super) struct Refused<'a> {
    pub(super) fields: &'a Fields,
    pub(super) problem: &'a Problem,
}

/// Where a system user's token is replaced.
pub(super) fn token_path(id: &IntegrationId) -> String {
    format!("{}#token", Tab::Settings.path(id))
}

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<IntegrationId>,
    Query(query): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    render(&console, &admin, &id, &query.confirm, None, jar).await
}

/// The tab, with the dialog to show as open, or with what was refused.
pub(super) async fn render(
    console: &Console,
    Admin { visitor, access }: &Admin,
    id: &IntegrationId,
    confirm: &str,
    refused: Option<&Refused<'_>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (integration, described) = tokio::try_join!(
        console.rooms.connections.integration(access, id),
        console.rooms.directory.describe_users(&access.scope),
    )?;
    let unreached = unreached(&integration, &described);
    let users: Vec<User> = described.into_iter().map(|described| described.user).collect();
    let body = html! {
        (form(visitor, &integration, &users, &unreached, refused))
        @if integration.token_kind == TokenKind::SystemUser { (token(visitor, id)) }
        section.acts { (delete(visitor, &integration, confirm == "delete")) }
    };
    Ok(Tab::Settings.page(visitor, jar, &integration, &body))
}

fn form(
    visitor: &Visitor,
    integration: &IntegrationOut,
    users: &[User],
    unreached: &Markup,
    rejected: Option<&Refused<'_>>,
) -> Markup {
    let problem = rejected.map(|rejected| rejected.problem);
    let name = rejected.map_or_else(|| integration.name.clone(), |rejected| rejected.fields.text("name"));
    let description =
        rejected.map_or_else(|| integration.description.clone(), |rejected| rejected.fields.text("description"));
    html! {
        form.card method="post" action={ (Tab::Settings.path(&integration.id)) "#refused" } {
            (csrf_field(visitor))
            (problem_alert(problem))
            label { (tr!("Name")) input name="name" value=(name) maxlength="100" required aria-invalid=[is_wrong(problem, "name")]; }
            label { (tr!("Description")) textarea name="description" maxlength="500" rows="2" aria-invalid=[is_wrong(problem, "description")] { (description) } }
            @let typed = |work: Work| rejected.and_then(|rejected| work.parse(rejected.fields).ok());
            (Work::Leads.select(&typed(Work::Leads).unwrap_or_else(|| integration.assignment.clone()), users))
            (Work::Conversations.select(&typed(Work::Conversations).unwrap_or_else(|| integration.inbox_assignment.clone()), users))
            label.tick { input type="checkbox" name="notify_assignee" value="yes" checked[rejected.map_or(integration.notify_assignee, |rejected| rejected.fields.is_ticked("notify_assignee"))]; (tr!("Mail each new lead to the person it is assigned to")) }
            p.quiet { (tr!("The mail is sent at once and has all you need to call the lead. After 20 mails within an hour, further leads come in one mail. Imports and searches for earlier leads send no mails.")) }
            (unreached)
            p.quiet { (tr!("Changes to the assignment apply only to new leads and conversations. Leads and conversations are assigned in separate turns.")) }
            button.primary { (tr!("Save settings")) }
        }
    }
}

fn token(visitor: &Visitor, id: &IntegrationId) -> Markup {
    html! {
        section #token {
            h2 { (tr!("Replace the system user's token")) }
            form.card method="post" action={ "/integrations/" (id) "/token" } {
                (csrf_field(visitor))
                label { (tr!("New token")) input type="password" name="token" autocomplete="off" required; }
                p.quiet { (tr!("It is verified with Meta first. Until then, the old one keeps working.")) }
                label.tick { input type="checkbox" name="replace" value="yes"; (tr!("Use it even if it belongs to another account and pages are lost")) }
                button { (tr!("Replace")) }
            }
        }
    }
}

fn delete(visitor: &Visitor, integration: &IntegrationOut, is_open: bool) -> Markup {
    let dialog = Confirm {
        id: "delete",
        label: &tr!("Delete this integration"),
        question: &tr!("Delete this integration?"),
        action: &format!("/integrations/{}/delete", integration.id),
        act: &tr!("Delete"),
        open: is_open,
        sends: None,
    };
    let consequences = html! {
        p { (tr!("“{name}” is disconnected from Meta and deleted from Leadwire.", name = integration.name)) }
        ul {
            li { (tr!([integration.pages_count] "New leads from its {n} page stop immediately." | "New leads from its {n} pages stop immediately.")) }
            li { (tr!("Existing leads are kept, with their history.")) }
            li { (tr!("Ad accounts that use this integration are not synced until they get another token.")) }
            li { (tr!("Pages that no other connection uses are unsubscribed at Meta, and the integration's access tokens are deleted.")) }
        }
    };
    dialog.show(visitor, consequences)
}

/// The people who could be assigned leads and are not mailed, each with why.
fn unreached(integration: &IntegrationOut, users: &[UserOut]) -> Markup {
    let reason = |out: &UserOut| match &out.mail_problem {
        _ if !out.user.takes_leads() => None,
        Some(MailProblem { reason: MailProblemReason::Bounced, .. }) => {
            Some(tr!("mails to their address do not arrive"))
        }
        Some(MailProblem { reason: MailProblemReason::Complained, .. }) => {
            Some(tr!("they reported a mail as unwanted"))
        }
        None => (!out.notifications).then(|| tr!("they switched the mails off")),
    };
    let found: Vec<(&str, Cow<'static, str>)> =
        users.iter().filter_map(|out| Some((out.user.name.as_str(), reason(out)?))).collect();
    let people = html! {
        @for (index, (name, reason)) in found.iter().enumerate() { @if index > 0 { "; " } b { (name) } " (" (reason) ")" }
    };
    html! {
        @if integration.notify_assignee && !found.is_empty() {
            p { (with_markup(&tr!("No mails go to {people}."), &[("people", people)])) }
        }
    }
}
