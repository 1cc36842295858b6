//! One ad account: its state, its settings, its syncs, and unlinking it.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::ads::AccountFilter;
use leadwire::ads::accounts::AdAccountOut;
use leadwire::ads::link::{AdAccountChange, ClientIn};
use leadwire::ads::syncs::{SyncIn, SyncStatus};
use leadwire::directory::MetaAccess;
use leadwire::error::ErrorCode;
use leadwire::http::path::Id;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{AdAccountId, ClientId, IntegrationId};
use leadwire::language::date;
use leadwire::model::ads::account::AdAccountState;
use leadwire::model::ads::conversions::kinds;
use leadwire::secret::AccessToken;
use leadwire::tr;
use maud::{Markup, html};
use sha2::{Digest, Sha256};

use super::log::{MAX_ACCOUNT_SYNCS, list, refresh_delay};
use super::{state_of, status_at_meta};
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{
    Confirm, Confirming, Tone, alert, csrf_field, is_wrong, live_fragment, problem_alert, refresh_in, time, time_or,
};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{PageHead, Section, fragment_or_page, page};
use crate::session::Visitor;
use crate::state::Console;

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<AdAccountId>,
    Query(query): Query<Confirming>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    render(&console, &admin, &id, &query.confirm, None, jar).await
}

async fn status_of(console: &Console, admin: &Admin, id: &AdAccountId) -> Result<SyncStatus, Problem> {
    let filter = AccountFilter { account_id: Some(id.clone()), client_id: None };
    Ok(console.rooms.ads.sync_status(&admin.access, &filter, None, MAX_ACCOUNT_SYNCS).await?)
}

async fn render(
    console: &Console,
    admin: &Admin,
    id: &AdAccountId,
    confirm: &str,
    rejected: Option<(&Fields, &Problem)>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let account = console.rooms.ads.account(&admin.access, id).await?;
    let status = status_of(console, admin, id).await?;
    let orphaned = is_orphaned(console, admin, &account).await?;
    let (visitor, path) = (&admin.visitor, format!("/ads/accounts/{id}"));
    let (label, question, act) = (tr!("Unlink this account"), tr!("Unlink this ad account?"), tr!("Unlink"));
    let unlink = Confirm {
        id: "unlink",
        label: &label,
        question: &question,
        action: &format!("{path}/unlink"),
        act: &act,
        open: confirm == "unlink",
        sends: None,
    };
    let paused = account.state == AdAccountState::Paused;
    let body = html! {
        (live_fragment(&format!("{path}/state"), &state_card(&account, &status, orphaned)))
        section {
            h2 { (tr!("Sync")) }
            (live_fragment(&format!("/ads/log?account_id={id}&latest=yes"), &list(&status)))
            @if !paused {
                details {
                    summary { (tr!("Sync more days")) }
                    form.card.inline method="post" action={ (path) "/sync" } {
                        (csrf_field(visitor))
                        label { (tr!("Days back")) input type="number" name="days" min="1" max="1126" required; }
                        button { (tr!("Sync these days")) }
                    }
                }
            }
        }
        section { h2 { (tr!("Settings")) } (settings(visitor, &path, &account, rejected)) }
        section.acts {
            (unlink.show(visitor, html! {
                p { (tr!("“{account}” will no longer be synced, and its numbers will be deleted from Leadwire. Nothing changes at Meta.", account = account.label)) }
                p { (tr!("If you link it again, up to 37 months can be imported from Meta again.")) }
            }))
        }
    };
    let acts = html! {
        form method="post" action={ (path) "/pause" } {
            (csrf_field(visitor))
            @if !paused { input type="hidden" name="paused" value="yes"; }
            button { @if paused { (tr!("Resume")) } @else { (tr!("Pause")) } }
        }
        @if !paused { form method="post" action={ (path) "/sync" } { (csrf_field(visitor)) button { (tr!("Sync now")) } } }
    };
    Ok(page(visitor, jar, Section::Ads, PageHead::new(&account.label).acts(acts), &body))
}

/// The account's state as a fragment, which is reloaded while it changes.
pub(super) async fn state(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<AdAccountId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let account = console.rooms.ads.account(&admin.access, &id).await?;
    let orphaned = is_orphaned(&console, &admin, &account).await?;
    let part = state_card(&account, &status_of(&console, &admin, &id).await?, orphaned);
    Ok(fragment_or_page(&headers, &admin.visitor, jar, (Section::Ads, &account.label), &part))
}

