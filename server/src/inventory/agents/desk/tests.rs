//! What the desk keeps of what agents report, and who is asked.

use super::*;
use proptest::prelude::*;
use shared::agent::{AgentGone, AgentInterface, AgentNeighbour, Probed};

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

fn never_closing() -> watch::Receiver<bool> {
    let (closing, closes) = watch::channel(false);
    // A receiver without a sender is one that closes.
    std::mem::forget(closing);
    closes
}

fn desk() -> Desk {
    Desk::new(Vec::new(), NOW, never_closing())
}

fn neighbour(ip: &str, mac: &str, age_ms: u64) -> AgentNeighbour {
    let (ip, mac) = (ip.parse().unwrap(), mac.parse().unwrap());
    AgentNeighbour { interface: "eth0".to_owned(), ip, mac, age_ms, router: false }
}

fn report(agent: &str, neighbours: Vec<AgentNeighbour>) -> AgentReport {
    let mac = Some("52:54:00:00:00:77".parse().unwrap());
    let own = AgentInterface { name: "eth0".to_owned(), mac, ips: vec!["10.0.0.7/24".to_owned()] };
    AgentReport {
        agent: agent.to_owned(),
        run: 1,
        every_ms: 30_000,
        whole: true,
        probe: vec!["10.0.0.0/24".to_owned()],
        interfaces: vec![own],
        neighbours,
        ..AgentReport::default()
    }
}

fn take(desk: &Desk, report: AgentReport, now: Timestamp) -> (Taken, Observation) {
    let mut told = Observation::default();
    let taken = desk.take(report, now, |observation| told = observation).unwrap();
    (taken, told)
}

fn seen(told: &Observation, ip: &str) -> Option<(String, i64, Option<RouterPart>)> {
    let ip: IpAddr = ip.parse().unwrap();
    let of_ip = told.neighbours.iter().find(|it| it.ip == ip)?;
    Some((of_ip.mac.to_string(), NOW.ms_since(of_ip.seen_at), of_ip.router))
}

#[test]
fn the_whole_comes_first_and_then_what_changed() {
    let desk = desk();
    let first = vec![neighbour("10.0.0.9", "52:54:00:00:00:09", 1_500), neighbour("10.0.0.8", "52:54:00:00:00:08", 0)];
    let (taken, told) = take(&desk, report("web01", first), NOW);
    assert!(!taken.whole && !told.whole);
    assert_eq!(seen(&told, "10.0.0.9"), Some(("52:54:00:00:00:09".to_owned(), 1_500, None)));
    assert_eq!(seen(&told, "10.0.0.7"), Some(("52:54:00:00:00:77".to_owned(), 0, None)), "its own address");
    let gone = AgentGone { interface: "eth0".to_owned(), ip: "10.0.0.8".parse().unwrap() };
    let change = AgentReport { whole: false, gone: vec![gone], ..report("web01", vec![]) };
    let (taken, told) = take(&desk, change.clone(), NOW);
    assert_eq!((taken.whole, told.gone), (false, vec!["10.0.0.8 web01/eth0".to_owned()]));
    assert_eq!(told.neighbours, []);
    // What builds on another run's words is not understood.
    let (taken, told) = take(&desk, AgentReport { run: 2, ..change }, NOW);
    assert_eq!((taken.whole, told.neighbours, told.gone), (true, vec![], vec![]));
}

#[test]
fn what_a_router_answers_for_others_is_marked_whichever_agent_knows_it_for_a_router() {
    let desk = desk();
    let router = "52:54:00:00:00:01";
    let behind = vec![neighbour("10.0.0.1", router, 0), neighbour("10.0.0.200", router, 0)];
    let (_, told) = take(&desk, report("web01", behind), NOW);
    assert_eq!(seen(&told, "10.0.0.200").unwrap().2, None, "nobody knows yet");
    let mut gateway = neighbour("10.0.0.1", router, 0);
    gateway.router = true;
    let (_, told) = take(&desk, report("web02", vec![gateway]), NOW);
    let parts: BTreeSet<_> =
        told.neighbours.iter().map(|it| (it.segment.as_str(), it.ip.to_string(), it.router)).collect();
    assert!(parts.contains(&("web01/eth0", "10.0.0.200".to_owned(), Some(RouterPart::Behind))), "{parts:?}");
    assert!(parts.contains(&("web01/eth0", "10.0.0.1".to_owned(), Some(RouterPart::Own))), "{parts:?}");
    assert!(parts.contains(&("web02/eth0", "10.0.0.1".to_owned(), Some(RouterPart::Own))), "{parts:?}");
}

