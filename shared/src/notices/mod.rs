//! The room of mails to assignees: a person learns of a lead at once when it is assigned to them.
//!
//! Nothing of this stands in the way of leads: the events that the bus carries anyway also go into a queue of their own,
//! and what happens there is nothing that the writing of leads waits for. [`AssigneeNotifier`] sends; [`MailSwitch`] is
//! how people stop the mails. What an org's admins must know is told them where it is noticed; [`mail_admins`] tells each once.

mod admins;
mod sender;
mod switch;
#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;

pub use admins::{mail_admins, send_once};
pub use sender::{AssigneeMail, AssigneeNotifier};
pub use switch::{MailSwitch, Unsubscribe};
