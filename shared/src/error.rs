//! Errors: [`WorkError`] unites the failures of all services, and [`ActError`] says why an action was not carried out.

use std::borrow::Cow;
use std::time::Duration;

use strum::{EnumIter, IntoStaticStr};

use crate::bus::BusError;
use crate::files::FileError;
use crate::graph::GraphError;
use crate::mail::MailError;
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::caller::AccessDenied;
use crate::model::connection::state::EndReason;
use crate::model::failure::FailureCode;
use crate::model::limit::OrgLimit;
use crate::queue::QueueError;
use crate::retry::Verdict;
use crate::table::TableError;
use crate::tr;
use crate::vault::VaultError;

/// Why work could not be done.
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
    /// Meta throttles calls about the page for this long.
    #[error("Meta throttles this page for another {} s", .0.as_secs())]
    Paused(Duration),
    /// The page is no longer connected through this integration.
    #[error("the page was disconnected meanwhile")]
    Disconnected,
    /// The org's plan no longer includes Meta.
    #[error("the plan of this org does not include the Meta integration")]
    NotInPlan,
    /// Files.
    #[error(transparent)]
    File(#[from] FileError),
    /// Mail.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The function's time ran out.
    #[error("there was not enough time")]
    OutOfTime,
    /// A defect of this program.
    #[error("a defect of Leadwire; its log says where")]
    Panicked,
}

impl WorkError {
    /// Returns what becomes of the work.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Graph(error) => error.verdict(),
            Self::Table(error) => error.verdict(),
            Self::Vault(error) => error.verdict(),
            Self::Queue(error) => error.verdict(),
            Self::Bus(error) => error.verdict(),
            Self::File(error) => error.verdict(),
            Self::Mail(error) => error.verdict(),
            Self::Paused(wait) => Verdict::RetryAfter(*wait),
            Self::OutOfTime | Self::Panicked => Verdict::Retry,
            Self::NotInPlan | Self::Disconnected => Verdict::GiveUp,
        }
    }

    /// Returns whether an integration's token is what failed, so that the integration needs a check.
    #[must_use]
    pub fn is_of_token(&self) -> bool {
        match self {
            Self::Graph(error) => error.token_death().is_some(),
            Self::Vault(error) => matches!(error, VaultError::Missing(_) | VaultError::Unreadable(_)),
            Self::Table(_)
            | Self::Queue(_)
            | Self::Bus(_)
            | Self::File(_)
            | Self::Mail(_)
            | Self::Paused(_)
            | Self::NotInPlan
            | Self::Disconnected
            | Self::OutOfTime
            | Self::Panicked => false,
        }
    }

    /// Returns a stable code for it, for parked work and metrics.
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
            Self::File(_) => FailureCode::FileFailed,
            Self::Mail(_) => FailureCode::MailFailed,
            Self::NotInPlan => FailureCode::MetaNotInPlan,
            Self::Paused(_) => FailureCode::Throttled,
            Self::Disconnected => FailureCode::Disconnected,
            Self::OutOfTime => FailureCode::OutOfTime,
            Self::Panicked => FailureCode::Defect,
        }
    }
}

