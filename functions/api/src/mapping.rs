//! How the answers of a form become a lead's fields.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use shared::http::{Problem, cursor, place};
use shared::ids::{FormId, LeadId, OrgScope, PageId, UserId};
use shared::intake::{Ledger, map_again, newest_lead};
use shared::model::form::{AnswerOption, Form, Question, label};
use shared::model::integration::Connection;
use shared::model::lead::{Answer, Lead};
use shared::model::mapping::{InvalidRule, Mapped, Mapping, Rule, check, field_of, map};
use shared::model::standard_fields;
use shared::table::lead::Stored;
use shared::table::lead_list::LeadFilter;
use utoipa::ToSchema;

use crate::access::{Access, MetaAccess};
use crate::forms::find_one;
use crate::input::Input;
use crate::integrations::find;
use crate::router::Api;
use crate::usable::of_meta;

/// How a form's answers are read.
#[derive(Serialize, ToSchema)]
pub(crate) struct MappingOut {
    form_id: FormId,
    form_name: String,
    page_id: PageId,
    locale: Option<String>,
    questions: Vec<QuestionOut>,
    /// 0 as long as nobody has said how.
    version: u32,
    /// Fields without a rule are filled by the questions' types.
    rules: Vec<Rule>,
    country: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    changed_at: Option<Timestamp>,
    changed_by: Option<UserId>,
    /// The fields that map by themselves; rules may name others.
    standard_fields: Vec<&'static str>,
}

/// A question.
#[derive(Serialize, ToSchema)]
pub(crate) struct QuestionOut {
    /// What rules call it.
    key: String,
    /// What people read.
    label: Option<String>,
    /// Meta's type.
    r#type: Option<String>,
    options: Vec<AnswerOption>,
    /// The field that it fills by itself.
    field: Option<&'static str>,
}

/// How a form's answers are to be read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MappingIn {
    /// At most one for each field; none at all is as before anybody said anything.
    rules: Vec<Rule>,
    /// How phone numbers without a country code are read.
    country: Option<String>,
    /// The version that was seen: if it is given and somebody has changed the mapping since, nothing is changed (409).
    version: Option<u32>,
}

/// What a mapping would make of a lead.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewIn {
    rules: Vec<Rule>,
    country: Option<String>,
    /// A lead of this form; its newest if left out.
    lead_id: Option<LeadId>,
}

/// A lead as it is read now, and as it would be.
#[derive(Serialize, ToSchema)]
pub(crate) struct Preview {
    /// The lead; `null` if it is one that Meta has and that is not in.
    lead_id: Option<LeadId>,
    answers: Vec<Answer>,
    now: Mapped,
    then: Mapped,
}

/// Where to go on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RerunIn {
    /// `next_cursor` of the previous answer.
    cursor: Option<String>,
}

/// What reading leads anew has changed.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rerun {
    changed: usize,
    unchanged: usize,
    /// Call again with it to go on; `null` at the end.
    next_cursor: Option<String>,
}

