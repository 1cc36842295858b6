//! Every key format of the table, and nothing else.
//!
//! | item | pk | sk | gsi1pk | gsi1sk | ttl |
//! |---|---|---|---|---|---|
//! | org | `ORG#o` | `ORG` | `ORGS` | `o` | |
//! | user | `ORG#o` | `USER#u` | | | |
//! | address of a user | `ORG#o` | `EMAIL#address#u` | | | |
//! | rotation | `ORG#o#ROTATION` | `ROTATION` | | | |
//! | roster | `ORG#o#ROTATION` | `ROSTER` | | | |
//! | integration | `ORG#o` | `INTEGRATION#i` | `CHECKS` | `next check#o#i` | |
//! | notice | `ORG#o#INTEGRATION#i` | `NOTICE#since#notice#to` | | | yes |
//! | Meta person | `META_PERSON#hash` | `ORG#o#INTEGRATION#i` | | | |
//! | erasure | `ERASURE#code` | `ERASURE` | | | yes |
//! | connection | `PAGE#p` | `ORG#o#INTEGRATION#i` | `ORG#o#CONNECTIONS` | `i#p` | |
//! | form | `PAGE#p` | `FORM#f` | | | yes |
//! | pause | `PAGE#p` | `PAUSE` | | | yes |
//! | sweep progress | `PAGE#p` | `SWEEP#ORG#o#INTEGRATION#i` | | | |
//! | social progress | `PAGE#p` | `SOCIAL#ORG#o#INTEGRATION#i` | | | |
//! | mapping | `ORG#o` | `MAPPING#f` | | | |
//! | lead | `ORG#o#LEAD#l` | `LEAD` | `ORG#o#LEADS` | `status#created#l` | |
//! | erased lead | `ORG#o#LEAD#l` | `LEAD` | | | yes |
//! | receipt of an erasure | `ORG#o#RECEIPTS` | `RECEIPT#r` | | | yes |
//! | act | `ORG#o#AUDIT#month` | `at#id` | | | yes |
//! | submission | `ORG#o#LEAD#l` | `LEAD` | `ORG#o#LEAD#root#SUBMISSIONS` | `created#l` | |
//! | conversion | `ORG#o#LEAD#l` | `CONVERSION#stage` | `CONVERSIONS_DUE` | `ORG#o#reached#l#stage` | |
//! | conversion lease | `ORG#o` | `CONVERSION_LEASE` | | | |
//! | conversion day | `ORG#o#INTEGRATION#i` | `CONVERSIONS#DAY#d` | | | yes |
//! | mail to an assignee | `ORG#o#LEAD#l` | `MAIL#u` | | | yes |
//! | mail hour | `ORG#o#MAILS#u` | `HOUR` | `DIGESTS_DUE` | `end#o#u` | |
//! | gathered lead | `ORG#o#MAILS#u` | `LEAD#l` | | | |
//! | mail preference | `ORG#o` | `MAIL#u` | | | |
//! | view of leads | `ORG#o#LEAD_VIEWS#u` | `VIEW#name` | | | |
//! | part of a change of several leads | `ORG#o#BULK_CHANGE#c` | `PART#part` | | | yes |
//! | step | `ORG#o#LEAD#l` | `STEP#when#what` | | | some |
//! | publication | `ORG#o#PUBLICATION#p` | `PUBLICATION` | | | yes |
//! | expensive requests | `ORG#o#LIMITS` | `LIMIT#what#minute` | | | yes |
//! | latency | `ORG#o#LATENCY` | `DAY#d` | | | yes |
//! | person | `ORG#o#PERSON#kind#hash` | `PERSON` | | | |
//! | parked | `ORG#o#PARKED` | `LEAD#l` | | | |
//! | dismissed lead | `ORG#o#DISMISSED` | `LEAD#l` | | | yes |
//! | waiting lead | `ORG#o#WAITING` | `PAGE#p#LEAD#l` | | | yes |
//! | run | `ORG#o#RUNS` | `RUN#r` | | | yes |
//! | export | `ORG#o#EXPORTS` | `EXPORT#e` | | | yes |
//! | import | `ORG#o#IMPORTS` | `IMPORT#i` | | | yes |
//! | part of an import | `ORG#o#IMPORT#i` | `PART#first line` | | | yes |
//! | removal of an imported lead | `ORG#o#IMPORT#i` | `REMOVAL#l` | | | yes |
//! | ad account | `ORG#o` | `AD_ACCOUNT#act` | `AD_ACCOUNTS` | `o#act` | |
//! | ad pause | `AD_ACCOUNT#act`, `META_APP` | `PAUSE` | | | yes |
//! | ad object | `ORG#o#ADS#link` | `OBJECT#kind#id` | | | |
//! | account day | `ORG#o#ADS#link` | `DAY#d` | | | |
//! | campaign day | `ORG#o#ADS#link#SHEETS` | `DAY#d#campaign#part` | | | |
//! | ad day | `ORG#o#ADS#link#DAY#d` | `AD#ad` | | | |
//! | ads sync | `ORG#o#ADS_SYNCS` | `SYNC#run#link` | | | yes |
//! | post | `ORG#o#POST#p` | `POST` | `PUBLISH_DUE` | `at#o#POST#p` | |
//! | campaign | `ORG#o#CAMPAIGNS` | `CAMPAIGN#c` | `PUBLISH_DUE` | `at#o#CAMPAIGN#c` | |
//! | request | `ORG#o#REQUEST#operation#hash` | `REQUEST` | | | yes |
//! | post at Meta | `ORG#o#META_POST#id` | `META_POST` | | | |
//! | a page's turns | `PAGE#p` | `PUBLISH_TURNS` | | | |
//! | conversation | `ORG#o#CONVERSATION#c` | `CONVERSATION` | `ORG#o#CONTACT#p#CONVERSATIONS` | `c` | |
//! | message | `ORG#o#MESSAGE#m` | `MESSAGE` | `ANSWERS_DUE` | `at#o#m` | some |
//! | alias of a message | `ORG#o#MESSAGE#m` | `ALIAS` | | | |
//! | ad's copy of a post | `ORG#o#COPY#c` | `COPY` | | | |
//! | contact | `ORG#o#CONTACT#p` | `CONTACT` | `ORG#o#LEAD#l#CONTACTS` | `p` | |
//! | identity | `ORG#o#IDENTITY#hash` | `IDENTITY` | | | |
//! | inbox turn | `ORG#o#INBOX_TURN` | `TURN` | | | |
//! | saved reply | `ORG#o#SAVED_REPLIES` | `REPLY#r` | | | |
//! | endpoint | `ORG#o#ENDPOINTS` | `ENDPOINT#e` | | | |
//! | delivery | `ORG#o#ENDPOINT#e#DELIVERY#d` | `DELIVERY` | `DELIVERIES_DUE#part` | `at#o#e#d` | yes |
//! | event's content | `ORG#o#LEAD#l`, `ORG#o#CONTACT#p`, `ORG#o#EVENT#d` | `EVENT#d` | | | yes |
//! | mark of an erasure | as an event's content | `ERASED` | | | yes |
//! | endpoint's notice | `ORG#o#ENDPOINT#e` | `NOTICE#since#notice#to` | | | yes |
//! | file volume | `ORG#o#FILE_VOLUME` | `DAY#d` | | | yes |
//! | account | `ACCOUNT#network#a` | `ORG#o#INTEGRATION#i` | `ORG#o#ACCOUNTS` | `network#a` | |
//! | login | `LOGIN#nonce` | `LOGIN` | | | yes |
//! | session | `SESSION#hash` | `SESSION` | | | yes |
//!
//! A lead is in more indexes: by assignee (`ORG#o#LEADS#ASSIGNEES`, `user#status#created#l`), by page
//! (`ORG#o#LEADS#PAGES`, `page#form#created#l`), and twice by name (`ORG#o#LEADS#NAMES`, `name#created#l`), with the
//! first and with the last name in front. A post is in the second index by time (`ORG#o#POSTS`, `at#p`),
//! like conversations (`ORG#o#CONVERSATIONS#status`, `last message#c`), which are in the fourth as well while they are
//! open and unread (`ORG#o#UNREAD`, `c`), their messages (`ORG#o#CONVERSATION#c#MESSAGES`,
//! `created#m`), contacts (`ORG#o#CONTACTS`, `created#p`) and deliveries (`ORG#o#ENDPOINT#e#DELIVERIES`, `created#d`).
//!
//! A lead and a submission share one key space on purpose: a submission can be stored only once, whether it became a
//! lead or joined one.
//!
//! Ids never contain `#` ([`crate::ids`]), so a key of one kind cannot be read as another's.

