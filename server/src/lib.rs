//! The shell of Tocsin: it accepts, persists, asks the engine, persists the answer, and only then acts.

pub mod agent;
pub mod answers;
pub mod auth;
pub mod calendars;
pub mod channels;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod demo;
pub mod entropy;
pub mod failpoint;
pub mod hosts;
pub mod http;
pub mod import;
pub mod ingest;
pub mod inventory;
pub mod live;
pub mod mirror;
pub mod outbound;
pub mod replay;
pub mod runtime;
pub mod seal;
pub mod shifts;
pub mod telemetry;
