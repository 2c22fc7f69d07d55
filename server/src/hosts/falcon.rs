//! What Open-Falcon's agents push: which of it is valid, and what it is called here.
//!
//! The rules are those of Open-Falcon's `transfer`. Names stay as they are sent: the catalogue of metrics is Open-Falcon's.
//! Where it knows another name or unit for the same thing, that series is added.

mod machine;
mod rpc;

pub use rpc::listen;

pub(super) use machine::Endpoint;

use super::{given, memory::AHEAD_MS};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use shared::{Timestamp, host::SERIES_MAX_BYTES};

/// Seconds are never so many, milliseconds always are.
const SECONDS_MAX: i64 = 9_999_999_999;
/// The longest step that is believed.
const STEP_MAX_S: i64 = 86_400;

/// One value as it is sent. What is missing or null is empty, as in the original.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Metric {
    #[serde(deserialize_with = "or_empty")]
    metric: String,
    #[serde(deserialize_with = "or_empty")]
    endpoint: String,
    value: Value,
    /// Seconds.
    #[serde(deserialize_with = "or_empty")]
    step: i64,
    #[serde(rename = "counterType", deserialize_with = "or_empty")]
    counter_type: String,
    #[serde(deserialize_with = "or_empty")]
    tags: String,
    #[serde(deserialize_with = "or_empty")]
    timestamp: i64,
}

fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// One valid value.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    pub endpoint: String,
    pub at: Timestamp,
    /// The series, under the name it has here.
    pub series: String,
    pub value: f64,
    /// It counts up, and how fast is what is wanted. Open-Falcon does the same with COUNTER and DERIVE: the difference by
    /// the time, and nothing when it is negative.
    pub counts: bool,
    pub step_ms: i64,
}

/// The values of a body: an array, or a single one as Nightingale takes it. `null` is an empty array.
///
/// # Errors
/// When it is neither, or a field is of another type than it should be.
pub fn read(body: &[u8]) -> Result<Vec<Option<Metric>>, serde_json::Error> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first == Some(&b'{') {
        return serde_json::from_slice(body).map(|one| vec![Some(one)]);
    }
    serde_json::from_slice::<Option<_>>(body).map(Option::unwrap_or_default)
}

impl Metric {
    /// The value, if it is valid.
    #[must_use]
    pub fn valid(&self, now: Timestamp) -> Option<Point> {
        let counts = match self.counter_type.as_str() {
            "GAUGE" => false,
            "COUNTER" | "DERIVE" => true,
            _ => return None,
        };
        let long = self.metric.len() + self.tags.len() > SERIES_MAX_BYTES;
        // Old agents send their name as a metric, whose value is a text.
        if self.metric.is_empty() || self.metric == "kernel.hostname" || long || !given::is_host(&self.endpoint) {
            return None;
        }
        let value = match &self.value {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.parse().ok()?,
            _ => return None,
        };
        let step = 1..=STEP_MAX_S;
        if !f64::is_finite(value) || self.step <= 0 {
            return None;
        }
        let tags = self.tags.split(',').filter_map(|tag| tag.split_once('='));
        Some(Point {
            endpoint: self.endpoint.clone(),
            at: when(self.timestamp, now),
            series: given::series(&self.metric, tags)?,
            value,
            counts,
            step_ms: self.step.clamp(*step.start(), *step.end()) * 1_000,
        })
    }
}

/// What says that it is later than a host takes, is taken for now: a clock is wrong.
fn when(timestamp: i64, now: Timestamp) -> Timestamp {
    let ms = if timestamp > SECONDS_MAX { timestamp } else { timestamp.saturating_mul(1_000) };
    let at = Timestamp::from_ms(ms);
    if ms <= 0 || at.ms_since(now) > AHEAD_MS { now } else { at }
}

/// What `transfer` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Reply {
    message: &'static str,
    total: usize,
    invalid: usize,
    /// Milliseconds.
    latency: i64,
}

