//! A real Chromium, led by a Playwright file that says how far it got and waits for what the test does next.

use crate::wait;
use anyhow::{Context as _, Result, bail, ensure};
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

/// A Playwright file being played.
pub struct Browser {
    child: Child,
    lines: Receiver<String>,
    said: String,
}

/// Starting a browser on a busy machine takes this long at most.
const PATIENCE: Duration = Duration::from_secs(120);

impl Browser {
    /// Starts a file of `e2e/browser/tests` with these variables.
    ///
    /// # Errors
    /// When Node or Playwright is missing.
    pub fn play(file: &str, variables: &[(&str, &str)]) -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
        let installed = folder.join("node_modules/.bin/playwright");
        ensure!(installed.exists(), "Playwright is not installed; `cargo xtask test` installs it");
        let (reader, writer) = std::io::pipe()?;
        // Apart from those of the other browser tests, which wipe theirs when they begin.
        let results = std::env::temp_dir().join(format!("tocsin-{}-{}", file.replace('.', "-"), std::process::id()));
        let mut playwright = Command::new(installed);
        playwright
            .args(["test", file, "--project=desktop", "--reporter=list", "--output"])
            .arg(results)
            .current_dir(&folder)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer);
        let child = playwright.spawn().context("Playwright cannot be started; is Node installed?")?;
        // The writing ends in the command must go, or the reader never sees the end.
        drop(playwright);
        let (sender, lines) = sync_channel(10_000);
        thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, lines, said: String::new() })
    }

    /// Waits until the file says `step: NAME`.
    ///
    /// # Errors
    /// When it ended or stood still before; the error holds what it said.
    pub fn reached(&mut self, step: &str) -> Result<()> {
        let mark = format!("step: {step}");
        let begun = wait::instant();
        loop {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed())) {
                Ok(line) => {
                    self.said += &line;
                    self.said.push('\n');
                    if line.contains(&mark) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => bail!("the browser never got to `{step}`:\n{}", self.said),
                Err(RecvTimeoutError::Timeout) => bail!("the browser stands still before `{step}`:\n{}", self.said),
            }
        }
    }

    /// Waits for the end, and gives what was said; it must have succeeded.
    ///
    /// # Errors
    /// With what it said, when it did not.
    pub fn finish(mut self) -> Result<String> {
        let status = wait::attempt("the browser to finish", PATIENCE, || {
            while let Ok(line) = self.lines.try_recv() {
                self.said += &line;
                self.said.push('\n');
            }
            Ok(self.child.try_wait()?)
        })?;
        while let Ok(line) = self.lines.recv_timeout(Duration::from_secs(1)) {
            self.said += &line;
            self.said.push('\n');
        }
        ensure!(status.success(), "the browser saw something else:\n{}", self.said);
        Ok(std::mem::take(&mut self.said))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Already ended, after a success.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
