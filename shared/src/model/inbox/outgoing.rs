//! An answer on its way: where it goes, what it says, and what is done next so that it is sent once.
//!
//! That Meta is about to be asked is written down before the call. If its answer is lost, what Leadwire wrote into the
//! message comes back with Meta's own notices, or the conversation is read, before anything is sent again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::PageId;
use crate::model::publishing::progress::PublishLease;
use crate::phrase;

/// Where an answer goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SendRoute {
    /// To a person on Messenger, or on Instagram through the page.
    Page {
        /// The page.
        page: PageId,
        /// Meta's id of the person.
        person: String,
        /// Whether it needs the tag of a human agent. Judged again when it is sent.
        #[serde(default)]
        human_agent: bool,
    },
    /// To the author of a comment, as a message.
    Privately {
        /// The page.
        page: PageId,
        /// The comment.
        comment: String,
        /// Meta's id of the author, whose messages show whether it was sent.
        #[serde(default)]
        person: Option<String>,
    },
    /// Below a comment on Facebook.
    FacebookComment {
        /// The comment.
        comment: String,
    },
    /// Below a comment on Instagram.
    InstagramComment {
        /// The comment.
        comment: String,
    },
    /// To a person on WhatsApp.
    Whatsapp {
        /// Meta's id of our number.
        number: String,
        /// Meta's id of the person.
        person: Option<String>,
        /// The person's number.
        phone: Option<String>,
    },
}

impl SendRoute {
    /// Whether Meta lists what was written there: WhatsApp lists nothing, and of some comments Meta does not say the
    /// author. There, only Meta's own notices say that an answer was sent.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        !matches!(self, Self::Whatsapp { .. } | Self::Privately { person: None, .. })
    }
}

/// What an answer says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendContent {
    /// The text.
    pub text: Option<String>,
    /// A file.
    pub attachment: Option<SendAttachment>,
    /// A template of WhatsApp, instead of a text.
    pub template: Option<SendTemplate>,
}

/// A file of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendAttachment {
    /// `image`, `video`, `audio` or `file`.
    pub r#type: String,
    /// Where Meta downloads it.
    pub url: String,
}

/// A template of WhatsApp with its variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SendTemplate {
    /// Its name at Meta.
    pub name: String,
    /// Its language, such as `en_US`.
    pub language: String,
    /// The values of its variables, in order.
    #[serde(default)]
    pub variables: Vec<String>,
}

/// How far an answer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// Where it goes.
    pub route: SendRoute,
    /// What it says.
    pub content: SendContent,
    /// When Meta was last asked to send it.
    pub asked_at: Option<Timestamp>,
    /// When Meta was first asked to. The message can only be younger.
    pub began_at: Option<Timestamp>,
    /// How often it was looked for since.
    #[serde(default)]
    pub looks: u32,
    /// Nothing is done before this.
    pub next_at: Option<Timestamp>,
    /// Failed calls since the last success.
    #[serde(default)]
    pub failures: u32,
    /// Meta's code of the newest of them.
    #[serde(default)]
    pub code: i64,
    /// The worker that is at it.
    pub lease: Option<PublishLease>,
    /// When it was written.
    pub written_at: Timestamp,
}

/// The next thing to do for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendStep {
    /// Ask Meta to send it.
    Send,
    /// Look whether it was sent.
    Look,
    /// Nothing before this time.
    Rest(Timestamp),
}

/// How long an answer belongs to the worker that took it: as long as the function may run.
pub const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// Meta's own notice of a message comes within seconds.
const FIRST_LOOK: SignedDuration = SignedDuration::from_secs(15);
/// Time between two looks.
const NEXT_LOOK: SignedDuration = SignedDuration::from_secs(30);
/// How often it is looked for before it counts as not sent.
const LOOKS: u32 = 3;
/// How long Meta's notice is waited for where there is nothing to look at.
const NOTICE_TIME: SignedDuration = SignedDuration::from_mins(5);
/// How long an answer waits for one that was written before it in the same conversation.
const MAX_WAIT_FOR_EARLIER: SignedDuration = SignedDuration::from_mins(5);
/// An answer that could not be sent for this long is not sent any more: it would come out of the blue.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(6);

/// Why an answer failed of which Meta does not say whether it was sent.
pub const UNKNOWN: &str = phrase!(
    "Meta did not say whether the message was sent. Look at the conversation on Meta before you write it again."
);

/// Meta's code for a fault of its own that passes, and for a person who has blocked the page.
const UNDELIVERABLE: i64 = 2;
/// Failed calls after which it is the person.
const MAX_UNDELIVERABLE: u32 = 5;

