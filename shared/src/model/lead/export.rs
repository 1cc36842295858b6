//! An export of leads into a file: what it covers, how far it is, and its rows.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::query::LeadQuery;
use super::{Answer, Lead};
use crate::ids::{ExportId, UserId};
use crate::model::spreadsheet::harmless;

/// How long an export and its file are kept. The bucket deletes the files of `exports/` by the same age.
pub const EXPORT_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);
/// An export that did not go on for this long has stopped. A worker may still bring it to its end.
const MAX_SILENCE: SignedDuration = SignedDuration::from_hours(1);
/// Columns beside those that every file has.
const MAX_COLUMNS: usize = 200;

/// An export of leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeadExport {
    /// Its id. Later exports have higher ids.
    pub id: ExportId,
    /// Which leads it has.
    pub query: LeadQuery,
    /// Who requested it.
    pub requested_by: UserId,
    /// When it was requested.
    pub requested_at: Timestamp,
    /// Whether it goes on.
    pub state: ExportState,
    /// The upload at S3, once it began.
    pub upload: Option<String>,
    /// The highest number that a part or a remainder was given. A number is used once, whatever becomes of its worker.
    #[serde(default)]
    pub numbers: u32,
    /// How far it is.
    #[serde(flatten)]
    pub progress: ExportProgress,
    /// The size of the file, once it is complete.
    pub bytes: Option<u64>,
}

/// How far an export is. Each change has the version after the one that it was made from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ExportProgress {
    /// Counts the changes.
    pub version: u32,
    /// Leads in the file so far.
    pub leads: u64,
    /// Where the list of leads resumes. `None` before its first page and after its last.
    pub cursor: Option<String>,
    /// Whether all leads were read.
    pub is_read: bool,
    /// The columns beside those that every file has.
    pub columns: Vec<ExportColumn>,
    /// The parts at S3, with their ETags, in the file's order.
    pub parts: Vec<(u32, String)>,
    /// The number of the remainder: rows that are too few for a part.
    pub remainder: Option<u32>,
    /// When it last changed.
    pub changed_at: Option<Timestamp>,
}

/// Whether an export goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(test, derive(strum::EnumIter))]
#[serde(rename_all = "snake_case")]
pub enum ExportState {
    /// It is being written.
    Running,
    /// Its file is complete.
    Done,
    /// It cannot go on.
    Failed,
    /// Its file was deleted, because a person was erased.
    Erased,
}

/// A column that depends on the leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportColumn {
    /// A field of the mapping, such as `city`.
    Field(String),
    /// A question, by its key and as it was shown.
    Answer(String, String),
    /// A consent box, by its key.
    Consent(String),
}

impl LeadExport {
    /// An export that is about to begin.
    #[must_use]
    pub fn new(query: LeadQuery, requested_by: UserId, requested_at: Timestamp) -> Self {
        Self {
            id: ExportId::new(),
            query,
            requested_by,
            requested_at,
            state: ExportState::Running,
            upload: None,
            numbers: 0,
            progress: ExportProgress::default(),
            bytes: None,
        }
    }

    /// The state as people see it: what has been silent for long has failed.
    #[must_use]
    pub fn state_at(&self, now: Timestamp) -> ExportState {
        let last = self.progress.changed_at.unwrap_or(self.requested_at);
        match self.state {
            ExportState::Running if now.duration_since(last) > MAX_SILENCE => ExportState::Failed,
            state => state,
        }
    }
}

