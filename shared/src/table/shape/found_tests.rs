//! How an item of each kind is found: by what it says, as the product would look for it. A key format that changed finds
//! nothing.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ItemKind;
use crate::ids::{
    AdAccountId, ContactId, DeliveryId, EndpointId, FormId, ImportId, IntegrationId, LeadId, LinkId, MessageId, OrgId,
    OrgScope, PageId, UserId,
};
use crate::model::ads::insights::{AdDay, CampaignDay, Day};
use crate::model::ads::object::AdObject;
use crate::model::ads::sync::AdsSync;
use crate::model::assignee_mail::MailHour;
use crate::model::campaigns::LeadCampaign;
use crate::model::connection::login::Login;
use crate::model::connection::{Connection, Integration};
use crate::model::conversion::Conversion;
use crate::model::delivery::{Endpoint, EventDelivery, EventSubject};
use crate::model::inbox::saved_reply::SavedReply;
use crate::model::inbox::state::MessageState;
use crate::model::inbox::turn::InboxTurn;
use crate::model::inbox::{Contact, Conversation};
use crate::model::lead::bulk::BulkChangePart;
use crate::model::lead::export::LeadExport;
use crate::model::lead::file_import::{FileImport, ImportRemoval};
use crate::model::lead::form::Form;
use crate::model::lead::identity::PersonKey;
use crate::model::lead::latency::Latencies;
use crate::model::lead::mapping::Mapping;
use crate::model::lead::run::Run;
use crate::model::lead::sweep_progress::SweepProgress;
use crate::model::lead::trace::Step;
use crate::model::lead::view::LeadView;
use crate::model::lead::{Lead, PersonKeyKind, Submission};
use crate::model::limit::OrgLimit;
use crate::model::org::{Org, User};
use crate::model::publishing::Post;
use crate::model::session::Session;
use crate::table::ad_object::ObjectRow;
use crate::table::assignee_mail::{AssigneeMailRow, GatheredLead};
use crate::table::conversion::Lease;
use crate::table::delivery::EventContent;
use crate::table::erasure::{Erasure, Receipt};
use crate::table::file_import::ImportPart;
use crate::table::form::Pause;
use crate::table::inbox::{InboxAccount, Pointer, SocialProgress};
use crate::table::integration::PersonRow;
use crate::table::keys::{self, Key};
use crate::table::lead::{PersonClaim, StoredLead};
use crate::table::mail_preference::PreferenceRow;
use crate::table::notice::NoticeRow;
use crate::table::parked::ParkedLead;
use crate::table::post::{MetaPost, PublishTurns};
use crate::table::request::OnceRequest;
use crate::table::rotation::{Cursor, Roster};
use crate::table::schedule_call::ScheduleCall;
use crate::table::trace::Publication;
use crate::table::{Item, Table};

/// A stored item, and where it is looked for.
struct Stored<'a> {
    table: &'a Table,
    item: &'a Item,
    key: Key,
}

