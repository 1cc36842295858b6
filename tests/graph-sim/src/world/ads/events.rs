//! Leads, purchases and conversations. Each happens once and becomes known some time later. A few are taken back after
//! that.
//!
//! The numbers of a day therefore change after its end. Most events are known within hours, some after days, and the
//! last change comes 28 days after the day's end. From then on the numbers are final.

use super::calendar::{QUARTERS, Sight};
use super::counts::Counts;
use super::delivery::Delivery;
use super::dice;
use super::object::Objective;

/// The age at which the numbers of a day are final, in quarters of an hour since the day began.
const SETTLED: i64 = 29 * QUARTERS;
/// The most events that a single ad brings on a day.
const MOST: i64 = 60;

/// Adds the known events of an ad's day. `clicks` are the link clicks of the whole day.
pub(super) fn count(delivery: &Delivery<'_>, key: u64, clicks: i64, sight: &Sight, counts: &mut Counts) {
    // Events per thousand clicks.
    let rate = match delivery.objective {
        Objective::Leads => 85,
        Objective::Sales => 45,
        Objective::Traffic => 8,
        Objective::Engagement => 40,
    };
    let events = ((clicks * rate + below(key >> 9, 1_000)) / 1_000).min(MOST);
    let mut at = 0;
    while at < events {
        let bits = dice::throw(key, 1 + at.unsigned_abs());
        at += 1;
        if is_known(bits, sight) {
            add(delivery, bits, counts);
        }
    }
}

/// Whether an event has become known and has not been taken back.
fn is_known(bits: u64, sight: &Sight) -> bool {
    let happened = below(bits, 96) * sight.length / QUARTERS;
    let later = bits >> 8;
    let known = happened
        + match below(later, 100) {
            0..60 => below(later >> 7, 8),
            60..82 => 8 + below(later >> 7, QUARTERS),
            82..94 => QUARTERS + below(later >> 7, 6 * QUARTERS),
            _ => 7 * QUARTERS + below(later >> 7, 20 * QUARTERS),
        };
    if sight.age <= known {
        return false;
    }
    let taken_back = below(bits >> 40, 25) == 0;
    !taken_back || sight.age <= (known + QUARTERS + below(bits >> 45, 4 * QUARTERS)).min(SETTLED - 1)
}

fn add(delivery: &Delivery<'_>, bits: u64, counts: &mut Counts) {
    let window = below(bits >> 30, 100);
    let (day, week, view) = (i64::from(window < 70), i64::from((70..86).contains(&window)), i64::from(window >= 86));
    let kind = below(bits >> 50, 100);
    let (purchase, message) = match delivery.objective {
        Objective::Sales => (kind < 80, false),
        Objective::Engagement => (false, kind < 85),
        Objective::Leads | Objective::Traffic => (false, false),
    };
    if message {
        counts.messaging += 1;
    } else if purchase {
        counts.purchases_day += day;
        counts.purchases_week += week;
        counts.purchases_view += view;
        counts.purchase_value += 1_500 + below(bits >> 17, 18_000);
    } else if below(bits >> 57, 100) < if delivery.on_meta { 85 } else { 12 } {
        counts.meta_leads_day += day;
        counts.meta_leads_week += week;
        counts.meta_leads_view += view;
    } else if delivery.custom {
        counts.custom_leads_day += day;
        counts.custom_leads_week += week;
        counts.custom_leads_view += view;
    } else {
        counts.web_leads_day += day;
        counts.web_leads_week += week;
        counts.web_leads_view += view;
    }
}

fn below(bits: u64, end: i64) -> i64 {
    i64::try_from(bits % end.unsigned_abs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::calendar::Sight;
    use super::super::dice;
    use super::{SETTLED, is_known};

    fn known_at(age: i64) -> usize {
        let sight = Sight { day: 0, passed: age.min(96), length: 96, age };
        (0..10_000).filter(|event| is_known(dice::throw(3, *event), &sight)).count()
    }

    #[test]
    fn events_become_known_over_28_days_and_some_are_taken_back() {
        let known = [0, 48, 96, 2 * 96, 8 * 96, SETTLED - 1, SETTLED, SETTLED + 5000].map(known_at);
        assert_eq!(known[0], 0);
        assert!((2_000..4_000).contains(&known[1]) && (6_000..8_000).contains(&known[2]), "{known:?}");
        assert!(known[2] < known[3] && known[3] < known[4], "{known:?}");
        assert!((9_550..9_650).contains(&known[6]), "four in a hundred are taken back: {known:?}");
        assert_eq!(known[6], known[7]);
    }
}
