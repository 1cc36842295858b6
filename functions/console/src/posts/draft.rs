//! What is typed into the form for a new post. It survives every mistake.

use jiff::Timestamp;
use jiff::civil::Date;
use leadwire::error::ErrorCode;
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{InstagramAccountId, PageId};
use leadwire::model::publishing::composition::Composition;
use leadwire::model::publishing::upload::MediaAddress;
use leadwire::model::publishing::{Media, MediaType};
use leadwire::publishing::{ComposeIn, PageTarget, PostOut, TargetIn};
use leadwire::tr;

use crate::form::{Fields, new_request_id};
use crate::zone::Zone;

/// The fields of the form, as they were filled in.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    /// The ticked targets, as [`page_value`] and [`account_value`] write them.
    pub(super) targets: Vec<String>,
    pub(super) message: String,
    pub(super) link: String,
    /// The addresses of uploaded pictures and of an uploaded video.
    pub(super) uploads: Vec<String>,
    /// The addresses of further pictures, one a line.
    pub(super) images: String,
    pub(super) video: String,
    /// Whether it is published at `at` instead of now.
    pub(super) is_later: bool,
    /// The local time in `zone`.
    pub(super) at: String,
    pub(super) zone: Zone,
    /// Makes one post of a form that is sent twice.
    pub(super) request_id: String,
}

/// The value of a page's box.
pub(super) fn page_value(target: &PageTarget) -> String {
    format!("page:{}", target.page_id)
}

/// The value of an Instagram account's box.
pub(super) fn account_value(id: &InstagramAccountId) -> String {
    format!("instagram:{id}")
}

fn parse_target(value: &str) -> Option<TargetIn> {
    match value.split_once(':')? {
        ("page", id) => PageId::parse(id).ok().map(TargetIn::PageId),
        ("instagram", id) => InstagramAccountId::parse(id).ok().map(TargetIn::InstagramAccountId),
        _ => None,
    }
}

impl Draft {
    /// An empty form. A day of the calendar fills in its morning.
    pub(super) fn new(zone: Zone, day: Option<Date>) -> Self {
        Self {
            targets: Vec::new(),
            message: String::new(),
            link: String::new(),
            uploads: Vec::new(),
            images: String::new(),
            video: String::new(),
            is_later: day.is_some(),
            at: day.map(|day| format!("{day}T09:00")).unwrap_or_default(),
            zone,
            request_id: new_request_id(),
        }
    }

    /// A form with the content of a post, for another one like it.
    pub(super) fn copy(post: &PostOut, zone: Zone) -> Self {
        let urls = |kind| {
            let is_on_the_web = |media: &&Media| media.r#type == kind && !MediaAddress::is_one(&media.url);
            let urls: Vec<&str> = post.media.iter().filter(is_on_the_web).map(|media| media.url.as_str()).collect();
            urls.join("\n")
        };
        let target = post.instagram_account_id.as_ref().map_or_else(|| format!("page:{}", post.page_id), account_value);
        Self {
            targets: vec![target],
            message: post.message.clone().unwrap_or_default(),
            link: post.link.clone().unwrap_or_default(),
            uploads: post.media.iter().map(|media| media.url.clone()).filter(|url| MediaAddress::is_one(url)).collect(),
            images: urls(MediaType::Image),
            video: urls(MediaType::Video),
            ..Self::new(zone, None)
        }
    }

    /// The form as it was submitted.
    pub(super) fn submitted(fields: &Fields) -> Self {
        // Browsers send line breaks as two characters, and networks would count both.
        let lines = |name: &str| fields.raw(name).unwrap_or_default().replace("\r\n", "\n");
        Self {
            targets: fields.all("target").map(ToOwned::to_owned).collect(),
            message: lines("message"),
            link: fields.text("link"),
            uploads: fields.all("upload").map(ToOwned::to_owned).collect(),
            images: lines("images"),
            video: fields.text("video"),
            is_later: fields.get("when") == Some("later"),
            at: fields.text("at"),
            zone: Zone::parse(fields.get("zone").unwrap_or("UTC")),
            request_id: fields.get("request_id").map_or_else(new_request_id, ToOwned::to_owned),
        }
    }

    pub(super) fn has(&self, target: &str) -> bool {
        self.targets.iter().any(|chosen| chosen == target)
    }

    /// The number of uploads that are pictures of the post. They come before those from the web.
    pub(super) fn uploaded_pictures(&self) -> usize {
        let composition = self.composition();
        composition.images.iter().filter(|image| MediaAddress::is_one(image)).count()
    }

    /// Whether nothing is written yet.
    pub(super) fn is_empty(&self) -> bool {
        let texts = [&self.message, &self.link, &self.images, &self.video];
        self.uploads.is_empty() && texts.iter().all(|text| text.trim().is_empty())
    }

    pub(super) fn composition(&self) -> Composition {
        let optional = |text: &String| Some(text.clone()).filter(|text| !text.trim().is_empty());
        let is_video = |address: &&String| {
            address.parse::<MediaAddress>().is_ok_and(|address| address.format.media_type() == MediaType::Video)
        };
        let (videos, mut images): (Vec<&String>, Vec<&str>) = (
            self.uploads.iter().filter(is_video).collect(),
            self.uploads.iter().filter(|upload| !is_video(upload)).map(String::as_str).collect(),
        );
        // A post has one video. Further ones are refused by their names, as pictures that they are not.
        let has_address = !self.video.trim().is_empty();
        images.extend(videos.iter().skip(usize::from(!has_address)).map(|video| video.as_str()));
        images.extend(self.images.lines().map(str::trim).filter(|line| !line.is_empty()));
        Composition {
            message: optional(&self.message),
            link: optional(&self.link),
            images: images.into_iter().map(ToOwned::to_owned).collect(),
            video: optional(&self.video).or_else(|| videos.first().copied().cloned()),
        }
    }

