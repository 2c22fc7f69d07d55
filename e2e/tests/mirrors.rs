//! Whatever is killed, no port mirror outlives its end by more than five seconds once something of ours is alive; and what
//! somebody else mirrors is never touched. On a real Open vSwitch.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    http::Client,
    lab::{Lab, Network},
    running::Running,
    store_lock::StoreLock,
    tocsin::Tocsin,
    wait,
};
use serde_json::{Value, json};
use shared::{
    api::Role,
    mirror::{Mirror, MirrorEnd, MirrorState},
};
use std::{process::Stdio, time::Duration};

/// Beyond a mirror's end.
const GRACE_MS: i64 = 5_000;
/// How long mirrors last here, unless a test says otherwise: time enough to kill and start again.
const TTL_MS: i64 = 12_000;
const PATIENCE: Duration = Duration::from_secs(60);
const MAC: &str = "52:54:00:00:00:07";

/// A switch with a machine's port, a server that mirrors it, and somebody else's mirror.
struct Field {
    lab: Lab,
    server: Tocsin,
}

impl Field {
    fn new() -> Result<Self> {
        let mut lab = Lab::new(Network::Own)?;
        lab.start_switch()?;
        // A machine's port, a collector's, and a way to the collector that is not through the switch.
        for port in ["tap7", "tap8"] {
            lab.run(&format!("ovs-vsctl add-port brc {port} -- set interface {port} type=internal"))?;
        }
        lab.run(&format!(
            "ovs-vsctl set interface tap7 external_ids:attached-mac={MAC} external_ids:iface-id=if-7 external_ids:vm-id=11111111-2222-4333-8444-000000000007"
        ))?;
        lab.run("ip link add up0 type veth peer name up1 && ip addr add 10.77.9.1/24 dev up0 && ip link set up0 up && ip link set up1 up")?;
        lab.run("ovs-vsctl -- --id=@p get port tap8 -- --id=@m create mirror name=theirs select-dst-port=@p output-vlan=99 -- set bridge brc mirrors=@m")?;
        let mut server = Tocsin::fresh()?;
        let (database, control) = (lab.database(), lab.run_path("openvswitch/switch.ctl"));
        let (database, control) = (database.display(), control.display());
        server.apply(&format!(
            "[[sources]]\nid = \"sw\"\nkind = \"openvswitch\"\naddress = \"unix:{database}\"\n\
             [[mirrors.backends]]\nid = \"sw\"\nkind = \"openvswitch\"\nsource = \"sw\"\naddress = \"unix:{database}\"\n\
             control = \"unix:{control}\"\n\
             [[mirrors.collectors]]\nid = \"shark\"\nip = \"10.77.9.9\"\n"
        ))?;
        server.start()?;
        let mut field = Self { lab, server };
        field.report()?;
        Ok(field)
    }

    /// An incident, for which a mirror may begin.
    fn report(&mut self) -> Result<()> {
        let sender = self.server.sender("falcon")?;
        let line = b"[P1][PROBLEM][web-7][][port is down]";
        self.server.anybody().post(&format!("/ingest/{sender}"), &[], line)?.is(200).map(drop)
    }

    fn operator(&self) -> Result<Client> {
        self.server.somebody(Role::Network)
    }

