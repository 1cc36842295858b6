//! Leads out of a file: Meta's own export (UTF-16 with tabs, or UTF-8 with commas), or any table with a header line.
//!
//! The columns that Meta's export gives every lead are known by name; every other column is a question. Meta marks ids in
//! files by a prefix, so that no spreadsheet takes them for numbers: `l:` lead, `ag:` ad, `as:` ad set, `c:` campaign,
//! `f:` form, `p:` phone number, `z:` zip code.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::form::GivenAnswer;
use super::standard_fields::{EMAIL, FULL_NAME, PHONE, of_answer_name};
use crate::ids::{FormId, LeadId, LeadgenId};

/// Columns of a file at most.
const MOST_COLUMNS: usize = 1000;

/// One line of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// On which line it begins, from 1.
    pub line: u64,
    /// The lead's id in the CRM: made from Meta's id, or else from what the line says, so that the same line twice is one
    /// lead.
    pub id: LeadId,
    /// Meta's id of the submission.
    pub leadgen_id: Option<LeadgenId>,
    /// When it was sent.
    pub created_time: Option<Timestamp>,
    /// The ad, as the export has it, as are the other five.
    pub ad_id: Option<String>,
    /// The ad's name.
    pub ad_name: Option<String>,
    /// The ad set.
    pub adset_id: Option<String>,
    /// The ad set's name.
    pub adset_name: Option<String>,
    /// The campaign.
    pub campaign_id: Option<String>,
    /// The campaign's name.
    pub campaign_name: Option<String>,
    /// The form.
    pub form_id: Option<FormId>,
    /// The form's name.
    pub form_name: Option<String>,
    /// `fb`, `ig`…
    pub platform: Option<String>,
    /// The answers, in the order of the columns.
    pub answers: Vec<GivenAnswer>,
}

/// A line that is no lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// On which line it begins, from 1.
    pub line: u64,
    /// The column it is about, by its header.
    pub column: Option<String>,
    /// What is wrong, and what would be taken.
    pub message: String,
}

/// A file that is no table of leads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotLeads(pub String);

