//! Parameters that several of these endpoints have in common.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::super::error::GraphError;
use super::super::paging::EdgeQuery;
use super::super::request::{self, Request};
use super::super::session::Call;
use crate::world::content::Maker;

/// The zone of a time that names none.
const META_ZONE: &str = "America/Los_Angeles";

/// Returns a text parameter unless it is blank.
pub(in crate::graph) fn text(request: &Request, name: &str) -> Option<String> {
    request.param(name).filter(|text| !text.trim().is_empty()).map(str::to_owned)
}

/// Returns a boolean parameter. An empty one is `false`: that is how PHP clients send it.
///
/// # Errors
/// Returns 100 if it is neither `true`, `false`, `1`, `0` nor empty.
pub(in crate::graph) fn flag(request: &Request, name: &str) -> Result<Option<bool>, GraphError> {
    match request.param(name) {
        None => Ok(None),
        Some("true" | "1") => Ok(Some(true)),
        Some("false" | "0" | "") => Ok(Some(false)),
        Some(_) => Err(GraphError::invalid(format!("(#100) Param {name} must be a boolean"))),
    }
}

/// Returns a time in epoch seconds.
///
/// # Errors
/// Returns 100 for a text that is not a time.
pub(in crate::graph) fn time(request: &Request, name: &str) -> Result<Option<i64>, GraphError> {
    let Some(text) = request.param(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let time = parse_time(text);
    time.map(Some)
        .ok_or_else(|| GraphError::invalid(format!("(#100) Param {name} must be a valid date/time or UNIX timestamp")))
}

/// Parses Unix seconds, or ISO 8601. A time without zone is read in Meta's own.
fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(seconds);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.as_second());
    }
    // The offset of Graph's own times has no colon.
    if let Ok(time) = Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text) {
        return Some(time.as_second());
    }
    let local: DateTime = text.parse().ok()?;
    let zone = TimeZone::get(META_ZONE).ok()?;
    Some(local.to_zoned(zone).ok()?.timestamp().as_second())
}

/// Returns the bounds `since` and `until` of a list, in epoch seconds.
pub(in crate::graph) fn period(query: &EdgeQuery) -> (i64, i64) {
    let bound = |name: &str| query.param(name).and_then(parse_time);
    (bound("since").unwrap_or(i64::MIN), bound("until").unwrap_or(i64::MAX))
}

/// Returns the ids in `attached_media`: a JSON list of `{"media_fbid"}`, or one form key per element, as
/// `attached_media[0]={"media_fbid":"1"}` or `attached_media[0][media_fbid]=1`.
///
/// # Errors
/// Returns 100 if an element has another form.
pub(in crate::graph) fn attached_media(request: &Request) -> Result<Option<Vec<String>>, GraphError> {
    let wrong = || GraphError::invalid("(#100) Param attached_media must be an array of objects with a media_fbid.");
    let id_of = |element: &Value| match element.get("media_fbid") {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    if let Some(text) = request.param("attached_media").filter(|text| !text.is_empty()) {
        let list: Vec<Value> = request::json(text).ok_or_else(wrong)?;
        return list.iter().map(|element| id_of(element).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some);
    }
    let mut indexed = Vec::new();
    for (name, text) in &request.params {
        let Some(rest) = name.strip_prefix("attached_media[") else { continue };
        let (index, rest) = rest.split_once(']').ok_or_else(wrong)?;
        let index: usize = index.parse().map_err(|_| wrong())?;
        let id = match rest {
            "" => request::json::<Value>(text).as_ref().and_then(id_of).ok_or_else(wrong)?,
            "[media_fbid]" => text.clone(),
            _ => return Err(wrong()),
        };
        indexed.push((index, id));
    }
    indexed.sort();
    Ok((!indexed.is_empty()).then(|| indexed.into_iter().map(|(_, id)| id).collect()))
}

/// Rejects a page size above Meta's maximum. (Wording unconfirmed.)
pub(in crate::graph) fn check_limit(query: &EdgeQuery) -> Result<(), GraphError> {
    match query.param("limit").and_then(|text| text.parse::<u64>().ok()) {
        Some(limit) if limit > 100 => Err(GraphError::invalid("(#100) Param limit must be a number between 0 and 100")),
        _ => Ok(()),
    }
}

/// This app.
pub(in crate::graph) fn this_app(call: &Call<'_>) -> Maker {
    Maker { id: call.world.app.id.clone(), name: call.world.app.name.clone() }
}

/// Id and name of the person behind the token.
pub(in crate::graph) fn creator(call: &Call<'_>) -> Option<(String, String)> {
    let user = call.world.user(call.user_id()?)?;
    Some((user.id.clone(), user.name.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::super::request::Request;
    use super::{attached_media, parse_time};

    #[test]
    fn times_are_read_with_their_zone_or_in_metas() {
        for (text, seconds) in [
            ("1796112000", Some(1_796_112_000)),
            ("2026-12-01T09:00:00+01:00", Some(1_796_112_000)),
            ("2026-12-01T08:00:00Z", Some(1_796_112_000)),
            ("2026-12-01T09:00:00+0100", Some(1_796_112_000)),
            ("2026-12-01T00:00:00", Some(1_796_112_000)),
            ("tomorrow-ish", None),
        ] {
            assert_eq!(parse_time(text), seconds, "{text}");
        }
    }

    #[test]
    fn media_are_listed_in_one_parameter_or_in_several() {
        for (form, ids) in [
            ("attached_media=%5B%7B%22media_fbid%22%3A%221%22%7D%2C%7B%22media_fbid%22%3A2%7D%5D", vec!["1", "2"]),
            ("attached_media[1]={\"media_fbid\":\"2\"}&attached_media[0]={\"media_fbid\":\"1\"}", vec!["1", "2"]),
            ("attached_media[10][media_fbid]=2&attached_media[9][media_fbid]=1", vec!["1", "2"]),
        ] {
            let mut request = Request::new("POST", "/1/feed");
            request.add_form(form);
            assert_eq!(attached_media(&request).unwrap().unwrap(), ids, "{form}");
        }
        let mut request = Request::new("POST", "/1/feed");
        request.add_form("attached_media=[1,2]");
        assert_eq!(attached_media(&request).unwrap_err().code, 100);
    }
}
