//! The senders of the drill, each with a token of its own, and what is looked at afterwards.

use crate::{alerta, alertmanager, syslog, zabbix};
use anyhow::{Context as _, Result, anyhow, ensure};
use e2e::{
    environment,
    front::Front,
    hook::HookSink,
    http::Client,
    lab::{Lab, Network},
    running::Running,
    senders,
    tocsin::Tocsin,
    wait,
};
use serde_json::json;
use shared::{
    api::{IncidentDetail, IncidentList, IncidentRow, List, Role, SenderRequest},
    snippets::{self, Address},
};
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Command, Stdio},
    thread,
};
use tempfile::TempDir;

/// Those that end by themselves, and whether they try again when they are refused and when nobody answers.
const CALLS: [(&str, [bool; 2]); 9] = [
    ("pagerduty", [true, true]),
    ("pdpyras", [true, true]),
    // On 429 alone.
    ("pdjs", [true, false]),
    ("opsgenie", [true, true]),
    ("opsgenie-js", [true, true]),
    ("nagios", [true, true]),
    ("alerta", [false, false]),
    ("netdata", [false, false]),
    ("zabbix", [false, false]),
];
/// Those that go on until they are heard.
const DAEMONS: [&str; 7] =
    ["am-webhook", "am-pagerduty", "am-opsgenie", "am-slack", "prometheus", "machines", "ng-http"];
/// What speaks to the port of `machines`.
const LINES: [&str; 2] = ["rsyslog", "ng-tcp"];
/// Whoever is refused by a protocol without answers sees nothing.
const UNANSWERED: &str = "machines";

/// What a sender was told, as far as it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Taken,
    Failed(String),
}

pub(super) struct Field {
    pub(super) server: Tocsin,
    _hook: HookSink,
    front: Front,
    viewer: Client,
    tokens: BTreeMap<&'static str, String>,
    folder: TempDir,
    alertmanager: (Running, SocketAddr),
    prometheus: Option<Running>,
    /// Where rsyslog and syslog-ng take lines.
    relays: [SocketAddr; 2],
    _lab: Lab,
    zabbix: Option<zabbix::Zabbix>,
}

impl Field {
    pub(super) fn new() -> Result<Self> {
        let hook = HookSink::start()?;
        let mut server = Tocsin::fresh()?;
        let port = syslog::free()?;
        server.apply(&format!(
            "{}[[integrations]]\nid = \"{UNANSWERED}\"\n[integrations.syslog]\ntcp = \"{port}\"\nfrom = [\"127.0.0.1\"]\n",
            hook.people(&["wang"])
        ))?;
        server.start()?;
        let names = CALLS.iter().map(|(name, _)| *name).chain(DAEMONS);
        let tokens: BTreeMap<_, _> = names.map(|name| Ok((name, server.sender(name)?))).collect::<Result<_>>()?;
        let folder = tempfile::tempdir()?;
        let alertmanager = alertmanager(&server, &tokens, folder.path())?;
        let (lab, relays) = relays(&server, &tokens["ng-http"], port)?;
        let zabbix = zabbix::Zabbix::new(&server.url(""), &tokens["zabbix"])?;
        let address = server.address();
        Ok(Self {
            front: Front::start(address)?,
            viewer: server.somebody(Role::Viewer)?,
            server,
            _hook: hook,
            tokens,
            folder,
            alertmanager,
            prometheus: None,
            relays,
            _lab: lab,
            zabbix: Some(zabbix),
        })
    }

    /// All senders send; what each says of it once `during` is over and it has ended.
    pub(super) fn send(
        &mut self,
        during: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<BTreeMap<&'static str, Told>> {
        let mut running = Vec::new();
        for (name, _) in CALLS.iter().filter(|(name, _)| *name != "zabbix") {
            let command = self.call(name)?;
            running.push((*name, thread::spawn(move || called(command))));
        }
        let mut zabbix = self.zabbix.take().context("it sends once")?;
        running.push((
            "zabbix",
            thread::spawn(move || {
                let host: Vec<_> = zabbix::PROBLEM.iter().copied().filter(|(name, _)| *name != "host_name").collect();
                Ok(zabbix
                    .run(&[&host[..], &[("host_name", "db-zabbix")]].concat())
                    .map_or_else(|error| Told::Failed(error.to_string()), |_| Told::Taken))
            }),
        ));
        self.log_lines()?;
        self.prometheus = Some(prometheus(&self.server, &self.tokens["prometheus"], self.folder.path())?);
        let alert = json!([{
            "labels": { "alertname": "Down", "instance": "db-am:9100", "severity": "critical" },
            "annotations": { "summary": "it is down" }, "endsAt": "2999-01-01T00:00:00Z",
        }]);
        Client::new(self.alertmanager.1).post_json("/api/v2/alerts", &alert)?.is(200)?;
        let over = during(self);
        let mut told = BTreeMap::new();
        for (name, thread) in running {
            let said = thread.join().map_err(|_| anyhow!("the thread of {name} panicked"))?;
            told.insert(name, said.with_context(|| name.to_owned())?);
        }
        over.with_context(|| format!("{told:?}; its log says:\n{}", self.server.log()))?;
        Ok(told)
    }

