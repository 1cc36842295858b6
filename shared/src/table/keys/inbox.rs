//! The keys of the inbox: conversations, messages, people, and the accounts through which they come.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::{IndexKey, Key, ListKey, contacts_of_lead, page_pk};
use crate::ids::{ContactId, ConversationId, IntegrationId, LeadId, MessageId, OrgId, OrgScope, PageId, SavedReplyId};
use crate::model::inbox::ConversationStatus;
use crate::model::inbox::people::Identity;
use crate::model::inbox::state::MessageContent;

/// Formats a time to the millisecond so that text order is time order.
fn millisecond(time: Timestamp) -> String {
    format!("{:014}", time.as_millisecond().max(0))
}

pub(in crate::table) fn conversation(scope: &OrgScope, id: &ConversationId) -> Key {
    Key { pk: format!("ORG#{}#CONVERSATION#{id}", scope.org()), sk: "CONVERSATION".to_owned() }
}

/// The partition of the second index with the org's conversations of a status, by their newest message.
pub(in crate::table) fn conversations_of_org(scope: &OrgScope, status: ConversationStatus) -> String {
    format!("ORG#{}#CONVERSATIONS#{status}", scope.org())
}

/// A position among conversations.
pub(in crate::table) fn conversation_position(last: Timestamp, id: &ConversationId) -> String {
    format!("{}#{id}", millisecond(last))
}

pub(in crate::table) fn conversation_list(
    scope: &OrgScope,
    status: ConversationStatus,
    last: Timestamp,
    id: &ConversationId,
) -> ListKey {
    ListKey::new(conversations_of_org(scope, status), conversation_position(last, id))
}

/// Where an unread conversation is found, as long as it is that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::table) struct UnreadKey {
    /// Partition key of the fourth index.
    gsi4pk: String,
    /// Sort key of the fourth index.
    gsi4sk: String,
}

/// The partition of the fourth index with the org's unread conversations.
pub(in crate::table) fn unread_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#UNREAD", scope.org())
}

pub(in crate::table) fn unread_conversation(scope: &OrgScope, id: &ConversationId) -> UnreadKey {
    UnreadKey { gsi4pk: unread_of_org(scope), gsi4sk: id.to_string() }
}

/// Where a person's conversations are found.
pub(in crate::table) fn conversation_of_contact(
    scope: &OrgScope,
    contact: &ContactId,
    id: &ConversationId,
) -> IndexKey {
    IndexKey { gsi1pk: conversations_of_contact(scope, contact), gsi1sk: id.to_string() }
}

/// Where what a person wrote below others' comments is found.
pub(in crate::table) fn reply_of_contact(scope: &OrgScope, contact: &ContactId, id: &MessageId) -> IndexKey {
    IndexKey { gsi1pk: replies_of_contact(scope, contact), gsi1sk: id.to_string() }
}

pub(in crate::table) fn replies_of_contact(scope: &OrgScope, contact: &ContactId) -> String {
    format!("ORG#{}#CONTACT#{contact}#REPLIES", scope.org())
}

pub(in crate::table) fn conversations_of_contact(scope: &OrgScope, contact: &ContactId) -> String {
    format!("ORG#{}#CONTACT#{contact}#CONVERSATIONS", scope.org())
}

pub(in crate::table) fn message(scope: &OrgScope, id: &MessageId) -> Key {
    Key { pk: format!("ORG#{}#MESSAGE#{id}", scope.org()), sk: "MESSAGE".to_owned() }
}

/// The partition of the second index with a conversation's messages, by time.
pub(in crate::table) fn messages_of_conversation(scope: &OrgScope, conversation: &ConversationId) -> String {
    format!("ORG#{}#CONVERSATION#{conversation}#MESSAGES", scope.org())
}

pub(in crate::table) fn message_list(scope: &OrgScope, content: &MessageContent, id: &MessageId) -> ListKey {
    let (created, arrived) = (millisecond(content.created_time), content.arrived_at.as_microsecond());
    // Of the same second, a comment comes before the replies to it.
    let is_reply = u8::from(content.post.is_some() && content.parent.is_some());
    let list = messages_of_conversation(scope, &content.conversation_id);
    ListKey::new(list, format!("{created}#{is_reply}#{arrived:017}#{id}"))
}

/// Which message of ours is meant by an id that was made from Meta's. Messages of others bear it themselves.
pub(in crate::table) fn message_alias(scope: &OrgScope, id: &MessageId) -> Key {
    Key { pk: format!("ORG#{}#MESSAGE#{id}", scope.org()), sk: "ALIAS".to_owned() }
}

