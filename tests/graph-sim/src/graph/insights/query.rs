//! The parameters of an insights query.

use super::actions::Window;
use super::breakdown::{self, Cell};
use super::period::{self, Period};
use crate::graph::ads::condition::{self, Comparison, Condition, Element};
use crate::graph::ads::visibility::Visibility;
use crate::graph::error::GraphError;
use crate::graph::paging::EdgeQuery;
use crate::graph::request;
use crate::graph::specs;
use crate::world::ads::Ads;
use crate::world::ads::tree::Level;

const ACTION_BREAKDOWNS: &[&str] = &[
    "action_canvas_component_name",
    "action_carousel_card_id",
    "action_carousel_card_name",
    "action_destination",
    "action_device",
    "action_reaction",
    "action_target_id",
    "action_type",
    "action_video_sound",
    "action_video_type",
    "conversion_destination",
    "matched_persona_id",
    "matched_persona_name",
    "signal_source_bucket",
    "standard_event_content_type",
];

/// A condition on a row's numbers.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) field: String,
    pub(super) comparison: Comparison,
    pub(super) value: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Query {
    /// The object type of a row; `None` for the account.
    pub(super) level: Option<Level>,
    pub(super) fields: Vec<String>,
    pub(super) periods: Vec<Period>,
    pub(super) cells: Vec<Cell>,
    pub(super) conditions: Vec<Condition>,
    pub(super) wanted: Vec<Wanted>,
    pub(super) visible: Visibility,
    pub(super) windows: Vec<Window>,
    /// The field, and whether to sort in descending order.
    pub(super) sort: Option<(String, bool)>,
    /// Fields of the summary row.
    pub(super) summary: Option<Vec<String>>,
}

impl Query {
    /// Parses the parameters.
    ///
    /// # Errors
    /// Returns 100 for an invalid parameter, 3018 for a start too long ago.
    pub(super) fn read(ads: &Ads, own: Option<Level>, data_ms: i64, query: &EdgeQuery) -> Result<Self, GraphError> {
        let list = |name: &str| query.param(name).map(request::list).unwrap_or_default();
        let level = level(query.param("level"), own)?;
        let fields = match &query.fields {
            Some(fields) => fields.iter().map(|field| field.name.clone()).collect(),
            None => default_fields(level),
        };
        check_fields(&fields)?;
        let today = ads.calendar.day_of(data_ms);
        let periods = period::read(|name| query.param(name), today, ads.first)?;
        let mut conditions = Vec::new();
        let mut wanted = Vec::new();
        // Conditions on objects select ads; the others apply to the numbers of a row.
        for element in condition::elements(query.param("filtering"))? {
            match element.condition(ads, level)? {
                Some(condition) => conditions.push(condition),
                None => wanted.push(of_numbers(&element)?),
            }
        }
        let visible = conditions.iter().map(Condition::visibility).fold(Visibility::default(), |all, one| Visibility {
            archived: all.archived || one.archived,
            deleted: all.deleted || one.deleted,
        });
        check_action_breakdowns(&list("action_breakdowns"))?;
        Ok(Self {
            level,
            periods,
            cells: breakdown::cells(&list("breakdowns"))?,
            conditions,
            wanted,
            visible,
            windows: Window::list(&list("action_attribution_windows"))?,
            sort: sort(&list("sort"))?,
            summary: summary(query, &fields)?,
            fields,
        })
    }
}

fn level(name: Option<&str>, own: Option<Level>) -> Result<Option<Level>, GraphError> {
    match name {
        None => Ok(own),
        // Rows of a level above the requested object cover that object only.
        Some("account") => Ok(own),
        Some(name) => match Level::parse(name) {
            Some(level) => Ok(Some(own.map_or(level, |own| own.max(level)))),
            None => Err(GraphError::invalid(
                "(#100) level must be one of the following values: ad, adset, campaign, account",
            )),
        },
    }
}

fn default_fields(level: Option<Level>) -> Vec<String> {
    let ids: &[&str] = match level {
        None => &["account_id"],
        Some(Level::Campaign) => &["account_id", "campaign_id"],
        Some(Level::AdSet) => &["account_id", "campaign_id", "adset_id"],
        Some(Level::Ad) => &["account_id", "campaign_id", "adset_id", "ad_id"],
    };
    ids.iter().chain(&["impressions", "spend"]).map(|&name| name.to_owned()).collect()
}

fn check_fields(fields: &[String]) -> Result<(), GraphError> {
    match fields.iter().find(|field| !specs::has_field("AdsInsights", field)) {
        Some(unknown) => Err(GraphError::invalid(format!(
            "(#100) {unknown} is not valid for fields param. please check \
             https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values"
        ))),
        None => Ok(()),
    }
}

fn check_action_breakdowns(names: &[String]) -> Result<(), GraphError> {
    match names.iter().enumerate().find(|(_, name)| !ACTION_BREAKDOWNS.contains(&name.as_str())) {
        Some((at, _)) => Err(GraphError::invalid(format!(
            "(#100) action_breakdowns[{at}] must be one of the following values: {}",
            ACTION_BREAKDOWNS.join(", ")
        ))),
        None => Ok(()),
    }
}

/// Parses a condition on a row's numbers. A level prefix before the field is ignored.
fn of_numbers(element: &Element) -> Result<Wanted, GraphError> {
    let field = element.field.rsplit('.').next().unwrap_or_default();
    let known = matches!(
        field,
        "impressions"
            | "clicks"
            | "spend"
            | "reach"
            | "frequency"
            | "ctr"
            | "cpc"
            | "cpm"
            | "cpp"
            | "inline_link_clicks"
    );
    if !known {
        return Err(element.unsupported());
    }
    let comparison = Comparison::parse(&element.operator);
    let value = element.value.as_f64().or_else(|| element.value.as_str()?.parse().ok());
    match (comparison, value) {
        (Some(comparison), Some(value)) => Ok(Wanted { field: field.to_owned(), comparison, value }),
        _ => Err(element.invalid(" must have an operator such as GREATER_THAN and a number as its value")),
    }
}

fn sort(list: &[String]) -> Result<Option<(String, bool)>, GraphError> {
    let Some(first) = list.first() else { return Ok(None) };
    let (field, falling) = match (first.strip_suffix("_descending"), first.strip_suffix("_ascending")) {
        (Some(field), _) => (field, true),
        (None, Some(field)) => (field, false),
        (None, None) => (first.as_str(), false),
    };
    if specs::has_field("AdsInsights", field) {
        return Ok(Some((field.to_owned(), falling)));
    }
    Err(GraphError::invalid(format!("(#100) sort[0] must be a field with _ascending or _descending, got {first}")))
}

fn summary(query: &EdgeQuery, fields: &[String]) -> Result<Option<Vec<String>>, GraphError> {
    let is_set = |name: &str| query.param(name).is_some_and(|text| text == "true" || text == "1");
    if is_set("default_summary") || is_set("summary") {
        return Ok(Some(fields.to_vec()));
    }
    let Some(text) = query.param("summary").filter(|text| *text != "false" && *text != "0") else { return Ok(None) };
    let names = request::list(text);
    check_fields(&names)?;
    Ok(Some(names))
}
