//! Tells Meta's export from tables of other programs, whose columns may have the same names.

use super::sheet::Sheet;
use super::written_time::{DayOrder, Evidence};
use crate::ids::FormId;
use crate::model::lead::attribution::Attribution;

/// Columns of Meta's export that other programs rarely combine with an `id` column of their own.
const COMPANION_COLUMNS: [&str; 4] = ["created_time", "form_id", "ad_id", "is_organic"];
/// All columns of Meta's export other than the answers.
pub(super) const META_COLUMNS: [&str; 13] = [
    "id",
    "created_time",
    "ad_id",
    "ad_name",
    "adset_id",
    "adset_name",
    "campaign_id",
    "campaign_name",
    "form_id",
    "form_name",
    "is_organic",
    "platform",
    "lead_status",
];

/// Properties of a whole file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits {
    /// Whether it is Meta's export, so that its `id` is Meta's lead id.
    pub(super) is_export: bool,
    /// The order of day and month in its dates, if known.
    pub(super) day_order: Option<DayOrder>,
}

impl Traits {
    pub(super) fn survey(table: &Sheet, country: Option<&str>) -> Self {
        let marked: Vec<(usize, &str)> =
            ID_PREFIXES.iter().filter_map(|(column, mark)| Some((table.position(column)?, *mark))).collect();
        let (id, time) = (table.position("id"), table.position("created_time"));
        let (mut is_marked, mut ids, mut long_ids, mut evidence) = (false, 0, 0, Evidence::default());
        table.survey(|record| {
            let cell = |at: usize| record.get(at).unwrap_or_default().trim();
            is_marked |= marked.iter().any(|(at, mark)| unmarked(cell(*at), mark).is_some());
            if let Some(id) = id.map(cell).filter(|id| !id.is_empty()) {
                ids += 1;
                long_ids += usize::from(is_long_id(id));
            }
            if let Some(time) = time {
                evidence.add(cell(time));
            }
        });
        let has_companion = COMPANION_COLUMNS.iter().any(|column| table.position(column).is_some());
        Self { is_export: is_marked || (has_companion && long_ids * 2 > ids), day_order: evidence.order(country) }
    }
}

/// The prefixes of Meta's ids, by column.
const ID_PREFIXES: [(&str, &str); 5] =
    [("id", "l:"), ("form_id", "f:"), ("ad_id", "ag:"), ("adset_id", "as:"), ("campaign_id", "c:")];

fn unmarked<'v>(value: &'v str, mark: &str) -> Option<&'v str> {
    value.strip_prefix(mark).filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()))
}

/// Meta's ids have about 15 digits. A spreadsheet may have turned one into `9.00714E+14`.
fn is_long_id(id: &str) -> bool {
    let digits = id.bytes().all(|b| b.is_ascii_digit());
    let is_scientific = id.split_once(['E', 'e']).is_some_and(|(mantissa, exponent)| {
        mantissa.starts_with(|c: char| c.is_ascii_digit()) && exponent.trim_start_matches('+').parse::<u8>().is_ok()
    });
    (digits && (14..=24).contains(&id.len())) || is_scientific
}

/// One of Meta's ids, with or without its prefix.
fn meta_id<'v>(value: &'v str, mark: &str) -> Option<&'v str> {
    let is_plain = |id: &&str| id.len() >= 8 && id.bytes().all(|b| b.is_ascii_digit());
    unmarked(value, mark).or_else(|| Some(value).filter(is_plain))
}

/// Sets the field of a column of Meta's export. Returns `false` if there is no such column or the value is not Meta's
/// id: the column then belongs to another program and is an answer.
pub(super) fn set_attribution(attribution: &mut Attribution, column: &str, value: &str) -> bool {
    let text = || Some(value.to_owned());
    let id = |mark: &str| meta_id(value, mark).map(ToOwned::to_owned);
    match column {
        "campaign_id" => assign(&mut attribution.campaign_id, id("c:")),
        "campaign_name" => assign(&mut attribution.campaign_name, text()),
        "adset_id" => assign(&mut attribution.adset_id, id("as:")),
        "adset_name" => assign(&mut attribution.adset_name, text()),
        "ad_id" => assign(&mut attribution.ad_id, id("ag:")),
        "ad_name" => assign(&mut attribution.ad_name, text()),
        "form_id" => assign(&mut attribution.form_id, id("f:").and_then(|id| FormId::parse(&id).ok())),
        "form_name" => assign(&mut attribution.form_name, text()),
        "is_organic" => assign(&mut attribution.is_organic, value.to_lowercase().parse().ok()),
        _ => false,
    }
}

/// Assigns a field, and returns whether there is a value.
fn assign<T>(field: &mut Option<T>, value: Option<T>) -> bool {
    *field = value;
    field.is_some()
}

/// Meta's code for a platform, in any of its spellings.
pub(super) fn platform(value: &str) -> Option<&'static str> {
    match value.to_lowercase().as_str() {
        "fb" | "facebook" => Some("fb"),
        "ig" | "instagram" => Some("ig"),
        _ => None,
    }
}
