//! The list of posts with its filters.

use axum::extract::{Query, State};
use axum::response::Response;
use axum_extra::extract::PrivateCookieJar;
use leadwire::http::{Problem, ProblemCode, fields};
use leadwire::ids::PageId;
use leadwire::publishing::{PostOut, PostQuery};
use leadwire::tr;
use maud::{Markup, html};

use super::{Places, STATUSES, failure, head, listed_at, media_summary, network, status_badge, status_name, summary};
use crate::actor::Author;
use crate::components::{empty, problem_alert, time, with_markup};
use crate::layout::{Section, page};
use crate::request::ListQuery;
use crate::state::Console;
use crate::zone::Zone;

const PAGE_SIZE: usize = 25;
const FILTERS: [&str; 4] = ["status", "page_id", "from", "until"];

pub(super) async fn show(
    State(console): State<Console>,
    Author { visitor, access }: Author,
    zone: Zone,
    Query(query): Query<ListQuery>,
    jar: PrivateCookieJar,
) -> Result<Response, Problem> {
    let posts = async {
        let query_of_posts = post_query(&query, &zone)?;
        let posts = console.rooms.publishing.posts(&access, &query_of_posts, query.get("cursor"), PAGE_SIZE).await;
        posts.map_err(Problem::from)
    };
    let (places, posts) = tokio::join!(Places::load(&console, &access), posts);
    let places = places?;
    let body = html! {
        (filter_form(&query, &places))
        @match &posts {
            Err(problem) => { (problem_alert(Some(problem))) }
            Ok(list) if list.items.is_empty() && list.next_cursor.is_none() => { (nothing(&query, &places)) }
            Ok(list) => {
                (table(&list.items, &places))
                @if let Some(next) = &list.next_cursor {
                    p.acts { a.button href=(query.at("/posts", &[("cursor", next)])) rel="next" { (tr!("Earlier posts")) } }
                }
            }
        }
        (zone.note())
    };
    let title = tr!("Posts");
    Ok(page(&visitor, jar, Section::Posts, head(&title, "/posts"), &body))
}

/// The query that an address describes.
fn post_query(query: &ListQuery, zone: &Zone) -> Result<PostQuery, Problem> {
    let status = query.get("status").map(str::parse).transpose();
    Ok(PostQuery {
        status: status.map_err(|_| Problem::field("status", ProblemCode::StatusUnknown, tr!("Choose a status.")))?,
        page_id: query.get("page_id").map(|text| fields::id("page_id", text, PageId::parse)).transpose()?,
        from: query.get("from").map(|text| zone.parse_day("from", text)).transpose()?,
        to: query.get("until").map(|text| zone.parse_last_day("until", text)).transpose()?,
    })
}

fn filter_form(query: &ListQuery, places: &Places) -> Markup {
    let is = |name: &str, value: &str| query.get(name) == Some(value);
    let is_known = |id: &str| places.0.iter().any(|target| target.page_id.as_str() == id);
    html! {
        form.filters.bar method="get" action="/posts" role="search" aria-label=(tr!("Filter posts")) {
            label { (tr!("Status")) select name="status" {
                option value="" { (tr!("All")) }
                @for status in STATUSES {
                    @let value: &str = status.into();
                    option value=(value) selected[is("status", value)] { (status_name(status)) }
                }
            } }
            label { (tr!("Page")) select name="page_id" {
                option value="" { (tr!("All")) }
                @if let Some(id) = query.get("page_id").filter(|id| !is_known(id)) { option value=(id) selected { (id) } }
                @for target in &places.0 { option value=(target.page_id) selected[is("page_id", target.page_id.as_str())] { (target.name) } }
            } }
            label { (tr!("From")) input type="date" name="from" value=[query.get("from")]; }
            label { (tr!("Until")) input type="date" name="until" value=[query.get("until")]; }
            div.acts {
                button { (tr!("Filter")) }
                @if FILTERS.iter().any(|name| query.get(name).is_some()) { a.button.plain href="/posts" { (tr!("Clear")) } }
            }
        }
    }
}

fn nothing(query: &ListQuery, places: &Places) -> Markup {
    if FILTERS.iter().any(|name| query.get(name).is_some()) {
        let all = html! { a href="/posts" { (tr!("see all posts")) } };
        let advice = with_markup(&tr!("Change the filters, or {see_all}."), &[("see_all", all)]);
        return empty(&tr!("No posts match"), advice);
    }
    if places.0.is_empty() {
        return empty(
            &tr!("No page to publish on"),
            html! { (tr!("Posts can be written as soon as a Facebook page is connected.")) },
        );
    }
    let write = html! { a href="/posts/new" { (tr!("begins a sentence about posts" => "Write the first one")) } };
    empty(
        &tr!("No posts yet"),
        with_markup(&tr!("{write} for your pages and Instagram accounts, now or for later."), &[("write", write)]),
    )
}

fn table(posts: &[PostOut], places: &Places) -> Markup {
    html! {
        div.card.flush {
            table.posts {
                thead { tr { th { (tr!("Post")) } th { (tr!("on a page" => "Page or account")) } th { (tr!("Time")) } th { (tr!("Status")) } } }
                tbody {
                    @for post in posts {
                        tr {
                            td data-label=(tr!("Post")) {
                                a href={ "/posts/" (post.id) } { (summary(post)) }
                                @if post.message.is_some() { @if let Some(media) = media_summary(post) { div.quiet { (media) } } }
                            }
                            td data-label=(tr!("on a page" => "Page or account")) { (places.name(post)) div.quiet { (network(post.kind)) } }
                            td data-label=(tr!("Time")) { (time(listed_at(post))) }
                            td data-label=(tr!("Status")) {
                                (status_badge(post.status))
                                @if let Some(why) = failure::explain(post) { div.wrong { (why) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{places, post};
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> ListQuery {
        let pairs: std::collections::BTreeMap<&str, &str> = pairs.iter().copied().collect();
        serde_json::from_value(serde_json::to_value(pairs).unwrap()).unwrap()
    }

    #[test]
    fn days_of_the_filter_are_the_readers() {
        let zone = Zone::parse("America/New_York");
        let parsed =
            post_query(&query(&[("from", "2026-12-01"), ("until", "2026-12-01"), ("status", "failed")]), &zone);
        let parsed = parsed.unwrap();
        assert_eq!(parsed.from.unwrap().to_string(), "2026-12-01T05:00:00Z");
        assert_eq!(parsed.to.unwrap().to_string(), "2026-12-02T05:00:00Z");
        for (name, value) in [("status", "new"), ("page_id", "x"), ("from", "soon"), ("until", "soon")] {
            let problem = post_query(&query(&[(name, value)]), &zone).unwrap_err();
            assert_eq!(problem.field.as_deref(), Some(name));
        }
    }

    #[test]
    fn every_status_can_be_filtered_by() {
        let page = filter_form(&query(&[("status", "publishing")]), &places()).into_string();
        for status in ["scheduled", "queued", "publishing", "published", "failed", "cancelled"] {
            assert!(page.contains(&format!("value=\"{status}\"")), "{status}: {page}");
        }
        assert!(page.contains("value=\"publishing\" selected"), "{page}");
    }

    #[test]
    fn a_failed_post_says_why_in_the_list() {
        let failed = PostOut { reason_message: Some("Picture 2 of 3 is too large.".to_owned()), ..post() };
        let page = table(&[failed], &places()).into_string();
        assert!(page.contains("Picture 2 of 3 is too large.") && page.contains("Northwind"), "{page}");
    }
}
