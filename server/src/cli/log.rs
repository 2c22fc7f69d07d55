//! Logs: to stderr, for people or machines, and nothing secret in them; a panic is an entry like any other.

use crate::config::LogFormat;
use std::{io::IsTerminal as _, panic};
use tracing_subscriber::EnvFilter;

/// Installs the log and the hook for panics; the error says what is wrong with the filter.
pub(super) fn install(filter: &str, format: LogFormat) -> Result<(), String> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| format!("`{filter}` is not a log filter ({error}); write for example info"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let installed = match format {
        LogFormat::Json => log.json().flatten_event(true).try_init(),
        LogFormat::Pretty => log.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init(),
    };
    installed.map_err(|error| format!("the log cannot be installed: {error}"))?;
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let what = info.payload_as_str().unwrap_or("no words");
        let thread = std::thread::current();
        tracing::error!(place, what, thread = thread.name().unwrap_or("-"), "a part of the program panicked");
    }));
    Ok(())
}
