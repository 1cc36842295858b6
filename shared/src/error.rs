//! The failures of all edges as one, for work that crosses several of them.

use std::time::Duration;

use crate::bus::BusError;
use crate::graph::GraphError;
use crate::mail::MailError;
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
