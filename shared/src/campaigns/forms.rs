//! Lead forms: made, and archived. Meta lets nothing else of a form be changed.
#![expect(missing_docs, reason = "a field whose name says it all has no description in the API's document either")]

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Campaigns;
use crate::directory::MetaAccess;
use crate::error::{ActError, ErrorCode, WorkError};
use crate::graph::GraphError;
use crate::graph::lead_forms::refused_form_field;
use crate::graph::publish_fault::PublishFault;
use crate::ids::{FormId, PageId};
use crate::model::campaigns::form::{FormQuestion, LeadFormSpec, ThankYouPage};
use crate::model::json_input::{maybe_object, object, objects};
use crate::once::OnceKey;
use crate::publishing::target::Target;
use crate::table::request::OnceRequest;
use crate::tr;

/// A lead form to create.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeadFormIn {
    pub page_id: PageId,
    /// 1 to 250 characters; a page has no two forms with the same name.
    pub name: String,
    /// Language and country in Meta's notation, such as `NL_NL`; `EN_US` by default.
    pub locale: Option<String>,
    /// 1 to 30 questions.
    #[serde(deserialize_with = "objects")]
    pub questions: Vec<QuestionIn>,
    #[serde(deserialize_with = "object")]
    pub privacy_policy: PrivacyPolicyIn,
    /// Where people go after the form. Meta's description calls it optional and Meta requires it.
    pub follow_up_url: String,
    #[serde(default, deserialize_with = "maybe_object")]
    pub thank_you: Option<ThankYouIn>,
    /// The caller's own id of the request: the same id again answers the same and does nothing.
    #[schema(min_length = 1, max_length = 200)]
    pub request_id: Option<String>,
}

/// A question of a lead form.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuestionIn {
    /// Meta's type: `FULL_NAME`, `EMAIL`, `PHONE`, `CITY`… or `CUSTOM`.
    pub r#type: String,
    /// The name of the answer in a lead; needed for `CUSTOM`.
    pub key: Option<String>,
    /// What is asked; needed for `CUSTOM`.
    pub label: Option<String>,
    /// The answers to choose from. Without them, people write.
    #[serde(default)]
    pub options: Vec<String>,
}

/// The privacy policy of a lead form.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrivacyPolicyIn {
    pub url: String,
    /// At most 70 characters.
    pub link_text: Option<String>,
}

/// What people see after the form.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThankYouIn {
    pub title: String,
    pub body: Option<String>,
    pub button_text: Option<String>,
    pub website_url: Option<String>,
}

/// A lead form that was created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedForm {
    pub form_id: FormId,
}

/// Which lead form to archive.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormChoice {
    /// The page that owns the form.
    pub page_id: PageId,
    pub lead_form_id: FormId,
    /// Accepted and not needed: archiving twice is archiving once.
    #[schema(min_length = 1, max_length = 200)]
    pub request_id: Option<String>,
}

/// A lead form that was archived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArchivedForm {
    pub form_id: FormId,
    /// `ARCHIVED`.
    pub status: &'static str,
}

impl Campaigns {
    /// Archives a lead form: it takes no more leads and no new campaign. Its leads stay. Archiving it again changes
    /// nothing.
    ///
    /// # Errors
    /// Refuses a form that is not the page's, and a page through which the org cannot advertise. After a failure of
    /// Meta's, the form may be archived; repeating the request makes sure.
    pub async fn archive_form(&self, access: &MetaAccess, choice: &FormChoice) -> Result<ArchivedForm, ActError> {
        let (page, form) = (&choice.page_id, &choice.lead_form_id);
        access.trail.about(form);
        let target = self.advertiser(access, page, crate::clock::now()).await?;
        let archive = async {
            let token = self.tokens.meta.vault.page_token(&target.connection.credentials, page).await?;
            Ok::<_, WorkError>(self.tokens.meta.graph().await?.archive_form(form, &token).await?)
        };
        match archive.await {
            Ok(()) => Ok(ArchivedForm { form_id: form.clone(), status: "ARCHIVED" }),
            Err(WorkError::Graph(GraphError::NotVisible(_))) => Err(not_of_page(page)),
            Err(WorkError::Graph(refused @ GraphError::Refused(_))) => {
                Err(ActError::refuse(ErrorCode::MetaRefused, tr!("Meta refuses this: {error}.", error = refused)))
            }
            Err(error) => Err(self.tokens.explain(&access.scope, &target.integration.id, error).await),
        }
    }

    /// Creates a lead form. If Meta's answer is lost, the form is looked for by its name, which only one form of a page
    /// has.
    ///
    /// # Errors
    /// Refuses what Meta is known to refuse, and what Meta refuses, by field.
    pub async fn create_form(
        &self,
        access: &MetaAccess,
        input: LeadFormIn,
        once: Option<OnceKey>,
    ) -> Result<CreatedForm, ActError> {
        let now = crate::clock::now();
        let form = checked(&input)?;
        let target = self.advertiser(access, &input.page_id, now).await?;
        let known = match &once {
            Some(once) => self.table.request(&access.scope, once.operation(), once.hash()).await?,
            None => None,
        };
        let mut began_at = now;
        if let (Some(known), Some(once)) = (&known, &once) {
            if let Some(id) = once.known_ids(known)?.first().and_then(|id| FormId::parse(id).ok()) {
                return Ok(CreatedForm { form_id: id });
            }
            // An earlier request has begun, and nothing is known of its end.
            began_at = known.at;
            if let Some(form_id) = self.find_form(access, &target, &form.name, began_at).await? {
                self.remember(access, once, known, &form_id).await?;
                return Ok(CreatedForm { form_id });
            }
        } else if let Some(once) = &once {
            self.table.put_request(&access.scope, &once.record(Vec::new(), now)).await?;
        }
        let form_id = self.send_form(access, &target, &form, began_at).await?;
        access.trail.about(&form_id);
        if let Some(once) = &once {
            self.remember(access, once, &once.record(Vec::new(), began_at), &form_id).await?;
        }
        Ok(CreatedForm { form_id })
    }

