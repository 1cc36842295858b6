//! The form for an answer: what a channel takes, and why it takes nothing any more.

use std::borrow::Cow;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::ConversationId;
use leadwire::inbox::ConversationOut;
use leadwire::model::inbox::Channel;
use leadwire::once::OnceKey;
use leadwire::tr;
use maud::{Markup, html};

use super::desk::conversation_page;
use super::draft::{Draft, Mode};
use super::thread::Reader;
use super::{MemberForm, Names, Place, channel_name, person_name, saved_replies, templates};
use crate::actor::Member;
use crate::acts::Showing;
use crate::components::{Tone, alert, csrf_field, field_problem, is_wrong, time, with_markup};
use crate::flash::redirect_with;
use crate::form::new_request_id;
use crate::messages;
use crate::request::{ListQuery, wants_fragment};
use crate::session::Visitor;
use crate::state::Console;

/// The form as it is now, after the window has opened or closed.
pub(super) async fn part(
    State(console): State<Console>,
    Member { visitor, access }: Member,
    Id(id): Id<ConversationId>,
    Query(query): Query<ListQuery>,
) -> Result<Markup, Problem> {
    let conversation = console.rooms.inbox.conversation(&access, &id, leadwire::clock::now()).await?;
    Ok(render(&visitor, &conversation, &query, &Draft::new(), None))
}

pub(super) async fn send(
    Place { headers, zone, id, query }: Place,
    MemberForm { console, actor: Member { visitor, access }, jar, fields }: MemberForm,
) -> Result<Response, Problem> {
    let (draft, now) = (Draft::submitted(&fields), leadwire::clock::now());
    let answer = async {
        let input = draft.input();
        let once = OnceKey::new("answer", "request_id", &draft.request_id, &(&id, &input))?;
        console.rooms.inbox.answer(&access, &id, input, Some(once), now).await
    };
    let outcome = answer.await.map_err(Problem::from);
    let path = query.at(&format!("/inbox/{id}"), &[]);
    match outcome {
        Ok(_) if wants_fragment(&headers) => {
            let conversation = console.rooms.inbox.conversation(&access, &id, now).await?;
            let form = render(&visitor, &conversation, &query, &Draft::new(), None);
            Ok(html! {
                @if draft.mode == Mode::Private { (alert(Tone::Good, sent_privately(&conversation))) }
                (form)
                span data-sent {}
            }
            .into_response())
        }
        Ok(_) => Ok(redirect_with(&path, jar, Ok(done(draft.mode).into_owned()))),
        Err(problem) if problem.status >= 500 || problem.status == 404 => Err(problem),
        Err(problem) => {
            let conversation = console.rooms.inbox.conversation(&access, &id, now).await?;
            let problem = match problem.code {
                code if code.is(ErrorCode::ContentMissing) => Problem::field("text", code, tr!("Write something.")),
                _ => problem,
            };
            // The next attempt is another request on purpose: this one was carried out.
            let is_reused = problem.code.is(ErrorCode::RequestReused);
            let draft = if is_reused { Draft { request_id: new_request_id(), ..draft } } else { draft };
            let form = render(&visitor, &conversation, &query, &draft, Some(&problem));
            if wants_fragment(&headers) {
                return Ok(form.into_response().showing(Some(&problem)));
            }
            let names = Names::load(&console, &access).await?;
            let member = Member { visitor, access };
            let reader = Reader { console: &console, member: &member, names: &names, zone: &zone, query: &query };
            Ok(conversation_page(&reader, jar, &id, Some(&form)).await?.showing(Some(&problem)))
        }
    }
}

fn done(mode: Mode) -> Cow<'static, str> {
    match mode {
        Mode::Reply | Mode::Private => tr!("Your reply is on its way."),
        Mode::Note => tr!("The note is saved."),
    }
}

fn sent_privately(conversation: &ConversationOut) -> Markup {
    let channel = Mode::Private.channel(conversation.channel);
    let person = html! { (person_name(conversation)) };
    let place = html! {
        @match &conversation.contact {
            Some(contact) => a href={ "/inbox?status=all&channel=" (channel) "&contact_id=" (contact.id) } { (channel_name(channel)) },
            None => (channel_name(channel)),
        }
    };
    let text = tr!("The message to {person} is on its way. It is in their conversation on {channel}.");
    html! { p { (with_markup(&text, &[("person", person), ("channel", place)])) } }
}

