//! Components of pages: times, numbers, money, badges, alerts, dialogs, and empty states.

use std::borrow::Cow;
use std::fmt::Display;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use leadwire::http::Problem;
use leadwire::model::lead::identity::normalised_email;
use leadwire::model::lead::phone;
use leadwire::{language, tr};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use crate::csrf::CSRF_FIELD;
use crate::messages;
use crate::session::Visitor;

/// A time. The script shows it in the reader's time zone. Without the script, and on hover, it is exact.
pub(crate) fn time(time: Timestamp) -> Markup {
    time_as(time, "", language::timestamp)
}

/// A time in a list. The script shows only the hour of one of today, and only the day of an earlier one.
pub(crate) fn brief_time(time: Timestamp) -> Markup {
    time_as(time, "brief", language::timestamp_brief)
}

/// A time in a list that is watched. The script shows how long ago it was.
pub(crate) fn ago(time: Timestamp) -> Markup {
    time_as(time, "ago", language::timestamp_brief)
}

/// A time that the script shows in a way of its own, and the format for readers without it.
fn time_as(time: Timestamp, way: &str, format: fn(DateTime) -> String) -> Markup {
    let exact = time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! { time datetime=(time) title=(exact) data-time=(way) { (format(TimeZone::UTC.to_datetime(time))) " UTC" } }
}

/// A sentence that contains times in machine format. They are rendered like all other times.
pub(crate) fn prose(text: &str) -> Markup {
    html! {
        @for (index, word) in text.split(' ').enumerate() {
            @if index > 0 { " " }
            @let bare = word.trim_end_matches(['.', ',', ';', ')', ':']);
            @match bare.parse::<Timestamp>() {
                Ok(at) => { (time(at)) (word.strip_prefix(bare).unwrap_or_default()) }
                Err(_) => (word),
            }
        }
    }
}

/// A translated sentence with markup in the places of its placeholders: `{name}`. All other text is escaped.
pub(crate) fn with_markup(sentence: &str, places: &[(&str, Markup)]) -> Markup {
    let escaped = html! { (sentence) }.into_string();
    let values: Vec<(&str, &dyn Display)> = places.iter().map(|(name, markup)| (*name, &markup.0 as _)).collect();
    PreEscaped(language::fill(&escaped, &values))
}

/// A time, or the text for its absence.
pub(crate) fn time_or(at: Option<Timestamp>, none: &str) -> Markup {
    at.map_or_else(|| html! { span.quiet { (none) } }, time)
}

/// A whole number with thousands separators.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    language::number(number.try_into().unwrap_or_default())
}

/// The form to which the boxes of a list belong of which several can be changed at once. The style and the script know it
/// by this name.
pub(crate) const BULK_FORM: &str = "bulk";

/// A percentage with its sign.
pub(crate) fn percent(number: &str) -> String {
    tr!("{percent}%", percent = language::decimal(number))
}

/// An amount with its currency.
pub(crate) fn money(amount: &str, currency: &str) -> String {
    format!("{}\u{a0}{currency}", language::decimal(amount))
}

/// A duration in the unit that fits.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 10.0 => format!("{} s", language::decimal(&format!("{seconds:.1}"))),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3600.0),
    }
}

/// A number in a row of a table; `–` for none, which phones leave out.
pub(crate) fn number_cell(label: &str, value: &str) -> Markup {
    html! { td.number.none[value == "–"] data-label=(label) { (value) } }
}

/// What a state or a message means to its reader, which its colour shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::EnumIter)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum Tone {
    Good,
    Warn,
    Bad,
    Calm,
    Dim,
    /// Of a lead that was not touched yet.
    Fresh,
    /// Of a lead that is near to a sale.
    Near,
}

/// A state as one word.
pub(crate) fn badge(tone: Tone, text: &str) -> Markup {
    html! { span class={ "badge " (<&str>::from(tone)) } { (text) } }
}

