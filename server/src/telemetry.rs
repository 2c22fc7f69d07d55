//! What the server measures of itself, as Prometheus text; every metric is named and described here.

mod process;

use crate::channels::Accepted;
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use shared::{Failure, host::Feed, timeline::Outcome};
use std::{collections::BTreeMap, sync::OnceLock};

static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();

/// Seconds; from a flush of a fast disk to a provider's last chance.
const BUCKETS: &[f64] = &[0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Begins to measure; the second call of a process changes nothing.
///
/// # Errors
/// When another recorder is installed.
pub fn install() -> Result<(), String> {
    if HANDLE.get().is_some() {
        return Ok(());
    }
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), BUCKETS)
        .map_err(|error| error.to_string())?;
    let handle = builder.install_recorder().map_err(|error| error.to_string())?;
    drop(HANDLE.set(handle));
    describe_counter!("tocsin_alerts_total", "Members of accepted messages by where they ended; the law of accounts");
    describe_counter!("tocsin_refused_total", "Requests to ingest that were refused, by reason");
    describe_counter!(
        "tocsin_syslog_messages_total",
        "Messages of syslog by transport and result: stored, passed over because they are no events, or lost"
    );
    describe_gauge!(
        "tocsin_syslog_ports_closed",
        "Ports for syslog, the forward protocol and mail that the configuration names and that could not be opened"
    );
    describe_counter!(
        "tocsin_forward_records_total",
        "Records of the forward protocol by result: stored, passed over because they are no events, unstored because nothing \
         could be stored and they were not acknowledged, lost, or broken"
    );
    describe_counter!(
        "tocsin_mail_messages_total",
        "Mails by result: stored, unstored because nothing could be stored and their senders were told so, or too large"
    );
    describe_counter!("tocsin_deliveries_total", "Tries of deliveries by channel and result");
    describe_counter!("tocsin_commits_total", "Transactions of the engine");
    describe_counter!("tocsin_store_failures_total", "Commits the store refused");
    describe_histogram!("tocsin_commit_seconds", Unit::Seconds, "How long a commit took");
    describe_histogram!("tocsin_batch_messages", "Messages committed together");
    describe_histogram!("tocsin_delivery_seconds", Unit::Seconds, "How long a channel took to answer");
    describe_histogram!("tocsin_lateness_seconds", Unit::Seconds, "How late due decisions were taken");
    describe_counter!(
        "tocsin_host_values_left_out_total",
        "Values that others pushed or exporters told and that were not taken, by feed and reason"
    );
    describe_gauge!("tocsin_open_incidents", "Incidents that are not resolved");
    describe_gauge!("tocsin_deliveries_due", "Deliveries that wait for a slot");
    describe_gauge!("tocsin_deliveries_in_flight", "Deliveries under way");
    describe_gauge!("tocsin_queue", "Messages and actions that wait for the engine");
    describe_gauge!("tocsin_browsers", "Live connections");
    describe_gauge!("tocsin_hosts", "Monitored machines by state: live, late or silent");
    describe_counter!("tocsin_host_samples_total", "Samples of hosts that were taken, by feed");
    describe_counter!("tocsin_host_values_total", "Values in these samples");
    describe_gauge!("tocsin_rules", "Threshold rules and series by how they stand: firing, holding, fine or unknown");
    describe_gauge!("tocsin_build_info", "Always 1; the version of this program is its label");
    process::describe();
    gauge!("tocsin_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    describe_gauge!(
        "tocsin_clock_offset_seconds",
        Unit::Seconds,
        "How far the wall clock is ahead of the engine's time; 0 unless it was set"
    );
    Ok(())
}

/// Everything measured so far, as Prometheus text.
#[must_use]
pub fn render() -> String {
    process::read();
    HANDLE.get().map(PrometheusHandle::render).unwrap_or_default()
}

pub(crate) fn ingested(outcomes: &[Outcome]) {
    for outcome in outcomes {
        counter!("tocsin_alerts_total", "outcome" => outcome.name()).increment(1);
    }
}

pub(crate) fn refused(reason: &'static str) {
    counter!("tocsin_refused_total", "reason" => reason).increment(1);
}

/// Messages of syslog; those posted over HTTP are counted here only when they are passed over.
pub(crate) fn logged(transport: &'static str, result: &'static str, messages: u64) {
    if messages > 0 {
        counter!("tocsin_syslog_messages_total", "transport" => transport, "result" => result).increment(messages);
    }
}

/// Records of the forward protocol.
pub(crate) fn forwarded(result: &'static str, records: u64) {
    if records > 0 {
        counter!("tocsin_forward_records_total", "result" => result).increment(records);
    }
}

/// Mails, and recipients that were refused.
pub(crate) fn mailed(result: &'static str, mails: u64) {
    if mails > 0 {
        counter!("tocsin_mail_messages_total", "result" => result).increment(mails);
    }
}

