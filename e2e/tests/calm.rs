//! Sixty incidents at once: few messages, nothing lost, a P0 as always, and one link that answers for all of it.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    hook::{HookSink, Page},
    http::Client,
    tocsin::Tocsin,
    wait,
};
use serde_json::Value;
use shared::{
    IncidentId, IncidentState, Storm,
    api::{IncidentDetail, IncidentList, List, Role},
    timeline::Happening,
};
use std::{collections::BTreeSet, thread, time::Duration};

const PATIENCE: Duration = Duration::from_secs(60);
const INCIDENTS: usize = 60;
/// The first page, the first about the storm, one for each doubling, and what was left.
const FEW: usize = 8;

const CALM: &str = r#"
[paging]
bundle = "2s"
[storm]
incidents = 20
within = "1m"
calm = "15s"
at_least_every = "4s"
[[policies]]
id = "all"
levels = [{ notify = ["person:wang"], delay = "1h" }]
[[routes]]
id = "all"
policy = "all"
"#;

fn pages(hook: &HookSink) -> Result<Vec<Page>> {
    hook.calls_of("/wang").iter().map(e2e::hook::Call::page).collect()
}

fn named(pages: &[Page]) -> BTreeSet<i64> {
    pages.iter().flat_map(|page| &page.incidents).map(|incident| incident.id).collect()
}

/// How many of the sixty stand so.
fn standing(viewer: &Client, state: IncidentState) -> Result<usize> {
    let board: IncidentList = viewer.read("/api/v1/incidents?limit=200")?;
    Ok(board.items.iter().filter(|row| row.state == state && row.title == "disk is full").count())
}

#[test]
fn sixty_incidents_at_once_are_few_messages_and_one_link_answers_for_all() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&(hook.people(&["wang"]) + CALM))?;
    let sender = server.anybody();
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let responder = server.somebody(Role::Responder)?;
    thread::scope(|scope| {
        let posts: Vec<_> = (1..=INCIDENTS)
            .map(|n| {
                let (sender, path) = (sender.clone(), path.clone());
                scope.spawn(move || {
                    let body = format!("[P2][PROBLEM][web-{n}][10.1.2.{n}][disk is full]");
                    sender.post(&path, &[], body.as_bytes())?.is(200).map(drop)
                })
            })
            .collect();
        posts.into_iter().try_for_each(|post| post.join().expect("a sender does not panic"))
    })?;
    // In the midst of it a P0 comes by itself, at once.
    sender.post(&path, &[], b"[P0][PROBLEM][db-07][10.1.2.99][host is down]")?.is(200)?;
    let is_p0 = |page: &Page| page.incident.severity == "P0";
    let urgent = wait::until("the P0", Duration::from_secs(20), || pages(&hook).ok()?.into_iter().find(is_p0))?;
    ensure!(urgent.incidents.len() == 1 && !urgent.storm, "{urgent:?}");

    wait::until("everybody is named", PATIENCE, || (named(&pages(&hook).ok()?).len() == INCIDENTS + 1).then_some(()))?;
    let sent = pages(&hook)?;
    let calm: Vec<&Page> = sent.iter().filter(|page| !is_p0(page)).collect();
    ensure!(calm.len() <= FEW, "{} messages about {INCIDENTS} incidents", calm.len());
    let largest = calm.iter().max_by_key(|page| page.incidents.len()).context("no message")?;
    ensure!(largest.storm && largest.title.contains("Storm"), "{largest:?}");
    let times: usize = calm.iter().map(|page| page.incidents.len()).sum();
    ensure!(times == INCIDENTS, "the messages name {times} incidents, some twice");

    // The newest link answers for all of the storm, and only when somebody presses the button.
    let newest = calm.iter().rev().find(|page| page.storm).context("no page about a storm")?;
    let link = newest.ack_url.as_deref().context("no link")?;
    let link = link.get(link.find("/a/").context("no link")?..).context("no link")?;
    let shown = sender.get(link)?.is(200)?.text();
    ensure!(shown.contains(&format!("Acknowledge all {INCIDENTS}")) && shown.contains("web-1"), "{shown}");
    ensure!(standing(&responder, IncidentState::Triggered)? == INCIDENTS, "looking at a link acknowledged");
    sender.post(link, &[], b"do=ack")?.is(303)?;
    ensure!(standing(&responder, IncidentState::Acked)? == INCIDENTS, "not all were acknowledged");
    ensure!(sender.get(link)?.is(200)?.text().contains("All of these were answered"));
    let p0: IncidentDetail = responder.read(&format!("/api/v1/incidents/{}", urgent.incident.id))?;
    ensure!(p0.incident.state == IncidentState::Triggered, "the link of a storm answered for a P0");

    // Each incident tells what its page waited for, and that it came.
    let one = IncidentId(largest.incident.id);
    let detail: IncidentDetail = responder.read(&format!("/api/v1/incidents/{one}"))?;
    let together = |what: &Happening| matches!(what, Happening::Delivery { incidents: Some(n), .. } if *n > 1);
    ensure!(detail.timeline.iter().any(|entry| together(&entry.what)), "{:?}", detail.timeline);
    let why: Value = responder.read(&format!("/api/v1/incidents/{one}/why"))?;
    ensure!(why["sentences"].to_string().contains("waits to go out with others"), "{why}");

    let storm = wait::until("the storm ends", PATIENCE, || {
        let storms: List<Storm> = responder.read("/api/v1/storms").ok()?;
        storms.items.into_iter().next().filter(|storm| storm.ended_at.is_some())
    })?;
    ensure!(storm.dropped == 0 && storm.received == storm.outcomes.total(), "{storm:?}");
    ensure!(storm.incidents == INCIDENTS as u64 + 1 && storm.p0 == 1, "{storm:?}");
    ensure!(storm.must_wait() == 0 && storm.deliveries.waiting == 0, "{storm:?}");
    server.stop()
}
