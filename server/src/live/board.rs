//! The open incidents in the order of the list, and what changed since the last delta.

mod since;

pub use since::Since;

use super::counts::Tally;
use bytestring::ByteString;
use engine::dense::{Map, Set};
use shared::{
    Incident, IncidentId, IncidentState, IntegrationId, Severity, Storm, Timestamp,
    api::{Counts, IncidentList, IncidentRow, StormNow},
    live::{Heard, LiveMessage},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::{Notify, broadcast, watch};

/// Deltas kept for browsers that come back, by number and by size.
const KEPT: usize = 512;
const KEPT_BYTES: usize = 8 << 20;
/// Deltas a browser may be behind before it has to fetch the board again.
const BEHIND: usize = 64;
/// Rows of one delta; when more change at once, browsers fetch the board instead.
const ROWS_MAX: usize = 2_000;

/// A numbered delta, encoded once for everybody.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) seq: u64,
    pub(super) text: ByteString,
    /// What it is about.
    about: Arc<[IncidentId]>,
}

/// Incidents a search looks at before it lets the engine in between.
const PART: usize = 1_024;

/// Which open incidents a list shows.
#[derive(Clone, Debug, Default)]
pub struct BoardFilter {
    /// Empty: every state.
    pub states: Vec<IncidentState>,
    /// Empty: every severity.
    pub severities: Vec<Severity>,
    pub integration: Option<IntegrationId>,
    pub team: Option<shared::TeamId>,
    /// In title, host, address or sender, in any case; or an incident's number.
    pub text: Option<String>,
    /// As given by the page before.
    pub after: Option<String>,
    pub limit: usize,
}

/// Worst first, unanswered before answered, newest before older; the browser sorts by the same.
type Place = (Severity, IncidentState, Reverse<Timestamp>, Reverse<IncidentId>);

fn place(incident: &Incident) -> Place {
    (incident.severity, incident.state, Reverse(incident.opened_at), Reverse(incident.id))
}

#[derive(Debug, Default)]
struct Rows {
    /// Shared with the engine; a row is made when somebody looks.
    incidents: Map<IncidentId, Arc<Incident>>,
    /// From the end of the list to its beginning, because the newest are listed first: so these keys rise.
    order: Set<Reverse<Place>>,
    tally: Tally,
    seq: u64,
    /// What the next delta tells.
    changed: BTreeSet<IncidentId>,
    gone: BTreeMap<IncidentId, Arc<Incident>>,
    heard: BTreeMap<IntegrationId, Heard>,
    heard_counts: BTreeMap<IntegrationId, u64>,
    config: Option<i64>,
    storm: Option<Box<StormNow>>,
    storm_changed: bool,
    /// Everybody has to fetch the board again.
    resync: bool,
    kept: VecDeque<Frame>,
    kept_bytes: usize,
}

/// The board: written by the engine's thread after each commit, read by everybody.
#[derive(Debug)]
pub struct Board {
    rows: Mutex<Rows>,
    frames: broadcast::Sender<Frame>,
    pub(super) dirty: Notify,
    browsers: AtomicU32,
    closed: watch::Sender<bool>,
}

impl Board {
    /// An empty board. Numbers begin at `epoch`, which must be larger than any number a former process gave.
    #[must_use]
    pub fn new(epoch: u64) -> Self {
        let rows = Rows { seq: epoch, ..Rows::default() };
        Self {
            rows: Mutex::new(rows),
            frames: broadcast::Sender::new(BEHIND),
            dirty: Notify::new(),
            browsers: AtomicU32::new(0),
            closed: watch::Sender::new(false),
        }
    }

