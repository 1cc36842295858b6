//! Texts in other languages: GNU gettext's catalogues, which translators have tools for. They are read when the first
//! text is needed.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{Display, Write};
use std::sync::LazyLock;

use icu_properties::CodePointMapData;
use icu_properties::props::BidiClass;
use polib::catalog::Catalog;

use super::{Language, language};

const GERMAN: &str = include_str!("catalogue/de.po");

/// One text of a language.
enum Translation {
    Text(String),
    Plural { one: String, many: String },
}

/// The translations of texts, by context and English text.
type Translations = HashMap<(String, String), Translation>;

static GERMAN_TEXTS: LazyLock<Translations> = LazyLock::new(|| translations(&parse(GERMAN)));

/// Parses a catalogue.
#[expect(clippy::expect_used, reason = "the catalogues are ours, and a test reads each")]
fn parse(catalogue: &str) -> Catalog {
    polib::po_file::parse_from_reader(catalogue.as_bytes()).expect("a valid catalogue")
}

fn translations(catalogue: &Catalog) -> Translations {
    let entries = catalogue.messages().filter(|message| message.is_translated() && !message.is_fuzzy());
    let entries = entries.filter_map(|message| {
        let key = (message.msgctxt().unwrap_or_default().to_owned(), message.msgid().to_owned());
        let translation = match message.msgstr_plural() {
            Ok(forms) => {
                let [one, many] = forms.as_slice() else { return None };
                Translation::Plural { one: one.clone(), many: many.clone() }
            }
            Err(_) => Translation::Text(message.msgstr().ok()?.to_owned()),
        };
        Some((key, translation))
    });
    entries.collect()
}

fn find(context: &str, text: &str) -> Option<&'static Translation> {
    match language() {
        Language::English => None,
        Language::German => GERMAN_TEXTS.get(&(context.to_owned(), text.to_owned())),
    }
}

/// A text in the current language, or in English if it has none. This includes texts that were stored in English, if they
/// are marked with [`crate::phrase!`] or [`crate::tr!`] and have no placeholders.
pub fn translate(english: &str) -> Cow<'_, str> {
    translate_in_context("", english)
}

/// A text whose English has several meanings.
pub fn translate_in_context<'a>(context: &str, english: &'a str) -> Cow<'a, str> {
    match find(context, english) {
        Some(Translation::Text(text)) => Cow::Borrowed(text),
        Some(Translation::Plural { .. }) | None => Cow::Borrowed(english),
    }
}

/// The form for a number. English and German have the same two.
pub fn plural(number: u64, one: &'static str, many: &'static str) -> Cow<'static, str> {
    let (own_one, own_many) = match find("", one) {
        Some(Translation::Plural { one, many }) => (one.as_str(), many.as_str()),
        Some(Translation::Text(_)) | None => (one, many),
    };
    Cow::Borrowed(if number == 1 { own_one } else { own_many })
}

/// Puts values into the placeholders of a text: `{name}`. A value is not looked at again. One that is written from right
/// to left is isolated, so that what stands around it keeps its order.
pub fn fill(text: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(text.len() + 16 * values.len());
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let (before, from) = rest.split_at(start);
        filled.push_str(before);
        let value = from.find('}').and_then(|end| {
            let name = from.get(1..end)?;
            let (_, value) = values.iter().find(|(known, _)| *known == name)?;
            Some((end + 1, value))
        });
        match value {
            Some((length, value)) => {
                let begin = filled.len();
                let _ = write!(filled, "{value}");
                if filled.get(begin..).is_some_and(|value| value.contains(is_right_to_left)) {
                    // FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE.
                    filled.insert(begin, '\u{2068}');
                    filled.push('\u{2069}');
                }
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                filled.push('{');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    filled.push_str(rest);
    filled
}

fn is_right_to_left(letter: char) -> bool {
    let class = CodePointMapData::<BidiClass>::new().get(letter);
    matches!(class, BidiClass::RightToLeft | BidiClass::ArabicLetter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::{Locale, speak_now};
    use crate::tr;

    #[test]
    fn a_text_is_that_of_the_readers_language() {
        let german = |work: fn() -> String| speak_now(Locale::usual(Language::German), work);
        assert_eq!(german(|| tr!("Leads").into_owned()), "Leads");
        assert_eq!(german(|| tr!("Cancel").into_owned()), "Abbrechen");
        assert_eq!(tr!("Cancel"), "Cancel");
        assert_eq!(german(|| tr!([1] "{n} page" | "{n} pages")), "1 Seite");
        assert_eq!(german(|| tr!([1200] "{n} page" | "{n} pages")), "1.200 Seiten");
        assert_eq!(tr!([0] "{n} page" | "{n} pages"), "0 pages");
    }

    #[test]
    fn a_value_is_not_a_template() {
        let hostile = "{b} {a} {";
        assert_eq!(fill("{a}-{b}", &[("a", &hostile), ("b", &"2")]), "{b} {a} {-2");
        assert_eq!(fill("{unknown} {", &[("a", &1)]), "{unknown} {");
        assert_eq!(fill("{b}{a}{b}", &[("a", &1), ("b", &"ü")]), "ü1ü");
    }

    #[test]
    fn a_name_from_right_to_left_leaves_the_order_of_the_others() {
        let arabic = fill("{name}: {n}", &[("name", &"نورة (2)"), ("n", &3)]);
        assert_eq!(arabic, "\u{2068}نورة (2)\u{2069}: 3");
        assert_eq!(fill("{name}: {n}", &[("name", &"שרה"), ("n", &3)]), "\u{2068}שרה\u{2069}: 3");
        assert_eq!(fill("{name}: {n}", &[("name", &"Zoë 山田 😀"), ("n", &3)]), "Zoë 山田 😀: 3");
    }

    #[test]
    fn the_catalogues_are_whole() {
        let catalogue = parse(GERMAN);
        assert_eq!(catalogue.metadata.plural_rules.nplurals, 2);
        let untranslated: Vec<_> = catalogue.messages().filter(|message| !message.is_translated()).collect();
        assert!(
            untranslated.is_empty(),
            "{} texts have no German, {:?} first",
            untranslated.len(),
            untranslated[0].msgid()
        );
        assert_eq!(translations(&catalogue).len(), catalogue.count(), "fuzzy, or not of two forms");
    }
}
