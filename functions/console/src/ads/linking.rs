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
use maud::{Markup, html};

use super::LEADS_ONLY;
use super::accounts::client;
use crate::acts::Showing;
use crate::components::{badge, csrf_field, empty, is_wrong, lazy_fragment, problem_alert};
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{Section, fragment_or_page, page};
use crate::session::Admin;
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
    let integrations = console.connections.integrations(access).await?.items;
    let linked = console.ads.accounts(access, &AccountFilter::default()).await?.items;
    let clients: BTreeSet<&str> = linked.iter().map(|account| account.client.name.as_str()).collect();
    let wrong = |field: &str| is_wrong(problem, field);
    let chosen = prefill.value("integration_id");
    let body = html! {
        section {
            h2 { "Ad accounts that you can access at Meta" }
            @if integrations.is_empty() {
                (empty("No connected account", html! { a href="/integrations" { "Connect Facebook" } " to choose one of its ad accounts, or use a system user's token below." }))
            } @else { (lazy_fragment("/ads/accounts/available", "Loading ad accounts from Meta…")) }
        }
        section #link {
            h2 { "Link" }
            form.card.narrow method="post" action="/ads/accounts/new#refused" {
                (csrf_field(visitor))
                (problem_alert(problem))
                datalist #clients { @for client in &clients { option value=(client) {} } }
                label { "Ad account" input name="ad_account_id" value=(prefill.value("ad_account_id")) placeholder="act_1234567890" required aria-invalid=[wrong("ad_account_id")]; }
                label { "Label" input name="label" value=(prefill.value("label")) maxlength="100" required aria-invalid=[wrong("label")]; }
                label { "Client" input name="client_name" list="clients" value=(prefill.value("client_name")) maxlength="100" required aria-invalid=[wrong("client.name")]; }
                label { "The client's id in the CRM (generated from the name if empty)" input name="client_id" value=(prefill.value("client_id")) aria-invalid=[wrong("client.id")]; }
                label.tick { input type="checkbox" name="leads_only" value="yes" checked[prefill.is_ticked("leads_only")]; "Count leads only" }
                p.quiet { "Otherwise purchases, registrations and other conversions count as well. You can change it later." }
                label { "Sync it through" select name="integration_id" aria-invalid=[wrong("integration_id")] {
                    @for integration in &integrations { option value=(integration.id) selected[chosen == integration.id.as_str()] { (integration.name) } }
                    option value="" selected[integrations.is_empty() || prefill.is_own_token()] { "Its own token" }
                } }
                label { "Its own token, if selected" input type="password" name="token" autocomplete="off" aria-invalid=[wrong("token")]; }
                p.quiet { "A system user's token with " code { "ads_read" } ". It is verified, stored in Secrets Manager, and never shown again." }
                div.acts { button.primary { "Link" } a.button href="/ads" { "Cancel" } }
            }
        }
    };
    Ok(page(visitor, jar, Section::Ads, "Link an ad account", &body))
}

/// Lists what the connected accounts may read, as Meta reports it now.
pub(super) async fn available(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let mut parts = Vec::new();
    for integration in console.connections.integrations(&access).await?.items {
        let accounts = console.ads.available_accounts(&access, &integration.id).await;
        let accounts = accounts.map(|list| list.items).map_err(Problem::from);
        parts.push(choices(&integration, &accounts));
    }
    let part = html! { @for part in &parts { (part) } };
    Ok(fragment_or_page(&headers, &visitor, jar, (Section::Ads, "Ad accounts at Meta"), &part))
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
            Ok(accounts) if accounts.is_empty() => { p.quiet { "Meta lists no ad accounts for it." } }
            Ok(accounts) => {
                div.card.flush {
                    table {
                        thead { tr { th { "Account" } th { "Currency" } th { "Time zone" } th { "At Meta" } th { span.hidden { "Link" } } } }
                        tbody {
                            @for account in accounts {
                                tr {
                                    td data-label="Account" { (account.name) div.quiet { (account.ad_account_id) } }
                                    td data-label="Currency" { (account.currency) }
                                    td data-label="Time zone" { (account.timezone) }
                                    td data-label="At Meta" { (account.account_status) }
                                    td.acts {
                                        @if account.linked { (badge("good", "Linked")) }
                                        @else { a.button href=(at(account)) aria-label={ "Choose " (account.name) } { "Choose" } }
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
        let unknown = |_| Problem::field("integration_id", ProblemCode::IdInvalid, "Choose an account or a token.");
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
        Ok(console.ads.link(&admin.access, new).await?)
    };
    match link.await {
        Ok(account) => {
            let text = "Linked. Its campaigns and ads are imported first, then the last 30 days, then earlier days."
                .to_owned();
            Ok(redirect_with(&format!("/ads/accounts/{}", account.id), jar, Ok(text)))
        }
        Err(problem) => {
            let page = render(&console, &admin, &Prefill::Submission(&fields), Some(&problem), jar).await?;
            Ok(page.showing(Some(&problem)))
        }
    }
}