    /// Ends every live connection and any that would follow: a server that stops does not wait for browsers to leave.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Whether, and when, that happened.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    /// Forgets everything and takes these incidents; browsers fetch the board again.
    pub(crate) fn reset<'a>(&self, incidents: impl Iterator<Item = &'a Arc<Incident>>, config: i64) {
        let mut rows = self.lock();
        let before = std::mem::take(&mut *rows);
        rows.seq = before.seq;
        rows.heard_counts = before.heard_counts;
        rows.config = Some(config);
        rows.resync = true;
        for incident in incidents.filter(|it| it.state != IncidentState::Resolved) {
            rows.put(incident.clone());
        }
        drop(rows);
        self.dirty.notify_one();
    }

    /// Takes the newest state of incidents whose changes are stored.
    pub(crate) fn apply(&self, incidents: &[Arc<Incident>], heard: Vec<Heard>) {
        if incidents.is_empty() && heard.is_empty() {
            return;
        }
        let mut rows = self.lock();
        for incident in incidents {
            if incident.state == IncidentState::Resolved {
                rows.take(incident.id);
                rows.changed.remove(&incident.id);
                rows.gone.insert(incident.id, incident.clone());
            } else {
                rows.changed.insert(incident.id);
                rows.put(incident.clone());
            }
        }
        for heard in heard {
            *rows.heard_counts.entry(heard.integration.clone()).or_default() += 1;
            rows.heard.insert(heard.integration.clone(), heard);
        }
        if rows.changed.len() + rows.gone.len() > ROWS_MAX {
            rows.resync = true;
        }
        drop(rows);
        self.dirty.notify_one();
    }

    /// The storm that lasts, as it stands.
    pub(crate) fn storm(&self, storm: Option<&Storm>) {
        let now = storm.map(|it| {
            let (since, waiting) = (it.since, it.deliveries.waiting);
            Box::new(StormNow { since, incidents: it.incidents, messages: it.messages, waiting })
        });
        let mut rows = self.lock();
        if rows.storm != now {
            rows.storm = now;
            rows.storm_changed = true;
            self.dirty.notify_one();
        }
    }

    /// A new configuration is in force.
    pub(crate) fn configured(&self, version: i64) {
        self.lock().config = Some(version);
        self.dirty.notify_one();
    }

    /// Messages a sender sent since the server started.
    #[must_use]
    pub fn heard_of(&self, integration: &IntegrationId) -> u64 {
        self.lock().heard_counts.get(integration).copied().unwrap_or(0)
    }

    /// Open incidents, from memory.
    #[must_use]
    pub fn list(&self, filter: &BoardFilter, now: Timestamp) -> IncidentList {
        let mut page = Page::new(filter);
        let rows = self.lock();
        let (counts, seq) = (rows.counts(), rows.seq);
        if filter.shows_all() {
            page.total = rows.order.len() as u32;
            let beyond = page.after.map_or(Bound::Unbounded, Bound::Excluded);
            let found: Vec<_> = rows.beyond(beyond).take(page.limit + 1).collect();
            found.into_iter().for_each(|(place, incident)| page.take(place, incident));
            drop(rows);
        } else {
            drop(rows);
            let needle = filter.text.as_deref().and_then(Needle::new);
            self.look_through(|place, incident| {
                if filter.shows(place, incident, needle.as_ref()) {
                    page.total += 1;
                    page.take(place, incident);
                }
            });
        }
        let next = page.items.last().filter(|_| page.more).map(write_cursor);
        IncidentList { items: page.items, next, counts, seq, now, total: page.total }
    }

    /// Everything open in the order of the list, a part at a time: the engine waits for the lock after each commit.
    /// What moves meanwhile may be seen twice or not at all, and comes again with the next delta.
    fn look_through(&self, mut see: impl FnMut(Place, &Arc<Incident>)) {
        let mut from = Bound::Unbounded;
        loop {
            let rows = self.lock();
            let mut last = None;
            for (place, incident) in rows.beyond(from).take(PART) {
                see(place, incident);
                last = Some(place);
            }
            drop(rows);
            let Some(last) = last else { return };
            from = Bound::Excluded(last);
            std::thread::yield_now();
        }
    }

    /// The last delta's number.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.lock().seq
    }

    /// How many browsers are connected.
    #[must_use]
    pub fn browsers(&self) -> u32 {
        self.browsers.load(Ordering::Relaxed)
    }

    pub(super) fn joined(&self, change: i32) {
        let before = if change > 0 {
            self.browsers.fetch_add(1, Ordering::Relaxed)
        } else {
            self.browsers.fetch_sub(1, Ordering::Relaxed)
        };
        crate::telemetry::browsers(before.saturating_add_signed(change));
    }

    /// What a browser that knows everything up to `seq` has missed (none: it must fetch the board), and all that
    /// follows; nothing falls between the two.
    pub(super) fn resume(&self, seq: u64) -> (Option<Vec<Frame>>, broadcast::Receiver<Frame>) {
        let rows = self.lock();
        let receiver = self.frames.subscribe();
        let missed = if seq == rows.seq {
            Some(Vec::new())
        } else if rows.kept.front().is_some_and(|first| first.seq <= seq + 1) && seq < rows.seq {
            Some(rows.kept.iter().filter(|frame| frame.seq > seq).cloned().collect())
        } else {
            None
        };
        (missed, receiver)
    }

    /// Tells everybody what changed since the last time; nothing when nothing did.
    pub fn publish(&self, now: Timestamp) {
        let mut rows = self.lock();
        let about: Arc<[IncidentId]> = rows.changed.iter().chain(rows.gone.keys()).copied().collect();
        let Some(message) = rows.delta(now) else { return };
        let text = match serde_json::to_string(&message) {
            Ok(text) => ByteString::from(text),
            Err(error) => {
                tracing::error!(%error, "a delta could not be written");
                return;
            }
        };
        let frame = Frame { seq: rows.seq, text, about };
        if matches!(message, LiveMessage::Resync { .. }) {
            // What was kept leads nowhere any more.
            rows.kept.clear();
            rows.kept_bytes = 0;
        } else {
            rows.keep(frame.clone());
        }
        // Under the lock, so that a browser that joins sees each frame once. No receiver is no fault.
        drop(self.frames.send(frame));
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rows {
    fn put(&mut self, incident: Arc<Incident>) {
        let before = self.incidents.insert(incident.id, incident.clone());
        let (place, former) = (place(&incident), before.as_deref().map(place));
        if former != Some(place) {
            if let Some(former) = former {
                self.order.remove(&Reverse(former));
            }
            self.order.insert(Reverse(place));
        }
        self.tally.replace(before.as_deref(), &incident);
    }

    fn take(&mut self, id: IncidentId) {
        if let Some(incident) = self.incidents.remove(&id) {
            self.order.remove(&Reverse(place(&incident)));
            self.tally.remove(&incident);
        }
    }

    fn counts(&self) -> Counts {
        Counts { storm: self.storm.clone(), ..self.tally.counts() }
    }

    /// What is listed from there on.
    fn beyond(&self, from: Bound<Place>) -> impl Iterator<Item = (Place, &Arc<Incident>)> {
        let listed = self.order.range((Bound::Unbounded, from.map(Reverse))).rev();
        listed.filter_map(|Reverse(place)| Some((*place, self.incidents.get(&place.3.0)?)))
    }

    fn delta(&mut self, now: Timestamp) -> Option<LiveMessage> {
        let quiet = self.changed.is_empty() && self.gone.is_empty() && self.heard.is_empty() && self.config.is_none();
        let quiet = quiet && !std::mem::take(&mut self.storm_changed);
        if quiet && !self.resync {
            return None;
        }
        self.seq += 1;
        let changed = std::mem::take(&mut self.changed);
        let gone = std::mem::take(&mut self.gone);
        let heard = std::mem::take(&mut self.heard);
        let config = self.config.take();
        if std::mem::take(&mut self.resync) {
            return Some(LiveMessage::Resync { seq: self.seq });
        }
        Some(LiveMessage::Delta {
            seq: self.seq,
            now,
            rows: changed.iter().filter_map(|id| self.incidents.get(id)).map(|it| IncidentRow::from(&**it)).collect(),
            gone: gone.values().map(|it| IncidentRow::from(&**it)).collect(),
            counts: self.counts(),
            heard: heard.into_values().collect(),
            config,
        })
    }

    fn keep(&mut self, frame: Frame) {
        self.kept_bytes += frame.text.len();
        self.kept.push_back(frame);
        while self.kept.len() > KEPT || self.kept_bytes > KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else { break };
            self.kept_bytes -= oldest.text.len();
        }
    }
}

