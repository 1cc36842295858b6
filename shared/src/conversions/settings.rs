//! What an integration reports to Meta: the dataset, the events, and how far they cover the leads.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Conversions;
use crate::audit::Trail;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing, WorkError};
use crate::graph::conversions::DatasetNode;
use crate::ids::{DatasetId, IntegrationId};
use crate::model::audit::Word;
use crate::model::connection::Integration;
use crate::model::conversion::{
    COVERAGE_WINDOW, ConversionFault, ConversionSettings, TEST_CODE_TTL, TestEventCode, default_events,
};
use crate::model::lead::Status;
use crate::model::limit::OrgLimit;
use crate::table::conversion::ConversionCounts;
use crate::tr;

/// What an integration is to report.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversionsIn {
    /// The dataset that receives the events; `null` to report nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    pub dataset_id: Option<DatasetId>,
    /// The name of the event for each status. A status without one is not reported. If absent, every status has one.
    #[schema(value_type = Option<BTreeMap<Status, String>>)]
    pub events: Option<BTreeMap<Status, String>>,
    /// A code of Meta's Test Events page, sent for 24 hours. Meta counts events with a code like all others.
    #[schema(pattern = "^[A-Za-z0-9]{0,50}$")]
    pub test_event_code: Option<String>,
}

/// What an integration reports.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversionsOut {
    /// `null` if it reports nothing.
    pub dataset_id: Option<DatasetId>,
    #[schema(value_type = BTreeMap<String, String>)]
    pub events: BTreeMap<Status, String>,
    /// `null` once its 24 hours are over.
    pub test_event_code: Option<String>,
    /// Why events wait; `null` if they do not.
    pub fault: Option<ConversionFault>,
    pub coverage: Coverage,
}

/// How far the leads of the last 28 days are followed. Meta optimises for a stage that 1 to 40 in 100 leads reach.
#[derive(Debug, Serialize, ToSchema)]
pub struct Coverage {
    pub days: i64,
    /// Leads that Meta was told of.
    pub leads: u64,
    /// Of these, with a later status within 28 days.
    pub followed: u64,
    /// `followed` as a share of `leads`, between 0 and 1; `null` without leads.
    #[schema(value_type = Option<String>)]
    pub share: Option<Decimal>,
}

/// The datasets that an integration can write to.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatasetList {
    pub items: Vec<DatasetOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

/// A dataset, which Meta also calls a pixel.
#[derive(Debug, Serialize, ToSchema)]
pub struct DatasetOut {
    pub id: DatasetId,
    pub name: String,
    /// Whether it was made for the events of a CRM.
    pub is_crm: bool,
    pub last_fired_time: Option<String>,
}

fn record_settings(trail: &Trail, before: Option<&ConversionSettings>, after: Option<&ConversionSettings>) {
    let dataset = |of: Option<&ConversionSettings>| of.map(|settings| settings.dataset_id.clone());
    trail.changed("dataset_id", &dataset(before), &dataset(after));
    let statuses: BTreeSet<Status> =
        before.into_iter().chain(after).flat_map(|settings| settings.events.keys().copied()).collect();
    for status in statuses {
        let event = |of: Option<&ConversionSettings>| of.and_then(|settings| settings.events.get(&status).cloned());
        let (was, is) = (event(before), event(after));
        trail.changed(&format!("events.{status}"), &was.as_deref().map(Word), &is.as_deref().map(Word));
    }
    let code = |of: Option<&ConversionSettings>| of.and_then(|settings| Some(settings.test.as_ref()?.code.clone()));
    trail.withheld("test_event_code", &code(before), &code(after));
}

impl Conversions {
    /// Reads what an integration reports.
    pub async fn get(&self, access: &MetaAccess, id: &IntegrationId) -> Result<ConversionsOut, ActError> {
        let integration = self.tokens.integration(&access.scope, id).await?;
        self.describe(access, &integration, crate::clock::now()).await
    }

