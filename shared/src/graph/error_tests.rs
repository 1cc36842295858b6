//! What Meta's errors mean.

use serde_json::json;

use super::*;

#[test]
fn codes_and_subcodes_decide() {
    let check = |code: i64, subcode: Option<i64>, status: u16, name: &str, verdict: Verdict| {
        let body = json!({"error": {"message": "irgendwas", "type": "OAuthException", "code": code, "error_subcode": subcode}});
        let error = in_body(&body, status, &Usage::default()).unwrap();
        assert_eq!((error.code().into(), error.verdict()), (name, verdict), "{code}/{subcode:?} {status}");
    };
    let pause = Verdict::RetryAfter(Duration::from_secs(300));
    check(190, None, 400, "token_dead", Verdict::GiveUp);
    check(190, Some(463), 400, "token_dead", Verdict::GiveUp);
    check(102, Some(1), 401, "token_dead", Verdict::GiveUp);
    check(190, Some(2_069_032), 400, "wrong_token_kind", Verdict::GiveUp);
    check(10, None, 403, "not_permitted", Verdict::GiveUp);
    check(200, None, 403, "not_permitted", Verdict::GiveUp);
    check(278, None, 403, "not_permitted", Verdict::GiveUp);
    check(10, Some(2_018_278), 400, "messaging_window_closed", Verdict::GiveUp);
    check(100, Some(33), 400, "not_visible", Verdict::Retry);
    check(100, None, 400, "refused", Verdict::GiveUp);
    check(4, None, 403, "throttled", pause);
    check(32, None, 400, "throttled", pause);
    check(80_005, None, 400, "throttled", pause);
    check(1, None, 500, "unavailable", Verdict::Retry);
    check(2, None, 200, "unavailable", Verdict::Retry);
    check(960, None, 400, "unavailable", Verdict::Retry);
    check(2601, Some(1_815_107), 400, "unavailable", Verdict::Retry);
    check(100, Some(1_487_534), 400, "too_much_data", Verdict::GiveUp);
    check(2, Some(1_504_038), 500, "too_much_data", Verdict::GiveUp);
    check(-3, Some(1_504_045), 400, "too_much_data", Verdict::GiveUp);
    check(2, Some(1_504_044), 500, "unavailable", Verdict::Retry);
    check(2, Some(1_504_042), 500, "refused", Verdict::GiveUp);
    check(100, Some(3_191_001), 400, "not_permitted", Verdict::GiveUp);
    check(80_000, Some(2_446_079), 400, "throttled", pause);
    check(17, Some(2_446_079), 400, "throttled", pause);
    check(123_456, None, 500, "unavailable", Verdict::Retry);
    check(123_456, None, 400, "refused", Verdict::GiveUp);
}

#[test]
fn a_token_that_meta_quotes_is_left_out() {
    let token = "EAAB".repeat(30);
    let cleaned = without_tokens(&format!("Malformed access token {token}, of user 10229483756102001."));
    assert_eq!(cleaned, "Malformed access token …, of user 10229483756102001.");
    assert_eq!(without_tokens(&token), "…");
    let dead = json!({"error": {"message": "of user 10229483756102001", "code": 190, "error_subcode": 460}});
    let dead = in_body(&dead, 400, &Usage::default()).unwrap().to_string();
    assert_eq!(dead, "the token is dead: PasswordChanged (190/460)");
    let said = "seg EAAB-short_tok-en1234_567890ab-cdefghij app 1027415900713442|AbCdEf mail jane.doe@example.com \
        tel +14155550123 url https://x.example/?access_token=short1&a=1 needs whatsapp_business_management";
    let kept = "seg … app … mail … tel … url https://x.example/?access_token=…&a=1 needs whatsapp_business_management";
    assert_eq!(without_tokens(said), kept);
    assert_eq!(without_tokens(&"ä ".repeat(400)).chars().count(), 300);
}

#[test]
fn what_meta_blames_is_read_from_an_object_and_from_a_text() {
    let object = json!({ "blame_field_specs": [["targeting", "age_max"], ["bid_amount"]] });
    for data in [object.clone(), json!(object.to_string())] {
        let body = json!({ "error": { "code": 100, "error_data": data, "error_user_msg": "Zu alt" } });
        let error = in_body(&body, 400, &Usage::default()).unwrap();
        let detail = error.detail().unwrap();
        assert_eq!(*detail.blamed, ["targeting.age_max", "bid_amount"]);
        assert_eq!(detail.user_message.as_deref(), Some("Zu alt"));
    }
    for odd in [json!("x"), json!(1), json!({"blame_field_specs": 7}), json!({})] {
        assert!(blamed(&odd).is_empty(), "{odd}");
    }
}

#[test]
fn a_proof_of_another_secret_may_heal() {
    let body = json!({"error": {"message": "Invalid appsecret_proof", "type": "GraphMethodException", "code": 100}});
    assert_eq!(in_body(&body, 400, &Usage::default()).unwrap().verdict(), Verdict::Retry);
    let body = json!({"error": {"type": "GraphMethodException", "code": 100, "error_subcode": 33}});
    assert_eq!(in_body(&body, 400, &Usage::default()).unwrap().code(), FailureCode::NotVisible);
}

#[test]
fn whatsapp_s_word_for_a_dead_token_is_one() {
    let body = json!({"error": {"type": "AuthException", "code": 0, "message": "Unable to authenticate"}});
    assert!(in_body(&body, 401, &Usage::default()).unwrap().token_death().is_some());
    assert_eq!(in_body(&body, 400, &Usage::default()).unwrap().token_death(), None);
}

#[test]
fn an_error_without_an_envelope_is_one_too() {
    assert_eq!(
        in_body(&json!("Service Unavailable"), 503, &Usage::default()),
        Some(GraphError::InvalidResponse { status: 503 })
    );
    assert_eq!(in_body(&json!({"data": []}), 200, &Usage::default()), None);
    assert_eq!(in_body(&json!([{"code": 200, "body": "{}"}]), 200, &Usage::default()), None, "a batch of one");
}

#[test]
fn the_reason_of_a_token_s_death_is_kept() {
    let reason = |subcode| match classify(Detail { code: 190, subcode, ..Detail::default() }, 400, &Usage::default()) {
        GraphError::TokenInvalid { reason, .. } => reason,
        other => panic!("{other}"),
    };
    assert_eq!(reason(Some(460)), EndReason::PasswordChanged);
    assert_eq!(reason(Some(492)), EndReason::PageRoleLost);
    assert_eq!(reason(Some(467)), EndReason::TokenInvalid);
}

proptest::proptest! {
    #[test]
    fn any_error_is_classified(body in corpus::mutated(corpus::graph_errors()), status in 200..600_u16) {
        let error = in_body(&body, status, &Usage::default());
        proptest::prop_assert!((200..300).contains(&status) || error.is_some());
        if let Some(error) = error {
            let _all = (error.code(), error.verdict(), error.token_death(), error.retry_after(), error.to_string());
        }
    }

    #[test]
    fn a_secret_in_any_message_is_cut_out(before in "[ -~]{0,40}", after in "[ -~]{0,40}", secret in "EAA[A-Za-z0-9]{30,200}") {
        let body = json!({ "error": { "code": 1, "message": format!("{before} {secret} {after}") } });
        let error = in_body(&body, 500, &Usage::default()).unwrap();
        proptest::prop_assert!(!error.to_string().contains(&secret));
        proptest::prop_assert!(!error.detail().unwrap().message.contains(&secret[..25]));
    }
}
