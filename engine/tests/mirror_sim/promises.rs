//! What must hold after everything that happens.

use super::story::{SENSITIVE, Story};
use shared::{
    mirror::{Mirror, MirrorSource, MirrorState as S, Transport},
    timeline::Actor,
};

/// Nothing of ours outlives its end by more, once something of ours is alive.
const OUTLIVES_MS: i64 = 5_000;
/// After a switch answers again: removals are asked for again every 15 s at least, and take effect within one.
const ANSWERS_AGAIN_MS: i64 = 20_000;

pub(crate) fn keep(story: &Story) -> Result<(), String> {
    ends(story)?;
    one_owner(story)
}

fn ends(story: &Story) -> Result<(), String> {
    let (Some(alive), true) = (story.alive_since(), story.switch.well) else { return Ok(()) };
    for (session, tag) in story.switch.ours() {
        let latest = tag
            .expires_at
            .plus_ms(OUTLIVES_MS)
            .max(alive.plus_ms(OUTLIVES_MS))
            .max(story.well_since.plus_ms(ANSWERS_AGAIN_MS));
        if story.now > latest {
            let over = story.now.ms_since(tag.expires_at);
            return Err(format!("{} is there {over} ms after its end", session.seen.name));
        }
    }
    Ok(())
}

/// A destination is one mirror's: in the switch, and among those that are not over.
fn one_owner(story: &Story) -> Result<(), String> {
    let mut held: Vec<String> = Vec::new();
    for (session, _) in story.switch.ours() {
        held.extend(session.seen.ports.iter().map(|port| format!("port {port}")));
        held.extend(session.seen.tunnel.iter().map(|end| format!("{end:?}")));
    }
    twice(held, "in the switch")?;
    let live = story.stored.values().filter(|it| !it.is_over() && it.state != S::Stopped);
    let destination = |mirror: &Mirror| match &mirror.spec.transport {
        Transport::Erspan { remote, session, .. } => format!("{remote} {session}"),
        other => format!("{other:?}"),
    };
    twice(live.map(destination).collect(), "among mirrors")
}

fn twice(mut held: Vec<String>, place: &str) -> Result<(), String> {
    held.sort();
    match held.windows(2).find(|two| two[0] == two[1]) {
        Some(two) => Err(format!("{} has two owners {place}", two[0])),
        None => Ok(()),
    }
}

/// It may begin: nobody else has its destination, and where it is needed a second person agreed.
pub(crate) fn begin(story: &Story, mirror: &Mirror) -> Result<(), String> {
    let sensitive = matches!(&mirror.spec.source, MirrorSource::Nics { macs } if macs.contains(&SENSITIVE));
    if sensitive {
        match story.approvals.get(&mirror.id) {
            None => return Err(format!("{} begins without approval", mirror.id)),
            Some(by @ Actor::Account { .. }) if *by != mirror.by => {}
            Some(by) => return Err(format!("{} was approved by {by:?}, and asked for by {:?}", mirror.id, mirror.by)),
        }
    }
    if mirror.starts_at > story.now {
        return Err(format!("{} begins too early", mirror.id));
    }
    let own = |it: &&super::switch::Session| it.seen.tag.as_ref().is_none_or(|tag| tag.mirror != mirror.id);
    let taken = story.switch.sessions.values().filter(own).any(|it| match &mirror.spec.transport {
        Transport::Span { port } => it.seen.ports.contains(port),
        Transport::Erspan { remote, session, .. } => {
            it.seen.tunnel.as_ref().is_some_and(|end| end.remote == *remote && end.session == Some(*session))
        }
        _ => false,
    });
    if taken { Err(format!("{} begins where another session's copies go", mirror.id)) } else { Ok(()) }
}

/// One thing that happens leads from a state to one that may follow it.
pub(crate) fn step(before: Option<&Mirror>, after: &Mirror) -> Result<(), String> {
    let to = after.state;
    let from = before.map(|it| it.state);
    let may = match from {
        None => matches!(to, S::Planned | S::Approved | S::Applying),
        Some(from) if from == to => true,
        Some(S::Planned) => matches!(to, S::Approved | S::Applying | S::Dropped),
        // Whoever stops it may come just when it is sent.
        Some(S::Approved) => matches!(to, S::Applying | S::Stopping | S::Dropped),
        Some(S::Applying) => matches!(to, S::Applied | S::Active | S::Failed | S::Stopping),
        Some(S::Applied | S::Active | S::Drifted | S::Disarmed) => {
            // What is found to be gone stops and has stopped at once.
            matches!(to, S::Applied | S::Active | S::Drifted | S::Disarmed | S::Stopping | S::Stopped)
                && !(from == Some(S::Active) && to == S::Applied)
        }
        Some(S::Stopping) => to == S::Stopped,
        Some(S::Stopped) => to == S::ProvedStopped,
        Some(S::ProvedStopped | S::Failed | S::Dropped) => false,
    };
    let sensible = after.expires_at <= after.latest && after.is_over() <= (after.ended.is_some());
    match (may, sensible) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("{} goes from {from:?} to {to:?}", after.id)),
        (true, false) => Err(format!("{} is over without an end, or lasts too long: {after:?}", after.id)),
    }
}
