//! Samples of the inbox.

use super::lead_samples_tests::{lead_id, text};
use super::org_samples_tests::{demo, now, page, user_id};
use crate::ids::{AdObjectId, ContactId, ConversationId, MessageId, SavedReplyId, UserId};
use crate::model::inbox::event::{DeliveryReport, PostRef, SignalType};
use crate::model::inbox::outgoing::{SendAttachment, SendContent, SendRoute, SendTemplate, Sending};
use crate::model::inbox::saved_reply::SavedReply;
use crate::model::inbox::state::{Edit, MessageContent, MessageState};
use crate::model::inbox::turn::InboxTurn;
use crate::model::inbox::{
    Attachment, AttachmentStatus, Author, Channel, Contact, ContactChannel, ContactSignal, Conversation,
    ConversationStatus, FileSource, Reaction, SendFailure,
};
use crate::model::lead::FoundBy;
use crate::model::publishing::progress::PublishLease;
use crate::table::Table;

pub(super) async fn write(table: &Table) {
    write_contacts(table).await;
    write_conversations(table).await;
    write_messages(table).await;
    let reply = SavedReply {
        id: SavedReplyId::parse("rpl_1").unwrap(),
        title: "Hours".to_owned(),
        text: "We are open until six.".to_owned(),
        updated_at: now(),
    };
    table.put_saved_reply(&demo(), &reply).await.unwrap();
    table.put_post_copy(&demo(), "7_2", "7_1").await.unwrap();
    assert!(table.take_file_volume(&demo(), now(), 5_000, 1_000_000).await.unwrap());
}

fn contact_id(id: &str) -> ContactId {
    ContactId::parse(id).unwrap()
}

fn conversation_id(id: &str) -> ConversationId {
    ConversationId::parse(id).unwrap()
}

fn message_id(id: &str) -> MessageId {
    MessageId::parse(id).unwrap()
}

fn post() -> PostRef {
    PostRef {
        id: "7_1".to_owned(),
        copy: text("7_2"),
        ad_id: AdObjectId::parse("33").ok(),
        permalink: text("https://www.facebook.com/7/posts/1"),
    }
}

async fn write_contacts(table: &Table) {
    let channel = |network: &str, account: &str| ContactChannel {
        network: network.to_owned(),
        account: account.to_owned(),
        meta_id: text("81"),
        username: text("maren"),
        phone: text("+4930901820"),
    };
    let signal = ContactSignal {
        r#type: SignalType::Mention,
        on: "7_1".to_owned(),
        value: text("Look at this"),
        permalink: text("https://www.facebook.com/7/posts/1"),
        at: now(),
        active: true,
    };
    let mut full = Contact {
        id: contact_id("con_1"),
        org: demo().org().clone(),
        name: text("Maren Holt"),
        is_named: true,
        channels: vec![channel("whatsapp", "501"), channel("instagram", "71"), channel("facebook", "7")],
        lead_id: Some(lead_id(1)),
        is_lead_chosen: true,
        merged_into: None,
        merged: vec![contact_id("con_2")],
        signals: vec![signal],
        created_at: now(),
        named_at: Some(now()),
        revision: 0,
    };
    let identities = full.identities();
    assert!(table.put_contact(&demo(), &mut full, &identities).await.unwrap());
    let new = |id: &str| Contact::new(contact_id(id), demo().org().clone(), now());
    let mut gone = Contact { merged_into: Some(contact_id("con_1")), ..new("con_2") };
    let mut bare = new("con_3");
    assert!(table.put_contacts(&demo(), &mut gone, &mut bare).await.unwrap());
}

fn conversation(id: &str, channel: Channel) -> Conversation {
    Conversation::new(demo().org().clone(), conversation_id(id), channel, "7")
}

async fn write_conversations(table: &Table) {
    let mut full = Conversation {
        page_id: Some(page()),
        post: Some(post()),
        root: text("7_1_1"),
        contact_id: Some(contact_id("con_1")),
        status: ConversationStatus::Open,
        snoozed_until: Some(now()),
        assigned_to: Some(user_id("ann")),
        unread: 2,
        read_at: Some(now()),
        changed_at: Some(now()),
        delivered_until: Some(now()),
        read_until: Some(now()),
        last_message_at: now(),
        last_inbound_at: Some(now()),
        preview: "Is there parking?".to_owned(),
        searchable: "maren holt\nis there parking?".to_owned(),
        standby: true,
        standby_at: Some(now()),
        sending: vec![message_id("msg_2")],
        ..conversation("cnv_1", Channel::FacebookComment)
    };
    assert!(table.put_conversation(&demo(), &mut full).await.unwrap());
    let without_details = PostRef { copy: None, ad_id: None, permalink: None, ..post() };
    let mut other = Conversation { post: Some(without_details), ..conversation("cnv_2", Channel::InstagramComment) };
    assert!(table.put_conversation(&demo(), &mut other).await.unwrap());
    assert!(table.put_conversation(&demo(), &mut conversation("cnv_3", Channel::Messenger)).await.unwrap());
}