    /// Asks for a mirror of the machine that ends after a while, and gives when.
    fn begin(&self, operator: &Client, session: u32, ttl_ms: i64) -> Result<(Mirror, i64)> {
        let ends_ms = wait::now_ms() + ttl_ms;
        let spec = json!({
            "incident": 1, "reason": "who talks to it", "expires_at": ends_ms,
            "source": { "kind": "nics", "macs": [MAC] },
            "transport": { "kind": "erspan", "version": "erspan2", "remote": "10.77.9.9", "session": session },
        });
        let plan = wait::attempt("a plan", PATIENCE, || {
            let check: Value = operator.post_json("/api/v1/mirrors/check", &spec)?.is(200)?.json()?;
            if let Some(hash) = check["plan"]["hash"].as_str() {
                return Ok(Some((hash.to_owned(), check["spec"].clone())));
            }
            // The sources are asked at the start; a rule that forbids it stays.
            let findings = check["findings"].as_array().into_iter().flatten();
            let blocks: Vec<&Value> = findings.filter(|it| it["weight"] == "blocks" && it["rule"] != "M02").collect();
            ensure!(blocks.is_empty() || check["switch"].is_null(), "{blocks:#?}");
            Ok(None)
        })?;
        let (hash, spec) = plan;
        let wanted = json!({ "spec": spec, "hash": hash, "key": format!("k{session}") });
        let mirror = operator.post_json("/api/v1/mirrors", &wanted)?.is(201)?.json()?;
        Ok((mirror, ends_ms))
    }

    fn mirror(&self, operator: &Client, id: i64) -> Result<Mirror> {
        operator.read(&format!("/api/v1/mirrors/{id}"))
    }

    fn until(&self, operator: &Client, id: i64, what: &str, is: impl Fn(&Mirror) -> bool) -> Result<Mirror> {
        wait::attempt(what, PATIENCE, || Ok(Some(self.mirror(operator, id)?).filter(|it| is(it))))
    }

    /// The names of the mirrors in the switch, and of its ports that are ends of tunnels.
    fn in_switch(&mut self) -> Result<(Vec<String>, Vec<String>)> {
        let lines = |text: String| -> Vec<String> {
            text.lines().map(|line| line.trim_matches('"').to_owned()).filter(|line| !line.is_empty()).collect()
        };
        let mirrors = self.lab.run("ovs-vsctl --timeout=5 --bare --columns=name list mirror")?;
        let tunnels = self.lab.run("ovs-vsctl --timeout=5 --bare --columns=name find interface type=erspan")?;
        Ok((lines(mirrors), lines(tunnels)))
    }

    /// Whether something of ours is in the switch; theirs always is.
    fn has_ours(&mut self) -> Result<bool> {
        let (mirrors, tunnels) = self.in_switch()?;
        ensure!(mirrors.iter().any(|name| name == "theirs"), "somebody else's mirror is gone: {mirrors:?}");
        ensure!(mirrors.len() <= 2 && tunnels.len() <= 1, "more than was asked for: {mirrors:?}, {tunnels:?}");
        Ok(mirrors.len() > 1 || !tunnels.is_empty())
    }

    /// Waits until nothing of ours is in the switch; gives when that was seen.
    fn gone(&mut self) -> Result<i64> {
        wait::attempt("our mirror to be gone from the switch", PATIENCE, || Ok((!self.has_ours()?).then(wait::now_ms)))
    }

    fn there(&mut self) -> Result<()> {
        wait::attempt("our mirror to be in the switch", PATIENCE, || Ok(self.has_ours()?.then_some(())))
    }

    fn watchdog(&self, more: &[&str]) -> Result<Running> {
        let mut command = self.server.command();
        command.arg("mirror-watchdog").args(more).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Running(command.spawn().context("the watchdog cannot be started")?))
    }
}

fn in_time(gone_ms: i64, ends_ms: i64) -> Result<()> {
    let late_ms = gone_ms - ends_ms;
    println!("gone {late_ms} ms after its end");
    ensure!(late_ms <= GRACE_MS, "it outlived its end by {late_ms} ms");
    Ok(())
}