/// Why an action was not carried out. The caller decides how to present it: the API as an RFC 9457 problem, the console
/// as a sentence on a page.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ActError {
    /// What was requested cannot be done as requested. Nothing was changed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The caller may not act here.
    #[error("{0}.")]
    Denied(#[from] AccessDenied),
    /// The org has requested too much of this kind. Nothing was done; it can be requested again after these seconds.
    #[error("{} {}", .0.message(), try_again_in(*.1))]
    Limited(OrgLimit, u64),
    /// The action needs a connection that has ended.
    #[error("{} {}", .0.message(), .0.fix())]
    Ended(EndReason),
    /// A service failed. What was done until then stays done; the same action can be requested again.
    #[error(transparent)]
    Work(#[from] WorkError),
}

fn try_again_in(seconds: u64) -> String {
    tr!([seconds] "Try again in {n} second." | "Try again in {n} seconds.")
}

/// A request that cannot be carried out as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal it is.
    pub code: ErrorCode,
    /// The field of the request that is wrong, if a single one is.
    pub field: Option<Cow<'static, str>>,
    /// What is wrong or what would be accepted, in words that suit both the API and the console. A way out that only
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
    /// The org has requested more in this minute than is good for the others.
    TooManyRequests,
    /// The CRM has marked the caller as inactive in the directory of their org. An admin there can change that.
    UserInactive,
    OrgRequired,
    OrgNotAllowed,
    ConnectionExpired,
    TokenUnreadable,
    MetaRefused,
    MetaThrottled,
    MetaUnavailable,
    Unavailable,
    CursorInvalid,
    SearchInvalid,
    RangeEmpty,
    RangeInvalid,
    RangeTooLong,
    TooManyRows,
    IdInvalid,
    NameInvalid,
    LengthInvalid,
    LimitReached,
    ListInvalid,
    EmailInvalid,
    PhoneInvalid,
    CountryInvalid,
    LanguageInvalid,
    ImportRunning,
    DescriptionInvalid,
    DaysInvalid,
    UserUnknown,
    LeadUnknown,
    ContactUnknown,
    WindowClosed,
    ReplyNotPossible,
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
    OtherAccount,
    TokenRequired,
    TokenAmbiguous,
    AdAccountIdInvalid,
    AdAccountLinked,
    AdAccountPaused,
    NoAdAccounts,
    ConversionsInvalid,
    DatasetUnknown,
    EventsInvalid,
    ValueInvalid,
    CurrencyInvalid,
    PageUnknown,
    PermissionMissing,
    InstagramAccountUnknown,
    TargetMissing,
    RequestReused,
    ContentMissing,
    FieldsConflict,
    TextTooLong,
    AddressNotAllowed,
    MediaInvalid,
    TimeNotAllowed,
    PostPublished,
    PostInProgress,
    PostFailed,
    AdAccountNotActive,
    AdAccountUnknown,
    CampaignInvalid,
    CampaignNotReady,
    SpendLimitReached,
    FormInvalid,
    TermsNotAccepted,
    GroupByInvalid,
    TimezoneInvalid,
    EndpointInactive,
    ContentErased,
    /// An ad account that cannot be synced, for the same reasons for which later syncs fail.
    #[strum(disabled)]
    AdAccount(SyncProblemCode),
}

impl ErrorCode {
    /// Returns the name, as the API sends it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AdAccount(code) => code.into(),
            other => other.into(),
        }
    }
}

/// What a request names and the org does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what it is called")]
pub enum Missing {
    AdAccount,
    BulkChange,
    Business,
    Campaign,
    Contact,
    Conversation,
    Delivery,
    Endpoint,
    Export,
    File,
    Form,
    Import,
    Integration,
    Lead,
    Message,
    Org,
    Post,
    Run,
    SavedReply,
    UploadedFile,
}

impl Missing {
    fn message(self) -> Cow<'static, str> {
        match self {
            Self::AdAccount => tr!("This org has no such ad account."),
            Self::BulkChange => tr!("This org has no such change."),
            Self::Business => tr!("This org has no such business."),
            Self::Campaign => tr!("This org has no such campaign."),
            Self::Contact => tr!("This org has no such contact."),
            Self::Conversation => tr!("This org has no such conversation."),
            Self::Delivery => tr!("This org has no such delivery."),
            Self::Endpoint => tr!("This org has no such endpoint."),
            Self::Export => tr!("This org has no such export."),
            Self::File => tr!("This org has no such file."),
            Self::Form => tr!("This org has no such form."),
            Self::Import => tr!("This org has no such import."),
            Self::Integration => tr!("This org has no such integration."),
            Self::Lead => tr!("This org has no such lead."),
            Self::Message => tr!("This org has no such message."),
            Self::Org => tr!("The CRM has not set up this org yet."),
            Self::Post => tr!("This org has no such post."),
            Self::Run => tr!("This org has no such run."),
            Self::SavedReply => tr!("This org has no such saved reply."),
            Self::UploadedFile => tr!("This org has no such uploaded file."),
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

    /// Reports that the org has no such thing.
    pub fn not_found(what: Missing) -> Self {
        Self::refuse(ErrorCode::NotFound, what.message())
    }

    /// Attributes the refusal to a field.
    #[must_use]
    pub fn at(self, field: impl Into<Cow<'static, str>>) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(Refusal { field: Some(field.into()), ..refusal }),
            other => other,
        }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::Denied(AccessDenied::Role) => ErrorCode::RoleNotAllowed,
            Self::Denied(AccessDenied::SuperAdminOnly) => ErrorCode::SuperadminOnly,
            Self::Denied(AccessDenied::Inactive) => ErrorCode::UserInactive,
            Self::Denied(AccessDenied::NoOrg) => ErrorCode::OrgRequired,
            Self::Denied(AccessDenied::ForeignOrg) => ErrorCode::OrgNotAllowed,
            Self::Limited(..) => ErrorCode::TooManyRequests,
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

work_failed!(TableError, VaultError, QueueError, BusError, FileError);
