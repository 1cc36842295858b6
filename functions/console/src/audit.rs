//! What was done in the org: by whom, from where, and what it changed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use jiff::Timestamp;
use leadwire::audit::AuditQuery;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::{FormId, LeadId, UserId};
use leadwire::model::audit::{AuditAct, AuditActor, AuditChange, AuditFace, AuditOutcome, AuditRecord};
use leadwire::model::caller::Role;
use leadwire::model::org::User;
use leadwire::tr;
use maud::{Markup, html};
use serde_json::Value;
use strum::IntoEnumIterator;

use crate::actor::Admin;
use crate::components::{badge, empty, problem_alert, time};
use crate::layout::{PageHead, Section, page};
use crate::leads::{name_of, status_name};
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

const PATH: &str = "/audit";
const PAGE_SIZE: usize = 25;

/// Forms of one page whose names are looked up.
const MAX_FORMS: usize = 10;

pub(crate) async fn show(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    zone: Zone,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let list = async {
        let list = console.audit.list(&access.scope, &parse(&query, &zone)?, query.get("cursor"), PAGE_SIZE).await;
        list.map_err(Problem::from)
    };
    // What is wrong with the filters stands beside them.
    let (list, rest) = tokio::join!(list, async {
        tokio::try_join!(
            console.directory.users(&access.scope),
            console.leads.pages(&access.scope),
            console.connections.integration_names(&access),
        )
    });
    let (users, pages, integrations) = rest?;
    let records = list.as_ref().map(|list| list.items.as_slice()).unwrap_or_default();
    let people = users.iter().map(|user| (user.id.to_string(), user.name.clone()));
    let places = pages.iter().map(|(id, name)| (id.to_string(), name.clone()));
    let integrations = integrations.into_iter().map(|(id, name)| (id.to_string(), name));
    let mut names: Names = people.chain(places).chain(integrations).collect();
    let (leads, forms) = ids_in(records, &names);
    let (leads, forms) = tokio::try_join!(
        console.leads.find_all(&access.scope, &leads),
        console.leads.form_names(&access.scope, pages.keys(), &forms),
    )?;
    names.extend(leads.iter().map(|lead| (lead.id.to_string(), name_of(lead))));
    names.extend(forms.into_iter().map(|(id, name)| (id.to_string(), name)));
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
    Ok(page(&visitor, jar, Section::Audit, PageHead::new(&title).about(html! { (about) }), &body))
}

/// What ids of the org are called.
type Names = BTreeMap<String, String>;

/// The leads and the forms that these records name, as far as their names are not known.
fn ids_in(records: &[AuditRecord], names: &Names) -> (BTreeSet<LeadId>, BTreeSet<FormId>) {
    fn collect<'a>(value: &'a Value, ids: &mut BTreeSet<&'a str>) {
        match value {
            Value::String(text) => {
                ids.insert(text);
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
            Value::Object(parts) => parts.values().for_each(|part| collect(part, ids)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let mut ids: BTreeSet<&str> = BTreeSet::new();
    for record in records {
        ids.extend(record.subjects.iter().map(String::as_str));
        let values = record.changes.iter().flat_map(|change| [&change.before, &change.after]);
        values.flatten().for_each(|value| collect(value, &mut ids));
    }
    let leads = ids.iter().filter(|id| is_lead(id)).filter_map(|id| LeadId::parse(id).ok());
    let forms = ids.iter().filter(|id| !names.contains_key(**id)).filter_map(|id| FormId::parse(id).ok());
    (leads.collect(), forms.take(MAX_FORMS).collect())
}

/// Whether an id is a lead's: from Meta's id, or from a line of a file.
fn is_lead(id: &str) -> bool {
    id.starts_with("meta-") || id.starts_with("file-")
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
        form.filters.card method="get" action=(PATH) role="search" aria-label=(tr!("Filter actions")) {
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
            label { (tr!("Applies to")) input name="subject" value=[query.get("subject")] placeholder=(tr!("The id of a lead, a form, …")) autocomplete="off"; }
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

fn table(records: &[AuditRecord], names: &Names) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { (tr!("When")) } th { (tr!("Who")) } th { (tr!("What")) } th { (tr!("Before → after")) } th { (tr!("From where")) } } }
                tbody {
                    @for record in records {
                        tr {
                            td data-label=(tr!("When")) { (time(record.at)) }
                            td data-label=(tr!("Who")) { (who(&record.who, names)) }
                            td data-label=(tr!("What")) { (what(record, names)) }
                            td data-label=(tr!("Before → after")) { (changes(&record.changes, names)) }
                            td data-label=(tr!("From where")) { (place(record)) }
                        }
                    }
                }
            }
        }
    }
}

fn who(actor: &AuditActor, names: &Names) -> Markup {
    let id = actor.user_id.as_ref().unwrap_or(&actor.id).as_str();
    let role = match (actor.program, actor.role) {
        (true, _) => tr!("Program"),
        (false, Role::SuperAdmin) => tr!("Superadmin"),
        (false, Role::Admin) => tr!("Admin"),
        (false, Role::Moderator) => tr!("Moderator"),
        (false, Role::Other) => tr!("Colleague"),
    };
    html! {
        @match names.get(id).or(actor.name.as_ref()) {
            Some(name) => span title=(id) { (name) },
            None => span.address { (id) },
        }
        div.quiet { (role) }
    }
}

fn what(record: &AuditRecord, names: &Names) -> Markup {
    let words = record.act.parse().map_or_else(|_| record.act.clone(), |act: AuditAct| String::from(act.words()));
    html! {
        (words)
        @for id in &record.subjects { (subject(id, names)) }
        @match record.outcome {
            AuditOutcome::Done => {}
            AuditOutcome::Refused => { div { (badge("dim", &tr!("Refused"))) (code(record)) } }
            AuditOutcome::Failed => { div { (badge("bad", &tr!("Failed"))) (code(record)) } }
            AuditOutcome::Unknown => { div { (badge("warn", &tr!("Outcome not known"))) } }
        }
    }
}

