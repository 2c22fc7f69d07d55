//! From a decided delivery to its channel: addresses, links, and the report back to the engine.

use super::inbox::{Finished, Inbox, Item, Told};
use crate::{
    auth::caplink,
    channels::{Address, Channels, Delivery, Letter, LetterAbout, Room},
    failpoint,
};
use engine::readiness::Coming;
use engine::{Command, Part, Snapshot, Tell};
use shared::{
    Attempt, AttemptId, Failure, Fault, Incident, IncidentId, IncidentState, Notice, Page, PersonId, Recipient,
    Silence, SilenceId, Timestamp,
    config::{Contact, ContactKind, Language, Person},
    placement::Neighbourhood,
    text::notice_text,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// Links as they stand in pages. The base may change with the configuration.
#[derive(Debug)]
pub struct Links {
    base: RwLock<String>,
    /// Set by flag or environment; overrules the configuration.
    chosen: Option<String>,
    /// Used when nothing names a public address.
    own: String,
    secret: Secret,
}

/// The key that signs acknowledgement links; never shown.
struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Links {
    /// `chosen` overrules the configuration's `public_url`; `own` is where this server listens, for want of both.
    #[must_use]
    pub fn new(chosen: Option<String>, own: String, secret: [u8; 32]) -> Self {
        let links = Self { base: RwLock::default(), chosen, own, secret: Secret(secret) };
        links.configure(None);
        links
    }

    pub(super) fn configure(&self, public_url: Option<&str>) {
        let base = self.chosen.as_deref().or(public_url).unwrap_or(&self.own).trim_end_matches('/').to_owned();
        *self.base.write().unwrap_or_else(PoisonError::into_inner) = base;
    }

    /// Where browsers reach this server, without a slash at the end.
    #[must_use]
    pub fn base(&self) -> String {
        self.base.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The silence's page.
    #[must_use]
    pub fn silence(&self, id: SilenceId) -> String {
        format!("{}/silences/{id}", self.base())
    }

    /// Where people change how they are reached.
    #[must_use]
    pub fn my_notifications(&self) -> String {
        format!("{}/me", self.base())
    }

    /// The incident's page.
    #[must_use]
    pub fn incident(&self, id: IncidentId) -> String {
        format!("{}/incidents/{id}", self.base())
    }

    /// The link by which the recipient of a message can acknowledge what it names.
    #[must_use]
    pub fn ack(&self, incident: IncidentId, person: &PersonId, message: AttemptId, now: Timestamp) -> String {
        format!("{}/a/{}", self.base(), self.cap(incident, person, message, now.after(caplink::LIFETIME)))
    }

    /// The link by which somebody says that they are ready for a shift.
    #[must_use]
    pub fn ready(&self, shift: &Coming) -> String {
        format!("{}/r/{}", self.base(), caplink::mint_ready(&self.secret.0, shift))
    }

    /// Whose shift a link of [`Links::ready`] is about.
    ///
    /// # Errors
    /// When it is not one of ours, or the shift has begun.
    pub fn verify_ready(&self, text: &str, now: Timestamp) -> Result<Coming, caplink::CapError> {
        caplink::verify_ready(&self.secret.0, text, now)
    }

    /// Where it is seen who is on call.
    #[must_use]
    pub fn on_call(&self) -> String {
        format!("{}/oncall", self.base())
    }

    /// The part of such a link that allows it.
    #[must_use]
    pub fn cap(&self, incident: IncidentId, person: &PersonId, attempt: AttemptId, expires: Timestamp) -> String {
        caplink::mint(&self.secret.0, incident, person, attempt, expires)
    }

    /// The part of a carrier's address that only the carrier is told.
    #[must_use]
    pub fn carrier_secret(&self, carrier: &str) -> String {
        caplink::carrier_secret(&self.secret.0, carrier)
    }

    /// Whether it is that part.
    #[must_use]
    pub fn is_carrier_secret(&self, carrier: &str, text: &str) -> bool {
        caplink::is_carrier_secret(&self.secret.0, carrier, text)
    }

    /// What an acknowledgement link allows.
    pub fn verify(&self, text: &str, now: Timestamp) -> Result<caplink::Cap, caplink::CapError> {
        caplink::verify(&self.secret.0, text, now)
    }
}

/// Hands decided deliveries to their channels and reports how they went.
pub(super) struct Dispatcher {
    pub(super) tasks: tokio::runtime::Handle,
    pub(super) inbox: Arc<Inbox>,
    /// Makes keys unique among servers.
    pub(super) instance: String,
}

/// How a batch of deliveries is carried out.
pub(super) struct Sending<'a> {
    pub(super) config: &'a Snapshot,
    pub(super) channels: &'a Arc<Channels>,
    pub(super) links: &'a Links,
    pub(super) now: Timestamp,
    /// Set when the decision could not be stored.
    pub(super) blind: Option<u64>,
    /// How the neighbours of incidents' machines are.
    pub(super) near: &'a BTreeMap<IncidentId, Neighbourhood>,
}

impl Dispatcher {
    /// Begins deliveries whose decision is stored (or, blind, could not be).
    pub(super) fn send(
        &self,
        commands: Vec<Command>,
        incidents: &BTreeMap<IncidentId, Arc<Incident>>,
        how: &Sending<'_>,
    ) {
        for command in commands {
            let Command::Deliver { incident, page, attempt, try_number, reminder, message, others, storm, .. } =
                command;
            let parts = std::iter::once(Part { incident, page, attempt, reminder }).chain(others);
            let parts: Vec<Named<'_>> = parts.filter_map(|part| Named::of(incidents, &part)).collect();
            let report = Finished { incident, attempt: message, try_number, result: Ok(None), blind: how.blind };
            match self.message(&parts, message, how) {
                Ok(delivery) => {
                    let delivery = Delivery { try_number, storm: storm.is_some(), ..delivery };
                    self.begin(delivery, report, how.channels.clone());
                }
                Err((permanent, why)) => {
                    let failure = Failure {
                        permanent,
                        ambiguous: false,
                        detail: why.to_owned(),
                        retry_after_ms: None,
                        fault: Fault::Unsent,
                    };
                    self.inbox.push(Item::Finished(Finished { result: Err(failure), ..report }));
                }
            }
        }
    }

    /// What is sent of what was decided: whatever was answered in the same commit is left out, and the first of what is left
    /// speaks for all. Says otherwise whether it failed for good, and why.
    fn message(&self, parts: &[Named<'_>], message: AttemptId, how: &Sending<'_>) -> Result<Delivery, (bool, &str)> {
        let mut wanted = parts.iter().filter(|part| part.rings());
        let Some(first) = wanted.next() else {
            let why = if parts.is_empty() { "the page is gone" } else { "it was answered before the delivery began" };
            return Err((parts.is_empty(), why));
        };
        let delivery = self.delivery(first, message, how);
        let delivery = delivery.ok_or((true, "the contact was removed from the configuration"))?;
        Ok(Delivery { others: wanted.map(|part| part.incident.clone()).collect(), ..delivery })
    }

    fn delivery(&self, first: &Named<'_>, message: AttemptId, how: &Sending<'_>) -> Option<Delivery> {
        let Named { incident, page, attempt, reminder } = *first;
        let (address, language, person) = match &page.recipient {
            Recipient::Webhook(id) => {
                let hook = how.config.hooks.get(id)?;
                let (to, secret) = (hook.url.clone(), hook.secret.clone());
                let address = if hook.kind.is_chat() {
                    Address::Chat(Room { kind: hook.kind, to, secret, mention: None })
                } else {
                    Address::Webhook { url: to, secret, recipient: id.to_string() }
                };
                (address, Language::default(), None)
            }
            Recipient::Person(id) => {
                let person = how.config.people.get(id)?;
                let contact = person.contacts.iter().find(|it| it.id == attempt.contact)?;
                (address(person, contact)?, person.language, Some(id))
            }
        };
        let key = match how.blind {
            None => format!("{}-{message}", self.instance),
            Some(epoch) => format!("{}-unrecorded-{epoch}-{message}", self.instance),
        };
        // An incident the store does not hold can be neither opened nor acknowledged by link.
        let ack_url =
            person.filter(|_| how.blind.is_none()).map(|person| how.links.ack(incident.id, person, message, how.now));
        Some(Delivery {
            key,
            attempt: attempt.id,
            try_number: attempt.tries,
            incident: incident.clone(),
            page: page.clone(),
            language,
            address,
            ack_url,
            base: how.links.base(),
            incident_url: how.links.incident(incident.id),
            test: false,
            reminder,
            unrecorded: how.blind.is_some(),
            others: Vec::new(),
            storm: false,
            near: how.near.get(&incident.id).cloned(),
        })
    }

    /// Begins notices whose decision is stored.
    pub(super) fn tell(&self, notices: &[Tell], silences: &[Arc<Silence>], how: &Sending<'_>) {
        for Tell { silence: id, attempt, try_number } in notices.iter().copied() {
            let told = Told { silence: id, attempt, try_number, result: Ok(None) };
            let Some(letter) = silences.iter().find(|it| it.id == id).and_then(|it| self.letter(it, attempt, how))
            else {
                let detail = "the contact was removed from the configuration".to_owned();
                let failure =
                    Failure { permanent: true, ambiguous: false, detail, retry_after_ms: None, fault: Fault::Unknown };
                self.inbox.push(Item::Told(Told { result: Err(failure), ..told }));
                continue;
            };
            let (inbox, channels) = (self.inbox.clone(), how.channels.clone());
            self.tasks.spawn(async move {
                let result = channels.tell(&letter).await;
                inbox.push(Item::Told(Told { result: result.map(|taken| taken.provider_id), ..told }));
            });
        }
    }

    fn letter(&self, silence: &Silence, attempt: AttemptId, how: &Sending<'_>) -> Option<Letter> {
        let found = |it: &&Notice| it.sending.as_ref().is_some_and(|sending| sending.id == attempt);
        let notice = silence.notices.iter().find(found)?;
        let person = how.config.people.get(notice.person.as_ref()?)?;
        let contact =
            person.contacts.iter().find(|it| Some(&it.id) == notice.sending.as_ref().map(|it| &it.contact))?;
        Some(Letter {
            key: format!("{}-{attempt}", self.instance),
            about: LetterAbout::Silence(silence.id),
            text: notice_text(person.language, silence, notice)?,
            language: person.language,
            address: address(person, contact)?,
            url: how.links.silence(silence.id),
        })
    }

    fn begin(&self, delivery: Delivery, report: Finished, channels: Arc<Channels>) {
        let inbox = self.inbox.clone();
        self.tasks.spawn(async move {
            failpoint::hit("notify.claimed");
            let watch = crate::clock::Stopwatch::start();
            let channel = delivery.address.kind();
            let result = channels.deliver(&delivery).await;
            failpoint::hit("notify.sent");
            crate::telemetry::delivered(channel, &result, watch.elapsed_ms());
            inbox.push(Item::Finished(Finished { result: result.map(|taken| taken.provider_id), ..report }));
        });
    }
}

/// What a message names: a delivery with its page and its incident, as they are stored.
#[derive(Clone, Copy)]
struct Named<'a> {
    incident: &'a Arc<Incident>,
    page: &'a Page,
    attempt: &'a Attempt,
    reminder: bool,
}

impl<'a> Named<'a> {
    fn of(incidents: &'a BTreeMap<IncidentId, Arc<Incident>>, part: &Part) -> Option<Self> {
        let incident = incidents.get(&part.incident)?;
        let page = incident.pages.iter().find(|it| it.id == part.page)?;
        let attempt = page.attempts.iter().find(|it| it.id == part.attempt)?;
        Some(Self { incident, page, attempt, reminder: part.reminder })
    }

    /// Decided and answered in one commit: the answer wins, and nobody is woken for nothing. Who was asked for help, or is
    /// told that it is about to be closed, is rung all the same.
    fn rings(&self) -> bool {
        match self.incident.state {
            IncidentState::Triggered => true,
            IncidentState::Acked | IncidentState::Snoozed => self.page.via.is_beside(),
            IncidentState::Resolved => false,
        }
    }
}

/// The address of a contact, when it has exactly one.
pub(super) fn address(person: &Person, contact: &Contact) -> Option<Address> {
    let (kind, text) = contact.address()?;
    Some(match kind {
        ContactKind::Email => Address::Email { to: text.to_owned(), name: person.name.clone() },
        ContactKind::Ntfy => Address::Ntfy { topic: text.to_owned() },
        ContactKind::Webhook => {
            Address::Webhook { url: text.to_owned(), secret: contact.secret.clone(), recipient: person.id.to_string() }
        }
        ContactKind::Sms => Address::Sms { to: number(text) },
        ContactKind::Voice => Address::Voice { to: number(text) },
        ContactKind::Push => Address::Push { person: person.id.clone(), only: None },
        kind @ (ContactKind::Slack
        | ContactKind::Teams
        | ContactKind::Telegram
        | ContactKind::DingTalk
        | ContactKind::Feishu
        | ContactKind::WeCom) => Address::Chat(Room {
            kind,
            to: text.to_owned(),
            secret: contact.secret.clone(),
            mention: contact.mention.as_deref().map(number),
        }),
    })
}

/// As carriers read it: `+` and digits.
fn number(text: &str) -> String {
    text.chars().filter(|c| *c == '+' || c.is_ascii_digit()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::{Engine, Event, Ingested, normalize};
    use shared::config::Integration;

    const CONFIG: &str = r#"
        fallback = ["person:li"]
        people = [{ id = "li", name = "Li", contacts = [{ id = "bot", webhook = "https://bot.invalid/x" }] }]
        policies = [{ id = "p", levels = [{ notify = ["person:li"], delay = "5m" }] }]
        routes = [{ id = "all", policy = "p" }]
    "#;

    /// Two incidents that page Li.
    fn incidents(config: &Arc<Snapshot>, now: Timestamp) -> BTreeMap<IncidentId, Arc<Incident>> {
        let mut engine = Engine::new(config.clone());
        for host in ["db-1", "db-2"] {
            let body = format!("[P1][PROBLEM][{host}][][down]");
            let integration = Integration::undeclared("monitor".into());
            let source = normalize::Source {
                integration: &integration,
                content_type: None,
                format: None,
                peer: None,
                received_at: now,
            };
            let read = normalize::normalize(&source, body.as_bytes());
            let events = read.events.into_iter().map(|parsed| parsed.event).collect();
            engine.handle(
                now,
                Event::Ingested(Ingested {
                    integration: integration.id,
                    key: None,
                    events,
                    rejected: Vec::new(),
                    places: Vec::new(),
                    replayed: false,
                }),
            );
        }
        engine.state.incidents.iter().map(|(id, incident)| (*id, incident.clone())).collect()
    }

    #[test]
    fn what_is_left_of_a_message_is_a_reminder_only_if_it_is_one_itself() {
        let now = Timestamp::from_ms(1_795_392_000_000);
        let config = Arc::new(Snapshot::compile(1, toml::from_str(CONFIG).unwrap()).unwrap());
        let mut incidents = incidents(&config, now);
        let part = |incident: &Arc<Incident>, reminder: bool| {
            let page = &incident.pages[0];
            Part { incident: incident.id, page: page.id, attempt: page.attempts[0].id, reminder }
        };
        let parts: Vec<Part> = incidents.values().zip([true, false]).map(|(it, reminder)| part(it, reminder)).collect();
        let threads = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let dispatcher =
            Dispatcher { tasks: threads.handle().clone(), inbox: Arc::default(), instance: "test".to_owned() };
        let channels = Arc::new(Channels::new(&config.document.channels).unwrap());
        let links = Links::new(None, "http://localhost".to_owned(), [7; 32]);
        let how =
            Sending { config: &config, channels: &channels, links: &links, now, blind: None, near: &BTreeMap::new() };
        let message = |incidents: &BTreeMap<IncidentId, Arc<Incident>>| {
            let named: Vec<_> = parts.iter().filter_map(|part| Named::of(incidents, part)).collect();
            let delivery = dispatcher.message(&named, parts[0].attempt, &how).unwrap();
            (delivery.incident.id.0, delivery.others.len(), delivery.reminder)
        };
        assert_eq!(message(&incidents), (1, 1, true));
        // The first one is answered while the message waits for its commit.
        let first = incidents.get_mut(&IncidentId(1)).unwrap();
        Arc::make_mut(first).state = IncidentState::Acked;
        assert_eq!(message(&incidents), (2, 0, false), "the other one is paged for the first time");
    }
}
