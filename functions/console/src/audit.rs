//! What was done in the org: by whom, from where, and what it changed.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::audit::AuditQuery;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::UserId;
use leadwire::model::audit::{AuditAct, AuditActor, AuditChange, AuditFace, AuditOutcome, AuditRecord};
use leadwire::model::caller::Role;
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};
use serde_json::Value;
use strum::IntoEnumIterator;

use crate::actor::Admin;
use crate::components::{badge, empty, problem_alert, time};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/audit";
const PAGE_SIZE: usize = 25;

pub(crate) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let users = console.directory.users(&access.scope).await?;
    let names: BTreeMap<&str, &str> = users.iter().map(|user| (user.id.as_str(), user.name.as_str())).collect();
    let list = async {
        let list = console.audit.list(&access.scope, &parse(&query, &zone)?, query.get("cursor"), PAGE_SIZE).await;
        list.map_err(Problem::from)
    };
    let list = list.await;
    let body = html! {
        p.lead { (tr!("Who changed what in this org, in the console and through the API. Entries are kept for 400 days.")) }
        (filter_form(&query, &users))
        (zone.note())
        @match &list {
            Err(problem) => { (problem_alert(Some(problem))) }
            Ok(list) => {
                @if list.items.is_empty() { (nothing(list.next_cursor.is_some())) } @else { (table(&list.items, &names)) }
                @if let Some(next) = &list.next_cursor {
                    p.acts { a.button href=(query.at(PATH, &[("cursor", next)])) rel="next" { (tr!("Earlier actions")) } }
                }
            }
        }
    };
    Ok(page(&visitor, jar, Section::Audit, &tr!("Audit"), &body))
}

/// The query that an address describes. The last day is included as a whole.
fn parse(query: &ListQuery, zone: &Zone) -> Result<AuditQuery, Problem> {
    let unknown =
        |_| Problem::field("act", ProblemCode::ParameterInvalid, tr!("Choose one of the actions in the list."));
    Ok(AuditQuery {
        from: query.get("from").map(|day| zone.parse_day("from", day)).transpose()?,
        to: query.get("until").map(|day| zone.parse_last_day("until", day)).transpose()?,
        who: query.get("who").map(|text| fields::id("who", text, UserId::parse)).transpose()?,
        act: query.get("act").map(str::parse::<AuditAct>).transpose().map_err(unknown)?,
        subject: query.text("subject"),
    })
}

fn filter_form(query: &ListQuery, users: &[User]) -> Markup {
    let is = |name: &str, value: &str| query.get(name) == Some(value);
    let is_any = ["from", "until", "who", "act", "subject"].iter().any(|name| query.get(name).is_some());
    html! {
        form.filters.card method="get" action=(PATH) role="search" aria-label=(tr!("Filter actions")) {
            label { (tr!("What")) select name="act" {
                option value="" { (tr!("Everything")) }
                @for act in AuditAct::iter() { option value=(act.name()) selected[is("act", act.name())] { (act.words()) } }
            } }
            label { (tr!("Who")) input name="who" value=[query.get("who")] list="people" placeholder=(tr!("The id of a person or program")) autocomplete="off"; }
            datalist #people { @for user in users { option value=(user.id) { (user.name) } } }
            label { (tr!("Applies to")) input name="subject" value=[query.get("subject")] placeholder=(tr!("The id of a lead, a form, …")) autocomplete="off"; }
            label { (tr!("From")) input type="date" name="from" value=[query.get("from")]; }
            label { (tr!("Until")) input type="date" name="until" value=[query.get("until")]; }
            div.acts { button { (tr!("Filter")) } @if is_any { a.button.plain href=(PATH) { (tr!("Clear")) } } }
        }
    }
}

fn nothing(has_earlier: bool) -> Markup {
    match has_earlier {
        true => empty(&tr!("Nothing found yet"), html! { (tr!("Earlier actions have not been searched.")) }),
        false => empty(&tr!("Nothing found"), html! { (tr!("What is changed from now on appears here.")) }),
    }
}

fn table(records: &[AuditRecord], names: &BTreeMap<&str, &str>) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { (tr!("When")) } th { (tr!("Who")) } th { (tr!("What")) } th { (tr!("Before → after")) } th { (tr!("From where")) } } }
                tbody {
                    @for record in records {
                        tr {
                            td data-label=(tr!("When")) { (time(record.at)) }
                            td data-label=(tr!("Who")) { (who(&record.who, names)) }
                            td data-label=(tr!("What")) { (what(record)) }
                            td data-label=(tr!("Before → after")) { (changes(&record.changes, names)) }
                            td data-label=(tr!("From where")) { (place(record)) }
                        }
                    }
                }
            }
        }
    }
}

