//! Small ad accounts.

use jiff::tz::TimeZone;

use super::AD_ACCOUNT;
use crate::world::World;
use crate::world::ad_account::Opening;
use crate::world::ads::Plan;
use crate::world::ads::creative::Mix;
use crate::world::ads::currency::Currency;
use crate::world::ads::dice;

/// Days of delivery before the start.
const DAYS: i32 = 90;

/// Opens an account with a few campaigns, in the time zone that its currency suggests. The campaigns of lead forms are
/// added to [`AD_ACCOUNT`].
pub(super) fn open(world: &mut World, id: &str, name: &str, currency: &str, owner: Option<&str>) {
    let Some(currency) = Currency::find(currency) else { return };
    let timezone_name = match currency.code {
        "EUR" => "Europe/Berlin",
        "JPY" => "Asia/Tokyo",
        _ => "America/New_York",
    };
    world.open_ad_account(Opening {
        id: id.to_owned(),
        name: name.to_owned(),
        currency,
        timezone_name: timezone_name.to_owned(),
        zone: TimeZone::get(timezone_name).unwrap_or(TimeZone::UTC),
        status: 1,
        disable_reason: 0,
        runs_campaigns: id == AD_ACCOUNT,
        live: false,
        plan: Plan {
            campaigns: 3,
            adsets_each: 2,
            ads_each: 3,
            days: DAYS,
            seed: dice::of_text(id),
            active_share: 0.8,
            creatives: Mix::Mixed,
        },
    });
    if let Some(account) = world.ad_account_mut(id) {
        account.owner = owner.map(str::to_owned);
    }
    world.open_pixel(id, name, owner);
}
