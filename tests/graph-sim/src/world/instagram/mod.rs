//! Professional Instagram accounts: the containers of a publication, and what was published.

pub(crate) mod container;
pub(crate) mod medium;

use std::collections::{BTreeMap, HashMap};

use self::container::Container;
use self::medium::Medium;
use super::World;

/// Ids of accounts count up from here.
const FIRST_ACCOUNT: u64 = 17_841_401_000_000_001;
/// The window of all daily limits.
pub(crate) const DAY_MS: i64 = 24 * 3600 * 1000;
/// Meta's limit of containers per account and day.
pub(crate) const MAX_CONTAINERS: usize = 400;
/// The publications per account and day of most accounts.
const USUAL_QUOTA: u64 = 100;

/// All accounts.
#[derive(Debug, Default)]
pub(crate) struct Instagram {
    pub(crate) accounts: BTreeMap<String, Account>,
    containers: HashMap<String, Container>,
    media: HashMap<String, Medium>,
}

/// A professional account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) name: String,
    pub(crate) page_id: String,
    /// Whether the page shows the account. An owner can unlink it.
    pub(crate) linked: bool,
    /// Whether the owner allows apps to access the messages.
    pub(crate) messages_allowed: bool,
    /// Publications allowed per day through the API.
    pub(crate) quota: u64,
    /// Container ids, oldest first.
    containers: Vec<String>,
    /// Media ids, oldest first; without the children of carousels.
    media: Vec<String>,
    /// The times of publications through the API.
    publications_ms: Vec<i64>,
}

impl Account {
    /// Returns how much of the daily quota is used at `now_ms`, counting publications since `since_ms`.
    pub(crate) fn quota_used(&self, since_ms: i64) -> u64 {
        let used = self.publications_ms.iter().filter(|at| **at > since_ms).count();
        u64::try_from(used).unwrap_or(u64::MAX)
    }
}

impl Instagram {
    pub(crate) fn container(&self, id: &str) -> Option<&Container> {
        self.containers.get(id)
    }

    pub(crate) fn container_mut(&mut self, id: &str) -> Option<&mut Container> {
        self.containers.get_mut(id)
    }

    pub(crate) fn medium(&self, id: &str) -> Option<&Medium> {
        self.media.get(id)
    }

    pub(crate) fn medium_mut(&mut self, id: &str) -> Option<&mut Medium> {
        self.media.get_mut(id)
    }

    /// The account that a page shows.
    pub(crate) fn account_of_page(&self, page_id: &str) -> Option<&Account> {
        self.accounts.values().find(|account| account.linked && account.page_id == page_id)
    }

    /// The account's containers, oldest first.
    pub(crate) fn containers_of(&self, account_id: &str) -> impl Iterator<Item = &Container> {
        let ids = self.accounts.get(account_id).into_iter().flat_map(|account| &account.containers);
        ids.filter_map(|id| self.containers.get(id))
    }

    /// The account's media, oldest first.
    pub(crate) fn media_of(&self, account_id: &str) -> impl DoubleEndedIterator<Item = &Medium> {
        let ids = self.accounts.get(account_id).into_iter().flat_map(|account| &account.media);
        ids.filter_map(|id| self.media.get(id))
    }
}

impl World {
    /// Adds an account that `page_id` shows.
    pub(crate) fn open_instagram(&mut self, page_id: &str, name: &str, username: &str) {
        let number = u64::try_from(self.instagram.accounts.len()).unwrap_or_default();
        let id = (FIRST_ACCOUNT + number).to_string();
        let account = Account {
            id: id.clone(),
            username: username.to_owned(),
            name: name.to_owned(),
            page_id: page_id.to_owned(),
            linked: true,
            messages_allowed: true,
            quota: USUAL_QUOTA,
            containers: Vec::new(),
            media: Vec::new(),
            publications_ms: Vec::new(),
        };
        self.instagram.accounts.insert(id, account);
    }
}
