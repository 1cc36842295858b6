//! WhatsApp's media: uploads, and the short-lived addresses of files.

use serde_json::{Value, json};

use super::super::super::error::GraphError;
use super::super::super::session::Call;
use super::super::rights;

/// Maximum sizes by the beginning of the type.
const LIMITS: &[(&str, usize)] = &[
    ("image/webp", 500 * 1024),
    ("image/", 5 * 1024 * 1024),
    ("audio/", 16 * 1024 * 1024),
    ("video/", 16 * 1024 * 1024),
    ("", 100 * 1024 * 1024),
];
/// The types that can be sent.
const TYPES: &[&str] = &[
    "audio/aac",
    "audio/amr",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "image/jpeg",
    "image/png",
    "image/webp",
    "video/3gpp",
    "video/mp4",
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
];

/// `POST /{number}/media`.
///
/// # Errors
/// Returns 100 without `messaging_product`, a file or a known type, 131053 for a file that is too big.
pub(in crate::graph::inbox) fn upload(call: &mut Call<'_>, number_id: &str) -> Result<Value, GraphError> {
    rights::number(call, number_id, "whatsapp_business_messaging")?;
    require_product(call)?;
    let Some(bytes) = call.request.file("file").cloned() else {
        return Err(GraphError::invalid("(#100) The parameter file is required."));
    };
    let kind = call.request.param("type").unwrap_or_default().to_owned();
    let plain = kind.split(';').next().unwrap_or_default().trim();
    if !TYPES.contains(&plain) {
        return Err(GraphError::invalid(format!(
            "(#100) Param file must be a file with one of the following types: {}. Received file of type '{plain}'.",
            TYPES.join(", ")
        )));
    }
    let max = LIMITS.iter().find(|(start, _)| plain.starts_with(start)).map_or(0, |(_, max)| *max);
    if bytes.len() > max {
        return Err(GraphError::whatsapp(131_053, "Media upload error", "The file is too big."));
    }
    let name = call.request.file_names.get("file").cloned().unwrap_or_else(|| "file".to_owned());
    Ok(json!({"id": call.world.upload_file(&name, &kind, bytes, number_id)}))
}

/// Requires `messaging_product: "whatsapp"`.
pub(super) fn require_product(call: &Call<'_>) -> Result<(), GraphError> {
    match call.request.param("messaging_product") {
        Some("whatsapp") => Ok(()),
        Some(_) => Err(GraphError::invalid("(#100) Param messaging_product must be one of {WHATSAPP}.")),
        None => Err(GraphError::invalid("(#100) The parameter messaging_product is required.")),
    }
}

/// Checks that the caller may read a medium. `phone_number_id`, if given, must be its number.
pub(in crate::graph::inbox) fn check_readable(call: &Call<'_>, id: &str) -> Result<(), GraphError> {
    let hidden = || GraphError::not_visible(&call.request.method, id);
    let number_id = call.world.inbox.file(id).and_then(|file| file.number_id.clone()).ok_or_else(hidden)?;
    if call.request.param("phone_number_id").is_some_and(|given| given != number_id) {
        return Err(hidden());
    }
    rights::number(call, &number_id, "whatsapp_business_messaging").map_err(|error| {
        // The id in the request is that of the medium.
        if error.subcode == Some(33) { hidden() } else { error }
    })
}

/// Returns the value of a field. Every read gives a new address.
pub(in crate::graph::inbox) fn value(call: &mut Call<'_>, id: &str, field: &str) -> Option<Value> {
    if field == "url" {
        return Some(json!(call.world.whatsapp_address(id)));
    }
    let file = call.world.inbox.file(id)?;
    Some(match field {
        "mime_type" => json!(file.mime_type),
        "sha256" => json!(file.sha256()),
        "file_size" => json!(file.bytes.len()),
        "messaging_product" => json!("whatsapp"),
        _ => return None,
    })
}

/// `DELETE /{medium}`.
pub(in crate::graph::inbox) fn delete(call: &mut Call<'_>, id: &str) -> Result<Value, GraphError> {
    check_readable(call, id)?;
    call.world.delete_file(id);
    Ok(json!({"success": true}))
}