impl Stored<'_> {
    /// What follows a name in the item's key.
    fn part(&self, name: &str) -> &str {
        let mut parts = self.key.pk.split('#').chain(self.key.sk.split('#'));
        parts.find(|part| *part == name);
        parts.next().unwrap_or_else(|| panic!("no {name} in {:?}", self.key))
    }

    fn scope(&self) -> OrgScope {
        OrgScope::new(OrgId::parse(self.part("ORG")).unwrap())
    }

    fn id<I, E: std::fmt::Debug>(&self, name: &str, parse: impl Fn(&str) -> Result<I, E>) -> I {
        parse(self.part(name)).unwrap()
    }

    fn day(&self) -> Date {
        self.part("DAY").parse().unwrap()
    }

    fn read<E: DeserializeOwned>(&self) -> E {
        crate::table::entity(self.item.clone()).unwrap()
    }

    /// Reads an entity of this type at the key that its own content leads to.
    async fn at<E: DeserializeOwned + Serialize>(&self, key: impl FnOnce(&E) -> Key) -> Option<Item> {
        let entity: E = crate::table::entity(self.item.clone()).ok()?;
        let found: Option<E> = self.table.get(&key(&entity)).await.ok()?;
        found.map(|found| serde_dynamo::to_item(found).unwrap())
    }

    /// The item itself, if the product finds what it says.
    fn itself(&self, is_found: bool) -> Option<Item> {
        let is_own = |name: &str| !["pk", "sk", "type", "ttl", "of_a_later_release"].contains(&name);
        let own = self.item.clone().into_iter().filter(|(name, _)| is_own(name));
        is_found.then(|| own.collect())
    }

    /// What was found, with an attribute that is stored beside the entity: for filters, or until an erasure is done.
    fn beside(&self, name: &str, found: Option<Item>) -> Option<Item> {
        let mut found = found?;
        found.extend(self.item.get(name).map(|value| (name.to_owned(), value.clone())));
        Some(found)
    }

    fn number(&self, name: &str) -> u64 {
        self.item.get(name).map_or(0, |value| value.as_n().unwrap().parse().unwrap())
    }
}

