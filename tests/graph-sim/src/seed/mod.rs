//! The world a simulator starts with. All ids are constant.
//!
//! | who | what |
//! |---|---|
//! | Mara Lindqvist ([`MARA`]) | three pages with every task in English, German and Spanish; one page she only advertises on; one listed without a token; and through the portfolio [`PORTFOLIO`] one owned and one client page, which `/me/accounts` hides without `business_management` |
//! | Jonas Brandt ([`JONAS`]) | shares [`DENTAL`] with Mara; has a page of his own |
//! | Priya Raman ([`PRIYA`]) | sixty pages; in her list lie a hundred withheld ones, so response pages come short and empty |
//! | a system user ([`SYSTEM_USER`]) | of the business [`CLINICS`], which owns three pages that no person reaches |
//!
//! Mara's portfolio has ad accounts in dollars, euros and yen, the clinics too; Jonas has a disabled one of his own, Priya
//! a working one. Each has three campaigns with ninety days behind them. The campaigns of the lead forms run in
//! [`AD_ACCOUNT`].
//!
//! Every page but the one without token has lead forms, every form three ads in two ad sets of one campaign. There are
//! no leads at the start.

mod ad_accounts;
mod businesses;
mod forms;
pub(crate) mod newcomer;
mod pages;
pub(crate) mod sketch;

use std::collections::BTreeMap;

use crate::world::World;

/// The app's id.
pub const APP_ID: &str = "1027415900713442";
/// The app's secret.
pub const APP_SECRET: &str = "5f2b8c1d9e7a4630b1c2d3e4f5a60718";
/// The app's name.
pub const APP_NAME: &str = "Simulated Lead Connector";
/// What a webhook callback is asked to compare, where a subscription names nothing else.
pub const VERIFY_TOKEN: &str = "verify-simulated-callback";
/// A Facebook Login for Business configuration: replaces `scope`, and is granted whole or not at all.
pub const LOGIN_CONFIGURATION: &str = "884512097733661";

/// Mara Lindqvist, who logs in when nobody else is named.
pub const MARA: &str = "10229483756102001";
/// Jonas Brandt.
pub const JONAS: &str = "10160934411872002";
/// Priya Raman.
pub const PRIYA: &str = "10223344556677003";

/// Harbour Lane Dental: English, Mara's and Jonas's.
pub const DENTAL: &str = "104398761152301";
/// Bäckerei Sonnenhügel: German; one form has localised keys.
pub const BAKERY: &str = "61550987654321012";
/// Estudio Ñandú Yoga: Spanish; many other apps are installed on it.
pub const YOGA: &str = "61550987654321023";
/// Northwind Outdoor: owned by the portfolio.
pub const OUTDOOR: &str = "104398761152334";
/// Café Élan: a client page of the portfolio.
pub const CAFE: &str = "104398761152345";
/// Lakeside Rentals: Mara may only advertise and analyse, so subscribing fails.
pub const RENTALS: &str = "104398761152356";
/// Old Mill Theatre: listed without `access_token`.
pub const THEATRE: &str = "104398761152367";
/// Atelier Brandt: German, Jonas's own.
pub const ATELIER: &str = "104398761152378";
/// Meridian Klinik Berlin: German, owned by the clinics; two other apps are installed on it and its sisters.
pub const CLINIC_BERLIN: &str = "104398761152389";
/// Clínica Meridian Madrid: Spanish, owned by the clinics.
pub const CLINIC_MADRID: &str = "104398761152391";
/// Meridian Clinic Leeds: English, owned by the clinics.
pub const CLINIC_LEEDS: &str = "104398761152402";
/// The first of Priya's sixty pages; the others follow in steps of one.
pub const FIRST_FRANCHISE: u64 = 104_398_761_153_001;
/// How many pages Priya has.
pub const FRANCHISES: u64 = 60;

/// The business portfolio of Mara's.
pub const PORTFOLIO: &str = "763950112233441";
/// A business that no seed person belongs to.
pub const CLINICS: &str = "763950112233452";
/// The system user of the clinics, without a token at first.
pub const SYSTEM_USER: &str = "122104998877665001";
/// The ad account behind every lead form's campaign, without `act_`: in dollars, owned by the portfolio.
pub const AD_ACCOUNT: &str = "1203948576655441";
/// The portfolio's account in euros.
pub const AD_ACCOUNT_EUR: &str = "1203948576655452";
/// The account in yen of the portfolio's client.
pub const AD_ACCOUNT_JPY: &str = "1203948576655463";

/// When pages and forms were made: 2026-01-05.
pub(crate) const FOUNDED_MS: i64 = 1_767_600_000_000;

/// Fills an empty world.
pub(crate) fn plant(world: &mut World) {
    pages::plant(world);
    businesses::plant(world);
    forms::plant(world);
}

pub(crate) fn login_configurations() -> BTreeMap<String, Vec<String>> {
    let scopes = [
        "pages_show_list",
        "pages_read_engagement",
        "pages_manage_metadata",
        "pages_manage_ads",
        "leads_retrieval",
        "ads_read",
        "ads_management",
        "business_management",
    ];
    [(LOGIN_CONFIGURATION.to_owned(), scopes.map(str::to_owned).to_vec())].into()
}
