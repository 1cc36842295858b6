//! Text in files for spreadsheets.

/// Escapes text that a spreadsheet would run as a formula. What people and companies call themselves is untrusted: anyone
/// can choose it.
#[must_use]
pub fn harmless(text: &str) -> String {
    const STARTS: [char; 12] = ['=', '+', '-', '@', '\t', '\r', '\n', '|', '＝', '＋', '－', '＠'];
    if text.trim_start_matches(' ').starts_with(STARTS) { format!("'{text}") } else { text.to_owned() }
}

/// The text that was escaped. A quote before anything else is the text's own.
#[must_use]
pub fn unescape(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| harmless(rest) != **rest).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text_and_can_be_read_back() {
        for formula in ["=1+1", "+49 30 901820", "-2", "@SUM(A1)", "\t=1", " =1", "＝1", "|calc", "\n=1"] {
            let escaped = harmless(formula);
            assert_eq!(escaped, format!("'{formula}"));
            assert_eq!(unescape(&escaped), formula);
        }
        for text in ["Ann", "", "'t Hooft", "2 = 1 + 1", "ann@example.com"] {
            assert_eq!(harmless(text), text);
            assert_eq!(unescape(text), text);
        }
    }
}