mod ads;
mod audit;
mod conversions;
mod deliveries;
mod erasures;
mod inbox;
mod lead_lists;
mod notices;
mod org_items;
mod publishing;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub(super) use self::ads::*;
pub(super) use self::audit::*;
pub(super) use self::conversions::*;
pub(super) use self::deliveries::*;
pub(super) use self::erasures::*;
pub(super) use self::inbox::*;
pub(super) use self::lead_lists::*;
pub(super) use self::notices::*;
pub(super) use self::org_items::*;
pub(super) use self::publishing::*;
use crate::ids::{ExportId, FormId, ImportId, IntegrationId, LeadId, OrgId, OrgScope, PageId, RunId, UserId};
use crate::model::lead::PersonKeyKind;
use crate::model::lead::identity::PersonKey;
use crate::model::lead::trace::StepKind;
use crate::model::limit::OrgLimit;

/// The primary key of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

/// The key of one item in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexKey {
    /// Partition key of the index.
    pub gsi1pk: String,
    /// Sort key of the index.
    pub gsi1sk: String,
}

/// Sort key prefix of users.
pub const USER_PREFIX: &str = "USER#";
/// Sort key prefix of integrations.
pub const INTEGRATION_PREFIX: &str = "INTEGRATION#";
/// Sort key prefix of a page's connections, and of a Meta person's integrations.
pub const CONNECTION_PREFIX: &str = "ORG#";
/// Sort key of a person.
pub const PERSON: &str = "PERSON";
/// Sort key prefix of a lead's steps.
pub const STEP_PREFIX: &str = "STEP#";
/// Index partition of the check queue. Integrations with nothing to check are not in it.
pub const CHECKS: &str = "CHECKS";

