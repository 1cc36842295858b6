//! What members write about a lead: a note, what it is worth, and why it was lost. And what Meta was told of it.

use axum::extract::State;
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use http::HeaderMap;
use leadwire::error::ErrorCode;
use leadwire::http::Problem;
use leadwire::http::path::Id;
use leadwire::ids::LeadId;
use leadwire::language::{self, Language};
use leadwire::leads::LeadIn;
use leadwire::model::lead::trace::{Step, StepKind};
use leadwire::model::lead::{Lead, Status};
use leadwire::tr;
use maud::{Markup, html};

use super::detail::{read_only, render};
use crate::actor::LeadReader;
use crate::acts::Showing;
use crate::components::{Tone, badge, csrf_field, field_problem, is_wrong, money, problem_alert, time};
use crate::flash::redirect_with;
use crate::form::Fields;
use crate::session::Visitor;
use crate::state::Console;

/// What was typed, and why it was refused.
pub(super) struct RefusedNotes<'a> {
    pub(super) fields: &'a Fields,
    pub(super) problem: &'a Problem,
}

/// The card for members who may write.
pub(super) fn card(visitor: &Visitor, lead: &Lead, refused: Option<&RefusedNotes<'_>>) -> Markup {
    let problem = refused.map(|refused| refused.problem);
    let amount = lead.value.map(|value| value.to_string());
    let stored = [
        ("note", lead.note.as_deref()),
        ("value", amount.as_deref()),
        ("currency", lead.currency.as_deref()),
        ("lost_reason", lead.lost_reason.as_deref()),
    ];
    // After a mistake, as it was when the person began to type.
    let seen = |name: &str, stored: Option<&str>| match refused {
        Some(refused) => refused.fields.raw(&format!("seen.{name}")).unwrap_or_default().to_owned(),
        None => stored.unwrap_or_default().to_owned(),
    };
    let text = |name: &str| match refused {
        Some(refused) => refused.fields.raw(name).unwrap_or_default().to_owned(),
        None => {
            stored.iter().find(|(known, _)| *known == name).and_then(|(_, text)| *text).unwrap_or_default().to_owned()
        }
    };
    // A reason that was given stays in view, whatever the status is now.
    let has_reason = lead.status == Status::Lost || lead.lost_reason.is_some();
    let describes = |name: &str| is_wrong(problem, name).map(|_| format!("{name}-mistake"));
    html! {
        section.card #notes {
            h2 { (tr!("Notes")) }
            form method="post" action={ "/leads/" (lead.id) "/notes#notes" } {
                (csrf_field(visitor))
                @for (name, stored) in stored { input type="hidden" name={ "seen." (name) } value=(seen(name, stored)); }
                @if problem.is_some_and(|problem| problem.field.is_none()) { (problem_alert(problem)) }
                label { (tr!("Note")) textarea name="note" rows="4" maxlength="5000" aria-invalid=[is_wrong(problem, "note")] aria-describedby=[describes("note")] { "\n" (text("note")) } }
                (field_problem(problem, "note"))
                div.pair {
                    label { (tr!("Value")) input name="value" inputmode="decimal" autocomplete="off" value=(text("value")) aria-invalid=[is_wrong(problem, "value")] aria-describedby=[describes("value")]; }
                    label { (tr!("Currency")) input name="currency" maxlength="3" autocomplete="off" autocapitalize="characters" placeholder="EUR" value=(text("currency")) aria-invalid=[is_wrong(problem, "currency")] aria-describedby=[describes("currency")]; }
                }
                (field_problem(problem, "value"))
                (field_problem(problem, "currency"))
                @if has_reason {
                    label { (tr!("Why it was lost")) textarea name="lost_reason" rows="2" maxlength="500" aria-invalid=[is_wrong(problem, "lost_reason")] aria-describedby=[describes("lost_reason")] { "\n" (text("lost_reason")) } }
                    (field_problem(problem, "lost_reason"))
                }
                p.quiet { (tr!("If you report lead quality, Meta gets the value with the next status.")) }
                button { (tr!("Save notes")) }
            }
        }
    }
}