/// Ports that should be open and are not.
pub(crate) fn deaf(ports: usize) {
    gauge!("tocsin_syslog_ports_closed").set(ports as f64);
}

pub(crate) fn left_out(feed: &'static str, reason: &'static str, values: u64) {
    if values > 0 {
        counter!("tocsin_host_values_left_out_total", "feed" => feed, "reason" => reason).increment(values);
    }
}

pub(crate) fn committed(messages: usize, took_ms: i64) {
    counter!("tocsin_commits_total").increment(1);
    histogram!("tocsin_commit_seconds").record(seconds(took_ms));
    if messages > 0 {
        histogram!("tocsin_batch_messages").record(messages as f64);
    }
}

pub(crate) fn store_failed() {
    counter!("tocsin_store_failures_total").increment(1);
}

pub(crate) fn delivered(channel: &'static str, result: &Result<Accepted, Failure>, took_ms: i64) {
    let result = match result {
        Ok(_) => "accepted",
        Err(Failure { permanent: true, .. }) => "permanent",
        Err(Failure { ambiguous: true, .. }) => "ambiguous",
        Err(_) => "transient",
    };
    counter!("tocsin_deliveries_total", "channel" => channel, "result" => result).increment(1);
    histogram!("tocsin_delivery_seconds").record(seconds(took_ms));
}

pub(crate) fn late(late_ms: i64) {
    histogram!("tocsin_lateness_seconds").record(seconds(late_ms));
}

pub(crate) fn vitals(open: usize, due: usize, in_flight: usize, queue: u32) {
    gauge!("tocsin_open_incidents").set(open as f64);
    gauge!("tocsin_deliveries_due").set(due as f64);
    gauge!("tocsin_deliveries_in_flight").set(in_flight as f64);
    gauge!("tocsin_queue").set(f64::from(queue));
}

pub(crate) fn clock_offset(offset_ms: i64) {
    gauge!("tocsin_clock_offset_seconds").set(seconds(offset_ms));
}

pub(crate) fn browsers(count: u32) {
    gauge!("tocsin_browsers").set(f64::from(count));
}

pub(crate) fn measured(feed: Feed, samples: usize, values: usize) {
    let feed = match feed {
        Feed::Agent => "agent",
        Feed::Own => "own",
        Feed::Falcon => "falcon",
        Feed::RemoteWrite => "remote_write",
        Feed::Scrape => "scrape",
    };
    counter!("tocsin_host_samples_total", "feed" => feed).increment(samples as u64);
    counter!("tocsin_host_values_total", "feed" => feed).increment(values as u64);
}

pub(crate) fn hosts(live: usize, late: usize, silent: usize) {
    for (state, n) in [("live", live), ("late", late), ("silent", silent)] {
        gauge!("tocsin_hosts", "state" => state).set(n as f64);
    }
}

pub(crate) fn rules(by_state: &BTreeMap<&'static str, usize>) {
    for state in ["firing", "holding", "fine", "unknown"] {
        gauge!("tocsin_rules", "state" => state).set(by_state.get(state).copied().unwrap_or_default() as f64);
    }
}

fn seconds(ms: i64) -> f64 {
    ms as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Words that begin as our metrics do, without what a histogram adds to its name.
    fn named(text: &str) -> BTreeSet<String> {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        let ours = words.filter(|word| word.starts_with("tocsin_") || word.starts_with("process_"));
        let plain = |word: &str| {
            let ends = ["_bucket", "_sum", "_count"];
            ends.iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word).to_owned()
        };
        ours.map(plain).collect()
    }

    fn described() -> BTreeSet<String> {
        let source = [include_str!("telemetry.rs"), include_str!("telemetry/process.rs")].concat();
        let calls = source.split("describe_").skip(1).filter_map(|call| call.split('"').nth(1));
        calls.flat_map(named).collect()
    }

    #[test]
    fn the_dashboard_shows_every_metric_and_none_that_is_not_there() {
        let dashboard = include_str!("../../docs/grafana/tocsin.json");
        let read: serde_json::Value = serde_json::from_str(dashboard).unwrap();
        let panels = read["panels"].as_array().unwrap();
        let asked = panels.iter().flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
        let asked: BTreeSet<String> = asked.flat_map(|target| named(target["expr"].as_str().unwrap())).collect();
        assert_eq!(asked, described());
    }

    #[test]
    fn what_is_rendered_is_named_and_counts_this_process() {
        install().unwrap();
        measured(Feed::Agent, 3, 600);
        hosts(1, 2, 3);
        let text = render();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let names: BTreeSet<String> = lines.flat_map(|line| named(line.split(['{', ' ']).next().unwrap())).collect();
        assert!(names.is_subset(&described()), "{names:?}");
        let resident = text.lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
        assert!(resident.unwrap().parse::<f64>().unwrap() > 1e6, "{text}");
        assert!(text.contains("tocsin_hosts{state=\"silent\"} 3"), "{text}");
    }
}
