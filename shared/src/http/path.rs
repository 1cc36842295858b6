//! Ids in paths.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::Problem;
use crate::error::{ActError, Missing};
use crate::ids::{
    AdAccountId, BulkChangeId, CampaignId, ContactId, ConversationId, DeliveryId, EndpointId, ExportId, FormId,
    ImportId, IntegrationId, InvalidId, LeadId, MediaId, PostId, RunId, SavedReplyId,
};

/// An id in the path of a route. Text that cannot be such an id is reported as not found.
#[derive(Debug, Clone)]
pub struct Id<T>(pub T);

/// A kind of id that paths contain.
pub trait PathId: Sized {
    /// The name of the path's parameter.
    const PARAMETER: &'static str;
    /// What is missing if nothing has the id.
    const MISSING: Missing;

    /// Parses the id.
    fn parse_id(text: &str) -> Result<Self, InvalidId>;
}

macro_rules! path_ids {
    ($($id:ty, $parameter:literal, $missing:ident;)*) => {
        $(impl PathId for $id {
            const PARAMETER: &'static str = $parameter;
            const MISSING: Missing = Missing::$missing;

            fn parse_id(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        })*
    };
}

path_ids! {
    IntegrationId, "id", Integration;
    LeadId, "id", Lead;
    FormId, "id", Form;
    AdAccountId, "id", AdAccount;
    RunId, "run", Run;
    PostId, "id", Post;
    CampaignId, "id", Campaign;
    MediaId, "id", UploadedFile;
    ConversationId, "id", Conversation;
    ContactId, "id", Contact;
    SavedReplyId, "id", SavedReply;
    EndpointId, "id", Endpoint;
    ExportId, "id", Export;
    ImportId, "id", Import;
    BulkChangeId, "id", BulkChange;
    DeliveryId, "delivery", Delivery;
}

impl<T: PathId, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let not_found = || Problem::from(ActError::not_found(T::MISSING));
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| not_found())?;
        let text = parameters.iter().find(|(name, _)| *name == T::PARAMETER).map(|(_, value)| value);
        text.and_then(|text| T::parse_id(text).ok()).map(Self).ok_or_else(not_found)
    }
}
