//! The values of one sample as they are gathered, each under the name of its series.

use shared::{agent::SERIES_MAX, host::SERIES_MAX_BYTES};
use std::collections::BTreeMap;

/// Values under names, in the order in which they are measured.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) names: Vec<String>,
    pub(super) values: Vec<Option<f64>>,
    /// What cannot be measured, and why.
    pub(super) missing: BTreeMap<&'static str, String>,
}

impl Values {
    /// A value of the whole machine.
    pub(super) fn put(&mut self, metric: &str, value: impl Into<Option<f64>>) {
        self.push(metric.to_owned(), value.into());
    }

    /// A value of a part of the machine. Tags are in the order of their names.
    pub(super) fn put_of(&mut self, metric: &str, tags: &[(&str, &str)], value: impl Into<Option<f64>>) {
        let mut name = metric.to_owned();
        for (n, (tag, text)) in tags.iter().enumerate() {
            name.push(if n == 0 { '/' } else { ',' });
            name.push_str(tag);
            name.push('=');
            name.push_str(&plain(text));
        }
        self.push(name, value.into());
    }

    fn push(&mut self, name: String, value: Option<f64>) {
        if self.names.len() >= SERIES_MAX || name.len() > SERIES_MAX_BYTES {
            return;
        }
        self.names.push(name);
        // A thousandth is finer than anything that is measured, and short to write.
        self.values.push(value.filter(|it| it.is_finite()).map(|it| (it * 1_000.0).round() / 1_000.0));
    }

    /// Notes that something cannot be measured.
    pub(super) fn lacks(&mut self, what: &'static str, why: impl Into<String>) {
        self.missing.insert(what, why.into());
    }
}

/// The value of a tag, as a name of a series can hold it.
fn plain(text: &str) -> String {
    text.trim().chars().map(|c| if c == ',' || c.is_control() { '_' } else { c }).collect()
}

/// By how much a counter grew in a second; none when it went back.
pub(super) fn rate(before: u64, now: u64, seconds: f64) -> Option<f64> {
    now.checked_sub(before).filter(|_| seconds > 0.0).map(|grown| grown as f64 / seconds)
}

/// The same, of counters that may not be there.
pub(super) fn rate_of(before: Option<u64>, now: Option<u64>, seconds: f64) -> Option<f64> {
    rate(before?, now?, seconds)
}

/// A part of a whole, of a hundred; none of nothing.
pub(super) fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::host::SeriesName;

    #[test]
    fn a_counter_that_went_back_says_nothing() {
        assert_eq!((rate(10, 30, 2.0), rate(30, 10, 2.0), rate(1, 2, 0.0)), (Some(10.0), None, None));
        assert_eq!((rate_of(None, Some(1), 1.0), rate_of(Some(1), Some(1), 1.0)), (None, Some(0.0)));
        assert_eq!((percent(1, 4), percent(0, 0)), (Some(25.0), None));
    }

    #[test]
    fn no_host_has_more_series_than_are_taken_and_no_value_that_is_none() {
        let mut out = Values::default();
        out.put("load.1min", f64::NAN);
        out.put("load.5min", 1.000_4);
        for n in 0..2 * SERIES_MAX {
            out.put_of("cpu.core.busy", &[("core", &n.to_string())], 1.0);
        }
        assert_eq!((out.names.len(), out.values.len()), (SERIES_MAX, SERIES_MAX));
        assert_eq!(out.values[..2], [None, Some(1.0)]);
    }

    proptest! {
        #[test]
        fn every_name_is_one_that_can_be_read(text in ".{0,600}") {
            let mut out = Values::default();
            out.put_of("df.bytes.used", &[("fstype", "ext4"), ("mount", &text)], 1.0);
            for name in out.names {
                let read = name.parse::<SeriesName>().unwrap();
                prop_assert_eq!(read.to_string(), name);
            }
        }
    }
}
