//! The codes of problems: their HTTP status, and the API's way to solve them.

use http::StatusCode;
use serde::{Serialize, Serializer};
use strum::{EnumIter, IntoStaticStr};

use crate::error::ErrorCode;
use crate::model::ads::sync_problem::SyncProblemCode;

/// The code of a problem: an operation's, or one of HTTP's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the contract; the details of the problems explain them")]
pub enum ProblemCode {
    /// An operation's code.
    #[strum(disabled)]
    Act(ErrorCode),
    TokenMissing,
    TokenInvalid,
    TokenKeysUnavailable,
    TookTooLong,
    HostMissing,
    NoSuchRoute,
    MethodNotAllowed,
    PathInvalid,
    QueryInvalid,
    ParameterInvalid,
    ParameterUnknown,
    ParameterRepeated,
    BodyInvalid,
    FieldInvalid,
    IdInvalid,
    LimitInvalid,
    TimeInvalid,
    DayInvalid,
    StatusUnknown,
    ChannelUnknown,
    FormatInvalid,
    FileExpected,
    FileMissing,
    FileInvalid,
    LineInvalid,
    NoSuchPage,
    AddressInvalid,
    FormInvalid,
    FormNotYours,
    AssignmentUnknown,
    PageInvalid,
    OrgUnknown,
    ClientIdInvalid,
    NothingToSee,
    LeadsAreToSee,
    LoginFailed,
    LoginUnavailable,
    SessionEnded,
    SignatureMissing,
    SignatureMalformed,
    SignatureWrong,
    SignedRequestMissing,
    SignedRequestInvalid,
    VerifyTokenWrong,
    NotADelivery,
    NotQueued,
    NotReady,
}

impl From<ErrorCode> for ProblemCode {
    fn from(code: ErrorCode) -> Self {
        Self::Act(code)
    }
}

impl Serialize for ProblemCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl ProblemCode {
    /// The name in responses.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Act(code) => code.name(),
            other => other.into(),
        }
    }

    /// Whether this is the operation's code `code`.
    #[must_use]
    pub fn is(self, code: ErrorCode) -> bool {
        self == Self::Act(code)
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Act(code) => status_of_act(code),
            Self::TokenMissing
            | Self::TokenInvalid
            | Self::LoginFailed
            | Self::SessionEnded
            | Self::SignatureMissing
            | Self::SignatureMalformed
            | Self::SignatureWrong => StatusCode::UNAUTHORIZED,
            Self::NothingToSee | Self::LeadsAreToSee | Self::FormNotYours | Self::VerifyTokenWrong => {
                StatusCode::FORBIDDEN
            }
            Self::NoSuchRoute | Self::NoSuchPage => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::FileExpected => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TokenKeysUnavailable
            | Self::TookTooLong
            | Self::LoginUnavailable
            | Self::NotQueued
            | Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::HostMissing
            | Self::PathInvalid
            | Self::QueryInvalid
            | Self::ParameterInvalid
            | Self::ParameterUnknown
            | Self::ParameterRepeated
            | Self::BodyInvalid
            | Self::FieldInvalid
            | Self::IdInvalid
            | Self::LimitInvalid
            | Self::TimeInvalid
            | Self::DayInvalid
            | Self::StatusUnknown
            | Self::ChannelUnknown
            | Self::FormatInvalid
            | Self::FileMissing
            | Self::FileInvalid
            | Self::LineInvalid
            | Self::AddressInvalid
            | Self::FormInvalid
            | Self::AssignmentUnknown
            | Self::PageInvalid
            | Self::OrgUnknown
            | Self::ClientIdInvalid
            | Self::SignedRequestMissing
            | Self::SignedRequestInvalid
            | Self::NotADelivery => StatusCode::BAD_REQUEST,
        }
    }

    /// How to solve the problem through the API. Added to the detail in responses to programs.
    #[must_use]
    pub fn api_advice(self) -> Option<&'static str> {
        match self {
            Self::NoSuchRoute | Self::MethodNotAllowed => Some("GET /openapi.json lists the routes."),
            Self::Act(ErrorCode::OrgRequired) => Some("Send the org's id in the header orgid."),
            Self::Act(ErrorCode::CursorInvalid) => {
                Some("Pass next_cursor of the previous response unchanged, with the same filters.")
            }
            Self::Act(ErrorCode::UserUnknown) => Some("GET /api/users lists the users."),
            Self::Act(ErrorCode::TokenRequired) => Some("Send token or integration_id."),
            Self::Act(ErrorCode::TokenAmbiguous) => Some("Send either token or integration_id."),
            Self::Act(ErrorCode::AdAccountLinked) => Some("To read it with another token, PATCH it."),
            Self::Act(ErrorCode::AdAccountPaused) => Some("PATCH it with {\"paused\": false} first."),
            Self::Act(ErrorCode::NoAdAccounts) => Some("POST /api/meta-ads/accounts links one."),
            Self::Act(ErrorCode::NoLead) => Some("POST /api/meta/forms/{id}/test-lead sends a test lead."),
            Self::Act(ErrorCode::MappingChanged) => Some("GET it again, and change that version."),
            _ => None,
        }
    }
}

