//! The wizard's answers: what each step needs, and the campaign that they ask for. They are checked step by step, so
//! that a mistake is said while its field is in view. The room checks all of them again.

use std::borrow::Cow;

use leadwire::campaigns::{CampaignIn, CreativeIn, LeadCampaignOut, TargetingIn};
use leadwire::http::{Problem, ProblemCode};
use leadwire::ids::{AdAccountId, FormId, PageId};
use leadwire::model::campaigns::{AdImage, CallToAction, SpecialAdCategory};
use leadwire::model::web_address::parse_public;
use leadwire::tr;
use rust_decimal::Decimal;

use crate::countries;
use crate::form::Fields;

/// The steps, in order, each with the fields that it asks for.
pub(super) const STEPS: [&[&str]; 6] = [
    &["page_id", "ad_account_id"],
    &["lead_form_id"],
    &["special", "special_countries"],
    &["countries", "age_min", "age_max"],
    &["message", "headline", "image", "link", "call_to_action"],
    &["name", "daily_budget", "dsa_payor"],
];

/// The last step, which creates the campaign.
pub(super) const LAST: usize = STEPS.len() - 1;

/// The heading of a step.
pub(super) fn heading(step: usize) -> Cow<'static, str> {
    match step {
        0 => tr!("Where does it run?"),
        1 => tr!("Which form do people fill in?"),
        2 => tr!("What is it about?"),
        3 => tr!("Who sees it?"),
        4 => tr!("What do they see?"),
        _ => tr!("Budget"),
    }
}

/// The step that asks for a field; the last one if none does.
pub(super) fn step_of(field: Option<&str>) -> usize {
    STEPS.iter().position(|fields| field.is_some_and(|field| fields.contains(&field))).unwrap_or(LAST)
}

fn problem(field: &str, detail: impl Into<String>) -> Problem {
    Problem::field(field, ProblemCode::FieldInvalid, detail)
}

/// What was answered so far.
pub(super) struct Answers<'a>(pub(super) &'a Fields);

/// A choice from a list: its id, and the words that describe it. A list's values are both, separated by a space, so
/// that later steps can name what was chosen without asking Meta again.
pub(super) fn choice<'a>(fields: &'a Fields, name: &str) -> (&'a str, &'a str) {
    let value = fields.get(name).unwrap_or_default();
    value.split_once(' ').unwrap_or((value, ""))
}

