//! Configurations for a simulated house: people, shifts in several zones, policies and routes, all made by chance.

use super::{Scale, world::Chance};
use crate::{compile::Snapshot, lint::lint};
use shared::{
    Delay, PersonId, Severity, Timestamp,
    config::{
        Channels, Contact, Defer, Document, EmailChannel, Every, Gateway, GatewayFor, GatewayFormat, Group, Heartbeat,
        Hook, Integration, Layer, Level, LevelWhen, NtfyChannel, Override, Paging, Person, Policy, QuietHours,
        Rotation, Route, Rule, RuleStep, Schedule, StaleAction, Target, Team, TimeSpan, TimeWindow,
    },
};
use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

const ZONES: [&str; 5] = ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC"];

/// A configuration in which a P0 always reaches somebody; tried again until the lint finds nothing fatal.
pub(super) fn house(chance: &mut Chance, scale: &Scale, version: i64, now: Timestamp) -> Arc<Snapshot> {
    for _ in 0..50 {
        let document = document(chance, scale, now);
        if let Ok(snapshot) = Snapshot::compile(version, document)
            && lint(&snapshot, now).iter().all(|finding| !finding.fatal)
        {
            return Arc::new(snapshot);
        }
    }
    Arc::new(Snapshot { version, ..Snapshot::default() })
}

fn document(chance: &mut Chance, scale: &Scale, now: Timestamp) -> Document {
    let many = scale.people.map_or_else(|| chance.between(3, 7), u64::from);
    let people: Vec<Person> = (0..many).map(|n| person(chance, n)).collect();
    let ids: Vec<String> = people.iter().map(|person| person.id.to_string()).collect();
    let schedules: Vec<Schedule> = (0..shifts(scale)).map(|n| schedule(chance, n, &ids, now)).collect();
    let team = Team {
        id: "crew".into(),
        name: "Crew".to_owned(),
        members: ids.iter().filter(|_| chance.one_in((many / 4).max(2))).map(|id| id.as_str().into()).collect(),
    };
    let policies = (0..u64::from(scale.policies)).map(|n| policy(chance, scale, n, &ids)).collect();
    Document {
        channels: Channels {
            email: Some(EmailChannel {
                host: "mail.example".to_owned(),
                port: None,
                tls: shared::config::EmailTls::default(),
                from: "tocsin@example.org".to_owned(),
                username: None,
                password: None,
            }),
            gateways: vec![Gateway {
                id: "carrier".to_owned(),
                url: "https://carrier.example/call".to_owned(),
                sends: GatewayFor::Voice,
                format: GatewayFormat::Form,
                fields: BTreeMap::new(),
                headers: BTreeMap::new(),
                token: None,
                success: None,
            }],
            ntfy: Some(NtfyChannel { server: "https://ntfy.example".to_owned(), token: None }),
            ..Channels::default()
        },
        paging: paging(chance),
        fallback: vec![Target::Person("p0".into()), Target::Webhook("noc".into())],
        people,
        teams: vec![team],
        schedules,
        webhooks: vec![Hook { id: "noc".into(), url: "https://noc.example/hook".to_owned(), ..Hook::default() }],
        policies,
        heartbeats: vec![heartbeat(chance)],
        integrations: vec![sender(chance, "falcon"), sender(chance, "zabbix")],
        time_windows: vec![night(chance)],
        routes: routes(chance, scale),
        ..Document::default()
    }
}

fn sender(chance: &mut Chance, id: &str) -> Integration {
    let after = |chance: &mut Chance| chance.one_in(2).then(|| Delay::mins(chance.between(10, 90) as i64));
    Integration {
        stale_after: after(chance),
        stale: chance.one_in(2).then_some(StaleAction::Resolve),
        silent_after: after(chance),
        ..Integration::undeclared(id.into())
    }
}

/// The heartbeat of every house.
pub(super) const JOB: &str = "job";

