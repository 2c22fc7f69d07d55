//! Judges hosts by the threshold rules, and by whether they say anything at all; what comes of it is an alert like any
//! other.
//!
//! The rules themselves decide (`engine::threshold`); this hands them the points and keeps how each stands. A message
//! that could not be stored waits and is told again; after a start, what was open is what fires.

mod tell;

use super::{Hosts, Points};
use crate::{clock, runtime::Runtime, telemetry};
use engine::{
    compile::SELF,
    threshold::{Bound, Course, Judged, KEY, OverBecause, Rules, SILENT_KEY, Standing},
};
use shared::{
    Alert, Delay, Severity, TemplateId, ThresholdId, Timestamp,
    api::{RuleStanding, RuleState},
    config::HostMode,
    host::SeriesName,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tell::Message;
use tokio::time::{MissedTickBehavior, interval};

/// New samples are judged this soon.
const EVERY: Duration = Duration::from_secs(1);
/// What stays away is looked for at every so many of these.
const AWAY_EVERY: u32 = 5;
/// A host is silent after so many of its own beats at the least.
const SILENT_BEATS: i64 = 3;
/// What is told of at once; more wait for the next turn.
const TELL_MAX: usize = 256;
/// Series that no host has any more are looked for at every so many of these, and only when the server has run for so long
/// that each would have come: a host knows its series for an hour.
const LEFT_EVERY: u32 = 60;
const LEFT_AFTER_MS: i64 = 3_600_000;
/// Open alerts are read in parts of this many.
const ALERTS_AT_ONCE: usize = 1_000;

/// Which rule with which series of which host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    host: String,
    template: TemplateId,
    rule: ThresholdId,
    series: String,
}

#[derive(Debug)]
struct State {
    /// Nothing was heard before: what stays away counts from here.
    began_at: Timestamp,
    rules: Arc<Rules>,
    /// The version of the configuration that `rules` are of.
    version: i64,
    mode: HostMode,
    by_host: BTreeMap<String, Vec<Arc<Bound>>>,
    standings: BTreeMap<Place, Standing>,
    /// Hosts whose silence was told, with since when.
    silent: BTreeMap<String, Timestamp>,
    /// Since when hosts are heard without a gap: what they did not say while they said nothing is not missed.
    live_since: BTreeMap<String, Timestamp>,
    /// What is to be told, by identity: only the newest of each.
    untold: BTreeMap<String, Message>,
    turns: u32,
}

/// How every rule stands with every host.
#[derive(Debug)]
pub struct Judge {
    hosts: Arc<Hosts>,
    state: Mutex<State>,
}

/// Judges for as long as the server runs.
pub async fn keep(judge: Arc<Judge>, runtime: Runtime) {
    let mut beat = interval(EVERY);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while let Err(error) = judge.restore(&runtime).await {
        tracing::debug!(%error, "open alerts cannot be read yet; nothing is judged before");
        beat.tick().await;
    }
    loop {
        beat.tick().await;
        let (judging, config) = (Arc::clone(&judge), runtime.config());
        let turn = move || judging.turn(&config.thresholds, &config.document.hosts, config.version, clock::now());
        // Hundreds of hosts take some milliseconds.
        if let Err(error) = actix_web::web::block(turn).await {
            // A fault of ours in one turn is no reason to watch nothing from then on.
            tracing::error!(%error, "hosts could not be judged in this turn");
        }
        judge.tell(&runtime).await;
    }
}

