//! Messages and comments, as they stand in a conversation.

use std::borrow::Cow;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header;
use jiff::civil::Date;
use leadwire::error::{ActError, Missing};
use leadwire::http::Problem;
use leadwire::ids::MessageId;
use leadwire::inbox::{AttachmentOut, ConversationOut, Direction, MessageOut};
use leadwire::language;
use leadwire::model::inbox::AttachmentStatus;
use leadwire::model::inbox::state::MessageStatus;
use leadwire::tr;
use maud::{Markup, html};

use super::Names;
use crate::actor::Member;
use crate::components::brief_time;
use crate::state::Console;
use crate::zone::Zone;

/// Leads to a kept file of a message, from an address that stays the same.
pub(super) async fn show_file(
    State(console): State<Console>,
    Member { access, .. }: Member,
    Path((message, position)): Path<(String, usize)>,
) -> Result<Response, Problem> {
    let id = MessageId::parse(&message).map_err(|_| Problem::from(ActError::not_found(Missing::File)))?;
    let link = console.rooms.inbox.file_link(&access, &id, position).await?;
    // The link itself works for an hour.
    let cached = [(header::CACHE_CONTROL, "private, max-age=600")];
    Ok((cached, Redirect::temporary(&link)).into_response())
}

/// The messages of a conversation, which come newest first, with a line for each day.
pub(super) fn messages(
    conversation: &ConversationOut,
    newest_first: &[MessageOut],
    names: &Names,
    zone: &Zone,
) -> Markup {
    let mut last: Option<Date> = None;
    html! {
        @if newest_first.is_empty() { p.quiet { (tr!("There are no messages here.")) } }
        ol.plain.messages {
            @for message in newest_first.iter().rev() {
                @let day = zone.day(message.created_time);
                @if last.replace(day) != Some(day) { li.day { (language::weekday_and_date(day)) } }
                (entry(conversation, message, names))
            }
        }
    }
}

fn entry(conversation: &ConversationOut, message: &MessageOut, names: &Names) -> Markup {
    let is_out = matches!(message.direction, Direction::Out);
    // Below a comment stand the replies to it.
    let is_reply = conversation.channel.is_comment() && message.parent_id.is_some();
    let is_failed = message.status == MessageStatus::Failed;
    html! {
        li.message.out[is_out].reply[is_reply].failed[is_failed].note[message.status == MessageStatus::Note] id=(message.id) {
            p.by { (author(conversation, message, names)) }
            div.bubble.gone[message.deleted] {
                @if message.deleted { p.quiet { (tr!("Deleted by its author")) } }
                @if let Some(text) = &message.text { p.text { (text) } }
                @for (position, file) in message.attachments.iter().enumerate() { (attachment(message, position, file)) }
            }
            @if !message.reactions.is_empty() {
                p.reactions { @for reaction in &message.reactions { span { (emoji(&reaction.value)) } } }
            }
            p.facts {
                (brief_time(message.created_time))
                @if let Some(edited) = message.edited_at { span title=(edited) { (tr!("Edited")) } }
                @if message.visibility == Some("hidden") { span { (tr!("Hidden from others")) } }
                @if message.ad_id.is_some() { span { (tr!("Came through an ad")) } }
                @if is_out { (delivery(message.status)) }
            }
            @if is_failed {
                p.wrong {
                    @match &message.reason {
                        Some(reason) => (language::translate(reason)),
                        None => (tr!("Meta did not deliver this.")),
                    }
                }
            }
        }
    }
}

/// Who wrote a message.
fn author(conversation: &ConversationOut, message: &MessageOut, names: &Names) -> Markup {
    let page = || names.page(conversation.page_id.as_ref()).map_or_else(|| tr!("Your account"), Cow::from);
    let name = message.author.name.as_deref();
    html! {
        @match message.author.kind {
            "user" => {
                @if message.author.id.as_deref().is_some_and(|id| names.is_me(id)) { (tr!("You")) } @else { (name.map_or_else(|| tr!("A colleague"), Cow::from)) }
            }
            "page" => { (page()) span.quiet { " " (tr!("in Meta's own inbox")) } }
            "automation" => { (page()) span.quiet { " " (tr!("automated message")) } }
            _ => {
                @let known = conversation.contact.as_ref().and_then(|contact| contact.name.as_deref());
                (name.or(known).map_or_else(|| tr!("Someone"), Cow::from))
            }
        }
    }
}

fn delivery(status: MessageStatus) -> Markup {
    let (class, words) = match status {
        MessageStatus::Received => return html! {},
        MessageStatus::Note => ("", tr!("Note for your team")),
        MessageStatus::Sending => ("", tr!("Sending…")),
        MessageStatus::Sent => ("", tr!("✓ Sent")),
        MessageStatus::Delivered => ("", tr!("✓✓ Delivered")),
        MessageStatus::Read => ("read", tr!("✓✓ Read")),
        MessageStatus::Failed => ("wrong", tr!("Not delivered")),
    };
    html! { span class=(class) { (words) } }
}

