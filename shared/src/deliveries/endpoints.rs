//! Endpoints as an org's admins enter and change them.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strum::IntoEnumIterator;
use url::Url;
use utoipa::ToSchema;

use super::Deliveries;
use crate::audit::Trail;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, Missing};
use crate::ids::{EndpointId, OrgScope};
use crate::model::audit::Word;
use crate::model::delivery::schedule::{EndpointHealth, RETIRED_SECRET_TTL};
use crate::model::delivery::signature::endpoint_secret;
use crate::model::delivery::{DisabledReason, Endpoint, RetiredSecret};
use crate::model::event::EventKind;
use crate::model::web_address::parse_endpoint;
use crate::table::endpoint::EndpointChange;
use crate::tr;

/// Endpoints of an org. Each costs a request and some writes for every event.
const MAX_ENDPOINTS: usize = 5;
/// Secrets that sign at once, the current one included. Each makes the header longer.
const MAX_SECRETS: usize = 4;
const MAX_DESCRIPTION: usize = 200;

/// A new endpoint.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointIn {
    /// An address on https and on the public internet, on the port 443 or one from 1024 on.
    #[schema(pattern = "^https://", max_length = 2000)]
    pub url: String,
    /// What it is for: at most 200 characters.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub description: String,
    /// The names of the events that it receives, such as `lead.created`; all if absent or `null`.
    #[schema(min_items = 1)]
    pub events: Option<Vec<String>>,
    /// Whether events are sent to it; `true` if absent.
    #[serde(default = "yes")]
    pub active: bool,
}

fn yes() -> bool {
    true
}

/// Changes of an endpoint. What is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointPatch {
    #[schema(pattern = "^https://", max_length = 2000)]
    pub url: Option<String>,
    #[schema(max_length = 200)]
    pub description: Option<String>,
    /// The names of the events that it receives; `null` for all.
    #[serde(default, with = "serde_with::rust::double_option")]
    #[schema(value_type = Option<Vec<String>>)]
    pub events: Option<Option<Vec<String>>>,
    /// `true` also activates an endpoint again that Leadwire deactivated.
    pub active: Option<bool>,
}

/// An endpoint.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EndpointOut {
    pub id: EndpointId,
    pub url: String,
    pub description: String,
    /// The names of the events that it receives; `null` for all.
    pub events: Option<Vec<String>>,
    /// Whether events are sent to it.
    pub active: bool,
    pub state: EndpointState,
    /// Why Leadwire deactivated it; `null` if it did not.
    pub reason: Option<DisabledReason>,
    /// `reason` in words.
    pub reason_message: Option<Cow<'static, str>>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub disabled_at: Option<Timestamp>,
    /// Since when every try has failed. After three days the endpoint is deactivated.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before the current one signs too.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub previous_secret_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// The state of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndpointState {
    /// Events are sent to it.
    Active,
    /// Events are sent to it, and it has accepted none lately.
    Failing,
    /// An admin deactivated it. Events are logged as not delivered.
    Inactive,
    /// Leadwire deactivated it. Events are logged as not delivered.
    Disabled,
}

/// An endpoint with its secret, which is shown once.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointWithSecret {
    #[serde(flatten)]
    pub endpoint: EndpointOut,
    /// Verifies signatures: `whsec_` and 32 bytes in base64.
    pub secret: String,
}

/// The endpoints of an org.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndpointList {
    pub items: Vec<EndpointOut>,
    /// Always `null`: all are listed.
    pub next_cursor: Option<String>,
}

impl EndpointOut {
    fn new(endpoint: Endpoint, now: Timestamp) -> Self {
        let state = match (&endpoint.disabled, endpoint.active) {
            (Some(_), false) => EndpointState::Disabled,
            (None, false) => EndpointState::Inactive,
            (_, true) if endpoint.health.failing_since.is_some() => EndpointState::Failing,
            (_, true) => EndpointState::Active,
        };
        let disabled = endpoint.disabled;
        Self {
            id: endpoint.id,
            url: endpoint.url,
            description: endpoint.description,
            events: endpoint.events,
            active: endpoint.active,
            state,
            reason: disabled.as_ref().map(|it| it.reason),
            reason_message: disabled.as_ref().map(|it| it.reason.message()),
            disabled_at: disabled.map(|it| it.at),
            failing_since: endpoint.health.failing_since,
            previous_secret_until: endpoint.retired_secrets.iter().map(|it| it.until).max().filter(|it| now < *it),
            created_at: endpoint.created_at,
            updated_at: endpoint.updated_at,
        }
    }
}

