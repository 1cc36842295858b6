//! Leads and their forms.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::batch::Call;
use super::{GraphClient, GraphError, read};
use crate::ids::{FormId, LeadgenId, PageId};
use crate::model::lead::Attribution;
use crate::model::lead::form::{ConsentBox, Form, RawAnswer};
use crate::secret::AccessToken;

/// The fields of a form, followed by [`CONSENT_FIELDS`].
pub(super) const FORM_FIELDS: &str =
    "id,name,locale,questions{key,label,type,options},legal_content{custom_disclaimer{checkboxes{key,text}}}";
/// The fields of a form that show its consent boxes, at the end of [`FORM_FIELDS`].
const CONSENT_FIELDS: &str = ",legal_content{custom_disclaimer{checkboxes{key,text}}}";

/// Every field of a lead that an ordinary app may read. Meta's specification also has `post_submission_check_result`,
/// but requesting it fails the whole call with code 3.
pub(super) fn lead_fields() -> String {
    format!("id,created_time,field_data,custom_disclaimer_responses,{}", Attribution::GRAPH_FIELDS)
}

/// A lead as Meta returns it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct GraphLead {
    /// Meta's id of the submission.
    pub id: LeadgenId,
    /// When the person submitted it.
    #[serde(deserialize_with = "meta_time")]
    pub created_time: Timestamp,
    /// Where the submission came from.
    #[serde(flatten)]
    pub attribution: Attribution,
    /// The answers.
    #[serde(default)]
    pub field_data: Vec<FieldDatum>,
    /// The consent boxes.
    #[serde(default)]
    pub custom_disclaimer_responses: Vec<DisclaimerResponse>,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FieldDatum {
    /// The question's key.
    pub name: String,
    /// The values. Empty if the person left the question empty, because Meta omits it.
    #[serde(default, deserialize_with = "present")]
    pub values: Vec<String>,
}

/// One consent box.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DisclaimerResponse {
    /// Its key in the form.
    pub checkbox_key: String,
    /// `"1"` or empty.
    #[serde(default)]
    pub is_checked: String,
}

impl GraphLead {
    /// Returns the answers as pairs of key and values.
    #[must_use]
    pub fn raw_answers(&self) -> Vec<RawAnswer> {
        self.field_data.iter().map(|datum| (datum.name.clone(), datum.values.clone())).collect()
    }

    /// Returns the consent boxes as pairs of key and state.
    #[must_use]
    pub fn disclaimers(&self) -> Vec<(String, String)> {
        self.custom_disclaimer_responses
            .iter()
            .map(|box_| (box_.checkbox_key.clone(), box_.is_checked.clone()))
            .collect()
    }
}

/// A form as Meta returns it.
#[derive(Debug, Deserialize)]
pub(super) struct GraphForm {
    /// The page that owns it, if that was asked for.
    pub(super) page_id: Option<PageId>,
    #[serde(flatten)]
    form: Form,
    /// What the person agrees to. Meta describes its parts in several ways.
    #[serde(default)]
    legal_content: Value,
}

impl GraphForm {
    pub(super) fn into_form(self) -> Form {
        let boxes = self.legal_content.pointer("/custom_disclaimer/checkboxes");
        let boxes = boxes.map(|boxes| boxes.get("data").unwrap_or(boxes));
        let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        let read = |item: &Value| Some(ConsentBox { key: text(item, "key")?, text: text(item, "text")? });
        let consents = boxes.and_then(Value::as_array).into_iter().flatten().filter_map(read).collect();
        Form { consents, ..self.form }
    }
}

/// What to read of a page with [`GraphClient::leads_and_forms`].
#[derive(Debug)]
pub struct PageRead<'a> {
    /// The page's token.
    pub token: &'a AccessToken,
    /// Its leads.
    pub leads: Vec<LeadgenId>,
    /// Its forms.
    pub forms: Vec<FormId>,
}

/// One page's outcome of [`GraphClient::leads_and_forms`].
#[derive(Debug)]
pub struct Fetched {
    /// One outcome per requested lead, in order.
    pub leads: Vec<Result<GraphLead, GraphError>>,
    /// One outcome per requested form, in order.
    pub forms: Vec<Result<Form, GraphError>>,
}

impl GraphClient {
    /// Reads leads and forms of several pages in the same batch, each page's with its own token: one answer per page, in
    /// order.
    pub async fn leads_and_forms(&self, pages: &[PageRead<'_>]) -> Vec<Fetched> {
        let lead_fields = lead_fields();
        let calls: Vec<Call> = pages
            .iter()
            .flat_map(|page| {
                let leads = page.leads.iter().map(|id| Call::get(id.as_str(), &[("fields", &lead_fields)]));
                let forms = page.forms.iter().map(|id| Call::get(id.as_str(), &[("fields", FORM_FIELDS)]));
                leads.chain(forms).map(|call| call.with_token(page.token.clone()))
            })
            .collect();
        // The app's own token for the batch, so that a page's dead token fails only that page's calls.
        let mut outcomes = self.batch_with_forms(&calls, &self.app_token()).await.into_iter();
        let mut fetched = Vec::with_capacity(pages.len());
        for page in pages {
            let leads = outcomes.by_ref().take(page.leads.len()).map(|outcome| read(outcome?)).collect();
            let form = |outcome: Result<Value, GraphError>| Ok(read::<GraphForm>(outcome?)?.into_form());
            let forms = outcomes.by_ref().take(page.forms.len()).map(form).collect();
            fetched.push(Fetched { leads, forms });
        }
        fetched
    }

    /// Makes calls, some of which read [`FORM_FIELDS`]. A form whose consent boxes Meta refuses to show is read without
    /// them: leads need its questions.
    pub(super) async fn batch_with_forms(&self, calls: &[Call], token: &AccessToken) -> Vec<Result<Value, GraphError>> {
        let mut outcomes = self.batch(calls, token).await;
        // A field that the app may not read fails the whole call, as if the form could not be read.
        let is_refused = |outcome: &Result<Value, GraphError>| {
            matches!(outcome, Err(GraphError::Refused(_) | GraphError::NotPermitted(_)))
        };
        let refused = calls.iter().zip(&mut outcomes).filter(|(_, outcome)| is_refused(outcome));
        let (plain, places): (Vec<Call>, Vec<_>) =
            refused.filter_map(|(call, outcome)| Some((call.without_fields(CONSENT_FIELDS)?, outcome))).unzip();
        if !plain.is_empty() {
            for (place, outcome) in places.into_iter().zip(self.batch(&plain, token).await) {
                *place = outcome;
            }
        }
        outcomes
    }
}

/// Deserializes the non-null values. A null value must not fail the whole lead.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let values = Option::<Vec<Option<String>>>::deserialize(deserializer)?;
    Ok(values.unwrap_or_default().into_iter().flatten().collect())
}

