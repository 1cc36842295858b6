//! The account, the region and the stack that a command is about.

use anyhow::{Context, Result};
use aws_calls::{Aws, AwsRefusal, Stack, text};
use aws_config::{BehaviorVersion, SdkConfig};

use crate::UnusableLine;

/// A deployed stack, and the way to its account.
pub(crate) struct StackAccount {
    /// Signed calls to the account.
    pub(crate) aws: Aws,
    /// The configuration of the product's own clients.
    pub(crate) config: SdkConfig,
    /// What CloudFormation says of the stack.
    pub(crate) stack: Stack,
}

impl StackAccount {
    /// Finds credentials, the region and the stack of this name.
    pub(crate) async fn open(stack: &str) -> Result<Self> {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12()).load().await;
        let region = config.region().map(ToString::to_string);
        let region =
            region.ok_or_else(|| UnusableLine("no region: set AWS_REGION, or the profile's region".to_owned()))?;
        let credentials = config.credentials_provider().context("no credentials for AWS")?;
        let endpoint = config.endpoint_url().map(ToOwned::to_owned);
        let aws = Aws::of_account(credentials, region.clone(), endpoint)?;
        let stack = Stack::describe(&aws, stack).await.map_err(|error| {
            let is_absent = AwsRefusal::find(&error).is_some_and(|refusal| refusal.is("does not exist"));
            if !is_absent {
                return error;
            }
            let advice = "name it by --stack or STACK, and check AWS_REGION and the credentials";
            UnusableLine(format!("the account has no stack {stack} in {region}: {advice}")).into()
        })?;
        Ok(Self { aws, config, stack })
    }

    /// What AWS calls the holder of these credentials: an ARN.
    pub(crate) async fn identity(&self) -> Result<String> {
        let answer = self.aws.query("sts", &[("Action", "GetCallerIdentity"), ("Version", "2011-06-15")]).await?;
        text(&answer, "Arn")?.context("AWS does not say whose credentials these are")
    }

    /// The deployed name of a function, by its name without the stack's, such as `lead-worker`.
    pub(crate) fn function(&self, name: &str) -> Result<&str> {
        let functions = self.functions();
        let found = functions.iter().find(|(known, _)| *known == name).map(|(_, deployed)| *deployed);
        found.ok_or_else(|| {
            let known: Vec<&str> = functions.iter().map(|(known, _)| *known).collect();
            UnusableLine(format!("no function is called {name}; there are: {}", known.join(", "))).into()
        })
    }

    /// All functions of the product, each with its name without the stack's and its deployed name.
    pub(crate) fn functions(&self) -> Vec<(&str, &str)> {
        let prefix = format!("{}-", self.stack.name);
        let all = self.stack.of_kind("AWS::Lambda::Function");
        all.filter_map(|(_, deployed)| Some((deployed.strip_prefix(&prefix)?, deployed))).collect()
    }

    /// Reads the configuration of a function.
    pub(crate) async fn function_configuration(&self, deployed: &str) -> Result<serde_json::Value> {
        let path = format!("/2015-03-31/functions/{deployed}/configuration");
        self.aws.rest("lambda", http::Method::GET, &path, &serde_json::Value::Null).await
    }
}