/// A message in the colour of its tone.
pub(crate) fn alert(tone: Tone, body: Markup) -> Markup {
    let role = if tone == Tone::Bad { "alert" } else { "status" };
    html! { div class={ "alert " (<&str>::from(tone)) } role=(role) { (body) } }
}

/// The problem of a form, shown above it.
pub(crate) fn problem_alert(problem: Option<&Problem>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            // The form submits to this anchor, so that the problem is in view afterwards.
            div #refused {
                (alert(Tone::Bad, html! { (messages::text(problem)) }))
            }
        }
    }
}

/// The problem of a field, below it. The field is described by it.
pub(crate) fn field_problem(problem: Option<&Problem>, field: &str) -> Markup {
    html! {
        @if let Some(problem) = problem.filter(|problem| problem.field.as_deref() == Some(field)) {
            p.wrong id={ (field) "-mistake" } { (messages::text(problem)) }
        }
    }
}

/// Marks the field that a problem is about, for the sake of screen readers.
pub(crate) fn is_wrong(problem: Option<&Problem>, field: &str) -> Option<&'static str> {
    problem.is_some_and(|problem| problem.field.as_deref() == Some(field)).then_some("true")
}

/// A size of a file.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => {
            let megabytes = format!("{}.{}", bytes / 1_000_000, bytes % 1_000_000 / 100_000);
            format!("{} MB", language::decimal(&megabytes))
        }
    }
}

/// A phone number, linked if a phone can dial it. Meta's test leads have a text in its place.
pub(crate) fn phone_link(typed: &str) -> Markup {
    html! { @match phone::dialable(typed) { Some(number) => a.phone href={ "tel:" (number) } { (typed) }, None => span { (typed) } } }
}

/// An e-mail address, linked if it is one.
pub(crate) fn mail_link(typed: &str) -> Markup {
    html! { @if normalised_email(typed).is_some() { a href={ "mailto:" (typed) } { (typed) } } @else { span { (typed) } } }
}

/// An empty state, with what to do next.
pub(crate) fn empty(title: &str, body: Markup) -> Markup {
    html! { div.empty { h2 { (title) } p { (body) } } }
}

/// Pages of one subject beside each other, each at an address of its own, and which of them this is.
pub(crate) fn tabs<P: AsRef<str>>(
    subject: &str,
    here: &str,
    pages: impl IntoIterator<Item = (P, Cow<'static, str>)>,
) -> Markup {
    html! {
        nav.tabs aria-label=(subject) {
            @for (path, name) in pages {
                a href=(path.as_ref()) aria-current=[(path.as_ref() == here).then_some("page")] { (name) }
            }
        }
    }
}

/// The proof that a form was made for this session. Every form contains it.
pub(crate) fn csrf_field(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(CSRF_FIELD) value=(visitor.form_key); }
}

/// A fragment that takes a while: the script loads it into its place. Without the script, a link leads to it.
pub(crate) fn lazy_fragment(path: &str, waiting: &str) -> Markup {
    html! {
        div data-part=(path) data-later {
            p.waiting { span.spinner aria-hidden="true" {} (waiting) }
            noscript { p { a.button href=(path) { (tr!("Show")) } } }
        }
    }
}

/// A fragment that the script reloads as long as it contains [`refresh_in`].
pub(crate) fn live_fragment(path: &str, now: &Markup) -> Markup {
    html! { div data-part=(path) { (now) } }
}

/// Marks a live fragment as unfinished, and worth reloading after so many seconds.
///
/// The script polls less and less often, and not at all while the page is hidden.
pub(crate) fn refresh_in(seconds: u32) -> Markup {
    html! { span data-again-in=(seconds) {} }
}

/// Like [`refresh_in`], for what people watch: at most so many seconds pass, and few after something has changed.
pub(crate) fn refresh_within(seconds: u32, at_most: u32) -> Markup {
    html! { span data-again-in=(seconds) data-at-most=(at_most) {} }
}

