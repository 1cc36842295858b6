//! What is typed on the page of a mapping: a field for each question, and fields put together from several.

use std::collections::BTreeMap;

use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::leads::MappingOut;
use leadwire::model::lead::mapping::Rule;
use leadwire::tr;

use crate::countries;
use crate::form::Fields;

/// Rows that a form may submit. A form at Meta has far fewer questions.
const MAX_ROWS: usize = 200;

/// A rule as it is typed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct TypedRule {
    pub(super) rule: Rule,
    /// Its replacements, as lines.
    pub(super) lines: String,
}

/// The content of the page's form.
#[derive(Debug, Default)]
pub(super) struct MappingForm {
    /// The rule of each question, in their order; without a field where the question fills its usual one.
    pub(super) questions: Vec<TypedRule>,
    /// The fields that are put together from several answers, or have a value of their own.
    pub(super) combined: Vec<TypedRule>,
    pub(super) country: Option<String>,
    pub(super) version: Option<u32>,
}

/// Where a rule is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Beside a question.
    Question(usize),
    /// Among the fields put together.
    Combined(usize),
}

impl MappingForm {
    /// The stored rules. A question's own rule stands beside it; all others are put together.
    pub(super) fn from_mapping(mapping: &MappingOut) -> Self {
        let mut left: Vec<&Rule> = mapping.rules.iter().collect();
        let mut own = |key: &str| {
            let at = left.iter().position(|rule| rule.from == [key] && rule.join.is_none())?;
            Some(left.remove(at))
        };
        let typed = |rule: &Rule| TypedRule { rule: rule.clone(), lines: format_choices(rule) };
        let questions = mapping.questions.iter().map(|question| {
            let blank = || TypedRule {
                rule: Rule { from: vec![question.key.clone()], ..Rule::default() },
                lines: String::new(),
            };
            own(&question.key).map_or_else(blank, typed)
        });
        let questions = questions.collect();
        let (country, version) = (mapping.country.clone(), Some(mapping.version));
        Self { questions, combined: left.into_iter().map(typed).collect(), country, version }
    }

    /// Parses what was submitted. Skips empty rules and those marked for removal.
    pub(super) fn parse(fields: &Fields) -> Self {
        let number = |name: &str| fields.get(name).and_then(|text| text.parse().ok()).unwrap_or(0).min(MAX_ROWS);
        let typed = |prefix: &str, from: Vec<String>| {
            let name = |part: &str| format!("{prefix}-{part}");
            // Space is significant here.
            let exact = |part: &str| fields.raw(&name(part)).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
            let lines = fields.text(&name("choices"));
            let choices = choices(&lines).unwrap_or_default();
            let rule = Rule {
                field: fields.text(&name("field")),
                from,
                join: exact("join"),
                default: exact("default"),
                choices,
            };
            TypedRule { rule, lines }
        };
        let question = |index: usize| {
            let key = fields.text(&format!("question-{index}-key"));
            let mut typed = typed(&format!("question-{index}"), vec![key]);
            if typed.rule.field.is_empty() && (typed.rule.default.is_some() || !typed.lines.is_empty()) {
                typed.rule.field = fields.text(&format!("question-{index}-usual"));
            }
            typed
        };
        let combined = (0..number("rules")).filter_map(|index| {
            let prefix = format!("rule-{index}");
            let typed = typed(&prefix, fields.all(&format!("{prefix}-from")).map(ToOwned::to_owned).collect());
            let is_blank =
                typed.rule == Rule { join: typed.rule.join.clone(), ..Rule::default() } && typed.lines.is_empty();
            (!is_blank && !fields.is_ticked(&format!("{prefix}-remove"))).then_some(typed)
        });
        Self {
            questions: (0..number("questions")).map(question).collect(),
            combined: combined.collect(),
            country: fields.get("country").map(countries::code),
            version: fields.get("version").and_then(|text| text.parse().ok()),
        }
    }

    /// The rules, each with where it is typed, in the order in which they are saved.
    fn spots(&self) -> impl Iterator<Item = (Spot, &TypedRule)> {
        let is_rule = |typed: &&TypedRule| {
            !typed.rule.field.is_empty() || typed.rule.default.is_some() || !typed.lines.is_empty()
        };
        let questions = self.questions.iter().enumerate().filter(move |(_, typed)| is_rule(typed));
        let questions = questions.map(|(index, typed)| (Spot::Question(index), typed));
        questions.chain(self.combined.iter().enumerate().map(|(index, typed)| (Spot::Combined(index), typed)))
    }

