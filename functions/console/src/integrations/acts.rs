//! Actions on integrations. Every action redirects to a page that reports its outcome.

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, SameSite};
use axum_extra::extract::{CookieJar, PrivateCookieJar};
use http::request::Parts;
use leadwire::admin::manage::{Ended, NewIntegration, PagesIn, SettingsIn, TokenIn};
use leadwire::admin::runs::BackfillIn;
use leadwire::admin::{connect as logins, directory, integrations, manage, runs};
use leadwire::connections::Begin;
use leadwire::http::Problem;
use leadwire::ids::{IntegrationId, PageId, UserId};
use leadwire::model::connection::login::{LIFETIME, browser_cookie, browser_hash};
use leadwire::model::lead::assignment::Assignment;
use leadwire::secret::AccessToken;
use maud::html;
use oauth2::CsrfToken;
use serde::Deserialize;
use url::Url;

use super::details::{Refused, assignment, shown};
use crate::elements::{counted, is_wrong, proof, refused};
use crate::fields::{Act, Fields};
use crate::frame::{Section, leave_for, page};
use crate::login::origin;
use crate::notice::{Notice, told_at};
use crate::state::Console;
use crate::visitor::Admin;

/// The final return address after Meta's dialog.
fn back(origin: &Url) -> String {
    format!("{}{}", origin.as_str().trim_end_matches('/'), logins::CONSOLE)
}

/// Creates a secret that ties the login to this browser: the one that returns from Meta must have it. Returns the hash
/// for the stored login, and the cookie.
///
/// The cookie is not encrypted with the console's own key, because the oauth function reads it.
fn this_browser(origin: &Url) -> (String, Cookie<'static>) {
    let secret = CsrfToken::new_random_len(32).into_secret();
    let hash = browser_hash(&secret);
    let cookie = Cookie::build((browser_cookie(origin), secret))
        .path("/")
        .http_only(true)
        .secure(origin.scheme() == "https")
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(LIFETIME.as_secs()));
    (hash, cookie.build())
}

/// Sends the admin to Meta's dialog to connect an account.
pub(super) async fn connect(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    jar: CookieJar,
    parts: Parts,
    _: Fields,
) -> Result<Response, Problem> {
    let origin = origin(&console, &parts)?;
    let (browser, cookie) = this_browser(&origin);
    let asked = Begin { return_url: back(&origin), browser: Some(browser), ..Begin::default() };
    let dialog = logins::begin(&console.services, &access, origin, asked).await?;
    Ok((jar.add(cookie), leave_for(&dialog, "On to Facebook")).into_response())
}

/// Like [`connect`], for an integration that is connected again.
pub(super) async fn reconnect(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    Path(id): Path<String>,
    jar: CookieJar,
    parts: Parts,
    _: Fields,
) -> Result<Response, Problem> {
    let origin = origin(&console, &parts)?;
    let before = integrations::read(&console.services, &access, &id).await?.pages_count;
    let return_url = format!("{}?before={before}", back(&origin));
    let (browser, cookie) = this_browser(&origin);
    let asked = Begin { return_url, browser: Some(browser), ..Begin::default() };
    let dialog = logins::reconnect(&console.services, &access, origin, &id, asked).await?;
    Ok((jar.add(cookie), leave_for(&dialog, "On to Facebook")).into_response())
}

/// Parameters of the return from Meta.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Back {
    status: Option<String>,
    integration_id: Option<String>,
    pages: Option<u32>,
    /// The number of pages before, which the console itself put into the address.
    before: Option<u32>,
    code: Option<String>,
}

