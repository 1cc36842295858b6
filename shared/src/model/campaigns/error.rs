//! Why a campaign could not be made or launched.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::tr;

/// Why a campaign could not be made or launched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CampaignError {
    /// The field of the request that Meta refuses, if it is known.
    pub field: Option<String>,
    /// A stable code.
    pub code: CampaignErrorCode,
    /// What is wrong, with Meta's own words.
    pub message: String,
    /// What to do.
    pub fix: String,
}

/// The kinds of [`CampaignError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumIter, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum CampaignErrorCode {
    /// Meta refuses a field.
    FieldRefused,
    /// Meta refuses the campaign without naming a field.
    Refused,
    /// The lead form is not usable.
    FormRefused,
    /// The Instagram account is not assigned to the ad account.
    InstagramAccountRefused,
    /// The page's terms for lead ads were not accepted.
    TermsNotAccepted,
    /// A permission or a task is missing.
    PermissionMissing,
    /// The connection has ended.
    ConnectionExpired,
    /// The app is in development mode.
    AppNotLive,
    /// Meta was out of order for too long.
    Unavailable,
    /// A defect of Leadwire itself.
    Defect,
}

impl CampaignErrorCode {
    /// What to do about it.
    #[must_use]
    pub fn fix(self) -> Cow<'static, str> {
        match self {
            Self::FieldRefused | Self::Refused => tr!("Change what Meta refuses, and create the campaign again."),
            Self::FormRefused => tr!("Choose an active form of the page, and create the campaign again."),
            Self::InstagramAccountRefused => {
                tr!("Assign the Instagram account to the ad account in Meta Business settings, or leave it out.")
            }
            Self::TermsNotAccepted => {
                tr!("Accept Meta's terms for lead ads for the page, and create the campaign again.")
            }
            Self::PermissionMissing => {
                tr!("Reconnect as a person who may advertise for the page and the ad account.")
            }
            Self::ConnectionExpired => tr!("Reconnect the integration, and create the campaign again."),
            Self::AppNotLive => tr!("Switch the Meta app to live mode, and create the campaign again."),
            Self::Unavailable => tr!("Create the campaign again: nothing of it is at Meta."),
            Self::Defect => {
                tr!("Create the campaign again. If it fails again, report it to the operator of this system.")
            }
        }
    }
}
