//! The page of a mapping: the questions down the left, a real answer to each, and the field it fills on the right.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::http::Problem;
use leadwire::leads::{MappingOut, Preview, QuestionOut};
use leadwire::model::lead::mapping::{Mapped, Rule};
use leadwire::tr;
use maud::{Markup, html};

use super::mapping_form::{MappingForm, Spot, TypedRule};
use crate::actor::Admin;
use crate::components::{Confirm, Tone, csrf_field, problem_alert, time, with_markup};
use crate::countries;
use crate::layout::{Section, page};
use crate::messages;

/// Minimum number of questions that a field put together has room for.
const QUESTIONS_OF_A_RULE: usize = 3;

/// What the page shows.
pub(super) struct MappingPage<'a> {
    pub(super) mapping: &'a MappingOut,
    pub(super) form: &'a MappingForm,
    /// What the newest lead becomes by the rules.
    pub(super) preview: Option<&'a Preview>,
    /// Why the rules were not saved.
    pub(super) problem: Option<&'a Problem>,
}

impl MappingPage<'_> {
    pub(super) fn respond(&self, Admin { visitor, .. }: &Admin, jar: PrivateCookieJar) -> Response {
        let Self { mapping, form, preview, problem } = *self;
        let path = format!("/forms/{}", mapping.form_id);
        let combined_count = form.combined.len() + 1;
        let again = Confirm {
            id: "again",
            label: &tr!("Map earlier leads again"),
            question: &tr!("Map earlier leads again?"),
            action: &format!("{path}/rerun"),
            act: &tr!("Map them again"),
            open: false,
            sends: None,
        };
        // A problem of a rule stands where the rule is typed.
        let is_at_spot = problem.is_some_and(|problem| form.wrong_spot(problem).is_some());
        let body = html! {
            form method="post" action={ (path) "#refused" } data-preview={ (path) "/preview" } {
                (csrf_field(visitor))
                @if is_at_spot { (crate::components::alert(Tone::Bad, html! { (tr!("Nothing was saved: a field below is marked.")) })) }
                @else { (problem_alert(problem)) }
                input type="hidden" name="version" value=[form.version];
                input type="hidden" name="questions" value=(mapping.questions.len());
                input type="hidden" name="rules" value=(combined_count);
                datalist #fields { @for field in &mapping.standard_fields { option value=(field) {} } }
                div.columns {
                    div {
                        (self.questions())
                        section {
                            h2 { (tr!("Combined fields")) }
                            p { (tr!("A field can combine several answers, or have a fixed value.")) }
                            @for index in 0..combined_count { (self.combined(index)) }
                        }
                        label.short { (tr!("Country of phone numbers without a country code")) input name="country" value=[form.country.as_deref().map(countries::name)] list=(countries::LIST) maxlength="60" placeholder=(tr!("The org's default")); }
                        (countries::datalist())
                        div.acts {
                            button.primary { (tr!("Save")) }
                            button formaction={ (path) "/preview#preview" } { (tr!("Preview on the newest lead")) }
                            @if let Some(at) = mapping.changed_at {
                                span.quiet { (with_markup(&tr!("Version {version}, saved {time}"), &[("version", html! { (mapping.version) }), ("time", time(at))])) }
                            }
                        }
                    }
                    aside { div.preview-place data-preview-place { @if let Some(preview) = preview { (outcome(preview)) } } }
                }
            }
            section {
                h2 { (tr!("Earlier leads")) }
                p { (tr!("The mapping applies to new leads. You can also apply the saved one to earlier leads.")) }
                (again.show(visitor, html! {
                    p { (tr!("This maps the answers of all leads of this form again, with the saved mapping.")) }
                    p { (tr!("The CRM gets each lead whose fields change. Changes that you made to these fields by hand are lost.")) }
                }))
            }
        };
        page(visitor, jar, Section::Forms, &mapping.form_name, &body)
    }

    /// What is wrong at a spot.
    fn mistake(&self, spot: Spot) -> Option<Cow<'_, str>> {
        let problem = self.problem?;
        (self.form.wrong_spot(problem) == Some(spot)).then(|| messages::text(problem))
    }

    fn questions(&self) -> Markup {
        html! {
            div.card.flush {
                table.mapping {
                    thead { tr { th { (tr!("Question")) } th { (tr!("Newest answer")) } th { (tr!("Fills the field")) } } }
                    tbody {
                        @for (index, question) in self.mapping.questions.iter().enumerate() {
                            @let blank = TypedRule::default();
                            @let typed = self.form.questions.get(index).unwrap_or(&blank);
                            tr { (self.question(index, question, typed)) }
                        }
                    }
                }
            }
        }
    }

    fn question(&self, index: usize, question: &QuestionOut, TypedRule { rule, lines }: &TypedRule) -> Markup {
        let name = |part: &str| format!("question-{index}-{part}");
        let mistake = self.mistake(Spot::Question(index));
        let answer = self.preview.and_then(|preview| preview.answers.iter().find(|answer| answer.name == question.key));
        let usual = question.field.unwrap_or_default();
        let has_more = rule.default.is_some() || !lines.is_empty();
        html! {
            td data-label=(tr!("Question")) {
                (name_of(question))
                @if !question.options.is_empty() { div.quiet { (options(question)) } }
            }
            td data-label=(tr!("Newest answer")) {
                @match answer { Some(answer) if !answer.values.is_empty() => (answer.values.join(", ")), _ => span.quiet { "–" } }
            }
            td data-label=(tr!("Fills the field")) {
                div {
                    input type="hidden" name=(name("key")) value=(question.key);
                    input type="hidden" name=(name("usual")) value=(usual);
                    input name=(name("field")) value=(rule.field) list="fields" maxlength="64" autocomplete="off"
                        placeholder=(if usual.is_empty() { tr!("None: stays an answer") } else { usual.into() })
                        aria-label=(tr!("Field for: {question}", question = name_of(question))) aria-invalid=[mistake.as_ref().map(|_| "true")];
                    @if let Some(mistake) = &mistake { p.wrong { (mistake) } }
                    details open[has_more] {
                        summary { (tr!("If unanswered, and replacements")) }
                        label { (tr!("If unanswered")) input name=(name("default")) value=[rule.default.as_deref()] maxlength="500"; }
                        label { (tr!("Replacements, one per line: answer = value")) textarea name=(name("choices")) rows="3" { (lines) } }
                    }
                }
            }
        }
    }

    fn combined(&self, index: usize) -> Markup {
        let blank = TypedRule::default();
        let is_new = self.form.combined.get(index).is_none();
        let TypedRule { rule, lines } = self.form.combined.get(index).unwrap_or(&blank);
        let name = |part: &str| format!("rule-{index}-{part}");
        let mistake = self.mistake(Spot::Combined(index));
        let questions = &self.mapping.questions;
        let slots = QUESTIONS_OF_A_RULE.max(rule.from.len() + 1).min(questions.len());
        html! {
            details.card open[!is_new || mistake.is_some()] {
                summary { @if is_new { (tr!("Add a field")) } @else { (rule.field) } }
                @if let Some(mistake) = &mistake { p.wrong { (mistake) } }
                div.rule {
                    label { (tr!("Field")) input name=(name("field")) value=(rule.field) list="fields" maxlength="64" autocomplete="off" aria-invalid=[mistake.as_ref().map(|_| "true")]; }
                    @for slot in 0..slots { (slot_field(&name("from"), slot, rule, questions)) }
                    label { (tr!("Between the answers")) input name=(name("join")) value=[rule.join.as_deref()] placeholder=(tr!("a space")) size="6"; }
                    label { (tr!("If unanswered")) input name=(name("default")) value=[rule.default.as_deref()] maxlength="500"; }
                }
                details open[!lines.is_empty()] {
                    summary { (tr!("Replacements")) }
                    label { (tr!("One per line: answer = value")) textarea name=(name("choices")) rows="3" { (lines) } }
                }
                @if !is_new { label.tick { input type="checkbox" name=(name("remove")) value="yes"; (tr!("Remove this field")) } }
            }
        }
    }
}

