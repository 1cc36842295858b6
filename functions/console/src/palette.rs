//! What the palette finds by what was typed there: leads, and what else the reader may see.

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use leadwire::campaigns::LeadCampaignOut;
use leadwire::directory::MetaAccess;
use leadwire::error::{ActError, ErrorCode};
use leadwire::http::Problem;
use leadwire::ids::IntegrationId;
use leadwire::inbox::ConversationOut;
use leadwire::leads::LeadList;
use leadwire::model::lead::Lead;
use leadwire::model::lead::query::LeadQuery;
use leadwire::model::org::Permission;
use leadwire::publishing::{PostOut, PostQuery};
use leadwire::tr;
use maud::{Markup, html};

use crate::actor::Seeker;
use crate::inbox::{channel_name, person_name};
use crate::leads::name_of;
use crate::posts::{network, summary};
use crate::request::{ListQuery, wants_fragment};
use crate::state::Console;

/// Leads that are shown. The list has the others.
const MAX_LEADS: usize = 6;
/// Of everything else.
const MAX_OTHERS: usize = 3;
/// The newest campaigns and posts, whose names and texts are compared.
const MAX_COMPARED: usize = 50;

/// What was found: where it is, what it is called, and what tells it from others of that name.
struct PaletteHit {
    path: String,
    name: String,
    about: String,
}

/// What a text finds, as a fragment; to people without the script, the list shows the leads.
pub(crate) async fn find(
    State(console): State<Console>,
    seeker: Seeker,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(text) = query.get("q").filter(|_| wants_fragment(&headers)) else {
        return Ok(Redirect::to(&query.at("/leads", &[])).into_response());
    };
    let found = tokio::join!(
        find_leads(&console, &seeker, text),
        find_conversations(&console, &seeker, text),
        find_campaigns(&console, &seeker, text),
        find_posts(&console, &seeker, text),
        find_integrations(&console, &seeker, text),
    );
    let (leads, conversations, campaigns, posts, integrations) = found;
    let (leads, unfinished) = match leads.map_err(Problem::from) {
        Ok(leads) => (leads, None),
        // An address or a number that is not typed to its end.
        Err(unfinished) if unfinished.code.is(ErrorCode::SearchInvalid) => (None, Some(unfinished.detail)),
        Err(problem) => return Err(problem),
    };
    let has_more = leads.as_ref().is_some_and(|list| list.next_cursor.is_some());
    let groups = [
        (tr!("Leads"), leads.iter().flat_map(|list| &list.items).map(lead_hit).collect()),
        (tr!("Conversations"), or_nothing(conversations)),
        (tr!("Campaigns"), or_nothing(campaigns)),
        (tr!("Posts"), or_nothing(posts)),
        (tr!("Integrations"), or_nothing(integrations)),
    ];
    let known: usize = groups.iter().map(|(_, hits): &(_, Vec<PaletteHit>)| hits.len()).sum();
    let part = html! {
        @for (label, hits) in &groups { @if !hits.is_empty() { (group(label, hits)) } }
        p {
            @if let Some(unfinished) = &unfinished { (unfinished) }
            @else if known == 0 { (tr!("Nothing found")) }
            @else if has_more { (tr!([known] "More than {n} result" | "More than {n} results")) }
            @else { (tr!([known] "{n} result" | "{n} results")) }
        }
    };
    Ok(part.into_response())
}

fn group(label: &str, hits: &[PaletteHit]) -> Markup {
    html! {
        section {
            h2.quiet { (label) }
            ul aria-label=(label) {
                @for PaletteHit { path, name, about } in hits { li { a href=(path) { b { (name) } @if !about.is_empty() { " " span.quiet { (about) } } } } }
            }
        }
    }
}

/// What else was found is worth showing without this.
fn or_nothing(hits: Result<Vec<PaletteHit>, ActError>) -> Vec<PaletteHit> {
    hits.unwrap_or_else(|error| {
        tracing::warn!(%error, "the palette cannot look everywhere");
        Vec::new()
    })
}

/// Whether each of the words is somewhere in the name.
fn is_called(name: &str, words: &str) -> bool {
    let name = name.to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| name.contains(word))
}

