//! The posts of a month, day by day.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use jiff::ToSpan;
use jiff::civil::Date;
use leadwire::http::{Problem, ProblemCode};
use leadwire::publishing::{PostOut, PostQuery};
use leadwire::{language, tr};
use maud::{Markup, html};

use super::{Places, head, listed_at, status_badge, summary};
use crate::actor::Author;
use crate::components::{Tone, alert};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

/// Posts that a day shows. The list of the day has the others.
const MAX_PER_DAY: usize = 4;
/// Posts of a month that are read: 100 at a time.
const MAX_PER_MONTH: usize = 500;
/// A Monday, from which the names of the days of a week are taken.
const MONDAY: Date = Date::constant(2026, 11, 30);

pub(super) async fn show(
    State(console): State<Console>,
    Author { visitor, access }: Author,
    zone: Zone,
    Query(query): Query<ListQuery>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let today = zone.day(leadwire::clock::now());
    let month = Month::parse(query.get("month"), today)?;
    let out_of_range = || Problem::field("month", ProblemCode::DayInvalid, tr!("A month such as 2026-01."));
    let query = PostQuery {
        from: Some(zone.start_of(month.first).ok_or_else(out_of_range)?),
        to: Some(zone.start_of(month.next()).ok_or_else(out_of_range)?),
        ..PostQuery::default()
    };
    let posts = async {
        let (mut posts, mut cursor) = (Vec::new(), None);
        loop {
            let list = console.rooms.publishing.posts(&access, &query, cursor.as_deref(), 100).await?;
            posts.extend(list.items);
            cursor = list.next_cursor;
            if cursor.is_none() || posts.len() >= MAX_PER_MONTH {
                return Ok((posts, cursor));
            }
        }
    };
    let ((posts, cursor), places) = tokio::try_join!(posts, Places::load(&console, &access))?;
    let body = html! {
        @if cursor.is_some() {
            (alert(Tone::Warn, html! {
                (tr!("This month has more posts. The calendar shows its last {count}.", count = posts.len()))
            }))
        }
        (render(month, today, &posts, &places, &zone))
        (zone.note())
    };
    let title = tr!("Posts");
    let head = head(&title, "/posts/calendar").of_part(&tr!("Calendar"));
    Ok(page(&visitor, jar, Section::Posts, head, &body))
}

/// A month, by its first day.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Month {
    first: Date,
}

impl Month {
    fn parse(text: Option<&str>, today: Date) -> Result<Self, Problem> {
        let first = match text {
            None => Some(today.first_of_month()),
            // Other years have no posts, and their neighbours no date.
            Some(text) => format!("{text}-01").parse().ok().filter(|first: &Date| (2000..3000).contains(&first.year())),
        };
        let first =
            first.ok_or_else(|| Problem::field("month", ProblemCode::DayInvalid, tr!("A month such as 2026-01.")));
        Ok(Self { first: first? })
    }

    fn next(self) -> Date {
        self.first.saturating_add(1.month())
    }

    fn previous(self) -> Date {
        self.first.saturating_sub(1.month())
    }

    /// The days, with those before the first that its week begins with.
    fn weeks(self) -> Vec<Vec<Option<Date>>> {
        let before = usize::try_from(self.first.weekday().to_monday_zero_offset()).unwrap_or_default();
        let days = self.first.series(1.day()).take_while(|day| *day < self.next()).map(Some);
        let cells: Vec<Option<Date>> = std::iter::repeat_n(None, before).chain(days).collect();
        cells.chunks(7).map(|week| week.iter().copied().chain(std::iter::repeat(None)).take(7).collect()).collect()
    }
}

fn render(month: Month, today: Date, posts: &[PostOut], places: &Places, zone: &Zone) -> Markup {
    let mut by_day: BTreeMap<Date, Vec<&PostOut>> = BTreeMap::new();
    // The list is latest first.
    for post in posts.iter().rev() {
        by_day.entry(zone.day(listed_at(post))).or_default().push(post);
    }
    let at = |day: Date| format!("/posts/calendar?month={}", day.strftime("%Y-%m"));
    html! {
        div.acts.months {
            a.button href=(at(month.previous())) rel="prev" { "← " (language::month(month.previous())) }
            h2 #month { (language::month(month.first)) }
            a.button href=(at(month.next())) rel="next" { (language::month(month.next())) " →" }
        }
        div.card.flush {
            table.calendar aria-labelledby="month" {
                thead { tr { @for day in MONDAY.series(1.day()).take(7) { th scope="col" { (language::weekday(day)) } } } }
                tbody {
                    @for week in month.weeks() {
                        tr { @for cell in week { @match cell {
                            None => td.blank {},
                            Some(day) => (day_cell(day, today, by_day.get(&day).map_or(&[], Vec::as_slice), places, zone)),
                        } } }
                    }
                }
            }
        }
    }
}

