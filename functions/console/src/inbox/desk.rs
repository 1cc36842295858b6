//! The page of the inbox: the list, and beside it the conversation that is read. On a phone one after the other.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::ConversationId;
use leadwire::tr;
use maud::{Markup, html};

use super::thread::{self, Reader};
use super::{Names, bulk, list};
use crate::actor::Member;
use crate::components::{empty, live_fragment, with_markup};
use crate::layout::{Section, page};
use crate::request::{ListQuery, wants_fragment};
use crate::session::Visitor;
use crate::state::Console;
use crate::zone::Zone;

/// The list without a conversation.
pub(super) async fn show_list(
    State(console): State<Console>,
    Member { visitor, access }: Member,
    Query(query): Query<ListQuery>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let names = Names::load(&console, &access).await?;
    let list = list::load(&console, &access, &names, &query, None).await?;
    let how = with_markup(&tr!("Select one from the list, or press {key}."), &[("key", html! { kbd { "j" } })]);
    let pane = empty(&tr!("No conversation selected"), how);
    Ok(page(&visitor, jar, Section::Inbox, &tr!("Inbox"), &desk(&visitor, &names, &query, &list, &pane, false)))
}

/// The list alone, as it is now.
pub(super) async fn list_part(
    State(console): State<Console>,
    Member { access, .. }: Member,
    Query(query): Query<ListQuery>,
) -> Result<Markup, Problem> {
    let names = Names::load(&console, &access).await?;
    list::load(&console, &access, &names, &query, None).await
}

/// A conversation beside the list; for the script, without the list. It counts as read.
pub(super) async fn show_conversation(
    State(console): State<Console>,
    member: Member,
    zone: Zone,
    Id(id): Id<ConversationId>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let names = Names::load(&console, &member.access).await?;
    let reader = Reader { console: &console, member: &member, names: &names, zone: &zone, query: &query };
    if wants_fragment(&headers) {
        return Ok(thread::pane(&reader, &id, None).await?.into_response());
    }
    conversation_page(&reader, jar, &id, None).await
}

/// A conversation beside the list, with this form for an answer.
pub(super) async fn conversation_page(
    reader: &Reader<'_>,
    jar: PrivateCookieJar,
    id: &ConversationId,
    composer: Option<&Markup>,
) -> Result<Response, Problem> {
    let Reader { console, member, names, query, .. } = reader;
    // First, because the list shows it as read.
    let pane = thread::pane(reader, id, composer).await?;
    let list = list::load(console, &member.access, names, query, Some(id)).await?;
    Ok(page(
        &member.visitor,
        jar,
        Section::Inbox,
        &tr!("Inbox"),
        &desk(&member.visitor, names, query, &list, &pane, true),
    ))
}

/// The head and the messages of a conversation, as they are now. It counts as read: the script asks only while the page
/// is visible.
pub(super) async fn live_part(
    State(console): State<Console>,
    member: Member,
    zone: Zone,
    Id(id): Id<ConversationId>,
    Query(query): Query<ListQuery>,
) -> Result<Markup, Problem> {
    let names = Names::load(&console, &member.access).await?;
    let reader = Reader { console: &console, member: &member, names: &names, zone: &zone, query: &query };
    Ok(thread::live(&reader, &thread::open(&reader, &id).await?).await?)
}

fn desk(visitor: &Visitor, names: &Names, query: &ListQuery, list: &Markup, pane: &Markup, is_open: bool) -> Markup {
    html! {
        div.inbox.open[is_open] data-inbox {
            section.list aria-label=(tr!("Conversations")) {
                (list::filters(names, query))
                (live_fragment(&query.at("/inbox/list", &[]), list))
                (bulk::bar(visitor, names, query))
                p.quiet.keys {
                    kbd { "j" } " " kbd { "k" } " " (tr!("next, previous")) " · "
                    kbd { "r" } " " (tr!("reply")) " · " kbd { "e" } " " (tr!("close")) " · " kbd { "u" } " " (tr!("unread")) " · " kbd { "x" } " " (tr!("select")) " · "
                    kbd { "/" } " " (tr!("find")) " · " kbd { (tr!("Ctrl")) } " " kbd { "Enter" } " " (tr!("send"))
                }
            }
            section.pane #pane tabindex="-1" aria-label=(tr!("Conversation")) { (pane) }
        }
    }
}
