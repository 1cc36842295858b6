//! The way back from Meta: code, tokens, pages, vault, table, subscriptions, in this order. Nothing is written before
//! all that Meta has to say is read, and whatever stops half-way is completed by connecting again.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use url::Url;

use crate::error::WorkError;
use crate::graph::pages::{Page, fields};
use crate::graph::{Graph, GraphError};
use crate::ids::{IntegrationId, OrgScope, PageId};
use crate::model::integration::{Connection, Integration, Problem};
use crate::model::login::{Login, State};
use crate::secret::{AccessToken, HmacKey};
use crate::table::{Table, TableError};
use crate::vault::{Credentials, Vault, VaultError};

/// The gateway gives up after 30 seconds, and then nobody would tell the person anything.
const LONGEST: Duration = Duration::from_secs(24);
/// Connections written at once.
const AT_ONCE: usize = 8;

/// What finishing a login takes.
#[derive(Debug)]
pub struct Connector {
    /// To exchange, to look, to subscribe.
    pub graph: Graph,
    /// To find the login and write what comes of it.
    pub table: Table,
    /// For the tokens, and the app as it is now.
    pub vault: Vault,
    /// The vault's name of the app.
    pub app_secret_id: String,
    /// What the names of secrets with tokens begin with.
    pub credentials_prefix: String,
    /// Verifies the state.
    pub key: HmacKey,
}

/// What Meta's redirect said.
#[derive(Debug, Default, serde::Deserialize)]
pub struct Answer {
    /// Ours, unchanged.
    #[serde(default)]
    pub state: String,
    /// On success.
    pub code: Option<String>,
    /// `access_denied`, on refusal.
    pub error: Option<String>,
    /// `user_denied`.
    pub error_reason: Option<String>,
}

/// How a login ended, as the return address is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Pages are connected, perhaps with problems.
    Connected {
        /// The integration.
        integration_id: IntegrationId,
        /// How many pages.
        pages: usize,
        /// Distinct codes of the problems.
        problems: Vec<String>,
    },
    /// The person refused, or Meta did.
    Denied,
    /// It came to nothing.
    Failed {
        /// Stable, for programs.
        code: &'static str,
        /// For people, with what to do.
        message: String,
    },
}

/// Why the browser cannot even be sent back.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// The state is not ours, or was used before. Nobody knows where to return to.
    #[error("this login is not known here, or was finished before; start again from the CRM")]
    UnknownState,
    /// The login could not be looked up.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Outcome {
    /// The return address with this outcome in its query: `status`, and `integrationId`, `pages`, `problems`, or `code`
    /// and `message`.
    #[must_use]
    pub fn onto(&self, mut return_url: Url) -> Url {
        let mut query = return_url.query_pairs_mut();
        match self {
            Self::Connected { integration_id, pages, problems } => {
                query.append_pair("status", "connected").append_pair("integrationId", integration_id.as_str());
                query.append_pair("pages", &pages.to_string());
                if !problems.is_empty() {
                    query.append_pair("problems", &problems.join(","));
                }
            }
            Self::Denied => {
                query.append_pair("status", "denied").append_pair("code", "access_denied").append_pair(
                    "message",
                    "Meta says that access was refused. If nobody pressed Cancel, the Meta app may still be in development mode, which looks the same.",
                );
            }
            Self::Failed { code, message } => {
                query.append_pair("status", "error").append_pair("code", code).append_pair("message", message);
            }
        }
        drop(query);
        return_url
    }
}

impl Connector {
    /// Finishes a login and answers where the browser goes, with the outcome in the address.
    ///
    /// # Errors
    /// If there is nowhere to send the browser.
    pub async fn finish(&self, answer: Answer, now: Timestamp) -> Result<Url, FinishError> {
        let state = State::verify(&answer.state, &self.key).ok_or(FinishError::UnknownState)?;
        let (scope, login) = self.table.take_login(&state.nonce).await?.ok_or(FinishError::UnknownState)?;
        if *scope.org() != state.org || login.user.user_id != state.user {
            return Err(FinishError::UnknownState);
        }
        let return_url = login.return_url.clone();
        let outcome = self.outcome(&scope, login, answer, now).await;
        tracing::info!(org = %scope.org(), ?outcome, "login finished");
        Ok(outcome.onto(return_url))
    }