    /// A line to each relay, which hands it on.
    pub(super) fn log_lines(&self) -> Result<()> {
        for (name, relay) in [("rsyslog", self.relays[0]), ("ng-tcp", self.relays[1]), ("ng-http", self.relays[1])] {
            let line = format!("<11>Nov 21 03:10:00 relay {name}: [P1][PROBLEM][db-{name}][10.8.3.21][it is down]\n");
            TcpStream::connect(relay)?.write_all(line.as_bytes())?;
        }
        Ok(())
    }

    fn call(&self, name: &str) -> Result<Command> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let scripts = here.join("tests/drill");
        let (base, host) = (self.server.url(""), format!("db-{name}"));
        let (secure, token) = (format!("https://{}", self.front.host()), self.tokens[name].as_str());
        let of_this = self.folder.path().join(name);
        fs::create_dir(&of_this)?;
        let python = |script: &str, arguments: &[&str]| -> Result<Command> {
            let mut python = Command::new(environment::python()?);
            python.arg(scripts.join(script)).args(arguments);
            Ok(python)
        };
        let node = |script: &str, base: &str| {
            let mut node = Command::new("node");
            node.arg(scripts.join(script)).args([base, token, &host]).current_dir(here.join("browser"));
            node
        };
        let mut command = match name {
            "pagerduty" | "pdpyras" => python("send_pagerduty.py", &[name, &secure, token, &host])?,
            "pdjs" => node("send_pagerduty.mjs", &secure),
            "opsgenie" => python("send_opsgenie.py", &[&base, token, &host])?,
            "opsgenie-js" => node("send_opsgenie.mjs", &base),
            "nagios" => {
                let address = of_this.join("tocsin.url");
                fs::write(&address, format!("{base}/ingest/{token}"))?;
                let mut script = Command::new(here.join("../docs/integrations/tocsin_notify.sh"));
                script.arg(address).envs([
                    ("NAGIOS_NOTIFICATIONTYPE", "PROBLEM"),
                    ("NAGIOS_HOSTNAME", "db-nagios"),
                    ("NAGIOS_HOSTSTATE", "DOWN"),
                ]);
                script
            }
            "alerta" => {
                let config = of_this.join("alerta.conf");
                fs::write(&config, "[DEFAULT]\ntimeout = 4\n")?;
                let mut alerta = Command::new(alerta::beside_python("alerta")?);
                alerta.args([
                    "--endpoint-url",
                    &format!("{base}/alerta"),
                    "send",
                    "-r",
                    &host,
                    "-e",
                    "Down",
                    "-E",
                    "Production",
                ]);
                alerta.args(["-s", "critical", "-S", "db", "-t", "it is down"]).env("ALERTA_CONF_FILE", config);
                alerta.env_remove("TERM").env_remove("PS1").env("LC_ALL", "C.UTF-8").env("ALERTA_API_KEY", token);
                alerta
            }
            _ => {
                let config = format!(
                    "SEND_EMAIL=NO\nSEND_SYSLOG=NO\nSEND_GOTIFY=YES\nGOTIFY_APP_URL={base}\nGOTIFY_APP_TOKEN={token}\n"
                );
                fs::write(of_this.join("health_alarm_notify.conf"), config)?;
                alerta::alarm_script(&of_this, [&host, "CRITICAL", "CLEAR", "95"])?
            }
        };
        command.stdin(Stdio::null()).env("NO_PROXY", "127.0.0.1,localhost");
        for name in ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            command.env(name, self.front.authority());
        }
        Ok(command)
    }

    /// Senders that met no refusal yet.
    pub(super) fn unrefused(&self) -> Result<Vec<&'static str>> {
        let mut without = Vec::new();
        for name in self.tokens.keys().filter(|name| **name != UNANSWERED) {
            let asked: List<SenderRequest> = self.viewer.read(&format!("/api/v1/integrations/{name}/requests"))?;
            if !asked.items.iter().any(|it| it.status >= 400) {
                without.push(*name);
            }
        }
        Ok(without)
    }

    /// How many connections to it are open, whether or not it has looked at them.
    pub(super) fn connections(&self) -> Result<usize> {
        const ESTABLISHED: &str = "01";
        let port = format!(":{:04X}", self.server.address().port());
        let table = fs::read_to_string("/proc/net/tcp")?;
        let rows = table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
        let is_open =
            |row: &Vec<&str>| row.get(3) == Some(&ESTABLISHED) && row.get(1).is_some_and(|it| it.ends_with(&port));
        Ok(rows.filter(is_open).count())
    }

    /// Requests that Alertmanager's webhook gave up.
    pub(super) fn alertmanager_failures(&self) -> Result<u64> {
        let metrics = Client::new(self.alertmanager.1).get("/metrics")?.is(200)?.text();
        let line = "alertmanager_notification_requests_failed_total{integration=\"webhook\"} ";
        let failed = metrics.lines().find_map(|it| it.strip_prefix(line)).context("Alertmanager counts no failures")?;
        Ok(failed.trim().parse::<f64>()? as u64)
    }

    fn rows(&self, integration: &str) -> Result<Vec<IncidentRow>> {
        let board: IncidentList = self.viewer.read("/api/v1/incidents?state=all&limit=200")?;
        Ok(board.items.into_iter().filter(|row| row.integration.as_str() == integration).collect())
    }

    /// What came of it: no alert twice, none missing that was taken, none given up in silence.
    pub(super) fn verdict(&self, fault: &str, told: &BTreeMap<&'static str, Told>) -> Result<()> {
        let refused = fault == "the store refuses";
        for (name, again) in CALLS {
            let did = &told[name];
            let again = again[usize::from(!refused)];
            ensure!(!again || *did == Told::Taken, "{fault}: {name} should have tried again: {did:?}");
            let rows = self.rows(name)?;
            let found = rows.len();
            ensure!(found == 1 || (found == 0 && *did != Told::Taken), "{fault}: {name} was told {did:?}: {rows:?}");
            self.paged_once(&rows).with_context(|| format!("{fault}: {name}"))?;
            let result = match did {
                Told::Taken => "taken in the end: one incident, one page".to_owned(),
                Told::Failed(_) => format!("was told that it failed; {found} stored"),
            };
            senders::worked(name, "-", &format!("drill: {fault}"), &result)?;
        }
        for name in DAEMONS {
            let expected = if name == UNANSWERED { LINES.len() } else { 1 };
            let there = || Ok(Some(self.rows(name)?).filter(|rows| rows.len() >= expected));
            let rows = wait::attempt(&format!("{name} to send again"), super::PATIENCE, there)
                .with_context(|| format!("{fault}; its log says:\n{}", self.server.log()))?;
            ensure!(rows.len() == expected, "{fault}: {name} became {rows:?}");
            self.paged_once(&rows).with_context(|| format!("{fault}: {name}"))?;
            senders::worked(
                name,
                "-",
                &format!("drill: {fault}"),
                "sent again by itself: one incident, one page each",
            )?;
        }
        Ok(())
    }

    fn paged_once(&self, rows: &[IncidentRow]) -> Result<()> {
        for row in rows {
            let found: IncidentDetail = self.viewer.read(&format!("/api/v1/incidents/{}", row.id))?;
            let timeline = serde_json::to_value(&found.timeline)?;
            let pages = timeline.as_array().into_iter().flatten().filter(|it| it["what"]["kind"] == "paged").count();
            ensure!(
                pages == 1 && found.alerts.len() == 1,
                "{} pages, {} alerts: {timeline:#}",
                pages,
                found.alerts.len()
            );
        }
        Ok(())
    }
}

