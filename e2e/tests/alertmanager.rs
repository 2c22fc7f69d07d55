//! An integration as an Alertmanager: the same requests to a real one and to ours, and amtool and Prometheus against ours.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    environment,
    hook::HookSink,
    http::{Answer, Client},
    running::Running,
    senders,
    tocsin::Tocsin,
    wait,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use shared::{
    IncidentState,
    api::{IncidentList, Role},
    snippets::{self, Address},
};
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const INSTALL: &str =
    "is missing; `cargo xtask test` installs it, or: apt-get install prometheus prometheus-alertmanager";

fn version(program: &str) -> Result<String> {
    let program = environment::program(program).with_context(|| format!("{program} {INSTALL}"))?;
    senders::version(Command::new(program).arg("--version"))
}

#[derive(Deserialize)]
struct Table {
    request: Vec<Request>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    name: String,
    /// Alerts are posted when only a body is given.
    path: Option<String>,
    method: Option<String>,
    post: Option<String>,
    hex: Option<String>,
    r#type: Option<String>,
    accept: Option<String>,
    ours: Option<u16>,
    why: Option<String>,
}

/// One of the two that are asked.
struct Side {
    client: Client,
    prefix: String,
    /// The newest silence it made.
    silence: String,
}

impl Side {
    fn ask(&mut self, request: &Request, begun: jiff::Timestamp) -> Result<Answer> {
        let body = match (&request.post, &request.hex) {
            (Some(text), _) => Some(self.filled(text, begun).into_bytes()),
            (None, Some(digits)) => Some(bytes(digits)?),
            (None, None) => None,
        };
        let method = request.method.as_deref().unwrap_or(if body.is_some() { "POST" } else { "GET" });
        let path = self.filled(request.path.as_deref().unwrap_or("/api/v2/alerts"), begun);
        let path = format!("{}{path}", self.prefix);
        let mut headers = vec![("Accept", request.accept.as_deref().unwrap_or("application/json"))];
        if body.is_some() {
            headers.push(("Content-Type", request.r#type.as_deref().unwrap_or("application/json")));
        }
        let answer = self.client.send(method, &path, &headers, &body.unwrap_or_default())?;
        if let Ok(Value::Object(made)) = serde_json::from_slice(&answer.body)
            && let Some(Value::String(id)) = made.get("silenceID")
        {
            id.clone_into(&mut self.silence);
        }
        Ok(answer)
    }

    fn filled(&self, text: &str, begun: jiff::Timestamp) -> String {
        let mut text = text.replace("{silence}", &self.silence);
        for (name, minutes) in [
            ("-2h", -120),
            ("-1h", -60),
            ("-30m", -30),
            ("-10m", -10),
            ("-1m", -1),
            ("+1h", 60),
            ("+2h", 120),
            ("+5h", 300),
        ] {
            let at = begun + jiff::SignedDuration::from_mins(minutes);
            text = text.replace(&format!("{{{name}}}"), &at.to_string());
        }
        text
    }
}

fn bytes(digits: &str) -> Result<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}

/// What two answers must have in common: the code, and all that a client reads but words, ids and moments.
fn shape(answer: &Answer, begun: jiff::Timestamp) -> Value {
    let body = serde_json::from_slice::<Value>(&answer.body);
    let said = match body {
        Ok(Value::String(_)) => json!("words"),
        Ok(value) => plain("", value, begun),
        Err(_) if answer.body.is_empty() => Value::Null,
        Err(_) => json!(answer.text().trim()),
    };
    json!({ "status": answer.status, "said": said })
}

fn plain(name: &str, value: Value, begun: jiff::Timestamp) -> Value {
    let minutes = |text: &str| {
        let at: Option<jiff::Timestamp> = text.parse().ok();
        at.map(|at| ((at.as_second() - begun.as_second()) as f64 / 60.0).round())
    };
    match (name, value) {
        // Ours are policies, and many.
        ("receivers" | "receiver" | "config" | "cluster" | "versionInfo", _) => json!("…"),
        ("id" | "silenceID" | "message", Value::String(_)) => json!("…"),
        ("updatedAt" | "uptime", Value::String(_)) => json!("a time"),
        ("startsAt" | "endsAt", Value::String(text)) => json!(minutes(&text)),
        ("silencedBy" | "inhibitedBy", Value::Array(ids)) => json!(ids.len()),
        (_, Value::Object(members)) => {
            let newer = |name: &str| matches!(name, "mutedBy" | "routeLabels");
            let is_group = members.contains_key("alerts");
            let mut all: Map<String, Value> = members
                .into_iter()
                .filter(|(name, _)| !newer(name))
                .map(|(name, value)| (name.clone(), plain(&name, value, begun)))
                .collect();
            if is_group {
                // What an incident is and what a route groups differ.
                all.insert("labels".to_owned(), json!("…"));
            }
            all.into()
        }
        (_, Value::Array(items)) => {
            let mut items: Vec<Value> = items.into_iter().map(|item| plain("", item, begun)).collect();
            let groups: Vec<Value> = items.iter().filter_map(|item| item.get("alerts")).cloned().collect();
            if !groups.is_empty() {
                items = groups.into_iter().flat_map(|alerts| alerts.as_array().cloned().unwrap_or_default()).collect();
                items.sort_by_key(|it| it["fingerprint"].to_string());
            }
            let only_names =
                items.iter().all(|it| it.as_object().is_some_and(|it| it.len() == 1 && it.contains_key("name")));
            if only_names {
                items.truncate(usize::from(!items.is_empty()));
                items.iter_mut().for_each(|it| *it = json!("a receiver"));
            }
            items.into()
        }
        (_, other) => other,
    }
}

/// A real Alertmanager on an address of the loopback.
pub(super) fn original(folder: &Path, config: &str) -> Result<(Running, SocketAddr)> {
    let program = environment::program("prometheus-alertmanager").with_context(|| format!("Alertmanager {INSTALL}"))?;
    let file = folder.join("alertmanager.yml");
    std::fs::write(&file, config)?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let alertmanager = Command::new(program)
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", folder.display()))
        .arg(format!("--web.listen-address={free}"))
        .arg("--cluster.listen-address=")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let running = Running(alertmanager);
    let client = Client::new(free);
    let up = || Ok(client.get("/-/ready").ok().filter(|answer| answer.status == 200).map(drop));
    wait::attempt("Alertmanager to start", PATIENCE, up)?;
    Ok((running, free))
}

/// A server that pages Wang, and where one of its integrations is an Alertmanager.
fn ours() -> Result<(Tocsin, HookSink, String)> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&hook.people(&["wang"]))?;
    let prefix = format!("/am/{}", server.sender("prometheus")?);
    Ok((server, hook, prefix))
}

