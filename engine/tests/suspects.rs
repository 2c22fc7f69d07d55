//! What a crowd of VMs of one hypervisor comes to: one page about it, and theirs once it is over.

use engine::{
    Act, Command, Engine, Event, Ingested, Snapshot,
    normalize::{Source, normalize},
    sim::Store,
};
use proptest::prelude::*;
use shared::{
    AlertId, Incident, IncidentId, IncidentState, Severity, SourceId, SuppressedBy, Timestamp,
    config::Integration,
    inventory::Power,
    placement::{Common, Doubt, Hop, HopHow, HopTo, PlacedHypervisor, PlacedVm, Placement, Shared, Trust},
    timeline::{Actor, Happening, TimelineEntry},
};
use std::sync::Arc;

const NOW: Timestamp = Timestamp::from_ms(1_795_392_000_000);
const SECOND: i64 = 1_000;
const CONFIG: &str = r#"
fallback = ["person:li"]
paging = { bundle = "0s" }
storm = { incidents = 0 }
people = [
    { id = "li", name = "Li", contacts = [{ id = "mail", email = "l@example.org" }] },
    { id = "wang", name = "Wang", contacts = [{ id = "mail", email = "w@example.org" }] },
]
policies = [
    { id = "web", levels = [{ notify = ["person:li"], delay = "1h" }] },
    { id = "db", levels = [{ notify = ["person:wang"], delay = "1h" }] },
]
routes = [
    { id = "db", match = ["host=~db-.*"], policy = "db" },
    { id = "rest", policy = "web" },
]
"#;

/// A VM by its number, on a hypervisor with so many.
fn placement(vm: u32, hypervisor: &str, of: u32) -> Placement {
    let source = SourceId::from("vc-1");
    let hop = |to, value: String| Hop {
        to,
        value,
        how: HopHow::Platform,
        source: source.clone(),
        seen_at: NOW,
        trust: Trust::Good,
    };
    Placement {
        vm: Some(PlacedVm {
            source: source.clone(),
            key: format!("vm-{vm}"),
            name: format!("web-{vm}"),
            power: Power::On,
            ..PlacedVm::default()
        }),
        hypervisor: Some(PlacedHypervisor {
            source: source.clone(),
            key: format!("host-{hypervisor}"),
            name: hypervisor.to_owned(),
            cluster: None,
            vms: of,
        }),
        hops: vec![hop(HopTo::Vm, format!("web-{vm}")), hop(HopTo::Hypervisor, hypervisor.to_owned())],
        ..Placement::default()
    }
}

/// An engine, what it stored, and how often it rang.
struct World {
    engine: Engine,
    store: Store,
    now: Timestamp,
    timeline: Vec<TimelineEntry>,
    rang: Vec<IncidentId>,
}

impl World {
    fn new(more: &str) -> Self {
        let config = Arc::new(Snapshot::compile(1, toml::from_str(&format!("{more}\n{CONFIG}")).unwrap()).unwrap());
        let store = Store::new(config.clone());
        Self { engine: Engine::new(config), store, now: NOW, timeline: vec![], rang: vec![] }
    }

    fn handle(&mut self, event: Event) {
        let effects = self.engine.handle(self.now, event);
        self.rang.extend(effects.commands.iter().flat_map(Command::incidents));
        let changes = self.engine.take_changes();
        self.timeline.extend(changes.timeline.iter().cloned());
        self.store.apply(self.now, changes).unwrap();
        self.engine.state.check(self.now, self.engine.config().paging().in_flight).unwrap();
        self.engine.state.check_quiet(&self.engine.config().inhibitions, self.now).unwrap();
        for Command::Deliver { incident, attempt, try_number, .. } in effects.commands {
            self.handle(Event::DeliveryFinished { incident, attempt, try_number, result: Ok(None) });
        }
    }

    fn wait(&mut self, seconds: i64) {
        let end = self.now.plus_ms(seconds * SECOND);
        while let Some((at, _)) = self.engine.next_deadline().filter(|(at, _)| *at <= end) {
            self.now = at.max(self.now);
            self.handle(Event::Wake);
        }
        self.now = end;
    }

    /// One message with a line of each of these, whose machines are known.
    fn say(&mut self, level: &str, status: &str, text: &str, hosts: &[(&str, Option<Placement>)]) {
        let integration = Integration::undeclared("falcon".into());
        let source =
            Source { integration: &integration, content_type: None, format: None, peer: None, received_at: self.now };
        let mut events = Vec::new();
        let mut places = Vec::new();
        for (host, place) in hosts {
            let line = format!("[{level}][{status}][{host}][][{text}]");
            events.extend(normalize(&source, line.as_bytes()).events.into_iter().map(|parsed| parsed.event));
            places.push(place.clone().map(Arc::new));
        }
        self.handle(Event::Ingested(Ingested {
            integration: "falcon".into(),
            key: None,
            events,
            rejected: Vec::new(),
            places,
            replayed: false,
        }));
    }

