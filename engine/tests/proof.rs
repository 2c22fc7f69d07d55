//! What is said of a message after its provider took it: taken down once, believed as far as it goes, and never forgotten.

use engine::{Act, Command, Engine, Event, Ingested, Snapshot, normalize};
use shared::{
    Attempt, AttemptId, AttemptState, DeliveryReceipt, Failure, Incident, IncidentId, Timestamp,
    config::{ContactKind, Integration},
    timeline::{Actor, Happening, TimelineEntry},
};
use std::sync::Arc;

const HOUSE: &str = r#"
fallback = ["person:li"]
[[people]]
id = "li"
name = "Li"
contacts = [{ id = "phone", push = "all" }, { id = "call", voice = "+8613800000000" }]
rules = [{ notify = [{ contact = "phone" }, { contact = "call", after = "3m" }] }]
[[policies]]
id = "p"
levels = [{ notify = ["person:li"], delay = "10m" }]
repeat = 1
[[routes]]
id = "all"
policy = "p"
[[channels.gateways]]
id = "voice"
for = "voice"
url = "https://voice.example.org"
"#;

struct World {
    engine: Engine,
    now: Timestamp,
    commands: Vec<Command>,
    timeline: Vec<TimelineEntry>,
}

impl World {
    fn new() -> Self {
        let config = Snapshot::compile(1, toml::from_str(HOUSE).unwrap()).unwrap();
        let now = Timestamp::from_ms(1_800_000_000_000);
        Self { engine: Engine::new(Arc::new(config)), now, commands: Vec::new(), timeline: Vec::new() }
    }

    fn handle(&mut self, event: Event) {
        let effects = self.engine.handle(self.now, event);
        self.commands.extend(effects.commands);
        self.timeline.extend(self.engine.take_changes().timeline);
        self.engine.state.check(self.now, 64).unwrap();
    }

    fn post(&mut self, line: &str) {
        let falcon: Integration = toml::from_str("id = \"falcon\"").unwrap();
        let source = normalize::Source {
            integration: &falcon,
            content_type: None,
            format: None,
            peer: None,
            received_at: self.now,
        };
        let events = normalize::normalize(&source, line.as_bytes()).events.into_iter().map(|it| it.event).collect();
        let (integration, rejected, places) = (falcon.id.clone(), Vec::new(), Vec::new());
        self.handle(Event::Ingested(Ingested { integration, key: None, events, rejected, places, replayed: false }));
    }

    /// Goes on until then, deadline by deadline.
    fn advance(&mut self, ms: i64) {
        let until = self.now.plus_ms(ms);
        while let Some((at, _)) = self.engine.next_deadline().filter(|(at, _)| *at <= until) {
            self.now = self.now.max(at);
            self.handle(Event::Wake);
        }
        self.now = until;
    }

    fn incident(&self, id: i64) -> Arc<Incident> {
        self.engine.state.incidents.get(&IncidentId(id)).unwrap().clone()
    }

    /// The first delivery of an incident by a kind of contact.
    fn attempt(&self, id: i64, kind: ContactKind) -> Attempt {
        let incident = self.incident(id);
        let mut attempts = incident.pages.iter().flat_map(|page| &page.attempts);
        attempts.find(|it| it.channel == kind).unwrap().clone()
    }

    fn answer(&mut self, id: i64, attempt: &Attempt, result: Result<Option<String>, Failure>) {
        let (incident, attempt, try_number) = (IncidentId(id), attempt.message(), attempt.tries);
        self.handle(Event::DeliveryFinished { incident, attempt, try_number, result });
    }

    fn tell(&mut self, id: i64, message: AttemptId, receipt: DeliveryReceipt) {
        let device = Some("Pixel".into());
        self.handle(Event::DeliveryReceipt { incident: IncidentId(id), message, receipt, device });
    }

    fn receipts(&self) -> usize {
        self.timeline.iter().filter(|it| matches!(it.what, Happening::DeliveryReceipt { .. })).count()
    }
}

fn lost() -> Failure {
    Failure {
        permanent: false,
        ambiguous: true,
        detail: "the answer was lost".to_owned(),
        retry_after_ms: None,
        fault: shared::Fault::Unknown,
    }
}

#[test]
fn what_is_on_a_screen_was_taken_whatever_the_provider_answers() {
    let mut world = World::new();
    world.post("[P0][PROBLEM][db-07][10.1.2.3][host is down]");
    let push = world.attempt(1, ContactKind::Push);
    world.tell(1, push.id, DeliveryReceipt::Shown);
    world.answer(1, &push, Err(lost()));
    let push = world.attempt(1, ContactKind::Push);
    assert_eq!((push.state, push.proof.unwrap().device.as_deref()), (AttemptState::Accepted, Some("Pixel")));
    world.advance(60_000);
    assert_eq!(world.commands.len(), 1, "it is not sent again, and nothing is pulled forward");
}