/// The same for colleagues who can only see it.
pub(super) fn read_only_card(lead: &Lead) -> Markup {
    let value = lead.value.zip(lead.currency.as_deref());
    html! {
        @if lead.note.is_some() || value.is_some() || lead.lost_reason.is_some() {
            section.card {
                h2 { (tr!("Notes")) }
                @if let Some(note) = &lead.note { p.text { (note) } }
                dl.rows {
                    @if let Some((value, currency)) = value { div { dt { (tr!("Value")) } dd { (money(&value.to_string(), currency)) } } }
                    @if let Some(reason) = &lead.lost_reason { div { dt { (tr!("Lost because")) } dd { (reason) } } }
                }
            }
        }
    }
}

/// What Meta was told of the lead: its statuses, newest last.
pub(super) fn reports_card(steps: &[Step]) -> Markup {
    let label = |step: &Step| match step.step {
        StepKind::ConversionSent => Some(badge(Tone::Good, &tr!("Reported"))),
        StepKind::ConversionPending => Some(badge(Tone::Calm, &tr!("To be reported"))),
        StepKind::ConversionNotSent => Some(badge(Tone::Dim, &tr!("Not reported"))),
        _ => None,
    };
    let told: Vec<(Markup, &Step)> = steps.iter().filter_map(|step| Some((label(step)?, step))).collect();
    html! {
        @if !told.is_empty() {
            section.card {
                h2 { (tr!("Reports to Meta")) }
                ul.runs { @for (badge, step) in &told { li { (badge) " " span.quiet { (time(step.at)) } p { (language::translate(&step.detail)) } } } }
            }
        }
    }
}

/// What a form asks for: the fields that were changed in it. The others stay as they are, even if a colleague has changed
/// them since the page was drawn.
fn input(fields: &Fields) -> Result<LeadIn, Problem> {
    let text = |name: &str| fields.raw(name).map(|typed| typed.replace("\r\n", "\n").trim().to_owned());
    let seen = |name: &str| text(&format!("seen.{name}")).unwrap_or_default();
    let changed = |name: &str| text(name).filter(|typed| *typed != seen(name));
    let kept = |typed: String| Some(typed).filter(|typed| !typed.is_empty());
    let mut input =
        LeadIn { note: changed("note").map(kept), lost_reason: changed("lost_reason").map(kept), ..LeadIn::default() };
    if changed("value").or_else(|| changed("currency")).is_none() {
        return Ok(input);
    }
    let value = match fields.get("value") {
        None => None,
        Some(typed) if typed == seen("value") => typed.parse().ok(),
        Some(typed) => Some(parse_amount(typed).ok_or_else(|| {
            let detail = tr!("Enter an amount such as 1250.50, without a currency.");
            Problem::field("value", ErrorCode::ValueInvalid, detail)
        })?),
    };
    // Without a value, the currency is left over from one that was deleted.
    input.currency = Some(value.and(fields.get("currency").map(str::to_uppercase)));
    input.value = Some(value);
    Ok(input)
}

/// Reads an amount. With both signs, the last one is decimal: "1,250.50" and "1.250,50" are the same. A single one that
/// three digits follow groups digits if the page's language writes it so; otherwise it could be either, and is refused.
fn parse_amount(typed: &str) -> Option<rust_decimal::Decimal> {
    let plain: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '\'' && *c != '\u{2019}').collect();
    let decimal = match (plain.rfind('.'), plain.rfind(',')) {
        (Some(point), Some(comma)) if point > comma => plain.replace(',', ""),
        (Some(_), Some(_)) => plain.replace('.', "").replace(',', "."),
        (Some(_), None) => join_digits(&plain, '.')?,
        (None, Some(_)) => join_digits(&plain, ',')?,
        (None, None) => plain,
    };
    let is_plain = decimal.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
    decimal.parse().ok().filter(|_| is_plain)
}

