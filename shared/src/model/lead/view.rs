//! A selection of leads that a person keeps under a name.

use serde::{Deserialize, Serialize};

/// A view of the list of leads, which belongs to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadView {
    /// What the person calls it. They have one view of a name.
    pub name: String,
    /// The filters, named as in the list's address. The search text is left out because it names people.
    pub filters: Vec<(String, String)>,
}
