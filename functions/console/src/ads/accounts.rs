//! One ad account: its state, its settings, its syncs, and unlinking it.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::admin::MetaAccess;
use leadwire::admin::ads::AccountFilter;
use leadwire::admin::ads::accounts::{AdAccountOut, list as accounts, read};
use leadwire::admin::ads::linking::{AdAccountChange, ClientIn, change as change_account, delete};
use leadwire::admin::ads::syncs::{SyncIn, SyncStatus, status, sync as read_now};
use leadwire::http::Problem;
use leadwire::ids::{ClientId, IntegrationId};
use leadwire::secret::AccessToken;
use maud::{Markup, html};
use sha2::{Digest, Sha256};

use super::log::{LATEST, list, worth_a_look};
use super::state_of;
use crate::elements::{
    Confirm, Confirming, alert, counted, going_on, is_wrong, proof, refused, time, time_or, watched,
};
use crate::fields::{Act, Fields};
use crate::frame::{Section, page, part_or_page};
use crate::notice::told_at;
use crate::state::Console;
use crate::visitor::{Admin, Visitor};

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Path(id): Path<String>,
    Query(asked): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    shown(&console, &admin, &id, &asked.confirm, None, jar).await
}

async fn status_of(console: &Console, admin: &Admin, id: &str) -> Result<SyncStatus, Problem> {
    let meant = AccountFilter { account_id: Some(id.to_owned()), client_id: None };
    status(&console.services, &admin.access, &meant, None, LATEST).await
}

async fn shown(
    console: &Console,
    admin: &Admin,
    id: &str,
    confirm: &str,
    tried: Option<(&Fields, &Problem)>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let account = read(&console.services, &admin.access, id).await?;
    let readings = status_of(console, admin, id).await?;
    let orphaned = is_orphaned(console, admin, &account).await?;
    let (visitor, path) = (&admin.visitor, format!("/ads/accounts/{id}"));
    let unlink = Confirm {
        id: "unlink",
        label: "Unlink this account",
        question: "Unlink this ad account?",
        action: &format!("{path}/unlink"),
        act: "Unlink",
        open: confirm == "unlink",
    };
    let paused = account.state == leadwire::model::ads::account::AdAccountState::Paused;
    let body = html! {
        (watched(&format!("{path}/state"), &how_it_stands(&account, &readings, orphaned)))
        section {
            h2 { "Read it" }
            div.card.acts {
                form.inline method="post" action={ (path) "/sync" } {
                    (proof(visitor))
                    label { "Days back" input type="number" name="days" min="1" max="1126" placeholder="as due"; }
                    button disabled[paused] { "Read now" }
                }
                form method="post" action={ (path) "/pause" } {
                    (proof(visitor))
                    @if !paused { input type="hidden" name="paused" value="yes"; }
                    button { @if paused { "Go on reading" } @else { "Pause" } }
                }
            }
            (watched(&format!("/ads/log?account_id={id}&latest=yes"), &list(&readings)))
        }
        section { h2 { "Settings" } (settings(visitor, &path, &account, tried)) }
        section.acts {
            (unlink.show(visitor, html! {
                p { "“" (account.label) "” is not read any more, and its numbers are deleted here. At Meta nothing changes." }
                p { "Link it again, and what Meta still has, up to 37 months, can be read again." }
            }))
        }
    };
    Ok(page(visitor, jar, Section::Ads, &account.label, &body))
}

/// The account's state as a fragment, which is reloaded while it changes.
pub(super) async fn state(
    State(console): State<Console>,
    admin: Admin,
    Path(id): Path<String>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let account = read(&console.services, &admin.access, &id).await?;
    let orphaned = is_orphaned(&console, &admin, &account).await?;
    let part = how_it_stands(&account, &status_of(&console, &admin, &id).await?, orphaned);
    Ok(part_or_page(&headers, &admin.visitor, jar, (Section::Ads, &account.label), &part))
}

/// Whether the integration that provided the account's token is gone. The account is not synced until it gets another
/// token.
async fn is_orphaned(console: &Console, admin: &Admin, account: &AdAccountOut) -> Result<bool, Problem> {
    let Some(id) = &account.integration_id else { return Ok(false) };
    let found = console.services.table.integration(&admin.access.scope, id).await?;
    Ok(found.is_none_or(|integration| integration.removing))
}