fn status_of_act(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::NotFound | ErrorCode::NoLead => StatusCode::NOT_FOUND,
        ErrorCode::MetaNotInPlan => StatusCode::PAYMENT_REQUIRED,
        ErrorCode::RoleNotAllowed
        | ErrorCode::SuperadminOnly
        | ErrorCode::UserInactive
        | ErrorCode::OrgNotAllowed
        | ErrorCode::SpendLimitReached => StatusCode::FORBIDDEN,
        ErrorCode::ConnectionExpired | ErrorCode::TokenUnreadable | ErrorCode::PermissionMissing => {
            StatusCode::PRECONDITION_FAILED
        }
        ErrorCode::MetaRefused => StatusCode::BAD_GATEWAY,
        ErrorCode::MetaThrottled | ErrorCode::MetaUnavailable | ErrorCode::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ErrorCode::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::FileTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::MappingChanged
        | ErrorCode::BackfillRunning
        | ErrorCode::ImportRunning
        | ErrorCode::IntegrationBusy
        | ErrorCode::OtherAccount
        | ErrorCode::AdAccountLinked
        | ErrorCode::AdAccountPaused
        | ErrorCode::NoAdAccounts
        | ErrorCode::RequestReused
        | ErrorCode::PostPublished
        | ErrorCode::PostInProgress
        | ErrorCode::PostFailed
        | ErrorCode::CampaignNotReady
        | ErrorCode::WindowClosed
        | ErrorCode::EndpointInactive
        | ErrorCode::ContentErased
        | ErrorCode::ReplyNotPossible => StatusCode::CONFLICT,
        ErrorCode::OrgRequired
        | ErrorCode::CursorInvalid
        | ErrorCode::SearchInvalid
        | ErrorCode::RangeEmpty
        | ErrorCode::RangeInvalid
        | ErrorCode::RangeTooLong
        | ErrorCode::TooManyRows
        | ErrorCode::IdInvalid
        | ErrorCode::NameInvalid
        | ErrorCode::LengthInvalid
        | ErrorCode::LimitReached
        | ErrorCode::ListInvalid
        | ErrorCode::EmailInvalid
        | ErrorCode::PhoneInvalid
        | ErrorCode::CountryInvalid
        | ErrorCode::LanguageInvalid
        | ErrorCode::DescriptionInvalid
        | ErrorCode::DaysInvalid
        | ErrorCode::UserUnknown
        | ErrorCode::LeadUnknown
        | ErrorCode::ContactUnknown
        | ErrorCode::RuleInvalid
        | ErrorCode::FileInvalid
        | ErrorCode::ReturnUrlNotAllowed
        | ErrorCode::ScopeInvalid
        | ErrorCode::PagesMissing
        | ErrorCode::PageNotOffered
        | ErrorCode::TokenNotValid
        | ErrorCode::TokenKind
        | ErrorCode::NoPages
        | ErrorCode::TokenRequired
        | ErrorCode::TokenAmbiguous
        | ErrorCode::AdAccountIdInvalid
        | ErrorCode::ConversionsInvalid
        | ErrorCode::DatasetUnknown
        | ErrorCode::EventsInvalid
        | ErrorCode::ValueInvalid
        | ErrorCode::CurrencyInvalid
        | ErrorCode::GroupByInvalid
        | ErrorCode::TimezoneInvalid
        | ErrorCode::PageUnknown
        | ErrorCode::InstagramAccountUnknown
        | ErrorCode::TargetMissing
        | ErrorCode::ContentMissing
        | ErrorCode::FieldsConflict
        | ErrorCode::TextTooLong
        | ErrorCode::AddressNotAllowed
        | ErrorCode::MediaInvalid
        | ErrorCode::TimeNotAllowed
        | ErrorCode::AdAccountNotActive
        | ErrorCode::AdAccountUnknown
        | ErrorCode::CampaignInvalid
        | ErrorCode::FormInvalid
        | ErrorCode::TermsNotAccepted
        | ErrorCode::AdAccount(_) => StatusCode::BAD_REQUEST,
    }
}

/// Every code that a problem can have.
pub fn all() -> impl Iterator<Item = ProblemCode> {
    use strum::IntoEnumIterator;
    let of_ad_accounts = SyncProblemCode::iter().map(ErrorCode::AdAccount);
    ProblemCode::iter().chain(ErrorCode::iter().chain(of_ad_accounts).map(ProblemCode::Act))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Problem;

    #[test]
    fn every_code_is_an_error_with_a_name_of_its_own_in_words_of_the_api() {
        for code in all() {
            assert!(code.status().is_client_error() || code.status().is_server_error(), "{code:?}");
            let name = code.name();
            assert!(!name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
            let response: http::Response<String> = Problem::new(code, "Detail.").response();
            let body: serde_json::Value = serde_json::from_str(response.body()).unwrap();
            assert_eq!(body["code"], name);
            let detail = body["detail"].as_str().unwrap();
            assert!(["button", "click", "page below"].iter().all(|word| !detail.contains(word)), "{detail}");
        }
    }
}
