//! One turn of the engine's thread: decide, store, and only then answer, page and show.
//!
//! When much is to be stored, the next decisions are made while the store writes. They are stored after it, and nothing of
//! them is known to anybody before; should the store refuse, all of it was refused.

use super::{
    ActError, Unavailable,
    batch::{ActReply, Batch},
    deliver::Sending,
    inbox::{BATCH_ITEMS, Inbox, Item},
    methods::Methods,
    writer::{Writer, answer},
};
use crate::{
    channels::provider,
    clock::Stopwatch,
    db::{Learned, Rows, Store, StoreError},
    devices::Devices,
    failpoint, telemetry,
};
use engine::{
    Changes, Engine, Refusal,
    broken::{Broken, Heard},
};
use shared::{
    AttemptId, AttemptState, Incident, IncidentId, MirrorId, Silence, Storm, Timestamp, config::ContactKind,
    mirror::Mirror,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::resume_unwind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// The thread looks for a newer configuration this often.
const POLL_MS: i64 = 1_000;
/// So many messages at once, or so little time between two turns that have some, are a rush, in which an alert that is
/// only repeated is written again after this while.
const RUSH: usize = 8;
const RUSH_MS: i64 = 10;
const REPEATS_WAIT_MS: i64 = 1_000;
/// So many members of messages are much: to store and to decide on them takes longer than a second thread takes to start.
/// What waits is left alone when it is less: the longer a commit waits, the more senders share its flush.
const MUCH: usize = 64;

/// Decided, and not stored.
pub(super) struct Decided {
    pub(super) batch: Batch,
    pub(super) changes: Changes,
    /// What of it is written out already.
    rows: Option<Rows>,
    /// Who carries the deliveries that have begun.
    carried: BTreeMap<AttemptId, String>,
    /// What was learned of contacts.
    learned: Vec<Learned>,
    pub(super) now: Timestamp,
    /// The storm that lasts, as it stood.
    pub(super) storm: Option<Box<Storm>>,
    /// What each author of an action is answered with once it is stored.
    pub(super) acts: Vec<(ActReply, Result<Incident, ActError>)>,
}

impl Decided {
    /// A batch with what is due and everything that changed; repeats that came after `since` may wait.
    pub(super) fn of(
        engine: &mut Engine,
        (devices, methods): (&Devices, &mut Methods),
        mut batch: Batch,
        now: Timestamp,
        since: Timestamp,
    ) -> Self {
        batch.wake(engine, now);
        let changes = engine.take_changes_but_repeats(since);
        let acts = std::mem::take(&mut batch.acts).into_iter();
        let acts = acts.map(|(reply, id, refused)| (reply, acted(engine, id, refused, &changes))).collect();
        let carried = carried(engine, devices, &changes);
        let learned = learned(engine, methods, &mut batch, &changes, now);
        Self { batch, changes, rows: None, carried, learned, now, storm: engine.state.storm.clone(), acts }
    }

    /// Writes it out ahead, so that the store's thread has only to store it. What cannot be written is met again there.
    fn written_out(mut self) -> Self {
        self.rows = self.rows().ok();
        self
    }

    /// What of it is written out already, or else everything.
    pub(super) fn rows(&mut self) -> Result<Rows, StoreError> {
        if let Some(rows) = self.rows.take() {
            return Ok(rows);
        }
        let rows = Rows::of(&self.batch.messages, &self.changes, |_, attempt| {
            self.carried.get(&attempt.id).cloned().unwrap_or_else(|| attempt.channel.as_str().to_owned())
        });
        Ok(rows?.learning(self.learned.clone()))
    }

    /// Members of its messages.
    fn members(&self) -> usize {
        self.batch.members()
    }

    /// Whether to store it takes so long that something else is worth doing meanwhile.
    fn is_much(&self) -> bool {
        self.members() >= MUCH
    }
}

/// What becomes of contacts by what became of deliveries, and by what was heard of them otherwise.
fn learned(
    engine: &Engine,
    methods: &mut Methods,
    batch: &mut Batch,
    changes: &Changes,
    now: Timestamp,
) -> Vec<Learned> {
    let config = engine.config();
    let mut learned = methods.learn(config, changes);
    for method in std::mem::take(&mut batch.warned) {
        learned.extend(methods.told(&method));
    }
    for method in std::mem::take(&mut batch.worked) {
        learned.extend(methods.hear(config, method, ContactKind::default(), Heard::Taken, now));
    }
    learned
}

/// Who carries what has begun, by the configuration it was begun with.
fn carried(engine: &Engine, devices: &Devices, changes: &Changes) -> BTreeMap<AttemptId, String> {
    if changes.deliveries.is_empty() {
        return BTreeMap::new();
    }
    let begun: BTreeSet<AttemptId> = changes.deliveries.iter().map(|(_, attempt)| *attempt).collect();
    let pages = changes.incidents.iter().flat_map(|incident| &incident.pages);
    let attempts = pages.flat_map(|page| page.attempts.iter().map(|attempt| (&page.recipient, attempt)));
    let sending = attempts.filter(|(_, it)| it.state == AttemptState::Sending && begun.contains(&it.id));
    let config = engine.config();
    sending.map(|(recipient, it)| (it.id, provider(config, devices, recipient, it))).collect()
}

/// The incident as it is after somebody's action.
fn acted(engine: &Engine, id: IncidentId, refused: Option<Refusal>, changes: &Changes) -> Result<Incident, ActError> {
    if let Some(refusal) = refused {
        return Err(ActError::Refused(refusal));
    }
    let changed = changes.incidents.iter().find(|it| it.id == id);
    let incident = changed.or_else(|| engine.state.incidents.get(&id));
    incident.map(|it| Incident::clone(it)).ok_or(ActError::Refused(Refusal::NotOpen))
}

/// Says when it goes out of scope that the store writes no more, also when it never began or came to a bad end.
struct Over<'a> {
    lasts: &'a AtomicBool,
    inbox: &'a Inbox,
}

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.lasts.store(false, Ordering::Release);
        self.inbox.look_up();
    }
}

