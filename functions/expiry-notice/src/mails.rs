//! The mails to admins, in plain text and in HTML: what happens, what becomes of leads in the meantime, and one link.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadwire::language;
use leadwire::mail::Mail;
use leadwire::model::connection::lead_state::Stop;
use leadwire::model::connection::state::{ConnectionEnd, EndReason, ExpiryNotice};
use leadwire::model::connection::{Connection, Integration};
use leadwire::tr;

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
    let (name, pages) = (&integration.name, page_names(lost.iter().map(|(page, _)| *page)));
    let mut paragraphs =
        vec![tr!("Leads from {pages} no longer arrive through the integration {name}.", pages = pages, name = name)];
    paragraphs.extend(lost.iter().map(|(page, ended)| format!("{}: {}", page.page_name, ended.reason.message())));
    let fix = |(_, ended): &(&Connection, &ConnectionEnd)| what_to_do(&ended.reason.fix_for(integration.token_kind));
    paragraphs.extend(lost.first().map(fix));
    paragraphs.push(catch_up());
    Letter { subject: tr!("{org}: no more leads from {pages}", org = org, pages = pages), paragraphs }.with(link)
}

/// The mail about an integration that works and is not allowed to read leads.
pub(crate) fn blocked_mail(stop: Option<&Stop>, integration: &Integration, org: &str, link: &str) -> Mail {
    let name = &integration.name;
    let mut paragraphs = vec![tr!("No leads can arrive through the integration {name}.", name = name)];
    if let (Some(stop), Some(first)) = (stop, paragraphs.first_mut()) {
        *first = format!("{first} {}", stop.message);
        paragraphs.push(what_to_do(&stop.fix));
    }
    paragraphs.push(catch_up());
    Letter { subject: tr!("{org}: no leads from Meta can arrive", org = org), paragraphs }.with(link)
}

/// The mail about pages whose leads an integration is not allowed to read.
pub(crate) fn blocked_pages_mail(
    blocked: &[&Connection],
    integration: &Integration,
    org: &str,
    link: &str,
    now: Timestamp,
) -> Mail {
    let (name, pages) = (&integration.name, page_names(blocked.iter().copied()));
    let stops: Vec<Stop> = blocked.iter().filter_map(|page| page.lead_state(integration, now).stop).collect();
    let mut paragraphs =
        vec![tr!("Leads from {pages} cannot arrive through the integration {name}.", pages = pages, name = name)];
    paragraphs.extend(stops.iter().map(|stop| stop.message.clone()));
    paragraphs.extend(stops.first().map(|stop| what_to_do(&stop.fix)));
    paragraphs.push(catch_up());
    Letter { subject: tr!("{org}: no leads from {pages}", org = org, pages = pages), paragraphs }.with(link)
}

/// Pages within a sentence: the only one by name, several by number.
fn page_names<'a>(mut pages: impl ExactSizeIterator<Item = &'a Connection>) -> String {
    match (pages.len(), pages.next()) {
        (1, Some(page)) => tr!("the page {page}", page = page.page_name),
        (count, _) => tr!([count] "{n} page" | "{n} pages"),
    }
}

fn what_to_do(fix: &str) -> String {
    tr!("What to do: {fix}", fix = fix)
}

/// For every end after which leads can be caught up on.
fn catch_up() -> String {
    tr!("Leadwire cannot read leads that people submit in the meantime, but none are lost. Meta stores every lead for up to 90 days, the ones it reports wait in Leadwire, and all of them are imported automatically once this is fixed.").into_owned()
}

/// For the end that deletes the connection itself.
fn deletion() -> String {
    tr!("Existing leads are kept. Everything else about the connection is deleted, including its list of pages: the person who reconnects selects the pages again, and leads arrive from that moment on.").into_owned()
}

/// Encourages people not to put it off.
fn effort() -> String {
    tr!("Reconnecting takes a minute. Settings, history and leads are kept.").into_owned()
}

fn expiring(integration: &Integration, org: &str, now: Timestamp) -> Letter {
    let end = integration.expires_at().unwrap_or(now);
    let day = format!("{} UTC", language::timestamp(TimeZone::UTC.to_datetime(end)));
    let time_left = time_left(end, now);
    Letter {
        subject: tr!("{org}: the connection to Meta expires in {time}", org = org, time = time_left),
        paragraphs: vec![
            tr!(
                "The Meta connection of the integration {name} expires in {time}, on {day}. Meta limits how long a connection lasts, and only a person can renew it.",
                name = integration.name,
                day = day,
                time = time_left
            ),
            tr!("Until then, leads arrive as usual. After that, they stop until someone reconnects.").into_owned(),
            effort(),
        ],
    }
}

fn ended(reason: EndReason, integration: &Integration, org: &str) -> Letter {
    let summary = tr!(
        "Leads no longer arrive through the integration {name}. {reason}",
        name = integration.name,
        reason = reason.message()
    );
    let mut paragraphs = vec![summary];
    // If reconnecting is all there is to do, the button says so already.
    let fix = reason.fix_for(integration.token_kind);
    if fix != tr!("Reconnect.") {
        paragraphs.push(what_to_do(&fix));
    }
    let deleted = reason == EndReason::DataDeleted;
    paragraphs.extend(if deleted { vec![deletion()] } else { vec![catch_up(), effort()] });
    Letter { subject: tr!("{org}: leads from Meta have stopped", org = org), paragraphs }
}

/// In whole days, or in hours on the last day. Rounded up, because "0 days" would read as the end.
fn time_left(end: Timestamp, now: Timestamp) -> String {
    let hours = end.duration_since(now).as_secs().max(0).unsigned_abs().div_ceil(3600);
    match hours {
        ..=1 => tr!("an hour").into_owned(),
        2..=24 => tr!("{hours} hours", hours = hours),
        _ => tr!("{days} days", days = hours.div_ceil(24)),
    }
}

impl Letter {
    fn with(self, link: &str) -> Mail {
        Mail::letter(&self.subject, &self.paragraphs, (&tr!("Reconnect"), link))
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