#[test]
fn a_mirror_begins_is_verified_ends_at_its_time_and_is_on_its_incident() -> Result<()> {
    let mut field = Field::new()?;
    let operator = field.operator()?;
    let (mirror, ends_ms) = field.begin(&operator, 7, TTL_MS)?;
    field.there()?;
    let id = mirror.id.0;
    let active = field.until(&operator, id, "it to be verified", |it| it.state == MirrorState::Active)?;
    ensure!(active.verified.is_some(), "{active:?}");
    // Asked for again with the same key, it is the same one.
    let spec = serde_json::to_value(&mirror.spec)?;
    let again = json!({ "spec": spec, "hash": mirror.plan.hash, "key": "k7" });
    let same: Mirror = operator.post_json("/api/v1/mirrors", &again)?.is(200)?.json()?;
    ensure!(same.id == mirror.id);
    in_time(field.gone()?, ends_ms)?;
    let over = field.until(&operator, id, "it to be over", Mirror::is_over)?;
    ensure!(matches!(over.ended, Some(MirrorEnd::Expired { .. })), "{over:?}");
    let why: Value = operator.read("/api/v1/incidents/1")?;
    let told = why.to_string();
    ensure!(told.contains("\"requested\"") && told.contains("\"stopped\""), "its incident says nothing of it: {told}");
    // A responder may end one, and may not begin one.
    let responder = field.server.somebody(Role::Responder)?;
    ensure!(responder.post_json("/api/v1/mirrors", &again)?.status == 403);
    let (second, _) = field.begin(&operator, 8, 60_000)?;
    field.there()?;
    responder.post_json(&format!("/api/v1/mirrors/{}/stop", second.id), &json!({}))?.is(200)?;
    field.gone()?;
    Ok(())
}

#[test]
fn killed_at_every_step_nothing_outlives_its_end() -> Result<()> {
    let mut field = Field::new()?;
    let refusal = field.server.ask(&["serve", "--listen", "127.0.0.1:0", "--failpoint", "?"], "");
    let Err(refusal) = refusal else { bail!("it started with a failpoint that does not exist") };
    let refusal = refusal.to_string();
    let names = refusal.split_once("there are ").map(|(_, names)| names.trim()).unwrap_or_default().split(", ");
    let failpoints: Vec<String> = names.filter(|it| it.starts_with("mirror.")).map(str::to_owned).collect();
    ensure!(failpoints.len() >= 4, "only {failpoints:?}; {refusal}");
    for (failpoint, session) in failpoints.iter().zip(10..) {
        println!("killed at {failpoint}");
        field.server.stop()?;
        field.server.spawn(&["--failpoint", failpoint])?;
        let operator = field.operator()?;
        let (mirror, ends_ms) = field.begin(&operator, session, TTL_MS)?;
        field.server.wait_for_abort(PATIENCE).with_context(|| format!("{failpoint} did not fire"))?;
        let restarted_ms = wait::now_ms();
        field.server.start()?;
        let operator = field.operator()?;
        in_time(field.gone_for_good(ends_ms)?, ends_ms.max(restarted_ms + GRACE_MS))?;
        field.until(&operator, mirror.id.0, "it to be over", Mirror::is_over)?;
    }
    Ok(())
}

impl Field {
    /// Waits until the end, and then until nothing is there.
    fn gone_for_good(&mut self, ends_ms: i64) -> Result<i64> {
        wait::attempt("the end of the mirror", PATIENCE, || Ok((wait::now_ms() >= ends_ms).then_some(())))?;
        self.gone()
    }
}

#[test]
fn with_the_server_killed_the_watchdog_ends_it_and_without_a_watchdog_the_next_start_does() -> Result<()> {
    let mut field = Field::new()?;
    let operator = field.operator()?;
    let watchdog = field.watchdog(&[])?;
    let (_, ends_ms) = field.begin(&operator, 20, TTL_MS)?;
    field.there()?;
    wait::attempt("the server to know of its watchdog", PATIENCE, || {
        let board: Value = operator.read("/api/v1/mirrors")?;
        Ok(board["watchdog_at"].is_number().then_some(()))
    })?;
    field.server.kill()?;
    ensure!(field.has_ours()?, "a switch keeps what it has when a server dies");
    in_time(field.gone_for_good(ends_ms)?, ends_ms)?;
    drop(watchdog);

    field.server.start()?;
    let operator = field.operator()?;
    let (mirror, ends_ms) = field.begin(&operator, 21, 6_000)?;
    field.there()?;
    field.server.kill()?;
    wait::attempt("its end", PATIENCE, || Ok((wait::now_ms() > ends_ms + GRACE_MS).then_some(())))?;
    ensure!(field.has_ours()?, "nothing of ours is alive, so it is still there");
    let started_ms = wait::now_ms();
    field.server.start()?;
    in_time(field.gone()?, started_ms)?;
    let operator = field.operator()?;
    field.until(&operator, mirror.id.0, "it to be over", Mirror::is_over)?;
    Ok(())
}