#[test]
fn a_receipt_after_the_answer_was_lost_ends_the_retries() {
    let mut world = World::new();
    world.post("[P0][PROBLEM][db-07][10.1.2.3][host is down]");
    // The lease ends without an answer.
    world.advance(15_000);
    let push = world.attempt(1, ContactKind::Push);
    assert_eq!(push.state, AttemptState::Retrying);
    world.tell(1, push.id, DeliveryReceipt::Opened);
    assert_eq!(world.attempt(1, ContactKind::Push).state, AttemptState::Accepted);
    world.advance(60_000);
    // The call that began when the answer did not come goes on.
    let of_push = world.commands.iter().filter(|Command::Deliver { attempt, .. }| *attempt == push.id);
    assert_eq!(of_push.count(), 1);
}

#[test]
fn each_kind_is_taken_down_once_and_nothing_takes_back_what_was_shown() {
    let mut world = World::new();
    world.post("[P0][PROBLEM][db-07][10.1.2.3][host is down]");
    let push = world.attempt(1, ContactKind::Push);
    world.answer(1, &push, Ok(Some("m-1".to_owned())));
    for receipt in [DeliveryReceipt::Delivered, DeliveryReceipt::Shown, DeliveryReceipt::Shown, DeliveryReceipt::Opened]
    {
        world.tell(1, push.id, receipt);
    }
    assert_eq!(world.receipts(), 3);
    world.tell(1, push.id, DeliveryReceipt::Failed { failure: lost() });
    let push = world.attempt(1, ContactKind::Push);
    assert_eq!((push.state, world.receipts()), (AttemptState::Accepted, 3));
    assert_eq!(push.proof.unwrap().provider_id.as_deref(), Some("m-1"));
    // Of what was never sent, and of what nobody knows.
    let call = world.attempt(1, ContactKind::Voice);
    world.tell(1, call.id, DeliveryReceipt::Shown);
    world.tell(1, AttemptId(999), DeliveryReceipt::Shown);
    world.tell(77, AttemptId(1), DeliveryReceipt::Shown);
    assert_eq!(world.receipts(), 3);
}

#[test]
fn a_receipt_of_a_message_is_one_of_every_delivery_in_it() {
    let mut world = World::new();
    world.post("[P2][PROBLEM][db-07][10.1.2.3][disk is full]");
    let first = world.attempt(1, ContactKind::Push);
    world.answer(1, &first, Ok(None));
    // Within the time of a bundle both of these become one message.
    world.post("[P2][PROBLEM][db-08][10.1.2.4][disk is full]");
    world.post("[P2][PROBLEM][db-09][10.1.2.5][disk is full]");
    world.advance(40_000);
    let (second, third) = (world.attempt(2, ContactKind::Push), world.attempt(3, ContactKind::Push));
    assert_eq!(second.message(), third.message());
    world.answer(2, &second, Ok(None));
    world.tell(2, second.message(), DeliveryReceipt::Shown);
    let shown = |id| world.attempt(id, ContactKind::Push).is_shown();
    assert_eq!((shown(1), shown(2), shown(3)), (false, true, true));
}

#[test]
fn who_asks_not_to_be_called_is_not_called_again_about_it() {
    let mut world = World::new();
    world.post("[P1][PROBLEM][db-07][10.1.2.3][disk is slow]");
    let push = world.attempt(1, ContactKind::Push);
    world.answer(1, &push, Ok(None));
    world.tell(1, push.id, DeliveryReceipt::Shown);
    let by = Actor::Link { person: "li".into(), via: Some(ContactKind::Voice) };
    for _ in 0..2 {
        world.handle(Event::Acted {
            incident: IncidentId(1),
            by: by.clone(),
            act: Act::StopCalls { person: "li".into() },
        });
    }
    assert_eq!(world.attempt(1, ContactKind::Voice).state, AttemptState::Cancelled);
    let stopped = world.timeline.iter().filter(|it| matches!(it.what, Happening::CallsStopped { .. })).count();
    assert_eq!(stopped, 1);
    // The policy is repeated, and pages again: without a call.
    world.advance(11 * 60_000);
    let incident = world.incident(1);
    assert_eq!(incident.pages.len(), 2);
    assert!(incident.pages[1].attempts.iter().all(|it| it.channel == ContactKind::Push));
}
