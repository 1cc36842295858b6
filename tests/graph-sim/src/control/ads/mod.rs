//! `/_sim/ads`: accounts with generated ads, and the true numbers of those ads.

mod change;
mod create;
mod objects;
mod oddities;
mod reports;
mod totals;
mod writing;

pub(super) use change::change;
pub(super) use create::create;
pub(super) use reports::reports;
pub(super) use totals::totals;
pub(super) use writing::change_settings;

use super::Mistake;
use crate::world::World;
use crate::world::ad_account::AdAccount;
use crate::world::person::User;

fn account<'w>(world: &'w World, account_id: &str) -> Result<&'w AdAccount, Mistake> {
    world.ad_account(account_id).ok_or_else(|| Mistake::new(format!("there is no ad account {account_id}")))
}

fn user_mut<'w>(world: &'w mut World, user_id: &str) -> Result<&'w mut User, Mistake> {
    let user = world.users.iter_mut().find(|user| user.id == user_id);
    user.ok_or_else(|| Mistake::new(format!("there is no user {user_id}")))
}
