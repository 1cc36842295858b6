//! The text of a creative: in one of five places, or nowhere.

use serde_json::{Value, json};

use super::Place;
use crate::world::ads::creative::Kind;
use crate::world::ads::tree::Level;

const TITLES: &[&str] =
    &["Book your check-up", "Jetzt 20 % sparen", "Nouvelle collection", "Reserva hoy", "新発売", "Try it free"];
const TEXTS: &[&str] = &[
    "New patients welcome – book a free first visit in two minutes.",
    "Nur bis Sonntag: die ganze Kollektion.\n\nJetzt ansehen 👉",
    "Découvrez la collection d'automne, en boutique et en ligne.",
    "Plazas limitadas. ¡Apúntate y te llamamos!",
    "期間限定キャンペーン実施中。",
    "\"Best decision of the year\" – Anna, 34",
];

/// All content a creative can have.
pub(super) struct Story {
    pub(super) page_id: String,
    pub(super) post_id: u64,
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    pub(super) link: String,
    pub(super) image_hash: String,
    pub(super) video_id: String,
    /// The type of the call-to-action button.
    pub(super) call: &'static str,
    form_id: Option<String>,
}

impl Story {
    pub(super) fn of(place: &Place<'_>) -> Self {
        let (ads, index) = (place.ads, place.index);
        let mut dice = ads.creative_dice(index);
        let form = ads.tree.form(Level::Ad, index);
        let on_meta = ads.on_meta(ads.tree.adset_of(index));
        let page = 104_398_000_000_000 + ads.seed % 1_000_000_000;
        let form_id = form.map(|form| form.form_id.clone());
        let invented = on_meta.then(|| (23_990_000_000_000_000 + dice.next() % 1_000_000_000).to_string());
        Self {
            page_id: form.map_or_else(|| page.to_string(), |form| form.page_id.clone()),
            post_id: 122_000_000_000_000_000 + dice.next() % 1_000_000_000_000,
            title: dice.pick(TITLES).unwrap_or_default(),
            text: dice.pick(TEXTS).unwrap_or_default(),
            link: if on_meta {
                "https://fb.me/".to_owned()
            } else {
                format!("https://www.example.com/offer/{index}?ref=meta")
            },
            image_hash: format!("{:016x}{:016x}", dice.next(), dice.next()),
            video_id: (1_500_000_000_000_000 + dice.next() % 1_000_000_000).to_string(),
            call: if on_meta {
                "SIGN_UP"
            } else {
                dice.pick(&["LEARN_MORE", "SHOP_NOW", "BOOK_TRAVEL"]).unwrap_or_default()
            },
            form_id: form_id.or(invented),
        }
    }

    /// Returns `object_story_spec`. `None` for kinds without one.
    pub(super) fn spec(&self, kind: Kind) -> Option<Value> {
        let (name, data) = match kind {
            Kind::Direct | Kind::Post | Kind::Assets => return None,
            Kind::Link => ("link_data", self.link_data()),
            Kind::Carousel => ("link_data", self.carousel()),
            Kind::Video => (
                "video_data",
                json!({
                    "video_id": self.video_id, "title": self.title, "message": self.text,
                    "image_url": self.picture(), "image_hash": self.image_hash, "call_to_action": self.button(),
                }),
            ),
            Kind::Photo => {
                ("photo_data", json!({"url": self.picture(), "caption": self.text, "image_hash": self.image_hash}))
            }
            Kind::Template => (
                "template_data",
                json!({
                    "message": "{{product.name | titleize}} – now {{product.price}}", "name": "{{product.name}}",
                    "description": "{{product.description}}", "link": self.link, "call_to_action": self.button(),
                    "multi_share_end_card": false,
                }),
            ),
        };
        Some(json!({"page_id": self.page_id, "instagram_user_id": "17841400000000001", name: data}))
    }

    /// Returns `asset_feed_spec`, from which Meta assembles the ad.
    pub(super) fn assets(&self) -> Value {
        json!({
            "bodies": [{"text": self.text}, {"text": format!("{} (2)", self.text)}],
            "titles": [{"text": self.title}, {"text": format!("{} (2)", self.title)}],
            "descriptions": [{"text": "Free delivery"}],
            "link_urls": [{"website_url": self.link, "display_url": "example.com"}],
            "images": [{"hash": self.image_hash, "url": self.picture()}],
            "videos": [{"video_id": self.video_id, "thumbnail_url": self.picture()}],
            "call_to_action_types": [self.call], "ad_formats": ["AUTOMATIC_FORMAT"], "optimization_type": "REGULAR",
        })
    }

    fn link_data(&self) -> Value {
        json!({
            "link": self.link, "message": self.text, "name": self.title, "description": "example.com",
            "picture": self.picture(), "image_hash": self.image_hash, "call_to_action": self.button(),
        })
    }

    fn carousel(&self) -> Value {
        let cards: Vec<Value> = (1..=3)
            .map(|card| {
                json!({
                    "link": format!("{}#{card}", self.link), "name": format!("{} {card}", self.title),
                    "description": format!("Card {card}"), "image_hash": self.image_hash,
                    "picture": self.picture(), "call_to_action": self.button(),
                })
            })
            .collect();
        json!({
            "link": self.link, "message": self.text, "child_attachments": cards, "multi_share_optimized": true,
            "multi_share_end_card": true, "call_to_action": self.button(),
        })
    }

    fn button(&self) -> Value {
        match &self.form_id {
            Some(form_id) => json!({"type": self.call, "value": {"lead_gen_form_id": form_id, "link": self.link}}),
            None => json!({"type": self.call, "value": {"link": self.link}}),
        }
    }

    fn picture(&self) -> String {
        format!("https://www.example.com/pictures/{}.jpg", self.image_hash)
    }
}