/// Finds an item as the product does, and returns what it reads, with nulls. `None` if it finds nothing that it can read.
pub(super) async fn find(table: &Table, kind: ItemKind, item: &Item) -> Option<Item> {
    let stored = Stored { table, item, key: Key::from_item(item).unwrap() };
    if stored.key.pk.contains("ADS#") || kind == ItemKind::AdsSync {
        return find_of_ads(&stored, kind).await;
    }
    let scope = if stored.key.pk.contains("ORG#") || stored.key.sk.contains("ORG#") {
        stored.scope()
    } else {
        crate::table::tests::scope("none")
    };
    let scope = &scope;
    match kind {
        ItemKind::AccountDay | ItemKind::AdDay | ItemKind::AdObject | ItemKind::CampaignDay | ItemKind::AdsSync => None,
        ItemKind::Act => stored.at(|act: &crate::model::audit::AuditRecord| keys::act(scope, act.at, &act.id)).await,
        ItemKind::AdAccount => {
            let key = |account: &crate::model::ads::account::AdAccount| keys::ad_account(scope, &account.ad_account_id);
            stored.at(key).await
        }
        ItemKind::AssigneeMail => {
            let lead = stored.id("LEAD", LeadId::parse);
            stored.at(|row: &AssigneeMailRow| keys::assignee_mail(scope, &lead, &row.user_id)).await
        }
        ItemKind::BulkChange => {
            stored.at(|part: &BulkChangePart| keys::bulk_change(scope, &part.change, part.part)).await
        }
        ItemKind::Campaign => {
            let found = stored.at(|campaign: &LeadCampaign| keys::campaign(scope, &campaign.id)).await;
            stored.beside("page_id", found)
        }
        ItemKind::Connection => {
            stored.at(|it: &Connection| keys::connection(scope, &it.integration_id, &it.page_id)).await
        }
        ItemKind::Contact => stored.at(|contact: &Contact| keys::contact(scope, &contact.id)).await,
        ItemKind::Conversation => stored.at(|it: &Conversation| keys::conversation(scope, &it.id)).await,
        ItemKind::Conversion => stored.at(|it: &Conversion| keys::conversion(scope, &it.lead_id, it.stage)).await,
        ItemKind::ConversionDay => {
            let (id, day) = (stored.id("INTEGRATION", IntegrationId::parse), stored.day());
            let counts = table.conversion_counts(scope, &id, day, day).await.ok()?;
            stored.itself((counts.leads, counts.followed) == (stored.number("leads"), stored.number("followed")))
        }
        ItemKind::ConversionLease => stored.at(|_: &Lease| keys::conversion_lease(scope)).await,
        ItemKind::Delivery => stored.at(|it: &EventDelivery| keys::delivery(scope, &it.endpoint_id, &it.id)).await,
        ItemKind::Parked => {
            stored.at(|lead: &ParkedLead| keys::parked(scope, &LeadId::from_leadgen(&lead.leadgen_id))).await
        }
        ItemKind::Dismissed => {
            stored.at(|lead: &ParkedLead| keys::dismissed(scope, &LeadId::from_leadgen(&lead.leadgen_id))).await
        }
        ItemKind::Waiting => {
            let key = |it: &ParkedLead| keys::waiting(scope, &it.page_id, &LeadId::from_leadgen(&it.leadgen_id));
            stored.at(key).await
        }
        ItemKind::Endpoint => stored.at(|endpoint: &Endpoint| keys::endpoint(scope, &endpoint.id)).await,
        ItemKind::ErasedLead => {
            let id = stored.id("LEAD", LeadId::parse);
            let is_erased = table.find_lead(scope, &id).await.ok()?.is_none();
            let is_taken = table.find_stored(scope, std::slice::from_ref(&id)).await.ok()?.contains(&id);
            stored.itself(is_erased && is_taken)
        }
        ItemKind::Erasure => stored.at(|_: &Erasure| keys::erasure(stored.part("ERASURE"))).await,
        ItemKind::ErasureMark => {
            let key = keys::erasure_mark(scope, &subject(&stored));
            stored.itself(table.get_item(&key).await.ok()?.is_some())
        }
        ItemKind::EventBody => {
            let id = DeliveryId::parse(stored.key.sk.strip_prefix(keys::EVENT_PREFIX)?).ok()?;
            stored.at(|_: &EventContent| keys::event_body(scope, &subject(&stored), &id)).await
        }
        ItemKind::Export => stored.at(|export: &LeadExport| keys::export(scope, &export.id)).await,
        ItemKind::FileVolume => {
            let key = keys::file_volume(scope, stored.day());
            stored.itself(table.get_item(&key).await.ok()??.get("kept") == item.get("kept"))
        }
        ItemKind::Form => {
            let (page, form) = (stored.id("PAGE", PageId::parse), stored.id("FORM", FormId::parse));
            stored.at(|_: &Form| keys::form(&page, &form)).await
        }
        ItemKind::GatheredLead => {
            let user = stored.id("MAILS", UserId::parse);
            stored.at(|row: &GatheredLead| keys::gathered_lead(scope, &user, &row.lead_id)).await
        }
        ItemKind::Identity => {
            let pointer: Pointer<ContactId> = stored.read();
            let contact = table.contact(scope, &pointer.to).await.ok()??;
            let own = contact.identities().into_iter().find(|it| keys::identity(scope, it) == stored.key)?;
            stored.at(|_: &Pointer<ContactId>| keys::identity(scope, &own)).await
        }
        ItemKind::Import => stored.at(|import: &FileImport| keys::import(scope, &import.id)).await,
        ItemKind::ImportPart => {
            let (import, line) = (stored.id("IMPORT", ImportId::parse), stored.part("PART").parse().ok()?);
            stored.at(|_: &ImportPart| keys::import_part(scope, &import, line)).await
        }
        ItemKind::ImportRemoval => {
            let import = stored.id("IMPORT", ImportId::parse);
            stored.at(|removal: &ImportRemoval| keys::import_removal(scope, &import, &removal.id)).await
        }
        ItemKind::InboxAccount => {
            let key = |it: &InboxAccount| keys::inbox_account(&it.network, &it.account, scope, &it.integration_id);
            stored.at(key).await
        }
        ItemKind::InboxTurn => stored.at(|_: &InboxTurn| keys::inbox_turn(scope)).await,
        ItemKind::Integration => stored.at(|it: &Integration| keys::integration(scope, &it.id)).await,
        ItemKind::Latency => {
            let (_, found) = table.latencies(scope, stored.day(), stored.day()).await.ok()?.pop()?;
            let counts = item.keys().filter_map(|name| name.strip_prefix('c')?.parse::<usize>().ok());
            let counts = counts.map(|class| (class, stored.number(&format!("c{class}"))));
            stored.itself(found == Latencies::from_counts(counts))
        }
        ItemKind::Lead => match table.find_lead(scope, &stored.read::<Lead>().id).await.ok()?? {
            StoredLead::Lead(lead) => stored.beside("forgotten", serde_dynamo::to_item(lead).ok()),
            StoredLead::Submission(_) => None,
        },
        ItemKind::Submission => match table.find_lead(scope, &stored.read::<Submission>().id).await.ok()?? {
            StoredLead::Submission(submission) => serde_dynamo::to_item(submission).ok(),
            StoredLead::Lead(_) => None,
        },
        ItemKind::LeadView => {
            let user = stored.id("LEAD_VIEWS", UserId::parse);
            stored.at(|view: &LeadView| keys::lead_view(scope, &user, &view.name)).await
        }
        ItemKind::Login => stored.at(|login: &Login| keys::login(&login.nonce)).await,
        ItemKind::MailHour => {
            let user = stored.id("MAILS", UserId::parse);
            stored.at(|_: &MailHour| keys::mail_hour(scope, &user)).await
        }
        ItemKind::MailPreference => stored.at(|row: &PreferenceRow| keys::mail_preference(scope, &row.user_id)).await,
        ItemKind::Mapping => {
            let form = stored.id("MAPPING", FormId::parse);
            stored.at(|_: &Mapping| keys::mapping(scope, &form)).await
        }
        ItemKind::Message => stored.at(|message: &MessageState| keys::message(scope, &message.id)).await,
        ItemKind::MessageAlias => {
            let id = stored.id("MESSAGE", MessageId::parse);
            stored.at(|_: &Pointer<MessageId>| keys::message_alias(scope, &id)).await
        }
        ItemKind::MetaPerson => {
            let person = stored.part("META_PERSON");
            stored.at(|row: &PersonRow| keys::meta_person(person, scope, &row.integration_id)).await
        }
        ItemKind::MetaPost => stored.at(|_: &MetaPost| keys::meta_post(scope, stored.part("META_POST"))).await,
        ItemKind::Notice => stored.at(|_: &NoticeRow| notice_key(scope, &stored)).await,
        ItemKind::Org => stored.at(|_: &Org| keys::org(scope)).await,
        ItemKind::OrgLimit => {
            let minute = stored.key.sk.rsplit('#').next()?.parse().ok()?;
            let keys = [OrgLimit::MetaCalls, OrgLimit::Imports].map(|limit| keys::org_limit(scope, limit, minute));
            stored.itself(keys.contains(&stored.key))
        }
        ItemKind::Pause => {
            let key = match stored.key.pk.split_once('#') {
                Some(("PAGE", page)) => keys::pause(&PageId::parse(page).ok()?),
                Some((_, account)) => keys::ad_pause(&AdAccountId::parse(account).ok()?),
                None => keys::app_pause(),
            };
            stored.at(|_: &Pause| key).await
        }
        ItemKind::ScheduleCall => stored.at(|_: &ScheduleCall| keys::schedule_call(stored.part("SCHEDULE"))).await,
        ItemKind::Person => {
            let kind = if stored.part("PERSON") == "EMAIL" { PersonKeyKind::Email } else { PersonKeyKind::Phone };
            let hash = stored.key.pk.rsplit('#').next()?.to_owned();
            stored.at(|_: &PersonClaim| keys::person(scope, &PersonKey { kind, hash })).await
        }
        ItemKind::Post => stored.at(|post: &Post| keys::post(scope, &post.id)).await,
        ItemKind::PostCopy => stored.at(|_: &Pointer<String>| keys::post_copy(scope, stored.part("COPY"))).await,
        ItemKind::Publication => {
            stored.at(|_: &Publication| keys::publication(scope, stored.part("PUBLICATION"))).await
        }
        ItemKind::PublishTurns => {
            let page = stored.id("PAGE", PageId::parse);
            stored.at(|_: &PublishTurns| keys::publish_turns(&page)).await
        }
        ItemKind::Receipt => stored.at(|receipt: &Receipt| keys::receipt(scope, &receipt.id)).await,
        ItemKind::Request => stored.at(|it: &OnceRequest| keys::request(scope, &it.operation, &it.hash)).await,
        ItemKind::Roster => stored.at(|_: &Roster| keys::roster(scope)).await,
        ItemKind::Rotation => stored.at(|_: &Cursor| keys::rotation(scope)).await,
        ItemKind::Run => stored.at(|run: &Run| keys::run(scope, &run.id)).await,
        ItemKind::SavedReply => stored.at(|reply: &SavedReply| keys::saved_reply(scope, &reply.id)).await,
        ItemKind::Session => stored.at(|_: &Session| keys::session(stored.part("SESSION"))).await,
        ItemKind::SocialProgress | ItemKind::SweepProgress => find_progress(&stored, scope, kind).await,
        ItemKind::Step => {
            let lead = stored.id("LEAD", LeadId::parse);
            stored.at(|step: &Step| keys::step(scope, &lead, step.at, step.step)).await
        }
        ItemKind::User => stored.at(|user: &User| keys::user(scope, &user.id)).await,
        ItemKind::UserEmail => {
            let found = table.users_with_email(scope, stored.part("EMAIL")).await.ok()?;
            let user = found.into_iter().find(|user| user.id == stored.read::<Pointer<UserId>>().to)?;
            stored.at(|_: &Pointer<UserId>| keys::user_email(scope, &user.email, &user.id)).await
        }
    }
}

