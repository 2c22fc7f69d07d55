//! What a delivery must not do: wake somebody for what was answered, or show what a receiver said in confidence.

mod faults;
mod last_resort;
mod proof;
mod rebinding;

use anyhow::{Context as _, Result, ensure};
use e2e::{
    hook::{HookSink, Reply},
    http::Client,
    store_lock::StoreLock,
    tocsin::Tocsin,
    wait,
};
use serde_json::{Value, json};
use shared::{
    IncidentId, IncidentState,
    api::{IncidentDetail, IncidentList, PagerStatus, Role, TestPageResult},
    timeline::Happening,
};
use std::{thread, time::Duration};

const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than a page takes that was decided.
const SILENCE: Duration = Duration::from_secs(2);
const PASSWORD: &str = "seven geese over the reservoir";

/// P0 goes to Wang and soon afterwards to Zhao; everything else pages nobody.
fn house(hook: &HookSink) -> String {
    hook.people(&["wang", "zhao"])
        + r#"
[[policies]]
id = "two"
levels = [{ notify = ["person:wang"], delay = "4s" }, { notify = ["person:zhao"], delay = "1h" }]
[[routes]]
id = "urgent"
match = ["severity = P0"]
policy = "two"
"#
}

fn number(viewer: &Client, host: &str) -> Result<IncidentId> {
    let board: IncidentList = viewer.read("/api/v1/incidents")?;
    let row = board.items.into_iter().find(|row| row.host.as_deref() == Some(host));
    row.map(|row| row.id).with_context(|| format!("no incident of {host}"))
}

#[test]
fn a_page_that_is_decided_and_answered_in_one_commit_is_not_sent() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&house(&hook))?;
    let sender = server.anybody();
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let responder = server.somebody(Role::Responder)?;
    sender.post(&path, &[], b"[P3][PROBLEM][web-1][10.1.2.4][slow]")?.is(200)?;
    sender.post(&path, &[], b"[P0][PROBLEM][db-07][10.1.2.3][host is down]")?.is(200)?;
    let (other, incident) = (number(&responder, "web-1")?, number(&responder, "db-07")?);
    let detail = || responder.read::<IncidentDetail>(&format!("/api/v1/incidents/{incident}"));
    hook.wait_for("/wang", 1, PATIENCE)?;
    let due = detail()?.incident.escalations.first().and_then(|it| it.due).context("no level is due")?;

    // The engine is held up in a commit while the level becomes due. The note that waits behind it then makes the
    // engine look at the time and decide to page Zhao, and the acknowledgement comes in the same batch.
    let note = format!("/api/v1/incidents/{other}/note");
    let ack = format!("/api/v1/incidents/{incident}/ack");
    let queue = || responder.read::<PagerStatus>("/api/v1/status").map_or(0, |status| status.queue);
    let until = |at_ms: i64| {
        let left = u64::try_from(at_ms - wait::now_ms()).context("this machine is too slow for this test")?;
        wait::pass(Duration::from_millis(left));
        Ok::<_, anyhow::Error>(())
    };
    until(due.ms() - 900)?;
    let lock = StoreLock::take(&server.folder().join("data/tocsin.db"))?;
    let answers = thread::scope(|scope| {
        let post = |path: &str, body: Value| {
            let (client, path) = (responder.clone(), path.to_owned());
            scope.spawn(move || client.post_json(&path, &body))
        };
        let mut posts = Vec::new();
        // The first note is held up; one that comes after it has to wait.
        while wait::stays("a note waits", Duration::from_millis(40), || queue() > 0).is_err() {
            ensure!(wait::now_ms() < due.ms(), "the engine was not held up in time");
            posts.push(post(&note, json!({ "text": "still looking into it" })));
            wait::pass(Duration::from_millis(20));
        }
        let notes = queue();
        posts.push(post(&ack, json!({})));
        wait::until("the acknowledgement to wait as well", PATIENCE, || (queue() > notes).then_some(()))?;
        until(due.ms() + 50)?;
        drop(lock);
        posts.into_iter().map(|it| it.join().ok().context("a client panicked")?).collect::<Result<Vec<_>>>()
    })?;
    for answer in answers {
        answer.is(200)?;
    }
    let detail = detail()?;
    ensure!(detail.incident.state == IncidentState::Acked, "{:?}", detail.incident.state);
    let zhao = detail.incident.pages.iter().filter(|page| page.level == 1).count();
    ensure!(zhao == 1, "the level was not decided before the answer, so nothing is shown here: {:?}", detail.timeline);
    wait::stays("Zhao sleeps", SILENCE, || hook.calls_of("/zhao").is_empty())
}

#[test]
fn what_a_receiver_answers_is_shown_to_nobody() -> Result<()> {
    const INTERNAL: &str = "no route to billing.internal:5432 as postgres/hunter2";
    let hook = HookSink::start()?;
    // Whoever may choose an address could otherwise read what stands behind the firewall.
    hook.script(|_| Reply::Says(500, INTERNAL));
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&house(&hook))?;
    server.ask(
        &["user", "add", "wang", "--role", "responder", "--person", "wang", "--password-stdin"],
        &format!("{PASSWORD}\n"),
    )?;
    let credentials = json!({ "login": "wang", "password": PASSWORD });
    let answer = server.anybody().post_json("/api/v1/session", &credentials)?.is(200)?;
    let cookie = answer.header("set-cookie").and_then(|it| it.split(';').next()).context("no cookie")?.to_owned();
    let wang = server.anybody().with("Cookie", &cookie).with("Origin", server.url("").trim_end_matches('/'));

    let answer = wang.post_json("/api/v1/me/test", &json!({ "contact": "phone", "severity": "P0" }))?.is(200)?;
    ensure!(!answer.text().contains("hunter2"), "{}", answer.text());
    let result: TestPageResult = answer.json()?;
    let detail = result.failure.context("a test page that was answered 500 succeeded")?.detail;
    ensure!(detail == "it answered 500", "it says: {detail}");

    let path = format!("/ingest/{}", server.sender("falcon")?);
    server.anybody().post(&path, &[], b"[P0][PROBLEM][db-07][10.1.2.3][host is down]")?.is(200)?;
    let incident = number(&wang, "db-07")?;
    let address = format!("/api/v1/incidents/{incident}");
    let failed = wait::attempt("the failure in the timeline", PATIENCE, || {
        let detail: IncidentDetail = wang.read(&address)?;
        Ok(detail.timeline.into_iter().find_map(|entry| match entry.what {
            Happening::Delivery { failure, .. } => failure,
            _ => None,
        }))
    })?;
    ensure!(failed.detail == "it answered 500", "it says: {}", failed.detail);
    for path in [address.clone(), format!("{address}/why")] {
        let text = wang.get(&path)?.is(200)?.text();
        ensure!(!text.contains("hunter2"), "{path} shows {text}");
    }
    ensure!(!server.log().contains("hunter2"), "the log shows {}", server.log());
    Ok(())
}
