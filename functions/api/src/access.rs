//! Who is let in, by the headers of a request: [`Access`] to whatever an org owns, [`MetaAccess`] to what its plan has to
//! include as well.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use leadwire::admin;
use leadwire::auth::ORG_HEADER;
use leadwire::http::Problem;
use leadwire::model::caller::Caller;

use crate::router::Api;

/// Somebody with a good token and a role that counts.
pub(crate) struct Known(pub(crate) Caller);

/// Somebody who may act for the org that they named.
pub(crate) struct Access(pub(crate) admin::Access);

/// The same, for an org whose plan includes Meta.
pub(crate) struct MetaAccess(pub(crate) admin::MetaAccess);

impl FromRequestParts<Arc<Api>> for Known {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        Ok(Self(api.verifier.caller(authorization).await?))
    }
}

impl FromRequestParts<Arc<Api>> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Known(caller) = Known::from_request_parts(parts, api).await?;
        let orgid = parts.headers.get(ORG_HEADER).map(|value| value.to_str().unwrap_or("#"));
        admin::Access::of(caller, orgid).map(Self)
    }
}

impl FromRequestParts<Arc<Api>> for MetaAccess {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Access(access) = Access::from_request_parts(parts, api).await?;
        admin::MetaAccess::of(&api.services, access).await.map(Self)
    }
}
