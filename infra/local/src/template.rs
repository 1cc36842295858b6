//! `infra/template.yaml`, parsed for the local run and for the checks of the template.
//!
//! The template is read as SAM reads it. CloudFormation's short forms (`!Ref x`) are expanded (`{"Ref": "x"}`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use serde_yaml_ng as yaml;

use crate::workdir;

/// What MiniStack's CloudFormation refuses.
const MISSING_KINDS: [&str; 1] = ["AWS::CloudWatch::CompositeAlarm"];

/// What publishes a version of a function, and moves its alias. MiniStack has versions and aliases but no CodeDeploy, and
/// everything that names a function here, such as routes, crashes and logs, means the one that was just deployed.
const PUBLISHING_PROPERTIES: [&str; 4] =
    ["AutoPublishAlias", "AutoPublishAliasAllProperties", "DeploymentPreference", "VersionDescription"];

/// The parsed template.
pub struct Template {
    document: Value,
}

/// A function and its event sources.
#[derive(Debug)]
pub struct Function {
    /// The logical id in the template.
    pub logical_id: String,
    /// The name of its folder under `functions`, its crate and its binary.
    pub name: String,
    /// The HTTP API routes that invoke it.
    pub routes: Vec<Route>,
    /// The schedules that invoke it.
    pub schedules: Vec<Schedule>,
    /// The names of its environment variables.
    pub variables: Vec<String>,
}

/// A route of the HTTP API.
#[derive(Debug)]
pub struct Route {
    /// The HTTP method, or `ANY`.
    pub method: String,
    /// The path, with its variables.
    pub path: String,
    /// Whether the route needs no token.
    pub public: bool,
}

/// A schedule. The job is named after the schedule's event in the template: `LeadSweep` is the job `lead-sweep`.
#[derive(Debug)]
pub struct Schedule {
    /// The name of the job.
    pub job: String,
    /// The payload of the invocation.
    pub input: Value,
}

impl Template {
    /// Reads this checkout's template.
    pub fn read() -> Result<Self> {
        let path = workdir::root().join("infra/template.yaml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("cannot read {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(Self { document: expand_tags(yaml::from_str(text)?)? })
    }

    /// The template as JSON.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Iterates over the properties of the resources of one type, by logical id.
    pub fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let all = self.document.get("Resources").and_then(Value::as_object).into_iter().flatten();
        all.filter(move |(_, resource)| resource.get("Type").is_some_and(|found| found == kind))
            .map(|(id, resource)| (id.as_str(), resource.get("Properties").unwrap_or(&Value::Null)))
    }

    /// Returns the functions, with their routes and schedules.
    ///
    /// # Errors
    /// A function whose `CodeUri` is not under `functions`, or whose route has no method or path, is an error.
    pub fn functions(&self) -> Result<Vec<Function>> {
        self.resources("AWS::Serverless::Function").map(|(id, properties)| function(id, properties)).collect()
    }

    /// Returns the template adapted to MiniStack: with packages in place of sources, without versions of functions and
    /// composite alarms, and with replacements for what MiniStack interprets differently from AWS.
    pub(crate) fn adapt_to_ministack(&self, parameters: &BTreeMap<String, String>, packages: &Path) -> Result<Value> {
        let mut document = self.document.clone();
        let numbers = self.number_parameters(parameters)?;
        let secrets: Vec<&str> = self.resources("AWS::SecretsManager::Secret").map(|(id, _)| id).collect();
        walk(&mut document, &mut |value| {
            if let Some(id) = referenced_name(value).map(ToOwned::to_owned) {
                if let Some(number) = numbers.get(&id) {
                    // MiniStack would pass the parameter's text where a number belongs.
                    *value = number.clone();
                } else if secrets.contains(&id.as_str()) {
                    // `Ref` of a secret is its name in MiniStack but its ARN in AWS; a policy needs the ARN.
                    *value = json!({ "Fn::GetAtt": [id, "Id"] });
                }
            } else if let Some(action) = value.get_mut("Action") {
                add_batch_actions(action);
                if action.as_array().is_some_and(|actions| actions.iter().any(|action| action == "ses:SendEmail")) {
                    // MiniStack checks this action against `*`, not against the sender's identity.
                    value["Resource"] = json!("*");
                }
            }
        });
        for function in self.functions()? {
            let package = packages.join(format!("{}.zip", function.name));
            let Some(resource) = document.pointer_mut(&format!("/Resources/{}", function.logical_id)) else { continue };
            if let Some(resource) = resource.as_object_mut() {
                resource.remove("Metadata");
            }
            if let Some(properties) = resource.get_mut("Properties") {
                properties["CodeUri"] = json!(package);
                remove_publishing(properties);
            }
        }
        if let Some(globals) = document.pointer_mut("/Globals/Function") {
            remove_publishing(globals);
        }
        for kind in MISSING_KINDS {
            self.resources(kind).for_each(|(id, _)| leave_out(&mut document, id));
        }
        Ok(document)
    }

    /// The parameters of type `Number`, with their effective values.
    fn number_parameters(&self, given: &BTreeMap<String, String>) -> Result<BTreeMap<String, Value>> {
        let parameters = self.document.get("Parameters").and_then(Value::as_object).into_iter().flatten();
        parameters
            .filter(|(_, parameter)| parameter.get("Type").is_some_and(|kind| kind == "Number"))
            .map(|(name, parameter)| {
                let value = match given.get(name) {
                    Some(text) => text.parse().with_context(|| format!("{name} is not a number"))?,
                    None => parameter.get("Default").with_context(|| format!("{name} has no value"))?.clone(),
                };
                Ok((name.clone(), value))
            })
            .collect()
    }
}

fn function(id: &str, properties: &Value) -> Result<Function> {
    let source = properties.get("CodeUri").and_then(Value::as_str).unwrap_or_default();
    let Some(name) = source.strip_prefix("../functions/") else {
        bail!("{id}: its CodeUri is not under ../functions/")
    };
    let variables = properties.pointer("/Environment/Variables").and_then(Value::as_object).into_iter().flatten();
    let mut function = Function {
        logical_id: id.to_owned(),
        name: name.to_owned(),
        routes: Vec::new(),
        schedules: Vec::new(),
        variables: variables.map(|(name, _)| name.clone()).collect(),
    };
    for (event, definition) in properties.get("Events").and_then(Value::as_object).into_iter().flatten() {
        let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str);
        match text("/Type") {
            Some("HttpApi") => function.routes.push(Route {
                method: text("/Properties/Method")
                    .with_context(|| format!("{id}.{event} has no Method"))?
                    .to_uppercase(),
                path: text("/Properties/Path").with_context(|| format!("{id}.{event} has no Path"))?.to_owned(),
                public: text("/Properties/Auth/Authorizer") == Some("NONE"),
            }),
            Some("ScheduleV2") => function.schedules.push(Schedule {
                job: kebab_case(event),
                input: text("/Properties/Input").map_or(Ok(json!({})), serde_json::from_str)?,
            }),
            _ => {}
        }
    }
    Ok(function)
}

