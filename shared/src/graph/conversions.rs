//! The Conversions API for CRMs, and the datasets that it writes to. In paths Meta still calls a dataset a pixel.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::batch::Call;
use super::{GraphClient, GraphError, GraphPage, OnlyId, read};
use crate::ids::DatasetId;
use crate::model::conversion::payload::ConversionEvent;
use crate::retry::Verdict;
use crate::secret::AccessToken;

/// The largest request. Meta takes or refuses it as a whole.
pub const MAX_EVENTS: usize = 1000;

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct DatasetNode {
    /// Meta's id.
    pub id: DatasetId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Whether it was made for the events of a CRM.
    #[serde(default)]
    pub is_crm: bool,
    /// When it last received an event, as Meta writes it.
    pub last_fired_time: Option<String>,
}

#[derive(Deserialize)]
struct Received {
    events_received: u64,
}

const DATASET_FIELDS: (&str, &str) = ("fields", "id,name,is_crm,last_fired_time");
const LIMIT: (&str, &str) = ("limit", "100");

impl GraphClient {
    /// Lists the datasets of all ad accounts and portfolios that a token reaches, each once. What Meta refuses to list
    /// is left out.
    ///
    /// # Errors
    /// If the token is invalid, or if a call fails in a way that may recover.
    pub async fn datasets(&self, token: &AccessToken) -> Result<Vec<DatasetNode>, GraphError> {
        let accounts = self.holders("me/adaccounts", token).await?;
        let businesses = self.holders("me/businesses", token).await?;
        let of_accounts = accounts.iter().map(|id| format!("{id}/adspixels"));
        let edges = ["owned_pixels", "client_pixels"];
        let of_businesses = businesses.iter().flat_map(|id| edges.map(|edge| format!("{id}/{edge}")));
        let paths: Vec<String> = of_accounts.chain(of_businesses).collect();
        let calls: Vec<Call> = paths.iter().map(|path| Call::get(path, &[DATASET_FIELDS, LIMIT])).collect();
        let mut found = BTreeMap::new();
        for (path, answer) in paths.iter().zip(self.batch(&calls, token).await) {
            let Some(first) = unless_refused(answer)? else { continue };
            let first: GraphPage<DatasetNode> = read(first)?;
            let nodes = self.get_rest(path, &[DATASET_FIELDS, LIMIT], token, first).await?;
            found.extend(nodes.into_iter().map(|node| (node.id.clone(), node)));
        }
        Ok(found.into_values().collect())
    }

    async fn holders(&self, path: &str, token: &AccessToken) -> Result<Vec<String>, GraphError> {
        let listed = self.get_all(path, &[("fields", "id"), LIMIT], token).await;
        let holders: Vec<OnlyId> = unless_refused(listed)?.unwrap_or_default();
        Ok(holders.into_iter().map(|holder| holder.id).collect())
    }

    /// Sends at most [`MAX_EVENTS`] events. Meta takes all or, if one is wrong, none of them.
    ///
    /// # Errors
    /// After [`GraphError::Transport`], [`GraphError::Unavailable`] and [`GraphError::InvalidResponse`], Meta may have
    /// taken them. [`GraphError::is_of_event`] tells whether the events themselves are refused.
    pub async fn send_conversions(
        &self,
        dataset: &DatasetId,
        events: &[&ConversionEvent],
        test_event_code: Option<&str>,
        token: &AccessToken,
    ) -> Result<(), GraphError> {
        let body = match test_event_code {
            Some(code) => json!({ "data": events, "test_event_code": code }),
            None => json!({ "data": events }),
        };
        let received: Received = read(self.post_json(&format!("{dataset}/events"), &body, token).await?)?;
        if received.events_received != events.len() as u64 {
            // 200 means that the request was accepted. Sending it again would count the others twice.
            tracing::warn!(%dataset, sent = events.len(), received.events_received, "Meta received a different number of events than were sent");
        }
        Ok(())
    }
}

impl GraphError {
    /// Whether Meta may refuse a request to the Conversions API for what its events contain. Without one of them, it may
    /// take the others. The same code stands for mistakes of the request itself.
    #[must_use]
    pub fn is_of_event(&self) -> bool {
        matches!(self, Self::Refused(detail) if detail.code == 100)
    }

    /// Whether Meta says that an event is the reason.
    #[must_use]
    pub fn names_event(&self) -> bool {
        let Self::Refused(detail) = self else { return false };
        let texts = [Some(detail.message.as_str()), detail.user_message.as_deref()];
        let has_subcode = detail.subcode.is_some_and(|subcode| (2_804_000..2_805_000).contains(&subcode));
        has_subcode || texts.into_iter().flatten().any(|text| text.contains("event_index"))
    }
}

/// Treats what Meta permanently refuses to show as absent.
fn unless_refused<T>(answer: Result<T, GraphError>) -> Result<Option<T>, GraphError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error @ GraphError::TokenInvalid { .. }) => Err(error),
        Err(error) if error.verdict() == Verdict::GiveUp => Ok(None),
        Err(error) => Err(error),
    }
}
