use super::*;

fn account() -> AccountFacts {
    AccountFacts {
        currency: "EUR".to_owned(),
        min_daily_budget: Decimal::new(100, 2),
        default_dsa_payor: Some("Acme BV".to_owned()),
        default_dsa_beneficiary: Some("Acme BV".to_owned()),
    }
}

fn draft() -> CampaignDraft {
    CampaignDraft {
        name: "Open day".to_owned(),
        ad_account_id: AdAccountId::parse("act_1").unwrap(),
        page_id: PageId::parse("103").unwrap(),
        form_id: FormId::parse("3").unwrap(),
        objective: None,
        daily_budget: Some(Decimal::new(2000, 2)),
        lifetime_budget: None,
        start_time: None,
        end_time: None,
        special_ad_categories: Vec::new(),
        special_ad_category_countries: Vec::new(),
        countries: vec!["NL".to_owned()],
        age_min: None,
        age_max: None,
        advantage_audience: None,
        message: "Come and see".to_owned(),
        headline: None,
        image: Some("https://cdn.example/1.jpg".to_owned()),
        image_hash: None,
        link: None,
        call_to_action: None,
        instagram_account_id: None,
        bid_strategy: None,
        bid_amount: None,
        dsa_payor: None,
        dsa_beneficiary: None,
    }
}

fn now() -> Timestamp {
    "2026-11-25T08:00:00Z".parse().unwrap()
}

fn check(draft: CampaignDraft) -> Result<CampaignSpec, String> {
    draft.check(&account(), now()).map_err(|mistake| mistake.field.into_owned())
}

fn field(draft: CampaignDraft) -> String {
    check(draft).unwrap_err()
}