fn content(author: Author) -> MessageContent {
    MessageContent {
        conversation_id: conversation_id("cnv_4"),
        is_ours: true,
        author,
        text: text("Yes, forty places"),
        attachments: Vec::new(),
        created_time: now(),
        arrived_at: now(),
        parent: None,
        post: None,
        ad_id: None,
        found_by: FoundBy::Sync,
        is_note: false,
    }
}

async fn write_messages(table: &Table) {
    let attachment = |source: FileSource| Attachment {
        r#type: "file".to_owned(),
        url: text("https://northwind.example"),
        name: text("plan.pdf"),
        status: AttachmentStatus::Coming,
        content_type: text("application/pdf"),
        bytes: Some(5_000),
        reason: text("too large"),
        source: Some(source),
    };
    let sources = [FileSource::Address("https://cdn.example/3".to_owned()), FileSource::Whatsapp("91".to_owned())];
    // A reply of a person below a comment, with everything that was reported of it.
    let name = text("Maren Holt");
    let mut full = MessageState {
        mid: text("7_1_2"),
        content: Some(MessageContent {
            is_ours: false,
            attachments: sources.map(attachment).into(),
            parent: text("7_1_1"),
            post: Some(post()),
            ad_id: AdObjectId::parse("33").ok(),
            is_note: true,
            ..content(Author::Contact { id: Some(contact_id("con_1")), name: name.clone() })
        }),
        edit: Some(Edit { text: "Is there any parking?".to_owned(), at: now() }),
        deleted_at: Some(now()),
        hidden: Some((true, now())),
        reactions: vec![Reaction { by: "81".to_owned(), value: text("love"), at: now() }],
        reports: [(DeliveryReport::Read, now())].into(),
        failure: Some(SendFailure { code: 190, message: "Why".to_owned() }),
        ..MessageState::unknown(message_id("msg_1"), Channel::FacebookComment, None)
    };
    assert!(table.put_message(&demo(), &mut full).await.unwrap());
    // What came of a message that has not come.
    let reaction = Reaction { by: "81".to_owned(), value: None, at: now() };
    let reported = MessageState::unknown(message_id("msg_9"), Channel::Messenger, text("m9"));
    let mut reported = MessageState { reactions: vec![reaction], ..reported };
    assert!(table.put_message(&demo(), &mut reported).await.unwrap());
    write_answers(table).await;
}

async fn write_answers(table: &Table) {
    let comment = || "7_1_1".to_owned();
    let routes = [
        SendRoute::Page { page: page(), person: "81".to_owned(), human_agent: true },
        SendRoute::Privately { page: page(), comment: comment(), person: text("81") },
        SendRoute::FacebookComment { comment: comment() },
        SendRoute::InstagramComment { comment: comment() },
        SendRoute::Whatsapp { number: "501".to_owned(), person: text("82"), phone: text("4930901820") },
    ];
    let authors = [
        Author::User { id: user_id("ann"), name: text("Ann") },
        Author::Program { id: UserId::parse("crm").unwrap() },
        Author::Page,
        Author::Automation { app_id: text("99") },
        Author::Contact { id: None, name: None },
    ];
    let template =
        SendTemplate { name: "hours".to_owned(), language: "en_US".to_owned(), variables: vec!["six".to_owned()] };
    let content_sent = SendContent {
        text: text("Yes"),
        attachment: Some(SendAttachment { r#type: "image".to_owned(), url: "https://cdn.example/1.jpg".to_owned() }),
        template: Some(template),
    };
    let mut about = conversation("cnv_4", Channel::Messenger);
    for (number, (route, author)) in routes.into_iter().zip(authors).enumerate() {
        let sending = Sending {
            asked_at: Some(now()),
            began_at: Some(now()),
            looks: 1,
            next_at: Some(now()),
            failures: 2,
            code: 2,
            lease: Some(PublishLease { until: now() }),
            ..Sending::new(route, content_sent.clone(), now())
        };
        let id = message_id(&format!("msg_{}", number + 2));
        let mut answer = MessageState {
            content: Some(content(author)),
            sending: Some(sending),
            ..MessageState::unknown(id, Channel::Messenger, None)
        };
        assert!(table.insert_answer(&demo(), &mut answer, &mut about, None).await.unwrap());
    }
    // One that Meta has under another id, and the turn of the member who got the conversation.
    let mut sent = table.message(&demo(), &message_id("msg_2")).await.unwrap().unwrap();
    (sent.mid, sent.sending) = (text("m2"), None);
    let meta_id = message_id("msg_99");
    assert!(table.settle_message(&demo(), &mut sent, &meta_id, None, &mut about).await.unwrap());
    let mut message = MessageState {
        content: Some(content(Author::Page)),
        ..MessageState::unknown(message_id("msg_8"), Channel::Messenger, text("m8"))
    };
    let turn = InboxTurn { revision: 0, last: Some(user_id("ann")) };
    assert!(table.put_message_in(&demo(), &mut message, &mut about, Some(turn)).await.unwrap());
}
