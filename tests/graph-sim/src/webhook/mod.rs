//! Meta as a sender of webhooks: collects changes into shared bodies, signs them, delivers, retries, gives up.

pub(crate) mod body;
pub(crate) mod mixed;
pub(crate) mod outbox;
pub(crate) mod sender;
pub(crate) mod verification;