impl Writer {
    /// Decides on what came and stores it, and what comes meanwhile. False when another server has taken over.
    pub(super) fn turn(&mut self, store: &mut Store, items: Vec<Item>, now: Timestamp) -> bool {
        let mut batch = Batch::default();
        self.take_all(items, now, &mut batch);
        let looked = self.look_if_asked(store, now, &mut batch);
        let mut decided = self.decided(batch, now);
        if let Err(error) = looked {
            return self.refused(&error, vec![decided]);
        }
        loop {
            // What else the thread does is not put off for ever.
            if !decided.is_much() || self.pace.now().ms_since(self.polled_at) >= POLL_MS {
                return match commit(store, &mut decided) {
                    Ok(()) => {
                        self.committed(decided);
                        true
                    }
                    Err(error) => self.refused(&error, vec![decided]),
                };
            }
            let (stored, next) = self.commit_and_decide(store, &mut decided);
            if let Err(error) = stored {
                return self.refused(&error, std::iter::once(decided).chain(next).collect());
            }
            self.committed(decided);
            let Some(next) = next else { return true };
            self.show_vitals();
            decided = next;
        }
    }

    /// Stores what is decided, and decides on what comes while the store writes: on as much at most as it is writing, since
    /// what is decided has to be written out as well before the store is ready for it.
    fn commit_and_decide(
        &mut self,
        store: &mut Store,
        decided: &mut Decided,
    ) -> (Result<(), StoreError>, Option<Decided>) {
        let inbox = Arc::clone(&self.inbox);
        let lasts = AtomicBool::new(true);
        let (stored, next) = thread::scope(|scope| {
            let over = Over { lasts: &lasts, inbox: &inbox };
            let (store, decided) = (&mut *store, &mut *decided);
            let enough = decided.members();
            let write = move || {
                let _over = over;
                commit(store, decided)
            };
            let writing = thread::Builder::new().spawn_scoped(scope, write);
            let mut batch = Batch::default();
            let mut taken_at = None;
            let mut taken = 0;
            while batch.members() < enough && taken < BATCH_ITEMS {
                let items = inbox.more(MUCH, &lasts);
                if items.is_empty() {
                    break;
                }
                let now = self.pace.now();
                self.measure_lateness(now);
                taken += items.len();
                self.take_all(items, now, &mut batch);
                taken_at = Some(now);
            }
            let next = taken_at.map(|now| self.decided(batch, now).written_out());
            (writing.map(|it| it.join().unwrap_or_else(|panic| resume_unwind(panic))), next)
        });
        // Where no thread can be started, one after the other.
        (stored.unwrap_or_else(|_| commit(store, decided)), next)
    }

