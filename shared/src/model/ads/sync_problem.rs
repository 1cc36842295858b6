//! What keeps an ad account from being read: a code, what happened and what to do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What is wrong with reading an ad account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TroubleCode {
    /// Our own copy of the token is missing or damaged.
    TokenUnreadable,
    /// Meta does not accept the token any more.
    TokenDead,
    /// The token may not read ads.
    AdsReadMissing,
    /// There is no such ad account, or this token does not get to see it.
    AdAccountNotVisible,
    /// The integration whose token is used has ended or is gone.
    IntegrationEnded,
    /// The account was switched to another currency: numbers before and after cannot be added.
    CurrencyChanged,
    /// The account was switched to another time zone: its days are other days.
    TimezoneChanged,
    /// Meta wants to be left alone for a while.
    Throttled,
    /// There was no delivery in the days that were read.
    InsightsEmpty,
    /// Meta gave numbers that are none.
    UnreadableRow,
    /// Meta finds even the smallest question too large.
    TooMuchData,
    /// Meta refuses the question itself.
    Refused,
    /// Meta or AWS has a bad day.
    Unavailable,
}

impl TroubleCode {
    /// The stable word for it, as in JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TokenUnreadable => "token_unreadable",
            Self::TokenDead => "token_dead",
            Self::AdsReadMissing => "ads_read_missing",
            Self::AdAccountNotVisible => "ad_account_not_visible",
            Self::IntegrationEnded => "integration_ended",
            Self::CurrencyChanged => "currency_changed",
            Self::TimezoneChanged => "timezone_changed",
            Self::Throttled => "throttled",
            Self::InsightsEmpty => "insights_empty",
            Self::UnreadableRow => "unreadable_row",
            Self::TooMuchData => "too_much_data",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }

    /// What happened, for people.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::TokenUnreadable => "The access token could not be decrypted: its secret is missing or damaged.",
            Self::TokenDead => "Meta does not accept the access token any more.",
            Self::AdsReadMissing => "Permissions error: this token may not read the ad account; ads_read is missing.",
            Self::AdAccountNotVisible => "Meta shows no such ad account to this token.",
            Self::IntegrationEnded => "The integration whose token is used has ended or was deleted.",
            Self::CurrencyChanged => "The ad account was switched to another currency.",
            Self::TimezoneChanged => "The ad account was switched to another time zone.",
            Self::Throttled => "Meta limits how often this ad account may be read.",
            Self::InsightsEmpty => "Meta has no numbers for these days: no ad was delivered.",
            Self::UnreadableRow => "Meta gave a number that is none; what was known before is kept.",
            Self::TooMuchData => "Meta finds even one ad's day too much to answer.",
            Self::Refused => "Meta refuses what it was asked.",
            Self::Unavailable => "Meta could not answer.",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn fix(self) -> &'static str {
        match self {
            Self::TokenUnreadable => "Give the ad account a new token, or reconnect the integration.",
            Self::TokenDead => {
                "Generate a new token for the system user and give it to the ad account, or reconnect the integration."
            }
            Self::AdsReadMissing => {
                "In Meta Business settings assign the ad account to the system user, generate a new token with ads_read, and enter it here; or reconnect the integration and leave ads_read ticked."
            }
            Self::AdAccountNotVisible => {
                "Check the id in Meta Business settings under Ad accounts, and assign the account to the system user or person whose token this is."
            }
            Self::IntegrationEnded => "Reconnect the integration, or give the ad account a token of its own.",
            Self::CurrencyChanged | Self::TimezoneChanged => {
                "Unlink the ad account and link it again: it is imported anew, and old and new numbers are never added."
            }
            Self::Throttled => "Nothing: reading goes on when the limit is lifted; other accounts are not affected.",
            Self::InsightsEmpty => "If there was spend earlier, sync with more days: {\"days\": 30}.",
            Self::UnreadableRow => "Nothing: it is read again. If it stays, report the ad and day to Meta.",
            Self::TooMuchData => "Nothing: it is tried again with fewer fields. If it stays, report the ad to Meta.",
            Self::Refused => "See the evidence; if Meta changed its API, update Leadwire.",
            Self::Unavailable => "Nothing: it is tried again.",
        }
    }
}

/// Something that is wrong, as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Trouble {
    /// Stable, for programs.
    pub code: TroubleCode,
    /// Meta's codes and words, or ours.
    pub evidence: String,
    /// Since when, or when it was last seen.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}
