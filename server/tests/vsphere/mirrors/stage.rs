//! A stand-in for a vCenter with the driver of it, what VMware's own client makes of the same, and orders of every kind.

use e2e::{environment, vcenter::Vcenter};
use serde_json::{Value, json};
use server::mirror::{Driver as _, Order, Outcome, VsphereMirrors};
use shared::{
    MirrorId, Timestamp,
    config::Backend,
    mirror::{Direction, Encapsulation, MirrorSource, MirrorSpec, MirrorTag, Plan, SwitchView, Transport},
    net::Mac,
};
use std::{
    io::Write as _,
    process::{Command, Stdio},
};

/// VMware's client: writes (`write`), or reads and makes sessions of the stand-in's switch (`on`).
pub(crate) fn pyvmomi(arguments: &[&str], given: &Value) -> Value {
    let mut python = Command::new(environment::python().unwrap());
    python.args(["-c", include_str!("sessions.py")]).args(arguments);
    let mut child = python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(given.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "pyvmomi: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub(crate) fn backend(address: &str, username: &str, password: &str) -> Backend {
    serde_json::from_value(json!({"id": "vc-1", "kind": "vsphere", "address": address, "username": username,
        "password": password, "sessions": 16}))
    .unwrap()
}

/// A stand-in, and the driver of it.
pub(crate) struct Stage {
    pub(crate) vcenter: Vcenter,
    pub(crate) driver: VsphereMirrors,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::speaking("6.7")
    }

    pub(crate) fn speaking(version: &str) -> Self {
        let vcenter = Vcenter::start(&["-api", version]).unwrap();
        let listens = &vcenter.listens;
        let driver = VsphereMirrors::new(&backend(&listens.plain, &listens.username, &listens.password)).unwrap();
        Self { vcenter, driver }
    }

    pub(crate) async fn view(&self) -> SwitchView {
        let [view] = <[SwitchView; 1]>::try_from(self.driver.look(&[]).await.unwrap()).unwrap();
        view
    }

    /// Sessions as VMware's client reads them, after it made these changes.
    pub(crate) fn theirs(&self, changes: &Value) -> Vec<Value> {
        let listens = &self.vcenter.listens;
        let port = listens.plain.rsplit(':').next().unwrap();
        let read = pyvmomi(&["on", port, &listens.username, &listens.password], changes);
        read.as_array().unwrap().clone()
    }

    pub(crate) fn sessions(&self) -> Vec<Value> {
        self.theirs(&json!([]))
    }

    pub(crate) fn tell(&self, command: &str) {
        self.vcenter.command(command).unwrap();
    }

    /// Every change of the switch that was sent.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.vcenter.asked().unwrap().remove("ReconfigureDvs_Task").unwrap_or_default()
    }

    /// Plans and sends an order for the switch as it is.
    pub(crate) async fn apply(&self, wish: &Wish) -> Outcome {
        let view = self.view().await;
        let plan = wish.plan(&self.driver, &view).unwrap();
        self.driver.apply(&wish.order(), &plan).await
    }
}

/// What an order borrows.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) spec: MirrorSpec,
    pub(crate) sources: Vec<(Mac, String)>,
    pub(crate) tag: MirrorTag,
}

impl Wish {
    pub(crate) fn new(mirror: i64, view: &SwitchView, sources: &[&str], transport: Transport) -> Self {
        let expires_at = Timestamp::from_ms(1_800_000_000_000);
        let sources: Vec<(Mac, String)> =
            sources.iter().map(|key| (view.port(key).unwrap().mac.unwrap(), (*key).to_owned())).collect();
        let macs = sources.iter().map(|(mac, _)| *mac).collect();
        Self {
            spec: MirrorSpec {
                switch: Some(view.switch.clone()),
                source: MirrorSource::Nics { macs },
                transport,
                expires_at: Some(expires_at),
                ..MirrorSpec::default()
            },
            sources,
            tag: MirrorTag {
                mirror: MirrorId(mirror),
                instance: "ab12".into(),
                owner: "Eve & <Co>".into(),
                expires_at,
                plan: "0f1e2d".into(),
            },
        }
    }

