//! How the whole system runs: what CloudWatch is asked, what its answers mean, and what that is in a sentence.
//!
//! Nothing here is of one org. What is not known is `None`, never 0: a system that says nothing is not a healthy one.

pub mod alarms;
pub mod cost;
pub mod figures;
pub mod headline;
pub mod measure;
pub mod series;
pub mod stack;
