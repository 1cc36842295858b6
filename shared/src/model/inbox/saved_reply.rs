//! Texts that members keep for answers they write often.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::SavedReplyId;

/// A text that members keep for answers they write often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SavedReply {
    /// Leadwire's own id.
    pub id: SavedReplyId,
    /// What members look for.
    pub title: String,
    /// What is written into the answer.
    pub text: String,
    /// When it was changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}