fn how_it_stands(account: &AdAccountOut, readings: &SyncStatus, orphaned: bool) -> Markup {
    html! {
        @if let Some(seconds) = worth_a_look(readings) { (going_on(seconds)) }
        @if orphaned {
            (alert("bad", html! { p { "The connected account that it was read with is gone. Give it another token under Settings." } }))
        }
        @if let Some(message) = account.reason_message {
            (alert(if account.waiting_until.is_some() { "warn" } else { "bad" }, html! {
                p { (message) } p.fix { b { "What to do: " } (account.fix.unwrap_or_default()) }
                @if let Some(evidence) = &account.evidence { p.quiet { (evidence) } }
            }))
        }
        div.card {
            dl.facts {
                div { dt { "State" } dd { (state_of(account)) } }
                div { dt { "At Meta" } dd { (account.name) " " span.quiet { (account.id) ", " (account.account_status) } } }
                div { dt { "Client" } dd { (account.client.name) } }
                div { dt { "Currency" } dd { (account.currency) } }
                div { dt { "Days are those of" } dd { (account.timezone) } }
                div { dt { "Days are here since" } dd { @match account.imported_since { Some(day) => { (day) }, None => span.quiet { "None yet" } } } }
                div { dt { "Last read" } dd { (time_or(account.last_sync_at, "Not yet")) } }
                div { dt { "Linked" } dd { (time(account.linked_at)) } }
                div { dt { "Read with" } dd {
                    @match &account.integration_id {
                        Some(_) if orphaned => span.quiet { "Nothing" },
                        Some(id) => a href={ "/integrations/" (id) } { "A connected account" },
                        None => "A token of its own",
                    }
                } }
            }
        }
    }
}

fn settings(visitor: &Visitor, path: &str, account: &AdAccountOut, tried: Option<(&Fields, &Problem)>) -> Markup {
    let problem = tried.map(|(_, problem)| problem);
    let said = |name: &str, now: &str| tried.map_or_else(|| now.to_owned(), |(fields, _)| fields.text(name));
    html! {
        form.card method="post" action={ (path) "#refused" } {
            (proof(visitor))
            (refused(problem))
            label { "Label" input name="label" value=(said("label", &account.label)) maxlength="100" required aria-invalid=[is_wrong(problem, "label")]; }
            label { "Client" input name="client_name" value=(said("client_name", &account.client.name)) maxlength="100" required aria-invalid=[is_wrong(problem, "client.name")]; }
            label { "The client's id in the CRM" input name="client_id" value=(said("client_id", account.client.id.as_str())) required aria-invalid=[is_wrong(problem, "client.id")]; }
            label { "What counts as conversions" input name="conversions" value=(said("conversions", &account.conversions.names().join(", "))) required aria-invalid=[is_wrong(problem, "conversions")]; }
            p.quiet { "Kinds (" (leadwire::model::ads::conversions::kinds().join(", ")) ") or Meta's action types, separated by commas. A change reads all stored days again." }
            button { "Save settings" }
        }
        details {
            summary { "Read it with another token" }
            form.card method="post" action={ (path) "/token" } {
                (proof(visitor))
                label { "A system user's token with ads_read" input type="password" name="token" autocomplete="off" required; }
                p.quiet { "It is verified with Meta first." }
                button { "Replace" }
            }
        }
    }
}

/// The client that the form names. Without an id of the CRM, this is the known client of the same name, or a new one.
pub(super) async fn client(console: &Console, access: &MetaAccess, fields: &Fields) -> Result<ClientIn, Problem> {
    let name = fields.text("client_name");
    if let Some(given) = fields.get("client_id") {
        let invalid = |error| Problem::field("client.id", "client_id_invalid", format!("{error}."));
        return Ok(ClientIn { id: ClientId::parse(given).map_err(invalid)?, name });
    }
    let known = accounts(&console.services, access, &AccountFilter::default()).await?.items;
    if let Some(account) = known.into_iter().find(|account| account.client.name == name) {
        return Ok(ClientIn { id: account.client.id, name });
    }
    let made = made_id(&name);
    let invalid = |_| Problem::field("client.id", "client_id_invalid", "Give the client's id in the CRM.");
    Ok(ClientIn { id: ClientId::parse(&made).map_err(invalid)?, name })
}

