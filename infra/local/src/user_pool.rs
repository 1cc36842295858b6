//! The stack's user pool, and the orgs and users of a fresh system.

use anyhow::{Context, Result};
use aws_calls::{Aws, Stack};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::endpoints::{Program, User};

/// The password of every user, valid on this machine only.
const SEED_PASSWORD: &str = "Leadwire-on-this-machine-1";

/// A tenant.
pub(crate) struct SeedOrg {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) plan: &'static str,
    pub(crate) features: &'static [&'static str],
}

/// The org that is connected to the simulated Meta, a second org, and one whose plan does not include Meta.
pub(crate) const SEED_ORGS: [SeedOrg; 3] = [
    SeedOrg { id: "demo", name: "Demo Outfitters", plan: "pro", features: &["meta"] },
    SeedOrg { id: "other", name: "Other Lodge", plan: "pro", features: &["meta"] },
    SeedOrg { id: "basic", name: "Basic Guides", plan: "basic", features: &[] },
];

/// A user who can log in.
pub(crate) struct SeedUser {
    pub(crate) email: &'static str,
    pub(crate) name: &'static str,
    pub(crate) org: &'static str,
    pub(crate) role: &'static str,
    /// Set for users who receive leads. The directory id of the others is their role.
    pub(crate) seller: Option<Seller>,
}

/// A user whom leads can be assigned to.
pub(crate) struct Seller {
    pub(crate) id: &'static str,
    pub(crate) active: bool,
}

pub(crate) const SEED_USERS: [SeedUser; 9] = [
    user("admin@demo.example", "Ada Demo", "demo", "admin"),
    user("moderator@demo.example", "Mo Demo", "demo", "moderator"),
    seller("sales-1@demo.example", "Sam Rivera", "sales-1", true),
    seller("sales-2@demo.example", "Sofia Brandt", "sales-2", true),
    seller("sales-3@demo.example", "Scott Okafor", "sales-3", true),
    seller("sales-4@demo.example", "Selma Lindqvist", "sales-4", false),
    user("admin@other.example", "Otto Other", "other", "admin"),
    user("admin@basic.example", "Bea Basic", "basic", "admin"),
    user("superadmin@leadwire.example", "Sue Superadmin", "", "superadmin"),
];

const fn user(email: &'static str, name: &'static str, org: &'static str, role: &'static str) -> SeedUser {
    SeedUser { email, name, org, role, seller: None }
}

const fn seller(email: &'static str, name: &'static str, id: &'static str, active: bool) -> SeedUser {
    SeedUser { email, name, org: "demo", role: "sales", seller: Some(Seller { id, active }) }
}

/// The stack's user pool.
#[derive(Clone)]
pub(crate) struct UserPool {
    aws: Aws,
    id: String,
    client: String,
    crm: String,
}

impl UserPool {
    pub(crate) fn open(aws: &Aws, stack: &Stack) -> Result<Self> {
        let output = |key| stack.output(key).map(ToOwned::to_owned);
        Ok(Self {
            aws: aws.clone(),
            id: output("UserPoolId")?,
            client: output("PasswordClientId")?,
            crm: output("CrmClientId")?,
        })
    }

    /// Creates every login and returns it with a token.
    pub(crate) async fn create_logins(&self) -> Result<Vec<User>> {
        try_join_all(SEED_USERS.iter().map(|user| async move {
            self.create_login(user.email, user.name, user.org, user.role).await?;
            Ok(User {
                email: user.email.to_owned(),
                password: SEED_PASSWORD.to_owned(),
                org: user.org.to_owned(),
                role: user.role.to_owned(),
                id_token: self.issue_token(user.email).await?,
            })
        }))
        .await
    }

    /// Creates a login. Fails if the e-mail address already has one.
    pub(crate) async fn create_login(&self, email: &str, name: &str, org: &str, role: &str) -> Result<()> {
        let mut attributes = vec![
            json!({ "Name": "email", "Value": email }),
            json!({ "Name": "email_verified", "Value": "true" }),
            json!({ "Name": "name", "Value": name }),
            json!({ "Name": "custom:role", "Value": role }),
        ];
        if !org.is_empty() {
            attributes.push(json!({ "Name": "custom:org", "Value": org }));
        }
        let create = json!({
            "UserPoolId": self.id, "Username": email, "UserAttributes": attributes, "MessageAction": "SUPPRESS",
        });
        let failed = || format!("cannot make the login of {email}");
        self.call("AdminCreateUser", &create).await.with_context(failed)?;
        let password =
            json!({ "UserPoolId": self.id, "Username": email, "Password": SEED_PASSWORD, "Permanent": true });
        self.call("AdminSetUserPassword", &password).await.with_context(failed)?;
        Ok(())
    }

    /// Returns a fresh id token. Fails if no user has this e-mail address.
    pub(crate) async fn issue_token(&self, email: &str) -> Result<String> {
        let login = json!({
            "AuthFlow": "USER_PASSWORD_AUTH", "ClientId": self.client,
            "AuthParameters": { "USERNAME": email, "PASSWORD": SEED_PASSWORD },
        });
        let answer = self.call("InitiateAuth", &login).await?;
        let token = answer.pointer("/AuthenticationResult/IdToken").and_then(Value::as_str);
        Ok(token.context("the user pool answered without a token")?.to_owned())
    }

    /// Returns the credentials of the CRM.
    pub(crate) async fn program(&self) -> Result<Program> {
        let client = json!({ "UserPoolId": self.id, "ClientId": self.crm });
        let answer = self.call("DescribeUserPoolClient", &client).await?;
        let secret = answer.pointer("/UserPoolClient/ClientSecret").and_then(Value::as_str);
        Ok(Program {
            token_url: format!("{}/oauth2/token", self.aws.endpoint()),
            client_id: self.crm.clone(),
            client_secret: secret.context("the CRM's client has no secret")?.to_owned(),
        })
    }

    /// The URL of one of the pool's well-known documents: the signing keys, or the OpenID configuration.
    pub(crate) fn well_known_url(&self, document: &str) -> String {
        format!("{}/{}/.well-known/{document}", self.aws.endpoint(), self.id)
    }

    async fn call(&self, operation: &str, input: &Value) -> Result<Value> {
        self.aws.json("cognito-idp", &format!("AWSCognitoIdentityProviderService.{operation}"), input).await
    }
}
