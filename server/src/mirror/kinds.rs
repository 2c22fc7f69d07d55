//! From a backend as the configuration describes it to the driver that carries mirrors out on it.

use super::{
    Driver, Order, Outcome, Picked, Quiet, Removed, VsphereMirrors,
    dry_run::{Clock, DryRun},
    ovs::Ovs,
};
use crate::{
    clock,
    inventory::{self, Fault},
};
use shared::{
    config::{Backend, Finding},
    mirror::{BackendKind, Looked, Plan, SwitchView},
};
use std::{net::IpAddr, sync::Arc};

/// The driver of any kind of backend.
#[derive(Debug)]
pub enum Kind {
    Openvswitch(Box<Ovs>),
    Vsphere(Box<VsphereMirrors>),
    DryRun(Box<DryRun>),
}

impl Kind {
    /// # Errors
    /// When the description cannot work, such as an address that is none.
    pub fn of(backend: &Backend) -> Result<Self, Fault> {
        Ok(match backend.kind {
            BackendKind::Openvswitch => Self::Openvswitch(Box::new(Ovs::new(backend)?)),
            BackendKind::Vsphere => Self::Vsphere(Box::new(VsphereMirrors::new(backend)?)),
            BackendKind::DryRun => Self::DryRun(Box::new(dry_run(backend)?)),
        })
    }
}

/// With the machines of a list, where it names one.
fn dry_run(backend: &Backend) -> Result<DryRun, Fault> {
    let clock: Clock = Arc::new(clock::now);
    if backend.address.trim().is_empty() {
        return Ok(DryRun::new(backend.id.clone(), clock));
    }
    let machines = inventory::machines_of(&backend.address)?;
    Ok(DryRun::of(backend.id.clone(), clock, &machines))
}

/// Calls the driver that it is.
macro_rules! of_each {
    ($self:ident, $driver:ident => $call:expr) => {
        match $self {
            Self::Openvswitch($driver) => $call,
            Self::Vsphere($driver) => $call,
            Self::DryRun($driver) => $call,
        }
    };
}

impl Driver for Kind {
    async fn look(&self, remotes: &[IpAddr]) -> Result<Vec<SwitchView>, Fault> {
        of_each!(self, driver => driver.look(remotes).await)
    }

    fn plan(&self, order: &Order<'_>, view: &SwitchView) -> Result<Plan, String> {
        of_each!(self, driver => driver.plan(order, view))
    }

    async fn apply(&self, order: &Order<'_>, plan: &Plan) -> Outcome {
        of_each!(self, driver => driver.apply(order, plan).await)
    }

    async fn read(&self, order: &Order<'_>) -> Result<Looked, Fault> {
        of_each!(self, driver => driver.read(order).await)
    }

    async fn retag(&self, order: &Order<'_>) -> Result<(), Fault> {
        of_each!(self, driver => driver.retag(order).await)
    }

    async fn remove(&self, switch: Option<&str>, picked: Picked<'_>) -> Result<Vec<Removed>, Fault> {
        of_each!(self, driver => driver.remove(switch, picked).await)
    }

    fn progress(&self) -> Option<String> {
        of_each!(self, driver => driver.progress())
    }

    async fn quiet(&self, order: &Order<'_>) -> Result<Quiet, Fault> {
        of_each!(self, driver => driver.quiet(order).await)
    }
}

/// What is wrong with the backends of a document.
#[must_use]
pub fn check(backends: &[Backend]) -> Vec<Finding> {
    let wrong = |backend: &Backend| {
        let fault = Kind::of(backend).err()?;
        Some(Finding { path: format!("mirrors.backends[{}].address", backend.id), message: fault.message, fatal: true })
    };
    backends.iter().filter_map(wrong).collect()
}