fn amount(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

#[test]
fn budgets_are_one_and_of_the_currency_and_not_below_its_minimum() {
    let ends = Some("2026-12-05T08:00:00Z".parse().unwrap());
    let lifetime =
        |text: &str, end_time| CampaignDraft { daily_budget: None, lifetime_budget: amount(text), end_time, ..draft() };
    assert_eq!(check(draft()).unwrap().budget, Budget::Daily(Decimal::new(2000, 2)));
    assert_eq!(check(lifetime("10", ends)).unwrap().budget, Budget::Lifetime(Decimal::from(10)));
    assert_eq!(field(lifetime("9.99", ends)), "lifetimeBudget", "ten days of at least 1");
    assert_eq!(field(lifetime("10", None)), "endTime");
    assert_eq!(field(lifetime("10", Some("2026-11-25T20:00:00Z".parse().unwrap()))), "endTime");
    assert_eq!(field(CampaignDraft { lifetime_budget: amount("20"), ..draft() }), "dailyBudget");
    assert_eq!(field(CampaignDraft { daily_budget: None, ..draft() }), "dailyBudget");
    for bad in ["0", "-5", "0.99", "1.005"] {
        assert_eq!(field(CampaignDraft { daily_budget: amount(bad), ..draft() }), "dailyBudget", "{bad}");
    }
    let yen = AccountFacts { currency: "JPY".to_owned(), min_daily_budget: Decimal::from(100), ..account() };
    let whole = CampaignDraft { daily_budget: amount("500.0"), ..draft() };
    assert!(whole.check(&yen, now()).is_ok());
    let broken = CampaignDraft { daily_budget: amount("500.5"), ..draft() };
    assert_eq!(broken.check(&yen, now()).unwrap_err().field, "dailyBudget");
}

#[test]
fn only_leads_are_an_objective() {
    assert!(check(CampaignDraft { objective: Some("OUTCOME_LEADS".to_owned()), ..draft() }).is_ok());
    assert_eq!(field(CampaignDraft { objective: Some("OUTCOME_TRAFFIC".to_owned()), ..draft() }), "objective");
}

#[test]
fn advantage_audience_is_said_either_way() {
    let audience = |draft: CampaignDraft| check(draft).map(|spec| spec.targeting.advantage_audience);
    let ages = |ages: (u8, u8), advantage_audience| CampaignDraft {
        age_min: Some(ages.0),
        age_max: Some(ages.1),
        advantage_audience,
        ..draft()
    };
    assert_eq!(audience(draft()), Ok(true));
    assert_eq!(audience(ages((30, 50), None)), Ok(false));
    assert_eq!(audience(ages((30, 50), Some(true))), Err("targeting.advantageAudience".to_owned()));
    assert_eq!(audience(ages((20, 65), Some(true))), Ok(true));
    assert_eq!(audience(ages((50, 30), None)), Err("targeting.ageMin".to_owned()));
    assert_eq!(audience(ages((17, 30), None)), Err("targeting.ageMin".to_owned()));
    let housing = |draft: CampaignDraft| CampaignDraft {
        special_ad_categories: vec![SpecialAdCategory::Housing],
        special_ad_category_countries: vec!["NL".to_owned()],
        ..draft
    };
    assert_eq!(audience(housing(draft())), Ok(false));
    assert_eq!(audience(housing(ages((30, 65), None))), Err("targeting.ageMin".to_owned()));
}

#[test]
fn special_categories_name_their_countries() {
    let special = |categories: &[SpecialAdCategory], countries: &[&str]| CampaignDraft {
        special_ad_categories: categories.to_vec(),
        special_ad_category_countries: countries.iter().map(|one| (*one).to_owned()).collect(),
        ..draft()
    };
    use SpecialAdCategory::{Employment, None as No};
    assert!(check(special(&[No], &[])).unwrap().special_ad_categories.is_empty());
    assert_eq!(field(special(&[Employment], &[])), "specialAdCategoryCountries");
    assert_eq!(field(special(&[], &["NL"])), "specialAdCategoryCountries");
    assert_eq!(field(special(&[Employment, No], &["NL"])), "specialAdCategories");
    assert_eq!(field(special(&[Employment], &["nl"])), "specialAdCategoryCountries[0]");
}

#[test]
fn bids_go_with_their_strategy() {
    let bid = |bid_strategy, bid_amount| CampaignDraft { bid_strategy, bid_amount, ..draft() };
    assert!(check(bid(Some(BidStrategy::CostCap), amount("4.50"))).is_ok());
    assert_eq!(field(bid(Some(BidStrategy::CostCap), None)), "bidAmount");
    assert_eq!(field(bid(None, amount("4.50"))), "bidAmount");
    assert_eq!(field(bid(Some(BidStrategy::LowestCostWithBidCap), amount("4.505"))), "bidAmount");
}

#[test]
fn the_eu_knows_who_pays() {
    let nobody = AccountFacts { default_dsa_payor: None, ..account() };
    assert_eq!(draft().check(&nobody, now()).unwrap_err().field, "dsaPayor");
    let named = CampaignDraft { dsa_payor: Some(" Acme ".to_owned()), ..draft() };
    assert_eq!(named.check(&nobody, now()).unwrap().dsa_payor.as_deref(), Some("Acme"));
    let abroad = CampaignDraft { countries: vec!["US".to_owned()], ..draft() };
    assert_eq!(abroad.check(&nobody, now()).unwrap().dsa_payor, None);
}

#[test]
fn texts_and_pictures_are_checked_by_name() {
    assert_eq!(field(CampaignDraft { name: " ".to_owned(), ..draft() }), "name");
    assert_eq!(field(CampaignDraft { message: String::new(), ..draft() }), "creative.message");
    assert_eq!(field(CampaignDraft { image: None, ..draft() }), "creative.image");
    assert_eq!(field(CampaignDraft { image: Some("http://10.0.0.1/a.jpg".to_owned()), ..draft() }), "creative.image");
    assert_eq!(
        field(CampaignDraft { image: None, image_hash: Some("a b".to_owned()), ..draft() }),
        "creative.imageHash"
    );
    assert_eq!(field(CampaignDraft { link: Some("shop".to_owned()), ..draft() }), "creative.link");
    assert_eq!(field(CampaignDraft { countries: Vec::new(), ..draft() }), "targeting.countries");
    assert_eq!(field(CampaignDraft { countries: vec!["Netherlands".to_owned()], ..draft() }), "targeting.countries[0]");
}
