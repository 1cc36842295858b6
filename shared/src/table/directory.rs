//! Orgs, users, and the rotation that follows from the users.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::commit::{Committed, rotation_write};
use super::keys;
use super::{Row, Table, TableError, pause};
use crate::aws::AwsError;
use crate::ids::{OrgScope, UserId};
use crate::model::lead::assignment::Rotation;
use crate::model::org::{Org, User};

impl Table {
    /// The org, if the CRM ever pushed it.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn org(&self, scope: &OrgScope) -> Result<Option<Org>, TableError> {
        self.get(&keys::org(scope)).await
    }

    /// Stores what the CRM says of the org.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn put_org(&self, scope: &OrgScope, org: &Org) -> Result<(), TableError> {
        self.put(Row::new(&keys::org(scope), "org", org).indexed(keys::orgs_index(scope))).await
    }

    /// Every org that the CRM ever pushed, by id. Who may see that, whoever asks decides.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn orgs(&self) -> Result<Vec<Org>, TableError> {
        let keys = self.index_keys(keys::ORGS).await?;
        self.read_all(&keys).await
    }

    /// The user, if the CRM ever pushed them.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn user(&self, scope: &OrgScope, user: &UserId) -> Result<Option<User>, TableError> {
        self.get(&keys::user(scope, user)).await
    }

    /// The org's users, by id.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn users(&self, scope: &OrgScope) -> Result<Vec<User>, TableError> {
        self.query(&keys::org_pk(scope), keys::USER_PREFIX).await
    }

    /// Whose turn it is in this org.
    ///
    /// # Errors
    /// If the table cannot be read.
    pub async fn rotation(&self, scope: &OrgScope) -> Result<Rotation, TableError> {
        Ok(self.get(&keys::rotation(scope)).await?.unwrap_or_default())
    }

    /// Stores what the CRM says of a user, and lets them into the rotation or out of it in the same transaction: from
    /// the moment this returns, no lead goes to somebody who may not have it.
    ///
    /// The rotation's version goes up even if its turns stay, so that of two pushes of one user at once the later one
    /// wins in both places.
    ///
    /// # Errors
    /// If the table cannot be written, or other writers are in the way for too long.
    pub async fn put_user(&self, scope: &OrgScope, user: &User) -> Result<(), TableError> {
        const MOST_TRIES: u32 = 12;
        for attempt in 1..=MOST_TRIES {
            let mut rotation = self.rotation(scope).await?;
            let moved = rotation.set_eligible(&user.id, user.takes_leads());
            if !moved
                && self
                    .user(scope, &user.id)
                    .await?
                    .is_some_and(|known| User { updated_at: user.updated_at, ..known } == *user)
            {
                return Ok(());
            }
            let key = keys::user(scope, &user.id);
            let put = Put::builder().table_name(&self.name).set_item(Some(Row::new(&key, "user", user).item()?));
            let put = put.build().map_err(|error| TableError::Failed(AwsError::new(error)))?;
            let writes =
                vec![TransactWriteItem::builder().put(put).build(), rotation_write(&self.name, scope, &rotation)?];
            match self.transact(writes).await? {
                Committed::Yes => return Ok(()),
                Committed::Stale => pause(attempt).await,
            }
        }
        Err(TableError::Contended(MOST_TRIES))
    }
}
