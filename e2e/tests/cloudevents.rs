//! CloudEvents as the SDKs of the CNCF for Python and JavaScript send them, in each mode over HTTP.

use anyhow::{Context as _, Result, ensure};
use e2e::{environment, http::Client, tocsin::Tocsin};
use shared::{
    Format, IncidentState, Severity,
    api::{EventDetail, IncidentDetail, Receipt, Role},
    timeline::Outcome,
};
use std::{path::Path, process::Command};

/// Sends what it is told to an address, and prints each receipt as a line.
const PYTHON: &str = r#"
import json, sys, urllib.request
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

def post(headers, body):
    sent = urllib.request.Request(sys.argv[1], data=body, headers=headers)
    print(urllib.request.urlopen(sent, timeout=10).read().decode())

def event(number, **more):
    attributes = {'id': number, 'type': 'com.example.disk.full', 'source': '/monitor/py', 'subject': '磁盘 sda %'}
    return attributes | more

data = {'severity': 'P1', 'host': 'py-01', 'summary': '磁盘已满'}
structured = to_structured_event(CloudEvent(attributes=event('1', datacontenttype='application/json'), data=data))
post(structured.headers, structured.body)
# The same event again, in the other mode and without a content type.
binary = to_binary_event(CloudEvent(attributes=event('1'), data=data))
post(binary.headers, binary.body)
ended = event('2', type='com.example.disk.full.resolved', datacontenttype='text/plain')
binary = to_binary_event(CloudEvent(attributes=ended, data='it is over'))
post(binary.headers, binary.body)
# A batch, which this SDK writes one by one.
lines = [event('3', subject='a', datacontenttype='text/plain'), event('4', subject='b', datacontenttype='text/plain')]
texts = ['[P1][PROBLEM][py-02][10.8.3.21][磁盘已满]', '[P2][PROBLEM][py-03][10.8.3.22][磁盘已满]']
batch = [JSONFormat().write(CloudEvent(attributes=of, data=text)) for of, text in zip(lines, texts)]
post({'content-type': 'application/cloudevents-batch+json'}, b'[' + b','.join(batch) + b']')
"#;

const JAVASCRIPT: &str = r#"
import { CloudEvent, HTTP, emitterFor, httpTransport } from "cloudevents";
const url = process.argv[1];
const event = (id, more) =>
    new CloudEvent({ id, type: "com.example.disk.full", source: "/monitor/js", subject: "sda", team: "db", ...more });
const post = async ({ headers, body }) => {
    const answer = await fetch(url, { method: "POST", headers, body });
    console.log(await answer.text());
};
const data = { severity: "P1", host: "js-01", summary: "磁盘已满" };
await post(HTTP.structured(event("1", { data })));
// The same event again, in the other mode, by the SDK's own transport: chunked.
const emit = emitterFor(httpTransport(url));
console.log((await emit(event("1", { data }))).body);
await post(HTTP.binary(event("2", { type: "com.example.disk.full.resolved", data: { host: "js-01" } })));
const texts = ["[P1][PROBLEM][js-02][10.8.4.21][磁盘已满]", "[P2][PROBLEM][js-03][10.8.4.22][磁盘已满]"];
const batch = texts.map((data, at) => event(`${3 + at}`, { subject: `${at}`, datacontenttype: "text/plain", data }));
await post({ headers: { "content-type": "application/cloudevents-batch+json" }, body: JSON.stringify(batch) });
"#;

struct Scene {
    server: Tocsin,
    viewer: Client,
}

impl Scene {
    fn new() -> Result<Self> {
        let mut server = Tocsin::fresh()?;
        server.start()?;
        let viewer = server.somebody(Role::Viewer)?;
        Ok(Self { server, viewer })
    }

    /// What a program got for each of the four things it sent.
    fn receipts(&self, command: &mut Command) -> Result<[Receipt; 4]> {
        let output = command.output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout)?;
        let receipts = said.lines().map(serde_json::from_str).collect::<Result<Vec<Receipt>, _>>();
        let receipts = receipts.with_context(|| said.clone())?;
        receipts.try_into().map_err(|all: Vec<Receipt>| anyhow::anyhow!("{} receipts: {said}", all.len()))
    }

    /// What both SDKs send: an event in two modes is one, its end ends it, and a batch is as many.
    fn is_heard(&self, receipts: &[Receipt; 4], language: &str) -> Result<()> {
        let [first, again, over, batch] = receipts;
        let Some(Outcome::Opened { incident, .. }) = first.outcomes.first() else {
            anyhow::bail!("{language}: {first:?}")
        };
        ensure!(again.event == first.event, "{language}: the same event was stored twice: {again:?}");
        ensure!(matches!(over.outcomes.first(), Some(Outcome::Closed { .. })), "{language}: {over:?}");
        let found: IncidentDetail = self.viewer.read(&format!("/api/v1/incidents/{incident}"))?;
        let host = format!("{language}-01");
        ensure!(found.incident.state == IncidentState::Resolved, "{language}: {:?}", found.incident);
        ensure!(found.incident.severity == Severity::P1 && found.incident.host.as_deref() == Some(&host), "{found:?}");
        ensure!(&*found.incident.title == "磁盘已满", "{language}: {}", found.incident.title);
        ensure!(batch.accepted == 2 && batch.outcomes.len() == 2, "{language}: {batch:?}");
        let event: EventDetail = self.viewer.read(&format!("/api/v1/events/{}", batch.event))?;
        ensure!(event.formats == [Format::Bracket], "{language}: {:?}", event.formats);
        // Each mode is stored as one that says everything.
        let event: EventDetail = self.viewer.read(&format!("/api/v1/events/{}", over.event))?;
        ensure!(event.text.contains(&format!("\"source\":\"/monitor/{language}\"")), "{}", event.text);
        Ok(())
    }
}

#[test]
fn the_sdk_of_python_is_heard_in_each_mode() -> Result<()> {
    let scene = Scene::new()?;
    let url = scene.server.url(&format!("/ingest/{}", scene.server.sender("py")?));
    let receipts = scene.receipts(Command::new(environment::python()?).args(["-c", PYTHON, &url]))?;
    scene.is_heard(&receipts, "py")?;
    // What headers cannot hold is percent-encoded there, and reads as it was meant.
    let event: EventDetail = scene.viewer.read(&format!("/api/v1/events/{}", receipts[2].event))?;
    ensure!(event.text.contains("\"subject\":\"磁盘 sda %\""), "{}", event.text);
    Ok(())
}

#[test]
fn the_sdk_of_javascript_is_heard_in_each_mode() -> Result<()> {
    let scene = Scene::new()?;
    let url = scene.server.url(&format!("/ingest/{}", scene.server.sender("js")?));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let mut node = Command::new("node");
    node.args(["--input-type=module", "-e", JAVASCRIPT, &url]).current_dir(folder);
    let receipts = scene.receipts(&mut node)?;
    scene.is_heard(&receipts, "js")
}
