//! Actions on integrations. Every action redirects to a page that reports its outcome.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, SameSite};
use axum_extra::extract::{CookieJar, PrivateCookieJar};
use http::request::Parts;
use leadwire::connections::{
    CONSOLE_RETURN_PATH, IntegrationOut, IntegrationStatus, LoginRequest, NewIntegration, PagesIn, Removal, SettingsIn,
    TokenIn,
};
use leadwire::error::ErrorCode;
use leadwire::http::cookies::login_cookie;
use leadwire::http::path::Id;
use leadwire::http::{ACT_TIMEOUT, Problem, ProblemCode};
use leadwire::ids::{IntegrationId, PageId};
use leadwire::leads::{BackfillIn, RunOut};
use leadwire::model::connection::login::{LIFETIME, LoginFailure, browser_hash};
use leadwire::model::connection::problem::Impact;
use leadwire::secret::AccessToken;
use leadwire::tr;
use maud::html;
use oauth2::CsrfToken;
use serde::Deserialize;
use url::Url;

use super::assignment::Work;
use super::settings::{Refused, render};
use super::tabs::Tab;
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{csrf_field, is_wrong, problem_alert};
use crate::flash::{Flash, redirect_with};
use crate::form::{AdminForm, Fields};
use crate::layout::{Section, page, redirect_out};
use crate::state::Console;

/// The final return address after Meta's dialog.
fn back(origin: &Url) -> String {
    format!("{}{}", origin.as_str().trim_end_matches('/'), CONSOLE_RETURN_PATH)
}

/// Creates a secret that ties the login to this browser: the one that returns from Meta must have it. Returns the hash
/// for the stored login, and the cookie.
///
/// The cookie is not encrypted with the console's own key, because the oauth function reads it.
fn browser_cookie(origin: &Url, jar: &CookieJar) -> (String, Cookie<'static>) {
    // Another window's login goes on by the same secret.
    let known = jar.get(login_cookie(origin)).map(|cookie| cookie.value().to_owned());
    let is_secret = |secret: &String| (32..=64).contains(&secret.len()) && secret.is_ascii();
    let secret = known.filter(is_secret).unwrap_or_else(|| CsrfToken::new_random_len(32).into_secret());
    let hash = browser_hash(&secret);
    let cookie = Cookie::build((login_cookie(origin), secret))
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
    let origin = console.origin(&parts)?;
    let (browser, cookie) = browser_cookie(&origin, &jar);
    let login =
        LoginRequest { return_url: back(&origin), browser: Some(browser), renews: true, ..LoginRequest::default() };
    let dialog = console.rooms.connections.begin_login(&access, &origin, login, leadwire::clock::now()).await?;
    Ok((jar.add(cookie), redirect_out(&dialog, &tr!("Continue to Facebook"))).into_response())
}

/// Like [`connect`], for an integration that is connected again.
pub(super) async fn reconnect(
    State(console): State<Console>,
    Admin { access, .. }: Admin,
    Id(id): Id<IntegrationId>,
    jar: CookieJar,
    parts: Parts,
    fields: Fields,
) -> Result<Response, Problem> {
    let origin = console.origin(&parts)?;
    let before = console.rooms.connections.integration(&access, &id).await?.pages_count;
    let return_url = format!("{}?before={before}", back(&origin));
    let (browser, cookie) = browser_cookie(&origin, &jar);
    let integration_id = Some(id);
    let replace = fields.is_ticked("replace");
    let login = LoginRequest { return_url, integration_id, replace, browser: Some(browser), ..LoginRequest::default() };
    let dialog = console.rooms.connections.begin_login(&access, &origin, login, leadwire::clock::now()).await?;
    Ok((jar.add(cookie), redirect_out(&dialog, &tr!("Continue to Facebook"))).into_response())
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
    /// Whether the person was connected already, so that their integration was renewed.
    #[serde(default)]
    renewed: bool,
    code: Option<String>,
    /// The pages that another account would have lost.
    lost_pages: Option<String>,
}

