//! The content of an ad. Meta stores it in one of several places, depending on how the ad was created.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The content of an ad, as far as Meta returns it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Creative {
    /// Meta's id of the creative.
    #[serde(default)]
    pub id: Option<String>,
    /// The text above the picture.
    #[serde(default)]
    pub body: Option<String>,
    /// The headline.
    #[serde(default)]
    pub title: Option<String>,
    /// The destination of a click.
    #[serde(default)]
    pub link: Option<String>,
    /// The picture, as an expiring Meta URL.
    #[serde(default)]
    pub image_url: Option<String>,
    /// The thumbnail, as an expiring Meta URL.
    #[serde(default)]
    pub thumbnail_url: Option<String>,
    /// The button: `SIGN_UP`, `LEARN_MORE`…
    #[serde(default)]
    pub call_to_action: Option<String>,
    /// The post that the ad shows, if it shows one. The ad's text is then the post's.
    #[serde(default)]
    pub post_id: Option<String>,
}

/// The first non-empty text at one of these paths.
fn text(creative: &Value, paths: &[&str]) -> Option<String> {
    let candidates = paths.iter().filter_map(|path| creative.pointer(path)?.as_str());
    candidates.map(str::trim).find(|text| !text.is_empty()).map(str::to_owned)
}

impl Creative {
    /// Parses Meta's creative. Its own fields take precedence over the post it was created from, and that over the
    /// variants from which Meta chooses.
    #[must_use]
    pub fn parse(creative: &Value) -> Self {
        Self {
            id: text(creative, &["/id"]),
            body: text(
                creative,
                &[
                    "/body",
                    "/object_story_spec/link_data/message",
                    "/object_story_spec/video_data/message",
                    "/object_story_spec/photo_data/caption",
                    "/object_story_spec/template_data/message",
                    "/object_story_spec/text_data/message",
                    "/asset_feed_spec/bodies/0/text",
                ],
            ),
            title: text(
                creative,
                &[
                    "/title",
                    "/object_story_spec/link_data/name",
                    "/object_story_spec/video_data/title",
                    "/object_story_spec/template_data/name",
                    "/object_story_spec/link_data/child_attachments/0/name",
                    "/asset_feed_spec/titles/0/text",
                ],
            ),
            link: text(
                creative,
                &[
                    "/link_url",
                    "/object_story_spec/link_data/link",
                    "/object_story_spec/video_data/call_to_action/value/link",
                    "/object_story_spec/template_data/link",
                    "/object_story_spec/link_data/call_to_action/value/link",
                    "/asset_feed_spec/link_urls/0/website_url",
                ],
            ),
            image_url: text(
                creative,
                &[
                    "/image_url",
                    "/object_story_spec/link_data/picture",
                    "/object_story_spec/video_data/image_url",
                    "/object_story_spec/photo_data/url",
                    "/object_story_spec/link_data/child_attachments/0/picture",
                    "/asset_feed_spec/images/0/url",
                ],
            ),
            thumbnail_url: text(creative, &["/thumbnail_url", "/asset_feed_spec/videos/0/thumbnail_url"]),
            call_to_action: text(
                creative,
                &[
                    "/call_to_action_type",
                    "/object_story_spec/link_data/call_to_action/type",
                    "/object_story_spec/video_data/call_to_action/type",
                    "/object_story_spec/template_data/call_to_action/type",
                    "/asset_feed_spec/call_to_action_types/0",
                ],
            ),
            post_id: text(creative, &["/effective_object_story_id", "/object_story_id"]),
        }
    }

    /// The creative without the expiry parameters of Meta's URLs, which differ on every read and carry no meaning.
    #[must_use]
    pub fn lasting(&self) -> Self {
        let bare = |url: &Option<String>| Some(url.as_deref()?.split('?').next()?.to_owned());
        Self { image_url: bare(&self.image_url), thumbnail_url: bare(&self.thumbnail_url), ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_creative(creative: &Value) -> [Option<String>; 4] {
        let creative = Creative::parse(creative);
        [creative.body, creative.title, creative.link, creative.image_url]
    }

    fn texts(texts: [&str; 4]) -> [Option<String>; 4] {
        texts.map(|text| (!text.is_empty()).then(|| text.to_owned()))
    }

    #[test]
    fn a_creative_is_read_wherever_it_says_it() {
        let plain = json!({"body": "b", "title": "t", "link_url": "l", "image_url": "i"});
        assert_eq!(read_creative(&plain), texts(["b", "t", "l", "i"]));
        let link = json!({"body": "", "object_story_spec": {"link_data": {"message": "b", "name": "t", "link": "l", "picture": "i"}}});
        assert_eq!(read_creative(&link), texts(["b", "t", "l", "i"]));
        let video = json!({"object_story_spec": {"video_data": {"message": "b", "title": "t", "image_url": "i", "call_to_action": {"value": {"link": "l"}}}}});
        assert_eq!(read_creative(&video), texts(["b", "t", "l", "i"]));
        let photo = json!({"object_story_spec": {"photo_data": {"caption": "b", "url": "i"}}});
        assert_eq!(read_creative(&photo), texts(["b", "", "", "i"]));
        let feed = json!({"asset_feed_spec": {"bodies": [{"text": "b"}, {"text": "c"}], "titles": [{"text": "t"}], "link_urls": [{"website_url": "l"}], "images": [{"url": "i"}]}});
        assert_eq!(read_creative(&feed), texts(["b", "t", "l", "i"]));
        for nothing in [json!({}), json!(null), json!({"body": null, "object_story_spec": [], "title": 7})] {
            assert_eq!(read_creative(&nothing), texts(["", "", "", ""]));
        }
        assert_eq!(Creative::parse(&json!({"effective_object_story_id": "1_2"})).post_id.as_deref(), Some("1_2"));
    }

    #[test]
    fn an_expiring_link_is_no_change() {
        let creative =
            |query: &str| Creative::parse(&json!({"image_url": format!("https://cdn/x.jpg?{query}"), "body": "b"}));
        assert_ne!(creative("oe=1"), creative("oe=2"));
        assert_eq!(creative("oe=1").lasting(), creative("oe=2").lasting());
    }
}
