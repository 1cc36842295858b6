//! Reads leads from a file: Meta's own export (UTF-16 with tabs, or UTF-8 with commas), or any table with a header
//! line.
//!
//! The fixed columns of Meta's export are recognised by name; every other column is a question. Meta prefixes ids in
//! files, so that spreadsheets do not parse them as numbers: `l:` lead, `ag:` ad, `as:` ad set, `c:` campaign, `f:`
//! form, `p:` phone number, `z:` zip code. Other programs have columns of the same names. So the content of a file
//! decides whether it is Meta's export, and values that are not Meta's stay answers.

mod columns;
mod export;
mod sheet;
mod written_time;

use csv::StringRecord;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use self::columns::{ColumnUse, FileColumn};
use self::export::{META_COLUMNS, Traits, platform, set_attribution};
use self::sheet::Sheet;
use crate::ids::{LeadId, LeadgenId};
use crate::model::lead::attribution::Attribution;
use crate::model::lead::form::RawAnswer;
use crate::model::lead::standard_fields::{EMAIL, FULL_NAME, PHONE, of_answer_name};
use crate::model::spreadsheet::unescape;
use crate::tr;

/// One line of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRow {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The lead's id in the CRM, derived from Meta's id or else from the line's content, so that the same line twice is
    /// one lead.
    pub id: LeadId,
    /// Meta's id of the submission.
    pub leadgen_id: Option<LeadgenId>,
    /// When the form was sent.
    pub created_time: Option<Timestamp>,
    /// Where the lead came from, as far as the file says.
    pub attribution: Attribution,
    /// Whether Meta's ids or platform show that this lead is Meta's and not another program's.
    pub is_of_meta: bool,
    /// The answers, in the order of the columns.
    pub answers: Vec<RawAnswer>,
}

/// A line that is not a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The header of the column concerned.
    pub column: Option<String>,
    /// What is wrong, and what is accepted.
    pub message: String,
}

/// The file is not a table of leads. The message says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotLeads(pub String);

/// A file as a table of leads.
pub struct FileLeads<I> {
    /// Its columns, in the order of the file.
    pub columns: Vec<FileColumn>,
    /// Its lines.
    pub rows: I,
}

/// Reads a file, one line at a time. `country` decides the order of day and month if the file does not. Times after
/// `now` are rejected.
///
/// # Errors
/// [`NotLeads`] if the file has no header line with a column that identifies leads.
pub fn rows(
    file: &[u8],
    country: Option<&str>,
    now: Timestamp,
) -> Result<FileLeads<impl Iterator<Item = Result<FileRow, RowError>> + use<>>, NotLeads> {
    let table = Sheet::read(file, |name| META_COLUMNS.contains(&name) || of_answer_name(name).is_some())?;
    let identifies_row = |column: &String| {
        matches!(of_answer_name(column), Some(EMAIL | PHONE | FULL_NAME | "first_name" | "last_name"))
    };
    if !table.columns.iter().any(|column| column == "id" || identifies_row(column)) {
        let columns = table.columns.iter().take(20).map(|name| name.chars().take(40).collect::<String>());
        let columns = columns.collect::<Vec<_>>().join(", ");
        return Err(NotLeads(tr!(
            "The first line must name the columns, and one of them must be id, email, phone_number or full_name. Found: {columns}.",
            columns = columns
        )));
    }
    let traits = Traits::survey(&table, country);
    let described = table.describe(traits);
    let (columns, records) = table.into_records();
    let rows = records.map(move |(line, record)| match record {
        Some(record) => row(&columns, &record, line, traits, now),
        None => Err(RowError { line, column: None, message: tr!("The line cannot be read as columns.").into_owned() }),
    });
    Ok(FileLeads { columns: described, rows })
}