fn slot_field(name: &str, slot: usize, rule: &Rule, questions: &[QuestionOut]) -> Markup {
    let chosen = rule.from.get(slot).map(String::as_str);
    html! {
        label {
            @if slot == 0 { (tr!("Answer to")) } @else { (tr!("and then")) }
            select name=(name) {
                option value="" { "–" }
                @for question in questions { option value=(question.key) selected[chosen == Some(question.key.as_str())] { (name_of(question)) } }
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

/// The effect of the rules on a lead, compared with the saved mapping.
pub(super) fn outcome(preview: &Preview) -> Markup {
    let (now, then) = (fields_of(&preview.now), fields_of(&preview.then));
    let mut names: Vec<&str> = now.keys().chain(then.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    let changed = names.iter().filter(|name| now.get(*name) != then.get(*name)).count();
    html! {
        div.card.preview #preview role="status" {
            h3 {
                @if let Some(id) = &preview.lead_id {
                    (with_markup(&tr!("{lead} becomes"), &[("lead", html! { a href={ "/leads/" (id) } { (tr!("The newest lead")) } })]))
                } @else { (tr!("The newest lead at Meta becomes")) }
            }
            dl.rows {
                @for name in &names {
                    @let (now, then) = (now.get(name), then.get(name));
                    div class=[(now != then).then_some("changed")] {
                        dt { code { (name) } }
                        dd { (then.copied().unwrap_or("–")) @if now != then { div.quiet { (tr!("was: {value}", value = now.copied().unwrap_or("–"))) } } }
                    }
                }
            }
            @if changed > 0 { p { b { (tr!("Not saved yet.")) } } }
            @if !preview.then.unmapped.is_empty() { p.quiet { (tr!("Answers without a field: {answers}", answers = preview.then.unmapped.join(", "))) } }
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
