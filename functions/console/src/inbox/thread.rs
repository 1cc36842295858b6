//! One conversation: its head with what can be done, its messages, and the form for an answer.

use leadwire::error::ActError;
use leadwire::ids::ConversationId;
use leadwire::inbox::{ConversationChangeIn, ConversationOut};
use leadwire::language;
use leadwire::model::inbox::ConversationStatus;
use leadwire::tr;
use maud::{Markup, html};

use super::composer;
use super::draft::Draft;
use super::{Names, avatar, channel_tag, message, person_name, snooze, status_badge};
use crate::actor::Member;
use crate::components::{csrf_field, lazy_fragment, live_fragment, refresh_within, time, with_markup};
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

/// Messages that are shown at once.
const PAGE_SIZE: usize = 50;

/// Who reads a conversation, and from which list.
pub(super) struct Reader<'a> {
    pub(super) console: &'a Console,
    pub(super) member: &'a Member,
    pub(super) names: &'a Names,
    pub(super) zone: &'a Zone,
    pub(super) query: &'a ListQuery,
}

impl Reader<'_> {
    /// The address of a conversation or of something in it, from which the way leads back to the same list.
    fn path(&self, id: &ConversationId, rest: &str) -> String {
        self.query.at(&format!("/inbox/{id}{rest}"), &[("earlier", "")])
    }
}

/// Reads a conversation and marks it as read.
pub(super) async fn open(reader: &Reader<'_>, id: &ConversationId) -> Result<ConversationOut, ActError> {
    let (inbox, access, now) = (&reader.console.rooms.inbox, &reader.member.access, leadwire::clock::now());
    let conversation = inbox.conversation(access, id, now).await?;
    if conversation.unread == 0 {
        return Ok(conversation);
    }
    let read = ConversationChangeIn { read: Some(true), ..ConversationChangeIn::default() };
    inbox.change_conversation(access, id, &read, now).await
}

/// All of a conversation, with an empty form for an answer unless there is another one.
pub(super) async fn pane(
    reader: &Reader<'_>,
    id: &ConversationId,
    composer: Option<&Markup>,
) -> Result<Markup, ActError> {
    let conversation = open(reader, id).await?;
    let live = live(reader, &conversation).await?;
    let empty = || composer::render(&reader.member.visitor, &conversation, reader.query, &Draft::new(), None);
    let composer = composer.cloned().unwrap_or_else(empty);
    Ok(html! {
        div #thread.thread data-zone=(reader.zone.name()) { (live_fragment(&reader.path(id, "/live"), &live)) }
        div #composer data-part=(reader.path(id, "/composer")) { (composer) }
        @if let Some(contact) = &conversation.contact {
            aside.beside aria-label=(tr!("Person")) { (lazy_fragment(&format!("/inbox/people/{}/summary", contact.id), &tr!("One moment…"))) }
        }
    })
}

/// The head and the messages: what changes while it is read.
pub(super) async fn live(reader: &Reader<'_>, conversation: &ConversationOut) -> Result<Markup, ActError> {
    let earlier = reader.query.get("earlier");
    let inbox = &reader.console.rooms.inbox;
    let list = inbox.messages(&reader.member.access, &conversation.id, earlier, PAGE_SIZE).await?;
    let path = reader.path(&conversation.id, "");
    Ok(html! {
        (head(reader, conversation))
        div.scroll tabindex="0" role="log" aria-label=(tr!("Messages")) {
            div {
                @if let Some(next) = &list.next_cursor {
                    p.earlier { a.button href=(reader.query.at(&format!("/inbox/{}", conversation.id), &[("earlier", next)])) { (tr!("Earlier messages")) } }
                }
                (message::messages(conversation, &list.items, reader.names, reader.zone))
                @if earlier.is_some() { p.earlier { a.button href=(path) { (tr!("Newest messages")) } } }
                // Earlier messages do not change any more, and people read them without being disturbed.
                @else { (refresh_within(4, 12)) }
            }
        }
        span data-reply=(if conversation.reply.allowed { "open" } else { "closed" }) {}
    })
}