/// Index partition of the orgs.
pub const ORGS: &str = "ORGS";

pub(in crate::table) fn org_pk(scope: &OrgScope) -> String {
    format!("ORG#{}", scope.org())
}

pub(in crate::table) fn org(scope: &OrgScope) -> Key {
    Key { pk: org_pk(scope), sk: "ORG".to_owned() }
}

pub(in crate::table) fn orgs_index(scope: &OrgScope) -> IndexKey {
    IndexKey { gsi1pk: ORGS.to_owned(), gsi1sk: scope.org().to_string() }
}

pub(in crate::table) fn user(scope: &OrgScope, user: &UserId) -> Key {
    Key { pk: org_pk(scope), sk: format!("{USER_PREFIX}{user}") }
}

/// Leads from an address to the user who has it.
pub(in crate::table) fn user_email(scope: &OrgScope, email: &str, user: &UserId) -> Key {
    Key { pk: org_pk(scope), sk: format!("{}{user}", user_email_prefix(email)) }
}

/// What the sort keys of the users with this address begin with. An address has no `#` after its `@`.
pub(in crate::table) fn user_email_prefix(email: &str) -> String {
    format!("EMAIL#{email}#")
}

/// The cursor of the rotation. No other busy item shares its partition, which takes every write of a burst.
pub(in crate::table) fn rotation(scope: &OrgScope) -> Key {
    Key { pk: format!("ORG#{}#ROTATION", scope.org()), sk: "ROTATION".to_owned() }
}

pub(in crate::table) fn roster(scope: &OrgScope) -> Key {
    Key { pk: rotation(scope).pk, sk: "ROSTER".to_owned() }
}

pub(in crate::table) fn integration(scope: &OrgScope, id: &IntegrationId) -> Key {
    Key { pk: org_pk(scope), sk: format!("{INTEGRATION_PREFIX}{id}") }
}

pub(in crate::table) fn check_index(scope: &OrgScope, id: &IntegrationId, at: Timestamp) -> IndexKey {
    IndexKey { gsi1pk: CHECKS.to_owned(), gsi1sk: format!("{}#{}#{id}", instant(at), scope.org()) }
}

