//! The language that a text addresses people in. The source is in English; [`crate::tr!`] marks what people read, and
//! `catalogue/de.po` has its German. Outside [`speak`], everything is English: the API's texts, logs, events.
//!
//! The current locale is the task's: a text deep in the model is in the reader's language without a parameter through
//! every function between. What a task spawns starts in English again.

mod catalogue;
mod format;

use std::cell::RefCell;
use std::fmt::Display;

use icu_locale::{LanguageIdentifier, langid};

pub use catalogue::{fill, plural, translate, translate_in_context};
pub use format::{
    date, day_and_month, decimal, month, number, time_of_day, timestamp, timestamp_brief, weekday, weekday_and_date,
    weekday_and_day,
};

/// A language that the product speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Language {
    /// The source's own.
    English,
    /// `catalogue/de.po`.
    German,
}

impl Language {
    /// Its BCP 47 subtag.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// Its name for those who speak it.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The language of a BCP 47 tag such as `de` or `de-AT`, if the product speaks it.
    pub fn parse(tag: &str) -> Option<Self> {
        let id: LanguageIdentifier = tag.parse().ok()?;
        <Self as strum::VariantArray>::VARIANTS.iter().copied().find(|language| id.language.as_str() == language.tag())
    }
}

/// A language, and the region whose dates and numbers are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    language: Language,
    id: LanguageIdentifier,
}

impl Locale {
    /// The language with the dates and numbers of most of its readers.
    pub fn usual(language: Language) -> Self {
        let id = match language {
            // The 28th of November is written with the day first in most of the world.
            Language::English => langid!("en-GB"),
            Language::German => langid!("de"),
        };
        Self { language, id }
    }

    /// The language and region that fit a reader best: the `chosen` language, or the first of an `Accept-Language` header
    /// that the product speaks. The region is that of the header's first tag in this language.
    pub fn negotiate(chosen: Option<Language>, accept_language: &str) -> Self {
        let accepted = accept_language::parse(accept_language);
        let mut spoken = accepted.iter().filter_map(|tag| Some((Language::parse(tag)?, tag.parse().ok()?)));
        let fitting = spoken.find(|(language, _)| chosen.is_none_or(|chosen| chosen == *language));
        match fitting {
            // A script or a variant would only be another spelling of the same few formats.
            Some((language, LanguageIdentifier { region: Some(region), .. })) => {
                Self { language, id: LanguageIdentifier { region: Some(region), ..Self::usual(language).id } }
            }
            Some((language, _)) => Self::usual(language),
            None => Self::usual(chosen.unwrap_or(Language::English)),
        }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }
}

impl Display for Locale {
    /// The BCP 47 tag.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.id.fmt(formatter)
    }
}

tokio::task_local! {
    static LOCALE: RefCell<Locale>;
}

/// Runs `work` in a locale.
pub async fn speak<W: Future>(locale: Locale, work: W) -> W::Output {
    LOCALE.scope(RefCell::new(locale), work).await
}

/// Runs `work` in a locale, without waiting.
pub fn speak_now<T>(locale: Locale, work: impl FnOnce() -> T) -> T {
    LOCALE.sync_scope(RefCell::new(locale), work)
}

/// Changes the locale of the rest of [`speak`]'s work, once more is known of the reader. Outside of it, nothing happens.
pub fn switch_to(locale: Locale) {
    let _ = LOCALE.try_with(|current| current.replace(locale));
}

/// The current locale.
pub fn current() -> Locale {
    LOCALE.try_with(|locale| locale.borrow().clone()).unwrap_or_else(|_| Locale::usual(Language::English))
}

/// The current language.
pub fn language() -> Language {
    LOCALE.try_with(|locale| locale.borrow().language).unwrap_or(Language::English)
}

/// A text for people, in the current language.
///
/// ```
/// use leadwire::tr;
///
/// assert_eq!(tr!("Leads"), "Leads");
/// assert_eq!(tr!("{name} has it.", name = "Ada"), "Ada has it.");
/// assert_eq!(tr!([1] "{n} lead" | "{n} leads"), "1 lead");
/// assert_eq!(tr!([1200] "{n} lead of {page}" | "{n} leads of {page}", page = "Ducks"), "1,200 leads of Ducks");
/// assert_eq!(tr!("a verb" => "Open"), "Open");
/// ```
///
/// `{n}` of a plural is the number in the current locale. The words before `=>` tell translators what is meant where
/// English has one word for two things. The compiler checks placeholders against their values, and a test that each text
/// is in each catalogue with the same placeholders.
#[macro_export]
macro_rules! tr {
    ($text:literal) => { $crate::language::translate($text) };
    ($context:literal => $text:literal) => { $crate::language::translate_in_context($context, $text) };
    ($text:literal, $($name:ident = $value:expr),+ $(,)?) => {{
        if false { let _ = ::std::format_args!($text, $($name = $value),+); }
        $crate::language::fill(&$crate::language::translate($text), &[$((::std::stringify!($name), &$value)),+])
    }};
    ([$number:expr] $one:literal | $many:literal $(, $name:ident = $value:expr)* $(,)?) => {{
        let n = $number as u64;
        if false { let _ = (::std::format_args!($one, n = n $(, $name = $value)*), ::std::format_args!($many, n = n $(, $name = $value)*)); }
        $crate::language::fill(&$crate::language::plural(n, $one, $many), &[("n", &$crate::language::number(n)) $(, (::std::stringify!($name), &$value))*])
    }};
}

/// Marks a text for the catalogues that is stored or sent in English, and shown by [`translate`]. It is the text itself.
#[macro_export]
macro_rules! phrase {
    ($text:literal) => {
        $text
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_gets_a_language_they_read() {
        let negotiate = |chosen, header| Locale::negotiate(chosen, header).to_string();
        assert_eq!(negotiate(None, "de-AT,de;q=0.9,en;q=0.8"), "de-AT");
        assert_eq!(negotiate(None, "en-US,en;q=0.9,de;q=0.8"), "en-US");
        assert_eq!(negotiate(None, "fr-FR,fr;q=0.9,de-CH;q=0.5,en;q=0.4"), "de-CH", "the first that is spoken");
        assert_eq!(negotiate(Some(Language::German), "en-US,en;q=0.9"), "de", "a choice outweighs the browser");
        assert_eq!(negotiate(Some(Language::English), "de-DE,de;q=0.9,en-IE;q=0.8"), "en-IE");
        let long = "a,".repeat(5000);
        for none in ["", "*", "fr", ";;q=,,", "x-\u{0}", "de_DE.UTF-8", &long] {
            assert_eq!(negotiate(None, none), "en-GB", "{none:.20}");
        }
        assert_eq!(negotiate(None, "de-Latn-DE-1996-u-nu-thai"), "en-GB", "extensions are no languages of people");
    }

    #[tokio::test]
    async fn each_task_speaks_for_itself() {
        assert_eq!(language(), Language::English);
        let german = speak(Locale::usual(Language::German), async {
            assert_eq!(current().to_string(), "de");
            switch_to(Locale::negotiate(None, "en-US"));
            tokio::task::yield_now().await;
            current().to_string()
        });
        let other = speak(Locale::usual(Language::German), async { current().to_string() });
        assert_eq!(tokio::join!(german, other), ("en-US".to_owned(), "de".to_owned()));
        switch_to(Locale::usual(Language::German));
        assert_eq!(language(), Language::English, "nothing to change outside");
    }
}
