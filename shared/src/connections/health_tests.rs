//! Tests of `examine` against a fake Meta with fixed responses.

use axum::Json;
use axum::Router;
use axum::routing::{get, post};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::health::examine;
use crate::graph::{GraphClient, GraphError};
use crate::model::connection::Integration;
use crate::model::connection::state::EndReason;
use crate::model::connection::tests::integration;
use crate::secret::AccessToken;

const NOW: &str = "2026-03-01T12:00:00Z";

fn error(code: i64, subcode: Option<i64>) -> Value {
    json!({ "error": { "message": "m", "type": "OAuthException", "code": code, "error_subcode": subcode } })
}

fn valid() -> Value {
    json!({ "data": {
        "app_id": "1", "type": "USER", "is_valid": true, "expires_at": 1_780_000_000, "data_access_expires_at": 0,
        "scopes": ["leads_retrieval"], "granular_scopes": [{ "scope": "leads_retrieval", "target_ids": ["7"] }],
    }})
}

/// A Meta that returns `debug` for `debug_token`, and `me` for a call with the token itself.
async fn meta(debug: Value, me: Value) -> GraphClient {
    let status = |body: &Value| if body.get("error").is_some() { 400 } else { 200 };
    let batch = json!([{ "code": status(&debug), "body": debug.to_string() }]);
    let answer = (http::StatusCode::from_u16(status(&me)).unwrap(), Json(me));
    let router = Router::new()
        .route("/v26.0/", post(move || async move { Json(batch) }))
        .route("/v26.0/me", get(move || async move { answer }));
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", socket.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(socket, router).await.unwrap() });
    let app = serde_json::from_value(json!({ "app_id": "1", "app_secret": "s", "verify_token": "v" })).unwrap();
    GraphClient::new(root, "v26.0".into(), app).unwrap()
}

async fn examined(debug: Value, me: Value) -> Result<(Integration, Result<(), GraphError>), GraphError> {
    let now: Timestamp = NOW.parse().unwrap();
    let seen = examine(&meta(debug, me).await, &integration(), &AccessToken::new("t".into()), now).await?;
    Ok((seen.integration, seen.alive))
}

fn person() -> Value {
    json!({ "id": "9", "name": "n" })
}

#[tokio::test]
async fn a_living_token_brings_its_dates_and_permissions() {
    let (seen, alive) = examined(valid(), person()).await.unwrap();
    assert!(alive.is_ok() && seen.ended.is_none());
    assert_eq!(seen.expires_at().unwrap().as_second(), 1_780_000_000);
    assert_eq!(
        (seen.scopes.as_slice(), seen.granted_for["leads_retrieval"].as_slice()),
        (["leads_retrieval".to_owned()].as_slice(), ["7".to_owned()].as_slice())
    );
}

#[tokio::test]
async fn a_call_with_the_token_decides_whether_it_lives() {
    // `debug_token` calls a token valid even if its data access is closed.
    let (seen, _) = examined(valid(), error(190, Some(493))).await.unwrap();
    assert_eq!(seen.ended.unwrap().reason, EndReason::DataAccessEnded);
    let dead = json!({ "data": { "app_id": "1", "is_valid": false, "error": { "code": 190, "subcode": 460 } } });
    let (seen, _) = examined(dead.clone(), error(190, Some(460))).await.unwrap();
    assert_eq!(seen.ended.unwrap().reason, EndReason::PasswordChanged);
    let (seen, alive) = examined(dead, person()).await.unwrap();
    assert!(seen.ended.is_none() && alive.is_ok(), "what works is not dead");
}

#[tokio::test]
async fn what_is_no_death_ends_nothing() {
    for (code, subcode) in
        [(190, Some(2_069_032)), (10, Some(2_018_278)), (4, None), (2, None), (200, None), (100, None)]
    {
        let (seen, alive) = examined(valid(), error(code, subcode)).await.unwrap();
        assert!(seen.ended.is_none() && alive.is_err(), "{code}/{subcode:?}");
    }
}

#[tokio::test]
async fn what_the_app_s_own_token_meets_is_not_the_integration_s_fault() {
    // With a wrong app secret, Meta reports the app's token as invalid, for every integration at once.
    let failed = examined(error(190, None), error(190, Some(460))).await.map(drop);
    assert!(matches!(failed, Err(GraphError::TokenInvalid { .. })), "{failed:?}");
    assert!(examined(json!("Service Unavailable"), person()).await.is_err());
}
