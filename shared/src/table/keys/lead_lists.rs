//! The keys of the lists that a lead is in.

use jiff::Timestamp;
use serde::Serialize;

use super::{IndexKey, Key, instant};
use crate::ids::{BulkChangeId, FormId, LeadId, OrgScope, PageId, UserId};
use crate::model::lead::name::SearchNames;
use crate::model::lead::{Lead, Status};

/// Sort key prefix of a person's views.
pub(in crate::table) const LEAD_VIEW_PREFIX: &str = "VIEW#";

pub(in crate::table) fn lead_views_pk(scope: &OrgScope, user: &UserId) -> String {
    format!("ORG#{}#LEAD_VIEWS#{user}", scope.org())
}

/// A view that a person keeps under this name.
pub(in crate::table) fn lead_view(scope: &OrgScope, user: &UserId, name: &str) -> Key {
    Key { pk: lead_views_pk(scope, user), sk: format!("{LEAD_VIEW_PREFIX}{name}") }
}

/// Sort key prefix of the parts of a change of several leads.
pub(in crate::table) const BULK_CHANGE_PREFIX: &str = "PART#";

pub(in crate::table) fn bulk_change_pk(scope: &OrgScope, id: &BulkChangeId) -> String {
    format!("ORG#{}#BULK_CHANGE#{id}", scope.org())
}

pub(in crate::table) fn bulk_change(scope: &OrgScope, id: &BulkChangeId, part: u32) -> Key {
    Key { pk: bulk_change_pk(scope, id), sk: format!("{BULK_CHANGE_PREFIX}{part:05}") }
}

pub(in crate::table) fn leads_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#LEADS", scope.org())
}

/// The lists that a lead is in. Within the beginning of a sort key that a list has in common, it is sorted by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::table) struct LeadLists {
    /// All leads of the org, by status.
    #[serde(flatten)]
    pub(in crate::table) statuses: IndexKey,
    gsi2pk: String,
    /// By assignee and status.
    pub(in crate::table) gsi2sk: String,
    gsi3pk: String,
    /// By page and form.
    gsi3sk: String,
    /// By name; absent without one.
    #[serde(flatten)]
    pub(in crate::table) names: LeadNames,
}

/// The positions of a lead in the lists of names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(in crate::table) struct LeadNames {
    pub(in crate::table) gsi4pk: Option<String>,
    /// The whole name.
    pub(in crate::table) gsi4sk: Option<String>,
    pub(in crate::table) gsi5pk: Option<String>,
    /// The name with the last name in front.
    pub(in crate::table) gsi5sk: Option<String>,
}

/// The positions of a lead of this name.
pub(in crate::table) fn lead_names(scope: &OrgScope, lead: &Lead) -> LeadNames {
    let names = SearchNames::new(lead.full_name.as_deref(), lead.fields.get("last_name").map(String::as_str));
    let position = lead_position(lead.created_time, &lead.id);
    let key = |name: &Option<String>| {
        (name.as_ref().map(|_| named_leads_of_org(scope)), name.as_ref().map(|name| format!("{name}#{position}")))
    };
    let ((gsi4pk, gsi4sk), (gsi5pk, gsi5sk)) = (key(&names.given_first), key(&names.last_first));
    LeadNames { gsi4pk, gsi4sk, gsi5pk, gsi5sk }
}

/// Index partition of the org's leads by name, in each of the two orders of a name.
pub(in crate::table) fn named_leads_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#LEADS#NAMES", scope.org())
}

/// The lists of a lead with this status and assignee. What it does not have is an empty part of a key.
pub(in crate::table) fn lead_lists(
    scope: &OrgScope,
    lead: &Lead,
    status: Status,
    assignee: Option<&UserId>,
) -> LeadLists {
    let position = lead_position(lead.created_time, &lead.id);
    let form = lead.attribution.form_id.as_ref();
    LeadLists {
        statuses: IndexKey { gsi1pk: leads_of_org(scope), gsi1sk: format!("{}{position}", leads_with_status(status)) },
        gsi2pk: assigned_leads_of_org(scope),
        gsi2sk: format!("{}{position}", assigned_leads(assignee.map(UserId::as_str), status)),
        gsi3pk: page_leads_of_org(scope),
        gsi3sk: format!(
            "{}{position}",
            form_leads(lead.page_id.as_ref().map_or("", PageId::as_str), form.map_or("", FormId::as_str))
        ),
        names: lead_names(scope, lead),
    }
}

/// The end of a lead's sort keys: its position in time.
pub(in crate::table) fn lead_position(created: Timestamp, lead: &LeadId) -> String {
    format!("{}#{lead}", instant(created))
}

/// The beginning of the sort keys of leads with this status.
pub(in crate::table) fn leads_with_status(status: Status) -> String {
    format!("{status}#")
}

/// Index partition of the org's leads by assignee.
pub(in crate::table) fn assigned_leads_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#LEADS#ASSIGNEES", scope.org())
}

/// The beginning of the sort keys of this assignee's leads with this status.
pub(in crate::table) fn assigned_leads(assignee: Option<&str>, status: Status) -> String {
    format!("{}#{status}#", assignee.unwrap_or_default())
}

/// Index partition of the org's leads by page.
pub(in crate::table) fn page_leads_of_org(scope: &OrgScope) -> String {
    format!("ORG#{}#LEADS#PAGES", scope.org())
}

/// The beginning of the sort keys of this form's leads.
pub(in crate::table) fn form_leads(page: &str, form: &str) -> String {
    format!("{page}#{form}#")
}
