//! What is done to several conversations of the list at once.

use std::collections::BTreeSet;

use axum::extract::Query;
use axum::response::Response;
use leadwire::error::ErrorCode;
use leadwire::http::{Problem, fields};
use leadwire::ids::ConversationId;
use leadwire::inbox::{ConversationBulkOutcome, ConversationChangeIn};
use leadwire::model::inbox::ConversationStatus;
use leadwire::model::lead::query::Assignee;
use leadwire::tr;
use maud::{Markup, html};

use super::{MemberForm, Names};
use crate::acts::Showing;
use crate::components::{BULK_FORM, count, csrf_field};
use crate::flash::{Flash, redirect_with};
use crate::form::Fields;
use crate::messages;
use crate::request::ListQuery;
use crate::session::Visitor;

/// Conversations of one request. More would take longer than a request may.
const MAX_CONVERSATIONS: usize = 50;

/// The bar with what can be done to the selected conversations. The style shows it while one is selected.
pub(super) fn bar(visitor: &Visitor, names: &Names, query: &ListQuery) -> Markup {
    let status = query.get("status");
    let others = names.assignees().filter(|user| names.me.as_ref() != Some(&user.id));
    html! {
        form.bulk.card id=(BULK_FORM) method="post" action=(query.at("/inbox/bulk", &[])) aria-label=(tr!("Selected conversations")) {
            (csrf_field(visitor))
            b data-count="conversation" { (tr!("Selected conversations")) }
            label { span.hidden { (tr!("Assign to")) } select name="assigned_to" {
                option value="" { (tr!("Assign to…")) }
                @if let Some(me) = &names.me { option value=(me) { (tr!("Me")) } }
                option value=(Assignee::UNASSIGNED) { (tr!("No one")) }
                @for user in others { option value=(user.id) { (user.name) } }
            } }
            button name="act" value="assign" { (tr!("Assign")) }
            @if status != Some("closed") { button name="act" value="close" { (tr!("Close")) } }
            @if status.is_some() { button name="act" value="reopen" { (tr!("Reopen")) } }
            button name="act" value="read" { (tr!("a verb" => "Mark as read")) }
            button name="act" value="unread" { (tr!("a verb" => "Mark as unread")) }
        }
    }
}

pub(super) async fn apply(Query(query): Query<ListQuery>, form: MemberForm) -> Result<Response, Problem> {
    let MemberForm { console, actor: member, jar, fields } = form;
    let list = query.at("/inbox", &[]);
    let changed = async {
        let (ids, change) = (selection(&fields)?, change(&fields)?);
        let now = leadwire::clock::now();
        Ok::<_, Problem>(console.rooms.inbox.change_conversations(&member.access, &ids, &change, now).await?)
    };
    Ok(match changed.await {
        Ok(outcome) => {
            let (flash, problem) = report(outcome);
            redirect_with(&list, jar, Ok(flash)).showing(problem.as_ref())
        }
        Err(problem) => redirect_with(&list, jar, Err::<Flash, _>(problem)),
    })
}

fn selection(form: &Fields) -> Result<Vec<ConversationId>, Problem> {
    let read = |text: &str| fields::id("conversation", text, ConversationId::parse);
    let ids: BTreeSet<ConversationId> = form.all("conversation").map(read).collect::<Result<_, _>>()?;
    if ids.is_empty() || ids.len() > MAX_CONVERSATIONS {
        let detail = tr!("Select the conversations to change, {most} at most.", most = MAX_CONVERSATIONS);
        return Err(Problem::field("conversation", ErrorCode::ListInvalid, detail));
    }
    Ok(ids.into_iter().collect())
}

fn change(form: &Fields) -> Result<ConversationChangeIn, Problem> {
    let unchanged = ConversationChangeIn::default();
    Ok(match form.get("act") {
        Some("close") => ConversationChangeIn { status: Some(ConversationStatus::Closed), ..unchanged },
        Some("reopen") => ConversationChangeIn { status: Some(ConversationStatus::Open), ..unchanged },
        Some("read") => ConversationChangeIn { read: Some(true), ..unchanged },
        Some("unread") => ConversationChangeIn { read: Some(false), ..unchanged },
        _ => {
            let chosen = form.get("assigned_to").unwrap_or_default();
            let assigned_to = match fields::id("assigned_to", chosen, Assignee::parse)? {
                Assignee::Unassigned => None,
                Assignee::User(user) => Some(user),
            };
            ConversationChangeIn { assigned_to: Some(assigned_to), ..unchanged }
        }
    })
}