fn remove_publishing(properties: &mut Value) {
    if let Some(properties) = properties.as_object_mut() {
        properties.retain(|name, _| !PUBLISHING_PROPERTIES.contains(&name.as_str()));
    }
}

/// Removes a resource. A text with its ARN, such as the dashboard's, names its logical id instead.
fn leave_out(document: &mut Value, id: &str) {
    if let Some(resources) = document.get_mut("Resources").and_then(Value::as_object_mut) {
        resources.remove(id);
    }
    let arn = format!("${{{id}.Arn}}");
    walk(document, &mut |value| {
        if let Some(text) = value.as_str().filter(|text| text.contains(&arn)) {
            *value = json!(text.replace(&arn, id));
        }
    });
}

/// MiniStack checks a batch call under a separate action. In IAM the single action covers both.
fn add_batch_actions(action: &mut Value) {
    const BATCHED_ACTIONS: [&str; 3] = ["sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"];
    let mut actions = match action.take() {
        Value::Array(actions) => actions,
        one => vec![one],
    };
    let batches: Vec<Value> = actions
        .iter()
        .filter_map(Value::as_str)
        .filter(|action| BATCHED_ACTIONS.contains(action))
        .map(|action| json!(format!("{action}Batch")))
        .collect();
    actions.extend(batches);
    *action = Value::Array(actions);
}

/// Returns the name in `{"Ref": name}`.
fn referenced_name(value: &Value) -> Option<&str> {
    let object = value.as_object().filter(|object| object.len() == 1)?;
    object.get("Ref")?.as_str()
}

/// Visits every value, outer values before inner ones.
fn walk(value: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, visit)),
        Value::Object(fields) => fields.values_mut().for_each(|field| walk(field, visit)),
        _ => {}
    }
}

/// Converts YAML to JSON and expands CloudFormation's tags.
fn expand_tags(value: yaml::Value) -> Result<Value> {
    Ok(match value {
        yaml::Value::Tagged(tagged) => {
            let tag = tagged.tag.to_string();
            let name = tag.trim_start_matches('!');
            let inner = expand_tags(tagged.value)?;
            match (name, inner) {
                ("Ref" | "Condition", inner) => json!({ name: inner }),
                ("GetAtt", Value::String(path)) => {
                    let (resource, attribute) = path.split_once('.').context("!GetAtt without an attribute")?;
                    json!({ "Fn::GetAtt": [resource, attribute] })
                }
                (function, inner) => json!({ format!("Fn::{function}"): inner }),
            }
        }
        yaml::Value::Sequence(items) => items.into_iter().map(expand_tags).collect::<Result<_>>()?,
        yaml::Value::Mapping(fields) => {
            let mut object = Map::new();
            for (key, value) in fields {
                let key = key.as_str().context("a key that is not text")?.to_owned();
                object.insert(key, expand_tags(value)?);
            }
            Value::Object(object)
        }
        plain => serde_json::to_value(plain)?,
    })
}

