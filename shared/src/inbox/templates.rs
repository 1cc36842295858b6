//! Templates of WhatsApp: what can be sent after the window for answers has closed.

use serde::Serialize;
use utoipa::ToSchema;

use super::Inbox;
use super::sender::token_of;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, WorkError};
use crate::graph::whatsapp::WhatsappTemplate;
use crate::ids::ConversationId;
use crate::model::inbox::Channel;
use crate::model::limit::OrgLimit;
use crate::tr;

/// The templates that can be sent in a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateList {
    /// By name and language.
    pub items: Vec<TemplateOut>,
}

/// A template that Meta has approved.
#[derive(Debug, Serialize, ToSchema)]
pub struct TemplateOut {
    /// Its name, for the answer.
    pub name: String,
    /// Its language, for the answer.
    pub language: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: String,
    /// Its text, with variables as `{{1}}`.
    pub text: String,
    /// The number of its variables.
    pub variables: usize,
}

impl Inbox {
    /// Lists the approved templates of the number of a conversation.
    ///
    /// # Errors
    /// Refuses conversations of other channels.
    pub async fn templates(&self, access: &MetaAccess, id: &ConversationId) -> Result<TemplateList, ActError> {
        access.count(&self.table, OrgLimit::MetaCalls).await?;
        let conversation = self.find_conversation(access, id).await?;
        if conversation.channel != Channel::Whatsapp {
            return Err(ActError::refuse(ErrorCode::ReplyNotPossible, tr!("Only WhatsApp has templates.")));
        }
        let accounts = self.table.inbox_accounts("whatsapp", &conversation.account).await?;
        let account = accounts.into_iter().find(|(owner, _)| *owner == access.scope);
        let Some(waba) = account.and_then(|(_, account)| account.waba_id) else {
            return Err(ActError::refuse(
                ErrorCode::ReplyNotPossible,
                tr!("This number is not connected any more. Reconnect it."),
            ));
        };
        let token = token_of(&self.meta, &self.table, &access.scope, &conversation).await.map_err(ActError::from)?;
        let token = token.map_err(|words| ActError::refuse(ErrorCode::ReplyNotPossible, words))?;
        let graph = self.meta.graph().await?;
        let templates = graph.whatsapp_templates(&waba, &token).await.map_err(WorkError::from)?;
        let mut items: Vec<TemplateOut> =
            templates.into_iter().filter(|template| template.status == "APPROVED").map(TemplateOut::from).collect();
        items.sort_by(|one, other| (&one.name, &one.language).cmp(&(&other.name, &other.language)));
        Ok(TemplateList { items })
    }
}

impl From<WhatsappTemplate> for TemplateOut {
    fn from(template: WhatsappTemplate) -> Self {
        let body = template.components.into_iter().find(|part| part.r#type.eq_ignore_ascii_case("body"));
        let text = body.and_then(|body| body.text).unwrap_or_default();
        let variables = (1..).take_while(|number| text.contains(&format!("{{{{{number}}}}}"))).count();
        Self { name: template.name, language: template.language, category: template.category, text, variables }
    }
}
