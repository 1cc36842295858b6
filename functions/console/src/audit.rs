//! Who did what in the org.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::audit::AuditQuery;
use leadwire::http::{Problem, fields};
use leadwire::model::audit::{AuditFace, AuditOutcome, AuditRecord, FieldChange};
use maud::{Markup, html};

use crate::components::{badge, empty, time};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::session::Admin;
use crate::state::Console;

const PAGE_SIZE: usize = 50;

pub(crate) async fn list(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Query(query): Query<ListQuery>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    // The last day is included as a whole.
    let until = query.get("until").map(|text| fields::day("until", text)).transpose()?;
    let to = until.and_then(|day| day.tomorrow().ok()).map(|day| fields::time("until", &day.to_string()));
    let wanted = AuditQuery {
        from: query.get("from").map(|text| fields::time("from", text)).transpose()?,
        to: to.transpose()?,
        user_id: query.text("user_id"),
        act: query.text("act"),
        subject: query.text("subject"),
    };
    let acts = console.audit.list(&access, &wanted, query.get("cursor"), PAGE_SIZE).await?;
    let is_filtered = ["user_id", "act", "subject", "from", "until"].iter().any(|name| query.get(name).is_some());
    let body = html! {
        p.quiet { "Every change that was requested here or through the API, for 400 days." }
        (filter_form(&query, is_filtered))
        @if acts.items.is_empty() {
            @if acts.next_cursor.is_some() { p { "None of the latest acts match." } }
            @else { (empty("Nothing was changed", html! { "No act of the last 400 days matches." })) }
        } @else { (table(&query, &acts.items)) }
        @if let Some(next) = &acts.next_cursor { p.acts { a.button href=(query.at("/audit", &[("cursor", next)])) rel="next" { "Earlier acts" } } }
    };
    Ok(page(&visitor, jar, Section::Integrations, "Audit", &body))
}

fn filter_form(query: &ListQuery, is_filtered: bool) -> Markup {
    html! {
        form.filters.card method="get" action="/audit" role="search" aria-label="Filter acts" {
            label { "Who, by id" input name="user_id" value=[query.get("user_id")]; }
            label { "About, by id" input name="subject" value=[query.get("subject")] placeholder="A lead, an integration …"; }
            details open[query.get("from").or(query.get("until")).is_some()] {
                summary { "Dates" }
                label { "From (UTC)" input type="date" name="from" value=[query.get("from")]; }
                label { "Until (UTC)" input type="date" name="until" value=[query.get("until")]; }
            }
            div.acts { button { "Filter" } @if is_filtered { a.button.plain href="/audit" { "Clear" } } }
        }
    }
}

fn table(query: &ListQuery, acts: &[AuditRecord]) -> Markup {
    let only = |name: &str, value: &str| query.at("/audit", &[(name, value), ("cursor", "")]);
    html! {
        div.card.flush {
            table {
                thead { tr { th { "When" } th { "Who" } th { "What" } th { "Changed" } th { "From" } } }
                tbody {
                    @for act in acts {
                        tr {
                            td data-label="When" { (time(act.at)) }
                            td data-label="Who" {
                                a href=(only("user_id", act.user_id.as_str())) { (act.user_name.as_deref().unwrap_or(act.user_id.as_str())) }
                                @if act.is_program { " " (badge("dim", "Program")) }
                            }
                            td data-label="What" {
                                b { (act_words(&act.act)) } " " (outcome(act))
                                @for subject in &act.subjects { div { a.quiet href=(only("subject", subject)) { (subject) } } }
                            }
                            td data-label="Changed" { @for change in &act.changes { div { (change_of(change)) } } @if act.changes.is_empty() { "–" } }
                            td data-label="From" {
                                (match act.face { AuditFace::Api => "API", AuditFace::Console => "Console" })
                                @if let Some(source) = &act.source { div.quiet { (source) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn outcome(act: &AuditRecord) -> Markup {
    html! {
        @match act.outcome {
            AuditOutcome::Done => {},
            AuditOutcome::Refused => (badge("warn", "Refused")),
            AuditOutcome::Failed => (badge("bad", "Failed")),
            AuditOutcome::Unknown => (badge("bad", "Not known")),
        }
        @if let Some(code) = &act.code { div.quiet { (words(code)) } }
    }
}

fn change_of(change: &FieldChange) -> Markup {
    let show = |value: &Option<serde_json::Value>| match value {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(serde_json::Value::Array(items)) if items.iter().all(serde_json::Value::is_string) => {
            items.iter().filter_map(serde_json::Value::as_str).collect::<Vec<_>>().join(", ")
        }
        Some(value) => value.to_string(),
        None => "none".to_owned(),
    };
    html! {
        (words(&change.field))
        @if change.before.is_some() || change.after.is_some() { ": " (show(&change.before)) " → " (show(&change.after)) }
    }
}

/// An act as words.
fn act_words(act: &str) -> String {
    match act {
        "getAuthUrl" => "Begin to connect Facebook".to_owned(),
        "putOrg" => "Push org".to_owned(),
        "putUser" => "Push user".to_owned(),
        other => words(other),
    }
}

/// A name of a program as words: `changeLead` and `assigned_to` alike.
fn words(name: &str) -> String {
    let mut words = String::new();
    for (at, letter) in name.chars().enumerate() {
        match letter {
            '_' => words.push(' '),
            _ if at == 0 => words.extend(letter.to_uppercase()),
            _ if letter.is_uppercase() => {
                words.push(' ');
                words.extend(letter.to_lowercase());
            }
            _ => words.push(letter),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_words() {
        assert_eq!((words("changeLead").as_str(), words("assigned_to").as_str()), ("Change lead", "Assigned to"));
    }
}
