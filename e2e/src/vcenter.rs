//! A vCenter or ESXi that stands in for a real one: govmomi's simulator, built from Debian's packages with the Go program in
//! `server/tests/vcenter`, which says what it adds.

use crate::{environment, http::Client, wait};
use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Where Debian installs the sources of Go packages.
const GO_PACKAGES: &str = "/usr/share/gocode";

/// The stand-in; ends with this process.
pub struct Vcenter {
    pub listens: Listens,
    child: Child,
}

/// Where it listens, and who may log in.
#[derive(Clone, Debug, Deserialize)]
pub struct Listens {
    /// Without TLS.
    pub plain: String,
    /// With a certificate for the loopback, of an authority of its own.
    pub secure: String,
    control: String,
    /// The authority, in PEM.
    pub authority: String,
    /// SHA-256 of the certificate, in hexadecimal digits.
    pub fingerprint: String,
    pub username: String,
    pub password: String,
}

impl Vcenter {
    /// Starts it and waits until it listens. `-esx` makes it one ESXi, `-machines 300` gives it so many VMs, `-page 5`
    /// makes it answer at most so many objects at a time, `-api 6.7` makes it say that it speaks that version.
    ///
    /// # Errors
    /// When Go or the simulator's package is missing.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(built()?);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("the vCenter's stand-in cannot be started")?;
        let mut lines = BufReader::new(child.stdout.take().context("the stand-in has no output")?).lines();
        let line = lines.next().context("the vCenter's stand-in did not start")??;
        let listens = serde_json::from_str(&line).with_context(|| format!("the stand-in said `{line}`"))?;
        Ok(Self { listens, child })
    }

    /// Carries out a command: `/migrate?vm=DC0_H0_VM0&to=DC0_C0_H1`, `/remove?vm=…`, `/add?vm=…&name=…` (a VM like another
    /// one), `/address?vm=…&ip=…`, `/power?vm=…&state=…`, `/plug?vm=…&port=…`, `/rename-hypervisor?name=…`, `/end-sessions`;
    /// for port mirroring those in `vspan.go`: `/able?to=none`, `/concurrent?times=2`, `/slow?ms=500`, `/lose?when=after`, …
    ///
    /// # Errors
    /// When there is no such command or VM.
    pub fn command(&self, command: &str) -> Result<()> {
        let answer = self.control()?.get(command)?;
        ensure!(answer.status == 200, "{command}: the stand-in answered {} {}", answer.status, answer.text());
        Ok(())
    }

    /// How often each method was called, and how many bytes were answered, as `bytes`.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn calls(&self) -> Result<BTreeMap<String, u64>> {
        self.control()?.read("/calls")
    }

    /// The first few requests by method, each as it was sent.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn asked(&self) -> Result<BTreeMap<String, Vec<String>>> {
        self.control()?.read("/asked")
    }

    fn control(&self) -> Result<Client> {
        let at: SocketAddr = self.listens.control.trim_start_matches("http://").parse().context("no address")?;
        Ok(Client::new(at))
    }
}

impl Drop for Vcenter {
    fn drop(&mut self) {
        // It ends with its input; killed, it ends at once.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program, built again only when its sources changed. One test builds, the others wait for it.
fn built() -> Result<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/tests/vcenter");
    let mut hash = Sha256::new();
    for name in ["main.go", "vspan.go", "world.go"] {
        hash.update(fs::read(sources.join(name)).with_context(|| format!("the stand-in's {name} cannot be read"))?);
    }
    let mut name = "vcenter-".to_owned();
    for byte in &hash.finalize()[..8] {
        write!(name, "{byte:02x}").context("a name cannot be written")?;
    }
    let program = environment::beside(&name)?;
    let lock = File::create(environment::beside("vcenter.lock")?).context("the stand-in's lock cannot be made")?;
    lock.lock().context("the stand-in's lock cannot be taken")?;
    if program.is_file() {
        return Ok(program);
    }
    let missing = "it is built with Debian's packages golang-go and golang-github-vmware-govmomi-dev; `cargo xtask test` installs them";
    ensure!(Path::new(GO_PACKAGES).join("src/github.com/vmware/govmomi").is_dir(), "there is no govmomi: {missing}");
    let unfinished = program.with_extension("unfinished");
    let mut go = Command::new("go");
    go.args(["build", "-o"]).arg(&unfinished).arg(".").current_dir(&sources);
    // Only what Debian packaged is used: nothing is fetched.
    go.env("GO111MODULE", "off").env("GOPATH", GO_PACKAGES).env("GOCACHE", environment::beside("vcenter-cache")?);
    let output = go.output().with_context(|| format!("Go cannot be started; {missing}"))?;
    ensure!(output.status.success(), "the stand-in cannot be built: {}", String::from_utf8_lossy(&output.stderr));
    fs::rename(&unfinished, &program).context("the stand-in cannot be put into its place")?;
    Ok(program)
}

/// Waits until a method was called so often.
///
/// # Errors
/// When it was not.
pub fn wait_for_calls(vcenter: &Vcenter, method: &str, times: u64) -> Result<()> {
    wait::attempt(&format!("{times} calls of {method}"), wait::PATIENCE, || {
        Ok((vcenter.calls()?.get(method).copied().unwrap_or_default() >= times).then_some(()))
    })
}
