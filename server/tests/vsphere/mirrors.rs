//! Mirrors on distributed switches, against a stand-in that keeps sessions (govmomi's simulator with ours around it): what is
//! sent is compared with how VMware's own client writes it, and what is there with what that client reads.

mod stage;

use e2e::wait;
use serde_json::{Value, json};
use server::{
    inventory::FaultKind,
    mirror::{Driver as _, Outcome, Picked, Quiet, VsphereMirrors},
};
use shared::{
    MirrorId, Timestamp,
    mirror::{
        BackendKind, Capabilities, Encapsulation, MIRROR_MARK, MirrorTag, PLAN_MARK, PortKind, Presence, REVISION_MARK,
        SwitchPort, SwitchView, Transport,
    },
};
use stage::{Stage, Wish, backend, erspan, everything, of_each_kind, pyvmomi};
use std::{collections::BTreeSet, time::Duration};

/// A switch that nobody has, with what one can do that is spoken to by this version.
fn imagined(erspan: bool, netstack: bool) -> SwitchView {
    let vm = |n: u8| SwitchPort {
        key: n.to_string(),
        kind: PortKind::Vm,
        mac: Some(format!("00:50:56:9a:00:{n:02x}").parse().unwrap()),
        ..SwitchPort::default()
    };
    let uplink =
        SwitchPort { key: "9".into(), name: Some("Uplink 1".into()), kind: PortKind::Uplink, ..SwitchPort::default() };
    SwitchView {
        backend: "vc-1".into(),
        kind: BackendKind::Vsphere,
        switch: "50 1a".into(),
        name: "DVS0".into(),
        version: "7.0.3".into(),
        seen_at: Timestamp::from_ms(0),
        revision: "41".into(),
        can: Capabilities {
            span: true,
            rspan_source: true,
            rspan_destination: true,
            gre: true,
            erspan2: erspan,
            erspan3: erspan,
            netstack,
            snap: true,
            sampling: true,
            ..Capabilities::default()
        },
        ports: (1..=4).map(vm).chain([uplink]).collect(),
        sessions: Vec::new(),
        routes: std::collections::BTreeMap::new(),
        clock_drift_ms: None,
    }
}

#[test]
fn what_is_planned_is_what_vmwares_client_writes_at_every_version() {
    let driver = VsphereMirrors::new(&backend("https://vcenter.invalid", "eve", "secret")).unwrap();
    let mut cases = Vec::new();
    let mut refused = Vec::new();
    for (version, erspan, netstack) in
        [("5.5", false, false), ("6.0", false, false), ("6.5", true, false), ("6.7", true, true)]
    {
        let view = imagined(erspan, netstack);
        for (wish, mut fields) in of_each_kind(&view) {
            let kind = fields["encapType"].as_str().unwrap_or_default().to_owned();
            let plan = match wish.plan(&driver, &view) {
                Ok(plan) => plan,
                Err(why) => {
                    refused.push(format!("{version} {kind}: {why}"));
                    continue;
                }
            };
            assert_eq!((plan.switch.as_str(), plan.revision.as_str(), plan.hash.as_str()), ("50 1a", "41", ""));
            let [step] = plan.steps.as_slice() else { panic!("{plan:?}") };
            if !erspan {
                // The field is of 6.5; without it, GRE is meant.
                fields.as_object_mut().unwrap().remove("encapType");
            }
            fields["name"] = json!(format!("tocsin-ab12-{MIRROR_MARK}"));
            fields["description"] = json!(format!(
                "tocsin mirror={MIRROR_MARK} instance=ab12 expires=1800000000000 plan={PLAN_MARK} owner=Eve & <Co>"
            ));
            // Every field stands in what people are shown.
            for (name, _) in fields.as_object().unwrap() {
                assert!(step.changes.iter().any(|line| line.contains(name.as_str())), "{name} in {:?}", step.changes);
            }
            cases.push(json!({"version": version, "ours": step.sent, "spec": [REVISION_MARK, [["add", fields]]]}));
        }
    }
    assert_eq!(cases.len(), 4 + 4 + 5 + 6);
    assert_eq!(refused.len(), 2 + 2 + 1, "{refused:?}");
    assert!(refused[..4].iter().all(|why| why.contains("ERSPAN, which needs vSphere 6.5")), "{refused:?}");
    assert!(refused[4].starts_with("6.5 erspan3") && refused[4].contains("needs vSphere 6.7"), "{refused:?}");
    for (written, case) in pyvmomi(&["write"], &json!(cases)).as_array().unwrap().iter().zip(&cases) {
        assert_eq!(written["ours"], written["theirs"], "{case}");
    }
}

