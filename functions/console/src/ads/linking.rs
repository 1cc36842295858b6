//! Linking an ad account: selected among those that a connected account may read, or given by its id with a token of
//! its own.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::ads::AccountFilter;
use leadwire::ads::accounts::AvailableAdAccount;
use leadwire::ads::link::NewAdAccount;
use leadwire::connections::IntegrationOut;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::IntegrationId;
use leadwire::secret::AccessToken;
use leadwire::tr;
use maud::{Markup, html};

use super::accounts::client;
use super::{LEADS_ONLY, status_at_meta};
use crate::actor::Admin;
use crate::acts::Showing;
use crate::components::{Tone, badge, csrf_field, empty, is_wrong, lazy_fragment, problem_alert, with_markup};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{Section, fragment_or_page, page};
use crate::state::Console;

pub(super) async fn form(
    State(console): State<Console>,
    admin: Admin,
    Query(query): Query<BTreeMap<String, String>>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    render(&console, &admin, &Prefill::Query(&query), None, jar).await
}

/// The initial values of the fields: from the address, or from a submission that was rejected.
enum Prefill<'a> {
    Query(&'a BTreeMap<String, String>),
    Submission(&'a Fields),
}

impl Prefill<'_> {
    /// Whether the rejected submission selected a token of its own.
    fn is_own_token(&self) -> bool {
        matches!(self, Self::Submission(fields) if fields.get("integration_id").is_none())
    }

    /// Whether a box is ticked. On a fresh form it is.
    fn is_ticked(&self, name: &str) -> bool {
        match self {
            Self::Query(_) => true,
            Self::Submission(fields) => fields.is_ticked(name),
        }
    }

    fn value(&self, name: &str) -> String {
        match self {
            Self::Query(address) => address.get(name).cloned().unwrap_or_default(),
            Self::Submission(fields) => fields.text(name),
        }
    }
}

async fn render(
    console: &Console,
    Admin { visitor, access }: &Admin,
    prefill: &Prefill<'_>,
    problem: Option<&Problem>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let all_accounts = AccountFilter::default();
    let (integrations, linked) = tokio::try_join!(
        console.rooms.connections.integrations(access),
        console.rooms.ads.accounts(access, &all_accounts)
    )?;
    let (integrations, linked) = (integrations.items, linked.items);
    let clients: BTreeSet<&str> = linked.iter().map(|account| account.client.name.as_str()).collect();
    let wrong = |field: &str| is_wrong(problem, field);
    let chosen = prefill.value("integration_id");
    let body = html! {
        section {
            h2 { (tr!("Ad accounts that you can access at Meta")) }
            @if integrations.is_empty() {
                (empty(&tr!("No connected account"), with_markup(
                    &tr!("{connect} to choose one of your ad accounts, or use a system user's token below."),
                    &[("connect", html! { a href="/integrations" { (tr!("at the start of a sentence" => "Connect Facebook")) } })],
                )))
            } @else { (lazy_fragment("/ads/accounts/available", &tr!("Loading ad accounts from Meta…"))) }
        }
        section #link {
            h2 { (tr!("a verb" => "Link")) }
            form.card.narrow method="post" action="/ads/accounts/new#refused" {
                (csrf_field(visitor))
                (problem_alert(problem))
                datalist #clients { @for client in &clients { option value=(client) {} } }
                label { (tr!("Ad account")) input name="ad_account_id" value=(prefill.value("ad_account_id")) placeholder="act_1234567890" required aria-invalid=[wrong("ad_account_id")]; }
                label { (tr!("Label")) input name="label" value=(prefill.value("label")) maxlength="100" required aria-invalid=[wrong("label")]; }
                label { (tr!("Client")) input name="client_name" list="clients" value=(prefill.value("client_name")) maxlength="100" required aria-invalid=[wrong("client.name")]; }
                label { (tr!("The client's id in the CRM (generated from the name if empty)")) input name="client_id" value=(prefill.value("client_id")) aria-invalid=[wrong("client.id")]; }
                label.tick { input type="checkbox" name="leads_only" value="yes" checked[prefill.is_ticked("leads_only")]; (tr!("Count leads only")) }
                p.quiet { (tr!("Otherwise purchases, registrations and other conversions count as well. You can change it later.")) }
                label { (tr!("Sync it through")) select name="integration_id" aria-invalid=[wrong("integration_id")] {
                    @for integration in &integrations { option value=(integration.id) selected[chosen == integration.id.as_str()] { (integration.name) } }
                    option value="" selected[integrations.is_empty() || prefill.is_own_token()] { (tr!("Its own token")) }
                } }
                div.own-token {
                    label { (tr!("Token")) input type="password" name="token" autocomplete="off" aria-invalid=[wrong("token")]; }
                    p.quiet {
                        (with_markup(
                            &tr!("A system user's token with {permission}. It is verified, stored encrypted, and never shown again."),
                            &[("permission", html! { code { "ads_read" } })],
                        ))
                    }
                }
                div.acts { button.primary { (tr!("a verb" => "Link")) } a.button href="/ads" { (tr!("Cancel")) } }
            }
        }
    };
    Ok(page(visitor, jar, Section::Ads, &tr!("Link an ad account"), &body))
}

