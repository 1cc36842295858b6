//! Reads a file as a table: its encoding, separator, header, records and line numbers. Does not know the meaning of
//! columns.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::Cursor;

use csv::StringRecord;

use super::NotLeads;
use crate::model::lead::phone::visible;
use crate::tr;

/// Maximum number of columns.
const MAX_COLUMNS: usize = 1000;
/// Number of records from which the separator is recognised.
const SAMPLED_RECORDS: usize = 50;

/// A table with a header.
#[derive(Debug)]
pub(super) struct Sheet {
    /// The header's cells. A column without a name is named by its position.
    pub(super) columns: Vec<String>,
    text: String,
    /// Where the header begins. A line that only states the separator is not part of the table.
    begin: usize,
    separator: u8,
}

impl Sheet {
    /// Recognises the table in a file. `is_known` recognises the names of known columns.
    pub(super) fn read(file: &[u8], is_known: impl Fn(&str) -> bool) -> Result<Self, NotLeads> {
        let text = decode(file)?;
        let (begin, separator) = match stated_separator(&text) {
            Some((length, separator)) => (length, separator),
            None => (0, recognise_separator(&text, is_known)),
        };
        let mut table = Self { columns: Vec::new(), text, begin, separator };
        table.columns = match table.reader().headers() {
            Ok(header) => (1..).zip(header).map(|(at, name)| column_name(at, name)).collect(),
            Err(error) => return Err(NotLeads(tr!("The header line cannot be read: {error}.", error = error))),
        };
        if table.columns.len() > MAX_COLUMNS {
            let columns = table.columns.len();
            return Err(NotLeads(tr!("{columns} columns; {most} at most.", columns = columns, most = MAX_COLUMNS)));
        }
        let mut names = BTreeSet::new();
        if let Some(duplicate) = table.columns.iter().find(|column| !names.insert(*column)) {
            let message = tr!("Two columns are named {name}. Give each column its own name.", name = duplicate);
            return Err(NotLeads(message));
        }
        Ok(table)
    }

    fn reader(&self) -> csv::Reader<&[u8]> {
        reader(self.text.get(self.begin..).unwrap_or_default(), self.separator)
    }

    /// The position of a column.
    pub(super) fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|name| name == column)
    }

    /// Passes every record to `visit` once, to find what they have in common.
    pub(super) fn survey(&self, mut visit: impl FnMut(&StringRecord)) {
        let (mut reader, mut record) = (self.reader(), StringRecord::new());
        while reader.read_record(&mut record).unwrap_or(false) {
            visit(&record);
        }
    }

    /// The records after the header, each with the line on which it begins, from 1; `None` for an unreadable one.
    /// Repeated headers, as in concatenated exports, are left out.
    pub(super) fn into_records(self) -> (Vec<String>, impl Iterator<Item = (u64, Option<StringRecord>)>) {
        let Self { columns, text, begin, separator } = self;
        let body = text.as_bytes().get(begin..).unwrap_or_default().to_vec();
        let records = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(Cursor::new(body));
        let mut lines = Lines { text: text.into_bytes(), at: 0, line: 1 };
        let header = columns.clone();
        let is_header = move |record: &StringRecord| {
            record.len() == header.len()
                && (1..).zip(record).zip(&header).all(|((at, cell), name)| column_name(at, cell) == *name)
        };
        let records = records.into_records().map(move |record| match record {
            Ok(record) => (lines.line_at(begin, record.position()), Some(record)),
            Err(error) => (lines.line_at(begin, error.position()), None),
        });
        (columns, records.filter(move |(_, record)| !record.as_ref().is_some_and(&is_header)))
    }
}

fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes())
}

/// Names a column; by its position if its header is empty, because it is a question nevertheless.
fn column_name(at: usize, name: &str) -> String {
    let name = visible(name);
    match name.trim() {
        "" => format!("column_{at}"),
        name => name.to_owned(),
    }
}

/// Excel's own first line, `sep=;`: its length, and the separator.
fn stated_separator(text: &str) -> Option<(usize, u8)> {
    let line = text.split_inclusive('\n').next()?;
    let stated = visible_but_tabs(line.trim_end_matches('\n'));
    let stated = stated.trim_matches([' ', '"']);
    let (name, separator) = stated.split_at_checked(4)?;
    let [separator] = separator.as_bytes() else { return None };
    name.eq_ignore_ascii_case("sep=").then_some((line.len(), *separator))
}

fn visible_but_tabs(text: &str) -> String {
    text.split('\t').map(visible).collect::<Vec<_>>().join("\t")
}

/// Picks the separator that yields known columns in the header, and records as long as the header. Counting characters
/// is not enough: a question may contain more commas than there are columns.
fn recognise_separator(text: &str, is_known: impl Fn(&str) -> bool) -> u8 {
    let score = |separator: &u8| {
        let mut reader = reader(text, *separator);
        let header = reader.headers().cloned().unwrap_or_default();
        let known = (1..).zip(&header).filter(|(at, name)| is_known(&column_name(*at, name))).count();
        let records: Vec<StringRecord> = reader.into_records().take(SAMPLED_RECORDS).flatten().collect();
        let as_long = records.iter().filter(|record| record.len() == header.len()).count();
        (known, as_long * 1000 / records.len().max(1), header.len())
    };
    // `max_by_key` returns the last of equal candidates, so the comma wins ties.
    [b'|', b';', b'\t', b','].into_iter().max_by_key(score).unwrap_or(b',')
}

