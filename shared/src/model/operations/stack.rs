//! What a deployment is made of, by the names in `infra/template.yaml`; a test compares the two.

/// A deployment whose metrics are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonitoredStack {
    /// The name of the stack: the namespace of its own metrics, and the beginning of the names of all it has.
    pub name: String,
    /// The table.
    pub table: String,
    /// The table of the console's sessions.
    pub sessions: String,
}

/// A function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StackFunction {
    /// Its name behind the stack's.
    pub name: &'static str,
    /// Its memory in MiB, by which its time is billed.
    pub memory_mb: u32,
}

const fn function(name: &'static str) -> StackFunction {
    StackFunction { name, memory_mb: 256 }
}

/// All functions: the way of a lead first, then those that others reach, then the others.
pub const FUNCTIONS: [StackFunction; 20] = [
    function("webhook"),
    function("lead-worker"),
    function("lead-sweep"),
    function("planner"),
    StackFunction { name: "console", memory_mb: 1024 },
    StackFunction { name: "api", memory_mb: 1024 },
    function("oauth"),
    function("privacy"),
    function("expiry-notice"),
    function("lead-notice"),
    function("engagement-worker"),
    function("answer-worker"),
    StackFunction { name: "attachment-worker", memory_mb: 512 },
    function("social-sync"),
    function("publish-worker"),
    StackFunction { name: "ads-sync", memory_mb: 512 },
    function("conversion-worker"),
    function("delivery-worker"),
    StackFunction { name: "export-worker", memory_mb: 512 },
    function("lead-retention"),
];

/// The queues that workers read, by their names behind the stack's: those of leads first.
pub const QUEUES: [&str; 16] = [
    LEAD_QUEUE,
    "lead-sweep",
    "lead-search",
    "expiry-notice",
    "lead-notice",
    "engagement-worker",
    "answer-worker",
    "attachment-worker",
    "social-sync",
    "publish-worker",
    "ads-sync",
    "conversion-worker",
    "delivery-events",
    "delivery-worker",
    "export-worker",
    "lead-retention",
];

/// The queue in which leads wait to be fetched.
pub const LEAD_QUEUE: &str = "lead-worker";

/// The queues that have one of dead letters, by their names in front of `-dead-letters`. A search goes to those of the
/// sweep.
pub fn dead_letters() -> impl Iterator<Item = &'static str> {
    QUEUES.into_iter().filter(|queue| *queue != "lead-search")
}

/// The indexes of the table.
pub const INDEXES: [&str; 5] = ["gsi1", "gsi2", "gsi3", "gsi4", "gsi5"];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_yaml_ng::Value;

    use super::*;

    fn template() -> Value {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/template.yaml");
        serde_yaml_ng::from_str(&std::fs::read_to_string(template).unwrap()).unwrap()
    }

    /// The properties of the resources of a type.
    fn properties<'t>(template: &'t Value, kind: &str) -> Vec<&'t Value> {
        let resources = template["Resources"].as_mapping().unwrap();
        resources.values().filter(|it| it["Type"] == kind).map(|it| &it["Properties"]).collect()
    }

    /// A name behind the stack's. YAML keeps the tag of `!Sub` beside its text.
    fn name(value: &Value) -> Option<&str> {
        let text = match value {
            Value::Tagged(tagged) => tagged.value.as_str(),
            other => other.as_str(),
        };
        text?.strip_prefix("${AWS::StackName}-")
    }

    #[test]
    fn every_function_of_the_template_is_looked_at_with_its_memory() {
        let template = template();
        let usual = &template["Globals"]["Function"]["MemorySize"];
        let deployed: BTreeSet<(&str, u64)> = properties(&template, "AWS::Serverless::Function")
            .into_iter()
            .map(|function| {
                let memory = function.get("MemorySize").unwrap_or(usual).as_u64().unwrap();
                (name(&function["FunctionName"]).unwrap(), memory)
            })
            .collect();
        let known: BTreeSet<(&str, u64)> = FUNCTIONS.iter().map(|it| (it.name, u64::from(it.memory_mb))).collect();
        assert_eq!(known, deployed, "left is looked at, right is in the template");
        assert_eq!(known.len(), FUNCTIONS.len());
    }

    #[test]
    fn every_queue_of_the_template_is_looked_at() {
        let template = template();
        let queues = properties(&template, "AWS::SQS::Queue");
        let mut deployed: BTreeSet<&str> = queues.into_iter().filter_map(|queue| name(&queue["QueueName"])).collect();
        // Only some stacks have it, and its alarm is enough.
        assert!(deployed.remove("event-destination-dead-letters"));
        let dead: Vec<String> = dead_letters().map(|queue| format!("{queue}-dead-letters")).collect();
        let known: BTreeSet<&str> = QUEUES.into_iter().chain(dead.iter().map(String::as_str)).collect();
        assert_eq!(known, deployed, "left is looked at, right is in the template");
    }

    #[test]
    fn every_index_of_the_table_is_looked_at() {
        let template = template();
        let indexes = template["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"].as_sequence().unwrap();
        let deployed: Vec<&str> = indexes.iter().map(|index| index["IndexName"].as_str().unwrap()).collect();
        assert_eq!(deployed, INDEXES);
    }
}
