//! Charts, rendered here as SVG: bars by day, with the same numbers as text for readers who do not see them.

use jiff::civil::Date;
use leadwire::language::{date, day_and_month, decimal};
use leadwire::tr;
use maud::{Markup, html};

/// A bar chart with one number per day.
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    /// The total of all days, as text.
    pub(crate) total: String,
    /// The days in order, each with its bar's value and its exact text. `None` where there is no number.
    pub(crate) days: Vec<(Date, Option<(f64, String)>)>,
    /// The first day that is not over yet: the bars from there on are outlined.
    pub(crate) unfinished_since: Option<Date>,
}

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 150.0;
/// Space for the numbers on the left and the days below.
const LEFT_MARGIN: f64 = 40.0;
const BOTTOM_MARGIN: f64 = 22.0;

impl Chart<'_> {
    /// Renders the chart, and the same numbers as a table behind it.
    pub(crate) fn draw(&self) -> Markup {
        let most = self.days.iter().filter_map(|(_, value)| Some(value.as_ref()?.0)).fold(0.0, f64::max);
        let top = round_above(most);
        let height = HEIGHT - BOTTOM_MARGIN;
        let step = (WIDTH - LEFT_MARGIN) / self.days.len().max(1) as f64;
        let y = |value: f64| height - value / top * (height - 8.0);
        let label_interval = (self.days.len() / 6).max(1);
        html! {
            figure.chart {
                figcaption { (self.title) " " b { (self.total) } }
                svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(self.summary()) {
                    @for part in [0.0, 0.5, 1.0] {
                        line.grid x1=(LEFT_MARGIN) x2=(WIDTH) y1=(tenth(y(top * part))) y2=(tenth(y(top * part))) {}
                        text.axis x=(LEFT_MARGIN - 6.0) y=(tenth(y(top * part) + 4.0)) text-anchor="end" { (axis(top * part)) }
                    }
                    @for (index, (day, value)) in self.days.iter().enumerate() {
                        @let x = LEFT_MARGIN + step * index as f64;
                        @if let Some((value, text)) = value {
                            rect.bar.unfinished[!self.is_over(*day)] x=(tenth(x + step * 0.12)) y=(tenth(y(*value))) width=(tenth(step * 0.76))
                                height=(tenth(height - y(*value))) rx="1.5" {
                                title { (self.day(*day)) ": " (text) }
                            }
                        }
                        @if index % label_interval == 0 && self.days.len() - index > label_interval / 2 {
                            text.axis x=(tenth(x + step / 2.0)) y=(HEIGHT - 5.0) text-anchor="middle" { (day_and_month(*day)) }
                        }
                    }
                }
                @if self.days.iter().any(|(day, value)| value.is_some() && !self.is_over(*day)) { p.quiet { (tr!("Outlined: not over yet")) } }
                details {
                    summary { (tr!("As a table")) }
                    div.scroll tabindex="0" {
                        table {
                            caption.hidden { (tr!("{title} by day", title = self.title)) }
                            thead { tr { th { (tr!("Day")) } th.number { (self.title) } } }
                            tbody {
                                @for (day, value) in &self.days {
                                    tr { td { (self.day(*day)) } td.number { @match value { Some((_, text)) => (text), None => "–" } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn is_over(&self, day: Date) -> bool {
        self.unfinished_since.is_none_or(|first| day < first)
    }

    /// A day, and whether it is not over yet.
    fn day(&self, day: Date) -> String {
        if self.is_over(day) { date(day) } else { tr!("{day} (not over yet)", day = date(day)) }
    }

    fn summary(&self) -> String {
        let (Some((first, _)), Some((last, _))) = (self.days.first(), self.days.last()) else {
            return tr!("{title}: no days", title = self.title);
        };
        let unfinished_days = match self.unfinished_since {
            Some(since) if since <= *last => format!(" {}", unfinished(since.max(*first), *last)),
            _ => String::new(),
        };
        let known = self.days.iter().filter_map(|(day, value)| Some((day, value.as_ref()?)));
        let most = known.max_by(|(_, one), (_, other)| one.0.total_cmp(&other.0));
        let (title, first, last, total) = (self.title, date(*first), date(*last), &self.total);
        let summary = match most {
            Some((day, (_, text))) => tr!(
                "{title} by day, {first} to {last}. {total}; most on {day}: {most}. The table below has every day.",
                title = title,
                first = first,
                last = last,
                total = total,
                day = date(*day),
                most = text,
            ),
            None => tr!(
                "{title} by day, {first} to {last}. {total}; no numbers. The table below has every day.",
                title = title,
                first = first,
                last = last,
                total = total,
            ),
        };
        summary + &unfinished_days
    }
}

/// Says that the days up to `last` are not over yet.
pub(crate) fn unfinished(first: Date, last: Date) -> String {
    if first == last {
        tr!("{day} is not over yet.", day = date(first))
    } else {
        tr!("{since} to {until} are not over yet.", since = date(first), until = date(last))
    }
}

/// The smallest of 1, 2, 5, 10, 20, 50… that is not below `most`.
fn round_above(most: f64) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let magnitude = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|step| step * magnitude)
        .into_iter()
        .find(|step| *step >= most)
        .unwrap_or(10.0 * magnitude)
}

/// Formats a number in little space.
fn axis(value: f64) -> String {
    match value {
        value if value >= 1e6 => format!("{}M", decimal(&tenth(value / 1e6).to_string())),
        value if value >= 1e4 => format!("{}k", decimal(&tenth(value / 1e3).to_string())),
        value => decimal(&((value * 100.0).round() / 100.0).to_string()),
    }
}

/// Rounds a coordinate to tenths, which is precise enough.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers() {
        for (most, top) in [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (7.0, 10.0), (10.1, 20.0), (4999.0, 5000.0)] {
            assert!((round_above(most) - top).abs() < 1e-9, "{most}");
        }
    }

    #[test]
    fn axes_are_narrow() {
        assert_eq!([0.0, 0.25, 500.0, 5000.0, 25_000.0, 2e6].map(axis), ["0", "0.25", "500", "5,000", "25k", "2M"]);
    }

    #[test]
    fn whoever_does_not_see_a_chart_is_told_it() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let one = |value: f64| Some((value, format!("{value:.0}")));
        let days = vec![(day("2026-01-01"), one(1.0)), (day("2026-01-02"), None), (day("2026-01-03"), one(3.0))];
        let chart = Chart { title: "Leads", total: "4".into(), days, unfinished_since: None };
        let svg = chart.draw().into_string();
        assert!(svg.contains("Leads by day, 1 Jan 2026 to 3 Jan 2026. 4; most on 3 Jan 2026: 3."), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 2);
        assert_eq!(svg.matches("<tr>").count(), 4);
        assert!(!svg.contains("not over"), "{svg}");
    }

    #[test]
    fn a_day_that_is_not_over_is_told_from_the_others() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let one = Some((1.0, "1".to_owned()));
        let days = vec![(day("2026-01-01"), one.clone()), (day("2026-01-02"), one)];
        let unfinished_since = Some(day("2026-01-02"));
        let svg = Chart { title: "Leads", total: "2".into(), days, unfinished_since }.draw().into_string();
        assert_eq!((svg.matches("\"bar\"").count(), svg.matches("\"bar unfinished\"").count()), (1, 1), "{svg}");
        assert!(svg.contains("has every day. 2 Jan 2026 is not over yet.\""), "{svg}");
        assert!(svg.contains("<td>2 Jan 2026 (not over yet)</td>") && svg.contains("Outlined: not over yet"), "{svg}");
    }
}