    /// The time at which it is to be published; `None` is now.
    pub(super) fn scheduled_at(&self) -> Result<Option<Timestamp>, Problem> {
        let problem = |detail| Problem::field("scheduled_at", ErrorCode::TimeNotAllowed, detail);
        match (self.is_later, self.at.is_empty()) {
            (false, true) => Ok(None),
            (false, false) => {
                Err(problem(tr!("Select “At a specific time” to use this time, or clear the time to publish now.")))
            }
            (true, _) => match self.zone.parse_time(&self.at) {
                Some(at) => Ok(Some(at)),
                None => Err(problem(tr!("Choose a day and a time."))),
            },
        }
    }

    /// What is asked for.
    pub(super) fn input(&self) -> Result<ComposeIn, Problem> {
        let parse = |(position, value): (usize, &String)| {
            let field = format!("targets[{position}]");
            parse_target(value).ok_or_else(|| {
                Problem::field(&field, ProblemCode::IdInvalid, tr!("Choose a page or an account from the list."))
            })
        };
        let Composition { message, link, images, video } = self.composition();
        Ok(ComposeIn {
            targets: self.targets.iter().enumerate().map(parse).collect::<Result<_, _>>()?,
            message,
            link,
            images,
            video,
            scheduled_at: self.scheduled_at()?,
            request_id: Some(self.request_id.clone()),
        })
    }
}

#[cfg(test)]
mod tests {
    use leadwire::model::publishing::Media;

    use super::super::tests::post;
    use super::*;

    fn draft() -> Draft {
        Draft { message: "Sale".to_owned(), targets: vec!["page:7".to_owned()], ..Draft::new(Zone::parse("UTC"), None) }
    }

    #[test]
    fn a_draft_says_what_is_asked_for() {
        let images = " https://cdn.example/1.jpg \n\n\nhttps://cdn.example/2.jpg\n".to_owned();
        let targets = vec!["page:7".to_owned(), "instagram:178".to_owned()];
        let input = Draft { images, targets, ..draft() }.input().unwrap();
        assert_eq!(input.images, ["https://cdn.example/1.jpg", "https://cdn.example/2.jpg"]);
        let instagram = InstagramAccountId::parse("178").unwrap();
        let page = PageId::parse("7").unwrap();
        assert_eq!(input.targets, [TargetIn::PageId(page), TargetIn::InstagramAccountId(instagram)]);
        assert_eq!(
            (input.message.as_deref(), input.link, input.video, input.scheduled_at),
            (Some("Sale"), None, None, None)
        );
        assert!(input.request_id.is_some_and(|id| id.len() > 10), "one of its own");
        assert_ne!(draft().request_id, draft().request_id);
    }

    #[test]
    fn no_time_is_misunderstood() {
        let berlin = Zone::parse("Europe/Berlin");
        let at = |is_later, at: &str| {
            Draft { is_later, at: at.to_owned(), zone: berlin.clone(), ..draft() }
                .scheduled_at()
                .map_err(|problem| problem.field.unwrap())
        };
        assert_eq!(at(false, ""), Ok(None));
        assert_eq!(at(true, "2026-12-01T09:00").unwrap().unwrap().to_string(), "2026-12-01T08:00:00Z");
        for (is_later, text) in [(true, ""), (true, "tomorrow"), (false, "2026-12-01T09:00")] {
            assert_eq!(at(is_later, text), Err("scheduled_at".to_owned()), "{is_later} {text}");
        }
    }

    #[test]
    fn a_box_that_was_tampered_with_is_named() {
        for bad in ["page:", "page:x", "instagram", "7", "form:7"] {
            let targets = vec!["page:7".to_owned(), bad.to_owned()];
            assert_eq!(Draft { targets, ..draft() }.input().unwrap_err().field.as_deref(), Some("targets[1]"), "{bad}");
        }
    }

    #[test]
    fn a_copy_has_the_content_and_a_request_of_its_own() {
        let media = |kind, name: &str| Media::new(kind, format!("https://cdn.example/{name}"));
        let images = vec![media(MediaType::Image, "1.jpg"), media(MediaType::Image, "2.jpg")];
        let copy = Draft::copy(&PostOut { media: images, ..post() }, Zone::parse("UTC"));
        assert_eq!(copy.images, "https://cdn.example/1.jpg\nhttps://cdn.example/2.jpg");
        assert_eq!((copy.message.as_str(), copy.video.as_str(), copy.is_later), ("Sale ends Sunday", "", false));
        assert_eq!(copy.targets, ["page:7"]);
        let instagram = PostOut { instagram_account_id: InstagramAccountId::parse("178").ok(), ..post() };
        assert_eq!(Draft::copy(&instagram, Zone::parse("UTC")).targets, ["instagram:178"]);
    }

    #[test]
    fn a_second_video_is_refused_and_not_dropped() {
        let uploads = ["media:med_1.mp4", "media:med_2.mp4"].map(ToOwned::to_owned).to_vec();
        let draft = Draft { uploads, ..Draft::new(Zone::parse("UTC"), None) };
        let composition = draft.composition();
        assert_eq!(composition.video.as_deref(), Some("media:med_1.mp4"));
        assert_eq!(composition.images, ["media:med_2.mp4"]);
        assert!(composition.content(leadwire::model::publishing::PostKind::Page).is_err());
    }
}
