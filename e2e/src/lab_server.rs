//! A server inside a lab, whose network nobody outside sees; it is spoken to by `curl` there.

use crate::{environment, lab::Lab, wait};
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::fs;

/// Where it answers inside its lab.
pub const URL: &str = "http://127.0.0.1:8080";

/// A server that runs in a lab and ends with it.
pub struct LabServer {
    pub lab: Lab,
    token: String,
}

impl LabServer {
    /// Starts one with a configuration, and waits until it answers.
    ///
    /// # Errors
    /// When it refuses the configuration, or does not answer.
    pub fn start(mut lab: Lab, config: &str) -> Result<Self> {
        fs::copy(environment::binary()?, lab.run_path("tocsin"))?;
        fs::write(lab.file("config.toml"), config)?;
        lab.run("/run/tocsin --data data apply config.toml")?;
        let token = lab.run("/run/tocsin --data data token create --kind api --role responder --name tests")?;
        let mut server = Self { lab, token: token.trim().to_owned() };
        server.begin("server", "/run/tocsin --data data serve --listen 127.0.0.1:8080")?;
        wait::until("the server", wait::PATIENCE, || server.get("/api/v1/status").ok())?;
        Ok(server)
    }

    /// Begins a process of the lab's, which ends with it; what it says is in `NAME.log`.
    ///
    /// # Errors
    /// When it cannot be begun.
    pub fn begin(&mut self, name: &str, command: &str) -> Result<()> {
        self.lab.run(&format!("{command} > {name}.log 2>&1 & echo $! > {name}.pid")).map(drop)
    }

    /// Runs `curl` as a responder, and reads what is answered.
    ///
    /// # Errors
    /// When nothing is answered, or no JSON.
    pub fn curl(&mut self, arguments: &str) -> Result<Value> {
        let token = &self.token;
        let said = self
            .lab
            .run(&format!("curl -sS --noproxy '*' --max-time 20 -H 'Authorization: Bearer {token}' {arguments}"))?;
        serde_json::from_str(&said).with_context(|| said)
    }

    /// What stands under a path of the interface.
    ///
    /// # Errors
    /// When nothing is answered, or no JSON.
    pub fn get(&mut self, path: &str) -> Result<Value> {
        self.curl(&format!("'{URL}{path}'"))
    }
}