fn heartbeat(chance: &mut Chance) -> Heartbeat {
    let policy = chance.one_in(2).then(|| "policy0".into());
    Heartbeat {
        id: JOB.into(),
        name: String::new(),
        interval: Delay::mins(chance.between(40, 100) as i64),
        grace: Delay::mins(chance.between(0, 20) as i64),
        severity: if chance.one_in(2) { Severity::P1 } else { Severity::P4 },
        summary: None,
        policy,
        labels: std::collections::BTreeMap::new(),
        annotations: std::collections::BTreeMap::new(),
        integration: None,
        matches: Vec::new(),
        during: Vec::new(),
        paused: chance.one_in(10),
    }
}

/// Schedules: three for four policies.
fn shifts(scale: &Scale) -> u64 {
    u64::from(scale.policies) * 3 / 4
}

fn paging(chance: &mut Chance) -> Paging {
    let mut paging = Paging::default();
    if chance.one_in(3) {
        // A narrow house: storms must queue, and P0 must still pass.
        (paging.in_flight, paging.in_flight_p0, paging.in_flight_per_target) = (6, 2, 2);
    }
    if chance.one_in(3) {
        paging.defer = Some(Defer::default());
    }
    if chance.one_in(3) {
        (paging.tries, paging.give_up_after) = (2, Delay::mins(1));
    }
    paging
}

/// Person 0 always has contacts, so that the fallback holds.
fn person(chance: &mut Chance, n: u64) -> Person {
    let mut contacts = Vec::new();
    let contact = |id: &str| Contact { id: id.into(), ..Contact::default() };
    if n == 0 || !chance.one_in(6) {
        contacts.push(Contact { email: Some(format!("p{n}@example.org")), ..contact("mail") });
    }
    if n == 0 || chance.one_in(2) {
        contacts.push(Contact { ntfy: Some(format!("p{n}")), ..contact("push") });
    }
    if chance.one_in(4) {
        contacts.push(Contact { webhook: Some(format!("https://p{n}.example/")), ..contact("call") });
    }
    if chance.one_in(2) {
        contacts.insert(0, Contact { push: Some("all".to_owned()), ..contact("phone") });
    }
    if chance.one_in(4) {
        contacts.push(Contact { voice: Some("+8613800000000".to_owned()), ..contact("ring") });
    }
    let mut rules = Vec::new();
    if n > 0 && chance.one_in(2) {
        let steps = |delay: i64| {
            let step =
                |(i, it): (usize, &Contact)| RuleStep { contact: it.id.clone(), after: Delay::mins(delay * i as i64) };
            contacts.iter().enumerate().map(step).collect::<Vec<_>>()
        };
        rules.push(Rule { severity: vec![Severity::P0, Severity::P1], notify: steps(2) });
        if chance.one_in(2) {
            rules.push(Rule { severity: Vec::new(), notify: steps(10) });
        }
    }
    let (time_zone, quiet_hours) = hours(chance, n);
    Person {
        id: format!("p{n}").as_str().into(),
        name: format!("Person {n}"),
        time_zone,
        contacts,
        rules,
        quiet_hours,
        ..Person::default()
    }
}

/// Two in three live by a clock of their own, and half of those sleep, with or without somebody to stand in.
fn hours(chance: &mut Chance, n: u64) -> (Option<String>, QuietHours) {
    if chance.one_in(3) {
        return (None, QuietHours::default());
    }
    let zone = chance.pick(&ZONES).map(|zone| (*zone).to_owned());
    if chance.one_in(2) {
        return (zone, QuietHours::default());
    }
    let from = chance.below(24);
    let span = TimeSpan {
        from: Some(format!("{from:02}:30")),
        until: Some(format!("{:02}:00", (from + chance.between(1, 23)) % 24)),
        ..TimeSpan::default()
    };
    // Person 0 is always there.
    let hand_over_to = (n > 0 && chance.one_in(2)).then(|| "p0".into());
    (zone, QuietHours { times: vec![span], hand_over_to })
}