impl BoardFilter {
    fn shows_all(&self) -> bool {
        self.states.is_empty()
            && self.severities.is_empty()
            && self.integration.is_none()
            && self.team.is_none()
            && self.text.is_none()
    }

    fn shows(&self, place: Place, row: &Incident, needle: Option<&Needle>) -> bool {
        let (severity, state, ..) = place;
        (self.states.is_empty() || self.states.contains(&state))
            && (self.severities.is_empty() || self.severities.contains(&severity))
            && self.integration.as_ref().is_none_or(|it| row.integration == *it)
            && self.team.as_ref().is_none_or(|it| row.team.as_ref() == Some(it))
            && needle.is_none_or(|needle| needle.is_in(row))
    }
}

/// One page of a list while it is put together.
struct Page {
    after: Option<Place>,
    limit: usize,
    items: Vec<IncidentRow>,
    more: bool,
    total: u32,
}

impl Page {
    fn new(filter: &BoardFilter) -> Self {
        let after = filter.after.as_deref().and_then(read_cursor);
        Self { after, limit: filter.limit.clamp(1, 500), items: Vec::new(), more: false, total: 0 }
    }

    fn take(&mut self, place: Place, incident: &Incident) {
        if self.after.is_some_and(|after| place <= after) {
            return;
        }
        if self.items.len() >= self.limit {
            self.more = true;
        } else if self.items.iter().all(|row| row.id != incident.id) {
            self.items.push(IncidentRow::from(incident));
        }
    }
}