/// The form for an answer with what is typed, or why no answer is possible.
pub(super) fn render(
    visitor: &Visitor,
    conversation: &ConversationOut,
    query: &ListQuery,
    draft: &Draft,
    problem: Option<&Problem>,
) -> Markup {
    let is_whatsapp = conversation.channel == Channel::Whatsapp;
    let action = query.at(&format!("/inbox/{}/answer", conversation.id), &[("earlier", "")]);
    let is_beside = |problem: &&Problem| matches!(problem.field.as_deref(), Some("text" | "attachment_url"));
    html! {
        @if let Some(problem) = problem.filter(|problem| !is_beside(problem)) {
            div #refused { (alert(Tone::Bad, html! { (messages::text(problem)) })) }
        }
        @if conversation.reply.allowed {
            (form(visitor, conversation, &action, draft, problem))
        } @else {
            div data-closed {
                (alert(Tone::Warn, html! {
                    p {
                        @match &conversation.reply.reason {
                            Some(reason) => (reason),
                            None => (tr!("This cannot be answered.")),
                        }
                    }
                }))
                // What was typed before it closed is not lost.
                @if !draft.text.is_empty() && draft.mode != Mode::Note {
                    label { (tr!("Your text")) textarea rows="3" readonly { "\n" (draft.text) } }
                }
            }
        }
        @if !conversation.reply.allowed {
            @let draft = if draft.mode == Mode::Note { draft } else { &Draft { mode: Mode::Note, ..Draft::new() } };
            (form(visitor, conversation, &action, draft, problem))
        }
        @if conversation.reply.allowed { (saved_replies::offer()) }
        @if is_whatsapp { (templates::offer(&conversation.id, query, !conversation.reply.allowed)) }
    }
}

fn form(
    visitor: &Visitor,
    conversation: &ConversationOut,
    action: &str,
    draft: &Draft,
    problem: Option<&Problem>,
) -> Markup {
    let modes: Vec<Mode> = Mode::modes(conversation).collect();
    let limit = draft.mode.limit(conversation.channel);
    let has_files = conversation.reply.allowed && conversation.channel != Channel::InstagramComment;
    html! {
        form.composer method="post" action={ (action) "#refused" } data-in-place="#composer" {
            (csrf_field(visitor))
            input type="hidden" name="request_id" value=(draft.request_id);
            @if let [only] = modes.as_slice() {
                input type="hidden" name="mode" value=(only.value());
            } @else {
                fieldset.modes {
                    legend.hidden { (tr!("How to reply")) }
                    @for mode in &modes {
                        @let limit = mode.limit(conversation.channel);
                        label.tick {
                            input type="radio" name="mode" value=(mode.value()) checked[*mode == draft.mode] data-limit=(limit.most) data-unit=(limit.unit) data-act=(mode.act(conversation.channel));
                            (mode_words(*mode, conversation))
                        }
                    }
                }
            }
            textarea name="text" rows="3" aria-label=(tr!("Reply")) placeholder=(placeholder(conversation)) aria-keyshortcuts="r"
                aria-invalid=[is_wrong(problem, "text")] aria-describedby="text-mistake text-left" data-limit=(limit.most) data-unit=(limit.unit) { "\n" (draft.text) }
            (field_problem(problem, "text"))
            @if has_files {
                details open[!draft.attachment_url.is_empty()] {
                    summary { (tr!("Attach a file")) }
                    label { (tr!("Address of a picture, a video, a sound or another file"))
                        input name="attachment_url" inputmode="url" placeholder="https://" value=(draft.attachment_url) aria-invalid=[is_wrong(problem, "attachment_url")] aria-describedby="attachment_url-mistake"; }
                    (field_problem(problem, "attachment_url"))
                }
            }
            div.acts {
                div.hints {
                    p.quiet #text-left { (limit_words(limit.most, limit.unit)) }
                    @if let Some(until) = conversation.reply.until { p.quiet { (with_markup(&tr!("You can reply until {time}"), &[("time", time(until))])) } }
                }
                button.primary aria-keyshortcuts="Control+Enter" { (draft.mode.act(conversation.channel)) }
            }
        }
    }
}

fn limit_words(most: usize, unit: &str) -> String {
    match unit {
        "bytes" => tr!([most] "At most {n} byte" | "At most {n} bytes"),
        _ => tr!([most] "At most {n} character" | "At most {n} characters"),
    }
}

fn placeholder(conversation: &ConversationOut) -> String {
    match conversation.channel {
        _ if !conversation.reply.allowed => tr!("Note for your team").into_owned(),
        Channel::FacebookComment | Channel::InstagramComment => {
            tr!("Reply to {person}", person = person_name(conversation))
        }
        channel => {
            tr!("Message {person} on {channel}", person = person_name(conversation), channel = channel_name(channel))
        }
    }
}

