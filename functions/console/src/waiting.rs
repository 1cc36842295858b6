//! How often and how long a request waits for the table, told with its answer. Exact where no call is given up.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;

tokio::task_local! {
    static WAITING: Cell<Waiting>;
}

/// What a request has waited.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Waiting {
    calls: u32,
    /// Calls after each other. Calls at once are one round.
    rounds: u32,
    under_way: u32,
    since: Option<Instant>,
    total: Duration,
}

/// Counts the calls of a client.
#[derive(Debug)]
pub(crate) struct CallCounter;

impl Waiting {
    /// Counts what a request waits.
    pub(crate) async fn count<T>(request: impl Future<Output = T>) -> (T, Self) {
        WAITING.scope(Cell::default(), async { (request.await, WAITING.with(Cell::get)) }).await
    }

    /// As an entry of the header `Server-Timing`.
    pub(crate) fn entry(self) -> String {
        let Self { calls, rounds, total, .. } = self;
        format!("table;dur={:.1};desc=\"{calls} calls in {rounds} rounds\"", total.as_secs_f64() * 1000.0)
    }

    fn begin(mut self) -> Self {
        self.calls += 1;
        if self.under_way == 0 {
            self.rounds += 1;
            self.since = Some(Instant::now());
        }
        self.under_way += 1;
        self
    }

    fn end(mut self) -> Self {
        self.under_way = self.under_way.saturating_sub(1);
        if self.under_way == 0 {
            self.total += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        }
        self
    }
}

/// Changes what the request has waited. A call outside of a request is not counted.
fn change(change: impl FnOnce(Waiting) -> Waiting) {
    let _ = WAITING.try_with(|waiting| waiting.set(change(waiting.get())));
}

impl Intercept for CallCounter {
    fn name(&self) -> &'static str {
        "CallCounter"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        change(Waiting::begin);
        Ok(())
    }

    fn read_after_execution(
        &self,
        _: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        change(Waiting::end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_at_once_are_one_round() {
        let request = async {
            for event in [Waiting::begin, Waiting::begin, Waiting::end, Waiting::end, Waiting::begin, Waiting::end] {
                change(event);
            }
        };
        let ((), waited) = Waiting::count(request).await;
        assert!(waited.entry().ends_with("desc=\"3 calls in 2 rounds\""), "{}", waited.entry());
        assert_eq!((waited.under_way, waited.since), (0, None));
        change(Waiting::begin);
    }
}