#[test]
fn a_server_that_is_silent_loses_all_of_its_mirrors() -> Result<()> {
    let mut field = Field::new()?;
    let operator = field.operator()?;
    let _watchdog = field.watchdog(&["--patience", "30s"])?;
    let (mirror, _) = field.begin(&operator, 30, 3_600_000)?;
    field.there()?;
    // A server that dies before it knows of it asks for it once more when it is back: it was agreed to.
    let is_known = |it: &Mirror| matches!(it.state, MirrorState::Applied | MirrorState::Active);
    field.until(&operator, mirror.id.0, "the server to know that it is there", is_known)?;
    field.server.kill()?;
    let killed_ms = wait::now_ms();
    let gone_ms = field.gone()?;
    // The lease was renewed up to ten seconds before.
    println!("gone {} ms after the server", gone_ms - killed_ms);
    ensure!(gone_ms - killed_ms >= 15_000, "a server that is away for a moment is not gone");
    // And by hand, at once.
    field.server.start()?;
    let operator = field.operator()?;
    field.begin(&operator, 31, 3_600_000)?;
    field.there()?;
    field.server.kill()?;
    field.server.ask(&["mirror-watchdog", "--stop-all"], "")?;
    ensure!(!field.has_ours()?, "it was told to stop all");
    Ok(())
}

#[test]
fn it_ends_with_the_store_locked_the_switch_killed_and_the_switchs_database_gone() -> Result<()> {
    let mut field = Field::new()?;
    let operator = field.operator()?;
    let (_, ends_ms) = field.begin(&operator, 40, TTL_MS)?;
    field.there()?;
    let lock = StoreLock::take(&field.server.folder().join("data").join("tocsin.db"))?;
    in_time(field.gone_for_good(ends_ms)?, ends_ms)?;
    drop(lock);

    // The program that forwards dies; the database of the switch is enough.
    wait::attempt("the store to be back", PATIENCE, || {
        Ok((field.server.anybody().get("/readyz")?.status == 200).then_some(()))
    })?;
    let (_, ends_ms) = field.begin(&operator, 41, TTL_MS)?;
    field.there()?;
    field.lab.kill("/run/openvswitch/switch.pid")?;
    in_time(field.gone_for_good(ends_ms)?, ends_ms)?;
    let socket = "/run/openvswitch";
    field.lab.run(&format!(
        "ovs-vswitchd unix:{socket}/db.sock --unixctl={socket}/switch.ctl --pidfile={socket}/switch.pid --detach"
    ))?;

    // While the database of the switch is away nothing can be done; when it is back, it is.
    let (mirror, ends_ms) = field.begin(&operator, 42, TTL_MS)?;
    field.there()?;
    field.lab.kill("/run/openvswitch/db.pid")?;
    wait::attempt("its end", PATIENCE, || Ok((wait::now_ms() > ends_ms + 2_000).then_some(())))?;
    field.until(&operator, mirror.id.0, "it to say that it cannot be ended", |it| {
        it.state == MirrorState::Stopping && it.trouble.is_some()
    })?;
    field.lab.start_database()?;
    let back_ms = wait::now_ms();
    // It is asked again every fifteen seconds at the latest, and by the sweep every three.
    in_time(field.gone()?, back_ms)?;
    field.until(&operator, mirror.id.0, "it to be over", Mirror::is_over)?;
    Ok(())
}
