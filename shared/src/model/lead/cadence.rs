//! Detects pages that are quieter than usual: webhooks, permissions and forms can fail silently.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// With fewer leads than this, the usual rhythm counts as unknown.
const ENOUGH_LEADS: u64 = 10;
/// A page is quiet once its silence is this many times as long as the usual one…
const QUIET_FACTOR: f64 = 3.0;
/// …and at least this long.
const MIN_QUIET_DURATION: SignedDuration = SignedDuration::from_hours(6);
/// The half-life of a long silence: last year's rhythm says little about this year's.
const SILENCE_HALF_LIFE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// A page's rhythm: the longest usual time between two leads, nights and weekends included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rhythm {
    /// In seconds; 0 before the second lead.
    #[serde(default)]
    pub usual_silence_s: i64,
}

impl Rhythm {
    /// The rhythm after a lead at `now` that follows a lead at `last`.
    #[must_use]
    pub fn after_lead(self, last: Option<Timestamp>, now: Timestamp) -> Self {
        let Some(last) = last else { return self };
        let silence = now.duration_since(last).as_secs().max(0);
        let halves = seconds(silence) / seconds(SILENCE_HALF_LIFE.as_secs());
        let remembered = scaled(self.usual_silence_s, 0.5_f64.powf(halves));
        // Cap the silence: an alarming one was not usual.
        let most = if self.usual_silence_s == 0 { silence } else { self.alarming() };
        Self { usual_silence_s: silence.min(most).max(remembered) }
    }

    /// Whether the page is quieter than usual at `now`, after `leads` leads, the last of them at `last`.
    #[must_use]
    pub fn is_quiet(self, leads: u64, last: Option<Timestamp>, now: Timestamp) -> bool {
        let silence = last.map_or(0, |last| now.duration_since(last).as_secs());
        leads >= ENOUGH_LEADS && self.usual_silence_s > 0 && silence > self.alarming()
    }

    fn alarming(self) -> i64 {
        scaled(self.usual_silence_s, QUIET_FACTOR).max(MIN_QUIET_DURATION.as_secs())
    }
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a few years")]
fn seconds(seconds: i64) -> f64 {
    seconds as f64
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of a few years")]
fn scaled(number: i64, by: f64) -> i64 {
    (seconds(number) * by).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    /// Returns the rhythm after leads at these hours.
    fn rhythm(hours: &[i64]) -> Rhythm {
        let mut last = None;
        hours.iter().fold(Rhythm::default(), |rhythm, hour| {
            let next = rhythm.after_lead(last, after(*hour));
            last = Some(after(*hour));
            next
        })
    }

    #[test]
    fn a_page_is_quiet_when_it_is_silent_for_much_longer_than_usual() {
        let days: Vec<i64> = (0..10).flat_map(|day| [9, 12, 15, 18].map(|hour| day * 24 + hour)).collect();
        let rhythm = rhythm(&days);
        assert!((14 * 3600..=15 * 3600).contains(&rhythm.usual_silence_s), "the nights are usual: {rhythm:?}");
        let last = Some(after(234));
        assert!(!rhythm.is_quiet(40, last, after(234 + 42)));
        assert!(rhythm.is_quiet(40, last, after(234 + 46)));
        assert!(!rhythm.is_quiet(9, last, after(9999)), "too few to know");
        assert!(!Rhythm::default().is_quiet(100, None, after(9999)));
    }

    #[test]
    fn a_burst_is_no_rhythm_of_seconds() {
        let rhythm = Rhythm { usual_silence_s: 1 };
        assert!(!rhythm.is_quiet(100, Some(after(0)), after(6)));
        assert!(rhythm.is_quiet(100, Some(after(0)), after(7)));
    }

    #[test]
    fn an_alarming_silence_does_not_become_the_rule_at_once_and_an_old_one_is_forgotten() {
        let rhythm = Rhythm { usual_silence_s: 3600 * 10 };
        let after_pause = rhythm.after_lead(Some(after(0)), after(24 * 60));
        assert_eq!(after_pause.usual_silence_s, 3600 * 30);
        let mut later = after_pause;
        for day in 0..28 {
            later = later.after_lead(Some(after(day * 24)), after((day + 1) * 24));
        }
        assert!(later.usual_silence_s <= 3600 * 24, "{later:?}");
    }
}
