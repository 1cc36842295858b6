//! The views of the list of leads that people keep for themselves.

use super::Leads;
use crate::error::{ActError, ErrorCode};
use crate::ids::{OrgScope, UserId};
use crate::model::lead::view::LeadView;
use crate::tr;

/// Views of one person, who sees all of them above the list.
const MAX_VIEWS: usize = 20;
const MAX_NAME_CHARS: usize = 40;
/// Bytes of a view's filters. They are parts of an address.
const MAX_FILTER_BYTES: usize = 1_000;

impl Leads {
    /// Lists a person's views by name.
    pub async fn views(&self, scope: &OrgScope, user: &UserId) -> Result<Vec<LeadView>, ActError> {
        let mut views = self.table.for_display().lead_views(scope, user).await?;
        views.sort_by_key(|view| view.name.to_lowercase());
        Ok(views)
    }

    /// Keeps a view for a person, in place of theirs of the same name.
    ///
    /// # Errors
    /// Refuses a name that is empty or too long, a view without filters, and more views than 20.
    pub async fn save_view(&self, scope: &OrgScope, user: &UserId, view: LeadView) -> Result<(), ActError> {
        let name = view.name.split_whitespace().collect::<Vec<_>>().join(" ");
        if !(1..=MAX_NAME_CHARS).contains(&name.chars().count()) || name.contains(char::is_control) {
            let message = tr!("A name of 1 to {most} characters.", most = MAX_NAME_CHARS);
            return Err(ActError::invalid("name", ErrorCode::LengthInvalid, message));
        }
        let size: usize = view.filters.iter().map(|(name, value)| name.len() + value.len()).sum();
        if !(1..=MAX_FILTER_BYTES).contains(&size) {
            let message = match size {
                0 => tr!("Choose the filters that the view has."),
                _ => tr!("These filters are too long for a view."),
            };
            return Err(ActError::invalid("filters", ErrorCode::ListInvalid, message));
        }
        let known = self.table.lead_views(scope, user).await?;
        if known.len() >= MAX_VIEWS && !known.iter().any(|view| view.name == name) {
            let message = tr!("You can save at most {most} views. Delete one first.", most = MAX_VIEWS);
            return Err(ActError::refuse(ErrorCode::LimitReached, message));
        }
        Ok(self.table.put_lead_view(scope, user, &LeadView { name, ..view }).await?)
    }

    /// Deletes a person's view. Already deleted counts as success.
    pub async fn delete_view(&self, scope: &OrgScope, user: &UserId, name: &str) -> Result<(), ActError> {
        Ok(self.table.delete_lead_view(scope, user, name).await?)
    }
}
