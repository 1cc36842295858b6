//! The content of a creative: `object_story_spec` and `asset_feed_spec`.
//!
//! Meta drops every member it does not know, without a word. A form id in the wrong place is lost this way.

use serde_json::{Map, Value, json};
use url::Url;

use super::creative_rules as rules;
use super::site::{self, Site, text_at};
use crate::graph::error::GraphError;
use crate::graph::rejection::Refused;
use crate::graph::session::Call;

type Spec = Map<String, Value>;

/// The kinds of content in `object_story_spec`, of which it has one.
const CONTENTS: &[&str] = &["link_data", "video_data", "photo_data", "template_data", "text_data"];
/// Buttons that open an instant form.
const FORM_BUTTONS: &[&str] = &[
    "SIGN_UP",
    "LEARN_MORE",
    "APPLY_NOW",
    "GET_QUOTE",
    "SUBSCRIBE",
    "CONTACT_US",
    "DOWNLOAD",
    "BOOK_TRAVEL",
    "GET_OFFER",
];
const STORY: &[&str] =
    &["page_id", "instagram_user_id", "link_data", "video_data", "photo_data", "template_data", "text_data"];
const LINK: &[&str] = &[
    "link",
    "message",
    "name",
    "description",
    "caption",
    "picture",
    "image_hash",
    "image_crops",
    "call_to_action",
    "child_attachments",
    "multi_share_end_card",
    "multi_share_optimized",
    "attachment_style",
    "format_option",
    "force_single_link",
    "event_id",
    "offer_id",
    "page_welcome_message",
    "retailer_item_ids",
    "use_flexible_image_aspect_ratio",
    "video_id",
];
const VIDEO: &[&str] = &[
    "video_id",
    "image_hash",
    "image_url",
    "title",
    "message",
    "link_description",
    "call_to_action",
    "offer_id",
    "page_welcome_message",
    "retailer_item_ids",
];
const PHOTO: &[&str] = &["url", "caption", "image_hash", "page_welcome_message"];
const BUTTON: &[&str] = &["type", "value"];
const BUTTON_VALUE: &[&str] = &[
    "link",
    "link_caption",
    "link_format",
    "link_title",
    "link_description",
    "lead_gen_form_id",
    "app_destination",
    "app_link",
    "application",
    "event_id",
    "page",
    "product_link",
    "whatsapp_number",
];

/// Checks a new `object_story_spec` and returns what Meta keeps of it.
///
/// # Errors
/// Returns 1443048, 2061015, 1443226 or 100 for what is missing or wrong, 1815199 for the Instagram account, 200 or 100/33
/// for the page.
pub(super) fn check(call: &Call<'_>, site: &Site, spec: &Spec) -> Result<Spec, Refused> {
    if spec.contains_key("instagram_actor_id") {
        return Err(retired_instagram_field().into());
    }
    let spec = kept(spec);
    let whole = Value::Object(spec.clone());
    let malformed = |what: &str| rules::STORY_MALFORMED.broken(&["object_story_spec"], what);
    let page_id = text_at(&whole, "page_id").ok_or_else(|| malformed("page_id is missing"))?;
    if let Some(instagram) = text_at(&whole, "instagram_user_id") {
        check_instagram(call, site, &instagram, "object_story_spec.instagram_user_id")?;
    }
    let contents: Vec<&str> = CONTENTS.iter().copied().filter(|name| spec.contains_key(*name)).collect();
    let [content] = contents.as_slice() else {
        return Err(malformed("it must have exactly one of link_data, video_data, photo_data and template_data"));
    };
    let data = spec.get(*content).and_then(Value::as_object).ok_or_else(|| malformed("the content is no object"))?;
    site::check_page(call, &page_id)?;
    let path = format!("object_story_spec.{content}");
    check_content(site, content, &Value::Object(data.clone()), &path)?;
    check_button(call, data.get("call_to_action"), &page_id, &format!("{path}.call_to_action"))?;
    let cards = data.get("child_attachments").and_then(Value::as_array);
    for (at, card) in cards.into_iter().flatten().enumerate() {
        let path = format!("{path}.child_attachments.{at}");
        check_image(site, card, &path)?;
        check_button(call, card.get("call_to_action"), &page_id, &format!("{path}.call_to_action"))?;
    }
    Ok(spec)
}

