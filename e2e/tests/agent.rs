//! The agent as a process of its own, in networks of its own: what it reports, what it looks for, and what it never does.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    lab::Lab,
    lab_server::{LabServer, URL},
    wait,
};
use serde_json::{Value, json};
use std::fs;

/// The lab's own network, with a machine at the other end of each cable: `b` on the agent's first segment; `r`, a router
/// that answers for others and has a machine behind it, on the second; `d` on a third, where nobody may look; `n` on a
/// fourth, never spoken to.
const CABLES: [(&str, &str, &str); 4] = [
    ("b", "10.77.0.1/24", "10.77.0.9/24"),
    ("r", "10.77.1.1/24", "10.77.1.254/24"),
    ("d", "10.77.4.1/24", "10.77.4.9/24"),
    ("n", "10.77.3.1/24", "10.77.3.9/24"),
];
const SOURCE: &str = "[[sources]]\nid = \"segment-a\"\nkind = \"agents\"\nprobe = [\"10.77.0.0/16\", \"fd77::/16\"]\n";
/// Half of what the server may ask for; the third segment is in the other half.
const LIMITS: &str = "--probe 10.77.0.0/22 --probe fd77::/16";

struct Site {
    server: LabServer,
}

impl Site {
    /// Cables, machines and a server; no agent yet.
    fn new() -> Result<Self> {
        let mut lab = Lab::bare()?;
        for (name, here, there) in CABLES {
            lab.run(&format!(
                "ip netns add {name} && ip link add to-{name} type veth peer name eth0 netns {name} && \
                 ip address add {here} dev to-{name} && ip link set to-{name} up && \
                 ip -n {name} address add {there} dev eth0 && ip -n {name} link set lo up && \
                 ip -n {name} link set eth0 up"
            ))?;
        }
        lab.run("ip address add fd77::3:1/112 dev to-n nodad")?;
        lab.run("ip -n n address add fd77::3:9/112 dev eth0 nodad")?;
        // Half of the second segment is behind its router, which also answers for one address of the other half.
        lab.run("ip route add 10.77.1.128/25 via 10.77.1.254")?;
        lab.run(
            "ip -n r link add behind type veth peer name far && ip -n r link set behind up && ip -n r link set far up",
        )?;
        lab.run("ip -n r route add 10.77.1.77/32 dev behind")?;
        lab.run("ip netns exec r sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv4/conf/eth0/proxy_arp; echo 0 > /proc/sys/net/ipv4/neigh/eth0/proxy_delay'")?;
        let mut server = LabServer::start(lab, SOURCE)?;
        let token = "/run/tocsin --data data token create --kind agent --name segment-a/lab-1 > /run/token";
        server.lab.run(token)?;
        // It holds no secret of anybody's but this lab's.
        server.lab.run("chmod 644 /run/token")?;
        Ok(Self { server })
    }

    /// The agent, as an account that may do nothing at all.
    fn start_agent(&mut self, more: &str) -> Result<()> {
        let nobody =
            "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs";
        let agent = format!("{nobody} /run/tocsin agent --server {URL} --token-file /run/token --name lab-1");
        self.server.begin("agent", &format!("{agent} --every 2s {more}"))?;
        let heard = || {
            let agents = self.server.get("/api/v1/sources").ok()?["items"][0]["agents"].clone();
            (agents[0]["silent"] == false).then_some(())
        };
        let waited = wait::until("the agent to be heard", wait::PATIENCE, heard);
        waited.with_context(|| fs::read_to_string(self.server.lab.file("agent.log")).unwrap_or_default())
    }

    fn look_up(&mut self, text: &str, probe: bool) -> Result<Value> {
        let body = json!({ "text": text, "probe": probe });
        self.server.curl(&format!("-H 'Content-Type: application/json' -d '{body}' {URL}/api/v1/vms"))
    }

    /// The outcome of asking for one address, and what it found.
    fn ask(&mut self, ip: &str) -> Result<(String, Value)> {
        let found = self.look_up(ip, true)?;
        let asked = &found["terms"][0]["asked"][0];
        Ok((asked["outcome"].as_str().unwrap_or_default().to_owned(), found["items"][0].clone()))
    }

    /// The hardware address of the machine at the other end.
    fn mac(&mut self, name: &str) -> Result<Value> {
        let mac = self.server.lab.run(&format!("ip netns exec {name} cat /sys/class/net/eth0/address"))?;
        Ok(json!(mac.trim()))
    }