/// What came of a change, in words, and the first of its failures.
fn report(outcome: ConversationBulkOutcome) -> (Flash, Option<Problem>) {
    let ConversationBulkOutcome { changed, gone, failed, failure } = outcome;
    let problem = failure.map(Problem::from);
    let flash = match (&problem, gone) {
        (Some(problem), _) => Flash::failed(tr!(
            [changed] "{n} conversation changed, {failed} not: {problem}"
                | "{n} conversations changed, {failed} not: {problem}",
            failed = count(failed),
            problem = messages::text(problem),
        )),
        (None, 0) => Flash::done(tr!([changed] "{n} conversation changed." | "{n} conversations changed.")),
        (None, gone) => {
            let text = tr!(
                [changed] "{n} conversation changed; {gone} no longer there."
                    | "{n} conversations changed; {gone} no longer there.",
                gone = count(gone),
            );
            if changed > 0 { Flash::done(text) } else { Flash::failed(text) }
        }
    };
    (flash, problem)
}

#[cfg(test)]
mod tests {
    use leadwire::error::ActError;
    use leadwire::ids::UserId;
    use leadwire::model::caller::Role;

    use super::super::tests::{names, query};
    use super::*;
    use crate::session::tests::visitor;

    fn form(fields: &[(&str, &str)]) -> Fields {
        Fields::new(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn the_bar_offers_what_the_tab_leaves_to_do_and_keeps_the_filters() {
        let bar = |pairs: &[(&str, &str)]| bar(&visitor(Role::Admin, &[]), &names(), &query(pairs)).into_string();
        let open = bar(&[("assigned_to", "none")]);
        assert!(open.contains("action=\"/inbox/bulk?assigned_to=none\"") && open.contains("value=\"close\""), "{open}");
        assert!(!open.contains("value=\"reopen\"") && !open.contains("value=\"gone\""), "{open}");
        let closed = bar(&[("status", "closed")]);
        assert!(closed.contains("value=\"reopen\"") && !closed.contains("value=\"close\""), "{closed}");
    }

    #[test]
    fn a_selection_has_an_end_and_names_each_conversation_once() {
        let ids = selection(&form(&[("conversation", "cnv_2"), ("conversation", "cnv_1"), ("conversation", "cnv_2")]));
        assert_eq!(ids.unwrap().iter().map(ConversationId::as_str).collect::<Vec<_>>(), ["cnv_1", "cnv_2"]);
        let many: Vec<String> = (0..=MAX_CONVERSATIONS).map(|number| format!("cnv_{number}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|id| ("conversation", id.as_str())).collect();
        for wrong in [&[][..], &many[..], &[("conversation", "a b")][..]] {
            assert_eq!(selection(&form(wrong)).unwrap_err().field.as_deref(), Some("conversation"));
        }
    }

    #[test]
    fn an_act_changes_one_thing() {
        let change = |fields: &[(&str, &str)]| change(&form(fields));
        let closing = change(&[("act", "close"), ("assigned_to", "mona")]).unwrap();
        assert_eq!((closing.status, closing.assigned_to, closing.read), (Some(ConversationStatus::Closed), None, None));
        let to = |user| change(&[("act", "assign"), ("assigned_to", user)]).map(|change| change.assigned_to.unwrap());
        assert_eq!(to("mona").unwrap(), UserId::parse("mona").ok());
        assert_eq!(to(Assignee::UNASSIGNED).unwrap(), None);
        assert_eq!(to("").unwrap_err().field.as_deref(), Some("assigned_to"));
        assert_eq!(change(&[("act", "read")]).unwrap().read, Some(true));
    }

    #[test]
    fn a_failure_says_how_many_and_why() {
        let outcome = |failed, gone| ConversationBulkOutcome {
            changed: 3,
            gone,
            failed,
            failure: (failed > 0).then(|| ActError::refuse(ErrorCode::Unavailable, "Not now.")),
        };
        assert_eq!(report(outcome(0, 0)).0.text, "3 conversations changed.");
        assert_eq!(report(outcome(0, 1)).0.text, "3 conversations changed; 1 no longer there.");
        let (flash, problem) = report(outcome(2, 0));
        assert!(flash.is_failure && problem.is_some());
        assert!(flash.text.starts_with("3 conversations changed, 2 not: "), "{}", flash.text);
    }
}
