//! How far a new server is from waking somebody: four steps, decided from what the server says of itself.

use shared::{
    IncidentId, PersonId, PolicyId,
    api::{IntegrationRow, OnCallNow, PersonRow},
    config::{Policy, Route, Target},
};

/// What was asked, as it was answered.
pub(super) struct Facts {
    pub(super) senders: Vec<IntegrationRow>,
    pub(super) people: Vec<PersonRow>,
    pub(super) policies: Vec<Policy>,
    pub(super) routes: Vec<Route>,
    pub(super) on_call: Option<OnCallNow>,
    pub(super) rehearsal: Rehearsal,
}

/// Whether an alert can come in; with the sender's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    None,
    Unheard(String),
    Heard(String),
}

/// Whether there is somebody to wake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Somebody {
    None,
    /// There are people, the first of this name; none has a contact.
    NoContact(String),
    /// The first one's name, and how many there are.
    Reachable(String, usize),
}

/// Whether an alert finds its way to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    NoPolicy,
    NoRoute,
    /// Routes lead to policies, and those reach nobody who has a contact.
    ReachesNobody,
    /// By way of this policy.
    Leads(String),
}

/// Whether somebody was woken and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rehearsal {
    NotYet,
    Undelivered(IncidentId),
    Unanswered(IncidentId),
    Answered,
}

/// The four, in the order in which they are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Steps {
    pub(super) sender: Sender,
    pub(super) somebody: Somebody,
    pub(super) way: Way,
    pub(super) rehearsal: Rehearsal,
}

impl Steps {
    pub(super) fn of(facts: &Facts) -> Self {
        Self {
            sender: sender(&facts.senders),
            somebody: somebody(&facts.people),
            way: way(facts),
            rehearsal: facts.rehearsal,
        }
    }

    pub(super) const fn done(&self) -> [bool; 4] {
        [
            matches!(self.sender, Sender::Heard(_)),
            matches!(self.somebody, Somebody::Reachable(..)),
            matches!(self.way, Way::Leads(_)),
            matches!(self.rehearsal, Rehearsal::Answered),
        ]
    }
}

/// A sender counts that may still send: one with a token.
fn sender(senders: &[IntegrationRow]) -> Sender {
    let connected = || senders.iter().filter(|row| !row.tokens.is_empty());
    let heard = connected().filter(|row| row.last_event_at.is_some()).max_by_key(|row| row.last_event_at);
    match (heard, connected().next()) {
        (Some(row), _) => Sender::Heard(row.name.clone()),
        (None, Some(row)) => Sender::Unheard(row.name.clone()),
        (None, None) => Sender::None,
    }
}

fn somebody(people: &[PersonRow]) -> Somebody {
    let reachable = || people.iter().filter(|person| !person.contacts.is_empty());
    match (reachable().next(), people.first()) {
        (Some(person), _) => Somebody::Reachable(person.name.clone(), reachable().count()),
        (None, Some(person)) => Somebody::NoContact(person.name.clone()),
        (None, None) => Somebody::None,
    }
}

fn way(facts: &Facts) -> Way {
    if facts.policies.is_empty() {
        return Way::NoPolicy;
    }
    let mut routed = Vec::new();
    follow(&facts.routes, None, &mut routed);
    if routed.is_empty() {
        return Way::NoRoute;
    }
    let leads = facts.policies.iter().find(|policy| {
        let mut targets = policy.levels.iter().flat_map(|level| &level.notify);
        routed.contains(&&policy.id) && targets.any(|target| reaches(facts, target))
    });
    leads.map_or(Way::ReachesNobody, |policy| {
        Way::Leads(if policy.name.is_empty() { policy.id.to_string() } else { policy.name.clone() })
    })
}

/// Every policy that some route leads to; a route without one has its parent's.
fn follow<'a>(routes: &'a [Route], inherited: Option<&'a PolicyId>, found: &mut Vec<&'a PolicyId>) {
    for route in routes {
        let policy = route.policy.as_ref().or(inherited);
        found.extend(policy);
        follow(&route.routes, policy, found);
    }
}

