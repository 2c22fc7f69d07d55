//! Test pages: about nothing, to one contact or one device, and followed until somebody touches them.
//!
//! The engine never hears of one. It is decided by nobody, stored nowhere, wakes nobody else and is not sent twice; what
//! its links and callbacks tell ends here, because they name an incident that does not exist.

use super::{Links, Runtime, deliver, inbox::Item};
use crate::{
    channels::{Address, Delivery},
    clock::{self, Stopwatch},
};
use shared::{
    AttemptId, ContactId, DeliveryReceipt, Failure, Fault, Few, Incident, IncidentId, IntegrationId, Page, PageId,
    PageVia, Pairs, PersonId, Recipient, Severity, SharedStr, ThinVec, Timestamp,
    api::{TestHop, TestPage, TestPageResult, TestStep},
    config::Person,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, MutexGuard, PoisonError},
};

/// What every test page is about. No incident has this number.
pub const TEST: IncidentId = IncidentId(0);
/// Remembered at once; the oldest makes room.
const MOST: usize = 200;
/// Of one test: a stranger's receiver may tell as often as it likes.
const HOPS_MOST: usize = 12;
/// How long one is remembered.
const KEPT_MS: i64 = 15 * 60_000;

/// What is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tested {
    Contact(ContactId),
    /// A device of the person, by number.
    Device(i64),
}

/// The test pages of the last minutes, by number.
#[derive(Debug, Default)]
pub(super) struct TestPages(BTreeMap<i64, Kept>);

#[derive(Debug)]
struct Kept {
    person: PersonId,
    page: TestPage,
}

impl TestPages {
    fn begin(&mut self, person: &PersonId, severity: Severity, now: Timestamp) -> TestPage {
        self.0.retain(|id, _| now.ms() - id < KEPT_MS);
        if self.0.len() >= MOST {
            self.0.pop_first();
        }
        // By the clock, so that links of tests before a restart name none of these.
        let id = now.ms().max(self.0.last_key_value().map_or(0, |(id, _)| id + 1));
        let hops = vec![TestHop { at: now, step: TestStep::Queued }];
        let page = TestPage { id, severity, hops, over: false };
        self.0.insert(id, Kept { person: person.clone(), page: page.clone() });
        page
    }

    fn of(&self, id: i64, person: &PersonId) -> Option<TestPage> {
        self.0.get(&id).filter(|kept| kept.person == *person).map(|kept| kept.page.clone())
    }

    /// Adds a step, unless it is known or nothing is to come. A receipt may outrun the provider's answer.
    fn add(&mut self, id: i64, step: TestStep, at: Timestamp) {
        let Some(Kept { page, .. }) = self.0.get_mut(&id) else { return };
        let touched = |step: &TestStep| {
            matches!(step, TestStep::Heard { receipt: DeliveryReceipt::Opened | DeliveryReceipt::Dismissed, .. })
        };
        if matches!(step, TestStep::Heard { .. }) && page.hops.iter().any(|hop| touched(&hop.step)) {
            return;
        }
        if page.hops.len() >= HOPS_MOST || page.hops.iter().any(|hop| hop.step == step) {
            return;
        }
        let ends = |receipt: &DeliveryReceipt| !matches!(receipt, DeliveryReceipt::Delivered | DeliveryReceipt::Shown);
        page.over |= match &step {
            TestStep::Refused { .. } => true,
            TestStep::Heard { receipt, .. } => ends(receipt),
            TestStep::Queued | TestStep::Taken => false,
        };
        page.hops.push(TestHop { at, step });
    }
}

impl Runtime {
    /// Sends a test page to one contact of a person, by the channels in force, and waits for what its provider says.
    pub async fn test_page(
        &self,
        person: &Person,
        contact: &ContactId,
        severity: Severity,
        now: Timestamp,
    ) -> TestPageResult {
        let watch = Stopwatch::start();
        let failure = match address(person, &Tested::Contact(contact.clone())) {
            Ok(address) => self.send_test(&delivery(person, address, severity, now, self.links())).await.err(),
            Err(detail) => {
                Some(Failure { permanent: true, ambiguous: false, detail, retry_after_ms: None, fault: Fault::Unknown })
            }
        };
        if failure.is_none() {
            self.inbox.push(Item::Worked(person.id.clone(), contact.clone()));
        }
        TestPageResult { accepted: failure.is_none(), took_ms: watch.elapsed_ms(), failure }
    }

    /// Begins a test page, and follows it. The error is a sentence for whoever asked.
    pub fn begin_test(
        &self,
        person: &Person,
        what: &Tested,
        severity: Severity,
        now: Timestamp,
    ) -> Result<TestPage, String> {
        let address = address(person, what)?;
        let page = self.tests().begin(&person.id, severity, now);
        let mut delivery = delivery(person, address, severity, now, self.links());
        delivery.attempt = AttemptId(page.id);
        delivery.ack_url = Some(self.links().ack(TEST, &person.id, delivery.attempt, now));
        let (runtime, id) = (self.clone(), page.id);
        let contact = match what {
            Tested::Contact(contact) => Some((person.id.clone(), contact.clone())),
            Tested::Device(_) => None,
        };
        tokio::spawn(async move {
            let step = match runtime.send_test(&delivery).await {
                Ok(()) => {
                    if let Some((person, contact)) = contact {
                        runtime.inbox.push(Item::Worked(person, contact));
                    }
                    TestStep::Taken
                }
                Err(failure) => TestStep::Refused { why: failure.detail },
            };
            runtime.tests().add(id, step, clock::now());
        });
        Ok(page)
    }

