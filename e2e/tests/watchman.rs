//! The pager watches itself: it says so outside while it is well, is silent when it is not, and wakes somebody when it
//! has broken a promise.

use anyhow::{Result, ensure};
use e2e::{environment, hook::HookSink, store_lock::StoreLock, tocsin::Tocsin, wait};
use serde_json::json;
use shared::{
    IncidentState,
    api::{IncidentDetail, PagerStatus, Role},
};
use std::{process::Command, time::Duration};

const PATIENCE: Duration = Duration::from_secs(30);
/// Longer than two heartbeats are apart.
const SILENCE: Duration = Duration::from_millis(2_500);
const P0: &[u8] = b"[P0][PROBLEM][db-07][10.1.2.3][host is down]";

/// Wang is paged for everything, and somebody outside hears every second that the pager works.
fn house(hook: &HookSink) -> String {
    let heartbeat = format!("channels.heartbeat = {{ url = \"{}\", every = \"1s\" }}\n", hook.url("/alive"));
    heartbeat + &hook.people(&["wang"])
}

#[test]
fn the_heartbeat_stops_while_nothing_can_be_stored() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&house(&hook))?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let viewer = server.somebody(Role::Viewer)?;
    let warned = |what: &str| -> Result<Option<PagerStatus>> {
        let status: PagerStatus = viewer.read("/api/v1/status")?;
        Ok(Some(status).filter(|it| it.warnings.iter().any(|warning| warning.contains(what))))
    };
    let beats = || hook.calls_of("/alive").len();
    hook.wait_for("/alive", 2, PATIENCE)?;
    let status: PagerStatus = viewer.read("/api/v1/status")?;
    ensure!(status.heartbeat_at.is_some() && status.audited_at.is_some(), "{status:?}");

    let lock = StoreLock::take(&server.folder().join("data/tocsin.db"))?;
    server.anybody().post(&path, &[], P0)?.is(503)?;
    wait::attempt("the heartbeat to be withheld", PATIENCE, || warned("heartbeat is withheld"))?;
    let before = beats();
    wait::stays("nobody outside is told that all is well", SILENCE, || beats() == before)?;
    drop(lock);
    wait::until("the heartbeat to go on", PATIENCE, || (beats() > before).then_some(()))?;
    wait::attempt("the status to be well again", PATIENCE, || {
        let status: PagerStatus = viewer.read("/api/v1/status")?;
        Ok(status.warnings.is_empty().then_some(()))
    })
}

#[test]
fn an_incident_that_nothing_would_ever_happen_to_wakes_somebody() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&house(&hook))?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    server.anybody().post(&path, &[], P0)?.is(200)?;
    hook.wait_for("/wang", 1, PATIENCE)?;
    server.stop()?;
    // What no decision of ours leads to: unanswered, with nobody left to page.
    let script = "import json, sqlite3, sys\n\
        db = sqlite3.connect(sys.argv[1])\n\
        doc = json.loads(db.execute('SELECT doc FROM incident WHERE id = 1').fetchone()[0])\n\
        doc['pages'] = []\n\
        for escalation in doc['escalations']: escalation.pop('due', None)\n\
        db.execute('UPDATE incident SET doc = ? WHERE id = 1', [json.dumps(doc)])\n\
        db.commit()";
    let database = server.folder().join("data/tocsin.db");
    let done = Command::new(environment::python()?).args(["-c", script]).arg(database).status()?;
    ensure!(done.success(), "the database could not be changed: {done}");

    let beats = hook.calls_of("/alive").len();
    server.start()?;
    let page = hook.wait_for("/wang", 2, PATIENCE)?.page()?;
    ensure!(page.title.contains("the pager has broken a promise"), "{page:?}");
    wait::stays("nobody outside is told that all is well", SILENCE, || hook.calls_of("/alive").len() == beats)?;
    let responder = server.somebody(Role::Responder)?;
    let status: PagerStatus = responder.read("/api/v1/status")?;
    ensure!(status.warnings.iter().any(|it| it.contains("incident 1 is unanswered")), "{status:?}");

    // Somebody ends what the pager would have left to itself; it notices, and says outside that it is well.
    responder.post_json("/api/v1/incidents/1/resolve", &json!({}))?.is(200)?;
    let own = page.incident.id;
    wait::attempt("the pager's own alert to recover", PATIENCE, || {
        let detail: IncidentDetail = responder.read(&format!("/api/v1/incidents/{own}"))?;
        Ok((detail.incident.state == IncidentState::Resolved).then_some(()))
    })?;
    wait::until("the heartbeat to go on", PATIENCE, || (hook.calls_of("/alive").len() > beats).then_some(()))
}