    /// The same of VMs `web-1` to `web-n` of a hypervisor with so many.
    fn fail(&mut self, vms: impl Iterator<Item = u32>, of: u32) {
        let hosts: Vec<_> = vms.map(|vm| (format!("web-{vm}"), Some(placement(vm, "esx-07", of)))).collect();
        let hosts: Vec<_> = hosts.iter().map(|(host, place)| (host.as_str(), place.clone())).collect();
        self.say("P1", "PROBLEM", "host is down", &hosts);
    }

    fn recover(&mut self, vms: impl Iterator<Item = u32>) {
        let hosts: Vec<_> = vms.map(|vm| format!("web-{vm}")).collect();
        let hosts: Vec<_> = hosts.iter().map(|host| (host.as_str(), None)).collect();
        self.say("P1", "OK", "host is down", &hosts);
    }

    fn open(&self) -> Vec<Incident> {
        let all = self.engine.state.incidents.values();
        all.filter(|it| it.state != IncidentState::Resolved).map(|it| Incident::clone(it)).collect()
    }

    fn of_host(&self, host: &str) -> Incident {
        self.open().into_iter().find(|it| it.host.as_deref() == Some(host)).unwrap_or_else(|| panic!("{host}"))
    }

    fn suspect(&self) -> Option<Incident> {
        self.open().into_iter().find(|it| it.host.as_deref() == Some("esx-07"))
    }

    fn quiet(&self) -> usize {
        let by = |by: &SuppressedBy| matches!(by, SuppressedBy::Suspect { .. });
        self.open().iter().filter(|it| it.suppressed.iter().any(by)).count()
    }

    /// Whom it rang for since it was asked last.
    fn rang(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.rang).into_iter().map(|it| it.0).collect()
    }

    fn restart(&mut self) {
        self.engine = self.store.restore(self.now);
        self.wait(1);
    }
}

#[test]
fn forty_vms_of_one_hypervisor_are_one_page_and_two_that_stay_down_page_when_it_is_over() {
    let mut world = World::new("");
    world.fail(1..=40, 40);
    let suspect = world.suspect().unwrap();
    assert_eq!(world.rang(), [suspect.id.0], "one page, about the hypervisor");
    assert_eq!((world.quiet(), suspect.severity), (40, Severity::P1));
    assert_eq!(suspect.title.as_str(), "hypervisor suspected: 40 of 40 VMs fail alike");
    let reason = world.timeline.iter().find(|it| matches!(it.what, Happening::Suspected { .. })).unwrap();
    let Happening::Suspected { failing, of, least, vms, .. } = &reason.what else { unreachable!() };
    assert_eq!((reason.incident, *failing, *of, *least, vms.len()), (suspect.id, 12, 40, 12, 12));

    world.recover(3..=40);
    assert!(world.suspect().is_some(), "two are left; they may recover as well");
    assert_eq!(world.rang(), Vec::<i64>::new());
    world.wait(61);
    assert_eq!(world.suspect(), None);
    let mut left: Vec<i64> = world.open().iter().map(|it| it.id.0).collect();
    let mut rang = world.rang();
    left.sort_unstable();
    rang.sort_unstable();
    assert_eq!(left.len(), 2);
    assert_eq!(rang, left, "they page for themselves now");
}

#[test]
fn one_after_the_other_the_first_page_for_themselves_until_it_is_suspected() {
    let mut world = World::new("");
    for vm in 1..=2 {
        world.fail(vm..=vm, 6);
        world.wait(1);
    }
    assert_eq!(world.rang(), [1, 2]);
    world.fail(3..=3, 6);
    let suspect = world.suspect().unwrap();
    assert_eq!(world.rang(), [suspect.id.0]);
    assert_eq!(world.quiet(), 3, "also those that had paged: nobody is paged again for them");
    world.wait(7_200);
    assert!(world.rang().iter().all(|id| *id == suspect.id.0));
}

