//! Connecting an org to Meta: [`begin()`] sends a person to Meta's login, [`Connector`] takes them back with what Meta gave.

mod begin;
mod finish;

pub use begin::{Begin, BeginError, Dialog, begin};
pub use finish::{Answer, Connector, FinishError, Outcome};