/// A column of every file: its name, and what a lead has there.
type FixedColumn = (&'static str, fn(&Lead) -> Option<String>);

const FIXED: [FixedColumn; 28] = [
    ("id", |lead| Some(lead.id.to_string())),
    ("submitted_at", |lead| Some(lead.created_time.to_string())),
    ("received_at", |lead| Some(lead.received_at.to_string())),
    ("full_name", |lead| lead.full_name.clone()),
    ("email", |lead| lead.email.clone()),
    ("phone", |lead| lead.phone.clone()),
    ("status", |lead| Some(lead.status.to_string())),
    ("assigned_to", |lead| lead.assigned_to.as_ref().map(ToString::to_string)),
    ("note", |lead| lead.note.clone()),
    ("value", |lead| lead.value.map(|value| value.to_string())),
    ("currency", |lead| lead.currency.clone()),
    ("lost_reason", |lead| lead.lost_reason.clone()),
    ("source", |lead| Some(lead.source.clone())),
    ("tags", |lead| Some(lead.tags.join(", "))),
    ("page_id", |lead| lead.page_id.as_ref().map(ToString::to_string)),
    ("page_name", |lead| lead.page_name.clone()),
    ("form_id", |lead| lead.attribution.form_id.as_ref().map(ToString::to_string)),
    ("form_name", |lead| lead.attribution.form_name.clone()),
    ("campaign_id", |lead| lead.attribution.campaign_id.clone()),
    ("campaign_name", |lead| lead.attribution.campaign_name.clone()),
    ("adset_id", |lead| lead.attribution.adset_id.clone()),
    ("adset_name", |lead| lead.attribution.adset_name.clone()),
    ("ad_id", |lead| lead.attribution.ad_id.clone()),
    ("ad_name", |lead| lead.attribution.ad_name.clone()),
    ("leadgen_id", |lead| lead.leadgen_id.as_ref().map(ToString::to_string)),
    ("found_by", |lead| Some(<&str>::from(lead.found_by).to_owned())),
    ("test", |lead| Some(lead.test.to_string())),
    ("later_submissions", |lead| Some(lead.submissions_count.to_string())),
];
/// The last column has what has no column of its own.
const OTHERS: &str = "other_answers";

/// The columns that these leads need, the first of an export: fields, then questions, then consent boxes.
#[must_use]
pub fn columns_of(leads: &[Lead]) -> Vec<ExportColumn> {
    let mut columns = all_columns(leads);
    columns.truncate(MAX_COLUMNS);
    columns
}

fn all_columns(leads: &[Lead]) -> Vec<ExportColumn> {
    let mut columns: Vec<ExportColumn> = Vec::new();
    let mut seen = BTreeSet::new();
    let fields = leads.iter().flat_map(|lead| lead.fields.keys().cloned().map(ExportColumn::Field));
    let answers = leads.iter().flat_map(|lead| &lead.answers);
    let answers = answers.map(|answer| ExportColumn::Answer(answer.name.clone(), answer.label.clone()));
    let consents = leads.iter().flat_map(|lead| &lead.consents);
    let consents = consents.map(|consent| ExportColumn::Consent(consent.key.clone()));
    for column in fields.chain(answers).chain(consents) {
        let (kind, name) = column.identity();
        if seen.insert((kind, name.to_owned())) {
            columns.push(column);
        }
    }
    columns
}

/// The first row of a file, after the mark by which Excel knows that it is UTF-8.
#[must_use]
pub fn header(columns: &[ExportColumn]) -> Vec<u8> {
    let fixed = FIXED.iter().map(|(name, _)| (*name).to_owned());
    let mut names: Vec<String> = fixed.collect();
    for column in columns {
        let name = column.title();
        let name = if names.contains(&name) { format!("{name} ({})", column.identity().1) } else { name };
        names.push(name);
    }
    names.push(OTHERS.to_owned());
    let mut bytes = "\u{feff}".as_bytes().to_vec();
    bytes.extend(rows([names.iter().map(|name| harmless(name)).collect()]));
    bytes
}

/// Leads as rows of a file with these columns.
#[must_use]
pub fn lines(columns: &[ExportColumn], leads: &[Lead]) -> Vec<u8> {
    rows(leads.iter().map(|lead| line(columns, lead)))
}

fn line(columns: &[ExportColumn], lead: &Lead) -> Vec<String> {
    let mut line: Vec<String> = FIXED.iter().map(|(_, value)| value(lead).unwrap_or_default()).collect();
    line.extend(columns.iter().map(|column| column.value(lead).unwrap_or_default()));
    let known: BTreeSet<(u8, &str)> = columns.iter().map(ExportColumn::identity).collect();
    let own = all_columns(std::slice::from_ref(lead));
    let others = own.iter().filter(|column| !known.contains(&column.identity()));
    let others: Vec<String> =
        others.map(|column| format!("{}: {}", column.title(), column.value(lead).unwrap_or_default())).collect();
    line.push(others.join("\n"));
    line.iter().map(|value| harmless(value)).collect()
}

fn rows(rows: impl IntoIterator<Item = Vec<String>>) -> Vec<u8> {
    let mut file = ::csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Writing to memory does not fail.
        let _ = file.write_record(&row);
    }
    file.into_inner().unwrap_or_default()
}

impl ExportColumn {
    /// What tells columns apart: a question may be shown in many ways.
    fn identity(&self) -> (u8, &str) {
        match self {
            Self::Field(name) => (0, name),
            Self::Answer(name, _) => (1, name),
            Self::Consent(key) => (2, key),
        }
    }