    /// Makes this machine speak with another once, so that its kernel knows it.
    fn speak_with(&mut self, ip: &str) -> Result<()> {
        self.server.lab.run(&format!("curl -s --noproxy '*' --max-time 5 http://{ip}:9/ || :")).map(drop)
    }

    /// Datagrams that left this machine since it began, whoever sent them: server and agent speak TCP.
    fn datagrams(&mut self) -> Result<u64> {
        let read = "awk '$1 ~ /^Udp:/ && $2 ~ /^[0-9]/ { print $5 } $1 == \"Udp6OutDatagrams\" { print $2 }'";
        let lines = self.server.lab.run(&format!("cat /proc/net/snmp /proc/net/snmp6 | {read}"))?;
        Ok(lines.lines().filter_map(|line| line.trim().parse::<u64>().ok()).sum())
    }
}

#[test]
fn an_agent_without_any_privilege_reports_who_answered_and_which_of_them_is_a_router() -> Result<()> {
    let mut site = Site::new()?;
    site.speak_with("10.77.0.9")?;
    site.speak_with("10.77.1.254")?;
    let printed = site.server.lab.run("/run/tocsin agent --once --interface to-b")?;
    ensure!(printed.contains("10.77.0.9") && !printed.contains("10.77.1.254"), "{printed}");
    site.start_agent("")?;
    let b = site.mac("b")?;
    let found = site.look_up("10.77.0.9", false)?["items"][0].clone();
    ensure!(found["mac"] == b && found["hops"][0]["source"] == "segment-a", "{found}");
    let router = site.look_up("10.77.1.254", false)?["items"][0].clone();
    ensure!(router["mac"] == site.mac("r")?, "its own address is its own: {router}");
    // A machine that is spoken with later is known with the next report.
    site.speak_with("10.77.3.9")?;
    let n = site.mac("n")?;
    wait::attempt("the new neighbour", wait::PATIENCE, || {
        Ok((site.look_up("10.77.3.9", false)?["items"][0]["mac"] == n).then_some(()))
    })?;
    // Nothing was ever sent: no prefix was named to the agent.
    let before = site.datagrams()?;
    let (outcome, found) = site.ask("10.77.0.33")?;
    ensure!((outcome.as_str(), &found) == ("no_agent", &Value::Null), "{outcome} {found}");
    assert_eq!(site.datagrams()?, before);
    let status = site.server.lab.run("cat /proc/$(cat agent.pid)/status")?;
    let uid = status.lines().find(|line| line.starts_with("Uid:")).context("no uid")?;
    ensure!(uid.split_whitespace().nth(1) == Some("65534"), "{uid}");
    let own =
        status.lines().find_map(|line| line.strip_prefix("RssAnon:")?.trim().strip_suffix(" kB")?.trim().parse().ok());
    let own: u64 = own.context("no RssAnon")?;
    ensure!(own < 20_000, "the agent has {own} kB of its own");
    Ok(())
}