async fn find_of_ads(stored: &Stored<'_>, kind: ItemKind) -> Option<Item> {
    let scope = &stored.scope();
    if kind == ItemKind::AdsSync {
        return stored.at(|sync: &AdsSync| keys::ads_sync(scope, &sync.id, &sync.account_id)).await;
    }
    let link = stored.id("ADS", LinkId::parse);
    match kind {
        ItemKind::AccountDay => stored.at(|day: &Day| keys::account_day(scope, &link, day.day)).await,
        ItemKind::AdDay => stored.at(|day: &AdDay| keys::ad_day(scope, &link, day.day.day, &day.ad_id)).await,
        ItemKind::AdObject => {
            let key = |row: &ObjectRow<AdObject>| keys::ad_object(scope, &link, row.object.kind(), row.object.id());
            stored.at(key).await
        }
        _ => stored.at(|day: &CampaignDay| keys::campaign_day(scope, &link, day.day, &day.campaign_id, 0)).await,
    }
}

async fn find_progress(stored: &Stored<'_>, scope: &OrgScope, kind: ItemKind) -> Option<Item> {
    let (page, integration) = (stored.id("PAGE", PageId::parse), stored.id("INTEGRATION", IntegrationId::parse));
    if kind == ItemKind::SweepProgress {
        stored.at(|_: &SweepProgress| keys::sweep_progress(scope, &integration, &page)).await
    } else {
        stored.at(|_: &SocialProgress| keys::social_progress(scope, &integration, &page)).await
    }
}

/// Whom an event is about, by the partition of what it says.
fn subject(stored: &Stored<'_>) -> EventSubject {
    match stored.key.pk.split('#').nth(2) {
        Some("LEAD") => EventSubject::Lead(stored.id("LEAD", LeadId::parse)),
        Some("CONTACT") => EventSubject::Contact(stored.id("CONTACT", ContactId::parse)),
        _ => EventSubject::Org,
    }
}

fn notice_key(scope: &OrgScope, stored: &Stored<'_>) -> Key {
    let [_, since, notice, to] = stored.key.sk.split('#').collect::<Vec<_>>()[..] else { panic!("{:?}", stored.key) };
    let since: Timestamp = since.parse().unwrap();
    match stored.key.pk.split('#').nth(2) {
        Some("INTEGRATION") => keys::notice(scope, &stored.id("INTEGRATION", IntegrationId::parse), since, notice, to),
        _ => keys::endpoint_notice(scope, &stored.id("ENDPOINT", EndpointId::parse), since, notice, to),
    }
}
