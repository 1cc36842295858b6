//! What a member does with a conversation besides answering: take it, close it, let it sleep.

use std::borrow::Cow;

use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::UserId;
use leadwire::inbox::{ConversationChangeIn, ConversationOut};
use leadwire::model::inbox::ConversationStatus;
use leadwire::tr;

use super::thread::{self, Reader};
use super::{MemberForm, Names, Place, snooze};
use crate::flash::{Flash, redirect_with};
use crate::form::Fields;
use crate::request::wants_fragment;
use crate::zone::Zone;

pub(super) async fn assign(place: Place, form: MemberForm) -> Result<Response, Problem> {
    let user = form.fields.get("user").map(|text| fields::id("user", text, UserId::parse)).transpose();
    let done = if matches!(user, Ok(None)) { tr!("Assigned to no one.") } else { tr!("Assigned.") };
    let change = user.map(|user| ConversationChangeIn { assigned_to: Some(user), ..ConversationChangeIn::default() });
    apply(place, form, change, done).await
}

pub(super) async fn change_status(place: Place, form: MemberForm) -> Result<Response, Problem> {
    let is_closing = form.fields.get("status") == Some("closed");
    let status = if is_closing { ConversationStatus::Closed } else { ConversationStatus::Open };
    let change = ConversationChangeIn { status: Some(status), ..ConversationChangeIn::default() };
    apply(place, form, Ok(change), if is_closing { tr!("Closed.") } else { tr!("Reopened.") }).await
}

pub(super) async fn snooze(place: Place, form: MemberForm) -> Result<Response, Problem> {
    let change = snooze_time(&form.fields, leadwire::clock::now()).map(|until| ConversationChangeIn {
        status: Some(ConversationStatus::Snoozed),
        snoozed_until: Some(until),
        ..ConversationChangeIn::default()
    });
    apply(place, form, change, tr!("Snoozed.")).await
}

/// Marks a conversation as unread and leaves it: reading it would mark it as read again.
pub(super) async fn mark_unread(
    Place { id, query, .. }: Place,
    MemberForm { console, actor, .. }: MemberForm,
) -> Result<Response, Problem> {
    let change = ConversationChangeIn { read: Some(false), ..ConversationChangeIn::default() };
    console.rooms.inbox.change_conversation(&actor.access, &id, &change, leadwire::clock::now()).await?;
    Ok(Redirect::to(&query.at("/inbox", &[])).into_response())
}

/// The time that a member chose, in the time zone of the form.
fn snooze_time(fields: &Fields, now: Timestamp) -> Result<Timestamp, Problem> {
    let zone = Zone::parse(&fields.text("zone"));
    let chosen = fields.text("until");
    let found = match fields.get("at").filter(|_| chosen == "at") {
        Some(at) => zone.parse_time(at),
        None => snooze::choices(&zone, now).into_iter().find(|(value, ..)| *value == chosen).map(|(.., at)| at),
    };
    found.ok_or_else(|| Problem::field("at", ProblemCode::TimeInvalid, tr!("Choose a day and a time.")))
}

/// Carries out a change. The script gets the conversation as it is afterwards, a browser without it goes back there.
async fn apply(
    Place { headers, zone, id, query }: Place,
    MemberForm { console, actor: member, jar, .. }: MemberForm,
    change: Result<ConversationChangeIn, Problem>,
    done: Cow<'static, str>,
) -> Result<Response, Problem> {
    let changed = async {
        let changed =
            console.rooms.inbox.change_conversation(&member.access, &id, &change?, leadwire::clock::now()).await;
        changed.map_err(Problem::from)
    };
    match changed.await {
        Ok(conversation) if wants_fragment(&headers) => {
            let names = Names::load(&console, &member.access).await?;
            let reader = Reader { console: &console, member: &member, names: &names, zone: &zone, query: &query };
            Ok(thread::live(&reader, &conversation).await?.into_response())
        }
        Err(problem) if wants_fragment(&headers) => Err(problem),
        outcome => {
            let path = query.at(&format!("/inbox/{id}"), &[]);
            // The form of a status opens a conversation unless it says otherwise.
            let undo = |closed: ConversationOut| {
                (closed.status == ConversationStatus::Closed).then(|| query.at(&format!("/inbox/{id}/status"), &[]))
            };
            Ok(redirect_with(&path, jar, outcome.map(|changed| Flash { undo: undo(changed), ..Flash::done(done) })))
        }
    }
}