impl Answers<'_> {
    /// Checks what a step asks for.
    ///
    /// # Errors
    /// The first field that cannot stay as it is, and what would be accepted.
    pub(super) fn check(&self, step: usize) -> Result<(), Problem> {
        match step {
            0 => self.page().and_then(|_| self.account()).map(drop),
            1 => self.form().map(drop),
            2 => self.special().map(drop),
            3 => self.targeting().map(drop),
            4 => self.creative().map(drop),
            _ => self.campaign().map(drop),
        }
    }

    pub(super) fn page(&self) -> Result<PageId, Problem> {
        PageId::parse(choice(self.0, "page_id").0).map_err(|_| problem("page_id", tr!("Choose a page.")))
    }

    fn account(&self) -> Result<AdAccountId, Problem> {
        AdAccountId::parse(choice(self.0, "ad_account_id").0)
            .map_err(|_| problem("ad_account_id", tr!("Choose the ad account that pays.")))
    }

    pub(super) fn form(&self) -> Result<FormId, Problem> {
        FormId::parse(choice(self.0, "lead_form_id").0)
            .map_err(|_| problem("lead_form_id", tr!("Choose a form, or create a new one.")))
    }

    fn special(&self) -> Result<(Vec<SpecialAdCategory>, Vec<String>), Problem> {
        let category: SpecialAdCategory = self
            .0
            .text("special")
            .parse()
            .map_err(|_| problem("special", tr!("Choose one, or “None of the following”.")))?;
        if category == SpecialAdCategory::None {
            return Ok((Vec::new(), Vec::new()));
        }
        Ok((vec![category], self.countries("special_countries")?))
    }

    /// The codes of the countries that a field names.
    pub(super) fn countries(&self, name: &str) -> Result<Vec<String>, Problem> {
        match countries::parse(self.0.get(name).unwrap_or_default()) {
            Ok(codes) if codes.is_empty() => Err(problem(name, tr!("Enter at least one country."))),
            Ok(codes) => Ok(codes),
            Err(wrong) => {
                let detail = tr!(
                    "“{name}” is not a known country. Enter a country's name or two-letter code, such as NL.",
                    name = wrong
                );
                Err(problem(name, detail))
            }
        }
    }

    fn targeting(&self) -> Result<TargetingIn, Problem> {
        let age = |name: &'static str| match self.0.get(name).map(str::parse::<u8>) {
            None => Ok(None),
            Some(Ok(age)) if (18..=65).contains(&age) => Ok(Some(age)),
            Some(_) => Err(problem(name, tr!("Enter an age from 18 to 65, or leave it empty."))),
        };
        let (countries, age_min, age_max) = (self.countries("countries")?, age("age_min")?, age("age_max")?);
        if age_min.unwrap_or(18) > age_max.unwrap_or(65) {
            return Err(problem("age_max", tr!("This is below the minimum age. Enter a higher age.")));
        }
        Ok(TargetingIn { countries, age_min, age_max, advantage_audience: None })
    }

    fn creative(&self) -> Result<CreativeIn, Problem> {
        let message = self.message();
        if message.trim().is_empty() {
            return Err(problem("message", tr!("Enter the text of the ad.")));
        }
        let address = |name: &'static str| match self.0.get(name) {
            None => Ok(None),
            Some(url) => parse_public(url).map(|_| Some(url.to_owned())).map_err(|detail| problem(name, detail)),
        };
        let image = address("image")?;
        if image.is_none() {
            return Err(problem("image", tr!("Enter the address of a picture.")));
        }
        Ok(CreativeIn {
            message,
            headline: self.0.get("headline").map(ToOwned::to_owned),
            image,
            image_hash: None,
            link: address("link")?,
            call_to_action: self.call_to_action(),
        })
    }

    /// The ad's text. Browsers send line breaks as two characters.
    pub(super) fn message(&self) -> String {
        self.0.raw("message").unwrap_or_default().replace("\r\n", "\n")
    }

    pub(super) fn call_to_action(&self) -> Option<CallToAction> {
        self.0.get("call_to_action").and_then(|words| words.parse().ok())
    }

    /// The currency of the ad account, as the first step's list named it.
    pub(super) fn currency(&self) -> &str {
        choice(self.0, "ad_account_id").1.split(' ').next().unwrap_or_default()
    }

    fn budget(&self) -> Result<Decimal, Problem> {
        let typed = self.0.text("daily_budget").replace(',', ".");
        let amount = typed.parse::<Decimal>().ok().filter(|amount| *amount > Decimal::ZERO);
        amount.ok_or_else(|| problem("daily_budget", tr!("Enter an amount above 0, such as 20 or 20.50.")))
    }

    /// The campaign that is asked for.
    ///
    /// # Errors
    /// As [`Answers::check`], of the first step with a mistake.
    pub(super) fn campaign(&self) -> Result<CampaignIn, Problem> {
        let (page_id, ad_account_id, lead_form_id) = (self.page()?, self.account()?, self.form()?);
        let (special_ad_categories, special_ad_category_countries) = self.special()?;
        let (targeting, creative) = (self.targeting()?, self.creative()?);
        let daily_budget = Some(self.budget()?);
        let name = self.0.get("name");
        let name =
            name.ok_or_else(|| problem("name", tr!("Enter a name by which you can find the campaign again.")))?;
        let payor = self.0.get("dsa_payor").map(ToOwned::to_owned);
        Ok(CampaignIn {
            ad_account_id,
            page_id,
            name: name.to_owned(),
            objective: None,
            lead_form_id,
            daily_budget,
            lifetime_budget: None,
            start_time: None,
            end_time: None,
            special_ad_categories,
            special_ad_category_countries,
            targeting,
            creative,
            instagram_account_id: None,
            bid_strategy: None,
            bid_amount: None,
            dsa_payor: payor.clone(),
            dsa_beneficiary: payor,
            request_id: None,
        })
    }
}

