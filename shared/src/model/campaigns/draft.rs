//! What a user asks for, checked against everything that Meta is known to refuse, before anything is made.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::{AdImage, BidStrategy, Budget, CallToAction, CampaignSpec, CreativeSpec, SpecialAdCategory, Targeting};
use crate::ids::{AdAccountId, FormId, InstagramAccountId, PageId};
use crate::model::ads::currency::decimals;
use crate::model::web_address::parse_public;
use crate::tr;

/// The only objective that leads to a form.
pub const OBJECTIVE: &str = "OUTCOME_LEADS";
/// Characters of a name. Meta's limit is 400; the rest is for our mark.
const MAX_NAME: usize = 350;
/// Characters of an ad's text.
const MAX_TEXT: usize = 2_000;
/// Characters of a headline.
const MAX_HEADLINE: usize = 255;
/// Countries of one campaign.
const MAX_COUNTRIES: usize = 25;
/// The shortest time for a budget that lasts until the end.
const MIN_LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// The countries of the European Union, whose law asks who pays for an ad and whom it benefits.
pub const EU: [&str; 27] = [
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT", "LU", "MT",
    "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE",
];

/// A campaign, as it was asked for.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields of the request, under their names")]
pub struct CampaignDraft {
    pub name: String,
    pub ad_account_id: AdAccountId,
    pub page_id: PageId,
    pub form_id: FormId,
    pub objective: Option<String>,
    pub daily_budget: Option<Decimal>,
    pub lifetime_budget: Option<Decimal>,
    pub start_time: Option<Timestamp>,
    pub end_time: Option<Timestamp>,
    pub special_ad_categories: Vec<SpecialAdCategory>,
    pub special_ad_category_countries: Vec<String>,
    pub countries: Vec<String>,
    pub age_min: Option<u8>,
    pub age_max: Option<u8>,
    pub advantage_audience: Option<bool>,
    pub message: String,
    pub headline: Option<String>,
    pub image: Option<String>,
    pub image_hash: Option<String>,
    pub link: Option<String>,
    pub call_to_action: Option<CallToAction>,
    pub instagram_account_id: Option<InstagramAccountId>,
    pub bid_strategy: Option<BidStrategy>,
    pub bid_amount: Option<Decimal>,
    pub dsa_payor: Option<String>,
    pub dsa_beneficiary: Option<String>,
}

/// What has to be known of an ad account before a campaign is made in it.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountFacts {
    /// Its currency.
    pub currency: String,
    /// The least that an ad set spends a day, in the account's currency.
    pub min_daily_budget: Decimal,
    /// Who pays, unless a campaign says otherwise.
    pub default_dsa_payor: Option<String>,
    /// Who benefits, unless a campaign says otherwise.
    pub default_dsa_beneficiary: Option<String>,
}

/// A field that cannot be as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignMistake {
    /// The field, under its name in the request.
    pub field: Cow<'static, str>,
    /// What would be accepted.
    pub message: String,
}

pub(super) fn mistake<T>(
    field: impl Into<Cow<'static, str>>,
    message: impl Into<String>,
) -> Result<T, CampaignMistake> {
    Err(CampaignMistake { field: field.into(), message: message.into() })
}