fn called(mut command: Command) -> Result<Told> {
    let output = command.output()?;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    // Netdata's script says in its log what came of it, and ends well whatever that was.
    let failed = !output.status.success() || said.contains("failed to send");
    Ok(if failed { Told::Failed(said) } else { Told::Taken })
}

fn alertmanager(server: &Tocsin, tokens: &BTreeMap<&str, String>, folder: &Path) -> Result<(Running, SocketAddr)> {
    let config = json!({
        "route": { "receiver": "all", "group_wait": "0s", "group_interval": "5s", "repeat_interval": "1h" },
        "receivers": [{
            "name": "all",
            "webhook_configs": [{ "url": server.url(&format!("/ingest/{}", tokens["am-webhook"])) }],
            "pagerduty_configs": [{ "routing_key": tokens["am-pagerduty"], "url": server.url("/v2/enqueue"), "severity": "critical" }],
            "opsgenie_configs": [{ "api_key": tokens["am-opsgenie"], "api_url": server.url("/"), "priority": "P2" }],
            "slack_configs": [{ "api_url": server.url(&format!("/slack/{}", tokens["am-slack"])) }],
        }],
    });
    // Every JSON is YAML.
    alertmanager::original(folder, &config.to_string())
}

/// Fires from the beginning, and tells it each second.
fn prometheus(server: &Tocsin, token: &str, folder: &Path) -> Result<Running> {
    let program = environment::program("prometheus").with_context(|| alertmanager::INSTALL)?;
    let address = Address::new(&server.url(&format!("/ingest/{token}")));
    let config =
        format!("global: {{ evaluation_interval: 1s }}\nrule_files: [rules.yml]\n{}", snippets::prometheus(&address));
    let rules = "groups:\n- name: e2e\n  rules:\n  - alert: Down\n    expr: vector(1)\n    \
        labels: { severity: critical, instance: 'db-prometheus:9100' }\n    annotations: { summary: it is down }\n";
    fs::write(folder.join("prometheus.yml"), config)?;
    fs::write(folder.join("rules.yml"), rules)?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let prometheus = Command::new(program)
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--rules.alert.resend-delay=1s"])
        .arg(format!("--web.listen-address={free}"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(Running(prometheus))
}

/// rsyslog and syslog-ng, which hand on what they take: over connections, and the second by posting as well.
fn relays(server: &Tocsin, token: &str, to: SocketAddr) -> Result<(Lab, [SocketAddr; 2])> {
    let mut lab = Lab::new(Network::Ours)?;
    let (r, ng, port) = (syslog::free()?, syslog::free()?, to.port());
    let config = format!(
        "global(workDirectory=\"{}\")\nmodule(load=\"imtcp\")\ninput(type=\"imtcp\" address=\"127.0.0.1\" port=\"{}\")\n\
         action(type=\"omfwd\" target=\"127.0.0.1\" port=\"{port}\" protocol=\"tcp\" action.resumeRetryCount=\"-1\" \
         action.resumeInterval=\"1\" queue.type=\"LinkedList\" template=\"RSYSLOG_ForwardFormat\")\n",
        lab.file("").display(),
        r.port()
    );
    fs::write(lab.file("rsyslog.conf"), config)?;
    let url = server.url(&format!("/ingest/{token}/syslog"));
    let config = format!(
        "@version: 3.38\noptions {{ keep-hostname(yes); time-reopen(1); }};\n\
         source s {{ network(ip(\"127.0.0.1\") port({}) transport(\"tcp\")); }};\n\
         destination d_tcp {{ network(\"127.0.0.1\" port({port}) transport(\"tcp\")); }};\n\
         destination d_http {{ http(url(\"{url}\") method(\"POST\") timeout(4) retries(60)\n\
           body(\"<$PRI>1 $ISODATE $HOST $PROGRAM ${{PID:--}} - - $MSG\")); }};\n\
         filter f_tcp {{ match(\"ng-tcp\" value(\"MESSAGE\")); }};\nfilter f_http {{ match(\"ng-http\" value(\"MESSAGE\")); }};\n\
         log {{ source(s); filter(f_tcp); destination(d_tcp); }};\nlog {{ source(s); filter(f_http); destination(d_http); }};\n",
        ng.port()
    );
    fs::write(lab.file("ng.conf"), config)?;
    lab.run("rsyslogd -n -f $PWD/rsyslog.conf -i $PWD/rsyslog.pid >rsyslog.log 2>&1 &")?;
    lab.run(
        "syslog-ng -F -f $PWD/ng.conf --persist-file=$PWD/ng.persist --pidfile=$PWD/ng.pid --control=$PWD/ng.ctl \
         --no-caps >ng.log 2>&1 &",
    )?;
    syslog::listens(r)?;
    syslog::listens(ng)?;
    Ok((lab, [r, ng]))
}