/// Handles the return from Meta. Anyone can write this address, so it says something only in a browser that has begun a
/// login, and the flash consists of fixed texts: of the address it repeats only numbers and a filtered code.
pub(super) async fn back_from_meta(
    State(console): State<Console>,
    jar: PrivateCookieJar,
    begun: CookieJar,
    Admin { access, .. }: Admin,
    Query(back): Query<Back>,
    parts: Parts,
) -> Result<Response, Problem> {
    if begun.get(login_cookie(&console.origin(&parts)?)).is_none() {
        return Ok(Redirect::to("/integrations").into_response());
    }
    if back.code.as_deref() == Some("other_account")
        && let Some(id) = back.integration_id.as_deref().and_then(|id| IntegrationId::parse(id).ok())
    {
        let lost: Vec<&str> = back.lost_pages.as_deref().unwrap_or_default().split(',').collect();
        let lost: Vec<String> = lost.iter().filter_map(|id| Some(PageId::parse(id).ok()?.to_string())).collect();
        return Ok(Redirect::to(&format!("/integrations/{id}?other={}", lost.join(","))).into_response());
    }
    let connected = back.status.as_deref() == Some("connected");
    let id = back.integration_id.as_deref().filter(|_| connected).and_then(|id| IntegrationId::parse(id).ok());
    let integration = match &id {
        // A page that cannot be shown says so itself.
        Some(id) => console.rooms.connections.integration(&access, id).await.ok(),
        None => None,
    };
    let to = id.map_or_else(|| "/integrations".to_owned(), |id| format!("/integrations/{id}"));
    let flash = match (back.status.as_deref(), back.code.as_deref()) {
        (Some("connected"), _) => {
            let number = back.pages.unwrap_or_default();
            let pages = tr!([number] "{n} page" | "{n} pages");
            match back.before {
                Some(before) if before > number => Some(Flash::failed(tr!(
                    "Connected, but with {pages} instead of {before}: no more leads arrive from the others. Reconnect as a person who has a role on all pages, and select all of them.",
                    pages = pages,
                    before = before
                ))),
                _ => {
                    let text = match back.renewed {
                        true => tr!(
                            "This Facebook account was already connected. Its connection was renewed, with {pages}.",
                            pages = pages
                        ),
                        false => tr!("Connected, with {pages}.", pages = pages),
                    };
                    integration.and_then(|integration| success(&integration, text))
                }
            }
        }
        (Some("denied"), _) => Some(Flash::failed(tr!(
            "You cancelled at Facebook, so nothing was changed. If you did not cancel, the Meta app may still be in development mode, which admits only its own team."
        ))),
        (_, Some(code)) if code.parse() == Ok(LoginFailure::NoPages) => Some(Flash::failed(tr!(
            "Facebook granted access to no page. Connect again and select at least one page; you need a role on it."
        ))),
        (_, code) => {
            let code: String =
                code.unwrap_or("unknown").chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(40).collect();
            Some(Flash::failed(tr!("Connecting failed ({code}). Nothing was changed; try again.", code = code)))
        }
    };
    Ok(redirect_saying(flash, jar, &to))
}

/// That an account is connected, with what to do next. If leads cannot arrive, it is no success: the page says why.
fn success(integration: &IntegrationOut, text: String) -> Option<Flash> {
    let is_blocked = integration.status == IntegrationStatus::Error
        || integration.problems.iter().any(|problem| problem.impact == Impact::LeadsBlocked);
    let next = vec![
        (tr!("Choose pages").into_owned(), Tab::Pages.path(&integration.id)),
        (tr!("Send a test lead").into_owned(), "/forms".to_owned()),
    ];
    (!is_blocked).then(|| Flash { next, ..Flash::done(text) })
}

