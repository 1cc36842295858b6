//! `GET /_sim/forms/{id}/export.csv`: a form's leads as the owner downloads them from Meta.
//!
//! The download has two formats: "CSV", which is UTF-16 with tabs, and UTF-8 with commas. Test leads are included: they
//! are organic and have no platform.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Mistake;
use crate::clock::export_time;
use crate::server::Sim;
use crate::world::World;
use crate::world::form::{Form, Question};
use crate::world::lead::Lead;
use crate::world::standard_question;

/// The columns before the questions.
const BEFORE: [&str; 12] = [
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
];
const AFTER: &str = "lead_status";

#[derive(Debug, Deserialize)]
pub(crate) struct Options {
    encoding: Option<String>,
}

#[derive(Clone, Copy)]
enum Encoding {
    /// Little endian, with a byte order mark and tabs.
    Utf16,
    /// With a byte order mark and commas.
    Utf8,
}

/// Returns the leads within retention, newest first.
pub(crate) async fn download(
    State(sim): State<Arc<Sim>>,
    Path(form_id): Path<String>,
    Query(options): Query<Options>,
) -> Result<Response, Mistake> {
    let encoding = match options.encoding.as_deref() {
        None | Some("utf-16") => Encoding::Utf16,
        Some("utf-8") => Encoding::Utf8,
        Some(other) => return Err(Mistake::new(format!("encoding: must be utf-16 or utf-8, got \"{other}\""))),
    };
    let rows = {
        let world = sim.world();
        let form = world.forms.get(&form_id);
        let form = form.ok_or_else(|| Mistake::new(format!("form_id: there is no form {form_id}")))?;
        rows(&world, form)
    };
    let (kind, bytes) = match encoding {
        Encoding::Utf16 => {
            let text = written(&rows, '\t');
            ("text/csv; charset=utf-16le", text.encode_utf16().flat_map(u16::to_le_bytes).collect())
        }
        Encoding::Utf8 => ("text/csv; charset=utf-8", written(&rows, ',').into_bytes()),
    };
    let file = format!("attachment; filename=\"{form_id}_leads.csv\"");
    Ok(([(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, &file)], bytes).into_response())
}

fn rows(world: &World, form: &Form) -> Vec<Vec<String>> {
    let keys = form.questions.iter().map(|question| question.key.as_str());
    let head = BEFORE.into_iter().chain(keys).chain([AFTER]).map(str::to_owned).collect();
    let now = world.clock.now_ms();
    let mut leads: Vec<&Lead> = world.leads_of_form(&form.id).filter(|lead| lead.is_retained(now)).collect();
    leads.sort_by(|a, b| (b.created_ms, &b.id).cmp(&(a.created_ms, &a.id)));
    std::iter::once(head).chain(leads.into_iter().map(|lead| row(form, lead))).collect()
}

fn row(form: &Form, lead: &Lead) -> Vec<String> {
    let ad = lead.ad_id.as_deref().and_then(|id| form.ad(id));
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    let id = |prefix: &str, value: Option<&String>| value.map(|id| format!("{prefix}:{id}")).unwrap_or_default();
    let mut row = vec![
        format!("l:{}", lead.id),
        export_time(lead.created_ms),
        id("ag", ad.map(|ad| &ad.id)),
        text(ad.map(|ad| &ad.name)),
        id("as", ad.map(|ad| &ad.adset_id)),
        text(ad.map(|ad| &ad.adset_name)),
        id("c", ad.map(|ad| &ad.campaign_id)),
        text(ad.map(|ad| &ad.campaign_name)),
        format!("f:{}", form.id),
        form.name.clone(),
        lead.is_organic().to_string(),
        if lead.test { String::new() } else { lead.platform.clone() },
    ];
    row.extend(form.questions.iter().map(|question| answer(question, lead)));
    row.push("CREATED".to_owned());
    row
}

/// Joins several values in one cell. Phone numbers and postal codes are prefixed so that spreadsheets treat them as
/// text.
fn answer(question: &Question, lead: &Lead) -> String {
    let values = lead.answers.iter().find(|answer| answer.name == question.key).map(|answer| answer.values.join(", "));
    let prefix = match question.kind {
        kind if standard_question::is_phone(kind) => "p:",
        kind if standard_question::is_zip(kind) => "z:",
        _ => "",
    };
    values.filter(|text| !text.is_empty()).map(|text| format!("{prefix}{text}")).unwrap_or_default()
}

/// Renders the rows after a byte order mark. Cells are quoted where RFC 4180 requires it.
fn written(rows: &[Vec<String>], separator: char) -> String {
    let mut text = String::from('\u{feff}');
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            if column > 0 {
                text.push(separator);
            }
            if cell.contains([separator, '"', '\r', '\n']) {
                text.push('"');
                text.push_str(&cell.replace('"', "\"\""));
                text.push('"');
            } else {
                text.push_str(cell);
            }
        }
        text.push_str("\r\n");
    }
    text
}
