//! Orgs, users, and the rotation derived from the users.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};

use super::commit::CommitOutcome;
use super::inbox::{Pointer, put_write};
use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{IndexRange, Table, TableError, pause};
use crate::aws::AwsError;
use crate::ids::{OrgScope, UserId};
use crate::model::org::{Org, User};

/// The most users of an org: all of them are listed at once.
pub const MAX_USERS: usize = 10_000;
/// The most users in a rotation: the roster is read with every chunk of leads.
pub const MAX_IN_TURN: usize = 1000;

/// The outcome of pushing a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutUserOutcome {
    /// The user is stored.
    Stored,
    /// The user would be one too many in the rotation ([`MAX_IN_TURN`]). Nothing was changed.
    RosterFull,
    /// The user would be one too many in the org ([`MAX_USERS`]). Nothing was changed.
    OrgFull,
}

impl Table {
    /// Reads the org; `None` if the CRM has never pushed it.
    pub async fn org(&self, scope: &OrgScope) -> Result<Option<Org>, TableError> {
        self.get(&keys::org(scope)).await
    }

    /// Stores an org pushed by the CRM.
    pub async fn put_org(&self, scope: &OrgScope, org: &Org) -> Result<(), TableError> {
        self.put(Row::new(&keys::org(scope), ItemKind::Org, org).indexed(keys::orgs_index(scope))).await
    }

    /// Lists every org that the CRM has pushed, by id. The caller decides who may see them.
    pub async fn orgs(&self) -> Result<Vec<Org>, TableError> {
        let keys = self.index_keys(keys::ORGS, IndexRange::All).await?;
        self.read_all(&keys).await
    }

    /// Reads the user; `None` if the CRM has never pushed them.
    pub async fn user(&self, scope: &OrgScope, user: &UserId) -> Result<Option<User>, TableError> {
        self.get(&keys::user(scope, user)).await
    }

    /// Lists the org's users, by id.
    pub async fn users(&self, scope: &OrgScope) -> Result<Vec<User>, TableError> {
        self.query(&keys::org_pk(scope), keys::USER_PREFIX).await
    }

    /// Finds the org's users with an e-mail address: one, unless the CRM has pushed it several times.
    pub async fn users_with_email(&self, scope: &OrgScope, email: &str) -> Result<Vec<User>, TableError> {
        let prefix = keys::user_email_prefix(email);
        let found: Vec<Pointer<UserId>> = self.query(&keys::org_pk(scope), &prefix).await?;
        let keys: Vec<_> = found.iter().map(|pointer| keys::user(scope, &pointer.to)).collect();
        self.read_all(&keys).await
    }

    /// Stores a user pushed by the CRM, and adds them to or removes them from the rotation in the same transaction.
    /// Once this returns, no lead is assigned to an ineligible user.
    ///
    /// The rotation's version increases even if its turns stay, so that the later of two concurrent pushes of one user
    /// wins in both places.
    ///
    /// # Errors
    /// [`TableError::Contended`] if other writers interfere with every attempt.
    pub async fn put_user(&self, scope: &OrgScope, user: &User) -> Result<PutUserOutcome, TableError> {
        const MAX_TRIES: u32 = 12;
        for attempt in 1..=MAX_TRIES {
            let (mut rotation, mut roster) = self.rotation_and_roster(scope).await?;
            let known = self.user(scope, &user.id).await?;
            let moved = rotation.set_eligible(&user.id, user.takes_leads());
            if !moved
                && known.as_ref().is_some_and(|known| User { updated_at: user.updated_at, ..known.clone() } == *user)
            {
                return Ok(PutUserOutcome::Stored);
            }
            if known.is_none() {
                roster.users += 1;
            }
            if rotation.roster.len() > MAX_IN_TURN && moved {
                return Ok(PutUserOutcome::RosterFull);
            }
            if roster.users > MAX_USERS && known.is_none() {
                return Ok(PutUserOutcome::OrgFull);
            }
            let key = keys::user(scope, &user.id);
            let put =
                Put::builder().table_name(&self.name).set_item(Some(Row::new(&key, ItemKind::User, user).item()?));
            let put = put.build().map_err(|error| TableError::Failed(AwsError::new(error)))?;
            let mut writes = vec![TransactWriteItem::builder().put(put).build()];
            writes.extend(self.email_writes(scope, known.as_ref(), user)?);
            if moved || known.is_none() {
                roster.version += 1;
                roster.in_turn.clone_from(&rotation.roster);
                writes.push(self.roster_write(scope, &roster)?);
            }
            writes.push(self.cursor_write(scope, &rotation, Some(roster.version))?);
            match self.transact(writes).await? {
                CommitOutcome::Committed => return Ok(PutUserOutcome::Stored),
                CommitOutcome::Conflict => pause(attempt).await,
            }
        }
        Err(TableError::Contended(MAX_TRIES))
    }

    /// Makes a user be found by their address, and by no earlier one.
    fn email_writes(
        &self,
        scope: &OrgScope,
        known: Option<&User>,
        user: &User,
    ) -> Result<Vec<TransactWriteItem>, TableError> {
        if known.is_some_and(|known| known.email == user.email) {
            return Ok(Vec::new());
        }
        let key = keys::user_email(scope, &user.email, &user.id);
        let row = Row::new(&key, ItemKind::UserEmail, &Pointer { to: user.id.clone() }).item()?;
        let mut writes = vec![put_write(Put::builder().table_name(&self.name).set_item(Some(row)))?];
        if let Some(known) = known {
            let key = keys::user_email(scope, &known.email, &known.id).attributes();
            let delete = Delete::builder().table_name(&self.name).set_key(Some(key)).build();
            let delete = delete.map_err(|error| TableError::Failed(AwsError::new(error)))?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        Ok(writes)
    }
}
