//! The return from Meta's login: verifies the state, exchanges the code, and connects the granted pages.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::accept::{Acceptance, ConnectRequest, Connector};
use super::person::person_hash;
use crate::error::WorkError;
use crate::graph::GraphError;
use crate::ids::{IntegrationId, OrgScope};
use crate::model::connection::login::{Login, LoginClaim, LoginFailure, LoginOutcome, State};
use crate::model::connection::problem::IntegrationProblemCode;
use crate::model::connection::state::TokenKind;
use crate::model::connection::{Integration, Lifecycle};
use crate::table::TableError;
use crate::tr;

/// A visit that claimed a login and has no outcome after this time is treated as crashed.
const CLAIM_TIMEOUT: SignedDuration = SignedDuration::from_secs(40);

/// The parameters with which Meta's dialog redirects the browser back.
#[derive(Debug, Default)]
pub struct DialogResult {
    /// Our `state`, unchanged.
    pub state: String,
    /// The code to exchange, on success.
    pub code: Option<String>,
    /// `access_denied`, on refusal.
    pub error: Option<String>,
    /// Meta's reason for the refusal, for example `user_denied`.
    pub error_reason: Option<String>,
    /// The secret by which the browser is recognised.
    pub secret: Option<String>,
}

/// A finished login.
#[derive(Debug)]
pub struct FinishedLogin {
    /// Where to send the browser.
    pub return_url: Url,
    /// How the login ended.
    pub outcome: LoginOutcome,
}

/// Why there is no address to send the browser to.
#[derive(Debug, thiserror::Error)]
pub enum FinishError {
    /// The state is not ours, was used before, or was claimed by another browser.
    UnknownState,
    /// The person did not agree on our page, or in another browser.
    NotAsked,
    /// Another visit of the same browser is finishing the login.
    InProgress,
    /// The login could not be read.
    Table(#[from] TableError),
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::UnknownState => tr!("This login is unknown or already completed. Start again."),
            Self::NotAsked => tr!(
                "This request does not come from the page that names the org. Open the link again, and continue there."
            ),
            Self::InProgress => tr!("This login is still being completed. Reload this page in a moment."),
            Self::Table(error) => return fmt::Display::fmt(error, f),
        })
    }
}

impl Connector {
    /// Finishes a login. The first visit does the work, and a repeated visit of the same browser gets its outcome. A
    /// repeated visit of another browser is refused. A visit that takes longer than `timeout` ends as failed.
    pub async fn finish(
        &self,
        result: DialogResult,
        timeout: Duration,
        now: Timestamp,
    ) -> Result<FinishedLogin, FinishError> {
        let state = State::verify(&result.state, &self.key).ok_or(FinishError::UnknownState)?;
        let (scope, login) = self.table.login(&state.nonce).await?.ok_or(FinishError::UnknownState)?;
        if *scope.org() != state.org || login.user.user_id != state.user {
            return Err(FinishError::UnknownState);
        }
        let is_theirs = login.is_of_browser(result.secret.as_deref());
        if login.claim.is_some() {
            return if is_theirs { self.repeat(login, timeout).await } else { Err(FinishError::UnknownState) };
        }
        // A visit that must not finish the login does not claim it, so the right browser can still finish it.
        let refusal = if login.expires_at <= now {
            Some(LoginFailure::LoginExpired)
        } else if !is_theirs {
            Some(LoginFailure::OtherBrowser)
        } else {
            None
        };
        if let Some(failure) = refusal {
            return Ok(FinishedLogin { return_url: login.return_url, outcome: LoginOutcome::Failed(failure) });
        }
        let claim = LoginClaim { at: now, outcome: None };
        if !self.table.claim_login(&login, &claim).await? {
            return self.repeat(login, timeout).await;
        }
        let outcome = self.work(&scope, login.clone(), result, timeout, now).await;
        tracing::info!(org = %scope.org(), ?outcome, "login finished");
        if let Err(error) = self.table.end_login(&login, &LoginClaim { outcome: Some(outcome.clone()), ..claim }).await
        {
            tracing::warn!(%error, org = %scope.org(), "a login's outcome could not be stored for repeated visits");
        }
        Ok(FinishedLogin { return_url: login.return_url, outcome })
    }