#[tokio::test]
async fn sessions_of_every_kind_are_there_as_vmwares_client_reads_them_and_gone_after() {
    let stage = Stage::new();
    let view = stage.view().await;
    assert_eq!((view.name.as_str(), view.version.as_str(), view.can.sessions_most), ("DVS0", "7.0.3", 16));
    assert!(view.clock_drift_ms.is_some_and(|ms| ms.abs() < 10_000), "{:?}", view.clock_drift_ms);
    let of_each = of_each_kind(&view);
    for (wish, mut fields) in of_each.clone() {
        let (tag, order) = (&wish.tag, wish.order());
        assert_eq!(stage.driver.read(&order).await.unwrap().presence, Presence::Absent);
        assert_eq!(stage.apply(&wish).await, Outcome::Applied(None));
        let read = stage.sessions();
        let [session] = read.as_slice() else { panic!("{read:?}") };
        fields["key"] = session["key"].clone();
        (fields["name"], fields["description"]) = (json!(tag.name()), json!(tag.to_string()));
        assert_eq!(*session, fields);
        // It is known again by everything that is asked.
        assert_eq!(stage.driver.read(&order).await.unwrap().presence, Presence::AsPlanned);
        let observed = stage.view().await.sessions.remove(0);
        assert_eq!((observed.tag.as_ref(), observed.enabled), (Some(tag), true));
        assert_eq!(observed.kind, fields["sessionType"]);
        assert_eq!(stage.driver.quiet(&order).await.unwrap(), Quiet::Untold);
        // The same again changes nothing.
        let sent = stage.sent().len();
        assert_eq!(stage.apply(&wish).await, Outcome::Applied(None));
        assert_eq!(stage.sent().len(), sent);
        let removed = stage.driver.remove(Some(&view.switch), Picked(&everything)).await.unwrap();
        let [removed] = removed.as_slice() else { panic!("{removed:?}") };
        assert_eq!(
            (removed.mirror, removed.name.clone(), removed.tag.clone()),
            (tag.mirror, tag.name(), Some(tag.clone()))
        );
        assert_eq!(stage.sessions(), Vec::<Value>::new());
        assert_eq!(stage.driver.read(&order).await.unwrap().presence, Presence::Absent);
    }
    assert_eq!(stage.driver.remove(None, Picked(&everything)).await.unwrap(), []);
    assert_eq!(stage.sent().len(), 2 * of_each.len());
}

#[tokio::test]
async fn a_switch_tells_who_is_at_its_ports() {
    let stage = Stage::new();
    stage.tell("/promiscuous?port=3");
    let view = stage.view().await;
    let port = |key: &str| view.port(key).unwrap();
    let first = port("1");
    assert_eq!((first.kind, first.mac), (PortKind::Vm, "00:50:56:9a:00:00".parse().ok()));
    assert_eq!((first.vlan, first.mtu, first.ephemeral), (Some(100), Some(1_600), false));
    assert!(first.vm.as_ref().is_some_and(|name| name.starts_with("DC0_")) && first.group.is_some());
    assert!(first.hypervisor.as_ref().is_some_and(|name| name.starts_with("DC0_")), "{first:?}");
    assert_eq!((first.promiscuous, port("3").promiscuous), (None, Some(true)));
    let of = |kind: PortKind| view.ports.iter().filter(move |port| port.kind == kind).count();
    assert_eq!((of(PortKind::Vm), of(PortKind::Unknown)), (4, 0));
    assert!(of(PortKind::Uplink) >= 2 && of(PortKind::Host) == of(PortKind::Uplink), "{:?}", view.ports);
    let uplinks = view.ports.iter().filter(|port| port.kind == PortKind::Uplink);
    assert!(uplinks.clone().all(|port| port.name.as_deref() == Some("Uplink 1") && port.vm.is_none()));
}

