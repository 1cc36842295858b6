//! People and businesses that join the world later, each with pages and ad accounts of their own, so that tests do not
//! interfere. A grant belongs to the person, so two tests with the same person would take away each other's
//! permissions.

use super::{businesses, forms, pages};
use crate::world::World;
use crate::world::person::{ALL_TASKS, Business, User};

/// The ids of newcomers and their things count up from here.
const FIRST_USER: u64 = 10_333_344_556_000_001;
const FIRST_SYSTEM_USER: u64 = 122_104_998_878_000_001;
const FIRST_PAGE: u64 = 104_398_761_160_001;
const FIRST_BUSINESS: u64 = 763_950_112_240_001;
const FIRST_AD_ACCOUNT: u64 = 1_203_948_576_660_001;

/// Adds a person with every task on `count` new pages and with a business that has ad accounts but no page. Returns the
/// person's id. With `languages` each page has forms in further languages.
pub(crate) fn join(world: &mut World, count: u64, languages: bool) -> String {
    let number = number_of(&world.users);
    let id = (FIRST_USER + number).to_string();
    let page_ids = open_pages(world, &format!("Newcomer {number}"), count);
    for page_id in page_ids.iter().filter(|_| languages) {
        forms::plant_languages(world, page_id);
    }
    let business_id = found(world, &format!("Newcomer {number} Ltd"));
    world.users.push(User {
        id: id.clone(),
        name: format!("Newcomer {number}"),
        email: format!("newcomer{number}@example.com"),
        roles: page_ids.iter().map(|page_id| pages::role(page_id, ALL_TASKS, true)).collect(),
        ad_accounts: accounts_of(world, &business_id),
        business_ids: vec![business_id],
        employer: None,
    });
    id
}

/// Adds a business with a WhatsApp account and an ad account in each of three currencies, and returns its id.
pub(crate) fn found(world: &mut World, name: &str) -> String {
    let id = (FIRST_BUSINESS + number_of(&world.businesses)).to_string();
    let now = world.clock.now_ms();
    world.businesses.push(Business::new(&id, name, now));
    open_accounts(world, &id, 3);
    world.open_crm_dataset(&id, name);
    world.open_whatsapp(&id, name, None);
    id
}

/// Adds `count` ad accounts that a business owns, alternating between dollars, euros and yen, and returns their ids.
pub(crate) fn open_accounts(world: &mut World, business_id: &str, count: u64) -> Vec<String> {
    let first = FIRST_AD_ACCOUNT + number_of(&world.ad_accounts);
    let free = (first..).map(|id| id.to_string()).filter(|id| world.ad_account(id).is_none());
    let ids: Vec<String> = free.take(usize::try_from(count).unwrap_or_default()).collect();
    businesses::add_accounts(world, business_id, &ids);
    ids
}

/// Adds `count` pages that a business owns and returns their ids.
pub(crate) fn open_business_pages(world: &mut World, business_id: &str, count: u64) -> Vec<String> {
    let name = world.business(business_id).map(|business| business.name.clone()).unwrap_or_default();
    let ids = open_pages(world, &name, count);
    for id in &ids {
        if let Some(page) = world.pages.get_mut(id) {
            page.portfolio = Some(business_id.to_owned());
            page.owner = Some(business_id.to_owned());
        }
    }
    if let Some(business) = world.businesses.iter_mut().find(|business| business.id == business_id) {
        business.owned_pages.extend(ids.iter().cloned());
    }
    ids
}

/// Adds a system user with every task on `page_ids` and returns its id.
pub(crate) fn hire(world: &mut World, business_id: &str, name: Option<&str>, page_ids: &[String]) -> String {
    let number = number_of(&world.users);
    let id = (FIRST_SYSTEM_USER + number).to_string();
    employ(world, &id, business_id, name.unwrap_or(&format!("System user {number}")), page_ids);
    id
}

/// Like [`hire`], with a given id.
pub(super) fn employ(world: &mut World, id: &str, business_id: &str, name: &str, page_ids: &[String]) {
    world.users.push(User {
        id: id.to_owned(),
        name: name.to_owned(),
        email: String::new(),
        roles: page_ids.iter().map(|page_id| pages::role(page_id, ALL_TASKS, true)).collect(),
        ad_accounts: accounts_of(world, business_id),
        business_ids: vec![business_id.to_owned()],
        employer: Some(business_id.to_owned()),
    });
}

/// Adds pages with one form each.
fn open_pages(world: &mut World, name: &str, count: u64) -> Vec<String> {
    let first = FIRST_PAGE + u64::try_from(world.pages.len()).unwrap_or_default();
    let ids: Vec<String> = (first..first + count).map(|page| page.to_string()).collect();
    for (place, id) in (1..).zip(&ids) {
        pages::insert(world, id, &format!("{name} Page {place}"), &format!("page{id}"), "Local business");
        forms::plant_one(world, id);
    }
    ids
}

fn accounts_of(world: &World, business_id: &str) -> Vec<String> {
    world.business(business_id).map(|business| business.ad_accounts().cloned().collect()).unwrap_or_default()
}

fn number_of<T>(list: &[T]) -> u64 {
    u64::try_from(list.len()).unwrap_or_default()
}
