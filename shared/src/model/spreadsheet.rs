//! Text in files for spreadsheets.

/// What a spreadsheet takes for a formula, at the beginning of a cell.
const FORMULA_STARTS: [char; 10] = ['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠'];
/// What begins another cell or line where the spreadsheet's own language separates with it.
const SEPARATORS: [char; 4] = [';', '\t', '\r', '\n'];

/// Escapes text that a spreadsheet would run as a formula: at its beginning, and after whatever another language's
/// spreadsheet takes for the end of a cell. What people and companies call themselves is untrusted: anyone can choose it.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut is_start = true;
    for letter in text.chars() {
        if is_start && FORMULA_STARTS.contains(&letter) {
            safe.push('\'');
        }
        is_start = SEPARATORS.contains(&letter) || is_start && letter.is_whitespace();
        safe.push(letter);
    }
    safe
}

/// The text that was escaped. A quote before anything else is the text's own.
#[must_use]
pub fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let mut is_start = true;
    while let Some(letter) = letters.next() {
        let is_escape = letter == '\'' && letters.peek().is_some_and(|next| FORMULA_STARTS.contains(next));
        if is_start && is_escape {
            continue;
        }
        is_start = SEPARATORS.contains(&letter) || is_start && letter.is_whitespace();
        plain.push(letter);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text_and_can_be_read_back() {
        for (formula, safe) in [
            ("=1+1", "'=1+1"),
            ("+49 30 901820", "'+49 30 901820"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "\t'=1"),
            (" \u{a0}=1", " \u{a0}'=1"),
            ("＝1", "'＝1"),
            ("|calc", "'|calc"),
            ("\n=1", "\n'=1"),
            (";=1+1", ";'=1+1"),
            ("Acme; =HYPERLINK(1);x", "Acme; '=HYPERLINK(1);x"),
        ] {
            assert_eq!(harmless(formula), safe);
            assert_eq!(unescape(safe), formula);
        }
        for text in ["Ann", "", "'t Hooft", "2 = 1 + 1", "ann@example.com"] {
            assert_eq!(harmless(text), text);
            assert_eq!(unescape(text), text);
        }
    }
}
