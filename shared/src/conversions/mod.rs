//! The room of conversions: what Meta learns of the leads' progress.
//!
//! A change of a lead's status stores the stage in the same transaction, and an arriving lead its first one. From then on
//! the stage is in an index until it is settled, and the schedule sends a message for every org that has one.
//! [`ConversionSender`] sends them; [`Conversions`] has the operations of the API.

mod outcomes;
mod sender;
mod settings;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
mod trial;

pub use outcomes::{ConversionOutcome, ConversionOutcomes};
pub use sender::ConversionSender;
pub use settings::{ConversionsIn, ConversionsOut, Coverage, DatasetList, DatasetOut};
pub use trial::{TestEventIn, TestEventOut};

use crate::tokens::Tokens;

/// The operations on what integrations report.
#[derive(Debug, Clone)]
pub struct Conversions {
    /// The Graph API with the integrations' tokens.
    pub tokens: Tokens,
}
