//! One text with its media for several networks: what becomes of it on each, and what each still allows.

use std::borrow::Cow;

use super::PostKind;
use super::draft::{
    CAROUSEL_SIZES, Content, DraftError, DraftMistake, InstagramDraft, MAX_CAPTION, MAX_HASHTAGS, MAX_IMAGES,
    MAX_MENTIONS, MAX_MESSAGE, PageDraft, address, count_marks,
};
use crate::tr;

/// What is written once and published on several targets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Composition {
    /// The text.
    pub message: Option<String>,
    /// The link. On Instagram it becomes the last line of the caption.
    pub link: Option<String>,
    /// Pictures, in order.
    pub images: Vec<String>,
    /// A video, instead of pictures.
    pub video: Option<String>,
}

/// How much of a limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitUsage {
    /// What is limited, as a plural noun.
    pub noun: &'static str,
    /// How much there is.
    pub used: usize,
    /// How much the network accepts.
    pub limit: usize,
}

impl Composition {
    /// Returns what is published on a network.
    ///
    /// # Errors
    /// The first field that the network would refuse: `message`, `link`, `images`, `images[n]` or `video`.
    pub fn content(&self, kind: PostKind) -> Result<Content, DraftError> {
        match kind {
            PostKind::Page => {
                let Self { message, link, images, video } = self.clone();
                PageDraft { message, link, image: None, images, video }.check()
            }
            PostKind::Instagram => {
                let content = self.on_instagram().map_err(|error| DraftError {
                    field: composed_field(error.field),
                    message: format!("Instagram: {}", error.message),
                    ..error
                })?;
                Ok(Content { fields: content.fields.into_iter().map(composed_field).collect(), ..content })
            }
        }
    }

    fn on_instagram(&self) -> Result<Content, DraftError> {
        if !self.images.is_empty() && self.video.is_some() {
            let message = tr!("Either pictures or a video.").into_owned();
            return Err(DraftError { field: "video".into(), kind: DraftMistake::Conflict, message });
        }
        let (image, carousel) = match self.images.as_slice() {
            [] if self.video.is_none() => {
                let message = tr!("A picture or a video. Instagram has no posts without one.").into_owned();
                return Err(DraftError { field: "images".into(), kind: DraftMistake::Missing, message });
            }
            [] => (None, Vec::new()),
            [image] => (Some(image.clone()), Vec::new()),
            images => (None, images.to_vec()),
        };
        if let Some(link) = self.link.as_deref().filter(|link| !link.trim().is_empty()) {
            address("link", link)?;
        }
        let caption = Some(self.text(PostKind::Instagram)).filter(|caption| !caption.is_empty());
        InstagramDraft { image, video: self.video.clone(), carousel, caption, ..InstagramDraft::default() }.check()
    }

    /// Returns the text as a network shows it.
    #[must_use]
    pub fn text(&self, kind: PostKind) -> String {
        let says = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let has_media = !self.images.is_empty() || self.video.is_some();
        let link =
            says(&self.link).map(|link| link.trim().to_owned()).filter(|_| kind == PostKind::Instagram || has_media);
        let parts: Vec<String> = says(&self.message).into_iter().chain(link).collect();
        parts.join("\n\n")
    }

    /// Returns how much of each of a network's limits is used.
    #[must_use]
    pub fn usage(&self, kind: PostKind) -> Vec<LimitUsage> {
        let text = self.text(kind);
        let usage = |noun, used, limit| LimitUsage { noun, used, limit };
        let (characters, pictures) = (text.chars().count(), self.images.len());
        match kind {
            PostKind::Page => {
                vec![usage("characters", characters, MAX_MESSAGE), usage("pictures", pictures, MAX_IMAGES)]
            }
            PostKind::Instagram => vec![
                usage("characters", characters, MAX_CAPTION),
                usage("hashtags", count_marks(&text, '#'), MAX_HASHTAGS),
                usage("mentions", count_marks(&text, '@'), MAX_MENTIONS),
                usage("pictures", pictures, *CAROUSEL_SIZES.end()),
            ],
        }
    }
}

