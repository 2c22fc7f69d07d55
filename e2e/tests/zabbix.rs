//! Our media type for Zabbix (docs/integrations/media_tocsin.yaml), and those for PagerDuty and Opsgenie that Zabbix comes with,
//! run by Zabbix's own engine for such scripts.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    environment,
    hook::HookSink,
    lab::{Lab, Network},
    senders,
    tocsin::Tocsin,
};
use serde_json::{Map, Value};
use shared::{
    IncidentState, Severity,
    api::{IncidentDetail, Role},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Zabbix, as far as a media type sees it.
pub(super) struct Zabbix {
    lab: Lab,
    /// The parameters as they stand in the media type; what a test does not resolve stays a macro.
    parameters: Map<String, Value>,
}

impl Zabbix {
    pub(super) fn new(url: &str, token: &str) -> Result<Self> {
        let lab = Lab::new(Network::Ours)?;
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integrations/media_tocsin.yaml");
        let read = "import json, sys, yaml\n\
            media = yaml.safe_load(open(sys.argv[1]))['zabbix_export']['media_types'][0]\n\
            print(json.dumps({'script': media['script'], 'parameters': media['parameters']}))";
        let output = Command::new(environment::python()?).args(["-c", read]).arg(file).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let media: Value = serde_json::from_slice(&output.stdout)?;
        fs::write(lab.file("media.js"), media["script"].as_str().context("there is no script")?)?;
        let listed = media["parameters"].as_array().into_iter().flatten();
        let mut parameters: Map<String, Value> =
            listed.filter_map(|it| Some((it["name"].as_str()?.to_owned(), it["value"].clone()))).collect();
        parameters.insert("tocsin_url".to_owned(), format!("{url}/").into());
        parameters.insert("tocsin_token".to_owned(), token.into());
        Ok(Self { lab, parameters })
    }

    /// One that Zabbix comes with. `change` makes another script of its script.
    fn stock(name: &str, change: impl Fn(&str) -> String, settings: &[(&str, &str)]) -> Result<Self> {
        let lab = Lab::new(Network::Ours)?;
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zabbix/stock.py");
        let database =
            environment::lab().unwrap_or_else(|| PathBuf::from("/")).join("usr/share/zabbix-server-pgsql/data.sql.gz");
        let output = Command::new(environment::python()?).arg(tests).arg(database).arg(name).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let media: Value = serde_json::from_slice(&output.stdout)?;
        fs::write(lab.file("media.js"), change(media["script"].as_str().context("there is no script")?))?;
        let listed = media["parameters"].as_array().into_iter().flatten();
        let parameters = listed.filter_map(|it| Some((it["name"].as_str()?.to_owned(), it["value"].clone()))).collect();
        let mut stock = Self { lab, parameters };
        for (name, value) in settings {
            ensure!(stock.parameters.contains_key(*name), "it has no parameter {name}");
            stock.parameters.insert((*name).to_owned(), (*value).into());
        }
        Ok(stock)
    }

    fn parameters(&self) -> PathBuf {
        self.lab.file("parameters.json")
    }

    /// What the script gives back for an event, which is JSON.
    fn send(&mut self, macros: &[(&str, &str)]) -> Result<Value> {
        let said = self.run(macros)?;
        serde_json::from_str(said.trim()).with_context(|| said)
    }

    pub(super) fn run(&mut self, macros: &[(&str, &str)]) -> Result<String> {
        let mut parameters = self.parameters.clone();
        for (name, value) in macros {
            ensure!(parameters.contains_key(*name), "the media type has no parameter {name}");
            parameters.insert((*name).to_owned(), (*value).into());
        }
        fs::write(self.parameters(), Value::from(parameters).to_string())?;
        self.lab.run("zabbix_js --script media.js --input parameters.json")
    }
}

pub(super) const PROBLEM: &[(&str, &str)] = &[
    ("event_id", "812"),
    ("event_source", "0"),
    ("event_value", "1"),
    ("event_update_status", "0"),
    ("event_ack_status", "No"),
    ("event_nseverity", "4"),
    ("event_severity", "High"),
    ("event_name", "db-07: \"mysqld\" <is> down 磁盘"),
    ("event_tags", "[{\"tag\":\"service\",\"value\":\"mysql\"}]"),
    ("host_name", "db-07"),
    ("host_ip", "10.8.3.21"),
    ("trigger_id", "15"),
    ("zabbix_url", "https://zabbix.example/"),
];

fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [PROBLEM, changes].concat()
}

#[test]
fn a_problem_is_paged_answered_there_and_recovers() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&hook.people(&["wang"]))?;
    let token = server.sender("zabbix")?;
    let viewer = server.somebody(Role::Viewer)?;
    let incident = || viewer.read::<IncidentDetail>("/api/v1/incidents/1");
    let mut zabbix = Zabbix::new(&server.url(""), &token)?;

    let tags = zabbix.send(PROBLEM)?;
    ensure!(tags["tags"]["__tocsin_incident"] == "1", "{tags}");
    ensure!(tags["tags"]["__tocsin_url"] == server.url("/incidents/1"), "{tags}");
    let found = incident()?.incident;
    ensure!(found.severity == Severity::P1 && found.host.as_deref() == Some("db-07"), "{found:?}");
    ensure!(&*found.title == "db-07: \"mysqld\" <is> down 磁盘", "{found:?}");

    // A comment there changes nothing here; an acknowledgement does.
    zabbix.send(&with(&[("event_update_status", "1"), ("update_message", "looking")]))?;
    ensure!(incident()?.incident.state == IncidentState::Triggered);
    let acknowledged = ("update_action", "acknowledged, commented");
    zabbix.send(&with(&[("event_update_status", "1"), ("event_ack_status", "Yes"), acknowledged]))?;
    ensure!(incident()?.incident.state == IncidentState::Acked);
    zabbix.send(&with(&[("event_value", "0")]))?;
    ensure!(incident()?.incident.state == IncidentState::Resolved);
    let version = zabbix.lab.run("zabbix_js --version")?;
    let version = senders::version_in(&version).context("zabbix_js names no version")?;
    senders::worked(
        "zabbix_js, our media type",
        &version,
        "problem, comment, answer, recovery",
        "paged, answered, resolved",
    )
}

