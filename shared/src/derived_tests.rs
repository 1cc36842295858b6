//! What is made of other things and then stored or handed out. A release that made it otherwise would find nothing that the
//! one before stored: it would take a known person for a new one, a message for one that has not come, and a link in a mail
//! for a forgery. None of this can be upgraded when it is read, so it stays as it is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::connections::person_hash;
use crate::cursor::ListCursor;
use crate::files::FileKey;
use crate::ids::{
    ContactId, EndpointId, ExportId, FormId, LeadId, LeadgenId, MediaId, MessageId, OrgId, PageId, UserId,
};
use crate::model::ads::metrics::tests::metrics;
use crate::model::campaigns::tests::campaign;
use crate::model::connection::ConnectedBy;
use crate::model::connection::login::{Login, State, browser_hash};
use crate::model::delivery::signature::endpoint_secret;
use crate::model::delivery::{EventSubject, Fact};
use crate::model::inbox::event::Person;
use crate::model::inbox::people::{Identity, conversation_id, identities, message_id};
use crate::model::inbox::{Channel, Contact, ContactChannel};
use crate::model::lead::identity::person_keys;
use crate::model::lead::query::LeadQuery;
use crate::notices::Unsubscribe;
use crate::secret::HmacKey;
use crate::stored_test_support::{Files, assert_recorded, keeps, of_all_releases, record};
use crate::table::lead_list::LeadPosition;
use crate::table::tests::{at, lead, scope};

fn key() -> HmacKey {
    HmacKey::new("of this stack".to_owned())
}

fn login() -> Login {
    Login {
        nonce: "n".to_owned(),
        org: OrgId::parse("demo").unwrap(),
        user: ConnectedBy { user_id: UserId::parse("ann").unwrap(), name: None },
        return_url: "https://crm.example".parse().unwrap(),
        redirect_uri: "https://leads.example/cb".parse().unwrap(),
        integration_id: crate::ids::IntegrationId::parse("int_1").unwrap(),
        reconnects: false,
        replace: false,
        renews: false,
        browser: None,
        scopes: Vec::new(),
        name: None,
        description: None,
        assignment: None,
        expires_at: at("2026-01-02T03:04:05Z"),
        claim: None,
    }
}

/// What finds things again.
fn found_by() -> Value {
    let persons = person_keys(Some(" Maria.Lopez@Person.Example"), Some("+4930901820"));
    let persons: Vec<String> = persons.into_iter().map(|person| person.hash).collect();
    let person = |id: Option<&str>| Person {
        id: id.map(str::to_owned),
        phone: Some("4930901820".to_owned()),
        username: Some("maren".to_owned()),
        name: None,
    };
    let of = |channel, id| -> Vec<ContactId> {
        identities(channel, "7", &person(id)).iter().map(Identity::contact_id).collect()
    };
    let event = Fact {
        event_id: "1".to_owned(),
        name: "n".to_owned(),
        about: EventSubject::Org,
        body: String::new(),
        trace_id: None,
    };
    json!({
        "lead of a submission": LeadId::from_leadgen(&LeadgenId::parse("1").unwrap()),
        "person of a lead": persons,
        "contacts on Messenger": of(Channel::Messenger, Some("81")),
        "contacts on Instagram": of(Channel::Instagram, Some("81")),
        "contacts on WhatsApp": of(Channel::Whatsapp, Some("82")),
        "contacts on WhatsApp by number": of(Channel::Whatsapp, None),
        "conversation": conversation_id(Channel::Messenger, "7", "con_1"),
        "message": message_id(Channel::Messenger, "m_1"),
        "delivery of an event": event.delivery_id(),
        "person at Meta": person_hash(&key(), "81"),
        "browser of a login": browser_hash("secret"),
        "mark of a campaign": campaign().mark(),
        "mark of an ad's day": metrics("1.00", 2).mark().to_string(),
    })
}

/// Where files are.
fn files() -> Value {
    let org = scope("demo");
    let names = [
        FileKey::of_upload(&org, &MediaId::parse("med_1").unwrap()),
        FileKey::of_export(&org, &ExportId::parse("exp_1").unwrap()),
        FileKey::of_remainder(&org, &ExportId::parse("exp_1").unwrap(), 2),
        FileKey::of_attachment(&org, &MessageId::parse("msg_1").unwrap(), 1),
    ];
    names.map(|name| format!("{name:?}")).to_vec().into()
}

/// What was handed out under a signature.
fn signed() -> Value {
    let org = scope("demo");
    let query =
        LeadQuery { page_id: PageId::parse("7").ok(), form_id: FormId::parse("3").ok(), ..LeadQuery::default() };
    let list = format!("leads {}", query.identity());
    let position = LeadPosition::from(&lead(1, None));
    let console = "https://leads.example".parse().unwrap();
    let secret = endpoint_secret(&key(), &org, &EndpointId::parse("end_1").unwrap(), 2);
    json!({
        "login at Meta": State::sign(&login(), &key()),
        "place in a list of leads": ListCursor::new(&key(), &org, &list).encode(&position),
        "end of mails": Unsubscribe::link(&key(), &console, &org, &UserId::parse("ann").unwrap()),
        "signature of an endpoint": secret.sign(b"1.2.{}"),
    })
}

fn written() -> Files {
    [("found_by", found_by()), ("files", files()), ("signed", signed())]
        .map(|(name, content)| (name.to_owned(), content))
        .into()
}

#[test]
#[ignore = "it writes what a release derives: see “Stored shapes” in shared/ARCHITECTURE.md"]
fn all_that_is_derived_is_recorded() {
    record("derived", &written());
}

#[test]
fn what_is_derived_of_other_things_stays_what_it_was() {
    assert_recorded("derived", &written());
    for (release, files) in of_all_releases("derived") {
        for (name, known) in files {
            assert!(keeps(&written()[&name], &known), "{release}: {name} was {known:#}");
        }
    }
}

#[test]
fn what_was_signed_is_accepted() {
    let signed = signed();
    let text = |name: &str| signed[name].as_str().unwrap();
    assert!(State::verify(text("login at Meta"), &key()).is_some());
    let token = text("end of mails").rsplit('/').next().unwrap();
    assert!(Unsubscribe::verify(&key(), token).is_some());
}

/// A contact that was stored before a release is found by what its channels say.
#[test]
fn a_contact_has_the_identity_under_which_it_was_made() {
    let channel = ContactChannel {
        network: "facebook".to_owned(),
        account: "7".to_owned(),
        meta_id: Some("81".to_owned()),
        username: None,
        phone: None,
    };
    let known: BTreeMap<String, Value> = serde_json::from_value(found_by()).unwrap();
    let id = ContactId::parse(known["contacts on Messenger"][0].as_str().unwrap()).unwrap();
    let contact = Contact {
        channels: vec![channel],
        ..Contact::new(id.clone(), OrgId::parse("demo").unwrap(), at("2026-01-02T03:04:05Z"))
    };
    assert!(contact.identities().iter().any(|identity| identity.contact_id() == id));
}
