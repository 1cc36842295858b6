//! Form mappings: how the answers of a form become a lead's fields.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::forms::newest_lead;
use super::remap::remap;
use super::{LeadWriter, Leads};
use crate::audit::Trail;
use crate::cursor::ListCursor;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode};
use crate::ids::{FormId, LeadId, PageId, UserId};
use crate::model::audit::Word;
use crate::model::connection::Connection;
use crate::model::json_input::{maybe_whole, objects};
use crate::model::lead::form::{AnswerOption, Form, Question, label};
use crate::model::lead::mapping::{InvalidRule, Mapped, Mapping, Rule, check, field_of, map};
use crate::model::lead::standard_fields;
use crate::model::lead::{Answer, Lead};
use crate::table::lead::StoredLead;
use crate::table::lead_list::LeadFilter;
use crate::tr;

/// A form's mapping.
#[derive(Debug, Serialize, ToSchema)]
pub struct MappingOut {
    pub form_id: FormId,
    pub form_name: String,
    pub page_id: PageId,
    pub locale: Option<String>,
    pub questions: Vec<QuestionOut>,
    /// The version of the mapping; 0 until it is first set.
    pub version: u32,
    /// The rules. Fields without a rule are filled by the questions' types.
    pub rules: Vec<Rule>,
    pub country: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub changed_at: Option<Timestamp>,
    pub changed_by: Option<UserId>,
    /// The fields that map without a rule. Rules may name others.
    pub standard_fields: Vec<&'static str>,
}

/// A question.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionOut {
    /// The name by which rules refer to it.
    pub key: String,
    /// The text that people see.
    pub label: Option<String>,
    /// Meta's type.
    pub r#type: Option<String>,
    pub options: Vec<AnswerOption>,
    /// The field that it fills without a rule.
    pub field: Option<&'static str>,
}

/// The rule that fills one field of the lead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleIn {
    /// `full_name`, `email`, `phone` or any other name. Other names become members of the lead's `fields`.
    pub field: String,
    /// The keys of the questions whose answers are taken, in this order. Without keys the field receives the `default`,
    /// if any.
    #[serde(default)]
    pub from: Vec<String>,
    /// The separator between several answers, and between several values of one answer; a space by default.
    #[serde(default)]
    pub join: Option<String>,
    /// The value of the field if none of the questions was answered.
    #[serde(default)]
    pub default: Option<String>,
    /// Replacements for single answer values. A value that is not listed stays as it is.
    #[serde(default)]
    pub choices: BTreeMap<String, String>,
}

impl From<RuleIn> for Rule {
    fn from(RuleIn { field, from, join, default, choices }: RuleIn) -> Self {
        Self { field, from, join, default, choices }
    }
}

/// Rules of a caller, which have no other fields. A stored rule may have those of a later release.
fn rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Rule>, D::Error> {
    let rules: Vec<RuleIn> = objects(deserializer)?;
    Ok(rules.into_iter().map(Rule::from).collect())
}

/// A form's new mapping.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingIn {
    /// At most one rule for each field. With an empty list, all answers map by their questions' types.
    #[schema(max_items = 100, value_type = Vec<RuleIn>)]
    #[serde(deserialize_with = "rules")]
    pub rules: Vec<Rule>,
    /// The country assumed for phone numbers without a country code.
    pub country: Option<String>,
    /// The version that was last read. If it is set and the mapping has changed since, nothing is changed (409).
    #[serde(default, deserialize_with = "maybe_whole")]
    pub version: Option<u32>,
}

/// A mapping to preview.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewIn {
    #[schema(max_items = 100, value_type = Vec<RuleIn>)]
    #[serde(deserialize_with = "rules")]
    pub rules: Vec<Rule>,
    pub country: Option<String>,
    /// A lead of this form; by default its newest.
    pub lead_id: Option<LeadId>,
}