/// Whether the integration that provided the account's token is gone. The account is not synced until it gets another
/// token.
async fn is_orphaned(console: &Console, admin: &Admin, account: &AdAccountOut) -> Result<bool, Problem> {
    let Some(id) = &account.integration_id else { return Ok(false) };
    match console.rooms.connections.integration(&admin.access, id).await {
        Ok(_) => Ok(false),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(true),
        Err(error) => Err(error.into()),
    }
}

fn state_card(account: &AdAccountOut, status: &SyncStatus, orphaned: bool) -> Markup {
    html! {
        @if let Some(seconds) = refresh_delay(status) { (refresh_in(seconds)) }
        @if orphaned {
            (alert(Tone::Bad, html! { p { (tr!("This ad account is no longer synced, because its connected account was deleted. Set another token under Settings.")) } }))
        }
        @if let Some(message) = &account.reason_message {
            (alert(if account.waiting_until.is_some() { Tone::Warn } else { Tone::Bad }, html! {
                p { (message) } p.fix { b { (tr!("What to do:")) " " } (account.fix.as_deref().unwrap_or_default()) }
                @if let (Some(id), AdAccountState::Error, false) = (&account.integration_id, account.state, orphaned) {
                    a.button href={ "/integrations/" (id) } { (tr!("Open the connected account")) }
                }
                @if let Some(evidence) = &account.evidence { p.quiet { (evidence) } }
            }))
        }
        div.card {
            dl.facts {
                div { dt { (tr!("Status")) } dd { (state_of(account)) } }
                div { dt { (tr!("At Meta")) } dd { (account.name) " " span.quiet { (account.id) ", " (status_at_meta(account.account_status)) } } }
                div { dt { (tr!("Client")) } dd { (account.client.name) } }
                div { dt { (tr!("Currency")) } dd { (account.currency) } }
                div { dt { (tr!("Time zone")) } dd { (account.timezone) } }
                div { dt { (tr!("Data since")) } dd { @match account.imported_since { Some(day) => { (date(day)) }, None => span.quiet { (tr!("None yet")) } } } }
                div { dt { (tr!("Last synced")) } dd { (time_or(account.last_sync_at, &tr!("Not yet"))) } }
                div { dt { (tr!("Linked")) } dd { (time(account.linked_at)) } }
                div { dt { (tr!("Synced through")) } dd {
                    @match &account.integration_id {
                        Some(_) if orphaned => span.quiet { (tr!("Nothing")) },
                        Some(id) => a href={ "/integrations/" (id) } { (tr!("A connected account")) },
                        None => (tr!("Its own token")),
                    }
                } }
            }
        }
    }
}

fn settings(visitor: &Visitor, path: &str, account: &AdAccountOut, rejected: Option<(&Fields, &Problem)>) -> Markup {
    let problem = rejected.map(|(_, problem)| problem);
    let value = |name: &str, now: &str| rejected.map_or_else(|| now.to_owned(), |(fields, _)| fields.text(name));
    html! {
        form.card method="post" action={ (path) "#refused" } {
            (csrf_field(visitor))
            (problem_alert(problem))
            label { (tr!("Label")) input name="label" value=(value("label", &account.label)) maxlength="100" required aria-invalid=[is_wrong(problem, "label")]; }
            label { (tr!("Client")) input name="client_name" value=(value("client_name", &account.client.name)) maxlength="100" required aria-invalid=[is_wrong(problem, "client.name")]; }
            label { (tr!("The client's id in the CRM")) input name="client_id" value=(value("client_id", account.client.id.as_str())) required aria-invalid=[is_wrong(problem, "client.id")]; }
            label { (tr!("Counted as conversions")) textarea name="conversions" rows="3" required aria-invalid=[is_wrong(problem, "conversions")] { "\n" (value("conversions", &account.conversions.names().join(", "))) } }
            p.quiet { (tr!("Kinds ({kinds}) or Meta's action types, separated by commas. After a change, all stored days are synced again.", kinds = kinds().join(", "))) }
            button { (tr!("Save settings")) }
        }
        details {
            summary { (tr!("Use another token")) }
            form.card method="post" action={ (path) "/token" } {
                (csrf_field(visitor))
                label { (tr!("A system user's token with ads_read")) input type="password" name="token" autocomplete="off" required; }
                p.quiet { (tr!("It is verified with Meta first.")) }
                button { (tr!("Replace")) }
            }
        }
    }
}

