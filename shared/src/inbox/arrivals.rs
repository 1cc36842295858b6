//! A message or a comment arrives: where it stands, and who is told.

use jiff::Timestamp;

use super::contacts;
use super::ingest::{AccountOwner, Engagement, MAX_TRIES};
use super::sender::{find_answer, settle};
use crate::error::WorkError;
use crate::ids::{ConversationId, MessageId, OrgScope};
use crate::jobs::AttachmentJob;
use crate::model::event::Event;
use crate::model::inbox::event::{NewAttachment, NewMessage, Person, PostRef};
use crate::model::inbox::people::{conversation_id, identities, message_id};
use crate::model::inbox::state::{MessageContent, MessageState};
use crate::model::inbox::turn::InboxTurn;
use crate::model::inbox::{
    Attachment, AttachmentStatus, Author, Channel, Contact, Conversation, ConversationStatus, FileSource,
};
use crate::model::lead::FoundBy;
use crate::model::lead::assignment::Assignment;
use crate::secret::AccessToken;
use crate::table::{TableError, pause};

/// More than any channel of Meta's allows. They are stored with the message.
const MAX_ATTACHMENTS: usize = 30;

impl Engagement {
    #[expect(clippy::too_many_arguments, reason = "where, what, how it came, and when")]
    pub(super) async fn take_message(
        &self,
        owner: &AccountOwner,
        channel: Channel,
        account: &str,
        new: &NewMessage,
        found_by: FoundBy,
        is_repeated: bool,
        now: Timestamp,
    ) -> Result<(), WorkError> {
        let scope = &owner.scope;
        let id = message_id(channel, &new.mid);
        let mut known = self.table.message(scope, &id).await?;
        let answer = match &new.ours {
            Some(ours) => self.table.message(scope, ours).await?,
            None => None,
        };
        if known.iter().chain(&answer).any(MessageState::is_gone) {
            return Ok(());
        }
        let mut contact = contacts::contact_of(&self.table, scope, channel, account, &new.person, now).await?;
        if let Some(nameless) = contact.as_ref().filter(|contact| contact.is_to_be_named(now))
            && let Some(named) = self.name(owner, channel, account, nameless, &new.person, now).await?
        {
            contact = Some(named);
        }
        let (conversation_id, root) = self.place(owner, channel, account, new, contact.as_ref()).await?;
        if new.is_ours {
            let answer = match answer {
                Some(answer) => Some(answer.id),
                None => self.answer_of(scope, new, &conversation_id).await?,
            };
            if let Some(answer) = answer {
                return Ok(settle(&self.table, scope, &answer, &new.mid).await?);
            }
        }
        let post = self.filed_under(scope, new, known.is_some()).await?;
        for attempt in 1..=MAX_TRIES {
            let mut state = known.unwrap_or_else(|| MessageState::unknown(id.clone(), channel, Some(new.mid.clone())));
            let author = match (new.is_ours, &new.app_id) {
                (false, _) => Author::Contact {
                    id: contact.as_ref().map(|contact| contact.id.clone()),
                    name: new.person.name.clone().or_else(|| new.person.username.clone()),
                },
                (true, Some(app)) => Author::Automation { app_id: Some(app.clone()) },
                (true, None) => Author::Page,
            };
            if state.is_gone() {
                return Ok(());
            }
            let content = MessageContent {
                conversation_id: conversation_id.clone(),
                is_ours: new.is_ours,
                author,
                text: new.text.clone(),
                attachments: new.attachments.iter().take(MAX_ATTACHMENTS).map(attachment).collect(),
                created_time: new.created_time,
                arrived_at: new.arrived_at,
                parent: new.parent.clone(),
                post: post.clone(),
                ad_id: new.ad_id.clone(),
                found_by,
                is_note: false,
            };
            let is_new = state.take_content(content);
            if !is_new {
                // Meta repeats what it has told. A message of the queue that comes again may have been stored by a worker
                // that could not tell of it.
                return if is_repeated { self.tell(scope, &state, account).await } else { Ok(()) };
            }
            let begun = self.table.conversation(scope, &conversation_id).await?;
            let mut conversation = begun.unwrap_or_else(|| Conversation {
                page_id: owner.page_id.clone(),
                post: post.clone(),
                root: root.clone(),
                contact_id: contact.as_ref().filter(|_| !channel.is_comment() || !new.is_ours).map(|c| c.id.clone()),
                ..Conversation::new(scope.org().clone(), conversation_id.clone(), channel, account)
            });
            let before = conversation.status;
            let is_history = owner.connected_at.is_some_and(|connected| new.created_time < connected);
            conversation.take_message(new, contact.as_ref(), is_history);
            let turn = match before {
                ConversationStatus::Open => None,
                _ => self.assign(owner, &mut conversation).await?,
            };
            if self.table.put_message_in(scope, &mut state, &mut conversation, turn).await? {
                if conversation.status != before {
                    self.bus.publish(&[Event::conversation_changed(&conversation, now)]).await?;
                }
                return self.tell(scope, &state, account).await;
            }
            pause(attempt).await;
            known = self.table.message(scope, &id).await?;
        }
        Err(TableError::Contended(MAX_TRIES).into())
    }

