//! Logs: one JSON object per line, with the timestamp and level that Lambda's log filter reads, and the trace's id.

use std::fmt;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::trace;

/// Dependencies that log every request at INFO.
const QUIET_TARGETS: [&str; 3] = ["hyper", "aws_smithy_runtime", "h2"];

/// Starts logging for this process. Call it once, first in `main`. Below INFO only our own package logs: at DEBUG, each
/// response of Meta.
///
/// The runtime crate's own subscriber is not used: it omits the timestamp. Lambda treats lines without one as INFO, so
/// that a filter at WARN would drop our errors. Nor is `EnvFilter`, which brings a regex engine into every binary.
pub fn init() {
    init_to(std::io::stdout);
}

/// Like [`init`], with the same lines for another writer: for programs that measure what is logged.
pub fn init_to<W>(writer: W)
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let level = crate::env::log_level().parse().unwrap_or(LevelFilter::INFO);
    let json = tracing_subscriber::fmt::layer().fmt_fields(JsonFields::new()).event_format(LogFormat::default());
    let json = json.with_writer(writer);
    tracing_subscriber::registry().with(json).with(targets(level)).init();
}

/// What is logged at a level.
fn targets(level: LevelFilter) -> Targets {
    let targets = Targets::new().with_default(level.min(LevelFilter::INFO)).with_target("leadwire", level);
    targets.with_targets(QUIET_TARGETS.map(|target| (target, LevelFilter::WARN)))
}

/// The lines of the log. Each begins with the id of its trace, if there is one.
struct LogFormat {
    json: Format<Json, SystemTime>,
}

impl Default for LogFormat {
    fn default() -> Self {
        let json = tracing_subscriber::fmt::format().json();
        Self { json: json.flatten_event(true).with_current_span(true).with_span_list(false) }
    }
}

impl<S, N> FormatEvent<S, N> for LogFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    Format<Json, SystemTime>: FormatEvent<S, N>,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(trace) = trace::current() else { return self.json.format_event(context, out, event) };
        let mut line = String::new();
        self.json.format_event(context, Writer::new(&mut line), event)?;
        write!(out, "{{\"trace\":\"{trace}\",{}", line.strip_prefix('{').unwrap_or(&line))
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use serde_json::Value;
    use tracing::Level;

    use super::*;
    use crate::trace::TraceId;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The runtime's lines of DEBUG have whole bodies.
    #[test]
    fn below_info_only_our_own_package_logs() {
        let logs = |level, target: &str, line: Level| targets(level).would_enable(target, &line);
        assert!(logs(LevelFilter::DEBUG, "leadwire::graph", Level::DEBUG));
        let others = ["lambda_runtime", "lambda_http", "reqwest::connect", "aws_smithy_runtime", "hyper"];
        assert!(others.iter().all(|target| !logs(LevelFilter::DEBUG, target, Level::DEBUG)));
        assert!(!logs(LevelFilter::INFO, "leadwire::graph", Level::DEBUG));
        assert!(!logs(LevelFilter::WARN, "leadwire::graph", Level::INFO));
        assert!(logs(LevelFilter::WARN, "lambda_runtime", Level::ERROR));
    }

    #[test]
    fn each_line_is_json_and_names_its_trace() {
        let written = Written::default();
        let writer = written.clone();
        let json = tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields::new())
            .event_format(LogFormat::default())
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(json), || {
            let trace = TraceId::parse("JKJaXmPLvHcESHA=").unwrap();
            trace.within(|| {
                tracing::info_span!("run", requestId = "r").in_scope(|| tracing::warn!(org = "a\"b", "one"));
            });
            tracing::info!("two");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let [one, two] = lines.as_slice() else { panic!("{text}") };
        assert_eq!(
            [&one["trace"], &one["level"], &one["message"], &one["org"]],
            ["JKJaXmPLvHcESHA=", "WARN", "one", "a\"b"]
        );
        assert_eq!(one["span"]["requestId"], "r");
        assert!(one["timestamp"].is_string() && two.get("trace").is_none() && two["message"] == "two");
    }
}
