//! Writing lead forms: a page creates them; afterwards only their status changes.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use url::Url;

use super::error::GraphError;
use super::form_questions;
use super::node::{self, Node};
use super::rejection::{Refused, Rule};
use super::route;
use super::session::Call;
use super::write_params::{self, Given, Kind};
use crate::world::form::{Consent, Form};

/// The languages of forms.
const LOCALES: &[&str] = &[
    "AR_AR", "CS_CZ", "DA_DK", "DE_DE", "EL_GR", "EN_GB", "EN_US", "ES_ES", "ES_LA", "FI_FI", "FR_FR", "HE_IL",
    "HI_IN", "HU_HU", "ID_ID", "IT_IT", "JA_JP", "KO_KR", "NB_NO", "NL_NL", "PL_PL", "PT_BR", "PT_PT", "RO_RO",
    "RU_RU", "SV_SE", "TH_TH", "TR_TR", "VI_VN", "ZH_CN", "ZH_HK", "ZH_TW",
];
const FIELDS: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("questions", Kind::List),
    ("locale", Kind::OneOf(LOCALES)),
    ("privacy_policy", Kind::Object),
    ("follow_up_action_url", Kind::Text),
    ("thank_you_page", Kind::Object),
    ("context_card", Kind::Object),
    ("custom_disclaimer", Kind::Object),
    ("question_page_custom_headline", Kind::Text),
    ("tracking_parameters", Kind::Object),
    ("is_optimized_for_quality", Kind::Flag),
    ("is_phone_sms_verify_enabled", Kind::Flag),
    ("should_enforce_work_email", Kind::Flag),
    ("block_display_for_non_targeted_viewer", Kind::Flag),
    ("allow_organic_lead_retrieval", Kind::Flag),
    ("is_for_canvas", Kind::Flag),
];
/// The only parameter of a change.
const STATUS: (&str, Kind) = ("status", Kind::OneOf(&["ACTIVE", "ARCHIVED"]));
const BUTTONS: &[&str] = &[
    "VIEW_WEBSITE",
    "CALL_BUSINESS",
    "MESSAGE_BUSINESS",
    "DOWNLOAD",
    "SCHEDULE_APPOINTMENT",
    "VIEW_ON_FACEBOOK",
    "PROMO_CODE",
    "NONE",
    "WHATSAPP",
    "P2B_MESSENGER",
    "BOOK_ON_WEBSITE",
];
/// A longer text of the privacy policy's link is rejected.
const LINK_TEXT_MAX: usize = 70;

static MISSING: Rule =
    Rule::new(1_892_085, ["Missing fields", "Missing field(s): {}"], ["Fehlende Felder", "Fehlende Felder: {}"]);

/// `POST /{page}/leadgen_forms`.
pub(crate) fn create(call: &mut Call<'_>, page_id: &str) -> Result<Value, GraphError> {
    localized(call, |call| create_form(call, page_id))
}

/// `POST /{form}`: archives or reactivates a form.
pub(crate) fn update(call: &mut Call<'_>, form_id: &str) -> Result<Value, GraphError> {
    super::form::check_page_token(call, form_id)?;
    let given = write_params::read(call.request, &[STATUS], &TimeZone::UTC)?;
    let content = FIELDS.iter().find(|(name, _)| call.request.param(name).is_some());
    if let Some((name, _)) = content {
        let message = format!("(#100) The parameter {name} cannot be changed: lead forms cannot be edited");
        return Err(GraphError::invalid(message));
    }
    write_params::require(&given, &["status"])?;
    call.require_scope("pages_manage_ads")?;
    let page_id = call.world.forms.get(form_id).map(|form| form.page_id.clone()).unwrap_or_default();
    call.require_task(&page_id, super::form::LEAD_TASKS)?;
    if let Some(form) = call.world.forms.get_mut(form_id) {
        form.status = if given.get("status").is_some_and(|status| status == "ACTIVE") { "ACTIVE" } else { "ARCHIVED" };
    }
    Ok(json!({"success": true}))
}