fn day_cell(day: Date, today: Date, posts: &[&PostOut], places: &Places, zone: &Zone) -> Markup {
    let class = if posts.is_empty() && day != today { "free" } else { "" };
    html! {
        td class=(class) data-label=(language::weekday_and_day(day)) aria-current=[(day == today).then_some("date")] {
            div.day {
                time datetime=(day) { (day.day()) }
                @if day >= today {
                    a href={ "/posts/new?day=" (day) } aria-label=(tr!("New post on {day}", day = language::day_and_month(day))) { "+" }
                }
            }
            @for post in posts.iter().take(MAX_PER_DAY) { (entry(post, places, zone)) }
            @if posts.len() > MAX_PER_DAY {
                a.quiet href={ "/posts?from=" (day) "&until=" (day) } { (tr!([posts.len() - MAX_PER_DAY] "{n} more" | "{n} more")) }
            }
        }
    }
}

fn entry(post: &PostOut, places: &Places, zone: &Zone) -> Markup {
    let time = language::time_of_day(zone.local(listed_at(post)).time());
    html! {
        a.entry href={ "/posts/" (post.id) } {
            span { (time) " " (places.name(post)) }
            span.words { (summary(post)) }
            (status_badge(post.status))
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::super::tests::{places, post};
    use super::*;

    fn month(text: &str) -> Month {
        Month::parse(Some(text), date(2026, 11, 28)).unwrap()
    }

    #[test]
    fn a_month_has_all_its_days_in_weeks_from_monday() {
        for (text, days, before, weeks) in [("2026-12", 31, 1, 5), ("2027-02", 28, 0, 4), ("2026-08", 31, 5, 6)] {
            let found = month(text).weeks();
            assert_eq!(found.len(), weeks, "{text}");
            assert!(found.iter().all(|week| week.len() == 7), "{text}");
            assert_eq!(found[0].iter().take_while(|day| day.is_none()).count(), before, "{text}");
            assert_eq!(found.iter().flatten().flatten().count(), days, "{text}");
        }
        assert_eq!(month("2026-12").next(), date(2027, 1, 1));
        assert_eq!(month("2027-01").previous(), date(2026, 12, 1));
        assert_eq!(Month::parse(None, date(2026, 11, 28)).unwrap().first, date(2026, 11, 1));
        for bad in ["", "2026", "2026-13", "-9999-01", "9999-12", "2026-12-01", "<b>"] {
            assert_eq!(
                Month::parse(Some(bad), date(2026, 11, 28)).unwrap_err().field.as_deref(),
                Some("month"),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_post_stands_on_the_day_of_the_reader() {
        let late = PostOut { scheduled_at: "2026-12-01T23:30:00Z".parse().ok(), ..post() };
        let cell_of = |zone: &str, label: &str| {
            let page = render(
                month("2026-12"),
                date(2026, 11, 28),
                std::slice::from_ref(&late),
                &places(),
                &Zone::parse(zone),
            );
            let page = page.into_string();
            let (_, cell) = page.split_once(&format!("data-label=\"{label}\"")).unwrap();
            cell.split("</td>").next().unwrap().to_owned()
        };
        assert!(cell_of("UTC", "Tue 1 Dec").contains("23:30 Northwind"));
        assert!(cell_of("Europe/Berlin", "Wed 2 Dec").contains("00:30 Northwind"));
        assert!(!cell_of("Europe/Berlin", "Tue 1 Dec").contains("Northwind"));
    }

    #[test]
    fn a_full_day_leads_to_its_list() {
        let posts = vec![post(); 7];
        let page = render(month("2026-12"), date(2026, 11, 28), &posts, &places(), &Zone::parse("UTC")).into_string();
        assert_eq!(page.matches("class=\"entry\"").count(), MAX_PER_DAY);
        assert!(page.contains("/posts?from=2026-12-01&amp;until=2026-12-01") && page.contains("3 more"), "{page}");
        assert!(page.contains("/posts/new?day=2026-12-31"), "{page}");
    }

    #[test]
    fn nothing_is_planned_for_the_past() {
        let page = render(month("2026-12"), date(2026, 12, 15), &[], &places(), &Zone::parse("UTC")).into_string();
        assert!(!page.contains("day=2026-12-14") && page.contains("day=2026-12-15"), "{page}");
    }
}
