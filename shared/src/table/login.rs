//! Logins under way.

use aws_sdk_dynamodb::types::ReturnValue;

use super::keys;
use super::{Row, Table, TableError, entity};
use crate::ids::OrgScope;
use crate::model::login::Login;

impl Table {
    /// Remembers a login until it is finished or long over.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn begin_login(&self, login: &Login) -> Result<(), TableError> {
        // An hour longer than it is good for, so that somebody who was slow is told so, and not that it never existed.
        let until = login.expires_at.as_second() + 3600;
        self.put(Row::new(&keys::login(&login.nonce), "login", login).ttl(until)).await
    }

    /// Takes a login out of the table: of two callers with the same nonce, one gets it. It may have run out.
    ///
    /// # Errors
    /// If the table cannot be written.
    pub async fn take_login(&self, nonce: &str) -> Result<Option<(OrgScope, Login)>, TableError> {
        let key = keys::login(nonce);
        let request = self.client.delete_item().table_name(&self.name).set_key(Some(key.attributes()));
        let taken = request.return_values(ReturnValue::AllOld).send().await?.attributes;
        let login: Option<Login> = taken.filter(|item| !item.is_empty()).map(entity).transpose()?;
        Ok(login.map(|login| (OrgScope::of(login.org.clone()), login)))
    }
}
