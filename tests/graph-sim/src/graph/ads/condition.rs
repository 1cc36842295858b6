//! `filtering`: conditions on campaigns, ad sets and ads, in object lists and in insights.
//!
//! `[{"field": "ad.effective_status", "operator": "IN", "value": ["ACTIVE"]}]`. A field without a prefix belongs to the
//! listed level.

use std::collections::BTreeSet;

use serde_json::Value;

use super::visibility::Visibility;
use crate::graph::error::GraphError;
use crate::graph::request;
use crate::world::ads::Ads;
use crate::world::ads::status::{self, Effective};
use crate::world::ads::tree::Level;

/// One element of `filtering`, not yet interpreted.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    /// Index in the list.
    pub(crate) at: usize,
    pub(crate) field: String,
    pub(crate) operator: String,
    pub(crate) value: Value,
}

/// A condition on an object.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) level: Level,
    pub(crate) test: Test,
}

#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// The object is one of these. Unknown ids are omitted.
    Is(BTreeSet<u32>),
    /// `effective_status` is one of these.
    Effective(Vec<Effective>),
    /// The object's `delivery_info` is one of these words.
    Delivery(Vec<String>),
    Updated(Comparison, i64),
    Created(Comparison, i64),
    /// Whether the name must contain the text or must not contain it. The text is in lower case.
    Named(bool, String),
    Objective(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

impl Comparison {
    pub(crate) fn parse(operator: &str) -> Option<Self> {
        Some(match operator {
            "LESS_THAN" => Self::Less,
            "LESS_THAN_OR_EQUAL" => Self::LessOrEqual,
            "GREATER_THAN" => Self::Greater,
            "GREATER_THAN_OR_EQUAL" => Self::GreaterOrEqual,
            "EQUAL" => Self::Equal,
            _ => return None,
        })
    }

    pub(crate) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
        }
    }
}

impl Element {
    pub(crate) fn invalid(&self, what: &str) -> GraphError {
        GraphError::invalid(format!("(#100) Param filtering[{}]{what}", self.at))
    }

    /// The error for a field that cannot be filtered by.
    pub(crate) fn unsupported(&self) -> GraphError {
        let (field, operation) = (&self.field, self.operator.to_lowercase());
        GraphError::invalid(format!("(#100) Filtering field '{field}' with operation '{operation}' is not supported"))
    }

    /// Returns the value as a list of words. A single word becomes a list of one.
    fn words(&self) -> Result<Vec<String>, GraphError> {
        let word = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let words = match (&self.value, self.operator.as_str()) {
            (Value::Array(list), "IN") => list.iter().map(word).collect(),
            (value, "EQUAL" | "CONTAIN" | "NOT_CONTAIN") => word(value).map(|word| vec![word]),
            (_, "IN") => None,
            _ => return Err(self.invalid("[operator] must be one of {EQUAL, IN}")),
        };
        words.ok_or_else(|| self.invalid("[value] must be a list of strings for IN, or a string"))
    }

    fn seconds(&self) -> Result<(Comparison, i64), GraphError> {
        let operator = Comparison::parse(&self.operator).ok_or_else(|| {
            self.invalid(
                "[operator] must be one of {GREATER_THAN, GREATER_THAN_OR_EQUAL, LESS_THAN, LESS_THAN_OR_EQUAL, EQUAL}",
            )
        })?;
        let value = self.value.as_i64().or_else(|| self.value.as_str()?.parse().ok());
        Ok((operator, value.ok_or_else(|| self.invalid("[value] must be seconds since the epoch"))?))
    }

