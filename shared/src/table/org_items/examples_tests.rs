//! One item of each kind that an org has, as the list on top of `keys/mod.rs` names them. Each has what the walk goes by,
//! and no more.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Item, OrgItem};
use crate::ids::{
    AdAccountId, AdObjectId, AuditId, ContactId, ConversationId, DeliveryId, EndpointId, ExportId, FormId, ImportId,
    IntegrationId, LeadId, LinkId, MessageId, OrgScope, PageId, PostId, ReceiptId, RunId, SavedReplyId, UserId,
};
use crate::jobs::PublishWork;
use crate::model::ads::object::AdObjectKind;
use crate::model::delivery::EventSubject;
use crate::model::inbox::people::message_id;
use crate::model::inbox::{Channel, Contact, ContactChannel, ConversationStatus};
use crate::model::lead::identity::person_keys;
use crate::model::lead::trace::StepKind;
use crate::model::lead::{Lead, Status};
use crate::model::limit::OrgLimit;
use crate::table::keys::{self, Key};
use crate::table::tests::{at, lead};

/// When the examples were stored.
pub(super) const THEN: &str = "2026-01-02T00:00:00Z";

/// The kinds to whose items nothing leads. They expire by themselves.
pub(super) const UNLISTED: [&str; 4] =
    ["erased lead", "mark of an erasure", "part of a change of several leads", "request"];

fn item(kind: &str, key: &Key, index: impl Serialize, fields: Value) -> Item {
    let mut item: Item = serde_dynamo::to_item(json!({ "type": kind })).unwrap();
    item.extend(serde_dynamo::to_item::<_, Item>(key).unwrap());
    item.extend(serde_dynamo::to_item::<_, Item>(index).unwrap());
    item.extend(serde_dynamo::to_item::<_, Item>(fields).unwrap());
    item.retain(|_, value| !value.is_null());
    item
}

fn id<I, E: std::fmt::Debug>(parse: fn(&str) -> Result<I, E>, text: &str) -> I {
    parse(text).unwrap()
}

/// The items of an org, each with its name in the list of kinds.
pub(super) fn examples(scope: &OrgScope) -> Vec<(&'static str, OrgItem)> {
    let all = [of_directory(scope), of_connections(scope), of_leads(scope), of_work(scope), of_ads(scope)];
    let more = [of_publishing(scope), of_inbox(scope), of_deliveries(scope)];
    let items = all.into_iter().chain(more).flatten();
    items.map(|(kind, item)| (kind, OrgItem::new(item).unwrap())).collect()
}

