//! Ad accounts: what they are, and which of them a person or system user may work with.

use serde::Deserialize;

use super::{Graph, GraphError, Metered, read};
use crate::ids::AdAccountId;
use crate::secret::AccessToken;

/// An ad account as Meta describes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AdAccountNode {
    /// With its `act_`.
    pub id: AdAccountId,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// 1 active, 2 disabled, 3 unsettled, 101 closed…
    #[serde(default)]
    pub account_status: i64,
    /// ISO 4217.
    pub currency: String,
    /// IANA, nearly.
    pub timezone_name: String,
}

const FIELDS: &str = "id,name,account_status,currency,timezone_name";

impl Graph {
    /// An ad account. Without `ads_read`, and where the account is not the token's to see, Meta refuses.
    pub async fn ad_account(&self, id: &AdAccountId, token: &AccessToken) -> Metered<AdAccountNode> {
        let request = self.http.get(self.url(id.as_str())).query(&[("fields", FIELDS)]);
        self.send_metered(self.authorised(request, token)).await.read_as(read)
    }

    /// The ad accounts that a token may work with.
    ///
    /// # Errors
    /// What Meta did not do.
    pub async fn ad_accounts(&self, token: &AccessToken) -> Result<Vec<AdAccountNode>, GraphError> {
        self.get_all("me/adaccounts", &[("fields", FIELDS), ("limit", "100")], token).await
    }
}
