//! Silences of the document: made when they first stand in it, changed with it, and ended when they are gone from it.

use super::Standing;
use crate::{
    engine::{Engine, Turn},
    matcher::Matcher,
    oncall,
    window::Window,
};
use shared::{
    Silence, SilenceId, SilenceRequest, Timestamp,
    config::{ConfiguredSilence, Document},
    silence::Recurrence,
    timeline::Actor,
};
use std::collections::{BTreeMap, BTreeSet};

/// The silences of a document as somebody would ask for them, by their ids. One without a beginning begins when it is made.
///
/// # Errors
/// Every fault, as (path, message).
pub(crate) fn compile(document: &Document) -> Result<BTreeMap<String, SilenceRequest>, Vec<(String, String)>> {
    let (mut found, mut faults) = (BTreeMap::new(), Vec::new());
    for (i, silence) in document.silences.iter().enumerate() {
        if !crate::compile::is_name(&silence.id) {
            let message = "give it an id of 1 to 64 letters, digits, `-`, `_` and `.`".to_owned();
            faults.push((format!("silences[{i}].id"), message));
            continue;
        }
        let path = format!("silences[{}]", silence.id);
        match one(silence) {
            Ok(request) => {
                if found.insert(silence.id.clone(), request).is_some() {
                    let message = format!("`{}` is there twice; give each its own id", silence.id);
                    faults.push((format!("{path}.id"), message));
                }
            }
            Err(wrong) => faults.extend(wrong.into_iter().map(|(field, why)| (format!("{path}.{field}"), why))),
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(faults) }
}

fn one(silence: &ConfiguredSilence) -> Result<SilenceRequest, Vec<(String, String)>> {
    let mut faults = Vec::new();
    let mut fault = |field: String, message: String| faults.push((field, message));
    let ConfiguredSilence { kind, matches, reason, time_zone, from, until, windows, .. } = silence;
    if reason.trim().is_empty() {
        fault("reason".to_owned(), "say why; somebody will wonder at night".to_owned());
    }
    if matches.is_empty() {
        fault("match".to_owned(), "name at least one condition, such as host=db-07".to_owned());
    }
    for (i, text) in matches.iter().enumerate() {
        if let Err(message) = Matcher::parse(text) {
            fault(format!("match[{i}]"), message);
        }
    }
    if until.is_none() && windows.is_empty() {
        let message = "it would never end; add `until`, or `windows` for what recurs".to_owned();
        fault("until".to_owned(), message);
    }
    let recurs = (!windows.is_empty()).then(|| Recurrence { time_zone: time_zone.clone(), windows: windows.clone() });
    let (mut starts_at, mut ends_at) = (None, None);
    match oncall::zone(time_zone) {
        Err(message) => fault("time_zone".to_owned(), message),
        Ok(zone) => {
            let mut read = |field: &str, text: &Option<String>, ends: bool| {
                let read = if ends { oncall::read_end } else { oncall::read };
                match text.as_deref().map(|text| read(&zone, text)).transpose() {
                    Ok(at) => at,
                    Err(message) => {
                        fault(field.to_owned(), message);
                        None
                    }
                }
            };
            (starts_at, ends_at) = (read("from", from, false), read("until", until, true));
            if let Some((field, message)) = recurs.as_ref().and_then(|it| Window::compile(&it.window()).err()) {
                fault(field, message);
            }
        }
    }
    if let (Some(starts_at), Some(ends_at)) = (starts_at, ends_at) {
        let length = ends_at.ms_since(starts_at);
        if length <= 0 {
            fault("until".to_owned(), "it ends before it begins; give a later time".to_owned());
        } else if length > super::LONGEST.0 && windows.is_empty() {
            let message = "it would last more than 400 days; remove the rule that fires instead".to_owned();
            fault("until".to_owned(), message);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let (kind, matches, reason) = (*kind, matches.clone(), reason.clone());
    Ok(SilenceRequest { kind, matches, starts_at, ends_at, until_recovered: false, recurs, reason, author: None })
}

/// Whether a silence says what the document says.
fn agrees(silence: &Silence, wanted: &SilenceRequest) -> bool {
    silence.kind == wanted.kind
        && silence.matches == wanted.matches
        && wanted.starts_at.is_none_or(|at| silence.starts_at == at)
        && silence.ends_at == wanted.ends_at
        && silence.recurs == wanted.recurs
        && silence.reason == wanted.reason
}

/// What has to be done so that the silences are those of the document.
#[derive(Debug, Default)]
struct Plan {
    begin: Vec<String>,
    change: Vec<(SilenceId, String)>,
    end: Vec<SilenceId>,
}

impl Engine {
    fn planned(&self, now: Timestamp) -> Plan {
        let mut plan = Plan::default();
        let mut standing = BTreeSet::new();
        for (id, Standing { silence, .. }) in &self.state.silences {
            let Some(name) = &silence.configured else { continue };
            match self.config().silences.get(name) {
                None => plan.end.push(*id),
                Some(wanted) => {
                    standing.insert(name);
                    if !agrees(silence, wanted) {
                        plan.change.push((*id, name.clone()));
                    }
                }
            }
        }
        // One whose time is over is over, however long it stands in the document.
        let to_come = |it: &SilenceRequest| it.ends_at.is_none_or(|ends_at| now < ends_at);
        let wanted = self.config().silences.iter().filter(|(name, it)| !standing.contains(*name) && to_come(it));
        plan.begin.extend(wanted.map(|(name, _)| name.clone()));
        plan
    }

    /// Whether the silences of the document are not those that stand.
    pub(crate) fn lacks_configured_silences(&self, now: Timestamp) -> bool {
        let Plan { begin, change, end } = self.planned(now);
        !(begin.is_empty() && change.is_empty() && end.is_empty())
    }
}

impl Turn<'_> {
    /// Makes the silences of the document stand, as it says them, and ends those that are gone from it. Doing it again
    /// changes nothing.
    pub(crate) fn take_configured_silences(&mut self) {
        let Plan { begin, change, end } = self.engine.planned(self.now);
        for id in end {
            self.end_silence(id, Actor::System, Some(self.config.version));
        }
        let config = self.config.clone();
        let wanted = |name: &String| config.silences.get(name).cloned();
        for (id, name) in change {
            let known = self.engine.state.silences.get(&id).map(|it| (it.silence.created_at, it.silence.starts_at));
            let Some((mut request, (created_at, starts_at))) = wanted(&name).zip(known) else { continue };
            request.starts_at.get_or_insert(starts_at);
            self.place_silence(request, id, Actor::System, created_at, Some(name));
        }
        for name in begin {
            let Some(request) = wanted(&name) else { continue };
            let id = self.engine.state.counters.next_silence();
            self.place_silence(request, id, Actor::System, self.now, Some(name));
        }
    }
}