/// What somebody searches for, in small letters; perhaps an incident's number.
struct Needle {
    text: String,
    id: Option<IncidentId>,
}

impl Needle {
    fn new(text: &str) -> Option<Self> {
        let text = text.to_lowercase();
        let id = text.trim_start_matches('#').parse().ok().map(IncidentId);
        Some(Self { text, id }).filter(|needle| !needle.text.is_empty())
    }

    fn is_in(&self, incident: &Incident) -> bool {
        let texts =
            [incident.host.as_ref(), Some(&incident.title), incident.ip.as_ref(), Some(&incident.integration.0)];
        self.id == Some(incident.id) || texts.into_iter().flatten().any(|text| self.is_part_of(text))
    }

    /// In any case; most texts need no copy for that.
    fn is_part_of(&self, text: &str) -> bool {
        if !text.is_ascii() {
            return text.to_lowercase().contains(&self.text);
        }
        let (text, needle) = (text.as_bytes(), self.text.as_bytes());
        let Some(first) = needle.first() else { return true };
        text.len() >= needle.len()
            && text.windows(needle.len()).any(|it| {
                it.first().is_some_and(|byte| byte.eq_ignore_ascii_case(first)) && it.eq_ignore_ascii_case(needle)
            })
    }
}

fn write_cursor(row: &IncidentRow) -> String {
    format!("{}.{}.{}.{}", row.severity.rank(), state_rank(row.state), row.opened_at.ms(), row.id)
}

fn read_cursor(text: &str) -> Option<Place> {
    let mut parts = text.splitn(4, '.');
    let severity = Severity::from_rank(parts.next()?.parse().ok()?);
    let rank: u8 = parts.next()?.parse().ok()?;
    let state = [IncidentState::Triggered, IncidentState::Acked, IncidentState::Snoozed]
        .into_iter()
        .find(|it| state_rank(*it) == rank)?;
    let opened_at = Timestamp::from_ms(parts.next()?.parse().ok()?);
    Some((severity, state, Reverse(opened_at), Reverse(IncidentId(parts.next()?.parse().ok()?))))
}

