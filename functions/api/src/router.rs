//! All routes, and the OpenAPI description that is generated from the same list.

use std::sync::{Arc, LazyLock};

use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router, routing::get};
use lambda_http::RequestExt;
use leadwire::http::audit::record_act;
use leadwire::http::headers::protect;
use leadwire::http::{Problem, ProblemCode};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Description;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::description::{self, Document};
use crate::state::Api;
use crate::{
    acts, ads, audit, campaigns, connections, directory, inbox, leads, media, people, posts, saved_replies, webhooks,
};

fn described() -> (Router<Arc<Api>>, Description) {
    let (router, description) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(connections::login::get_auth_url))
        .routes(routes!(connections::login::reconnect))
        .routes(routes!(connections::list, connections::manage::create))
        .routes(routes!(connections::read, connections::manage::change, connections::manage::delete))
        .routes(routes!(connections::pages, connections::manage::choose))
        .routes(routes!(connections::manage::replace_token))
        .routes(routes!(connections::manage::disconnect))
        .routes(routes!(connections::conversions::read, connections::conversions::change))
        .routes(routes!(connections::conversions::datasets))
        .routes(routes!(connections::conversions::outcomes))
        .routes(routes!(connections::conversions::test))
        .routes(routes!(connections::health::read_health))
        .routes(routes!(connections::health::businesses))
        .routes(routes!(leads::runs::sync))
        .routes(routes!(leads::runs::backfill))
        .routes(routes!(leads::runs::list))
        .routes(routes!(leads::runs::read))
        .routes(routes!(leads::forms::list))
        .routes(routes!(leads::mapping::read, leads::mapping::change))
        .routes(routes!(leads::mapping::preview))
        .routes(routes!(leads::mapping::rerun))
        .routes(routes!(leads::forms::test_lead))
        .routes(routes!(connections::connections))
        .routes(routes!(leads::list))
        .routes(routes!(leads::read, leads::change))
        .routes(routes!(leads::trace::read_trace))
        .routes(routes!(leads::trace::latency))
        .routes(routes!(leads::exports::list, leads::exports::start))
        .routes(routes!(leads::exports::read, leads::exports::delete))
        .routes(routes!(leads::import::import_leads))
        .routes(routes!(leads::import::list))
        .routes(routes!(leads::import::undo))
        .routes(routes!(ads::accounts::list, ads::linking::create))
        .routes(routes!(ads::accounts::read, ads::linking::change, ads::linking::delete))
        .routes(routes!(ads::accounts::available))
        .routes(routes!(ads::syncs::sync))
        .routes(routes!(ads::syncs::status))
        .routes(routes!(ads::objects::campaigns))
        .routes(routes!(ads::objects::adsets))
        .routes(routes!(ads::objects::ads))
        .routes(routes!(ads::days::ads))
        .routes(routes!(ads::days::accounts))
        .routes(routes!(ads::report::read))
        .routes(routes!(posts::post_to_page))
        .routes(routes!(posts::post_to_instagram))
        .routes(routes!(campaigns::create))
        .routes(routes!(campaigns::launch))
        .routes(routes!(campaigns::pause))
        .routes(routes!(campaigns::create_form))
        .routes(routes!(campaigns::archive_form))
        .routes(routes!(campaigns::list))
        .routes(routes!(campaigns::read, campaigns::archive))
        .routes(routes!(connections::businesses::list_businesses))
        .routes(routes!(connections::businesses::list_ad_accounts))
        .routes(routes!(connections::businesses::list_pages))
        .routes(routes!(posts::list, posts::write))
        .routes(routes!(posts::read, posts::change, posts::cancel))
        .routes(routes!(inbox::list))
        .routes(routes!(inbox::read, inbox::change))
        .routes(routes!(inbox::messages, inbox::answer))
        .routes(routes!(inbox::templates))
        .routes(routes!(saved_replies::list, saved_replies::create))
        .routes(routes!(saved_replies::change, saved_replies::delete))
        .routes(routes!(people::erase))
        .routes(routes!(people::receipts))
        .routes(routes!(inbox::contacts))
        .routes(routes!(inbox::contact, inbox::change_contact, inbox::erase_contact))
        .routes(routes!(media::create))
        .routes(routes!(media::read))
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::read, webhooks::change, webhooks::delete))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::deliveries))
        .routes(routes!(webhooks::resend))
        .routes(routes!(ads::outcomes::read))
        .routes(routes!(leads::parked::list))
        .routes(routes!(leads::parked::replay))
        .routes(routes!(leads::parked::dismiss))
        .routes(routes!(directory::read_org, directory::put_org))
        .routes(routes!(audit::list))
        .routes(routes!(directory::users))
        .routes(routes!(directory::put_user))
        .split_for_parts();
    (router, description)
}

