//! The application interface as a browser, a program and a stranger meet it, in front of a real store and engine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[path = "http/house.rs"]
mod house;
#[path = "http/provider.rs"]
mod provider;

#[path = "http/access.rs"]
mod access;
#[path = "http/acknowledge.rs"]
mod acknowledge;
#[path = "http/agents.rs"]
mod agents;
#[path = "http/analytics.rs"]
mod analytics;
#[path = "http/belonging.rs"]
mod belonging;
#[path = "http/broken.rs"]
mod broken;
#[path = "http/calendars.rs"]
mod calendars;
#[path = "http/callbacks.rs"]
mod callbacks;
#[path = "http/configuration.rs"]
mod configuration;
#[path = "http/deliveries.rs"]
mod deliveries;
#[path = "http/devices.rs"]
mod devices;
#[path = "http/duty.rs"]
mod duty;
#[path = "http/heartbeats.rs"]
mod heartbeats;
#[path = "http/hosts.rs"]
mod hosts;
#[path = "http/inventory.rs"]
mod inventory;
#[path = "http/mirrors.rs"]
mod mirrors;
#[path = "http/mobile.rs"]
mod mobile;
#[path = "http/pages.rs"]
mod pages;
#[path = "http/phone.rs"]
mod phone;
#[path = "http/placed.rs"]
mod placed;
#[path = "http/quiet.rs"]
mod quiet;
#[path = "http/readiness.rs"]
mod readiness;
#[path = "http/receipts.rs"]
mod receipts;
#[path = "http/rehearsals.rs"]
mod rehearsals;
#[path = "http/replays.rs"]
mod replays;
#[path = "http/test_pages.rs"]
mod test_pages;
#[path = "http/thresholds.rs"]
mod thresholds;
#[path = "http/versions.rs"]
mod versions;
#[path = "http/why_not.rs"]
mod why_not;
#[path = "http/withdrawn.rs"]
mod withdrawn;
#[path = "http/work.rs"]
mod work;
