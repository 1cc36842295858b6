//! The failures of all edges as one ([`WorkError`]), and why an act did not happen ([`ActError`]).

use std::borrow::Cow;
use std::time::Duration;

use strum::{EnumIter, IntoStaticStr};

use crate::bus::BusError;
use crate::graph::GraphError;
use crate::mail::MailError;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::caller::AccessDenied;
use crate::model::connection::standing::EndReason;
use crate::model::failure::FailureCode;
use crate::queue::QueueError;
use crate::retry::Verdict;
use crate::table::TableError;
use crate::vault::VaultError;

/// Why a piece of work did not get done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WorkError {
    /// Meta.
    #[error("Meta: {0}")]
    Graph(#[from] GraphError),
    /// The table.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A queue.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The bus.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// Meta does not want to be asked about the page yet.
    #[error("Meta throttles this page for another {} s", .0.as_secs())]
    Paused(Duration),
    /// The page is not connected through this integration any more.
    #[error("disconnected meanwhile")]
    Disconnected,
    /// The org's plan does not include Meta any more.
    #[error("the plan of this org does not include the Meta integration")]
    NotInPlan,
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailError),
}

impl WorkError {
    /// What becomes of the work.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Graph(error) => error.verdict(),
            Self::Table(error) => error.verdict(),
            Self::Vault(error) => error.verdict(),
            Self::Queue(error) => error.verdict(),
            Self::Bus(error) => error.verdict(),
            Self::Mail(error) => error.verdict(),
            Self::Paused(wait) => Verdict::RetryAfter(*wait),
            Self::NotInPlan | Self::Disconnected => Verdict::GiveUp,
        }
    }

    /// Whether an integration's token is what failed, so that somebody has to look at it.
    #[must_use]
    pub fn is_of_token(&self) -> bool {
        match self {
            Self::Graph(error) => error.token_death().is_some(),
            Self::Vault(error) => matches!(error, VaultError::Missing(_) | VaultError::Unreadable(_)),
            Self::Table(_)
            | Self::Queue(_)
            | Self::Bus(_)
            | Self::Mail(_)
            | Self::Paused(_)
            | Self::NotInPlan
            | Self::Disconnected => false,
        }
    }

    /// A stable word for it, for parked work and metrics.
    #[must_use]
    pub fn code(&self) -> FailureCode {
        match self {
            Self::Graph(error) => error.code(),
            Self::Table(TableError::ItemRejected(_)) => FailureCode::ItemRejected,
            Self::Table(_) => FailureCode::TableFailed,
            Self::Vault(VaultError::Missing(_) | VaultError::Unreadable(_)) => FailureCode::TokenUnreadable,
            Self::Vault(VaultError::Failed(_)) => FailureCode::VaultFailed,
            Self::Queue(_) => FailureCode::QueueFailed,
            Self::Bus(_) => FailureCode::BusFailed,
            Self::Mail(_) => FailureCode::MailFailed,
            Self::NotInPlan => FailureCode::MetaNotInPlan,
            Self::Paused(_) => FailureCode::Throttled,
            Self::Disconnected => FailureCode::Disconnected,
        }
    }
}

/// Why an act did not happen. Whoever calls it decides how to say so: the API as an RFC 9457 problem, the console as a
/// sentence on a page.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ActError {
    /// What was requested cannot be done as requested. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The caller may not act here.
    #[error("{0}.")]
    Denied(#[from] AccessDenied),
    /// The act needs a connection that has ended.
    #[error("{} {}", .0.message(), .0.fix())]
    Ended(EndReason),
    /// An edge failed. What was done until then is done; the same act can be requested again.
    #[error(transparent)]
    Work(#[from] WorkError),
}

/// A request that cannot be carried out as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal it is.
    pub code: ErrorCode,
    /// The field of the request that is wrong, if a single one is.
    pub field: Option<Cow<'static, str>>,
    /// What is wrong or what would be accepted, in words that fit the API and the console alike. The way out that only
    /// one of them offers is added there, by `code`.
    pub message: String,
}

/// The kinds of [`ActError`]. Their names are part of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the contract; the API's description lists them")]
pub enum ErrorCode {
    NotFound,
    MetaNotInPlan,
    RoleNotAllowed,
    SuperadminOnly,
    OrgRequired,
    OrgNotAllowed,
    ConnectionExpired,
    TokenUnreadable,
    MetaRefused,
    MetaThrottled,
    MetaUnavailable,
    Unavailable,
    CursorInvalid,
    RangeEmpty,
    RangeInvalid,
    RangeTooLong,
    TooManyRows,
    IdInvalid,
    NameInvalid,
    LengthInvalid,
    ListInvalid,
    EmailInvalid,
    CountryInvalid,
    DescriptionInvalid,
    DaysInvalid,
    UserUnknown,
    LeadUnknown,
    RuleInvalid,
    MappingChanged,
    NoLead,
    FileTooLarge,
    FileInvalid,
    BackfillRunning,
    ReturnUrlNotAllowed,
    ScopeInvalid,
    IntegrationBusy,
    PagesMissing,
    PageNotOffered,
    TokenNotValid,
    TokenKind,
    NoPages,
    TokenRequired,
    TokenAmbiguous,
    AdAccountIdInvalid,
    AdAccountLinked,
    AdAccountPaused,
    NoAdAccounts,
    ConversionsInvalid,
    GroupByInvalid,
    /// An ad account that cannot be synced, for the same reasons as later syncs fail.
    #[strum(disabled)]
    AdAccount(SyncProblemCode),
}

impl ErrorCode {
    /// The name, as the API sends it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AdAccount(code) => code.into(),
            other => other.into(),
        }
    }
}

impl ActError {
    /// Refuses the request as a whole.
    pub fn refuse(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused(Refusal { code, field: None, message: message.into() })
    }

    /// Refuses the value of one field.
    pub fn invalid(field: impl Into<Cow<'static, str>>, code: ErrorCode, message: impl Into<String>) -> Self {
        Self::Refused(Refusal { code, field: Some(field.into()), message: message.into() })
    }

    /// The org has no such `noun`, for example `lead`.
    pub fn not_found(noun: &str) -> Self {
        Self::refuse(ErrorCode::NotFound, format!("This org has no such {noun}."))
    }

    /// The same refusal, attributed to a field.
    #[must_use]
    pub fn at(self, field: &'static str) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(Refusal { field: Some(field.into()), ..refusal }),
            other => other,
        }
    }

    /// What kind of error it is.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::Denied(AccessDenied::Role) => ErrorCode::RoleNotAllowed,
            Self::Denied(AccessDenied::SuperAdminOnly) => ErrorCode::SuperadminOnly,
            Self::Denied(AccessDenied::NoOrg) => ErrorCode::OrgRequired,
            Self::Denied(AccessDenied::ForeignOrg) => ErrorCode::OrgNotAllowed,
            Self::Ended(EndReason::TokenUnreadable) => ErrorCode::TokenUnreadable,
            Self::Ended(_) => ErrorCode::ConnectionExpired,
            Self::Work(_) => ErrorCode::Unavailable,
        }
    }
}

macro_rules! work_failed {
    ($($edge:ty),*) => {
        $(impl From<$edge> for ActError {
            fn from(error: $edge) -> Self {
                Self::Work(error.into())
            }
        })*
    };
}

work_failed!(TableError, VaultError, QueueError, BusError);