/// The answers that would create a campaign again.
pub(super) fn answers_of(campaign: &LeadCampaignOut) -> Vec<(String, String)> {
    let special: &str = campaign.special_ad_categories.first().copied().unwrap_or(SpecialAdCategory::None).into();
    let age = |age: Option<u8>| age.map(|age| age.to_string()).unwrap_or_default();
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let (creative, targeting) = (&campaign.creative, &campaign.targeting);
    let image = match &creative.image {
        AdImage::Url(url) => url.clone(),
        AdImage::Hash(_) => String::new(),
    };
    let words: &str = creative.call_to_action.into();
    [
        ("page_id", campaign.page_id.to_string()),
        (
            "ad_account_id",
            format!("{} {} {}", campaign.ad_account_id, campaign.currency, name(&campaign.names.ad_account)),
        ),
        ("lead_form_id", format!("{} {}", campaign.form_id, name(&campaign.names.form))),
        ("special", special.to_owned()),
        ("special_countries", countries::names(&campaign.special_ad_category_countries)),
        ("countries", countries::names(&targeting.countries)),
        ("age_min", age(targeting.age_min)),
        ("age_max", age(targeting.age_max)),
        ("message", creative.message.clone()),
        ("headline", creative.headline.clone().unwrap_or_default()),
        ("image", image),
        ("link", creative.link.clone().unwrap_or_default()),
        ("call_to_action", words.to_owned()),
        ("name", campaign.name.clone()),
        ("daily_budget", campaign.daily_budget.clone().unwrap_or_default()),
        ("dsa_payor", campaign.dsa_payor.clone().unwrap_or_default()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The wizard's name of a field of the API.
pub(super) fn own_field(field: &str) -> String {
    match field {
        "pageId" => "page_id",
        "adAccountId" => "ad_account_id",
        "leadFormId" => "lead_form_id",
        "specialAdCategories" => "special",
        "dailyBudget" | "lifetimeBudget" => "daily_budget",
        "dsaPayor" | "dsaBeneficiary" => "dsa_payor",
        "targeting.ageMin" => "age_min",
        "targeting.ageMax" | "targeting.advantageAudience" => "age_max",
        "creative" | "creative.message" => "message",
        "creative.headline" => "headline",
        "creative.image" | "creative.imageHash" => "image",
        "creative.link" => "link",
        "creative.callToAction" => "call_to_action",
        field if field.starts_with("targeting") => "countries",
        field if field.starts_with("specialAdCategoryCountries") => "special_countries",
        field => field,
    }
    .to_owned()
}

/// What a field of the wizard is called on its page.
pub(super) fn field_name(field: &str) -> Option<Cow<'static, str>> {
    Some(match field {
        "page_id" => tr!("Page"),
        "ad_account_id" => tr!("Ad account"),
        "lead_form_id" => tr!("Form"),
        "special" => tr!("Topic"),
        "special_countries" => tr!("Countries of the special ad category"),
        "countries" => tr!("Countries"),
        "age_min" | "age_max" => tr!("Age"),
        "message" => tr!("Text"),
        "headline" => tr!("Headline"),
        "image" => tr!("Picture"),
        "link" => tr!("Address"),
        "call_to_action" => tr!("Button"),
        "name" => tr!("Name"),
        "daily_budget" => tr!("Budget"),
        "dsa_payor" => tr!("Who pays"),
        _ => return None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Complete answers, but for those that are changed.
    pub(in crate::campaigns) fn answers(changed: &[(&str, &str)]) -> Fields {
        let complete = [
            ("page_id", "7 Northwind"),
            ("ad_account_id", "act_1 EUR Northwind Ads"),
            ("lead_form_id", "3 Trial lesson"),
            ("special", "NONE"),
            ("countries", "nl, be"),
            ("message", "Come and see\r\nWe are open"),
            ("image", "https://cdn.example/1.jpg"),
            ("name", "Open day"),
            ("daily_budget", "20,50"),
            ("request_id", "r1"),
        ];
        let mut fields = Fields::new(complete.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        changed.iter().for_each(|(name, value)| fields.set(name, value));
        fields
    }

    #[test]
    fn complete_answers_are_a_campaign() {
        let fields = answers(&[("age_min", "30")]);
        let campaign = Answers(&fields).campaign().unwrap();
        assert_eq!(campaign.targeting.countries, ["NL", "BE"]);
        assert_eq!((campaign.targeting.age_min, campaign.daily_budget), (Some(30), Some(Decimal::new(2050, 2))));
        assert_eq!((campaign.page_id.as_str(), campaign.ad_account_id.as_str()), ("7", "act_1"));
        assert_eq!(campaign.creative.message, "Come and see\nWe are open");
        assert_eq!(Answers(&fields).currency(), "EUR");
        assert!((0..STEPS.len()).all(|step| Answers(&fields).check(step).is_ok()));
    }

    #[test]
    fn a_mistake_is_found_at_the_step_of_its_field() {
        let check = |changed: &[(&str, &str)], field: &str| {
            let fields = answers(changed);
            let first = (0..STEPS.len()).find_map(|step| Some((step, Answers(&fields).check(step).err()?)));
            let (step, problem) = first.unwrap_or_else(|| panic!("{changed:?} is taken"));
            assert_eq!((problem.field.as_deref(), step), (Some(field), step_of(Some(field))), "{changed:?}");
        };
        check(&[("page_id", "")], "page_id");
        check(&[("ad_account_id", "7")], "ad_account_id");
        check(&[("lead_form_id", "")], "lead_form_id");
        check(&[("special", "")], "special");
        check(&[("special", "HOUSING")], "special_countries");
        check(&[("countries", "Niederlande")], "countries");
        check(&[("countries", " ")], "countries");
        check(&[("age_min", "12")], "age_min");
        check(&[("age_min", "50"), ("age_max", "30")], "age_max");
        check(&[("message", " \r\n")], "message");
        check(&[("image", "1.jpg")], "image");
        check(&[("image", "https://10.0.0.1/1.jpg")], "image");
        check(&[("link", "shop")], "link");
        check(&[("daily_budget", "twenty")], "daily_budget");
        check(&[("daily_budget", "0")], "daily_budget");
        check(&[("name", "")], "name");
    }

    #[test]
    fn every_field_of_the_wizard_has_a_name_for_people() {
        assert!(STEPS.iter().copied().flatten().all(|field| field_name(field).is_some()));
        assert_eq!(step_of(Some(&own_field("targeting.countries[1]"))), 3);
        assert_eq!(step_of(Some(&own_field("creative.image"))), 4);
        assert_eq!(step_of(Some(&own_field("bidAmount"))), LAST);
    }
}
