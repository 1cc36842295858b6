//! The state that the routes share.

use leadwire::auth::Verifier;
use leadwire::rooms::Rooms;
use url::Url;

/// One value for all routes.
pub(crate) struct Api {
    pub(crate) rooms: Rooms,
    pub(crate) verifier: Verifier,
    /// The public origin, if the deployment configures one.
    pub(crate) public_url: Option<Url>,
}
