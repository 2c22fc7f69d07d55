//! The program `tocsin`.

use clap::Parser as _;
use server::cli::{self, Cli};
use std::process::ExitCode;

/// Most of the memory is many short texts; this allocator keeps them in half the space of the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Already installed by somebody else is as good.
    rustls::crypto::ring::default_provider().install_default().ok();
    cli::run(Cli::parse_from(cli::arguments(std::env::args_os())))
}