#[test]
fn what_was_stored_counts_until_the_agent_is_heard_again() {
    let desk = desk();
    let mut gateway = neighbour("10.0.0.1", "52:54:00:00:00:01", 0);
    gateway.router = true;
    let behind = neighbour("10.0.0.200", "52:54:00:00:00:01", 0);
    let (_, told) = take(&desk, report("web01", vec![gateway, behind]), NOW);
    let again = Desk::new(told.neighbours, NOW, never_closing());
    let rows = again.rows(NOW);
    assert_eq!((rows[0].name.as_str(), rows[0].version.as_str(), rows[0].silent), ("web01", "", false));
    assert!(again.rows(NOW.plus_ms(90_001))[0].silent, "three reports did not come");
    // The other agent's router is still known for one.
    let (_, told) = take(&again, report("web02", vec![neighbour("10.0.0.201", "52:54:00:00:00:01", 0)]), NOW);
    assert_eq!(seen(&told, "10.0.0.201").unwrap().2, Some(RouterPart::Behind));
    // After a day it is forgotten.
    let (_, told) = take(&again, report("web02", vec![]), NOW.plus_ms(FORGOTTEN_MS));
    assert!(told.gone.contains(&"10.0.0.200 web01/eth0".to_owned()), "{told:?}");
    assert_eq!(again.rows(NOW).len(), 1);
}

#[test]
fn too_much_or_what_cannot_be_is_refused_and_changes_nothing() {
    let desk = desk();
    let many = (0..=NEIGHBOURS_MAX).map(|n| {
        let [_, _, a, b] = u32::try_from(n).unwrap().to_be_bytes();
        neighbour(&format!("10.1.{a}.{b}"), "52:54:00:00:00:01", 0)
    });
    let refused = |report: AgentReport| {
        desk.take(report, NOW, |told| panic!("nothing is told: {told:?}")).unwrap_err().to_string()
    };
    assert!(refused(report("web01", many.collect())).contains("4097 neighbours"));
    assert!(refused(report("web/01", vec![])).contains("`web/01` is not the name"));
    let prefix = AgentReport { probe: vec!["everywhere".to_owned()], ..report("web01", vec![]) };
    assert!(refused(prefix).contains("`everywhere` is not a prefix"));
    let mut odd = neighbour("10.0.0.9", "52:54:00:00:00:09", 0);
    odd.interface = "eth0/x".to_owned();
    assert!(refused(report("web01", vec![odd])).contains("interface"));
    assert_eq!(desk.rows(NOW), []);
    for n in 0..AGENTS_MAX {
        take(&desk, report(&format!("a{n}"), vec![]), NOW);
    }
    assert!(refused(report("one-more", vec![])).contains("2048 agents"));
}

#[tokio::test]
async fn a_question_reaches_the_agent_that_waits_and_its_outcome_whoever_asked() {
    let desk = desk();
    let (taken, _) = take(&desk, report("web01", vec![]), NOW);
    let (source, ip): (SourceId, IpAddr) = (SourceId::from("s"), "10.0.0.9".parse().unwrap());
    let ips = [ip];
    let asking = desk.ask(&source, &ips, NOW, Duration::from_secs(20));
    let agent = async {
        assert_eq!(desk.hold("web01", taken.ticket, Duration::from_secs(20)).await, Held::Probe(vec![ip]));
        let probed = vec![Probed { ip, outcome: ProbeOutcome::Answered }];
        let answer = neighbour("10.0.0.9", "52:54:00:00:00:09", 0);
        take(&desk, AgentReport { probed, ..report("web01", vec![answer]) }, NOW)
    };
    let (asked, _) = tokio::join!(asking, agent);
    let mac = "52:54:00:00:00:09".parse().unwrap();
    let expected = Asked { source, agent: Some("web01".to_owned()), at: NOW, outcome: AskedOutcome::Answered { mac } };
    assert_eq!(asked, [(ip, expected)]);
}