    /// The post under which a comment is filed. Below an ad, Meta may name only the ad's copy of it: which post that is,
    /// it has told with another comment.
    async fn filed_under(
        &self,
        scope: &OrgScope,
        new: &NewMessage,
        is_known: bool,
    ) -> Result<Option<PostRef>, TableError> {
        match &new.post {
            Some(PostRef { id, copy: Some(copy), .. }) if !is_known => {
                self.table.put_post_copy(scope, copy, id).await?;
            }
            Some(PostRef { id, copy: None, ad_id: Some(ad), permalink }) => {
                if let Some(post) = self.table.post_of_copy(scope, id).await? {
                    let (copy, ad_id, permalink) = (Some(id.clone()), Some(ad.clone()), permalink.clone());
                    return Ok(Some(PostRef { id: post, copy, ad_id, permalink }));
                }
            }
            _ => {}
        }
        Ok(new.post.clone())
    }

    /// Assigns a conversation that has opened to a member, unless it has one, as its integration says. Returns the turn
    /// that is to be stored with it.
    async fn assign(
        &self,
        owner: &AccountOwner,
        conversation: &mut Conversation,
    ) -> Result<Option<InboxTurn>, TableError> {
        if conversation.status != ConversationStatus::Open || conversation.assigned_to.is_some() {
            return Ok(None);
        }
        let Some(integration) = self.table.integration(&owner.scope, &owner.integration_id).await? else {
            return Ok(None);
        };
        if integration.inbox_assignment == Assignment::Unassigned {
            return Ok(None);
        }
        let users = self.table.users(&owner.scope).await?;
        let mut turn = self.table.inbox_turn(&owner.scope).await?;
        conversation.assigned_to = turn.choose(&integration.inbox_assignment, &users);
        Ok(Some(turn).filter(|_| integration.inbox_assignment == Assignment::RoundRobin))
    }