/// Parses the org and the integration from a position in the check queue.
pub(in crate::table) fn parse_check(gsi1sk: &str) -> Option<(OrgId, IntegrationId)> {
    let (_, rest) = gsi1sk.split_once('#')?;
    let (org, id) = rest.split_once('#')?;
    Some((OrgId::parse(org).ok()?, IntegrationId::parse(id).ok()?))
}

pub(in crate::table) fn notice(scope: &OrgScope, id: &IntegrationId, since: Timestamp, notice: &str, to: &str) -> Key {
    Key { pk: format!("ORG#{}#INTEGRATION#{id}", scope.org()), sk: format!("NOTICE#{since}#{notice}#{to}") }
}

pub(in crate::table) fn page_pk(page: &PageId) -> String {
    format!("PAGE#{page}")
}

pub(in crate::table) fn connection(scope: &OrgScope, integration: &IntegrationId, page: &PageId) -> Key {
    Key { pk: page_pk(page), sk: format!("{CONNECTION_PREFIX}{}#INTEGRATION#{integration}", scope.org()) }
}

pub(in crate::table) fn connections_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#CONNECTIONS", scope.org())
}

/// The beginning of the sort keys of a page's connections that an org has.
pub(in crate::table) fn connection_prefix(scope: &OrgScope) -> String {
    format!("{CONNECTION_PREFIX}{}#INTEGRATION#", scope.org())
}

/// The beginning of the index sort keys of an integration's connections.
pub(in crate::table) fn connections_of_integration(integration: &IntegrationId) -> String {
    format!("{integration}#")
}

pub(in crate::table) fn connection_index(scope: &OrgScope, integration: &IntegrationId, page: &PageId) -> IndexKey {
    IndexKey { gsi1pk: connections_of_org(scope), gsi1sk: format!("{integration}#{page}") }
}

pub(in crate::table) fn form(page: &PageId, form: &FormId) -> Key {
    Key { pk: page_pk(page), sk: format!("FORM#{form}") }
}

/// When a schedule called last. It is of no org.
pub(in crate::table) fn schedule_call(schedule: &str) -> Key {
    Key { pk: format!("SCHEDULE#{schedule}"), sk: "CALL".to_owned() }
}

pub(in crate::table) fn pause(page: &PageId) -> Key {
    Key { pk: page_pk(page), sk: "PAUSE".to_owned() }
}

pub(in crate::table) fn sweep_progress(scope: &OrgScope, integration: &IntegrationId, page: &PageId) -> Key {
    let Key { pk, sk } = connection(scope, integration, page);
    Key { pk, sk: format!("SWEEP#{sk}") }
}

pub(in crate::table) fn mapping(scope: &OrgScope, form: &FormId) -> Key {
    Key { pk: org_pk(scope), sk: format!("MAPPING#{form}") }
}