/// Lists what the connected accounts may read, as Meta reports it now.
pub(super) async fn available(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let mut parts = Vec::new();
    for integration in console.rooms.connections.integrations(&access).await?.items {
        let accounts = console.rooms.ads.available_accounts(&access, &integration.id).await;
        let accounts = accounts.map(|list| list.items).map_err(Problem::from);
        parts.push(choices(&integration, &accounts));
    }
    let part = html! { @for part in &parts { (part) } };
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Ads, &tr!("Ad accounts at Meta")), &part))
}

fn choices(integration: &IntegrationOut, accounts: &Result<Vec<AvailableAdAccount>, Problem>) -> Markup {
    let at = |account: &AvailableAdAccount| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("ad_account_id", account.ad_account_id.as_str()).append_pair("label", &account.name);
        query.append_pair("integration_id", integration.id.as_str());
        format!("/ads/accounts/new?{}#link", query.finish())
    };
    html! {
        h3 { (integration.name) }
        @match accounts {
            Err(problem) => { (problem_alert(Some(problem))) }
            Ok(accounts) if accounts.is_empty() => { p.quiet { (tr!("Meta lists no ad accounts for this connected account.")) } }
            Ok(accounts) => {
                div.card.flush {
                    table {
                        thead { tr { th { (tr!("Account")) } th { (tr!("Currency")) } th { (tr!("Time zone")) } th { (tr!("At Meta")) } th { span.hidden { (tr!("a verb" => "Link")) } } } }
                        tbody {
                            @for account in accounts {
                                tr {
                                    td data-label=(tr!("Account")) { (account.name) div.quiet { (account.ad_account_id) } }
                                    td data-label=(tr!("Currency")) { (account.currency) }
                                    td data-label=(tr!("Time zone")) { (account.timezone) }
                                    td data-label=(tr!("At Meta")) { (status_at_meta(account.account_status)) }
                                    td.acts {
                                        @if account.linked { (badge(Tone::Good, &tr!("Linked"))) }
                                        @else { a.button href=(at(account)) aria-label=(tr!("Choose {account}", account = account.name)) { (tr!("Choose")) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) async fn link(AdminForm { console, actor: admin, jar, fields }: AdminForm) -> Result<Response, Problem> {
    let link = async {
        let unknown =
            |_| Problem::field("integration_id", ProblemCode::IdInvalid, tr!("Choose an account or a token."));
        // A pasted token takes precedence over the selected account.
        let token = fields.get("token").map(|token| AccessToken::new(token.to_owned()));
        let integration = fields.get("integration_id").filter(|_| token.is_none());
        let new = NewAdAccount {
            ad_account_id: fields.text("ad_account_id"),
            label: fields.text("label"),
            client: client(&console, &admin.access, &fields).await?,
            integration_id: integration.map(IntegrationId::parse).transpose().map_err(unknown)?,
            token,
            conversions: fields.is_ticked("leads_only").then(|| vec![LEADS_ONLY.to_owned()]),
        };
        Ok(console.rooms.ads.link(&admin.access, new).await?)
    };
    match link.await {
        Ok(account) => {
            let text =
                tr!("Linked. Its campaigns and ads are imported first, then the last 30 days, then earlier days.");
            Ok(redirect_with(&format!("/ads/accounts/{}", account.id), jar, Ok(text.into_owned())))
        }
        Err(problem) => {
            let page = render(&console, &admin, &Prefill::Submission(&fields), Some(&problem), jar).await?;
            Ok(page.showing(Some(&problem)))
        }
    }
}
