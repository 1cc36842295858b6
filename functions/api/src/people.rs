//! People, wherever they are stored.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use leadwire::http::Problem;
use leadwire::people::{People, PersonIn, ReceiptList};
use leadwire::table::erasure::Receipt;

use crate::access::{Access, OrgHeader};
use crate::input::Input;
use crate::state::Api;

/// Forget a person
///
/// Erases the person's lead with all submissions and their histories, and their contact with conversations and files. What
/// Meta still lists of it does not come back. Exports of leads are deleted, because the person may be in them. The receipt holds nothing about the person; its numbers are 0 if the person
/// is not known. After an error, repeat the request: it goes on where it stopped.
#[utoipa::path(
    delete, path = "/api/people", tag = "people", operation_id = "erasePerson",
    params(OrgHeader), request_body = PersonIn,
    responses((status = 200, body = Receipt))
)]
pub(crate) async fn erase(
    State(api): State<Arc<Api>>,
    Access(access): Access,
    Input(person): Input<PersonIn>,
) -> Result<Json<Receipt>, Problem> {
    Ok(Json(people(&api).erase(&access, &person).await?))
}

/// List the receipts of erasures
///
/// Newest first. They are kept for two years.
#[utoipa::path(
    get, path = "/api/people/receipts", tag = "people", operation_id = "listReceipts",
    params(OrgHeader),
    responses((status = 200, body = ReceiptList))
)]
pub(crate) async fn receipts(
    State(api): State<Arc<Api>>,
    Access(access): Access,
) -> Result<Json<ReceiptList>, Problem> {
    Ok(Json(people(&api).receipts(&access).await?))
}

fn people(api: &Api) -> People<'_> {
    People { leads: &api.rooms.leads, inbox: &api.rooms.inbox, exports: &api.rooms.exports }
}
