//! What a fresh machine lacks: the wasm target, system packages, npm and Python packages, the crates themselves.
//!
//! Every piece first looks whether it is there, so a second run asks nobody anything; every download is retried.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::cargo::{Project, WASM, succeeds};
use crate::steps::{call, output, retry};

/// Other programs that speak with ours in the tests: a real SMTP server, a reader of calendars, Ansible, VMware's own client,
/// another reader of /proc, another client of chats, one of ntfy and Slack's own, one of WeCom's callbacks, carriers' own libraries, a
/// receiver of web pushes, the sender of CloudEvents. No crate of ours is a second opinion on what we say.
const PYTHON_PACKAGES: &[&str] = &[
    "aiosmtpd==1.4.6",
    "icalendar==7.3.0",
    "ansible-core==2.17.14",
    "pyvmomi==9.1.1.0",
    "psutil==7.2.2",
    "apprise==2.2.0",
    "alerta==8.5.3",
    "slack_sdk==3.47.0",
    "twilio==9.13.0",
    "aliyun-python-sdk-core==2.16.1",
    "tencentcloud-sdk-python-common==3.1.195",
    "wechatpy==1.8.18",
    "cryptography==50.0.2",
    "http_ece==1.2.1",
    "py_vapid==1.9.6",
    "google-auth==2.62.2",
    "h2==4.4.1",
    "PyJWT==2.15.1",
    "python-ntfy==0.11.4",
    "standardwebhooks==1.1.0",
    "pagerduty==7.2.0",
    "pdpyras==5.4.1",
    "opsgenie-sdk==2.1.5",
    "cloudevents==2.2.0",
    "fluent-logger==0.11.1",
];

/// Playwright's own minimum; Debian 12 ships 18.
const NODE_MAJOR: u32 = 20;

/// rustup adds the targets of rust-toolchain.toml by itself only where automatic installs are on.
pub(crate) fn wasm_target(project: &Project) -> anyhow::Result<()> {
    let mut libdir = project.program("rustc");
    libdir.args(["--print", "target-libdir", "--target", WASM]);
    if Path::new(output(&mut libdir)?.trim()).is_dir() {
        return Ok(());
    }
    retry("rustup target add", || call(project.program("rustup").args(["target", "add", WASM])))
        .with_context(|| format!("the compiler has no {WASM} target; add it by hand if there is no rustup"))
}

pub(crate) fn rust_components(project: &Project) -> anyhow::Result<()> {
    for (subcommand, component) in [("clippy", "clippy"), ("fmt", "rustfmt")] {
        if !succeeds(project.cargo().args([subcommand, "--version"])) {
            retry("rustup component add", || call(project.program("rustup").args(["component", "add", component])))?;
        }
    }
    Ok(())
}

/// Everything in Cargo.lock that the host and the browser need, so that the steps after this one need no network.
pub(crate) fn fetch_crates(project: &Project) -> anyhow::Result<()> {
    let version = output(project.program("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    retry("cargo fetch", || {
        call(project.cargo().args(["fetch", "--quiet", "--locked", "--target", host, "--target", WASM]))
    })
}

/// A system package and what tells that it need not be installed.
struct Package {
    name: &'static str,
    purpose: &'static str,
    only_for_browser: bool,
    present: fn() -> bool,
}

const PACKAGES: [Package; 18] = [
    Package {
        name: "libpq-dev",
        purpose: "the PostgreSQL client library (without it one is compiled from source)",
        only_for_browser: false,
        present: || succeeds(Command::new("pkg-config").args(["--exists", "libpq"])) || on_path("pg_config"),
    },
    Package {
        name: "postgresql",
        purpose: "the store's tests on PostgreSQL",
        only_for_browser: false,
        present: || postgres_bin().is_some(),
    },
    Package {
        name: "prometheus-alertmanager",
        purpose: "amtool, which imported routes are compared with",
        only_for_browser: false,
        present: || on_path("amtool"),
    },
    Package {
        name: "prometheus",
        purpose: "the test of what a Prometheus writes",
        only_for_browser: false,
        present: || on_path("prometheus"),
    },
    Package {
        name: "prometheus-node-exporter",
        purpose: "the tests of what an exporter tells",
        only_for_browser: false,
        present: || on_path("prometheus-node-exporter"),
    },
    Package {
        name: "python3-venv",
        purpose: "real mail and alert clients in the whole-system tests",
        only_for_browser: false,
        present: || succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"])),
    },
    Package {
        name: "faketime",
        purpose: "the tests of a wall clock that leaps",
        only_for_browser: false,
        present: || on_path("faketime"),
    },
    Package {
        name: "openssh-client",
        purpose: "the tests of sources behind SSH",
        only_for_browser: false,
        present: || on_path("ssh"),
    },
    Package {
        name: "golang-go",
        purpose: "building the vCenter that the vSphere tests read",
        only_for_browser: false,
        present: || on_path("go"),
    },
    Package {
        name: "golang-github-vmware-govmomi-dev",
        purpose: "the vCenter that the vSphere tests read",
        only_for_browser: false,
        present: || Path::new("/usr/share/gocode/src/github.com/vmware/govmomi/simulator").is_dir(),
    },
    Package {
        name: "stress-ng",
        purpose: "the load that a host's page shows",
        only_for_browser: false,
        present: || on_path("stress-ng"),
    },
    Package {
        name: "sysstat",
        purpose: "mpstat and iostat, which the agent's values are compared with",
        only_for_browser: false,
        present: || on_path("mpstat") && on_path("iostat"),
    },
    Package {
        name: "procps",
        purpose: "free, which the agent's values are compared with",
        only_for_browser: false,
        present: || on_path("free"),
    },
    Package {
        name: "iproute2",
        purpose: "ss and ip, which the agent's values are compared with",
        only_for_browser: false,
        present: || on_path("ss") && on_path("ip"),
    },
    Package {
        name: "chromium",
        purpose: "the browser tests",
        only_for_browser: true,
        present: || chromium().is_some(),
    },
    Package {
        name: "fonts-noto-cjk",
        purpose: "Chinese text in the browser tests",
        only_for_browser: true,
        present: || output(Command::new("fc-list").arg(":lang=zh")).is_ok_and(|fonts| !fonts.trim().is_empty()),
    },
    Package { name: "nodejs", purpose: "the browser tests", only_for_browser: true, present: || on_path("node") },
    Package { name: "npm", purpose: "the browser tests", only_for_browser: true, present: || on_path("npm") },
];

