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

/// Height in pixels. Everything across is in percent: the chart is as wide as its card, and its texts keep their size.
const HEIGHT: f64 = 160.0;
/// Space for the days below the bars.
const BOTTOM_MARGIN: f64 = 24.0;
/// Days with a label. So many fit side by side on the narrowest phone, in every language.
const MAX_LABELS: usize = 4;

impl Chart<'_> {
    /// Renders the chart, and the same numbers as a table behind it.
    pub(crate) fn draw(&self) -> Markup {
        let most = self.days.iter().filter_map(|(_, value)| Some(value.as_ref()?.0)).fold(0.0, f64::max);
        let top = round_above(most);
        let height = HEIGHT - BOTTOM_MARGIN;
        let step = 100.0 / self.days.len().max(1) as f64;
        let y = |value: f64| height - value / top * (height - 8.0);
        let percent = |part: f64| format!("{}%", (part * 100.0).round() / 100.0);
        let label_interval = self.days.len().div_ceil(MAX_LABELS).max(1);
        html! {
            figure.chart {
                figcaption { (self.title) " " b { (self.total) } }
                svg height=(HEIGHT) role="img" aria-label=(self.summary()) {
                    @for value in self.ticks(top) {
                        line.grid x2="100%" y1=(tenth(y(value))) y2=(tenth(y(value))) {}
                        text.axis x="-6" y=(tenth(y(value) + 4.0)) text-anchor="end" { (axis(value)) }
                    }
                    @for (index, (day, value)) in self.days.iter().enumerate() {
                        @let x = step * index as f64;
                        @if let Some((value, _)) = value {
                            rect.bar.unfinished[!self.is_over(*day)] x=(percent(x + step * 0.12)) y=(tenth(y(*value))) width=(percent(step * 0.76))
                                height=(tenth(height - y(*value))) rx="1.5" {}
                        }
                        // Counted from the newest day, which always has its label.
                        @if (self.days.len() - 1 - index).is_multiple_of(label_interval) {
                            text.axis x=(percent(x + step / 2.0)) y=(HEIGHT - 5.0) text-anchor="middle" { (day_and_month(*day)) }
                        }
                    }
                    // After all bars, which would cover the words.
                    @for (index, (day, value)) in self.days.iter().enumerate() {
                        @if let Some((_, text)) = value {
                            @let x = step * index as f64;
                            @let (at, anchor) = if x < 50.0 { (x, "start") } else { (x + step, "end") };
                            g.day {
                                rect x=(percent(x)) width=(percent(step)) height=(height) {}
                                text x=(percent(at)) y="6" text-anchor=(anchor) { (self.day(*day)) ": " (text) }
                            }
                        }
                    }
                }
                div.row {
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
                    @if self.days.iter().any(|(day, value)| value.is_some() && !self.is_over(*day)) { p.quiet { (tr!("Outlined: not over yet")) } }
                }
            }
        }
    }

    /// The values with a line. What is counted has no half.
    fn ticks(&self, top: f64) -> Vec<f64> {
        let is_counted =
            self.days.iter().filter_map(|(_, value)| value.as_ref()).all(|(value, _)| value.fract() == 0.0);
        [0.0, top / 2.0, top].into_iter().filter(|tick| !is_counted || tick.fract() == 0.0).collect()
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

/// The smallest of 1, 2, 4, 6, 8, 10, 20… that is not below `most`: each has a round half.
fn round_above(most: f64) -> f64 {
    if most <= 0.0 || !most.is_finite() {
        return 1.0;
    }
    let magnitude = 10_f64.powf(most.log10().floor());
    [1.0, 2.0, 4.0, 6.0, 8.0, 10.0]
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
        for (most, top) in [(0.0, 1.0), (0.3, 0.4), (1.0, 1.0), (7.0, 8.0), (10.1, 20.0), (4999.0, 6000.0)] {
            assert!((round_above(most) - top).abs() < 1e-9, "{most}");
        }
    }

    #[test]
    fn axes_are_narrow() {
        assert_eq!([0.0, 0.25, 500.0, 5000.0, 25_000.0, 2e6].map(axis), ["0", "0.25", "500", "5,000", "25k", "2M"]);
    }

    #[test]
    fn few_days_have_labels_and_the_newest_is_one_of_them() {
        let first: Date = "2026-01-01".parse().unwrap();
        for days in [1, 2, 4, 5, 7, 14, 30, 90, 365] {
            let days: Vec<_> = first.series(jiff::Span::new().days(1)).take(days).map(|day| (day, None)).collect();
            let last = day_and_month(days.last().unwrap().0);
            let svg = Chart { title: "Leads", total: "0".into(), days, unfinished_since: None }.draw().into_string();
            let labels = svg.matches("\"middle\"").count();
            assert!((1..=MAX_LABELS).contains(&labels), "{labels}: {svg}");
            assert!(svg.contains(&format!("{last}</text></svg>")), "{svg}");
        }
    }

    #[test]
    fn whoever_does_not_see_a_chart_is_told_it() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let one = |value: f64| Some((value, format!("{value:.0}")));
        let days = vec![(day("2026-01-01"), one(1.0)), (day("2026-01-02"), None), (day("2026-01-03"), one(3.0))];
        let chart = Chart { title: "Leads", total: "4".into(), days, unfinished_since: None };
        let svg = chart.draw().into_string();
        assert!(svg.contains("Leads by day, 1 Jan 2026 to 3 Jan 2026. 4; most on 3 Jan 2026: 3."), "{svg}");
        assert_eq!(svg.matches("<rect class=\"bar\"").count(), 2);
        assert_eq!(svg.matches("<text class=\"axis\"").count(), 3 + 3, "values and days");
        assert!(svg.contains("\"end\">3 Jan 2026: 3</text></g></svg>"), "{svg}");
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
        assert_eq!(svg.matches("<line").count(), 2, "no line at half of one");
        assert!(svg.contains("has every day. 2 Jan 2026 is not over yet.\""), "{svg}");
        assert!(svg.contains("<td>2 Jan 2026 (not over yet)</td>") && svg.contains("Outlined: not over yet"), "{svg}");
    }
}
