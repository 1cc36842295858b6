//! What the things that records name are called. Of each kind, one request reads the names.

use std::collections::{BTreeMap, BTreeSet};

use leadwire::error::ActError;
use leadwire::http::Problem;
use leadwire::ids::{CampaignId, ConversationId, FormId, LeadId, PostId};
use leadwire::model::audit::AuditRecord;
use leadwire::model::org::User;
use serde_json::Value;

use crate::actor::Admin;
use crate::leads::name_of;
use crate::posts::summary;
use crate::state::Console;

/// Subjects of one record that are named. The others are counted.
pub(super) const MAX_NAMED: usize = 4;
/// Ids of one kind whose names are read: as many as a request can have.
const MAX_READ: usize = 100;

/// What an id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NamedKind {
    Person,
    Page,
    Integration,
    Lead,
    Form,
    Campaign,
    Post,
    Conversation,
    Endpoint,
}

impl NamedKind {
    /// The kind of a subject of an act such as `lead.change`. Only ids that are made here tell their kind themselves: those of
    /// the CRM are any text, and those of Meta are numbers.
    pub(super) fn of_subject(act: &str, id: &str) -> Option<Self> {
        match act.split('.').next()? {
            "user" => return Some(Self::Person),
            "form" | "mapping" => return Some(Self::Form),
            _ => {}
        }
        match id.split(['_', '-']).next()? {
            "meta" | "file" => Some(Self::Lead),
            "int" => Some(Self::Integration),
            "cmp" => Some(Self::Campaign),
            "post" => Some(Self::Post),
            "cnv" => Some(Self::Conversation),
            "end" => Some(Self::Endpoint),
            _ => None,
        }
    }

    /// The kind of the ids in a field. What is no id, such as an amount, has none.
    pub(super) fn of_field(field: &str) -> Option<Self> {
        match field {
            "assigned_to" | "assignment" | "inbox_assignment" => Some(Self::Person),
            "page_ids" => Some(Self::Page),
            "lead_id" => Some(Self::Lead),
            _ => None,
        }
    }

    /// Where what has this id is shown.
    pub(super) fn path(self, id: &str) -> Option<String> {
        let section = match self {
            Self::Person | Self::Page => return None,
            Self::Integration => "integrations",
            Self::Lead => "leads",
            Self::Form => "forms",
            Self::Campaign => "campaigns",
            Self::Post => "posts",
            Self::Conversation => "inbox",
            Self::Endpoint => "webhooks",
        };
        Some(format!("/{section}/{id}"))
    }
}

/// The names that are known, by kind and id.
#[derive(Debug, Default)]
pub(super) struct RecordNames(BTreeMap<(NamedKind, String), String>);

impl RecordNames {
    pub(super) fn get(&self, kind: NamedKind, id: &str) -> Option<&str> {
        self.0.get(&(kind, id.to_owned())).map(String::as_str)
    }

    pub(super) fn add(&mut self, kind: NamedKind, names: impl IntoIterator<Item = (impl ToString, String)>) {
        self.0.extend(names.into_iter().map(|(id, name)| ((kind, id.to_string()), name)));
    }

    /// Reads the names of what these records are about.
    pub(super) async fn load(
        console: &Console,
        Admin { access, .. }: &Admin,
        users: &[User],
        records: &[AuditRecord],
    ) -> Result<Self, Problem> {
        let ids = ids_in(records);
        let forms = parse_all(&ids, NamedKind::Form, FormId::parse);
        let leads = parse_all(&ids, NamedKind::Lead, LeadId::parse);
        let campaigns = parse_all(&ids, NamedKind::Campaign, CampaignId::parse);
        let posts: Vec<PostId> = parse_all(&ids, NamedKind::Post, PostId::parse).into_iter().collect();
        let conversations = parse_all(&ids, NamedKind::Conversation, ConversationId::parse);
        let pages_and_forms = async {
            let pages = console.rooms.leads.pages(&access.scope).await?;
            let forms = console.rooms.leads.form_names(pages.keys(), &forms).await?;
            Ok::<_, ActError>((pages, forms))
        };
        let endpoints = async {
            match ids.contains_key(&NamedKind::Endpoint) {
                true => Ok(console.rooms.deliveries.endpoints(access).await?.items),
                false => Ok(Vec::new()),
            }
        };
        let ((pages, forms), integrations, leads, campaigns, posts, conversations, endpoints) = tokio::try_join!(
            pages_and_forms,
            console.rooms.connections.integration_names(access),
            console.rooms.leads.find_all(&access.scope, &leads),
            console.rooms.campaigns.names(access, &campaigns),
            console.rooms.publishing.posts_by_id(access, &posts),
            console.rooms.inbox.names_of_people(access, &conversations),
            endpoints,
        )?;
        let mut names = Self::default();
        names.add(NamedKind::Person, users.iter().map(|user| (&user.id, user.name.clone())));
        names.add(NamedKind::Page, pages);
        names.add(NamedKind::Form, forms);
        names.add(NamedKind::Integration, integrations);
        names.add(NamedKind::Lead, leads.iter().map(|lead| (&lead.id, name_of(lead))));
        names.add(NamedKind::Campaign, campaigns);
        names.add(NamedKind::Post, posts.iter().map(|post| (&post.id, summary(post))));
        names.add(NamedKind::Conversation, conversations);
        names.add(NamedKind::Endpoint, endpoints.iter().map(|endpoint| (&endpoint.id, host(&endpoint.url))));
        Ok(names)
    }
}