/// The client that the form names. Without an id of the CRM, this is the known client of the same name, or a new one.
pub(super) async fn client(console: &Console, access: &MetaAccess, fields: &Fields) -> Result<ClientIn, Problem> {
    let name = fields.text("client_name");
    if let Some(id) = fields.get("client_id") {
        let invalid = |error| Problem::field("client.id", ProblemCode::ClientIdInvalid, format!("{error}."));
        return Ok(ClientIn { id: ClientId::parse(id).map_err(invalid)?, name });
    }
    let known = console.rooms.ads.accounts(access, &AccountFilter::default()).await?.items;
    if let Some(account) = known.into_iter().find(|account| account.client.name == name) {
        return Ok(ClientIn { id: account.client.id, name });
    }
    let generated = generate_id(&name);
    let invalid =
        |_| Problem::field("client.id", ProblemCode::ClientIdInvalid, tr!("Enter the client's id in the CRM."));
    Ok(ClientIn { id: ClientId::parse(&generated).map_err(invalid)?, name })
}

/// Generates an id for a client that the CRM has not named. It is readable as far as the name is, and differs between
/// different names.
fn generate_id(name: &str) -> String {
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
    Id(id): Id<AdAccountId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let change = async {
        let input = AdAccountChange {
            label: Some(fields.text("label")),
            client: Some(client(&console, &admin.access, &fields).await?),
            conversions: Some(conversions(&fields).unwrap_or_default()),
            ..nothing()
        };
        Ok::<_, Problem>(console.rooms.ads.change(&admin.access, &id, input).await?)
    };
    match change.await {
        Ok(_) => Ok(redirect_with(&format!("/ads/accounts/{id}"), jar, Ok(tr!("Saved.").into_owned()))),
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => {
            Ok(render(&console, &admin, &id, "", Some((&fields, &problem)), jar).await?.showing(Some(&problem)))
        }
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

pub(super) async fn replace_token(
    Id(id): Id<AdAccountId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Response {
    let input = AdAccountChange { token: Some(AccessToken::new(fields.text("token"))), ..nothing() };
    let changed = console.rooms.ads.change(&admin.access, &id, input).await;
    redirect_with(
        &format!("/ads/accounts/{id}"),
        jar,
        changed.map_err(Problem::from).map(|_| tr!("The new token is in use.").into_owned()),
    )
}

pub(super) async fn pause(
    Id(id): Id<AdAccountId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Response {
    let paused = fields.is_ticked("paused");
    let changed =
        console.rooms.ads.change(&admin.access, &id, AdAccountChange { paused: Some(paused), ..nothing() }).await;
    let message = if paused { tr!("Paused. It is not synced until you resume it.") } else { tr!("Resumed.") };
    redirect_with(&format!("/ads/accounts/{id}"), jar, changed.map_err(Problem::from).map(|_| message.into_owned()))
}

pub(super) async fn sync(
    Id(id): Id<AdAccountId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Response {
    let begin = async {
        let invalid = |_| Problem::field("days", ErrorCode::DaysInvalid, tr!("A whole number of days."));
        let days = fields.get("days").map(str::parse).transpose().map_err(invalid)?;
        Ok::<_, Problem>(console.rooms.ads.sync(&admin.access, SyncIn { account_id: Some(id.clone()), days }).await?)
    };
    let message = begin.await.map(|started| match started.runs.first() {
        Some(run) if run.joined => {
            tr!("A sync is already running, and now goes back as far as you requested.").into_owned()
        }
        _ => tr!("The sync has started.").into_owned(),
    });
    redirect_with(&format!("/ads/accounts/{id}"), jar, message)
}

pub(super) async fn sync_all(AdminForm { console, actor: admin, jar, .. }: AdminForm) -> Response {
    let started = console.rooms.ads.sync(&admin.access, SyncIn { account_id: None, days: None }).await;
    let message = started
        .map_err(Problem::from)
        .map(|started| tr!([started.runs.len()] "Syncing {n} account now." | "Syncing {n} accounts now."));
    redirect_with("/ads/log", jar, message)
}

pub(super) async fn unlink(
    Id(id): Id<AdAccountId>,
    AdminForm { console, actor: admin, jar, .. }: AdminForm,
) -> Response {
    let unlinked = console.rooms.ads.unlink(&admin.access, &id).await;
    let message = unlinked.map_err(Problem::from).map(|()| tr!("The ad account was unlinked.").into_owned());
    redirect_with("/ads", jar, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_different_names_have_different_ids() {
        assert!(generate_id("Café Nord & Co").starts_with("caf-nord-co-"));
        let ids = ["Кафе 24", "Банк 24", "日本", "24", &"x".repeat(200)].map(generate_id);
        for (index, id) in ids.iter().enumerate() {
            assert!(ClientId::parse(id).is_ok() && !ids[..index].contains(id), "{id}");
        }
    }
}
