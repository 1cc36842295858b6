//! The room of the inbox: comments and messages of all channels become conversations with people.
//!
//! [`Engagement`] takes what Meta's webhooks report and stores it; [`Inbox`] has the operations of the API and the
//! console. Whatever the order in which notices come, and however often, the same ones lead to the same conversations.

#[cfg(test)]
mod answer_tests;
mod answers;
mod arrivals;
#[cfg(test)]
mod attachment_tests;
mod attachments;
mod bulk;
#[cfg(test)]
mod case_test_support;
#[cfg(test)]
mod comment_case_tests;
#[cfg(test)]
mod contact_tests;
mod contacts;
mod conversations;
mod erasure;
#[cfg(test)]
mod hostile_tests;
mod ingest;
#[cfg(test)]
mod list_case_tests;
#[cfg(test)]
mod lost_answer_tests;
#[cfg(test)]
mod member_tests;
#[cfg(test)]
mod message_case_tests;
mod messages;
mod reports;
mod saved_replies;
mod sender;
mod sync;
mod templates;
#[cfg(test)]
pub(crate) mod tests;
#[cfg(test)]
mod whatsapp_case_tests;

pub use answers::AnswerIn;
pub use attachments::AttachmentKeeper;
pub use bulk::ConversationBulkOutcome;
pub use contacts::{ContactChangeIn, ContactChannelOut, ContactList, ContactOut, SignalOut};
pub use conversations::{
    ConversationChangeIn, ConversationContact, ConversationList, ConversationOut, ConversationPost, ConversationQuery,
};
pub use ingest::Engagement;
pub use messages::{AttachmentOut, AuthorOut, Direction, MessageList, MessageOut, ReactionOut};
pub use saved_replies::SavedReplyIn;
pub use sender::Sender;
pub use sync::SocialSync;
pub use templates::{TemplateList, TemplateOut};

use crate::bus::Bus;
use crate::files::Files;
use crate::jobs::AnswerJob;
use crate::meta_app::MetaApp;
use crate::queue::Queue;
use crate::secret::HmacKey;
use crate::table::Table;

/// The operations on conversations and contacts.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// The Graph API and the vault.
    pub meta: MetaApp,
    /// Stores them.
    pub table: Table,
    /// Takes the events.
    pub bus: Bus,
    /// Keeps the files of messages.
    pub files: Files,
    /// Takes answers to send.
    pub answers: Queue<AnswerJob>,
    /// Whether Meta has approved the feature Human Agent for the app.
    pub has_human_agent: bool,
    /// Signs cursors.
    pub key: HmacKey,
}