    fn title(&self) -> String {
        match self {
            Self::Field(name) => name.clone(),
            Self::Answer(_, label) => label.clone(),
            Self::Consent(key) => format!("consent {key}"),
        }
    }

    fn value(&self, lead: &Lead) -> Option<String> {
        match self {
            Self::Field(name) => lead.fields.get(name).cloned(),
            Self::Answer(name, _) => {
                let answers = lead.answers.iter().filter(|answer| answer.name == *name);
                let values: Vec<&str> =
                    answers.flat_map(|answer: &Answer| &answer.values).map(String::as_str).collect();
                Some(values.join(", "))
            }
            Self::Consent(key) => {
                let consent = lead.consents.iter().find(|consent| consent.key == *key)?;
                Some(if consent.checked { "yes" } else { "no" }.to_owned())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::lead::Consent;
    use crate::table::tests::lead;

    fn answer(name: &str, label: &str, values: &[&str]) -> Answer {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Answer { name: name.to_owned(), label: label.to_owned(), values }
    }

    fn read(columns: &[ExportColumn], leads: &[Lead]) -> Vec<Vec<String>> {
        let bytes = [header(columns), lines(columns, leads)].concat();
        let text = std::str::from_utf8(&bytes).unwrap().strip_prefix('\u{feff}').unwrap().to_owned();
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_answer_has_a_place_and_every_row_as_many_fields_as_the_first() {
        let mut first = Lead {
            full_name: Some("=HYPERLINK(\"x\")".to_owned()),
            phone: Some("+4930901820".to_owned()),
            answers: vec![answer("q", "Which, \"one\"?", &["a", "b\nc"]), answer("email", "email", &["x"])],
            consents: vec![Consent { key: "terms".to_owned(), text: None, checked: true }],
            ..lead(1, Some("ann@example.com"))
        };
        first.fields.insert("city".to_owned(), "Köln".to_owned());
        let later = Lead {
            answers: vec![answer("q", "Shown in other words", &["-1"]), answer("new", "A new question", &["=2", "3"])],
            consents: Vec::new(),
            ..lead(2, None)
        };
        let columns = columns_of(std::slice::from_ref(&first));
        let rows = read(&columns, &[first, later]);
        let at = |name: &str| rows[0].iter().position(|column| column == name).unwrap_or_else(|| panic!("{name}"));
        let value = |row: usize, name: &str| rows[row][at(name)].as_str();
        assert_eq!(value(1, "full_name"), "'=HYPERLINK(\"x\")");
        assert_eq!((value(1, "phone"), value(1, "email")), ("'+4930901820", "ann@example.com"));
        assert_eq!((value(1, "city"), value(1, "consent terms")), ("Köln", "yes"));
        assert_eq!((value(1, "Which, \"one\"?"), value(2, "Which, \"one\"?")), ("a, b\nc", "'-1"));
        assert_eq!(value(1, "email (email)"), "x", "two columns of one name are told apart");
        assert_eq!(value(2, "other_answers"), "A new question: =2, 3");
        assert_eq!(value(1, "other_answers"), "");
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        let names: BTreeSet<&String> = rows[0].iter().collect();
        assert_eq!(names.len(), rows[0].len());
    }

    #[test]
    fn columns_are_limited_and_the_rest_is_one() {
        let many: Vec<Answer> = (0..300).map(|at| answer(&format!("q{at}"), &format!("Q{at}"), &["x"])).collect();
        let leads = [Lead { answers: many, consents: Vec::new(), fields: BTreeMap::new(), ..lead(1, None) }];
        let columns = columns_of(&leads);
        let rows = read(&columns, &leads);
        assert_eq!(rows[0].len(), FIXED.len() + MAX_COLUMNS + 1);
        assert_eq!(rows[1].last().unwrap().lines().count(), 100, "all that have no column");
    }

    #[test]
    fn what_is_silent_for_an_hour_has_stopped() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let user = UserId::parse("u").unwrap();
        let mut export = LeadExport::new(LeadQuery::default(), user, at("2026-01-01T00:00:00Z"));
        assert_eq!(export.state_at(at("2026-01-01T01:00:00Z")), ExportState::Running);
        assert_eq!(export.state_at(at("2026-01-01T01:00:01Z")), ExportState::Failed);
        export.progress.changed_at = Some(at("2026-01-01T00:30:00Z"));
        assert_eq!(export.state_at(at("2026-01-01T01:00:01Z")), ExportState::Running);
        let done = LeadExport { state: ExportState::Done, ..export };
        assert_eq!(done.state_at(at("2026-01-09T00:00:00Z")), ExportState::Done);
    }
}