async fn find_leads(console: &Console, seeker: &Seeker, text: &str) -> Result<Option<LeadList>, ActError> {
    let Some(scope) = &seeker.leads else { return Ok(None) };
    let query = LeadQuery { text: Some(text.to_owned()), ..LeadQuery::default() };
    console.rooms.leads.list(scope, &query, None, MAX_LEADS).await.map(Some)
}

fn lead_hit(lead: &Lead) -> PaletteHit {
    let contact = [&lead.email, &lead.phone].into_iter().flatten().map(String::as_str);
    let about = contact.collect::<Vec<_>>().join(" · ");
    PaletteHit { path: format!("/leads/{}", lead.id), name: name_of(lead), about }
}

async fn find_conversations(console: &Console, seeker: &Seeker, text: &str) -> Result<Vec<PaletteHit>, ActError> {
    let Some(access) = seeker.access(Permission::Inbox) else { return Ok(Vec::new()) };
    let found = console.rooms.inbox.find_recent(access, text, MAX_OTHERS, leadwire::clock::now()).await?;
    let hit = |conversation: &ConversationOut| PaletteHit {
        path: format!("/inbox/{}", conversation.id),
        name: person_name(conversation).into_owned(),
        about: format!("{} · {}", channel_name(conversation.channel), conversation.preview),
    };
    Ok(found.iter().map(hit).collect())
}

async fn find_campaigns(console: &Console, seeker: &Seeker, text: &str) -> Result<Vec<PaletteHit>, ActError> {
    let Some(access) = seeker.access(Permission::AdsManagement) else { return Ok(Vec::new()) };
    let newest = console.rooms.campaigns.list(access, None, MAX_COMPARED).await?.items;
    let called = newest.into_iter().filter(|campaign| is_called(&campaign.name, text)).take(MAX_OTHERS);
    let hit = |campaign: LeadCampaignOut| PaletteHit {
        path: format!("/campaigns/{}", campaign.id),
        name: campaign.name,
        about: String::new(),
    };
    Ok(called.map(hit).collect())
}

async fn find_posts(console: &Console, seeker: &Seeker, text: &str) -> Result<Vec<PaletteHit>, ActError> {
    let Some(access) = seeker.access(Permission::Publishing) else { return Ok(Vec::new()) };
    let newest = console.rooms.publishing.posts(access, &PostQuery::default(), None, MAX_COMPARED).await?.items;
    let has_words = |text_of: Option<&str>| text_of.is_some_and(|own| is_called(own, text));
    let called = newest.iter().filter(|post| has_words(post.message.as_deref())).take(MAX_OTHERS);
    let hit = |post: &PostOut| PaletteHit {
        path: format!("/posts/{}", post.id),
        name: summary(post),
        about: network(post.kind).to_owned(),
    };
    Ok(called.map(hit).collect())
}

async fn find_integrations(console: &Console, seeker: &Seeker, text: &str) -> Result<Vec<PaletteHit>, ActError> {
    let Some(access) = seeker.access_of_admin() else { return Ok(Vec::new()) };
    let names = console.rooms.connections.integration_names(access).await?;
    let called = names.into_iter().filter(|(_, name)| is_called(name, text)).take(MAX_OTHERS);
    let hit = |(id, name): (IntegrationId, String)| PaletteHit {
        path: format!("/integrations/{id}"),
        name,
        about: String::new(),
    };
    Ok(called.map(hit).collect())
}

impl Seeker {
    /// What they may do with a part of the org that its directory opens by a permission.
    fn access(&self, permission: Permission) -> Option<&MetaAccess> {
        self.meta.as_ref().filter(|_| self.visitor.may(permission))
    }

    fn access_of_admin(&self) -> Option<&MetaAccess> {
        self.meta.as_ref().filter(|_| self.visitor.is_admin())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_somewhere_in_a_name() {
        for (name, words, expect) in [
            ("Spring Offer 2026", "spring", true),
            ("Spring Offer 2026", "2026 off", true),
            ("Spring Offer 2026", "spring 2027", false),
            ("Ärzte", "ärz", true),
            ("Spring", "", true),
        ] {
            assert_eq!(is_called(name, words), expect, "{name} by {words}");
        }
    }
}