    pub(crate) fn order(&self) -> Order<'_> {
        Order { spec: &self.spec, sources: &self.sources, tag: &self.tag }
    }

    /// As it is planned before the mirror has a number, and its plan a hash.
    pub(crate) fn plan(&self, driver: &VsphereMirrors, view: &SwitchView) -> Result<Plan, String> {
        let tag = MirrorTag { mirror: MirrorId(0), plan: String::new(), ..self.tag.clone() };
        driver.plan(&Order { tag: &tag, ..self.order() }, view)
    }
}

pub(crate) fn erspan(version: Encapsulation, session: u32) -> Transport {
    let remote = [10, 77, 200, 9].into();
    Transport::Erspan { version, remote, session, cos: None, nanoseconds: false, netstack: None }
}

pub(crate) fn everything(_: &MirrorTag) -> bool {
    true
}

/// An order of each kind with the fields that VMware's client reads of it, but for key, name and description.
pub(crate) fn of_each_kind(view: &SwitchView) -> Vec<(Wish, Value)> {
    let all = |fields: Value| {
        let mut said = json!({"enabled": true, "stripOriginalVlan": false, "normalTrafficAllowed": false});
        said.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        said
    };
    let mut span = Wish::new(1, view, &["1", "2"], Transport::Span { port: "3".into() });
    (span.spec.snap_bytes, span.spec.sampling) = (Some(128), Some(10));
    let mut from = Wish::new(
        2,
        view,
        &["1"],
        Transport::RspanSource { uplinks: vec!["Uplink 1".into()], vlan: 999, strip_vlan: true },
    );
    from.spec.direction = Direction::FromVm;
    let mut rspan = Wish::new(3, view, &[], Transport::RspanDestination { port: "4".into() });
    rspan.spec.source = MirrorSource::Vlans { vlans: vec![999, 7] };
    rspan.spec.keep_normal_traffic = true;
    let mut gre = Wish::new(4, view, &["1"], erspan(Encapsulation::Gre, 0));
    gre.spec.direction = Direction::ToVm;
    let second = Wish::new(5, view, &["1"], erspan(Encapsulation::Erspan2, 1_023));
    let mut third = Wish::new(6, view, &["2"], erspan(Encapsulation::Erspan3, 77));
    let remote = [10, 77, 200, 9].into();
    third.spec.transport = Transport::Erspan {
        version: Encapsulation::Erspan3,
        remote,
        session: 77,
        cos: Some(5),
        nanoseconds: true,
        netstack: Some("mirror".into()),
    };
    let to = json!({"ipAddress": ["10.77.200.9"]});
    vec![
        (
            span,
            all(json!({"sessionType": "dvPortMirror", "sourcePortReceived": {"portKey": ["1", "2"]},
            "sourcePortTransmitted": {"portKey": ["1", "2"]}, "destinationPort": {"portKey": ["3"]},
            "mirroredPacketLength": 128, "samplingRate": 10})),
        ),
        (
            from,
            all(json!({"sessionType": "remoteMirrorSource", "sourcePortReceived": {"portKey": ["1"]},
            "destinationPort": {"uplinkPortName": ["Uplink 1"]}, "encapsulationVlanId": 999, "stripOriginalVlan": true})),
        ),
        (
            rspan,
            all(json!({"sessionType": "remoteMirrorDest", "sourcePortReceived": {"vlans": [999, 7]},
            "destinationPort": {"portKey": ["4"]}, "normalTrafficAllowed": true})),
        ),
        (
            gre,
            all(json!({"sessionType": "encapsulatedRemoteMirrorSource", "encapType": "gre",
            "sourcePortTransmitted": {"portKey": ["1"]}, "destinationPort": to})),
        ),
        (
            second,
            all(json!({"sessionType": "encapsulatedRemoteMirrorSource", "encapType": "erspan2", "erspanId": 1_023,
            "sourcePortReceived": {"portKey": ["1"]}, "sourcePortTransmitted": {"portKey": ["1"]}, "destinationPort": to})),
        ),
        (
            third,
            all(json!({"sessionType": "encapsulatedRemoteMirrorSource", "encapType": "erspan3", "erspanId": 77,
            "erspanCOS": 5, "erspanGraNanosec": true, "netstack": "mirror", "sourcePortReceived": {"portKey": ["2"]},
            "sourcePortTransmitted": {"portKey": ["2"]}, "destinationPort": to})),
        ),
    ]
}
