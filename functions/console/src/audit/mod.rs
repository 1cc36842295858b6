//! What was done in the org: by whom, from where, and what it changed.

mod names;
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use jiff::Timestamp;
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

use self::names::{MAX_NAMED, NamedKind, RecordNames};
use self::words::{currency_of, field_name};
use crate::actor::Admin;
use crate::components::{Tone, badge, empty, money, problem_alert, time};
use crate::layout::{PageHead, Section, page};
use crate::leads::status_badge;
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/audit";
const PAGE_SIZE: usize = 25;

pub(crate) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let scope = &admin.access.scope;
    let list = async {
        let list = console.rooms.audit.list(scope, &parse(&query, &zone)?, query.get("cursor"), PAGE_SIZE).await;
        list.map_err(Problem::from)
    };
    // What is wrong with the filters stands beside them.
    let (list, users) = tokio::join!(list, console.rooms.directory.users(scope));
    let users = users?;
    let records = list.as_ref().map(|list| list.items.as_slice()).unwrap_or_default();
    let names = RecordNames::load(&console, &admin, &users, records).await?;
    let body = html! {
        (filter_form(&query, &users, records))
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
    let about = tr!("Who changed what in this org, in the console and through the API. Entries are kept for 400 days.");
    let title = tr!("Audit");
    Ok(page(&admin.visitor, jar, Section::Audit, PageHead::new(&title).about(html! { (about) }), &body))
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

fn filter_form(query: &ListQuery, users: &[User], records: &[AuditRecord]) -> Markup {
    let is = |name: &str, value: &str| query.get(name) == Some(value);
    let is_any = ["from", "until", "who", "act", "subject"].iter().any(|name| query.get(name).is_some());
    let mut users: Vec<&User> = users.iter().collect();
    users.sort_by_key(|user| (!user.active, user.name.to_lowercase()));
    // Programs, and those who acted for this org from outside of it, as far as they are in view.
    let others: BTreeMap<&str, &str> = records
        .iter()
        .filter(|record| record.who.user_id.is_none() && !users.iter().any(|user| user.id == record.who.id))
        .map(|record| (record.who.id.as_str(), record.who.name.as_deref().unwrap_or(record.who.id.as_str())))
        .collect();
    let is_offered = |id: &str| others.contains_key(id) || users.iter().any(|user| user.id.as_str() == id);
    html! {
        form.filters.bar method="get" action=(PATH) role="search" aria-label=(tr!("Filter actions")) {
            label { (tr!("What")) select name="act" {
                option value="" { (tr!("Everything")) }
                @for act in AuditAct::iter() { option value=(act.name()) selected[is("act", act.name())] { (act.words()) } }
            } }
            label { (tr!("Who")) select name="who" {
                option value="" { (tr!("Anyone")) }
                @if let Some(id) = query.get("who").filter(|id| !is_offered(id)) { option value=(id) selected { (id) } }
                @for user in users {
                    option value=(user.id) selected[is("who", user.id.as_str())] {
                        @if user.active { (user.name) } @else { (tr!("{user} (not active)", user = user.name)) }
                    }
                }
                @for (id, name) in &others { option value=(id) selected[is("who", id)] { (name) } }
            } }
            label { (tr!("Applies to")) input name="subject" value=[query.get("subject")] placeholder=(tr!("Id")) autocomplete="off"; }
            label { (tr!("From")) input type="date" name="from" value=[query.get("from")]; }
            label { (tr!("Until")) input type="date" name="until" value=[query.get("until")]; }
            div.acts { button { (tr!("Filter")) } @if is_any { a.button.plain href=(PATH) { (tr!("Clear")) } } }
        }
    }
}

fn nothing(has_earlier: bool) -> Markup {
    match has_earlier {
        true => empty(
            &tr!("Nothing found yet"),
            html! { (tr!("There may be earlier ones: choose “Earlier actions” below.")) },
        ),
        false => empty(&tr!("Nothing found"), html! { (tr!("Changes appear here from now on.")) }),
    }
}

fn table(records: &[AuditRecord], names: &RecordNames) -> Markup {
    html! {
        div.card.flush {
            table.audit {
                thead { tr { th { (tr!("When")) } th { (tr!("Who")) } th { (tr!("What")) } th { (tr!("Before → after")) } th { (tr!("From where")) } } }
                tbody {
                    @for record in records {
                        tr {
                            td.when { (time(record.at)) }
                            td.by { (who(&record.who, names)) }
                            td.what { (what(record, names)) }
                            td.change.none[record.changes.is_empty()] { (changes(&record.changes, names)) }
                            td.place { (place(record)) }
                        }
                    }
                }
            }
        }
    }
}

fn who(actor: &AuditActor, names: &RecordNames) -> Markup {
    let id = actor.user_id.as_ref().unwrap_or(&actor.id).as_str();
    let role = match (actor.program, actor.role) {
        (true, _) => tr!("Program"),
        (false, Role::SuperAdmin) => tr!("Superadmin"),
        (false, Role::Admin) => tr!("Admin"),
        (false, Role::Moderator) => tr!("Moderator"),
        (false, Role::Other) => tr!("Colleague"),
    };
    html! {
        @match names.get(NamedKind::Person, id).or(actor.name.as_deref()) {
            Some(name) => span title=(id) { (name) },
            None => span.address { (id) },
        }
        " " div.quiet { (role) }
    }
}

fn what(record: &AuditRecord, names: &RecordNames) -> Markup {
    let words = record.act.parse().map_or_else(|_| record.act.clone(), |act: AuditAct| String::from(act.words()));
    html! {
        span.act { (words) }
        @let (named, others) = record.subjects.split_at(record.subjects.len().min(MAX_NAMED));
        @for id in named { (subject(&record.act, id, names)) }
        @if !others.is_empty() {
            details { summary { (tr!([others.len()] "{n} more" | "{n} more")) } @for id in others { (all_about(id)) } }
        }
        @match record.outcome {
            AuditOutcome::Done => {}
            AuditOutcome::Refused => { div { (badge(Tone::Dim, &tr!("Refused"))) (code(record)) } }
            AuditOutcome::Failed => { div { (badge(Tone::Bad, &tr!("Failed"))) (code(record)) } }
            AuditOutcome::Unknown => { div { (badge(Tone::Warn, &tr!("Outcome not known"))) } }
        }
    }
}

/// What an act was done to: its name, if that is known, which leads to it. Otherwise its id, which leads to all that was done
/// to it, as does the name of what has no page.
fn subject(act: &str, id: &str, names: &RecordNames) -> Markup {
    let known = NamedKind::of_subject(act, id).and_then(|kind| Some((kind.path(id), names.get(kind, id)?)));
    match known {
        Some((path, name)) => {
            html! { " " div { a href=(path.unwrap_or_else(|| subject_path(id))) title=(id) { (name) } } }
        }
        None => all_about(id),
    }
}

fn all_about(id: &str) -> Markup {
    html! { " " div.quiet.address { a href=(subject_path(id)) title=(id) aria-label=(tr!("Everything about {id}", id = id)) { (shortened(id)) } } }
}

/// The kind and the end of a long id, by which people tell ids apart.
fn shortened(id: &str) -> String {
    const MAX: usize = 20;
    const END: usize = 6;
    let kind = id.split(['_', '-']).next().filter(|kind| kind.len() < MAX - END).unwrap_or_default();
    match id.len() > MAX && id.is_ascii() {
        true => format!("{kind} …{}", &id[id.len() - END..]),
        false => id.to_owned(),
    }
}

fn subject_path(subject: &str) -> String {
    format!("{PATH}?subject={}", url::form_urlencoded::byte_serialize(subject.as_bytes()).collect::<String>())
}

fn code(record: &AuditRecord) -> Markup {
    html! { @if let Some(code) = &record.code { " " code { (code) } } }
}

fn changes(changes: &[AuditChange], names: &RecordNames) -> Markup {
    let find = |field: &str| changes.iter().find(|change| change.field == field);
    // A currency is shown with its amount.
    let is_beside_amount =
        |change: &&AuditChange| changes.iter().any(|other| currency_of(&other.field) == Some(change.field.as_str()));
    html! {
        @if changes.is_empty() { span.quiet { "–" } }
        @for change in changes.iter().filter(|change| !is_beside_amount(change)) {
            @let currency = currency_of(&change.field).and_then(find);
            @let value = |value: Option<&Value>, currency: Option<&Value>| match (value, currency) {
                (Some(Value::String(amount)), Some(Value::String(currency))) => html! { (money(amount, currency)) },
                (Some(Value::String(text)), None) if change.field == "status" => {
                    text.parse().map_or_else(|_| in_words(value, None, names), status_badge)
                }
                _ => in_words(value, NamedKind::of_field(&change.field), names),
            };
            div {
                (field_name(&change.field)) ": "
                @if change.withheld { span.quiet { (tr!("changed")) } }
                @else {
                    (value(change.before.as_ref(), currency.and_then(|currency| currency.before.as_ref()))) " → "
                    b { (value(change.after.as_ref(), currency.and_then(|currency| currency.after.as_ref()))) }
                }
            }
        }
    }
}

/// A value in words: what has a name by that, a time as such, a list with commas.
fn in_words(value: Option<&Value>, kind: Option<NamedKind>, names: &RecordNames) -> Markup {
    let list = |items: &mut dyn Iterator<Item = Markup>, between: &str| {
        html! { @for (index, item) in items.enumerate() { @if index > 0 { (between) } (item) } }
    };
    match value {
        None | Some(Value::Null) => html! { "–" },
        Some(Value::Bool(true)) => html! { (tr!("yes")) },
        Some(Value::Bool(false)) => html! { (tr!("no")) },
        Some(Value::String(text)) => match (kind.and_then(|kind| names.get(kind, text)), text.parse::<Timestamp>()) {
            (Some(name), _) => html! { span title=(text) { (name) } },
            (None, Ok(at)) => time(at),
            (None, Err(_)) if text.contains('_') && text.chars().all(|c| c == '_' || c.is_ascii_lowercase()) => {
                html! { (text.replace('_', " ")) }
            }
            (None, Err(_)) => html! { (text) },
        },
        Some(Value::Array(items)) if items.is_empty() => html! { "–" },
        Some(Value::Array(items)) => list(&mut items.iter().map(|item| in_words(Some(item), kind, names)), ", "),
        // Of an assignment, one part is the id of a person, and another is a word.
        Some(Value::Object(parts)) => {
            let words =
                |(key, part): (&String, &Value)| in_words(Some(part), kind.filter(|_| key != "strategy"), names);
            list(&mut parts.iter().map(words), ": ")
        }
        Some(number @ Value::Number(_)) => html! { (number) },
    }
}

fn place(record: &AuditRecord) -> Markup {
    let face: Cow<'static, str> = match record.face {
        AuditFace::Api => "API".into(),
        AuditFace::Console => tr!("Console"),
        AuditFace::Operator => tr!("Operator"),
    };
    html! { (face) @if let Some(source) = &record.source { " " div.quiet.address { (source) } } }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names() -> RecordNames {
        let mut names = RecordNames::default();
        for (kind, id, name) in [
            (NamedKind::Person, "ann", "Ann <Lee>"),
            (NamedKind::Person, "user", "Mr User"),
            (NamedKind::Lead, "meta-1", "Jane Roe"),
            (NamedKind::Page, "77", "Northwind"),
            (NamedKind::Form, "88", "Trial"),
            (NamedKind::Integration, "int_1", "Our pages"),
        ] {
            names.add(kind, [(id, name.to_owned())]);
        }
        names
    }

    #[test]
    fn values_are_in_words() {
        let names = names();
        let check = |field: &str, value: Value, expect: &str| {
            let words = in_words(Some(&value), NamedKind::of_field(field), &names).into_string();
            assert_eq!(words, expect, "{field}: {value}");
        };
        check("assigned_to", json!("ann"), "<span title=\"ann\">Ann &lt;Lee&gt;</span>");
        check("page_ids", json!(["1", "77"]), "1, <span title=\"77\">Northwind</span>");
        check("value", json!("77"), "77");
        check("permissions", json!([]), "–");
        check("active", json!(true), "yes");
        check("assignment", json!({ "strategy": "round_robin" }), "round robin");
        let chosen = json!({ "strategy": "user", "user_id": "ann" });
        check("assignment", chosen, "user: <span title=\"ann\">Ann &lt;Lee&gt;</span>");
        check("run_id", json!("run_1a"), "run_1a");
        check("version", json!(3), "3");
        assert_eq!(in_words(None, None, &names).into_string(), "–");
        let time = in_words(Some(&json!("2026-11-28T09:00:00Z")), None, &names).into_string();
        assert!(time.starts_with("<time datetime=\"2026-11-28T09:00:00Z\""), "{time}");
    }

    #[test]
    fn a_change_has_the_words_of_the_console_and_an_amount_its_currency() {
        let change = |field: &str, before: Value, after: Value| AuditChange {
            field: field.to_owned(),
            before: Some(before),
            after: Some(after),
            withheld: false,
        };
        let list = [
            change("assigned_to", Value::Null, json!("ann")),
            change("value", Value::Null, json!("1850.00")),
            change("currency", Value::Null, json!("USD")),
        ];
        let shown = changes(&list, &names()).into_string();
        assert!(shown.contains("Assigned to: – → <b><span title=\"ann\">"), "{shown}");
        assert!(shown.contains("Value: – → <b>1,850.00\u{a0}USD</b>") && !shown.contains("Currency"), "{shown}");
        let shown = changes(&list[2..], &names()).into_string();
        assert!(shown.contains("Currency: – → <b>USD</b>"), "{shown}");
    }

    #[test]
    fn what_is_known_has_its_name_and_a_way_to_it() {
        let names = names();
        let check = |act: &str, id: &str, expect: &str| {
            let shown = subject(act, id, &names).into_string();
            assert!(shown.contains(expect) && shown.matches("<a ").count() == 1, "{shown}");
        };
        check("lead.change", "meta-1", "<a href=\"/leads/meta-1\" title=\"meta-1\">Jane Roe</a>");
        check("integration.change", "int_1", "<a href=\"/integrations/int_1\" title=\"int_1\">Our pages</a>");
        check("mapping.change", "88", "<a href=\"/forms/88\" title=\"88\">Trial</a>");
        check("user.change", "ann", "<a href=\"/audit?subject=ann\" title=\"ann\">Ann &lt;Lee&gt;</a>");
        let gone = subject("lead.change", "meta-2", &names).into_string();
        assert!(gone.contains("?subject=meta-2") && !gone.contains("/leads/"), "one that is gone has no page: {gone}");
        let other = subject("ads.sync", "88", &names).into_string();
        assert!(!other.contains("Trial"), "a number is a form where forms are meant: {other}");
    }
}