    /// All items into the engine; their answers wait for the commit.
    fn take_all(&mut self, items: Vec<Item>, now: Timestamp, batch: &mut Batch) {
        for item in items {
            self.take(item, now, batch);
        }
    }

    fn take(&mut self, item: Item, now: Timestamp, batch: &mut Batch) {
        match item {
            // Whoever waited has been told to send it again; a P0 is in our hands and stays there.
            Item::Arrived(arrived, reply) if reply.is_closed() && !arrived.urgent => {}
            Item::Arrived(arrived, reply) => {
                let receipt = batch.ingest(&mut self.engine, *arrived, now);
                batch.ingests.push((reply, receipt));
            }
            Item::Act { incident, by, act, reply } => {
                let refused = batch.act(&mut self.engine, incident, by, act, now);
                batch.acts.push((reply, incident, refused));
            }
            Item::Silence { by, act, reply } => {
                let done = batch.silence(&mut self.engine, by, act, now);
                batch.silences.push((reply, done));
            }
            Item::Mirror { by, act, reply } => {
                let done = batch.mirror(&mut self.engine, by, *act, now);
                batch.mirrors.push((reply, done));
            }
            Item::MirrorReported(mirror, report) => batch.mirror_reported(&mut self.engine, mirror, report, now),
            Item::Beat(beat, reply) => {
                let done = batch.beat(&mut self.engine, beat, now);
                batch.beats.push((reply, done));
            }
            Item::Finished(finished) if finished.blind.is_none() => {
                batch.results.push(finished.clone());
                batch.finished(&mut self.engine, finished, now);
            }
            // Begun while the store was away; what it became of is not in this memory.
            Item::Finished(_) => {}
            Item::Proven(proven) => batch.proven(&mut self.engine, proven, now),
            Item::Told(told) => batch.told(&mut self.engine, told, now),
            Item::Warned(person, contact) => batch.warned.push((person, contact)),
            Item::Worked(person, contact) => batch.worked.push((person, contact)),
            Item::Placed(places) => batch.placed(&mut self.engine, places, now),
            Item::Reload(reply) => batch.looks.push(reply),
            Item::Ask(question) => question(&self.engine),
        }
    }

    /// Looks for a newer configuration when somebody asked, or when it is time.
    fn look_if_asked(&mut self, store: &mut Store, now: Timestamp, batch: &mut Batch) -> Result<(), StoreError> {
        let asked = std::mem::take(&mut batch.looks);
        if asked.is_empty() && now.ms_since(self.polled_at) < POLL_MS {
            return Ok(());
        }
        self.polled_at = now;
        let looked = self.look_for_config(store, now, batch);
        let version = self.engine.config().version;
        for reply in asked.into_iter().flatten() {
            batch.reloads.push((reply, looked.as_ref().map(|()| version).map_err(|_| Unavailable)));
        }
        looked
    }

