//! `POST /_sim/posts`: posts that people make by hand, in Meta's own apps.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Body, Mistake};
use crate::media::Kind;
use crate::server::Sim;
use crate::world::World;
use crate::world::content::Maker;
use crate::world::content::photo::Photo;
use crate::world::content::post::{Attached, NewPost, Status};
use crate::world::web;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    page_id: Option<String>,
    instagram_id: Option<String>,
    message: Option<String>,
    link: Option<String>,
    #[serde(default)]
    media: Vec<Medium>,
    /// How long ago it was made.
    #[serde(default)]
    age_s: i64,
}

/// An address, alone or as `{"url"}`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Medium {
    Url(String),
    Object { url: String },
}

/// Makes a post on a page, or a medium on an Instagram account, and returns `{"id", "permalink_url"}`.
pub(crate) async fn make(State(sim): State<Arc<Sim>>, Body(input): Body<Input>) -> Result<Json<Value>, Mistake> {
    let urls: Vec<String> = input
        .media
        .into_iter()
        .map(|medium| match medium {
            Medium::Url(url) | Medium::Object { url } => url,
        })
        .collect();
    let age_ms = input.age_s.saturating_mul(1000);
    let mut world = sim.world();
    let answer = match (&input.page_id, &input.instagram_id) {
        (Some(page_id), None) => {
            if !world.pages.contains_key(page_id) {
                return Err(Mistake::new(format!("page_id: there is no page {page_id}")));
            }
            if urls.iter().any(|url| web::usual(url).kind == Kind::Video) {
                return Err(Mistake::new("media: a post made by hand on a page has only pictures"));
            }
            let id = on_page(&mut world, page_id, input.message, input.link, urls, age_ms);
            let permalink = world.content.post(&id).map(crate::world::content::post::Post::permalink);
            json!({"id": id, "permalink_url": permalink})
        }
        (None, Some(account_id)) => {
            let account = world.instagram.accounts.get(account_id);
            let username = account.map(|account| account.username.clone());
            let username =
                username.ok_or_else(|| Mistake::new(format!("instagram_id: there is no account {account_id}")))?;
            let id = world.publish_by_hand(account_id, input.message, &urls, age_ms);
            let permalink = world.instagram.medium(&id).map(|medium| medium.permalink(&username));
            json!({"id": id, "permalink_url": permalink})
        }
        _ => return Err(Mistake::new("either page_id or instagram_id is required")),
    };
    drop(world);
    sim.wake.notify_one();
    Ok(Json(answer))
}

fn on_page(
    world: &mut World,
    page_id: &str,
    message: Option<String>,
    link: Option<String>,
    urls: Vec<String>,
    age_ms: i64,
) -> String {
    let media = urls
        .into_iter()
        .map(|url| {
            let photo = Photo {
                id: String::new(),
                page_id: page_id.to_owned(),
                media: web::usual(&url),
                url: Some(url),
                caption: None,
                alt_text: None,
                staged: false,
                post_id: None,
                created_ms: world.clock.now_ms() - age_ms,
                application: Maker::business_suite(),
            };
            Attached::Photo(world.add_photo(photo))
        })
        .collect();
    let new = NewPost {
        message,
        link,
        media,
        status: Status::Published,
        scheduled_s: None,
        application: Maker::business_suite(),
        creator: None,
        age_ms,
    };
    world.add_post(page_id, new)
}