type Examples = Vec<(&'static str, Item)>;

fn of_directory(scope: &OrgScope) -> Examples {
    let user = id(UserId::parse, "u");
    let none = || json!({});
    vec![
        ("org", item("org", &keys::org(scope), keys::orgs_index(scope), json!({ "id": scope.org(), "name": "A" }))),
        ("user", item("user", &keys::user(scope, &user), none(), none())),
        ("address of a user", item("user_email", &keys::user_email(scope, "u@a.example", &user), none(), none())),
        ("rotation", item("rotation", &keys::rotation(scope), none(), none())),
        ("roster", item("roster", &keys::roster(scope), none(), none())),
        ("mail preference", item("mail_preference", &keys::mail_preference(scope, &user), none(), none())),
        ("mail hour", item("mail_hour", &keys::mail_hour(scope, &user), none(), none())),
        ("gathered lead", item("gathered_lead", &keys::gathered_lead(scope, &user, &lead(1, None).id), none(), none())),
        ("view of leads", item("lead_view", &keys::lead_view(scope, &user, "mine"), none(), none())),
        ("act", item("act", &keys::act(scope, at(THEN), &id(AuditId::parse, "act_1")), none(), none())),
        (
            "receipt of an erasure",
            item("receipt", &keys::receipt(scope, &id(ReceiptId::parse, "receipt_1")), none(), none()),
        ),
    ]
}

fn of_connections(scope: &OrgScope) -> Examples {
    let (integration, page) = (id(IntegrationId::parse, "int_1"), id(PageId::parse, "7"));
    let none = || json!({});
    let own = json!({ "id": integration, "person": "hash" });
    let notice = keys::notice(scope, &integration, at(THEN), "7d", "u");
    let day = Date::constant(2026, 1, 1);
    let index = keys::connection_index(scope, &integration, &page);
    let account = keys::inbox_account("instagram", "178", scope, &integration);
    vec![
        ("integration", item("integration", &keys::integration(scope, &integration), none(), own)),
        ("notice", item("notice", &notice, none(), none())),
        ("Meta person", item("meta_person", &keys::meta_person("hash", scope, &integration), none(), none())),
        ("connection", item("connection", &keys::connection(scope, &integration, &page), index, none())),
        ("sweep progress", item("sweep_progress", &keys::sweep_progress(scope, &integration, &page), none(), none())),
        (
            "social progress",
            item("social_progress", &keys::social_progress(scope, &integration, &page), none(), none()),
        ),
        ("mapping", item("mapping", &keys::mapping(scope, &id(FormId::parse, "3")), none(), none())),
        ("account", item("inbox_account", &account, keys::accounts_of_org(scope, "instagram", "178"), none())),
        ("conversion day", item("conversion_day", &keys::conversion_day(scope, &integration, day), none(), none())),
        ("conversion lease", item("conversion_lease", &keys::conversion_lease(scope), none(), none())),
    ]
}

fn of_leads(scope: &OrgScope) -> Examples {
    let first: Lead = lead(1, Some("jane@example.com"));
    let later: LeadId = lead(2, None).id;
    let none = || json!({});
    let lists = keys::lead_lists(scope, &first, Status::New, None);
    let fields = json!({ "email": "jane@example.com", "passage": { "telling": "pub_1" } });
    let index = keys::submission_index(scope, &first.id, at(THEN), &later);
    let persons = person_keys(Some("jane@example.com"), None);
    let (user, event) = (id(UserId::parse, "u"), DeliveryId::from_hash("e1"));
    let about = EventSubject::Lead(first.id.clone());
    let step = |lead: &LeadId| keys::step(scope, lead, at(THEN), StepKind::Tried);
    vec![
        ("lead", item("lead", &keys::lead(scope, &first.id), lists, fields)),
        ("submission", item("submission", &keys::lead(scope, &later), index, none())),
        ("person", item("person", &keys::person(scope, &persons[0]), none(), json!({ "lead_id": first.id }))),
        ("publication", item("publication", &keys::publication(scope, "pub_1"), none(), none())),
        ("publication", item("publication", &keys::publication(scope, later.as_str()), none(), none())),
        ("step", item("step", &step(&first.id), none(), none())),
        ("step", item("step", &step(&later), none(), none())),
        // Of a lead that is not stored yet.
        ("step", item("step", &step(&lead(5, None).id), none(), none())),
        ("conversion", item("conversion", &keys::conversion(scope, &first.id, Status::New), none(), none())),
        ("mail to an assignee", item("assignee_mail", &keys::assignee_mail(scope, &first.id, &user), none(), none())),
        ("event's content", item("event_body", &keys::event_body(scope, &about, &event), none(), none())),
        ("parked", item("parked", &keys::parked(scope, &lead(5, None).id), none(), none())),
        ("dismissed lead", item("dismissed", &keys::dismissed(scope, &lead(6, None).id), none(), none())),
        (
            "waiting lead",
            item("waiting", &keys::waiting(scope, &id(PageId::parse, "7"), &lead(8, None).id), none(), none()),
        ),
        ("latency", item("latency", &keys::latency(scope, Date::constant(2026, 1, 1)), none(), none())),
        ("erased lead", item("erased_lead", &keys::lead(scope, &lead(9, None).id), none(), none())),
        (
            "mark of an erasure",
            item("erasure_mark", &keys::erasure_mark(scope, &EventSubject::Lead(lead(9, None).id)), none(), none()),
        ),
    ]
}

fn of_work(scope: &OrgScope) -> Examples {
    let (run, import) = (id(RunId::parse, "run_1"), id(ImportId::parse, "imp_1"));
    let none = || json!({});
    let change = crate::ids::BulkChangeId::parse("blk_1").unwrap();
    vec![
        ("run", item("run", &keys::run(scope, &run), none(), none())),
        ("export", item("export", &keys::export(scope, &id(ExportId::parse, "exp_1")), none(), none())),
        ("import", item("import", &keys::import(scope, &import), none(), json!({ "id": import }))),
        ("part of an import", item("import_part", &keys::import_part(scope, &import, 2), none(), none())),
        (
            "removal of an imported lead",
            item("import_removal", &keys::import_removal(scope, &import, &lead(3, None).id), none(), none()),
        ),
        (
            "part of a change of several leads",
            item("bulk_change", &keys::bulk_change(scope, &change, 1), none(), none()),
        ),
        ("expensive requests", item("org_limit", &keys::org_limit(scope, OrgLimit::Imports, 7), none(), none())),
        ("request", item("request", &keys::request(scope, "post-to-page", "h"), none(), none())),
    ]
}

fn of_ads(scope: &OrgScope) -> Examples {
    let (link, account) = (id(LinkId::parse, "ada_1"), id(AdAccountId::parse, "act_1"));
    let (day, ad) = (Date::constant(2026, 1, 1), id(AdObjectId::parse, "11"));
    let none = || json!({});
    let index = keys::ad_account_index(scope, &account);
    vec![
        ("ad account", item("ad_account", &keys::ad_account(scope, &account), index, json!({ "id": link }))),
        ("ad object", item("ad_object", &keys::ad_object(scope, &link, AdObjectKind::Ad, &ad), none(), none())),
        ("account day", item("account_day", &keys::account_day(scope, &link, day), none(), none())),
        ("campaign day", item("campaign_day", &keys::campaign_day(scope, &link, day, &ad, 0), none(), none())),
        ("ad day", item("ad_day", &keys::ad_day(scope, &link, day, &ad), none(), none())),
        ("ads sync", item("ads_sync", &keys::ads_sync(scope, &id(RunId::parse, "run_2"), &link), none(), none())),
    ]
}

fn of_publishing(scope: &OrgScope) -> Examples {
    let post = id(PostId::parse, "post_1");
    let none = || json!({});
    let due = keys::publish_due(scope, &PublishWork::Post(post.clone()), at(THEN));
    let mut stored = item("post", &keys::post(scope, &post), due, json!({ "id": post, "meta_id": "7_1" }));
    stored.extend(serde_dynamo::to_item::<_, Item>(keys::post_list(scope, at(THEN), &post)).unwrap());
    let campaign = crate::ids::CampaignId::parse("cmp_1").unwrap();
    vec![
        ("post", stored),
        ("post at Meta", item("meta_post", &keys::meta_post(scope, "7_1"), none(), none())),
        ("campaign", item("campaign", &keys::campaign(scope, &campaign), none(), none())),
    ]
}

fn of_inbox(scope: &OrgScope) -> Examples {
    let (conversation, message) = (id(ConversationId::parse, "cnv_1"), id(MessageId::parse, "msg_1"));
    let mut contact = Contact::new(id(ContactId::parse, "con_1"), scope.org().clone(), at(THEN));
    contact.channels = vec![ContactChannel {
        network: "whatsapp".to_owned(),
        account: "W".to_owned(),
        meta_id: None,
        username: None,
        phone: Some("+31612345679".to_owned()),
    }];
    contact.merged = vec![id(ContactId::parse, "con_2")];
    let none = || json!({});
    let list = keys::conversation_list(scope, ConversationStatus::Closed, at(THEN), &conversation);
    let fields = json!({ "id": conversation, "contact_id": contact.id, "post": { "copy": "7_8" } });
    let content = json!({ "conversation_id": conversation, "post": { "copy": "7_9" } });
    let told = json!({ "id": message, "channel": "whatsapp", "mid": "wamid.1", "content": content });
    let of_conversation = json!({ "gsi2pk": keys::messages_of_conversation(scope, &conversation), "gsi2sk": "1" });
    let seen = keys::contact_list(scope, contact.created_at, &contact.id);
    let about = EventSubject::Contact(contact.id.clone());
    let identity = &contact.identities()[0];
    vec![
        ("conversation", item("conversation", &keys::conversation(scope, &conversation), list, fields)),
        ("message", item("message", &keys::message(scope, &message), of_conversation, told)),
        (
            "alias of a message",
            item(
                "message_alias",
                &keys::message_alias(scope, &message_id(Channel::Whatsapp, "wamid.1")),
                none(),
                none(),
            ),
        ),
        ("ad's copy of a post", item("post_copy", &keys::post_copy(scope, "7_8"), none(), none())),
        ("ad's copy of a post", item("post_copy", &keys::post_copy(scope, "7_9"), none(), none())),
        ("contact", item("contact", &keys::contact(scope, &contact.id), seen, serde_json::to_value(&contact).unwrap())),
        ("contact", item("contact", &keys::contact(scope, &contact.merged[0]), none(), none())),
        ("identity", item("identity", &keys::identity(scope, identity), none(), json!({ "to": contact.id }))),
        (
            "event's content",
            item("event_body", &keys::event_body(scope, &about, &DeliveryId::from_hash("e2")), none(), none()),
        ),
        ("inbox turn", item("inbox_turn", &keys::inbox_turn(scope), none(), none())),
        (
            "saved reply",
            item("saved_reply", &keys::saved_reply(scope, &id(SavedReplyId::parse, "rpl_1")), none(), none()),
        ),
        ("file volume", item("file_volume", &keys::file_volume(scope, Date::constant(2026, 1, 1)), none(), none())),
    ]
}

fn of_deliveries(scope: &OrgScope) -> Examples {
    let (endpoint, delivery) = (id(EndpointId::parse, "end_1"), DeliveryId::from_hash("e3"));
    let none = || json!({});
    let list = keys::delivery_list(scope, &endpoint, at(THEN), &delivery);
    let notice = keys::endpoint_notice(scope, &endpoint, at(THEN), "gone", "u");
    vec![
        ("endpoint", item("endpoint", &keys::endpoint(scope, &endpoint), none(), json!({ "id": endpoint }))),
        ("endpoint's notice", item("notice", &notice, none(), none())),
        ("delivery", item("delivery", &keys::delivery(scope, &endpoint, &delivery), list, json!({ "id": delivery }))),
        (
            "event's content",
            item("event_body", &keys::event_body(scope, &EventSubject::Org, &delivery), none(), none()),
        ),
    ]
}
