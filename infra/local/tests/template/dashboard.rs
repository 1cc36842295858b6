//! What the dashboard shows, where, and by which prices.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use anyhow::{Context, Result, ensure};
use local::template::Template;
use serde_json::Value;

use super::{properties, referred, root};

/// CloudWatch's limits on a widget, on a dashboard, and on the alarms of a widget.
const MAX_METRICS_OF_WIDGET: usize = 500;
const MAX_METRICS: usize = 2_500;
const MAX_ALARMS: usize = 100;
/// The width of CloudWatch's grid.
const WIDTH: u64 = 24;

/// The widgets of the dashboard.
fn widgets(template: &Template) -> Result<Vec<Value>> {
    let body = properties(template, "Dashboard")?.pointer("/DashboardBody/Fn::Sub").and_then(Value::as_str);
    let mut body: Value = serde_json::from_str(body.context("a dashboard without a body")?)?;
    let widgets = body.get_mut("widgets").and_then(Value::as_array_mut).context("a dashboard without widgets")?;
    Ok(std::mem::take(widgets))
}

/// The lines of a metric widget; none of another one.
fn lines(widget: &Value) -> impl Iterator<Item = &Vec<Value>> {
    let metrics = widget.pointer("/properties/metrics").and_then(Value::as_array).into_iter().flatten();
    metrics.filter_map(Value::as_array)
}

/// The names of the metrics that functions write, as `shared/src/metrics.rs` lists them.
pub(super) fn written() -> Result<BTreeSet<String>> {
    let source = fs::read_to_string(root().join("shared/src/metrics.rs"))?;
    let names = source.split_once("pub fn name(self)").and_then(|(_, rest)| rest.split_once("pub fn "));
    let (names, _) = names.context("shared/src/metrics.rs is not written as this test reads it")?;
    let names: BTreeSet<String> = names.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    ensure!(names.len() > 8, "{names:?}");
    Ok(names)
}

/// The names of our own metrics that a widget shows, those that it searches for too.
pub(super) fn shown(widget: &Value) -> Vec<String> {
    let own = |line: &Vec<Value>| match line.as_slice() {
        [namespace, name, ..] if namespace == "${AWS::StackName}" => name.as_str().map(str::to_owned),
        [options] => {
            let search = options.get("expression")?.as_str()?.strip_prefix("SEARCH('{\"${AWS::StackName}\"")?;
            search.split("MetricName=\"").nth(1)?.split('"').next().map(str::to_owned)
        }
        _ => None,
    };
    lines(widget).filter_map(own).collect()
}

#[test]
fn every_widget_has_a_place_of_its_own() -> Result<()> {
    let mut taken: BTreeMap<(u64, u64), String> = BTreeMap::new();
    let mut metrics = 0;
    for widget in widgets(&Template::read()?)? {
        let number = |name: &str| widget.get(name).and_then(Value::as_u64).with_context(|| format!("{name}: {widget}"));
        let (left, top, width, height) = (number("x")?, number("y")?, number("width")?, number("height")?);
        let title = widget.pointer("/properties/title").and_then(Value::as_str).unwrap_or("text").to_owned();
        assert!(left + width <= WIDTH && width > 0 && height > 0, "{title}");
        for (x, y) in (left..left + width).flat_map(|x| (top..top + height).map(move |y| (x, y))) {
            let other = taken.insert((x, y), title.clone());
            assert!(other.is_none(), "{title} lies on {other:?}");
        }
        let of_widget = lines(&widget).count();
        assert!(of_widget <= MAX_METRICS_OF_WIDGET, "{title}");
        metrics += of_widget;
        let alarms = widget.pointer("/properties/alarms").and_then(Value::as_array).map_or(0, Vec::len);
        assert!(alarms <= MAX_ALARMS, "{title}: {alarms}");
    }
    assert!(metrics <= MAX_METRICS);
    let rows = taken.keys().map(|(_, y)| *y).max().unwrap_or(0) + 1;
    for (x, y) in (0..WIDTH).flat_map(|x| (0..rows).map(move |y| (x, y))) {
        assert!(taken.contains_key(&(x, y)), "nothing is at {x}, {y}");
    }
    Ok(())
}

