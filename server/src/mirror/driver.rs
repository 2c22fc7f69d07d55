//! What every driver of a kind of switch can do. The contract's tests run against all of them.

use crate::inventory::Fault;
use shared::{
    MirrorId,
    mirror::{Counters, Looked, MirrorSpec, MirrorTag, Plan, SwitchView},
    net::Mac,
};
use std::{future::Future, net::IpAddr};

/// What is to be in a switch.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// Of the plan and the checks; `backend`, `switch` and `expires_at` are filled in.
    pub spec: &'a MirrorSpec,
    /// The ports of the sources as they are now, in the order of the specification.
    pub sources: &'a [(Mac, String)],
    /// What stands on it. Its mirror's number is 0 while it is only planned.
    pub tag: &'a MirrorTag,
}

/// What came of sending a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was read back as planned; also when it was there already.
    Applied(Option<Counters>),
    /// The switch has nothing of it: why.
    Refused(String),
    /// Nobody knows whether the switch has something of it: why. It has to be stopped.
    Unknown(String),
}

/// Which tagged objects are to be removed.
#[derive(Clone, Copy)]
pub struct Picked<'a>(pub &'a (dyn Fn(&MirrorTag) -> bool + Send + Sync));

/// What is counted where copies went, after a mirror is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// Nothing was counted since the mirror was read back as gone.
    Flat,
    Counted,
    /// There is no counter left that could tell; that it is absent is all that can be said.
    Untold,
}

/// Mirrors on one backend. Only what carries a Tocsin's tag is ever changed or removed, and promiscuity never.
pub trait Driver: Send + Sync {
    /// Its switches as they are now. For `remotes` it finds out through which port the switch's host reaches them, where
    /// it can.
    ///
    /// # Errors
    /// When it does not answer, refuses us, or answers what cannot be read.
    fn look(&self, remotes: &[IpAddr]) -> impl Future<Output = Result<Vec<SwitchView>, Fault>> + Send;

    /// What would be sent, with [`MIRROR_MARK`] and [`REVISION_MARK`] where these stand; pure, and the same for the same
    /// order and ports. `hash` is empty.
    ///
    /// # Errors
    /// What the order lacks, or the switch cannot do, in words that say how to mend it.
    ///
    /// [`MIRROR_MARK`]: shared::mirror::MIRROR_MARK
    /// [`REVISION_MARK`]: shared::mirror::REVISION_MARK
    fn plan(&self, order: &Order<'_>, view: &SwitchView) -> Result<Plan, String>;

    /// Sends the plan, guarded by the state it was made for, and reads it back. A mirror of this tag that is there already
    /// as planned is left as it is.
    fn apply(&self, order: &Order<'_>, plan: &Plan) -> impl Future<Output = Outcome> + Send;

    /// How the mirror of this tag is now.
    ///
    /// # Errors
    /// Those of [`Driver::look`].
    fn read(&self, order: &Order<'_>) -> impl Future<Output = Result<Looked, Fault>> + Send;

    /// Writes the tag's new end into the switch.
    ///
    /// # Errors
    /// Those of [`Driver::look`], and when it is not there.
    fn retag(&self, order: &Order<'_>) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Removes what is tagged and picked, on one switch or all, at once; reads back that it is gone, and gives what it
    /// had counted at last, by number. What is gone already is no fault. Works with nothing but the switch's database.
    ///
    /// # Errors
    /// Those of [`Driver::look`], and when something is still there.
    fn remove(
        &self,
        switch: Option<&str>,
        picked: Picked<'_>,
    ) -> impl Future<Output = Result<Vec<Removed>, Fault>> + Send;

    /// What the backend says of the task that is under way for us, if it says so: `running, 40 %`.
    fn progress(&self) -> Option<String> {
        None
    }

    /// Whether copies are still counted where they went.
    ///
    /// # Errors
    /// Those of [`Driver::look`].
    fn quiet(&self, order: &Order<'_>) -> impl Future<Output = Result<Quiet, Fault>> + Send;
}

/// Something that was removed from a switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    pub mirror: MirrorId,
    /// Its name in the switch.
    pub name: String,
    pub tag: Option<MirrorTag>,
    pub counters: Option<Counters>,
}
