//! Access control by the headers of a request: [`Access`] for what an org owns, [`MetaAccess`] for what also requires
//! Meta in the org's plan. Each begins the request's act.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use http::header;
use http::request::Parts;
use leadwire::auth::ORG_HEADER;
use leadwire::directory;
use leadwire::http::audit::trail_of;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::OrgId;
use leadwire::model::caller::Caller;
use leadwire::model::org::{Permission, User};
use utoipa::IntoParams;

use crate::state::Api;

/// A caller with a valid token, and themselves in the directory of their org, which has not let them go.
struct Authenticated(Caller, Option<User>);

/// A caller who may act for the org they named.
pub(crate) struct Access(pub(crate) directory::Access);

/// Like [`Access`], for an org whose plan includes Meta.
pub(crate) struct MetaAccess(pub(crate) directory::MetaAccess);

/// A caller who may publish for the org they named.
pub(crate) struct Author(pub(crate) directory::MetaAccess);

impl FromRequestParts<Arc<Api>> for Author {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        permitted(parts, api, Permission::Publishing).await.map(Self)
    }
}

/// A caller who may read and answer the inbox of the org they named.
pub(crate) struct Member(pub(crate) directory::MetaAccess);

impl FromRequestParts<Arc<Api>> for Member {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        permitted(parts, api, Permission::Inbox).await.map(Self)
    }
}

/// A caller who may spend money of the org they named.
pub(crate) struct Advertiser(pub(crate) directory::MetaAccess);

impl FromRequestParts<Arc<Api>> for Advertiser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        permitted(parts, api, Permission::AdsManagement).await.map(Self)
    }
}

/// A caller whose role or whose permission in the org's directory allows something.
async fn permitted(
    parts: &mut Parts,
    api: &Arc<Api>,
    permission: Permission,
) -> Result<directory::MetaAccess, Problem> {
    let Authenticated(caller, colleague) = Authenticated::from_request_parts(parts, api).await?;
    let org = parts.headers.get(ORG_HEADER).map(|value| value.to_str().unwrap_or("#"));
    let access = directory::Directory::permitted_access(caller, colleague.as_ref(), org, permission)?;
    let access = access.begin(trail_of(parts)).await?;
    Ok(api.rooms.directory.meta_access(access).await?)
}

/// A superadmin who says what the org in the path has paid for.
pub(crate) struct SuperAdmin(pub(crate) directory::Access);

impl FromRequestParts<Arc<Api>> for SuperAdmin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Authenticated(caller, _) = Authenticated::from_request_parts(parts, api).await?;
        let Path(id) = Path::<String>::from_request_parts(parts, api)
            .await
            .map_err(|_| Problem::field("id", ProblemCode::IdInvalid, "The id of an org."))?;
        let access = directory::Directory::superadmin_access(caller, &id)?;
        Ok(Self(access.begin(trail_of(parts)).await?))
    }
}

/// The header that selects the org.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the header, which the extractors read")]
pub(crate) struct OrgHeader {
    /// The org to act for
    orgid: OrgId,
}

impl FromRequestParts<Arc<Api>> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let caller = api.verifier.caller(authorization).await?;
        let colleague = api.rooms.directory.admit(&caller).await?;
        if let Some(user) = &colleague {
            trail_of(parts).set_user(&user.id);
        }
        Ok(Self(caller, colleague))
    }
}

impl FromRequestParts<Arc<Api>> for Access {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Authenticated(caller, _) = Authenticated::from_request_parts(parts, api).await?;
        // A header that is not text cannot be an org's id.
        let org = parts.headers.get(ORG_HEADER).map(|value| value.to_str().unwrap_or("#"));
        Ok(Self(directory::Access::new(caller, org)?.begin(trail_of(parts)).await?))
    }
}

impl FromRequestParts<Arc<Api>> for MetaAccess {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let Access(access) = Access::from_request_parts(parts, api).await?;
        Ok(Self(api.rooms.directory.meta_access(access).await?))
    }
}
