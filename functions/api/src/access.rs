//! Access control by the headers of a request: [`Access`] for what an org owns, [`MetaAccess`] for what also requires
//! Meta in the org's plan.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use leadwire::admin;
use leadwire::auth::ORG_HEADER;
use leadwire::http::Problem;
use leadwire::model::caller::Caller;

use crate::state::Api;

/// A caller with a valid token and a role that this API knows.
pub(crate) struct Known(pub(crate) Caller);

/// A caller who may act for the org they named.
pub(crate) struct Access(pub(crate) admin::Access);

/// Like [`Access`], for an org whose plan includes Meta.
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
