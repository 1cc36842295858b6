//! Ids in paths.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::Problem;
use crate::error::ActError;
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
    /// The noun for what the id identifies, for error messages.
    const NOUN: &'static str;

    /// Parses the id.
    fn parse_id(text: &str) -> Result<Self, InvalidId>;
}

macro_rules! path_ids {
    ($($id:ty, $parameter:literal, $noun:literal;)*) => {
        $(impl PathId for $id {
            const PARAMETER: &'static str = $parameter;
            const NOUN: &'static str = $noun;

            fn parse_id(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        })*
    };
}

path_ids! {
    IntegrationId, "id", "integration";
    LeadId, "id", "lead";
    FormId, "id", "form";
    AdAccountId, "id", "ad account";
    RunId, "run", "run";
    PostId, "id", "post";
    CampaignId, "id", "campaign";
    MediaId, "id", "uploaded file";
    ConversationId, "id", "conversation";
    ContactId, "id", "contact";
    SavedReplyId, "id", "saved reply";
    EndpointId, "id", "endpoint";
    ExportId, "id", "export";
    ImportId, "id", "import";
    BulkChangeId, "id", "change";
    DeliveryId, "delivery", "delivery";
}

impl<T: PathId, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let not_found = || Problem::from(ActError::not_found(T::NOUN));
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| not_found())?;
        let text = parameters.iter().find(|(name, _)| *name == T::PARAMETER).map(|(_, value)| value);
        text.and_then(|text| T::parse_id(text).ok()).map(Self).ok_or_else(not_found)
    }
}
