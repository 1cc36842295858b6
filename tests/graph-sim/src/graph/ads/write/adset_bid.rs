//! Bids of ad sets: a strategy, and what it needs.

use serde_json::Value;

use super::rules;
use crate::graph::rejection::Refused;

/// Checks the bid of an ad set. `of_campaign` is the strategy of a campaign that has the budget.
///
/// # Errors
/// Returns 1815857 if the campaign's strategy needs a bid that is missing, 2490487 if the ad set's own does or is not
/// named at all, and 100 for a bid or strategy that does not belong there.
pub(super) fn check(
    of_campaign: Option<&str>,
    own: Option<&str>,
    amount: Option<i64>,
    constraints: Option<&Value>,
) -> Result<(), Refused> {
    let strategy = match (of_campaign, own) {
        (Some(campaign), Some(own)) if campaign != own => {
            return Err(rules::CAMPAIGN_BID_STRATEGY.broken_by("bid_strategy"));
        }
        (Some(campaign), _) => campaign,
        (None, Some(own)) => own,
        // A bid alone is a cap.
        (None, None) if amount.is_some() => "LOWEST_COST_WITH_BID_CAP",
        (None, None) => {
            return Err(rules::BID_REQUIRED_FOR_STRATEGY.broken(&["bid_strategy"], "LOWEST_COST_WITH_BID_CAP"));
        }
    };
    let floor = constraints.and_then(|constraints| constraints.get("roas_average_floor"));
    match strategy {
        "LOWEST_COST_WITHOUT_CAP" if amount.is_some() => Err(rules::BID_WITHOUT_CAP.broken_by("bid_amount")),
        "LOWEST_COST_WITHOUT_CAP" => Ok(()),
        "LOWEST_COST_WITH_MIN_ROAS" if floor.is_some() => Ok(()),
        "LOWEST_COST_WITH_MIN_ROAS" => Err(rules::BID_REQUIRED_FOR_STRATEGY.broken(&["bid_constraints"], strategy)),
        _ if amount.is_some_and(|amount| amount > 0) => Ok(()),
        _ if of_campaign.is_some() => Err(rules::BID_AMOUNT_REQUIRED.broken(&["bid_amount"], strategy)),
        _ => Err(rules::BID_REQUIRED_FOR_STRATEGY.broken(&["bid_amount"], strategy)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;
    use crate::graph::rejection::Refused;

    #[test]
    fn every_strategy_gets_what_it_needs_and_nothing_else() {
        let (free, cap, cost) = ("LOWEST_COST_WITHOUT_CAP", "LOWEST_COST_WITH_BID_CAP", "COST_CAP");
        let roas = "LOWEST_COST_WITH_MIN_ROAS";
        for (of_campaign, own, amount, expected) in [
            (None, Some(free), None, None),
            (None, Some(free), Some(10), Some((None, "bid_amount"))),
            (None, Some(cost), Some(10), None),
            (None, Some(cost), None, Some((Some(2_490_487), "bid_amount"))),
            (None, None, None, Some((Some(2_490_487), "bid_strategy"))),
            (None, None, Some(10), None),
            (None, Some(roas), None, Some((Some(2_490_487), "bid_constraints"))),
            (Some(free), None, None, None),
            (Some(free), Some(free), None, None),
            (Some(free), Some(cost), Some(1), Some((None, "bid_strategy"))),
            (Some(cap), None, None, Some((Some(1_815_857), "bid_amount"))),
            (Some(cap), None, Some(10), None),
        ] {
            let found = match check(of_campaign, own, amount, None) {
                Ok(()) => None,
                Err(Refused::Broken { rule, blame, .. }) => Some((rule.subcode, blame[0][0].clone())),
                Err(Refused::Graph(_)) => Some((None, "type".to_owned())),
            };
            let expected = expected.map(|(subcode, path)| (subcode, path.to_owned()));
            assert_eq!(found, expected, "{of_campaign:?} {own:?} {amount:?}");
        }
        assert!(check(None, Some(roas), None, Some(&json!({"roas_average_floor": 100}))).is_ok());
    }
}
