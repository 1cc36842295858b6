//! Where people write besides pages: the Instagram accounts behind them, and the WhatsApp numbers of the businesses.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::WorkError;
use crate::graph::GraphClient;
use crate::ids::{OrgScope, PageId};
use crate::model::connection::{Connection, Integration};
use crate::secret::AccessToken;
use crate::table::Table;
use crate::table::inbox::InboxAccount;
use crate::vault::Credentials;

/// The permission without which Meta does not name the Instagram account of a page.
const INSTAGRAM_SCOPE: &str = "instagram_basic";
/// The permission without which Meta names no WhatsApp accounts.
pub(super) const WHATSAPP_SCOPE: &str = "whatsapp_business_management";

/// Finds the Instagram accounts and the WhatsApp numbers that an integration reaches, and stores that they lead to the
/// org. What Meta does not say stays as it was; a failure of Meta's holds up nothing else.
///
/// # Errors
/// Fails only if the table does.
pub(super) async fn find_accounts(
    graph: &GraphClient,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
    pages: &[Connection],
    credentials: &Credentials,
) -> Result<(), WorkError> {
    let grants = |wanted: &str| integration.scopes.iter().any(|scope| scope == wanted);
    if grants(INSTAGRAM_SCOPE) {
        find_instagram_accounts(graph, table, scope, pages, &credentials.pages).await?;
    }
    if grants(WHATSAPP_SCOPE) {
        find_whatsapp_numbers(graph, table, scope, integration, &credentials.user_token).await?;
    }
    Ok(())
}

/// Stores which Instagram accounts are linked to pages: people write there too. What Meta does not say stays as it was.
async fn find_instagram_accounts(
    graph: &GraphClient,
    table: &Table,
    scope: &OrgScope,
    pages: &[Connection],
    tokens: &BTreeMap<PageId, AccessToken>,
) -> Result<(), WorkError> {
    let with_tokens: Vec<(&Connection, &AccessToken)> =
        pages.iter().filter_map(|page| Some((page, tokens.get(&page.page_id)?))).collect();
    let asked: Vec<(&PageId, &AccessToken)> = with_tokens.iter().map(|(page, token)| (&page.page_id, *token)).collect();
    for ((page, _), found) in with_tokens.iter().zip(graph.instagram_accounts(&asked).await) {
        match found {
            Ok(account) => {
                let account = account.as_ref().map(|account| (&account.id, account.username.as_str()));
                table.set_instagram_account(scope, page, account).await?;
            }
            Err(error) => tracing::info!(%error, page = %page.page_id, "a page's Instagram account was not read"),
        }
    }
    Ok(())
}

/// Stores which WhatsApp numbers an integration reaches, and subscribes their accounts.
async fn find_whatsapp_numbers(
    graph: &GraphClient,
    table: &Table,
    scope: &OrgScope,
    integration: &Integration,
    token: &AccessToken,
) -> Result<(), WorkError> {
    let numbers = match graph.whatsapp_numbers(token).await {
        Ok(numbers) => numbers,
        Err(error) => {
            tracing::warn!(%error, org = %scope.org(), integration = %integration.id, "WhatsApp numbers were not read");
            return Ok(());
        }
    };
    let accounts: BTreeSet<&str> = numbers.iter().map(|number| number.waba.as_str()).collect();
    for account in accounts {
        if let Err(error) = graph.subscribe_whatsapp(account, token).await {
            tracing::warn!(%error, org = %scope.org(), account, "a WhatsApp account was not subscribed");
        }
    }
    let known = table.inbox_accounts_of(scope, &integration.id).await?;
    for number in &numbers {
        let account = InboxAccount {
            network: "whatsapp".to_owned(),
            account: number.id.clone(),
            org: scope.org().clone(),
            integration_id: integration.id.clone(),
            page_id: None,
            waba_id: Some(number.waba.clone()),
            name: Some(number.display.clone()),
        };
        if !known.contains(&account) {
            table.put_inbox_account(scope, &account).await?;
        }
    }
    let is_gone =
        |known: &&InboxAccount| known.network == "whatsapp" && !numbers.iter().any(|number| number.id == known.account);
    for gone in known.iter().filter(is_gone) {
        table.delete_inbox_account(scope, gone).await?;
    }
    Ok(())
}
