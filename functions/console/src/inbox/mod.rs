//! The inbox: conversations beside the one that is read, how it is answered, and the people behind them.

mod actions;
mod bulk;
mod composer;
mod desk;
mod draft;
mod joining;
mod list;
mod message;
mod people;
mod saved_replies;
mod snooze;
mod templates;
mod thread;

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{FromRequestParts, Query};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::HeaderMap;
use http::request::Parts;
use leadwire::directory::MetaAccess;
use leadwire::error::ActError;
use leadwire::http::path::Id;
use leadwire::ids::{ConversationId, PageId, UserId};
use leadwire::inbox::ConversationOut;
use leadwire::model::inbox::{Channel, ConversationStatus};
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};

use crate::actor::Member;
use crate::components::{Tone, badge};
use crate::form::Submitted;
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/", get(desk::show_list))
        .route("/list", get(desk::list_part))
        .route("/bulk", post(bulk::apply))
        .route("/people", get(people::list))
        .route("/people/{id}", get(people::show))
        .route("/people/{id}/summary", get(people::summary))
        .route("/people/{id}/name", post(joining::rename))
        .route("/people/{id}/lead", post(joining::join_lead))
        .route("/people/{id}/person", post(joining::join_person))
        .route("/people/{id}/erase", post(joining::erase))
        .route("/saved-replies", get(saved_replies::list).post(saved_replies::add))
        .route("/saved-replies/choice", get(saved_replies::choice))
        .route("/saved-replies/{id}", post(saved_replies::change))
        .route("/saved-replies/{id}/delete", post(saved_replies::delete))
        .route("/files/{message}/{position}", get(message::show_file))
        .route("/{id}", get(desk::show_conversation))
        .route("/{id}/live", get(desk::live_part))
        .route("/{id}/composer", get(composer::part))
        .route("/{id}/templates", get(templates::part))
        .route("/{id}/answer", post(composer::send))
        .route("/{id}/assign", post(actions::assign))
        .route("/{id}/status", post(actions::change_status))
        .route("/{id}/snooze", post(actions::snooze))
        .route("/{id}/unread", post(actions::mark_unread))
}

/// A member's action through a form.
type MemberForm = Submitted<Member>;

/// The conversation that a form is about, and from where it was sent.
struct Place {
    headers: HeaderMap,
    zone: Zone,
    id: ConversationId,
    query: ListQuery,
}

impl FromRequestParts<Console> for Place {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let zone = Zone::from_request_parts(parts, console).await.map_err(IntoResponse::into_response)?;
        let Id(id) = Id::from_request_parts(parts, console).await.map_err(IntoResponse::into_response)?;
        let Query(query) = Query::from_request_parts(parts, console).await.map_err(IntoResponse::into_response)?;
        Ok(Self { headers: parts.headers.clone(), zone, id, query })
    }
}

/// The channels, in the order in which they are offered.
const CHANNELS: [Channel; 5] =
    [Channel::FacebookComment, Channel::InstagramComment, Channel::Messenger, Channel::Instagram, Channel::Whatsapp];

pub(crate) fn channel_name(channel: Channel) -> Cow<'static, str> {
    match channel {
        Channel::FacebookComment => tr!("Facebook comment"),
        Channel::InstagramComment => tr!("Instagram comment"),
        Channel::Messenger => "Messenger".into(),
        Channel::Instagram => "Instagram".into(),
        Channel::Whatsapp => "WhatsApp".into(),
    }
}

/// A channel as a coloured word.
fn channel_tag(channel: Channel) -> Markup {
    html! { span class={ "channel " (channel.network()) } { (channel_name(channel)) } }
}

/// The badge of a conversation that is not open.
fn status_badge(status: ConversationStatus) -> Markup {
    match status {
        ConversationStatus::Open => html! {},
        ConversationStatus::Closed => badge(Tone::Dim, &tr!("Closed")),
        ConversationStatus::Snoozed => badge(Tone::Calm, &tr!("Snoozed")),
    }
}

/// What the other person of a conversation is called.
pub(crate) fn person_name(conversation: &ConversationOut) -> Cow<'_, str> {
    match &conversation.contact {
        Some(contact) => contact.name.as_deref().map_or_else(|| tr!("Unnamed person"), Cow::from),
        None => tr!("Someone"),
    }
}

/// The first letters of a name, in place of a picture.
fn avatar(name: &str) -> Markup {
    let letters: String = name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect();
    html! { span.avatar aria-hidden="true" { (letters.to_uppercase()) } }
}