    /// Waits for the outcome of the visit that claimed a login.
    async fn repeat(&self, login: Login, timeout: Duration) -> Result<FinishedLogin, FinishError> {
        let started = tokio::time::Instant::now();
        loop {
            let (_, login) = self.table.login(&login.nonce).await?.ok_or(FinishError::UnknownState)?;
            let claim = login.claim.as_ref().ok_or(FinishError::UnknownState)?;
            if claim.outcome.is_none() && crate::clock::now().duration_since(claim.at) > CLAIM_TIMEOUT {
                return Err(FinishError::UnknownState);
            }
            if let Some(outcome) = claim.outcome.clone() {
                return Ok(FinishedLogin { return_url: login.return_url, outcome });
            }
            if started.elapsed() > timeout {
                return Err(FinishError::InProgress);
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn work(
        &self,
        scope: &OrgScope,
        login: Login,
        result: DialogResult,
        timeout: Duration,
        now: Timestamp,
    ) -> LoginOutcome {
        let code = match (result.error.as_deref(), result.code) {
            (None, Some(code)) if !code.is_empty() => code,
            (Some("access_denied"), _) => return LoginOutcome::Denied,
            (error, _) => {
                tracing::warn!(?error, reason = ?result.error_reason, "Meta's login ended without a code");
                return LoginOutcome::Failed(LoginFailure::LoginFailed);
            }
        };
        match tokio::time::timeout(timeout, self.connect(scope, login, &code, now)).await {
            Ok(Ok(outcome)) => outcome,
            Err(_) => {
                tracing::error!(org = %scope.org(), "a login took longer than its caller waits");
                LoginOutcome::Failed(LoginFailure::MetaUnavailable)
            }
            Ok(Err(error)) => {
                tracing::error!(%error, code = %error.code(), org = %scope.org(), "a login could not be finished");
                LoginOutcome::Failed(explain(&error))
            }
        }
    }

    async fn connect(
        &self,
        scope: &OrgScope,
        login: Login,
        code: &str,
        now: Timestamp,
    ) -> Result<LoginOutcome, WorkError> {
        let graph = self.meta.graph().await?;
        let short = graph.exchange_code(code, &login.redirect_uri).await?;
        let token = graph.extend(&short).await?;
        let Some(info) = self.valid(&graph, &token).await? else {
            return Ok(LoginOutcome::Failed(LoginFailure::TokenNotValid));
        };
        let grant = self.read_grant(&graph, TokenKind::User, token, info).await?;
        if !grant.pages.iter().any(|page| page.access_token.is_some()) {
            return Ok(LoginOutcome::Failed(LoginFailure::NoPages));
        }
        let renewed = if login.renews && !login.reconnects {
            self.connected_before(scope, &person_hash(&self.root_key, &grant.me.id)).await?
        } else {
            None
        };
        let request = ConnectRequest {
            reconnects: login.reconnects || renewed.is_some(),
            integration_id: renewed.clone().unwrap_or_else(|| login.integration_id.clone()),
            replace: login.replace,
            user: login.user,
            scopes: login.scopes,
            name: login.name,
            description: login.description,
            assignment: login.assignment,
        };
        let integration_id = request.integration_id.clone();
        let accepted = match self.accept(scope, &graph, request, grant, now).await? {
            Acceptance::Accepted(accepted) => accepted,
            Acceptance::Gone => return Ok(LoginOutcome::Failed(LoginFailure::IntegrationDeleted)),
            Acceptance::OtherAccount { lost } => {
                return Ok(LoginOutcome::OtherAccount { integration_id, lost_pages: lost });
            }
        };
        let mut problems: Vec<IntegrationProblemCode> =
            accepted.integration.problems.iter().map(|problem| problem.code).collect();
        problems.dedup();
        let (pages, renewed) = (accepted.pages, renewed.is_some());
        Ok(LoginOutcome::Connected { integration_id: accepted.integration.id, pages, problems, renewed })
    }

    /// The integration that a person connected before, through Meta's login.
    async fn connected_before(&self, scope: &OrgScope, person: &str) -> Result<Option<IntegrationId>, WorkError> {
        let integrations = self.table.integrations(scope).await?;
        let is_theirs = |integration: &&Integration| {
            integration.person.as_deref() == Some(person)
                && integration.token_kind == TokenKind::User
                && integration.lifecycle == Lifecycle::Live
        };
        let newest = integrations.iter().filter(is_theirs).max_by_key(|integration| integration.connected_at);
        Ok(newest.map(|integration| integration.id.clone()))
    }
}

fn explain(error: &WorkError) -> LoginFailure {
    match error {
        WorkError::Graph(GraphError::Refused(_)) => LoginFailure::CodeRefused,
        WorkError::Graph(GraphError::TokenInvalid { .. }) => LoginFailure::TokenDead,
        WorkError::Graph(GraphError::NotPermitted(_)) => LoginFailure::NotPermitted,
        WorkError::Graph(GraphError::Throttled { .. }) => LoginFailure::Throttled,
        WorkError::Graph(_) => LoginFailure::MetaUnavailable,
        _ => LoginFailure::NotSaved,
    }
}
