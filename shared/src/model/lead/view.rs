//! A selection of leads that a person keeps under a name.

use serde::{Deserialize, Serialize};

/// A view of the list of leads, which belongs to one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeadView {
    /// What the person calls it. They have one view of a name.
    pub name: String,
    /// The filters by the names that the list's address has. What is searched for is none of them, because it names
    /// people.
    pub filters: Vec<(String, String)>,
}
