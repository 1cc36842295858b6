//! What admins are told, in plain text and in HTML: what happens, what happens to leads meanwhile, and one link.

use jiff::Timestamp;
use leadwire::mail::Mail;
use leadwire::model::connection::standing::{EndReason, Ended, Notice};
use leadwire::model::connection::{Connection, Integration};
use maud::{DOCTYPE, html};

/// A mail before it is laid out.
struct Letter {
    subject: String,
    paragraphs: Vec<String>,
}

/// The mail of a notice about a whole integration.
pub(crate) fn of_notice(notice: Notice, integration: &Integration, org: &str, link: &str, now: Timestamp) -> Mail {
    match notice {
        Notice::Ended(reason) => ended(reason, integration, org).with(link),
        Notice::SevenDays | Notice::ThreeDays | Notice::OneDay => expiring(integration, org, now).with(link),
    }
}

/// The mail about pages that were lost while others are well.
pub(crate) fn of_lost_pages(lost: &[(&Connection, &Ended)], integration: &Integration, org: &str, link: &str) -> Mail {
    let which = match lost {
        [(page, _)] => format!("the page {}", page.page_name),
        pages => format!("{} pages", pages.len()),
    };
    let mut paragraphs =
        vec![format!("Leads of {which} no longer come in through the integration {}.", integration.name)];
    paragraphs.extend(lost.iter().map(|(page, ended)| format!("{}: {}", page.page_name, ended.reason.message())));
    paragraphs.extend(lost.first().map(|(_, ended)| format!("What to do: {}", ended.reason.fix())));
    paragraphs.push(KEPT.to_owned());
    Letter { subject: format!("{org}: no more leads from {which}"), paragraphs }.with(link)
}

/// What is true of every lead that cannot be read at the moment.
const KEPT: &str = "Leads that people send meanwhile cannot be read, but none is lost: Meta keeps every lead for up to 90 \
    days, those it tells us of wait here, and after reconnecting they come in by themselves.";
/// What is true when the connection itself is deleted.
const BEGUN_ANEW: &str = "The leads that came in before stay. Everything else of the connection is deleted, its list of pages \
    included: whoever reconnects chooses the pages anew, and their leads come in from that moment on.";
/// What keeps people from putting it off.
const A_MINUTE: &str = "Reconnecting takes a minute. Settings, history and leads stay as they are.";

fn expiring(integration: &Integration, org: &str, now: Timestamp) -> Letter {
    let end = integration.expires_at().unwrap_or(now);
    let day = end.strftime("%-d %B %Y, %H:%M UTC").to_string();
    let left = left(end, now);
    Letter {
        subject: format!("{org}: the connection to Meta ends in {left}"),
        paragraphs: vec![
            format!(
                "The integration {} ends on {day}, in {left}. Meta lets such a connection live for a limited time, and only a person can renew it.",
                integration.name
            ),
            "Until then leads come in as ever. After it they stop, until somebody reconnects.".to_owned(),
            A_MINUTE.to_owned(),
        ],
    }
}

fn ended(reason: EndReason, integration: &Integration, org: &str) -> Letter {
    let what = format!("Leads no longer come in through the integration {}. {}", integration.name, reason.message());
    let mut paragraphs = vec![what];
    // Where reconnecting is all there is to do, the button says so.
    if reason.fix() != "Reconnect." {
        paragraphs.push(format!("What to do: {}", reason.fix()));
    }
    let deleted = reason == EndReason::DataDeleted;
    paragraphs.extend(if deleted { vec![BEGUN_ANEW] } else { vec![KEPT, A_MINUTE] }.into_iter().map(ToOwned::to_owned));
    Letter { subject: format!("{org}: leads from Meta have stopped"), paragraphs }
}

/// Whole days, or hours on the last one; rounded up, because "0 days" would sound like the end.
fn left(end: Timestamp, now: Timestamp) -> String {
    let hours = (end.duration_since(now).as_secs().max(0) + 3599) / 3600;
    match hours {
        ..=1 => "an hour".to_owned(),
        2..=24 => format!("{hours} hours"),
        _ => format!("{} days", (hours + 23) / 24),
    }
}

impl Letter {
    fn with(self, link: &str) -> Mail {
        let text = format!("{}\n\nReconnect: {link}\n", self.paragraphs.join("\n\n"));
        let html = html! {
            (DOCTYPE)
            html lang="en" {
                head { meta charset="utf-8"; title { (self.subject) } }
                body style="font:16px/1.5 system-ui,sans-serif;color:#1c1e21;max-width:36em;margin:2em auto;padding:0 1em" {
                    @for paragraph in &self.paragraphs { p { (paragraph) } }
                    p {
                        a href=(link) style="display:inline-block;background:#1b4fd1;color:#fff;padding:.6em 1.2em;border-radius:.4em;text-decoration:none" { "Reconnect" }
                    }
                    p style="color:#606770;font-size:14px" { "If the button does not work: " (link) }
                }
            }
        };
        // Names come from people; a line break in one must not end the subject.
        let subject = self.subject.replace(|c: char| c.is_control(), " ");
        Mail { subject, text, html: html.into_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_time_left_never_sounds_like_none() {
        let now = at("2026-03-01T12:00:00Z");
        for (end, expect) in [
            ("2026-03-08T12:00:00Z", "7 days"),
            ("2026-03-04T11:00:00Z", "3 days"),
            ("2026-03-02T12:00:01Z", "2 days"),
            ("2026-03-02T12:00:00Z", "24 hours"),
            ("2026-03-01T12:10:00Z", "an hour"),
            ("2026-02-01T12:00:00Z", "an hour"),
        ] {
            assert_eq!(left(at(end), now), expect, "{end}");
        }
    }

    #[test]
    fn a_name_is_text_wherever_it_stands() {
        let letter = Letter { subject: "a\r\nBcc: x".to_owned(), paragraphs: vec!["<script>".to_owned()] };
        let mail = letter.with("https://x.example/?a=1&b=2");
        assert!(!mail.subject.contains(['\r', '\n']));
        assert!(mail.html.contains("&lt;script&gt;") && mail.text.contains("<script>"));
        assert!(mail.text.contains("https://x.example/?a=1&b=2"));
    }
}
