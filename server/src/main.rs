//! The program `tocsin`.

use clap::Parser as _;
use server::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    // Already installed by somebody else is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    cli::run(Cli::parse())
}