    async fn remember(
        &self,
        access: &MetaAccess,
        once: &OnceKey,
        request: &OnceRequest,
        form: &FormId,
    ) -> Result<(), ActError> {
        Ok(self.table.put_request(&access.scope, &once.record(vec![form.to_string()], request.at)).await?)
    }

    async fn send_form(
        &self,
        access: &MetaAccess,
        target: &Target,
        form: &LeadFormSpec,
        began_at: jiff::Timestamp,
    ) -> Result<FormId, ActError> {
        let page = &target.connection.page_id;
        let send = async {
            let token = self.tokens.meta.vault.page_token(&target.connection.credentials, page).await?;
            Ok::<_, WorkError>(self.tokens.meta.graph().await?.create_form(page, form, &token).await?)
        };
        let error = match send.await {
            Ok(form) => return Ok(form),
            Err(error) => error,
        };
        if let WorkError::Graph(failed) = &error {
            if failed.publish_fault() == PublishFault::Unclear
                && let Some(form) = self.find_form(access, target, &form.name, began_at).await?
            {
                return Ok(form);
            }
            if let Some(field) = refused_form_field(failed) {
                let words = failed.detail().and_then(|detail| detail.user_message.as_deref());
                let words = words.map_or_else(|| failed.to_string(), ToOwned::to_owned);
                let message = tr!("Meta refuses it: {words}", words = words);
                return Err(ActError::invalid(field, ErrorCode::FormInvalid, message));
            }
        }
        Err(self.tokens.explain(&access.scope, &target.integration.id, error).await)
    }

    /// Finds a form of the page by its name, not older than the request.
    async fn find_form(
        &self,
        access: &MetaAccess,
        target: &Target,
        name: &str,
        began_at: jiff::Timestamp,
    ) -> Result<Option<FormId>, ActError> {
        let page = &target.connection.page_id;
        let read = async {
            let token = self.tokens.meta.vault.page_token(&target.connection.credentials, page).await?;
            let since = began_at - SignedDuration::from_mins(2);
            Ok::<_, WorkError>(self.tokens.meta.graph().await?.find_form(page, name.trim(), since, &token).await?)
        };
        match read.await {
            Ok(found) => Ok(found),
            Err(error) => Err(self.tokens.explain(&access.scope, &target.integration.id, error).await),
        }
    }

    /// Checks that a campaign of the page can show this form.
    ///
    /// # Errors
    /// Refuses a form that is archived or not the page's, and a page whose terms for lead ads were not accepted.
    pub async fn check_form_of_page(&self, access: &MetaAccess, page: &PageId, form: &FormId) -> Result<(), ActError> {
        let target = self.advertiser(access, page, crate::clock::now()).await?;
        self.check_form(access, &target, form).await.map(drop)
    }

    /// Checks that a form is one of the page's that takes leads, and that the page's terms for lead ads were accepted.
    /// Returns its name.
    pub(super) async fn check_form(
        &self,
        access: &MetaAccess,
        target: &Target,
        form: &FormId,
    ) -> Result<Option<String>, ActError> {
        let page = &target.connection.page_id;
        let read = async {
            let token = self.tokens.meta.vault.page_token(&target.connection.credentials, page).await?;
            Ok::<_, WorkError>(self.tokens.meta.graph().await?.form_for_ads(page, form, &token).await?)
        };
        let (found, terms_accepted) = match read.await {
            Ok(found) => found,
            Err(error) => return Err(self.tokens.explain(&access.scope, &target.integration.id, error).await),
        };
        if !terms_accepted {
            let message = tr!(
                "Meta's terms for lead ads were not accepted for the page. Accept them at https://www.facebook.com/ads/leadgen/tos?page_id={page}.",
                page = page
            );
            return Err(ActError::invalid("pageId", ErrorCode::TermsNotAccepted, message));
        }
        match found {
            Some((status, name)) if status == "ACTIVE" => Ok(name),
            Some((status, _)) => {
                let message = tr!("An active form; this one is {status}.", status = status.to_lowercase());
                Err(ActError::invalid("leadFormId", ErrorCode::FormInvalid, message))
            }
            None => Err(not_of_page(page)),
        }
    }
}

fn not_of_page(page: &PageId) -> ActError {
    ActError::invalid("leadFormId", ErrorCode::FormInvalid, tr!("A form of the page {page}.", page = page))
}

/// Checks what was asked for.
fn checked(input: &LeadFormIn) -> Result<LeadFormSpec, ActError> {
    let questions = input.questions.iter().map(|question| FormQuestion {
        r#type: question.r#type.clone(),
        key: question.key.clone(),
        label: question.label.clone(),
        options: question.options.clone(),
    });
    let thank_you = input.thank_you.as_ref().map(|page| ThankYouPage {
        title: page.title.trim().to_owned(),
        body: page.body.clone(),
        link_text: page.button_text.clone(),
        website_url: page.website_url.clone(),
    });
    let form = LeadFormSpec {
        name: input.name.trim().to_owned(),
        locale: input.locale.as_deref().unwrap_or("EN_US").replace('-', "_").to_uppercase(),
        questions: questions.collect(),
        privacy_url: input.privacy_policy.url.clone(),
        privacy_text: input.privacy_policy.link_text.clone(),
        follow_up_url: input.follow_up_url.clone(),
        thank_you,
    };
    form.check().map_err(|mistake| ActError::invalid(mistake.field, ErrorCode::FormInvalid, mistake.message))
}
