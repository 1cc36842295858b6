//! What keeps mails from people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::shape::ItemKind;
use super::{Table, TableError, keys};
use crate::ids::{OrgScope, UserId};
use crate::model::mail_preference::{MailKind, MailPreference, MailProblem};
use crate::model::org::User;

#[derive(Serialize, Deserialize)]
pub(super) struct PreferenceRow {
    pub(super) user_id: UserId,
    #[serde(flatten)]
    preference: MailPreference,
}

impl Table {
    /// Reads what keeps mails from a person.
    pub async fn mail_preference(&self, scope: &OrgScope, user: &UserId) -> Result<MailPreference, TableError> {
        let row: Option<PreferenceRow> = self.get(&keys::mail_preference(scope, user)).await?;
        Ok(row.map(|row| row.preference).unwrap_or_default())
    }

    /// Reads what keeps mails from the org's people. Those without a record are omitted.
    pub async fn mail_preferences(&self, scope: &OrgScope) -> Result<BTreeMap<UserId, MailPreference>, TableError> {
        let rows: Vec<PreferenceRow> = self.query(&keys::org_pk(scope), keys::MAIL_PREFERENCE_PREFIX).await?;
        Ok(rows.into_iter().map(|row| (row.user_id, row.preference)).collect())
    }

    /// Lists the active admins of an org who want alerts and whom they reach. The operator is told if the org has no
    /// admin at all.
    pub async fn alert_recipients(&self, scope: &OrgScope) -> Result<Vec<User>, TableError> {
        let (mut admins, preferences) = tokio::try_join!(self.users(scope), self.mail_preferences(scope))?;
        admins.retain(User::is_admin);
        if admins.is_empty() {
            tracing::error!(org = %scope.org(), metric = "notices_without_recipient", "the directory has no active admin of this org to notify");
        }
        let usual = MailPreference::default();
        admins.retain(|user| preferences.get(&user.id).unwrap_or(&usual).allows(MailKind::Alerts, &user.email));
        Ok(admins)
    }

    /// Switches mails to a person off, or on again. On also forgets why their address got none: it is tried again.
    pub async fn switch_mails(
        &self,
        scope: &OrgScope,
        user: &UserId,
        mails: MailKind,
        on: bool,
        now: Timestamp,
    ) -> Result<(), TableError> {
        let field = match mails {
            MailKind::AssignedLeads => "off_since",
            MailKind::Alerts => "alerts_off_since",
        };
        let change = self.change(&keys::mail_preference(scope, user)).kind(ItemKind::MailPreference);
        let mut change = change.set("user_id", user)?.set(field, &(!on).then_some(now))?;
        if on {
            change = change.set("problem", &None::<MailProblem>)?;
        }
        change.send().await.map(drop)
    }

    /// Records that mails to a person's address do not arrive or are not wanted.
    pub async fn set_mail_problem(
        &self,
        scope: &OrgScope,
        user: &UserId,
        problem: &MailProblem,
    ) -> Result<(), TableError> {
        let change = self.change(&keys::mail_preference(scope, user)).kind(ItemKind::MailPreference);
        change.set("user_id", user)?.set("problem", problem)?.send().await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::mail_preference::MailProblemReason;
    use crate::table::directory::PutUserOutcome;
    use crate::table::tests::{empty_table, scope, user};

    fn with_role(id: &str, role: &str) -> User {
        User { role: Some(role.to_owned()), email: format!("{id}@a.example"), ..user(id, true) }
    }

    #[tokio::test]
    async fn alerts_go_to_admins_who_want_them_and_whom_they_reach() {
        let (table, a, now) = (empty_table().await, scope("a"), Timestamp::UNIX_EPOCH);
        for (id, role) in [("ann", "admin"), ("ben", "admin"), ("cai", "admin"), ("dee", "sales")] {
            assert!(matches!(table.put_user(&a, &with_role(id, role)).await.unwrap(), PutUserOutcome::Stored));
        }
        let names = async || -> Vec<String> {
            table.alert_recipients(&a).await.unwrap().into_iter().map(|user| user.id.to_string()).collect()
        };
        assert_eq!(names().await, ["ann", "ben", "cai"]);
        let [ben, cai] = ["ben", "cai"].map(|id| UserId::parse(id).unwrap());
        // Mails about leads are another matter.
        table.switch_mails(&a, &ben, MailKind::AssignedLeads, false, now).await.unwrap();
        assert_eq!(names().await, ["ann", "ben", "cai"]);
        table.switch_mails(&a, &ben, MailKind::Alerts, false, now).await.unwrap();
        let problem =
            |address: &str| MailProblem { reason: MailProblemReason::Bounced, address: address.to_owned(), at: now };
        table.set_mail_problem(&a, &cai, &problem("cai@a.example")).await.unwrap();
        assert_eq!(names().await, ["ann"]);
        // An address that has been replaced keeps nothing from anyone.
        table.set_mail_problem(&a, &cai, &problem("old@a.example")).await.unwrap();
        table.switch_mails(&a, &ben, MailKind::Alerts, true, now).await.unwrap();
        assert_eq!(names().await, ["ann", "ben", "cai"]);
        assert!(table.alert_recipients(&scope("b")).await.unwrap().is_empty());
    }
}
