//! All components of the pages in all their states, one below the other. Exists in local runs only; a story compares its
//! pictures with kept ones.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use leadwire::http::{Problem, ProblemCode};
use maud::{Markup, html};
use strum::IntoEnumIterator;

use crate::chart::Chart;
use crate::components::{Tone, alert, badge, count, empty, money, time};
use crate::layout::{PageHead, bare_page};
use crate::state::Console;

/// Shows the components. A deployed function answers as for any unknown address.
pub(crate) async fn show(State(console): State<Console>) -> Response {
    if !console.is_local {
        return Problem::new(ProblemCode::NoSuchPage, "There is nothing at this address.").into_response();
    }
    bare_page("Components", &components()).into_response()
}

fn components() -> Markup {
    html! {
        (words())
        (buttons())
        (fields())
        (messages())
        (figures())
        (tables())
        (lists())
    }
}

fn words() -> Markup {
    html! {
        section {
            h2 { "Words" }
            p.lead { "A lead paragraph says what the page is for." }
            p { "A paragraph with " a href="#links" { "a link" } ", " b { "weight" } ", " code { "code_words" } " and a time: " (time(Timestamp::UNIX_EPOCH)) "." }
            p.quiet { "What is said beside." } p.wrong { "What is wrong." } p.fix { b { "What to do: " } "the way out." }
            p dir="auto" { "نورة عبد الله · Ægir Þórsson · 山田太郎 · " (count(1_234_567_u64)) " · " (money("-1234.50", "EUR")) }
        }
    }
}

fn buttons() -> Markup {
    html! {
        section {
            h2 { "Buttons" }
            (PageHead::new("A page").about(html! { "What there is to know of it." }).acts(html! { button { "An act" } button.primary { "The first act" } }).show())
            div.acts {
                button.primary { "Primary" } button { "Usual" } button.danger { "Dangerous" } button.plain { "Plain" }
                button disabled { "Disabled" } button aria-busy="true" { "On its way" } a.button href="#buttons" { "A link" }
            }
            nav.tabs aria-label="Tabs" { a href="#one" aria-current="page" { "This tab" } a href="#two" { "Another" } a href="#three" { "A third" } }
            nav.chips aria-label="Chips" { a.chip href="#all" aria-current="true" { "All" } a.chip href="#mine" { "Mine" } a.chip.set href="#set" { "Status: Lost" span aria-hidden="true" { "×" } } span.chip.part { a href="#part" { "Campaign: Spring" } a.leave href="#whole" aria-label="Leave it out" { span aria-hidden="true" { "×" } } } }
        }
    }
}

fn fields() -> Markup {
    html! {
        section {
            h2 { "Fields" }
            form.card {
                label { "Text" input name="text" value="What was typed"; }
                label { "Empty" input name="empty" placeholder="An example"; }
                label { "Wrong" input name="wrong" value="31.02." aria-invalid="true" aria-describedby="wrong-mistake"; }
                p.wrong id="wrong-mistake" { "There is no such day." }
                label { "Choice" select name="choice" { option { "One of several" } option { "Another" } } }
                label { "Several lines" textarea name="lines" rows="2" { "First\nSecond" } }
                label.tick { input type="checkbox" name="tick" checked; "Ticked" }
                label.tick { input type="checkbox" name="unticked"; "Not ticked" }
                details { summary { "More" } p { "What is rarely needed." } }
            }
        }
    }
}

fn messages() -> Markup {
    html! {
        section {
            h2 { "Messages" }
            p { @for tone in Tone::iter() { (badge(tone, tone.into())) " " } }
            @for tone in [Tone::Good, Tone::Warn, Tone::Bad, Tone::Calm] {
                (alert(tone, html! { p { b { "What happened. " } "What follows from it, and what to do." } button { "Do it" } }))
            }
            (empty("Nothing yet", html! { "What comes here, and how. " a href="#messages" { "Begin" } }))
            p.waiting { span.spinner aria-hidden="true" {} "Asking Meta…" }
            progress value="40" max="100" aria-label="Progress" {}
        }
    }
}

fn figures() -> Markup {
    let first = date(2026, 1, 1);
    let days: Vec<(Date, Option<(f64, String)>)> = (0..14)
        .map(|day| {
            let value = f64::from((day * 7) % 11);
            (first.saturating_add(day.days()), (day != 5).then(|| (value, format!("{value}"))))
        })
        .collect();
    html! {
        section {
            h2 { "Figures" }
            div.figures {
                div { span { "Today" } b { (count(12_u64)) } span { "9 yesterday" } }
                div { span { "Spend" } b { (money("1234.50", "EUR")) } span { "+12% to the time before" } }
                div { span { "Nothing" } b { "–" } }
            }
            div.charts { (Chart { title: "Leads by day", total: count(70_u64), unfinished_since: days.last().map(|(day, _)| *day), bars: days }.draw()) }
            div.card { dl.facts { div { dt { "Status" } dd { (badge(Tone::Good, "Active")) } } div { dt { "Pages" } dd { (count(3_u64)) " pages" } } } }
            div.card { dl.rows { div { dt { "E-mail" } dd.address { a href="mailto:a@b.example" { "a@b.example" } } } div.changed { dt { "Changed" } dd { "Now" div.quiet { "was: before" } } } } }
        }
    }
}

fn tables() -> Markup {
    html! {
        section {
            h2 { "Tables" }
            div.card.flush.scroll tabindex="0" role="region" aria-label="A table" {
                table.report {
                    thead { tr { th { "Name" } th.number aria-sort="descending" { a href="#sort" { "Leads" span aria-hidden="true" { " ↓" } } } th.number { "Spend" } th { "Status" } } }
                    tbody {
                        @for (name, leads) in [("A usual name", 12_u64), ("A very long name of a campaign that does not fit into a single line of a table", 1_234)] {
                            tr { td data-label="Name" { (name) div.quiet { "What it lies in" } } td.number data-label="Leads" { (count(leads)) } td.number data-label="Spend" { (money("12.00", "USD")) } td data-label="Status" { (badge(Tone::Warn, "Expiring soon")) } }
                        }
                    }
                    tfoot { tr { td data-label="Name" { b { "Total" } } td.number data-label="Leads" { (count(1_246_u64)) } td.number data-label="Spend" { (money("24.00", "USD")) } td data-label="Status" {} } }
                }
            }
        }
    }
}

fn lists() -> Markup {
    html! {
        section {
            h2 { "Lists" }
            ul.checks {
                @for (tone, word) in [(Tone::Good, "Passed"), (Tone::Bad, "Failed"), (Tone::Calm, "Unknown")] {
                    li { (badge(tone, word)) div { b { "Access token" } p { "What was seen." } p.fix { b { "What to do: " } "the way out." } } }
                }
            }
            ol.timeline {
                li { b { "Received" } " " span.quiet { (time(Timestamp::UNIX_EPOCH)) } p { "Meta's webhook reported it." } }
                li.bad { b { "Parked" } " " span.quiet { (time(Timestamp::UNIX_EPOCH)) } p { "Meta does not permit access." } }
            }
            div.card.steps { h2 { "Set up: 1 of 2 done" } ol { li.done { b { "Done" } } li { b { "To do" } " " span { "What to do." } } } }
        }
    }
}
