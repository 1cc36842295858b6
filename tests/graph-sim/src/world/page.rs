//! Facebook pages and which apps listen to them.

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
    /// The portfolio through which people reach the page: `/me/accounts` then hides it without `business_management`.
    pub(crate) portfolio: Option<String>,
    /// The portfolio that owns the page, which for a client page is not the one that reaches it.
    pub(crate) owner: Option<String>,
    /// Fields our app is subscribed to; `None` when the app is not installed on the page.
    pub(crate) subscribed_fields: Option<BTreeSet<String>>,
    /// Other installed apps, listed before ours: enough of them make `subscribed_apps` more than one page long.
    pub(crate) other_apps: Vec<OtherApp>,
    /// Leads Access Manager was customised and leaves the app out.
    pub(crate) lead_access_revoked: bool,
    /// Since when messaging deliveries for this page fail; after an hour the app is unsubscribed.
    pub(crate) messaging_failing_since_ms: Option<i64>,
}

impl Page {
    pub(crate) fn link(&self) -> String {
        format!("https://www.facebook.com/{}", self.username)
    }
}

/// Somebody else's app installed on a page.
#[derive(Debug, Clone)]
pub(crate) struct OtherApp {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) fields: Vec<&'static str>,
}
