//! The webhook sender: collects changes into shared bodies, signs and delivers them, retries, and gives up as Meta
//! does.

pub(crate) mod body;
pub(crate) mod mixed;
pub(crate) mod outbox;
pub(crate) mod sender;
pub(crate) mod verification;