/// A lead's fields by the current mapping, and by the previewed one.
#[derive(Debug, Serialize, ToSchema)]
pub struct Preview {
    /// The lead; `null` if it is a lead at Meta that is not ingested.
    pub lead_id: Option<LeadId>,
    pub answers: Vec<Answer>,
    pub now: Mapped,
    pub then: Mapped,
}

/// Where to resume.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RerunIn {
    /// `next_cursor` of the previous response.
    pub cursor: Option<String>,
}

/// The result of re-mapping a batch of leads.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rerun {
    pub changed: usize,
    pub unchanged: usize,
    /// Pass it as `cursor` in the next call; `null` at the end.
    pub next_cursor: Option<String>,
}

/// Takes down which questions are mapped. What answers are replaced with may be personal, and is left out.
fn record_mapping(trail: &Trail, before: Option<&Mapping>, after: &Mapping) {
    fn keys(mapping: &Mapping) -> Vec<Word<'_>> {
        mapping.rules.iter().flat_map(|rule| &rule.from).map(|key| Word(key)).collect()
    }
    trail.changed("version", &before.map(|mapping| mapping.version), &Some(after.version));
    trail.changed("rules.from", &before.map(keys), &Some(keys(after)));
    trail.withheld("rules", &before.map(|mapping| &mapping.rules), &Some(&after.rules));
    let country = |mapping: &Mapping| mapping.country.clone();
    let (was, is) = (before.and_then(country), country(after));
    trail.changed("country", &was.as_deref().map(Word), &is.as_deref().map(Word));
}

impl Leads {
    /// Reads a form and how its answers are mapped.
    pub async fn mapping(&self, access: &MetaAccess, id: &FormId) -> Result<MappingOut, ActError> {
        let ((page, form), mapping) = tokio::try_join!(self.form(access, id), self.stored_mapping(access, id))?;
        Ok(mapping_out(id.clone(), &page, form, mapping))
    }

    /// Changes how a form's answers are mapped from now on.
    ///
    /// # Errors
    /// [`ErrorCode::RuleInvalid`] if a rule does not fit the form. [`ErrorCode::MappingChanged`] if the mapping has
    /// changed since the version in `input`, or changes concurrently.
    pub async fn set_mapping(
        &self,
        access: &MetaAccess,
        id: &FormId,
        input: MappingIn,
    ) -> Result<MappingOut, ActError> {
        let (page, form) = self.form(access, id).await?;
        check(&input.rules, input.country.as_deref(), &form).map_err(|error| rule_invalid(&error))?;
        let stored = self.stored_mapping(access, id).await?;
        let before = stored.as_ref().map_or(0, |mapping| mapping.version);
        let changed_meanwhile = || {
            let detail = tr!("Another user has changed this mapping. Load it again, then repeat your change.");
            ActError::refuse(ErrorCode::MappingChanged, detail)
        };
        if input.version.is_some_and(|seen| seen != before) {
            return Err(changed_meanwhile());
        }
        let mapping = Mapping {
            version: before + 1,
            rules: input.rules,
            country: input.country.map(|country| country.to_uppercase()),
            changed_at: crate::clock::now(),
            changed_by: access.caller.user.clone(),
        };
        if !self.table.put_mapping(&access.scope, id, &mapping).await? {
            return Err(changed_meanwhile());
        }
        record_mapping(&access.trail, stored.as_ref(), &mapping);
        Ok(mapping_out(id.clone(), &page, form, Some(mapping)))
    }

