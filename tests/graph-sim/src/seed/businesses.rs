//! Businesses: their pages, their ad accounts and their system users.

use super::{
    AD_ACCOUNT, AD_ACCOUNT_EUR, AD_ACCOUNT_JPY, CAFE, CLINIC_BERLIN, CLINIC_LEEDS, CLINIC_MADRID, CLINICS, FOUNDED_MS,
    JONAS, MARA, OUTDOOR, PORTFOLIO, PRIYA, SYSTEM_USER, ad_accounts, newcomer, pages,
};
use crate::world::World;
use crate::world::person::Business;

/// The business of the portfolio's client, which is known only by its WhatsApp account.
const CAFE_OWNER: &str = "763950112233463";

pub(super) fn plant(world: &mut World) {
    plant_portfolio(world);
    own_account(world, JONAS, "1203948576655474", "Atelier Brandt", "EUR", 2);
    own_account(world, PRIYA, "1203948576655485", "Green Fork", "USD", 1);
    plant_clinics(world);
}

/// Mara's business: it owns a page and two ad accounts, and has a page and an ad account of a client.
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
        (AD_ACCOUNT, "Lead campaigns", "USD", Some(PORTFOLIO)),
        (AD_ACCOUNT_EUR, "Northwind Europe", "EUR", Some(PORTFOLIO)),
        (AD_ACCOUNT_JPY, "Café Élan Tokyo", "JPY", None),
    ];
    for (id, name, currency, owner) in accounts {
        ad_accounts::open(world, id, name, currency, owner);
        let list = if owner.is_some() { &mut business.owned_ad_accounts } else { &mut business.client_ad_accounts };
        list.push(id.to_owned());
        assign(world, MARA, id);
    }
    world.businesses.push(business);
    world.open_whatsapp(PORTFOLIO, "Northwind Outdoor", None);
    world.open_crm_dataset(PORTFOLIO, "Northwind Holding");
    world.open_whatsapp(CAFE_OWNER, "Café Élan", Some(PORTFOLIO));
}

/// A business without people: only its system user reaches it.
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
    add_accounts(world, CLINICS, &["1203948576655496", "1203948576655507", "1203948576655518"].map(str::to_owned));
    world.open_whatsapp(CLINICS, "Meridian Clinics", None);
    world.open_crm_dataset(CLINICS, "Meridian Clinics");
    newcomer::employ(world, SYSTEM_USER, CLINICS, "Meridian lead sync", &clinics.map(|(id, ..)| id.to_owned()));
}

/// Gives a business ad accounts in three alternating currencies. The yen has no smaller unit.
pub(super) fn add_accounts(world: &mut World, business_id: &str, ids: &[String]) {
    let Some(at) = world.businesses.iter().position(|business| business.id == business_id) else { return };
    for (id, currency) in ids.iter().zip(["USD", "EUR", "JPY"].into_iter().cycle()) {
        let Some(business) = world.businesses.get_mut(at) else { return };
        let name = format!("{} {currency}", business.name);
        business.owned_ad_accounts.push(id.clone());
        ad_accounts::open(world, id, &name, currency, Some(business_id));
    }
}

fn own_account(world: &mut World, user_id: &str, id: &str, name: &str, currency: &str, status: u32) {
    ad_accounts::open(world, id, name, currency, None);
    if let Some(account) = world.ad_account_mut(id) {
        account.status = status;
        account.disable_reason = if status == 2 { 1 } else { 0 };
    }
    assign(world, user_id, id);
}

fn assign(world: &mut World, user_id: &str, account_id: &str) {
    if let Some(user) = world.users.iter_mut().find(|user| user.id == user_id) {
        user.ad_accounts.push(account_id.to_owned());
    }
}
