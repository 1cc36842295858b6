//! How a form's answers are read: its questions, the rules, and what they make of a real lead.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use maud::{Markup, html};
use shared::admin::mapping::{
    MappingIn, MappingOut, Preview, PreviewIn, QuestionOut, RerunIn, change, preview as try_out, read,
    rerun as read_anew,
};
use shared::http::Problem;
use shared::model::mapping::{Mapped, Rule};

use crate::elements::{alert, count, counted, proof, refused, time};
use crate::fields::Fields;
use crate::frame::{Section, page};
use crate::notice::told_at;
use crate::router::Console;
use crate::visitor::Admin;

/// Rules without anything, to be filled in.
const SPARE_RULES: usize = 2;
/// Questions that a rule has room for at least.
const QUESTIONS_OF_A_RULE: usize = 3;
/// Reading leads anew goes on for so long before it asks whether to go on.
const A_WHILE: Duration = Duration::from_secs(12);

/// What the form on the page says.
struct Said {
    rules: Vec<Rule>,
    country: Option<String>,
    version: Option<u32>,
}

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Path(id): Path<String>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let mapping = read(&console.services, &admin.access, &id).await?;
    let said = Said { rules: mapping.rules.clone(), country: mapping.country.clone(), version: Some(mapping.version) };
    Ok(shown(&admin, &mapping, &said, None, None, jar))
}

pub(super) async fn save(
    State(console): State<Console>,
    admin: Admin,
    Path(id): Path<String>,
    jar: PrivateCookieJar,
    fields: Fields,
) -> Result<Response, Problem> {
    let said = Said::of(&fields);
    let given = MappingIn { rules: said.rules.clone(), country: said.country.clone(), version: said.version };
    match change(&console.services, &admin.access, &id, given).await {
        Ok(saved) => {
            let text = format!("Saved as version {}. It holds for leads that come from now on.", saved.version);
            Ok(told_at(&format!("/forms/{id}"), jar, Ok(text)))
        }
        Err(problem) if matches!(problem.status, 400 | 409) => {
            let mapping = read(&console.services, &admin.access, &id).await?;
            Ok(shown(&admin, &mapping, &said, None, Some(&problem), jar))
        }
        Err(problem) => Err(problem),
    }
}

pub(super) async fn preview(
    State(console): State<Console>,
    admin: Admin,
    Path(id): Path<String>,
    jar: PrivateCookieJar,
    fields: Fields,
) -> Result<Response, Problem> {
    let said = Said::of(&fields);
    let mapping = read(&console.services, &admin.access, &id).await?;
    let given = PreviewIn { rules: said.rules.clone(), country: said.country.clone(), lead_id: None };
    match try_out(&console.services, &admin.access, &id, given).await {
        Ok(preview) => Ok(shown(&admin, &mapping, &said, Some(&preview), None, jar)),
        Err(problem) if problem.status < 500 => Ok(shown(&admin, &mapping, &said, None, Some(&problem), jar)),
        Err(problem) => Err(problem),
    }
}

/// Reads the form's earlier leads anew, for a while; the page it ends on goes on if there are more.
pub(super) async fn rerun(
    State(console): State<Console>,
    Admin { visitor, access }: Admin,
    Path(id): Path<String>,
    jar: PrivateCookieJar,
    fields: Fields,
) -> Result<Response, Problem> {
    let number = |name: &str| fields.get(name).and_then(|text| text.parse().ok()).unwrap_or(0_usize);
    let (mut changed, mut unchanged) = (number("changed"), number("unchanged"));
    let mut cursor = fields.get("cursor").map(ToOwned::to_owned);
    let begun = Instant::now();
    loop {
        let done = match read_anew(&console.services, &access, &id, RerunIn { cursor }).await {
            Ok(done) => done,
            Err(problem) => return Ok(told_at(&format!("/forms/{id}"), jar, Err(problem))),
        };
        (changed, unchanged, cursor) = (changed + done.changed, unchanged + done.unchanged, done.next_cursor);
        let Some(next) = &cursor else {
            let text = format!(
                "{} read anew: {changed} changed, {unchanged} stayed as they were.",
                counted(changed + unchanged, "lead")
            );
            return Ok(told_at(&format!("/forms/{id}"), jar, Ok(text)));
        };
        if begun.elapsed() > A_WHILE {
            let body = html! {
                p { (count(changed + unchanged)) " leads are read anew so far, " (count(changed)) " of them changed. There are more." }
                form method="post" action={ "/forms/" (id) "/rerun" } data-go-on {
                    (proof(&visitor))
                    input type="hidden" name="cursor" value=(next);
                    input type="hidden" name="changed" value=(changed);
                    input type="hidden" name="unchanged" value=(unchanged);
                    button.primary { "Go on" }
                    a.button href={ "/forms/" (id) } { "Stop here" }
                }
            };
            return Ok(page(&visitor, jar, Section::Forms, "Reading leads anew", &body).into_response());
        }
    }
}