/// The field of a composition that became a field of an Instagram post.
fn composed_field(field: Cow<'static, str>) -> Cow<'static, str> {
    match field.as_ref() {
        "caption" => "message".into(),
        "image" => "images[0]".into(),
        "carousel" => "images".into(),
        name => name.strip_prefix("carousel").map(|item| format!("images{item}").into()).unwrap_or(field),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::publishing::InstagramFormat;

    fn composition(message: &str, images: &[&str]) -> Composition {
        let images = images.iter().map(|image| (*image).to_owned()).collect();
        Composition { message: Some(message.to_owned()), images, ..Composition::default() }
    }

    fn mistake(composition: &Composition, kind: PostKind) -> (String, DraftMistake) {
        let error = composition.content(kind).unwrap_err();
        (error.field.into_owned(), error.kind)
    }

    #[test]
    fn each_network_makes_its_own_post_of_it() {
        let link = Some("https://shop.example/sale".to_owned());
        let one = Composition { link: link.clone(), ..composition("Sale", &["https://cdn.example/1.jpg"]) };
        for kind in [PostKind::Page, PostKind::Instagram] {
            let content = one.content(kind).unwrap();
            assert_eq!(content.message.as_deref(), Some("Sale\n\nhttps://shop.example/sale"), "{kind}");
            assert_eq!(content.message, Some(one.text(kind)), "{kind}");
        }
        assert_eq!(one.content(PostKind::Instagram).unwrap().format, Some(InstagramFormat::Image));
        let two = composition("Sale", &["https://cdn.example/1.jpg", "https://cdn.example/2.jpg"]);
        assert_eq!(two.content(PostKind::Instagram).unwrap().format, Some(InstagramFormat::Carousel));
        let video = Composition { video: Some("https://cdn.example/1.mp4".to_owned()), ..composition("Sale", &[]) };
        assert_eq!(video.content(PostKind::Instagram).unwrap().format, Some(InstagramFormat::Reel));
        let text = Composition { link, ..composition("Sale", &[]) };
        assert_eq!(text.text(PostKind::Page), "Sale", "the page shows a preview of the link");
        assert_eq!(text.content(PostKind::Page).unwrap().link.as_deref(), Some("https://shop.example/sale"));
    }

    #[test]
    fn a_mistake_has_the_name_of_the_field_that_was_filled_in() {
        let check = |composition: Composition, field: &str, kind: DraftMistake| {
            assert_eq!(mistake(&composition, PostKind::Instagram), (field.to_owned(), kind));
        };
        let (jpg, png) = ("https://cdn.example/1.jpg", "https://cdn.example/2.png");
        check(composition("Sale", &[]), "images", DraftMistake::Missing);
        check(composition("Sale", &[png]), "images[0]", DraftMistake::Media);
        check(composition("Sale", &[jpg, png]), "images[1]", DraftMistake::Media);
        check(composition("Sale", &[jpg; 11]), "images", DraftMistake::Media);
        check(composition(&"x".repeat(2_201), &[jpg]), "message", DraftMistake::Text);
        check(
            Composition { link: Some("shop".to_owned()), ..composition("Sale", &[jpg]) },
            "link",
            DraftMistake::Address,
        );
        let video = Some("https://cdn.example/1.mp4".to_owned());
        let both = Composition { video, ..composition("Sale", &[jpg]) };
        check(both.clone(), "video", DraftMistake::Conflict);
        assert_eq!(mistake(&both, PostKind::Page), ("video".to_owned(), DraftMistake::Conflict));
        assert!(composition("Sale", &[png]).content(PostKind::Page).is_ok(), "a page takes it");
    }

    #[test]
    fn what_a_network_counts_is_what_it_refuses() {
        let tags = |number: usize| vec!["#a"; number].join(" ");
        let jpg = ["https://cdn.example/1.jpg"];
        for (text, noun) in [
            ("x".repeat(MAX_CAPTION), "characters"),
            (tags(MAX_HASHTAGS), "hashtags"),
            (vec!["@a"; MAX_MENTIONS].join(" "), "mentions"),
        ] {
            let full = composition(&text, &jpg);
            let usage = full.usage(PostKind::Instagram).into_iter().find(|usage| usage.noun == noun).unwrap();
            assert_eq!(usage.used, usage.limit, "{noun}");
            assert!(full.content(PostKind::Instagram).is_ok(), "{noun}");
            let over = composition(&format!("{text} #b @b"), &jpg);
            assert!(over.content(PostKind::Instagram).is_err(), "{noun}");
        }
    }
}