impl Reply {
    /// To so many values, of which so many were not valid.
    #[must_use]
    pub const fn new(total: usize, invalid: usize, latency_ms: i64) -> Self {
        Self { message: "ok", total, invalid, latency: latency_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

    fn metric(change: Value) -> Value {
        let mut metric = json!({
            "metric": "cpu.idle", "endpoint": "web01", "value": 93.5, "step": 60, "counterType": "GAUGE", "tags": "",
            "timestamp": 1_794_999_990,
        });
        let (Some(metric_map), Value::Object(change)) = (metric.as_object_mut(), change) else { unreachable!() };
        metric_map.extend(change);
        metric
    }

    fn valid(change: Value) -> Option<Point> {
        let mut read = read(metric(change).to_string().as_bytes()).unwrap();
        read.remove(0).unwrap().valid(NOW)
    }

    #[test]
    fn a_value_is_valid_as_transfer_says() {
        let point = valid(json!({})).unwrap();
        assert_eq!((point.series.as_str(), point.value, point.counts), ("cpu.idle", 93.5, false));
        assert_eq!((point.at.ms(), point.step_ms), (1_794_999_990_000, 60_000));
        for change in [
            json!({ "metric": "" }),
            json!({ "metric": null }),
            json!({ "metric": "kernel.hostname", "value": "web01" }),
            json!({ "endpoint": "" }),
            json!({ "endpoint": "web\n01" }),
            json!({ "counterType": "gauge" }),
            json!({ "counterType": "" }),
            json!({ "value": "" }),
            json!({ "value": "fast" }),
            json!({ "value": "NaN" }),
            json!({ "value": null }),
            json!({ "value": true }),
            json!({ "value": [1] }),
            json!({ "step": 0 }),
            json!({ "step": -60 }),
            json!({ "metric": "m".repeat(500), "tags": "a=bcdefghij" }),
        ] {
            assert_eq!(valid(change.clone()), None, "{change}");
        }
        assert!(valid(json!({ "metric": "m".repeat(500), "tags": "a=bcdefgh" })).is_some());
        assert_eq!(valid(json!({ "value": "-1.5e3" })).unwrap().value, -1_500.0);
        assert!(valid(json!({ "counterType": "COUNTER" })).unwrap().counts);
        assert!(valid(json!({ "counterType": "DERIVE" })).unwrap().counts);
    }

    #[test]
    fn an_instant_that_cannot_be_is_now() {
        for (timestamp, at) in [
            (0, NOW.ms()),
            (-5, NOW.ms()),
            (3_590_000_001, NOW.ms()),
            (i64::MAX, NOW.ms()),
            (1_795_000_060, 1_795_000_060_000),
            (1_795_000_061, NOW.ms()),
            (1_794_999_990_123, 1_794_999_990_123),
        ] {
            assert_eq!(valid(json!({ "timestamp": timestamp })).unwrap().at.ms(), at, "{timestamp}");
        }
    }

    #[test]
    fn tags_are_sorted_and_what_is_none_is_passed_over() {
        let series = |tags: &str| valid(json!({ "metric": "df.bytes.used", "tags": tags })).unwrap().series;
        assert_eq!(series("mount=/data, fstype=ext4"), "df.bytes.used/fstype=ext4,mount=/data");
        assert_eq!(series("mount,fstype=,=x,a=b=c"), "df.bytes.used/a=b=c,fstype=");
    }

    #[test]
    fn a_body_is_an_array_or_a_single_value() {
        let one = metric(json!({}));
        assert_eq!(read(one.to_string().as_bytes()).unwrap().len(), 1);
        assert_eq!(read(json!([one, null, one]).to_string().as_bytes()).unwrap().len(), 3);
        assert_eq!(read(b" null ").unwrap().len(), 0);
        for body in ["", "{", "[1]", "\"x\"", "[{\"step\":\"60\"}]", "[{\"timestamp\":1.5}]", "[{\"metric\":7}]"] {
            assert!(read(body.as_bytes()).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
            for metric in read(&body).into_iter().flatten().flatten() {
                let _point = metric.valid(NOW);
            }
        }

        #[test]
        fn what_is_valid_names_a_series(
            metric in "\\PC{0,20}", endpoint in "\\PC{0,20}", tags in "\\PC{0,40}", value in any::<f64>(),
            timestamp in any::<i64>(), step in any::<i64>()
        ) {
            let value = json!(value);
            let counter_type = "GAUGE".to_owned();
            let metric = Metric { metric, endpoint, value, step, counter_type, tags, timestamp };
            if let Some(point) = metric.valid(NOW) {
                let name: shared::host::SeriesName = point.series.parse().unwrap();
                prop_assert_eq!(name.to_string(), point.series);
                prop_assert!(point.at.ms() > 0 && point.value.is_finite() && point.step_ms > 0);
            }
        }
    }
}
