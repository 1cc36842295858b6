//! WhatsApp: accounts, numbers, media and sending.

pub(super) mod accounts;
mod content;
pub(super) mod media;
pub(super) mod send;
mod template;
