//! Why work failed, as a stable code that parked leads, requested searches, traces and logs contain.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::tr;

/// Why a piece of work failed. The readable text for each code belongs to the interface that shows it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumIter,
    IntoStaticStr,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FailureCode {
    /// Meta: the token is no longer valid.
    TokenDead,
    /// Meta: the call requires another kind of token.
    WrongTokenKind,
    /// Meta: a permission, a page task or an app review is missing.
    NotPermitted,
    /// Meta: the object is not visible, or not yet.
    NotVisible,
    /// Meta: the proof made with the app secret is wrong.
    ProofRefused,
    /// Meta: the request itself is rejected.
    Refused,
    /// Meta: the request asks for too much data.
    TooMuchData,
    /// Meta: the page, the account or the app is rate-limited.
    Throttled,
    /// Meta: the 24 hours for replying to a message have passed.
    MessagingWindowClosed,
    /// Meta: temporary fault on Meta's side.
    Unavailable,
    /// Meta: the response cannot be parsed.
    Garbage,
    /// Meta: no response.
    NoAnswer,
    /// The item is too large for DynamoDB.
    ItemRejected,
    /// DynamoDB failed.
    TableFailed,
    /// The secret with the token is missing or damaged.
    TokenUnreadable,
    /// Secrets Manager failed.
    VaultFailed,
    /// SQS failed.
    QueueFailed,
    /// EventBridge failed.
    BusFailed,
    /// SES failed.
    MailFailed,
    /// S3 failed, or a file is missing.
    FileFailed,
    /// The org's plan does not include Meta.
    MetaNotInPlan,
    /// The page is no longer connected through this integration.
    Disconnected,
    /// The integration has ended.
    IntegrationEnded,
    /// The page was deselected, or the integration was deleted.
    NotConnected,
    /// Meta returned no token for the page.
    PageWithoutToken,
    /// There was not enough time.
    OutOfTime,
    /// A defect of Leadwire itself.
    Defect,
}

impl FailureCode {
    /// What happened, in plain words.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        match self {
            Self::TokenDead | Self::IntegrationEnded => tr!("The connection has ended"),
            Self::TokenUnreadable => tr!("The access token could not be read"),
            Self::WrongTokenKind => tr!("The access token is of the wrong kind"),
            Self::NotPermitted => tr!("Meta does not permit access"),
            Self::NotVisible => tr!("Meta does not show the lead"),
            Self::ProofRefused => tr!("Meta did not accept the app secret"),
            Self::Refused => tr!("Meta refused the request"),
            Self::TooMuchData => tr!("The request was too large for Meta"),
            Self::MessagingWindowClosed => tr!("The reply window is closed"),
            Self::Throttled => tr!("Meta limits requests for the page"),
            Self::Unavailable | Self::NoAnswer | Self::Garbage => tr!("Meta did not respond properly"),
            Self::ItemRejected => tr!("The lead is too large"),
            Self::TableFailed
            | Self::VaultFailed
            | Self::QueueFailed
            | Self::BusFailed
            | Self::MailFailed
            | Self::FileFailed => tr!("An AWS service failed"),
            Self::MetaNotInPlan => tr!("The plan does not include Meta"),
            Self::Disconnected | Self::NotConnected => tr!("The page was disconnected"),
            Self::PageWithoutToken => tr!("Meta granted no access to the page"),
            Self::OutOfTime => tr!("There was not enough time"),
            Self::Defect => tr!("An error in Leadwire"),
        }
    }

    /// What to do before it is tried again.
    #[must_use]
    pub fn fix(self) -> Cow<'static, str> {
        match self {
            Self::TokenDead | Self::IntegrationEnded | Self::TokenUnreadable => {
                tr!("Reconnect the integration. These leads are then imported automatically.")
            }
            Self::WrongTokenKind | Self::PageWithoutToken => {
                tr!("Reconnect the integration, and select the page in Meta's dialog.")
            }
            Self::NotPermitted => {
                tr!(
                    "Open the integration's health: it names the missing permission, page task or lead access. Fix it, then try again. If these checks pass, give the app access to the form's leads in Meta's Leads Access Manager."
                )
            }
            Self::NotVisible => {
                tr!(
                    "Meta shows a lead only to people who may see its form, and deletes it after 90 days. Check access to the form and try again. Dismiss older leads and leads that were only a test of Meta's webhook."
                )
            }
            Self::Refused | Self::TooMuchData | Self::ItemRejected | Self::MessagingWindowClosed => {
                tr!("Try again once. If it fails again, report it to the operator of this system with the lead's id.")
            }
            Self::MetaNotInPlan => tr!("Include Meta in the org's plan, then try again."),
            Self::Disconnected | Self::NotConnected => {
                tr!("Connect or select the page again, then try again. Dismiss the leads if you do not want them.")
            }
            Self::ProofRefused | Self::Defect => tr!("The operator of this system must fix this. Then try again."),
            Self::Throttled
            | Self::Unavailable
            | Self::Garbage
            | Self::NoAnswer
            | Self::TableFailed
            | Self::VaultFailed
            | Self::QueueFailed
            | Self::BusFailed
            | Self::MailFailed
            | Self::FileFailed
            | Self::OutOfTime => tr!("The failure is temporary. Try again."),
        }
    }

    /// Whether the cause passes without anybody's doing, such as a fault or a throttle of Meta's. Leads that it holds
    /// back are ingested automatically once Meta answers for their page again.
    #[must_use]
    pub fn is_temporary(self) -> bool {
        match self {
            Self::ProofRefused
            | Self::Throttled
            | Self::Unavailable
            | Self::Garbage
            | Self::NoAnswer
            | Self::TableFailed
            | Self::VaultFailed
            | Self::QueueFailed
            | Self::BusFailed
            | Self::MailFailed
            | Self::FileFailed
            | Self::OutOfTime => true,
            Self::TokenDead
            | Self::WrongTokenKind
            | Self::NotPermitted
            | Self::NotVisible
            | Self::Refused
            | Self::TooMuchData
            | Self::MessagingWindowClosed
            | Self::ItemRejected
            | Self::TokenUnreadable
            | Self::MetaNotInPlan
            | Self::Disconnected
            | Self::IntegrationEnded
            | Self::NotConnected
            | Self::PageWithoutToken
            | Self::Defect => false,
        }
    }

    /// Whether a lead parked for this reason is ingested automatically once its connection works again.
    #[must_use]
    pub fn heals_with_the_connection(self) -> bool {
        match self {
            Self::TokenDead | Self::TokenUnreadable | Self::MetaNotInPlan | Self::IntegrationEnded => true,
            Self::WrongTokenKind
            | Self::NotPermitted
            | Self::NotVisible
            | Self::ProofRefused
            | Self::Refused
            | Self::TooMuchData
            | Self::Throttled
            | Self::MessagingWindowClosed
            | Self::Unavailable
            | Self::Garbage
            | Self::NoAnswer
            | Self::ItemRejected
            | Self::TableFailed
            | Self::VaultFailed
            | Self::QueueFailed
            | Self::BusFailed
            | Self::MailFailed
            | Self::FileFailed
            | Self::Disconnected
            | Self::NotConnected
            | Self::PageWithoutToken
            | Self::OutOfTime
            | Self::Defect => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    #[test]
    fn the_word_is_the_one_in_json() {
        for code in FailureCode::iter() {
            assert_eq!(serde_json::to_value(code).unwrap(), <&str>::from(code));
        }
    }
}