const fn state_rank(state: IncidentState) -> u8 {
    state as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incident(id: i64, severity: &str, state: &str, title: &str) -> Arc<Incident> {
        Arc::new(
            serde_json::from_value(serde_json::json!({
                "id": id, "version": 1, "state": state, "severity": severity, "title": title, "integration": "falcon",
                "host": format!("db-{id}"), "alerts": [id], "firing": 1, "count": 1, "opened_at": 1_000 + id,
                "updated_at": 2_000, "escalations": [], "timeline": 1
            }))
            .unwrap(),
        )
    }

    fn board() -> Board {
        let board = Board::new(100);
        let all = [
            incident(1, "P3", "triggered", "slow"),
            incident(2, "P0", "acked", "down"),
            incident(3, "P0", "triggered", "down"),
            incident(4, "P0", "triggered", "gone"),
        ];
        board.apply(&all, Vec::new());
        board
    }

    fn ids(list: &IncidentList) -> Vec<i64> {
        list.items.iter().map(|row| row.id.0).collect()
    }

    #[test]
    fn the_worst_unanswered_newest_comes_first_and_pages_join_without_a_seam() {
        let board = board();
        let whole = board.list(&BoardFilter { limit: 10, ..BoardFilter::default() }, Timestamp::from_ms(0));
        assert_eq!((ids(&whole), whole.total, whole.next), (vec![4, 3, 2, 1], 4, None));
        let mut filter = BoardFilter { limit: 3, ..BoardFilter::default() };
        let first = board.list(&filter, Timestamp::from_ms(0));
        assert_eq!((ids(&first), first.total), (vec![4, 3, 2], 4));
        filter.after = first.next;
        let second = board.list(&filter, Timestamp::from_ms(0));
        assert_eq!((ids(&second), second.next), (vec![1], None));
    }

    #[test]
    fn a_list_finds_by_text_number_and_severity() {
        let board = board();
        let find = |text: &str| {
            let filter = BoardFilter { text: Some(text.to_owned()), limit: 10, ..BoardFilter::default() };
            ids(&board.list(&filter, Timestamp::from_ms(0)))
        };
        assert_eq!((find("DOWN"), find("#4"), find("db-1"), find("nothing")), (vec![3, 2], vec![4], vec![1], vec![]));
        let filter = BoardFilter { severities: vec![Severity::P3], limit: 10, ..BoardFilter::default() };
        assert_eq!(ids(&board.list(&filter, Timestamp::from_ms(0))), [1]);
    }

    #[test]
    fn a_search_looks_through_everything_and_its_pages_join_too() {
        let board = Board::new(1);
        let all: Vec<_> = (1..=3 * PART as i64).map(|id| incident(id, "P2", "triggered", "slow")).collect();
        board.apply(&all, Vec::new());
        let mut filter = BoardFilter { text: Some("DB-10".to_owned()), limit: 7, ..BoardFilter::default() };
        let mut found = Vec::new();
        loop {
            let list = board.list(&filter, Timestamp::from_ms(0));
            assert_eq!(list.total, 111, "db-10, db-100 to db-109, db-1000 to db-1099");
            found.extend(ids(&list));
            filter.after = list.next;
            if filter.after.is_none() {
                break;
            }
        }
        let expected: Vec<i64> = (1000..=1099).rev().chain((100..=109).rev()).chain([10]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_heading_counts_what_is_open() {
        let board = board();
        let counts = board.list(&BoardFilter::default(), Timestamp::from_ms(0)).counts;
        assert_eq!((counts.triggered[0], counts.acked[0], counts.triggered[3]), (2, 1, 1));
        board.apply(&[incident(3, "P0", "resolved", "down"), incident(1, "P1", "triggered", "worse")], Vec::new());
        let counts = board.list(&BoardFilter::default(), Timestamp::from_ms(0)).counts;
        assert_eq!((counts.triggered[0], counts.triggered[1], counts.triggered[3]), (1, 1, 0));
        assert_eq!(counts.oldest_triggered, Some(Timestamp::from_ms(1_001)));
    }

    #[test]
    fn what_is_kept_quiet_waits_for_nobody() {
        let board = board();
        let mut quiet = Incident::clone(&incident(4, "P0", "triggered", "gone"));
        quiet.suppressed =
            shared::thin_vec![shared::SuppressedBy::Silence { silence: shared::SilenceId(1), until: None }];
        board.apply(&[Arc::new(quiet)], Vec::new());
        let list = board.list(&BoardFilter::default(), Timestamp::from_ms(0));
        assert_eq!((list.counts.triggered[0], list.counts.acked[0], list.total), (1, 2, 4), "shown, not counted");
    }

    #[test]
    fn who_comes_back_gets_what_it_missed_or_is_told_to_fetch_the_board() {
        let board = board();
        board.publish(Timestamp::from_ms(1));
        let seq = board.seq();
        board.apply(&[incident(5, "P2", "triggered", "new")], Vec::new());
        board.publish(Timestamp::from_ms(2));
        let (missed, _) = board.resume(seq);
        let missed = missed.unwrap();
        assert_eq!(missed.iter().map(|frame| frame.seq).collect::<Vec<_>>(), [seq + 1]);
        assert!(missed[0].text.contains("\"new\""));
        assert_eq!(board.resume(seq + 1).0.map(|frames| frames.len()), Some(0));
        assert!(board.resume(3).0.is_none(), "from before this process");
        assert!(board.resume(seq + 9).0.is_none(), "from a future nobody has seen");
        board.reset(std::iter::empty(), 1);
        board.publish(Timestamp::from_ms(3));
        assert!(board.resume(seq + 1).0.is_none(), "what was known is void");
    }

    #[test]
    fn nothing_is_said_when_nothing_changed() {
        let board = board();
        board.publish(Timestamp::from_ms(1));
        let seq = board.seq();
        board.publish(Timestamp::from_ms(2));
        assert_eq!(board.seq(), seq);
    }
}