/// What the org kept in files on a day.
pub(in crate::table) fn file_volume(scope: &OrgScope, day: Date) -> Key {
    Key { pk: format!("ORG#{}#FILE_VOLUME", scope.org()), sk: format!("DAY#{day}") }
}

/// Which post an ad's copy shows.
pub(in crate::table) fn post_copy(scope: &OrgScope, copy: &str) -> Key {
    Key { pk: format!("ORG#{}#COPY#{copy}", scope.org()), sk: "COPY".to_owned() }
}

/// Who of the org's members had the last turn in the inbox.
pub(in crate::table) fn inbox_turn(scope: &OrgScope) -> Key {
    Key { pk: format!("ORG#{}#INBOX_TURN", scope.org()), sk: "TURN".to_owned() }
}

/// The partition with an org's saved replies.
pub(in crate::table) fn saved_replies(scope: &OrgScope) -> String {
    format!("ORG#{}#SAVED_REPLIES", scope.org())
}

pub(in crate::table) fn saved_reply(scope: &OrgScope, id: &SavedReplyId) -> Key {
    Key { pk: saved_replies(scope), sk: format!("REPLY#{id}") }
}

pub(in crate::table) fn contact(scope: &OrgScope, id: &ContactId) -> Key {
    Key { pk: format!("ORG#{}#CONTACT#{id}", scope.org()), sk: "CONTACT".to_owned() }
}

/// The partition of the second index with the org's people, by when they were first seen.
pub(in crate::table) fn contacts_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#CONTACTS", scope.org())
}

pub(in crate::table) fn contact_list(scope: &OrgScope, created: Timestamp, id: &ContactId) -> ListKey {
    ListKey::new(contacts_of_org(scope), format!("{}#{id}", millisecond(created)))
}

pub(in crate::table) fn lead_contact(scope: &OrgScope, lead: &LeadId, contact: &ContactId) -> IndexKey {
    IndexKey { gsi1pk: contacts_of_lead(scope, lead), gsi1sk: contact.to_string() }
}

/// Which contact an identity belongs to. The key is the hash from which ids of contacts are made: a number or a user name
/// that a person once had is written nowhere.
pub(in crate::table) fn identity(scope: &OrgScope, identity: &Identity) -> Key {
    Key { pk: format!("ORG#{}#IDENTITY#{}", scope.org(), identity.contact_id()), sk: "IDENTITY".to_owned() }
}

/// Which orgs an Instagram account or a WhatsApp number belongs to. `network` and `account` as in the model.
pub(in crate::table) fn inbox_account(network: &str, account: &str, scope: &OrgScope, id: &IntegrationId) -> Key {
    Key { pk: inbox_accounts(network, account), sk: format!("{INBOX_ACCOUNT_PREFIX}{}#INTEGRATION#{id}", scope.org()) }
}

/// The beginning of the sort keys of an account's orgs.
pub(in crate::table) const INBOX_ACCOUNT_PREFIX: &str = "ORG#";

pub(in crate::table) fn inbox_accounts(network: &str, account: &str) -> String {
    format!("ACCOUNT#{network}#{account}")
}

/// The partition of the first index with an org's accounts.
pub(in crate::table) fn accounts_of_org(scope: &OrgScope, network: &str, account: &str) -> IndexKey {
    IndexKey { gsi1pk: inbox_accounts_of_org(scope), gsi1sk: format!("{network}#{account}") }
}

pub(in crate::table) fn inbox_accounts_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#ACCOUNTS", scope.org())
}

/// Index partition of the answers that need a worker at some time.
pub(in crate::table) const ANSWERS_DUE: &str = "ANSWERS_DUE";

pub(in crate::table) fn answer_due(scope: &OrgScope, id: &MessageId, at: Timestamp) -> IndexKey {
    IndexKey { gsi1pk: ANSWERS_DUE.to_owned(), gsi1sk: format!("{}#{}#{id}", millisecond(at), scope.org()) }
}

/// The last position of what is due until a time.
pub(in crate::table) fn answers_until(until: Timestamp) -> String {
    format!("{}~", millisecond(until))
}

/// Parses the org and the id of an answer from a position among those that are due.
pub(in crate::table) fn parse_answer_due(gsi1sk: &str) -> Option<(OrgId, MessageId)> {
    let mut parts = gsi1sk.splitn(3, '#').skip(1);
    Some((OrgId::parse(parts.next()?).ok()?, MessageId::parse(parts.next()?).ok()?))
}

/// How far the comparisons of a page's comments and messages with Meta have come.
pub(in crate::table) fn social_progress(scope: &OrgScope, integration: &IntegrationId, page: &PageId) -> Key {
    Key { pk: page_pk(page), sk: format!("SOCIAL#ORG#{}#INTEGRATION#{integration}", scope.org()) }
}