fn some_of(chance: &mut Chance, ids: &[String]) -> Vec<shared::PersonId> {
    let first = chance.below(ids.len() as u64) as usize;
    let many = chance.between(1, 4) as usize;
    ids.iter().cycle().skip(first).take(many.min(ids.len())).map(|id| id.as_str().into()).collect()
}

fn schedule(chance: &mut Chance, n: u64, ids: &[String], now: Timestamp) -> Schedule {
    let zone = chance.pick(&ZONES).copied().unwrap_or("UTC");
    let date = |days: i64| {
        let at = jiff::Timestamp::from_millisecond(now.plus_ms(days * 86_400_000).ms()).unwrap_or_default();
        at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
    };
    let rotations = (0..chance.between(1, 2))
        .map(|_| Rotation {
            people: some_of(chance, ids),
            every: if chance.one_in(2) { Every::Day } else { Every::Week },
            length: 1,
            handoff: format!("{:02}:{:02}", chance.below(24), chance.below(2) * 30),
            // Some begin later: until then the schedule has a gap.
            start: date(if chance.one_in(4) { 2 } else { -20 }),
            ..Rotation::default()
        })
        .collect();
    let overrides = (0..chance.below(3))
        .map(|_| {
            let day = chance.below(12) as i64;
            Override {
                person: some_of(chance, ids).swap_remove(0),
                replaces: if chance.one_in(2) { some_of(chance, ids).pop() } else { None },
                from: format!("{} {:02}:00", date(day), chance.below(24)),
                until: format!("{} {:02}:30", date(day + 1), chance.below(24)),
                ..Override::default()
            }
        })
        .collect();
    let guests = Layer {
        id: "guests".into(),
        precedence: chance.below(2) as i32,
        ical_url: Some(format!("https://calendar.example/{}.ics", chance.below(2))),
        ..Layer::default()
    };
    Schedule {
        id: format!("s{n}").as_str().into(),
        name: format!("Shift {n}"),
        time_zone: zone.to_owned(),
        rotations,
        layers: if chance.one_in(3) { vec![guests] } else { Vec::new() },
        overrides,
        ..Schedule::default()
    }
}

/// A calendar that somebody keeps elsewhere: shifts of some hours in the coming days, of people, strangers and nobody.
pub(super) fn calendar(chance: &mut Chance, people: &[&PersonId], now: Timestamp) -> String {
    let mut text = "BEGIN:VCALENDAR\n".to_owned();
    for n in 0..chance.below(6) {
        let from = now.plus_ms(chance.below(72) as i64 * 3_600_000 - 12 * 3_600_000);
        let until = from.plus_ms(chance.between(1, 48) as i64 * 3_600_000);
        let stamp =
            |at: Timestamp| jiff::Timestamp::from_millisecond(at.ms()).unwrap_or_default().strftime("%Y%m%dT%H%M%SZ");
        let who = chance.pick(people).map_or("stranger", |person| person.as_str());
        let who = if chance.one_in(5) { "a stranger" } else { who };
        let level = if chance.one_in(3) { "[L1] " } else { "" };
        // Writing to a String cannot fail.
        write!(
            text,
            "BEGIN:VEVENT\nUID:{n}\nSUMMARY:{level}{who}\nDTSTART:{}\nDTEND:{}\nEND:VEVENT\n",
            stamp(from),
            stamp(until)
        )
        .ok();
    }
    text + "END:VCALENDAR\n"
}

