//! People who join the world later, each with pages of their own: for tests that must not meet each other. What a person
//! allows an app holds for the person, so two tests with one person would take each other's permissions away.

use super::{forms, pages};
use crate::world::World;
use crate::world::person::{ALL_TASKS, User};

/// Ids of newcomers and of their pages count up from here.
const FIRST_USER: u64 = 10_333_344_556_000_001;
const FIRST_PAGE: u64 = 104_398_761_160_001;

/// Adds a person who may do everything on `count` new pages, and answers their id.
pub(crate) fn join(world: &mut World, count: u64) -> String {
    let number = u64::try_from(world.users.len()).unwrap_or_default();
    let id = (FIRST_USER + number).to_string();
    let first = FIRST_PAGE + u64::try_from(world.pages.len()).unwrap_or_default();
    let page_ids: Vec<String> = (first..first + count).map(|page| page.to_string()).collect();
    for (place, page_id) in (1..).zip(&page_ids) {
        let name = format!("Newcomer {number} Page {place}");
        pages::insert(world, page_id, &name, &format!("newcomer{number}.{place}"), "Local business");
        forms::plant_one(world, page_id);
    }
    world.users.push(User {
        id: id.clone(),
        name: format!("Newcomer {number}"),
        email: format!("newcomer{number}@example.com"),
        roles: page_ids.iter().map(|page_id| pages::role(page_id, ALL_TASKS, true)).collect(),
        business_ids: Vec::new(),
    });
    id
}