/// The host of an endpoint, which no admin has to keep to themselves as they may a path.
fn host(address: &str) -> String {
    let host = url::Url::parse(address).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
    host.unwrap_or_else(|| address.to_owned())
}

type IdsByKind<'a> = BTreeMap<NamedKind, BTreeSet<&'a str>>;

/// The ids that these records show, by their kind.
fn ids_in(records: &[AuditRecord]) -> IdsByKind<'_> {
    let mut ids = IdsByKind::new();
    for record in records {
        for id in record.subjects.iter().take(MAX_NAMED) {
            if let Some(kind) = NamedKind::of_subject(&record.act, id) {
                ids.entry(kind).or_default().insert(id);
            }
        }
        for change in &record.changes {
            let values = [&change.before, &change.after].into_iter().flatten().filter_map(Value::as_str);
            if let Some(kind) = NamedKind::of_field(&change.field) {
                ids.entry(kind).or_default().extend(values);
            }
        }
    }
    ids
}

fn parse_all<I: Ord, E>(ids: &IdsByKind<'_>, kind: NamedKind, parse: fn(&str) -> Result<I, E>) -> BTreeSet<I> {
    let of_kind = ids.get(&kind).into_iter().flatten();
    of_kind.filter_map(|id| parse(id).ok()).take(MAX_READ).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(act: &str, subjects: &[&str], changes: Value) -> AuditRecord {
        serde_json::from_value(json!({
            "id": "act_1", "at": "2026-11-28T09:00:00Z", "who": { "id": "u", "role": "admin" }, "face": "api",
            "source": null, "act": act, "subjects": subjects, "outcome": "done", "changes": changes,
        }))
        .unwrap()
    }

    fn ids(records: &[AuditRecord]) -> Vec<(NamedKind, String)> {
        let pairs =
            ids_in(records).into_iter().flat_map(|(kind, ids)| ids.into_iter().map(move |id| (kind, id.to_owned())));
        pairs.collect()
    }

    #[test]
    fn an_id_is_looked_up_as_what_it_is() {
        let check = |act: &str, subjects: &[&str], changes: Value, expect: &[(NamedKind, &str)]| {
            let expect: Vec<_> = expect.iter().map(|(kind, id)| (*kind, (*id).to_owned())).collect();
            assert_eq!(ids(&[record(act, subjects, changes)]), expect, "{act} {subjects:?}");
        };
        let change = |field: &str, after: Value| json!([{ "field": field, "before": null, "after": after }]);
        check("mapping.change", &["88"], json!([]), &[(NamedKind::Form, "88")]);
        check("user.change", &["post_1"], json!([]), &[(NamedKind::Person, "post_1")]);
        check("lead.change", &["meta-1", "run_1", "77"], json!([]), &[(NamedKind::Lead, "meta-1")]);
        check("lead.change", &[], change("value", json!("1200")), &[]);
        check("org.change", &[], change("daily_spend_limit.amount", json!("88")), &[]);
        check("contact.change", &["cnt_1"], change("lead_id", json!("file-2")), &[(NamedKind::Lead, "file-2")]);
        check("conversation.answer", &["cnv_1", "msg_1"], json!([]), &[(NamedKind::Conversation, "cnv_1")]);
        check("campaign.pause", &["cmp_1"], json!([]), &[(NamedKind::Campaign, "cmp_1")]);
        check("endpoint.test", &["end_1"], json!([]), &[(NamedKind::Endpoint, "end_1")]);
    }

    #[test]
    fn of_a_change_of_many_only_those_are_looked_up_that_are_shown() {
        let many: Vec<String> = (0..100).map(|number| format!("meta-{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let records = vec![record("lead.change", &many, json!([])); 25];
        assert_eq!(ids(&records).len(), MAX_NAMED);
        const { assert!(25 * MAX_NAMED <= MAX_READ, "a page of records is one request") };
    }

    #[test]
    fn an_endpoint_is_called_by_its_host() {
        assert_eq!(host("https://crm.example/hooks/secret"), "crm.example");
    }
}
