//! Texts for people: each is in the catalogue of each language, and nothing else is.

#![expect(clippy::panic, reason = "a source that cannot be read fails the test")]

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::tidy::{is_test, read, sources};

/// A text of the source: what tells translators what is meant, the English, and the English of several.
type Text = (String, String, Option<String>);

#[test]
fn every_text_is_in_every_language() {
    let marked = marked_texts();
    assert!(marked.len() > 1000, "{} texts are marked", marked.len());
    let missing: Vec<String> = marked
        .iter()
        .filter(|(text, _)| !catalogue().contains_key(*text))
        .map(|((context, one, many), place)| {
            let context = if context.is_empty() { String::new() } else { format!("msgctxt {context:?}\n") };
            let forms = match many {
                None => "msgstr \"\"".to_owned(),
                Some(many) => format!("msgid_plural {many:?}\nmsgstr[0] \"\"\nmsgstr[1] \"\""),
            };
            format!("#: {place}\n{context}msgid {one:?}\n{forms}\n")
        })
        .collect();
    assert!(missing.is_empty(), "{} texts have no German:\n\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn no_language_has_a_text_that_is_gone() {
    let marked = marked_texts();
    let gone: Vec<Text> = catalogue().into_keys().filter(|text| !marked.contains_key(text)).collect();
    assert!(gone.is_empty(), "{} translations are of no text: {gone:#?}", gone.len());
}

#[test]
fn every_translation_has_the_places_of_its_text() {
    for ((_, one, many), translations) in catalogue() {
        let forms = std::iter::once(&one).chain(&many);
        for (english, translation) in forms.zip(&translations) {
            let (expected, found) = (places(english), places(translation));
            // A singular may say the number as a word.
            let without_number = |places: &BTreeSet<String>| -> BTreeSet<String> {
                places.iter().filter(|place| many.is_none() || *place != "n").cloned().collect()
            };
            assert_eq!(without_number(&expected), without_number(&found), "{english:?} is {translation:?}");
        }
        let has_space = |text: &str| text.ends_with(' ') || text.starts_with(' ');
        assert_eq!(has_space(&one), has_space(&translations[0]), "space around {one:?}");
    }
}

/// The names in a text that values are put in place of.
fn places(text: &str) -> BTreeSet<String> {
    let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// The catalogue's texts with their translations.
fn catalogue() -> BTreeMap<Text, Vec<String>> {
    let catalogue = read("shared/src/language/catalogue/de.po");
    let catalogue = polib::po_file::parse_from_reader(catalogue.as_bytes()).unwrap();
    fn entry(message: &dyn polib::message::MessageView) -> (Text, Vec<String>) {
        let many = message.msgid_plural().ok().map(ToOwned::to_owned);
        let translations = match message.msgstr_plural() {
            Ok(forms) => forms.clone(),
            Err(_) => vec![message.msgstr().unwrap().to_owned()],
        };
        ((message.msgctxt().unwrap_or_default().to_owned(), message.msgid().to_owned(), many), translations)
    }
    catalogue.messages().map(entry).collect()
}

/// The texts that the sources mark, each with a place where it stands.
fn marked_texts() -> BTreeMap<Text, String> {
    let mut marked = BTreeMap::new();
    for (name, code) in ["shared/src", "functions"].into_iter().flat_map(sources).filter(|(name, _)| !is_test(name)) {
        // The language module's own examples are no texts of the product.
        if name.starts_with("shared/src/language/") {
            continue;
        }
        let tokens: TokenStream = code.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
        collect(tokens, &name, &mut marked);
    }
    marked
}

fn collect(tokens: TokenStream, place: &str, marked: &mut BTreeMap<Text, String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else { continue };
        if is_test_module(&tokens[..index]) {
            continue;
        }
        if let [.., TokenTree::Ident(name), TokenTree::Punct(bang)] = &tokens[..index]
            && bang.as_char() == '!'
            && (name == "tr" || name == "phrase")
        {
            marked.entry(text_of(group.stream())).or_insert_with(|| place.to_owned());
        }
        collect(group.stream(), place, marked);
    }
}

/// Whether these tokens lead to the body of a module of tests.
fn is_test_module(before: &[TokenTree]) -> bool {
    let words: Vec<String> = before.iter().rev().take(6).map(ToString::to_string).collect();
    matches!(words.as_slice(), [name, module, ..] if name == "tests" && module == "mod")
}

/// The text that a macro's tokens begin with.
fn text_of(tokens: TokenStream) -> Text {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let literal = |token: &TokenTree| match token {
        TokenTree::Literal(literal) => unquoted(&literal.to_string()),
        other => panic!("no literal: {other}"),
    };
    match tokens.as_slice() {
        [TokenTree::Group(number), one, TokenTree::Punct(_), many, ..] if number.delimiter() == Delimiter::Bracket => {
            (String::new(), literal(one), Some(literal(many)))
        }
        [context, TokenTree::Punct(equals), TokenTree::Punct(_), text, ..] if equals.as_char() == '=' => {
            (literal(context), literal(text), None)
        }
        [text, ..] => (String::new(), literal(text), None),
        [] => panic!("an empty text"),
    }
}

/// The value of a string literal.
fn unquoted(literal: &str) -> String {
    let inner =
        literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_else(|| panic!("{literal}"));
    let mut value = String::new();
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        value.push_str(before);
        let mut characters = after.chars();
        match characters.next() {
            Some('n') => value.push('\n'),
            Some('\n') => {
                // The line goes on where the next one begins.
                rest = characters.as_str().trim_start();
                continue;
            }
            Some('u') => {
                let (code, after) = characters.as_str().split_once('}').unwrap();
                value
                    .push(u32::from_str_radix(code.trim_start_matches('{'), 16).ok().and_then(char::from_u32).unwrap());
                rest = after;
                continue;
            }
            Some(same @ ('"' | '\\' | '\'')) => value.push(same),
            other => panic!("\\{other:?} in {literal}"),
        }
        rest = characters.as_str();
    }
    value.push_str(rest);
    value
}