impl Said {
    /// The rules of the form: their parts are numbered. A rule without a field is none.
    fn of(fields: &Fields) -> Self {
        let rule = |place: usize| {
            let part = |name: &str| fields.get(&format!("rule-{place}-{name}"));
            Some(Rule {
                field: part("field")?.to_owned(),
                from: fields.all(&format!("rule-{place}-from")).map(ToOwned::to_owned).collect(),
                // A space between words is meant as one, and is cut off with all others at the ends.
                join: part("join").map(|join| if join == "space" { " ".to_owned() } else { join.to_owned() }),
                default: part("default").map(ToOwned::to_owned),
                choices: choices(part("choices").unwrap_or_default()),
            })
        };
        let most = fields.get("rules").and_then(|text| text.parse().ok()).unwrap_or(0).min(200);
        Self {
            rules: (0..most).filter_map(rule).collect(),
            country: fields.get("country").map(ToOwned::to_owned),
            version: fields.get("version").and_then(|text| text.parse().ok()),
        }
    }
}

/// Lines such as `answer = value`.
fn choices(lines: &str) -> BTreeMap<String, String> {
    let pair = |line: &str| {
        let (answer, value) = line.split_once('=')?;
        let (answer, value) = (answer.trim(), value.trim());
        (!answer.is_empty()).then(|| (answer.to_owned(), value.to_owned()))
    };
    lines.lines().filter_map(pair).collect()
}

fn shown(
    Admin { visitor, .. }: &Admin,
    mapping: &MappingOut,
    said: &Said,
    preview: Option<&Preview>,
    problem: Option<&Problem>,
    jar: PrivateCookieJar,
) -> Response {
    let path = format!("/forms/{}", mapping.form_id);
    let rooms = said.rules.len() + SPARE_RULES;
    let blank = Rule::default();
    let body = html! {
        section { h2 { "Questions" } (questions(&mapping.questions)) }
        section {
            h2 { "Rules" }
            p { "A rule fills one field of the lead, instead of what would fill it by itself. Fields without a rule stay as above." }
            @if let Some(preview) = preview { (outcome(preview)) }
            form method="post" action=(path) {
                (proof(visitor))
                (problem_of(problem))
                input type="hidden" name="version" value=[said.version];
                input type="hidden" name="rules" value=(rooms);
                datalist #fields { @for field in &mapping.standard_fields { option value=(field) {} } }
                @for (place, rule) in said.rules.iter().chain(std::iter::repeat_n(&blank, SPARE_RULES)).enumerate() {
                    (rule_fields(place, rule, &mapping.questions, problem))
                }
                label.short { "Country of phone numbers without a country code" input name="country" value=[said.country.as_deref()] maxlength="2" size="4" placeholder="US"; }
                div.acts {
                    button formaction={ (path) "/preview#preview" } { "Preview on the newest lead" }
                    button.primary { "Save" }
                    @if let Some(at) = mapping.changed_at { span.quiet { "Version " (mapping.version) ", saved " (time(at)) } }
                }
            }
        }
        section {
            h2 { "Earlier leads" }
            p { "Rules hold for leads that come from now on. Leads that are here can be read anew by the saved rules; what changes is told to the CRM." }
            form method="post" action={ (path) "/rerun" } { (proof(visitor)) button { "Read earlier leads anew" } }
        }
    };
    page(visitor, jar, Section::Forms, &mapping.form_name, &body)
}

/// A rule is named as the page numbers it.
fn problem_of(problem: Option<&Problem>) -> Markup {
    let place = problem.and_then(wrong_rule);
    match (problem, place) {
        (Some(problem), Some(place)) => alert("bad", html! { "Rule " (place + 1) ": " (problem.detail) }),
        _ => refused(problem),
    }
}

/// Which rule a problem is about.
fn wrong_rule(problem: &Problem) -> Option<usize> {
    problem.field.as_deref()?.strip_prefix("rules[")?.split_once(']')?.0.parse().ok()
}

