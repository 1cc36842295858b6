//! What is known of each queue of dead letters. The tests compare it with the template and with the runbook.

use anyhow::Result;

use super::explain::{self, JobInWords};
use crate::UnusableLine;
use crate::queues::{DEAD_LETTERS, SqsQueue};

/// What is known of a queue of dead letters.
pub(super) struct DeadLetterFacts {
    /// The queue's name, without the stack's and without its ending.
    pub(super) name: &'static str,
    /// The functions that failed at its messages.
    pub(super) workers: &'static [&'static str],
    /// What it means to people.
    pub(super) means: &'static str,
    /// What becomes of work whose message is deleted.
    pub(super) loss: Loss,
    /// Says what a message is about, from its body.
    pub(super) explain: fn(&str) -> JobInWords,
}

/// What becomes of work whose message is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// A schedule does it again.
    MadeUpFor,
    /// Nothing does it again.
    Lost,
    /// Nothing does it again, and SQS cannot put it back, because no queue of SQS had it before.
    LostAndByHand,
}

impl DeadLetterFacts {
    /// What to do with its messages.
    pub(super) fn advice(&self) -> &'static str {
        match self.loss {
            Loss::MadeUpFor => "remove the cause, then redrive; a schedule makes up for what is purged",
            Loss::Lost => "remove the cause, then redrive; nothing makes up for what is purged",
            Loss::LostAndByHand => {
                "repair the receiver, then post each body to it; see Dead letters in infra/runbook.md"
            }
        }
    }
}

pub(super) static QUEUES: [DeadLetterFacts; 16] = [
    DeadLetterFacts {
        name: "lead-worker",
        workers: &["lead-worker"],
        means: "leads are missing, up to 50 a message",
        loss: Loss::Lost,
        explain: explain::leads,
    },
    DeadLetterFacts {
        name: "engagement-worker",
        workers: &["engagement-worker"],
        means: "comments or messages are missing; Meta does not tell of them again",
        loss: Loss::Lost,
        explain: explain::engagement,
    },
    DeadLetterFacts {
        name: "delivery-events",
        workers: &["delivery-worker"],
        means: "orgs' endpoints miss events",
        loss: Loss::Lost,
        explain: explain::event,
    },
    DeadLetterFacts {
        name: "event-destination",
        workers: &[],
        means: "the CRM at EventDestinationUrl misses events",
        loss: Loss::LostAndByHand,
        explain: explain::event,
    },
    DeadLetterFacts {
        name: "lead-notice",
        workers: &["lead-notice"],
        means: "assignees were not mailed",
        loss: Loss::Lost,
        explain: explain::assignee_mail,
    },
    DeadLetterFacts {
        name: "attachment-worker",
        workers: &["attachment-worker"],
        means: "files of messages are missing; Meta has them for some days",
        loss: Loss::Lost,
        explain: explain::attachment,
    },
    DeadLetterFacts {
        name: "ads-sync",
        workers: &["ads-sync"],
        means: "figures stand still, or data of an unlinked account stays",
        loss: Loss::Lost,
        explain: explain::ads_sync,
    },
    DeadLetterFacts {
        name: "lead-sweep",
        workers: &["lead-sweep"],
        means: "a requested search stands; regular ones are repeated",
        loss: Loss::Lost,
        explain: explain::search,
    },
    DeadLetterFacts {
        name: "export-worker",
        workers: &["export-worker"],
        means: "an export stands still; its user can start it again",
        loss: Loss::Lost,
        explain: explain::export,
    },
    DeadLetterFacts {
        name: "expiry-notice",
        workers: &["expiry-notice"],
        means: "a check, or a mail to admins, is late",
        loss: Loss::MadeUpFor,
        explain: explain::check,
    },
    DeadLetterFacts {
        name: "publish-worker",
        workers: &["publish-worker"],
        means: "a post or a campaign is late",
        loss: Loss::MadeUpFor,
        explain: explain::publish,
    },
    DeadLetterFacts {
        name: "answer-worker",
        workers: &["answer-worker"],
        means: "an answer is late",
        loss: Loss::MadeUpFor,
        explain: explain::answer,
    },
    DeadLetterFacts {
        name: "conversion-worker",
        workers: &["conversion-worker"],
        means: "Meta learns of leads' progress late",
        loss: Loss::MadeUpFor,
        explain: explain::conversions,
    },
    DeadLetterFacts {
        name: "delivery-worker",
        workers: &["delivery-worker"],
        means: "an endpoint gets events late",
        loss: Loss::MadeUpFor,
        explain: explain::delivery,
    },
    DeadLetterFacts {
        name: "social-sync",
        workers: &["social-sync"],
        means: "missed comments and messages come later",
        loss: Loss::MadeUpFor,
        explain: explain::social_sync,
    },
    DeadLetterFacts {
        name: "lead-retention",
        workers: &["lead-retention"],
        means: "old leads are kept for longer",
        loss: Loss::MadeUpFor,
        explain: explain::retention,
    },
];

/// What is known of the queue with this name, without its ending.
pub(super) fn find(name: &str) -> Option<&'static DeadLetterFacts> {
    QUEUES.iter().find(|facts| facts.name == name)
}

/// What is known of a queue.
pub(super) fn find_known(queue: &SqsQueue) -> Result<&'static DeadLetterFacts> {
    let name = queue.name.trim_end_matches(DEAD_LETTERS);
    find(name).ok_or_else(|| {
        UnusableLine(format!("this version knows nothing of {}: use that of the stack", queue.name)).into()
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use local::template::Template;
    use serde_json::Value;

    use super::*;

    fn names_in_the_template() -> BTreeSet<String> {
        let template = Template::read().unwrap();
        let name = |queue: &Value| {
            let name = queue.pointer("/QueueName/Fn::Sub")?.as_str()?.strip_prefix("${AWS::StackName}-")?;
            name.strip_suffix(DEAD_LETTERS).map(ToOwned::to_owned)
        };
        template.resources("AWS::SQS::Queue").filter_map(|(_, queue)| name(queue)).collect()
    }

    #[test]
    fn every_queue_of_dead_letters_is_explained() {
        let known: BTreeSet<String> = QUEUES.iter().map(|facts| facts.name.to_owned()).collect();
        assert_eq!(known, names_in_the_template(), "left is explained here, right is in the template");
    }

    /// What may be purged is said in two places: to the reader, and to the program.
    #[test]
    fn what_may_be_purged_is_what_the_runbook_says() {
        let runbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runbook.md");
        let runbook = fs::read_to_string(runbook).unwrap();
        for facts in &QUEUES {
            let words = facts.name.split('-').map(|word| {
                let (first, rest) = word.split_at(1);
                first.to_uppercase() + rest
            });
            let row = format!("| `{}DeadLetters` |", words.collect::<String>());
            let row = runbook.lines().find(|line| line.starts_with(&row)).unwrap_or_else(|| panic!("no row {row}"));
            assert_eq!(row.contains("purge allowed"), facts.loss == Loss::MadeUpFor, "{row}");
            assert_eq!(row.contains("cannot be redriven"), facts.loss == Loss::LostAndByHand, "{row}");
        }
    }
}
