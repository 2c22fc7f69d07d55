//! Reads Prometheus remote write 1.0: protocol buffers in a block of snappy
//! (prometheus.io/docs/specs/prw/remote_write_spec).

use super::{super::memory::AHEAD_MS, Reading, Series};
use prost::Message;
use shared::Timestamp;
use std::sync::Arc;

/// The largest body after inflation. A Prometheus sends some hundred thousand bytes; vmagent up to this.
pub const INFLATED_MAX_BYTES: usize = 8 << 20;
/// Longer names and values of labels are cut by whoever sends, or are none.
const LABELS_MAX: usize = 64;

/// What a Prometheus wrote, each reading with the instance it is of and its instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    pub readings: Vec<(Arc<str>, Timestamp, Reading)>,
    /// Values of no instance, such as those of recording rules.
    pub left_out: u64,
    /// Values from later than a host takes: a clock is wrong, and nothing would be newer for as long.
    pub ahead: u64,
}

/// Why a body is no remote write.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("the body is no block of snappy: {0}")]
    Snappy(#[from] snap::Error),
    #[error(
        "the body has {0} bytes after inflation; at most {INFLATED_MAX_BYTES} are taken, so lower max_samples_per_send"
    )]
    TooLarge(usize),
    #[error("the body is no prometheus.WriteRequest: {0}")]
    Protobuf(#[from] prost::DecodeError),
}

/// Reads a body as it came.
///
/// # Errors
/// When it is none, or too large.
pub fn written(body: &[u8], now: Timestamp) -> Result<Written, Unreadable> {
    let bytes = snap::raw::decompress_len(body)?;
    if bytes > INFLATED_MAX_BYTES {
        return Err(Unreadable::TooLarge(bytes));
    }
    let inflated = snap::raw::Decoder::new().decompress_vec(body)?;
    let request = WriteRequest::decode(inflated.as_slice())?;
    let mut written = Written::default();
    for TimeSeries { labels, samples } in request.timeseries {
        let Some((instance, series)) = series(labels) else {
            written.left_out += samples.len() as u64;
            continue;
        };
        for Sample { value, timestamp } in samples {
            let at = Timestamp::from_ms(timestamp);
            if timestamp <= 0 || at.ms_since(now) > AHEAD_MS {
                written.ahead += 1;
            } else {
                written.readings.push((Arc::clone(&instance), at, Reading { series: Arc::clone(&series), value }));
            }
        }
    }
    Ok(written)
}

/// The instance and the series, if it is of one.
fn series(labels: Vec<Label>) -> Option<(Arc<str>, Arc<Series>)> {
    let (mut instance, mut series) = (None, Series::default());
    for Label { name, value } in labels.into_iter().take(LABELS_MAX).filter(|label| !label.value.is_empty()) {
        match name.as_str() {
            "__name__" => series.name = value,
            "instance" => instance = Some(Arc::from(value)),
            "job" => {}
            _ => series.labels.push((name, value)),
        }
    }
    series.labels.sort();
    instance.filter(|_| !series.name.is_empty()).map(|instance| (instance, Arc::new(series)))
}

/// `prometheus.WriteRequest` (prometheus/prompb/remote.proto), of which metadata is passed over.
#[derive(Clone, PartialEq, Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

/// Of `prometheus.TimeSeries`, exemplars and native histograms are passed over.
#[derive(Clone, PartialEq, Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    /// Milliseconds since 1970.
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_ms(1_795_000_000_000);

    fn time_series(labels: &[(&str, &str)], samples: &[(f64, i64)]) -> TimeSeries {
        let label = |(name, value): &(&str, &str)| Label { name: (*name).to_owned(), value: (*value).to_owned() };
        let sample = |(value, timestamp): &(f64, i64)| Sample { value: *value, timestamp: *timestamp };
        TimeSeries { labels: labels.iter().map(label).collect(), samples: samples.iter().map(sample).collect() }
    }

    fn body(timeseries: Vec<TimeSeries>) -> Vec<u8> {
        snap::raw::Encoder::new().compress_vec(&WriteRequest { timeseries }.encode_to_vec()).unwrap()
    }

    #[test]
    fn values_come_with_their_instance_and_instant() {
        let at = NOW.ms() - 1_000;
        let body = body(vec![
            time_series(
                &[
                    ("__name__", "node_load1"),
                    ("instance", "web:9100"),
                    ("job", "node"),
                    ("z", "1"),
                    ("a", "2"),
                    ("e", ""),
                ],
                &[(0.5, at), (0.6, NOW.ms() + AHEAD_MS + 1), (f64::from_bits(super::super::STALE_BITS), NOW.ms())],
            ),
            time_series(&[("__name__", "job:up:sum")], &[(1.0, at), (1.0, at)]),
            time_series(&[("instance", "web:9100")], &[(1.0, at)]),
        ]);
        let written = written(&body, NOW).unwrap();
        assert_eq!((written.readings.len(), written.left_out, written.ahead), (2, 3, 1));
        let (instance, first_at, reading) = &written.readings[0];
        assert_eq!((&**instance, first_at.ms(), reading.value), ("web:9100", at, 0.5));
        assert_eq!(reading.series.name, "node_load1");
        assert_eq!(reading.series.labels, [("a".to_owned(), "2".to_owned()), ("z".to_owned(), "1".to_owned())]);
        assert!(written.readings[1].2.is_stale() && !reading.is_stale());
    }

    #[test]
    fn what_is_none_and_what_is_too_much_is_refused() {
        assert!(matches!(written(b"plain", NOW), Err(Unreadable::Snappy(_))));
        assert!(matches!(written(b"", NOW), Err(Unreadable::Snappy(_))));
        let garbled = snap::raw::Encoder::new().compress_vec(b"\xff\xff\xff").unwrap();
        assert!(matches!(written(&garbled, NOW), Err(Unreadable::Protobuf(_))));
        let bomb = snap::raw::Encoder::new().compress_vec(&vec![0; INFLATED_MAX_BYTES + 1]).unwrap();
        assert!(bomb.len() < 1 << 20);
        let refused = written(&bomb, NOW).unwrap_err();
        assert!(matches!(refused, Unreadable::TooLarge(_)) && refused.to_string().contains("max_samples_per_send"));
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _plain = written(&bytes, NOW);
            let packed = snap::raw::Encoder::new().compress_vec(&bytes).unwrap();
            let _packed = written(&packed, NOW);
        }
    }
}