/// The API's router.
pub(crate) fn router(api: Arc<Api>) -> Router {
    let (router, description) = described();
    // Few ask for it, so that the others should not wait for it.
    let description = Arc::new(LazyLock::new(move || description::complete(&description)));
    let audited = acts::audited(&api);
    router
        .route("/openapi.json", get(async move || Json(LazyLock::force(&description).clone())))
        .fallback(|| async { Problem::new(ProblemCode::NoSuchRoute, "There is nothing at this address.") })
        .method_not_allowed_fallback(|| async {
            Problem::new(ProblemCode::MethodNotAllowed, "This address does not take this method.")
        })
        // Lambda limits a request to 6 MB. Routes with a lower limit check it themselves.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn(leadwire::http::limit_duration))
        // Outside the limit of time: what takes too long is recorded too.
        .layer(middleware::from_fn(move |request, next| record_act(audited.clone(), request, next)))
        .layer(middleware::from_fn(whole_path))
        .layer(middleware::from_fn(leadwire::http::follow_request))
        .layer(middleware::map_response(|mut response: Response| async {
            protect(response.headers_mut());
            response
        }))
        .with_state(api)
}

/// Rejects paths with an encoded `#` or `?`. The gateway decodes the path before it passes it on, so an id with `%23`
/// or `%3F` would end there and name something other than what the caller meant.
async fn whole_path(request: Request, next: Next) -> Response {
    if request.raw_http_path().contains(['#', '?']) {
        return Problem::field("path", ProblemCode::PathInvalid, "No id has # or ? in it.").into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_that_can_change_something_has_an_act() {
        let description = description::complete(&described().1);
        let mut routes: Vec<(String, String)> = Vec::new();
        for (path, methods) in description["paths"].as_object().unwrap() {
            let changing = methods.as_object().unwrap().keys().filter(|method| *method != "get");
            routes.extend(changing.map(|method| (method.to_uppercase(), path.clone())));
        }
        let mut acts: Vec<(String, String)> =
            acts::ACTS.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned())).collect();
        routes.sort();
        acts.sort();
        assert_eq!(routes, acts, "each route that can change something has one entry, and each entry a route");
    }

    #[test]
    fn the_description_names_every_route_and_says_how_each_fails() {
        let json = description::complete(&described().1);
        assert!(json["openapi"].as_str().unwrap().starts_with("3."));
        let paths = json["paths"].as_object().unwrap();
        let mut names = std::collections::BTreeSet::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(names.insert(operation["operationId"].to_string()), "{method} {path} needs a name of its own");
                for status in ["400", "401", "403", "429", "503"] {
                    assert!(operation["responses"][status].is_object(), "{method} {path} {status}");
                }
                assert!(operation["summary"].is_string(), "{method} {path}");
            }
        }
        let text = json.to_string();
        for reference in
            text.split("\"$ref\":\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next())
        {
            assert!(
                json["components"]["schemas"][reference].is_object(),
                "{reference} is referred to and not described"
            );
        }
    }
}
