//! Nothing of what ads cost, and none of their leads, is lost or doubled in a report.

use jiff::Timestamp;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::outcome::*;
use crate::ids::{FormId, LeadId};
use crate::model::ads::report::Origin;
use crate::model::lead::Status;

fn lead(ad: Option<&str>, status: Status, value: Option<(&str, &str)>) -> LeadOutcome {
    LeadOutcome {
        id: LeadId::parse("l").unwrap(),
        created: Timestamp::UNIX_EPOCH,
        status,
        page_id: None,
        form_id: Some(FormId::parse("7").unwrap()),
        campaign_id: ad.map(|_| "c".to_owned()),
        adset_id: ad.map(|_| "s".to_owned()),
        ad_id: ad.map(ToOwned::to_owned),
        assigned_to: None,
        value: value.map(|(amount, _)| amount.parse().unwrap()),
        currency: value.map(|(_, currency)| currency.to_owned()),
        test: false,
        submissions_count: 0,
    }
}

fn spend(ad: &str, amount: &str, currency: &str) -> AdSpend {
    AdSpend {
        origin: Origin { account: "act_1".to_owned(), campaign: "c".to_owned(), adset: "s".to_owned() },
        ad: ad.to_owned(),
        spend: amount.parse().unwrap(),
        currency: currency.to_owned(),
        conversions: 2,
    }
}

fn text(amount: Option<Decimal>) -> String {
    amount.map(|amount| amount.to_string()).unwrap_or_default()
}

#[test]
fn a_campaign_is_told_with_what_became_of_its_leads() {
    let leads = [
        lead(Some("1"), Status::New, None),
        lead(Some("1"), Status::Qualified, Some(("500", "EUR"))),
        lead(Some("1"), Status::Converted, Some(("1200.50", "EUR"))),
        lead(Some("2"), Status::Lost, None),
        lead(None, Status::New, None),
        LeadOutcome { test: true, ..lead(Some("1"), Status::New, None) },
    ];
    let (rows, total) =
        sum_outcomes(OutcomeDimension::Campaign, &leads, &[spend("1", "80", "EUR"), spend("2", "20", "EUR")]);
    let figures = rows[&Some("c".to_owned())].figures();
    assert_eq!(
        (figures.leads, figures.open, figures.qualified, figures.won, figures.lost, figures.meta_conversions),
        (4, 1, 2, 1, 1, 4)
    );
    assert_eq!(
        [
            text(figures.spend),
            text(figures.value),
            text(figures.cost_per_lead),
            text(figures.cost_per_qualified),
            text(figures.cost_per_won),
            text(figures.return_on_spend),
        ],
        ["100.00", "1200.50", "25.00", "50.00", "100.00", "12.00"],
        "only what is won is worth something"
    );
    assert_eq!(rows[&None].figures().leads, 1);
    assert_eq!((total.figures().leads, text(total.figures().spend)), (5, "100.00".to_owned()));
}

#[test]
fn what_an_ad_costs_is_shared_among_its_leads_where_they_are_not_counted_by_ads() {
    let of = |ad, form: &str| LeadOutcome {
        form_id: Some(FormId::parse(form).unwrap()),
        ..lead(Some(ad), Status::New, None)
    };
    let leads = [of("1", "7"), of("1", "7"), of("1", "8")];
    let (rows, _) = sum_outcomes(OutcomeDimension::Form, &leads, &[spend("1", "30", "USD"), spend("9", "5", "USD")]);
    let spent = |key: Option<&str>| text(rows[&key.map(ToOwned::to_owned)].figures().spend);
    assert_eq!((spent(Some("7")), spent(Some("8"))), ("20.00".to_owned(), "10.00".to_owned()));
    assert_eq!(spent(None), "5.00", "an ad without leads");
}

#[test]
fn amounts_in_several_currencies_are_never_one() {
    let leads = [lead(Some("1"), Status::Converted, Some(("10", "USD")))];
    let (_, total) =
        sum_outcomes(OutcomeDimension::Campaign, &leads, &[spend("1", "30", "EUR"), spend("2", "400", "JPY")]);
    let figures = total.figures();
    assert_eq!((figures.currency.clone(), figures.spend, figures.cost_per_lead), (None, None, None));
    let others: Vec<(&str, String)> =
        figures.other_amounts.iter().map(|other| (other.currency.as_str(), other.spend.to_string())).collect();
    assert_eq!(others, [("EUR", "30.00".to_owned()), ("JPY", "400".to_owned()), ("USD", "0.00".to_owned())]);
    let (_, one) = sum_outcomes(OutcomeDimension::Campaign, &leads, &[spend("1", "30", "EUR")]);
    let figures = one.figures();
    assert_eq!((figures.currency.as_deref(), text(figures.spend)), (Some("EUR"), "30.00".to_owned()));
    assert_eq!((text(figures.value), figures.other_amounts.len()), ("0.00".to_owned(), 1));
}

#[test]
fn a_row_knows_what_it_lies_in_from_its_ads_or_else_from_its_leads() {
    let imported = LeadOutcome { adset_id: None, ..lead(Some("2"), Status::New, None) };
    let leads = [lead(Some("1"), Status::New, None), imported];
    let (rows, _) = sum_outcomes(OutcomeDimension::Ad, &leads, &[spend("2", "5", "EUR")]);
    let origin = |ad: &str| {
        let Origin { account, campaign, adset } = rows[&Some(ad.to_owned())].origin.clone();
        [account, campaign, adset].join("/")
    };
    assert_eq!((origin("1").as_str(), origin("2").as_str()), ("/c/s", "act_1/c/s"));
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled(
        ads in prop::collection::vec((0..5_u8, 0..7_u8), 0..40),
        costs in prop::collection::vec(0..9_000_i64, 5),
    ) {
        let leads: Vec<LeadOutcome> = ads
            .iter()
            .map(|(ad, form)| LeadOutcome {
                form_id: Some(FormId::parse(&form.to_string()).unwrap()),
                ..lead(Some(&ad.to_string()), Status::New, None)
            })
            .collect();
        let spends: Vec<AdSpend> =
            (0..).zip(&costs).map(|(ad, cost)| spend(&ad.to_string(), &Decimal::new(*cost, 2).to_string(), "EUR")).collect();
        for (_, by) in OUTCOME_DIMENSIONS {
            let (rows, total) = sum_outcomes(by, &leads, &spends);
            prop_assert_eq!(rows.values().map(|row| row.leads).sum::<u64>(), total.leads);
            let spent: Decimal = rows.values().flat_map(|row| row.spends.values()).sum();
            let all: Decimal = total.spends.values().sum();
            prop_assert_eq!(spent.round_dp(10), all.round_dp(10));
        }
    }
}
