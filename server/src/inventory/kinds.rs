//! From a source as the configuration describes it to the collector that asks it.

use super::{
    Collector, Fault, FaultKind,
    file::File,
    https::Trust,
    vsphere::{Settings, Vsphere},
};
use shared::{
    config::{Finding, Source, SourceKind},
    inventory::Observation,
};
use std::{collections::BTreeSet, time::Duration};

/// A source is asked no more often, and no less.
const EVERY_MS: std::ops::RangeInclusive<i64> = 1_000..=86_400_000;

/// The collector of any kind of source.
#[derive(Debug)]
pub(super) enum Kind {
    File(File),
    Vsphere(Box<Vsphere>),
}

impl Kind {
    /// # Errors
    /// When the description cannot work, such as an address that is none.
    pub(super) fn of(source: &Source) -> Result<Self, Fault> {
        let every = Duration::from_millis(source.every.0.unsigned_abs());
        match source.kind {
            SourceKind::File => Ok(Self::File(File::new(&source.address, every))),
            SourceKind::Vsphere => Ok(Self::Vsphere(Box::new(vsphere(source, every)?))),
        }
    }
}

impl Collector for Kind {
    async fn next(&mut self) -> Result<Observation, Fault> {
        match self {
            Self::File(file) => file.next().await,
            Self::Vsphere(vsphere) => vsphere.next().await,
        }
    }
}

fn vsphere(source: &Source, every: Duration) -> Result<Vsphere, Fault> {
    let (Some(username), Some(password)) = (&source.username, &source.password) else {
        return Err(Fault::new(FaultKind::Refused, "a vCenter or an ESXi needs `username` and `password`"));
    };
    let trust = Trust::named(source.ca.as_deref(), source.fingerprint.as_deref())?;
    let mut settings = Settings::new(&source.address, username, password, trust);
    // It tells of VMs by itself; what it does not tell of is much, and changes seldom.
    settings.look_every = settings.look_every.max(every);
    Vsphere::new(settings)
}

/// What is wrong with the sources of a document.
#[must_use]
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ids = BTreeSet::new();
    for source in sources {
        let path = |field: &str| format!("sources[{}].{field}", source.id);
        let mut fault = |field: &str, message: String| {
            findings.push(Finding { path: path(field), message, fatal: true });
        };
        if source.id.as_str().is_empty() {
            fault("id", "a source needs an id".to_owned());
        }
        if !ids.insert(&source.id) {
            fault("id", format!("there are two sources with the id `{}`; ids are unique", source.id));
        }
        if !EVERY_MS.contains(&source.every.0) {
            fault("every", "a source can be asked from every second to once a day (1s to 1d)".to_owned());
        }
        if let Err(wrong) = Kind::of(source) {
            fault("address", wrong.message);
        }
    }
    findings
}
