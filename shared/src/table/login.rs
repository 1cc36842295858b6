//! Logins in progress.

use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError};
use crate::ids::OrgScope;
use crate::model::connection::login::{Login, LoginClaim};

impl Table {
    /// Stores a login until it is finished or long expired.
    pub async fn begin_login(&self, login: &Login) -> Result<(), TableError> {
        // An hour longer than it is valid, so that a slow user learns that it expired, not that it never existed.
        let until = login.expires_at.as_second() + 3600;
        self.put(Row::new(&keys::login(&login.nonce), ItemKind::Login, login).ttl(until)).await
    }

    /// Reads the login with this nonce. It may be expired or claimed.
    pub async fn login(&self, nonce: &str) -> Result<Option<(OrgScope, Login)>, TableError> {
        let login: Option<Login> = self.get(&keys::login(nonce)).await?;
        Ok(login.map(|login| (OrgScope::new(login.org.clone()), login)))
    }

    /// Binds a login to the browser in which its person agreed. `false` if another browser was faster, or the login is over.
    pub async fn bind_login(&self, login: &Login, browser: &str) -> Result<bool, TableError> {
        let change = self.change(&keys::login(&login.nonce)).if_exists().if_unchanged("claim", &None::<()>)?;
        change.if_unchanged("browser", &login.browser)?.set("browser", &browser)?.send().await
    }

    /// Claims a login for one visit. Of two concurrent visits, one succeeds.
    pub async fn claim_login(&self, login: &Login, claim: &LoginClaim) -> Result<bool, TableError> {
        let change = self.change(&keys::login(&login.nonce)).if_exists().if_unchanged("claim", &None::<()>)?;
        change.set("claim", claim)?.send().await
    }

    /// Stores where the claiming visit redirected its browser.
    pub async fn end_login(&self, login: &Login, claim: &LoginClaim) -> Result<(), TableError> {
        self.change(&keys::login(&login.nonce)).if_exists().set("claim", claim)?.send().await.map(drop)
    }
}
