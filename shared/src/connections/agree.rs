//! What a person agrees to before Meta's login: which org asks, and what it gets. Anyone can send a link to a
//! login. Without this page, a person who follows it would connect their pages to an org whose name they never saw.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use url::Url;

use super::finish::FinishError;
use super::{Connector, Dialog};
use crate::graph::oauth::dialog_url;
use crate::ids::OrgScope;
use crate::model::connection::login::{Login, State, browser_hash};

/// What is asked of a person who follows a link to a login.
#[derive(Debug, PartialEq, Eq)]
pub struct Invitation {
    /// The name of the org that gets the pages, or its id until the CRM has pushed a name.
    pub org_name: String,
    /// The name of the user who began the login.
    pub asked_by: Option<String>,
    /// Whether a connection is renewed.
    pub reconnects: bool,
    /// The permissions that Meta will be asked for.
    pub scopes: Vec<String>,
    /// Proves, together with the browser's secret, that the person saw this.
    pub proof: String,
}

impl Connector {
    /// What is asked of a person who follows the link to a login, in a browser with this secret.
    ///
    /// # Errors
    /// If the login is unknown, over, or agreed to in another browser.
    pub async fn invitation(&self, state: &str, secret: &str, now: Timestamp) -> Result<Invitation, FinishError> {
        let (scope, login) = self.open_login(state, secret, now).await?;
        let org = self.table.org(&scope).await?;
        Ok(Invitation {
            org_name: org.map_or_else(|| scope.org().to_string(), |org| org.name),
            asked_by: login.user.name.clone(),
            reconnects: login.reconnects,
            proof: URL_SAFE_NO_PAD.encode(self.key.sign(proof_text(&login, secret).as_bytes())),
            scopes: login.scopes,
        })
    }

    /// Binds a login to the browser whose person agreed, and returns the address of Meta's dialog.
    ///
    /// # Errors
    /// As [`Connector::invitation`], and if the proof is not that of this browser.
    pub async fn agree(
        &self,
        dialog: &Dialog,
        state: &str,
        (secret, proof): (&str, &str),
        now: Timestamp,
    ) -> Result<Url, FinishError> {
        let (_, login) = self.open_login(state, secret, now).await?;
        let signature = URL_SAFE_NO_PAD.decode(proof).map_err(|_| FinishError::NotAsked)?;
        if !self.key.verifies(proof_text(&login, secret).as_bytes(), &signature) {
            return Err(FinishError::NotAsked);
        }
        if !self.table.bind_login(&login, &browser_hash(secret)).await? {
            return Err(FinishError::UnknownState);
        }
        let app_id = &self.meta.graph.app().id;
        Ok(dialog_url(&dialog.root, &dialog.version, app_id, &login.redirect_uri, state, &login.scopes))
    }

    /// Finds a login that a browser with this secret can still agree to.
    async fn open_login(&self, state: &str, secret: &str, now: Timestamp) -> Result<(OrgScope, Login), FinishError> {
        let state = State::verify(state, &self.key).ok_or(FinishError::UnknownState)?;
        let (scope, login) = self.table.login(&state.nonce).await?.ok_or(FinishError::UnknownState)?;
        let is_open = login.claim.is_none() && login.expires_at > now;
        let is_foreign = login.browser.as_ref().is_some_and(|hash| *hash != browser_hash(secret));
        if *scope.org() != state.org || login.user.user_id != state.user || !is_open || is_foreign {
            return Err(FinishError::UnknownState);
        }
        Ok((scope, login))
    }
}

fn proof_text(login: &Login, secret: &str) -> String {
    format!("login-proof.{}.{}", login.nonce, browser_hash(secret))
}