impl Judge {
    /// Nothing was judged yet.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>, now: Timestamp) -> Self {
        let state = State {
            began_at: now,
            rules: Arc::default(),
            version: -1,
            mode: HostMode::default(),
            by_host: BTreeMap::new(),
            standings: BTreeMap::new(),
            silent: BTreeMap::new(),
            live_since: BTreeMap::new(),
            untold: BTreeMap::new(),
            turns: 0,
        };
        Self { hosts, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is open from before this server began, fires.
    ///
    /// # Errors
    /// When the engine does not answer; nothing is to be judged before it did.
    pub async fn restore(&self, runtime: &Runtime) -> Result<(), crate::runtime::Unavailable> {
        let mut after = 0;
        loop {
            let alerts = runtime.alerts(after, ALERTS_AT_ONCE).await?;
            let Some(last) = alerts.last() else { return Ok(()) };
            after = last.id.0;
            let mut state = self.state();
            let began_at = state.began_at;
            for alert in alerts.iter().filter(|it| it.integration.as_str() == SELF) {
                if let Some(host) = alert.event.dedup_key.strip_prefix(SILENT_KEY) {
                    state.silent.insert(host.to_owned(), alert.first_at);
                } else if let Some(place) = place_of(alert) {
                    let steps = alert.event.metric.as_ref().and_then(|it| it.step).unwrap_or(1);
                    state.standings.insert(place, Standing::restored(alert.first_at, steps, began_at));
                }
            }
        }
    }

    /// Judges what came since the last turn.
    pub fn turn(&self, rules: &Arc<Rules>, mode: &HostMode, version: i64, now: Timestamp) {
        let known = self.hosts.known();
        let mut state = self.state();
        state.turns = state.turns.wrapping_add(1);
        let is_new = state.version != version;
        if is_new {
            state.rules = Arc::clone(rules);
            state.mode = mode.clone();
            state.version = version;
            state.by_host.clear();
        }
        let mut touched: BTreeSet<String> = self.hosts.touched().into_iter().collect();
        if is_new {
            touched.extend(known.iter().map(|it| it.name.clone()));
        }
        for host in known.iter().filter(|host| touched.contains(&host.name)) {
            state.judge(&self.hosts, &host.name, now);
        }
        if is_new || state.turns.is_multiple_of(AWAY_EVERY) {
            let names: BTreeSet<&str> = known.iter().map(|it| it.name.as_str()).collect();
            for host in &known {
                state.look_for(&self.hosts, &host.name, host.heard_at, host.every_ms, now);
            }
            state.stop_outside_hours(now);
            state.forget(&names, is_new, now);
        }
        if state.turns.is_multiple_of(LEFT_EVERY) {
            state.forget_left(&self.hosts, now);
        }
        let worst = state.worst();
        telemetry::rules(&state.by_state());
        drop(state);
        self.hosts.judged(&worst);
    }

    /// Tells what is to be told; what is not taken waits for the next turn.
    pub async fn tell(&self, runtime: &Runtime) {
        let waiting: Vec<(String, Message)> = {
            let state = self.state();
            state.untold.iter().take(TELL_MAX).map(|(key, message)| (key.clone(), message.clone())).collect()
        };
        let told = waiting.into_iter().map(|(key, message)| async move {
            let told = runtime.ingest(message.arrived(&key, clock::now())).await;
            (key, message, told)
        });
        for (key, message, told) in futures_util::future::join_all(told).await {
            match told {
                Ok(_) => {
                    let mut state = self.state();
                    // Something newer may have come meanwhile.
                    if state.untold.get(&key) == Some(&message) {
                        state.untold.remove(&key);
                    }
                }
                Err(error) => tracing::debug!(%error, key, "what a rule found could not be stored; it is told again"),
            }
        }
    }

    /// How rules stand, those that `wanted` wants.
    pub fn standing(&self, wanted: impl Fn(&str, RuleState) -> bool) -> Vec<RuleStanding> {
        let state = self.state();
        let mut found = Vec::new();
        for (place, standing) in &state.standings {
            if !wanted(&place.host, standing.state) {
                continue;
            }
            let Some(rule) = state.rule(place) else { continue };
            found.push(RuleStanding {
                host: place.host.clone(),
                template: place.template.clone(),
                rule: place.rule.clone(),
                title: rule.config.title().to_owned(),
                when: rule.when.to_string(),
                severity: rule.severity,
                series: place.series.clone(),
                state: standing.state,
                since: standing.since,
                value: standing.value.map(|it| it as f32),
                threshold: rule.when.function.span().map(|_| rule.when.threshold as f32),
            });
        }
        found
    }
}

/// Which rule an open alert is of, as its labels say.
fn place_of(alert: &Alert) -> Option<Place> {
    let rest = alert.event.dedup_key.strip_prefix(KEY)?;
    let (template, rest) = rest.split_once('/')?;
    let (rule, rest) = rest.split_once(':')?;
    // A series has no colon before its tags, and a name of a host may have one.
    let host = alert.event.labels.get("host_name")?.to_owned();
    let series = rest.strip_prefix(host.as_str())?.strip_prefix(':')?.to_owned();
    Some(Place { host, template: template.into(), rule: rule.into(), series })
}

impl State {
    fn rules_of(&mut self, host: &str) -> Vec<Arc<Bound>> {
        if let Some(rules) = self.by_host.get(host) {
            return rules.clone();
        }
        let rules = self.rules.of(host);
        self.by_host.insert(host.to_owned(), rules.clone());
        rules
    }

    fn rule(&self, place: &Place) -> Option<&Arc<Bound>> {
        let rules = self.by_host.get(&place.host)?;
        rules.iter().find(|rule| rule.template == place.template && rule.config.id == place.rule)
    }

