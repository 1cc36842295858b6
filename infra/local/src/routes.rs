//! Creates the routes of the HTTP API.
//!
//! SAM writes the routes into the API as an OpenAPI body, which MiniStack does not import. They are read from the
//! template, so a new route needs no change here.

use anyhow::{Context, Result};
use aws_calls::{Aws, Stack};
use http::Method;
use serde_json::{Value, json};

use crate::template::Template;

/// Creates every route of the template, with its authorizer.
pub(crate) async fn create(aws: &Aws, stack: &Stack, template: &Template) -> Result<()> {
    let api = stack.output("HttpApiId")?;
    let authorizer = json!({
        "name": "Jwt",
        "authorizerType": "JWT",
        "identitySource": ["$request.header.Authorization"],
        "jwtConfiguration": {
            "issuer": format!("https://cognito-idp.{}.amazonaws.com/{}", aws.region, stack.output("UserPoolId")?),
            "audience": [stack.output("LoginClientId")?, stack.output("PasswordClientId")?, stack.output("CrmClientId")?],
        },
    });
    let authorizer = create_resource(aws, api, "authorizers", &authorizer, "authorizerId").await?;
    for function in template.functions()? {
        if function.routes.is_empty() {
            continue;
        }
        let name = stack.resource(&function.logical_id)?;
        let integration = json!({
            "integrationType": "AWS_PROXY",
            "integrationUri": format!("arn:aws:lambda:{}:000000000000:function:{name}", aws.region),
            "payloadFormatVersion": "2.0",
        });
        let integration = create_resource(aws, api, "integrations", &integration, "integrationId").await?;
        for route in &function.routes {
            let definition = json!({
                "routeKey": format!("{} {}", route.method, route.path),
                "target": format!("integrations/{integration}"),
                "authorizationType": if route.public { "NONE" } else { "JWT" },
                "authorizerId": if route.public { Value::Null } else { json!(authorizer) },
            });
            create_resource(aws, api, "routes", &definition, "routeId").await?;
        }
    }
    Ok(())
}

/// Creates a child resource of the API and returns its id.
async fn create_resource(aws: &Aws, api: &str, kind: &str, definition: &Value, id: &str) -> Result<String> {
    let answer = aws.rest("apigateway", Method::POST, &format!("/v2/apis/{api}/{kind}"), definition).await?;
    Ok(answer.get(id).and_then(Value::as_str).with_context(|| format!("no {id} in the answer"))?.to_owned())
}