/// Handles the return from Meta. Anyone can write this address, so the notice consists of fixed texts: of the address
/// it repeats only numbers and a filtered code.
pub(super) async fn back_from_meta(jar: PrivateCookieJar, Admin { .. }: Admin, Query(back): Query<Back>) -> Response {
    let notice = match (back.status.as_deref(), back.code.as_deref()) {
        (Some("connected"), _) => {
            let pages = back.pages.unwrap_or_default();
            match back.before {
                Some(before) if before > pages => Notice::failed(format!(
                    "Connected, but with {} instead of {before}: the others bring no leads any more. Reconnect and tick them, \
                     as somebody who has a role on all of them.",
                    counted(pages, "page")
                )),
                _ => Notice::done(format!("Connected, with {}.", counted(pages, "page"))),
            }
        }
        (Some("denied"), _) => Notice::failed(
            "Facebook was not allowed to connect, so nothing was changed. If you did agree: an app in development mode lets only its own team in.",
        ),
        (_, Some("no_pages")) => {
            Notice::failed("Facebook gave no pages. Connect again, and tick at least one page; you need a role on it.")
        }
        (_, code) => {
            let code: String =
                code.unwrap_or("unknown").chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(40).collect();
            Notice::failed(format!("The connection did not come about ({code}). Nothing was changed; try again."))
        }
    };
    let connected = back.status.as_deref() == Some("connected");
    let id = back.integration_id.filter(|_| connected).and_then(|id| IntegrationId::parse(&id).ok());
    let to = id.map_or_else(|| "/integrations".to_owned(), |id| format!("/integrations/{id}"));
    (notice.put(jar), Redirect::to(&to)).into_response()
}

pub(super) async fn settings(
    Path(id): Path<String>,
    Act { console, admin, jar, fields }: Act,
) -> Result<Response, Problem> {
    let change = async {
        let given = SettingsIn {
            name: Some(fields.text("name")),
            description: Some(fields.text("description")),
            assignment: Some(chosen(&fields)?),
        };
        manage::change(&console.services, &admin.access, &id, given).await
    };
    match change.await {
        Ok(_) => Ok(told_at(&format!("/integrations/{id}"), jar, Ok("Saved.".to_owned()))),
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => {
            shown(&console, &admin, &id, "", Some(&Refused { fields: &fields, problem: &problem }), jar).await
        }
    }
}

/// The assignment that a form selects.
pub(super) fn chosen(fields: &Fields) -> Result<Assignment, Problem> {
    let unknown = || Problem::field("assignment", "assignment_unknown", "Choose who gets new leads.");
    match fields.get("assignment") {
        Some("unassigned") => Ok(Assignment::Unassigned),
        Some("round_robin") => Ok(Assignment::RoundRobin),
        Some(other) => {
            let user = other.strip_prefix("user:").and_then(|id| UserId::parse(id).ok()).ok_or_else(unknown)?;
            Ok(Assignment::User { user_id: user })
        }
        None => Err(unknown()),
    }
}

pub(super) async fn pages(
    Path(id): Path<String>,
    Act { console, admin: Admin { access, .. }, jar, fields }: Act,
) -> Response {
    let change = async {
        let parse = |page: &str| {
            PageId::parse(page).map_err(|_| Problem::field("page", "page_invalid", "No page has this id."))
        };
        let page_ids = fields.all("page").map(parse).collect::<Result<Vec<_>, _>>()?;
        let list = manage::choose(&console.services, &access, &id, PagesIn { page_ids }).await?;
        Ok(format!("Saved. Leads are taken from {}.", counted(list.items.len(), "page")))
    };
    told_at(&format!("/integrations/{id}"), jar, change.await)
}

pub(super) async fn sync(
    Path(id): Path<String>,
    Act { console, admin: Admin { access, .. }, jar, .. }: Act,
) -> Response {
    let begun = runs::sync(&console.services, &access, &id).await;
    let text = |out: runs::RunOut| match out.run.found {
        0 => "Searching for new leads: so far, nothing is missing.".to_owned(),
        found => format!("{} found, and brought in now.", counted(found, "new lead")),
    };
    told_at(&format!("/integrations/{id}"), jar, begun.map(text))
}

