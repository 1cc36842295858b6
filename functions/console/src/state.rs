//! What the pages share.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRef;
use axum_extra::extract::cookie::Key;
use http::request::Parts;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use leadwire::http::Problem;
use leadwire::notices::MailSwitch;
use leadwire::operations::Operations;
use leadwire::rooms::Rooms;
use leadwire::secret::HmacKey;
use leadwire::table::Table;
use url::Url;

use crate::oidc::OidcClient;

/// The state that the pages share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Console(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) rooms: Rooms,
    pub(crate) operations: Operations,
    pub(crate) mail_switch: MailSwitch,
    /// Stores the sessions of logged-in users.
    pub(crate) sessions: Table,
    /// Signs what other functions read too, such as links in mails.
    pub(crate) key: HmacKey,
    /// Signs the forms and encrypts the cookies.
    pub(crate) console_key: HmacKey,
    pub(crate) oidc: OidcClient,
    pub(crate) public_url: Option<Url>,
    /// The origin of uploaded files.
    pub(crate) files_origin: String,
    /// Whether this is a run on one machine, in which there is a page of all components.
    pub(crate) is_local: bool,
}

impl Console {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// The origin under which a request arrived.
    pub(crate) fn origin(&self, parts: &Parts) -> Result<Url, Problem> {
        let domain = match parts.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.domain_name.as_deref(),
            _ => None,
        };
        leadwire::http::origin(self.public_url.as_ref(), domain)
    }
}

impl Deref for Console {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<Console> for Key {
    fn from_ref(console: &Console) -> Self {
        // Two signatures of our own key have the length that a cookie key needs, and cannot be computed without it.
        Self::from(&[console.console_key.sign(b"cookies 1"), console.console_key.sign(b"cookies 2")].concat())
    }
}
