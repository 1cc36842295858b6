//! Where a submission came from: one declaration for Meta's API, the stored lead, the CRM's API and Meta's export.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::ids::FormId;

/// Where a submission came from. The names are Meta's, in the Graph API as in its export.
///
/// To add a field, add it here, to [`GRAPH_FIELDS`](Self::GRAPH_FIELDS) if the Graph API has it, and to
/// `set_attribution` in `file/export.rs` if the export has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attribution {
    /// Meta's code for where the form was shown: `fb`, `ig` or another value.
    pub platform: Option<String>,
    /// The form's id.
    pub form_id: Option<FormId>,
    /// The form's name; absent if Meta does not permit reading the form.
    pub form_name: Option<String>,
    /// The campaign's id. Absent for organic leads, as are the next five fields.
    pub campaign_id: Option<String>,
    /// The campaign's name.
    pub campaign_name: Option<String>,
    /// The ad set's id.
    pub adset_id: Option<String>,
    /// The ad set's name.
    pub adset_name: Option<String>,
    /// The ad's id.
    pub ad_id: Option<String>,
    /// The ad's name.
    pub ad_name: Option<String>,
    /// Whether the form was reached without an ad. Absent if unknown.
    #[serde(default, deserialize_with = "flag")]
    pub is_organic: Option<bool>,
    /// The name of the Meta partner that the lead came through; absent for most leads.
    #[serde(default)]
    pub partner_name: Option<String>,
}

impl Attribution {
    /// The fields of the Graph API's lead node.
    pub const GRAPH_FIELDS: &str =
        "platform,form_id,campaign_id,campaign_name,adset_id,adset_name,ad_id,ad_name,is_organic,partner_name";
}

/// Reads a boolean. Anything else counts as unknown, so that no lead is lost because of it.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(serde_json::Value::deserialize(deserializer)?.as_bool())
}
