//! Changing integrations: making one, its settings, its pages, its token, and ending it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::pages::choose_pages;
use super::remove::remove;
use super::settings::check_settings;
use super::system_user::Pasted;
use super::{Connections, Connector, IntegrationOut, PageList};
use crate::directory::MetaAccess;
use crate::error::ActError;
use crate::ids::{IntegrationId, PageId};
use crate::jobs::CheckJob;
use crate::model::connection::Integration;
use crate::model::lead::assignment::Assignment;
use crate::secret::AccessToken;
use crate::table::integration::IntegrationSettings;

/// An integration to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIntegration {
    /// 1 to 100 characters.
    pub name: String,
    /// At most 500 characters.
    pub description: Option<String>,
    /// How it hands out its leads; unassigned if left out.
    pub assignment: Option<Assignment>,
    /// A system user's token. Without one the integration is a draft: `POST …/reconnect` connects it by Meta's login.
    #[schema(value_type = Option<String>)]
    pub token: Option<AccessToken>,
}

/// What to change. What is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsIn {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// At most 500 characters.
    pub description: Option<String>,
    /// How leads are handed out from now on; those that are in stay as they are.
    pub assignment: Option<Assignment>,
}

/// Which pages to take leads from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PagesIn {
    /// Exactly these from now on.
    pub page_ids: Vec<PageId>,
}

/// A token to go on with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenIn {
    /// Of a system user.
    #[schema(value_type = String)]
    pub token: AccessToken,
}

/// What was disconnected.
#[derive(Debug, Serialize, ToSchema)]
pub struct Disconnected {
    /// How many integrations.
    pub disconnected: usize,
}

/// How far a removal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Complete.
    Done,
    /// Leads stop at once. The rest is done in the background.
    InProgress,
}

impl Connections {
    /// Makes an integration: connected at once if a system user's token is given, else a draft that a login connects.
    ///
    /// # Errors
    /// If a setting or the token cannot be as it is, or something failed.
    pub async fn create(&self, access: &MetaAccess, input: NewIntegration) -> Result<IntegrationOut, ActError> {
        let name = Some(input.name);
        let settings = IntegrationSettings { name, description: input.description, assignment: input.assignment };
        let settings = check_settings(&self.connector.table, &access.scope, settings).await?;
        let now = crate::clock::now();
        let integration = match input.token {
            Some(token) => {
                let IntegrationSettings { name, description, assignment } = settings;
                let pasted = Pasted { token, integration_id: None, name, description, assignment };
                self.paste(access, pasted).await?
            }
            None => {
                let draft = Integration::draft(access.scope.org().clone(), access.caller.as_connector(), now);
                let draft = Integration {
                    name: settings.name.unwrap_or_default(),
                    description: settings.description.unwrap_or_default(),
                    assignment: settings.assignment.unwrap_or_default(),
                    ..draft
                };
                self.connector.table.insert_integration(&access.scope, &draft, None).await?;
                draft
            }
        };
        self.integration_out(access, &integration).await
    }

    /// Changes an integration's settings. A changed assignment touches leads that come from now on.
    ///
    /// # Errors
    /// If there is no such integration, a setting cannot be as it is, or something failed.
    pub async fn change(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        input: SettingsIn,
    ) -> Result<IntegrationOut, ActError> {
        self.tokens.integration(&access.scope, id).await?;
        let settings =
            IntegrationSettings { name: input.name, description: input.description, assignment: input.assignment };
        let settings = check_settings(&self.connector.table, &access.scope, settings).await?;
        self.connector.table.set_settings(&access.scope, id, &settings).await?;
        let integration = self.tokens.integration(&access.scope, id).await?;
        self.integration_out(access, &integration).await
    }

    /// Takes leads from exactly these pages from now on.
    ///
    /// # Errors
    /// If there is no such integration, Meta does not give it one of the pages, its token does not work, or something failed.
    pub async fn choose_pages(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        input: PagesIn,
    ) -> Result<PageList, ActError> {
        let now = crate::clock::now();
        let integration = self.tokens.usable_integration(&access.scope, id, now).await?;
        let (meta, table) = (&self.connector.meta, &self.connector.table);
        match choose_pages(meta, table, &access.scope, &integration, &input.page_ids, now).await {
            Ok(()) => self.page_list(access, &integration).await,
            Err(ActError::Work(error)) => Err(self.tokens.explain(&access.scope, &integration.id, error).await),
            Err(error) => Err(error),
        }
    }

    /// Goes on with another token of a system user. It is verified with Meta first; the old one works until this one does.
    ///
    /// # Errors
    /// If there is no such integration, the token cannot be used, or something failed.
    pub async fn replace_token(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        input: TokenIn,
    ) -> Result<IntegrationOut, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        let pasted = Pasted {
            token: input.token,
            integration_id: Some(integration.id),
            name: None,
            description: None,
            assignment: None,
        };
        let integration = self.paste(access, pasted).await?;
        self.integration_out(access, &integration).await
    }

    /// Deletes an integration. Leads stop at once, those that came stay.
    ///
    /// # Errors
    /// If there is no such integration, or it could not even be marked.
    pub async fn delete(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        timeout: Duration,
    ) -> Result<Removal, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        self.connector.table.begin_removal(&access.scope, &integration.id, crate::clock::now()).await?;
        self.end_all(access, std::slice::from_ref(&integration), timeout).await
    }

    /// Deletes all integrations of the org. Leads stop at once, those that came stay.
    ///
    /// # Errors
    /// If they could not even be marked.
    pub async fn disconnect(
        &self,
        access: &MetaAccess,
        timeout: Duration,
    ) -> Result<(Disconnected, Removal), ActError> {
        let integrations = self.connector.table.integrations(&access.scope).await?;
        for integration in &integrations {
            self.connector.table.begin_removal(&access.scope, &integration.id, crate::clock::now()).await?;
        }
        let ended = self.end_all(access, &integrations, timeout).await?;
        Ok((Disconnected { disconnected: integrations.len() }, ended))
    }

    /// Removes integrations that are marked. What is not complete after `timeout` continues in the background.
    async fn end_all(
        &self,
        access: &MetaAccess,
        integrations: &[Integration],
        timeout: Duration,
    ) -> Result<Removal, ActError> {
        let ended = AtomicUsize::new(0);
        let ending = async {
            let mut done = true;
            for integration in integrations {
                done &= self.end_one(access, integration).await;
                ended.fetch_add(1, Ordering::Relaxed);
            }
            done
        };
        let done = tokio::time::timeout(timeout, ending).await.unwrap_or(false);
        for integration in integrations.iter().skip(ended.into_inner()) {
            self.tokens.checks.send(&[CheckJob::new(&access.scope, &integration.id)]).await?;
        }
        Ok(if done { Removal::Done } else { Removal::InProgress })
    }

    /// Removes one integration; `false` if that continues in the background.
    async fn end_one(&self, access: &MetaAccess, integration: &Integration) -> bool {
        let Connector { meta, table, bus, .. } = &self.connector;
        match remove(meta, table, bus, &access.scope, integration).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, code = %error.code(), org = %access.scope.org(), integration = %integration.id, "a deletion was interrupted and continues in the background");
                // It is first in the check queue anyway; this saves the wait.
                let _ = self.tokens.checks.send(&[CheckJob::new(&access.scope, &integration.id)]).await;
                false
            }
        }
    }

    async fn paste(&self, access: &MetaAccess, pasted: Pasted) -> Result<Integration, ActError> {
        let user = access.caller.as_connector();
        Ok(self.connector.paste(&access.scope, user, pasted, crate::clock::now()).await?.integration)
    }
}
