//! The state that the routes share.

use leadwire::ads::Ads;
use leadwire::audit::AuditLog;
use leadwire::auth::Verifier;
use leadwire::campaigns::Campaigns;
use leadwire::connections::Connections;
use leadwire::conversions::Conversions;
use leadwire::deliveries::Deliveries;
use leadwire::directory::Directory;
use leadwire::exports::Exports;
use leadwire::inbox::Inbox;
use leadwire::leads::Leads;
use leadwire::publishing::Publishing;
use url::Url;

/// One value for all routes.
pub(crate) struct Api {
    pub(crate) directory: Directory,
    pub(crate) leads: Leads,
    pub(crate) exports: Exports,
    pub(crate) connections: Connections,
    pub(crate) conversions: Conversions,
    pub(crate) deliveries: Deliveries,
    pub(crate) ads: Ads,
    pub(crate) publishing: Publishing,
    pub(crate) campaigns: Campaigns,
    pub(crate) inbox: Inbox,
    pub(crate) audit: AuditLog,
    pub(crate) verifier: Verifier,
    /// The public origin, if the deployment configures one.
    pub(crate) public_url: Option<Url>,
}
