//! What an admin may set of an integration, checked before anything of it is written.

use crate::ids::{OrgScope, UserId};
use crate::model::lead::assignment::Assignment;
use crate::table::integration::Settings;
use crate::table::{Table, TableError};

/// Why settings are not taken.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A name that is empty or too long.
    #[error("1 to 100 characters")]
    Name,
    /// A description that is too long.
    #[error("at most 500 characters")]
    Description,
    /// The user to assign to is not in the directory.
    #[error("the directory has no user {0} in this org; push the user first")]
    AssignmentUser(UserId),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// The settings as they are to be stored.
///
/// # Errors
/// [`SettingsError`] says which of them cannot be.
pub async fn check_settings(table: &Table, scope: &OrgScope, mut given: Settings) -> Result<Settings, SettingsError> {
    given.name = given.name.map(|name| name.trim().to_owned());
    if given.name.as_deref().is_some_and(|name| !(1..=100).contains(&name.chars().count())) {
        return Err(SettingsError::Name);
    }
    if given.description.as_deref().is_some_and(|description| description.chars().count() > 500) {
        return Err(SettingsError::Description);
    }
    if let Some(Assignment::User { user_id }) = &given.assignment
        && table.user(scope, user_id).await?.is_none()
    {
        return Err(SettingsError::AssignmentUser(user_id.clone()));
    }
    Ok(given)
}