impl CampaignDraft {
    /// Checks the draft.
    ///
    /// # Errors
    /// The first field that Meta would refuse.
    pub fn check(self, account: &AccountFacts, now: Timestamp) -> Result<CampaignSpec, CampaignMistake> {
        let name = checked_text("name", &self.name, MAX_NAME)?;
        if self.objective.as_deref().is_some_and(|objective| objective != OBJECTIVE) {
            return mistake(
                "objective",
                tr!("{objective}: only that objective leads to a form.", objective = OBJECTIVE),
            );
        }
        let special_ad_categories: Vec<SpecialAdCategory> =
            self.special_ad_categories.iter().copied().filter(|one| *one != SpecialAdCategory::None).collect();
        if special_ad_categories.len() < self.special_ad_categories.len() && !special_ad_categories.is_empty() {
            return mistake("specialAdCategories", tr!("NONE cannot be combined with another category."));
        }
        let special_countries = countries("specialAdCategoryCountries", &self.special_ad_category_countries)?;
        if special_ad_categories.is_empty() != special_countries.is_empty() {
            return mistake(
                "specialAdCategoryCountries",
                tr!("The countries of the special ad category, and none without a category."),
            );
        }
        let budget = self.budget(account, now)?;
        let targeting = self.targeting(&special_ad_categories)?;
        let (bid_strategy, bid_amount) = self.bid(account)?;
        let creative = self.creative()?;
        let in_eu = targeting.countries.iter().any(|country| EU.contains(&country.as_str()));
        let dsa = |field: &'static str, given: &Option<String>, default: &Option<String>| match given
            .clone()
            .or_else(|| default.clone())
        {
            None if in_eu => {
                mistake(field, tr!("Needed for ads in the European Union; the ad account has no default."))
            }
            named => named.map(|named| checked_text(field, &named, 512)).transpose(),
        };
        let dsa_payor = dsa("dsaPayor", &self.dsa_payor, &account.default_dsa_payor)?;
        let dsa_beneficiary = dsa("dsaBeneficiary", &self.dsa_beneficiary, &account.default_dsa_beneficiary)?;
        Ok(CampaignSpec {
            name,
            ad_account_id: self.ad_account_id,
            page_id: self.page_id,
            form_id: self.form_id,
            currency: account.currency.clone(),
            budget,
            start_time: self.start_time,
            end_time: self.end_time,
            special_ad_categories,
            special_ad_category_countries: special_countries,
            targeting,
            creative,
            instagram_account_id: self.instagram_account_id,
            bid_strategy,
            bid_amount,
            dsa_payor,
            dsa_beneficiary,
        })
    }

    fn budget(&self, account: &AccountFacts, now: Timestamp) -> Result<Budget, CampaignMistake> {
        if self.start_time.is_some_and(|start| start < now) {
            return mistake("startTime", tr!("A time ahead; leave it out to start with the launch."));
        }
        let start = self.start_time.unwrap_or(now);
        if self.end_time.is_some_and(|end| end < start + MIN_LIFETIME) {
            return mistake("endTime", tr!("At least 24 hours after the start."));
        }
        let (field, budget) = match (self.daily_budget, self.lifetime_budget) {
            (Some(amount), None) => ("dailyBudget", Budget::Daily(amount)),
            (None, Some(amount)) => ("lifetimeBudget", Budget::Lifetime(amount)),
            (Some(_), Some(_)) => return mistake("dailyBudget", tr!("Either dailyBudget or lifetimeBudget.")),
            (None, None) => return mistake("dailyBudget", tr!("dailyBudget, or lifetimeBudget with endTime.")),
        };
        check_amount(field, budget.amount(), &account.currency)?;
        let days = match (budget, self.end_time) {
            (Budget::Lifetime(_), None) => return mistake("endTime", tr!("Needed with lifetimeBudget.")),
            (Budget::Lifetime(_), Some(end)) => end.duration_since(start).as_hours().div_euclid(24).max(1),
            (Budget::Daily(_), _) => 1,
        };
        let least = account.min_daily_budget * Decimal::from(days);
        if budget.amount() < least {
            let currency = &account.currency;
            let message = tr!("At least {least} {currency} in this ad account.", least = least, currency = currency);
            return mistake(field, message);
        }
        Ok(budget)
    }

    fn targeting(&self, special: &[SpecialAdCategory]) -> Result<Targeting, CampaignMistake> {
        let countries = countries("targeting.countries", &self.countries)?;
        if countries.is_empty() {
            return mistake("targeting.countries", tr!("At least one country."));
        }
        for (field, age) in [("targeting.ageMin", self.age_min), ("targeting.ageMax", self.age_max)] {
            if age.is_some_and(|age| !(18..=65).contains(&age)) {
                return mistake(field, tr!("An age from 18 to 65; 65 includes everyone older."));
            }
        }
        let (youngest, oldest) = (self.age_min.unwrap_or(18), self.age_max.unwrap_or(65));
        if youngest > oldest {
            return mistake("targeting.ageMin", tr!("An age of at most ageMax."));
        }
        // Meta forbids other ages for these, and takes them as wishes only with Advantage+ audience.
        let protects = |category: &SpecialAdCategory| {
            matches!(
                category,
                SpecialAdCategory::Employment
                    | SpecialAdCategory::Housing
                    | SpecialAdCategory::FinancialProductsServices
            )
        };
        let is_protected = special.iter().any(protects);
        if is_protected && (youngest, oldest) != (18, 65) {
            let field = if youngest == 18 { "targeting.ageMax" } else { "targeting.ageMin" };
            return mistake(field, tr!("With this special ad category, the age range must be 18 to 65+."));
        }
        let has_ages = youngest != 18 || oldest != 65;
        let advantage_audience = self.advantage_audience.unwrap_or(!has_ages && !is_protected);
        if advantage_audience && (youngest > 25 || oldest < 65) {
            let message =
                tr!("advantageAudience and a range of ages (ageMin above 25, ageMax below 65) exclude each other.");
            return mistake("targeting.advantageAudience", message);
        }
        Ok(Targeting { countries, age_min: self.age_min, age_max: self.age_max, advantage_audience })
    }

