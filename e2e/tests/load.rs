//! Real load on a real machine: seen on its page as it comes, judged by a rule, and a page to somebody at the end.

use anyhow::{Context as _, Result, ensure};
use e2e::{browser::Browser, environment, hook::HookSink, running::Running, tocsin::Tocsin, wait};
use serde_json::Value;
use shared::api::Role;
use std::{
    fs,
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);
/// Connections that are closed by who opened them, and so wait.
const WAITING: usize = 4_000;
/// More than waited before, which other programs of this machine may have left.
const MORE: u64 = 1_500;
const CONFIG: &str = r#"
[hosts]
every = "2s"
own = false

[[sources]]
id = "lab"
kind = "agents"

[[templates]]
id = "lab"
every_host = true
[[templates.rules]]
id = "waits"
name = "connections in TIME_WAIT"
when = "all(#2) ss.timewait > MANY"
severity = "P1"

[[policies]]
id = "all"
levels = [{ notify = ["person:wang"], delay = "1h" }]
[[routes]]
id = "all"
policy = "all"
"#;

/// Every core is busy until it ends.
fn busy() -> Result<Running> {
    let cores = thread::available_parallelism()?.to_string();
    let stress =
        environment::program("stress-ng").context("stress-ng is not installed; `cargo xtask test` installs it")?;
    let mut stress = Command::new(stress);
    let stress = stress.args(["--cpu", &cores, "--timeout", "120s", "--quiet"]).stdin(Stdio::null());
    stress.spawn().map(Running).context("stress-ng cannot be started")
}

/// How many connections are more than are to be expected.
fn many() -> Result<String> {
    let sockets = fs::read_to_string("/proc/net/sockstat")?;
    let mut words = sockets.split_whitespace().skip_while(|word| *word != "tw").skip(1);
    let waiting: u64 = words.next().context("the kernel does not say how many connections wait")?.parse()?;
    Ok((waiting + MORE).to_string())
}

/// Thousands of connections that wait, all to one port.
fn wait_for_the_last_segment() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    for _ in 0..WAITING {
        let caller = TcpStream::connect(address)?;
        let (called, _) = listener.accept()?;
        // Who closes first is who waits.
        drop(caller);
        drop(called);
    }
    Ok(address.port())
}

#[test]
fn load_is_on_the_page_within_seconds_and_a_rule_about_it_pages() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.apply(
        &("storm = { incidents = 0 }\n".to_owned() + &hook.people(&["wang"]) + &CONFIG.replace("MANY", &many()?)),
    )?;
    server.start()?;
    server.account("wang", Role::Responder, "three blind mice run")?;
    let token = server.folder().join("agent-token");
    fs::write(&token, server.ask(&["token", "create", "--kind", "agent", "--name", "lab/lab-1"], "")?)?;
    let mut agent = Command::new(environment::binary()?);
    agent.args(["agent", "--server", &server.url(""), "--name", "lab-1", "--token-file"]).arg(&token);
    let log = fs::File::create(server.folder().join("agent.log"))?;
    let _agent = Running(agent.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()?);
    let viewer = server.somebody(Role::Viewer)?;
    let heard = wait::attempt("the host to be measured", PATIENCE, || {
        let board: Value = viewer.read("/api/v1/hosts")?;
        Ok((board["hosts"][0]["state"] == "live").then_some(()))
    });
    heard.with_context(|| fs::read_to_string(server.folder().join("agent.log")).unwrap_or_default())?;

    let url = server.url("");
    let variables = [("TOCSIN_LOAD_URL", &*url), ("TOCSIN_LOGIN", "wang"), ("TOCSIN_PASSWORD", "three blind mice run")];
    let mut browser = Browser::play("load.spec.ts", &variables)?;
    browser.reached("the host is open")?;
    let begun = wait::instant();
    let stress = busy()?;
    browser.reached("the load is seen")?;
    // For the reader of the log; a busy machine decides nothing.
    println!("every core busy; on the page {} ms later", begun.elapsed().as_millis());
    drop(stress);

    let begun = wait::instant();
    let port = wait_for_the_last_segment()?;
    let page = hook.wait_for("/wang", 1, PATIENCE)?.page()?;
    println!("{WAITING} connections in TIME_WAIT; paged {} ms after the first", begun.elapsed().as_millis());
    ensure!(page.text.contains("connections in TIME_WAIT: ss.timewait is "), "{}", page.text);
    ensure!(page.title.contains("lab-1"), "{}", page.title);
    wait::attempt("the port to be named", PATIENCE, || {
        let detail: Value = viewer.read("/api/v1/hosts/one?name=lab-1")?;
        let peers = detail["tables"]["peers"].as_array().cloned().unwrap_or_default();
        let waits = |it: &Value| it["port"] == port && it["time_wait"].as_u64() >= Some(MORE);
        Ok(peers.iter().any(waits).then_some(()))
    })?;
    browser.reached("the incident shows the host")?;
    browser.finish()?;
    Ok(())
}
