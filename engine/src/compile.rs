//! A configuration document, checked and made ready: an immutable snapshot with a version.

mod bounds;
mod mirrors;
mod ports;
mod routes;
mod senders;

use crate::{
    allowance,
    classify::Class,
    heartbeat::{self, Expected},
    inhibit,
    oncall::{self, Copies, HolidayDays, Roster, Surroundings},
    quiet::Quiet,
    route::{self, Node},
    silence::configured,
    threshold,
    window::{Window, Windows},
};
use shared::{
    CalendarId, Delay, HeartbeatId, HookId, IntegrationId, PersonId, PolicyId, ScheduleId, Severity, SilenceRequest,
    TeamId,
    config::{
        Allowance, Contact, ContactKind, Document, Finding, HolidayCalendar, Hook, Integration, Level, LevelWhen,
        Paging, Person, Policy, Rule, Target, Team, TimeWindow,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The integration Tocsin itself raises alerts under.
pub const SELF: &str = "tocsin";
/// The policy made of the document's `fallback`, for urgent alerts that match no route.
pub const FALLBACK: &str = "fallback";

/// A compiled configuration. Incidents keep the version they started with; people are resolved live.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub version: i64,
    pub document: Document,
    pub people: BTreeMap<PersonId, Person>,
    /// When pages to a person wait; those to whom nothing waits are left out.
    pub quiet: BTreeMap<PersonId, Quiet>,
    pub teams: BTreeMap<TeamId, Team>,
    pub rosters: BTreeMap<ScheduleId, Roster>,
    /// The copies of calendars that others keep.
    pub copies: Arc<Copies>,
    pub policies: BTreeMap<PolicyId, Arc<Policy>>,
    pub hooks: BTreeMap<HookId, Hook>,
    pub integrations: BTreeMap<IntegrationId, Integration>,
    /// Rules that give a severity, by integration; those without rules are left out.
    pub classes: BTreeMap<IntegrationId, Vec<Class>>,
    pub windows: Windows,
    pub heartbeats: BTreeMap<HeartbeatId, Expected>,
    pub tree: Vec<Node>,
    /// Whether a route says when its alerts are stale.
    pub stale_by_route: bool,
    pub inhibitions: Vec<inhibit::Rule>,
    /// When a value of a host becomes an alert.
    pub thresholds: Arc<threshold::Rules>,
    /// Silences of the document, by their ids.
    pub silences: BTreeMap<String, SilenceRequest>,
    /// What providers take, by the kind of contact.
    pub allowances: BTreeMap<ContactKind, Arc<[Allowance]>>,
}

impl Snapshot {
    /// Checks a document and compiles it; every fault is named, not only the first. No calendar that others keep has
    /// been fetched.
    pub fn compile(version: i64, document: Document) -> Result<Self, Vec<Finding>> {
        Self::compile_with(version, document, Arc::default())
    }

    /// The same with the copies of calendars that others keep. Nothing in a copy is a fault of the document.
    pub fn compile_with(version: i64, document: Document, copies: Arc<Copies>) -> Result<Self, Vec<Finding>> {
        let mut check = Check::default();
        let mut snapshot = Self { version, copies, ..Self::default() };
        snapshot.people = check.index(&document.people, "people", |person| person.id.clone(), |id| id.as_str());
        snapshot.teams = check.index(&document.teams, "teams", |team| team.id.clone(), |id| id.as_str());
        snapshot.hooks = check.index(&document.webhooks, "webhooks", |hook| hook.id.clone(), |id| id.as_str());
        document.webhooks.iter().for_each(|hook| check.hook(hook));
        snapshot.integrations =
            check.index(&document.integrations, "integrations", |it| it.id.clone(), |id| id.as_str());
        let holidays = check.holidays(&document.holidays);
        let around = Surroundings::new(&snapshot.people, &document.time_off, holidays.clone(), &snapshot.copies);
        check.schedules(&document, &snapshot.people, &around, &mut snapshot.rosters);
        check.people(&document.people);
        check.quiet(&document, &mut snapshot);
        check.readiness(&document, &snapshot.people);
        check.teams(&document.teams, &snapshot.people);
        check.windows(&document.time_windows, &mut snapshot.windows);
        check.senders(&document.integrations, &snapshot.windows, &mut snapshot.classes);
        check.ports(&document);
        let policies = check.index(&document.policies, "policies", |policy| policy.id.clone(), |id| id.as_str());
        snapshot.policies = policies.into_iter().map(|(id, policy)| (id, Arc::new(policy))).collect();
        for policy in &document.policies {
            check.policy(policy, &snapshot);
        }
        check.targets(&document.fallback, "fallback", &snapshot);
        match heartbeat::compile(&document, &snapshot.windows, &holidays) {
            Ok(expected) => snapshot.heartbeats = expected,
            Err(faults) => check.faults(faults),
        }
        check.routes(&document.routes, "routes", &snapshot, &mut BTreeSet::new());
        match route::compile(&document.routes, &snapshot.windows) {
            Ok(tree) => {
                snapshot.stale_by_route = route::sets_stale(&tree);
                snapshot.tree = tree;
            }
            Err(faults) => check.faults(faults),
        }
        match threshold::Rules::compile(&document, &snapshot.windows) {
            Ok(rules) => snapshot.thresholds = Arc::new(rules),
            Err(faults) => check.faults(faults),
        }
        match configured::compile(&document) {
            Ok(silences) => snapshot.silences = silences,
            Err(faults) => check.faults(faults),
        }
        let mut named = BTreeSet::new();
        for rule in &document.inhibitions {
            if !named.insert(&rule.id) {
                check.faults(vec![(format!("inhibitions[{}]", rule.id), "another rule has this id".to_owned())]);
            }
            match inhibit::Rule::compile(rule) {
                Ok(rule) => snapshot.inhibitions.push(rule),
                Err(faults) => check.faults(faults),
            }
        }
        check.pace(&document.paging);
        check.limits(&document.limits);
        check.allowances(&document.allowances);
        snapshot.allowances = allowance::compile(&document);
        check.storm(&document.storm);
        check.suspects(&document.suspects);
        check.mirrors(&document);
        check.hosts(&document.hosts);
        check.flapping(&document.flapping);
        snapshot.policies.entry(FALLBACK.into()).or_insert_with(|| Arc::new(fallback_policy(&document.fallback)));
        snapshot.document = document;
        if check.findings.is_empty() { Ok(snapshot) } else { Err(check.findings) }
    }

    /// The same configuration with other copies of calendars that others keep.
    #[must_use]
    pub fn with_copies(&self, copies: Arc<Copies>) -> Self {
        let mut rosters = BTreeMap::new();
        // The rest was found good before, and copies have no faults.
        let mut check = Check::default();
        let holidays = check.holidays(&self.document.holidays);
        let around = Surroundings::new(&self.people, &self.document.time_off, holidays, &copies);
        check.schedules(&self.document, &self.people, &around, &mut rosters);
        Self { rosters, copies, ..self.clone() }
    }

    /// The settings of a sender, declared or not.
    #[must_use]
    pub fn integration(&self, id: &IntegrationId) -> Integration {
        self.integrations.get(id).cloned().unwrap_or_else(|| Integration::undeclared(id.clone()))
    }

    /// The person of the configuration an actor is, as far as their name tells.
    #[must_use]
    pub fn person_of(&self, by: &shared::timeline::Actor) -> Option<PersonId> {
        use shared::timeline::Actor;
        let person = match by {
            Actor::Link { person, .. } => person.clone(),
            Actor::Account { login } => login.as_str().into(),
            Actor::Device { login, .. } => login.as_str().into(),
            Actor::System | Actor::Token { .. } | Actor::Integration { .. } => return None,
        };
        self.people.contains_key(&person).then_some(person)
    }

    /// The pace of paging.
    #[must_use]
    pub fn paging(&self) -> &Paging {
        &self.document.paging
    }
}

/// The policy made of a document's `fallback`: urgent alerts without a route follow it; its last level is reminded like
/// any other.
#[must_use]
pub fn fallback_policy(targets: &[Target]) -> Policy {
    Policy {
        id: FALLBACK.into(),
        name: String::new(),
        levels: vec![Level { notify: targets.to_vec(), delay: shared::Delay::mins(5), ..Level::default() }],
        repeat: 0,
    }
}

/// Which rule of a person serves a severity, by its index; none when the person has no rules (every
/// contact is used at once). A person whose rules leave out an urgent severity is reached by every contact too.
#[must_use]
pub fn rule_for(person: &Person, severity: Severity) -> RuleChoice<'_> {
    if person.rules.is_empty() {
        return RuleChoice::AllContacts;
    }
    let found =
        person.rules.iter().enumerate().find(|(_, rule)| rule.severity.is_empty() || rule.severity.contains(&severity));
    match found {
        Some((index, rule)) => RuleChoice::Rule(index, rule),
        None if severity.is_urgent() => RuleChoice::AllContacts,
        None => RuleChoice::Nothing,
    }
}

