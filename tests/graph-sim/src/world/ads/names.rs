//! Names as advertisers choose them: with dashes, bars, emoji and non-Latin scripts.

use super::dice::Dice;
use super::object::Objective;

const THEMES: &[&str] = &[
    "Spring Sale",
    "Sommeraktion – München",
    "Rentrée 2026",
    "Campaña Otoño",
    "Black Friday 🖤",
    "春のキャンペーン",
    "Brand \"Always On\"",
    "Retargeting | 30d",
    "Q3 / Leads & Co.",
    "Новая коллекция",
    "Evergreen",
    "Test, do not touch!",
];
const AUDIENCES: &[&str] = &[
    "Broad 18-65+",
    "Lookalike 1%",
    "Website visitors 30d",
    "Städte > 100k",
    "Newsletter – ohne Käufer",
    "Mothers & Fathers",
    "Interests: yoga, pilates",
    "Customer list",
];
const IDEAS: &[&str] = &[
    "Video 15s",
    "Carousel – bestsellers",
    "Static, blue",
    "UGC #3",
    "Testimonial „Anna“",
    "Before/after",
    "Offer -20 %",
    "Story 9:16 ✨",
];

pub(super) fn campaign(dice: &mut Dice, index: u32, objective: Objective) -> String {
    let theme = dice.pick(THEMES).unwrap_or_default();
    format!("{theme} – {} {}", objective.word(), index + 1)
}

pub(super) fn adset(dice: &mut Dice, index: u32) -> String {
    format!("{} ({})", dice.pick(AUDIENCES).unwrap_or_default(), index + 1)
}

pub(super) fn ad(dice: &mut Dice, index: u32) -> String {
    format!("{} – {}", dice.pick(IDEAS).unwrap_or_default(), index + 1)
}