    /// In a rush repeats wait; when it is over nothing does.
    fn decided(&mut self, batch: Batch, now: Timestamp) -> Decided {
        let rush = self.is_rush(batch.messages.len(), now);
        let since = if rush { now.plus_ms(-REPEATS_WAIT_MS) } else { now };
        Decided::of(&mut self.engine, (&self.devices, &mut self.methods), batch, now, since)
    }

    /// Whether messages come many at a time, or one turn after the other.
    fn is_rush(&mut self, messages: usize, now: Timestamp) -> bool {
        if messages == 0 {
            return false;
        }
        let since = now.ms_since(self.messages_at);
        self.messages_at = now;
        messages >= RUSH || since < RUSH_MS
    }

    /// Stored: now everybody may know, and the pages go out.
    pub(super) fn committed(&mut self, decided: Decided) {
        let Decided { batch, changes, now, storm, acts, learned, .. } = decided;
        if !batch.messages.is_empty() || !changes.is_empty() {
            self.checkpoints.committed();
        }
        if !batch.messages.is_empty() {
            failpoint::hit("ingest.committed");
        }
        if !acts.is_empty() {
            failpoint::hit("act.committed");
        }
        // First the board: whoever is answered and looks at once finds what they sent.
        self.board.apply(&changes.incidents, batch.heard);
        self.board.storm(storm.as_deref());
        for (reply, receipt) in batch.ingests {
            answer(reply, Ok(receipt));
        }
        for (reply, result) in acts {
            answer(reply, result);
        }
        // What a new configuration changes, such as its silences, is stored by now.
        for (reply, looked) in batch.reloads {
            answer(reply, looked);
        }
        for (reply, done) in batch.beats {
            answer(reply, done);
        }
        for (reply, done) in batch.silences {
            let stored = |id| changes.silences.iter().rev().find(|it| it.id == id).map(|it| Silence::clone(it));
            let result = done.map_err(ActError::Refused);
            answer(reply, result.and_then(|id| stored(id).ok_or(ActError::Refused(engine::Refusal::NoSuchSilence))));
        }
        for (reply, done) in batch.mirrors {
            let result = done.map_err(ActError::Refused);
            answer(reply, result.map(|ids| self.mirrors(&ids, &changes)));
        }
        for command in batch.orders {
            if let [mirror] = self.mirrors(&[command.mirror()], &changes).as_slice() {
                self.vitals.orders.give(command, Arc::new(mirror.clone()));
            }
        }
        if !batch.commands.is_empty() {
            self.send(batch.commands, &changes, now, None);
        }
        if !batch.notices.is_empty() {
            let how = Sending {
                config: self.engine.config(),
                channels: &self.channels,
                links: &self.vitals.links,
                now,
                blind: None,
                near: &BTreeMap::new(),
            };
            self.dispatcher.tell(&batch.notices, &changes.silences, &how);
        }
        let broken: Vec<Broken> = learned.into_iter().filter_map(|(_, it)| it.filter(|it| !it.told)).collect();
        self.warn(broken, now);
        self.withdrawer.answered(&changes, self.engine.config(), &self.channels, &self.vitals.links);
        self.watch_policies(&changes, now);
        self.call_last_resort(&changes, now);
    }
}

impl Writer {
    /// Tells the owners of broken contacts.
    pub(super) fn warn(&self, broken: Vec<Broken>, now: Timestamp) {
        if broken.is_empty() {
            return;
        }
        let how = Sending {
            config: self.engine.config(),
            channels: &self.channels,
            links: &self.vitals.links,
            now,
            blind: None,
            near: &BTreeMap::new(),
        };
        self.dispatcher.warn(broken, &self.methods, &how);
    }

    /// Mirrors as they are stored now.
    fn mirrors(&self, ids: &[MirrorId], changes: &engine::Changes) -> Vec<Mirror> {
        let changed = |id: &MirrorId| changes.mirrors.iter().rev().find(|it| it.id == *id);
        let kept = |id: &MirrorId| self.engine.state.mirrors.get(id).map(|it| &it.mirror);
        ids.iter().filter_map(|id| changed(id).or_else(|| kept(id))).map(|it| Mirror::clone(it)).collect()
    }
}

