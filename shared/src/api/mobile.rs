//! What an app on a phone and the server say to each other: pairing, its session, what is its person's, and receipts.

use super::{IncidentRow, Role, Shift, account::wire};
use crate::{AttemptId, IncidentId, PersonId, ScheduleId, Timestamp, config::Language};
use serde::{Deserialize, Serialize};

/// Who carries pushes to a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum PushProvider {
    /// A browser's own push service.
    #[default]
    Web,
    /// Firebase Cloud Messaging, for an app of the operator's.
    Fcm,
    /// Apple, for an app of the operator's.
    Apns,
    /// A distributor that the app chose; spoken to like a browser's push service.
    Unifiedpush,
    /// Nobody: the app asks by itself.
    None,
}

impl PushProvider {
    /// The name used in interface and storage.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Fcm => "fcm",
            Self::Apns => "apns",
            Self::Unifiedpush => "unifiedpush",
            Self::None => "none",
        }
    }
}

/// What an app runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    Ios,
    Android,
    Other,
}

/// What became of a page on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ReceiptKind {
    Shown,
    Opened,
    Dismissed,
}

wire! {
    /// Lets one app in as whoever asked for it. The code works once.
    struct Pairing {
        code: String,
        /// What the picture says: the server's address, with the code behind a `#`, where no server sees it.
        url: String,
        /// The picture: an SVG of one path, dark on light.
        svg: String,
        expires_at: Timestamp,
    }

    /// A subscription of web push, as `PushSubscription.toJSON()` and UnifiedPush have it: base64url.
    struct WebSubscription { endpoint: String, p256dh: String, auth: String }

    /// What an app sends with the code it read.
    struct PairRequest {
        code: String,
        /// What the device is called; its owner sees it.
        name: String,
        platform: Platform,
        provider: PushProvider,
        /// `fcm` and `apns`: what the provider gave the app.
        token: Option<String>,
        /// `unifiedpush`: where it is pushed to.
        subscription: Option<WebSubscription>,
        /// Of pages, as long as nothing else is known.
        #[serde(default)]
        language: Language,
    }

    /// An app that was let in.
    struct Paired {
        /// `Authorization: Bearer` of everything it asks from now on; shown once.
        token: String,
        /// Unless it is changed for another one before.
        expires_at: Timestamp,
        device: i64,
        login: String,
        role: Role,
        person: PersonId,
        name: String,
        /// The host of `public_url`.
        server: String,
        public_url: String,
        version: String,
    }

    /// The session's next token. The one before works until this one is used, and ten minutes at most.
    struct SessionToken { token: String, expires_at: Timestamp }

    /// How an app is pushed to from now on.
    struct PushChange { provider: PushProvider, token: Option<String>, subscription: Option<WebSubscription> }

    /// An open incident that is somebody's own.
    struct MobileIncident {
        incident: IncidentRow,
        /// They were paged for it.
        paged: bool,
        /// One of its policies would page them now.
        on_call: bool,
    }

    /// Everything open that is one's own, the newest first.
    struct MobileIncidents {
        items: Vec<MobileIncident>,
        /// There is more than fits; the newest are here.
        more: bool,
        /// Where `sync` goes on from.
        cursor: String,
        now: Timestamp,
    }

    /// What changed since a cursor.
    struct MobileSync {
        /// As they are now.
        changed: Vec<MobileIncident>,
        /// Over, or not one's own any more; an app may never have known some of them.
        gone: Vec<IncidentId>,
        cursor: String,
        now: Timestamp,
    }

    /// The own shifts of one schedule.
    struct OwnDuty {
        schedule: ScheduleId,
        name: String,
        time_zone: String,
        on_call: Vec<Shift>,
        /// Of the coming two weeks, the next first.
        upcoming: Vec<Shift>,
    }

    /// When somebody is on call.
    struct MobileOnCall {
        now: Timestamp,
        /// In some schedule, at this moment.
        on_call: bool,
        /// The schedules in which they are, or will be.
        schedules: Vec<OwnDuty>,
    }

    /// What became of one page: by the capability in the push, or by incident and attempt.
    struct MobileReceipt {
        kind: ReceiptKind,
        cap: Option<String>,
        incident: Option<IncidentId>,
        attempt: Option<AttemptId>,
    }

    struct ReceiptBatch { receipts: Vec<MobileReceipt> }

    /// Of a batch: how many were taken, and which never will be.
    struct ReceiptsTaken { taken: u32, refused: Vec<ReceiptRefused> }

    /// One that is not to be sent again.
    struct ReceiptRefused { /** Its place in the batch, from 0. */ index: u32, reason: String }

    /// A device of somebody, for administrators.
    struct PersonDevice { person: PersonId, login: String, device: super::DeviceRow }
}
