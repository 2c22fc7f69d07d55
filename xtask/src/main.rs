//! The project's commands: `cargo xtask run | build | test | ci | tidy | explore | fuzz | sim | bench`.
//!
//! Everything a fresh machine needs is fetched by the command that needs it, with the versions pinned in
//! `Cargo.lock`; there is no make, no trunk and no wasm-bindgen binary to install.
#![expect(
    clippy::disallowed_methods,
    reason = "a developer's tool: it times its own steps and hands the environment on to the programs it starts"
)]

mod cargo;
mod explore;
mod fuzz;
mod lab;
mod playwright;
mod senders;
mod setup;
mod steps;
mod suite;
mod tidy;
mod web;

use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use cargo::{Profile, Project};
use steps::Steps;

const USAGE: &str = "\
cargo xtask run [--release] [-- ARGS]   build the UI and the server, then `tocsin serve ARGS`
cargo xtask build [--release]           leave target/{debug,release}/tocsin with the UI inside
cargo xtask web [--release]             the UI alone, into dist/
cargo xtask test [--no-e2e] [--quick]   install what is missing, then every check and test
                                          --no-e2e  without the whole-system and browser tests
                                          --quick   formatting, tidy, clippy and unit tests, nothing installed
cargo xtask ci                          the same as `test`
cargo xtask tidy                        the rules of the tree that a machine can check
cargo xtask explore MINUTES             the property tests, with cases that were never tried
cargo xtask fuzz MINUTES [TARGET]       each parser (or one) with bytes that were never tried, for so long
cargo xtask fuzz repeat FILE            a case that was found, once more
cargo xtask sim [ARGS]                  `tocsin simulate ARGS`
cargo xtask bench NAME                  a benchmark of the release server";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> anyhow::Result<ExitCode> {
    let Some((command, rest)) = args.split_first() else {
        println!("{USAGE}");
        return Ok(ExitCode::FAILURE);
    };
    let root = cargo::root();
    match command.as_str() {
        "run" => run(&Project::discover(root)?, rest),
        "build" => {
            let profile = Profile::from_release(only_flags(rest, &["--release"])?.contains(&"--release"));
            build(&Project::discover(root)?, profile)
        }
        "web" => {
            let profile = Profile::from_release(only_flags(rest, &["--release"])?.contains(&"--release"));
            let project = Project::discover(root)?;
            setup::wasm_target(&project)?;
            web::build(&project, profile)?;
            Ok(ExitCode::SUCCESS)
        }
        "test" | "ci" => {
            let flags = only_flags(rest, &["--no-e2e", "--quick"])?;
            let scope = suite::Scope { quick: flags.contains(&"--quick"), e2e: !flags.contains(&"--no-e2e") };
            suite::run(root, scope)
        }
        "tidy" => {
            only_flags(rest, &[])?;
            tidy::run(&root)?;
            Ok(ExitCode::SUCCESS)
        }
        "explore" => match rest {
            [minutes] => explore::run(&Project::discover(root)?, minutes),
            _ => bail!("say for how many minutes: cargo xtask explore 10"),
        },
        "fuzz" => match rest {
            [repeat, file] if repeat == "repeat" => fuzz::repeat(&Project::discover(root)?, file),
            [minutes] => fuzz::run(&Project::discover(root)?, minutes, None),
            [minutes, target] => fuzz::run(&Project::discover(root)?, minutes, Some(target)),
            _ => bail!("say for how many minutes: cargo xtask fuzz 10, or cargo xtask fuzz 10 bracket"),
        },
        "sim" => sim(&Project::discover(root)?, rest),
        "bench" => bench(&Project::discover(root)?, rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("there is no command `{other}`; these exist:\n{USAGE}"),
    }
}

/// The flags given, or an error that names the ones this command knows.
fn only_flags<'a>(args: &'a [String], known: &[&str]) -> anyhow::Result<Vec<&'a str>> {
    for arg in args {
        if !known.contains(&arg.as_str()) {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            bail!("unknown option `{arg}`; options of this command: {known}");
        }
    }
    Ok(args.iter().map(String::as_str).collect())
}

fn build(project: &Project, profile: Profile) -> anyhow::Result<ExitCode> {
    let mut steps = Steps::new();
    build_steps(project, profile, &mut steps)?;
    println!("built {}", project.binary(profile, "tocsin").display());
    Ok(ExitCode::SUCCESS)
}

fn build_steps(project: &Project, profile: Profile, steps: &mut Steps) -> anyhow::Result<()> {
    let release = if profile == Profile::Release { " --release" } else { "" };
    steps.run("set-up", "rustup target add wasm32-unknown-unknown", || {
        setup::wasm_target(project)?;
        web::ensure_dist(project)
    })?;
    steps.run("web", &format!("cargo xtask web{release}"), || web::build(project, profile))?;
    steps.run("server", &format!("cargo xtask build{release}"), || project.build_server(profile))
}

fn run(project: &Project, args: &[String]) -> anyhow::Result<ExitCode> {
    let (ours, theirs) = match args.iter().position(|arg| arg == "--") {
        Some(at) => (&args[..at], &args[at + 1..]),
        None => (args, &args[args.len()..]),
    };
    let ours = only_flags(ours, &["--release"])
        .context("options of the server stand after `--`: cargo xtask run -- --demo")?;
    let profile = Profile::from_release(ours.contains(&"--release"));
    build_steps(project, profile, &mut Steps::new())?;

    println!("==> tocsin serve {}", theirs.join(" "));
    // Replaced, not spawned: signals and the exit code are the server's own.
    let mut serve = project.program(project.binary(profile, "tocsin"));
    let error = serve.arg("serve").args(theirs).exec();
    Err(error).context("tocsin was built but could not be started")
}

fn sim(project: &Project, args: &[String]) -> anyhow::Result<ExitCode> {
    web::ensure_dist(project)?;
    project.build_server(Profile::Dev)?;
    let mut simulate = project.program(project.binary(Profile::Dev, "tocsin"));
    let error = simulate.arg("simulate").args(args).exec();
    Err(error).context("tocsin was built but could not be started")
}

fn bench(project: &Project, args: &[String]) -> anyhow::Result<ExitCode> {
    if args.is_empty() {
        bail!("name a benchmark: cargo xtask bench NAME");
    }
    build_steps(project, Profile::Release, &mut Steps::new())?;
    let mut bench = project.cargo();
    bench.args(["run", "--release", "-p", "e2e", "--bin", "bench", "--"]);
    bench.args(args).env("TOCSIN_BIN", project.binary(Profile::Release, "tocsin"));
    steps::call(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