    /// Judges a host by its newest points.
    fn judge(&mut self, hosts: &Hosts, host: &str, now: Timestamp) {
        // Somebody who looks makes it faster than usual; what is measured less often than the rest has a beat of its own.
        let least_ms = self.mode.every.0;
        for rule in self.rules_of(host).iter().filter(|rule| rule.when.function.span().is_some()) {
            let since = |step_ms: i64| now.ms().saturating_sub(rule.reach(Delay(step_ms)).0);
            for Points { series, step_ms, points } in hosts.recent(host, &rule.when.series, least_ms, &since) {
                let place = Place::new(host, rule, series.to_string());
                let standing = self.standings.entry(place.clone()).or_insert_with(|| Standing::new(now));
                let judged = standing.judge(rule, &Course::of(&points, Delay(step_ms)), now);
                self.note(&place, rule, judged, now);
            }
        }
    }

    /// Judges a host by what did not come.
    fn look_for(&mut self, hosts: &Hosts, host: &str, came_at: Timestamp, every_ms: u64, now: Timestamp) {
        let heard_at = came_at.max(self.began_at);
        let beats = i64::try_from(every_ms).unwrap_or(i64::MAX).saturating_mul(SILENT_BEATS);
        let is_silent = now.ms_since(heard_at) >= self.mode.silent_after.0.max(beats);
        match (is_silent, self.silent.get(host)) {
            (true, None) => {
                if let Some(severity) = self.mode.silent_severity {
                    self.silent.insert(host.to_owned(), now);
                    let message = Message::silent(host, severity, heard_at, now);
                    self.untold.insert(format!("{SILENT_KEY}{host}"), message);
                }
            }
            // Heard again by this server, not only known from before.
            (false, Some(_)) if came_at >= self.began_at => self.is_heard(host, "it is measured again", now),
            _ => {}
        }
        let is_away = now.ms_since(heard_at) >= beats;
        let live_since = match is_away {
            true => {
                self.live_since.remove(host);
                self.began_at
            }
            false => *self.live_since.entry(host.to_owned()).or_insert(heard_at),
        };
        for rule in self.rules_of(host).iter().filter(|rule| rule.when.function.span().is_none()) {
            // Of a host that says nothing at all, its silence is told in time, and not each thing that it does not say.
            let is_of_itself = rule.when.series.metric == "agent.alive";
            if is_away && !is_of_itself {
                continue;
            }
            let counts_from = if is_of_itself { self.began_at } else { live_since };
            let mut heard: BTreeMap<String, Option<Timestamp>> = BTreeMap::new();
            for (series, at) in hosts.heard(host, &rule.when.series) {
                heard.insert(series.to_string(), Some(at));
            }
            let ours =
                |place: &&Place| place.host == host && place.template == rule.template && place.rule == rule.config.id;
            // They stand beside each other.
            let first = Place::new(host, rule, String::new());
            let of_rule = self.standings.range(first..).map(|(place, _)| place).take_while(ours);
            let before: Vec<String> = of_rule.map(|place| place.series.clone()).collect();
            // What was missed was missed under the rule's own name while nothing of it was known.
            let unnamed = rule.when.series.to_string();
            if !heard.is_empty() && !heard.contains_key(&unnamed) {
                self.found(&Place::new(host, rule, unnamed.clone()), rule, now);
            }
            let is_nameless = heard.is_empty();
            for series in before.into_iter().filter(|series| is_nameless || *series != unnamed) {
                heard.entry(series).or_insert(None);
            }
            if heard.is_empty() {
                heard.insert(unnamed, None);
            }
            for (series, at) in heard {
                let place = Place::new(host, rule, series);
                let standing = self.standings.entry(place.clone()).or_insert_with(|| Standing::new(now));
                // What fires ends when it is heard, and not by a start of this server or of the host.
                let heard_at = match standing.state {
                    RuleState::Firing => at.unwrap_or_default(),
                    _ => at.unwrap_or_default().max(counts_from),
                };
                let judged = standing.judge_silence(rule, heard_at, now);
                self.note(&place, rule, judged, now);
            }
        }
    }

    /// What was missed under a rule's own name has come under its real one.
    fn found(&mut self, place: &Place, rule: &Bound, now: Timestamp) {
        let was = self.standings.remove(place);
        if was.is_some_and(|it| it.state == RuleState::Firing) {
            let over = Judged::Over { value: None, because: OverBecause::Recovered };
            self.note(place, rule, Some(over), now);
        }
    }