/// The people and pages of the org, by whose names the inbox calls them.
struct Names {
    users: Vec<User>,
    pages: BTreeMap<PageId, String>,
    /// The reader in the org's directory. A superadmin is in none.
    me: Option<UserId>,
    /// The reader as the login knows them, which is how their answers are signed.
    login: UserId,
}

impl Names {
    async fn load(console: &Console, access: &MetaAccess) -> Result<Self, ActError> {
        let (users, pages) =
            tokio::try_join!(console.rooms.directory.users(&access.scope), console.rooms.leads.pages(&access.scope))?;
        // The login may identify people by ids of its own; the directory and the token both have the e-mail address.
        let is_me = |user: &&User| user.id == access.caller.user || Some(&user.email) == access.caller.email.as_ref();
        let me = users.iter().find(is_me).map(|user| user.id.clone());
        Ok(Self { users, pages, me, login: access.caller.user.clone() })
    }

    /// A member's name, or their id if the CRM has not pushed them.
    fn user<'a>(&'a self, id: &'a UserId) -> Cow<'a, str> {
        if self.me.as_ref() == Some(id) {
            return tr!("You");
        }
        self.users.iter().find(|user| user.id == *id).map_or(id.as_str(), |user| &user.name).into()
    }

    /// Whether this is the reader's own id.
    fn is_me(&self, id: &str) -> bool {
        self.login.as_str() == id || self.me.as_ref().is_some_and(|me| me.as_str() == id)
    }

    fn page(&self, id: Option<&PageId>) -> Option<&str> {
        self.pages.get(id?).map(String::as_str)
    }

    /// Those to whom a conversation can be assigned.
    fn assignees(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| user.active)
    }
}

#[cfg(test)]
mod tests {
    use leadwire::ids::ContactId;
    use leadwire::inbox::{ConversationContact, ConversationPost};
    use leadwire::model::inbox::reply::ReplyRule;

    use super::*;

    pub(super) fn conversation(channel: Channel) -> ConversationOut {
        ConversationOut {
            id: ConversationId::parse("cnv_1").unwrap(),
            channel,
            page_id: PageId::parse("7").ok(),
            account: "7".to_owned(),
            post: channel.is_comment().then(|| ConversationPost {
                id: "7_1".to_owned(),
                permalink: Some("https://www.facebook.com/7_1".to_owned()),
                ad_id: None,
            }),
            contact: Some(ConversationContact {
                id: ContactId::parse("con_1").unwrap(),
                name: Some("Ada <Lovelace>".to_owned()),
            }),
            status: ConversationStatus::Open,
            snoozed_until: None,
            assigned_to: None,
            unread: 2,
            last_message_at: "2026-11-28T10:00:00Z".parse().unwrap(),
            preview: "Until when?".to_owned(),
            reply: ReplyRule { allowed: true, until: None, reason: None, by_human_agent: false },
        }
    }

    pub(super) fn names() -> Names {
        let user = |id: &str, name: &str, active| User {
            id: UserId::parse(id).unwrap(),
            name: name.to_owned(),
            email: format!("{id}@demo.example"),
            role: None,
            active,
            permissions: Vec::new(),
            language: None,
            updated_at: "2026-11-28T00:00:00Z".parse().unwrap(),
        };
        let pages = [(PageId::parse("7").unwrap(), "Northwind".to_owned())];
        let users = vec![user("mona", "Mona", true), user("sofia", "Sofia", true), user("gone", "Gus", false)];
        Names { users, pages: pages.into(), me: UserId::parse("mona").ok(), login: UserId::parse("sub-1").unwrap() }
    }

    pub(super) fn query(pairs: &[(&str, &str)]) -> ListQuery {
        let pairs: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        serde_json::from_value(serde_json::to_value(pairs).unwrap()).unwrap()
    }

    #[test]
    fn people_are_called_by_their_names() {
        let (names, user) = (names(), |id: &str| UserId::parse(id).unwrap());
        assert_eq!([names.user(&user("mona")), names.user(&user("sofia"))], ["You", "Sofia"]);
        assert_eq!(names.user(&user("unknown")), "unknown");
        assert_eq!(names.assignees().count(), 2, "who is not active takes nothing");
        assert_eq!(avatar("Ada von Lovelace").into_string(), "<span class=\"avatar\" aria-hidden=\"true\">AV</span>");
        let anonymous = ConversationOut { contact: None, ..conversation(Channel::FacebookComment) };
        assert_eq!(person_name(&anonymous), "Someone");
    }
}
