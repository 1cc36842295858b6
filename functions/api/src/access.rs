//! Who is let in: [`Access`] for whatever an org owns, [`MetaAccess`] for what its plan has to include as well.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{StatusCode, header};
use shared::auth::ORG_HEADER;
use shared::http::Problem;
use shared::ids::OrgScope;
use shared::model::caller::Caller;

use crate::router::Api;

/// Somebody with a good token and a role that counts.
pub(crate) struct Known(pub(crate) Caller);

/// Somebody who may act for the org that they named.
pub(crate) struct Access {
    pub(crate) scope: OrgScope,
    pub(crate) caller: Caller,
}

/// The same, for an org whose plan includes Meta.
pub(crate) struct MetaAccess(pub(crate) Access);

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
        Ok(Self { scope: caller.scope(orgid)?, caller })
    }
}

impl FromRequestParts<Arc<Api>> for MetaAccess {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let access = Access::from_request_parts(parts, api).await?;
        if api.table.org(&access.scope).await?.is_some_and(|org| org.has_meta()) {
            return Ok(Self(access));
        }
        let detail = "The plan of this org does not include the Meta integration. Upgrade the plan to use it.";
        Err(Problem::new(StatusCode::PAYMENT_REQUIRED, "meta_not_in_plan", detail))
    }
}
