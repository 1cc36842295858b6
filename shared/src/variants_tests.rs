//! The words for variants that are stored. Items of every age have them, so none is ever renamed or removed; and a new one
//! is read by a release before any writes it, or that release could not be rolled back.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::model::ads::account::Stage;
use crate::model::ads::object::AdObjectKind;
use crate::model::ads::sync::{Cause, Fields, ObjectType};
use crate::model::ads::sync_problem::SyncProblemCode;
use crate::model::audit::{AuditAct, AuditFace, AuditOutcome};
use crate::model::caller::Role;
use crate::model::campaigns::{BidStrategy, CallToAction, CampaignErrorCode, CampaignStatus, SpecialAdCategory};
use crate::model::connection::login::LoginFailure;
use crate::model::connection::problem::{Impact, IntegrationProblemCode};
use crate::model::connection::state::{EndReason, TokenKind};
use crate::model::connection::{Lifecycle, PageSelection};
use crate::model::conversion::{ConversionState, UnsentReason};
use crate::model::delivery::{DisabledReason, EventDeliveryState, TryFault, UndeliveredReason};
use crate::model::failure::FailureCode;
use crate::model::inbox::event::{DeliveryReport, SignalType};
use crate::model::inbox::{AttachmentStatus, Channel, ConversationStatus};
use crate::model::lead::assignment::{Reason, Strategy};
use crate::model::lead::export::ExportState;
use crate::model::lead::query::LeadOrder;
use crate::model::lead::trace::StepKind;
use crate::model::lead::{FoundBy, PersonKeyKind, Status};
use crate::model::mail_preference::MailProblemReason;
use crate::model::publishing::failure::PostFailureCode;
use crate::model::publishing::{InstagramFormat, MediaStatus, MediaType, PostKind, PostStatus, PostStepKind};
use crate::stored_test_support::{Files, of_all_releases, record};

/// An enum that is stored: its name, its words, and whether it reads one.
type StoredEnum = (&'static str, Vec<Value>, fn(&Value) -> bool);

fn stored<E: IntoEnumIterator + Serialize + DeserializeOwned>(name: &'static str) -> StoredEnum {
    let words = E::iter().map(|variant| serde_json::to_value(variant).unwrap()).collect();
    (name, words, |word| serde_json::from_value::<E>(word.clone()).is_ok())
}

macro_rules! enums {
    ($($name:ident)*) => { vec![$(stored::<$name>(stringify!($name))),*] };
}

fn all() -> Vec<StoredEnum> {
    let mut all = enums!(
        AdObjectKind AttachmentStatus AuditFace AuditOutcome BidStrategy CallToAction CampaignErrorCode CampaignStatus
        Cause Channel ConversationStatus ConversionState DeliveryReport DisabledReason EndReason EventDeliveryState
        ExportState FailureCode Fields FoundBy Impact InstagramFormat IntegrationProblemCode LeadOrder Lifecycle
        LoginFailure MailProblemReason MediaStatus MediaType ObjectType PageSelection PersonKeyKind PostFailureCode
        PostKind PostStatus PostStepKind Reason Role SignalType SpecialAdCategory Stage Status StepKind Strategy
        SyncProblemCode TokenKind TryFault UndeliveredReason UnsentReason
    );
    // Stored as a text.
    let acts = AuditAct::iter().map(|act| json!(act.name())).collect();
    all.push(("AuditAct", acts, |word| word.as_str().is_some_and(|word| word.parse::<AuditAct>().is_ok())));
    all
}

fn written() -> Files {
    all().into_iter().map(|(name, words, _)| (name.to_owned(), words.into())).collect()
}

#[test]
#[ignore = "it writes which variants a release knows: see “Stored shapes” in shared/ARCHITECTURE.md"]
fn every_word_is_recorded() {
    record("variants", &written());
}

#[test]
fn words_of_every_release_are_read_and_new_ones_are_known_before_they_are_written() {
    let releases = of_all_releases("variants");
    for (name, words, reads) in all() {
        let known: Vec<&Value> =
            releases.iter().filter_map(|(_, files)| files.get(name)?.as_array()).flatten().collect();
        let unread: Vec<&&Value> = known.iter().filter(|word| !reads(word)).collect();
        assert!(unread.is_empty(), "{name}: these are stored and cannot be read any more: {unread:?}");
        let new: Vec<&Value> = words.iter().filter(|word| !known.contains(word)).collect();
        assert!(
            new.is_empty(),
            "{name}: the release before cannot read {new:?}. Let one release only read them, and the next one write \
             them; see “Stored shapes” in shared/ARCHITECTURE.md. Then record them as the message of the test \
             `items_are_written_as_the_newest_files_say` says."
        );
    }
}