fn commit(store: &mut Store, decided: &mut Decided) -> Result<(), StoreError> {
    let rows = decided.rows()?;
    let Decided { batch, changes, .. } = decided;
    if !batch.messages.is_empty() {
        failpoint::hit("ingest.before_commit");
    }
    if !batch.results.is_empty() {
        failpoint::hit("notify.before_record");
    }
    let watch = Stopwatch::start();
    if !batch.messages.is_empty() || !changes.is_empty() || rows.has_learned() {
        store.commit_rows(rows, changes)?;
        telemetry::committed(batch.messages.len(), watch.elapsed_ms());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock,
        db::{DatabaseUrl, WriterLock},
        live::Board,
        runtime::{Arrived, LastResort, Links, Refused, Runtime, Start, Stopped},
    };
    use engine::normalize::Source;
    use shared::{IntegrationId, api::Receipt, config::Integration, timeline::Outcome};
    use std::{collections::BTreeSet, sync::mpsc, thread::JoinHandle, time::Duration};

    /// More than one turn takes, so that the rest is decided while the first are stored.
    const MANY: usize = BATCH_ITEMS + 100;

    struct World {
        _folder: tempfile::TempDir,
        url: DatabaseUrl,
        runtime: Runtime,
        thread: JoinHandle<Stopped>,
    }

    fn world() -> World {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("t.db"));
        let mut store = Store::open(&url).unwrap();
        store.migrate().unwrap();
        let (lock, board) = (WriterLock::acquire(&url).unwrap(), Arc::new(Board::new(1)));
        let links = Links::new(None, "http://tocsin.example.org".to_owned(), [7; 32]);
        let start = Start {
            url: url.clone(),
            store,
            lock,
            links,
            board,
            instance: "test".to_owned(),
            devices: Arc::default(),
            last_resort: LastResort::default(),
        };
        let (runtime, thread) = Runtime::start(start).unwrap();
        World { _folder: folder, url, runtime, thread }
    }

    fn message(host: usize) -> Arrived {
        let integration = Integration::undeclared(IntegrationId::from("falcon"));
        let text = format!("[P3][PROBLEM][host-{host}][][disk is full]");
        let source = Source {
            integration: &integration,
            content_type: None,
            format: None,
            peer: Some("127.0.0.1"),
            received_at: clock::now(),
        };
        Arrived::read(&source, text.into_bytes())
    }

    async fn until(what: &str, mut holds: impl FnMut() -> bool) {
        for _ in 0..1_000 {
            if holds() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("did not happen in 20 s: {what}");
    }

    /// Holds the engine until all messages wait, does something, and lets it go on; gives every answer.
    async fn all_at_once(runtime: &Runtime, then: impl FnOnce()) -> Vec<Result<Receipt, Refused>> {
        let (let_go, wait) = mpsc::sync_channel::<()>(1);
        let (held, is_held) = tokio::sync::oneshot::channel();
        let asked = tokio::spawn({
            let runtime = runtime.clone();
            let hold = move |_: &engine::Engine| held.send(()).is_ok() && wait.recv().is_ok();
            async move { runtime.ask(hold).await }
        });
        is_held.await.unwrap();
        let sent: Vec<_> = (0..MANY)
            .map(|host| {
                let runtime = runtime.clone();
                tokio::spawn(async move { runtime.ingest(message(host)).await })
            })
            .collect();
        until("all of them wait", || runtime.inbox.waiting() as usize == MANY).await;
        then();
        let_go.send(()).unwrap();
        assert_eq!(asked.await.unwrap(), Ok(true));
        let mut answers = Vec::new();
        for answer in sent {
            answers.push(answer.await.unwrap());
        }
        answers
    }

    fn stored(url: &DatabaseUrl) -> usize {
        Store::open(url).unwrap().restore(clock::now()).unwrap().alerts.len()
    }

    #[tokio::test]
    async fn what_is_decided_while_the_store_writes_is_stored_after_it() {
        let world = world();
        let answers = all_at_once(&world.runtime, || ()).await;
        let ids: BTreeSet<_> = answers.iter().map(|it| it.as_ref().unwrap().event.0).collect();
        assert_eq!(ids, (1..=MANY as i64).collect());
        assert!(answers.iter().all(|it| matches!(it.as_ref().unwrap().outcomes[0], Outcome::Opened { .. })));
        assert_eq!(stored(&world.url), MANY);
        world.runtime.stop();
        assert_eq!(world.thread.join().unwrap(), Stopped::Asked);
    }

    #[tokio::test]
    async fn of_messages_in_an_order_none_is_taken_behind_one_that_finds_no_room() {
        let world = world();
        let large = |bytes| Arrived { body: vec![b'x'; bytes], ..message(0) };
        let (let_go, wait) = mpsc::sync_channel::<()>(1);
        let (held, is_held) = tokio::sync::oneshot::channel();
        let hold = move |_: &engine::Engine| held.send(()).is_ok() && wait.recv().is_ok();
        let asked = tokio::spawn({
            let runtime = world.runtime.clone();
            async move { runtime.ask(hold).await }
        });
        is_held.await.unwrap();
        // 60 of the 64 MiB, as messages are weighed.
        let others: Vec<_> = (0..30).map(|_| large(1 << 20)).collect();
        let (others, some) = tokio::join!(
            tokio::spawn({
                let runtime = world.runtime.clone();
                async move { runtime.ingest_all(others).await }
            }),
            async {
                until("the others wait", || world.runtime.inbox.waiting() == 30).await;
                let some = world.runtime.ingest_all(vec![message(1), large(3 << 20), message(2)]);
                let let_go = async {
                    until("the first waits", || world.runtime.inbox.waiting() == 31).await;
                    let_go.send(()).unwrap();
                };
                tokio::join!(some, let_go).0
            }
        );
        assert_eq!((others.unwrap().taken, some.taken), (30, 1));
        assert_eq!(asked.await.unwrap(), Ok(true));
        // Out of what was not taken nothing comes.
        world.runtime.stop();
        assert_eq!(world.thread.join().unwrap(), Stopped::Asked);
        assert_eq!(stored(&world.url), some.stored + 1);
    }

    #[tokio::test]
    async fn when_the_store_refuses_what_was_decided_meanwhile_is_refused_too() {
        let world = world();
        // Another server takes over in between, and the first commit finds it out.
        let mut other = Store::open(&world.url).unwrap();
        let answers = all_at_once(&world.runtime, || {
            other.restore(clock::now()).unwrap();
            let mut changes = Changes { settled: shared::EventId(0), ..Changes::default() };
            changes.counters.silence = 1;
            changes.turns.push(engine::LevelTurn { policy: "all".into(), level: 0, people: Vec::new() });
            other.commit(&[], &changes).unwrap();
        })
        .await;
        let refused = |it: &&Result<Receipt, Refused>| matches!(it, Err(Refused::Unavailable { .. }));
        assert_eq!(answers.iter().filter(refused).count(), MANY, "none is answered with success");
        assert_eq!(stored(&world.url), 0);
        until("it has read the newer state", || world.runtime.ready().is_ok()).await;
        // Their senders send again.
        let answers = all_at_once(&world.runtime, || ()).await;
        assert!(answers.iter().all(|it| matches!(it.as_ref().unwrap().outcomes[0], Outcome::Opened { .. })));
        assert_eq!(stored(&world.url), MANY);
        world.runtime.stop();
        assert_eq!(world.thread.join().unwrap(), Stopped::Asked);
    }
}
