//! The simulated internet: what the addresses that a client hands to Meta return.
//!
//! Every address exists. One that no test registered returns a fitting picture or video. Loopback addresses are not
//! part of it: [`crate::media::fetch`] really calls them, because a client under test serves its own uploads there.

use std::collections::VecDeque;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::media::fetch::Expected;
use crate::media::{Kind, Media};

/// Number of fetches stored for the control interface.
const KEPT_FETCHES: usize = 1000;
/// The picture of an unregistered address: 1080 by 1080 pixels.
const USUAL_SIDE: u32 = 1080;
const USUAL_PICTURE_BYTES: u64 = 240_000;
const USUAL_VIDEO_BYTES: u64 = 4_000_000;
const USUAL_DURATION_MS: u64 = 15_000;

/// What a test registered for one address.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) id: u64,
    pub(crate) url: String,
    /// `None` if it never responds.
    pub(crate) status: Option<u16>,
    /// The target of a redirect.
    pub(crate) location: Option<String>,
    pub(crate) media: Media,
    /// Remaining responses; `None` means until removed.
    pub(crate) times: Option<u64>,
    pub(crate) hits: u64,
}

/// The response of an address.
#[derive(Debug)]
pub(crate) struct Response {
    /// `None` if there is none.
    pub(crate) status: Option<u16>,
    pub(crate) location: Option<String>,
    pub(crate) media: Media,
}

/// All registered addresses, and the log of fetches.
#[derive(Debug, Default)]
pub(crate) struct Web {
    sites: Vec<Site>,
    last_id: u64,
    /// Most recent last: address, status (`None` if there was no response) and epoch seconds.
    fetches: VecDeque<(String, Option<u16>, i64)>,
    pub(crate) partial_files: PartialFiles,
}

/// Where a picture is accepted although its host answered the fetcher's range (everything) with 206. A video always is.
///
/// Pages are known to refuse it. Instagram is reported to refuse some hosts, and yet takes pictures from storage
/// services that answer like this.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum PartialFiles {
    Nowhere,
    /// On Instagram, from loopback addresses.
    #[default]
    Instagram,
    Everywhere,
}

impl PartialFiles {
    /// Parses the name used in control calls.
    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Nowhere, Self::Instagram, Self::Everywhere].into_iter().find(|it| it.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nowhere => "nowhere",
            Self::Instagram => "instagram",
            Self::Everywhere => "everywhere",
        }
    }

    /// Returns whether a file that came with 206 is accepted.
    pub(crate) fn accepts(self, expected: Expected, local: bool) -> bool {
        match (self, expected) {
            (_, Expected::Video | Expected::MessageFile) | (Self::Everywhere, _) => true,
            (Self::Instagram, Expected::InstagramPicture) => local,
            (Self::Nowhere | Self::Instagram, _) => false,
        }
    }
}

impl Web {
    /// Registers an address and returns the id of the entry. Older entries of the same address go first.
    pub(crate) fn register(&mut self, mut site: Site) -> u64 {
        self.last_id += 1;
        site.id = self.last_id;
        self.sites.push(site);
        self.last_id
    }

    /// Removes the entry `id`, or every entry if `None`. Returns how many were removed.
    pub(crate) fn remove(&mut self, id: Option<u64>) -> usize {
        let before = self.sites.len();
        self.sites.retain(|site| id.is_some_and(|id| site.id != id));
        before - self.sites.len()
    }

    /// Returns the response of an address.
    pub(crate) fn get(&mut self, url: &str) -> Response {
        let site = self.sites.iter_mut().find(|site| site.url == url && site.times != Some(0));
        let Some(site) = site else { return Response { status: Some(200), location: None, media: usual(url) } };
        site.times = site.times.map(|left| left - 1);
        site.hits += 1;
        Response { status: site.status, location: site.location.clone(), media: site.media.clone() }
    }

    /// Returns whether a registered address is broken, and counts the visit. Unregistered ones never are.
    pub(crate) fn is_broken(&mut self, url: &str) -> bool {
        let registered = self.sites.iter().any(|site| site.url == url && site.times != Some(0));
        registered && self.get(url).status.is_none_or(|status| status >= 400)
    }

    /// Records a fetch.
    pub(crate) fn record(&mut self, url: &str, status: Option<u16>, now_s: i64) {
        if self.fetches.len() == KEPT_FETCHES {
            self.fetches.pop_front();
        }
        self.fetches.push_back((url.to_owned(), status, now_s));
    }

    /// Lists entries and fetches for the control interface.
    pub(crate) fn report(&self) -> Value {
        let sites = self.sites.iter().map(|site| {
            json!({"id": site.id, "url": site.url, "status": site.status, "times_left": site.times, "hits": site.hits})
        });
        let fetches = self.fetches.iter().map(|(url, status, at)| json!({"url": url, "status": status, "at": at}));
        json!({"sites": sites.collect::<Vec<_>>(), "fetches": fetches.collect::<Vec<_>>()})
    }
}

/// The file of an unregistered address: a video if its path ends like one, else a JPEG picture.
pub(crate) fn usual(url: &str) -> Media {
    let path = url.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    let extension = path.rsplit('.').next().unwrap_or_default();
    let video = matches!(extension, "mp4" | "mov");
    Media {
        kind: if video { Kind::Video } else { Kind::Jpeg },
        bytes: if video { USUAL_VIDEO_BYTES } else { USUAL_PICTURE_BYTES },
        size: Some(if video { (USUAL_SIDE, 1920) } else { (USUAL_SIDE, USUAL_SIDE) }),
        duration_ms: video.then_some(USUAL_DURATION_MS),
        digest: hex::encode(Sha256::digest(url.as_bytes())),
        processing_error: None,
        processing_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use super::usual;
    use crate::media::Kind;

    #[test]
    fn an_unregistered_address_is_a_picture_unless_it_ends_like_a_video() {
        for (url, kind) in [
            ("https://cdn.example/a.jpg", Kind::Jpeg),
            ("https://cdn.example/a", Kind::Jpeg),
            ("https://cdn.example/b.mp4?sig=1.jpg", Kind::Video),
            ("https://cdn.example/b.MOV#t=1", Kind::Video),
        ] {
            assert_eq!(usual(url).kind, kind, "{url}");
        }
    }
}