    /// Asks Meta where a comment stands that has not come. If Meta does not say it, the comment counts as the top.
    async fn root_of(&self, owner: &AccountOwner, comment: &str) -> Result<String, WorkError> {
        let Some(token) = self.page_token(owner).await? else { return Ok(comment.to_owned()) };
        match self.meta.graph().await?.root_of_comment(comment, &token).await {
            Ok(root) => Ok(root),
            Err(error) if error.is_withheld() => {
                tracing::info!(%error, comment, "where a comment stands was not read");
                Ok(comment.to_owned())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks Meta for the name of a person. It is no failure if Meta withholds it.
    async fn name(
        &self,
        owner: &AccountOwner,
        channel: Channel,
        account: &str,
        contact: &Contact,
        person: &Person,
        now: Timestamp,
    ) -> Result<Option<Contact>, WorkError> {
        let Some(id) = person.id.as_deref().filter(|_| matches!(channel, Channel::Messenger | Channel::Instagram))
        else {
            return Ok(None);
        };
        let Some(token) = self.page_token(owner).await? else { return Ok(None) };
        let known = match self.meta.graph().await?.profile(channel, id, &token).await {
            Ok(known) => known,
            Err(error) => {
                tracing::info!(%error, contact = %contact.id, "the name of a person was not read");
                Person::default()
            }
        };
        let mut named = contact.clone();
        named.named_at = Some(now);
        if known.id.is_some() {
            named.see(channel, account, &known);
        }
        // Another writer knows as much.
        let identities = identities(channel, account, &known);
        Ok(self.table.put_contact(&owner.scope, &mut named, &identities).await?.then_some(named))
    }

    /// The token of the page through which an account is reached.
    pub(super) async fn page_token(&self, owner: &AccountOwner) -> Result<Option<AccessToken>, WorkError> {
        let Some(page) = &owner.page_id else { return Ok(None) };
        let connections = self.table.own_connections(&owner.scope, page).await?;
        let Some(connection) = connections.into_iter().next() else { return Ok(None) };
        match self.meta.vault.page_token(&connection.credentials, page).await.map_err(WorkError::from) {
            Ok(token) => Ok(Some(token)),
            Err(error) if error.is_of_token() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Finds the answer of a member that a message of ours is, which does not name it.
    async fn answer_of(
        &self,
        scope: &OrgScope,
        new: &NewMessage,
        conversation: &ConversationId,
    ) -> Result<Option<MessageId>, WorkError> {
        let Some(conversation) = self.table.conversation(scope, conversation).await? else { return Ok(None) };
        Ok(find_answer(&self.table, scope, &conversation, new.text.as_deref(), new.created_time).await?)
    }

    /// Finds the conversation in which a message stands, and the comment with which it begins.
    async fn place(
        &self,
        owner: &AccountOwner,
        channel: Channel,
        account: &str,
        new: &NewMessage,
        contact: Option<&Contact>,
    ) -> Result<(ConversationId, Option<String>), WorkError> {
        if !channel.is_comment() {
            let with = |contact: &Contact| contact.conversation_on(channel, account, &new.person);
            return Ok((contact.map_or_else(|| conversation_id(channel, account, &new.mid), with), None));
        }
        let Some(parent) = &new.parent else {
            return Ok((conversation_id(channel, account, &new.mid), Some(new.mid.clone())));
        };
        let above = self.table.message(&owner.scope, &message_id(channel, parent)).await?;
        if let Some(content) = above.and_then(|state| state.content) {
            return Ok((content.conversation_id, Some(parent.clone())));
        }
        // Replies to replies stand below the comment at the top. Instagram says no other.
        let root = match channel {
            Channel::FacebookComment => self.root_of(owner, parent).await?,
            _ => parent.clone(),
        };
        Ok((conversation_id(channel, account, &root), Some(root)))
    }

    /// Tells the CRM of a message of another person, and has its files copied.
    async fn tell(&self, scope: &OrgScope, state: &MessageState, account: &str) -> Result<(), WorkError> {
        let job = |position| AttachmentJob { org: scope.org().clone(), message: state.id.clone(), position };
        let jobs: Vec<AttachmentJob> = state.files_coming().map(job).collect();
        self.attachments.send(&jobs).await?;
        match Event::message_received(scope, state, account) {
            Some(event) => Ok(self.bus.publish(&[event]).await?),
            None => Ok(()),
        }
    }
}

fn attachment(new: &NewAttachment) -> Attachment {
    let source = match (&new.media_id, &new.url) {
        (Some(id), _) => Some(FileSource::Whatsapp(id.clone())),
        (None, url) => url.clone().map(FileSource::Address),
    };
    let source = source.filter(|_| new.is_file);
    Attachment {
        r#type: new.r#type.clone(),
        url: new.url.clone().filter(|_| !new.is_file),
        name: new.name.clone(),
        status: if source.is_some() { AttachmentStatus::Coming } else { AttachmentStatus::None },
        content_type: None,
        bytes: None,
        reason: None,
        source,
    }
}
