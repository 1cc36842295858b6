//! Managing integrations: creation, settings, pages, token and deletion.

use std::collections::BTreeSet;
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
use crate::model::connection::{Connection, Integration};
use crate::model::json_input::maybe_object;
use crate::model::lead::assignment::Assignment;
use crate::model::limit::OrgLimit;
use crate::secret::AccessToken;
use crate::table::integration::IntegrationSettings;

/// An integration to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIntegration {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub name: String,
    /// At most 500 characters.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// How it assigns its leads; they stay unassigned by default.
    #[serde(default, deserialize_with = "maybe_object")]
    pub assignment: Option<Assignment>,
    /// A system user's token. Without one, the integration is a draft, which `POST …/reconnect` connects through Meta's
    /// login.
    #[schema(value_type = Option<String>)]
    pub token: Option<AccessToken>,
}

/// The settings to change. Absent ones are unchanged.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsIn {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100, pattern = r"\S")]
    pub name: Option<String>,
    /// At most 500 characters.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// How leads are assigned from now on; stored leads are unchanged.
    #[serde(default, deserialize_with = "maybe_object")]
    pub assignment: Option<Assignment>,
    /// How conversations are assigned that no one has: to the users who may use the inbox, in a rotation of their own.
    #[serde(default, deserialize_with = "maybe_object")]
    pub inbox_assignment: Option<Assignment>,
    /// Whether each new lead is mailed to the person to whom it is assigned, at once; off by default. So is one that is
    /// assigned by hand. Leads of imports and searches are not.
    pub notify_assignee: Option<bool>,
}

/// The pages to ingest leads from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PagesIn {
    /// Exactly these pages from now on.
    pub page_ids: Vec<PageId>,
}

/// A new token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TokenIn {
    /// A system user's token.
    #[schema(value_type = String)]
    pub token: AccessToken,
    /// Whether it may replace another account, although connected pages are then lost, or a person's login ends. False by
    /// default: such a token is refused with `other_account`, and nothing is changed.
    #[serde(default)]
    pub replace: bool,
}

/// The result of disconnecting the org.
#[derive(Debug, Serialize, ToSchema)]
pub struct Disconnected {
    /// Number of integrations.
    pub disconnected: usize,
}

/// The progress of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Complete.
    Done,
    /// Leads stop at once. The removal continues in the background.
    InProgress,
}

