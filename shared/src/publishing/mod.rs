//! The room of publishing: posts for pages and Instagram accounts, written once, published when their time has come.
//!
//! [`Publishing`] has the operations of the API and the console. [`Publisher`] takes one post through its steps, as far as
//! it gets without waiting; what has to wait comes back as a message, and whatever happens to the message, the schedule
//! finds the post again ([`Table::publish_due`]).

mod accounts;
mod compose;
#[cfg(test)]
mod compose_tests;
mod create;
mod faults;
mod instagram;
mod manage;
mod media;
#[cfg(test)]
mod media_tests;
#[cfg(test)]
pub(crate) mod meta_test_support;
mod page;
mod publisher;
mod store;
pub(crate) mod target;
#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod tests;

pub use accounts::{InstagramTarget, PageTarget, RefreshedAccounts};
pub use compose::{ComposeIn, ComposedPost, ComposedPosts, TargetIn};
pub use create::{InstagramPostIn, PagePostIn};
pub use manage::{PostChangeIn, PostList, PostOut, PostQuery};
pub use media::{MediaIn, MediaOut, MediaUpload, MediaUseOut};
pub use publisher::{Clock, Publisher};
pub use store::CreatedPost;

use crate::files::Files;
use crate::jobs::PublishJob;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;
use crate::tokens::Tokens;

/// The operations on posts.
#[derive(Debug, Clone)]
pub struct Publishing {
    /// Stores posts.
    pub table: Table,
    /// The Graph API with the integrations' tokens.
    pub tokens: Tokens,
    /// Takes posts to publish.
    pub queue: Queue<PublishJob>,
    /// Keeps uploaded pictures and videos.
    pub files: Files,
    /// Signs cursors.
    pub key: HmacKey,
}
