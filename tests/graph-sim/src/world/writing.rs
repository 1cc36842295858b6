//! How Meta behaves towards those who write ads: the pace of reviews, the lag of lists, and languages.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::World;
use super::ad_account::AdAccount;
use super::ads::Ads;
use super::ads::written::{Moment, Stage};
use super::person::User;
use crate::seed;

/// The language of the texts that an error shows to people: that of the token's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    pub(crate) fn parse(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            _ => None,
        }
    }
}

/// The settings for everyone who writes ads.
#[derive(Debug)]
pub(crate) struct Writing {
    /// How long a new object is missing from lists.
    pub(crate) list_lag_ms: i64,
    /// How long an ad is `IN_PROCESS`.
    pub(crate) in_process_ms: i64,
    /// How long an ad is `PENDING_REVIEW` afterwards.
    pub(crate) review_ms: i64,
    /// By user id; English for all others.
    pub(crate) languages: HashMap<String, Language>,
    /// The Instagram account that Meta made for a page, by page id.
    pub(crate) page_backed: BTreeMap<String, String>,
}

impl Default for Writing {
    fn default() -> Self {
        Self {
            list_lag_ms: 0,
            in_process_ms: 1_000,
            review_ms: 9_000,
            languages: [(seed::JONAS.to_owned(), Language::German)].into(),
            page_backed: BTreeMap::new(),
        }
    }
}

impl World {
    pub(crate) fn language_of(&self, user_id: &str) -> Language {
        self.writing.languages.get(user_id).copied().unwrap_or(Language::English)
    }

    /// Advances the reviews of all ads to the current time. Without a decision of the control interface an ad is
    /// approved.
    pub(crate) fn advance_reviews(&mut self) {
        let now = self.clock.now_ms();
        let (in_process, review) = (self.writing.in_process_ms, self.writing.review_ms);
        for account in &mut self.ad_accounts {
            if !account.ads.written.reviews.values().any(|review| review.stage.is_open()) {
                continue;
            }
            for known in Arc::make_mut(&mut account.ads).written.reviews.values_mut() {
                let age = now - known.since_ms;
                known.stage = match &known.stage {
                    Stage::Processing | Stage::Pending if age >= in_process + review => Stage::Approved,
                    Stage::Processing if age >= in_process => Stage::Pending,
                    other => other.clone(),
                };
            }
        }
    }

    /// Ends the review of an ad with a decision. Returns whether the ad exists and was ever reviewed.
    pub(crate) fn decide_review(&mut self, ad_id: &str, feedback: Option<Value>) -> bool {
        let Some(account) = self.ad_accounts.iter_mut().find(|account| account.ads.find(ad_id).is_some()) else {
            return false;
        };
        let ads = Arc::make_mut(&mut account.ads);
        let Some(ad) = ads.find_on(super::ads::tree::Level::Ad, ad_id) else { return false };
        let Some(review) = ads.written.reviews.get_mut(&ad) else { return false };
        review.stage = feedback.map_or(Stage::Approved, Stage::Disapproved);
        true
    }

    /// Changes what an account advertises, at the current time. `None` if there is no such account.
    pub(crate) fn write_ads<T>(&mut self, account_id: &str, write: impl FnOnce(&mut Ads, Moment) -> T) -> Option<T> {
        let now_ms = self.clock.now_ms();
        let today = self.ad_account(account_id)?.ads.today(&self.clock);
        let account = self.ad_account_mut(account_id)?;
        Some(write(Arc::make_mut(&mut account.ads), Moment { now_ms, today }))
    }

    /// Ids of the Instagram accounts assigned to an ad account. Without an explicit assignment these are the accounts of
    /// all pages on which a user of the ad account has a role.
    pub(crate) fn instagram_accounts(&self, account: &AdAccount) -> Vec<String> {
        if let Some(assigned) = &account.instagram_accounts {
            return assigned.clone();
        }
        let users = self.users.iter().filter(|user| user.ad_accounts.contains(&account.id));
        let pages = users.flat_map(User::pages);
        let ids: BTreeSet<&str> =
            pages.filter_map(|page_id| Some(self.instagram.account_of_page(page_id)?.id.as_str())).collect();
        ids.into_iter().map(str::to_owned).collect()
    }

    /// Whether ads of an ad account may show an Instagram account: an assigned one, or one that Meta made for a page.
    pub(crate) fn can_advertise_as(&self, account_id: &str, instagram_id: &str) -> bool {
        let assigned = self
            .ad_account(account_id)
            .is_some_and(|account| self.instagram_accounts(account).iter().any(|known| known == instagram_id));
        assigned || self.writing.page_backed.values().any(|known| known == instagram_id)
    }
}
