//! A test event, so that an admin sees in Meta's Test Events page that the dataset receives what is sent.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Conversions;
use super::settings::check_test_code;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, WorkError};
use crate::graph::GraphError;
use crate::ids::{DatasetId, IntegrationId};
use crate::model::conversion::payload::ConversionEvent;
use crate::model::limit::OrgLimit;
use crate::tr;

/// A test event to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestEventIn {
    /// The code that Meta's Test Events page shows.
    #[schema(pattern = "^[A-Za-z0-9]{1,50}$")]
    pub test_event_code: String,
}

/// A test event that Meta accepted.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestEventOut {
    pub dataset_id: DatasetId,
    pub event_name: String,
    pub event_id: String,
    #[schema(value_type = String, format = DateTime)]
    pub sent_at: Timestamp,
}

impl Conversions {
    /// Sends one event of no lead to the integration's dataset, marked as a test. It has a name that nothing else has,
    /// so that it counts for no stage.
    ///
    /// # Errors
    /// Refuses without a dataset or a code. What Meta refuses is [`ErrorCode::MetaRefused`], with Meta's words.
    pub async fn send_test_event(
        &self,
        access: &MetaAccess,
        id: &IntegrationId,
        input: TestEventIn,
    ) -> Result<TestEventOut, ActError> {
        access.count(&self.tokens.table, OrgLimit::MetaCalls).await?;
        let now = crate::clock::now();
        let integration = self.tokens.usable_integration(&access.scope, id, now).await?;
        let Some(code) = check_test_code(Some(input.test_event_code), now)?.map(|test| test.code) else {
            let message = tr!("The code that Meta's Test Events page shows, such as TEST12345.");
            return Err(ActError::invalid("test_event_code", ErrorCode::LengthInvalid, message));
        };
        let Some(settings) = &integration.conversions else {
            let message = tr!("Choose a dataset first. The test event is sent there.");
            return Err(ActError::invalid("dataset_id", ErrorCode::DatasetUnknown, message));
        };
        let event = ConversionEvent::test(&Uuid::now_v7().simple().to_string(), now);
        let meta = &self.tokens.meta;
        let send = async {
            let token = meta.vault.user_token(&integration.credentials).await?;
            let graph = meta.graph().await?;
            Ok::<_, WorkError>(graph.send_conversions(&settings.dataset_id, &[&event], Some(&code), &token).await?)
        };
        match send.await {
            Ok(()) => {}
            Err(WorkError::Graph(GraphError::Refused(detail))) => {
                let words = detail.user_message.as_deref().unwrap_or(&detail.message);
                let message = tr!("Meta refuses the test event: {words}", words = words);
                return Err(ActError::invalid("test_event_code", ErrorCode::MetaRefused, message));
            }
            Err(error) => return Err(self.tokens.explain(&access.scope, &integration.id, error).await),
        }
        tracing::info!(org = %access.scope.org(), integration = %id, dataset = %settings.dataset_id, by = %access.caller.user, "test event sent");
        let (event_name, event_id) = (event.name().to_owned(), event.id().to_owned());
        Ok(TestEventOut { dataset_id: settings.dataset_id.clone(), event_name, event_id, sent_at: now })
    }
}