#[tokio::test]
async fn who_may_not_ask_is_not_asked_and_who_does_not_answer_is_named() {
    let desk = desk();
    let source = SourceId::from("s");
    let ask = async |ip: &str, now| {
        let asked = desk.ask(&source, &[ip.parse().unwrap()], now, Duration::ZERO).await;
        asked.into_iter().map(|(_, it)| (it.agent, it.outcome)).collect::<Vec<_>>()
    };
    take(&desk, report("web01", vec![]), NOW);
    let web01 = Some("web01".to_owned());
    assert_eq!(ask("10.0.0.9", NOW).await, [(web01, AskedOutcome::NoReport)]);
    // Another segment, its own address, and after it fell silent.
    for (ip, now) in [("10.0.1.9", NOW), ("10.0.0.7", NOW), ("10.0.0.9", NOW.plus_ms(90_001))] {
        assert_eq!(ask(ip, now).await, [(None, AskedOutcome::NoAgent)], "{ip}");
    }
}

#[tokio::test]
async fn an_answer_is_held_for_the_newest_report_only_and_not_when_the_server_ends() {
    let (closing, closes) = watch::channel(false);
    let desk = Desk::new(Vec::new(), NOW, closes);
    let (old, _) = take(&desk, report("web01", vec![]), NOW);
    let (new, _) = take(&desk, report("web01", vec![]), NOW);
    let long = Duration::from_secs(25);
    assert_eq!(desk.hold("web01", old.ticket, long).await, Held::Superseded);
    assert_eq!(desk.hold("web01", new.ticket, Duration::ZERO).await, Held::Probe(vec![]));
    let closes = async { closing.send_replace(true) };
    assert_eq!(tokio::join!(desk.hold("web01", new.ticket, long), closes).0, Held::Probe(vec![]));
}

proptest! {
    #[test]
    fn any_text_is_a_report_or_is_refused(text in ".{0,200}") {
        if let Ok(report) = serde_json::from_str::<AgentReport>(&text) {
            desk().take(report, NOW, drop).ok();
        }
    }

    #[test]
    fn any_reports_one_after_the_other_leave_the_index_with_what_the_desk_says(
        steps in prop::collection::vec(any_report(), 0..12)
    ) {
        let desk = desk();
        let mut told: BTreeMap<String, Neighbour> = BTreeMap::new();
        for (step, report) in steps.into_iter().enumerate() {
            let now = NOW.plus_ms(i64::try_from(step).unwrap() * 40_000_000);
            let observe = |observation: Observation| {
                // In the order of the index.
                told.extend(observation.neighbours.into_iter().map(|it| (it.key(), it)));
                observation.gone.iter().for_each(|key| drop(told.remove(key)));
            };
            desk.take(report, now, observe).ok();
            let Agents { by_name, routers } = &*desk.agents();
            let mut anew = Routers::default();
            by_name.values().for_each(|agent| anew.add(agent));
            prop_assert_eq!((&routers.macs, &routers.ips), (&anew.macs, &anew.ips));
            let says: BTreeMap<_, _> = by_name.iter().flat_map(|(name, agent)| agent.said(name, routers)).collect();
            prop_assert_eq!(&told, &says);
        }
    }
}

fn any_report() -> impl Strategy<Value = AgentReport> {
    let entry = (0_u8..3, 0_u8..6, any::<u64>(), any::<bool>()).prop_map(|(ip, mac, age_ms, router)| AgentNeighbour {
        interface: "eth0".to_owned(),
        ip: IpAddr::from([10, 0, 0, ip]),
        mac: Mac([0x52, 0x54, 0, 0, 0, mac + 1]),
        age_ms,
        router,
    });
    let gone = (0_u8..3).prop_map(|ip| AgentGone { interface: "eth0".to_owned(), ip: IpAddr::from([10, 0, 0, ip]) });
    let probed = (0_u8..3).prop_map(|ip| Probed { ip: IpAddr::from([10, 0, 0, ip]), outcome: ProbeOutcome::Answered });
    let own = prop::option::of((1_u8..9, 0_u8..3)).prop_map(|own| {
        own.map(|(mac, ip)| AgentInterface {
            name: "eth0".to_owned(),
            mac: Some(Mac([0x52, 0x54, 0, 0, 0, mac])),
            ips: vec![format!("10.0.0.{ip}/24")],
        })
    });
    let parts = (
        prop::sample::select(vec!["a", "b", ""]),
        0_u64..3,
        any::<bool>(),
        prop::collection::vec(entry, 0..4),
        prop::collection::vec(gone, 0..3),
        prop::collection::vec(probed, 0..2),
        own,
    );
    parts.prop_map(|(agent, run, whole, neighbours, gone, probed, own)| AgentReport {
        agent: agent.to_owned(),
        run,
        whole,
        neighbours,
        gone,
        probed,
        interfaces: own.into_iter().collect(),
        ..AgentReport::default()
    })
}