fn questions(questions: &[QuestionOut]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { "Question" } th { "Key" } th { "Type" } th { "Fills by itself" } } }
                tbody {
                    @for question in questions {
                        tr {
                            td data-label="Question" {
                                (name_of(question))
                                @if !question.options.is_empty() { div.quiet { (options(question)) } }
                            }
                            td data-label="Key" { code { (question.key) } }
                            td data-label="Type" { (question.r#type.as_deref().unwrap_or("–").to_lowercase().replace('_', " ")) }
                            td data-label="Fills by itself" { @match question.field { Some(field) => code { (field) }, None => span.quiet { "Nothing; kept as an answer" } } }
                        }
                    }
                }
            }
        }
    }
}

fn name_of(question: &QuestionOut) -> &str {
    question.label.as_deref().unwrap_or(&question.key)
}

fn options(question: &QuestionOut) -> String {
    let names: Vec<&str> =
        question.options.iter().filter_map(|option| option.value.as_deref().or(option.key.as_deref())).collect();
    names.join(" · ")
}

fn rule_fields(place: usize, rule: &Rule, questions: &[QuestionOut], problem: Option<&Problem>) -> Markup {
    let name = |part: &str| format!("rule-{place}-{part}");
    let is_wrong = problem.and_then(wrong_rule) == Some(place);
    let rooms = QUESTIONS_OF_A_RULE.max(rule.from.len() + 1).min(questions.len());
    let choices: Vec<String> = rule.choices.iter().map(|(answer, value)| format!("{answer} = {value}")).collect();
    html! {
        fieldset.card.rule aria-invalid=[is_wrong.then_some("true")] {
            legend { "Rule " (place + 1) @if rule.field.is_empty() { " (empty)" } }
            label { "Fill the field" input name=(name("field")) value=(rule.field) list="fields" maxlength="64" autocomplete="off"; }
            @for room in 0..rooms {
                @let chosen = rule.from.get(room).map(String::as_str);
                label {
                    @if room == 0 { "with the answer to" } @else { "then" }
                    select name=(name("from")) {
                        option value="" { "–" }
                        @for question in questions { option value=(question.key) selected[chosen == Some(question.key.as_str())] { (name_of(question)) } }
                    }
                }
            }
            label { "put together with" input name=(name("join")) value=(rule.join.as_deref().map_or("", |join| if join == " " { "space" } else { join })) placeholder="space" size="6"; }
            label { "and if nothing is answered" input name=(name("default")) value=[rule.default.as_deref()] maxlength="500"; }
            details open[!rule.choices.is_empty()] {
                summary { "Change what was chosen" }
                label { "One a line: answer = value" textarea name=(name("choices")) rows="3" { (choices.join("\n")) } }
            }
        }
    }
}

/// What the rules make of a lead, beside what is made of it now.
fn outcome(preview: &Preview) -> Markup {
    let (now, then) = (fields_of(&preview.now), fields_of(&preview.then));
    let mut names: Vec<&str> = now.keys().chain(then.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    html! {
        div.card.preview #preview role="status" {
            h3 { "Preview" @if let Some(id) = &preview.lead_id { " on " a href={ "/leads/" (id) } { "the newest lead" } } @else { " on the newest lead at Meta" } }
            p.quiet { "Nothing is saved yet." }
            table {
                thead { tr { th { "Field" } th { "Now" } th { "With these rules" } } }
                tbody {
                    @for name in names {
                        @let (now, then) = (now.get(name), then.get(name));
                        tr class=[(now != then).then_some("changed")] {
                            td data-label="Field" { code { (name) } }
                            td data-label="Now" { (now.copied().unwrap_or("–")) }
                            td data-label="With these rules" { (then.copied().unwrap_or("–")) @if now != then { span.hidden { " (changed)" } } }
                        }
                    }
                }
            }
            @if !preview.then.unmapped.is_empty() { p.quiet { "Kept as answers only: " (preview.then.unmapped.join(", ")) } }
        }
    }
}

fn fields_of(mapped: &Mapped) -> BTreeMap<&str, &str> {
    let mut fields: BTreeMap<&str, &str> =
        mapped.fields.iter().map(|(field, value)| (field.as_str(), value.as_str())).collect();
    let own = [("full_name", &mapped.full_name), ("email", &mapped.email), ("phone", &mapped.phone)];
    fields.extend(own.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_line_by_line() {
        let read = choices("yes = 1\n\n no=0 \nnonsense\n= x\na = b = c");
        let expected = [("yes", "1"), ("no", "0"), ("a", "b = c")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(read, BTreeMap::from(expected));
    }
}