    /// Tries a mapping on a real lead, and changes nothing.
    ///
    /// # Errors
    /// [`ErrorCode::RuleInvalid`] if a rule does not fit the form. [`ErrorCode::NoLead`] if the form has no lead to try
    /// it on.
    pub async fn preview_mapping(
        &self,
        access: &MetaAccess,
        id: &FormId,
        input: PreviewIn,
    ) -> Result<Preview, ActError> {
        let ((page, form), now) = tokio::try_join!(self.form(access, id), self.stored_mapping(access, id))?;
        check(&input.rules, input.country.as_deref(), &form).map_err(|error| rule_invalid(&error))?;
        let version = now.as_ref().map_or(0, |mapping| mapping.version) + 1;
        let (changed_at, changed_by) = (crate::clock::now(), access.caller.user.clone());
        let then = Mapping { version, rules: input.rules, country: input.country, changed_at, changed_by };
        let country = self.table.org(&access.scope).await?.and_then(|org| org.default_country);
        let country = country.as_deref();
        if let Some(lead) = self.sample_lead(access, id, input.lead_id.as_ref()).await? {
            let read = |mapping: Option<&Mapping>| map(&lead.answers, Some(&form), mapping, country);
            let (now, then) = (read(now.as_ref()), read(Some(&then)));
            return Ok(Preview { lead_id: Some(lead.id), answers: lead.answers, now, then });
        }
        // No lead is stored: try the newest that Meta has.
        let newest = match newest_lead(&self.tokens.meta, &page, id).await {
            Ok(newest) => newest,
            Err(error) => return Err(self.tokens.explain(&access.scope, &page.integration_id, error).await),
        };
        let none = || {
            let detail = tr!("This form has no lead yet. Send a test lead, or fill in the form yourself.");
            ActError::refuse(ErrorCode::NoLead, detail)
        };
        let answers = label(&newest.ok_or_else(none)?.raw_answers(), Some(&form));
        let read = |mapping: Option<&Mapping>| map(&answers, Some(&form), mapping, country);
        let (now, then) = (read(now.as_ref()), read(Some(&then)));
        Ok(Preview { lead_id: None, answers, now, then })
    }

    /// Re-maps the next page of a form's earlier leads.
    ///
    /// # Errors
    /// After an error, resume with the same cursor.
    pub async fn remap(&self, access: &MetaAccess, id: &FormId, input: RerunIn) -> Result<Rerun, ActError> {
        let (_, form) = self.form(access, id).await?;
        let mapping = self.stored_mapping(access, id).await?;
        let list = format!("leads of form {id}");
        let cursor = ListCursor::new(&self.key, &access.scope, &list);
        let after = cursor.decode(input.cursor.as_deref())?;
        let writer = LeadWriter { table: self.table.clone(), bus: self.bus.clone() };
        let done = remap(&writer, &access.scope, (id, &form), mapping.as_ref(), after).await?;
        let next_cursor = done.next.map(|position| cursor.encode(&position));
        Ok(Rerun { changed: done.changed, unchanged: done.unchanged, next_cursor })
    }

    async fn stored_mapping(&self, access: &MetaAccess, id: &FormId) -> Result<Option<Mapping>, ActError> {
        Ok(self.table.mappings(&access.scope, std::slice::from_ref(id)).await?.pop().map(|(_, mapping)| mapping))
    }

    /// Returns the lead `lead_id`, or else the form's newest stored lead.
    async fn sample_lead(
        &self,
        access: &MetaAccess,
        form: &FormId,
        lead_id: Option<&LeadId>,
    ) -> Result<Option<Lead>, ActError> {
        if let Some(id) = lead_id {
            return match self.table.find_lead(&access.scope, id).await? {
                Some(StoredLead::Lead(lead)) if lead.attribution.form_id.as_ref() == Some(form) => Ok(Some(*lead)),
                _ => Err(ActError::invalid(
                    "lead_id",
                    ErrorCode::LeadUnknown,
                    tr!("A lead of this form. Leave it out to use the newest lead."),
                )),
            };
        }
        let filter = LeadFilter { form: Some(form.clone()), ..LeadFilter::default() };
        Ok(self.table.leads(&access.scope, &filter, None, 1).await?.0.pop())
    }
}

fn rule_invalid(error: &InvalidRule) -> ActError {
    ActError::invalid(error.field.clone(), ErrorCode::RuleInvalid, error.fix.clone())
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
