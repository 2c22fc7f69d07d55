//! Our media type for Zabbix (docs/integrations/media_tocsin.yaml), run by Zabbix's own engine for such scripts.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    environment,
    hook::HookSink,
    lab::{Lab, Network},
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
struct Zabbix {
    lab: Lab,
    /// The parameters as they stand in the media type; what a test does not resolve stays a macro.
    parameters: Map<String, Value>,
}

impl Zabbix {
    fn new(url: &str, token: &str) -> Result<Self> {
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

    fn parameters(&self) -> PathBuf {
        self.lab.file("parameters.json")
    }

    /// What the script gives back for an event.
    fn send(&mut self, macros: &[(&str, &str)]) -> Result<Value> {
        let mut parameters = self.parameters.clone();
        for (name, value) in macros {
            ensure!(parameters.contains_key(*name), "the media type has no parameter {name}");
            parameters.insert((*name).to_owned(), (*value).into());
        }
        fs::write(self.parameters(), Value::from(parameters).to_string())?;
        let said = self.lab.run("zabbix_js --script media.js --input parameters.json")?;
        serde_json::from_str(said.trim()).with_context(|| said)
    }
}

const PROBLEM: &[(&str, &str)] = &[
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
    Ok(())
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
