//! What the server promises, seen from outside, part by part. One program: each more would be linked with everything for
//! itself; only what shares a database server (`store`) or reads its own memory (`vsphere_memory`) is one of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod agent;
mod channels;
mod cli;
mod clouds;
mod fuzz;
mod http;
mod intake;
mod inventory;
mod mirrors;
mod runtime;
mod vsphere;
