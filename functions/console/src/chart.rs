//! Charts, rendered here as SVG: bars by day or by a shorter time, with the same numbers as text for readers who do not see
//! them.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime};
use leadwire::language::{date, day_and_month, decimal, time_of_day, timestamp_brief};
use leadwire::tr;
use maud::{Markup, html};

/// What a bar is of.
pub(crate) trait BarTime: Copy + PartialOrd {
    /// What the column of the table is called that has it.
    fn column() -> Cow<'static, str>;
    /// The caption of the table.
    fn caption(title: &str) -> String;
    /// In full.
    fn in_full(self) -> String;
    /// In the little space below a bar.
    fn brief(self) -> String;
    /// The chart in words.
    fn summary(chart: &ChartWords<'_>) -> String;
    /// Says that the bars of these times are not over yet.
    fn unfinished(first: Self, last: Self) -> String;
}

/// What a chart says in words.
pub(crate) struct ChartWords<'a> {
    title: &'a str,
    total: &'a str,
    first: String,
    last: String,
    /// The highest bar, and its value.
    most: Option<(String, &'a str)>,
}

/// A time of day, or of a few days.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct ClockTime {
    /// When it begins.
    pub(crate) at: DateTime,
    /// Whether bars stand beside it that are days apart.
    pub(crate) of_days: bool,
}

/// A bar chart with one number per day, or per another time.
pub(crate) struct Chart<'a, T = Date> {
    pub(crate) title: &'a str,
    /// The total of all bars, as text.
    pub(crate) total: String,
    /// The bars in order, each with its value and its exact text. `None` where there is no number.
    pub(crate) bars: Vec<(T, Option<(f64, String)>)>,
    /// The first bar that is not over yet: those from there on are outlined.
    pub(crate) unfinished_since: Option<T>,
}

impl BarTime for Date {
    fn column() -> Cow<'static, str> {
        tr!("Day")
    }

    fn caption(title: &str) -> String {
        tr!("{title} by day", title = title)
    }

    fn in_full(self) -> String {
        date(self)
    }

    fn brief(self) -> String {
        day_and_month(self)
    }

    fn summary(ChartWords { title, total, first, last, most }: &ChartWords<'_>) -> String {
        match most {
            Some((day, text)) => tr!(
                "{title} by day, {first} to {last}. {total}; most on {day}: {most}. The table below has every day.",
                title = title,
                first = first,
                last = last,
                total = total,
                day = day,
                most = text,
            ),
            None => tr!(
                "{title} by day, {first} to {last}. {total}; no numbers. The table below has every day.",
                title = title,
                first = first,
                last = last,
                total = total,
            ),
        }
    }

    fn unfinished(first: Self, last: Self) -> String {
        unfinished(first, last)
    }
}

impl BarTime for ClockTime {
    fn column() -> Cow<'static, str> {
        tr!("Time")
    }

    fn caption(title: &str) -> String {
        tr!("{title} over time", title = title)
    }

    fn in_full(self) -> String {
        timestamp_brief(self.at)
    }

    fn brief(self) -> String {
        if self.of_days { day_and_month(self.at.date()) } else { time_of_day(self.at.time()) }
    }

    fn summary(ChartWords { title, total, first, last, most }: &ChartWords<'_>) -> String {
        match most {
            Some((time, text)) => tr!(
                "{title}, {first} to {last}. {total}; most at {time}: {most}. The table below has every number.",
                title = title,
                first = first,
                last = last,
                total = total,
                time = time,
                most = text,
            ),
            None => tr!("{title}, {first} to {last}: no numbers.", title = title, first = first, last = last),
        }
    }

    fn unfinished(_: Self, _: Self) -> String {
        tr!("The last bar is not over yet.").into_owned()
    }
}

/// Height in pixels. Everything across is in percent: the chart is as wide as its card, and its texts keep their size.
const HEIGHT: f64 = 160.0;
/// Space for the days below the bars.
const BOTTOM_MARGIN: f64 = 24.0;
/// Days with a label. So many fit side by side on the narrowest phone, in every language.
const MAX_LABELS: usize = 4;

