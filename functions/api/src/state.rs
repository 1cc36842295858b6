//! What the routes share.

use leadwire::admin::Services;
use leadwire::auth::Verifier;
use url::Url;

/// The state that the routes share.
pub(crate) struct Api {
    pub(crate) services: Services,
    pub(crate) verifier: Verifier,
    /// The public origin, if the deployment configures one.
    pub(crate) public_url: Option<Url>,
}
