//! What Meta does not document, does only sometimes or grants on request, as switches.

use super::Account;
use crate::webhook::outbox::Place;

/// The switches of comments and messages. The control interface changes them.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Whether the app may use the tag `HUMAN_AGENT`.
    pub(crate) human_agent: bool,
    /// Whether the app may read Messenger profiles (Business Asset User Profile Access).
    pub(crate) profiles: bool,
    /// Whether the app may write to people without a role in it (10/2018028 otherwise).
    pub(crate) advanced_access: bool,
    /// How WhatsApp rejects a message after its window: at once, or by a status.
    pub(crate) closed_window: ClosedWindow,
    /// The statuses that WhatsApp sends for each message, in this order.
    pub(crate) statuses: Vec<String>,
    /// The error of the next WhatsApp messages, which are accepted and then fail.
    pub(crate) failing: Option<(i64, u64)>,
    /// Whether `to` without `+` gets the country code of the business number.
    pub(crate) prefixes_numbers: bool,
    /// Whether WhatsApp's media objects in webhooks carry `url`.
    pub(crate) media_urls: bool,
    /// How Messenger names a sticker: `sticker`, `image` or `both`.
    pub(crate) stickers: Stickers,
    /// The verb of an edited comment: `edited` or `edit`.
    pub(crate) edit_verb: &'static str,
    /// Whether the webhooks of comments name their author.
    pub(crate) names_authors: bool,
    /// Whether ids in the webhooks of comments and reactions are numbers, where they are nothing but digits.
    pub(crate) numeric_ids: bool,
    /// Whether a like arrives as `like` and as `reaction`.
    pub(crate) doubles_likes: bool,
    /// Where Instagram's events are in an entry.
    pub(crate) instagram_layout: InstagramLayout,
    /// The `app_id` of what is written in Meta's own inbox.
    pub(crate) inbox_app_id: Option<u64>,
}

/// How a message after the window is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosedWindow {
    /// Accepted, then `failed` with 131047.
    Status,
    /// 131047 in the response.
    Refusal,
}

/// Where Instagram's events are in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InstagramLayout {
    /// Messages in `messaging`, comments in `changes`.
    Lists,
    /// Everything in `changes`.
    Changes,
    /// `field` and `value` in the entry itself, as some apps with Instagram Login get it.
    Flat,
}

impl InstagramLayout {
    /// The place of an account's events. `None` for the usual one.
    pub(crate) fn place(self, account: &Account) -> Option<Place> {
        match (self, account) {
            (Self::Changes, Account::Instagram(_)) => Some(Place::Changes),
            (Self::Flat, Account::Instagram(_)) => Some(Place::Flat),
            _ => None,
        }
    }
}

/// The attachments of a sticker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stickers {
    /// One of type `sticker`, since 2026-08-30.
    Sticker,
    /// One of type `image` with `sticker_id`, before.
    Image,
    /// Both with the same address, in between.
    Both,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            human_agent: true,
            profiles: true,
            advanced_access: true,
            closed_window: ClosedWindow::Status,
            statuses: vec!["sent".to_owned(), "delivered".to_owned()],
            failing: None,
            prefixes_numbers: true,
            media_urls: false,
            stickers: Stickers::Sticker,
            edit_verb: "edited",
            names_authors: true,
            numeric_ids: false,
            doubles_likes: false,
            instagram_layout: InstagramLayout::Lists,
            inbox_app_id: None,
        }
    }
}
