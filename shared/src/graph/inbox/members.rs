//! Reads members of Meta's JSON. Their types vary: ids are texts or numbers, times are seconds, milliseconds or texts,
//! flags are words. A member of another type counts as absent, so that it costs nothing but itself.

use jiff::Timestamp;
use serde_json::Value;

use crate::ids::AdObjectId;

/// Longer texts are cut. No channel of Meta's allows as much.
const MAX_TEXT_CHARACTERS: usize = 20_000;
/// Far more than Meta's longest ids have. An id becomes part of a key.
const MAX_ID_BYTES: usize = 512;
/// Far more than names, titles and emojis have. They are stored in many places.
const MAX_NAME_CHARACTERS: usize = 200;
const MAX_ADDRESS_BYTES: usize = 8_192;
/// From here on, a number is a time in milliseconds: as seconds it would be in the year 5138, as milliseconds in 1973.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// Parses JSON. Half of an emoji, as it remains where Meta cuts texts, becomes a replacement character: strict JSON
/// would cost the whole message.
pub(super) fn parse(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok().or_else(|| serde_json::from_str(&without_lone_surrogates(json)).ok())
}

fn without_lone_surrogates(json: &str) -> String {
    let mut repaired = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, after)) = rest.split_once('\\') {
        repaired.push_str(before);
        let (unit, next) = (escaped_unit(after), after.get(5..).and_then(|next| next.strip_prefix('\\')));
        let is_pair =
            matches!(unit, Some(0xd800..0xdc00)) && matches!(next.and_then(escaped_unit), Some(0xdc00..0xe000));
        let length = match unit {
            _ if is_pair => 11,
            Some(_) => 5,
            None => after.chars().next().map_or(0, char::len_utf8),
        };
        let (escape, remaining) = after.split_at_checked(length).unwrap_or((after, ""));
        let is_lone = !is_pair && matches!(unit, Some(0xd800..0xe000));
        repaired.push('\\');
        repaired.push_str(if is_lone { "ufffd" } else { escape });
        rest = remaining;
    }
    repaired + rest
}

/// The UTF-16 unit of an escape, without its backslash: `u00e4`.
fn escaped_unit(escape: &str) -> Option<u16> {
    u16::from_str_radix(escape.strip_prefix('u')?.get(..4)?, 16).ok()
}

/// The member of a member.
pub(super) fn inner<'v>(value: &'v Value, path: [&str; 2]) -> &'v Value {
    path.iter().fold(value, |value, key| &value[*key])
}

/// An id of any kind of thing: printable ASCII without spaces.
pub(super) fn id(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_u64() => number.to_string(),
        _ => return None,
    };
    let is_id = (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_id.then_some(text)
}

pub(super) fn ad_id(value: &Value) -> Option<AdObjectId> {
    AdObjectId::parse(&id(value)?).ok()
}

/// A text that is not empty.
pub(super) fn text(value: &Value) -> Option<String> {
    cut(value, MAX_TEXT_CHARACTERS)
}

/// A name, a title or a word that is not empty.
pub(super) fn name(value: &Value) -> Option<String> {
    cut(value, MAX_NAME_CHARACTERS)
}

fn cut(value: &Value, most: usize) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    Some(match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    })
}

/// A web address. It is shown as a link, so no other scheme passes.
pub(super) fn address(value: &Value) -> Option<String> {
    let address = value.as_str()?;
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    (is_web && address.len() <= MAX_ADDRESS_BYTES).then(|| address.to_owned())
}

pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => *flag,
        Value::String(text) => text == "true" || text == "1",
        other => other.as_u64() == Some(1),
    }
}

pub(super) fn time(value: &Value) -> Option<Timestamp> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match number {
        Some(number @ FIRST_MILLISECONDS..) => Timestamp::from_millisecond(number).ok(),
        Some(number @ 1..) => Timestamp::from_second(number).ok(),
        Some(_) => None,
        None => {
            let text = value.as_str()?;
            text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok())
        }
    }
}

/// The elements of a list. What stands where a list is expected counts as a list of one.
pub(super) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(elements) => elements,
        single => std::slice::from_ref(single),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_are_texts_or_whole_numbers() {
        for (value, expect) in [
            (json!("m_1"), Some("m_1")),
            (json!(u64::MAX), Some("18446744073709551615")),
            (json!(""), None),
            (json!("a b"), None),
            (json!("é"), None),
            (json!(1.5), None),
            (json!(-1), None),
            (json!(["1"]), None),
            (json!("x".repeat(513)), None),
        ] {
            assert_eq!(id(&value).as_deref(), expect, "{value}");
        }
    }

    #[test]
    fn times_are_seconds_milliseconds_or_texts() {
        for (value, expect) in [
            (json!(1_795_507_200), "2026-11-24T08:00:00Z"),
            (json!("1795507200"), "2026-11-24T08:00:00Z"),
            (json!(1_795_507_200_123_i64), "2026-11-24T08:00:00.123Z"),
            (json!("1795507200123"), "2026-11-24T08:00:00.123Z"),
            (json!("2026-11-24T09:00:00+0100"), "2026-11-24T08:00:00Z"),
            (json!("2026-11-24T08:00:00Z"), "2026-11-24T08:00:00Z"),
            (json!(1), "1970-01-01T00:00:01Z"),
        ] {
            assert_eq!(time(&value).map(|time| time.to_string()).as_deref(), Some(expect), "{value}");
        }
        for value in [json!(null), json!(0), json!(-5), json!("soon"), json!(1.5), json!(i64::MAX), json!({})] {
            assert_eq!(time(&value), None, "{value}");
        }
    }

    #[test]
    fn texts_are_cut_between_characters_and_only_if_they_are_too_long() {
        let fits = "é".repeat(MAX_TEXT_CHARACTERS);
        assert_eq!(text(&json!(fits)), Some(fits.clone()));
        assert_eq!(text(&json!(format!("{fits}é"))), Some(format!("{fits}…")));
        assert_eq!(text(&json!("")), None);
        assert_eq!(name(&json!(fits)), Some(format!("{}…", "é".repeat(MAX_NAME_CHARACTERS))));
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert!(address(&json!("https://example.com/a")).is_some());
        for bad in [json!("javascript:alert(1)"), json!("//example.com"), json!(5), json!("")] {
            assert_eq!(address(&bad), None, "{bad}");
        }
    }

    #[test]
    fn half_an_emoji_does_not_cost_the_message() {
        for (json, expect) in [
            (r#""cut \ud83d""#, "cut \u{fffd}"),
            (r#""cut \ude00 here""#, "cut \u{fffd} here"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\\ud83d and \ud83d\n""#, "\\ud83d and \u{fffd}\n"),
            (r#""\ud83dé""#, "\u{fffd}é"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
        ] {
            assert_eq!(parse(json), Some(json!(expect)), "{json}");
        }
        for bad in ["", "{", r#""\ud83"#, r#""\u12é""#, "\\"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_escapes_are_survived(text in r#"["\\ud83de0é]{0,40}"#) {
            let _ = parse(&text);
        }
    }
}
