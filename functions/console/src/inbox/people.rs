//! The people of the inbox: the list, and one person over all channels.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::directory::MetaAccess;
use leadwire::error::{ActError, ErrorCode};
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::ContactId;
use leadwire::inbox::{ContactChannelOut, ContactOut, ConversationOut, ConversationQuery, SignalOut};
use leadwire::model::inbox::event::SignalType;
use leadwire::model::lead::Lead;
use leadwire::model::org::Permission;
use leadwire::tr;
use maud::{Markup, html};

use super::{Names, channel_tag, joining, message, status_badge};
use crate::actor::Member;
use crate::components::{Tone, badge, empty, phone_link, time};
use crate::layout::{Section, fragment_or_page, page};
use crate::request::ListQuery;
use crate::state::Console;

const PAGE_SIZE: usize = 50;

/// Those whom a search finds: by name, user name or number, among those who were seen last.
pub(super) async fn find(console: &Console, access: &MetaAccess, words: &str) -> Result<Vec<ContactOut>, ActError> {
    const MAX_PAGES: usize = 10;
    const MAX_FOUND: usize = 25;
    let words = words.to_lowercase();
    let (mut found, mut cursor) = (Vec::new(), None);
    for _ in 0..MAX_PAGES {
        let list = console.rooms.inbox.contacts(access, cursor.as_deref(), 100).await?;
        found.extend(list.items.into_iter().filter(|contact| is_found(contact, &words)));
        cursor = list.next_cursor;
        if cursor.is_none() || found.len() >= MAX_FOUND {
            break;
        }
    }
    found.truncate(MAX_FOUND);
    Ok(found)
}

fn is_found(contact: &ContactOut, words: &str) -> bool {
    let channels = contact.channels.iter().flat_map(|channel| [&channel.username, &channel.phone]);
    let texts: Vec<String> = channels.chain([&contact.name]).flatten().map(|text| text.to_lowercase()).collect();
    words.split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
}

pub(super) async fn list(
    State(console): State<Console>,
    Member { visitor, access }: Member,
    Query(query): Query<ListQuery>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let (people, next) = match query.get("q") {
        Some(words) => (find(&console, &access, words).await?, None),
        None => {
            let list = console.rooms.inbox.contacts(&access, query.get("cursor"), PAGE_SIZE).await?;
            (list.items, list.next_cursor)
        }
    };
    let body = html! {
        form.filters.bar method="get" action="/inbox/people" role="search" aria-label=(tr!("Find people")) {
            label { (tr!("Name, user name or number")) input type="search" name="q" value=[query.get("q")]; }
            div.acts { button { (tr!("Find")) } @if query.get("q").is_some() { a.button.plain href="/inbox/people" { (tr!("Clear")) } } }
        }
        @if people.is_empty() {
            @if query.get("q").is_some() { (empty(&tr!("No one found"), html! { (tr!("This list contains only people who have commented, reacted or written to you.")) })) }
            @else { (empty(&tr!("No people yet"), html! { (tr!("People who comment, react or write to you appear here.")) })) }
        } @else {
            div.card.flush {
                table {
                    thead { tr { th { (tr!("Name")) } th { (tr!("Channels")) } th { (tr!("Lead")) } th.number { (tr!("Signals")) } th { (tr!("First seen")) } } }
                    tbody {
                        @for person in &people {
                            tr {
                                td data-label=(tr!("Name")) { a href={ "/inbox/people/" (person.id) } { (name_of(person)) } }
                                td data-label=(tr!("Channels")) { (networks(person)) }
                                td data-label=(tr!("Lead")) { @if person.lead_id.is_some() { (badge(Tone::Good, &tr!("Lead"))) } @else { span.quiet { "–" } } }
                                td.number data-label=(tr!("Signals")) { (person.signals.iter().filter(|signal| signal.active).count()) }
                                td data-label=(tr!("First seen")) { (time(person.created_at)) }
                            }
                        }
                    }
                }
            }
        }
        @if let Some(next) = next { p.acts { a.button href=(query.at("/inbox/people", &[("cursor", &next)])) rel="next" { (tr!("More people")) } } }
    };
    Ok(page(&visitor, jar, Section::Inbox, &tr!("People"), &body))
}