/// An amount with one kind of sign, as Rust writes it.
fn join_digits(typed: &str, sign: char) -> Option<String> {
    let decimal_sign = if language::language() == Language::German { ',' } else { '.' };
    let are_groups = typed.split(sign).skip(1).all(|digits| digits.len() == 3);
    match typed.matches(sign).count() {
        1 if !are_groups => Some(typed.replace(sign, ".")),
        1 if sign == decimal_sign => None,
        _ => are_groups.then(|| typed.replace(sign, "")),
    }
}

pub(super) async fn save(
    State(console): State<Console>,
    reader: LeadReader,
    Id(id): Id<LeadId>,
    headers: HeaderMap,
    jar: PrivateCookieJar,
    form: Fields,
) -> Result<Response, Problem> {
    let access = reader.access.as_ref().ok_or_else(read_only)?;
    let change = async { Ok::<_, Problem>(console.rooms.leads.change(access, &id, input(&form)?).await?) };
    match change.await {
        Ok(_) => Ok(redirect_with(&format!("/leads/{id}"), jar, Ok(tr!("Notes saved.").into_owned()))),
        Err(problem) if problem.status == 404 || problem.status >= 500 => Err(problem),
        Err(problem) => {
            let details = console.rooms.leads.get(&reader.scope, &id).await?;
            let refused = RefusedNotes { fields: &form, problem: &problem };
            Ok(render(&console, &reader, &details, Some(&refused), &headers, jar).await?.showing(Some(&problem)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(fields: &[(&str, &str)]) -> Result<LeadIn, Problem> {
        input(&Fields::new(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()))
    }

    #[test]
    fn an_amount_is_read_as_it_is_written_or_refused_if_it_could_be_two() {
        for (typed, read) in [
            ("1250.50", "1250.50"),
            ("1,250.50", "1250.50"),
            ("1.250,50", "1250.50"),
            ("12,5", "12.5"),
            ("1 250", "1250"),
            ("1'250.50", "1250.50"),
            ("0", "0"),
            ("1,250", "1250"),
            ("1,250,000", "1250000"),
            ("1.250.000", "1250000"),
        ] {
            assert_eq!(parse_amount(typed), read.parse().ok(), "{typed}");
        }
        for typed in ["1.250", "1,250,00", "a", "1e5", "1.2.3", "€5", ""] {
            assert_eq!(parse_amount(typed), None, "{typed}");
        }
    }

    #[test]
    fn what_was_changed_is_changed_and_nothing_else() {
        let seen =
            [("seen.note", "Call\nback"), ("seen.value", "1.125"), ("seen.currency", "KWD"), ("seen.lost_reason", "")];
        let with = |fields: &[(&str, &str)]| typed(&[&seen[..], fields].concat());
        let same = [("note", "Call\r\nback"), ("value", "1.125"), ("currency", "KWD")];
        let change = with(&same).unwrap();
        assert_eq!((change.note, change.value, change.currency, change.lost_reason), (None, None, None, None));
        // An amount as it was stored is accepted, whatever it looks like.
        let change = with(&[("note", ""), ("value", "1.125"), ("currency", "bhd")]).unwrap();
        assert_eq!((change.note, change.value), (Some(None), Some("1.125".parse().ok())));
        assert_eq!(change.currency, Some(Some("BHD".to_owned())));
        let change = with(&[("value", ""), ("currency", "KWD"), ("lost_reason", "Price")]).unwrap();
        assert_eq!((change.value, change.currency), (Some(None), Some(None)));
        assert_eq!((change.note, change.lost_reason), (None, Some(Some("Price".to_owned()))));
        assert_eq!(with(&[("value", "1.2.3")]).unwrap_err().field.as_deref(), Some("value"));
    }
}