/// Finds line numbers. The CSV reader does not count the empty lines before a record.
struct Lines {
    text: Vec<u8>,
    at: usize,
    line: u64,
}

impl Lines {
    fn line_at(&mut self, begin: usize, position: Option<&csv::Position>) -> u64 {
        let until = position.and_then(|position| usize::try_from(position.byte()).ok());
        let until = until.map_or(self.at, |byte| begin + byte);
        while let Some(byte) = self.text.get(self.at).filter(|byte| self.at < until || **byte == b'\n') {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// The text of a file, with all line ends as `\n`.
fn decode(file: &[u8]) -> Result<String, NotLeads> {
    if let Some(kind) = other_container(file) {
        return Err(NotLeads(tr!("{kind} Save it as CSV (UTF-8), then send that file.", kind = kind)));
    }
    let encoding = encoding(file);
    let text = if encoding == encoding_rs::UTF_8 { repaired(file) } else { encoding.decode(file).0.into_owned() };
    if text.starts_with('\u{fffd}') && text.contains('\0') {
        let fix = tr!(
            "The file was damaged in transit, as happens to UTF-16 that is sent as text. Send it as application/octet-stream."
        );
        return Err(NotLeads(fix.into_owned()));
    }
    if text.contains('\0') {
        let fix = tr!("This is not a text file. Save the table as CSV (UTF-8), then send that file.");
        return Err(NotLeads(fix.into_owned()));
    }
    // With `\r\n`, the reader would begin the next record before the end of the line.
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// What kind of file this is, if it is not text. No byte of the file is repeated in the message.
fn other_container(file: &[u8]) -> Option<Cow<'static, str>> {
    let containers: [(&[u8], _); 6] = [
        (b"PK\x03\x04", tr!("This is an Excel workbook (XLSX), or another zip archive.")),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", tr!("This is an Excel workbook (XLS).")),
        (b"%PDF", tr!("This is a PDF document.")),
        (b"\x1f\x8b", tr!("This is a compressed file.")),
        (b"<", tr!("This is a web page. Some programs save one when asked for an Excel file.")),
        (b"{", tr!("This is JSON.")),
    ];
    let text = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file).trim_ascii_start();
    containers.into_iter().find(|(begin, _)| text.starts_with(begin)).map(|(_, message)| message)
}

/// Recognises the encoding: by its byte order mark, else UTF-8, else the most likely legacy encoding.
fn encoding(file: &[u8]) -> &'static encoding_rs::Encoding {
    if let Some((encoding, _)) = encoding_rs::Encoding::for_bom(file) {
        return encoding;
    }
    let zeros = |from: usize| file.iter().skip(from).step_by(2).take(64).filter(|byte| **byte == 0).count();
    match (zeros(0), zeros(1)) {
        (_, low) if low > 16 => encoding_rs::UTF_16LE,
        (high, _) if high > 16 => encoding_rs::UTF_16BE,
        _ if mostly_utf_8(file) => encoding_rs::UTF_8,
        _ => {
            let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
            detector.feed(file, true);
            detector.guess(None, chardetng::Utf8Detection::Deny)
        }
    }
}

/// Whether at least half of what is not ASCII is valid UTF-8. A damaged byte, or a file cut off inside a character,
/// does not make it another encoding.
fn mostly_utf_8(file: &[u8]) -> bool {
    let (mut valid, mut damaged) = (0, 0);
    for chunk in file.utf8_chunks() {
        valid += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        damaged += usize::from(!chunk.invalid().is_empty());
    }
    valid >= damaged
}

/// Decodes a file as UTF-8; invalid bytes are read as Windows-1252, which most often gets mixed in.
fn repaired(file: &[u8]) -> String {
    let chunks = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file).utf8_chunks();
    chunks.fold(String::with_capacity(file.len()), |mut text, chunk| {
        text.push_str(chunk.valid());
        text.push_str(&encoding_rs::WINDOWS_1252.decode_without_bom_handling(chunk.invalid()).0);
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(file: &[u8]) -> (Vec<String>, Vec<(u64, Vec<String>)>) {
        let table = Sheet::read(file, |name| matches!(name, "full_name" | "email" | "id")).unwrap();
        let (columns, records) = table.into_records();
        let cells = |record: StringRecord| record.iter().map(ToOwned::to_owned).collect();
        (columns, records.map(|(line, record)| (line, record.map(cells).unwrap_or_default())).collect())
    }

    fn first(file: &[u8]) -> Vec<String> {
        table(file).1.remove(0).1
    }

    fn refusal(file: &[u8]) -> String {
        Sheet::read(file, |_| true).unwrap_err().0
    }

    #[test]
    fn a_file_may_state_its_separator_and_lines_count_that() {
        for file in ["sep=;\r\nfull_name;email\r\nJane;j@x.y\r\n", "\u{feff}sep=,\nfull_name,email\nJane,j@x.y\n"] {
            assert_eq!(table(file.as_bytes()).1, [(3, vec!["Jane".to_owned(), "j@x.y".to_owned()])]);
        }
        assert_eq!(first(b"\"SEP=|\"\nfull_name|email\na,b|c\n"), ["a,b", "c"]);
        assert_eq!(first(b"sep=\t\nfull_name\temail\na,b\tc\n"), ["a,b", "c"]);
    }

    #[test]
    fn the_separator_is_what_makes_columns_and_not_what_is_most_frequent() {
        for file in [
            "full_name;email;\"What, how often, where, when, and with whom?\"\nJane;j@x.y;Yoga\n",
            "full_name\temail\t\"Budget (rent, food, travel, other)?\"\nJane\tj@x.y\t900\n",
            "full_name;email;what,_how_often,_where,_when,_and_with_whom?\nJane;j@x.y;Yoga\n",
            "full_name|email|note\nJane|j@x.y|a, b; c\n",
            "full_name,email,a;b;c;d;e\nJane,j@x.y,x\n",
        ] {
            let (columns, records) = table(file.as_bytes());
            assert_eq!(
                (columns.len(), &records[0].1[..2]),
                (3, &["Jane".to_owned(), "j@x.y".to_owned()][..]),
                "{file}"
            );
        }
        assert_eq!(first(b"email\na@b.c\n"), ["a@b.c"]);
    }

    #[test]
    fn a_header_that_comes_again_is_no_record() {
        let file = "full_name,email\nJane,j@x.y\n\u{feff}full_name,email\nJohn,k@x.y\n full_name ,email\nKim,\n";
        let (_, records) = table(file.as_bytes());
        assert_eq!(records.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4, 6]);
    }

    #[test]
    fn lines_end_as_any_system_ends_them() {
        for end in ["\n", "\r\n", "\r"] {
            let file = ["full_name,email", "Jane,", "", "\"two", "lines\",x", "Kim,y"].join(end);
            let lines: Vec<u64> = table(file.as_bytes()).1.iter().map(|(line, _)| *line).collect();
            assert_eq!(lines, [2, 4, 6], "{end:?}");
        }
    }

    #[test]
    fn one_damaged_byte_spoils_its_own_cell_at_most() {
        let file = b"full_name,email\nJos\xc3\xa9,a\nRen\xe9e,b\nZo\xc3\xab M\xc3\xbcller,c\nAnd r\xc3";
        let names: Vec<String> = table(file).1.into_iter().map(|(_, mut cells)| cells.remove(0)).collect();
        assert_eq!(names[..3], ["José", "Renée", "Zoë Müller"]);
        let with_mark = [b"\xef\xbb\xbf".as_slice(), file].concat();
        assert_eq!(first(&with_mark), ["José", "a"]);
    }

    #[test]
    fn other_encodings_are_recognised() {
        let text = "full_name,email\nЕкатерина Иванова-Петрова,a@b.c\nДмитрий Смирнов,b@b.c\n";
        let (cyrillic, _, _) = encoding_rs::WINDOWS_1251.encode(text);
        assert_eq!(first(&cyrillic)[0], "Екатерина Иванова-Петрова");
        let text = "full_name,email\n山田太郎さん,a@b.c\n鈴木一郎さん,b@b.c\n";
        let (japanese, _, _) = encoding_rs::SHIFT_JIS.encode(text);
        assert_eq!(first(&japanese)[0], "山田太郎さん");
        assert_eq!(first(b"full_name,email\nJ\xfcrgen,a@b.c\n")[0], "Jürgen");
        for unit in [u16::to_le_bytes, u16::to_be_bytes] {
            let utf_16: Vec<u8> = text.encode_utf16().flat_map(unit).collect();
            assert_eq!(first(&utf_16)[0], "山田太郎さん");
        }
    }

    #[test]
    fn what_is_no_text_says_how_to_make_it_one_and_repeats_nothing_of_it() {
        for (file, what) in [
            (&b"PK\x03\x04\x14\0\0\0\x08\0secret"[..], "Excel workbook"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0secret", "Excel workbook"),
            (b"%PDF-1.7 secret", "PDF"),
            (b"\x1f\x8b\x08secret", "compressed"),
            (b"\xef\xbb\xbf <table><tr><td>secret", "web page"),
            (b"{\"secret\": 1}", "JSON"),
            (b"secret\0\x01\x02", "not a text file"),
        ] {
            let refusal = refusal(file);
            assert!(refusal.contains(what) && refusal.contains("CSV") && !refusal.contains("secret"), "{refusal}");
        }
        let mangled = String::from_utf8_lossy(&[0xff, 0xfe, b'i', 0, b'd', 0]).into_owned();
        assert!(refusal(mangled.as_bytes()).contains("octet-stream"));
        assert!(refusal(b"id,email,email\n").contains("Two columns"));
        assert!(refusal(format!("email{}\n", ",x".repeat(1001)).as_bytes()).contains("1000 at most"));
        assert_eq!(table(b"email,\na@b.c,red\n").0, ["email", "column_2"]);
    }
}
