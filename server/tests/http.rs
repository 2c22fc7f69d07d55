//! The application interface as a browser, a program and a stranger meet it, in front of a real store and engine.

pub(crate) mod house;
mod provider;

mod access;
mod acknowledge;
mod agents;
mod alertmanager;
mod analytics;
mod belonging;
mod broken;
mod calendars;
mod callbacks;
mod configuration;
mod deliveries;
mod devices;
mod duty;
mod heartbeats;
mod hosts;
mod inventory;
mod mirrors;
mod mobile;
mod pagerduty;
mod pages;
mod phone;
mod placed;
mod quiet;
mod readiness;
mod receipts;
mod rehearsals;
mod replays;
mod test_pages;
mod thresholds;
mod versions;
mod why_not;
mod withdrawn;
mod work;