/// What an act was done to: its name, if that is known, and its id, which leads to all that was done to it.
fn subject(id: &str, names: &Names) -> Markup {
    html! {
        @if let Some(name) = names.get(id) {
            div {
                @if is_lead(id) { a href={ "/leads/" (id) } { (name) } }
                @else if id.starts_with("int_") { a href={ "/integrations/" (id) } { (name) } }
                @else { (name) }
            }
        }
        div.quiet.address { a href=(subject_path(id)) title=(id) aria-label=(tr!("Everything about {id}", id = id)) { (shortened(id)) } }
    }
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

fn changes(changes: &[AuditChange], names: &Names) -> Markup {
    html! {
        @if changes.is_empty() { span.quiet { "–" } }
        @for change in changes {
            @let value = |value: Option<&Value>| match value.and_then(Value::as_str).map(str::parse) {
                Some(Ok(status)) if change.field == "status" => html! { (status_name(status)) },
                _ => in_words(value, names),
            };
            div {
                (change.field.replace(['_', '.'], " ")) ": "
                @if change.withheld { span.quiet { (tr!("changed")) } }
                @else { (value(change.before.as_ref())) " → " b { (value(change.after.as_ref())) } }
            }
        }
    }
}

/// A value in words: what has a name by that, a time as such, a list with commas.
fn in_words(value: Option<&Value>, names: &Names) -> Markup {
    let list = |items: &mut dyn Iterator<Item = &Value>, between: &str| {
        html! { @for (index, item) in items.enumerate() { @if index > 0 { (between) } (in_words(Some(item), names)) } }
    };
    match value {
        None | Some(Value::Null) => html! { (tr!("nothing")) },
        Some(Value::Bool(true)) => html! { (tr!("yes")) },
        Some(Value::Bool(false)) => html! { (tr!("no")) },
        Some(Value::String(text)) => match (names.get(text), text.parse::<Timestamp>()) {
            (Some(name), _) => html! { span title=(text) { (name) } },
            (None, Ok(at)) => time(at),
            (None, Err(_)) if text.contains('_') && text.chars().all(|c| c == '_' || c.is_ascii_lowercase()) => {
                html! { (text.replace('_', " ")) }
            }
            (None, Err(_)) => html! { (text) },
        },
        Some(Value::Array(items)) if items.is_empty() => html! { (tr!("nothing")) },
        Some(Value::Array(items)) => list(&mut items.iter(), ", "),
        Some(Value::Object(parts)) => list(&mut parts.values(), ": "),
        Some(number @ Value::Number(_)) => html! { (number) },
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

    fn names() -> Names {
        let names = [("ann", "Ann <Lee>"), ("meta-1", "Jane Roe"), ("77", "Northwind"), ("int_1", "Our pages")];
        names.map(|(id, name)| (id.to_owned(), name.to_owned())).into()
    }

    #[test]
    fn values_are_in_words() {
        let names = names();
        let words = |value: Option<&Value>| in_words(value, &names).into_string();
        let check = |value: Value, expect: &str| assert_eq!(words(Some(&value)), expect, "{value}");
        check(json!("ann"), "<span title=\"ann\">Ann &lt;Lee&gt;</span>");
        check(json!(["1", "77"]), "1, <span title=\"77\">Northwind</span>");
        check(json!([]), "nothing");
        check(json!(true), "yes");
        check(json!({ "strategy": "round_robin" }), "round robin");
        check(json!({ "strategy": "user", "user_id": "ann" }), "user: <span title=\"ann\">Ann &lt;Lee&gt;</span>");
        check(json!("run_1a"), "run_1a");
        check(json!(3), "3");
        assert_eq!(words(None), "nothing");
        let time = words(Some(&json!("2026-11-28T09:00:00Z")));
        assert!(time.starts_with("<time datetime=\"2026-11-28T09:00:00Z\""), "{time}");
    }

    #[test]
    fn what_is_known_has_its_name_and_a_way_to_it() {
        let names = names();
        let shown = |id: &str| subject(id, &names).into_string();
        assert!(shown("meta-1").contains("<a href=\"/leads/meta-1\">Jane Roe</a>"), "{}", shown("meta-1"));
        assert!(shown("int_1").contains("<a href=\"/integrations/int_1\">Our pages</a>"), "{}", shown("int_1"));
        assert!(shown("77").contains("<div>Northwind</div>") && shown("77").contains("?subject=77"), "{}", shown("77"));
        assert!(!shown("meta-2").contains("/leads/"), "one that is gone has no page");
    }

    #[test]
    fn names_are_looked_up_of_leads_and_of_what_may_be_a_form() {
        let record: AuditRecord = serde_json::from_value(json!({
            "id": "act_1",
            "at": "2026-11-28T09:00:00Z",
            "who": { "id": "u", "role": "admin" },
            "face": "api",
            "source": null,
            "act": "lead.change",
            "subjects": ["meta-1", "77", "88", "run_1"],
            "outcome": "done",
            "changes": [{ "field": "lead_id", "before": null, "after": ["file-2", 3] }],
        }))
        .unwrap();
        let (leads, forms) = ids_in(&[record], &names());
        assert_eq!(leads.iter().map(LeadId::as_str).collect::<Vec<_>>(), ["file-2", "meta-1"]);
        assert_eq!(forms.iter().map(FormId::as_str).collect::<Vec<_>>(), ["88"], "77 is a page");
    }
}