#[test]
fn what_is_wrong_stands_in_zabbixs_own_log_and_no_token_does() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let mut zabbix = Zabbix::new(&server.url(""), "tin_nobody")?;
    let refused = zabbix.send(PROBLEM).err().context("a token of nobody was taken")?.to_string();
    ensure!(refused.contains("Tocsin answered 401") && !refused.contains("tin_nobody"), "{refused}");
    let unset = zabbix.send(&with(&[("tocsin_url", "{$TOCSIN.URL}")])).err().context("no address was taken")?;
    ensure!(unset.to_string().contains("Set the macro {$TOCSIN.URL}"), "{unset}");
    Ok(())
}

#[test]
fn the_media_types_that_zabbix_comes_with_page_are_answered_and_recover() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let viewer = server.somebody(Role::Viewer)?;
    let (key, genie) = (server.sender("pagerduty")?, server.sender("opsgenie")?);
    let version = |zabbix: &mut Zabbix| -> Result<String> {
        senders::version_in(&zabbix.lab.run("zabbix_js --version")?).context("zabbix_js names no version")
    };

    // PagerDuty's address stands in its script.
    let here = server.url("/v2/enqueue");
    let change = |script: &str| script.replace("https://events.pagerduty.com/v2/enqueue", &here);
    let settings = [("token", key.as_str()), ("url", "https://zabbix.example"), ("event_source", "0")];
    let mut zabbix = Zabbix::stock("PagerDuty", change, &settings)?;
    let problem = [
        ("eventid", "812"),
        ("eventname", "Problem: no ping"),
        ("hostname", "db-07"),
        ("hostip", "10.8.3.21"),
        ("severity", "5"),
        ("triggerid", "15"),
        ("eventack", "No"),
        ("eventupdate", "0"),
        ("eventvalue", "1"),
    ];
    let stages = [
        (&[][..], IncidentState::Triggered),
        (&[("eventack", "Yes"), ("eventupdate", "1")], IncidentState::Acked),
        (&[("eventvalue", "0")], IncidentState::Resolved),
    ];
    let find = |title: &str| -> Result<IncidentDetail> {
        let board: shared::api::IncidentList = viewer.read("/api/v1/incidents?state=open,resolved")?;
        let row = board.items.iter().find(|row| row.title.contains(title));
        viewer.read(&format!("/api/v1/incidents/{}", row.context("there is no such incident")?.id))
    };
    for (more, state) in stages {
        let said = zabbix.run(&[&problem[..], more].concat())?;
        ensure!(said.trim() == "OK", "{said}");
        let found = find("no ping")?.incident;
        ensure!(found.state == state && found.host.as_deref() == Some("db-07"), "{found:?}");
        ensure!(found.ip.as_deref() == Some("10.8.3.21") && found.severity == Severity::P1, "{found:?}");
    }
    senders::worked(
        "zabbix_js, PagerDuty's",
        &version(&mut zabbix)?,
        "problem, answer, recovery",
        "paged, answered, resolved",
    )?;

    let alerts = server.url("/v2/alerts");
    let settings = [
        ("opsgenie_api", alerts.as_str()),
        ("opsgenie_web", "https://tocsin.example"),
        ("opsgenie_token", &genie),
        ("opsgenie_teams", "db, net"),
        ("zbxurl", "https://zabbix.example"),
        ("zbxuser", "li"),
    ];
    let mut zabbix = Zabbix::stock("Opsgenie", str::to_owned, &settings)?;
    let problem = [
        ("alert_subject", "Problem: disk is full"),
        ("alert_message", "0 bytes are left"),
        ("event_id", "813"),
        ("event_nseverity", "5"),
        ("event_source", "0"),
        ("event_tags_json", "[{\"tag\":\"service\",\"value\":\"mysql\"}]"),
        ("event_update_status", "0"),
        ("event_update_action", ""),
        ("event_value", "1"),
        ("trigger_id", "16"),
    ];
    let said = zabbix.send(&problem)?;
    let found = find("disk is full")?;
    ensure!(found.incident.severity == Severity::P0, "{:?}", found.incident);
    ensure!(said["tags"]["__zbx_ops_issuekey"] == found.alerts[0].id.0.to_string().as_str(), "{said}");
    let answer = [("event_update_status", "1"), ("event_update_action", "acknowledged, commented")];
    zabbix.send(&[&problem[..], &answer].concat())?;
    ensure!(find("disk is full")?.incident.state == IncidentState::Acked);
    zabbix.send(&[&problem[..], &[("event_value", "0")]].concat())?;
    ensure!(find("disk is full")?.incident.state == IncidentState::Resolved);
    senders::worked(
        "zabbix_js, Opsgenie's",
        &version(&mut zabbix)?,
        "problem, answer, recovery",
        "paged, answered, resolved",
    )
}
