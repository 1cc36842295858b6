//! Limits the weight of a page of objects: "Please reduce the amount of data you're asking for".

use crate::graph::error::GraphError;
use crate::graph::fields::Field;

/// A larger `limit` counts as this.
const MOST: u64 = 5_000;

/// Checks the weight of `limit` elements with these fields.
///
/// # Errors
/// Returns 1 (HTTP 500) if the weight exceeds `threshold`.
pub(super) fn check(limit: usize, fields: Option<&[Field]>, threshold: u64) -> Result<(), GraphError> {
    let limit = u64::try_from(limit).unwrap_or(MOST).min(MOST);
    let weight = fields.map_or(1, of_all);
    if limit.saturating_mul(weight) <= threshold {
        return Ok(());
    }
    let message = "Please reduce the amount of data you're asking for, then retry your request";
    Err(GraphError::new(500, 1, message))
}

fn of_all(fields: &[Field]) -> u64 {
    fields.iter().map(of).sum()
}

fn of(field: &Field) -> u64 {
    let own = match field.name.as_str() {
        "targeting" => 10,
        "object_story_spec" | "asset_feed_spec" | "tracking_specs" => 5,
        "creative" | "adset" | "campaign" if field.inner.is_some() => 5,
        "campaigns" | "adsets" | "ads" | "adcreatives" | "insights" => 10,
        _ => 1,
    };
    own + field.inner.as_deref().map_or(0, of_all)
}

#[cfg(test)]
mod tests {
    use crate::graph::fields;

    #[test]
    fn plain_fields_are_light_and_expansions_heavy() {
        let weight = |text| super::of_all(&fields::parse(text).unwrap());
        assert_eq!(weight("id,name,status"), 3);
        assert_eq!(weight("id,targeting"), 11);
        assert_eq!(weight("id,creative"), 2);
        assert_eq!(weight("id,creative{id,body,object_story_spec}"), 1 + 5 + 7);
        assert!(super::check(500, Some(&fields::parse("id,name").unwrap()), 1000).is_ok());
        assert_eq!(super::check(501, Some(&fields::parse("id,name").unwrap()), 1000).unwrap_err().status, 500);
    }
}