pub(crate) fn system_packages(project: &mut Project) -> anyhow::Result<()> {
    let missing: Vec<&Package> = PACKAGES.iter().filter(|package| !(package.present)()).collect();
    if !missing.is_empty() {
        for package in &missing {
            println!("    missing: {} ({})", package.name, package.purpose);
        }
        let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
        apt_install(&names).with_context(|| {
            let without = if missing.iter().all(|package| package.only_for_browser) {
                "; `cargo xtask test --no-e2e` runs without"
            } else {
                ""
            };
            format!("install these packages (Debian's names), then run again: {}{without}", names.join(" "))
        })?;
    }
    project.look_for_libpq();
    Ok(())
}

fn apt_install(names: &[&str]) -> anyhow::Result<()> {
    retry("apt-get install", || {
        apt_get(&["update"])?;
        let mut install = vec!["install", "-y", "--no-install-recommends"];
        install.extend(names);
        apt_get(&install)
    })
}

/// Calls apt-get as root.
pub(crate) fn apt_get(args: &[&str]) -> anyhow::Result<()> {
    if !on_path("apt-get") {
        bail!("there is no apt-get on this machine");
    }
    let is_root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root && !succeeds(Command::new("sudo").args(["-n", "true"])) {
        bail!("apt-get needs root, and sudo is missing or wants a password");
    }
    let mut command = Command::new(if is_root { "env" } else { "sudo" });
    if !is_root {
        command.args(["-n", "env"]);
    }
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]).args(args);
    call(&mut command)
}

/// `npm ci` when the installed packages are not those of the lock file.
pub(crate) fn node_packages(project: &Project) -> anyhow::Result<()> {
    let version = output(Command::new("node").arg("--version"))?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < NODE_MAJOR) {
        bail!("the browser tests need Node {NODE_MAJOR} or newer, this is {}; install one", version.trim());
    }
    let folder = project.root.join("e2e/browser");
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))
        .context("e2e/browser/package-lock.json is missing; `npm install` there writes it")?;
    let stamp = folder.join("node_modules/.tocsin-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    retry("npm ci", || {
        let mut npm = project.program("npm");
        npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder);
        // The browser is the system's; npm packages must not fetch another.
        call(npm.env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))
    })?;
    std::fs::write(stamp, lock).context("marking node_modules as complete")
}

pub(crate) fn venv(project: &Project) -> PathBuf {
    project.target_dir.join("e2e-venv")
}

/// The Python environment of the whole-system tests; made anew when the pins change or its Python is gone.
pub(crate) fn python_packages(project: &Project) -> anyhow::Result<()> {
    let folder = venv(project);
    let python = folder.join("bin/python");
    let stamp = folder.join("tocsin-packages");
    let wanted = PYTHON_PACKAGES.join("\n");
    let works = succeeds(Command::new(&python).args(["-c", "import pip"]));
    if works && std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    call(project.program("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    retry("pip install", || {
        let mut pip = project.program(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        call(pip.args(PYTHON_PACKAGES))
    })?;
    std::fs::write(stamp, wanted).context("marking the Python environment as complete")
}

/// The system's browser, unless TOCSIN_CHROMIUM names one.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TOCSIN_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(find_on_path)
}

/// The folder of PostgreSQL's programs: Debian keeps it off the PATH.
pub(crate) fn postgres_bin() -> Option<PathBuf> {
    if let Some(initdb) = find_on_path("initdb") {
        // Some machines link only a few of the programs into the PATH; the others lie where the link leads.
        return initdb.canonicalize().ok()?.parent().map(Path::to_path_buf);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let bins = versions.flatten().map(|version| version.path().join("bin"));
    bins.filter(|bin| bin.join("initdb").is_file()).max()
}

pub(crate) fn on_path(program: &str) -> bool {
    find_on_path(program).is_some()
}

fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
