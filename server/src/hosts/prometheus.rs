//! What Prometheus and its exporters measure, as our hosts: read from their text or from remote write, and given our names.

mod instance;
mod node;
mod text;
mod write;

pub(super) use instance::Instance;
pub use text::{Exposition, READINGS_MAX, read};
pub use write::{INFLATED_MAX_BYTES, Unreadable, Written, written};

use std::sync::Arc;

/// A value that says that the series has ended: a NaN with this very payload (prometheus/model/value).
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// A series as its sender names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    pub name: String,
    /// In the order of their names; without `__name__`, `instance` and `job`, which say who was asked.
    pub labels: Vec<(String, String)>,
    /// Whether it counts up, where the sender says so.
    pub counter: Option<bool>,
}

/// A series and its value at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub series: Arc<Series>,
    pub value: f64,
}

impl Series {
    /// The value of a label; empty where there is none, which means the same.
    fn label(&self, name: &str) -> &str {
        self.labels.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value.as_str())
    }

    /// Whether it counts up. Remote write does not say, so names must: those of counters end in `_total` by convention, and
    /// what `node_exporter` takes over from the kernel without types is known.
    fn counts(&self) -> bool {
        const KERNEL_GAUGES: [&str; 2] = ["node_netstat_Tcp_CurrEstab", "node_netstat_Ip_Forwarding"];
        let name = self.name.as_str();
        self.counter.unwrap_or_else(|| {
            name.ends_with("_total")
                || name.starts_with("node_vmstat_")
                || (name.starts_with("node_netstat_") && !KERNEL_GAUGES.contains(&name))
                || name.ends_with("_sum")
                || name.ends_with("_count")
        })
    }
}

impl Reading {
    /// The series has ended.
    fn is_stale(&self) -> bool {
        self.value.to_bits() == STALE_BITS
    }
}
