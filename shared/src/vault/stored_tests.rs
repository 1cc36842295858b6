//! Secrets that releases stored are read by this one. What cannot be read here ends a connection, so a secret's fields never
//! change. The values in the files are no tokens.

use serde_json::{Value, json};

use super::*;
use crate::stored_test_support::{Files, assert_recorded, keeps, objects_in, of_all_releases, record};

/// What is stored in the vault, by the names of what is read.
fn written() -> Files {
    let token = |text: &str| AccessToken::new(text.to_owned());
    let pages: BTreeMap<PageId, AccessToken> =
        ["7", "8"].map(|page| (PageId::parse(page).unwrap(), token(&format!("of page {page}")))).into();
    let credentials = Credentials {
        me: MetaPerson { id: "81".to_owned(), name: "Mara Example".to_owned() },
        user_token: token("of the account"),
        pages: BTreeMap::new(),
    };
    let pages: Vec<(&PageId, &AccessToken)> = pages.iter().collect();
    let tokens = json!([tokens_secret(&pages, Some(&credentials)), tokens_secret(&pages, None)]);
    // These two are made by the template, which the second test compares with them.
    let app = json!([{ "app_id": "1", "app_secret": "of the app", "verify_token": "of the webhook" }]);
    let key = json!([{ "key": "of this stack" }]);
    let files =
        [("tokens", tokens), ("token", json!([token_secret(&token("of an ad account"))])), ("app", app), ("key", key)];
    files.map(|(name, secrets)| (name.to_owned(), secrets)).into()
}

/// Reads a secret as the vault does, and says again what it read. `None` if it cannot be read.
fn again(name: &str, secret: &Value) -> Option<Value> {
    fn read<T: DeserializeOwned>(secret: &Value) -> Option<T> {
        parse("a secret", &SecretString::from(secret.to_string())).ok()
    }
    Some(match name {
        "tokens" => {
            let stored: StoredTokens = read(secret)?;
            let mut content = tokens_secret(&stored.pages.iter().collect::<Vec<_>>(), None);
            if let (Some(me), Some(token)) = (&stored.me, &stored.user_token) {
                (content["me"], content["user_token"]) = (json!(me), token.expose().into());
            }
            content
        }
        "token" => token_secret(&read::<SingleToken>(secret)?.token),
        "app" => {
            let app: App = read(secret)?;
            let (secret, verify_token) = (app.secret.expose(), app.verify_token.expose());
            json!({ "app_id": app.id, "app_secret": secret, "verify_token": verify_token })
        }
        "key" => json!({ "key": read::<SigningKey>(secret)?.key.expose() }),
        other => panic!("{other} is no secret"),
    })
}

#[test]
#[ignore = "it writes what a release keeps in the vault: see “Stored shapes” in shared/ARCHITECTURE.md"]
fn every_secret_is_recorded() {
    record("secrets", &written());
}

#[test]
fn secrets_are_written_as_the_newest_files_say() {
    assert_recorded("secrets", &written());
    let template = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/template.yaml")).unwrap();
    assert!(template.contains(r#"SecretString: !Sub '{"app_id":"#) && template.contains("GenerateStringKey: key"));
}

#[test]
fn secrets_of_every_release_are_read_also_with_fields_of_a_later_one() {
    for (release, files) in of_all_releases("secrets") {
        for (name, secrets) in &files {
            for secret in secrets.as_array().unwrap() {
                let read = again(name, secret).unwrap_or_else(|| panic!("{name} of {release}"));
                assert!(keeps(&read, secret), "{name} of {release}");
                for place in objects_in(secret).into_iter().filter(|place| place != "/pages") {
                    let mut later = secret.clone();
                    later.pointer_mut(&place).unwrap()["of_a_later_release"] = json!({ "x": [1] });
                    assert_eq!(again(name, &later).as_ref(), Some(&read), "{name} at {place}");
                }
            }
        }
    }
}