#[test]
fn it_pages_everybody_whom_its_vms_would_have_paged() {
    let mut world = World::new("");
    let place = |vm| Some(placement(vm, "esx-07", 4));
    world.say("P2", "PROBLEM", "down", &[("web-1", place(1)), ("db-2", place(2)), ("web-3", place(3))]);
    let policies = |world: &World| -> Vec<String> {
        world.suspect().unwrap().escalations.iter().map(|it| it.policy.to_string()).collect()
    };
    assert_eq!(policies(&world), ["web", "db"]);
    let mut world = World::new("");
    world.say("P2", "PROBLEM", "down", &[("web-1", place(1)), ("web-2", place(2)), ("db-3", place(3))]);
    assert_eq!(policies(&world), ["web", "db"], "also whom only the last one would have paged");
}

#[test]
fn its_level_is_the_worst_of_its_vms_and_rises_with_them() {
    let mut world = World::new("");
    world.fail(1..=3, 10);
    assert_eq!(world.suspect().unwrap().severity, Severity::P1);
    world.rang();
    world.say("P0", "PROBLEM", "host is down", &[("web-4", Some(placement(4, "esx-07", 10)))]);
    let suspect = world.suspect().unwrap();
    assert_eq!(suspect.severity, Severity::P0);
    assert!(world.rang().contains(&suspect.id.0), "worse than what was paged");
}

#[test]
fn what_only_one_vm_says_pages_for_itself() {
    let mut world = World::new("");
    world.fail(1..=3, 10);
    world.rang();
    world.say("P1", "PROBLEM", "disk is full", &[("web-4", Some(placement(4, "esx-07", 10)))]);
    let own = world.of_host("web-4");
    assert_eq!((world.rang(), own.suppressed.len()), (vec![own.id.0], 0));
}

#[test]
fn numbers_and_names_in_the_text_make_no_difference() {
    let mut world = World::new("");
    for vm in [1, 2, 30] {
        let text = format!("web-{vm} lost {vm} pings");
        world.say("P1", "PROBLEM", &text, &[(&format!("web-{vm}"), Some(placement(vm, "esx-07", 4)))]);
    }
    assert_eq!(world.quiet(), 3);
}

#[test]
fn a_few_of_many_say_nothing_about_the_hypervisor() {
    let mut world = World::new("");
    world.fail(1..=4, 40);
    assert_eq!((world.suspect(), world.quiet(), world.rang().len()), (None, 0, 4));
    assert_eq!(world.engine.neighbourhood(IncidentId(1)).map(|it| (it.vms, it.failing)), Some((40, 4)));
}

#[test]
fn the_page_about_one_vm_knows_that_its_neighbours_are_well() {
    let mut world = World::new("");
    world.fail(1..=1, 15);
    let near = world.engine.neighbourhood(IncidentId(1)).unwrap();
    let said = shared::text::neighbourhood(shared::config::Language::En, &near);
    assert_eq!(said, "VM web-1 on esx-07; 14 others there are quiet");
}

/// A VM of a hypervisor of its own, whose disks lie where those of the others do.
fn on_datastore(vm: u32, of: u32) -> Option<Placement> {
    let mut place = placement(vm, &format!("esx-{}", 20 + vm), 8);
    place.shares = vec![Shared { what: Common::Datastore, key: "nfs-1".into(), name: "nfs-1".into(), vms: of }];
    Some(place)
}

#[test]
fn what_the_hypervisors_do_not_explain_a_datastore_may() {
    let mut world = World::new("");
    world.say("P1", "PROBLEM", "read only", &[("web-1", on_datastore(1, 10)), ("web-2", on_datastore(2, 10))]);
    assert_eq!(world.quiet(), 0);
    world.rang();
    world.say("P1", "PROBLEM", "read only", &[("web-3", on_datastore(3, 10))]);
    let about = world.of_host("nfs-1");
    assert_eq!(about.title.as_str(), "datastore suspected: 3 of 10 VMs fail alike");
    assert_eq!((world.quiet(), world.rang()), (3, vec![about.id.0]));
    let by = world.of_host("web-2").suppressed;
    assert!(
        matches!(&by[..], [SuppressedBy::Suspect { what: Common::Datastore, name, .. }] if name == "nfs-1"),
        "{by:?}"
    );
    world.restart();
    assert_eq!(world.quiet(), 3);
    world.wait(5);
    world.say("P1", "OK", "read only", &[("web-1", None), ("web-2", None), ("web-3", None)]);
    assert_eq!((world.open().len(), world.rang()), (0, vec![]));
}

#[test]
fn what_the_hypervisor_explains_is_no_reason_to_suspect_its_switch() {
    let mut world = World::new("");
    let place = |vm| {
        let mut place = placement(vm, "esx-07", 5);
        place.shares = vec![Shared { what: Common::Switch, key: "sw".into(), name: "br-int".into(), vms: 5 }];
        Some(place)
    };
    for vm in 1..=5 {
        world.say("P1", "PROBLEM", "down", &[(&format!("web-{vm}"), place(vm))]);
    }
    let about: Vec<_> = world.open().into_iter().filter(|it| it.integration.as_str() == "tocsin").collect();
    assert_eq!((about.len(), world.quiet()), (1, 5));
    assert_eq!(about[0].host.as_deref(), Some("esx-07"));
}