/// Deserializes Meta's timestamps: `2015-02-28T08:49:14+0000`, without the colon that RFC 3339 requires.
pub(super) fn meta_time<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_meta_time(&text).ok_or_else(|| serde::de::Error::custom("not a time of Meta's"))
}

/// Parses one of Meta's timestamps, or one in RFC 3339.
pub(super) fn parse_meta_time(text: &str) -> Option<Timestamp> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text).ok().or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_lead_with_the_least_and_with_the_most_is_read() {
        let least: GraphLead = read(json!({"id": "1", "created_time": "2015-02-28T08:49:14+0000"})).unwrap();
        assert_eq!(least.created_time.to_string(), "2015-02-28T08:49:14Z");
        let most: GraphLead = read(json!({"id": "1", "created_time": "2015-02-28T08:49:14+0200", "is_organic": false, "platform": "ig",
            "field_data": [{"name": "a", "values": ["x", "y"]}, {"name": "b"}, {"name": "c", "values": null}, {"name": "d", "values": [null]}],
            "custom_disclaimer_responses": [{"checkbox_key": "o", "is_checked": "1"}, {"checkbox_key": "p"}], "later": {}}))
        .unwrap();
        let value_counts: Vec<usize> = most.raw_answers().iter().map(|(_, values)| values.len()).collect();
        assert_eq!(value_counts, [2, 0, 0, 0]);
        assert_eq!(most.disclaimers()[1].1, "");
        assert_eq!(most.created_time.to_string(), "2015-02-28T06:49:14Z");
        assert_eq!((least.attribution.is_organic, most.attribution.is_organic), (None, Some(false)));
        let odd = json!({"id": "1", "created_time": "2015-02-28T08:49:14+0000", "is_organic": "maybe"});
        assert_eq!(read::<GraphLead>(odd).unwrap().attribution.is_organic, None);
    }

    #[test]
    fn a_form_shows_its_consent_boxes_in_whatever_way_meta_describes_them() {
        let form = |legal_content: Value| {
            let form = json!({ "id": "3", "page_id": "7", "name": "Form", "legal_content": legal_content });
            let texts = read::<GraphForm>(form).unwrap().into_form().consents;
            texts.into_iter().map(|one| format!("{}={}", one.key, one.text)).collect::<Vec<_>>()
        };
        let boxes = json!([{ "key": "news", "text": "Send me news." }, { "key": "x" }, { "text": "y" }, 1]);
        assert_eq!(form(json!({ "custom_disclaimer": { "checkboxes": boxes } })), ["news=Send me news."]);
        assert_eq!(form(json!({ "custom_disclaimer": { "checkboxes": { "data": boxes } } })), ["news=Send me news."]);
        for none in [json!(null), json!({}), json!({ "custom_disclaimer": null }), json!("text"), json!([])] {
            assert_eq!(form(none), Vec::<String>::new());
        }
        let plain = read::<GraphForm>(json!({ "id": "3", "name": "Form" })).unwrap();
        assert_eq!((plain.page_id.clone(), plain.into_form().consents), (None, Vec::new()));
    }

    #[test]
    fn a_form_can_be_asked_for_without_its_consent_boxes() {
        let call = Call::get("3", &[("fields", FORM_FIELDS)]);
        let plain = call.without_fields(CONSENT_FIELDS).unwrap();
        let expected = FORM_FIELDS.trim_end_matches(CONSENT_FIELDS);
        assert_eq!(format!("{plain:?}"), format!("{:?}", Call::get("3", &[("fields", expected)])));
        assert!(plain.without_fields(CONSENT_FIELDS).is_none() && !expected.contains("legal_content"));
    }

    #[test]
    fn rubbish_is_no_lead() {
        for body in [
            json!({}),
            json!({"id": "1"}),
            json!({"id": "x", "created_time": "2015-02-28T08:49:14+0000"}),
            json!([]),
            json!({"success": false}),
        ] {
            assert_eq!(read::<GraphLead>(body), Err(GraphError::InvalidResponse { status: 200 }));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_answer_is_survived(answer in corpus::mutated(corpus::leads())) {
            if let Ok(lead) = read::<GraphLead>(answer.clone()) {
                let known = answer["field_data"].as_array().map_or(0, Vec::len);
                proptest::prop_assert_eq!(lead.raw_answers().len(), known, "no answer is lost");
                let _ = lead.disclaimers();
            }
        }
    }
}