    async fn outcome(&self, scope: &OrgScope, login: Login, answer: Answer, now: Timestamp) -> Outcome {
        if login.expires_at <= now {
            let message = "The login took longer than ten minutes. Start again.".to_owned();
            return Outcome::Failed { code: "login_expired", message };
        }
        let code = match (answer.error.as_deref(), answer.code) {
            (None, Some(code)) if !code.is_empty() => code,
            (Some("access_denied"), _) => return Outcome::Denied,
            (error, _) => {
                tracing::warn!(?error, reason = ?answer.error_reason, "Meta's login ended without a code");
                let message = "Meta's login ended without an answer that can be used. Start again.".to_owned();
                return Outcome::Failed { code: "login_failed", message };
            }
        };
        match tokio::time::timeout(LONGEST, self.connect(scope, login, &code, now)).await {
            Ok(Ok(outcome)) => outcome,
            Err(_) => {
                tracing::error!(org = %scope.org(), "login took longer than the gateway waits");
                explain(&GraphError::NoAnswer("took too long").into())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, code = error.code(), org = %scope.org(), "login could not be finished");
                explain(&error)
            }
        }
    }

    async fn connect(&self, scope: &OrgScope, login: Login, code: &str, now: Timestamp) -> Result<Outcome, WorkError> {
        let graph = self.graph.speaking_for(self.vault.app(&self.app_secret_id).await?);
        let short = graph.exchange_code(code, &login.redirect_uri).await?;
        let user_token = graph.extend(&short).await?;
        let info = graph.debug_token(&user_token).await?;
        if info.app_id != graph.app().id || !info.is_valid {
            let message = "Meta gave a token that is not valid for this app. Start again.".to_owned();
            return Ok(Outcome::Failed { code: "token_not_valid", message });
        }
        let me = graph.me(&user_token).await?;
        let (usable, tokenless) = split(graph.pages(&user_token, &info).await?);
        if usable.is_empty() {
            let message = "No page came with the login. Choose at least one page in Meta's dialog, and make sure that you may manage it.";
            return Ok(Outcome::Failed { code: "no_pages", message: message.to_owned() });
        }
        let mut problems = missing_scopes(&login.scopes, &info.scopes);
        problems.extend(tokenless.iter().map(page_without_token));

        let credentials = Credentials {
            me,
            user_token,
            pages: usable.iter().map(|(page, token)| (page.id.clone(), token.clone())).collect(),
        };
        let stored = self.vault.store(&self.credentials_prefix, &login.integration_id, &credentials).await?;
        let known = self.table.integration(scope, &login.integration_id).await?;
        let mut integration = Integration {
            id: login.integration_id.clone(),
            name: known
                .as_ref()
                .map(|known| known.name.clone())
                .or(login.name)
                .unwrap_or_else(|| default_name(&usable)),
            description: known
                .as_ref()
                .map(|known| known.description.clone())
                .or(login.description)
                .unwrap_or_default(),
            assignment: known.as_ref().map(|known| known.assignment.clone()).or(login.assignment).unwrap_or_default(),
            connected_by: login.user,
            credentials: stored.names.clone(),
            token_expires_at: info.expires_at,
            data_access_expires_at: info.data_access_expires_at,
            scopes: info.scopes,
            problems: Vec::new(),
            created_at: known.as_ref().map_or(now, |known| known.created_at),
            connected_at: now,
        };
        self.table.put_integration(scope, &integration).await?;
        let connections = self.save_connections(scope, &integration.id, &usable, &stored.by_page, now).await?;
        problems.extend(self.subscribe(&graph, scope, &connections, &credentials.pages, &integration.scopes).await?);
        integration.problems = problems;
        self.table.put_integration(scope, &integration).await?;

        let mut codes: Vec<String> = integration.problems.iter().map(|problem| problem.code.clone()).collect();
        codes.dedup();
        Ok(Outcome::Connected { integration_id: integration.id, pages: connections.len(), problems: codes })
    }

    /// Writes the pages that came, and ends those of the same integration that did not come again.
    async fn save_connections(
        &self,
        scope: &OrgScope,
        integration_id: &IntegrationId,
        pages: &[(Page, AccessToken)],
        secrets: &BTreeMap<PageId, String>,
        now: Timestamp,
    ) -> Result<Vec<Connection>, WorkError> {
        let mut connections = Vec::with_capacity(pages.len());
        for (page, _) in pages {
            connections.push(Connection {
                org: scope.org().clone(),
                integration_id: integration_id.clone(),
                page_id: page.id.clone(),
                page_name: page.name.clone(),
                page_url: page.link.clone().unwrap_or_else(|| format!("https://www.facebook.com/{}", page.id)),
                tasks: page.tasks.clone(),
                credentials: secrets.get(&page.id).cloned().ok_or_else(|| VaultError::Missing(page.id.to_string()))?,
                subscribed_fields: Vec::new(),
                connected_at: now,
                leads_count: 0,
                last_lead_at: None,
            });
        }
        let saving: Vec<_> =
            connections.iter().map(|connection| self.table.save_connection(scope, connection)).collect();
        stream::iter(saving).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        for known in self.table.connections(scope).await? {
            let came = connections.iter().any(|connection| connection.page_id == known.page_id);
            if known.integration_id == *integration_id && !came {
                self.table.delete_connection(scope, &known).await?;
            }
        }
        Ok(connections)
    }

    /// Subscribes the pages to what Leadwire listens to, as far as it was granted.
    async fn subscribe(
        &self,
        graph: &Graph,
        scope: &OrgScope,
        connections: &[Connection],
        tokens: &BTreeMap<PageId, AccessToken>,
        granted: &[String],
    ) -> Result<Vec<Problem>, WorkError> {
        let fields = fields(granted);
        let pages: Vec<(&PageId, &AccessToken)> =
            connections.iter().filter_map(|connection| tokens.get_key_value(&connection.page_id)).collect();
        let outcomes = graph.subscribe(&pages, &fields).await;
        let mut confirming = Vec::new();
        for (connection, outcome) in connections.iter().zip(outcomes) {
            let fields = &fields;
            confirming.push(async move {
                match outcome {
                    Ok(()) => self.table.set_subscribed_fields(scope, connection, fields).await.map(|()| None),
                    Err(error) => Ok(Some(not_subscribed(connection, &error))),
                }
            });
        }
        let problems: Vec<Option<Problem>> = stream::iter(confirming).buffered(AT_ONCE).try_collect().await?;
        Ok(problems.into_iter().flatten().collect())
    }
}

