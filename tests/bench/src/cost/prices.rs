//! What things cost, from `tests/bench/cost.toml`.

use e2e::fake_aws::Delays;
use serde::Deserialize;

use super::aws::Usage;

#[derive(Debug, Deserialize)]
pub(super) struct CostFile {
    /// Bytes that the webhook logs for a delivery. Measured, not in the file.
    #[serde(skip)]
    pub(super) webhook_log_bytes: f64,
    pub(super) prices: Prices,
    pub(super) milliseconds: Delays,
    pub(super) assumptions: Assumptions,
    pub(super) memory_mb: MemoryMb,
    pub(super) budgets: Budgets,
}

#[derive(Debug, Deserialize)]
pub(super) struct Prices {
    pub(super) http_api_request: f64,
    lambda_request: f64,
    lambda_gb_second: f64,
    pub(super) sqs_request: f64,
    write_unit: f64,
    pub(super) read_unit: f64,
    pub(super) secret_month: f64,
    pub(super) secret_call: f64,
    event: f64,
    log_gb: f64,
    pub(super) metric_month: f64,
    pub(super) alarm_month: f64,
    pub(super) composite_alarm_month: f64,
    pub(super) dashboard_month: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Assumptions {
    pub(super) webhook_ms: f64,
    pub(super) gateway_log_bytes: f64,
    pub(super) secret_calls_per_lead: f64,
    pub(super) secret_calls_per_sync: f64,
    pub(super) sweeps_per_invocation: f64,
    pub(super) daily_check_usd: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct MemoryMb {
    pub(super) webhook: f64,
    pub(super) lead_worker: f64,
    pub(super) lead_sweep: f64,
    pub(super) engagement_worker: f64,
    pub(super) delivery_worker: f64,
    pub(super) ads_sync: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Budgets {
    pub(super) typical: f64,
    pub(super) burst: f64,
    pub(super) one_page: f64,
    pub(super) idle_tenant: f64,
    pub(super) ads_unchanged: f64,
    pub(super) messages: f64,
    pub(super) events_unheard: f64,
    pub(super) events_delivered: f64,
    pub(super) burst_write_units: f64,
    pub(super) burst_graph_requests: f64,
    pub(super) burst_sqs_requests: f64,
    pub(super) conflicts: f64,
    pub(super) list_units: f64,
    pub(super) search_units: f64,
    pub(super) export: f64,
    pub(super) log_bytes_webhook: f64,
    pub(super) log_bytes_lead: f64,
    pub(super) log_bytes_burst_lead: f64,
    pub(super) log_bytes_message: f64,
    pub(super) watching: f64,
}

impl CostFile {
    pub(super) fn read() -> anyhow::Result<Self> {
        Ok(toml::from_str(include_str!("../../cost.toml"))?)
    }
}

impl Prices {
    pub(super) fn lambda(&self, invocations: f64, milliseconds: f64, memory_mb: f64) -> f64 {
        invocations * self.lambda_request + milliseconds / 1000.0 * memory_mb / 1024.0 * self.lambda_gb_second
    }

    /// What it costs to log this.
    pub(super) fn log(&self, bytes: f64) -> f64 {
        bytes / 1e9 * self.log_gb
    }

    /// The parts of a bill for what was used, by a function with this much memory.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub(super) fn bill(&self, usage: &Usage, memory_mb: f64) -> Vec<(&'static str, f64)> {
        let used = &usage.of_services;
        vec![
            ("Lambda", self.lambda(usage.invocations, usage.lambda_ms, memory_mb)),
            ("SQS", used.sqs_requests as f64 * self.sqs_request),
            ("DynamoDB writes", used.write_units * self.write_unit),
            ("DynamoDB reads", used.read_units * self.read_unit),
            ("EventBridge", used.events as f64 * self.event),
            ("Secrets Manager", used.secret_calls as f64 * self.secret_call),
            ("logs", self.log(usage.log_bytes)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use leadwire::model::operations::cost::{LIST_PRICES, ListPrices};

    use super::*;

    /// The page of operations estimates by the same prices.
    #[test]
    fn the_console_has_the_same_prices() -> anyhow::Result<()> {
        let Prices { lambda_request, lambda_gb_second, write_unit, read_unit, .. } = CostFile::read()?.prices;
        assert_eq!(
            ListPrices { function_call: lambda_request, gb_second: lambda_gb_second, write_unit, read_unit },
            LIST_PRICES
        );
        Ok(())
    }
}
