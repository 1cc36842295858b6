//! What pages are made of: times, numbers, money, badges, alerts, dialogs, and what is there when there is nothing.

use jiff::Timestamp;
use leadwire::http::Problem;
use maud::{Markup, html};
use serde::Deserialize;

use crate::fields::PROOF;
use crate::visitor::Visitor;

/// A time. The script shows it in the reader's zone; without it, and on hover, it is exact.
pub(crate) fn time(time: Timestamp) -> Markup {
    let exact = time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    html! { time datetime=(time) title=(exact) data-time { (time.strftime("%-d %b %Y, %H:%M UTC")) } }
}

/// A sentence in which times stand as programs write them: they are shown as all others.
pub(crate) fn prose(text: &str) -> Markup {
    html! {
        @for (place, word) in text.split(' ').enumerate() {
            @if place > 0 { " " }
            @let bare = word.trim_end_matches(['.', ',', ';', ')', ':']);
            @match bare.parse::<Timestamp>() {
                Ok(at) => { (time(at)) (word.strip_prefix(bare).unwrap_or_default()) }
                Err(_) => (word),
            }
        }
    }
}

/// A time, or what it means that there is none.
pub(crate) fn time_or(given: Option<Timestamp>, none: &str) -> Markup {
    given.map_or_else(|| html! { span.quiet { (none) } }, time)
}

/// A whole number, with its thousands apart.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    apart(&number.try_into().unwrap_or_default().to_string())
}

/// So many of something: "1 page", "2 pages".
pub(crate) fn counted(number: impl TryInto<u64>, one: &str) -> String {
    let number = number.try_into().unwrap_or_default();
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// An amount with its currency.
pub(crate) fn money(amount: &str, currency: &str) -> String {
    let (whole, rest) =
        amount.split_once('.').map_or((amount, String::new()), |(whole, rest)| (whole, format!(".{rest}")));
    format!("{}{rest}\u{a0}{currency}", apart(whole))
}

fn apart(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}

/// How long, in the unit that fits.
pub(crate) fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7200.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3600.0),
    }
}

/// A state in a word: `good`, `warn`, `bad`, or `calm`.
pub(crate) fn badge(kind: &str, text: &str) -> Markup {
    html! { span class={ "badge " (kind) } { (text) } }
}

/// Something to know, in the colour of its kind.
pub(crate) fn alert(kind: &str, body: Markup) -> Markup {
    html! { div class={ "alert " (kind) } role=(if kind == "bad" { "alert" } else { "status" }) { (body) } }
}

/// What a problem says to people. Where its own words speak of the API's calls, others stand in their place.
pub(crate) fn words(problem: &Problem) -> &str {
    match problem.code.as_str() {
        "org_required" => "Your account belongs to no org. Ask whoever manages your CRM's logins to give it one.",
        "org_not_allowed" => "Your account does not belong to this org.",
        "user_unknown" => "Choose somebody who is active in this org.",
        "cursor_invalid" => "This place in the list cannot be found any more. Begin at its start.",
        "role_not_allowed" => "This needs the role admin or moderator.",
        "range_empty" => "The last day has to be after the first.",
        "token_required" => "Give the account's own token, or choose a connected account to read it with.",
        "ad_account_paused" => "This ad account is paused. Let it go on first.",
        "ad_account_linked" => "This ad account is linked already.",
        "no_ad_accounts" => "There is no ad account to read: link one, or let a paused one go on.",
        "no_lead" => "This form has no lead yet. Send a test lead first.",
        _ => &problem.detail,
    }
}

/// A problem of a form, above the form, if there is one.
pub(crate) fn refused(problem: Option<&Problem>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            // The form sends to this place, so that it is what is seen afterwards.
            div #refused {
                (alert("bad", html! {
                    @if problem.code == "length_invalid" {
                        @if let Some(field) = &problem.field { (field.replace(['.', '_'], " ")) ": " }
                    }
                    (words(problem))
                }))
            }
        }
    }
}

/// Marks the field that a problem is about, so that whoever cannot see the page is told as well.
pub(crate) fn is_wrong(problem: Option<&Problem>, field: &str) -> Option<&'static str> {
    problem.is_some_and(|problem| problem.field.as_deref() == Some(field)).then_some("true")
}

/// What is there when there is nothing, and what to do next.
pub(crate) fn empty(title: &str, body: Markup) -> Markup {
    html! { div.empty { h2 { (title) } p { (body) } } }
}

/// The proof that a form was made for this session. Every form has it.
pub(crate) fn proof(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(PROOF) value=(visitor.form_key); }
}

/// A part of a page that takes a while: the script loads it into its place. Without the script, a link leads to it.
pub(crate) fn loaded_later(path: &str, waiting: &str) -> Markup {
    html! {
        div data-part=(path) data-later {
            p.waiting { span.spinner aria-hidden="true" {} (waiting) }
            noscript { p { a.button href=(path) { "Show it" } } }
        }
    }
}

/// A part of a page that the script loads anew as long as there is a [`going_on`] in it.
pub(crate) fn watched(path: &str, now: &Markup) -> Markup {
    html! { div data-part=(path) { (now) } }
}

/// Says in a watched part that it is not at its end, and after how many seconds it is worth another look. The script looks
/// less and less often, and not at all while nobody sees the page.
pub(crate) fn going_on(seconds: u32) -> Markup {
    html! { span data-again-in=(seconds) {} }
}

/// Which dialog is to be open, for whoever has no script.
#[derive(Deserialize)]
pub(crate) struct Confirming {
    #[serde(default)]
    pub(crate) confirm: String,
}

/// A button that asks before it acts. Without the script, `confirm` in the address shows the same dialog in its place.
pub(crate) struct Confirm<'a> {
    /// Names the dialog.
    pub(crate) id: &'a str,
    /// On the button.
    pub(crate) label: &'a str,
    /// What is asked.
    pub(crate) question: &'a str,
    /// Where the form sends to.
    pub(crate) action: &'a str,
    /// On the button that does it.
    pub(crate) act: &'a str,
    /// Whether the dialog is open from the beginning.
    pub(crate) open: bool,
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
                    (proof(visitor))
                    a.button href="?" data-close role="button" { "Cancel" }
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
        assert_eq!(money("1234.50", "EUR"), "1,234.50\u{a0}EUR");
        assert_eq!(money("-1200000", "JPY"), "-1,200,000\u{a0}JPY");
        assert_eq!(
            [duration(0.61), duration(42.4), duration(600.0), duration(86_400.0)],
            ["0.6 s", "42 s", "10 min", "24 h"]
        );
    }

    #[test]
    fn times_inside_of_sentences_are_times() {
        let shown = prose("Good until 2027-01-21T11:58:57Z. Then 42.").into_string();
        assert!(shown.starts_with("Good until <time datetime=\"2027-01-21T11:58:57Z\""), "{shown}");
        assert!(shown.ends_with("</time>. Then 42."), "{shown}");
    }

    #[test]
    fn what_people_call_things_is_text() {
        let shown = alert("bad", html! { ("<script>alert(1)</script>") }).into_string();
        assert!(shown.contains("&lt;script&gt;") && !shown.contains("<script>"));
    }
}