/// Converts `LeadSweep` to `lead-sweep`.
fn kebab_case(name: &str) -> String {
    let mut kebab = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !kebab.is_empty() {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Parameters:
  Seconds: { Type: Number, Default: 60 }
  Words: { Type: String, Default: a }
Globals: { Function: { Runtime: provided.al2023, AutoPublishAlias: live } }
Resources:
  Parts: { Type: AWS::CloudWatch::CompositeAlarm }
  Dashboard: { Type: AWS::CloudWatch::Dashboard, Properties: { DashboardBody: !Sub 'x ${Parts.Arn}' } }
  Secret: { Type: AWS::SecretsManager::Secret }
  LeadWorker:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda }
    Properties:
      CodeUri: ../functions/lead-worker
      VersionDescription: !Ref Words
      Timeout: !Ref Seconds
      Role: !GetAtt Role.Arn
      Environment: { Variables: { WORDS: !Ref Words } }
      Events:
        LeadSweep: { Type: ScheduleV2, Properties: { Input: '{\"a\":1}' } }
        Get: { Type: HttpApi, Properties: { Method: get, Path: /x, Auth: { Authorizer: NONE } } }
        Any: { Type: HttpApi, Properties: { Method: ANY, Path: '/api/{proxy+}' } }
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies: [{ PolicyDocument: { Statement: [
        { Action: sqs:SendMessage, Resource: !Sub '${Queue.Arn}' },
        { Action: [sqs:DeleteMessage, sqs:ReceiveMessage], Resource: !Ref Secret },
        { Action: ses:SendEmail, Resource: !Sub 'identity/x' }]}}]
";

    #[test]
    fn short_forms_are_expanded() {
        let template = Template::parse(TEMPLATE).unwrap();
        let properties = &template.document["Resources"]["LeadWorker"]["Properties"];
        assert_eq!(properties["Timeout"], json!({ "Ref": "Seconds" }));
        assert_eq!(properties["Role"], json!({ "Fn::GetAtt": ["Role", "Arn"] }));
    }

    #[test]
    fn functions_know_what_calls_them() {
        let functions = Template::parse(TEMPLATE).unwrap().functions().unwrap();
        let [function] = functions.as_slice() else { panic!("{functions:?}") };
        assert_eq!((function.logical_id.as_str(), function.name.as_str()), ("LeadWorker", "lead-worker"));
        let routes: Vec<_> = function.routes.iter().map(|r| (r.method.as_str(), r.path.as_str(), r.public)).collect();
        assert_eq!(routes, [("ANY", "/api/{proxy+}", false), ("GET", "/x", true)]);
        let [schedule] = function.schedules.as_slice() else { panic!("{:?}", function.schedules) };
        assert_eq!((schedule.job.as_str(), &schedule.input), ("lead-sweep", &json!({ "a": 1 })));
        assert_eq!(function.variables, ["WORDS"]);
    }

    #[test]
    fn ministack_gets_packages_numbers_arns_and_batch_actions() {
        let given = BTreeMap::from([("Seconds".to_owned(), "7".to_owned())]);
        let document = Template::parse(TEMPLATE).unwrap().adapt_to_ministack(&given, Path::new("/packages")).unwrap();
        let function = &document["Resources"]["LeadWorker"];
        assert_eq!(function.get("Metadata"), None);
        assert_eq!(function["Properties"]["CodeUri"], "/packages/lead-worker.zip");
        assert_eq!(function["Properties"]["Timeout"], 7);
        assert_eq!(function["Properties"]["Environment"]["Variables"]["WORDS"], json!({ "Ref": "Words" }));
        let statements = &document["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"];
        assert_eq!(statements[0]["Action"], json!(["sqs:SendMessage", "sqs:SendMessageBatch"]));
        assert_eq!(
            statements[1]["Action"],
            json!(["sqs:DeleteMessage", "sqs:ReceiveMessage", "sqs:DeleteMessageBatch"])
        );
        assert_eq!(statements[1]["Resource"], json!({ "Fn::GetAtt": ["Secret", "Id"] }));
        assert_eq!(statements[2]["Resource"], "*");
    }

    #[test]
    fn ministack_gets_neither_versions_nor_composite_alarms() {
        let document =
            Template::parse(TEMPLATE).unwrap().adapt_to_ministack(&BTreeMap::new(), Path::new("/packages")).unwrap();
        assert_eq!(document["Globals"]["Function"], json!({ "Runtime": "provided.al2023" }));
        assert_eq!(document["Resources"]["LeadWorker"]["Properties"].get("VersionDescription"), None);
        assert_eq!(document["Resources"].get("Parts"), None);
        assert_eq!(document["Resources"]["Dashboard"]["Properties"]["DashboardBody"], json!({ "Fn::Sub": "x Parts" }));
    }
}
