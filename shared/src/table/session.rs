//! Console sessions. A session is stored under the hash of its cookie's secret, so read access to the table is not
//! enough to forge the cookie.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::keys;
use super::row::Row;
use super::shape::ItemKind;
use super::{Table, TableError};
use crate::ids::OrgId;
use crate::model::session::Session;

impl Table {
    /// Stores a session under the hash of its cookie's secret, until it ends.
    pub async fn put_session(&self, secret: &str, session: &Session) -> Result<(), TableError> {
        self.put(Row::new(&keys::session(&hash(secret)), ItemKind::Session, session).ttl(session.ends_at.as_second()))
            .await
    }

    /// Reads the session with this secret, unless it has ended: DynamoDB is slow to delete expired items. One that cannot
    /// be read counts as absent: its user logs in again.
    pub async fn session(&self, secret: &str, now: Timestamp) -> Result<Option<Session>, TableError> {
        let found = self.get_item(&keys::session(&hash(secret))).await?;
        let found: Option<Session> = found.and_then(|item| super::parse(item).ok());
        Ok(found.filter(|session| now < session.ends_at))
    }

    /// Selects the org that a superadmin's session acts for. `false` if the session was ended meanwhile.
    pub async fn select_org(&self, secret: &str, org: &OrgId) -> Result<bool, TableError> {
        self.change(&keys::session(&hash(secret))).if_exists().set("org", org)?.send().await
    }

    /// Stores a session that was checked, unless it was ended or another request has checked it since `seen` was read.
    /// `false` then.
    pub async fn replace_session(&self, secret: &str, seen: &Session, new: &Session) -> Result<bool, TableError> {
        let key = keys::session(&hash(secret));
        let change = self.change(&key).if_exists().if_unchanged("check_at", &seen.check_at)?;
        // An org may have been selected meanwhile.
        let change = if seen.org == new.org { change } else { change.set("org", &new.org)? };
        let change = change.set("caller", &new.caller)?.set("renewal", &new.renewal)?;
        change.set("checked_at", &new.checked_at)?.set("check_at", &new.check_at)?.send().await
    }

    /// Ends a session.
    pub async fn end_session(&self, secret: &str) -> Result<(), TableError> {
        self.delete(&keys::session(&hash(secret))).await
    }
}

fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::ids::UserId;
    use crate::model::caller::{Caller, Role};
    use crate::table::tests::{at, empty_table};

    #[tokio::test]
    async fn a_session_is_there_until_it_ends_or_is_ended() {
        let (table, now, org) = (empty_table().await, at("2026-01-01T00:00:00Z"), OrgId::parse("a").unwrap());
        let user = UserId::parse("u").unwrap();
        let caller =
            Caller { user, name: None, email: None, role: Role::SuperAdmin, orgs: Vec::new(), is_program: false };
        let session = Session::begin(caller, Some("sealed".to_owned()), now);
        table.put_session("secret", &session).await.unwrap();
        assert_eq!(table.session("secret", now).await.unwrap(), Some(session.clone()));
        assert_eq!(table.session("another", now).await.unwrap(), None);
        assert!(table.select_org("secret", &org).await.unwrap());
        assert_eq!(table.session("secret", now).await.unwrap().unwrap().acts_for(), Some(&org));
        // Of two requests that find the login due for a check, one checks it.
        let due = now + SignedDuration::from_mins(15);
        let leased = session.begin_check(due).unwrap();
        assert!(table.replace_session("secret", &session, &leased).await.unwrap());
        assert!(!table.replace_session("secret", &session, &leased).await.unwrap());
        let checked = table.session("secret", due).await.unwrap().unwrap();
        assert_eq!((checked.check_at, checked.acts_for()), (leased.check_at, Some(&org)));
        // DynamoDB may take days to delete it.
        assert_eq!(table.session("secret", session.ends_at).await.unwrap(), None);
        let before = session.ends_at - SignedDuration::from_secs(1);
        assert!(table.session("secret", before).await.unwrap().is_some());
        table.end_session("secret").await.unwrap();
        assert_eq!(table.session("secret", now).await.unwrap(), None);
        // Neither a check nor selecting an org restores it.
        assert!(!table.replace_session("secret", &leased, &session).await.unwrap());
        assert!(!table.select_org("secret", &org).await.unwrap());
        assert_eq!(table.session("secret", now).await.unwrap(), None);
    }
}