fn row(
    columns: &[String],
    record: &StringRecord,
    line: u64,
    file: Traits,
    now: Timestamp,
) -> Result<FileRow, RowError> {
    let wrong = |column: Option<&str>, message: &str| RowError {
        line,
        column: column.map(ToOwned::to_owned),
        message: message.to_owned(),
    };
    // Some programs omit empty cells at the end or add extra ones.
    if record.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty()) {
        let message = tr!(
            "{found} columns instead of {expected}. Put quotes around a value that contains the separator.",
            found = record.len(),
            expected = columns.len()
        );
        return Err(wrong(None, &message));
    }
    let mut row = FileRow {
        line,
        id: LeadId::from_content(""),
        leadgen_id: None,
        created_time: None,
        attribution: Attribution::default(),
        is_of_meta: file.is_export,
        answers: Vec::new(),
    };
    for (column, cell) in columns.iter().zip(record) {
        let value = unescape(cell.trim());
        let value = value.as_str();
        if value.is_empty() {
            continue;
        }
        // A value that is not Meta's, in a column named like Meta's, is an ordinary answer.
        let is_metas = match column.as_str() {
            "id" if file.is_export => {
                let parsed = LeadgenId::parse(value.strip_prefix("l:").unwrap_or(value));
                row.leadgen_id = Some(parsed.map_err(|_| wrong(Some("id"), &tr!("Meta's lead id: digits, with or without l: before them. A spreadsheet may have turned it into a number.")))?);
                true
            }
            "created_time" => {
                let parsed = written_time::parse(value, file.day_order, now);
                row.created_time = Some(parsed.map_err(|error| wrong(Some("created_time"), &error.message()))?);
                true
            }
            "form_id" => {
                let is_id = set_attribution(&mut row.attribution, column, value);
                if file.is_export && !is_id {
                    return Err(wrong(
                        Some("form_id"),
                        &tr!("Meta's form id: digits, with or without f: before them."),
                    ));
                }
                row.is_of_meta |= is_id;
                is_id
            }
            "platform" => {
                let known = platform(value);
                row.is_of_meta |= known.is_some();
                let other = || file.is_export.then(|| value.to_lowercase());
                row.attribution.platform = known.map(ToOwned::to_owned).or_else(other);
                row.attribution.platform.is_some()
            }
            "lead_status" | "inbox_url" => file.is_export,
            other => set_attribution(&mut row.attribution, other, value),
        };
        if !is_metas {
            row.answers.push((column.clone(), vec![answer(value).to_owned()]));
        }
    }
    row.id = match &row.leadgen_id {
        // A lead with only an id would block the real lead, which Meta may still have.
        _ if row.answers.is_empty() => {
            return Err(wrong(None, &tr!("The line has no answers, so the lead belongs to no one.")));
        }
        Some(leadgen_id) => LeadId::from_leadgen(leadgen_id),
        None => LeadId::from_content(&content(&row)),
    };
    Ok(row)
}

/// Removes the prefix that keeps spreadsheets from parsing a value as a number.
fn answer(value: &str) -> &str {
    match value.split_once(':') {
        Some(("p" | "z", marked)) if !marked.is_empty() => marked,
        _ => value,
    }
}

