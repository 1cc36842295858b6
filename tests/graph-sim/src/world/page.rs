//! Facebook pages, and which apps are subscribed to them.

use std::collections::BTreeSet;

/// A Facebook page.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) username: String,
    pub(crate) category: &'static str,
    pub(crate) about: String,
    pub(crate) fan_count: u64,
    /// The portfolio through which people reach the page. `/me/accounts` then hides it without `business_management`.
    pub(crate) portfolio: Option<String>,
    /// The portfolio that owns the page. For a client page it differs from the one through which people reach it.
    pub(crate) owner: Option<String>,
    /// Fields that our app is subscribed to; `None` if the app is not installed on the page.
    pub(crate) subscribed_fields: Option<BTreeSet<String>>,
    /// Other installed apps, listed before ours. Enough of them make `subscribed_apps` longer than one page.
    pub(crate) other_apps: Vec<OtherApp>,
    /// Whether Leads Access Manager was customised to exclude the app.
    pub(crate) lead_access_revoked: bool,
    /// Whether an admin accepted Meta's terms for lead ads.
    pub(crate) lead_terms_accepted: bool,
    /// Since when messaging deliveries for this page have failed. After an hour the app is unsubscribed.
    pub(crate) messaging_failing_since_ms: Option<i64>,
}

impl Page {
    pub(crate) fn link(&self) -> String {
        format!("https://www.facebook.com/{}", self.username)
    }
}

/// Another app installed on a page.
#[derive(Debug, Clone)]
pub(crate) struct OtherApp {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) fields: Vec<&'static str>,
}
