//! How many messages a person gets, and what counts as a storm of incidents.

use super::ContactKind;
use crate::Delay;
use serde::{Deserialize, Serialize};

/// So many messages within so much time, for each person; a P0 neither waits for it nor counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// By each contact of this kind; over all contacts of the person together when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactKind>,
    pub messages: u32,
    pub within: Delay,
}

/// The limits in force. Those that are written take the place of the built-in ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Limits(pub Vec<Limit>);

impl Default for Limits {
    fn default() -> Self {
        let of = |contact, messages, within| Limit { contact, messages, within };
        Self(vec![
            of(Some(ContactKind::Email), 15, Delay::mins(15)),
            of(Some(ContactKind::Email), 40, Delay::mins(60)),
            of(Some(ContactKind::Ntfy), 20, Delay::mins(15)),
            of(Some(ContactKind::Ntfy), 50, Delay::mins(60)),
            // What carriers in mainland China allow for one number; more is refused, and the page with it.
            of(Some(ContactKind::Voice), 1, Delay::mins(1)),
            of(Some(ContactKind::Voice), 5, Delay::mins(60)),
            of(Some(ContactKind::Voice), 20, Delay::mins(24 * 60)),
            of(Some(ContactKind::Sms), 10, Delay::mins(15)),
            of(Some(ContactKind::Sms), 30, Delay::mins(60)),
            of(None, 80, Delay::mins(60)),
        ])
    }
}

/// What a provider takes from one robot, or for one number, whoever it is about: P0 counts too. Whatever is more would be
/// refused, and some providers then refuse everything for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Allowance {
    pub contact: ContactKind,
    /// Only while this one carries text messages or calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// All addresses of this kind are counted together: the provider counts by our account, not by who is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub together: bool,
    pub messages: u32,
    pub within: Delay,
}

/// The allowances in force. Those that are written take the place of the built-in ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Allowances(pub Vec<Allowance>);

impl Default for Allowances {
    /// As the providers publish them, where they do: docs/channels.md names each.
    fn default() -> Self {
        let of = |contact, messages, within| Allowance { contact, carrier: None, together: false, messages, within };
        let all = |contact, messages, within| Allowance { together: true, ..of(contact, messages, within) };
        let by = |carrier: &str, contact, messages, within| Allowance {
            carrier: Some(carrier.to_owned()),
            ..of(contact, messages, within)
        };
        Self(vec![
            of(ContactKind::DingTalk, 20, Delay::mins(1)),
            of(ContactKind::Feishu, 5, Delay::secs(1)),
            of(ContactKind::Feishu, 100, Delay::mins(1)),
            of(ContactKind::WeCom, 20, Delay::mins(1)),
            of(ContactKind::Slack, 1, Delay::secs(1)),
            of(ContactKind::Teams, 4, Delay::secs(1)),
            of(ContactKind::Telegram, 1, Delay::secs(1)),
            of(ContactKind::Telegram, 20, Delay::mins(1)),
            all(ContactKind::Telegram, 30, Delay::secs(1)),
            all(ContactKind::Ntfy, 60, Delay::mins(5)),
            by("aliyun", ContactKind::Voice, 1, Delay::mins(1)),
            by("aliyun", ContactKind::Voice, 5, Delay::mins(60)),
            by("aliyun", ContactKind::Voice, 20, Delay::mins(24 * 60)),
            by("aliyun", ContactKind::Sms, 50, Delay::mins(24 * 60)),
            by("tencent", ContactKind::Sms, 10, Delay::mins(24 * 60)),
        ])
    }
}

/// When so many VMs of one hypervisor fail alike that the hypervisor is suspected: one page about it takes the place of
/// those about its VMs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SuspectMode {
    /// At least so many VMs; 0 suspects none.
    pub vms: u32,
    /// And at least so many of a hundred of those that run there.
    pub percent: u32,
    /// All of them within this time.
    pub within: Delay,
    /// When fewer than half as many still fail, or fewer than `vms`, these have so long to recover before they page for
    /// themselves.
    pub calm: Delay,
}

impl Default for SuspectMode {
    fn default() -> Self {
        Self { vms: 3, percent: 30, within: Delay::mins(3), calm: Delay::mins(1) }
    }
}

/// When so many incidents come at once that pages about all but P0 are collected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct StormMode {
    /// A storm begins with so many new incidents …
    pub incidents: u32,
    /// … within this time.
    pub within: Delay,
    /// It is over when, for so long, fewer than half as many came within that time.
    pub calm: Delay,
    /// Nobody waits longer than this for their next storm page.
    pub at_least_every: Delay,
}

impl Default for StormMode {
    fn default() -> Self {
        Self { incidents: 30, within: Delay::mins(1), calm: Delay::mins(5), at_least_every: Delay::mins(10) }
    }
}