/// Reads a file, a line at a time.
///
/// # Errors
/// [`NotLeads`] if it has no header line that says what its columns are.
pub fn rows(file: &[u8]) -> Result<impl Iterator<Item = Result<Row, RowError>>, NotLeads> {
    let text = decoded(file)?;
    let header = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let most = [b'\t', b',', b';'].into_iter().max_by_key(|mark| header.bytes().filter(|byte| byte == mark).count());
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(most.unwrap_or(b','))
        .flexible(true)
        .from_reader(std::io::Cursor::new(text.clone().into_bytes()));
    let whole = text.into_bytes();
    let columns: Vec<String> = match reader.headers() {
        Ok(headers) => (1..).zip(headers).map(|(at, name)| named(at, name.trim())).collect(),
        Err(error) => return Err(NotLeads(format!("The header line cannot be read: {error}."))),
    };
    if columns.len() > MOST_COLUMNS {
        return Err(NotLeads(format!("{} columns; {MOST_COLUMNS} at most.", columns.len())));
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = columns.iter().find(|column| !names.insert(*column)) {
        return Err(NotLeads(format!("Two columns are called {twice}. Give each column a name of its own.")));
    }
    let says_who = |column: &String| {
        matches!(of_answer_name(column), Some(EMAIL | PHONE | FULL_NAME | "first_name" | "last_name"))
    };
    if !columns.iter().any(|column| column == "id" || says_who(column)) {
        let found: Vec<&str> = columns.iter().map(String::as_str).take(20).collect();
        return Err(NotLeads(format!(
            "The first line has to name the columns, and one of them has to be id, email, phone_number or full_name. Found: {}.",
            found.join(", ")
        )));
    }
    let mut lines = Lines { text: whole, at: 0, line: 1 };
    Ok(reader.into_records().map(move |record| match record {
        Ok(record) => row(&columns, &record, lines.of(record.position())),
        Err(error) => {
            let line = lines.of(error.position());
            Err(RowError { line, column: None, message: "The line cannot be read as columns.".to_owned() })
        }
    }))
}

/// A column without a name is a question all the same.
fn named(at: usize, name: &str) -> String {
    if name.is_empty() { format!("column_{at}") } else { name.to_owned() }
}

/// Says on which line something is. The reader does not count the empty lines before it.
struct Lines {
    text: Vec<u8>,
    at: usize,
    line: u64,
}

impl Lines {
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let until = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.at);
        while let Some(byte) = self.text.get(self.at).filter(|byte| self.at < until || **byte == b'\n') {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// Files come with a mark of their encoding, or in UTF-8; Excel leaves the mark away at times.
fn decoded(file: &[u8]) -> Result<String, NotLeads> {
    let looks_like_utf_16 = file.iter().skip(1).step_by(2).take(64).filter(|byte| **byte == 0).count() > 16;
    let usual = if looks_like_utf_16 { encoding_rs::UTF_16LE } else { encoding_rs::UTF_8 };
    let (text, _, damaged) = usual.decode(file);
    if text.starts_with('\u{fffd}') && text.contains('\0') {
        let fix = "The file was damaged on its way, as UTF-16 is when it is sent as text. Send it as application/octet-stream.";
        return Err(NotLeads(fix.to_owned()));
    }
    let text = if damaged { encoding_rs::WINDOWS_1252.decode(file).0 } else { text };
    // Of a line that ends with both, the reader would begin the next one before its end.
    Ok(text.replace("\r\n", "\n"))
}

fn row(columns: &[String], record: &csv::StringRecord, line: u64) -> Result<Row, RowError> {
    let wrong = |column: Option<&str>, message: &str| RowError {
        line,
        column: column.map(ToOwned::to_owned),
        message: message.to_owned(),
    };
    if record.len() != columns.len() {
        return Err(wrong(None, &format!("{} columns instead of {}.", record.len(), columns.len())));
    }
    let mut row = Row {
        line,
        id: LeadId::from_content(""),
        leadgen_id: None,
        created_time: None,
        ad_id: None,
        ad_name: None,
        adset_id: None,
        adset_name: None,
        campaign_id: None,
        campaign_name: None,
        form_id: None,
        form_name: None,
        platform: None,
        answers: Vec::new(),
    };
    for (column, given) in columns.iter().zip(record) {
        let value = given.trim();
        if value.is_empty() {
            continue;
        }
        let text = || Some(value.to_owned());
        let id = |prefix: &str| Some(value.strip_prefix(prefix).unwrap_or(value).to_owned());
        match column.as_str() {
            "id" => {
                let digits = value.strip_prefix("l:").unwrap_or(value);
                let parsed = LeadgenId::parse(digits);
                row.leadgen_id = Some(parsed.map_err(|_| wrong(Some("id"), "Meta's lead id: digits, with or without l: before them. A spreadsheet may have made a number of it."))?);
            }
            "created_time" => {
                let parsed =
                    time(value).ok_or_else(|| wrong(Some("created_time"), "A time such as 2026-01-31T08:00:00+01:00."));
                row.created_time = Some(parsed?);
            }
            "form_id" => {
                let parsed = FormId::parse(value.strip_prefix("f:").unwrap_or(value));
                row.form_id =
                    Some(parsed.map_err(|_| {
                        wrong(Some("form_id"), "Meta's form id: digits, with or without f: before them.")
                    })?);
            }
            "form_name" => row.form_name = text(),
            "ad_id" => row.ad_id = id("ag:"),
            "ad_name" => row.ad_name = text(),
            "adset_id" => row.adset_id = id("as:"),
            "adset_name" => row.adset_name = text(),
            "campaign_id" => row.campaign_id = id("c:"),
            "campaign_name" => row.campaign_name = text(),
            "platform" => row.platform = Some(value.to_lowercase()),
            "is_organic" | "lead_status" | "inbox_url" => {}
            _ => row.answers.push((column.clone(), vec![answer(value).to_owned()])),
        }
    }
    row.id = match &row.leadgen_id {
        // With an id and nothing else it would keep out the lead itself, which Meta may still have.
        _ if row.answers.is_empty() => return Err(wrong(None, "It has no answer: nothing says whose it is.")),
        Some(leadgen_id) => LeadId::from_leadgen(leadgen_id),
        None => LeadId::from_content(&content(&row)),
    };
    Ok(row)
}

/// Without the mark that keeps spreadsheets from taking a number for one.
fn answer(value: &str) -> &str {
    match value.split_once(':') {
        Some(("p" | "z", marked)) if !marked.is_empty() => marked,
        _ => value,
    }
}

/// What makes two lines without an id the same line.
fn content(row: &Row) -> String {
    let mut answers: Vec<String> =
        row.answers.iter().map(|(name, values)| format!("{name}={}", values.join("|").to_lowercase())).collect();
    answers.sort();
    let when = row.created_time.map(|time| time.to_string()).unwrap_or_default();
    let form = row.form_id.as_ref().map(ToString::to_string).unwrap_or_default();
    hex::encode(Sha256::digest(format!("{when}\n{form}\n{}", answers.join("\n")))).chars().take(32).collect()
}

/// Meta's way, RFC 3339, a time or day without a zone (UTC), and the way of American spreadsheets.
fn time(text: &str) -> Option<Timestamp> {
    let with_zone = || Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok();
    let civil = || {
        let formats =
            ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %I:%M%p", "%m/%d/%Y %H:%M"];
        formats.iter().find_map(|format| jiff::civil::DateTime::strptime(format, text).ok())
    };
    let day = || text.parse::<jiff::civil::Date>().ok().map(|day| day.at(0, 0, 0, 0));
    let in_utc =
        |time: jiff::civil::DateTime| time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(with_zone).or_else(|| civil().or_else(day).and_then(in_utc))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(file: &[u8]) -> Vec<Result<Row, RowError>> {
        rows(file).unwrap().collect()
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
            assert_eq!((row.form_id.unwrap().as_str(), row.platform.as_deref()), ("77", Some("ig")));
            assert!(row.answers.contains(&("phone_number".into(), vec!["+12125550123".into()])));
        }
        let row = read(EXPORT.as_bytes()).remove(0).unwrap();
        assert_eq!(
            (row.ad_id.as_deref(), row.adset_id.as_deref(), row.campaign_id.as_deref()),
            (Some("1"), Some("2"), Some("3"))
        );
        assert_eq!(row.answers[0], ("what_budget?".into(), vec!["a\tb".into()]));
        assert_eq!(row.answers[4], ("zip_code".into(), vec!["01234".into()]));
    }

    #[test]
    fn what_is_wrong_with_a_line_is_told_by_line_and_column_and_costs_only_that_line() {
        let file = "id,email,created_time\nl:1,a@b.c,\n1.23E+15,x@b.c,\nl:2,y@b.c,yesterday\nl:3\n,,\nl:4,\"two\nlines\",2026-01-31\n\n\nl:5,z@b.c,\nl:6,,\n";
        let read = read(file.as_bytes());
        let told: Vec<(u64, Option<&str>)> = read
            .iter()
            .filter_map(|row| row.as_ref().err())
            .map(|error| (error.line, error.column.as_deref()))
            .collect();
        assert_eq!(told, [(3, Some("id")), (4, Some("created_time")), (5, None), (6, None), (12, None)]);
        let ids: Vec<(u64, &str)> = read.iter().flatten().map(|row| (row.line, row.id.as_str())).collect();
        assert_eq!(ids, [(2, "meta-1"), (7, "meta-4"), (11, "meta-5")]);
    }

    #[test]
    fn a_line_without_an_id_is_known_by_what_it_says() {
        let file = "email;name\nA@b.c;Ann\na@b.c;ann\na@b.c;bob\n";
        let ids: Vec<LeadId> = read(file.as_bytes()).into_iter().map(|row| row.unwrap().id).collect();
        assert!(ids[0] == ids[1] && ids[1] != ids[2] && ids[0].as_str().starts_with("file-"));
    }

    #[test]
    fn what_is_no_table_of_leads_says_what_would_be() {
        let refusal = |file: &[u8]| rows(file).err().map(|error| error.0).unwrap_or_default();
        assert!(refusal(b"").contains("The first line"));
        assert!(refusal(b"color,size\nred,1\n").contains("Found: color, size"));
        assert!(refusal(b"id,email,email\n").contains("Two columns"));
        assert!(refusal(format!("email{}\n", ",x".repeat(1001)).as_bytes()).contains("1000 at most"));
        assert_eq!(read(b"email,\na@b.c,red\n").remove(0).unwrap().answers[1].0, "column_2");
        let mangled = String::from_utf8_lossy(&[0xff, 0xfe, b'i', 0, b'd', 0]).into_owned();
        assert!(refusal(mangled.as_bytes()).contains("octet-stream"));
        let old = read(b"email,name\na@b.c,J\xfcrgen\n").remove(0).unwrap();
        assert_eq!(old.answers[1].1, ["Jürgen"]);
    }

    #[test]
    fn times_are_read_as_files_write_them() {
        let check = |text: &str, expect: &str| assert_eq!(time(text).unwrap().to_string(), expect, "{text}");
        check("2026-06-10T14:03:22+0200", "2026-06-10T12:03:22Z");
        check("2026-06-10 14:03:22", "2026-06-10T14:03:22Z");
        check("06/10/2026 2:03PM", "2026-06-10T14:03:00Z");
        check("2026-06-10", "2026-06-10T00:00:00Z");
        assert_eq!(time("10. Juni"), None);
    }

    proptest! {
        #[test]
        fn any_file_is_survived(file in prop::collection::vec(any::<u8>(), 0..400)) {
            if let Ok(rows) = rows(&file) {
                rows.for_each(drop);
            }
        }

        #[test]
        fn any_line_is_a_lead_or_told(lines in prop::collection::vec("[ -~äé\t]{0,40}", 0..20)) {
            let file = format!("id,email\n{}", lines.join("\n"));
            for row in rows(file.as_bytes()).unwrap() {
                let line = row.as_ref().map_or_else(|error| error.line, |row| row.line);
                prop_assert!(line >= 2 && line <= lines.len() as u64 + 2);
            }
        }
    }
}
