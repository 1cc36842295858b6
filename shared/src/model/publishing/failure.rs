//! Why a post was not published, with what to do about it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::tr;

/// Why a post was not published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostFailure {
    /// The kind of failure.
    pub code: PostFailureCode,
    /// What happened: which picture, and Meta's own words.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl PostFailure {
    /// A failure with the usual remedy.
    #[must_use]
    pub fn new(code: PostFailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), fix: code.fix().into_owned() }
    }
}

/// The kinds of failures. Their names are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumIter, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum PostFailureCode {
    /// The page's connection has ended.
    ConnectionExpired,
    /// The page is not connected any more.
    PageNotConnected,
    /// The org's plan no longer includes Meta.
    MetaNotInPlan,
    /// A permission or a task on the page is missing.
    PermissionMissing,
    /// The page has no professional Instagram account any more.
    NoInstagramAccount,
    /// Meta could not download a picture or a video.
    MediaUnreachable,
    /// Meta does not accept the file.
    MediaRefused,
    /// Meta did not get a picture or a video ready in time.
    MediaNotReady,
    /// Meta does not accept the text.
    MessageRefused,
    /// Meta does not accept the link.
    LinkRefused,
    /// Meta takes it for a repetition of an earlier post.
    Duplicate,
    /// Meta's limit of posts a day is reached.
    LimitReached,
    /// Meta takes it for spam or against its standards.
    Blocked,
    /// Meta asks the person who connected, or the page, for a confirmation first.
    ConfirmationNeeded,
    /// Meta refused it for another reason.
    Refused,
    /// Meta was out of order for too long.
    Unavailable,
    /// A defect of Leadwire itself.
    Defect,
}

impl PostFailureCode {
    /// What to do about it.
    #[must_use]
    pub fn fix(self) -> Cow<'static, str> {
        match self {
            Self::ConnectionExpired => tr!("Reconnect the integration, then publish the post again."),
            Self::PageNotConnected => tr!("Connect the page again, then publish the post again."),
            Self::MetaNotInPlan => tr!("Upgrade the plan, then publish the post again."),
            Self::PermissionMissing => {
                tr!("Reconnect as a person who may create content on the page, and keep every permission selected.")
            }
            Self::NoInstagramAccount => tr!("Link a professional Instagram account to the page in Meta's settings."),
            Self::MediaUnreachable => {
                tr!(
                    "Make sure that the address opens without a login and delivers the file itself, then publish the post again."
                )
            }
            Self::MediaRefused => tr!("Replace the file with one that Meta accepts, then publish the post again."),
            Self::MediaNotReady => tr!("Use a smaller file, or publish the post again later."),
            Self::MessageRefused => tr!("Change the text, then publish the post again."),
            Self::LinkRefused => tr!("Change or remove the link, then publish the post again."),
            Self::Duplicate => tr!("Change the text: Meta does not publish the same post twice in a row."),
            Self::LimitReached => tr!("Publish the post again tomorrow."),
            Self::Blocked => tr!("Read Meta's reason in the page's support inbox, and wait before you publish again."),
            Self::ConfirmationNeeded => {
                tr!(
                    "Log in to facebook.com with the connected account, confirm what Meta asks for, then publish the post again."
                )
            }
            Self::Refused => tr!("Change what Meta refuses, then publish the post again."),
            Self::Unavailable => {
                tr!("Publish the post again. Leadwire checks first whether Meta has published it after all.")
            }
            Self::Defect => tr!("Publish the post again. If it fails again, report it to the operator of this system."),
        }
    }
}