/// The error for the former name of `instagram_user_id`.
pub(super) fn retired_instagram_field() -> GraphError {
    GraphError::invalid("(#100) Param instagram_actor_id must be a valid Instagram account id")
}

/// Checks that the ad account may use an Instagram account.
pub(super) fn check_instagram(call: &Call<'_>, site: &Site, id: &str, path: &str) -> Result<(), Refused> {
    if call.world.can_advertise_as(&site.account_id, id) {
        Ok(())
    } else {
        Err(rules::INSTAGRAM_ACCOUNT.broken_by(path))
    }
}

/// Checks that the account has the image. `path` is empty for a parameter of its own.
pub(super) fn check_image(site: &Site, data: &Value, path: &str) -> Result<(), Refused> {
    let Some(hash) = text_at(data, "image_hash") else { return Ok(()) };
    if site.ads.written.images.contains_key(&hash) {
        Ok(())
    } else {
        let path = format!("{path}.image_hash");
        Err(rules::IMAGE_UNKNOWN.broken(&[path.trim_start_matches('.')], &hash))
    }
}

fn check_content(site: &Site, content: &str, data: &Value, path: &str) -> Result<(), Refused> {
    check_image(site, data, path)?;
    let has = |name: &str| text_at(data, name).is_some_and(|text| !text.is_empty());
    match content {
        "link_data" if !has("link") => Err(rules::LINK_MISSING.broken_by(&format!("{path}.link"))),
        "link_data" => {
            let link = text_at(data, "link").unwrap_or_default();
            let valid = Url::parse(&link).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
            if valid { Ok(()) } else { Err(rules::LINK_INVALID.broken_by(&format!("{path}.link"))) }
        }
        "video_data" if !has("video_id") => {
            Err(rules::STORY_MALFORMED.broken(&[&format!("{path}.video_id")], "video_id is missing"))
        }
        "video_data" if !has("image_hash") && !has("image_url") => Err(rules::THUMBNAIL_MISSING.broken_by(path)),
        _ => Ok(()),
    }
}

/// Checks a button and the form that it opens.
fn check_button(call: &Call<'_>, button: Option<&Value>, page_id: &str, path: &str) -> Result<(), Refused> {
    let Some(button) = button else { return Ok(()) };
    let Some(kind) = text_at(button, "type") else {
        return Err(rules::STORY_MALFORMED.broken(&[&format!("{path}.type")], "the call to action has no type"));
    };
    let Some(form_id) = text_at(button, "value.lead_gen_form_id") else { return Ok(()) };
    if !FORM_BUTTONS.contains(&kind.as_str()) {
        return Err(rules::BUTTON_UNAVAILABLE.broken(&[&format!("{path}.type")], &kind));
    }
    check_form(call, &form_id, page_id, &format!("{path}.value.lead_gen_form_id"))
}

fn check_form(call: &Call<'_>, form_id: &str, page_id: &str, path: &str) -> Result<(), Refused> {
    call.require_scope("pages_manage_ads")?;
    let usable = call.world.forms.get(form_id).is_some_and(|form| form.page_id == page_id && form.takes_leads());
    if usable { Ok(()) } else { Err(rules::FORM_UNUSABLE.broken(&[path], form_id)) }
}

/// Checks the forms in `asset_feed_spec` and returns what Meta keeps of it.
pub(super) fn check_assets(call: &Call<'_>, site: &Site, spec: &Spec, page_id: &str) -> Result<Spec, Refused> {
    let mut spec = spec.clone();
    let images = spec.get("images").and_then(Value::as_array);
    for (at, image) in images.into_iter().flatten().enumerate() {
        let image = json!({"image_hash": image.get("hash")});
        check_image(site, &image, &format!("asset_feed_spec.images.{at}"))?;
    }
    if let Some(Value::Array(buttons)) = spec.get_mut("call_to_actions") {
        for (at, button) in buttons.iter_mut().enumerate() {
            *button = kept_button(button);
            let form_id = text_at(button, "value.lead_gen_form_id");
            if let Some(form_id) = form_id {
                let path = format!("asset_feed_spec.call_to_actions.{at}.value.lead_gen_form_id");
                check_form(call, &form_id, page_id, &path)?;
            }
        }
    }
    Ok(spec)
}