impl<T: BarTime> Chart<'_, T> {
    /// Renders the chart, and the same numbers as a table behind it.
    pub(crate) fn draw(&self) -> Markup {
        let most = self.bars.iter().filter_map(|(_, value)| Some(value.as_ref()?.0)).fold(0.0, f64::max);
        let top = round_above(most);
        let height = HEIGHT - BOTTOM_MARGIN;
        let step = 100.0 / self.bars.len().max(1) as f64;
        let y = |value: f64| height - value / top * (height - 8.0);
        let percent = |part: f64| format!("{}%", (part * 100.0).round() / 100.0);
        let label_interval = self.bars.len().div_ceil(MAX_LABELS).max(1);
        html! {
            figure.chart {
                figcaption { (self.title) " " b { (self.total) } }
                svg height=(HEIGHT) role="img" aria-label=(self.summary()) {
                    @for value in self.ticks(top) {
                        line.grid x2="100%" y1=(tenth(y(value))) y2=(tenth(y(value))) {}
                        text.axis x="-6" y=(tenth(y(value) + 4.0)) text-anchor="end" { (axis(value)) }
                    }
                    @for (index, (time, value)) in self.bars.iter().enumerate() {
                        @let x = step * index as f64;
                        @if let Some((value, _)) = value {
                            rect.bar.unfinished[!self.is_over(*time)] x=(percent(x + step * 0.12)) y=(tenth(y(*value))) width=(percent(step * 0.76))
                                height=(tenth(height - y(*value))) rx="1.5" {}
                        }
                        // Counted from the newest day, which always has its label.
                        @if (self.bars.len() - 1 - index).is_multiple_of(label_interval) {
                            text.axis x=(percent(x + step / 2.0)) y=(HEIGHT - 5.0) text-anchor="middle" { (time.brief()) }
                        }
                    }
                    // After all bars, which would cover the words.
                    @for (index, (time, value)) in self.bars.iter().enumerate() {
                        @if let Some((_, text)) = value {
                            @let x = step * index as f64;
                            @let (at, anchor) = if x < 50.0 { (x, "start") } else { (x + step, "end") };
                            g.day {
                                rect x=(percent(x)) width=(percent(step)) height=(height) {}
                                text x=(percent(at)) y="6" text-anchor=(anchor) { (self.label(*time)) ": " (text) }
                            }
                        }
                    }
                }
                div.row {
                    details {
                        summary { (tr!("As a table")) }
                        div.scroll tabindex="0" {
                            table {
                                caption.hidden { (T::caption(self.title)) }
                                thead { tr { th { (T::column()) } th.number { (self.title) } } }
                                tbody {
                                    @for (time, value) in &self.bars {
                                        tr { td { (self.label(*time)) } td.number { @match value { Some((_, text)) => (text), None => "–" } } }
                                    }
                                }
                            }
                        }
                    }
                    @if self.bars.iter().any(|(time, value)| value.is_some() && !self.is_over(*time)) { p.quiet { (tr!("Outlined: not over yet")) } }
                }
            }
        }
    }

    /// The values with a line. What is counted has no half.
    fn ticks(&self, top: f64) -> Vec<f64> {
        let is_counted =
            self.bars.iter().filter_map(|(_, value)| value.as_ref()).all(|(value, _)| value.fract() == 0.0);
        [0.0, top / 2.0, top].into_iter().filter(|tick| !is_counted || tick.fract() == 0.0).collect()
    }

    fn is_over(&self, time: T) -> bool {
        self.unfinished_since.is_none_or(|first| time < first)
    }

    /// What a bar is of, and whether that is not over yet.
    fn label(&self, time: T) -> String {
        if self.is_over(time) { time.in_full() } else { tr!("{day} (not over yet)", day = time.in_full()) }
    }

    fn summary(&self) -> String {
        let (Some((first, _)), Some((last, _))) = (self.bars.first(), self.bars.last()) else {
            return tr!("{title}: no days", title = self.title);
        };
        let unfinished_bars = match self.unfinished_since {
            Some(since) if since <= *last => {
                format!(" {}", T::unfinished(if since < *first { *first } else { since }, *last))
            }
            _ => String::new(),
        };
        let known = self.bars.iter().filter_map(|(time, value)| Some((time, value.as_ref()?)));
        let most = known.max_by(|(_, one), (_, other)| one.0.total_cmp(&other.0));
        let words = ChartWords {
            title: self.title,
            total: &self.total,
            first: first.in_full(),
            last: last.in_full(),
            most: most.map(|(time, (_, text))| (time.in_full(), text.as_str())),
        };
        T::summary(&words) + &unfinished_bars
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
            let svg =
                Chart { title: "Leads", total: "0".into(), bars: days, unfinished_since: None }.draw().into_string();
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
        let chart = Chart { title: "Leads", total: "4".into(), bars: days, unfinished_since: None };
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
        let svg = Chart { title: "Leads", total: "2".into(), bars: days, unfinished_since }.draw().into_string();
        assert_eq!((svg.matches("\"bar\"").count(), svg.matches("\"bar unfinished\"").count()), (1, 1), "{svg}");
        assert_eq!(svg.matches("<line").count(), 2, "no line at half of one");
        assert!(svg.contains("has every day. 2 Jan 2026 is not over yet.\""), "{svg}");
        assert!(svg.contains("<td>2 Jan 2026 (not over yet)</td>") && svg.contains("Outlined: not over yet"), "{svg}");
    }

    #[test]
    fn bars_of_minutes_say_the_time() {
        let at = |text: &str| ClockTime { at: text.parse().unwrap(), of_days: false };
        let bar = |time: &str, value: f64| (at(time), Some((value, format!("{value:.0}"))));
        let bars = vec![bar("2026-11-30T03:06", 4.0), bar("2026-11-30T03:07", 1.0)];
        let unfinished_since = Some(at("2026-11-30T03:07"));
        let svg = Chart { title: "Leads per minute", total: "5".into(), bars, unfinished_since }.draw().into_string();
        assert!(svg.contains("30 Nov, 03:06 to 30 Nov, 03:07. 5; most at 30 Nov, 03:06: 4."), "{svg}");
        assert!(svg.contains("The last bar is not over yet.\"") && svg.contains(">03:07</text>"), "{svg}");
        assert!(svg.contains("<td>30 Nov, 03:07 (not over yet)</td>"), "{svg}");
        let of_days = ClockTime { of_days: true, ..at("2026-11-30T03:00") };
        assert_eq!(of_days.brief(), "30 Nov");
    }
}
