//! Templates in messages.

use serde_json::Value;

use super::super::super::error::GraphError;
use super::super::super::session::Call;
use super::content::wrong;
use crate::world::inbox::template::Template;
use crate::world::inbox::whatsapp::error_title;

/// Checks a template message and returns the text that the person sees.
///
/// # Errors
/// Returns 132001 for a template that does not exist in the language or is not approved, 132015 for a paused, 132016
/// for a disabled one, 132000 for a wrong number of parameters.
pub(super) fn check(call: &Call<'_>, number_id: &str, value: &Value) -> Result<String, GraphError> {
    let name = value.get("name").and_then(Value::as_str).unwrap_or_default();
    let language = value.get("language").and_then(|language| language.get("code")).and_then(Value::as_str);
    let language = language.ok_or_else(|| wrong("Parameter template['language']['code'] is missing."))?;
    let waba = call.world.inbox.numbers.get(number_id).and_then(|it| call.world.inbox.wabas.get(&it.waba_id));
    let template = waba.and_then(|waba| waba.templates.iter().find(|it| it.name == name && it.language == language));
    let error = |code: i64, details: String| GraphError::whatsapp(code, error_title(code), details);
    let unknown = || error(132_001, format!("template name ({name}) does not exist in {language}"));
    let template = template.ok_or_else(unknown)?;
    match template.status.as_str() {
        "APPROVED" => {}
        "PAUSED" => return Err(error(132_015, format!("template ({name}) is paused"))),
        "DISABLED" => return Err(error(132_016, format!("template ({name}) is disabled"))),
        _ => return Err(unknown()),
    }
    let values = parameters(value, "body");
    let expected = Template::parameters(&template.body);
    if values.len() != expected {
        let details = format!(
            "body: number of localizable_params ({}) does not match the expected number of params ({expected})",
            values.len()
        );
        return Err(error(132_000, details));
    }
    Ok(template.fill(&values))
}

/// The parameters of a component, as text.
fn parameters(value: &Value, component: &str) -> Vec<String> {
    let components = value.get("components").and_then(Value::as_array).into_iter().flatten();
    let wanted = components
        .filter(|it| it.get("type").and_then(Value::as_str).is_some_and(|kind| kind.eq_ignore_ascii_case(component)));
    wanted
        .filter_map(|it| it.get("parameters").and_then(Value::as_array))
        .flatten()
        .map(|parameter| parameter.get("text").and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect()
}