impl Deliveries {
    /// Lists the org's endpoints, oldest first.
    pub async fn endpoints(&self, access: &MetaAccess) -> Result<EndpointList, ActError> {
        let now = crate::clock::now();
        let endpoints = self.table.for_display().endpoints(&access.scope).await?;
        let items = endpoints.into_iter().map(|endpoint| EndpointOut::new(endpoint, now)).collect();
        Ok(EndpointList { items, next_cursor: None })
    }

    /// Reads an endpoint.
    pub async fn endpoint(&self, access: &MetaAccess, id: &EndpointId) -> Result<EndpointOut, ActError> {
        Ok(EndpointOut::new(self.find_endpoint(&access.scope, id).await?, crate::clock::now()))
    }

    /// Adds an endpoint and returns its secret.
    ///
    /// # Errors
    /// Refuses an address that events may not be sent to, unknown events, and a sixth endpoint.
    pub async fn add_endpoint(&self, access: &MetaAccess, input: EndpointIn) -> Result<EndpointWithSecret, ActError> {
        let now = crate::clock::now();
        let endpoint = Endpoint {
            id: EndpointId::new(),
            url: self.check_url(&input.url)?,
            description: check_description(input.description)?,
            events: check_names(input.events)?,
            active: input.active,
            secret_version: 1,
            retired_secrets: Vec::new(),
            health: EndpointHealth::default(),
            disabled: None,
            created_at: now,
            updated_at: now,
        };
        let too_many = || {
            let message = tr!("An org has at most {most} endpoints. Delete one first.", most = MAX_ENDPOINTS);
            ActError::refuse(ErrorCode::LimitReached, message)
        };
        if self.table.endpoints(&access.scope).await?.len() >= MAX_ENDPOINTS {
            return Err(too_many());
        }
        self.table.insert_endpoint(&access.scope, &endpoint).await?;
        // Another one may have been added at the same time. The last one goes.
        let all = self.table.endpoints(&access.scope).await?;
        if all.iter().position(|other| other.id == endpoint.id).is_some_and(|position| position >= MAX_ENDPOINTS) {
            self.table.delete_endpoint(&access.scope, &endpoint.id).await?;
            return Err(too_many());
        }
        tracing::info!(org = %access.scope.org(), endpoint = %endpoint.id, by = %access.caller.user, "endpoint added");
        access.trail.about(&endpoint.id);
        record_endpoint(&access.trail, None, &endpoint);
        Ok(self.with_secret(&access.scope, endpoint, now))
    }

    /// Changes an endpoint.
    ///
    /// # Errors
    /// As [`Deliveries::add_endpoint`]; then nothing is changed.
    pub async fn change_endpoint(
        &self,
        access: &MetaAccess,
        id: &EndpointId,
        input: EndpointPatch,
    ) -> Result<EndpointOut, ActError> {
        let change = EndpointChange {
            url: input.url.map(|url| self.check_url(&url)).transpose()?,
            description: input.description.map(check_description).transpose()?,
            events: input.events.map(check_names).transpose()?,
            active: input.active,
        };
        let before = self.find_endpoint(&access.scope, id).await?;
        if !self.table.change_endpoint(&access.scope, id, &change, crate::clock::now()).await? {
            return Err(ActError::not_found(Missing::Endpoint));
        }
        tracing::info!(org = %access.scope.org(), endpoint = %id, active = ?input.active, by = %access.caller.user, "endpoint changed");
        let after = self.find_endpoint(&access.scope, id).await?;
        record_endpoint(&access.trail, Some(&before), &after);
        Ok(EndpointOut::new(after, crate::clock::now()))
    }

    /// Deletes an endpoint. Already deleted counts as success.
    pub async fn delete_endpoint(&self, access: &MetaAccess, id: &EndpointId) -> Result<(), ActError> {
        tracing::info!(org = %access.scope.org(), endpoint = %id, by = %access.caller.user, "endpoint deleted");
        Ok(self.table.delete_endpoint(&access.scope, id).await?)
    }

