//! People and pages.

use super::{
    ATELIER, BAKERY, CAFE, DENTAL, FIRST_FRANCHISE, FRANCHISES, JONAS, MARA, OUTDOOR, PORTFOLIO, PRIYA, RENTALS,
    THEATRE, YOGA,
};
use crate::world::World;
use crate::world::page::{OtherApp, Page};
use crate::world::person::{ALL_TASKS, Role, RoleSlot, User};

pub(super) fn plant(world: &mut World) {
    for (id, name, username, category) in [
        (DENTAL, "Harbour Lane Dental", "harbourlanedental", "Dentist"),
        (BAKERY, "Bäckerei Sonnenhügel", "baeckerei.sonnenhuegel", "Bakery"),
        (YOGA, "Estudio Ñandú Yoga", "estudionanduyoga", "Yoga studio"),
        (OUTDOOR, "Northwind Outdoor", "northwindoutdoor", "Outdoor equipment shop"),
        (CAFE, "Café Élan", "cafeelan", "Coffee shop"),
        (RENTALS, "Lakeside Rentals", "lakesiderentals", "Holiday home rental"),
        (THEATRE, "Old Mill Theatre", "oldmilltheatre", "Theatre"),
        (ATELIER, "Atelier Brandt", "atelierbrandt", "Artist"),
    ] {
        insert(world, id, name, username, category);
    }
    for number in 0..FRANCHISES {
        let id = (FIRST_FRANCHISE + number).to_string();
        let name = format!("Green Fork {:02}", number + 1);
        insert(world, &id, &name, &format!("greenfork{:02}", number + 1), "Restaurant");
    }
    crowd(world);
    // Meta's quota differs between accounts, and so do its pages about it.
    for account in world.instagram.accounts.values_mut() {
        account.quota = match account.page_id.as_str() {
            BAKERY => 50,
            YOGA => 25,
            _ => account.quota,
        };
    }
    world.users = vec![mara(), jonas(), priya()];
}

pub(super) fn insert(world: &mut World, id: &str, name: &str, username: &str, category: &'static str) {
    let page = Page {
        id: id.to_owned(),
        name: name.to_owned(),
        username: username.to_owned(),
        category,
        about: format!("{name} on Facebook"),
        fan_count: 1_200,
        portfolio: None,
        owner: None,
        subscribed_fields: None,
        other_apps: Vec::new(),
        lead_access_revoked: false,
        lead_terms_accepted: true,
        messaging_failing_since_ms: None,
    };
    world.pages.insert(id.to_owned(), page);
    if id != THEATRE {
        world.open_instagram(id, name, username);
    }
}

/// Installs so many other apps on one page that ours is not on the first response page of `subscribed_apps`.
fn crowd(world: &mut World) {
    if let Some(page) = world.pages.get_mut(YOGA) {
        page.other_apps = other_apps(27);
    }
}

pub(super) fn other_apps(count: u64) -> Vec<OtherApp> {
    (1..=count)
        .map(|number| OtherApp {
            id: (300_100_200_300_000 + number).to_string(),
            name: format!("Other App {number}"),
            fields: vec!["feed"],
        })
        .collect()
}

pub(super) fn role(page_id: &str, tasks: &[&'static str], has_token: bool) -> RoleSlot {
    RoleSlot::Role(Role { page_id: page_id.to_owned(), tasks: tasks.to_vec(), has_token, lost: false })
}

fn mara() -> User {
    User {
        id: MARA.to_owned(),
        name: "Mara Lindqvist".to_owned(),
        email: "mara.lindqvist@example.com".to_owned(),
        roles: vec![
            role(DENTAL, ALL_TASKS, true),
            role(BAKERY, ALL_TASKS, true),
            role(YOGA, ALL_TASKS, true),
            role(OUTDOOR, ALL_TASKS, true),
            role(CAFE, ALL_TASKS, true),
            role(RENTALS, &["ADVERTISE", "ANALYZE"], true),
            role(THEATRE, &["ANALYZE"], false),
        ],
        business_ids: vec![PORTFOLIO.to_owned()],
        ad_accounts: Vec::new(),
        employer: None,
    }
}

fn jonas() -> User {
    User {
        id: JONAS.to_owned(),
        name: "Jonas Brandt".to_owned(),
        email: "jonas.brandt@example.com".to_owned(),
        roles: vec![role(DENTAL, ALL_TASKS, true), role(ATELIER, ALL_TASKS, true)],
        business_ids: Vec::new(),
        ad_accounts: Vec::new(),
        employer: None,
    }
}

/// Forty pages, a hundred withheld ones, twenty pages. The list takes two calls even at the largest page size, and at
/// the usual 25 some response pages are empty.
fn priya() -> User {
    let page = |number: u64| role(&(FIRST_FRANCHISE + number).to_string(), ALL_TASKS, true);
    let withheld = std::iter::repeat_n(RoleSlot::Withheld, 100);
    User {
        id: PRIYA.to_owned(),
        name: "Priya Raman".to_owned(),
        email: "priya.raman@example.com".to_owned(),
        roles: (0..40).map(page).chain(withheld).chain((40..FRANCHISES).map(page)).collect(),
        business_ids: Vec::new(),
        ad_accounts: Vec::new(),
        employer: None,
    }
}
