//! Whether leads flow, in a sentence.

use super::figures::SystemMoment;
use super::stack::LEAD_QUEUE;

/// The oldest lead may wait this long. The alarm of the queue's age says the same (`LeadWorkerQueueAgeAlarm`).
const PROMISED_S: f64 = 120.0;

/// Whether leads flow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FlowHeadline {
    /// Nothing of the system is known.
    Unknown,
    /// The planner is not called: nothing is swept, checked or published.
    Stopped,
    /// Messages with leads are among the dead letters.
    DeadLetters {
        /// How many.
        messages: u64,
    },
    /// The oldest lead waits for longer than promised.
    Late {
        /// How long, in seconds.
        oldest_s: f64,
    },
    /// Leads arrive, but the webhook brings none.
    SweepOnly {
        /// Those of the last hour.
        leads: u64,
    },
    /// No lead came in the last hour. That alone is no fault.
    Quiet,
    /// Leads arrive.
    Flowing {
        /// Those of the last hour that came by themselves.
        leads: u64,
    },
}

/// How a headline is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadlineTone {
    /// All is known and well.
    Good,
    /// Neither good nor bad.
    Neutral,
    /// Something needs a look.
    Warning,
    /// Leads do not arrive.
    Bad,
}

impl FlowHeadline {
    /// What is worst of all that is known of the moment.
    #[must_use]
    pub fn new(moment: &SystemMoment) -> Self {
        let (Some(by_webhook), Some(by_sweep)) = (moment.by_webhook, moment.by_sweep) else { return Self::Unknown };
        let queue = moment.queue(LEAD_QUEUE);
        let dead_letters = queue.and_then(|queue| queue.dead_letters).filter(|messages| *messages > 0);
        let oldest_s = queue.and_then(|queue| queue.oldest_s).filter(|seconds| *seconds > PROMISED_S);
        match (dead_letters, oldest_s) {
            _ if !moment.is_running => Self::Stopped,
            (Some(messages), _) => Self::DeadLetters { messages },
            (None, Some(oldest_s)) => Self::Late { oldest_s },
            _ if by_webhook > 0 => Self::Flowing { leads: by_webhook + by_sweep },
            _ if by_sweep > 0 => Self::SweepOnly { leads: by_sweep },
            _ => Self::Quiet,
        }
    }

    /// How it is to be taken, beside so many alarms that are on; `None` if that is not known. It is good only if all of
    /// it is known.
    #[must_use]
    pub fn tone(self, alarms: Option<usize>) -> HeadlineTone {
        match self {
            Self::Stopped | Self::DeadLetters { .. } => HeadlineTone::Bad,
            Self::Late { .. } | Self::SweepOnly { .. } => HeadlineTone::Warning,
            _ if alarms.is_some_and(|on| on > 0) => HeadlineTone::Warning,
            Self::Flowing { .. } if alarms.is_some() => HeadlineTone::Good,
            Self::Flowing { .. } | Self::Quiet | Self::Unknown => HeadlineTone::Neutral,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::figures::QueueMoment;
    use super::*;

    fn moment(by_webhook: u64, by_sweep: u64, oldest_s: Option<f64>, dead_letters: Option<u64>) -> SystemMoment {
        let queue = QueueMoment { name: LEAD_QUEUE, oldest_s, dead_letters, has_dead_letters: true };
        SystemMoment {
            is_running: true,
            by_webhook: Some(by_webhook),
            by_sweep: Some(by_sweep),
            queues: vec![queue],
            integrations: None,
            ad_accounts: None,
        }
    }

    #[test]
    fn the_worst_is_said() {
        for (moment, expect) in [
            (moment(9, 1, Some(3.0), Some(0)), FlowHeadline::Flowing { leads: 10 }),
            (moment(9, 1, None, None), FlowHeadline::Flowing { leads: 10 }),
            (moment(0, 4, Some(0.0), None), FlowHeadline::SweepOnly { leads: 4 }),
            (moment(0, 0, Some(0.0), Some(0)), FlowHeadline::Quiet),
            (moment(9, 1, Some(121.0), Some(0)), FlowHeadline::Late { oldest_s: 121.0 }),
            (moment(9, 1, Some(121.0), Some(2)), FlowHeadline::DeadLetters { messages: 2 }),
            (SystemMoment { is_running: false, ..moment(9, 1, None, None) }, FlowHeadline::Stopped),
            (SystemMoment { by_webhook: None, ..moment(0, 0, None, None) }, FlowHeadline::Unknown),
        ] {
            assert_eq!(FlowHeadline::new(&moment), expect);
        }
    }

    #[test]
    fn nothing_is_good_of_which_something_is_unknown() {
        use HeadlineTone::{Bad, Good, Neutral, Warning};
        for (headline, unread, without, with) in [
            (FlowHeadline::Unknown, Neutral, Neutral, Warning),
            (FlowHeadline::Quiet, Neutral, Neutral, Warning),
            (FlowHeadline::Flowing { leads: 1 }, Neutral, Good, Warning),
            (FlowHeadline::SweepOnly { leads: 1 }, Warning, Warning, Warning),
            (FlowHeadline::Late { oldest_s: 200.0 }, Warning, Warning, Warning),
            (FlowHeadline::DeadLetters { messages: 1 }, Bad, Bad, Bad),
            (FlowHeadline::Stopped, Bad, Bad, Bad),
        ] {
            let tones = [headline.tone(None), headline.tone(Some(0)), headline.tone(Some(2))];
            assert_eq!(tones, [unread, without, with], "{headline:?}");
        }
    }
}
