//! The mails to admins, in plain text and in HTML: what happens, what becomes of leads in the meantime, and one link.

use jiff::Timestamp;
use leadwire::mail::Mail;
use leadwire::model::connection::lead_state::Stop;
use leadwire::model::connection::state::{ConnectionEnd, EndReason, ExpiryNotice};
use leadwire::model::connection::{Connection, Integration};

/// A mail before layout.
struct Letter {
    subject: String,
    paragraphs: Vec<String>,
}

/// The mail for a notice about a whole integration.
pub(crate) fn notice_mail(
    notice: ExpiryNotice,
    integration: &Integration,
    org: &str,
    link: &str,
    now: Timestamp,
) -> Mail {
    match notice {
        ExpiryNotice::Ended(reason) => ended(reason, integration, org).with(link),
        ExpiryNotice::SevenDays | ExpiryNotice::ThreeDays | ExpiryNotice::OneDay => {
            expiring(integration, org, now).with(link)
        }
    }
}

/// The mail about lost pages of an integration that still works.
pub(crate) fn lost_pages_mail(
    lost: &[(&Connection, &ConnectionEnd)],
    integration: &Integration,
    org: &str,
    link: &str,
) -> Mail {
    let lost_pages = match lost {
        [(page, _)] => format!("the page {}", page.page_name),
        pages => format!("{} pages", pages.len()),
    };
    let mut paragraphs =
        vec![format!("Leads from {lost_pages} no longer arrive through the integration {}.", integration.name)];
    paragraphs.extend(lost.iter().map(|(page, ended)| format!("{}: {}", page.page_name, ended.reason.message())));
    paragraphs
        .extend(lost.first().map(|(_, ended)| format!("What to do: {}", ended.reason.fix_for(integration.token_kind))));
    paragraphs.push(CATCH_UP_TEXT.to_owned());
    Letter { subject: format!("{org}: no more leads from {lost_pages}"), paragraphs }.with(link)
}

/// The mail about an integration that works and is not allowed to read leads.
pub(crate) fn blocked_mail(stop: &Stop, integration: &Integration, org: &str, link: &str) -> Mail {
    let paragraphs = vec![
        format!("No leads can arrive through the integration {}. {}", integration.name, stop.message),
        format!("What to do: {}", stop.fix),
        CATCH_UP_TEXT.to_owned(),
    ];
    Letter { subject: format!("{org}: no leads from Meta can arrive"), paragraphs }.with(link)
}

/// The mail about pages whose leads an integration is not allowed to read.
pub(crate) fn blocked_pages_mail(
    blocked: &[(&Connection, &Stop)],
    integration: &Integration,
    org: &str,
    link: &str,
) -> Mail {
    let pages = match blocked {
        [(page, _)] => format!("the page {}", page.page_name),
        pages => format!("{} pages", pages.len()),
    };
    let mut paragraphs =
        vec![format!("Leads from {pages} cannot arrive through the integration {}.", integration.name)];
    paragraphs.extend(blocked.iter().map(|(_, stop)| stop.message.clone()));
    paragraphs.extend(blocked.first().map(|(_, stop)| format!("What to do: {}", stop.fix)));
    paragraphs.push(CATCH_UP_TEXT.to_owned());
    Letter { subject: format!("{org}: no leads from {pages}"), paragraphs }.with(link)
}

/// For every end after which leads can be caught up on.
const CATCH_UP_TEXT: &str = "Leads that people submit in the meantime cannot be read, but none is lost. Meta stores every lead for up to 90 \
    days, the ones it reports wait here, and all are imported automatically once this is fixed.";
/// For the end that deletes the connection itself.
const DELETION_TEXT: &str = "Existing leads are kept. Everything else about the connection is deleted, including its list of pages: \
    the person who reconnects selects the pages again, and leads arrive from that moment on.";
/// Encourages people not to put it off.
const EFFORT_TEXT: &str = "Reconnecting takes a minute. Settings, history and leads are kept.";

fn expiring(integration: &Integration, org: &str, now: Timestamp) -> Letter {
    let end = integration.expires_at().unwrap_or(now);
    let day = end.strftime("%-d %B %Y, %H:%M UTC").to_string();
    let time_left = time_left(end, now);
    Letter {
        subject: format!("{org}: the connection to Meta ends in {time_left}"),
        paragraphs: vec![
            format!(
                "The integration {} ends on {day}, in {time_left}. Meta limits how long such a connection lasts, and only a person can renew it.",
                integration.name
            ),
            "Until then, leads arrive as usual. After that, they stop until someone reconnects.".to_owned(),
            EFFORT_TEXT.to_owned(),
        ],
    }
}

fn ended(reason: EndReason, integration: &Integration, org: &str) -> Letter {
    let summary = format!("Leads no longer arrive through the integration {}. {}", integration.name, reason.message());
    let mut paragraphs = vec![summary];
    // If reconnecting is all there is to do, the button says so already.
    let fix = reason.fix_for(integration.token_kind);
    if fix != "Reconnect." {
        paragraphs.push(format!("What to do: {fix}"));
    }
    let deleted = reason == EndReason::DataDeleted;
    paragraphs.extend(
        if deleted { vec![DELETION_TEXT] } else { vec![CATCH_UP_TEXT, EFFORT_TEXT] }.into_iter().map(ToOwned::to_owned),
    );
    Letter { subject: format!("{org}: leads from Meta have stopped"), paragraphs }
}

/// In whole days, or in hours on the last day. Rounded up, because "0 days" would read as the end.
fn time_left(end: Timestamp, now: Timestamp) -> String {
    let hours = (end.duration_since(now).as_secs().max(0) + 3599) / 3600;
    match hours {
        ..=1 => "an hour".to_owned(),
        2..=24 => format!("{hours} hours"),
        _ => format!("{} days", (hours + 23) / 24),
    }
}

impl Letter {
    fn with(self, link: &str) -> Mail {
        Mail::letter(&self.subject, &self.paragraphs, ("Reconnect", link))
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
            assert_eq!(time_left(at(end), now), expect, "{end}");
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