    /// Replaces an endpoint's secret and returns the new one. The one before signs too for 24 hours.
    ///
    /// # Errors
    /// Refuses a rotation while four secrets sign.
    pub async fn rotate_secret(&self, access: &MetaAccess, id: &EndpointId) -> Result<EndpointWithSecret, ActError> {
        const MAX_TRIES: u32 = 5;
        for _ in 0..MAX_TRIES {
            let now = crate::clock::now();
            let seen = self.find_endpoint(&access.scope, id).await?;
            let current = RetiredSecret { version: seen.secret_version, until: now + RETIRED_SECRET_TTL };
            let mut retired = vec![current];
            retired.extend(seen.retired_secrets.iter().filter(|secret| now < secret.until));
            if retired.len() >= MAX_SECRETS {
                let message =
                    tr!("Three earlier secrets still sign, each for 24 hours. Rotate again when one has ended.");
                return Err(ActError::refuse(ErrorCode::LimitReached, message));
            }
            if self.table.rotate_secret(&access.scope, &seen, &retired, now).await? {
                tracing::info!(org = %access.scope.org(), endpoint = %id, by = %access.caller.user, "secret rotated");
                access.trail.changed("secret_version", &seen.secret_version, &(seen.secret_version + 1));
                let rotated = self.find_endpoint(&access.scope, id).await?;
                let version = seen.secret_version + 1;
                return Ok(self.with_secret(&access.scope, Endpoint { secret_version: version, ..rotated }, now));
            }
        }
        Err(crate::table::TableError::Contended(MAX_TRIES).into())
    }

    pub(super) async fn find_endpoint(&self, scope: &OrgScope, id: &EndpointId) -> Result<Endpoint, ActError> {
        self.table.endpoint(scope, id).await?.ok_or_else(|| ActError::not_found(Missing::Endpoint))
    }

    fn with_secret(&self, scope: &OrgScope, endpoint: Endpoint, now: Timestamp) -> EndpointWithSecret {
        let secret = endpoint_secret(&self.root_key, scope, &endpoint.id, endpoint.secret_version).expose();
        EndpointWithSecret { endpoint: EndpointOut::new(endpoint, now), secret }
    }

    fn check_url(&self, text: &str) -> Result<String, ActError> {
        let url = parse_endpoint(text, self.receiver.addresses());
        url.map(String::from).map_err(|mistake| ActError::invalid("url", ErrorCode::AddressNotAllowed, mistake))
    }
}

/// Takes down what changed of an endpoint. Of its address, only the host: a path may hold a secret.
fn record_endpoint(trail: &Trail, before: Option<&Endpoint>, after: &Endpoint) {
    fn words(endpoint: &Endpoint) -> Option<Vec<Word<'_>>> {
        endpoint.events.as_ref().map(|events| events.iter().map(|event| Word(event)).collect())
    }
    let host = |endpoint: &Endpoint| Url::parse(&endpoint.url).ok()?.host_str().map(ToOwned::to_owned);
    let (was, is) = (before.and_then(host), host(after));
    trail.changed("url.host", &was.as_deref().map(Word), &is.as_deref().map(Word));
    trail.withheld("url", &before.map(|endpoint| &endpoint.url), &Some(&after.url));
    trail.withheld("description", &before.map(|endpoint| &endpoint.description), &Some(&after.description));
    trail.changed("events", &before.and_then(words), &words(after));
    trail.changed("active", &before.map(|endpoint| endpoint.active), &Some(after.active));
}

fn check_description(text: String) -> Result<String, ActError> {
    let text = text.trim().to_owned();
    if text.chars().count() > MAX_DESCRIPTION {
        let message = tr!("At most {most} characters.", most = MAX_DESCRIPTION);
        return Err(ActError::invalid("description", ErrorCode::LengthInvalid, message));
    }
    Ok(text)
}

fn check_names(names: Option<Vec<String>>) -> Result<Option<Vec<String>>, ActError> {
    let Some(mut names) = names else { return Ok(None) };
    let known: Vec<&str> = EventKind::iter().map(EventKind::name).collect();
    if names.is_empty() {
        let message = tr!("At least one event, or null for all.");
        return Err(ActError::invalid("events", ErrorCode::EventsInvalid, message));
    }
    if let Some(position) = names.iter().position(|name| !known.contains(&name.as_str())) {
        let message = tr!("The events are {names}.", names = known.join(", "));
        return Err(ActError::invalid(format!("events[{position}]"), ErrorCode::EventsInvalid, message));
    }
    names.sort();
    names.dedup();
    Ok(Some(names))
}
