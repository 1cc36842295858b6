//! The mapping of a form's answers: its questions, the rules, and their effect on a real lead.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::PrivateCookieJar;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::FormId;
use leadwire::leads::{MappingIn, MappingOut, Preview, PreviewIn, QuestionOut, RerunIn};
use leadwire::model::lead::mapping::{Mapped, Rule};
use maud::{Markup, html};

use crate::acts::Showing;
use crate::components::{alert, count, csrf_field, plural, problem_alert, time};
use crate::countries;
use crate::flash::redirect_with;
use crate::form::{AdminForm, Fields};
use crate::layout::{Section, page};
use crate::messages;
use crate::session::Admin;
use crate::state::Console;

/// Empty rules to be filled in.
const SPARE_RULES: usize = 2;
/// Minimum number of questions that a rule has room for.
const QUESTIONS_OF_A_RULE: usize = 3;
/// Time that re-mapping leads takes before it asks whether to continue.
const MAX_RERUN_DURATION: Duration = Duration::from_secs(12);

/// The content of the form on the page.
struct MappingForm {
    rules: Vec<Rule>,
    /// The lines of choices of each rule, as written.
    choices: Vec<String>,
    country: Option<String>,
    version: Option<u32>,
}

pub(super) async fn show(
    State(console): State<Console>,
    admin: Admin,
    Id(id): Id<FormId>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let mapping = console.leads.mapping(&admin.access, &id).await?;
    let choices = mapping.rules.iter().map(format_choices).collect();
    let (rules, country) = (mapping.rules.clone(), mapping.country.clone());
    let form = MappingForm { rules, choices, country, version: Some(mapping.version) };
    Ok(render(&admin, &mapping, &form, None, None, jar))
}

pub(super) async fn save(
    Id(id): Id<FormId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let mut form = MappingForm::parse(&fields);
    let input = MappingIn { rules: form.rules.clone(), country: form.country.clone(), version: form.version };
    let changed = match form.choices_problem() {
        Some(problem) => Err(problem),
        None => console.leads.set_mapping(&admin.access, &id, input).await.map_err(Problem::from),
    };
    match changed {
        Ok(saved) => {
            let text = format!("Saved as version {}. It applies to new leads.", saved.version);
            Ok(redirect_with(&format!("/forms/{id}"), jar, Ok(text)))
        }
        Err(problem) if problem.status == 404 => Err(problem),
        Err(problem) => {
            let mapping = console.leads.mapping(&admin.access, &id).await?;
            if problem.code.is(ErrorCode::MappingChanged) {
                // The problem was shown: saving again overwrites that version knowingly.
                form.version = Some(mapping.version);
            }
            Ok(render(&admin, &mapping, &form, None, Some(&problem), jar).showing(Some(&problem)))
        }
    }
}

