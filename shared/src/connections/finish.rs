//! The way back from Meta's login: the state is checked, the code exchanged, and what Meta gives becomes an integration.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::accept::{Connector, Wanted};
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{IntegrationId, OrgScope};
use crate::model::connection::login::{Claim, Login, State, browser_hash, visit_cookie};
use crate::model::connection::standing::TokenKind;
use crate::table::TableError;

/// The gateway gives up after 30 seconds, and then nobody would tell the person anything.
const MAX_DURATION: Duration = Duration::from_secs(24);

/// After this, the visit that claimed a login and has no outcome never will have one.
const CLAIM_TIMEOUT: SignedDuration = SignedDuration::from_secs(40);

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
    /// The browser's cookies, by name.
    #[serde(skip)]
    pub cookies: Vec<(String, String)>,
    /// What the request says of its browser.
    #[serde(skip)]
    pub browser: String,
}

/// Where the browser goes.
#[derive(Debug)]
pub struct Onward {
    /// The return address, with the outcome in its query.
    pub url: Url,
    /// To be kept in the cookie [`visit_cookie`], by which the same browser gets the
    /// outcome again; `None` for a visit that got it again.
    pub secret: Option<(&'static str, String)>,
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
    #[error("this login is not known here, or was finished before; start again where you began")]
    UnknownState,
    /// Another visit of the same browser is still at it.
    #[error("this login is being finished; reload this page in a moment")]
    UnderWay,
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
    /// Finishes a login and returns where the browser goes. The first visit does the work; another one of the same browser
    /// gets its outcome, and one of another browser is refused.
    ///
    /// # Errors
    /// If there is nowhere to send the browser.
    pub async fn finish(&self, answer: Answer, now: Timestamp) -> Result<Onward, FinishError> {
        let state = State::verify(&answer.state, &self.key).ok_or(FinishError::UnknownState)?;
        let (scope, login) = self.table.login(&state.nonce).await?.ok_or(FinishError::UnknownState)?;
        if *scope.org() != state.org || login.user.user_id != state.user {
            return Err(FinishError::UnknownState);
        }
        let visitor = browser_hash(&format!("{}\n{}", answer.code.as_deref().unwrap_or_default(), answer.browser));
        if login.claim.is_some() {
            return self.repeat(login, &visitor, &answer.cookies).await;
        }
        // What must not be finished is not claimed either: the browser that may finish it can still come.
        let refusal = if login.expires_at <= now {
            Some(("login_expired", "The login took longer than ten minutes. Start again."))
        } else if !login.may_be_finished_with(&answer.cookies) {
            Some(("other_browser", "This login was begun in another browser. Start again in this one."))
        } else {
            None
        };
        if let Some((code, message)) = refusal {
            let outcome = Outcome::Failed { code, message: message.to_owned() };
            return Ok(Onward { url: outcome.onto(login.return_url), secret: None });
        }
        let secret = uuid::Uuid::new_v4().simple().to_string();
        let claim = Claim { visitor: visitor.clone(), secret: browser_hash(&secret), at: now, onward: None };
        if !self.table.claim_login(&login, &claim).await? {
            return self.repeat(login, &visitor, &answer.cookies).await;
        }
        let outcome = self.outcome(&scope, login.clone(), answer, now).await;
        tracing::info!(org = %scope.org(), ?outcome, "login finished");
        let url = outcome.onto(login.return_url.clone());
        if let Err(error) = self.table.end_login(&login, &Claim { onward: Some(url.clone()), ..claim }).await {
            tracing::warn!(%error, org = %scope.org(), "a second visit of the browser cannot be told the login's outcome");
        }
        Ok(Onward { url, secret: Some((visit_cookie(&login.redirect_uri), secret)) })
    }

    /// Waits for the outcome of the visit that claimed a login.
    async fn repeat(&self, login: Login, visitor: &str, cookies: &[(String, String)]) -> Result<Onward, FinishError> {
        let begun = tokio::time::Instant::now();
        let mut is_same = false;
        loop {
            let (_, login) = self.table.login(&login.nonce).await?.ok_or(FinishError::UnknownState)?;
            let claim = login.claim.as_ref().ok_or(FinishError::UnknownState)?;
            // Decided once: a visit that came while the work was in progress gets its outcome.
            is_same |= login.is_repeated_by(claim, visitor, cookies);
            let has_died = claim.onward.is_none() && crate::clock::now().duration_since(claim.at) > CLAIM_TIMEOUT;
            if !is_same || has_died {
                return Err(FinishError::UnknownState);
            }
            if let Some(url) = claim.onward.clone() {
                return Ok(Onward { url, secret: None });
            }
            if begun.elapsed() > MAX_DURATION {
                return Err(FinishError::UnderWay);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn outcome(&self, scope: &OrgScope, login: Login, answer: Answer, now: Timestamp) -> Outcome {
        let code = match (answer.error.as_deref(), answer.code) {
            (None, Some(code)) if !code.is_empty() => code,
            (Some("access_denied"), _) => return Outcome::Denied,
            (error, _) => {
                tracing::warn!(?error, reason = ?answer.error_reason, "Meta's login ended without a code");
                let message = "Meta's login ended without an answer that can be used. Start again.".to_owned();
                return Outcome::Failed { code: "login_failed", message };
            }
        };
        match tokio::time::timeout(MAX_DURATION, self.connect(scope, login, &code, now)).await {
            Ok(Ok(outcome)) => outcome,
            Err(_) => {
                tracing::error!(org = %scope.org(), "login took longer than the gateway waits");
                explain(&GraphError::Transport("took too long").into())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, code = %error.code(), org = %scope.org(), "login could not be finished");
                explain(&error)
            }
        }
    }

    async fn connect(&self, scope: &OrgScope, login: Login, code: &str, now: Timestamp) -> Result<Outcome, WorkError> {
        let graph = self.meta.graph().await?;
        let short = graph.exchange_code(code, &login.redirect_uri).await?;
        let token = graph.extend(&short).await?;
        let Some(info) = self.valid(&graph, &token).await? else {
            let message = "Meta gave a token that is not valid for this app. Start again.".to_owned();
            return Ok(Outcome::Failed { code: "token_not_valid", message });
        };
        let given = self.given(&graph, TokenKind::User, token, info).await?;
        if !given.pages.iter().any(|page| page.access_token.is_some()) {
            let message = "No page came with the login. Choose at least one page in Meta's dialog, and make sure that you may manage it.";
            return Ok(Outcome::Failed { code: "no_pages", message: message.to_owned() });
        }
        let wanted = Wanted {
            integration_id: login.integration_id,
            reconnects: login.reconnects,
            user: login.user,
            scopes: login.scopes,
            name: login.name,
            description: login.description,
            assignment: login.assignment,
        };
        let Some(accepted) = self.accept(scope, &graph, wanted, given, now).await? else {
            let message = "The integration was deleted while the login was under way.".to_owned();
            return Ok(Outcome::Failed { code: "integration_deleted", message });
        };
        let mut codes: Vec<String> = accepted.integration.problems.iter().map(|problem| problem.code.clone()).collect();
        codes.dedup();
        Ok(Outcome::Connected { integration_id: accepted.integration.id, pages: accepted.pages, problems: codes })
    }
}

fn explain(error: &WorkError) -> Outcome {
    let (code, message) = match error {
        WorkError::Graph(GraphError::Refused(_)) => {
            ("code_refused", "Meta did not take the login's code: it may have been used or have run out. Start again.")
        }
        WorkError::Graph(GraphError::TokenInvalid { .. }) => {
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
