//! The initial world of a simulator. All ids are constant.
//!
//! | who | what |
//! |---|---|
//! | Mara Lindqvist ([`MARA`]) | three pages with every task, in English, German and Spanish; one page on which she only advertises; one page listed without a token; and through the portfolio [`PORTFOLIO`] one owned and one client page, which `/me/accounts` hides without `business_management` |
//! | Jonas Brandt ([`JONAS`]) | shares [`DENTAL`] with Mara, has a page of his own, and reads errors in German |
//! | Priya Raman ([`PRIYA`]) | sixty pages; her list contains a hundred withheld ones, so some response pages are short or empty |
//! | a system user ([`SYSTEM_USER`]) | of the business [`CLINICS`], which owns three pages that no person reaches |
//!
//! Mara's portfolio and the clinics each have ad accounts in dollars, euros and yen. Jonas has a disabled account of
//! his own, Priya a working one. Each account has three campaigns with ninety days of history. The campaigns of the
//! lead forms run in [`AD_ACCOUNT`].
//!
//! Mara's portfolio owns a WhatsApp account with one number and has a client's; the clinics own one. Each has templates:
//! `lead_follow_up` (`en_US` and `de`, two parameters), `hello_world` and `appointment` are approved, `spring_offer` is
//! pending and `old_offer` paused.
//!
//! Every page except the one without a token has lead forms. Every form has three ads in two ad sets of one campaign.
//! There are no leads at the start.

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
/// The verify token of a webhook subscription that names no other.
pub const VERIFY_TOKEN: &str = "verify-simulated-callback";
/// A Facebook Login for Business configuration. It replaces `scope` and is granted completely or not at all.
pub const LOGIN_CONFIGURATION: &str = "884512097733661";

/// Mara Lindqvist, who logs in when no other person is named.
pub const MARA: &str = "10229483756102001";
/// Jonas Brandt.
pub const JONAS: &str = "10160934411872002";
/// Priya Raman.
pub const PRIYA: &str = "10223344556677003";

/// Harbour Lane Dental: English, shared by Mara and Jonas.
pub const DENTAL: &str = "104398761152301";
/// Bäckerei Sonnenhügel: German. One form has localised keys.
pub const BAKERY: &str = "61550987654321012";
/// Estudio Ñandú Yoga: Spanish. Many other apps are installed on it.
pub const YOGA: &str = "61550987654321023";
/// Northwind Outdoor: owned by the portfolio.
pub const OUTDOOR: &str = "104398761152334";
/// Café Élan: a client page of the portfolio.
pub const CAFE: &str = "104398761152345";
/// Lakeside Rentals: Mara may only advertise and analyse here, so subscribing fails.
pub const RENTALS: &str = "104398761152356";
/// Old Mill Theatre: listed without `access_token`.
pub const THEATRE: &str = "104398761152367";
/// Atelier Brandt: German, owned by Jonas.
pub const ATELIER: &str = "104398761152378";
/// Meridian Klinik Berlin: German, owned by the clinics. Two other apps are installed on each page of the clinics.
pub const CLINIC_BERLIN: &str = "104398761152389";
/// Clínica Meridian Madrid: Spanish, owned by the clinics.
pub const CLINIC_MADRID: &str = "104398761152391";
/// Meridian Clinic Leeds: English, owned by the clinics.
pub const CLINIC_LEEDS: &str = "104398761152402";
/// The first of Priya's sixty pages. The ids of the others follow in steps of one.
pub const FIRST_FRANCHISE: u64 = 104_398_761_153_001;
/// The number of Priya's pages.
pub const FRANCHISES: u64 = 60;

/// Mara's business portfolio.
pub const PORTFOLIO: &str = "763950112233441";
/// A business that no seed person belongs to.
pub const CLINICS: &str = "763950112233452";
/// The system user of the clinics. It has no token at the start.
pub const SYSTEM_USER: &str = "122104998877665001";
/// The ad account of every lead form's campaign, without `act_`: in dollars, owned by the portfolio.
pub const AD_ACCOUNT: &str = "1203948576655441";
/// The portfolio's ad account in euros.
pub const AD_ACCOUNT_EUR: &str = "1203948576655452";
/// The ad account in yen, which belongs to a client of the portfolio.
pub const AD_ACCOUNT_JPY: &str = "1203948576655463";

/// The creation time of pages and forms: 2026-01-05.
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