#[test]
fn a_vm_that_moves_away_pages_for_itself() {
    let mut world = World::new("");
    world.fail(1..=5, 10);
    let alert = world.of_host("web-2").alerts.first().copied().unwrap();
    world.rang();
    world.handle(Event::Placed(vec![(alert, Arc::new(placement(2, "esx-08", 10)))]));
    let moved = world.of_host("web-2");
    assert_eq!((world.rang(), moved.suppressed.len(), world.quiet()), (vec![moved.id.0], 0, 4));
    let told = world.timeline.iter().any(|it| {
        matches!(&it.what, Happening::VmMoved { from, to, .. } if (from.as_str(), to.as_str()) == ("esx-07", "esx-08"))
            && it.incident == moved.id
    });
    assert!(told);
}

#[test]
fn a_vm_that_moved_away_before_is_no_reason_to_suspect() {
    let mut world = World::new("");
    world.fail(1..=2, 7);
    let first = world.of_host("web-1").alerts.first().copied().unwrap();
    assert!(world.engine.sought(10, world.now).iter().any(|it| it.alert == first), "it is looked for again");
    world.handle(Event::Placed(vec![(first, Arc::new(placement(1, "esx-08", 7)))]));
    world.fail(3..=3, 7);
    assert_eq!((world.suspect(), world.quiet()), (None, 0));
    world.wait(181);
    assert_eq!(world.engine.sought(10, world.now), []);
}

#[test]
fn what_is_old_or_doubtful_suspects_nothing() {
    let stale = |vm| {
        let mut place = placement(vm, "esx-07", 4);
        place.hops[1].trust = Trust::Stale;
        Some(place)
    };
    let doubtful = |vm| {
        let mut place = placement(vm, "esx-07", 4);
        place.doubts = vec![Doubt::OtherHypervisor { source: "kvm".into(), hypervisor: "kvm-1".into() }];
        Some(place)
    };
    for place in [&stale as &dyn Fn(u32) -> Option<Placement>, &doubtful, &|_| None] {
        let mut world = World::new("");
        world.say("P1", "PROBLEM", "down", &[("a", place(1)), ("b", place(2)), ("c", place(3))]);
        assert_eq!((world.suspect(), world.rang().len()), (None, 3));
    }
}

#[test]
fn what_grows_old_meanwhile_releases() {
    let mut world = World::new("");
    world.fail(1..=5, 10);
    world.rang();
    let alerts: Vec<AlertId> = world.engine.state.alerts.keys().copied().collect();
    let mut old = placement(3, "esx-07", 10);
    old.hops[0].trust = Trust::Stale;
    world.handle(Event::Placed(vec![(alerts[2], Arc::new(old))]));
    assert_eq!((world.rang().len(), world.quiet()), (1, 4));
}

#[test]
fn where_it_is_may_be_known_only_later() {
    let mut world = World::new("");
    for host in ["a", "b", "c"] {
        world.say("P1", "PROBLEM", "down", &[(host, None)]);
    }
    assert_eq!(world.engine.sought(10, NOW).len(), 3);
    world.rang();
    let alerts: Vec<AlertId> = world.engine.state.alerts.keys().copied().collect();
    let places = alerts.iter().zip(1..).map(|(id, vm)| (*id, Arc::new(placement(vm, "esx-07", 4))));
    world.handle(Event::Placed(places.collect()));
    assert_eq!(world.quiet(), 3);
    assert_eq!(world.rang(), [world.suspect().unwrap().id.0]);
}

#[test]
fn whoever_ends_it_by_hand_hears_of_the_vms_and_not_of_it_again() {
    let mut world = World::new("");
    world.fail(1..=4, 10);
    let suspect = world.suspect().unwrap();
    world.rang();
    world.wait(10);
    let by = Actor::Account { login: "li".to_owned() };
    world.handle(Event::Acted { incident: suspect.id, by, act: Act::Resolve });
    assert_eq!((world.suspect(), world.quiet(), world.rang().len()), (None, 0, 4));
    world.wait(1);
    world.fail(5..=5, 10);
    assert_eq!(world.suspect(), None, "one more is no new reason");
}

#[test]
fn when_all_are_well_again_it_is_over_at_once() {
    let mut world = World::new("");
    world.fail(1..=5, 10);
    world.rang();
    world.wait(5);
    world.recover(1..=5);
    assert_eq!((world.open().len(), world.rang()), (0, vec![]));
}

