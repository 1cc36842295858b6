//! Many leads at once, with every delivery problem, decided by a seed.
//!
//! All decisions are made before the first lead is submitted, so the injected problems can be reported at once, and the
//! same seed over the same forms makes the same decisions. Ids, names and times are new in every storm, because a
//! client remembers the old ones.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::World;
use super::invent::Person;
use super::lead::Answer;
use super::submit::Submission;
use crate::webhook::outbox::Manner;

/// What happens to the webhook of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Webhook,
    Drop,
    Late,
    Duplicate,
    Reorder,
    Mixed,
    /// The webhook is sent as usual, but the lead becomes readable only later.
    UnreadableFirst,
}

impl Fate {
    /// In the order in which the dice pick them; the remaining leads get [`Fate::Webhook`].
    pub(crate) const INJECTED: [Self; 6] =
        [Self::Drop, Self::Late, Self::Duplicate, Self::Reorder, Self::Mixed, Self::UnreadableFirst];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Drop => "drop",
            Self::Late => "late",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::Mixed => "mixed",
            Self::UnreadableFirst => "unreadable_first",
        }
    }

    fn manner(self) -> Manner {
        match self {
            Self::Webhook | Self::Late | Self::UnreadableFirst => Manner::Normal,
            Self::Drop => Manner::Drop,
            Self::Duplicate => Manner::Duplicate,
            Self::Reorder => Manner::Reorder,
            Self::Mixed => Manner::Mixed,
        }
    }
}

/// The parameters of a storm.
#[derive(Debug)]
pub(crate) struct Forecast {
    pub(crate) seed: u64,
    pub(crate) leads: usize,
    pub(crate) form_ids: Vec<String>,
    /// The probability of each of [`Fate::INJECTED`]. Their sum is at most 1.
    pub(crate) shares: [f64; 6],
    pub(crate) same_person: f64,
    pub(crate) late: Duration,
    pub(crate) readable_after_ms: i64,
}

/// The decision about one lead.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Decision {
    /// Index of the form.
    form: usize,
    fate: Fate,
    platform: &'static str,
    ad: usize,
    /// The earlier lead whose person returns.
    same_as: Option<usize>,
}

/// The decisions, and how many of them have been carried out.
#[derive(Debug)]
pub(crate) struct Storm {
    forecast: Forecast,
    decisions: Vec<Decision>,
    /// The running number and e-mail address of the person behind each lead so far.
    people: Vec<(u64, String)>,
}

impl Storm {
    /// Makes all decisions.
    pub(crate) fn new(world: &World, forecast: Forecast) -> Self {
        let places: Vec<Place> = forecast.form_ids.iter().map(|id| Place::of(world, id)).collect();
        let decisions = decide(&forecast, &places);
        Self { forecast, decisions, people: Vec::new() }
    }

    /// The number of leads with each fate, and the number of leads that repeat a person.
    pub(crate) fn injected(&self) -> BTreeMap<&'static str, usize> {
        let count = |wanted: Fate| self.decisions.iter().filter(|decision| decision.fate == wanted).count();
        let fates = [Fate::Webhook].into_iter().chain(Fate::INJECTED);
        let mut counts: BTreeMap<&'static str, usize> = fates.map(|fate| (fate.name(), count(fate))).collect();
        let repeated = self.decisions.iter().filter(|decision| decision.same_as.is_some()).count();
        counts.insert("same_person", repeated);
        counts
    }

    pub(crate) fn leads(&self) -> usize {
        self.decisions.len()
    }

    /// Whether every lead was submitted.
    pub(crate) fn is_over(&self) -> bool {
        self.people.len() == self.decisions.len()
    }

    /// Submits up to `at_once` further leads, but no more than `until` in total. Returns `false` once `until` is
    /// reached.
    pub(crate) fn blow(&mut self, world: &mut World, until: usize, at_once: usize) -> bool {
        let until = until.min(self.decisions.len());
        for _ in 0..at_once {
            let Some(decision) = self.decisions.get(self.people.len()).filter(|_| self.people.len() < until) else {
                return false;
            };
            let person = self.submit(world, decision);
            self.people.push(person);
        }
        self.people.len() < until
    }

    /// Submits one lead and returns its person. If the form has been archived meanwhile, the lead is skipped.
    fn submit(&self, world: &mut World, decision: &Decision) -> (u64, String) {
        let form_id = self.forecast.form_ids.get(decision.form).map(String::as_str).unwrap_or_default();
        let known = decision.same_as.and_then(|earlier| self.people.get(earlier)).cloned();
        let Some(form) = world.forms.get(form_id).filter(|form| form.takes_leads()) else {
            return known.unwrap_or_default();
        };
        // The address is given explicitly, because a form in another language would invent another mailbox for the same
        // person.
        let repeated = form
            .email_key()
            .zip(known.as_ref())
            .map(|(key, (_, email))| Answer { name: key.to_owned(), values: vec![email.clone()] });
        let locale = form.locale.clone();
        let (number, email) = known.unwrap_or_else(|| {
            let number = world.ids.person();
            (number, Person::new(number, &locale).email)
        });
        let readable_after_ms =
            if decision.fate == Fate::UnreadableFirst { self.forecast.readable_after_ms } else { 0 };
        let submission = Submission {
            platform: decision.platform.to_owned(),
            answers: repeated.into_iter().collect(),
            readable_after_ms,
            manner: decision.fate.manner(),
            deliver_after: if decision.fate == Fate::Late { self.forecast.late } else { Duration::ZERO },
            person: Some(number),
            first_ad: decision.ad,
            ..Submission::default()
        };
        world.submit(form_id, 1, &submission);
        (number, email)
    }
}

/// The properties of a form that the decisions depend on.
struct Place {
    page_id: String,
    asks_email: bool,
}

impl Place {
    fn of(world: &World, form_id: &str) -> Self {
        let form = world.forms.get(form_id);
        Self {
            page_id: form.map(|form| form.page_id.clone()).unwrap_or_default(),
            asks_email: form.is_some_and(|form| form.email_key().is_some()),
        }
    }
}

/// Makes the decisions. Every lead throws the same dice in the same order whatever the probabilities, so changing one
/// share affects only that kind of decision.
fn decide(forecast: &Forecast, places: &[Place]) -> Vec<Decision> {
    let mut random = StdRng::seed_from_u64(forecast.seed);
    let mut with_email: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let mut decisions = Vec::with_capacity(forecast.leads);
    for lead in 0..forecast.leads {
        let form = remainder(random.random(), places.len());
        let fate = fate(&forecast.shares, random.random());
        let platform = if random.random_bool(0.4) { "ig" } else { "fb" };
        let ad = remainder(random.random(), usize::from(u8::MAX));
        let again = random.random::<f64>() < forecast.same_person;
        let which: u64 = random.random();
        let mut same_as = None;
        if let Some(place) = places.get(form).filter(|place| place.asks_email) {
            let earlier = with_email.entry(&place.page_id).or_default();
            if again && !earlier.is_empty() {
                same_as = earlier.get(remainder(which, earlier.len())).copied();
            }
            earlier.push(lead);
        }
        decisions.push(Decision { form, fate, platform, ad, same_as });
    }
    decisions
}

fn fate(shares: &[f64; 6], mut die: f64) -> Fate {
    for (fate, share) in Fate::INJECTED.into_iter().zip(shares) {
        if die < *share {
            return fate;
        }
        die -= share;
    }
    Fate::Webhook
}

fn remainder(number: u64, length: usize) -> usize {
    let length = u64::try_from(length).unwrap_or(u64::MAX).max(1);
    usize::try_from(number % length).unwrap_or_default()
}