fn who(actor: &AuditActor, names: &BTreeMap<&str, &str>) -> Markup {
    let id = actor.id.as_str();
    let name = actor.name.as_deref().or(names.get(id).copied()).unwrap_or(id);
    let role = match (actor.program, actor.role) {
        (true, _) => tr!("Program"),
        (false, Role::SuperAdmin) => tr!("Superadmin"),
        (false, Role::Admin) => tr!("Admin"),
        (false, Role::Moderator) => tr!("Moderator"),
        (false, Role::Other) => tr!("Colleague"),
    };
    html! { (name) div.quiet { (role) } }
}

fn what(record: &AuditRecord) -> Markup {
    let words = record.act.parse().map_or_else(|_| record.act.clone(), |act: AuditAct| String::from(act.words()));
    html! {
        (words)
        @for subject in &record.subjects { div.quiet.address { a href=(subject_path(subject)) { (subject) } } }
        @match record.outcome {
            AuditOutcome::Done => {}
            AuditOutcome::Refused => { div { (badge("dim", &tr!("Refused"))) (code(record)) } }
            AuditOutcome::Failed => { div { (badge("bad", &tr!("Failed"))) (code(record)) } }
            AuditOutcome::Unknown => { div { (badge("warn", &tr!("Outcome not known"))) } }
        }
    }
}

fn subject_path(subject: &str) -> String {
    format!("{PATH}?subject={}", url::form_urlencoded::byte_serialize(subject.as_bytes()).collect::<String>())
}

fn code(record: &AuditRecord) -> Markup {
    html! { @if let Some(code) = &record.code { " " code { (code) } } }
}

fn changes(changes: &[AuditChange], names: &BTreeMap<&str, &str>) -> Markup {
    html! {
        @if changes.is_empty() { span.quiet { "–" } }
        @for change in changes {
            div {
                (change.field.replace(['_', '.'], " ")) ": "
                @if change.withheld { span.quiet { (tr!("changed")) } }
                @else { (in_words(change.before.as_ref(), names)) " → " b { (in_words(change.after.as_ref(), names)) } }
            }
        }
    }
}

/// A value in words: a person by name, a list with commas.
fn in_words(value: Option<&Value>, names: &BTreeMap<&str, &str>) -> String {
    match value {
        None | Some(Value::Null) => tr!("nothing").into_owned(),
        Some(Value::Bool(true)) => tr!("yes").into_owned(),
        Some(Value::Bool(false)) => tr!("no").into_owned(),
        Some(Value::String(text)) => names.get(text.as_str()).map_or_else(|| text.clone(), |name| (*name).to_owned()),
        Some(Value::Array(items)) if items.is_empty() => tr!("nothing").into_owned(),
        Some(Value::Array(items)) => {
            items.iter().map(|item| in_words(Some(item), names)).collect::<Vec<_>>().join(", ")
        }
        Some(Value::Object(parts)) => {
            parts.values().map(|part| in_words(Some(part), names)).collect::<Vec<_>>().join(": ").replace('_', " ")
        }
        Some(number @ Value::Number(_)) => number.to_string(),
    }
}

fn place(record: &AuditRecord) -> Markup {
    let face: Cow<'static, str> = match record.face {
        AuditFace::Api => "API".into(),
        AuditFace::Console => tr!("Console"),
    };
    html! { (face) @if let Some(source) = &record.source { div.quiet.address { (source) } } }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_in_words() {
        let names = BTreeMap::from([("ann", "Ann Lee")]);
        let check = |value: Value, expect: &str| assert_eq!(in_words(Some(&value), &names), expect, "{value}");
        check(json!("ann"), "Ann Lee");
        check(json!(["1", "2"]), "1, 2");
        check(json!([]), "nothing");
        check(json!(true), "yes");
        check(json!({ "strategy": "round_robin" }), "round robin");
        check(json!({ "strategy": "user", "user_id": "ann" }), "user: Ann Lee");
        check(json!(3), "3");
        assert_eq!(in_words(None, &names), "nothing");
    }
}