#[test]
fn a_machine_that_nobody_spoke_with_is_found_and_a_router_is_never_the_answer() -> Result<()> {
    let mut site = Site::new()?;
    site.speak_with("10.77.1.254")?;
    site.start_agent(LIMITS)?;
    let before = site.datagrams()?;
    for (ip, machine) in [("10.77.3.9", "n"), ("fd77::3:9", "n"), ("10.77.0.9", "b")] {
        let mac = site.mac(machine)?;
        ensure!(site.look_up(ip, false)?["items"] == json!([]), "nobody spoke with {ip}");
        let (outcome, found) = site.ask(ip)?;
        ensure!(outcome == "answered" && found["mac"] == mac, "{ip}: {outcome} {found}");
        ensure!(found["hops"][0]["trust"] == "fair", "{found}");
    }
    assert_eq!(site.datagrams()?, before + 3, "one for each address");
    let (outcome, found) = site.ask("10.77.0.33")?;
    ensure!((outcome.as_str(), &found) == ("nobody", &Value::Null), "{outcome} {found}");
    assert_eq!(site.datagrams()?, before + 4);
    // Asked again at once, nothing more is sent.
    ensure!(site.ask("10.77.0.33")?.0 == "nobody");
    assert_eq!(site.datagrams()?, before + 4);

    // Several are looked for at once.
    let found = site.look_up("10.77.0.34 10.77.0.35 10.77.0.36 10.77.0.37", true)?;
    let outcomes = found["terms"].as_array().context("no terms")?.iter().map(|term| &term["asked"][0]["outcome"]);
    ensure!(outcomes.eq(["nobody"; 4].iter()), "{found}");
    assert_eq!(site.datagrams()?, before + 8);
    let router = site.mac("r")?;
    let (outcome, found) = site.ask("10.77.1.77")?;
    ensure!(outcome == "router" && found["mac"].is_null(), "the router answers for it: {outcome} {found}");
    ensure!(found["doubts"][0]["kind"] == "behind_router" && found["doubts"][0]["mac"] == router, "{found}");
    assert_eq!(site.datagrams()?, before + 9);
    for (ip, expected) in [
        // On the agent's segment by its prefix, but a route leads over the router.
        ("10.77.1.200", "refused"),
        // Behind the router; and where the agent's own settings do not let it look.
        ("10.77.2.9", "no_agent"),
        ("10.77.4.9", "no_agent"),
    ] {
        let (outcome, found) = site.ask(ip)?;
        ensure!((outcome.as_str(), &found) == (expected, &Value::Null), "{ip}: {outcome} {found}");
    }
    ensure!(site.look_up("10.78.0.1", true)?["terms"][0].get("asked").is_none(), "it is in no prefix of the source");
    assert_eq!(site.datagrams()?, before + 9, "nothing was sent for any of them");
    ensure!(site.server.lab.run("ip neigh show dev to-d")?.trim().is_empty(), "nobody was asked there");
    Ok(())
}

#[test]
fn an_old_answer_is_confirmed_within_seconds_or_taken_back() -> Result<()> {
    let mut site = Site::new()?;
    let n = site.mac("n")?;
    let known = n.as_str().context("no address")?;
    // As a kernel keeps what it heard long ago: one that is there, and one that is no more.
    site.server.lab.run(&format!("ip neigh replace 10.77.3.9 lladdr {known} nud stale dev to-n"))?;
    site.server.lab.run("ip neigh replace 10.77.3.66 lladdr 52:54:00:00:00:66 nud stale dev to-n")?;
    site.start_agent(LIMITS)?;
    for ip in ["10.77.3.9", "10.77.3.66"] {
        let found = site.look_up(ip, false)?;
        ensure!(found["items"][0]["hops"][0]["trust"] == "stale", "{found}");
        ensure!(found["terms"][0]["askable"] == json!(["segment-a"]), "{found}");
        let (outcome, found) = site.ask(ip)?;
        ensure!(outcome == "confirming" && found["hops"][0]["trust"] == "stale", "{ip}: {outcome} {found}");
    }
    wait::attempt("the machine that is there", wait::PATIENCE, || {
        let found = site.look_up("10.77.3.9", false)?["items"][0].clone();
        Ok((found["hops"][0]["trust"] == "fair" && found["mac"] == n).then_some(()))
    })?;
    wait::attempt("the machine that is no more", wait::PATIENCE, || {
        Ok((site.look_up("10.77.3.66", false)?["items"] == json!([])).then_some(()))
    })
}

#[test]
fn a_wrong_token_is_said_and_a_right_one_counts_without_a_restart() -> Result<()> {
    let mut site = Site::new()?;
    site.server.lab.run("cp /run/token right && echo tag_wrong > /run/token")?;
    let agent = format!("/run/tocsin agent --server {URL} --token-file /run/token --name lab-1 --every 1s");
    site.server.begin("agent", &agent)?;
    let log = site.server.lab.file("agent.log");
    let said = |what: &str| fs::read_to_string(&log).is_ok_and(|log| log.contains(what));
    wait::until("the agent to say why", wait::PATIENCE, || said("There is no such token of an agent").then_some(()))?;
    ensure!(!said("tag_wrong"), "a token is never in a log");
    site.server.lab.run("cp right /run/token")?;
    // Who is refused tries again within half a minute.
    wait::until("the report to be taken", 2 * wait::PATIENCE, || said("reports are taken again").then_some(()))?;
    // In the clear, to another machine: never.
    let refused = site
        .server
        .lab
        .run("/run/tocsin agent --server http://10.77.0.9 --token-file /run/token 2>&1 && exit 1 || :")?;
    ensure!(refused.contains("in the clear") && refused.contains("https://"), "{refused}");
    Ok(())
}
