//! How the columns of a file are read, for people to see before they import it.

use serde::Serialize;
use utoipa::ToSchema;

use super::export::{META_COLUMNS, Traits};
use super::sheet::Sheet;
use crate::model::lead::standard_fields::of_answer_name;
use crate::model::spreadsheet::unescape;

/// Values of a column that are shown.
const SAMPLES: usize = 3;
/// Characters of a value that are shown.
const MAX_SAMPLE: usize = 60;

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileColumn {
    /// Its name in the header; `column_` and its position if it has none.
    pub name: String,
    /// What becomes of its values.
    pub reads_as: ColumnUse,
    /// The lead's field that it fills, unless the form's own mapping says otherwise; `null` if it fills none.
    pub field: Option<String>,
    /// Its first values, shortened.
    pub samples: Vec<String>,
}

/// What becomes of a column's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnUse {
    /// They say where or when the lead was submitted.
    Origin,
    /// They fill a field of the lead.
    Field,
    /// They are stored among the lead's answers.
    Answer,
    /// They are not read.
    Nothing,
}

impl Sheet {
    /// Describes the columns.
    pub(super) fn describe(&self, file: Traits) -> Vec<FileColumn> {
        let mut samples: Vec<Vec<String>> = vec![Vec::new(); self.columns.len()];
        self.survey(|record| {
            for (samples, cell) in samples.iter_mut().zip(record) {
                let value = unescape(cell.trim());
                if samples.len() < SAMPLES && !value.is_empty() {
                    samples.push(value.chars().take(MAX_SAMPLE).collect());
                }
            }
        });
        let describe = |(name, samples): (&String, Vec<String>)| {
            let field = of_answer_name(name);
            let reads_as = match name.as_str() {
                "lead_status" | "inbox_url" if file.is_export => ColumnUse::Nothing,
                "id" | "lead_status" if !file.is_export => ColumnUse::Answer,
                name if META_COLUMNS.contains(&name) => ColumnUse::Origin,
                _ if field.is_some() => ColumnUse::Field,
                _ => ColumnUse::Answer,
            };
            let field = field.filter(|_| reads_as == ColumnUse::Field).map(ToOwned::to_owned);
            FileColumn { name: name.clone(), reads_as, field, samples }
        };
        self.columns.iter().zip(samples).map(describe).collect()
    }
}