#[test]
fn a_hundred_requests_are_answered_as_by_an_alertmanager() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = "route: { receiver: team, group_wait: 1h }\nreceivers: [{ name: team }]\n";
    let (_running, address) = original(folder.path(), config)?;
    let (server, _hook, prefix) = ours()?;
    let table: Table = toml::from_str(include_str!("alertmanager/requests.toml"))?;
    let begun = jiff::Timestamp::from_millisecond(wait::now_ms()).ok().context("a moment of this age")?;
    let mut theirs = Side { client: Client::new(address), prefix: String::new(), silence: String::new() };
    let mut ours = Side { client: server.anybody(), prefix, silence: String::new() };
    let mut differ = Vec::new();
    for request in &table.request {
        let (a, b) = (theirs.ask(request, begun)?, ours.ask(request, begun)?);
        let same = match request.ours {
            // Then it also has to be true that the original answers otherwise.
            Some(status) => request.why.is_some() && b.status == status && a.status != status,
            None => shape(&a, begun) == shape(&b, begun),
        };
        if !same {
            let (a, b) = (shape(&a, begun), shape(&b, begun));
            differ.push(format!("{}\n  theirs: {a}\n  ours:   {b}", request.name));
        }
    }
    ensure!(table.request.len() >= 100, "only {} requests", table.request.len());
    ensure!(differ.is_empty(), "{} differ:\n{}", differ.len(), differ.join("\n"));
    Ok(())
}

struct Amtool<'a> {
    url: String,
    folder: &'a Path,
}

