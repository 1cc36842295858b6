//! Why work failed, as a stable code that parked leads, requested searches, traces and logs contain.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

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
    pub fn message(self) -> &'static str {
        match self {
            Self::TokenDead | Self::IntegrationEnded => "The connection has ended",
            Self::TokenUnreadable => "The access token could not be read",
            Self::WrongTokenKind => "The access token is of the wrong kind",
            Self::NotPermitted => "Meta does not permit access",
            Self::NotVisible => "Meta does not show it",
            Self::ProofRefused => "Meta did not accept the app secret",
            Self::Refused => "Meta refused the request",
            Self::TooMuchData => "Meta found the request too large",
            Self::MessagingWindowClosed => "The reply window is closed",
            Self::Throttled => "Meta limits the page",
            Self::Unavailable | Self::NoAnswer | Self::Garbage => "Meta did not respond properly",
            Self::ItemRejected => "The lead is too large",
            Self::TableFailed
            | Self::VaultFailed
            | Self::QueueFailed
            | Self::BusFailed
            | Self::MailFailed
            | Self::FileFailed => "An AWS service failed",
            Self::MetaNotInPlan => "The plan does not include Meta",
            Self::Disconnected | Self::NotConnected => "The page was disconnected",
            Self::PageWithoutToken => "Meta granted no access to the page",
            Self::OutOfTime => "There was not enough time",
            Self::Defect => "A defect of Leadwire",
        }
    }

    /// What to do before it is tried again.
    #[must_use]
    pub fn fix(self) -> &'static str {
        match self {
            Self::TokenDead | Self::IntegrationEnded | Self::TokenUnreadable => {
                "Reconnect the integration. These leads are then imported automatically."
            }
            Self::WrongTokenKind | Self::PageWithoutToken => {
                "Reconnect the integration, and select the page in Meta's dialog."
            }
            Self::NotPermitted => {
                "Open the integration's health: it names the missing permission, page task or lead access. Fix it, then try again."
            }
            Self::NotVisible => {
                "Meta shows a lead only to people who may see its form, and deletes it after 90 days. Check access to the form and try again. Dismiss what is older, and what was only a test of Meta's webhook."
            }
            Self::Refused | Self::TooMuchData | Self::ItemRejected | Self::MessagingWindowClosed => {
                "Try again once. If it fails again, report it to the operator of this system with the lead's id."
            }
            Self::MetaNotInPlan => "Include Meta in the org's plan, then try again.",
            Self::Disconnected | Self::NotConnected => {
                "Connect or select the page again, then try again. Dismiss the leads if you do not want them."
            }
            Self::ProofRefused | Self::Defect => "The operator of this system must fix this. Then try again.",
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
            | Self::OutOfTime => "The failure is temporary. Try again.",
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
