//! The alarms of a deployment, as they are now.

use jiff::Timestamp;

/// What an alarm says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// It is on.
    On,
    /// It is off.
    Off,
    /// What it watches has no data.
    WithoutData,
}

/// An alarm of CloudWatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRecord {
    /// Its full name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// What it says.
    pub state: AlarmState,
    /// Since when it says so, if CloudWatch tells.
    pub since: Option<Timestamp>,
    /// Whether it unites other alarms.
    pub is_composite: bool,
}

/// The alarms of one deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmBoard {
    /// Those that are on: what unites others first, then the newest first.
    pub on: Vec<AlarmRecord>,
    /// How many there are.
    pub watched: usize,
    /// Of these, how many have no data.
    pub without_data: usize,
}

impl AlarmBoard {
    /// Sorts the alarms of the stack out of all whose names begin like its own.
    #[must_use]
    pub fn new(stack: &str, all: Vec<AlarmRecord>) -> Self {
        let own: Vec<AlarmRecord> = all.into_iter().filter(|alarm| alarm.own_name(stack).is_some()).collect();
        let (watched, without_data) =
            (own.len(), own.iter().filter(|alarm| alarm.state == AlarmState::WithoutData).count());
        let mut on: Vec<AlarmRecord> = own.into_iter().filter(|alarm| alarm.state == AlarmState::On).collect();
        on.sort_by_key(|alarm| (!alarm.is_composite, std::cmp::Reverse(alarm.since), alarm.name.clone()));
        Self { on, watched, without_data }
    }
}

impl AlarmRecord {
    /// Its name in the template. CloudFormation puts the stack's name before it, and some letters behind it. `None` if it
    /// is of another stack, whose name begins like this one's.
    #[must_use]
    pub fn own_name(&self, stack: &str) -> Option<&str> {
        let rest = self.name.strip_prefix(stack)?.strip_prefix('-')?;
        let (name, letters) = rest.split_once('-').unwrap_or((rest, ""));
        (!letters.contains('-')).then_some(name)
    }

    /// What it means, and the heading in `infra/runbook.md` that says what to do. Each description in the template ends
    /// with `Runbook: <heading>.`
    #[must_use]
    pub fn meaning(&self) -> (&str, Option<&str>) {
        match self.description.rsplit_once("Runbook: ") {
            Some((meaning, heading)) => (meaning.trim_end(), Some(heading.trim_end_matches('.'))),
            None => (&self.description, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(name: &str, state: AlarmState, since: &str, is_composite: bool) -> AlarmRecord {
        let since = Some(since.parse().unwrap());
        AlarmRecord { name: name.into(), description: String::new(), state, since, is_composite }
    }

    #[test]
    fn alarms_of_another_stack_are_not_this_one_s() {
        for (name, expect) in [
            ("leadwire-QueueAgeAlarm-1ABC", Some("QueueAgeAlarm")),
            ("leadwire-QueueAgeAlarm", Some("QueueAgeAlarm")),
            ("leadwire-dev-QueueAgeAlarm-1ABC", None),
            ("leadwire", None),
            ("leadwired-QueueAgeAlarm-1ABC", None),
        ] {
            let alarm = alarm(name, AlarmState::On, "2026-11-30T03:00:00Z", false);
            assert_eq!(alarm.own_name("leadwire"), expect, "{name}");
        }
    }

    #[test]
    fn what_is_on_is_listed_and_the_others_are_counted() {
        let board = AlarmBoard::new(
            "leadwire",
            vec![
                alarm("leadwire-A-1", AlarmState::On, "2026-11-30T03:00:00Z", false),
                alarm("leadwire-B-1", AlarmState::Off, "2026-11-30T03:00:00Z", false),
                alarm("leadwire-C-1", AlarmState::WithoutData, "2026-11-30T03:00:00Z", false),
                alarm("leadwire-D-1", AlarmState::On, "2026-11-30T03:05:00Z", false),
                alarm("leadwire-E-1", AlarmState::On, "2026-11-30T02:00:00Z", true),
                alarm("leadwire-dev-A-1", AlarmState::On, "2026-11-30T03:00:00Z", false),
            ],
        );
        let names: Vec<&str> = board.on.iter().map(|alarm| alarm.name.as_str()).collect();
        assert_eq!(names, ["leadwire-E-1", "leadwire-D-1", "leadwire-A-1"]);
        assert_eq!((board.watched, board.without_data), (5, 1));
    }

    #[test]
    fn a_description_ends_with_its_entry_in_the_runbook() {
        for (description, meaning, heading) in [
            ("Leads wait. Runbook: Queue age.", "Leads wait.", Some("Queue age")),
            ("Leads wait.", "Leads wait.", None),
            ("", "", None),
        ] {
            let alarm = AlarmRecord {
                description: description.into(),
                ..alarm("leadwire-A-1", AlarmState::On, "2026-11-30T03:00:00Z", false)
            };
            assert_eq!(alarm.meaning(), (meaning, heading), "{description}");
        }
    }
}