/// Returns the form that a creative opens.
pub(super) fn form_of(fields: &Spec) -> Option<String> {
    let story = fields.get("object_story_spec");
    let of_button = |button: &Value| text_at(button, "value.lead_gen_form_id");
    let data = CONTENTS.iter().filter_map(|name| story?.get(*name));
    let in_story = data.flat_map(|data| {
        let cards = data.get("child_attachments").and_then(Value::as_array).into_iter().flatten();
        std::iter::once(data).chain(cards).filter_map(|holder| holder.get("call_to_action"))
    });
    let assets = fields.get("asset_feed_spec").and_then(|assets| assets.get("call_to_actions"));
    let in_assets = assets.and_then(Value::as_array).into_iter().flatten();
    in_story.chain(in_assets).find_map(of_button)
}

fn only(spec: &Spec, names: &[&str]) -> Spec {
    spec.iter()
        .filter(|(name, _)| names.contains(&name.as_str()))
        .map(|(name, it)| (name.clone(), it.clone()))
        .collect()
}

fn kept(spec: &Spec) -> Spec {
    let mut spec = only(spec, STORY);
    for (name, members) in [("link_data", LINK), ("video_data", VIDEO), ("photo_data", PHOTO)] {
        if let Some(Value::Object(data)) = spec.get_mut(name) {
            *data = only(data, members);
            keep_button(data);
            if let Some(Value::Array(cards)) = data.get_mut("child_attachments") {
                for card in cards.iter_mut().filter_map(Value::as_object_mut) {
                    *card = only(card, LINK);
                    keep_button(card);
                }
            }
        }
    }
    spec
}

fn keep_button(data: &mut Spec) {
    if let Some(button) = data.get_mut("call_to_action") {
        *button = kept_button(button);
    }
}

fn kept_button(button: &Value) -> Value {
    let Some(button) = button.as_object() else { return button.clone() };
    let mut button = only(button, BUTTON);
    if let Some(Value::Object(value)) = button.get_mut("value") {
        *value = only(value, BUTTON_VALUE);
        if let Some(form_id) = value.get_mut("lead_gen_form_id") {
            *form_id = json!(site::text(form_id));
        }
    }
    Value::Object(button)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{form_of, kept};

    fn form(story: &Value) -> Option<String> {
        let story = kept(story.as_object().unwrap());
        form_of(json!({ "object_story_spec": story }).as_object().unwrap())
    }

    #[test]
    fn a_form_survives_in_its_place_only() {
        let button = json!({"type": "SIGN_UP", "value": {"lead_gen_form_id": 77}});
        assert_eq!(form(&json!({"link_data": {"call_to_action": button}})).as_deref(), Some("77"));
        assert_eq!(form(&json!({"video_data": {"call_to_action": button}})).as_deref(), Some("77"));
        assert_eq!(
            form(&json!({"link_data": {"child_attachments": [{"call_to_action": button}]}})).as_deref(),
            Some("77")
        );
        for lost in [
            json!({"call_to_action": button, "link_data": {}}),
            json!({"lead_gen_form_id": "77", "link_data": {"lead_gen_form_id": "77"}}),
            json!({"link_data": {"call_to_action": {"type": "SIGN_UP", "lead_gen_form_id": "77"}}}),
            json!({"link_data": {"call_to_action": {"type": "SIGN_UP", "value": {"leadgen_form_id": "77"}}}}),
        ] {
            assert_eq!(form(&lost), None, "{lost}");
            assert!(!json!(kept(lost.as_object().unwrap())).to_string().contains("77"));
        }
        let assets =
            json!({"asset_feed_spec": {"call_to_actions": [{"type": "SIGN_UP", "value": {"lead_gen_form_id": "5"}}]}});
        assert_eq!(form_of(assets.as_object().unwrap()).as_deref(), Some("5"));
    }
}
