//! The list of conversations with its filters.

use std::borrow::Cow;

use leadwire::directory::MetaAccess;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::{ContactId, ConversationId, PageId, UserId};
use leadwire::inbox::{ConversationList, ConversationOut, ConversationQuery};
use leadwire::model::inbox::ConversationStatus;
use leadwire::tr;
use maud::{Markup, html};

use super::{CHANNELS, Names, avatar, channel_name, channel_tag, person_name, status_badge};
use crate::components::{BULK_FORM, brief_time, count, empty, problem_alert, refresh_within};
use crate::request::ListQuery;
use crate::state::Console;

const PAGE_SIZE: usize = 30;
const FILTERS: [&str; 5] = ["channel", "assigned_to", "page_id", "contact_id", "q"];

/// The tabs, by the status that they show. All conversations have no status in common.
fn tabs() -> [(&'static str, Cow<'static, str>); 4] {
    [("", tr!("Open")), ("snoozed", tr!("Snoozed")), ("closed", tr!("Closed")), ("all", tr!("All"))]
}

/// The query that an address describes. Open conversations are shown unless it says otherwise.
fn conversation_query(query: &ListQuery, me: &UserId) -> Result<ConversationQuery, Problem> {
    let status = match query.get("status") {
        None => Some(ConversationStatus::Open),
        Some("all") => None,
        Some(text) => {
            let unknown = |_| Problem::field("status", ProblemCode::StatusUnknown, tr!("Choose a status."));
            Some(text.parse().map_err(unknown)?)
        }
    };
    let channel = query.get("channel").map(str::parse).transpose();
    let assigned_to = match query.get("assigned_to") {
        None => None,
        Some("me") => Some(Some(me.clone())),
        Some("none") => Some(None),
        Some(text) => Some(Some(fields::id("assigned_to", text, UserId::parse)?)),
    };
    Ok(ConversationQuery {
        channel: channel
            .map_err(|_| Problem::field("channel", ProblemCode::ChannelUnknown, tr!("Choose a channel.")))?,
        status,
        assigned_to,
        page_id: query.get("page_id").map(|text| fields::id("page_id", text, PageId::parse)).transpose()?,
        contact_id: query.get("contact_id").map(|text| fields::id("contact_id", text, ContactId::parse)).transpose()?,
        words: query.text("q"),
    })
}

/// The list that an address describes, with the conversation that is read marked. A filter with a mistake is a problem
/// in its place.
pub(super) async fn load(
    console: &Console,
    access: &MetaAccess,
    names: &Names,
    query: &ListQuery,
    current: Option<&ConversationId>,
) -> Result<Markup, Problem> {
    let me = names.me.as_ref().unwrap_or(&access.caller.user);
    let wanted = match conversation_query(query, me) {
        Ok(wanted) => wanted,
        Err(problem) => return Ok(problem_alert(Some(&problem))),
    };
    let (cursor, now) = (query.get("cursor"), leadwire::clock::now());
    let list = console.rooms.inbox.conversations(access, &wanted, cursor, PAGE_SIZE, now).await?;
    Ok(render(&list, names, query, current))
}

fn render(list: &ConversationList, names: &Names, query: &ListQuery, current: Option<&ConversationId>) -> Markup {
    let unread = list.items.iter().filter(|conversation| conversation.unread > 0).count();
    html! {
        (refresh_within(5, 15))
        @if list.items.is_empty() { (nothing(query, list.next_cursor.is_some())) }
        @else {
            p.quiet.total { input type="checkbox" data-all="conversation" aria-label=(tr!("Select all conversations in this list")) hidden; (total(list, unread)) }
            ul #conversations.plain.conversations {
                @for conversation in &list.items { (entry(conversation, names, query, current)) }
            }
        }
        @if let Some(next) = &list.next_cursor {
            p.acts { a.button href=(query.at("/inbox", &[("cursor", next)])) rel="next" { (tr!("Earlier conversations")) } }
        }
    }
}

/// How many conversations there are.
fn total(list: &ConversationList, unread: usize) -> String {
    let length = list.items.len();
    let all = match &list.next_cursor {
        Some(_) => tr!([length] "More than {n} conversation" | "More than {n} conversations"),
        None => tr!([length] "{n} conversation" | "{n} conversations"),
    };
    match unread {
        0 => all,
        _ => tr!("{conversations}, {unread} unread", conversations = all, unread = count(unread)),
    }
}

fn entry(conversation: &ConversationOut, names: &Names, query: &ListQuery, current: Option<&ConversationId>) -> Markup {
    let (id, name) = (&conversation.id, person_name(conversation));
    html! {
        li id=(id) {
            label.pick { input type="checkbox" name="conversation" value=(id) form=(BULK_FORM) aria-label=(tr!("Select {name}", name = name)); }
            a.conversation.new[conversation.unread > 0] href=(query.at(&format!("/inbox/{id}"), &[])) data-open aria-current=[(current == Some(id)).then_some("true")] {
                (avatar(&name))
                span.first {
                    b { (name) }
                    (brief_time(conversation.last_message_at))
                }
                span.words {
                    @if conversation.preview.is_empty() { (tr!("Without text")) } @else { (conversation.preview) }
                }
                @if conversation.unread > 0 { span.badge.count { (conversation.unread) span.hidden { " " (tr!("unread")) } } }
                span.facts {
                    (channel_tag(conversation.channel))
                    @if let Some(page) = names.page(conversation.page_id.as_ref()).filter(|_| names.pages.len() > 1) { span { (page) } }
                    @if let Some(user) = &conversation.assigned_to { span { (names.user(user)) } }
                    (status_badge(conversation.status))
                }
            }
        }
    }
}