pub(super) async fn preview(
    Id(id): Id<FormId>,
    AdminForm { console, actor: admin, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let form = MappingForm::parse(&fields);
    let mapping = console.leads.mapping(&admin.access, &id).await?;
    let input = PreviewIn { rules: form.rules.clone(), country: form.country.clone(), lead_id: None };
    let previewed = match form.choices_problem() {
        Some(problem) => Err(problem),
        None => console.leads.preview_mapping(&admin.access, &id, input).await.map_err(Problem::from),
    };
    Ok(match previewed {
        Ok(preview) => render(&admin, &mapping, &form, Some(&preview), None, jar),
        Err(problem) => render(&admin, &mapping, &form, None, Some(&problem), jar),
    })
}

/// Re-maps the form's earlier leads for a while. If there are more, it ends on a page that continues.
pub(super) async fn rerun(
    Id(id): Id<FormId>,
    AdminForm { console, actor: Admin { visitor, access }, jar, fields }: AdminForm,
) -> Result<Response, Problem> {
    let number = |name: &str| fields.get(name).and_then(|text| text.parse().ok()).unwrap_or(0_usize);
    let (mut changed, mut unchanged) = (number("changed"), number("unchanged"));
    let mut cursor = fields.get("cursor").map(ToOwned::to_owned);
    let started = Instant::now();
    loop {
        let done = match console.leads.remap(&access, &id, RerunIn { cursor }).await {
            Ok(done) => done,
            Err(error) => return Ok(redirect_with(&format!("/forms/{id}"), jar, Err(error.into()))),
        };
        let sum = (changed.saturating_add(done.changed), unchanged.saturating_add(done.unchanged));
        ((changed, unchanged), cursor) = (sum, done.next_cursor);
        let Some(next) = &cursor else {
            let text = format!(
                "{} mapped again: {changed} changed, {unchanged} unchanged.",
                plural(changed.saturating_add(unchanged), "lead")
            );
            return Ok(redirect_with(&format!("/forms/{id}"), jar, Ok(text)));
        };
        // The script submits this form by itself; without it, the admin does.
        if started.elapsed() > MAX_RERUN_DURATION {
            let body = html! {
                p { (count(changed.saturating_add(unchanged))) " leads mapped again so far, " (count(changed)) " of them changed. There are more." }
                form method="post" action={ "/forms/" (id) "/rerun" } data-go-on {
                    (csrf_field(&visitor))
                    input type="hidden" name="cursor" value=(next);
                    input type="hidden" name="changed" value=(changed);
                    input type="hidden" name="unchanged" value=(unchanged);
                    button.primary { "Continue" }
                    a.button href={ "/forms/" (id) } { "Stop here" }
                }
            };
            return Ok(page(&visitor, jar, Section::Forms, "Mapping leads again", &body).into_response());
        }
    }
}

impl MappingForm {
    /// Parses the form's rules, whose fields are numbered. Skips empty rules and those marked for removal.
    fn parse(fields: &Fields) -> Self {
        let most = fields.get("rules").and_then(|text| text.parse().ok()).unwrap_or(0).min(200);
        let (mut rules, mut lines) = (Vec::new(), Vec::new());
        for index in 0..most {
            let name = |part: &str| format!("rule-{index}-{part}");
            // Space is significant here.
            let exact = |part: &str| fields.raw(&name(part)).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
            let choice_lines = fields.text(&name("choices"));
            let rule = Rule {
                field: fields.text(&name("field")),
                from: fields.all(&name("from")).map(ToOwned::to_owned).collect(),
                join: exact("join"),
                default: exact("default"),
                choices: choices(&choice_lines).unwrap_or_default(),
            };
            let is_blank = rule == Rule { join: rule.join.clone(), ..Rule::default() } && choice_lines.is_empty();
            if !is_blank && !fields.is_ticked(&name("remove")) {
                rules.push(rule);
                lines.push(choice_lines);
            }
        }
        let version = fields.get("version").and_then(|text| text.parse().ok());
        Self { rules, choices: lines, country: fields.get("country").map(countries::code), version }
    }

    /// The first line of choices that cannot be parsed, as a problem.
    fn choices_problem(&self) -> Option<Problem> {
        self.choices.iter().enumerate().find_map(|(index, lines)| {
            let line = choices(lines).err()?;
            let detail = format!("Line {line} of the replacements must be: answer = value.");
            Some(Problem::field(&format!("rules[{index}].choices"), ErrorCode::RuleInvalid, detail))
        })
    }
}

/// Parses lines such as `answer = value`. The error is the number of the first invalid line.
fn choices(lines: &str) -> Result<BTreeMap<String, String>, usize> {
    let pair = |(index, line): (usize, &str)| {
        let (answer, value) = line.split_once('=').ok_or(index + 1)?;
        let answer = answer.trim();
        if answer.is_empty() { Err(index + 1) } else { Ok((answer.to_owned(), value.trim().to_owned())) }
    };
    lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(pair).collect()
}

/// Formats a rule's choices as lines.
fn format_choices(rule: &Rule) -> String {
    let lines: Vec<String> = rule.choices.iter().map(|(answer, value)| format!("{answer} = {value}")).collect();
    lines.join("\n")
}

fn render(
    Admin { visitor, .. }: &Admin,
    mapping: &MappingOut,
    form: &MappingForm,
    preview: Option<&Preview>,
    problem: Option<&Problem>,
    jar: PrivateCookieJar,
) -> Response {
    let path = format!("/forms/{}", mapping.form_id);
    let rule_count = form.rules.len() + SPARE_RULES;
    let blank = Rule::default();
    let body = html! {
        section { h2 { "Questions" } (questions(&mapping.questions)) }
        section {
            h2 { "Rules" }
            p { "A rule fills one field of the lead and replaces its default. Fields without a rule keep the default shown above." }
            @if let Some(preview) = preview { (outcome(preview)) }
            form method="post" action={ (path) "#refused" } {
                (csrf_field(visitor))
                (problem_of(problem))
                input type="hidden" name="version" value=[form.version];
                input type="hidden" name="rules" value=(rule_count);
                datalist #fields { @for field in &mapping.standard_fields { option value=(field) {} } }
                @for (index, rule) in form.rules.iter().chain(std::iter::repeat_n(&blank, SPARE_RULES)).enumerate() {
                    (rule_fields(index, rule, form.choices.get(index).map_or("", String::as_str), &mapping.questions, problem))
                }
                label.short { "Country of phone numbers without a country code" input name="country" value=[form.country.as_deref().map(countries::name)] list=(countries::LIST) maxlength="60" placeholder="The org's default"; }
                (countries::datalist())
                div.acts {
                    button formaction={ (path) "/preview#preview" } { "Preview on the newest lead" }
                    button.primary { "Save" }
                    @if let Some(at) = mapping.changed_at { span.quiet { "Version " (mapping.version) ", saved " (time(at)) } }
                }
            }
        }
        section {
            h2 { "Earlier leads" }
            p { "Rules apply to new leads. You can also map earlier leads again with the saved rules; the CRM is notified of every change." }
            form method="post" action={ (path) "/rerun" } { (csrf_field(visitor)) button { "Map earlier leads again" } }
        }
    };
    page(visitor, jar, Section::Forms, &mapping.form_name, &body)
}

/// Shows a problem. A problem of a rule names it by its number on the page.
fn problem_of(problem: Option<&Problem>) -> Markup {
    let index = problem.and_then(wrong_rule);
    match (problem, index) {
        (Some(problem), Some(index)) => alert("bad", html! { "Rule " (index + 1) ": " (messages::text(problem)) }),
        _ => problem_alert(problem),
    }
}

/// The rule that a problem is about.
fn wrong_rule(problem: &Problem) -> Option<usize> {
    problem.field.as_deref()?.strip_prefix("rules[")?.split_once(']')?.0.parse().ok()
}

fn questions(questions: &[QuestionOut]) -> Markup {
    html! {
        div.card.flush {
            table {
                thead { tr { th { "Question" } th { "Key" } th { "Type" } th { "Fills by default" } } }
                tbody {
                    @for question in questions {
                        tr {
                            td data-label="Question" {
                                (name_of(question))
                                @if !question.options.is_empty() { div.quiet { (options(question)) } }
                            }
                            td data-label="Key" { code { (question.key) } }
                            td data-label="Type" { (question.r#type.as_deref().unwrap_or("–").to_lowercase().replace('_', " ")) }
                            td data-label="Fills by default" { @match question.field { Some(field) => code { (field) }, None => span.quiet { "Nothing; stored as an answer" } } }
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

fn rule_fields(
    index: usize,
    rule: &Rule,
    choices: &str,
    questions: &[QuestionOut],
    problem: Option<&Problem>,
) -> Markup {
    let name = |part: &str| format!("rule-{index}-{part}");
    let is_wrong = problem.and_then(wrong_rule) == Some(index);
    let slot_count = QUESTIONS_OF_A_RULE.max(rule.from.len() + 1).min(questions.len());
    html! {
        fieldset.card.rule aria-invalid=[is_wrong.then_some("true")] {
            legend { "Rule " (index + 1) @if rule.field.is_empty() { " (empty)" } }
            label { "Fill the field" input name=(name("field")) value=(rule.field) list="fields" maxlength="64" autocomplete="off"; }
            @for slot in 0..slot_count {
                @let chosen = rule.from.get(slot).map(String::as_str);
                label {
                    @if slot == 0 { "with the answer to" } @else { "then" }
                    select name=(name("from")) {
                        option value="" { "–" }
                        @for question in questions { option value=(question.key) selected[chosen == Some(question.key.as_str())] { (name_of(question)) } }
                    }
                }
            }
            label { "joined with" input name=(name("join")) value=[rule.join.as_deref()] placeholder="a space" size="6"; }
            label { "or, if unanswered" input name=(name("default")) value=[rule.default.as_deref()] maxlength="500"; }
            details open[!choices.is_empty()] {
                summary { "Replace chosen values" }
                label { "One per line: answer = value" textarea name=(name("choices")) rows="3" { (choices) } }
            }
            @if !rule.field.is_empty() { label.tick { input type="checkbox" name=(name("remove")) value="yes"; "Remove this rule" } }
        }
    }
}

/// The effect of the rules on a lead, compared with the present mapping.
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
            @if !preview.then.unmapped.is_empty() { p.quiet { "Stored as answers only: " (preview.then.unmapped.join(", ")) } }
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
        let expected = [("yes", "1"), ("no", "0"), ("a", "b = c")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(choices("yes = 1\n\n no=0 \na = b = c"), Ok(BTreeMap::from(expected)));
        for (lines, wrong) in [("yes = 1\nnonsense", 2), ("= x", 1)] {
            assert_eq!(choices(lines), Err(wrong), "{lines}");
        }
    }
}