fn split(pages: Vec<Page>) -> (Vec<(Page, AccessToken)>, Vec<Page>) {
    let (mut usable, mut tokenless) = (Vec::new(), Vec::new());
    for page in pages {
        match page.access_token.clone() {
            Some(token) => usable.push((page, token)),
            None => tokenless.push(page),
        }
    }
    (usable, tokenless)
}

fn default_name(pages: &[(Page, AccessToken)]) -> String {
    match pages {
        [(page, _)] => page.name.clone(),
        [(page, _), rest @ ..] => format!("{} and {} more", page.name, rest.len()),
        [] => "Meta".to_owned(),
    }
}

fn missing_scopes(asked: &[String], granted: &[String]) -> Vec<Problem> {
    let missing = asked.iter().filter(|scope| !granted.contains(scope));
    let problem = |scope: &String| Problem {
        code: "scope_missing".to_owned(),
        page_id: None,
        message: format!("Meta did not grant {scope}."),
        fix: "Reconnect and leave every permission ticked in Meta's dialog.".to_owned(),
    };
    missing.map(problem).collect()
}

fn page_without_token(page: &Page) -> Problem {
    Problem {
        code: "page_without_token".to_owned(),
        page_id: Some(page.id.clone()),
        message: format!("Meta gave no access to the page {}, so it is not connected.", page.name),
        fix: "Ask an administrator of the page to give you a role on it at Meta, then reconnect.".to_owned(),
    }
}

fn not_subscribed(connection: &Connection, error: &GraphError) -> Problem {
    Problem {
        code: "page_not_subscribed".to_owned(),
        page_id: Some(connection.page_id.clone()),
        message: format!("The page {} does not tell us of new leads: {error}.", connection.page_name),
        fix: "Reconnect with somebody who may create content, moderate or manage the page, and grant pages_manage_metadata.".to_owned(),
    }
}

fn explain(error: &WorkError) -> Outcome {
    let (code, message) = match error {
        WorkError::Graph(GraphError::Refused(_)) => {
            ("code_refused", "Meta did not take the login's code: it may have been used or have run out. Start again.")
        }
        WorkError::Graph(GraphError::TokenDead { .. }) => {
            ("token_dead", "Meta ended the login before it was complete. Start again.")
        }
        WorkError::Graph(GraphError::NotPermitted(_)) => (
            "not_permitted",
            "Meta refused a permission that is needed to list pages. Start again and leave every permission ticked.",
        ),
        WorkError::Graph(GraphError::Throttled { .. }) => {
            ("throttled", "Meta limits how often we may ask at the moment. Try again in a few minutes.")
        }
        WorkError::Graph(_) => ("meta_unavailable", "Meta did not answer as it should. Try again in a minute."),
        _ => ("not_saved", "The connection could not be saved. Try again in a minute."),
    };
    Outcome::Failed { code, message: message.to_owned() }
}
