//! Meta's usage headers: how much of the limits is used, and how long a block lasts.

use std::time::Duration;

use serde_json::Value;

use crate::metrics::{self, Metric};

/// What the headers of one response report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Usage {
    /// The longest time until a block is lifted.
    pub regain: Option<Duration>,
    /// Use of the fullest limit, in percent. At 100 Meta refuses calls. Every key of every header counts.
    pub percent: f64,
}

/// Headers whose value is one object of percentages.
const FLAT_HEADERS: [&str; 4] = ["x-app-usage", "x-page-usage", "x-ad-account-usage", "x-fb-ads-insights-throttle"];
/// The header whose value lists several limits per business object. All of them count, not just the first.
const BUSINESS_HEADER: &str = "x-business-use-case-usage";

impl Usage {
    /// Reads a response's headers. They appear only once an endpoint has enough traffic. Unknown content is skipped.
    pub fn from_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let mut usage = Self::default();
        let parsed = |name: &str| header(name).and_then(|text| serde_json::from_str::<Value>(text).ok());
        for value in FLAT_HEADERS.iter().filter_map(|name| parsed(name)) {
            usage.add_limit(&value);
        }
        let business = parsed(BUSINESS_HEADER);
        for list in business.iter().filter_map(Value::as_object).flat_map(|object| object.values()) {
            list.as_array().into_iter().flatten().for_each(|limit| usage.add_limit(limit));
        }
        usage
    }

    /// Writes the use of the fullest limit to the metrics, if half of it is used: below, it is no news and costs a line a
    /// call.
    pub(super) fn report(&self) {
        const MIN_PERCENT: f64 = 50.0;
        if self.percent >= MIN_PERCENT {
            metrics::write(&[(Metric::MetaUsage, vec![self.percent])]);
        }
    }

    /// Returns how long to pause before the next call to avoid throttling: zero while there is room, then longer the
    /// less room is left. Limits cover an hour, so near the end a call per minute is about what an hour gives back.
    #[must_use]
    pub fn delay(&self) -> Duration {
        const SLOWDOWN_PERCENT: f64 = 75.0;
        const MAX_SLOWDOWN_PERCENT: f64 = 95.0;
        const MAX_DURATION: Duration = Duration::from_mins(1);
        if let Some(regain) = self.regain {
            return regain;
        }
        if self.percent < SLOWDOWN_PERCENT {
            return Duration::ZERO;
        }
        if self.percent >= MAX_SLOWDOWN_PERCENT {
            return MAX_DURATION;
        }
        Duration::from_secs_f64((self.percent - SLOWDOWN_PERCENT) / (MAX_SLOWDOWN_PERCENT - SLOWDOWN_PERCENT) * 10.0)
    }

    /// Returns how long to pause when throttled, if the headers say.
    #[must_use]
    pub fn wait(&self) -> Option<Duration> {
        self.regain
    }

    fn add_limit(&mut self, limit: &Value) {
        for (name, value) in limit.as_object().into_iter().flatten() {
            let Some(number) = value.as_f64().filter(|number| *number > 0.0) else { continue };
            match name.as_str() {
                "estimated_time_to_regain_access" => self.set_regain(number * 60.0),
                name if name.ends_with("_count") || name.ends_with("time") || name.ends_with("_pct") => {
                    self.percent = self.percent.max(number);
                }
                "reset_time_duration" if self.blocks(limit) => self.set_regain(number),
                _ => {}
            }
        }
    }

    /// `reset_time_duration` is also present while there is room. It is a wait only if the limit is used up.
    fn blocks(&self, limit: &Value) -> bool {
        limit.get("acc_id_util_pct").and_then(Value::as_f64).is_some_and(|percent| percent >= 100.0)
    }

    fn set_regain(&mut self, seconds: f64) {
        let wait = Duration::from_secs_f64(seconds.min(86_400.0));
        self.regain = Some(self.regain.map_or(wait, |known| known.max(wait)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(headers: &[(&str, &str)]) -> Usage {
        Usage::from_headers(|name| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    #[test]
    fn the_longest_wait_counts() {
        let business = r#"{"66":[{"type":"pages","call_count":10,"total_cputime":20,"total_time":20,"estimated_time_to_regain_access":0},
            {"type":"leadgen","call_count":100,"total_cputime":2,"total_time":2,"estimated_time_to_regain_access":7}],"67":[{"type":"pages","call_count":95.5}]}"#;
        let read = usage(&[
            ("x-app-usage", r#"{"call_count":28,"total_time":25,"total_cputime":25}"#),
            (BUSINESS_HEADER, business),
        ]);
        assert_eq!(read, Usage { regain: Some(Duration::from_secs(420)), percent: 100.0 });
    }

    #[test]
    fn minutes_are_minutes_and_seconds_are_seconds() {
        let read = usage(&[(
            "x-ad-account-usage",
            r#"{"acc_id_util_pct":100,"reset_time_duration":90,"ads_api_access_tier":"standard_access"}"#,
        )]);
        assert_eq!(read.wait(), Some(Duration::from_secs(90)));
        assert_eq!(
            usage(&[("x-ad-account-usage", r#"{"acc_id_util_pct":9.67,"reset_time_duration":100}"#)]).wait(),
            None
        );
    }

    #[test]
    fn the_fullest_of_all_limits_slows_down() {
        let delay = |percent: f64| {
            let business = format!(
                r#"{{"66":[{{"type":"ads_management","call_count":1}},{{"type":"ads_insights","total_cputime":{percent},"estimated_time_to_regain_access":0}}]}}"#
            );
            usage(&[
                ("x-fb-ads-insights-throttle", r#"{"app_id_util_pct":2,"acc_id_util_pct":10.5}"#),
                (BUSINESS_HEADER, &business),
            ])
            .delay()
        };
        assert_eq!(delay(74.0), Duration::ZERO);
        assert_eq!(delay(85.0), Duration::from_secs(5));
        assert_eq!(delay(96.0), Duration::from_mins(1));
    }

    #[test]
    fn rubbish_is_left_out() {
        assert_eq!(
            usage(&[("x-app-usage", "nonsense"), (BUSINESS_HEADER, "[1]"), ("x-page-usage", r#"{"call_count":"x"}"#)]),
            Usage::default()
        );
    }
}