fn mode_words(mode: Mode, conversation: &ConversationOut) -> String {
    match mode {
        Mode::Reply if conversation.channel.is_comment() => tr!("Reply publicly").into_owned(),
        Mode::Reply => tr!("Message {person}", person = person_name(conversation)),
        Mode::Note => tr!("Note for your team").into_owned(),
        Mode::Private => tr!("Message {person} privately", person = person_name(conversation)),
    }
}

#[cfg(test)]
mod tests {
    use leadwire::model::caller::Role;
    use leadwire::model::inbox::reply::ReplyRule;

    use super::super::tests::{conversation, query};
    use super::*;
    use crate::form::Fields;
    use crate::session::tests::visitor;

    fn page(conversation: &ConversationOut, draft: &Draft, problem: Option<&Problem>) -> String {
        render(&visitor(Role::Admin, &[]), conversation, &query(&[("status", "all")]), draft, problem).into_string()
    }

    fn draft() -> Draft {
        Draft { text: "\nHello <b>".to_owned(), attachment_url: "https://a/b".to_owned(), ..Draft::new() }
    }

    #[test]
    fn what_was_typed_is_still_there_after_a_mistake() {
        let problem = Problem::field("attachment_url", ErrorCode::FieldsConflict, "Send one after the other.");
        let draft = Draft { mode: Mode::Private, ..draft() };
        let page = page(&conversation(Channel::FacebookComment), &draft, Some(&problem));
        for kept in [
            "\n\nHello &lt;b&gt;</textarea>",
            "value=\"https://a/b\" aria-invalid=\"true\"",
            "<details open>",
            "value=\"private\" checked",
            "id=\"attachment_url-mistake\">Send one after the other.",
            "action=\"/inbox/cnv_1/answer?status=all#refused\"",
        ] {
            assert!(page.contains(kept), "{kept}: {page}");
        }
        assert!(page.contains(&format!("name=\"request_id\" value=\"{}\"", draft.request_id)));
    }

    #[test]
    fn each_channel_has_its_limit_and_its_ways() {
        let fresh = |channel| page(&conversation(channel), &Draft::new(), None);
        let comment = fresh(Channel::FacebookComment);
        assert!(
            comment.contains("At most 8,000 characters") && comment.contains("Message Ada &lt;Lovelace&gt; privately")
        );
        assert!(
            comment.contains("data-limit=\"2000\" data-unit=\"characters\""),
            "a private one is a message: {comment}"
        );
        assert!(fresh(Channel::Instagram).contains("At most 1,000 bytes"));
        assert!(fresh(Channel::Messenger).contains("value=\"note\" data-limit=\"8000\""), "a note has no channel");
        assert!(!fresh(Channel::InstagramComment).contains("attachment_url"), "comments there have no files");
        let anonymous = ConversationOut { contact: None, ..conversation(Channel::FacebookComment) };
        assert!(!page(&anonymous, &Draft::new(), None).contains("privately"), "no one to write to");
    }

    #[test]
    fn a_closed_window_says_why_and_loses_nothing() {
        let reply = ReplyRule { allowed: false, until: None, reason: Some("Too late.".into()), by_human_agent: false };
        let closed = |channel| ConversationOut { reply: reply.clone(), ..conversation(channel) };
        let page_of = |channel, draft: &Draft| page(&closed(channel), draft, None);
        let messenger = page_of(Channel::Messenger, &draft());
        assert!(
            messenger.contains("Too late.") && messenger.contains("Hello &lt;b&gt;") && !messenger.contains("Send")
        );
        let whatsapp = page_of(Channel::Whatsapp, &Draft::new());
        assert!(whatsapp.contains("data-part=\"/inbox/cnv_1/templates?status=all\" data-later"), "{whatsapp}");
    }

    #[test]
    fn a_form_says_what_is_to_be_sent() {
        let fields = |pairs: &[(&str, &str)]| {
            Fields::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let input =
            Draft::submitted(&fields(&[("text", " a\r\nb "), ("attachment_url", " "), ("mode", "private")])).input();
        assert_eq!((input.text.as_deref(), input.attachment_url, input.private), (Some(" a\nb "), None, true));
        let pairs = [("template", "late"), ("language", "de"), ("variable", "Ada"), ("variable", "noon")];
        let template = Draft::submitted(&fields(&pairs)).input().template.unwrap();
        assert_eq!((template.name.as_str(), template.variables), ("late", vec!["Ada".to_owned(), "noon".to_owned()]));
    }
}