/// Sessions of others, of all five kinds, one of them another Tocsin's.
fn foreign() -> Value {
    let all = |fields: Value| {
        let mut said = json!({"enabled": true, "stripOriginalVlan": false, "normalTrafficAllowed": false});
        said.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!(["add", said])
    };
    json!([
        all(json!({"name": "span", "sessionType": "dvPortMirror", "sourcePortReceived": {"portKey": ["3"]},
            "destinationPort": {"portKey": ["4"]}, "description": "notes of Eve"})),
        all(json!({"name": "rspan", "sessionType": "remoteMirrorSource", "sourcePortTransmitted": {"portKey": ["3"]},
            "destinationPort": {"uplinkPortName": ["Uplink 2"]}, "encapsulationVlanId": 77})),
        all(json!({"name": "back", "sessionType": "remoteMirrorDest", "sourcePortReceived": {"vlans": [77]},
            "destinationPort": {"portKey": ["vacant-1"]}, "enabled": false})),
        all(
            json!({"name": "tunnel", "sessionType": "encapsulatedRemoteMirrorSource", "encapType": "erspan2", "erspanId": 5,
            "sourcePortReceived": {"wildcardPortConnecteeType": ["vmVnic"]},
            "destinationPort": {"ipAddress": ["10.77.200.1", "10.77.200.2"]}})
        ),
        all(json!({"name": "old", "sourcePortReceived": {"portKey": ["3"]},
            "destinationPort": {"portKey": ["vacant-2"], "uplinkPortName": ["Uplink 1"]}})),
        all(json!({"name": "tocsin-cd34-7", "sessionType": "dvPortMirror", "sourcePortReceived": {"portKey": ["3"]},
            "destinationPort": {"portKey": ["vacant-3"]},
            "description": "tocsin mirror=7 instance=cd34 expires=1800000000000 plan=0f owner=ann"})),
    ])
}