/// Generates an id for a client that the CRM has not named. It is readable as far as the name is, and differs between
/// different names.
fn made_id(name: &str) -> String {
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let hash = hex::encode(Sha256::digest(name.as_bytes()));
    let readable: String = words.join("-").to_lowercase().chars().take(40).collect();
    [readable.as_str(), hash.get(..8).unwrap_or_default()].join("-").trim_matches('-').to_owned()
}

fn conversions(fields: &Fields) -> Option<Vec<String>> {
    let names = fields.get("conversions")?.split([',', ' ', '\n']).map(str::trim).filter(|name| !name.is_empty());
    Some(names.map(ToOwned::to_owned).collect())
}

pub(super) async fn change(
    Path(id): Path<String>,
    Act { console, admin, jar, fields }: Act,
) -> Result<Response, Problem> {
    let change = async {
        let given = AdAccountChange {
            label: Some(fields.text("label")),
            client: Some(client(&console, &admin.access, &fields).await?),
            conversions: Some(conversions(&fields).unwrap_or_default()),
            ..nothing()
        };
        change_account(&console.services, &admin.access, &id, given).await
    };
    match change.await {
        Ok(_) => Ok(told_at(&format!("/ads/accounts/{id}"), jar, Ok("Saved.".to_owned()))),
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => shown(&console, &admin, &id, "", Some((&fields, &problem)), jar).await,
    }
}

fn nothing() -> AdAccountChange {
    AdAccountChange {
        label: None,
        client: None,
        token: None,
        integration_id: None::<IntegrationId>,
        paused: None,
        conversions: None,
    }
}

pub(super) async fn replace_token(Path(id): Path<String>, Act { console, admin, jar, fields }: Act) -> Response {
    let given = AdAccountChange { token: Some(AccessToken::new(fields.text("token"))), ..nothing() };
    let changed = change_account(&console.services, &admin.access, &id, given).await;
    told_at(&format!("/ads/accounts/{id}"), jar, changed.map(|_| "The new token is in use.".to_owned()))
}

pub(super) async fn pause(Path(id): Path<String>, Act { console, admin, jar, fields }: Act) -> Response {
    let paused = fields.is_ticked("paused");
    let changed =
        change_account(&console.services, &admin.access, &id, AdAccountChange { paused: Some(paused), ..nothing() })
            .await;
    let told = if paused { "Paused. It is not read until you let it go on." } else { "It is read again." };
    told_at(&format!("/ads/accounts/{id}"), jar, changed.map(|_| told.to_owned()))
}

pub(super) async fn sync(Path(id): Path<String>, Act { console, admin, jar, fields }: Act) -> Response {
    let begin = async {
        let invalid = |_| Problem::field("days", "days_invalid", "A whole number of days.");
        let days = fields.get("days").map(str::parse).transpose().map_err(invalid)?;
        read_now(&console.services, &admin.access, SyncIn { account_id: Some(id.clone()), days }).await
    };
    let told = begin.await.map(|begun| match begun.runs.first() {
        Some(run) if run.joined => {
            "It is being read already; that reading goes on as far back as you asked.".to_owned()
        }
        _ => "It is being read.".to_owned(),
    });
    told_at(&format!("/ads/accounts/{id}"), jar, told)
}

pub(super) async fn sync_all(Act { console, admin, jar, .. }: Act) -> Response {
    let begun = read_now(&console.services, &admin.access, SyncIn { account_id: None, days: None }).await;
    told_at("/ads/log", jar, begun.map(|begun| format!("Reading {} now.", counted(begun.runs.len(), "account"))))
}

pub(super) async fn unlink(Path(id): Path<String>, Act { console, admin, jar, .. }: Act) -> Response {
    let unlinked = delete(&console.services, &admin.access, &id).await;
    told_at("/ads", jar, unlinked.map(|()| "The ad account is unlinked.".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_different_names_have_different_ids() {
        assert!(made_id("Café Nord & Co").starts_with("caf-nord-co-"));
        let ids = ["Кафе 24", "Банк 24", "日本", "24", &"x".repeat(200)].map(made_id);
        for (place, id) in ids.iter().enumerate() {
            assert!(ClientId::parse(id).is_ok() && !ids[..place].contains(id), "{id}");
        }
    }
}