fn head(reader: &Reader<'_>, conversation: &ConversationOut) -> Markup {
    let name = person_name(conversation);
    let page = reader.names.page(conversation.page_id.as_ref());
    html! {
        header.head {
            a.back href=(reader.query.at("/inbox", &[("earlier", "")])) { "‹ " span.hidden { (tr!("Back to all")) " " } (tr!("Conversations")) }
            (avatar(&name))
            div.about {
                h2 {
                    @match &conversation.contact {
                        Some(contact) => a href={ "/inbox/people/" (contact.id) } { (name) },
                        None => (name),
                    }
                    " " (status_badge(conversation.status))
                }
                p.quiet {
                    (channel_tag(conversation.channel))
                    @if let Some(page) = page { " · " (page) }
                    @if let Some(post) = &conversation.post { " · " (post_link(post.permalink.as_deref(), post.ad_id.is_some())) }
                    @if let Some(until) = conversation.snoozed_until { " · " (with_markup(&tr!("Snoozed until {time}"), &[("time", time(until))])) }
                }
            }
            div.acts {
                (assignment(reader, conversation))
                (sleep(reader, conversation))
                (status_form(reader, conversation))
            }
        }
    }
}

/// The way to the post under which comments stand.
fn post_link(permalink: Option<&str>, is_ad: bool) -> Markup {
    let words = if is_ad { tr!("Under an ad") } else { tr!("Under a post") };
    html! {
        @match permalink.filter(|link| link.starts_with("https://") || link.starts_with("http://")) {
            Some(link) => a href=(link) target="_blank" rel="noopener noreferrer" { (words) " ↗" },
            None => (words),
        }
    }
}

/// A form of the head. The script puts what it answers into the thread's place.
fn form(reader: &Reader<'_>, conversation: &ConversationOut, act: &str, fields: &Markup) -> Markup {
    html! {
        form method="post" action=(reader.path(&conversation.id, act)) data-in-place="#thread [data-part]" {
            (csrf_field(&reader.member.visitor))
            (fields)
        }
    }
}

fn assignment(reader: &Reader<'_>, conversation: &ConversationOut) -> Markup {
    let (names, assigned) = (reader.names, conversation.assigned_to.as_ref());
    let others = names.assignees().filter(|user| names.me.as_ref() != Some(&user.id) && assigned != Some(&user.id));
    let buttons = html! {
        @if let Some(me) = names.me.as_ref().filter(|me| assigned != Some(me)) { button name="user" value=(me) { (tr!("Me")) } }
        @for user in others { button name="user" value=(user.id) { (user.name) } }
        @if assigned.is_some() { button name="user" value="" { (tr!("No one")) } }
    };
    html! {
        details #assign.menu {
            summary.button { @match assigned { Some(user) => { span.hidden { (tr!("Assigned to")) " " } b { (names.user(user)) } } None => (tr!("Assign")) } }
            (form(reader, conversation, "/assign", &buttons))
        }
    }
}

fn sleep(reader: &Reader<'_>, conversation: &ConversationOut) -> Markup {
    let zone = reader.zone;
    let buttons = html! {
        input type="hidden" name="zone" value=(zone.name());
        @for (value, words, at) in snooze::choices(zone, leadwire::clock::now()) {
            @let at = zone.local(at);
            button name="until" value=(value) { (words) " " span.quiet { (language::weekday(at.date())) " " (language::time_of_day(at.time())) } }
        }
        label { (tr!("Custom time ({zone})", zone = zone.name())) input type="datetime-local" name="at"; }
        button name="until" value="at" { (tr!("Snooze until then")) }
    };
    html! {
        details #snooze.menu {
            summary.button { (tr!("Snooze")) }
            (form(reader, conversation, "/snooze", &buttons))
        }
    }
}

fn status_form(reader: &Reader<'_>, conversation: &ConversationOut) -> Markup {
    let is_open = conversation.status == ConversationStatus::Open;
    let button = html! {
        @if is_open { button name="status" value="closed" aria-keyshortcuts="e" { (tr!("Close")) } }
        @else { button name="status" value="open" aria-keyshortcuts="e" { (tr!("Reopen")) } }
    };
    html! {
        (form(reader, conversation, "/status", &button))
        form method="post" action=(reader.path(&conversation.id, "/unread")) {
            (csrf_field(&reader.member.visitor))
            button.plain aria-keyshortcuts="u" { (tr!("a verb" => "Mark as unread")) }
        }
    }
}
