//! From a backend as the configuration describes it to the driver that carries mirrors out on it.

use super::{Driver, Order, Outcome, Picked, Quiet, Removed};
use crate::inventory::{Fault, FaultKind};
use shared::{
    config::{Backend, Finding},
    mirror::{Looked, Plan, SwitchView},
};
use std::net::IpAddr;

/// The driver of any kind of backend.
#[derive(Debug)]
pub enum Kind {}

impl Kind {
    /// # Errors
    /// When the description cannot work, such as an address that is none.
    pub fn of(backend: &Backend) -> Result<Self, Fault> {
        Err(Fault::new(FaultKind::Unreadable, format!("no driver for {}", backend.id)))
    }
}

/// Calls the driver that it is.
macro_rules! of_each {
    ($self:ident, $driver:ident => $call:expr) => {
        match *$self {}
    };
}

impl Driver for Kind {
    async fn look(&self, _remotes: &[IpAddr]) -> Result<Vec<SwitchView>, Fault> {
        of_each!(self, driver => driver.look(remotes).await)
    }

    fn plan(&self, _order: &Order<'_>, _view: &SwitchView) -> Result<Plan, String> {
        of_each!(self, driver => driver.plan(order, view))
    }

    async fn apply(&self, _order: &Order<'_>, _plan: &Plan) -> Outcome {
        of_each!(self, driver => driver.apply(order, plan).await)
    }

    async fn read(&self, _order: &Order<'_>) -> Result<Looked, Fault> {
        of_each!(self, driver => driver.read(order).await)
    }

    async fn retag(&self, _order: &Order<'_>) -> Result<(), Fault> {
        of_each!(self, driver => driver.retag(order).await)
    }

    async fn remove(&self, _switch: Option<&str>, _picked: Picked<'_>) -> Result<Vec<Removed>, Fault> {
        of_each!(self, driver => driver.remove(switch, picked).await)
    }

    async fn quiet(&self, _order: &Order<'_>) -> Result<Quiet, Fault> {
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