/// The key of a step. Two steps of one kind at the same instant are the same step, recorded twice.
pub(in crate::table) fn step(scope: &OrgScope, lead: &LeadId, at: Timestamp, kind: StepKind) -> Key {
    let pk = self::lead(scope, lead).pk;
    Key { pk, sk: format!("{STEP_PREFIX}{}#{kind:?}", at.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")) }
}

pub(in crate::table) fn publication(scope: &OrgScope, publication: &str) -> Key {
    Key { pk: format!("ORG#{}#PUBLICATION#{publication}", scope.org()), sk: "PUBLICATION".to_owned() }
}

pub(in crate::table) fn latency(scope: &OrgScope, day: Date) -> Key {
    Key { pk: format!("ORG#{}#LATENCY", scope.org()), sk: format!("DAY#{day}") }
}

pub(in crate::table) fn org_limit(scope: &OrgScope, limit: OrgLimit, minute: i64) -> Key {
    let what: &str = limit.into();
    Key { pk: format!("ORG#{}#LIMITS", scope.org()), sk: format!("LIMIT#{what}#{minute}") }
}

pub(in crate::table) fn lead(scope: &OrgScope, lead: &LeadId) -> Key {
    Key { pk: format!("ORG#{}#LEAD#{lead}", scope.org()), sk: "LEAD".to_owned() }
}

pub(in crate::table) fn submissions_of_lead(scope: &OrgScope, lead: &LeadId) -> String {
    format!("ORG#{}#LEAD#{lead}#SUBMISSIONS", scope.org())
}

/// Index partition of the contacts that are joined with a lead.
pub(in crate::table) fn contacts_of_lead(scope: &OrgScope, lead: &LeadId) -> String {
    format!("ORG#{}#LEAD#{lead}#CONTACTS", scope.org())
}

pub(in crate::table) fn submission_index(
    scope: &OrgScope,
    root: &LeadId,
    created: Timestamp,
    lead: &LeadId,
) -> IndexKey {
    IndexKey { gsi1pk: submissions_of_lead(scope, root), gsi1sk: format!("{}#{lead}", instant(created)) }
}

pub(in crate::table) fn person(scope: &OrgScope, person: &PersonKey) -> Key {
    let kind = match person.kind {
        PersonKeyKind::Email => "EMAIL",
        PersonKeyKind::Phone => "PHONE",
    };
    Key { pk: format!("ORG#{}#PERSON#{kind}#{}", scope.org(), person.hash), sk: PERSON.to_owned() }
}

pub(in crate::table) fn parked_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#PARKED", scope.org())
}

/// Sort key prefix of parked leads.
pub(in crate::table) const PARKED_PREFIX: &str = "LEAD#";

pub(in crate::table) fn parked(scope: &OrgScope, lead: &LeadId) -> Key {
    Key { pk: parked_pk(scope), sk: format!("{PARKED_PREFIX}{lead}") }
}

pub(in crate::table) fn dismissed(scope: &OrgScope, lead: &LeadId) -> Key {
    Key { pk: format!("ORG#{}#DISMISSED", scope.org()), sk: format!("LEAD#{lead}") }
}

pub(in crate::table) fn waiting_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#WAITING", scope.org())
}

/// Sort key prefix of the waiting leads of a page, or of all pages.
pub(in crate::table) fn waiting_prefix(page: Option<&PageId>) -> String {
    page.map_or_else(|| "PAGE#".to_owned(), |page| format!("PAGE#{page}#"))
}

pub(in crate::table) fn waiting(scope: &OrgScope, page: &PageId, lead: &LeadId) -> Key {
    Key { pk: waiting_pk(scope), sk: format!("{}LEAD#{lead}", waiting_prefix(Some(page))) }
}

pub(in crate::table) fn runs_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#RUNS", scope.org())
}

pub(in crate::table) fn run(scope: &OrgScope, run: &RunId) -> Key {
    Key { pk: runs_pk(scope), sk: format!("RUN#{run}") }
}

pub(in crate::table) fn imports_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#IMPORTS", scope.org())
}

pub(in crate::table) fn import(scope: &OrgScope, id: &ImportId) -> Key {
    Key { pk: imports_pk(scope), sk: format!("IMPORT#{id}") }
}

pub(in crate::table) fn import_pk(scope: &OrgScope, id: &ImportId) -> String {
    format!("ORG#{}#IMPORT#{id}", scope.org())
}

pub(in crate::table) fn import_part(scope: &OrgScope, id: &ImportId, first_line: u64) -> Key {
    Key { pk: import_pk(scope, id), sk: format!("PART#{first_line:010}") }
}

pub(in crate::table) fn import_removal(scope: &OrgScope, id: &ImportId, lead: &LeadId) -> Key {
    Key { pk: import_pk(scope, id), sk: format!("REMOVAL#{lead}") }
}

pub(in crate::table) fn exports_pk(scope: &OrgScope) -> String {
    format!("ORG#{}#EXPORTS", scope.org())
}

pub(in crate::table) fn export(scope: &OrgScope, id: &ExportId) -> Key {
    Key { pk: exports_pk(scope), sk: format!("EXPORT#{id}") }
}

pub(in crate::table) fn login(nonce: &str) -> Key {
    Key { pk: format!("LOGIN#{nonce}"), sk: "LOGIN".to_owned() }
}

pub(in crate::table) fn session(hash: &str) -> Key {
    Key { pk: format!("SESSION#{hash}"), sk: "SESSION".to_owned() }
}

/// Formats a time so that text order is time order: always whole seconds, always UTC.
pub(in crate::table) fn instant(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