    /// The hours of a rule end also when nothing is measured.
    fn stop_outside_hours(&mut self, now: Timestamp) {
        let stands = |it: &Standing| matches!(it.state, RuleState::Firing | RuleState::Holding);
        let places: Vec<Place> =
            self.standings.iter().filter(|(_, it)| stands(it)).map(|(place, _)| place.clone()).collect();
        for place in places {
            let Some(rule) = self.rule(&place).cloned().filter(|rule| !rule.counts_at(now)) else { continue };
            let judged = self.standings.get_mut(&place).and_then(|it| it.stop(now));
            self.note(&place, &rule, judged, now);
        }
    }

    /// Series that a host which is heard does not have any more are over: a control group that ended, a file system that
    /// was unmounted. What a `nodata` misses stays missed.
    fn forget_left(&mut self, hosts: &Hosts, now: Timestamp) {
        if now.ms_since(self.began_at) < LEFT_AFTER_MS {
            return;
        }
        let is_left = |place: &Place| {
            let is_missed = self.rule(place).is_some_and(|rule| rule.when.function.span().is_none());
            let is_live = self.live_since.get(&place.host).is_some_and(|at| now.ms_since(*at) >= LEFT_AFTER_MS);
            !is_missed && is_live && !hosts.has(&place.host, &place.series)
        };
        let left: Vec<Place> = self.standings.keys().filter(|place| is_left(place)).cloned().collect();
        self.drop_all(left, "it is not measured any more", now);
    }

    /// What is of no host or of no rule any more is over. With a new configuration a rule may be about other series.
    fn forget(&mut self, hosts: &BTreeSet<&str>, is_new: bool, now: Timestamp) {
        let gone: Vec<String> = self.silent.keys().filter(|host| !hosts.contains(host.as_str())).cloned().collect();
        for host in gone {
            // Right after a start the hosts of before may not be read yet; then their silence is still one.
            if now.ms_since(self.began_at) >= self.mode.silent_after.0 {
                self.is_heard(&host, "the host was forgotten", now);
            }
        }
        let named: BTreeSet<String> = self.standings.keys().map(|place| place.host.clone()).collect();
        for host in named {
            self.rules_of(&host);
        }
        let settled = now.ms_since(self.began_at) >= self.mode.silent_after.0;
        let left: Vec<Place> = self
            .standings
            .keys()
            .filter(|place| {
                let is_about = |rule: &Arc<Bound>| !is_new || place.is_of(rule);
                !self.rule(place).is_some_and(is_about) || (settled && !hosts.contains(place.host.as_str()))
            })
            .cloned()
            .collect();
        self.drop_all(left, "no rule is about it any more", now);
        self.by_host.retain(|host, _| hosts.contains(host.as_str()));
        self.live_since.retain(|host, _| hosts.contains(host.as_str()));
    }

    fn drop_all(&mut self, places: Vec<Place>, why: &str, now: Timestamp) {
        for place in places {
            let Some(standing) = self.standings.remove(&place) else { continue };
            if standing.state == RuleState::Firing {
                let message = Message::dropped(&place.host, &place.series, why, now);
                self.untold.insert(place.key(), message);
            }
        }
    }

    fn is_heard(&mut self, host: &str, why: &str, now: Timestamp) {
        self.silent.remove(host);
        self.untold.insert(format!("{SILENT_KEY}{host}"), Message::heard(host, why, now));
    }

    fn note(&mut self, place: &Place, rule: &Bound, judged: Option<Judged>, now: Timestamp) {
        if let Some(judged) = judged {
            self.untold.insert(place.key(), Message::judged(&place.host, &place.series, rule, judged, now));
        }
    }

    fn by_state(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for standing in self.standings.values() {
            let state = match standing.state {
                RuleState::Firing => "firing",
                RuleState::Holding => "holding",
                RuleState::Fine => "fine",
                RuleState::Unknown => "unknown",
            };
            *counts.entry(state).or_default() += 1;
        }
        counts
    }

    /// The worst rule that fires of each host.
    fn worst(&self) -> BTreeMap<String, Severity> {
        let mut worst: BTreeMap<String, Severity> = BTreeMap::new();
        for (place, _) in self.standings.iter().filter(|(_, it)| it.state == RuleState::Firing) {
            let Some(rule) = self.rule(place) else { continue };
            let entry = worst.entry(place.host.clone()).or_insert(rule.severity);
            *entry = (*entry).min(rule.severity);
        }
        worst
    }
}

impl Place {
    fn new(host: &str, rule: &Bound, series: String) -> Self {
        Self { host: host.to_owned(), template: rule.template.clone(), rule: rule.config.id.clone(), series }
    }

    fn is_of(&self, rule: &Bound) -> bool {
        self.series.parse::<SeriesName>().is_ok_and(|name| name.is_of(&rule.when.series))
    }

    fn key(&self) -> String {
        format!("{KEY}{}/{}:{}:{}", self.template, self.rule, self.host, self.series)
    }
}
