//! Businesses: the pages and ad accounts they own, and their system users.

use super::{
    AD_ACCOUNT, AD_ACCOUNT_EUR, AD_ACCOUNT_JPY, CAFE, CLINIC_BERLIN, CLINIC_LEEDS, CLINIC_MADRID, CLINICS, FOUNDED_MS,
    JONAS, MARA, OUTDOOR, PORTFOLIO, PRIYA, SYSTEM_USER, newcomer, pages,
};
use crate::world::World;
use crate::world::ad_account::AdAccount;
use crate::world::person::Business;

pub(super) fn plant(world: &mut World) {
    plant_portfolio(world);
    own_account(world, JONAS, "1203948576655474", "Atelier Brandt", "EUR", 2);
    own_account(world, PRIYA, "1203948576655485", "Green Fork", "USD", 1);
    plant_clinics(world);
}

/// Mara's: a page and two ad accounts of its own, a page and an ad account of a client.
fn plant_portfolio(world: &mut World) {
    let mut business = Business::new(PORTFOLIO, "Northwind Holding", FOUNDED_MS);
    business.owned_pages.push(OUTDOOR.to_owned());
    business.client_pages.push(CAFE.to_owned());
    for (page_id, owner) in [(OUTDOOR, Some(PORTFOLIO)), (CAFE, None)] {
        if let Some(page) = world.pages.get_mut(page_id) {
            page.portfolio = Some(PORTFOLIO.to_owned());
            page.owner = owner.map(str::to_owned);
        }
    }
    let accounts = [
        ad_account(AD_ACCOUNT, "Lead campaigns", "USD", Some(PORTFOLIO)),
        ad_account(AD_ACCOUNT_EUR, "Northwind Europe", "EUR", Some(PORTFOLIO)),
        ad_account(AD_ACCOUNT_JPY, "Café Élan Tokyo", "JPY", None),
    ];
    for mut account in accounts {
        account.runs_campaigns = account.id == AD_ACCOUNT;
        let list =
            if account.owner.is_some() { &mut business.owned_ad_accounts } else { &mut business.client_ad_accounts };
        list.push(account.id.clone());
        assign(world, MARA, &account.id);
        world.ad_accounts.push(account);
    }
    world.businesses.push(business);
}

/// Nobody's but its own: reached through its system user only.
fn plant_clinics(world: &mut World) {
    let clinics = [
        (CLINIC_BERLIN, "Meridian Klinik Berlin", "meridianberlin"),
        (CLINIC_MADRID, "Clínica Meridian Madrid", "meridianmadrid"),
        (CLINIC_LEEDS, "Meridian Clinic Leeds", "meridianleeds"),
    ];
    let mut business = Business::new(CLINICS, "Meridian Clinics", FOUNDED_MS);
    for (id, name, username) in clinics {
        pages::insert(world, id, name, username, "Medical centre");
        if let Some(page) = world.pages.get_mut(id) {
            page.portfolio = Some(CLINICS.to_owned());
            page.owner = Some(CLINICS.to_owned());
            page.other_apps = pages::other_apps(2);
        }
        business.owned_pages.push(id.to_owned());
    }
    world.businesses.push(business);
    add_accounts(world, CLINICS, ["1203948576655496", "1203948576655507", "1203948576655518"].map(str::to_owned));
    newcomer::employ(world, SYSTEM_USER, CLINICS, "Meridian lead sync", &clinics.map(|(id, ..)| id.to_owned()));
}

/// Gives a business one account in each of three currencies; yen have no minor unit.
pub(super) fn add_accounts(world: &mut World, business_id: &str, ids: [String; 3]) {
    let Some(at) = world.businesses.iter().position(|business| business.id == business_id) else { return };
    for (id, currency) in ids.into_iter().zip(["USD", "EUR", "JPY"]) {
        let Some(business) = world.businesses.get_mut(at) else { return };
        let account = ad_account(&id, &format!("{} {currency}", business.name), currency, Some(business_id));
        business.owned_ad_accounts.push(id);
        world.ad_accounts.push(account);
    }
}

fn own_account(world: &mut World, user_id: &str, id: &str, name: &str, currency: &'static str, status: u8) {
    world.ad_accounts.push(AdAccount { status, ..ad_account(id, name, currency, None) });
    assign(world, user_id, id);
}

fn assign(world: &mut World, user_id: &str, account_id: &str) {
    if let Some(user) = world.users.iter_mut().find(|user| user.id == user_id) {
        user.ad_accounts.push(account_id.to_owned());
    }
}

fn ad_account(id: &str, name: &str, currency: &'static str, owner: Option<&str>) -> AdAccount {
    AdAccount {
        id: id.to_owned(),
        name: name.to_owned(),
        currency,
        timezone_name: match currency {
            "EUR" => "Europe/Berlin",
            "JPY" => "Asia/Tokyo",
            _ => "America/New_York",
        },
        status: 1,
        owner: owner.map(str::to_owned),
        runs_campaigns: false,
    }
}
