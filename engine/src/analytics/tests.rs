//! Figures computed by hand.

use super::{Fold, Scope, Story, times::percentile};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::json;
use shared::{
    Incident, PersonId, SilenceId, SuppressedBy, Timestamp,
    api::{Analytics, QuietKind},
    timeline::{Actor, Happening},
};

const MIN: i64 = 60_000;
const DAY: i64 = 86_400_000;

fn at(text: &str) -> Timestamp {
    Timestamp::from_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

fn scope(from: &str, until: &str) -> Scope {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    Scope {
        from: at(from),
        until: at(until),
        zone: TimeZone::UTC,
        zones: [(PersonId::from("li"), berlin)].into(),
        names: [(PersonId::from("li"), "Li".to_owned())].into(),
    }
}

fn november() -> Scope {
    scope("2026-11-02T00:00:00Z", "2026-11-30T00:00:00Z")
}

/// An incident that opened then; `over` minutes later it was resolved.
fn incident(id: i64, opened: Timestamp, over: Option<i64>) -> Incident {
    let resolved = over.map(|minutes| opened.ms() + minutes * MIN);
    let state = if over.is_some() { "resolved" } else { "triggered" };
    serde_json::from_value(json!({
        "id": id, "version": 1, "state": state, "severity": "P1", "title": format!("disk {id}"), "integration": "zabbix",
        "alerts": [], "firing": 0, "count": 2, "opened_at": opened.ms(), "updated_at": opened.ms(), "resolved_at": resolved,
        "escalations": [{"policy": "p", "config": 1, "state": "stopped", "next_level": 0, "cycle": 0, "reached": true}],
        "timeline": 0,
    }))
    .unwrap()
}

/// The same with a page that rang then, by two deliveries.
fn paged(mut incident: Incident, person: &str, rang: Timestamp) -> Incident {
    let attempt = |n: i64, sent: Option<i64>| {
        json!({ "id": n, "contact": "phone", "channel": "webhook", "state": "accepted", "due": rang.ms(), "tries": 1,
                "first_sent_at": sent })
    };
    let page = json!({
        "id": 1, "recipient": { "person": person }, "via": { "kind": "direct" }, "policy": "p", "level": 0, "cycle": 0,
        "created_at": rang.ms() - 5_000,
        "attempts": [attempt(1, Some(rang.ms() + 60_000)), attempt(2, Some(rang.ms())), attempt(3, None)],
    });
    incident.pages.push(serde_json::from_value(page).unwrap());
    incident
}

fn story(key: &str, acknowledged_at: Option<Timestamp>) -> Story {
    Story { key: Some(key.to_owned()), routes: ["all".into()].into(), acknowledged_at, ..Story::default() }
}

fn figures(scope: Scope, all: &[(Incident, Story)]) -> Analytics {
    let mut fold = Fold::new(scope);
    all.iter().for_each(|(incident, story)| fold.add(incident, story));
    fold.finish()
}

#[test]
fn times_are_counted_in_buckets_with_their_nearest_ranks() {
    // 10 s, 30 s, 31 s and 10 min: ranks ⌈0.5·4⌉ = 2, ⌈0.9·4⌉ = 4 and ⌈0.99·4⌉ = 4.
    let opened = at("2026-11-10T12:00:00Z");
    let mut all: Vec<_> = [10, 30, 31, 600]
        .into_iter()
        .zip(1..)
        .map(|(s, id)| (incident(id, opened, Some(20)), story("k", Some(opened.plus_ms(s * 1_000)))))
        .collect();
    all.push((paged(incident(5, opened, Some(5)), "li", opened), story("k", None)));
    all.push((paged(incident(6, opened, None), "li", opened), story("k", None)));
    all.push((incident(7, opened, Some(5)), story("k", None)));
    let figures = figures(november(), &all);
    let times = &figures.acknowledge.rows[0];
    assert_eq!(figures.acknowledge.bounds_ms[..3], [30_000, 60_000, 120_000]);
    assert_eq!(times.counts, [2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0], "a bound belongs to its bucket");
    assert_eq!((times.p50_ms, times.p90_ms, times.p99_ms), (Some(30_000), Some(600_000), Some(600_000)));
    assert_eq!((times.done, times.never, times.waiting), (4, 1, 1), "the one that rang for nobody asks for no answer");
    let resolve = &figures.resolve.rows[0];
    assert_eq!((resolve.done, resolve.waiting, resolve.p50_ms), (6, 1, Some(20 * MIN)));
    assert_eq!(figures.acknowledge.rows.len(), 2, "all, and P1");
    assert_eq!(figures.incidents, 7);
}

/// A delivery: its id, its channel, what became of it, seconds until it was first tried and done, of which message.
type Tried = (i64, &'static str, &'static str, i64, Option<i64>, Option<i64>);

#[test]
fn messages_are_counted_once_by_channel_and_the_day_they_were_handed_over() {
    let morning = at("2026-11-10T23:59:00Z");
    let with = |id: i64, attempts: &[Tried]| {
        let mut incident = incident(id, morning, None);
        let attempts = attempts.iter().map(|(id, channel, state, sent, done, message)| {
            let at = |s: i64| morning.ms() + s * 1_000;
            let bundling = message.map(|message| json!({ "message": message }));
            json!({ "id": id, "contact": "c", "channel": channel, "state": state, "due": morning.ms(), "tries": 1 + i64::from(*state == "failed"),
                    "first_sent_at": at(*sent), "finished_at": done.map(at), "bundling": bundling })
        });
        let page = json!({ "id": id, "recipient": { "person": "li" }, "via": { "kind": "direct" }, "policy": "p", "level": 0,
            "cycle": 0, "created_at": morning.ms(), "attempts": attempts.collect::<Vec<_>>() });
        incident.pages.push(serde_json::from_value(page).unwrap());
        (incident, story("k", None))
    };
    let all = [
        with(1, &[(1, "email", "accepted", 0, Some(2), None), (2, "webhook", "failed", 10, Some(30), None)]),
        with(2, &[(3, "email", "accepted", 70, Some(75), None), (4, "email", "sending", 80, None, None)]),
        // In one message with the first.
        with(3, &[(5, "email", "accepted", 0, Some(2), Some(1))]),
    ];
    let [before, figures] =
        [scope("2026-11-01T00:00:00Z", "2026-11-10T00:00:00Z"), november()].map(|it| figures(it, &all));
    let [email, webhook] = figures.channels.as_slice() else { panic!("{:?}", figures.channels) };
    assert_eq!((email.all.sent, email.all.accepted, email.all.waiting), (3, 2, 1));
    assert_eq!((email.all.p50_ms, email.all.p90_ms), (Some(2_000), Some(5_000)));
    let days: Vec<_> = email.days.iter().map(|it| (it.day.as_str(), it.count.sent)).collect();
    assert_eq!(days, [("2026-11-10", 1), ("2026-11-11", 2)], "on the reader's clock");
    assert_eq!((webhook.all.sent, webhook.all.failed, webhook.all.retried, webhook.all.p50_ms), (1, 1, 1, None));
    assert!(before.channels.is_empty());
}

#[test]
fn a_night_is_what_the_persons_own_wall_shows_also_when_the_clocks_change() {
    // In Berlin the clock leaps from 02:00 to 03:00 on Sunday 2026-03-29, at 01:00 UTC.
    let rings = [
        ("2026-03-28T20:30:00Z", false), // Saturday 21:30
        ("2026-03-28T21:00:00Z", true),  // Saturday 22:00
        ("2026-03-29T01:30:00Z", true),  // Sunday 03:30, the same night
        ("2026-03-29T04:59:59Z", true),  // Sunday 06:59
        ("2026-03-29T05:00:00Z", false), // Sunday 07:00; the day before it was still 06:00
        ("2026-03-29T20:00:00Z", true),  // Sunday 22:00, the next night
        ("2026-03-30T05:30:00Z", false), // Monday 07:30
    ];
    let pages = rings.iter().zip(1..).map(|((text, _), id)| {
        (paged(incident(id, at("2026-03-28T12:00:00Z"), None), "li", at(text)), story("k", None))
    });
    let figures = figures(scope("2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"), &pages.collect::<Vec<_>>());
    let li = &figures.people[0];
    let nights = rings.iter().filter(|(_, night)| *night).count();
    assert_eq!((li.name.as_str(), li.pages, li.night as usize, li.nights), ("Li", 7, nights, 2));
    assert_eq!(li.weekend, 6);
    assert_eq!(figures.days, ["2026-03-28", "2026-03-29", "2026-03-30"]);
    let days: Vec<_> = li.days.iter().map(|day| (day.day, day.pages, day.night)).collect();
    assert_eq!(days, [(0, 2, 1), (1, 4, 3), (2, 1, 0)]);
}

#[test]
fn both_hours_that_come_twice_in_autumn_are_night_and_one_hour_of_the_week() {
    // On Sunday 2026-10-25 the clock of Berlin shows 02:30 at 00:30 and again at 01:30 UTC.
    let opened = at("2026-10-24T12:00:00Z");
    let rings = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T06:00:00Z"];
    let pages: Vec<_> = rings
        .iter()
        .zip(1..)
        .map(|(text, id)| (paged(incident(id, opened, None), "li", at(text)), story("k", None)))
        .collect();
    let berlin = Scope {
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        ..scope("2026-10-24T00:00:00Z", "2026-10-26T00:00:00Z")
    };
    let figures = figures(berlin, &pages);
    assert_eq!((figures.people[0].night, figures.people[0].nights), (2, 1), "06:00 UTC is 07:00");
    assert_eq!((figures.hours[6 * 24 + 2].pages, figures.hours[6 * 24 + 7].pages), (2, 1));
    assert_eq!(figures.time_zone, "Europe/Berlin");
}

#[test]
fn hours_of_the_week_have_the_median_answer() {
    // Monday 2026-11-02 and Monday 2026-11-09, 03:00: answered after 2 and 8 minutes; one of three never.
    let days = [0, 7, 14].map(|days| at("2026-11-02T03:15:00Z").plus_ms(days * DAY));
    let took = [Some(2), Some(8), None];
    let all = days.iter().zip(took).zip(1..).map(|((opened, took), id)| {
        let answered = took.map(|minutes| opened.plus_ms(minutes * MIN));
        (paged(incident(id, *opened, Some(30)), "li", opened.plus_ms(1_000)), story("k", answered))
    });
    let hour = &figures(november(), &all.collect::<Vec<_>>()).hours[3];
    assert_eq!((hour.pages, hour.incidents, hour.ack_ms), (3, 3, Some(2 * MIN)));
}

#[test]
fn what_woke_people_for_nothing_is_to_be_mended_first() {
    let opened = at("2026-11-10T12:00:00Z");
    let ring = |id, key: &str, minutes, answered: bool| {
        let mut one = paged(incident(id, opened.plus_ms(id), Some(minutes)), "li", opened.plus_ms(id));
        one.answered = answered;
        (one, story(key, answered.then(|| opened.plus_ms(MIN))))
    };
    let mut all = vec![
        ring(1, "busy", 30, true),
        ring(2, "busy", 30, true),
        ring(3, "busy", 30, true),
        ring(4, "noisy", 2, false),
        ring(5, "noisy", 2, false),
    ];
    all[4].1.flapped = true;
    all[4].1.quiet.insert(SuppressedBy::Silence { silence: SilenceId(7), until: None });
    let figures = figures(november(), &all);
    let told: Vec<_> = figures
        .identities
        .iter()
        .map(|it| (it.id.as_str(), it.incidents, it.pages, it.acknowledged, it.by_itself, it.unneeded))
        .collect();
    assert_eq!(told, [("noisy", 2, 2, 0, 2, 2), ("busy", 3, 3, 3, 0, 0)]);
    let noisy = &figures.identities[0];
    assert_eq!((noisy.title.as_str(), noisy.newest.0, noisy.messages), ("disk 5", 5, 4));
    assert_eq!((noisy.flapped, noisy.silenced), (1, 1));
    let route = &figures.routes[0];
    assert_eq!((route.id.as_str(), route.incidents, route.unneeded), ("all", 5, 2));
    assert_eq!((figures.policies[0].id.as_str(), figures.policies[0].pages), ("p", 5));
    let quiet: Vec<_> = figures.quiet.iter().map(|it| (it.kind, it.id.as_str(), it.incidents, it.paged)).collect();
    assert_eq!(quiet, [(QuietKind::Silence, "7", 1, 1)]);
}

#[test]
fn a_page_counts_when_it_rang_and_an_incident_when_it_opened() {
    let early = at("2026-11-01T23:59:59Z");
    let late = at("2026-11-29T23:59:59Z");
    let all = [
        (paged(incident(1, early, Some(9)), "li", at("2026-11-02T00:00:00Z")), story("k", None)),
        (paged(incident(2, late, Some(9)), "anna", at("2026-11-30T00:00:00Z")), story("k", None)),
    ];
    let figures = figures(november(), &all);
    assert_eq!(figures.incidents, 1);
    let people: Vec<_> = figures.people.iter().map(|it| (it.name.as_str(), it.pages)).collect();
    assert_eq!(people, [("Li", 1)], "Anna's rang after the range");
}

#[test]
fn pages_that_rang_in_one_message_woke_somebody_once() {
    let opened = at("2026-11-10T12:00:00Z");
    let together = |id| (paged(incident(id, opened, Some(9)), "li", opened.plus_ms(5_000)), story("k", None));
    let figures = figures(november(), &[together(1), together(2), together(3)]);
    assert_eq!((figures.people[0].pages, figures.hours[24 + 12].pages), (1, 1));
    assert_eq!(figures.identities[0].pages, 3, "each incident had its page");
}

#[test]
fn what_was_merged_away_took_no_time_of_its_own() {
    let opened = at("2026-11-10T12:00:00Z");
    let merged = Story { merged: true, ..story("k", None) };
    let figures = figures(november(), &[(paged(incident(1, opened, Some(1)), "li", opened), merged)]);
    assert_eq!((figures.acknowledge.rows[0].never, figures.resolve.rows[0].done), (0, 0));
    assert_eq!(figures.identities[0].incidents, 1);
}

#[test]
fn a_story_has_the_first_answer_of_a_person() {
    let mut story = Story::default();
    let login = Actor::Account { login: "li".to_owned() };
    let by = |until| vec![SuppressedBy::Silence { silence: SilenceId(1), until }];
    story.read(Timestamp::from_ms(1), &Actor::System, &Happening::Suppressed { by: by(Some(Timestamp::from_ms(9))) });
    story.read(Timestamp::from_ms(2), &Actor::System, &Happening::Suppressed { by: by(None) });
    story.read(Timestamp::from_ms(3), &Actor::System, &Happening::Resolved);
    story.read(Timestamp::from_ms(4), &login, &Happening::Snoozed { until: Timestamp::from_ms(50) });
    story.read(Timestamp::from_ms(5), &login, &Happening::Acked { until: None });
    assert_eq!(story.acknowledged_at, Some(Timestamp::from_ms(4)));
    assert_eq!(story.quiet.len(), 1, "a silence that was made longer is one silence");
}

proptest! {
    #[test]
    fn a_percentile_has_as_many_below_it_as_it_says(mut values in prop::collection::vec(0_i64..1_000, 1..200), p in 1_usize..=100) {
        values.sort_unstable();
        let found = percentile(&values, p).unwrap();
        let (below, not_above) = (values.iter().filter(|v| **v < found).count(), values.iter().filter(|v| **v <= found).count());
        prop_assert!(below * 100 < p * values.len() && p * values.len() <= not_above * 100);
    }

    #[test]
    fn every_incident_and_every_page_is_counted_once(
        all in prop::collection::vec((0_i64..40, 0_i64..3_000, prop::option::of(1_i64..600), any::<bool>(), 0_usize..3), 0..40)
    ) {
        let first = at("2026-10-28T00:00:00Z");
        let told: Vec<_> = all
            .iter()
            .zip(1..)
            .map(|((day, minute, over, answered, pages), id)| {
                let opened = first.plus_ms(day * DAY + minute * MIN);
                let mut one = incident(id, opened, *over);
                one.answered = *answered;
                for n in 0..*pages {
                    one = paged(one, ["li", "anna"][n % 2], opened.plus_ms(n as i64 * 20 * MIN));
                }
                (one, story(&format!("k{}", minute % 3), answered.then(|| opened.plus_ms(MIN))))
            })
            .collect();
        let scope = november();
        let inside = |at: Timestamp| scope.from <= at && at < scope.until;
        let opened = told.iter().filter(|(it, _)| inside(it.opened_at)).count();
        let pages = told.iter().flat_map(|(it, _)| &it.pages);
        let rang = pages.map(|page| (&page.recipient, page.created_at.plus_ms(5_000))).filter(|(_, at)| inside(*at));
        let rang = rang.collect::<std::collections::BTreeSet<_>>().len();
        let figures = figures(scope, &told);
        prop_assert_eq!(figures.incidents as usize, opened);
        prop_assert_eq!(figures.people.iter().map(|it| it.pages as usize).sum::<usize>(), rang);
        prop_assert_eq!(figures.hours.iter().map(|it| it.pages as usize).sum::<usize>(), rang);
        for person in &figures.people {
            prop_assert!(person.nights <= person.night && person.night <= person.pages && person.weekend <= person.pages);
        }
        let resolve = &figures.resolve.rows[0];
        prop_assert_eq!((resolve.done + resolve.waiting) as usize, opened);
        for row in figures.acknowledge.rows.iter().chain(&figures.resolve.rows) {
            prop_assert_eq!(row.counts.iter().sum::<u32>(), row.done);
            prop_assert!(row.p50_ms <= row.p90_ms && row.p90_ms <= row.p99_ms);
        }
        for list in [&figures.identities, &figures.routes, &figures.policies] {
            prop_assert_eq!(list.iter().map(|it| it.incidents as usize).sum::<usize>(), opened);
            prop_assert!(list.iter().all(|it| it.unneeded <= it.pages && it.by_itself <= it.incidents));
        }
    }
}