pub(super) fn name_of(person: &ContactOut) -> Cow<'_, str> {
    person.name.as_deref().map_or_else(|| tr!("Unnamed person"), Cow::from)
}

/// The networks on which a person is known, each once.
pub(super) fn networks(person: &ContactOut) -> Markup {
    let mut seen: Vec<&str> = Vec::new();
    for channel in &person.channels {
        if !seen.contains(&channel.channel.as_str()) {
            seen.push(&channel.channel);
        }
    }
    html! { @for network in seen { span class={ "channel " (network) } { (network_name(network)) } " " } }
}

fn network_name(network: &str) -> &str {
    match network {
        "facebook" => "Facebook",
        "instagram" => "Instagram",
        "whatsapp" => "WhatsApp",
        other => other,
    }
}

/// All that is known of a person.
struct Known {
    person: ContactOut,
    conversations: Vec<ConversationOut>,
    /// The lead, for those who may see leads.
    lead: Option<Lead>,
}

impl Known {
    async fn load(console: &Console, member: &Member, id: &ContactId) -> Result<Self, ActError> {
        let access = &member.access;
        let person = console.rooms.inbox.contact(access, id).await?;
        let about = ConversationQuery { contact_id: Some(person.id.clone()), ..ConversationQuery::default() };
        let list = console.rooms.inbox.conversations(access, &about, None, 100, leadwire::clock::now()).await?;
        let lead = match &person.lead_id {
            Some(lead) if member.visitor.may(Permission::LeadManagement) => {
                match console.rooms.leads.get(&access.scope, lead).await {
                    Ok(details) => Some(details.lead),
                    Err(gone) if gone.code() == ErrorCode::NotFound => None,
                    Err(error) => return Err(error),
                }
            }
            _ => None,
        };
        Ok(Self { person, conversations: list.items, lead })
    }
}

pub(super) async fn show(
    State(console): State<Console>,
    member: Member,
    Id(id): Id<ContactId>,
    Query(query): Query<ListQuery>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let names = Names::load(&console, &member.access).await?;
    let Known { person, conversations, lead } = Known::load(&console, &member, &id).await?;
    let body = html! {
        p.acts { (networks(&person)) @if person.lead_id.is_some() { (badge(Tone::Good, &tr!("Lead"))) } }
        div.columns {
            div {
                section.card { h2 { (tr!("Conversations")) } (conversation_list(&conversations, &names)) }
                section.card { h2 { (tr!("Signals")) } (signal_list(&person.signals)) }
            }
            aside {
                section.card { h2 { (tr!("Lead")) } (joining::lead_card(&console, &member, &person, lead.as_ref(), &query).await?) }
                section.card { h2 { (tr!("Channels")) } (channel_list(&person.channels)) }
                section.card { h2 { (tr!("Name")) } (joining::name_form(&member.visitor, &person)) }
                section.card { h2 { (tr!("The same person")) } (joining::person_card(&console, &member, &person, &query).await?) }
                @if member.visitor.is_admin() { section.card { h2 { (tr!("Privacy")) } (joining::erasure_form(&member.visitor, &person)) } }
            }
        }
    };
    Ok(page(&member.visitor, jar, Section::Inbox, &name_of(&person), &body))
}

/// A person in short, beside a conversation.
pub(super) async fn summary(
    State(console): State<Console>,
    member: Member,
    Id(id): Id<ContactId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    const MAX_SIGNALS: usize = 5;
    let names = Names::load(&console, &member.access).await?;
    let Known { person, conversations, lead } = Known::load(&console, &member, &id).await?;
    let newest = person.signals.get(..person.signals.len().min(MAX_SIGNALS)).unwrap_or_default();
    let part = html! {
        h3 { a href={ "/inbox/people/" (person.id) } { (name_of(&person)) } }
        p { (networks(&person)) }
        @match (&lead, &person.lead_id) {
            (Some(lead), _) => p { (badge(Tone::Good, &tr!("Lead"))) " " a href={ "/leads/" (lead.id) } { (joining::lead_name(lead)) } },
            (None, Some(_)) => p { (badge(Tone::Good, &tr!("Lead"))) },
            (None, None) => p.quiet { (tr!("No known lead.")) " " a href={ "/inbox/people/" (person.id) } { (tr!("Join with a lead")) } },
        }
        h4 { (tr!("Conversations")) }
        (conversation_list(&conversations, &names))
        h4 { (tr!("Signals")) }
        (signal_list(newest))
    };
    Ok(fragment_or_page(&headers, &member.visitor, jar, (Section::Inbox, &name_of(&person)), &part))
}