fn redirect_saying(flash: Option<Flash>, jar: PrivateCookieJar, to: &str) -> Response {
    let jar = flash.map_or(jar.clone(), |flash| flash.put(jar));
    (jar, Redirect::to(to)).into_response()
}

pub(super) async fn settings(
    Id(id): Id<IntegrationId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let change = async {
        let input = SettingsIn {
            name: Some(fields.text("name")),
            description: Some(fields.text("description")),
            assignment: Some(Work::Leads.parse(&fields)?),
            inbox_assignment: Some(Work::Conversations.parse(&fields)?),
            notify_assignee: Some(fields.is_ticked("notify_assignee")),
        };
        Ok::<_, Problem>(console.rooms.connections.change(&admin.access, &id, input).await?)
    };
    match change.await {
        Ok(_) => Ok(redirect_with(&Tab::Settings.path(&id), jar, Ok(tr!("Saved.").into_owned()))),
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => {
            let refused = Refused { fields: &fields, problem: &problem };
            Ok(render(&console, &admin, &id, "", Some(&refused), jar).await?.showing(Some(&problem)))
        }
    }
}

pub(super) async fn pages(
    Id(id): Id<IntegrationId>,
    AdminForm { console, actor: Admin { access, .. }, jar, fields }: AdminForm,
) -> Response {
    let change = async {
        let parse = |page: &str| {
            PageId::parse(page)
                .map_err(|_| Problem::field("page", ProblemCode::PageInvalid, tr!("No page has this id.")))
        };
        let page_ids = fields.all("page").map(parse).collect::<Result<Vec<_>, _>>()?;
        let list = console.rooms.connections.choose_pages(&access, &id, PagesIn { page_ids }).await?;
        let pages = tr!([list.items.len()] "{n} page" | "{n} pages");
        Ok::<_, Problem>(tr!("Saved. Leads are imported from {pages}.", pages = pages))
    };
    redirect_with(&Tab::Pages.path(&id), jar, change.await)
}

pub(super) async fn sync(
    Id(id): Id<IntegrationId>,
    AdminForm { console, actor: Admin { access, .. }, jar, .. }: AdminForm,
) -> Response {
    let started = console.rooms.leads.sync(&access, &id, ACT_TIMEOUT).await;
    let text = |out: RunOut| match out.run.found {
        0 => tr!("Checking the last 48 hours for missed leads… none so far.").into_owned(),
        found => {
            tr!([found] "{n} new lead found. The import has started." | "{n} new leads found. The import has started.")
        }
    };
    redirect_with(&Tab::Searches.path(&id), jar, started.map_err(Problem::from).map(text))
}

pub(super) async fn backfill(
    Id(id): Id<IntegrationId>,
    AdminForm { console, actor: Admin { access, .. }, jar, fields }: AdminForm,
) -> Response {
    let begin = async {
        let invalid =
            || Problem::field("days", ErrorCode::DaysInvalid, tr!("Enter a whole number of days, from 1 to 90."));
        let days = fields.text("days").parse().map_err(|_| invalid())?;
        let input = BackfillIn { days, assign: fields.is_ticked("assign") };
        console.rooms.leads.backfill(&access, &id, input).await?;
        Ok::<_, Problem>(tr!("Searching for leads of the last {days} days. You do not need to wait here.", days = days))
    };
    redirect_with(&Tab::Searches.path(&id), jar, begin.await)
}

pub(super) async fn replace_token(
    Id(id): Id<IntegrationId>,
    AdminForm { console, actor: Admin { access, .. }, jar, fields }: AdminForm,
) -> Response {
    let token = TokenIn { token: AccessToken::new(fields.text("token")), replace: fields.is_ticked("replace") };
    let replaced = console.rooms.connections.replace_token(&access, &id, token).await;
    redirect_with(
        &Tab::Settings.path(&id),
        jar,
        replaced.map_err(Problem::from).map(|_| tr!("The new token is in use.").into_owned()),
    )
}

