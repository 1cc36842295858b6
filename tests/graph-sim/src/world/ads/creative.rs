//! Creatives: which ad shows which creative, and which field carries its text.

use super::Ads;
use super::dice::{self, Dice};
use super::tree::{FIRST_GHOST, Level};

/// The format of a creative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text in `body`, `title` and `link_url`.
    Direct,
    /// Text in `object_story_spec.link_data` only.
    Link,
    /// Text in `object_story_spec.video_data`.
    Video,
    /// Text in `object_story_spec.photo_data`.
    Photo,
    /// Text in `object_story_spec.template_data`, with `{{product.name}}`.
    Template,
    /// Several texts in `asset_feed_spec`.
    Assets,
    /// A boosted post: no text, only `effective_object_story_id`.
    Post,
    /// Text in `link_data` with `child_attachments`.
    Carousel,
}

impl Kind {
    const ALL: [Self; 8] =
        [Self::Direct, Self::Link, Self::Video, Self::Photo, Self::Template, Self::Assets, Self::Post, Self::Carousel];

    fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Link => "link",
            Self::Video => "video",
            Self::Photo => "photo",
            Self::Template => "template",
            Self::Assets => "assets",
            Self::Post => "post",
            Self::Carousel => "carousel",
        }
    }
}

/// The kinds of creatives in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mix {
    /// Every kind.
    Mixed,
    Only(Kind),
}

impl Mix {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if name == "mixed" {
            return Some(Self::Mixed);
        }
        Kind::ALL.into_iter().find(|kind| kind.name() == name).map(Self::Only)
    }

    pub(crate) fn names() -> String {
        let kinds: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
        format!("mixed, {}", kinds.join(", "))
    }
}

impl Ads {
    /// The creative of an ad: the one that the API gave it, or the generated one.
    pub(crate) fn creative_of(&self, ad: u32) -> u32 {
        if let Some(given) = self.changes.of(Level::Ad, ad).and_then(|change| change.creative) {
            return given;
        }
        self.generated_creative_of(ad)
    }

    /// The generated creative of an ad, numbered after the first ad that shows it. One ad in five shows the creative of
    /// the ad before it.
    pub(crate) fn generated_creative_of(&self, ad: u32) -> u32 {
        let first_of_adset = self.tree.ads_of(self.tree.adset_of(ad)).start;
        if ad >= FIRST_GHOST {
            return first_of_adset;
        }
        let mut owner = ad;
        while owner > first_of_adset && dice::throw(self.seed ^ 0xc4ea, u64::from(owner)).is_multiple_of(5) {
            owner -= 1;
        }
        owner
    }

    pub(crate) fn creative_kind(&self, creative: u32) -> Kind {
        match self.creatives {
            Mix::Only(kind) => kind,
            // Ads of lead forms have an ordinary link.
            Mix::Mixed if self.tree.form(Level::Ad, creative).is_some() => Kind::Link,
            Mix::Mixed => {
                let which = dice::throw(self.seed ^ 0x517e, u64::from(creative)) % 8;
                let which = usize::try_from(which).unwrap_or_default();
                Kind::ALL.get(which).copied().unwrap_or(Kind::Direct)
            }
        }
    }

    /// The dice for the texts and addresses of a creative.
    pub(crate) fn creative_dice(&self, creative: u32) -> Dice {
        Dice::new(self.seed ^ 0x7e87, u64::from(creative))
    }
}