impl Sending {
    /// An answer that was just written.
    #[must_use]
    pub fn new(route: SendRoute, content: SendContent, now: Timestamp) -> Self {
        Self {
            route,
            content,
            asked_at: None,
            began_at: None,
            looks: 0,
            next_at: None,
            failures: 0,
            code: 0,
            lease: None,
            written_at: now,
        }
    }

    /// The next thing to do.
    #[must_use]
    pub fn next_step(&self, now: Timestamp) -> SendStep {
        if let Some(at) = self.next_at.filter(|at| *at > now) {
            return SendStep::Rest(at);
        }
        match self.asked_at {
            None => SendStep::Send,
            Some(asked) if !self.route.is_listed() => {
                let at = asked + NOTICE_TIME;
                if at > now { SendStep::Rest(at) } else { SendStep::Send }
            }
            Some(_) if self.looks >= LOOKS => SendStep::Send,
            Some(asked) => {
                let at = asked + FIRST_LOOK + NEXT_LOOK * i32::try_from(self.looks).unwrap_or(1);
                if at > now { SendStep::Rest(at) } else { SendStep::Look }
            }
        }
    }

    /// Why it is not worth doing this any more, if it is not.
    #[must_use]
    pub fn futile(&self, step: SendStep, now: Timestamp) -> Option<&'static str> {
        let is_late = now > self.written_at + GIVE_UP_AFTER;
        if step == SendStep::Look {
            return is_late.then_some(UNKNOWN);
        }
        if self.code == UNDELIVERABLE && self.failures >= MAX_UNDELIVERABLE {
            return Some(phrase!(
                "Meta could not deliver the message after several attempts. The person may have blocked you."
            ));
        }
        is_late.then_some(phrase!(
            "The message could not be sent for hours and would arrive too late now. Write it again if it is still relevant."
        ))
    }

    /// Writes down that Meta is about to be asked.
    pub fn begin(&mut self, now: Timestamp) {
        self.asked_at = Some(now);
        self.began_at = self.began_at.or(Some(now));
        self.looks = 0;
    }

    /// Whether it waits for one that was written before it in the same conversation with one person. Comments are not read
    /// one after the other.
    #[must_use]
    pub fn keeps_order(&self, now: Timestamp) -> bool {
        let is_talk = matches!(self.route, SendRoute::Page { .. } | SendRoute::Whatsapp { .. });
        is_talk && now < self.written_at + MAX_WAIT_FOR_EARLIER
    }

    /// Whether it was sent could not be seen. That is no look: it may have been.
    pub fn look_again(&mut self, now: Timestamp) {
        self.next_at = Some(now + NEXT_LOOK);
    }

    /// Meta answered that it did not send it: it may be asked again after this time.
    pub fn retry_at(&mut self, at: Timestamp) {
        self.asked_at = None;
        self.next_at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_whose_sending_is_unclear_is_looked_for_before_it_is_sent_again() {
        let at = |second: i64| Timestamp::from_second(1_790_000_000 + second).unwrap();
        let route = SendRoute::FacebookComment { comment: "k1".to_owned() };
        let mut sending = Sending::new(route, SendContent::default(), at(0));
        assert_eq!(sending.next_step(at(0)), SendStep::Send);
        sending.begin(at(0));
        for (look, second) in [(1, 15), (2, 45), (3, 75)] {
            assert_eq!(sending.next_step(at(second - 1)), SendStep::Rest(at(second)));
            assert_eq!(sending.next_step(at(second)), SendStep::Look);
            sending.looks = look;
        }
        assert_eq!(sending.next_step(at(75)), SendStep::Send);
        sending.begin(at(121));
        assert_eq!((sending.began_at, sending.next_step(at(122))), (Some(at(0)), SendStep::Rest(at(136))));
        assert_eq!(sending.futile(SendStep::Send, at(6 * 3_600)), None);
        assert!(sending.futile(SendStep::Send, at(6 * 3_600 + 1)).is_some(), "it would come out of the blue");
        (sending.code, sending.failures) = (2, 4);
        assert_eq!(sending.futile(SendStep::Send, at(122)), None, "a fault of Meta's own, which passes");
        sending.failures = 5;
        assert!(sending.futile(SendStep::Send, at(122)).unwrap().contains("blocked"));
        sending.retry_at(at(200));
        assert_eq!(sending.next_step(at(150)), SendStep::Rest(at(200)));
        assert_eq!(sending.next_step(at(200)), SendStep::Send);
    }
}
