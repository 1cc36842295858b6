//! The settings of an integration, checked before any of them is stored.

use crate::error::{ActError, ErrorCode};
use crate::ids::OrgScope;
use crate::model::lead::assignment::Assignment;
use crate::table::Table;
use crate::table::integration::IntegrationSettings;
use crate::tr;

/// Checks settings and returns them as they are to be stored.
pub(super) async fn check_settings(
    table: &Table,
    scope: &OrgScope,
    mut settings: IntegrationSettings,
) -> Result<IntegrationSettings, ActError> {
    settings.name = settings.name.map(|name| name.trim().to_owned());
    if settings.name.as_deref().is_some_and(|name| !(1..=100).contains(&name.chars().count())) {
        return Err(ActError::invalid("name", ErrorCode::NameInvalid, tr!("1 to 100 characters.")));
    }
    if settings.description.as_deref().is_some_and(|description| description.chars().count() > 500) {
        return Err(ActError::invalid("description", ErrorCode::DescriptionInvalid, tr!("At most 500 characters.")));
    }
    for (field, assignment) in
        [("assignment.user_id", &settings.assignment), ("inbox_assignment.user_id", &settings.inbox_assignment)]
    {
        if let Some(Assignment::User { user_id }) = assignment
            && table.user(scope, user_id).await?.is_none()
        {
            let message = tr!("The directory has no user {user} in this org. Push the user first.", user = user_id);
            return Err(ActError::invalid(field, ErrorCode::UserUnknown, message));
        }
    }
    Ok(settings)
}
