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
