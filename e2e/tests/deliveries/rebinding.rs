//! A name that answers otherwise the second time: whoever may choose an address reaches nothing inside by it, whatever their
//! name server says and whenever.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    lab::{Lab, Network},
    lab_server::{LabServer, URL},
    wait,
};
use serde_json::Value;
use std::fs;

/// Public addresses, which here lead to the receiver as everything does.
const PUBLIC: [&str; 2] = ["1.2.3.4", "1.2.3.5"];
/// Where nobody is sent whose name says so: this machine, its network, a cloud's metadata, and each once more in IPv6.
const INSIDE: [&str; 6] = ["127.0.0.1", "10.9.8.7", "169.254.169.254", "::1", "fd00::9", "64:ff9b::7f00:1"];

const HOUSE: &str = r#"fallback = ["person:wang"]
paging = { unproven_p0 = "0s" }
channels.webhook = { allow_http = true }
[[people]]
id = "wang"
name = "Wang"
contacts = [{ id = "chosen", webhook = "http://hook.example.org/chosen" }, { id = "steady", webhook = "http://steady.example.org/steady" }]
rules = [{ notify = [{ contact = "chosen" }, { contact = "steady", after = "1h" }] }]
"#;

/// Takes every POST on port 80 of all addresses, and writes down which of them it came to.
const RECEIVER: &str = r#"
import http.server, socket
class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        at = self.connection.getsockname()[0].removeprefix("::ffff:")
        with open("received", "a") as received:
            received.write(f"{self.path} {at}\n")
        self.send_response(204)
        self.end_headers()
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(("::", 80), Receiver).serve_forever()
"#;

struct Site {
    server: LabServer,
    sender: String,
    posts: u32,
}

impl Site {
    fn new() -> Result<Self> {
        let mut lab = Lab::new(Network::Own)?;
        for address in PUBLIC {
            lab.run(&format!("ip address add {address}/32 dev lo"))?;
        }
        for inside in ["10.9.8.7/32", "169.254.169.254/32", "fd00::9/128", "64:ff9b::7f00:1/128"] {
            lab.run(&format!("ip address add {inside} dev lo"))?;
        }
        lab.run("rm -f /etc/resolv.conf && echo 'nameserver 127.0.0.1' > /etc/resolv.conf")?;
        fs::write(lab.file("receiver.py"), RECEIVER)?;
        fs::write(lab.file("received"), "")?;
        fs::write(lab.file("names"), format!("{} hook.example.org\n{} steady.example.org\n", PUBLIC[0], PUBLIC[1]))?;
        let mut server = LabServer::start(lab, HOUSE)?;
        server.begin("receiver", "python3 receiver.py")?;
        // As a stranger's own: nothing may be kept of what it says. It leaves the folder it is started in.
        let names = server.lab.file("names");
        server.begin(
            "names",
            &format!(
                "dnsmasq --keep-in-foreground --user=root --no-resolv --no-hosts --addn-hosts={} --local-ttl=0 \
                 --listen-address=127.0.0.1 --bind-interfaces --log-queries --log-facility=-",
                names.display()
            ),
        )?;
        wait::until("the name server", wait::PATIENCE, || server.lab.run("getent hosts hook.example.org").ok())?;
        // It listens inside too: where nobody comes, that is our doing.
        for address in PUBLIC.iter().chain(&INSIDE) {
            let host = if address.contains(':') { format!("[{address}]") } else { (*address).to_owned() };
            let answers = format!("curl -sS --noproxy '*' --max-time 5 -d '' http://{host}/ready");
            wait::until("the receiver", wait::PATIENCE, || server.lab.run(&answers).ok())?;
        }
        fs::write(server.lab.file("received"), "")?;
        let sender = server.lab.run("/run/tocsin --data data token create --kind integration --name falcon")?;
        Ok(Self { server, sender: sender.trim().to_owned(), posts: 0 })
    }

    /// From now on the name leads there, in this order.
    fn rebind(&mut self, addresses: &[&str]) -> Result<()> {
        let names = addresses.iter().map(|address| format!("{address} hook.example.org\n")).collect::<String>();
        fs::write(self.server.lab.file("names"), format!("{names}{} steady.example.org\n", PUBLIC[1]))?;
        self.server.lab.run("kill -HUP $(cat names.pid)")?;
        let last = addresses.last().context("a name that leads nowhere")?;
        wait::attempt("the name server to say otherwise", wait::PATIENCE, || {
            Ok(self.server.lab.run("getent ahosts hook.example.org")?.contains(last).then_some(()))
        })
    }

    /// Sends an alert and gives what became of it: which receiver took it at which address, and the delivery by the chosen
    /// contact.
    fn page(&mut self) -> Result<(String, Value)> {
        self.posts += 1;
        fs::write(self.server.lab.file("received"), "")?;
        let (sender, n) = (&self.sender, self.posts);
        self.server.curl(&format!("-d '[P0][PROBLEM][db-{n}][10.1.2.3][host is down]' {URL}/ingest/{sender}"))?;
        let received = self.server.lab.file("received");
        let took = wait::until("somebody to be reached", wait::PATIENCE, || {
            fs::read_to_string(&received).ok().filter(|text| text.ends_with('\n'))
        })?;
        let chosen = wait::attempt("the delivery to be over", wait::PATIENCE, || {
            let detail = self.server.get(&format!("/api/v1/incidents/{n}"))?;
            let attempts = detail["incident"]["pages"][0]["attempts"].as_array().context("no attempts")?;
            let chosen = attempts.iter().find(|it| it["contact"] == "chosen").context("no chosen contact")?;
            let is_over = chosen["state"] == "accepted" || chosen["state"] == "failed";
            Ok(is_over.then(|| chosen.clone()))
        })?;
        Ok((took.trim().to_owned(), chosen))
    }
}

#[test]
fn a_name_that_turns_inwards_leads_nowhere_and_the_next_contact_is_used_at_once() -> Result<()> {
    let mut site = Site::new()?;
    let (took, chosen) = site.page()?;
    ensure!(took == "/chosen 1.2.3.4" && chosen["state"] == "accepted", "{took}: {chosen}");
    for inside in INSIDE {
        site.rebind(&[inside])?;
        let (took, chosen) = site.page()?;
        ensure!(took == "/steady 1.2.3.5", "{inside}: {took}");
        let failure = &chosen["failure"];
        ensure!(chosen["state"] == "failed" && failure["permanent"] == true, "{inside}: {chosen}");
        let why = failure["detail"].as_str().unwrap_or_default();
        ensure!(why.starts_with("the address is private or reserved"), "{inside}: {why}");
    }
    // One that says both is taken at its better word.
    site.rebind(&["127.0.0.1", "::1", "1.2.3.4"])?;
    let (took, chosen) = site.page()?;
    ensure!(took == "/chosen 1.2.3.4" && chosen["state"] == "accepted", "{took}: {chosen}");
    let asked = fs::read_to_string(site.server.lab.file("names.log"))?;
    ensure!(asked.contains("hook.example.org is 169.254.169.254"), "the name server was not asked: {asked}");
    Ok(())
}