fn conversation_list(conversations: &[ConversationOut], names: &Names) -> Markup {
    html! {
        @if conversations.is_empty() { p.quiet { (tr!("This person has neither commented nor written.")) } }
        ul.plain.runs {
            @for conversation in conversations {
                li {
                    p { (channel_tag(conversation.channel)) " " @if let Some(page) = names.page(conversation.page_id.as_ref()) { (page) " " } (status_badge(conversation.status)) @if conversation.unread > 0 { " " (badge(Tone::Calm, &tr!("Unread"))) } }
                    p { a href={ "/inbox/" (conversation.id) "?status=all" } { @if conversation.preview.is_empty() { (tr!("Open the conversation")) } @else { (conversation.preview) } } }
                    p.quiet { (time(conversation.last_message_at)) @if let Some(user) = &conversation.assigned_to { " · " (names.user(user)) } }
                }
            }
        }
    }
}

fn signal_list(signals: &[SignalOut]) -> Markup {
    html! {
        @if signals.is_empty() { p.quiet { (tr!("Reactions, shares, likes and mentions appear here.")) } }
        ul.plain.runs {
            @for signal in signals {
                li.over[!signal.active] {
                    p { (signal_words(signal)) @if !signal.active { " " (badge(Tone::Dim, &tr!("Removed"))) } }
                    p.quiet {
                        (time(signal.at)) " · "
                        @match &signal.permalink {
                            Some(address) => { a href=(address) rel="noreferrer" target="_blank" { (tr!("See it at Meta")) } }
                            None => { code { (signal.on) } }
                        }
                    }
                }
            }
        }
    }
}

fn signal_words(signal: &SignalOut) -> Markup {
    let value = signal.value.as_deref();
    html! {
        @match signal.r#type {
            SignalType::Reaction => { @if let Some(value) = value { (message::emoji(value)) " " } (tr!("Reacted to a post")) }
            SignalType::Share => (tr!("Shared a post")),
            SignalType::Mention => {
                @match value {
                    Some(text) => (tr!("Mentioned you: “{text}”", text = text)),
                    None => (tr!("Mentioned you")),
                }
            }
            SignalType::Like => (tr!("Liked the page")),
        }
    }
}

fn channel_list(channels: &[ContactChannelOut]) -> Markup {
    html! {
        dl.rows {
            @for channel in channels {
                div {
                    dt { (network_name(&channel.channel)) }
                    dd {
                        @match (&channel.username, &channel.phone, &channel.meta_id) {
                            (None, None, Some(id)) => code { (id) },
                            (username, phone, _) => {
                                @if let Some(username) = username { div { "@" (username) } }
                                @if let Some(phone) = phone { div { (phone_link(phone)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn person() -> ContactOut {
        let channel = |channel: &str, username: Option<&str>, phone: Option<&str>| ContactChannelOut {
            channel: channel.to_owned(),
            meta_id: Some("1".to_owned()),
            username: username.map(ToOwned::to_owned),
            phone: phone.map(ToOwned::to_owned),
        };
        ContactOut {
            id: ContactId::parse("con_1").unwrap(),
            name: Some("Ada <Lovelace>".to_owned()),
            channels: vec![
                channel("facebook", None, None),
                channel("instagram", Some("ada.l"), None),
                channel("whatsapp", None, Some("+447700900123")),
                channel("facebook", None, None),
            ],
            lead_id: None,
            signals: Vec::new(),
            created_at: "2026-11-28T00:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_search_finds_by_name_user_name_and_number() {
        for words in ["ada", "lovelace ada", "ada.l", "7700900", "ada 4477"] {
            assert!(is_found(&person(), words), "{words}");
        }
        for words in ["adam", "ada bob", "999"] {
            assert!(!is_found(&person(), words), "{words}");
        }
    }

    #[test]
    fn a_network_is_named_once() {
        let shown = networks(&person()).into_string();
        assert_eq!(shown.matches("Facebook").count(), 1, "{shown}");
        assert!(shown.contains("Instagram") && shown.contains("WhatsApp"), "{shown}");
    }
}
