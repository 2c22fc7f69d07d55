//! What must hold after all the deaths, checked from outside: by the interface, and by what the receiver saw.

use super::field::{Acked, Acknowledged, Field};
use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    hook::{Call, HookSink, Page, Reply, SECRET},
    http::Client,
    tocsin::Tocsin,
    wait,
};
use shared::{
    IncidentState,
    api::{EventRow, IncidentDetail, IncidentList, IncidentRow, List, PagerStatus},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

pub(crate) struct Verdict {
    pub(crate) acknowledged: usize,
    pub(crate) lost: usize,
    pub(crate) pages: usize,
    pub(crate) repeated: usize,
}

/// A delivery that was under way at a death is tried again when its lease ends; then a refusal, and one more.
const SETTLED: Duration = Duration::from_secs(45);
/// A call that was claimed before an acknowledgement was stored may come in a moment after its author was told.
const IN_THE_AIR: Duration = Duration::from_secs(1);
/// Timelines that are read whole.
const TIMELINES: usize = 100;

pub(crate) fn reach(server: &Tocsin, field: &Field, hook: &HookSink, killed: &[Instant]) -> Result<Verdict> {
    let client = field.client();
    let (sent, acked) = (field.acknowledged(), field.acked());
    ensure!(sent.len() > killed.len(), "only {} messages were acknowledged: this proves nothing", sent.len());
    let lost = stored(&client, &sent)?;
    ensure!(lost.is_empty(), "acknowledged, then lost: {lost:?}");
    let incidents = incidents(&client)?;
    one_incident_each(&sent, &incidents)?;
    acknowledgements_are_kept(&acked, &incidents)?;
    everybody_is_paged(&client, hook, &sent, &incidents)
        .with_context(|| format!("the server's log says:\n{}", server.log()))?;
    let calls = hook.calls();
    let pages = pages(&calls)?;
    let repeated = one_key_one_page(&pages, killed)?;
    acknowledgement_wins(&pages, &acked)?;
    timelines_are_whole(&client, &incidents)?;
    Ok(Verdict { acknowledged: sent.len(), lost: 0, pages: calls.len() - repeated, repeated })
}

/// Messages that were acknowledged and are not there, or are another message's.
fn stored(client: &Client, sent: &[Acknowledged]) -> Result<Vec<Acknowledged>> {
    let mut texts: BTreeMap<i64, String> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let list: List<EventRow> = client.read(&format!("/api/v1/events?limit=500{after}"))?;
        texts.extend(list.items.into_iter().map(|row| (row.id.0, row.text)));
        match list.next {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    let named = |it: &&Acknowledged| texts.get(&it.event).is_some_and(|text| text.contains(&format!("[{}]", it.host)));
    Ok(sent.iter().filter(|it| !named(it)).cloned().collect())
}

fn incidents(client: &Client) -> Result<Vec<IncidentRow>> {
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let list: IncidentList = client.read(&format!("/api/v1/incidents?state=all&limit=500{after}"))?;
        rows.extend(list.items);
        match list.next {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(rows),
        }
    }
}

/// However often a message was sent, it is one incident; with a key it even counts once.
fn one_incident_each(sent: &[Acknowledged], incidents: &[IncidentRow]) -> Result<()> {
    let mut by_host: BTreeMap<&str, Vec<&IncidentRow>> = BTreeMap::new();
    for row in incidents {
        by_host.entry(row.host.as_deref().unwrap_or_default()).or_default().push(row);
    }
    for (host, rows) in &by_host {
        ensure!(rows.len() == 1, "{host} has {} incidents: {rows:?}", rows.len());
    }
    for message in sent {
        let row = by_host.get(message.host.as_str()).and_then(|rows| rows.first());
        let row = row.with_context(|| format!("no incident for {message:?}"))?;
        ensure!(row.id.0 == message.incident, "{message:?} became {row:?}");
        ensure!(!message.keyed || row.count == 1, "counted {} times: {message:?}", row.count);
    }
    Ok(())
}

fn acknowledgements_are_kept(acked: &[Acked], incidents: &[IncidentRow]) -> Result<()> {
    for ack in acked {
        let row = incidents.iter().find(|row| row.id.0 == ack.incident).context("an incident is gone")?;
        ensure!(row.state == IncidentState::Acked, "acknowledged, then lost: {row:?}");
    }
    Ok(())
}

/// Every P0 that nobody answered has reached Wang and Zhao, and nothing is left to do.
fn everybody_is_paged(
    client: &Client,
    hook: &HookSink,
    sent: &[Acknowledged],
    incidents: &[IncidentRow],
) -> Result<()> {
    // Some of them by an acknowledgement whose author was not told any more.
    let is_answered = |row: &&IncidentRow| row.state != IncidentState::Triggered;
    let answered: BTreeSet<i64> = incidents.iter().filter(is_answered).map(|row| row.id.0).collect();
    let open: Vec<i64> = sent.iter().filter(|it| it.p0).map(|it| it.incident).collect();
    let unpaged = |hook: &HookSink| -> Result<Vec<(i64, &str)>> {
        let taken: BTreeSet<(i64, String)> = hook
            .calls()
            .iter()
            .filter(|call| !matches!(call.reply, Reply::Status(_)))
            .map(|call| call.page().map(|page| (page.incident.id, page.page.recipient)))
            .collect::<Result<_>>()?;
        let wanted = open.iter().filter(|id| !answered.contains(id)).flat_map(|id| [(*id, "wang"), (*id, "zhao")]);
        Ok(wanted.filter(|(id, who)| !taken.contains(&(*id, (*who).to_owned()))).collect())
    };
    let settled = wait::attempt("every delivery to come to its end", SETTLED, || {
        let status: PagerStatus = client.read("/api/v1/status")?;
        if status.in_flight > 0 || status.waiting > 0 {
            wait::pass(Duration::from_millis(200));
            return Ok(None);
        }
        Ok(unpaged(hook)?.is_empty().then_some(()))
    });
    if settled.is_err() {
        let status: PagerStatus = client.read("/api/v1/status")?;
        let unpaged = unpaged(hook)?;
        let example = unpaged.first().map(|(id, _)| client.read::<IncidentDetail>(&format!("/api/v1/incidents/{id}")));
        bail!("not paged after {SETTLED:?}: {unpaged:?}; {status:?}; {example:?}");
    }
    Ok(())
}

fn pages(calls: &[Call]) -> Result<Vec<(&Call, Page)>> {
    calls
        .iter()
        .map(|call| {
            call.verify(SECRET)?;
            let page = call.page()?;
            ensure!(page.id == call.key() && !page.unrecorded, "{page:?} came as {}", call.key());
            Ok((call, page))
        })
        .collect()
}

/// One page has one key, and comes again only when nobody could know that it had arrived. Gives how often it did.
fn one_key_one_page(pages: &[(&Call, Page)], killed: &[Instant]) -> Result<usize> {
    let mut keys: BTreeMap<(i64, &str, u32, u32), BTreeSet<&str>> = BTreeMap::new();
    let mut by_key: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
    for (call, page) in pages {
        ensure!(!page.reminder, "nothing is so old that it is reminded of: {page:?}");
        let place = (page.incident.id, page.page.recipient.as_str(), page.page.level, page.page.cycle);
        keys.entry(place).or_default().insert(call.key());
        by_key.entry(call.key()).or_default().push(call);
    }
    for (place, keys) in keys {
        ensure!(keys.len() == 1, "paged with several keys: {place:?} {keys:?}");
    }
    let mut repeated = 0;
    for (key, calls) in by_key {
        for pair in calls.windows(2) {
            let [before, after] = pair else { continue };
            let taken = matches!(before.reply, Reply::Accept | Reply::Hang(_));
            let died = killed.iter().any(|at| before.at <= *at && *at <= after.at);
            ensure!(!taken || died, "{key} was taken and sent again without a death between: {before:?} {after:?}");
            repeated += 1;
        }
    }
    Ok(repeated)
}

/// Once an acknowledgement is stored, no new page begins.
fn acknowledgement_wins(pages: &[(&Call, Page)], acked: &[Acked]) -> Result<()> {
    let since: BTreeMap<i64, Instant> = acked.iter().map(|ack| (ack.incident, ack.at)).collect();
    let mut known = BTreeSet::new();
    for (call, page) in pages {
        let is_new = known.insert(call.key());
        let Some(at) = since.get(&page.incident.id) else { continue };
        ensure!(!is_new || call.at <= *at + IN_THE_AIR, "paged after it was acknowledged: {page:?}");
    }
    Ok(())
}

fn timelines_are_whole(client: &Client, incidents: &[IncidentRow]) -> Result<()> {
    let every = (incidents.len() / TIMELINES).max(1);
    for row in incidents.iter().step_by(every) {
        let detail: IncidentDetail = client.read(&format!("/api/v1/incidents/{}", row.id))?;
        let numbers: Vec<u32> = detail.timeline.iter().map(|entry| entry.seq).collect();
        let expected: Vec<u32> = (1..=detail.incident.timeline).collect();
        ensure!(numbers == expected, "the timeline of {} has gaps: {numbers:?}", row.id);
    }
    Ok(())
}