fn policy(chance: &mut Chance, scale: &Scale, n: u64, ids: &[String]) -> Policy {
    let levels = (0..chance.between(1, 4))
        .map(|_| {
            let round_robin = chance.one_in(4);
            Level {
                notify: (0..chance.between(1, 2)).map(|_| target(chance, scale, ids)).collect(),
                delay: Delay::mins(chance.between(1, 15) as i64),
                round_robin,
                everyone: !round_robin && chance.one_in(4),
                ack_timeout: chance.one_in(6).then(|| Delay::mins(chance.below(20) as i64)),
                when: when(chance),
            }
        })
        .collect();
    Policy { id: format!("policy{n}").as_str().into(), name: String::new(), levels, repeat: chance.below(3) as u32 }
}

/// One level in three runs only for some.
fn when(chance: &mut Chance) -> LevelWhen {
    let night = || vec!["night".into()];
    match chance.below(12) {
        0 => LevelWhen { severity: vec![Severity::P0, Severity::P1], ..LevelWhen::default() },
        1 => LevelWhen { during: night(), ..LevelWhen::default() },
        2 => LevelWhen { except: night(), ..LevelWhen::default() },
        3 => LevelWhen { alerts: Some(2), ..LevelWhen::default() },
        _ => LevelWhen::default(),
    }
}

fn target(chance: &mut Chance, scale: &Scale, ids: &[String]) -> Target {
    match chance.below(8) {
        0 => Target::Team("crew".into()),
        1 => Target::Webhook("noc".into()),
        2 | 3 => Target::Person(some_of(chance, ids).swap_remove(0)),
        _ => Target::Schedule(format!("s{}", chance.below(shifts(scale))).as_str().into()),
    }
}

/// Half of each day, somewhere in the world.
fn night(chance: &mut Chance) -> TimeWindow {
    let from = chance.below(24);
    let span = TimeSpan {
        from: Some(format!("{from:02}:00")),
        until: Some(format!("{:02}:30", (from + 12) % 24)),
        ..TimeSpan::default()
    };
    TimeWindow { id: "night".into(), time_zone: "Europe/Berlin".to_owned(), windows: vec![span] }
}

fn routes(chance: &mut Chance, scale: &Scale) -> Vec<Route> {
    let route = |id: &str, matches: &[&str], policy: &str| Route {
        id: id.into(),
        matches: matches.iter().map(|it| (*it).to_owned()).collect(),
        policy: Some(policy.into()),
        ..Route::default()
    };
    let mut routes = vec![
        Route { continues: true, ..route("watch", &["severity=P0", "host=~.*[0-4]"], "policy3") },
        Route { group: group(chance), hold_p0: Some(Delay::secs(20)), ..route("db", &["host=~db-.*"], "policy0") },
        Route { mute: Some(vec!["night".into()]), ..route("calm", &["host=~web-.*", "severity=~P2|P3"], "policy1") },
        Route {
            group: group(chance),
            hold: Some(Delay::mins(2)),
            stale_after: chance.one_in(2).then(|| Delay::mins(chance.between(5, 60) as i64)),
            stale: chance.one_in(2).then_some(StaleAction::Resolve),
            ..route("web", &["host=~web-.*", "severity=~P0|P1|P2|P3"], "policy1")
        },
        Route { severity: Some(Severity::P6), policy: None, ..route("lab", &["host=~lab-.*"], "") },
    ];
    // The policies of a town have machines of their own, whatever their kind.
    let own =
        (4..scale.policies).map(|n| route(&format!("own{n}"), &[&format!("host=~.*-{n}")], &format!("policy{n}")));
    routes.splice(1..1, own);
    if chance.one_in(2) {
        routes.push(route("rest", &["severity!=P6"], "policy2"));
    }
    routes
}

/// Some houses take all of a sender, or of a machine, as one.
fn group(chance: &mut Chance) -> Option<Group> {
    let by = match chance.below(3) {
        0 => return None,
        1 => "integration",
        _ => "host",
    };
    Some(Group {
        by: vec![by.to_owned()],
        window: Delay::mins(chance.between(1, 20) as i64),
        limit: chance.between(2, 20) as u32,
        ..Group::default()
    })
}
