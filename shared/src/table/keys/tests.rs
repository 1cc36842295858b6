use super::*;
use crate::ids::{AdAccountId, DeliveryId, EndpointId, LinkId, PostId};
use crate::model::delivery::EventSubject;
use crate::model::lead::Status;

#[test]
fn every_key_of_an_org_names_the_org_whole() {
    let scope = OrgScope::new(OrgId::parse("a").unwrap());
    let neighbour = OrgScope::new(OrgId::parse("ab").unwrap());
    let lead_id = LeadId::parse("meta-1").unwrap();
    let integration_id = IntegrationId::parse("int_1").unwrap();
    let page = PageId::parse("7").unwrap();
    let link = LinkId::parse("ada_1").unwrap();
    let endpoint_id = EndpointId::parse("end_1").unwrap();
    let delivery_id = DeliveryId::parse("evt_1").unwrap();
    let keys = |scope: &OrgScope| {
        vec![
            org(scope).pk,
            user(scope, &UserId::parse("u").unwrap()).pk,
            rotation(scope).pk,
            integration(scope, &integration_id).pk,
            connection(scope, &integration_id, &page).sk,
            connections_of_org(scope),
            lead(scope, &lead_id).pk,
            leads_of_org(scope),
            assigned_leads_of_org(scope),
            page_leads_of_org(scope),
            submissions_of_lead(scope, &lead_id),
            conversion(scope, &lead_id, Status::New).pk,
            conversion_lease(scope).pk,
            conversion_day(scope, &integration_id, Date::constant(2026, 1, 1)).pk,
            conversions_of_org(scope).trim_end_matches('#').to_owned(),
            parked_pk(scope),
            assignee_mail(scope, &lead_id, &UserId::parse("u").unwrap()).pk,
            lead_views_pk(scope, &UserId::parse("u").unwrap()),
            mails_pk(scope, &UserId::parse("u").unwrap()),
            mail_preference(scope, &UserId::parse("u").unwrap()).pk,
            post(scope, &PostId::parse("p").unwrap()).pk,
            posts_of_org(scope),
            campaigns_pk(scope),
            endpoints_pk(scope),
            delivery(scope, &endpoint_id, &delivery_id).pk,
            deliveries_of_endpoint(scope, &endpoint_id),
            event_body(scope, &EventSubject::Org, &delivery_id).pk,
            endpoint_notice(scope, &endpoint_id, Timestamp::UNIX_EPOCH, "gone", "u").pk,
            request(scope, "post-to-page", "h").pk,
            meta_post(scope, "7_1").pk,
            runs_pk(scope),
            exports_pk(scope),
            acts_of_month(scope, "2026-01"),
            mapping(scope, &FormId::parse("3").unwrap()).pk,
            step(scope, &lead_id, Timestamp::UNIX_EPOCH, StepKind::Tried).pk,
            publication(scope, "p").pk,
            latency(scope, Date::constant(2026, 1, 1)).pk,
            ad_account(scope, &AdAccountId::parse("act_1").unwrap()).pk,
            ads_pk(scope, &link),
            campaign_days_pk(scope, &link),
            ad_days_pk(scope, &link, Date::constant(2026, 1, 1)),
            ads_syncs_pk(scope),
            notice(scope, &integration_id, Timestamp::UNIX_EPOCH, "7d", "u").pk,
            meta_person("h", scope, &integration_id).sk,
            person(scope, &PersonKey { kind: PersonKeyKind::Email, hash: "h".into() }).pk,
        ]
    };
    for (ours, theirs) in keys(&scope).into_iter().zip(keys(&neighbour)) {
        assert!(ours == "ORG#a" || ours.starts_with("ORG#a#"), "{ours}");
        assert_ne!(ours, theirs);
    }
}

#[test]
fn a_place_among_what_is_to_be_delivered_says_whose_it_is() {
    let scope = OrgScope::new(OrgId::parse("auth0|x").unwrap());
    let (endpoint, id) = (EndpointId::parse("end_1").unwrap(), DeliveryId::parse("evt_1").unwrap());
    let index = delivery_due(&scope, &endpoint, &id, Timestamp::UNIX_EPOCH);
    assert_eq!(parse_delivery_due(&index.gsi1sk), Some((scope.org().clone(), endpoint, id)));
    assert!((0..DUE_PARTS).any(|part| deliveries_due(part) == index.gsi1pk));
}

#[test]
fn a_place_among_the_checks_says_whose_it_is() {
    let scope = OrgScope::new(OrgId::parse("auth0|x").unwrap());
    let id = IntegrationId::parse("int_1").unwrap();
    let index = check_index(&scope, &id, "2026-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(parse_check(&index.gsi1sk), Some((scope.org().clone(), id)));
    assert_eq!(parse_check("2026-01-01T00:00:00Z"), None);
}

#[test]
fn the_order_of_instants_is_the_order_of_time() {
    let at = |text: &str| instant(text.parse().unwrap());
    assert!(at("2026-01-01T00:00:00.5Z") <= at("2026-01-01T00:00:01Z"));
    assert!(at("2026-01-01T01:00:00+02:00") < at("2026-01-01T00:00:00Z"));
}