/// How a form's answers are read
#[utoipa::path(
    get, path = "/api/meta/forms/{id}/mapping", tag = "forms", operation_id = "readMapping",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    responses((status = 200, body = MappingOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn read(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
) -> Result<Json<MappingOut>, Problem> {
    let (id, page, form) = find_one(&api, &scope, &id).await?;
    let mapping = mapping_of(&api, &scope, &id).await?;
    Ok(Json(mapping_out(id, &page, form, mapping)))
}

/// Say how a form's answers are read
///
/// It holds for leads that come from now on; `…/mapping/rerun` reads earlier ones anew.
#[utoipa::path(
    put, path = "/api/meta/forms/{id}/mapping", tag = "forms", operation_id = "changeMapping",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = MappingIn,
    responses((status = 200, body = MappingOut), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn change(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<MappingIn>,
) -> Result<Json<MappingOut>, Problem> {
    let (id, page, form) = find_one(&api, &scope, &id).await?;
    check(&given.rules, given.country.as_deref(), &form).map_err(|error| rule_invalid(&error))?;
    let before = mapping_of(&api, &scope, &id).await?.map_or(0, |mapping| mapping.version);
    let changed_meanwhile = || {
        let detail = "Somebody else has changed this mapping. Read it again, and change that.";
        Problem::new(StatusCode::CONFLICT, "mapping_changed", detail)
    };
    if given.version.is_some_and(|seen| seen != before) {
        return Err(changed_meanwhile());
    }
    let mapping = Mapping {
        version: before + 1,
        rules: given.rules,
        country: given.country.map(|country| country.to_uppercase()),
        changed_at: shared::clock::now(),
        changed_by: caller.user,
    };
    if !api.table.put_mapping(&scope, &id, &mapping).await? {
        return Err(changed_meanwhile());
    }
    Ok(Json(mapping_out(id, &page, form, Some(mapping))))
}

/// Try a mapping on a real lead
///
/// Nothing is changed.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/mapping/preview", tag = "forms", operation_id = "previewMapping",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = PreviewIn,
    responses((status = 200, body = Preview), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn preview(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, caller }): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<PreviewIn>,
) -> Result<Json<Preview>, Problem> {
    let (id, page, form) = find_one(&api, &scope, &id).await?;
    check(&given.rules, given.country.as_deref(), &form).map_err(|error| rule_invalid(&error))?;
    let now = mapping_of(&api, &scope, &id).await?;
    let version = now.as_ref().map_or(0, |mapping| mapping.version) + 1;
    let (changed_at, changed_by) = (shared::clock::now(), caller.user);
    let then = Mapping { version, rules: given.rules, country: given.country, changed_at, changed_by };
    let country = api.table.org(&scope).await?.and_then(|org| org.default_country);
    let country = country.as_deref();
    if let Some(lead) = lead_of(&api, &scope, &id, given.lead_id.as_ref()).await? {
        let read = |mapping: Option<&Mapping>| map(&lead.answers, Some(&form), mapping, country);
        let (now, then) = (read(now.as_ref()), read(Some(&then)));
        return Ok(Json(Preview { lead_id: Some(lead.id), answers: lead.answers, now, then }));
    }
    let newest = match newest_lead(&api.connector.meta, &page, &id).await {
        Ok(newest) => newest,
        Err(error) => {
            let integration = find(&api, &scope, page.integration_id.as_str()).await?;
            return Err(of_meta(&api, &scope, &integration, error).await);
        }
    };
    let none = || {
        let detail = "This form has no lead yet. POST …/test-lead makes one, or fill in the form yourself.";
        Problem::new(StatusCode::NOT_FOUND, "no_lead", detail)
    };
    let answers = label(&newest.ok_or_else(none)?.given(), Some(&form));
    let read = |mapping: Option<&Mapping>| map(&answers, Some(&form), mapping, country);
    let (now, then) = (read(now.as_ref()), read(Some(&then)));
    Ok(Json(Preview { lead_id: None, answers, now, then }))
}

/// Read a form's earlier leads anew
///
/// By the mapping as it is now, newest first, some at a time: call again with `next_cursor` until it is `null`. Leads
/// that read otherwise are changed and told as `lead.updated`.
#[utoipa::path(
    post, path = "/api/meta/forms/{id}/mapping/rerun", tag = "forms", operation_id = "rerunMapping",
    params(("id" = String, Path), ("orgid" = String, Header, description = "The org to act for")),
    request_body = RerunIn,
    responses((status = 200, body = Rerun), (status = "4XX", body = Problem, content_type = "application/problem+json"))
)]
pub(crate) async fn rerun(
    State(api): State<Arc<Api>>,
    MetaAccess(Access { scope, .. }): MetaAccess,
    Path(id): Path<String>,
    Input(given): Input<RerunIn>,
) -> Result<Json<Rerun>, Problem> {
    let (id, _, form) = find_one(&api, &scope, &id).await?;
    let mapping = mapping_of(&api, &scope, &id).await?;
    let list = format!("leads of form {id}");
    let after = given.cursor.map(|given| place(&api.key, &scope, &list, &given)).transpose()?;
    let ledger = Ledger { table: api.table.clone(), bus: api.connector.bus.clone() };
    let done = map_again(&ledger, &scope, (&id, &form), mapping.as_ref(), after).await?;
    let next_cursor = done.next.map(|place| cursor(&api.key, &scope, &list, &place));
    Ok(Json(Rerun { changed: done.changed, unchanged: done.unchanged, next_cursor }))
}

async fn mapping_of(api: &Api, scope: &OrgScope, id: &FormId) -> Result<Option<Mapping>, Problem> {
    Ok(api.table.mappings(scope, std::slice::from_ref(id)).await?.pop().map(|(_, mapping)| mapping))
}

/// The lead that somebody named, or the form's newest that is in.
async fn lead_of(api: &Api, scope: &OrgScope, form: &FormId, named: Option<&LeadId>) -> Result<Option<Lead>, Problem> {
    if let Some(id) = named {
        return match api.table.stored(scope, id).await? {
            Some(Stored::Lead(lead)) if lead.form_id.as_ref() == Some(form) => Ok(Some(*lead)),
            _ => Err(Problem::field("lead_id", "lead_unknown", "A lead of this form, or leave it out for the newest.")),
        };
    }
    let filter = LeadFilter { equal: vec![("form_id", form.to_string())], ..LeadFilter::default() };
    Ok(api.table.leads(scope, &filter, None, 1).await?.0.pop())
}

fn rule_invalid(error: &InvalidRule) -> Problem {
    Problem::field(&error.field, "rule_invalid", error.fix.clone())
}

fn mapping_out(id: FormId, page: &Connection, form: Form, mapping: Option<Mapping>) -> MappingOut {
    let fields: Vec<Option<&'static str>> =
        form.questions.iter().map(|question| field_of(&question.key, Some(&form))).collect();
    let question = |(question, field): (Question, Option<&'static str>)| QuestionOut {
        key: question.key,
        label: question.label,
        r#type: question.kind,
        options: question.options,
        field,
    };
    let (changed_at, changed_by) =
        mapping.as_ref().map(|mapping| (mapping.changed_at, mapping.changed_by.clone())).unzip();
    MappingOut {
        form_id: id,
        form_name: form.name,
        page_id: page.page_id.clone(),
        locale: form.locale,
        questions: form.questions.into_iter().zip(fields).map(question).collect(),
        version: mapping.as_ref().map_or(0, |mapping| mapping.version),
        country: mapping.as_ref().and_then(|mapping| mapping.country.clone()),
        rules: mapping.map(|mapping| mapping.rules).unwrap_or_default(),
        changed_at,
        changed_by,
        standard_fields: standard_fields::names().collect(),
    }
}