/// A file or a link. Pictures are shown, others are links.
fn attachment(message: &MessageOut, position: usize, file: &AttachmentOut) -> Markup {
    let what = kind_name(&file.r#type);
    let name = file.name.as_deref().unwrap_or(&what);
    let own = format!("/inbox/files/{}/{position}", message.id);
    let web = file.url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    html! {
        @match (file.status, file.r#type.as_str(), web) {
            (AttachmentStatus::Ready, "image" | "sticker", _) => a.picture href=(own) target="_blank" { img src=(own) alt=(name) loading="lazy"; },
            (AttachmentStatus::Ready, "audio", _) => audio controls preload="none" src=(own) aria-label=(name) {},
            (AttachmentStatus::Ready, ..) => p.file { a href=(own) target="_blank" { (name) } " " span.quiet { (what) } },
            (AttachmentStatus::Coming, ..) => p.file.quiet { (tr!("{file} is being copied…", file = what)) },
            (AttachmentStatus::Unavailable, ..) => p.file.quiet {
                @match &file.reason {
                    Some(reason) => (tr!("{file} is not available: {reason}", file = what, reason = language::translate(reason))),
                    None => (tr!("{file} is not available", file = what)),
                }
            },
            (AttachmentStatus::Deleted, ..) => {},
            (AttachmentStatus::None, _, Some(url)) => p.file { a href=(url) target="_blank" rel="noopener noreferrer" { (file.name.as_deref().unwrap_or(url)) " ↗" } " " span.quiet { (what) } },
            (AttachmentStatus::None, _, None) => p.file.quiet { (what) @if let Some(name) = &file.name { ": " (name) } },
        }
    }
}

fn kind_name(kind: &str) -> Cow<'_, str> {
    match kind {
        "image" => tr!("Picture"),
        "video" => tr!("Video"),
        "audio" => tr!("Voice message"),
        "file" => tr!("File"),
        "sticker" => tr!("Sticker"),
        "link" => tr!("Link"),
        "location" => tr!("Location"),
        "contacts" => tr!("Contact card"),
        "story_mention" => tr!("Mention in a story"),
        "story_reply" => tr!("Reply to a story"),
        "unsupported" => tr!("Something that Meta shows only in its own apps"),
        other => other.into(),
    }
}

/// A reaction as people know it. Meta has words for its own.
pub(super) fn emoji(value: &str) -> &str {
    match value.to_ascii_lowercase().as_str() {
        "like" => "👍",
        "love" => "❤️",
        "care" => "🤗",
        "haha" => "😆",
        "wow" => "😮",
        "sorry" | "sad" => "😢",
        "anger" | "angry" => "😡",
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use leadwire::inbox::{AuthorOut, ReactionOut};
    use leadwire::model::inbox::Channel;

    use super::super::tests::{conversation, names};
    use super::*;

    fn message(kind: &'static str, direction: Direction) -> MessageOut {
        MessageOut {
            id: MessageId::parse("msg_1").unwrap(),
            meta_id: None,
            parent_id: None,
            direction,
            author: AuthorOut { kind, id: None, name: None },
            text: Some("Hello <b>".to_owned()),
            attachments: Vec::new(),
            created_time: "2026-11-28T23:30:00Z".parse().unwrap(),
            edited_at: None,
            deleted: false,
            visibility: None,
            status: MessageStatus::Received,
            reason: None,
            found_by: "webhook",
            reactions: Vec::new(),
            ad_id: None,
        }
    }

    fn page(list: &[MessageOut]) -> String {
        messages(&conversation(Channel::FacebookComment), list, &names(), &Zone::parse("Europe/Berlin")).into_string()
    }

    #[test]
    fn a_message_says_who_wrote_it_and_how_far_it_is() {
        let mine = AuthorOut { kind: "user", id: Some("sub-1".to_owned()), name: Some("Mona".to_owned()) };
        let parent_id = MessageId::parse("msg_0").ok();
        let mine =
            MessageOut { author: mine, status: MessageStatus::Read, parent_id, ..message("user", Direction::Out) };
        let shown = page(&[mine]);
        for words in ["class=\"message out reply\"", "You", "✓✓ Read", "Hello &lt;b&gt;", "Sunday, 29 November 2026"]
        {
            assert!(shown.contains(words), "{words}: {shown}");
        }
        let failed = MessageOut {
            status: MessageStatus::Failed,
            reason: Some("Blocked (551)".to_owned()),
            ..message("user", Direction::Out)
        };
        assert!(page(&[failed]).contains("Blocked (551)"));
        assert!(
            page(&[message("page", Direction::Out)]).contains("Northwind<span class=\"quiet\"> in Meta's own inbox")
        );
        assert!(page(&[message("contact", Direction::In)]).contains("Ada &lt;Lovelace&gt;"));
        let reactions = vec![ReactionOut { value: "LOVE".to_owned(), by: "1".to_owned() }];
        let gone = MessageOut {
            text: None,
            deleted: true,
            visibility: Some("hidden"),
            reactions,
            ..message("contact", Direction::In)
        };
        let shown = page(&[gone]);
        assert!(
            shown.contains("Deleted by its author") && shown.contains("Hidden from others") && shown.contains("❤️")
        );
    }

    #[test]
    fn pictures_are_shown_from_here_and_links_go_to_the_web_alone() {
        let file = |kind: &str, status, url: Option<&str>| AttachmentOut {
            r#type: kind.to_owned(),
            url: url.map(ToOwned::to_owned),
            status,
            name: None,
            reason: None,
        };
        let show = |file: &AttachmentOut| attachment(&message("contact", Direction::In), 1, file).into_string();
        let picture = show(&file("image", AttachmentStatus::Ready, Some("https://bucket/signed?1")));
        assert!(picture.contains("src=\"/inbox/files/msg_1/1\"") && !picture.contains("bucket"), "{picture}");
        assert!(show(&file("audio", AttachmentStatus::Ready, None)).contains("<audio"));
        assert!(show(&file("video", AttachmentStatus::Coming, None)).contains("Video is being copied"));
        assert!(
            show(&file("link", AttachmentStatus::None, Some("https://shop.example/")))
                .contains("href=\"https://shop.example/\"")
        );
        let script = show(&file("link", AttachmentStatus::None, Some("javascript:alert(1)")));
        assert!(!script.contains("javascript"), "{script}");
    }
}