#[tokio::test]
async fn what_is_not_ours_is_shown_whole_and_in_nothing_that_is_sent() {
    let stage = Stage::new();
    let before = stage.theirs(&foreign());
    assert_eq!(before.len(), 6);
    let by_others = stage.sent().len();
    let view = stage.view().await;
    let shown = |name: &str| view.sessions.iter().find(|session| session.name == name).unwrap();
    assert_eq!((shown("span").from_vm.join(""), shown("span").ports.join("")), ("3".into(), "4".into()));
    assert_eq!((shown("rspan").to_vm.join(""), shown("rspan").output_vlan), ("3".into(), Some(77)));
    assert_eq!((shown("back").vlans.as_slice(), shown("back").enabled), ([77].as_slice(), false));
    let tunnel = shown("tunnel").tunnel.as_ref().unwrap();
    assert_eq!(
        (tunnel.remote.to_string(), tunnel.session, shown("tunnel").all_ports),
        ("10.77.200.1".into(), Some(5), true)
    );
    assert_eq!(shown("tunnel").ports, ["10.77.200.2"]);
    assert_eq!(
        (shown("old").kind.as_str(), shown("old").ports.join(",")),
        ("mixedDestMirror", "vacant-2,Uplink 1".into())
    );
    assert!(
        view.sessions.iter().filter(|session| session.tag.is_some()).all(|session| session.name == "tocsin-cd34-7")
    );

    // Everything that a driver does, and everything of ours at once.
    let mut wish = Wish::new(7, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    assert_eq!(stage.apply(&wish).await, Outcome::Applied(None));
    wish.tag.expires_at = wish.tag.expires_at.plus_ms(300_000);
    stage.driver.retag(&wish.order()).await.unwrap();
    let other = Wish::new(8, &view, &["2"], erspan(Encapsulation::Erspan2, 10));
    assert_eq!(stage.apply(&other).await, Outcome::Applied(None));
    let ours = |tag: &MirrorTag| tag.instance == "ab12";
    let removed = stage.driver.remove(None, Picked(&ours)).await.unwrap();
    assert_eq!(removed.iter().map(|it| it.mirror.0).collect::<Vec<_>>(), [7, 8]);

    assert_eq!(stage.sessions(), before);
    let sent = &stage.sent()[by_others..];
    assert_eq!(sent.len(), 4, "two made, one retagged, both removed at once");
    for body in sent {
        for session in &before {
            let (key, name) = (session["key"].as_str().unwrap(), session["name"].as_str().unwrap());
            assert!(
                !body.contains(&format!("<key>{key}<")) && !body.contains(&format!("<name>{name}<")),
                "{name}: {body}"
            );
        }
    }
    assert!(sent[3].matches("<operation>remove</operation>").count() == 2, "{}", sent[3]);
}

#[tokio::test]
async fn a_new_end_is_an_edit_that_keeps_the_key() {
    let stage = Stage::new();
    let view = stage.view().await;
    for (mut wish, _) in of_each_kind(&view) {
        assert_eq!(stage.apply(&wish).await, Outcome::Applied(None));
        let before = stage.sessions().remove(0);
        wish.tag.expires_at = wish.tag.expires_at.plus_ms(300_000);
        stage.tell("/concurrent?times=1");
        stage.driver.retag(&wish.order()).await.unwrap();
        let mut expected = before.clone();
        expected["description"] = json!(wish.tag.to_string());
        assert!(before["key"].as_str().is_some_and(|key| !key.is_empty()) && expected != before);
        assert_eq!(stage.sessions(), [expected]);
        assert_eq!(stage.driver.read(&wish.order()).await.unwrap().presence, Presence::AsPlanned);
        stage.driver.remove(None, Picked(&everything)).await.unwrap();
        let fault = stage.driver.retag(&wish.order()).await.unwrap_err();
        assert!(fault.message.contains("does not have tocsin-ab12-"), "{fault}");
    }
}

#[tokio::test]
async fn who_else_changes_the_switch_is_waited_for_three_times() {
    let stage = Stage::new();
    let view = stage.view().await;
    let wish = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    stage.tell("/concurrent?times=2");
    assert_eq!(stage.apply(&wish).await, Outcome::Applied(None));
    assert_eq!(stage.sent().len(), 3);
    stage.tell("/concurrent?times=2");
    assert_eq!(stage.driver.remove(None, Picked(&everything)).await.unwrap().len(), 1);
    stage.tell("/concurrent?times=3");
    let Outcome::Refused(why) = stage.apply(&wish).await else { panic!() };
    assert!(why.contains("somebody else changes the switch again and again"), "{why}");
    assert_eq!((stage.sessions().len(), stage.sent().len()), (0, 9));
}

#[tokio::test]
async fn what_the_switch_does_not_say_it_can_do_is_not_asked_of_it() {
    let stage = Stage::new();
    let able = stage.view().await;
    stage.tell("/able?to=none");
    let unable = stage.view().await;
    let none = Capabilities { revalidates: true, follows: true, same_hypervisor: true, ..Capabilities::default() };
    assert_eq!(Capabilities { snap_least: 0, snap_most: 0, sessions_most: 0, ..unable.can }, none);
    for (wish, _) in of_each_kind(&able) {
        let why = wish.plan(&stage.driver, &unable).unwrap_err();
        assert!(why.contains("does not say that it can do") || why.contains("cannot copy only"), "{why}");
        // Nor when it could when it was planned.
        let plan = wish.plan(&stage.driver, &able).unwrap();
        let Outcome::Refused(why) = stage.driver.apply(&wish.order(), &plan).await else { panic!() };
        assert!(why.contains("does not say that it can do") || why.contains("cannot copy only"), "{why}");
    }
    stage.tell("/able?to=plain");
    let plain = stage.view().await;
    assert!(plain.can.gre && plain.can.span && !plain.can.erspan2 && !plain.can.erspan3 && !plain.can.netstack);
    assert_eq!(stage.apply(&Wish::new(9, &plain, &["1"], erspan(Encapsulation::Gre, 0))).await, Outcome::Applied(None));
    assert!(stage.sent().iter().all(|body| !body.contains("encapType")) && stage.sent().len() == 1);
    // The interface of 6.5 has no network stacks, whatever the switch can do.
    let older = Stage::speaking("6.5").view().await;
    assert!(older.can.erspan3 && !older.can.netstack);
}

#[tokio::test]
async fn an_order_that_does_not_fit_the_switch_is_no_plan() {
    let stage = Stage::new();
    let view = stage.view().await;
    let base = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    let with = |change: &dyn Fn(&mut Wish)| {
        let mut wish = base.clone();
        change(&mut wish);
        wish.plan(&stage.driver, &view).unwrap_err()
    };
    let transport = |transport: Transport| with(&|wish: &mut Wish| wish.spec.transport = transport.clone());
    let rspan = |uplinks: &[&str], vlan| {
        let uplinks = uplinks.iter().map(|name| (*name).to_owned()).collect();
        transport(Transport::RspanSource { uplinks, vlan, strip_vlan: false })
    };
    for (why, told) in [
        (with(&|wish| wish.spec.vlan_filter = vec![5]), "VLAN filter"),
        (with(&|wish| wish.spec.snap_bytes = Some(59)), "59 is not within 60 to 9216"),
        (with(&|wish| wish.spec.sampling = Some(65_536)), "not within 1 to 65535"),
        (with(&|wish| wish.sources.clear()), "needs interfaces of machines"),
        (with(&|wish| wish.sources[0].1 = "12".into()), "nothing is plugged into port 12"),
        (with(&|wish| wish.sources[0].1 = "2".into()), "behind port 2 of DVS0 is not 00:50:56:9a:00:00"),
        (transport(Transport::Legacy), "never made"),
        (transport(Transport::Span { port: "33".into() }), "nothing is plugged into port 33"),
        (transport(Transport::RspanDestination { port: "3".into() }), "name them as the source"),
        (transport(erspan(Encapsulation::Erspan2, 1_024)), "0 to 1023, not 1024"),
        (transport(erspan(Encapsulation::Gre, 7)), "carries neither a session"),
        (rspan(&[], 9), "DVS0 has Uplink 1"),
        (rspan(&["Uplink 7"], 9), "no uplink `Uplink 7`"),
        (rspan(&["Uplink 1"], 4_095), "1 to 4094, not 4095"),
    ] {
        assert!(why.contains(told), "{why} has no {told}");
    }
    let kernel = view.ports.iter().find(|port| port.kind == PortKind::Host).unwrap().key.clone();
    assert!(with(&|wish| wish.sources[0].1.clone_from(&kernel)).contains("is no machine"));
}

#[tokio::test]
async fn a_lost_answer_is_read_back_before_anything_is_said() {
    let stage = Stage::new();
    let view = stage.view().await;
    let wish = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    stage.tell("/lose?when=after");
    assert_eq!(stage.apply(&wish).await, Outcome::Applied(None));
    stage.tell("/lose?when=after");
    assert_eq!(stage.driver.remove(None, Picked(&everything)).await.unwrap().len(), 1);
    stage.tell("/lose?when=before");
    let Outcome::Unknown(why) = stage.apply(&wish).await else { panic!() };
    assert!(why.contains("cut the answer off") && stage.sessions().is_empty(), "{why}");
}

#[tokio::test]
async fn a_slow_task_is_waited_for_and_one_that_does_not_end_is_unknown() {
    let mut stage = Stage::new();
    let view = stage.view().await;
    let wish = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    stage.tell("/slow?ms=400");
    let mut told = BTreeSet::new();
    let watched = async {
        loop {
            told.extend(stage.driver.progress());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let applied = tokio::select! {
        applied = stage.apply(&wish) => applied,
        () = watched => unreachable!(),
    };
    assert_eq!(applied, Outcome::Applied(None));
    assert_eq!(told, BTreeSet::from(["running, 40 %".to_owned()]), "whoever waits sees how far it is");
    assert_eq!(stage.driver.progress(), None);
    assert_eq!(stage.driver.remove(None, Picked(&everything)).await.unwrap().len(), 1);
    stage.tell("/slow?ms=1500");
    stage.driver = stage.driver.patient(Duration::from_millis(100));
    let Outcome::Unknown(why) = stage.apply(&wish).await else { panic!() };
    assert!(why.contains("had not ended after") && why.contains("running, 40 %"), "{why}");
    wait::attempt("the session comes late", wait::PATIENCE, || Ok((!stage.sessions().is_empty()).then_some(())))
        .unwrap();
    stage.tell("/slow?ms=0");
    assert_eq!(stage.driver.remove(None, Picked(&everything)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn done_is_not_believed_but_read_back() {
    let stage = Stage::new();
    let view = stage.view().await;
    let wish = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    stage.tell("/swallow");
    let Outcome::Refused(why) = stage.apply(&wish).await else { panic!() };
    assert!(why.contains("said that it was done, and has nothing of it"), "{why}");
    stage.tell("/twist");
    let Outcome::Unknown(why) = stage.apply(&wish).await else { panic!() };
    assert!(why.contains("samplingRate: `7`, was `1`"), "{why}");
    // What is there otherwise is not made again, and can be stopped.
    let sent = stage.sent().len();
    assert!(matches!(stage.apply(&wish).await, Outcome::Unknown(_)) && stage.sent().len() == sent);
    stage.tell("/swallow");
    assert_eq!(stage.driver.remove(None, Picked(&everything)).await.unwrap().len(), 1);
    assert_eq!((stage.sessions().len(), stage.sent().len()), (0, sent + 2));
}

#[tokio::test]
async fn what_the_vcenter_refuses_is_said_with_its_mend() {
    let stage = Stage::new();
    let view = stage.view().await;
    let span =
        |mirror, source: &str, to: &str| Wish::new(mirror, &view, &[source], Transport::Span { port: to.into() });
    assert_eq!(stage.apply(&span(1, "1", "3")).await, Outcome::Applied(None));
    stage.tell("/promiscuous?port=4");
    for (wish, command, told) in [
        (span(2, "2", "3"), "", "port 3 is the destination of another session already"),
        (span(2, "3", "2"), "", "port 3 would be the destination of one session and a source"),
        (span(2, "2", "2"), "", "port 2 would be source and destination of one session"),
        (span(2, "2", "4"), "", "port 4 is promiscuous"),
        (span(2, "2", "4"), "/forbid", "the privilege DVSwitch.Vspan"),
        (span(2, "2", "4"), "/limit", "as many sessions as it takes"),
    ] {
        if !command.is_empty() {
            stage.tell(command);
        }
        let Outcome::Refused(why) = stage.apply(&wish).await else { panic!("{told}") };
        assert!(why.starts_with("DVS0 refused it: ") && why.contains(told), "{why}");
    }
    assert_eq!(stage.sessions().len(), 1);
    stage.tell("/forbid");
    let fault = stage.driver.remove(None, Picked(&everything)).await.unwrap_err();
    assert!(fault.message.contains("DVSwitch.Vspan"), "{fault}");
    // Nothing that was sent says anything of a port's own settings.
    assert!(
        stage.sent().iter().all(|body| !body.to_lowercase().contains("promiscuous") && !body.contains("PortConfig"))
    );

    let listens = &stage.vcenter.listens;
    let stranger = VsphereMirrors::new(&backend(&listens.plain, "eve", "canary-of-eve")).unwrap();
    let fault = stranger.look(&[]).await.unwrap_err();
    assert!(fault.kind == FaultKind::Refused && fault.message.contains("`eve`"), "{fault}");
    assert!(!format!("{fault:?} {stranger:?}").contains("canary-of-eve"));
}

#[tokio::test]
async fn a_session_whose_source_is_gone_or_that_was_changed_says_so() {
    let stage = Stage::new();
    let view = stage.view().await;
    let vm = |key: &str| view.port(key).unwrap().vm.clone().unwrap();
    let wish = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    assert_eq!(stage.apply(&wish).await, Outcome::Applied(None));
    let presence = async || stage.driver.read(&wish.order()).await.unwrap().presence;
    // Nobody is plugged in; somebody else is; it is itself again.
    stage.tell(&format!("/plug?vm={}&port=31", vm("1")));
    assert_eq!(presence().await, Presence::SourceGone);
    stage.tell(&format!("/plug?vm={}&port=1", vm("2")));
    let Presence::Changed(what) = presence().await else { panic!() };
    assert!(what.contains("behind its source port 1 is another machine now, 00:50:56:9a:00:01"), "{what}");
    stage.tell(&format!("/plug?vm={}&port=2", vm("2")));
    stage.tell(&format!("/plug?vm={}&port=1", vm("1")));
    stage.tell(&format!("/power?vm={}&state=poweredOff", vm("1")));
    assert_eq!(presence().await, Presence::AsPlanned);

    // Somebody else takes another source into it, or writes another description.
    let mut session = stage.sessions().remove(0);
    session["sourcePortReceived"] = json!({"portKey": ["1", "2"]});
    stage.theirs(&json!([["edit", session]]));
    let Presence::Changed(what) = presence().await else { panic!() };
    assert!(what.contains("00:50:56:9a:00:01"), "{what}");
    session["sourcePortReceived"] = json!({"portKey": ["1"]});
    session["enabled"] = json!(false);
    stage.theirs(&json!([["edit", session]]));
    assert_eq!(presence().await, Presence::Changed("enabled: `false`, was `true`".into()));
    session["description"] = json!("mine now");
    stage.theirs(&json!([["edit", session]]));
    let Presence::Changed(what) = presence().await else { panic!() };
    assert!(what.contains("its description"), "{what}");
    // Then it is nobody's to remove, and must not be taken for gone.
    let fault = stage.driver.remove(None, Picked(&everything)).await.unwrap_err();
    assert!(fault.message.contains("remove it by hand") && stage.sessions().len() == 1, "{fault}");
    assert_eq!(stage.driver.remove(None, Picked(&|tag| tag.mirror == MirrorId(2))).await.unwrap(), []);
}

#[tokio::test]
async fn a_session_at_the_vcenter_that_has_ended_is_begun_again() {
    let stage = Stage::new();
    let view = stage.view().await;
    let wish = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    let plan = wish.plan(&stage.driver, &view).unwrap();
    stage.tell("/end-sessions");
    assert_eq!(stage.driver.apply(&wish.order(), &plan).await, Outcome::Applied(None));
    stage.tell("/end-sessions");
    assert_eq!(stage.driver.remove(None, Picked(&everything)).await.unwrap().len(), 1);
    assert_eq!((stage.vcenter.calls().unwrap()["Login"], stage.sessions().len()), (3, 0));
}

#[tokio::test]
async fn what_was_not_agreed_to_is_not_sent() {
    let stage = Stage::new();
    let view = stage.view().await;
    let wish = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 9));
    let plan = wish.plan(&stage.driver, &view).unwrap();
    let elsewhere = Wish::new(1, &view, &["2"], erspan(Encapsulation::Erspan2, 9));
    let other = Wish::new(1, &view, &["1"], erspan(Encapsulation::Erspan2, 10));
    for wish in [elsewhere, other] {
        let Outcome::Refused(why) = stage.driver.apply(&wish.order(), &plan).await else { panic!() };
        assert!(why.contains("another plan would be sent now"), "{why}");
    }
    assert_eq!(stage.sent(), Vec::<String>::new());
    // A later end is the same plan.
    let mut later = wish;
    later.tag.expires_at = later.tag.expires_at.plus_ms(300_000);
    assert_eq!(stage.driver.apply(&later.order(), &plan).await, Outcome::Applied(None));
}
