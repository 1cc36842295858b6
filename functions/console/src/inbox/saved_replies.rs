//! Texts that members write often: put into the form for an answer, and changed on a page of their own.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::error::ActError;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::SavedReplyId;
use leadwire::inbox::SavedReplyIn;
use leadwire::model::inbox::saved_reply::SavedReply;
use leadwire::tr;
use maud::{Markup, html};

use super::MemberForm;
use crate::actor::Member;
use crate::acts::Showing;
use crate::components::{csrf_field, empty, field_problem, is_wrong, problem_alert};
use crate::flash::redirect_with;
use crate::layout::{Section, page};
use crate::session::Visitor;
use crate::state::Console;

const PATH: &str = "/inbox/saved-replies";

/// The way to the saved replies below the form for an answer.
pub(super) fn offer() -> Markup {
    html! { div.saved data-part="/inbox/saved-replies/choice" { a href=(PATH) data-again { (tr!("Use a saved reply")) } } }
}

/// The saved replies, each as a button that puts it into the form.
pub(super) async fn choice(State(console): State<Console>, Member { access, .. }: Member) -> Result<Markup, Problem> {
    let replies = console.rooms.inbox.saved_replies(&access).await?;
    Ok(html! {
        @if replies.is_empty() { p.quiet { (tr!("No saved replies yet.")) } }
        div.acts { @for reply in &replies { button type="button" title=(reply.text) data-insert=(reply.text) { (reply.title) } } }
        p { a href=(PATH) { (tr!("Edit saved replies")) } }
    })
}

pub(super) async fn list(
    State(console): State<Console>,
    Member { visitor, access }: Member,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let replies = console.rooms.inbox.saved_replies(&access).await?;
    Ok(show(&visitor, jar, &replies, None, None))
}

/// Saves a new reply.
pub(super) async fn add(form: MemberForm) -> Result<Response, Problem> {
    save(None, form).await
}

/// Saves a changed reply.
pub(super) async fn change(Id(id): Id<SavedReplyId>, form: MemberForm) -> Result<Response, Problem> {
    save(Some(id), form).await
}

pub(super) async fn delete(Id(id): Id<SavedReplyId>, form: MemberForm) -> Result<Response, Problem> {
    let MemberForm { console, actor, jar, .. } = form;
    let outcome = console.rooms.inbox.delete_saved_reply(&actor.access, &id).await;
    Ok(redirect_with(PATH, jar, outcome.map(|()| tr!("Deleted.").into_owned()).map_err(Problem::from)))
}

async fn save(id: Option<SavedReplyId>, form: MemberForm) -> Result<Response, Problem> {
    let MemberForm { console, actor: Member { visitor, access }, jar, fields } = form;
    // Browsers submit line breaks as two characters.
    let text = fields.raw("text").unwrap_or_default().replace("\r\n", "\n");
    let input = SavedReplyIn { title: fields.text("title"), text };
    match console.rooms.inbox.save_reply(&access, id.as_ref(), input.clone(), leadwire::clock::now()).await {
        Ok(_) => Ok(redirect_with(PATH, jar, Ok(tr!("Saved.").into_owned()))),
        Err(ActError::Refused(refusal)) => {
            let replies = console.rooms.inbox.saved_replies(&access).await?;
            let problem = Problem::from(ActError::Refused(refusal));
            Ok(show(&visitor, jar, &replies, Some((id.as_ref(), &input)), Some(&problem)).showing(Some(&problem)))
        }
        Err(error) => Err(error.into()),
    }
}

/// The page. What was typed is shown again with what is wrong about it.
fn show(
    visitor: &Visitor,
    jar: PrivateCookieJar,
    replies: &[SavedReply],
    typed: Option<(Option<&SavedReplyId>, &SavedReplyIn)>,
    problem: Option<&Problem>,
) -> Response {
    page(visitor, jar, Section::Inbox, &tr!("Saved replies"), &render(visitor, replies, typed, problem))
}

fn render(
    visitor: &Visitor,
    replies: &[SavedReply],
    typed: Option<(Option<&SavedReplyId>, &SavedReplyIn)>,
    problem: Option<&Problem>,
) -> Markup {
    let typed_for = |id: Option<&SavedReplyId>| typed.filter(|(about, _)| *about == id).map(|(_, input)| input);
    let new = SavedReplyIn { title: String::new(), text: String::new() };
    html! {
        (problem_alert(problem.filter(|problem| problem.field.is_none())))
        section.card {
            h2 { (tr!("New reply")) }
            (form(visitor, PATH, typed_for(None).unwrap_or(&new), typed_for(None).and(problem)))
        }
        @if replies.is_empty() { (empty(&tr!("No saved replies yet"), html! { (tr!("Save replies that you send often, and use them again and again.")) })) }
        @for reply in replies {
            @let saved = SavedReplyIn { title: reply.title.clone(), text: reply.text.clone() };
            @let again = typed_for(Some(&reply.id));
            section.card {
                h2 { (reply.title) }
                p.text { (reply.text) }
                details open[again.is_some()] {
                    summary { (tr!("Edit")) }
                    (form(visitor, &format!("{PATH}/{}", reply.id), again.unwrap_or(&saved), again.and(problem)))
                    form method="post" action={ (PATH) "/" (reply.id) "/delete" } { (csrf_field(visitor)) button.danger { (tr!("Delete")) } }
                }
            }
        }
    }
}

fn form(visitor: &Visitor, action: &str, input: &SavedReplyIn, problem: Option<&Problem>) -> Markup {
    html! {
        form method="post" action=(action) {
            (csrf_field(visitor))
            label { (tr!("Title")) input name="title" required maxlength="80" value=(input.title) aria-invalid=[is_wrong(problem, "title")]; }
            (field_problem(problem, "title"))
            label { (tr!("Text")) textarea name="text" rows="4" required maxlength="2000" aria-invalid=[is_wrong(problem, "text")] { "\n" (input.text) } }
            (field_problem(problem, "text"))
            div.acts { button.primary { (tr!("Save")) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use leadwire::error::ErrorCode;
    use leadwire::model::caller::Role;

    use super::*;
    use crate::session::tests::visitor;

    #[test]
    fn what_was_typed_is_still_there_after_a_mistake() {
        let reply = |id: &str| SavedReply {
            id: SavedReplyId::parse(id).unwrap(),
            title: format!("Title {id}"),
            text: "Until <six>.".to_owned(),
            updated_at: "2026-11-28T00:00:00Z".parse().unwrap(),
        };
        let replies = [reply("rep_1"), reply("rep_2")];
        let typed = SavedReplyIn { title: "Hours".to_owned(), text: " ".to_owned() };
        let problem = Problem::field("text", ErrorCode::LengthInvalid, "1 to 2000 characters.");
        let visitor = visitor(Role::Admin, &[]);
        let page = render(&visitor, &replies, Some((Some(&replies[1].id), &typed)), Some(&problem)).into_string();
        assert_eq!((page.matches("value=\"Hours\"").count(), page.matches("<details open>").count()), (1, 1), "{page}");
        assert_eq!(page.matches("id=\"text-mistake\"").count(), 1);
        assert!(page.contains("Until &lt;six&gt;."));
        let page = render(&visitor, &replies, Some((None, &typed)), Some(&problem)).into_string();
        assert_eq!((page.matches("value=\"Hours\"").count(), page.matches("<details open>").count()), (1, 0), "{page}");
    }
}
