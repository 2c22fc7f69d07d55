//! Whatever happens, a restored engine goes on as if it had never stopped.

use crate::{
    life::{CONFIG, Life, resolve, trigger},
    world::{NOW, Place},
};
use engine::{Act, Command, Engine, Event};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use server::db::{Message, Store};
use shared::{AlertId, Failure, IncidentId};
use std::{cell::RefCell, collections::BTreeMap};

crate::promises! { a_restored_memory_equals_the_one_that_was_committed }

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Hear { host: u8, alert: u8, over: bool, key: Option<u8> },
    Ack(i64),
    Resolve(i64),
    Snooze(i64),
    Merge(i64, i64),
    Detach(i64, i64),
    Delivered(bool),
    Wait(i64),
    Commit,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3u8, 0..4u8, any::<bool>(), proptest::option::of(0..3u8))
            .prop_map(|(host, alert, over, key)| Step::Hear { host, alert, over, key }),
        1 => (1..6i64).prop_map(Step::Ack),
        1 => (1..6i64).prop_map(Step::Resolve),
        1 => (1..6i64).prop_map(Step::Snooze),
        1 => (1..6i64, 1..6i64).prop_map(|(n, into)| Step::Merge(n, into)),
        1 => (1..6i64, 1..6i64).prop_map(|(alert, n)| Step::Detach(alert, n)),
        2 => any::<bool>().prop_map(Step::Delivered),
        2 => (0..40_000_000i64).prop_map(Step::Wait),
        2 => Just(Step::Commit),
        1 => Just(Step::Restart),
    ]
}

fn a_restored_memory_equals_the_one_that_was_committed(place: &Place) {
    let mut store = place.writer();
    store.config_put(CONFIG, "test", NOW, None).unwrap();
    // One database for all cases: they go on where the last one ended, like a server that runs for years.
    let world = RefCell::new(World { store, life: Life::begin(NOW), unbroken: Life::begin(NOW), messages: Vec::new() });
    let cases = Config { cases: 24, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    TestRunner::new_with_rng(cases, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
        .run(&proptest::collection::vec(step(), 1..40), |steps| {
            let mut world = world.borrow_mut();
            for step in steps.into_iter().chain([Step::Restart]) {
                world.take(&step)?;
            }
            Ok(())
        })
        .unwrap();
}

/// A life that is restored now and then, and beside it one that has gone on since the last time.
struct World {
    store: Store,
    life: Life,
    unbroken: Life,
    messages: Vec<Message>,
}

impl World {
    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Commit => self.commit(),
            Step::Restart => {
                self.commit();
                prop_assert_eq!(memory(&self.life.engine), memory(&self.unbroken.engine));
                self.unbroken = self.life.clone();
                let restored = self.store.restore(self.life.now).unwrap();
                self.life.engine = Engine::restore(self.life.engine.config().clone(), restored, self.life.now);
                prop_assert_eq!(memory(&self.life.engine), memory(&self.unbroken.engine));
            }
            step => {
                self.messages.extend(apply(&mut self.life, step));
                apply(&mut self.unbroken, step);
            }
        }
        Ok(())
    }

    fn commit(&mut self) {
        self.store.commit(&self.messages, &self.life.changes()).unwrap();
        self.messages.clear();
        self.unbroken.changes();
    }
}

fn apply(life: &mut Life, step: &Step) -> Option<Message> {
    let newest = life.engine.state.counters.incident;
    let pick = |n: i64| IncidentId((newest + 1 - n).max(1));
    match *step {
        Step::Hear { host, alert, over, key } => {
            let (host, alert) = (["db-0", "db-1", "rack-2"][usize::from(host)], format!("alert {alert}"));
            let event = if over { resolve(host, &alert) } else { trigger(host, &alert) };
            let key = key.map(|key| format!("key {key}"));
            return life.hear("zabbix", key.as_deref(), vec![event]);
        }
        Step::Ack(n) => life.act(pick(n), Act::Ack { until: None }),
        Step::Resolve(n) => life.act(pick(n), Act::Resolve),
        Step::Merge(n, into) => life.act(pick(n), Act::Merge { into: pick(into), version: None }),
        Step::Detach(alert, n) => {
            let alert = AlertId(life.engine.state.counters.alert + 1 - alert);
            life.act(pick(n), Act::Detach { alert, version: None });
        }
        Step::Snooze(n) => {
            let until = life.now.plus_ms(7_200_000);
            life.act(pick(n), Act::Snooze { until });
        }
        Step::Delivered(well) => {
            if let Some(Command::Deliver { incident, attempt, try_number, .. }) = life.sending.pop() {
                let failure = Failure {
                    permanent: false,
                    ambiguous: false,
                    detail: "no".into(),
                    retry_after_ms: None,
                    fault: shared::Fault::Unknown,
                };
                let result = if well { Ok(Some("id".to_owned())) } else { Err(failure) };
                life.handle(Event::DeliveryFinished { incident, attempt, try_number, result });
            }
        }
        Step::Wait(ms) => {
            let until = life.now.plus_ms(ms);
            // Deadline by deadline, as the runtime does.
            while let Some((at, _)) = life.engine.next_deadline().filter(|(at, _)| *at <= until) {
                life.now = life.now.max(at);
                life.handle(Event::Wake);
            }
            life.now = until;
        }
        Step::Commit | Step::Restart => {}
    }
    None
}

/// What two engines must have in common.
fn memory(engine: &Engine) -> String {
    let state = &engine.state;
    // Policies that no incident follows any more are kept until the end of the process.
    let escalations = state.incidents.values().flat_map(|incident| &incident.escalations);
    let policies: BTreeMap<_, _> = escalations
        .filter_map(|escalation| state.policies.get_key_value(&(escalation.config, escalation.policy.clone())))
        .collect();
    format!("{:?}\n{:#?}\n{:#?}\n{policies:#?}", state.counters, state.alerts, state.incidents)
}