impl Amtool<'_> {
    fn run(&self, arguments: &[&str]) -> Result<String> {
        let program = environment::program("amtool").with_context(|| format!("amtool {INSTALL}"))?;
        let output = Command::new(program)
            .arg(format!("--alertmanager.url={}", self.url))
            .args(arguments)
            .env("HOME", self.folder)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .output()?;
        let (out, error) = (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr).into_owned());
        ensure!(output.status.success(), "amtool {arguments:?}: {out}{error}");
        Ok(out)
    }

    /// Runs a command whose output must hold these words.
    fn says(&self, arguments: &[&str], words: &[&str]) -> Result<String> {
        let out = self.run(arguments)?;
        for word in words {
            ensure!(out.contains(word), "amtool {arguments:?} does not say `{word}`:\n{out}");
        }
        Ok(out)
    }
}

#[test]
fn each_command_of_amtool_works() -> Result<()> {
    let (server, hook, prefix) = ours()?;
    let folder = tempfile::tempdir()?;
    let amtool = Amtool { url: server.url(&prefix), folder: folder.path() };
    amtool.run(&[
        "alert",
        "add",
        "alertname=Down",
        "instance=db-07",
        "severity=critical",
        "--annotation=summary=db-07 is down",
    ])?;
    hook.wait_for("/wang", 1, PATIENCE)?;
    amtool.says(&["alert"], &["Down", "db-07 is down", "active"])?;
    amtool.says(&["alert", "query", "instance=~db-.*", "-o", "extended"], &["Down", "instance=\"db-07\""])?;
    let none = amtool.run(&["alert", "query", "instance=web-01", "-o", "simple"])?;
    ensure!(!none.contains("Down"), "{none}");
    amtool.says(&["alert", "query", "-o", "json"], &["\"state\":\"active\""])?;

    let id = amtool.run(&["silence", "add", "alertname=Down", "--comment=works", "--author=wang", "--duration=2h"])?;
    let id = id.trim();
    amtool.says(&["silence", "query"], &[id, "alertname=\"Down\"", "works", "wang"])?;
    amtool.says(&["alert", "query", "--silenced"], &["suppressed"])?;
    amtool.says(&["silence", "update", "--comment=it takes longer", "--duration=5h", id], &["it takes longer"])?;
    let exported = amtool.says(&["silence", "query", "-o", "json"], &["it takes longer"])?;
    amtool.run(&["silence", "expire", id])?;
    let gone = amtool.run(&["silence", "query"])?;
    ensure!(!gone.contains(id), "{gone}");
    amtool.says(&["silence", "query", "--expired", "--within=1h"], &[id])?;
    std::fs::write(folder.path().join("silences.json"), exported)?;
    amtool.run(&["silence", "import", "--force", "silences.json"])?;
    amtool.says(&["silence", "query"], &["it takes longer"])?;

    amtool.says(&["cluster", "show"], &["disabled"])?;
    amtool.says(&["config", "show"], &["receiver: nobody"])?;
    amtool.says(&["config", "routes", "show"], &["receiver: nobody"])?;
    amtool.says(&["config", "routes", "test", "alertname=Down"], &["nobody"])?;
    senders::worked(
        "amtool",
        &version("amtool")?,
        "18 of alert, silence, cluster, config",
        "answered as by an Alertmanager",
    )
}

#[test]
fn a_real_prometheus_wakes_somebody_and_says_when_it_is_over() -> Result<()> {
    let program = environment::program("prometheus").with_context(|| format!("Prometheus {INSTALL}"))?;
    let (server, hook, _) = ours()?;
    let address = Address::new(&server.url(&format!("/ingest/{}", server.sender("bj-1")?)));
    let folder = tempfile::tempdir()?;
    let until = wait::now_ms() / 1_000 + 12;
    let config = format!(
        "global: {{ evaluation_interval: 1s, external_labels: {{ cluster: bj-1 }} }}\nrule_files: [rules.yml]\n{}",
        snippets::prometheus(&address)
    );
    let rules = format!(
        "groups:\n- name: e2e\n  rules:\n  - alert: HostDown\n    expr: vector(time()) < {until}\n    \
         labels: {{ severity: critical, instance: 'db-07:9100' }}\n    \
         annotations: {{ summary: 'db-07 of {{{{ $externalLabels.cluster }}}} is down', runbook_url: 'https://wiki.example/down' }}\n"
    );
    std::fs::write(folder.path().join("prometheus.yml"), config)?;
    std::fs::write(folder.path().join("rules.yml"), rules)?;
    let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let prometheus = Command::new(program)
        .arg("--config.file=prometheus.yml")
        .args(["--storage.tsdb.path=data", "--rules.alert.resend-delay=1s"])
        .arg(format!("--web.listen-address={free}"))
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let _prometheus = Running(prometheus);
    let page = String::from_utf8(hook.wait_for("/wang", 1, PATIENCE)?.body)?;
    ensure!(page.contains("db-07 of bj-1 is down"), "{page}");
    let viewer = server.somebody(Role::Viewer)?;
    let over = || {
        let board: IncidentList = viewer.read("/api/v1/incidents?state=open,resolved")?;
        Ok(board.items.into_iter().find(|row| row.state == IncidentState::Resolved))
    };
    let row = wait::attempt("Prometheus to say that it is over", PATIENCE, over)?;
    ensure!((row.title.as_str(), row.host.as_deref()) == ("db-07 of bj-1 is down", Some("db-07")), "{row:?}");
    let all: IncidentList = viewer.read("/api/v1/incidents?state=open,resolved")?;
    ensure!(all.items.len() == 1, "one alert however often it was sent: {:?}", all.items);
    senders::worked("prometheus", &version("prometheus")?, "alerts, each second", "paged once, resolved")
}

