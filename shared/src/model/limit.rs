//! What one org may request in a minute, so that it takes nothing from the others.

use std::borrow::Cow;

use strum::IntoStaticStr;

use crate::tr;

/// A kind of expensive request, which is counted for each org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum OrgLimit {
    /// Meta is asked while the caller waits. Meta counts these calls for the app, and so for all orgs together.
    MetaCalls,
    /// A file is read, which keeps an instance busy for up to 18 seconds.
    Imports,
}

impl OrgLimit {
    /// Requests per org and minute: far more than its users click, and far fewer than Meta or the AWS account allows all orgs
    /// together.
    #[must_use]
    pub fn per_minute(self) -> u32 {
        match self {
            Self::MetaCalls => 120,
            Self::Imports => 20,
        }
    }

    /// The message for a caller beyond the limit.
    #[must_use]
    pub fn message(self) -> Cow<'static, str> {
        match self {
            Self::MetaCalls => tr!("Your org has sent too many requests to Meta this minute."),
            Self::Imports => tr!("Your org has imported too many files this minute."),
        }
    }
}
