//! `/_sim/messaging`: switches of comments and messages, and templates of WhatsApp.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Body, Mistake, nullable};
use crate::server::Sim;
use crate::world::World;
use crate::world::inbox::settings::{ClosedWindow, InstagramLayout, Stickers};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switches {
    human_agent: Option<bool>,
    profiles: Option<bool>,
    advanced_access: Option<bool>,
    /// `status` or `refusal`.
    closed_window: Option<String>,
    /// Of `sent`, `delivered` and `read`, in any order.
    statuses: Option<Vec<String>>,
    /// The next WhatsApp messages that are accepted and then fail; `null` ends it.
    #[serde(default, deserialize_with = "nullable")]
    failing: Option<Option<Failing>>,
    prefixes_numbers: Option<bool>,
    media_urls: Option<bool>,
    /// `sticker`, `image` or `both`.
    stickers: Option<String>,
    /// `edited` or `edit`.
    edit_verb: Option<String>,
    names_authors: Option<bool>,
    doubles_likes: Option<bool>,
    numeric_ids: Option<bool>,
    #[serde(default, deserialize_with = "nullable")]
    inbox_app_id: Option<Option<u64>>,
    /// `lists`, `changes` or `flat`.
    instagram_layout: Option<String>,
    /// The new status of templates: `{"name", "language"?, "status"}`.
    template: Option<TemplateStatus>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failing {
    code: i64,
    #[serde(default = "once")]
    times: u64,
}

fn once() -> u64 {
    1
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TemplateStatus {
    name: String,
    language: Option<String>,
    status: String,
}

/// Changes the given switches and returns all of them.
pub(crate) async fn change(State(sim): State<Arc<Sim>>, Body(input): Body<Switches>) -> Result<Json<Value>, Mistake> {
    let closed_window = match input.closed_window.as_deref() {
        None => None,
        Some("status") => Some(ClosedWindow::Status),
        Some("refusal") => Some(ClosedWindow::Refusal),
        Some(other) => {
            return Err(Mistake::new(format!("closed_window: must be status or refusal, got \"{other}\"")));
        }
    };
    let stickers = match input.stickers.as_deref() {
        None => None,
        Some("sticker") => Some(Stickers::Sticker),
        Some("image") => Some(Stickers::Image),
        Some("both") => Some(Stickers::Both),
        Some(other) => return Err(Mistake::new(format!("stickers: must be sticker, image or both, got \"{other}\""))),
    };
    let edit_verb = match input.edit_verb.as_deref() {
        None => None,
        Some("edited") => Some("edited"),
        Some("edit") => Some("edit"),
        Some(other) => return Err(Mistake::new(format!("edit_verb: must be edited or edit, got \"{other}\""))),
    };
    let layout = match input.instagram_layout.as_deref() {
        None => None,
        Some("lists") => Some(InstagramLayout::Lists),
        Some("changes") => Some(InstagramLayout::Changes),
        Some("flat") => Some(InstagramLayout::Flat),
        Some(other) => {
            return Err(Mistake::new(format!("instagram_layout: must be lists, changes or flat, got \"{other}\"")));
        }
    };
    let unknown = |name: &&String| !matches!(name.as_str(), "sent" | "delivered" | "read");
    if let Some(unknown) = input.statuses.iter().flatten().find(unknown) {
        return Err(Mistake::new(format!("statuses: must be sent, delivered or read, got \"{unknown}\"")));
    }
    let mut world = sim.world();
    let settings = &mut world.inbox.settings;
    settings.human_agent = input.human_agent.unwrap_or(settings.human_agent);
    settings.profiles = input.profiles.unwrap_or(settings.profiles);
    settings.advanced_access = input.advanced_access.unwrap_or(settings.advanced_access);
    settings.closed_window = closed_window.unwrap_or(settings.closed_window);
    settings.statuses = input.statuses.unwrap_or_else(|| settings.statuses.clone());
    if let Some(failing) = input.failing {
        settings.failing = failing.map(|failing| (failing.code, failing.times));
    }
    settings.prefixes_numbers = input.prefixes_numbers.unwrap_or(settings.prefixes_numbers);
    settings.media_urls = input.media_urls.unwrap_or(settings.media_urls);
    settings.stickers = stickers.unwrap_or(settings.stickers);
    settings.edit_verb = edit_verb.unwrap_or(settings.edit_verb);
    settings.names_authors = input.names_authors.unwrap_or(settings.names_authors);
    settings.numeric_ids = input.numeric_ids.unwrap_or(settings.numeric_ids);
    settings.doubles_likes = input.doubles_likes.unwrap_or(settings.doubles_likes);
    settings.inbox_app_id = input.inbox_app_id.unwrap_or(settings.inbox_app_id);
    settings.instagram_layout = layout.unwrap_or(settings.instagram_layout);
    if let Some(given) = input.template {
        change_templates(&mut world, &given)?;
    }
    drop(world);
    sim.wake.notify_one();
    Ok(Json(report(&sim.world())))
}

fn change_templates(world: &mut World, given: &TemplateStatus) -> Result<(), Mistake> {
    if !matches!(given.status.as_str(), "APPROVED" | "PENDING" | "REJECTED" | "PAUSED" | "DISABLED") {
        return Err(Mistake::new(format!("template: there is no status \"{}\"", given.status)));
    }
    if world.set_template_status(&given.name, given.language.as_deref(), &given.status) == 0 {
        return Err(Mistake::new(format!("template: there is no template \"{}\"", given.name)));
    }
    Ok(())
}

/// Returns the switches.
pub(crate) async fn read(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(report(&sim.world()))
}

fn report(world: &World) -> Value {
    let settings = &world.inbox.settings;
    json!({
        "human_agent": settings.human_agent, "profiles": settings.profiles,
        "advanced_access": settings.advanced_access,
        "closed_window": match settings.closed_window {
            ClosedWindow::Status => "status",
            ClosedWindow::Refusal => "refusal",
        },
        "statuses": settings.statuses,
        "failing": settings.failing.map(|(code, times)| json!({"code": code, "times": times})),
        "prefixes_numbers": settings.prefixes_numbers, "media_urls": settings.media_urls,
        "stickers": match settings.stickers {
            Stickers::Sticker => "sticker",
            Stickers::Image => "image",
            Stickers::Both => "both",
        },
        "edit_verb": settings.edit_verb, "names_authors": settings.names_authors,
        "doubles_likes": settings.doubles_likes, "numeric_ids": settings.numeric_ids,
        "inbox_app_id": settings.inbox_app_id,
        "instagram_layout": match settings.instagram_layout {
            InstagramLayout::Lists => "lists",
            InstagramLayout::Changes => "changes",
            InstagramLayout::Flat => "flat",
        },
    })
}
