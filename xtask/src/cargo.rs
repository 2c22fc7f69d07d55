//! How this project calls cargo: where things are, and one set of packages and features for every call.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::steps;

/// All crates but the browser's. Always the same set: cargo unifies features over what is built together, so
/// another set would compile dozens of dependencies a second time.
pub(crate) const HOST_PACKAGES: [&str; 3] = ["--workspace", "--exclude", "web"];

pub(crate) const WASM: &str = "wasm32-unknown-unknown";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Profile {
    Dev,
    Release,
}

impl Profile {
    pub(crate) fn from_release(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }
}

/// The tree being built and the answers that stay the same during one command.
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    pub(crate) target_dir: PathBuf,
    libpq_installed: bool,
}

/// The root of the tree: cargo tells the package's directory at run time; the compiled-in one is for a binary
/// started by hand.
pub(crate) fn root() -> PathBuf {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    package.parent().map_or_else(|| package.clone(), Path::to_path_buf)
}

impl Project {
    pub(crate) fn discover(root: PathBuf) -> anyhow::Result<Self> {
        let mut metadata = Command::new(cargo_program());
        metadata.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(&root);
        let text = steps::output(&mut metadata)?;
        let metadata: serde_json::Value = serde_json::from_str(&text).context("cargo metadata did not print JSON")?;
        let target_dir = metadata["target_directory"].as_str().context("cargo metadata names no target_directory")?;
        Ok(Self { root, target_dir: PathBuf::from(target_dir), libpq_installed: libpq_is_installed() })
    }

    /// Asks the machine again, after packages were installed.
    pub(crate) fn look_for_libpq(&mut self) {
        self.libpq_installed = libpq_is_installed();
    }

    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    pub(crate) fn binary(&self, profile: Profile, name: &str) -> PathBuf {
        let folder = match profile {
            Profile::Dev => "debug",
            Profile::Release => "release",
        };
        self.target_dir.join(folder).join(name)
    }

    pub(crate) fn cargo(&self) -> Command {
        self.program(cargo_program())
    }

    /// A program started at the root, without what `cargo run` told *this* program about its own package: build
    /// scripts (ring's) compare those variables and would rebuild on each change between xtask and plain cargo.
    pub(crate) fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        for (name, _) in std::env::vars_os() {
            let Some(name) = name.to_str() else { continue };
            let of_our_package = name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_BIN_")
                || matches!(name, "CARGO_MANIFEST_DIR" | "CARGO_MANIFEST_PATH" | "CARGO_CRATE_NAME" | "OUT_DIR");
            if of_our_package {
                command.env_remove(name);
            }
        }
        command
    }

    /// Features of development builds; clippy, build and tests get the same, or the server is compiled for each.
    pub(crate) fn dev_features(&self) -> Vec<&'static str> {
        let mut features = vec!["--features", "server/failpoints"];
        features.extend(self.store_features());
        features
    }

    fn store_features(&self) -> &'static [&'static str] {
        if self.libpq_installed { &[] } else { &["--features", "server/pq-bundled"] }
    }

    pub(crate) fn build_server(&self, profile: Profile) -> anyhow::Result<()> {
        let mut build = self.cargo();
        build.arg("build");
        match profile {
            Profile::Dev => build.args(HOST_PACKAGES).args(self.dev_features()),
            // What is shipped is built alone: nothing that only tests ask of a dependency gets in.
            Profile::Release => build.args(["--release", "-p", "server"]).args(self.store_features()),
        };
        steps::call(&mut build)
    }

    pub(crate) fn build_web(&self, profile: Profile) -> anyhow::Result<PathBuf> {
        let mut build = self.cargo();
        build.args(["rustc", "-p", "web", "--bin", "web", "--target", WASM]);
        // Leptos then shares the code of its views instead of making a copy for each type: a release is a tenth smaller, and
        // what is built to be tested takes less time to build, and browsers less to compile.
        build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "--cfg erase_components");
        let folder = match profile {
            Profile::Dev => "debug",
            Profile::Release => {
                build.args(["--profile", "wasm-release"]);
                "wasm-release"
            }
        };
        // What the splitter finds its way by. Only the last link is told, so that no dependency is compiled anew.
        build.args(["--", "-Clink-arg=--emit-relocs"]);
        steps::call(&mut build)?;
        let wasm = self.target_dir.join(WASM).join(folder).join("web.wasm");
        if !wasm.is_file() {
            bail!("{} was not built: web must have a binary target named `web`", wasm.display());
        }
        Ok(wasm)
    }
}

/// The cargo that started us, so that a toolchain chosen with `cargo +name` stays chosen.
fn cargo_program() -> std::ffi::OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The same places pq-sys looks in, so that we never promise it a library it cannot find.
fn libpq_is_installed() -> bool {
    if std::env::var_os("PQ_LIB_DIR").is_some() {
        return true;
    }
    if succeeds(Command::new("pkg-config").args(["--exists", "libpq"])) {
        return true;
    }
    let Ok(folder) = steps::output(Command::new("pg_config").arg("--libdir")) else { return false };
    let folder = Path::new(folder.trim());
    ["libpq.so", "libpq.a", "libpq.dylib"].iter().any(|name| folder.join(name).exists())
}

/// Whether a quiet question to another program is answered with yes. A missing program is a no.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