/// The dialog to show as open, for browsers without the script.
#[derive(Deserialize)]
pub(crate) struct Confirming {
    #[serde(default)]
    pub(crate) confirm: String,
}

/// A button that asks for confirmation. Without the script, `confirm` in the address shows the same dialog in its
/// place.
pub(crate) struct Confirm<'a> {
    /// Id of the dialog.
    pub(crate) id: &'a str,
    /// Label of the button that opens the dialog.
    pub(crate) label: &'a str,
    /// Heading of the dialog.
    pub(crate) question: &'a str,
    /// Address that the form submits to.
    pub(crate) action: &'a str,
    /// Label of the button that confirms.
    pub(crate) act: &'a str,
    /// Whether the dialog is open initially.
    pub(crate) open: bool,
    /// A field that the form submits, and its value.
    pub(crate) sends: Option<(&'a str, &'a str)>,
}

impl Confirm<'_> {
    pub(crate) fn show(&self, visitor: &Visitor, consequences: Markup) -> Markup {
        let heading = format!("{}-question", self.id);
        html! {
            a.button.danger href={ "?confirm=" (self.id) } data-dialog=(self.id) role="button" { (self.label) }
            dialog #(self.id) open[self.open] aria-labelledby=(heading) {
                h2 #(heading) { (self.question) }
                div { (consequences) }
                form.acts method="post" action=(self.action) {
                    (csrf_field(visitor))
                    @if let Some((name, value)) = self.sends { input type="hidden" name=(name) value=(value); }
                    a.button href="?" data-close role="button" { (tr!("Cancel")) }
                    button.danger.primary { (self.act) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!([count(0_u64), count(999_u64), count(1_234_567_u64)], ["0", "999", "1,234,567"]);
        assert_eq!(percent("2.60"), "2.60%");
        assert_eq!(money("1234.50", "EUR"), "1,234.50\u{a0}EUR");
        assert_eq!(money("-1200000", "JPY"), "-1,200,000\u{a0}JPY");
        assert_eq!(
            [duration(0.61), duration(42.4), duration(600.0), duration(86_400.0)],
            ["0.6 s", "42 s", "10 min", "24 h"]
        );
    }

    #[test]
    fn times_inside_of_sentences_are_times() {
        let markup = prose("Good until 2027-01-21T11:58:57Z. Then 42.").into_string();
        assert!(markup.starts_with("Good until <time datetime=\"2027-01-21T11:58:57Z\""), "{markup}");
        assert!(markup.ends_with("</time>. Then 42."), "{markup}");
    }

    #[test]
    fn markup_stands_where_a_sentence_wants_it() {
        let places = [("zone", html! { b { "<UTC>" } }), ("page", html! { i { "{zone}" } })];
        let markup = with_markup("Auf {page} & in {zone}, {unknown} {", &places).into_string();
        assert_eq!(markup, "Auf <i>{zone}</i> &amp; in <b>&lt;UTC&gt;</b>, {unknown} {");
    }

    #[test]
    fn what_is_no_number_and_no_address_is_no_link() {
        assert_eq!(
            phone_link("0049 176 / 12345678").into_string(),
            "<a class=\"phone\" href=\"tel:004917612345678\">0049 176 / 12345678</a>"
        );
        assert_eq!(mail_link("a@b.example").into_string(), "<a href=\"mailto:a@b.example\">a@b.example</a>");
        for dummy in ["<test lead: dummy data for phone_number>", "call me", "12", ""] {
            assert!(!phone_link(dummy).into_string().contains("href"), "{dummy}");
        }
        for dummy in ["<test lead: dummy data for email>", "ann", "ann@", "@example.com", "a b@example.com"] {
            assert!(!mail_link(dummy).into_string().contains("href"), "{dummy}");
        }
    }

    #[test]
    fn what_people_call_things_is_text() {
        let markup = alert(Tone::Bad, html! { ("<script>alert(1)</script>") }).into_string();
        assert!(markup.contains("&lt;script&gt;") && !markup.contains("<script>"));
    }
}
