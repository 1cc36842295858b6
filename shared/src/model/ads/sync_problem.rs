//! Problems with reading an ad account: a code, what happened and what to do.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::{Display, EnumIter, IntoStaticStr};
use utoipa::ToSchema;

use crate::tr;

/// A problem with reading an ad account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumIter, IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SyncProblemCode {
    /// Leadwire's stored copy of the token is missing or damaged.
    TokenUnreadable,
    /// Meta no longer accepts the token.
    TokenDead,
    /// The token is not permitted to read ads.
    AdsReadMissing,
    /// The ad account does not exist or is not visible to this token.
    AdAccountNotVisible,
    /// The integration whose token is used has ended or was deleted.
    IntegrationEnded,
    /// The account's currency was changed. Numbers from before and after cannot be added.
    CurrencyChanged,
    /// The account's time zone was changed, which shifts its days.
    TimezoneChanged,
    /// Meta's rate limit applies.
    Throttled,
    /// No ads were delivered on the days that were read.
    InsightsEmpty,
    /// Meta returned numbers that cannot be parsed.
    UnreadableRow,
    /// Meta rejects even the smallest query as too large.
    TooMuchData,
    /// Meta rejects the query itself.
    Refused,
    /// Meta or AWS is temporarily unavailable.
    Unavailable,
    /// The sync took far more slices than its data explains.
    NoProgress,
}

impl SyncProblemCode {
    /// What happened, as readable text.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        match self {
            Self::TokenUnreadable => tr!("The access token could not be decrypted: its secret is missing or damaged."),
            Self::TokenDead => tr!("Meta no longer accepts the access token."),
            Self::AdsReadMissing => {
                tr!("Permissions error: this token may not read the ad account; ads_read is missing.")
            }
            Self::AdAccountNotVisible => tr!("Meta shows no such ad account to this token."),
            Self::IntegrationEnded => tr!("The integration whose token is used has ended or was deleted."),
            Self::CurrencyChanged => tr!("The ad account was switched to another currency."),
            Self::TimezoneChanged => tr!("The ad account was switched to another time zone."),
            Self::Throttled => tr!("Meta limits how often this ad account may be read."),
            Self::InsightsEmpty => tr!("Meta has no numbers for these days: no ad delivered."),
            Self::UnreadableRow => tr!("Meta returned a value that is not a number; the previous numbers are kept."),
            Self::TooMuchData => tr!("Meta rejects even one ad's day as too much data."),
            Self::Refused => tr!("Meta rejects the request."),
            Self::Unavailable => tr!("Meta was temporarily unavailable."),
            Self::NoProgress => tr!("The sync was interrupted too often, and was ended."),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(self) -> Cow<'static, str> {
        match self {
            Self::TokenUnreadable => tr!("Give the ad account a new token, or reconnect the integration."),
            Self::TokenDead => {
                tr!(
                    "Generate a new token for the system user and give it to the ad account, or reconnect the integration."
                )
            }
            Self::AdsReadMissing => {
                tr!(
                    "In Meta Business settings, assign the ad account to the system user, generate a new token with ads_read, and give it to the ad account; or reconnect the integration and keep ads_read selected."
                )
            }
            Self::AdAccountNotVisible => {
                tr!(
                    "Check the id in Meta Business settings under Ad accounts, and assign the account to the system user or person whose token this is."
                )
            }
            Self::IntegrationEnded => tr!("Reconnect the integration, or give the ad account a token of its own."),
            Self::CurrencyChanged | Self::TimezoneChanged => {
                tr!(
                    "Unlink the ad account and link it again: it is imported again, and old and new numbers are never added."
                )
            }
            Self::Throttled => {
                tr!("No action needed: the sync resumes when the limit is lifted. Other accounts are not affected.")
            }
            Self::InsightsEmpty => {
                tr!("If there was spend earlier, sync more days: the last three are synced by default.")
            }
            Self::UnreadableRow => {
                tr!("No action needed: the value is read again. If the error persists, report the ad and day to Meta.")
            }
            Self::TooMuchData => {
                tr!(
                    "No action needed: the sync tries again with fewer fields. If the error persists, report the ad to Meta."
                )
            }
            Self::Refused => tr!("Check Meta's answer. If Meta changed its API, update Leadwire."),
            Self::Unavailable => tr!("No action needed: the sync tries again."),
            Self::NoProgress => tr!(
                "No action needed: the next scheduled sync starts over. If the error persists, sync fewer days at once."
            ),
        }
    }
}

/// A problem, as stored and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SyncProblem {
    /// The stable code.
    pub code: SyncProblemCode,
    /// Meta's codes and messages, or Leadwire's own.
    pub evidence: String,
    /// Since when the problem exists, or when it was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}
