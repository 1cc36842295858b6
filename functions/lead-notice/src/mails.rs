//! The mails, in plain text and in HTML: who the person is, how to reach them, what they answered, and one link.
//!
//! Everything in them was written by strangers: it is escaped, and a subject is one line.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadwire::language;
use leadwire::mail::Mail;
use leadwire::model::assignee_mail::MAX_AT_ONCE;
use leadwire::model::lead::{Lead, phone};
use leadwire::notices::AssigneeMail;
use leadwire::tr;
use maud::{DOCTYPE, Markup, html};

const MAX_NAME_CHARS: usize = 80;
/// An answer in full is in the console.
const MAX_ANSWER_CHARS: usize = 1000;
const BUTTON: &str = "display:inline-block;background:#1b4fd1;color:#fff;padding:.7em 1.3em;border-radius:.4em;\
    text-decoration:none;font-weight:600";
const SMALL: &str = "color:#606770;font-size:14px";

/// Writes the mail about one lead, or about several that were gathered.
pub(crate) fn compose(mail: &AssigneeMail<'_>) -> Mail {
    match mail.leads {
        [lead] if mail.more == 0 => one(mail, lead),
        leads => several(mail, leads),
    }
}

fn one(mail: &AssigneeMail<'_>, lead: &Lead) -> Mail {
    let name = name_of(lead);
    let new_lead = tr!("New lead: {name}", name = name);
    let subject = one_line(&if lead.test { format!("[Test] {new_lead}") } else { new_lead });
    let link = link(mail, lead);
    let facts = facts(lead);
    let answers: Vec<(String, String)> = lead
        .answers
        .iter()
        .map(|answer| (answer.label.clone(), cut(&answer.values.join(", "), MAX_ANSWER_CHARS)))
        .collect();
    let mut text = format!("{name}\n");
    if lead.test {
        text += &format!("{}\n", tr!("This is a test lead."));
    }
    for (label, value) in facts.iter().chain(&answers) {
        text += &format!("{label}: {value}\n");
    }
    text += &format!("\n{}: {link}\n{}", tr!("Open the lead"), ending(mail));
    let body = html! {
        @if lead.test { p { b { (tr!("This is a test lead.")) } } }
        h1 style="font-size:22px;margin:0 0 .4em" { (name) }
        @if let Some(number) = lead.phone.as_deref().and_then(phone::dialable) {
            p { a href={ "tel:" (number) } style=(BUTTON) { (tr!("Call {number}", number = lead.phone.as_deref().unwrap_or_default())) } }
        }
        (table(&facts))
        @if !answers.is_empty() { h2 style="font-size:17px" { (tr!("Answers")) } (table(&answers)) }
        p { a href=(link) style=(BUTTON) { (tr!("Open the lead")) } }
    };
    Mail { subject: subject.clone(), text, html: frame(mail, &subject, &body) }
}

fn several(mail: &AssigneeMail<'_>, leads: &[Lead]) -> Mail {
    let count = leads.len() + mail.more;
    let subject = tr!([count] "{n} new lead" | "{n} new leads");
    let why = tr!(
        "These leads were assigned to you. After {number} mails within an hour, further leads come in one mail.",
        number = MAX_AT_ONCE
    );
    let test = format!(" ({})", tr!("test"));
    let mut text = format!("{why}\n");
    for lead in leads {
        let reach =
            [&lead.phone, &lead.email].into_iter().flatten().map(|it| one_line(it)).collect::<Vec<_>>().join(", ");
        let mark = if lead.test { test.as_str() } else { "" };
        text += &format!("\n{}{mark}\n{reach}\n{}\n", name_of(lead), link(mail, lead));
    }
    let all = format!("{}/leads?assigned_to={}", origin(mail), mail.user.id);
    if mail.more > 0 {
        text += &format!("\n{}: {all}\n", and_more(mail));
    }
    text += &ending(mail);
    let body = html! {
        h1 style="font-size:22px;margin:0 0 .4em" { (subject) }
        p { (why) }
        @for lead in leads {
            p style="border-top:1px solid #dde1e7;padding-top:.8em" {
                b { a href=(link(mail, lead)) { (name_of(lead)) } } @if lead.test { (test) }
                @if let Some(phone) = &lead.phone {
                    br; @match phone::dialable(phone) { Some(number) => a href={ "tel:" (number) } { (phone) }, None => (phone) }
                }
                @if let Some(email) = &lead.email { br; (email) }
            }
        }
        @if mail.more > 0 { p { a href=(all) { (and_more(mail)) } } }
    };
    Mail { subject: subject.clone(), text, html: frame(mail, &subject, &body) }
}

fn and_more(mail: &AssigneeMail<'_>) -> String {
    tr!("And {number} more", number = mail.more)
}

fn reason() -> Cow<'static, str> {
    tr!("You get these mails because leads are assigned to you.")
}

/// The end of a mail in plain text.
fn ending(mail: &AssigneeMail<'_>) -> String {
    format!("\n{}\n{}: {}\n", reason(), tr!("Stop these mails"), mail.unsubscribe)
}

fn frame(mail: &AssigneeMail<'_>, title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(language::current()) {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width"; title { (title) } }
            body style="font:16px/1.5 system-ui,sans-serif;color:#1c1e21;max-width:36em;margin:1.5em auto;padding:0 1em;overflow-wrap:anywhere" {
                (body)
                p style=(SMALL) { (reason()) " " a href=(mail.unsubscribe) { (tr!("Stop these mails")) } }
            }
        }
    };
    page.into_string()
}