impl Connections {
    /// Creates an integration: connected at once if the input has a system user's token, otherwise a draft that a login
    /// connects.
    pub async fn create(&self, access: &MetaAccess, input: NewIntegration) -> Result<IntegrationOut, ActError> {
        let name = Some(input.name);
        let settings = IntegrationSettings {
            name,
            description: input.description,
            assignment: input.assignment,
            ..IntegrationSettings::default()
        };
        let settings = check_settings(&self.connector.table, &access.scope, settings).await?;
        let now = crate::clock::now();
        let integration = match input.token {
            Some(token) => {
                let IntegrationSettings { name, description, assignment, .. } = settings;
                let pasted = Pasted { token, integration_id: None, replace: false, name, description, assignment };
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
        access.trail.about(&integration.id);
        access.trail.changed("assignment", &None, &Some(integration.assignment.clone()));
        self.integration_out(access, &integration).await
    }

    /// Changes an integration's settings. A changed assignment applies to leads that arrive from now on.
    pub async fn change(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        input: SettingsIn,
    ) -> Result<IntegrationOut, ActError> {
        let before = self.tokens.integration(&access.scope, id).await?;
        let SettingsIn { name, description, assignment, inbox_assignment, notify_assignee } = input;
        let settings = IntegrationSettings { name, description, assignment, inbox_assignment, notify_assignee };
        let settings = check_settings(&self.connector.table, &access.scope, settings).await?;
        self.connector.table.set_settings(&access.scope, id, &settings).await?;
        let integration = self.tokens.integration(&access.scope, id).await?;
        let (trail, after) = (&access.trail, &integration);
        trail.withheld("name", &before.name, &after.name);
        trail.withheld("description", &before.description, &after.description);
        trail.changed("assignment", &before.assignment, &after.assignment);
        trail.changed("inbox_assignment", &before.inbox_assignment, &after.inbox_assignment);
        trail.changed("notify_assignee", &before.notify_assignee, &after.notify_assignee);
        self.integration_out(access, &integration).await
    }

    /// Ingests leads from exactly these pages from now on.
    ///
    /// # Errors
    /// Rejects pages that Meta does not grant to this integration.
    pub async fn choose_pages(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        input: PagesIn,
    ) -> Result<PageList, ActError> {
        let (meta, table) = (&self.connector.meta, &self.connector.table);
        access.count(table, OrgLimit::MetaCalls).await?;
        let now = crate::clock::now();
        let integration = self.tokens.usable_integration(&access.scope, id, now).await?;
        let before = self.chosen_pages(access, id).await?;
        let chosen = choose_pages(meta, table, &access.scope, &integration, &input.page_ids, now).await;
        if let Ok(after) = self.chosen_pages(access, id).await {
            access.trail.changed("page_ids", &before, &after);
        }
        match chosen {
            Ok(()) => self.page_list(access, &integration).await,
            Err(ActError::Work(error)) => Err(self.tokens.explain(&access.scope, &integration.id, error).await),
            Err(error) => Err(error),
        }
    }

    /// The pages that leads are ingested from.
    async fn chosen_pages(&self, access: &MetaAccess, id: &IntegrationId) -> Result<BTreeSet<PageId>, ActError> {
        let pages = self.connector.table.pages_of(&access.scope, id).await?;
        Ok(pages.into_iter().filter(Connection::is_connected).map(|page| page.page_id).collect())
    }

    /// Replaces the token with a system user's. It is verified with Meta first; the old token works until this one
    /// does.
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
            replace: input.replace,
            name: None,
            description: None,
            assignment: None,
        };
        let integration = self.paste(access, pasted).await?;
        access.trail.withheld("token", &false, &true);
        self.integration_out(access, &integration).await
    }

    /// Deletes an integration. Leads stop at once; stored leads are retained. What is not complete after `timeout`
    /// continues in the background.
    ///
    /// # Errors
    /// After an error, the deletion may have begun; the daily check completes it.
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

    /// Deletes all integrations of the org. Leads stop at once; stored leads are retained. What is not complete after
    /// `timeout` continues in the background.
    pub async fn disconnect(
        &self,
        access: &MetaAccess,
        timeout: Duration,
    ) -> Result<(Disconnected, Removal), ActError> {
        let integrations = self.connector.table.integrations(&access.scope).await?;
        for integration in &integrations {
            access.trail.about(&integration.id);
            self.connector.table.begin_removal(&access.scope, &integration.id, crate::clock::now()).await?;
        }
        let ended = self.end_all(access, &integrations, timeout).await?;
        Ok((Disconnected { disconnected: integrations.len() }, ended))
    }

    /// Removes integrations that are marked for removal, and queues the rest when the `timeout` expires.
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

    /// Removes one integration. Returns `false` if the removal continues in the background.
    async fn end_one(&self, access: &MetaAccess, integration: &Integration) -> bool {
        let Connector { meta, table, bus, .. } = &self.connector;
        match remove(meta, table, bus, &access.scope, integration).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, code = %error.code(), org = %access.scope.org(), integration = %integration.id, "a deletion was interrupted and continues in the background");
                // The integration is first in the check queue anyway. This only saves the wait.
                let _ = self.tokens.checks.send(&[CheckJob::new(&access.scope, &integration.id)]).await;
                false
            }
        }
    }

    async fn paste(&self, access: &MetaAccess, pasted: Pasted) -> Result<Integration, ActError> {
        access.count(&self.connector.table, OrgLimit::MetaCalls).await?;
        let user = access.caller.as_connector();
        Ok(self.connector.paste(&access.scope, user, pasted, crate::clock::now()).await?.integration)
    }
}