#[test]
fn a_restart_changes_nothing() {
    let mut world = World::new("");
    world.fail(1..=6, 10);
    world.rang();
    world.restart();
    assert_eq!((world.quiet(), world.rang()), (6, vec![]));
    world.fail(7..=7, 10);
    assert_eq!((world.quiet(), world.rang()), (7, vec![]));
    world.recover(3..=7);
    world.restart();
    world.wait(61);
    assert_eq!((world.suspect(), world.quiet(), world.rang().len()), (None, 0, 2));
}

#[test]
fn it_can_be_switched_off_in_the_midst_of_it() {
    let mut world = World::new("");
    world.fail(1..=4, 10);
    world.rang();
    let off = toml::from_str(&format!("suspects = {{ vms = 0 }}\n{CONFIG}")).unwrap();
    let off = Arc::new(Snapshot::compile(2, off).unwrap());
    world.store.replace_config(off.clone());
    world.handle(Event::ConfigReplaced(off));
    assert_eq!((world.suspect(), world.quiet(), world.rang().len()), (None, 0, 4));
    world.wait(1);
    world.fail(5..=9, 10);
    assert_eq!((world.suspect(), world.rang().len()), (None, 5));
}

/// All of them have a datastore in common.
fn with_shares(mut place: Placement) -> Placement {
    place.shares = vec![Shared { what: Common::Datastore, key: "nfs".into(), name: "nfs".into(), vms: 8 }];
    place
}

#[derive(Clone, Debug)]
enum Step {
    Fail(u32, u8),
    Recover(u32),
    Move(u32, u8),
    Ack(usize),
    Resolve(usize),
    Wait(i64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1_u32..9, 0_u8..3).prop_map(|(vm, text)| Step::Fail(vm, text)),
        4 => (1_u32..9).prop_map(Step::Recover),
        2 => (1_u32..9, 0_u8..2).prop_map(|(vm, to)| Step::Move(vm, to)),
        1 => (0_usize..9).prop_map(Step::Ack),
        1 => (0_usize..9).prop_map(Step::Resolve),
        2 => (1_i64..200).prop_map(Step::Wait),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whatever happens: nobody is quiet because of a hypervisor that is not open, an incident about a hypervisor is open
    /// only while somebody is quiet because of it, and every open incident pages, was answered, or says why it is quiet.
    #[test]
    fn nobody_is_quiet_for_no_reason(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new("");
        let texts = ["down", "disk is full", "slow"];
        let mut homes = [0_u8; 9];
        let on = |home: u8| if home == 0 { "esx-07" } else { "esx-08" };
        for step in steps {
            match step {
                Step::Fail(vm, text) => {
                    let place = with_shares(placement(vm, on(homes[vm as usize]), 6));
                    world.say("P1", "PROBLEM", texts[text as usize], &[(&format!("web-{vm}"), Some(place))]);
                }
                Step::Recover(vm) => {
                    for text in texts {
                        world.say("P1", "OK", text, &[(&format!("web-{vm}"), None)]);
                    }
                }
                Step::Move(vm, to) => {
                    homes[vm as usize] = to;
                    let host = format!("web-{vm}");
                    let of = world.engine.state.alerts.values().filter(|it| it.event.host.as_deref() == Some(&host));
                    let place = Arc::new(with_shares(placement(vm, on(to), 6)));
                    let places = of.map(|alert| (alert.id, place.clone())).collect();
                    world.handle(Event::Placed(places));
                }
                Step::Ack(place) | Step::Resolve(place) => {
                    let act = if matches!(step, Step::Ack(_)) { Act::Ack { until: None } } else { Act::Resolve };
                    if let Some(incident) = world.open().get(place).map(|it| it.id) {
                        let by = Actor::Account { login: "li".to_owned() };
                        world.handle(Event::Acted { incident, by, act });
                    }
                }
                Step::Wait(seconds) => world.wait(seconds),
                Step::Restart => world.restart(),
            }
            let open = world.open();
            let mut sources = std::collections::BTreeSet::new();
            for by in open.iter().flat_map(|it| &it.suppressed) {
                if let SuppressedBy::Suspect { source, .. } = by {
                    prop_assert!(open.iter().any(|it| it.id == *source), "{source} is not open");
                    sources.insert(*source);
                }
            }
            for about in open.iter().filter(|it| it.integration.as_str() == "tocsin") {
                prop_assert!(sources.contains(&about.id), "{} keeps nobody quiet", about.id);
            }
        }
    }
}