fn table(rows: &[(String, String)]) -> Markup {
    html! {
        table style="border-collapse:collapse;margin-bottom:1em" {
            @for (label, value) in rows {
                tr {
                    td style="color:#606770;padding:.2em 1em .2em 0;vertical-align:top" { (label) }
                    td style="padding:.2em 0;white-space:pre-wrap" { (value) }
                }
            }
        }
    }
}

/// How to reach the person, and where the lead came from.
fn facts(lead: &Lead) -> Vec<(String, String)> {
    let facts = [
        (tr!("Phone"), lead.phone.clone()),
        (tr!("E-mail"), lead.email.clone()),
        (tr!("Form"), lead.attribution.form_name.clone()),
        (tr!("Ad"), lead.attribution.ad_name.clone()),
        (tr!("Campaign"), lead.attribution.campaign_name.clone()),
        (tr!("Page"), lead.page_name.clone()),
        (tr!("Submitted"), Some(written(lead.created_time))),
    ];
    facts.into_iter().filter_map(|(label, value)| Some((label.into_owned(), one_line(&value?)))).collect()
}

fn written(at: Timestamp) -> String {
    format!("{} UTC", language::timestamp(TimeZone::UTC.to_datetime(at)))
}

fn link(mail: &AssigneeMail<'_>, lead: &Lead) -> String {
    format!("{}/leads/{}", origin(mail), lead.id)
}

fn origin<'a>(mail: &AssigneeMail<'a>) -> &'a str {
    mail.console.as_str().trim_end_matches('/')
}

fn name_of(lead: &Lead) -> String {
    let known = [&lead.full_name, &lead.email, &lead.phone].into_iter().flatten().find(|text| !text.trim().is_empty());
    let name = known.map_or_else(|| tr!("Unnamed lead"), |name| Cow::Borrowed(name.as_str()));
    cut(&one_line(&name), MAX_NAME_CHARS)
}

/// A text in one line, without characters that end a header or turn the direction of writing.
fn one_line(text: &str) -> String {
    let is_odd = |c: char| {
        c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(is_odd, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max { text.to_owned() } else { text.chars().take(max).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use leadwire::ids::{LeadId, UserId};
    use leadwire::language::Locale;
    use leadwire::model::lead::{Answer, FoundBy};
    use leadwire::model::org::User;

    use super::*;

    fn lead(name: &str) -> Lead {
        let at: Timestamp = "2026-01-02T10:30:00Z".parse().unwrap();
        Lead {
            full_name: Some(name.to_owned()),
            email: Some("jane@example.com".to_owned()),
            phone: Some("+44 7700 900123".to_owned()),
            answers: vec![Answer { name: "q".into(), label: "How many?".into(), values: vec!["<b>2</b>".into()] }],
            ..Lead::new(LeadId::parse("meta-1").unwrap(), FoundBy::Webhook, at, at)
        }
    }

    fn write(leads: &[Lead], more: usize) -> Mail {
        let user = User {
            id: UserId::parse("sofia").unwrap(),
            name: "Sofia".into(),
            email: "sofia@example.com".into(),
            role: None,
            active: true,
            permissions: Vec::new(),
            language: None,
            updated_at: Timestamp::UNIX_EPOCH,
        };
        let console = "https://leads.example.com/".parse().unwrap();
        let unsubscribe = "https://leads.example.com/unsubscribe/t";
        compose(&AssigneeMail { user: &user, leads, more, console: &console, unsubscribe })
    }

    #[test]
    fn a_mail_has_all_it_takes_to_call() {
        let mail = write(&[lead("Jane Roe")], 0);
        assert_eq!(mail.subject, "New lead: Jane Roe");
        for words in
            ["href=\"tel:+447700900123\"", "jane@example.com", "How many?", "https://leads.example.com/leads/meta-1"]
        {
            assert!(mail.html.contains(words), "{words}: {}", mail.html);
        }
        assert!(mail.text.contains("+44 7700 900123") && mail.text.contains("https://leads.example.com/unsubscribe/t"));
        assert!(write(&[Lead { test: true, ..lead("Jane") }], 0).subject.starts_with("[Test] "));
    }

    #[test]
    fn a_mail_speaks_its_recipients_language() {
        let german = Locale::negotiate(None, "de-AT");
        let mail = language::speak_now(german, || write(&[lead("Jane Roe")], 0));
        assert_eq!(mail.subject, "Neuer Lead: Jane Roe");
        for words in ["lang=\"de-AT\"", "+44 7700 900123 anrufen", "02.01.2026, 10:30 UTC", "How many?"] {
            assert!(mail.html.contains(words), "{words}: {}", mail.html);
        }
    }

    #[test]
    fn what_strangers_write_is_text_and_a_subject_is_one_line() {
        let mail = write(&[lead("Eve\r\nBcc: all@example.com\u{2028}x <script>alert(1)</script>\u{202e}")], 0);
        assert_eq!(mail.subject, "New lead: Eve Bcc: all@example.com x <script>alert(1)</script>");
        assert!(!mail.html.contains("<script>") && !mail.html.contains("<b>2</b>"), "{}", mail.html);
        assert!(write(&[lead(&"x".repeat(500))], 0).subject.chars().count() < 120);
    }

    #[test]
    fn gathered_leads_are_one_mail_with_a_link_to_each() {
        let leads: Vec<Lead> =
            (1..=3).map(|id| Lead { id: LeadId::parse(&format!("meta-{id}")).unwrap(), ..lead("J") }).collect();
        let mail = write(&leads, 4);
        assert_eq!(mail.subject, "7 new leads");
        for id in 1..=3 {
            assert!(
                mail.html.contains(&format!("/leads/meta-{id}\""))
                    && mail.text.contains(&format!("/leads/meta-{id}\n"))
            );
        }
        assert!(mail.html.contains("And 4 more") && mail.text.contains("/leads?assigned_to=sofia"));
    }
}
