//! Meta's login: the dialog's URL, the exchange of code and token, and token inspection.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::batch::Call;
use super::{GraphClient, GraphError, read};
use crate::ids::PageId;
use crate::secret::AccessToken;

/// Returns the URL of Meta's consent dialog.
///
/// The dialog asks again for permissions that the person declined earlier. Otherwise Meta would never offer them again.
#[must_use]
pub fn dialog_url(
    dialog_root: &Url,
    version: &str,
    app_id: &str,
    redirect_uri: &Url,
    state: &str,
    scopes: &[String],
) -> Url {
    let mut url = dialog_root.clone();
    url.set_path(&format!("{}/{version}/dialog/oauth", dialog_root.path().trim_end_matches('/')));
    url.query_pairs_mut()
        .append_pair("client_id", app_id)
        .append_pair("redirect_uri", redirect_uri.as_str())
        .append_pair("state", state)
        .append_pair("response_type", "code")
        .append_pair("scope", &scopes.join(","))
        .append_pair("auth_type", "rerequest");
    url
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: AccessToken,
}

/// Meta's report on a token.
#[derive(Debug, Clone, Deserialize)]
pub struct TokenInfo {
    /// The app it was issued to.
    #[serde(default)]
    pub app_id: String,
    /// `USER`, `PAGE`, `SYSTEM_USER` or `APP`.
    #[serde(default)]
    pub r#type: String,
    /// Whether Meta accepts it now. Reads can fail even so if data access has ended.
    pub is_valid: bool,
    /// When it expires; `None` if never.
    #[serde(default, deserialize_with = "epoch")]
    pub expires_at: Option<Timestamp>,
    /// When data access ends; `None` if never.
    #[serde(default, deserialize_with = "epoch")]
    pub data_access_expires_at: Option<Timestamp>,
    /// The granted permissions.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// The granted permissions with their objects.
    #[serde(default)]
    pub granular_scopes: Vec<GranularScope>,
    /// The person's app-scoped id.
    pub user_id: Option<String>,
}

/// A permission and the objects it covers.
#[derive(Debug, Clone, Deserialize)]
pub struct GranularScope {
    /// The permission's name.
    pub scope: String,
    /// The objects. Absent or empty means all, including future ones.
    #[serde(default)]
    pub target_ids: Option<Vec<String>>,
}

impl TokenInfo {
    /// Returns the permissions that were granted for some pages only, with those pages.
    #[must_use]
    pub fn granted_for(&self) -> BTreeMap<String, Vec<String>> {
        let some = self.granular_scopes.iter().filter_map(|granular| {
            let targets = granular.target_ids.clone().filter(|targets| !targets.is_empty())?;
            Some((granular.scope.clone(), targets))
        });
        some.collect()
    }

    /// Whether the person selected this page, as far as Meta reports it.
    #[must_use]
    pub fn includes(&self, page: &PageId) -> bool {
        let chosen = self.granular_scopes.iter().find(|granular| granular.scope == "pages_show_list");
        let targets = chosen.and_then(|granular| granular.target_ids.as_ref()).filter(|targets| !targets.is_empty());
        targets.is_none_or(|targets| targets.iter().any(|target| target == page.as_str()))
    }
}

#[derive(Deserialize)]
struct Debugged {
    data: TokenInfo,
}

impl GraphClient {
    /// Exchanges the dialog's code for a token that lives an hour or two. A code works once.
    ///
    /// # Errors
    /// [`GraphError::Refused`] if the code was used or is old, or if `redirect_uri` differs from the dialog's.
    pub async fn exchange_code(&self, code: &str, redirect_uri: &Url) -> Result<AccessToken, GraphError> {
        self.exchange(&[("redirect_uri", redirect_uri.as_str()), ("code", code)]).await
    }

    /// Exchanges a short-lived user token for one of about 60 days. Page tokens read with that one do not expire on
    /// their own.
    pub async fn extend(&self, token: &AccessToken) -> Result<AccessToken, GraphError> {
        self.exchange(&[("grant_type", "fb_exchange_token"), ("fb_exchange_token", token.expose())]).await
    }

    async fn exchange(&self, parameters: &[(&str, &str)]) -> Result<AccessToken, GraphError> {
        let mut form = vec![("client_id", self.app.id.as_str()), ("client_secret", self.app.secret.expose())];
        form.extend_from_slice(parameters);
        let answer = self.send(self.http.post(self.url("oauth/access_token")).form(&form)).await?;
        read::<Exchanged>(answer).map(|exchanged| exchanged.access_token)
    }

    /// Inspects `token`.
    ///
    /// # Errors
    /// An invalid token is not an error: [`TokenInfo::is_valid`] reports it.
    pub async fn debug_token(&self, token: &AccessToken) -> Result<TokenInfo, GraphError> {
        // A batch of one, because its parameters travel in the body. In a URL the token could leak.
        let call = Call::get("debug_token", &[("input_token", token.expose())]);
        let answer = self
            .batch(&[call], &self.app_token())
            .await
            .pop()
            .unwrap_or(Err(GraphError::InvalidResponse { status: 200 }))?;
        read::<Debugged>(answer).map(|debugged| debugged.data)
    }
}

/// Deserializes seconds since 1970, where 0 and absence mean "never".
fn epoch<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let seconds = Option::<i64>::deserialize(deserializer)?.unwrap_or(0);
    if seconds <= 0 {
        return Ok(None);
    }
    Timestamp::from_second(seconds).map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_dialog_gets_what_it_needs_and_nothing_unescaped() {
        let url = dialog_url(
            &"https://www.facebook.com".parse().unwrap(),
            "v26.0",
            "1",
            &"https://a.example/cb?x=1&y=2".parse().unwrap(),
            "s&t",
            &["a".into(), "b".into()],
        );
        assert_eq!(
            url.as_str(),
            "https://www.facebook.com/v26.0/dialog/oauth?client_id=1&redirect_uri=https%3A%2F%2Fa.example%2Fcb%3Fx%3D1%26y%3D2\
             &state=s%26t&response_type=code&scope=a%2Cb&auth_type=rerequest"
        );
    }

    #[test]
    fn no_list_of_pages_means_all_of_them() {
        let includes = |granular: serde_json::Value| {
            let info = json!({"data": {"app_id": "1", "is_valid": true, "granular_scopes": granular}});
            read::<Debugged>(info).unwrap().data.includes(&PageId::parse("7").unwrap())
        };
        assert!(includes(json!([])));
        assert!(includes(json!([{"scope": "pages_show_list"}])));
        assert!(includes(json!([{"scope": "pages_show_list", "target_ids": []}])));
        assert!(includes(json!([{"scope": "pages_show_list", "target_ids": ["8", "7"]}])));
        assert!(!includes(json!([{"scope": "pages_show_list", "target_ids": ["8"]}, {"scope": "leads_retrieval"}])));
    }

    #[test]
    fn zero_means_never() {
        let info = |json| read::<Debugged>(json).unwrap().data;
        let never = info(json!({"data": {"app_id": "1", "is_valid": true, "expires_at": 0}}));
        assert_eq!((never.expires_at, never.data_access_expires_at), (None, None));
        let some = info(json!({"data": {"app_id": "1", "is_valid": true, "expires_at": 1_700_000_000}}));
        assert_eq!(some.expires_at.unwrap().as_second(), 1_700_000_000);
    }
}