#[test]
fn every_expression_uses_what_its_widget_has_and_nothing_is_hidden_in_vain() -> Result<()> {
    for widget in widgets(&Template::read()?)? {
        let title = widget.pointer("/properties/title").and_then(Value::as_str).unwrap_or("text");
        let options: Vec<&Value> = lines(&widget).filter_map(|line| line.last().filter(|it| it.is_object())).collect();
        let ids: Vec<&str> = options.iter().filter_map(|it| it.get("id")?.as_str()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{title}: {ids:?}");
        assert!(ids.iter().all(|id| id.starts_with(|c: char| c.is_ascii_lowercase())), "{title}: {ids:?}");
        let expressions: Vec<&str> = options.iter().filter_map(|it| it.get("expression")?.as_str()).collect();
        let math = expressions.iter().filter(|it| !it.starts_with("SEARCH("));
        let words = math.flat_map(|it| it.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
        let used: BTreeSet<&str> = words.filter(|word| word.starts_with(|c: char| c.is_ascii_lowercase())).collect();
        let unknown: Vec<_> = used.iter().filter(|id| !ids.contains(id)).collect();
        assert!(unknown.is_empty(), "{title}: {unknown:?}");
        let hidden = options.iter().filter(|it| it.get("visible").is_some_and(|it| it == false));
        for id in hidden.filter_map(|it| it.get("id")?.as_str()) {
            assert!(used.contains(id), "{title}: {id} is hidden and not used");
        }
    }
    Ok(())
}

#[test]
fn every_queue_is_shown_with_its_oldest_message_or_its_dead_letters() -> Result<()> {
    let template = Template::read()?;
    let all = widgets(&template)?;
    let shows = |metric: &str, queue: &str| {
        let name = format!("${{{queue}.QueueName}}");
        let is_it =
            |line: &Vec<Value>| line.get(1).is_some_and(|it| it == metric) && line.contains(&name.clone().into());
        all.iter().flat_map(lines).any(is_it)
    };
    for queue in consumed_queues(&template) {
        assert!(shows("ApproximateAgeOfOldestMessage", &queue), "{queue}");
        let dead_letters = properties(&template, &queue)?.pointer("/RedrivePolicy/deadLetterTargetArn");
        let dead_letters = dead_letters.and_then(referred).context("no dead letters")?;
        assert!(shows("ApproximateNumberOfMessagesVisible", dead_letters), "{dead_letters}");
    }
    Ok(())
}

/// The logical ids of the queues that functions work at, in their order.
fn consumed_queues(template: &Template) -> BTreeSet<String> {
    let functions = template.resources("AWS::Serverless::Function").map(|(_, function)| function);
    let events = functions.filter_map(|function| function.get("Events")?.as_object()).flatten();
    events.filter_map(|(_, event)| referred(event.pointer("/Properties/Queue")?)).map(str::to_owned).collect()
}

/// The id of a resource's line: `LeadWorker` is `lead_worker`.
fn snake_case(id: &str) -> String {
    let letter = |(position, letter): (usize, char)| match letter.is_ascii_uppercase() && position > 0 {
        true => format!("_{}", letter.to_ascii_lowercase()),
        false => letter.to_ascii_lowercase().to_string(),
    };
    id.chars().enumerate().map(letter).collect()
}

/// The operator sees the cost that `cargo cost` would compute: by the same prices, of every function with its memory, every
/// queue, index and log.
#[test]
fn the_cost_a_day_is_by_the_prices_of_cargo_cost() -> Result<()> {
    let template = Template::read()?;
    let prices: toml::Table = fs::read_to_string(root().join("tests/bench/cost.toml"))?.parse()?;
    let price = |name: &str| -> Result<String> {
        let price =
            prices.get("prices").and_then(|prices| prices.get(name)?.as_float()).with_context(|| name.to_owned())?;
        // Metric math knows no exponents.
        Ok(format!("{price:.12}").trim_end_matches('0').to_owned())
    };
    let sum = |prefix: &str, ids: &[String]| {
        let ids: Vec<String> = ids.iter().map(|id| format!("{prefix}_{id}")).collect();
        format!("SUM([{}])", ids.join(","))
    };
    let default = template.document().pointer("/Globals/Function/MemorySize").and_then(Value::as_u64);
    let mut by_memory: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    let mut functions = Vec::new();
    let mut of_functions: Vec<(&str, &Value)> = template.resources("AWS::Serverless::Function").collect();
    of_functions.sort_by_key(|(id, _)| *id);
    for (id, function) in of_functions {
        let memory = function.get("MemorySize").and_then(Value::as_u64).or(default).context("no memory")?;
        by_memory.entry(memory).or_default().push(snake_case(id));
        functions.push(snake_case(id));
    }
    let queues: Vec<String> =
        consumed_queues(&template).iter().map(|id| snake_case(id.trim_end_matches("Queue"))).collect();
    let mut logs: Vec<&str> = template.resources("AWS::Logs::LogGroup").map(|(id, _)| id).collect();
    logs.sort_unstable();
    let logs: Vec<String> = logs.iter().map(|id| snake_case(id.trim_end_matches("Logs"))).collect();
    let indexes = properties(&template, "Table")?.get("GlobalSecondaryIndexes").and_then(Value::as_array);
    let indexes = indexes.into_iter().flatten().filter_map(|index| index.get("IndexName")?.as_str());
    let tables: Vec<String> = ["table"].into_iter().chain(indexes).chain(["sessions"]).map(str::to_owned).collect();
    let durations: Vec<String> = by_memory.iter().map(|(memory, ids)| format!("{}*{memory}", sum("d", ids))).collect();
    let expected = [
        (
            "lambda",
            format!(
                "({})/1024/1000*{}+{}*{}",
                durations.join("+"),
                price("lambda_gb_second")?,
                sum("i", &functions),
                price("lambda_request")?
            ),
        ),
        // Sent, received and deleted. Several messages are one request, so this is the most it can be.
        ("sqs", format!("({}*3+{})*{}", sum("s", &queues), sum("e", &queues), price("sqs_request")?)),
        (
            "dynamodb",
            format!("{}*{}+{}*{}", sum("w", &tables), price("write_unit")?, sum("r", &tables), price("read_unit")?),
        ),
        ("http", format!("requests*{}", price("http_api_request")?)),
        // Every event of the bus is sent to this queue.
        ("events", format!("s_delivery_events*{}", price("event")?)),
        ("logs", format!("{}/1000000000*{}", sum("l", &logs), price("log_gb")?)),
    ];
    let all = widgets(&template)?;
    let cost = all.iter().find(|it| it.pointer("/properties/title").is_some_and(|it| it == "Cost a day, USD"));
    let cost = cost.context("no widget of the cost")?;
    let shown: Vec<(&str, &str)> = lines(cost)
        .filter_map(|line| Some((line.last()?.get("id")?.as_str()?, line.last()?.get("expression")?.as_str()?)))
        .collect();
    let expected: Vec<(&str, &str)> = expected.iter().map(|(id, expression)| (*id, expression.as_str())).collect();
    assert_eq!(shown, expected, "left is shown, right follows from the template and the prices");
    Ok(())
}