    /// Changes what an integration reports.
    ///
    /// # Errors
    /// Refuses a dataset that the integration does not reach, and events without a name of their own.
    pub async fn change(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        input: ConversionsIn,
    ) -> Result<ConversionsOut, ActError> {
        let now = crate::clock::now();
        let integration = match input.dataset_id {
            None => self.tokens.integration(&access.scope, id).await?,
            Some(_) => self.tokens.usable_integration(&access.scope, id, now).await?,
        };
        let events = check_events(input.events)?;
        let test = check_test_code(input.test_event_code, now)?;
        let settings = match input.dataset_id {
            None => None,
            Some(dataset_id) => {
                if !self.read_datasets(access, &integration).await?.iter().any(|node| node.id == dataset_id) {
                    let message =
                        tr!("This integration has no access to this dataset. Assign it in Meta Business settings.");
                    return Err(ActError::invalid("dataset_id", ErrorCode::DatasetUnknown, message));
                }
                Some(ConversionSettings { dataset_id, events, test })
            }
        };
        if !self.tokens.table.set_conversions(&access.scope, id, settings.as_ref()).await? {
            return Err(ActError::not_found(Missing::Integration));
        }
        record_settings(&access.trail, integration.conversions.as_ref(), settings.as_ref());
        tracing::info!(org = %access.scope.org(), integration = %id, ?settings, by = %access.caller.user, "conversions changed");
        let changed = Integration { conversions: settings, conversion_fault: None, ..integration };
        self.describe(access, &changed, now).await
    }

    /// Lists the datasets that an integration reaches, read live from Meta.
    pub async fn datasets(&self, access: &MetaAccess, id: &IntegrationId) -> Result<DatasetList, ActError> {
        let integration = self.tokens.usable_integration(&access.scope, id, crate::clock::now()).await?;
        let nodes = self.read_datasets(access, &integration).await?.into_iter();
        let dataset = |node: DatasetNode| {
            let DatasetNode { id, name, is_crm, last_fired_time } = node;
            DatasetOut { id, name, is_crm, last_fired_time }
        };
        Ok(DatasetList { items: nodes.map(dataset).collect(), next_cursor: None })
    }

    async fn read_datasets(
        &self,
        access: &MetaAccess,
        integration: &Integration,
    ) -> Result<Vec<DatasetNode>, ActError> {
        access.count(&self.tokens.table, OrgLimit::MetaCalls).await?;
        let meta = &self.tokens.meta;
        let read = async {
            let token = meta.vault.user_token(&integration.credentials).await?;
            Ok::<_, WorkError>(meta.graph().await?.datasets(&token).await?)
        };
        match read.await {
            Ok(nodes) => Ok(nodes),
            Err(error) => Err(self.tokens.explain(&access.scope, &integration.id, error).await),
        }
    }

    async fn describe(
        &self,
        access: &MetaAccess,
        integration: &Integration,
        now: Timestamp,
    ) -> Result<ConversionsOut, ActError> {
        let day = |at: Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let (first, last) = (day(now - COVERAGE_WINDOW), day(now));
        let table = &self.tokens.table;
        let counts = table.conversion_counts(&access.scope, &integration.id, first, last).await?;
        let settings = integration.conversions.as_ref();
        Ok(ConversionsOut {
            dataset_id: settings.map(|settings| settings.dataset_id.clone()),
            events: settings.map_or_else(default_events, |settings| settings.events.clone()),
            test_event_code: settings.and_then(|settings| settings.test_event_code(now)).map(str::to_owned),
            fault: integration.conversion_fault.clone(),
            coverage: Coverage::new(counts),
        })
    }
}

impl Coverage {
    fn new(ConversionCounts { leads, followed }: ConversionCounts) -> Self {
        let share = Decimal::from(followed).checked_div(Decimal::from(leads)).map(|share| share.round_dp(4));
        Self { days: COVERAGE_WINDOW.as_hours() / 24, leads, followed, share }
    }
}

fn check_events(events: Option<BTreeMap<Status, String>>) -> Result<BTreeMap<Status, String>, ActError> {
    /// Meta's limit for names of custom events.
    const MAX_NAME: usize = 50;
    let Some(events) = events else { return Ok(default_events()) };
    let mut names = BTreeSet::new();
    let mut checked = BTreeMap::new();
    for (status, name) in events {
        let name = name.trim().to_owned();
        let invalid = |message: Cow<'static, str>| {
            ActError::invalid(format!("events.{status}"), ErrorCode::EventsInvalid, message)
        };
        if !(1..=MAX_NAME).contains(&name.chars().count()) {
            return Err(invalid(tr!("1 to 50 characters.")));
        }
        if !names.insert(name.clone()) {
            return Err(invalid(tr!("Another status has this name. Meta could not tell the two stages apart.")));
        }
        checked.insert(status, name);
    }
    Ok(checked)
}

pub(super) fn check_test_code(code: Option<String>, now: Timestamp) -> Result<Option<TestEventCode>, ActError> {
    let Some(code) = code.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty()) else { return Ok(None) };
    if code.len() > 50 || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let message = tr!("A code of at most 50 letters and digits, as Meta's Test Events page shows it.");
        return Err(ActError::invalid("test_event_code", ErrorCode::LengthInvalid, message));
    }
    Ok(Some(TestEventCode { code, until: now + TEST_CODE_TTL }))
}
