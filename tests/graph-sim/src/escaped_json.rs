//! JSON in the bytes Meta sends: pure ASCII, with other characters as `\uXXXX` in lower-case hex and `/` as `\/`.
//!
//! Webhooks are signed over exactly these bytes. A receiver that parses and re-serialises the body before hashing it
//! passes every English test and fails on the first umlaut; the escaped form exposes that.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for character in fragment.chars() {
            match character {
                '/' => writer.write_all(b"\\/")?,
                ' '..='~' => write!(writer, "{character}")?,
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(writer, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// Serialises `value`. Everything this crate serialises has string keys, so serialisation cannot fail.
pub(crate) fn to_string<T: Serialize>(value: &T) -> String {
    let mut bytes = Vec::new();
    let written = value.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Escaping));
    debug_assert!(written.is_ok(), "values of this crate serialise: {written:?}");
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn everything_outside_ascii_is_a_lower_case_escape_and_slashes_are_escaped() {
        assert_eq!(super::to_string(&json!("äö ❤ a/b")), r#""\u00e4\u00f6 \u2764 a\/b""#);
        assert_eq!(super::to_string(&json!("🎉\n\"")), r#""\ud83c\udf89\n\"""#);
    }
}
