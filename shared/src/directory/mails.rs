//! Which mails the org's people get.

use serde::Serialize;
use utoipa::ToSchema;

use super::{Access, Directory};
use crate::error::ActError;
use crate::ids::OrgScope;
use crate::model::mail_preference::{MailKind, MailPreference, MailProblem};
use crate::model::org::User;

/// A user, and which mails they get.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserOut {
    #[serde(flatten)]
    pub user: User,
    /// Whether they want mails about leads that are assigned to them. An integration must send them, too.
    pub notifications: bool,
    /// Whether they want mails about connections and webhooks that need attention. Only admins get them.
    pub alerts: bool,
    /// Why their address gets none all the same; `null` if it does.
    pub mail_problem: Option<MailProblem>,
}

impl UserOut {
    fn new(user: User, preference: &MailPreference) -> Self {
        let mail_problem = preference.problem_of(&user.email).cloned();
        let [notifications, alerts] = [MailKind::AssignedLeads, MailKind::Alerts].map(|mails| preference.wants(mails));
        Self { user, notifications, alerts, mail_problem }
    }

    /// Whether this person learns by mail that a connection needs attention.
    #[must_use]
    pub fn is_alerted(&self) -> bool {
        self.user.is_admin() && self.alerts && self.mail_problem.is_none()
    }
}

impl Directory {
    /// A user, with which mails they get.
    pub async fn describe_user(&self, scope: &OrgScope, user: User) -> Result<UserOut, ActError> {
        let preference = self.table.mail_preference(scope, &user.id).await?;
        Ok(UserOut::new(user, &preference))
    }

    /// Switches mails to a user on or off; `None` leaves them as they are.
    pub async fn switch_mails(
        &self,
        access: &Access,
        user: User,
        notifications: Option<bool>,
        alerts: Option<bool>,
    ) -> Result<UserOut, ActError> {
        let Access { scope, trail, .. } = access;
        trail.about(&user.id);
        let before = self.table.mail_preference(scope, &user.id).await?;
        let switches =
            [("notifications", MailKind::AssignedLeads, notifications), ("alerts", MailKind::Alerts, alerts)];
        for (field, mails, switched) in switches {
            // On also tries an address again to which mails did not arrive.
            let changes = |on: &bool| *on != before.wants(mails) || *on && before.problem_of(&user.email).is_some();
            if let Some(on) = switched.filter(changes) {
                self.table.switch_mails(scope, &user.id, mails, on, crate::clock::now()).await?;
                trail.changed(field, &before.wants(mails), &on);
            }
        }
        self.describe_user(scope, user).await
    }

    /// The org's users, with which mails they get.
    pub async fn describe_users(&self, scope: &OrgScope) -> Result<Vec<UserOut>, ActError> {
        let (users, mut preferences) = tokio::try_join!(self.table.users(scope), self.table.mail_preferences(scope))?;
        let describe = |user: User| {
            let preference = preferences.remove(&user.id).unwrap_or_default();
            UserOut::new(user, &preference)
        };
        Ok(users.into_iter().map(describe).collect())
    }
}