/// A hash of everything that makes two lines without an id the same line.
fn content(row: &FileRow) -> String {
    let mut answers: Vec<String> =
        row.answers.iter().map(|(name, values)| format!("{name}={}", values.join("|").to_lowercase())).collect();
    answers.sort();
    let created_time = row.created_time.map(|time| time.to_string()).unwrap_or_default();
    let form = row.attribution.form_id.as_ref().map(ToString::to_string).unwrap_or_default();
    hex::encode(Sha256::digest(format!("{created_time}\n{form}\n{}", answers.join("\n")))).chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: &str = "2026-11-27T12:00:00Z";

    fn read(file: &[u8]) -> Vec<Result<FileRow, RowError>> {
        rows(file, Some("US"), NOW.parse().unwrap()).unwrap().rows.collect()
    }

    fn names(file: &str) -> Vec<String> {
        let full_name =
            |row: FileRow| row.answers.into_iter().find(|(name, _)| name == "full_name").unwrap().1.remove(0);
        read(file.as_bytes()).into_iter().map(|row| full_name(row.unwrap())).collect()
    }

    const EXPORT: &str = "id\tcreated_time\tad_id\tad_name\tadset_id\tadset_name\tcampaign_id\tcampaign_name\tform_id\tform_name\tis_organic\tplatform\twhat_budget?\tfull_name\temail\tphone_number\tzip_code\tlead_status\r\n\
        l:123\t2026-06-10T14:03:22-05:00\tag:1\tAd\tas:2\tSet\tc:3\tCampaign\tf:77\tForm\tfalse\tig\t\"a\tb\"\tAnn \"\"Q\"\" Lee\tann@example.com\tp:+12125550123\tz:01234\tCREATED\r\n";

    #[test]
    fn metas_export_is_read_in_both_its_encodings() {
        let utf_16: Vec<u8> =
            [0xff, 0xfe].into_iter().chain(EXPORT.encode_utf16().flat_map(u16::to_le_bytes)).collect();
        let with_commas = "\u{feff}id,created_time,form_id,platform,full_name,phone_number\nl:123,2026-06-10T14:03:22-0500,f:77,ig,\"Lee, Ann\",p:+12125550123\n";
        for file in [&utf_16[..], &utf_16[2..], EXPORT.as_bytes(), with_commas.as_bytes()] {
            let row = read(file).remove(0).unwrap();
            assert_eq!((row.id.as_str(), row.line), ("meta-123", 2));
            assert_eq!(row.created_time.unwrap().to_string(), "2026-06-10T19:03:22Z");
            assert_eq!(
                (row.attribution.form_id.unwrap().as_str(), row.attribution.platform.as_deref()),
                ("77", Some("ig"))
            );
            assert!(row.answers.contains(&("phone_number".into(), vec!["+12125550123".into()])));
        }
        let row = read(EXPORT.as_bytes()).remove(0).unwrap();
        assert_eq!(
            (
                row.attribution.ad_id.as_deref(),
                row.attribution.adset_id.as_deref(),
                row.attribution.campaign_id.as_deref()
            ),
            (Some("1"), Some("2"), Some("3"))
        );
        assert_eq!(row.attribution.is_organic, Some(false));
        assert_eq!(row.answers[0], ("what_budget?".into(), vec!["a\tb".into()]));
        assert_eq!(row.answers[4], ("zip_code".into(), vec!["01234".into()]));
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told_by_line_and_column_and_costs_only_that_line() {
        let file = "id,email,created_time\nl:1,a@b.c,\n1.23E+15,x@b.c,\nl:2,y@b.c,yesterday\nl:3\n,,\nl:4,\"two\nlines\",2026-01-31\n\n\nl:5,z@b.c,\nl:6,,\n";
        let read = read(file.as_bytes());
        let errors: Vec<(u64, Option<&str>)> = read
            .iter()
            .filter_map(|row| row.as_ref().err())
            .map(|error| (error.line, error.column.as_deref()))
            .collect();
        assert_eq!(errors, [(3, Some("id")), (4, Some("created_time")), (5, None), (6, None), (12, None)]);
        let ids: Vec<(u64, &str)> = read.iter().flatten().map(|row| (row.line, row.id.as_str())).collect();
        assert_eq!(ids, [(2, "meta-1"), (7, "meta-4"), (11, "meta-5")]);
    }

    #[test]
    fn a_file_that_was_exported_here_says_what_its_leads_said() {
        let file = "\u{feff}email,full_name,phone\na@b.c,'=1+1,'+4930901820\n";
        let row = read(file.as_bytes()).remove(0).unwrap();
        assert_eq!(
            row.answers[1..].iter().map(|(_, values)| values[0].as_str()).collect::<Vec<_>>(),
            ["=1+1", "+4930901820"]
        );
    }

    #[test]
    fn a_line_without_an_id_is_known_by_what_it_says() {
        let file = "email;name\nA@b.c;Ann\na@b.c;ann\na@b.c;bob\n";
        let ids: Vec<LeadId> = read(file.as_bytes()).into_iter().map(|row| row.unwrap().id).collect();
        assert!(ids[0] == ids[1] && ids[1] != ids[2] && ids[0].as_str().starts_with("file-"));
    }

    #[test]
    fn what_is_no_table_of_leads_says_what_would_be() {
        let refusal =
            |file: &[u8]| rows(file, None, NOW.parse().unwrap()).err().map(|error| error.0).unwrap_or_default();
        assert!(refusal(b"").contains("The first line"));
        assert!(refusal(b"color,size\nred,1\n").contains("Found: color, size"));
    }

    #[test]
    fn the_columns_are_told_as_they_are_read() {
        let describe = |file: &str| {
            let columns = rows(file.as_bytes(), None, NOW.parse().unwrap()).unwrap().columns;
            columns.into_iter().map(|column| (column.name, column.reads_as, column.field)).collect::<Vec<_>>()
        };
        let column =
            |name: &str, reads_as, field: Option<&str>| (name.to_owned(), reads_as, field.map(ToOwned::to_owned));
        assert_eq!(
            describe("E-Mail;Vorname;Erstellt am;id\na@b.c;Ann;27.11.2026;4711\n"),
            [
                column("E-Mail", ColumnUse::Field, Some("email")),
                column("Vorname", ColumnUse::Field, Some("first_name")),
                column("Erstellt am", ColumnUse::Answer, None),
                column("id", ColumnUse::Answer, None),
            ]
        );
        let export = describe(EXPORT);
        assert!(export.contains(&column("id", ColumnUse::Origin, None)));
        assert!(export.contains(&column("lead_status", ColumnUse::Nothing, None)));
        assert!(export.contains(&column("what_budget?", ColumnUse::Answer, None)));
    }

    #[test]
    fn what_is_missing_or_empty_at_the_end_of_a_line_is_empty() {
        let file = "full_name,email,note\nJerry,jerry@x.y,\nGeorge,george@x.y\nElaine\nCosmo,c@x.y,call after five,,\n";
        assert_eq!(names(file), ["Jerry", "George", "Elaine", "Cosmo"]);
        let error = read(b"full_name,email\nDoe, John,j@x.y\n").remove(0).unwrap_err();
        assert!(error.message.contains("3 columns instead of 2"), "{error:?}");
    }

    #[test]
    fn only_metas_export_has_metas_ids() {
        let check = |file: &str, ids: &[&str]| {
            let read: Vec<String> = read(file.as_bytes())
                .into_iter()
                .map(|row| row.unwrap().leadgen_id.map(|id| id.to_string()).unwrap_or_default())
                .collect();
            assert_eq!(read, ids, "{file}");
        };
        check("id,full_name\nl:9000000000000101,Ann\n", &["9000000000000101"]);
        check("id,created_time,full_name\n900000000000101,2026-01-31,Ann\n", &["900000000000101"]);
        check("id,form_id,full_name\n77,f:123,Ann\n", &["77"]);
        check("id,full_name\n1,Ann\n2,Bob\n", &["", ""]);
        check("id,created_time,full_name\n1,2026-01-31,Ann\n2,2026-01-31,Bob\n", &["", ""]);
        check("id,full_name\ncbffdd8e-1e55-97b0-96a0-58f76f000002,Zoe\n", &[""]);
        // Shopify's ids are long too, but nothing else in such a file is Meta's.
        check("id,full_name\n900000000000101,Ann\n", &[""]);
        let one = read(b"id,full_name,platform,campaign_id,form_id\n1,Ann,Google,summer,contact\n").remove(0).unwrap();
        assert!(!one.is_of_meta && one.attribution.platform.is_none() && one.attribution.campaign_id.is_none());
        assert_eq!(one.answers.len(), 5, "nothing is lost: {:?}", one.answers);
        let other = read(b"id,full_name\n1,Bob\n").remove(0).unwrap();
        assert_ne!(one.id, other.id);
    }

    #[test]
    fn a_platform_is_what_it_says_however_it_is_spelled() {
        let file = "full_name,platform\nAnn,Instagram\nBob,ig\nCid,Facebook\nDan,FB\nEve,TikTok\n";
        let rows = read(file.as_bytes()).into_iter().map(Result::unwrap);
        let platforms: Vec<(Option<String>, bool)> =
            rows.map(|row| (row.attribution.platform, row.is_of_meta)).collect();
        let of_meta = |word: &str| (Some(word.to_owned()), true);
        assert_eq!(platforms, [of_meta("ig"), of_meta("ig"), of_meta("fb"), of_meta("fb"), (None, false)]);
    }

    #[test]
    fn a_column_of_days_is_read_in_one_order() {
        let file = "full_name,created_time\nAna,10/09/2026 14:32\nBruno,13/09/2026 09:05\n";
        let times: Vec<String> =
            read(file.as_bytes()).into_iter().map(|row| row.unwrap().created_time.unwrap().to_string()).collect();
        assert_eq!(times, ["2026-09-10T14:32:00Z", "2026-09-13T09:05:00Z"]);
        let refused = read(b"full_name,created_time\nAna,2036-09-10\n").remove(0).unwrap_err();
        assert_eq!(refused.column.as_deref(), Some("created_time"));
    }

    proptest! {
        #[test]
        fn any_file_is_survived(file in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(leads) = rows(&file, None, NOW.parse().unwrap()) {
                leads.rows.for_each(drop);
            }
        }

        #[test]
        fn any_damaged_file_is_survived(file in corpus::mutated_bytes(corpus::lead_files())) {
            if let Ok(leads) = rows(&file, Some("US"), NOW.parse().unwrap()) {
                leads.rows.for_each(drop);
            }
        }

        #[test]
        fn any_line_is_a_lead_or_told(lines in prop::collection::vec("[ -~äé\t]{0,40}", 0..20)) {
            let file = format!("id,email\n{}", lines.join("\n"));
            for row in rows(file.as_bytes(), None, NOW.parse().unwrap()).unwrap().rows {
                let line = row.as_ref().map_or_else(|error| error.line, |row| row.line);
                prop_assert!(line >= 2 && line <= lines.len() as u64 + 2);
            }
        }
    }
}