    /// Interprets the element as a condition on an object. `None` if objects have no such field.
    ///
    /// # Errors
    /// Returns 100 for an operator or value that does not fit the field.
    pub(crate) fn condition(&self, ads: &Ads, own: Option<Level>) -> Result<Option<Condition>, GraphError> {
        let (level, attribute) = match self.field.split_once('.') {
            Some((prefix, attribute)) => (Level::parse(prefix), attribute),
            None => (own, self.field.as_str()),
        };
        let Some(level) = level else { return Ok(None) };
        let test = match attribute {
            "id" => Test::Is(self.words()?.iter().filter_map(|id| ads.find_on(level, id)).collect()),
            "effective_status" => Test::Effective(statuses(&self.words()?, &self.invalid("[value]").message)?),
            "delivery_info" | "delivery_status" => {
                let words: Vec<String> = self.words()?.iter().map(|word| word.to_lowercase()).collect();
                match words.iter().find(|word| !status::DELIVERY.contains(&word.as_str())) {
                    Some(unknown) => return Err(self.invalid(&format!("[value] has no such delivery: {unknown}"))),
                    None => Test::Delivery(words),
                }
            }
            "updated_time" => {
                let (comparison, seconds) = self.seconds()?;
                Test::Updated(comparison, seconds)
            }
            "created_time" => {
                let (comparison, seconds) = self.seconds()?;
                Test::Created(comparison, seconds)
            }
            "name" => {
                let text = self.words()?.pop().unwrap_or_default();
                Test::Named(self.operator != "NOT_CONTAIN", text.to_lowercase())
            }
            "objective" if level == Level::Campaign => Test::Objective(self.words()?),
            _ => return Ok(None),
        };
        Ok(Some(Condition { level, test }))
    }
}

/// Parses the `filtering` parameter.
///
/// # Errors
/// Returns 100 unless it is a JSON list of objects with `field`, `operator` and `value`.
pub(crate) fn elements(text: Option<&str>) -> Result<Vec<Element>, GraphError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Vec::new()) };
    let invalid = || GraphError::invalid("(#100) Param filtering must be an array of {field, operator, value}");
    let list: Vec<Value> = request::json(text).ok_or_else(invalid)?;
    list.into_iter()
        .enumerate()
        .map(|(at, element)| {
            let text = |name: &str| element.get(name).and_then(Value::as_str).map(str::to_owned);
            Ok(Element {
                at,
                field: text("field").ok_or_else(invalid)?,
                operator: text("operator").ok_or_else(invalid)?.to_uppercase(),
                value: element.get("value").cloned().unwrap_or_default(),
            })
        })
        .collect()
}

/// Parses names of `effective_status`.
///
/// # Errors
/// Returns 100 for an unknown name.
pub(crate) fn statuses(names: &[String], parameter: &str) -> Result<Vec<Effective>, GraphError> {
    let mut statuses = Vec::new();
    for name in names {
        match Effective::parse(name) {
            Some(status) => statuses.extend(status),
            None => {
                return Err(GraphError::invalid(format!("{parameter} must be a valid effective_status, got {name}")));
            }
        }
    }
    Ok(statuses)
}

impl Condition {
    /// Returns whether an object on the condition's level matches.
    pub(crate) fn holds(&self, ads: &Ads, index: u32) -> bool {
        let level = self.level;
        match &self.test {
            Test::Is(indices) => indices.contains(&index),
            Test::Effective(statuses) => statuses.contains(&ads.effective(level, index)),
            Test::Delivery(words) => {
                let delivery = ads.effective(level, index).delivery();
                words.iter().any(|word| word == delivery)
            }
            Test::Updated(comparison, seconds) => {
                comparison.holds(&ads.updated_ms(level, index).div_euclid(1000), seconds)
            }
            Test::Created(comparison, seconds) => {
                comparison.holds(&ads.created_ms(level, index).div_euclid(1000), seconds)
            }
            Test::Named(wanted, text) => ads.name(level, index).to_lowercase().contains(text) == *wanted,
            Test::Objective(names) => names.iter().any(|name| name == ads.objective_name(index)),
        }
    }

    /// Like [`Condition::holds`], for an object at or below the condition's level: tests the object it belongs to on
    /// that level. Returns `true` for an object above the condition's level.
    pub(crate) fn holds_for(&self, ads: &Ads, level: Level, index: u32) -> bool {
        let above = match (level, self.level) {
            (Level::Ad, wanted) => ads.tree.above(index, wanted),
            (Level::AdSet, Level::Campaign) => ads.tree.campaign_of(index),
            (own, wanted) if own == wanted => index,
            _ => return true,
        };
        self.holds(ads, above)
    }

    /// Returns which otherwise hidden objects the condition makes visible by naming their status.
    pub(crate) fn visibility(&self) -> Visibility {
        let has = |word: &str| matches!(&self.test, Test::Delivery(words) if words.iter().any(|known| known == word));
        let lists = |status| matches!(&self.test, Test::Effective(statuses) if statuses.contains(&status));
        Visibility {
            archived: has("archived") || lists(Effective::Archived),
            deleted: has("deleted") || lists(Effective::Deleted),
        }
    }
}