pub(super) async fn backfill(
    Path(id): Path<String>,
    Act { console, admin: Admin { access, .. }, jar, fields }: Act,
) -> Response {
    let begin = async {
        let invalid = || Problem::field("days", "days_invalid", "A whole number of days, from 1 to 90.");
        let days = fields.text("days").parse().map_err(|_| invalid())?;
        let given = BackfillIn { days, assign: fields.is_ticked("assign") };
        runs::backfill(&console.services, &access, &id, given).await?;
        Ok(format!("Leads of the last {days} days are searched for. You need not wait here."))
    };
    told_at(&format!("/integrations/{id}"), jar, begin.await)
}

pub(super) async fn replace_token(
    Path(id): Path<String>,
    Act { console, admin: Admin { access, .. }, jar, fields }: Act,
) -> Response {
    let token = TokenIn { token: AccessToken::new(fields.text("token")) };
    let replaced = manage::replace_token(&console.services, &access, &id, token).await;
    told_at(&format!("/integrations/{id}"), jar, replaced.map(|_| "The new token is in use.".to_owned()))
}

/// The form for a system user's token.
pub(super) async fn token_form(
    State(console): State<Console>,
    admin: Admin,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    pasting(&console, &admin, None, jar).await
}

pub(super) async fn paste(Act { console, admin, jar, fields }: Act) -> Result<Response, Problem> {
    let make = async {
        let token = fields.get("token").ok_or_else(|| Problem::field("token", "token_required", "Paste the token."))?;
        let new = NewIntegration {
            name: fields.text("name"),
            description: None,
            assignment: Some(chosen(&fields)?),
            token: Some(AccessToken::new(token.to_owned())),
        };
        manage::create(&console.services, &admin.access, new).await
    };
    match make.await {
        Ok(made) => {
            let text = format!("Connected, with {}.", counted(made.pages_count, "page"));
            Ok(told_at(&format!("/integrations/{}", made.id), jar, Ok(text)))
        }
        Err(problem) => pasting(&console, &admin, Some(&Refused { fields: &fields, problem: &problem }), jar).await,
    }
}

async fn pasting(
    console: &Console,
    Admin { visitor, access }: &Admin,
    tried: Option<&Refused<'_>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let users = directory::users(&console.services, &access.scope).await?.items;
    let problem = tried.map(|tried| tried.problem);
    let name = tried.map(|tried| tried.fields.text("name")).unwrap_or_default();
    let body = html! {
        form.card.narrow method="post" action="/integrations/token" {
            (proof(visitor))
            (refused(problem))
            p { "For businesses that manage their own Meta app access: a system user's token of your Business Manager. It is verified, "
                "kept in Secrets Manager, and never shown again." }
            label { "Name" input name="name" value=(name) maxlength="100" required aria-invalid=[is_wrong(problem, "name")]; }
            // A rejected token is not sent back: a page must never contain a token.
            label { "Token" input type="password" name="token" autocomplete="off" required aria-invalid=[is_wrong(problem, "token")]; }
            (assignment(&tried.and_then(|tried| chosen(tried.fields).ok()).unwrap_or_default(), &users))
            div.acts { button.primary { "Connect" } a.button href="/integrations" { "Cancel" } }
        }
    };
    Ok(page(visitor, jar, Section::Integrations, "Use a system user's token", &body))
}

pub(super) async fn delete(
    Path(id): Path<String>,
    Act { console, admin: Admin { access, .. }, jar, .. }: Act,
) -> Response {
    let ended = manage::delete(&console.services, &access, &id).await;
    told_at("/integrations", jar, ended.map(|ended| words(&ended, "The integration is deleted.")))
}

pub(super) async fn disconnect(Act { console, admin: Admin { access, .. }, jar, .. }: Act) -> Response {
    let ended = manage::disconnect(&console.services, &access).await;
    told_at("/integrations", jar, ended.map(|(_, ended)| words(&ended, "Meta is disconnected.")))
}

fn words(ended: &Ended, done: &str) -> String {
    match ended {
        Ended::Done => format!("{done} The leads that came stay."),
        Ended::GoesOn => "Leads have stopped. The rest is cleared away in the background.".to_owned(),
    }
}