#[test]
fn a_real_alertmanager_is_heard_by_its_webhook_as_pagerduty_opsgenie_and_slack_from_one_configuration() -> Result<()> {
    let (server, hook, _) = ours()?;
    let (webhook, key) = (server.sender("webhook")?, server.sender("pagerduty")?);
    let (genie, channel) = (server.sender("opsgenie")?, server.sender("slack")?);
    let folder = tempfile::tempdir()?;
    let pasted = snippets::alertmanager(&Address::new(&server.url(&format!("/ingest/{webhook}"))));
    let others = format!(
        "\n    pagerduty_configs: [{{ routing_key: '{key}', send_resolved: true }}]\n    opsgenie_configs: [{{ api_key: '{genie}', \
         api_url: '{}', update_alerts: true, entity: db-07, priority: P2, send_resolved: true }}]\n    slack_configs: [{{ api_url: '{}', send_resolved: true, fields: [{{ title: \
         instance, value: '{{{{ .CommonLabels.instance }}}}' }}] }}]\n\nroute:",
        server.url("/"),
        server.url(&format!("/slack/{channel}"))
    );
    let config = format!(
        "global: {{ pagerduty_url: '{}' }}\n{}",
        server.url("/v2/enqueue"),
        pasted.replace("\n\nroute:", &others)
    );
    ensure!(config.contains("opsgenie_configs"), "{config}");
    let (_running, address) = original(folder.path(), &config)?;
    let alert = |end: &str| {
        json!([{
            "labels": { "alertname": "Down", "instance": "db-07:9100", "severity": "critical" },
            "annotations": { "summary": "db-07 is down" }, "startsAt": "2026-01-01T00:00:00Z", "endsAt": end,
        }])
    };
    let client = Client::new(address);
    client.post_json("/api/v2/alerts", &alert("2999-01-01T00:00:00Z"))?.is(200)?;
    hook.wait_for("/wang", 4, PATIENCE)?;
    let viewer = server.somebody(Role::Viewer)?;
    let board: IncidentList = viewer.read("/api/v1/incidents")?;
    let mut seen: Vec<_> =
        board.items.iter().map(|row| (row.title.to_string(), row.host.clone(), row.severity)).collect();
    seen.sort();
    ensure!(seen.len() == 4, "{seen:?}");
    ensure!(
        seen.iter().all(|(_, host, severity)| host.as_deref() == Some("db-07") && *severity == shared::Severity::P1),
        "{seen:?}"
    );
    client.post_json("/api/v2/alerts", &alert("2026-01-02T00:00:00Z"))?.is(200)?;
    let over = || {
        let board: IncidentList = viewer.read("/api/v1/incidents?state=open,resolved")?;
        let open = board.items.iter().filter(|row| row.state != IncidentState::Resolved).count();
        Ok((open == 0).then_some(()))
    };
    wait::attempt("all four to be over", PATIENCE, over)?;
    let version = version("prometheus-alertmanager")?;
    senders::worked("alertmanager", &version, "webhook, PagerDuty, Opsgenie, Slack", "four incidents, resolved")
}
