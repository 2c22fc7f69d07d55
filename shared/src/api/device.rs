//! Browsers and apps that receive pushes, as their owner sees and registers them.

use super::{Platform, PushProvider, account::wire};
use crate::{ContactId, DeliveryReceipt, Severity, Timestamp, config::Language};
use serde::{Deserialize, Serialize};

/// Why a device may not show the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Doubt {
    /// Its subscription is gone.
    Dead,
    /// Its push service did not take the last pushes.
    Refused { failures: u32 },
    /// Its push service took the last pushes, and it said of none that it showed it.
    Unproved { sent: u32 },
    /// It has shown nothing for so many days; services end what is not used.
    Silent { days: u32 },
}

/// How far a test page has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum TestStep {
    /// The server began to send it.
    Queued,
    /// Whoever carries it has it.
    Taken,
    /// Whoever carries it did not take it.
    Refused { why: String },
    /// What became of it then, and on what.
    Heard { receipt: DeliveryReceipt, device: Option<String> },
}

wire! {
    /// One of the own devices. What it is reached by is never shown.
    struct DeviceRow {
        id: i64,
        /// As its owner named it.
        label: String,
        /// Who carries to it.
        #[serde(default)]
        kind: PushProvider,
        /// What an app runs on; none for browsers.
        #[serde(default)]
        platform: Option<Platform>,
        /// The host of the push service that carries to it, or the provider.
        service: String,
        user_agent: String,
        language: Language,
        created_at: Timestamp,
        /// When the application was last started on it.
        seen_at: Timestamp,
        /// When it last said that it showed something.
        shown_at: Option<Timestamp>,
        /// When somebody last touched what it showed.
        opened_at: Option<Timestamp>,
        /// Pushes in a row that its push service did not take.
        failures: u32,
        /// Since when nothing is sent to it any more: its subscription is gone. Registering it again mends that.
        dead_at: Option<Timestamp>,
        why: Option<String>,
        /// Whether what is pushed to it names no host, address or cause, because others can see its screen.
        private: bool,
        /// How soon it shows what is sent, once it said so.
        delay: Option<ShowDelay>,
        /// Whether a test rang, by its owner's word.
        rang: Option<Rang>,
        doubt: Option<Doubt>,
    }

    /// From sending to showing, in milliseconds: of the last push, and of the last few the median and the 95th percentile.
    struct ShowDelay { last_ms: u32, p50_ms: u32, p95_ms: u32 }

    /// What the owner of a device said of a test.
    struct Rang { at: Timestamp, heard: bool }

    /// What its owner changes of a device; absent fields stay as they are.
    struct DeviceChange {
        #[serde(default)]
        label: Option<String>,
        #[serde(default)]
        private: Option<bool>,
        /// Whether a test rang aloud.
        #[serde(default)]
        heard: Option<bool>,
    }

    /// A test page to one contact or to one device: exactly one of them is named.
    struct NewTestPage {
        #[serde(default)]
        contact: Option<ContactId>,
        #[serde(default)]
        device: Option<i64>,
        severity: Severity,
    }

    /// A test page and how far it has come. The server that sent it remembers it for a quarter of an hour.
    struct TestPage {
        id: i64,
        severity: Severity,
        /// In order; the first is when it was queued.
        hops: Vec<TestHop>,
        /// Whether nothing is to come: it was refused, or somebody touched it.
        over: bool,
    }

    struct TestHop { at: Timestamp, step: TestStep }

    /// A browser's subscription, told at every start of the application: the same endpoint again renews it.
    struct NewDevice {
        label: String,
        endpoint: String,
        /// As `PushSubscription.toJSON()` has it: base64url.
        p256dh: String,
        auth: String,
        /// Of what the browser itself says, as long as nothing was pushed.
        #[serde(default)]
        language: Language,
        /// The endpoint that the browser says this one takes the place of.
        #[serde(default)]
        replaces: Option<String>,
        /// Only renews: a device that was removed meanwhile stays away.
        #[serde(default)]
        renew: bool,
    }

    /// What browsers subscribe with (`applicationServerKey`): base64url of an uncompressed P-256 point.
    struct PushKey { key: String }
}