fn localized(
    call: &mut Call<'_>,
    write: impl FnOnce(&mut Call<'_>) -> Result<Value, Refused>,
) -> Result<Value, GraphError> {
    let language = call.world.language_of(call.user_id().unwrap_or_default());
    write(call).map_err(|refused| refused.error(language))
}

fn create_form(call: &mut Call<'_>, page_id: &str) -> Result<Value, Refused> {
    call.require_page_token(page_id, page_id)?;
    let given = write_params::read(call.request, FIELDS, &TimeZone::UTC)?;
    write_params::require(&given, &["name", "questions"])?;
    let form = form(call, page_id, &given)?;
    call.require_scope("pages_manage_ads")?;
    call.require_task(page_id, &["ADVERTISE"])?;
    let id = form.id.clone();
    call.world.forms.insert(id.clone(), form);
    match route::requested_fields(call.request)? {
        Some(fields) => Ok(node::read(call, &Node::Form(id), Some(&fields), &[])?),
        None => Ok(json!({ "id": id })),
    }
}

/// Checks the parameters and builds the form.
fn form(call: &mut Call<'_>, page_id: &str, given: &Given) -> Result<Form, Refused> {
    let text = |name: &str| given.get(name).and_then(Value::as_str).map(str::to_owned);
    let privacy = privacy_policy(given)?;
    let follow_up = text("follow_up_action_url").ok_or_else(|| MISSING.broken(&[], "FollowUpActionURL"))?;
    check_url("follow_up_action_url", &follow_up)?;
    let thank_you = given.get("thank_you_page").map(thank_you_page).transpose()?;
    let card = given.get("context_card").map(context_card).transpose()?;
    let consents = given.get("custom_disclaimer").map(consents).transpose()?.unwrap_or_default();
    let locale = text("locale").unwrap_or_else(|| "EN_US".to_owned());
    let mut form = Form {
        id: call.world.ids.written_form(),
        page_id: page_id.to_owned(),
        name: text("name").unwrap_or_default(),
        locale: locale
            .split_once('_')
            .map_or(locale.clone(), |(language, region)| format!("{}_{region}", language.to_lowercase())),
        status: "ACTIVE",
        headline: text("question_page_custom_headline").unwrap_or_default(),
        questions: Vec::new(),
        consents,
        privacy_policy_url: privacy.get("url").and_then(Value::as_str).unwrap_or_default().to_owned(),
        thank_you: thank_you.as_ref().and_then(|page| page.get("title")?.as_str()).unwrap_or("Thanks").to_owned(),
        created_ms: call.world.clock.now_ms(),
        ads: Vec::new(),
        written: Map::new(),
    };
    let questions = given.get("questions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let (questions, rendered) = form_questions::read(&form.id, questions)?;
    form.questions = questions;
    // What is read back as it was sent.
    let mut written = Map::new();
    written.insert("questions".to_owned(), rendered);
    written.insert("follow_up_action_url".to_owned(), json!(follow_up));
    for flag in ["is_optimized_for_quality", "block_display_for_non_targeted_viewer"] {
        written.insert(flag.to_owned(), json!(given.get(flag) == Some(&json!(true))));
    }
    if let Some(Value::Object(parameters)) = given.get("tracking_parameters") {
        let list = parameters.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        written.insert("tracking_parameters".to_owned(), Value::Array(list));
    }
    for (name, part, suffix) in [("thank_you_page", thank_you, 9), ("context_card", card, 7)] {
        if let Some(mut part) = part {
            part.insert("id".to_owned(), json!(format!("{}{suffix}", form.id)));
            written.insert(name.to_owned(), Value::Object(part));
        }
    }
    let mut legal = Map::new();
    legal.insert("id".to_owned(), json!(format!("{}8", form.id)));
    legal.insert("privacy_policy".to_owned(), privacy);
    if let Some(Value::Object(disclaimer)) = given.get("custom_disclaimer") {
        let mut disclaimer = disclaimer.clone();
        disclaimer.insert("checkboxes".to_owned(), form.consents.iter().map(Consent::checkbox).collect());
        legal.insert("custom_disclaimer".to_owned(), Value::Object(disclaimer));
    }
    written.insert("legal_content".to_owned(), Value::Object(legal));
    form.written = written;
    Ok(form)
}

fn wrong(what: &str) -> Refused {
    GraphError::invalid(format!("(#100) Param {what}")).into()
}

fn check_url(name: &str, url: &str) -> Result<(), Refused> {
    let valid = Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if valid { Ok(()) } else { Err(wrong(&format!("{name} must be a valid URL"))) }
}

fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn privacy_policy(given: &Given) -> Result<Value, Refused> {
    let policy = given.get("privacy_policy").cloned().unwrap_or_default();
    let url = text_of(&policy, "url").ok_or_else(|| MISSING.broken(&[], "PrivacyPolicyURL"))?;
    check_url("privacy_policy[url]", url)?;
    let link_text = text_of(&policy, "link_text").unwrap_or("Privacy Policy");
    if link_text.chars().count() > LINK_TEXT_MAX {
        return Err(wrong(&format!("privacy_policy[link_text] must be at most {LINK_TEXT_MAX} characters long")));
    }
    Ok(json!({"url": url, "link_text": link_text}))
}

fn thank_you_page(page: &Value) -> Result<Map<String, Value>, Refused> {
    let required = |name: &str| text_of(page, name).ok_or_else(|| wrong(&format!("thank_you_page must have a {name}")));
    required("title")?;
    let button = required("button_type")?;
    if !BUTTONS.contains(&button) {
        return Err(wrong(&format!("thank_you_page[button_type] must be one of {{{}}}", BUTTONS.join(", "))));
    }
    if matches!(button, "VIEW_WEBSITE" | "DOWNLOAD" | "BOOK_ON_WEBSITE" | "SCHEDULE_APPOINTMENT") {
        check_url("thank_you_page[website_url]", required("website_url")?)?;
    }
    if matches!(button, "CALL_BUSINESS" | "WHATSAPP") {
        required("country_code")?;
        let digits = required("business_phone_number")?.chars().filter(char::is_ascii_digit).count();
        if !(6..=15).contains(&digits) {
            return Err(GraphError::new(400, 192, "(#192) Invalid phone number").into());
        }
    }
    let mut page = page.as_object().cloned().unwrap_or_default();
    page.insert("status".to_owned(), json!("ACTIVE"));
    Ok(page)
}

/// The card before the questions. Its picture is written as `cover_photo_id` and read as `cover_photo`.
fn context_card(card: &Value) -> Result<Map<String, Value>, Refused> {
    text_of(card, "title").ok_or_else(|| wrong("context_card must have a title"))?;
    let style = text_of(card, "style").unwrap_or("PARAGRAPH_STYLE");
    if !matches!(style, "LIST_STYLE" | "PARAGRAPH_STYLE") {
        return Err(wrong("context_card[style] must be one of {LIST_STYLE, PARAGRAPH_STYLE}"));
    }
    let is_list = card.get("content").and_then(Value::as_array).is_some_and(|list| list.iter().all(Value::is_string));
    if !is_list {
        return Err(wrong("context_card[content] must be an array of strings"));
    }
    let mut card = card.as_object().cloned().unwrap_or_default();
    card.insert("style".to_owned(), json!(style));
    if let Some(photo) = card.remove("cover_photo_id") {
        card.insert("cover_photo".to_owned(), json!({ "id": photo }));
    }
    Ok(card)
}

fn consents(disclaimer: &Value) -> Result<Vec<Consent>, Refused> {
    text_of(disclaimer, "title").ok_or_else(|| wrong("custom_disclaimer must have a title"))?;
    let body = disclaimer.get("body").unwrap_or(&Value::Null);
    text_of(body, "text").ok_or_else(|| wrong("custom_disclaimer must have a body with a text"))?;
    let mut consents: Vec<Consent> = Vec::new();
    for checkbox in disclaimer.get("checkboxes").and_then(Value::as_array).into_iter().flatten() {
        let (Some(key), Some(text)) = (text_of(checkbox, "key"), text_of(checkbox, "text")) else {
            return Err(wrong("custom_disclaimer[checkboxes] must have a key and a text each"));
        };
        if consents.iter().any(|known| known.key == key) {
            return Err(wrong(&format!("custom_disclaimer[checkboxes] has the key {key} twice")));
        }
        let required = checkbox.get("is_required").and_then(Value::as_bool).unwrap_or(true);
        consents.push(Consent { key: key.to_owned(), text: text.to_owned(), required });
    }
    Ok(consents)
}
