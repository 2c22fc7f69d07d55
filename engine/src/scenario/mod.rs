//! Stories of what must happen, in a text that two worlds understand: the engine here, the real server in e2e.
//!
//! ```text
//! title  an acknowledgement stops the escalation
//! start  2026-11-23T08:00:00+08:00[Asia/Shanghai]
//! config house.toml
//! at 0s   post falcon [P0][PROBLEM][db-07][10.1.2.3][host is down]
//! at 0s   expect page person:wang via push level 1
//! at 6m   ack 1 by wang
//! at 2h   expect silence
//! ```
//!
//! Times count from the start. Lines stand in the order in which they happen; `#` begins a comment.
//!
//! | line | meaning |
//! |---|---|
//! | `post SENDER [key=K] BODY` | the sender posts a body (`\n` is a line break in it) |
//! | `ack N by WHO [for 2h]`, `unack N by WHO`, `resolve N by WHO` | somebody answers the n-th incident |
//! | `snooze N for 1h by WHO`, `note N by WHO TEXT`, `reassign N to person:X by WHO` | |
//! | `add-responders N by WHO to person:X to schedule:Y [version V]` | page these besides |
//! | `apply-policy N by WHO [version V]` | go on by the policies of the configuration in force |
//! | `escalate N by WHO [policy P] [level L] [version V]` | run a level now, seen at a version |
//! | `beat HEARTBEAT [fail\|start\|log] [NOTE]` | a heartbeat's sender says something |
//! | `merge N into M by WHO [version V]`, `detach ALERT from N by WHO [version V]` | by their numbers |
//! | … `refused` | at the end of an action: it must be refused and change nothing |
//! | `provider C accepts [after 3s]` | how deliveries to a contact (`mail`, `wang/mail`, a webhook) end from now on |
//! | `provider C fails [permanently]`, `provider C answers 429 [retry after 30s]` | |
//! | `provider C refuses our account` | whoever it is for |
//! | `provider C delivers\|shows\|opens [after 3s]` | taken, and then told to be on the phone, shown, opened |
//! | `provider C takes it back [after 20s]` | taken, and then told not to have arrived |
//! | `provider C times out`, `provider C loses the answer` | no answer; taken, and the answer lost |
//! | `config FILE`, or `config` … `end` | the TOML document in force from now on |
//! | `calendar URL` … `end` | a calendar that others keep was fetched, and says this from now on |
//! | `crash [for 10m]`, `sleep for 1h` | the process is killed and started again; it stands still |
//! | `expect page TO [via C] [level L] [reminder] [within 10s]` | a delivery began at this time (or within) |
//! | `expect silence [to TO]` | no delivery began since the time before |
//! | `expect incident N STATE [P0]`, `expect outcome NAME` | where an incident, or the last post, stands |
//! | `expect heartbeat NAME waiting\|up\|late\|down\|paused` | where a heartbeat stands |

mod parse;
mod play;

pub use parse::{ParseError, parse};
pub use play::{Failure, Story, play};

use shared::{
    ContactId, Delay, HeartbeatId, HeartbeatState, IncidentState, IntegrationId, PersonId, PolicyId, Severity, Signal,
    SilenceKind, Timestamp, config::Target,
};

/// A story, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub title: String,
    pub start: Timestamp,
    pub config: ConfigText,
    pub steps: Vec<Step>,
}

/// A configuration document: written out, or in a file beside the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigText {
    Inline(String),
    File(String),
}

/// One thing that happens, or must have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Line in the text, from 1.
    pub line: usize,
    /// Since the start.
    pub at: Delay,
    pub what: What,
}

/// What a step is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Post {
        integration: IntegrationId,
        key: Option<String>,
        body: String,
    },
    Act {
        incident: i64,
        by: String,
        act: Action,
        refused: bool,
    },
    /// Times count from this moment.
    Silence {
        kind: SilenceKind,
        by: String,
        after: Delay,
        length: Option<Delay>,
        matches: Vec<String>,
    },
    EndSilence {
        silence: i64,
        by: String,
    },
    Beat {
        heartbeat: HeartbeatId,
        signal: Signal,
        note: String,
    },
    Provider {
        contact: String,
        behaviour: Behaviour,
    },
    Config(ConfigText),
    /// What the address of a calendar gives from now on.
    Calendar {
        url: String,
        text: String,
    },
    Crash {
        down: Delay,
    },
    Sleep {
        length: Delay,
    },
    Expect(Expectation),
}

/// What somebody does to an incident; lengths of time count from the moment they do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Ack { length: Option<Delay> },
    Unack,
    Resolve,
    Snooze { length: Delay },
    Escalate { policy: Option<PolicyId>, level: Option<u32>, version: Option<u32> },
    Reassign { to: PersonId },
    AddResponders { targets: Vec<Target>, version: Option<u32> },
    ApplyPolicy { version: Option<u32> },
    Note { text: String },
    Merge { into: i64, version: Option<u32> },
    Detach { alert: i64, version: Option<u32> },
}

/// How a provider answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    Accepts {
        after: Delay,
    },
    Fails {
        permanently: bool,
    },
    /// Our account with it is not good for anything any more.
    RefusesUs,
    TooMany {
        retry_after: Option<Delay>,
    },
    /// Takes it, and says later what became of it.
    Tells {
        what: Told,
        after: Delay,
    },
    TimesOut,
    LosesTheAnswer,
}

/// What became of a message that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Delivered,
    Shown,
    Opened,
    Failed,
}

/// What must have happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    Page { to: String, via: Option<ContactId>, level: Option<u32>, reminder: bool, within: Delay },
    Silence { to: Option<String> },
    Incident { incident: i64, state: IncidentState, severity: Option<Severity> },
    Outcome { name: String },
    Heartbeat { heartbeat: HeartbeatId, state: HeartbeatState },
}