    pub(super) fn rules(&self) -> Vec<Rule> {
        self.spots().map(|(_, typed)| typed.rule.clone()).collect()
    }

    /// Where the rule is typed that a problem is about.
    pub(super) fn wrong_spot(&self, problem: &Problem) -> Option<Spot> {
        let index: usize = problem.field.as_deref()?.strip_prefix("rules[")?.split_once(']')?.0.parse().ok()?;
        self.spots().nth(index).map(|(spot, _)| spot)
    }

    /// The first line of replacements that cannot be parsed, as a problem.
    pub(super) fn choices_problem(&self) -> Option<Problem> {
        self.spots().enumerate().find_map(|(index, (_, typed))| {
            let line = choices(&typed.lines).err()?;
            let detail = tr!("Line {line} of the replacements must be: answer = value.", line = line);
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

#[cfg(test)]
mod tests {
    use leadwire::ids::{FormId, PageId};
    use leadwire::leads::QuestionOut;

    use super::*;

    #[test]
    fn choices_are_read_line_by_line() {
        let expected = [("yes", "1"), ("no", "0"), ("a", "b = c")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(choices("yes = 1\n\n no=0 \na = b = c"), Ok(BTreeMap::from(expected)));
        for (lines, wrong) in [("yes = 1\nnonsense", 2), ("= x", 1)] {
            assert_eq!(choices(lines), Err(wrong), "{lines}");
        }
    }

    fn rule(field: &str, from: &[&str]) -> Rule {
        let from = from.iter().map(|key| (*key).to_owned()).collect();
        Rule { field: field.to_owned(), from, ..Rule::default() }
    }

    fn mapping(rules: Vec<Rule>) -> MappingOut {
        let question = |key: &str, field| QuestionOut {
            key: key.to_owned(),
            label: None,
            r#type: None,
            options: Vec::new(),
            field,
        };
        MappingOut {
            form_id: FormId::parse("7").unwrap(),
            form_name: "Form".to_owned(),
            page_id: PageId::parse("1").unwrap(),
            locale: None,
            questions: vec![question("email", Some("email")), question("budget", None)],
            version: 3,
            rules,
            country: None,
            changed_at: None,
            changed_by: None,
            standard_fields: Vec::new(),
        }
    }

    #[test]
    fn no_rule_is_lost_between_what_is_stored_and_what_is_shown() {
        let rules = vec![
            rule("note", &["email", "budget"]),
            rule("budget", &["budget"]),
            rule("again", &["budget"]),
            Rule { join: Some(" / ".to_owned()), ..rule("joined", &["email"]) },
            Rule { default: Some("web".to_owned()), ..rule("channel", &[]) },
            rule("gone", &["a question that was deleted"]),
        ];
        let form = MappingForm::from_mapping(&mapping(rules.clone()));
        assert_eq!(form.questions[1].rule, rules[1], "a question's own rule stands beside it");
        let (mut shown, mut stored) = (form.rules(), rules);
        shown.sort_by(|one, other| one.field.cmp(&other.field));
        stored.sort_by(|one, other| one.field.cmp(&other.field));
        assert_eq!(shown, stored);
    }

    #[test]
    fn what_is_typed_beside_a_question_is_its_rule_and_a_mistake_finds_its_place() {
        let typed = [
            ("questions", "2"),
            ("rules", "2"),
            ("question-0-key", "email"),
            ("question-0-usual", "email"),
            ("question-1-key", "budget"),
            ("question-1-usual", ""),
            ("question-1-field", "Not A Field"),
            ("rule-1-field", "note"),
            ("rule-1-from", "email"),
        ];
        let fields = |typed: &[(&str, &str)]| {
            Fields::new(typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let form = MappingForm::parse(&fields(&typed));
        assert_eq!(form.rules(), [rule("Not A Field", &["budget"]), rule("note", &["email"])]);
        let spot = |field: &str| form.wrong_spot(&Problem::field(field, ErrorCode::RuleInvalid, "Wrong."));
        assert_eq!(spot("rules[0].field"), Some(Spot::Question(1)));
        assert_eq!(spot("rules[1].from"), Some(Spot::Combined(0)));
        assert_eq!((spot("rules[2].field"), spot("country")), (None, None));
        // With a value of its own, a question keeps its usual field; naming that field is a rule, too.
        let with = |more: (&str, &str)| MappingForm::parse(&fields(&[&typed[..4], &[more]].concat())).rules();
        assert_eq!(with(("question-0-default", "x")).first().map(|rule| rule.field.as_str()), Some("email"));
        assert_eq!(with(("question-0-field", "email")), [rule("email", &["email"])]);
    }
}