fn nothing(query: &ListQuery, has_more: bool) -> Markup {
    let is_filtered = FILTERS.iter().any(|name| query.get(name).is_some());
    match query.get("status") {
        _ if has_more => empty(&tr!("No conversations match so far"), html! { (tr!("Earlier ones may.")) }),
        _ if is_filtered => empty(
            &tr!("No conversations match"),
            html! { a href="/inbox" { (tr!("Show all open conversations")) } "." },
        ),
        Some("snoozed") => {
            empty(&tr!("Nothing is snoozed"), html! { (tr!("Snoozed conversations reopen at the time you chose.")) })
        }
        Some(_) => {
            empty(&tr!("No conversations yet"), html! { (tr!("Comments and messages appear here within seconds.")) })
        }
        None => empty(
            &tr!("All done"),
            html! { (tr!("No conversation is open. New comments and messages appear here within seconds.")) },
        ),
    }
}

/// The tabs and the form with the other filters.
pub(super) fn filters(names: &Names, query: &ListQuery) -> Markup {
    let is = |name: &str, value: &str| query.get(name) == Some(value);
    let is_set = FILTERS.iter().any(|name| query.get(name).is_some());
    html! {
        nav.tabs aria-label=(tr!("Status")) {
            @for (status, name) in tabs() {
                @let here = query.get("status").unwrap_or_default() == status;
                a href=(query.at("/inbox", &[("status", status), ("cursor", "")])) aria-current=[here.then_some("page")] { (name) }
            }
            a.people href="/inbox/people" { (tr!("People")) }
        }
        form.find method="get" action="/inbox" role="search" aria-label=(tr!("Find conversations")) {
            @if let Some(status) = query.get("status") { input type="hidden" name="status" value=(status); }
            @if let Some(contact) = query.get("contact_id") { input type="hidden" name="contact_id" value=(contact); }
            div.row {
                input type="search" name="q" value=[query.get("q")] aria-label=(tr!("Name or words")) placeholder=(tr!("Name or words")) aria-keyshortcuts="/";
                button { (tr!("Find")) }
            }
            select name="channel" aria-label=(tr!("Channel")) {
                option value="" { (tr!("Any channel")) }
                @for channel in CHANNELS { option value=(channel) selected[is("channel", channel.into())] { (channel_name(channel)) } }
            }
            select name="assigned_to" aria-label=(tr!("Assigned to")) {
                option value="" { (tr!("Anyone")) }
                option value="me" selected[is("assigned_to", "me")] { (tr!("Mine")) }
                option value="none" selected[is("assigned_to", "none")] { (tr!("Unassigned")) }
                @for user in names.users.iter().filter(|user| names.me.as_ref() != Some(&user.id)) {
                    option value=(user.id) selected[is("assigned_to", user.id.as_str())] { (user.name) }
                }
            }
            @if names.pages.len() > 1 || query.get("page_id").is_some() {
                select name="page_id" aria-label=(tr!("Page")) {
                    option value="" { (tr!("Any page")) }
                    @for (id, name) in &names.pages { option value=(id) selected[is("page_id", id.as_str())] { (name) } }
                }
            }
            @if is_set { a.button.plain href=(query.at("/inbox", &FILTERS.map(|name| (name, "")))) { (tr!("Clear")) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use leadwire::model::inbox::Channel;

    use super::super::tests::{conversation, names, query};
    use super::*;

    #[test]
    fn an_address_says_which_conversations_are_listed() {
        let me = UserId::parse("mona").unwrap();
        let parse = |pairs: &[(&str, &str)]| conversation_query(&query(pairs), &me);
        assert_eq!(parse(&[]).unwrap().status, Some(ConversationStatus::Open));
        assert_eq!(parse(&[("status", "all")]).unwrap().status, None);
        let wanted =
            parse(&[("status", "closed"), ("assigned_to", "me"), ("channel", "whatsapp"), ("q", "ada")]).unwrap();
        assert_eq!((wanted.status, wanted.channel), (Some(ConversationStatus::Closed), Some(Channel::Whatsapp)));
        assert_eq!((wanted.assigned_to, wanted.words.as_deref()), (Some(Some(me.clone())), Some("ada")));
        assert_eq!(parse(&[("assigned_to", "none")]).unwrap().assigned_to, Some(None));
        for (name, value) in [("status", "new"), ("channel", "fax"), ("assigned_to", "a b"), ("page_id", "x")] {
            assert_eq!(parse(&[(name, value)]).unwrap_err().field.as_deref(), Some(name));
        }
    }

    #[test]
    fn an_entry_leads_to_the_conversation_and_back_to_the_same_list() {
        let (one, names) = (conversation(Channel::Messenger), names());
        let entry = |current| entry(&one, &names, &query(&[("assigned_to", "none")]), current).into_string();
        let page = entry(None);
        assert!(page.contains("href=\"/inbox/cnv_1?assigned_to=none\""), "{page}");
        assert!(page.contains("conversation new") && page.contains("2<span class=\"hidden\"> unread"), "{page}");
        assert!(page.contains("Ada &lt;Lovelace&gt;") && !page.contains("aria-current"), "{page}");
        assert!(page.contains("value=\"cnv_1\" form=\"bulk\" aria-label=\"Select Ada &lt;Lovelace&gt;\""), "{page}");
        assert!(entry(Some(&one.id)).contains("aria-current=\"true\""));
    }

    #[test]
    fn an_empty_list_says_what_that_means() {
        let words = |pairs: &[(&str, &str)]| nothing(&query(pairs), false).into_string();
        assert!(words(&[]).contains("All done"));
        assert!(words(&[("status", "snoozed")]).contains("Nothing is snoozed"));
        assert!(words(&[("q", "ada")]).contains("No conversations match"));
        assert!(nothing(&query(&[("q", "ada")]), true).into_string().contains("Earlier ones may"));
    }
}