    fn bid(&self, account: &AccountFacts) -> Result<(BidStrategy, Option<Decimal>), CampaignMistake> {
        let strategy = self.bid_strategy.unwrap_or(BidStrategy::LowestCostWithoutCap);
        match (strategy, self.bid_amount) {
            (BidStrategy::LowestCostWithoutCap, None) => Ok((strategy, None)),
            (BidStrategy::LowestCostWithoutCap, Some(_)) => {
                mistake("bidAmount", tr!("Only with the bidStrategy LOWEST_COST_WITH_BID_CAP or COST_CAP."))
            }
            (_, None) => mistake("bidAmount", tr!("Needed with the bidStrategy {strategy}.", strategy = strategy)),
            (_, Some(amount)) => {
                check_amount("bidAmount", amount, &account.currency)?;
                Ok((strategy, Some(amount)))
            }
        }
    }

    fn creative(&self) -> Result<CreativeSpec, CampaignMistake> {
        let address = |field: &'static str, url: &str| match parse_public(url) {
            Ok(url) => Ok(String::from(url)),
            Err(message) => mistake(field, message),
        };
        let image = match (&self.image, &self.image_hash) {
            (Some(url), None) => AdImage::Url(address("creative.image", url)?),
            (None, Some(hash)) if is_hash(hash) => AdImage::Hash(hash.clone()),
            (None, Some(_)) => return mistake("creative.imageHash", tr!("The hash of a picture in the ad account.")),
            (Some(_), Some(_)) | (None, None) => {
                return mistake("creative.image", tr!("Either image (an address) or imageHash."));
            }
        };
        let headline = self.headline.as_deref().map(|text| checked_text("creative.headline", text, MAX_HEADLINE));
        Ok(CreativeSpec {
            message: checked_text("creative.message", &self.message, MAX_TEXT)?,
            headline: headline.transpose()?,
            image,
            link: self.link.as_deref().map(|link| address("creative.link", link)).transpose()?,
            call_to_action: self.call_to_action.unwrap_or(CallToAction::SignUp),
        })
    }
}

fn is_hash(text: &str) -> bool {
    (8..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-'))
}

fn checked_text(field: &'static str, text: &str, most: usize) -> Result<String, CampaignMistake> {
    let text = text.trim();
    if (1..=most).contains(&text.chars().count()) {
        Ok(text.to_owned())
    } else {
        mistake(field, tr!("1 to {most} characters.", most = most))
    }
}

fn check_amount(field: &'static str, amount: Decimal, currency: &str) -> Result<(), CampaignMistake> {
    if amount <= Decimal::ZERO {
        return mistake(field, tr!("An amount above 0."));
    }
    let places = decimals(currency);
    if amount.normalize().scale() > places {
        let message =
            tr!("An amount in {currency} with at most {places} decimal places.", currency = currency, places = places);
        return mistake(field, message);
    }
    Ok(())
}

fn countries(field: &'static str, list: &[String]) -> Result<Vec<String>, CampaignMistake> {
    if list.len() > MAX_COUNTRIES {
        return mistake(field, tr!("At most {most} countries.", most = MAX_COUNTRIES));
    }
    for (position, country) in list.iter().enumerate() {
        if !(country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase())) {
            return mistake(
                format!("{field}[{position}]"),
                tr!("A country as an ISO 3166 code of two capital letters."),
            );
        }
    }
    Ok(list.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect())
}

#[cfg(test)]
#[path = "draft_tests.rs"]
mod tests;
