//! A mirror for tests.

use shared::{
    CollectorId, IncidentId, MirrorId, Timestamp,
    api::{BackendRow, CollectorRow, MirrorBoard, MirrorLimits, SwitchRow},
    mirror::{
        BackendKind, Capabilities, Direction, Encapsulation, Evidence, Mirror, MirrorSource, MirrorSpec, MirrorState,
        MirrorStep, Plan, Transport,
    },
    timeline::{Actor, MirrorEvent},
};

const MINUTE_MS: i64 = 60_000;

/// So many minutes after the mirror began.
pub(crate) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_ms(1_795_000_000_000 + minutes * MINUTE_MS)
}

pub(crate) fn li() -> Actor {
    Actor::Account { login: "li".into() }
}

/// ERSPAN II of `web01` to `capture`, asked for by li for half an hour.
pub(crate) fn mirror(state: MirrorState) -> Mirror {
    let spec = MirrorSpec {
        incident: Some(IncidentId(7)),
        reason: "Retransmissions".into(),
        backend: Some("kvm-1".into()),
        switch: Some("sys/br-int".into()),
        source: MirrorSource::Nics { macs: vec!["52:54:00:00:00:01".parse().expect("a MAC")] },
        direction: Direction::Both,
        transport: Transport::Erspan {
            version: Encapsulation::Erspan2,
            remote: [10, 77, 0, 9].into(),
            session: 3,
            cos: None,
            nanoseconds: false,
            netstack: None,
        },
        expires_at: Some(at(30)),
        ..MirrorSpec::default()
    };
    let requested = MirrorEvent::Requested {
        of: vec!["web01".into()],
        to: "capture".into(),
        until: at(30),
        needs_approval: false,
        plan: "0123abcd".into(),
        reason: spec.reason.clone(),
    };
    Mirror {
        id: MirrorId(12),
        plan: Plan {
            backend: "kvm-1".into(),
            switch: "sys/br-int".into(),
            hash: "0123abcd".repeat(8),
            ..Plan::default()
        },
        spec,
        findings: vec![],
        state,
        by: li(),
        created_at: at(0),
        key: None,
        needs_approval: false,
        approved: None,
        starts_at: at(0),
        expires_at: at(30),
        latest: at(240),
        tries: 1,
        trouble: None,
        progress: None,
        applied_at: Some(at(0)),
        verified: None,
        evidence: Evidence::default(),
        ended: None,
        stopped_at: None,
        proved_at: None,
        unprovable: false,
        steps: vec![MirrorStep { at: at(0), by: li(), what: requested }],
    }
}

/// One switch of Open vSwitch that cannot cut packets, and a collector.
pub(crate) fn board(items: Vec<Mirror>) -> MirrorBoard {
    let can = Capabilities { span: true, rspan_source: true, gre: true, erspan2: true, ..Capabilities::default() };
    let switch = SwitchRow {
        backend: "kvm-1".into(),
        switch: "sys/br-int".into(),
        name: "br-int".into(),
        version: "3.1.0".into(),
        can,
        ports: 9,
        others: vec![],
    };
    let backend = BackendRow {
        id: "kvm-1".into(),
        name: "KVM 1".into(),
        kind: BackendKind::Openvswitch,
        address: "unix:/run/openvswitch/db.sock".into(),
        paused: false,
        seen_at: Some(at(0)),
        error: None,
        switches: vec![switch],
    };
    let collector = CollectorRow {
        id: CollectorId::from("capture"),
        name: "capture".into(),
        ip: Some([10, 77, 0, 9].into()),
        backend: None,
        switch: None,
        port: None,
        vlan: None,
        allowed: true,
        in_use: 0,
    };
    MirrorBoard {
        items,
        next: None,
        backends: vec![backend],
        collectors: vec![collector],
        limits: MirrorLimits { usual_ms: 30 * MINUTE_MS, longest_ms: 240 * MINUTE_MS, per_person: 3, allowed: true },
        watchdog_at: None,
    }
}
