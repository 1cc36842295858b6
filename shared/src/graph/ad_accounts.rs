//! Ad accounts: their attributes, and which ones a person or system user may use.

use serde::Deserialize;

use super::{GraphClient, GraphError, Metered, read};
use crate::ids::AdAccountId;
use crate::secret::AccessToken;

/// An ad account as Meta describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AdAccountNode {
    /// Meta's id, with its `act_` prefix.
    pub id: AdAccountId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// 1 active, 2 disabled, 3 unsettled, 101 closed…
    #[serde(default)]
    pub account_status: i64,
    /// ISO 4217 currency code.
    pub currency: String,
    /// Nearly always an IANA time zone name.
    pub timezone_name: String,
}

const FIELDS: &str = "id,name,account_status,currency,timezone_name";

impl GraphClient {
    /// Reads an ad account. Meta refuses without `ads_read`, and for an account that the token cannot see.
    pub async fn ad_account(&self, id: &AdAccountId, token: &AccessToken) -> Metered<AdAccountNode> {
        let request = self.http.get(self.url(id.as_str())).query(&[("fields", FIELDS)]);
        self.send_metered(self.authorised(request, token)).await.read_as(read)
    }

    /// Lists the ad accounts that a token may use.
    pub async fn ad_accounts(&self, token: &AccessToken) -> Result<Vec<AdAccountNode>, GraphError> {
        self.get_all("me/adaccounts", &[("fields", FIELDS), ("limit", "100")], token).await
    }
}