/// What a person's rules say for a severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleChoice<'a> {
    Rule(usize, &'a Rule),
    AllContacts,
    Nothing,
}

#[derive(Default)]
struct Check {
    findings: Vec<Finding>,
}

impl Check {
    fn fault(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { path: path.into(), message: message.into(), fatal: true });
    }

    fn faults(&mut self, faults: Vec<route::Fault>) {
        faults.into_iter().for_each(|(path, message)| self.fault(path, message));
    }

    /// Indexes by id; refuses empty, badly written and repeated ids.
    fn index<T: Clone, K: Ord + Clone>(
        &mut self,
        items: &[T],
        path: &str,
        id: impl Fn(&T) -> K,
        text: impl Fn(&K) -> &str,
    ) -> BTreeMap<K, T> {
        let mut index = BTreeMap::new();
        for (i, item) in items.iter().enumerate() {
            let key = id(item);
            if !is_name(text(&key)) {
                self.fault(
                    format!("{path}[{i}].id"),
                    format!("`{}` is not a name; use 1 to 64 letters, digits, `-`, `_` and `.`", text(&key)),
                );
            } else if index.insert(key.clone(), item.clone()).is_some() {
                self.fault(format!("{path}[{i}].id"), format!("`{}` is there twice; give each its own id", text(&key)));
            }
        }
        index
    }

    fn schedules(
        &mut self,
        document: &Document,
        people: &BTreeMap<PersonId, Person>,
        around: &Surroundings<'_>,
        rosters: &mut BTreeMap<ScheduleId, Roster>,
    ) {
        for (i, off) in document.time_off.iter().enumerate().filter(|(_, off)| !people.contains_key(&off.person)) {
            self.fault(format!("time_off[{i}].person"), unknown("person", off.person.as_str()));
        }
        for (field, message) in around.time_off_faults() {
            self.fault(format!("time_off{field}"), message);
        }
        let index = self.index(&document.schedules, "schedules", |schedule| schedule.id.clone(), |id| id.as_str());
        for (id, schedule) in index {
            let path = format!("schedules[{id}]");
            for person in schedule.people().filter(|person| !people.contains_key(*person)).collect::<BTreeSet<_>>() {
                self.fault(&path, unknown("person", person.as_str()));
            }
            match Roster::compile(&schedule, around) {
                Ok(roster) => drop(rosters.insert(id, roster)),
                Err(faults) => {
                    for (field, message) in faults {
                        self.fault(format!("{path}.{field}"), message);
                    }
                }
            }
        }
    }

    /// The holiday calendars that can be read; one that cannot is there, and empty, so that it is named once.
    fn holidays<'a>(&mut self, calendars: &'a [HolidayCalendar]) -> BTreeMap<&'a CalendarId, HolidayDays> {
        let index = self.index(calendars, "holidays", |calendar| calendar.id.clone(), |id| id.as_str());
        let mut found = BTreeMap::new();
        for calendar in calendars.iter().filter(|calendar| index.contains_key(&calendar.id)) {
            let days = HolidayDays::compile(calendar).unwrap_or_else(|faults| {
                for (field, message) in faults {
                    self.fault(format!("holidays[{}].{field}", calendar.id), message);
                }
                HolidayDays::default()
            });
            found.insert(&calendar.id, days);
        }
        found
    }

    fn people(&mut self, people: &[Person]) {
        for person in people {
            let path = format!("people[{}]", person.id);
            if let Some(Err(message)) = person.time_zone.as_deref().map(oncall::zone) {
                self.fault(format!("{path}.time_zone"), message);
            }
            let mut ids = BTreeSet::new();
            for (i, contact) in person.contacts.iter().enumerate() {
                if !ids.insert(&contact.id) {
                    self.fault(format!("{path}.contacts[{i}].id"), format!("`{}` is there twice", contact.id));
                }
                self.contact(&format!("{path}.contacts[{i}]"), contact);
            }
            for (i, rule) in person.rules.iter().enumerate() {
                for (j, step) in rule.notify.iter().enumerate().filter(|(_, step)| !ids.contains(&step.contact)) {
                    self.fault(
                        format!("{path}.rules[{i}].notify[{j}].contact"),
                        unknown("contact of this person", step.contact.as_str()),
                    );
                }
            }
        }
    }

    fn quiet(&mut self, document: &Document, snapshot: &mut Snapshot) {
        for person in &document.people {
            let path = format!("people[{}]", person.id);
            if let Some(other) = &person.quiet_hours.hand_over_to
                && (*other == person.id || !snapshot.people.contains_key(other))
            {
                let mend = if *other == person.id {
                    "nobody stands in for themselves; name somebody else".to_owned()
                } else {
                    unknown("person", other.as_str())
                };
                self.fault(format!("{path}.quiet_hours.hand_over_to"), mend);
            }
            match Quiet::compile(person, &document.paging) {
                Ok(Some(quiet)) => drop(snapshot.quiet.insert(person.id.clone(), quiet)),
                Ok(None) => {}
                // The zone has its own finding.
                Err((field, _)) if field == "time_zone" => {}
                Err((field, message)) => self.fault(format!("{path}.{field}"), message),
            }
        }
    }

    fn contact(&mut self, path: &str, contact: &Contact) {
        match contact.address() {
            None => {
                let kinds = ContactKind::ALL.map(|kind| format!("`{}`", kind.as_str())).join(", ");
                self.fault(path, format!("a contact has exactly one of {kinds}"));
            }
            Some((ContactKind::Email, address)) if !address.contains('@') || address.contains(char::is_whitespace) => {
                self.fault(
                    format!("{path}.email"),
                    format!("`{address}` is not an e-mail address; write name@example.org"),
                );
            }
            Some((ContactKind::Ntfy, topic)) if !is_topic(topic) => {
                self.fault(
                    format!("{path}.ntfy"),
                    format!("`{topic}` is not an ntfy topic; use 1 to 64 letters, digits, `-` and `_`"),
                );
            }
            Some((ContactKind::Webhook, url)) => self.address(&format!("{path}.webhook"), url),
            Some((kind @ (ContactKind::Sms | ContactKind::Voice), number)) if !is_number(number) => {
                self.fault(
                    format!("{path}.{}", kind.as_str()),
                    format!("`{number}` is not a telephone number with its country; write for example +4915112345678"),
                );
            }
            Some((ContactKind::Push, which)) if which != "all" => {
                self.fault(format!("{path}.push"), format!("`{which}` names no devices; write push = \"all\""));
            }
            Some((ContactKind::Teams, url)) => self.address(&format!("{path}.teams"), url),
            Some((kind, address)) if kind.is_chat() && !is_room(address) => {
                self.fault(
                    format!("{path}.{}", kind.as_str()),
                    format!("`{address}` is not an address; leave no blanks in it, and nothing but `https://…` with a scheme"),
                );
            }
            Some(_) => {}
        }
    }

    fn hook(&mut self, hook: &Hook) {
        let path = format!("webhooks[{}]", hook.id);
        if hook.kind != ContactKind::Webhook && !hook.kind.is_chat() {
            self.fault(
                format!("{path}.kind"),
                "a room is a `webhook` or a kind of chat; people have contacts of the other kinds",
            );
        } else if hook.kind.is_chat() && !is_room(&hook.url) {
            self.fault(format!("{path}.url"), format!("`{}` is not the address of a room", hook.url));
        }
    }

    fn address(&mut self, path: &str, url: &str) {
        if !url.starts_with("https://") && !url.starts_with("http://") {
            self.fault(path, format!("`{url}` is not a web address; write https://…"));
        }
    }

    fn teams(&mut self, teams: &[Team], people: &BTreeMap<PersonId, Person>) {
        for team in teams {
            for (i, member) in team.members.iter().enumerate().filter(|(_, member)| !people.contains_key(*member)) {
                self.fault(format!("teams[{}].members[{i}]", team.id), unknown("person", member.as_str()));
            }
        }
    }

    fn windows(&mut self, windows: &[TimeWindow], compiled: &mut Windows) {
        let index = self.index(windows, "time_windows", |window| window.id.clone(), |id| id.as_str());
        for (id, window) in index {
            match Window::compile(&window) {
                Ok(window) => drop(compiled.insert(id, Arc::new(window))),
                Err((field, message)) => self.fault(format!("time_windows[{id}].{field}"), message),
            }
        }
    }

    fn policy(&mut self, policy: &Policy, snapshot: &Snapshot) {
        let path = format!("policies[{}]", policy.id);
        if policy.levels.is_empty() {
            self.fault(format!("{path}.levels"), "the policy has no levels, so it pages nobody; add one");
        }
        if policy.levels.len() > 32 || policy.repeat > 32 {
            self.fault(&path, "a policy has at most 32 levels and 32 repeats");
        }
        if policy.id.as_str() == FALLBACK {
            self.fault(
                format!("{path}.id"),
                "`fallback` is the policy made of the document's `fallback`; take another name",
            );
        }
        for (i, level) in policy.levels.iter().enumerate() {
            self.targets(&level.notify, &format!("{path}.levels[{i}].notify"), snapshot);
            if level.delay.0 > 7 * 86_400_000 {
                self.fault(format!("{path}.levels[{i}].delay"), "a level waits at most 7d");
            }
            if level.everyone && level.round_robin {
                let message = "a level either pages one at a time or waits for everybody; keep one of `round_robin` and \
                               `everyone`";
                self.fault(format!("{path}.levels[{i}].everyone"), message);
            }
            self.when(&level.when, &format!("{path}.levels[{i}].when"), snapshot);
        }
    }

    fn when(&mut self, when: &LevelWhen, path: &str, snapshot: &Snapshot) {
        for (field, windows) in [("during", &when.during), ("except", &when.except)] {
            for (i, id) in windows.iter().enumerate() {
                // A time window that did not compile has its own finding.
                let fault = format!("time_windows[{id}]");
                if !snapshot.windows.contains_key(id) && !self.findings.iter().any(|it| it.path.starts_with(&fault)) {
                    self.fault(format!("{path}.{field}[{i}]"), unknown("time window", id.as_str()));
                }
            }
        }
        if when.alerts == Some(0) {
            self.fault(format!("{path}.alerts"), "at least 0 alerts always fire; name 2 or more, or leave it out");
        }
    }

    fn targets(&mut self, targets: &[Target], path: &str, snapshot: &Snapshot) {
        for (i, target) in targets.iter().enumerate() {
            let known = match target {
                Target::Person(id) => snapshot.people.contains_key(id),
                // A schedule that did not compile has its own finding.
                Target::Schedule(id) => {
                    snapshot.rosters.contains_key(id)
                        || self.findings.iter().any(|it| it.path.starts_with(&format!("schedules[{id}]")))
                }
                Target::Team(id) => snapshot.teams.contains_key(id),
                Target::Webhook(id) => snapshot.hooks.contains_key(id),
            };
            if !known {
                self.fault(
                    format!("{path}[{i}]"),
                    format!("`{target}` does not exist in this document; declare it or correct the name"),
                );
            }
        }
    }

    fn pace(&mut self, paging: &Paging) {
        if paging.tries == 0 || paging.tries > 20 {
            self.fault("paging.tries", "a delivery is tried 1 to 20 times");
        }
        if paging.in_flight <= paging.in_flight_p0 || paging.in_flight_per_target == 0 {
            self.fault(
                "paging.in_flight",
                "`in_flight` must be larger than `in_flight_p0`, and `in_flight_per_target` at least 1",
            );
        }
        if paging.lease.0 < 10_000 {
            self.fault("paging.lease", "a lease shorter than 10s would end before a slow provider may answer");
        }
        if let Some(defer) = &paging.defer {
            for (field, text) in [("from", &defer.from), ("until", &defer.until)] {
                if let Err(message) = oncall::clock(text) {
                    self.fault(format!("paging.defer.{field}"), message);
                }
            }
            if defer.from == defer.until {
                let message = "the night would last all day, and nothing would ever ring; name two different times";
                self.fault("paging.defer.until", message);
            }
            if let Some(severity) = defer.severity.iter().find(|severity| **severity < Severity::P3) {
                self.fault("paging.defer.severity", format!("a {severity} does not wait until morning; name P3 to P6"));
            }
        }
        if let Some(severity) = paging.ack_timeouts.keys().find(|severity| severity.is_urgent()) {
            let message = format!("write `ack_timeout_{}` instead", severity.as_str().to_lowercase());
            self.fault(format!("paging.ack_timeouts.{severity}"), message);
        }
        if paging.reminder.0 < 60_000 {
            self.fault("paging.reminder", "reminders come at least 1m apart");
        }
        if !(Delay::ZERO..=Delay::mins(1_440)).contains(&paging.silence_reminder) {
            self.fault("paging.silence_reminder", "an owner is reminded at most 24h before; 0s switches it off");
        }
        if !(0..=300_000).contains(&paging.bundle.0) {
            self.fault("paging.bundle", "pages are bundled for at most 5m; 0s switches bundling off");
        }
    }
}

pub(crate) fn unknown(kind: &str, name: &str) -> String {
    format!("there is no {kind} `{name}` in this document; declare it or correct the name")
}

pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

/// E.164, as it is written: digits may be grouped.
fn is_number(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    text.starts_with('+')
        && (7..=15).contains(&digits)
        && text.chars().skip(1).all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')'))
}

/// A name a chat knows, or a web address.
fn is_room(text: &str) -> bool {
    let plain = !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control());
    plain && (!text.contains("://") || text.starts_with("https://") || text.starts_with("http://"))
}

fn is_topic(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}