/// The form for a system user's token.
pub(super) async fn token_form(
    State(console): State<Console>,
    admin: Admin,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    pasting(&console, &admin, None, jar).await
}

pub(super) async fn paste(AdminForm { console, actor: admin, jar, fields }: AdminForm) -> Result<Response, Problem> {
    let create = async {
        let missing = || Problem::field("token", ErrorCode::TokenRequired, tr!("Paste the token."));
        let token = fields.get("token").ok_or_else(missing)?;
        let new = NewIntegration {
            name: fields.text("name"),
            description: None,
            assignment: Some(Work::Leads.parse(&fields)?),
            token: Some(AccessToken::new(token.to_owned())),
        };
        Ok::<_, Problem>(console.rooms.connections.create(&admin.access, new).await?)
    };
    match create.await {
        Ok(integration) => {
            let pages = tr!([integration.pages_count] "{n} page" | "{n} pages");
            let text = tr!("Connected, with {pages}.", pages = pages);
            Ok(redirect_saying(success(&integration, text), jar, &Tab::Health.path(&integration.id)))
        }
        Err(problem) => {
            let refused = Refused { fields: &fields, problem: &problem };
            Ok(pasting(&console, &admin, Some(&refused), jar).await?.showing(Some(&problem)))
        }
    }
}

async fn pasting(
    console: &Console,
    Admin { visitor, access }: &Admin,
    rejected: Option<&Refused<'_>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let users = console.rooms.directory.users(&access.scope).await?;
    let problem = rejected.map(|rejected| rejected.problem);
    let name = rejected.map(|rejected| rejected.fields.text("name")).unwrap_or_default();
    let body = html! {
        form.card.narrow method="post" action="/integrations/token" {
            (csrf_field(visitor))
            (problem_alert(problem))
            p { (tr!("For businesses that manage access to the Meta app themselves: a system user's token from Meta Business settings. It is verified, stored encrypted, and never shown again.")) }
            label { (tr!("Name")) input name="name" value=(name) maxlength="100" required aria-invalid=[is_wrong(problem, "name")]; }
            // A rejected token is not sent back: a page must never contain a token.
            label { (tr!("Token")) input type="password" name="token" autocomplete="off" required aria-invalid=[is_wrong(problem, "token")]; }
            (Work::Leads.select(&rejected.and_then(|rejected| Work::Leads.parse(rejected.fields).ok()).unwrap_or_default(), &users))
            div.acts { button.primary { (tr!("Connect")) } a.button href="/integrations" { (tr!("Cancel")) } }
        }
    };
    Ok(page(visitor, jar, Section::Integrations, &tr!("Use a system user's token"), &body))
}

pub(super) async fn delete(
    Id(id): Id<IntegrationId>,
    AdminForm { console, actor: Admin { access, .. }, jar, .. }: AdminForm,
) -> Response {
    let ended = console.rooms.connections.delete(&access, &id, ACT_TIMEOUT).await;
    redirect_with(
        "/integrations",
        jar,
        ended.map_err(Problem::from).map(|ended| removal_message(&ended, &tr!("The integration was deleted."))),
    )
}

pub(super) async fn disconnect(AdminForm { console, actor: Admin { access, .. }, jar, .. }: AdminForm) -> Response {
    let ended = console.rooms.connections.disconnect(&access, ACT_TIMEOUT).await;
    redirect_with(
        "/integrations",
        jar,
        ended.map_err(Problem::from).map(|(_, ended)| removal_message(&ended, &tr!("Meta was disconnected."))),
    )
}

fn removal_message(ended: &Removal, done: &str) -> String {
    match ended {
        Removal::Done => format!("{done} {}", tr!("Existing leads are kept.")),
        Removal::InProgress => tr!("Leads have stopped. The cleanup continues in the background.").into_owned(),
    }
}