fn reaches(facts: &Facts, target: &Target) -> bool {
    let reachable = |id: &PersonId| facts.people.iter().any(|person| person.id == *id && !person.contacts.is_empty());
    match target {
        Target::Person(id) => reachable(id),
        Target::Team(id) => facts.people.iter().any(|person| person.teams.contains(id) && !person.contacts.is_empty()),
        Target::Schedule(id) => facts.on_call.as_ref().is_some_and(|now| {
            let mut shifts = now.schedules.iter().filter(|one| one.schedule == *id).flat_map(|one| &one.on_call);
            shifts.any(|shift| reachable(&shift.person))
        }),
        // Whoever is behind it is not ours to know.
        Target::Webhook(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::{
        Delay, Timestamp,
        config::{ContactKind, Language, Level},
    };

    fn nothing() -> Facts {
        Facts {
            senders: Vec::new(),
            people: Vec::new(),
            policies: Vec::new(),
            routes: Vec::new(),
            on_call: None,
            rehearsal: Rehearsal::NotYet,
        }
    }

    fn sender(name: &str, token: bool, heard: Option<i64>) -> IntegrationRow {
        IntegrationRow {
            id: name.into(),
            name: name.to_owned(),
            tokens: token.then(|| "tin_".to_owned()).into_iter().collect(),
            ending: Vec::new(),
            created_at: Timestamp::from_ms(0),
            last_event_at: heard.map(Timestamp::from_ms),
            events: 0,
            silence: None,
            settings: None,
        }
    }

    fn person(id: &str, contacts: &[ContactKind]) -> PersonRow {
        PersonRow {
            id: id.into(),
            name: id.to_owned(),
            language: Language::En,
            time_zone: None,
            teams: vec!["night".into()],
            contacts: contacts.to_vec(),
            broken: Vec::new(),
        }
    }

    fn policy(id: &str, target: &str) -> Policy {
        let level = Level { notify: vec![target.parse().unwrap()], delay: Delay::mins(5), ..Level::default() };
        Policy { id: id.into(), levels: vec![level], ..Policy::default() }
    }

    fn route(policy: Option<&str>, routes: Vec<Route>) -> Route {
        Route { id: "r".into(), policy: policy.map(Into::into), routes, ..Route::default() }
    }

    #[test]
    fn an_empty_server_has_everything_to_do() {
        assert_eq!(Steps::of(&nothing()).done(), [false; 4]);
    }

    #[test]
    fn a_sender_is_connected_once_it_was_heard_and_may_still_send() {
        let mut facts = nothing();
        facts.senders = vec![sender("declared", false, None), sender("revoked", false, Some(5))];
        assert_eq!(Steps::of(&facts).sender, Sender::None);
        facts.senders.push(sender("new", true, None));
        assert_eq!(Steps::of(&facts).sender, Sender::Unheard("new".to_owned()));
        facts.senders.push(sender("old", true, Some(1)));
        assert_eq!(Steps::of(&facts).sender, Sender::Heard("old".to_owned()));
    }

    #[test]
    fn a_person_without_a_contact_is_nobody_to_wake() {
        let mut facts = nothing();
        facts.people = vec![person("li", &[])];
        facts.policies = vec![policy("all", "person:li")];
        facts.routes = vec![route(Some("all"), Vec::new())];
        let steps = Steps::of(&facts);
        assert_eq!(steps.somebody, Somebody::NoContact("li".to_owned()));
        assert_eq!(steps.way, Way::ReachesNobody);
        facts.people.push(person("wang", &[ContactKind::Email]));
        assert_eq!(Steps::of(&facts).somebody, Somebody::Reachable("wang".to_owned(), 1));
    }

    #[test]
    fn a_way_needs_a_policy_a_route_to_it_and_somebody_at_its_end() {
        let mut facts = nothing();
        facts.people = vec![person("li", &[ContactKind::Ntfy])];
        assert_eq!(Steps::of(&facts).way, Way::NoPolicy);
        facts.policies = vec![policy("idle", "person:li"), policy("all", "schedule:gap")];
        assert_eq!(Steps::of(&facts).way, Way::NoRoute);
        facts.routes = vec![route(None, vec![route(Some("all"), Vec::new())])];
        assert_eq!(Steps::of(&facts).way, Way::ReachesNobody, "nobody is on call, and nothing leads to `idle`");
        for target in ["person:li", "team:night", "webhook:noc"] {
            facts.policies[1] = policy("all", target);
            assert_eq!(Steps::of(&facts).way, Way::Leads("all".to_owned()), "{target}");
        }
        facts.routes = vec![route(Some("all"), vec![route(None, Vec::new())])];
        assert_eq!(Steps::of(&facts).way, Way::Leads("all".to_owned()), "the policy is inherited");
    }
}
