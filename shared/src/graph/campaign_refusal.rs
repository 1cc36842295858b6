//! What Meta's refusals of campaigns, ad sets, creatives and ads mean: which field of ours they are about.

use super::GraphError;
use crate::model::campaigns::CampaignErrorCode;

/// What Meta's refusal of an ad object means: a code, and the field of our request that it is about.
#[must_use]
pub fn refused_field(error: &GraphError) -> (CampaignErrorCode, Option<&'static str>) {
    use CampaignErrorCode as Code;
    let Some(detail) = error.detail() else { return (Code::Refused, None) };
    match error {
        GraphError::TokenInvalid { .. } => return (Code::ConnectionExpired, None),
        GraphError::NotPermitted(_) | GraphError::WrongTokenKind(_) => return (Code::PermissionMissing, None),
        _ => {}
    }
    let known = detail.subcode.and_then(|subcode| {
        Some(match subcode {
            1_815_199 => (Code::InstagramAccountRefused, "instagramAccountId"),
            3_390_001 => (Code::FormRefused, "leadFormId"),
            1_815_089 => (Code::TermsNotAccepted, "pageId"),
            1_885_183 => (Code::AppNotLive, "creative"),
            1_885_272 | 1_885_650 | 1_885_621 => (Code::FieldRefused, "dailyBudget"),
            1_870_188 | 1_870_189 | 1_870_227 => (Code::FieldRefused, "targeting.advantageAudience"),
            1_815_857 | 2_490_487 => (Code::FieldRefused, "bidAmount"),
            3_858_152 => (Code::FieldRefused, "dsaPayor"),
            1_815_430 | 1_885_154 => (Code::FieldRefused, "pageId"),
            1_487_411 | 2_061_015 | 1_443_048 => (Code::FieldRefused, "creative"),
            _ => return None,
        })
    });
    if let Some((code, field)) = known {
        return (code, Some(field));
    }
    match detail.blamed.iter().find_map(|blamed| our_field(blamed)) {
        Some(field) => (Code::FieldRefused, Some(field)),
        None => (Code::Refused, None),
    }
}

/// The field of our request that becomes this parameter of Meta's.
fn our_field(parameter: &str) -> Option<&'static str> {
    let parts: Vec<&str> = parameter.split('.').collect();
    Some(match parts.as_slice() {
        ["targeting", "age_min", ..] => "targeting.ageMin",
        ["targeting", "age_max", ..] => "targeting.ageMax",
        ["targeting", "geo_locations", ..] => "targeting.countries",
        ["targeting", "targeting_automation", ..] => "targeting.advantageAudience",
        ["targeting", ..] => "targeting",
        ["daily_budget", ..] => "dailyBudget",
        ["lifetime_budget", ..] => "lifetimeBudget",
        ["start_time", ..] => "startTime",
        ["end_time", ..] => "endTime",
        ["bid_amount" | "bid_constraints", ..] => "bidAmount",
        ["bid_strategy", ..] => "bidStrategy",
        ["special_ad_categories", ..] => "specialAdCategories",
        ["special_ad_category_country", ..] => "specialAdCategoryCountries",
        ["promoted_object", ..] => "pageId",
        ["objective" | "optimization_goal" | "destination_type", ..] => "objective",
        ["dsa_payor", ..] => "dsaPayor",
        ["dsa_beneficiary", ..] => "dsaBeneficiary",
        ["name", ..] => "name",
        ["instagram_user_id", ..] | ["object_story_spec", "instagram_user_id", ..] => "instagramAccountId",
        ["object_story_spec", "link_data", "picture" | "image_hash", ..] => "creative.image",
        ["object_story_spec", "link_data", "link", ..] => "creative.link",
        ["object_story_spec", "link_data", "message", ..] => "creative.message",
        ["object_story_spec", "link_data", "name", ..] => "creative.headline",
        ["object_story_spec", "link_data", "call_to_action", "value", ..] => "leadFormId",
        ["object_story_spec", "link_data", "call_to_action", ..] => "creative.callToAction",
        ["object_story_spec" | "creative", ..] => "creative",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::error::Detail;
    use super::*;

    #[test]
    fn a_refusal_is_of_our_field() {
        use CampaignErrorCode as Code;
        let refused = |subcode: Option<i64>, blamed: &[&str]| {
            let blamed = blamed.iter().map(|name| (*name).to_owned()).collect();
            refused_field(&GraphError::Refused(Detail { code: 100, subcode, blamed, ..Detail::default() }))
        };
        assert_eq!(refused(Some(1_815_199), &[]), (Code::InstagramAccountRefused, Some("instagramAccountId")));
        assert_eq!(refused(Some(2_490_408), &["optimization_goal"]), (Code::FieldRefused, Some("objective")));
        assert_eq!(refused(None, &["x", "targeting.age_max"]), (Code::FieldRefused, Some("targeting.ageMax")));
        // Advantage+ audience with an age range: named as our own check names it, whichever age Meta blames.
        for subcode in [1_870_188, 1_870_189] {
            let blamed = refused(Some(subcode), &["targeting.age_max"]);
            assert_eq!(blamed, (Code::FieldRefused, Some("targeting.advantageAudience")));
        }
        assert_eq!(refused(None, &[]), (Code::Refused, None));
    }
}
