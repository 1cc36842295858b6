//! Published media.

use super::container::Kind;
use crate::world::World;
use crate::world::content::Maker;

/// A published photo, reel, story or carousel, or a part of a carousel.
#[derive(Debug, Clone)]
pub(crate) struct Medium {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) kind: Kind,
    pub(crate) caption: Option<String>,
    pub(crate) url: Option<String>,
    /// Ids of the parts of a carousel, in order.
    pub(crate) children: Vec<String>,
    pub(crate) alt_text: Option<String>,
    pub(crate) created_ms: i64,
    pub(crate) comments_enabled: bool,
    pub(crate) application: Maker,
    /// The original and the ad, if this is the copy of a medium that an ad shows.
    pub(crate) ad_copy_of: Option<(String, String)>,
    /// How many more reads fail with 100/33.
    pub(crate) missing_reads: u32,
}

/// The characters of short codes.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl Medium {
    /// The code in the medium's address: its id in base 64.
    pub(crate) fn shortcode(&self) -> String {
        let mut rest: u64 = self.id.parse().unwrap_or_default();
        let mut code: Vec<u8> = Vec::new();
        while rest > 0 {
            let digit = usize::try_from(rest % 64).unwrap_or_default();
            code.extend(ALPHABET.get(digit));
            rest /= 64;
        }
        code.iter().rev().map(|byte| char::from(*byte)).collect()
    }

    /// `media_product_type`.
    pub(crate) fn product_type(&self) -> &'static str {
        if self.ad_copy_of.is_some() { "AD" } else { self.kind.product_type() }
    }

    pub(crate) fn permalink(&self, username: &str) -> String {
        match self.kind {
            Kind::Reel => format!("https://www.instagram.com/reel/{}/", self.shortcode()),
            Kind::StoryImage | Kind::StoryVideo => {
                format!("https://www.instagram.com/stories/{username}/{}", self.id)
            }
            Kind::Image | Kind::Video | Kind::Carousel => {
                format!("https://www.instagram.com/p/{}/", self.shortcode())
            }
        }
    }
}

impl World {
    /// Publishes a finished container and returns the id of the medium. Each part of a carousel becomes a medium too.
    pub(crate) fn publish_container(&mut self, container_id: &str, application: &Maker) -> Option<String> {
        let container = self.instagram.container(container_id)?.clone();
        let mut children = Vec::new();
        for child_id in &container.children {
            let Some(child) = self.instagram.container(child_id).cloned() else { continue };
            let id = self.add_medium(&child.account_id, child.kind, None, child.url, application);
            if let Some(child) = self.instagram.containers.get_mut(child_id) {
                child.medium_id = Some(id.clone());
            }
            children.push(id);
        }
        let caption = container.caption.filter(|_| !container.kind.is_story());
        let id = self.add_medium(&container.account_id, container.kind, caption, container.url, application);
        let now = self.clock.now_ms();
        if let Some(account) = self.instagram.accounts.get_mut(&container.account_id) {
            account.media.push(id.clone());
            account.publications_ms.push(now);
        }
        if let Some(medium) = self.instagram.media.get_mut(&id) {
            medium.children = children;
            medium.alt_text = container.alt_text;
        }
        if let Some(container) = self.instagram.containers.get_mut(container_id) {
            container.medium_id = Some(id.clone());
        }
        Some(id)
    }

    /// Adds a medium made in the Instagram app.
    pub(crate) fn publish_by_hand(
        &mut self,
        account_id: &str,
        caption: Option<String>,
        urls: &[String],
        age_ms: i64,
    ) -> String {
        let application = Maker { id: "567067343352427".to_owned(), name: "Instagram".to_owned() };
        let kind_of = |url: &str| match crate::world::web::usual(url).kind {
            crate::media::Kind::Video => Kind::Video,
            _ => Kind::Image,
        };
        let children: Vec<String> = match urls {
            [_, _, ..] => urls
                .iter()
                .map(|url| self.add_medium(account_id, kind_of(url), None, Some(url.clone()), &application))
                .collect(),
            _ => Vec::new(),
        };
        let kind = match urls {
            [] => Kind::Image,
            [url] if kind_of(url) == Kind::Video => Kind::Reel,
            [_] => Kind::Image,
            _ => Kind::Carousel,
        };
        let url = urls.first().cloned().filter(|_| kind != Kind::Carousel);
        let id = self.add_medium(account_id, kind, caption, url, &application);
        if let Some(account) = self.instagram.accounts.get_mut(account_id) {
            account.media.push(id.clone());
        }
        if let Some(medium) = self.instagram.media.get_mut(&id) {
            medium.children = children;
            medium.created_ms -= age_ms;
            medium.missing_reads = 0;
        }
        id
    }

    fn add_medium(
        &mut self,
        account_id: &str,
        kind: Kind,
        caption: Option<String>,
        url: Option<String>,
        application: &Maker,
    ) -> String {
        let id = self.ids.instagram();
        let medium = Medium {
            id: id.clone(),
            account_id: account_id.to_owned(),
            kind,
            caption,
            url,
            children: Vec::new(),
            alt_text: None,
            created_ms: self.clock.now_ms(),
            comments_enabled: true,
            application: application.clone(),
            ad_copy_of: None,
            missing_reads: self.content.settings.missing_reads,
        };
        self.instagram.media.insert(id.clone(), medium);
        id
    }

    /// Returns the copy of a medium that an ad shows, and makes it if there is none.
    pub(crate) fn ad_copy(&mut self, medium_id: &str, ad_id: &str) -> Option<String> {
        let origin = Some((medium_id.to_owned(), ad_id.to_owned()));
        if let Some(copy) = self.instagram.media.values().find(|medium| medium.ad_copy_of == origin) {
            return Some(copy.id.clone());
        }
        let medium = self.instagram.medium(medium_id)?.clone();
        let id = self.ids.instagram();
        let copy = Medium { id: id.clone(), ad_copy_of: origin, missing_reads: 0, ..medium };
        self.instagram.media.insert(id.clone(), copy);
        Some(id)
    }

    /// Deletes a medium and its parts.
    pub(crate) fn delete_medium(&mut self, medium_id: &str) {
        let Some(medium) = self.instagram.media.remove(medium_id) else { return };
        for child in &medium.children {
            self.instagram.media.remove(child);
        }
        if let Some(account) = self.instagram.accounts.get_mut(&medium.account_id) {
            account.media.retain(|id| id != medium_id);
        }
    }
}
