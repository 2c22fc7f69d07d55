//! What other senders push and exporters tell, as this server answers it and as its hosts show it.

mod forward;
mod listener;
mod mail;
mod push;
mod scrape;
mod syslog;
mod write;

use super::http::house;
use server::hosts::Hosts;
use std::time::Duration;

/// The newest value of a series of a host, if it has one.
fn latest(hosts: &Hosts, host: &str, series: &str) -> Option<f64> {
    let points = hosts.recent(host, &series.parse().unwrap(), 1, &|_| 0);
    points.first()?.points.last().map(|(_, value)| f64::from(*value))
}

/// Waits until something is so, for ten seconds at most.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain for {what}");
}
