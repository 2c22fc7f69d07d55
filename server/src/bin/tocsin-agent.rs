//! The program `tocsin-agent`: `tocsin agent` and nothing else, for the machines that are measured. It is small, needs no
//! library of a database, and keeps little of itself in memory.

use clap::Parser as _;
use server::cli::{self, AgentAlone};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Already installed by somebody else is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    cli::run_agent(&AgentAlone::parse())
}