    /// How far a test page of a person has come, while it is remembered.
    #[must_use]
    pub fn test_of(&self, id: i64, person: &PersonId) -> Option<TestPage> {
        self.tests().of(id, person)
    }

    /// What became of a test page.
    pub(super) fn test_heard(&self, test: AttemptId, receipt: DeliveryReceipt, device: Option<SharedStr>) {
        let device = device.map(|device| device.to_string());
        self.tests().add(test.0, TestStep::Heard { receipt, device }, clock::now());
    }

    async fn send_test(&self, delivery: &Delivery) -> Result<(), Failure> {
        let channels = self.vitals.channels.read().unwrap_or_else(PoisonError::into_inner).clone();
        channels.deliver(delivery).await.map(drop)
    }

    fn tests(&self) -> MutexGuard<'_, TestPages> {
        self.vitals.test_pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a test goes.
fn address(person: &Person, what: &Tested) -> Result<Address, String> {
    let contact = match what {
        Tested::Device(id) => return Ok(Address::Push { person: person.id.clone(), only: Some(*id) }),
        Tested::Contact(contact) => contact,
    };
    let found = person.contacts.iter().find(|it| it.id == *contact);
    let found = found.ok_or_else(|| format!("you have no contact `{contact}`; save it first"))?;
    deliver::address(person, found).ok_or_else(|| "the contact has no address, or more than one".to_owned())
}

/// A page about nothing.
fn delivery(person: &Person, address: Address, severity: Severity, now: Timestamp, links: &Links) -> Delivery {
    let incident = Incident {
        id: TEST,
        version: 0,
        state: shared::IncidentState::Triggered,
        severity,
        title: "Tocsin: test page".into(),
        integration: IntegrationId::from(engine::compile::SELF),
        host: None,
        ip: None,
        hosts: ThinVec::new(),
        team: None,
        annotations: Pairs::default(),
        suppressed: ThinVec::new(),
        alerts: Few::default(),
        firing: 0,
        count: 0,
        opened_at: now,
        updated_at: now,
        ack: None,
        everyone: None,
        answered: false,
        snoozed_until: None,
        resolved_at: None,
        again: None,
        group: None,
        flapping: None,
        stale: None,
        escalations: ThinVec::new(),
        pages: ThinVec::new(),
        timeline: 0,
    };
    let page = Page {
        id: PageId(0),
        recipient: Recipient::Person(PersonId::from(person.id.to_string())),
        via: PageVia::Direct,
        policy: engine::compile::SELF.into(),
        level: 0,
        cycle: 0,
        rule: None,
        created_at: now,
        waits: None,
        by_hand: false,
        no_calls: false,
        attempts: ThinVec::new(),
    };
    Delivery {
        key: crate::entropy::token("test-"),
        attempt: AttemptId(0),
        try_number: 1,
        incident: Arc::new(incident),
        page,
        language: person.language,
        address,
        ack_url: None,
        base: links.base(),
        incident_url: format!("{}/me", links.base()),
        test: true,
        reminder: false,
        unrecorded: false,
        others: Vec::new(),
        storm: false,
        near: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn heard(receipt: DeliveryReceipt) -> TestStep {
        TestStep::Heard { receipt, device: Some("Pixel".into()) }
    }

    #[test]
    fn a_test_is_followed_until_somebody_touches_it() {
        let (mut tests, li) = (TestPages::default(), PersonId::from("li"));
        let id = tests.begin(&li, Severity::P0, NOW).id;
        let steps = [heard(DeliveryReceipt::Shown), TestStep::Taken, heard(DeliveryReceipt::Shown)];
        steps.into_iter().for_each(|step| tests.add(id, step, NOW.plus_ms(9)));
        let page = tests.of(id, &li).unwrap();
        assert_eq!((page.hops.len(), page.over), (3, false), "the same twice is one");
        tests.add(id, heard(DeliveryReceipt::Opened), NOW.plus_ms(20));
        assert!(tests.of(id, &li).unwrap().over);
        assert!(tests.of(id, &"anna".into()).is_none(), "another's is not shown");
        tests.add(7, TestStep::Taken, NOW);
        assert!(tests.of(7, &li).is_none());
    }

    #[test]
    fn tests_are_forgotten_and_never_too_many() {
        let (mut tests, li) = (TestPages::default(), PersonId::from("li"));
        let ids: Vec<i64> = (0..=MOST).map(|_| tests.begin(&li, Severity::P1, NOW).id).collect();
        assert!(tests.of(ids[0], &li).is_none() && tests.of(ids[1], &li).is_some());
        for _ in 0..2 * HOPS_MOST {
            let why = tests.of(ids[1], &li).unwrap().hops.len().to_string();
            tests.add(ids[1], TestStep::Refused { why }, NOW);
        }
        assert_eq!(tests.of(ids[1], &li).unwrap().hops.len(), HOPS_MOST);
        tests.begin(&li, Severity::P1, NOW.plus_ms(KEPT_MS + 1_000));
        assert!(tests.of(ids[MOST], &li).is_none());
    }
}
