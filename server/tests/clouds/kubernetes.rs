//! Kubernetes: lists in pages and watches, as the reference of its interface shows them.

use super::fake::{Answer, Asked, Fake, PATIENCE, SECRET, lines, papers, text_of, trust};
use serde_json::{Value, json};
use server::inventory::{
    Collector as _, Fault, FaultKind, OwnCertificate,
    kubernetes::{Identity, Kubernetes, Settings},
};
use shared::inventory::{Hypervisor, IpHow, Nic, NicIp, Observation, Power, Vm};
use std::{
    collections::VecDeque,
    fs,
    sync::{Arc, Mutex, mpsc::SyncSender},
    time::Duration,
};
use tokio::time::timeout;

/// A cluster that gives two objects a page.
struct Cluster {
    token: &'static str,
    pods: Vec<Value>,
    nodes: Vec<Value>,
    /// Of the list.
    version: u64,
    /// What becomes of each watch; when there are no more, it stays open and says nothing.
    watches: VecDeque<Answer>,
    /// So often, the place to go on from is forgotten.
    forgets: u32,
    held: Vec<SyncSender<String>>,
}

fn uid(number: u8) -> String {
    format!("6fa459ea-ee8a-3ca4-894e-db77e16035{number:02x}")
}

fn pod(number: u8, name: &str, node: &str, ip: &str, version: u64) -> Value {
    json!({
        "metadata": {"name": name, "generateName": "web-", "namespace": "shop", "uid": uid(number),
            "resourceVersion": version.to_string(), "creationTimestamp": "2024-05-01T10:00:00Z", "labels": {"app": "web"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": uid(200), "controller": true}],
            "managedFields": [{"manager": "kubelet", "operation": "Update", "fieldsV1": {"f:status": {}}}]},
        "spec": {"nodeName": node, "containers": [{"name": "web", "image": "web:1"}], "restartPolicy": "Always"},
        "status": {"phase": "Running", "hostIP": "10.9.0.1", "podIP": ip, "podIPs": [{"ip": ip}], "qosClass": "BestEffort",
            "conditions": [{"type": "Ready", "status": "True", "lastProbeTime": null}]},
    })
}

fn node(name: &str, ip: &str) -> Value {
    json!({
        "metadata": {"name": name, "uid": uid(100), "resourceVersion": "1", "labels": {"topology.kubernetes.io/zone": "zone-a"}},
        "spec": {"podCIDR": "10.244.1.0/24"},
        "status": {"addresses": [{"type": "InternalIP", "address": ip}, {"type": "Hostname", "address": name}],
            "images": [{"names": ["web:1"], "sizeBytes": 1}], "nodeInfo": {"kubeletVersion": "v1.30.0"}},
    })
}

fn vm(number: u8, name: &str, node: &str, ip: &str) -> Vm {
    let ips = vec![NicIp { ip: ip.parse().unwrap(), how: IpHow::Assigned }];
    Vm {
        key: uid(number),
        name: format!("shop/{name}"),
        uuid: Some(uid(number)),
        hostname: Some(name.into()),
        power: Power::On,
        hypervisor: Some(node.into()),
        tags: vec!["app=web".into()],
        nics: vec![Nic { label: "eth0".into(), ips, ..Nic::default() }],
        ..Vm::default()
    }
}

fn cluster() -> Cluster {
    Cluster {
        token: SECRET,
        pods: vec![
            pod(1, "web-1", "n1", "10.244.1.1", 11),
            pod(2, "web-2", "n2", "10.244.2.2", 12),
            pod(3, "web-3", "n1", "10.244.1.3", 13),
        ],
        nodes: vec![node("n1", "10.9.0.1"), node("n2", "10.9.0.2"), node("n3", "10.9.0.3")],
        version: 100,
        watches: VecDeque::new(),
        forgets: 0,
        held: Vec::new(),
    }
}

fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason, "code": code})
}

impl Cluster {
    fn answer(&mut self, asked: &Asked) -> Answer {
        if asked.header("authorization") != Some(&format!("Bearer {}", self.token)) {
            return Answer::Json(401, failure(401, "Unauthorized", "Unauthorized"));
        }
        match (asked.path(), asked.query("watch")) {
            ("/api/v1/pods", Some(_)) => self.watches.pop_front().unwrap_or_else(|| {
                let (sender, answer) = lines();
                self.held.push(sender);
                answer
            }),
            ("/api/v1/pods", None) => self.list(asked, "PodList", self.pods.clone()),
            ("/api/v1/nodes", None) => self.list(asked, "NodeList", self.nodes.clone()),
            _ => Answer::Json(404, failure(404, "NotFound", "the server could not find the requested resource")),
        }
    }

    fn list(&mut self, asked: &Asked, kind: &str, items: Vec<Value>) -> Answer {
        let from: usize =
            asked.query("continue").map_or(0, |place| place.strip_prefix("ENC=").unwrap().parse().unwrap());
        if from > 0 && self.forgets > 0 {
            self.forgets -= 1;
            return Answer::Json(410, failure(410, "Expired", "The provided continue parameter is too old"));
        }
        let left = items.len().saturating_sub(from + 2);
        let more = if left > 0 { format!("ENC={}", from + 2) } else { String::new() };
        let mut metadata = json!({"resourceVersion": self.version.to_string()});
        if left > 0 {
            metadata["continue"] = json!(more);
            metadata["remainingItemCount"] = json!(left);
        }
        let page: Vec<Value> = items.into_iter().skip(from).take(2).collect();
        Answer::Json(200, json!({"kind": kind, "apiVersion": "v1", "metadata": metadata, "items": page}))
    }

    /// What the next watch says, before it is cut.
    fn watch(&mut self, events: &[(&str, Value)]) {
        let (sender, answer) = lines();
        for (kind, object) in events {
            sender.send(json!({"type": kind, "object": object}).to_string()).unwrap();
        }
        self.watches.push_back(answer);
    }
}

fn start(cluster: Cluster, identity: Identity) -> (Fake, Arc<Mutex<Cluster>>, Kubernetes) {
    let cluster = Arc::new(Mutex::new(cluster));
    let answering = Arc::clone(&cluster);
    let fake = Fake::start(move |asked, _| answering.lock().unwrap().answer(asked));
    let kubernetes = Kubernetes::new(settings(&fake, identity)).unwrap();
    (fake, cluster, kubernetes)
}

fn settings(fake: &Fake, identity: Identity) -> Settings {
    let (wait, look_every) = (Duration::from_millis(300), Duration::from_secs(3_600));
    Settings { url: fake.url.clone(), identity, trust: trust(), wait, look_every }
}

fn token() -> Identity {
    Identity::Token(SECRET.into())
}

async fn next(kubernetes: &mut Kubernetes) -> Result<Observation, Fault> {
    timeout(PATIENCE, kubernetes.next()).await.unwrap()
}

/// The next observation that says something.
async fn told(kubernetes: &mut Kubernetes) -> Observation {
    let listening = async {
        loop {
            let told = kubernetes.next().await.unwrap();
            if told != Observation::default() {
                return told;
            }
        }
    };
    timeout(PATIENCE, listening).await.unwrap()
}

fn hypervisor(name: &str, ip: &str) -> Hypervisor {
    Hypervisor { key: name.into(), name: name.into(), cluster: Some("zone-a".into()), ips: vec![ip.parse().unwrap()] }
}

fn whole() -> Observation {
    Observation {
        whole: true,
        hypervisors: vec![hypervisor("n1", "10.9.0.1"), hypervisor("n2", "10.9.0.2"), hypervisor("n3", "10.9.0.3")],
        vms: vec![
            vm(1, "web-1", "n1", "10.244.1.1"),
            vm(2, "web-2", "n2", "10.244.2.2"),
            vm(3, "web-3", "n1", "10.244.1.3"),
        ],
        ..Observation::default()
    }
}

#[tokio::test]
async fn pods_are_listed_page_by_page_and_then_watched() {
    let (fake, cluster, mut kubernetes) = start(cluster(), token());
    cluster.lock().unwrap().watch(&[
        ("ADDED", pod(4, "web-4", "n2", "10.244.2.4", 101)),
        ("MODIFIED", pod(1, "web-1", "n2", "10.244.2.1", 102)),
        // Nothing that is told of it is another.
        ("MODIFIED", pod(3, "web-3", "n1", "10.244.1.3", 103)),
        ("DELETED", pod(2, "web-2", "n2", "10.244.2.2", 104)),
        ("BOOKMARK", json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"resourceVersion": "250"}, "spec": {"containers": null}, "status": {}})),
    ]);
    assert_eq!(next(&mut kubernetes).await.unwrap(), whole());
    assert_eq!(fake.asked("continue=").len(), 2, "one page more of each list");
    let vms = vec![vm(1, "web-1", "n2", "10.244.2.1"), vm(4, "web-4", "n2", "10.244.2.4")];
    assert_eq!(told(&mut kubernetes).await, Observation { vms, gone: vec![uid(2)], ..Observation::default() });
    // The watch was cut: the next goes on behind the bookmark, and nothing is read anew.
    assert_eq!(next(&mut kubernetes).await.unwrap(), Observation::default());
    let watches = fake.asked("watch=1");
    let versions: Vec<_> = watches.iter().filter_map(|asked| asked.query("resourceVersion")).collect();
    assert_eq!(versions, ["100", "250"]);
    assert!(watches.iter().all(|asked| asked.query("allowWatchBookmarks").as_deref() == Some("true")));
    assert_eq!(fake.asked("/api/v1/pods?limit").len(), 2);
    // And what happens then is told within its watch.
    let said = json!({"type": "DELETED", "object": pod(4, "web-4", "n2", "10.244.2.4", 251)}).to_string();
    cluster.lock().unwrap().held.last().unwrap().send(said).unwrap();
    assert_eq!(told(&mut kubernetes).await.gone, [uid(4)]);
    assert_eq!(fake.asked("watch=1").len(), 2);
}

#[tokio::test]
async fn a_forgotten_version_means_the_whole_again() {
    let expired = failure(410, "Expired", "too old resource version: 100 (4711)");
    let refused = Answer::Json(410, expired.clone());
    for how in [refused, {
        let (sender, answer) = lines();
        sender.send(json!({"type": "ERROR", "object": expired}).to_string()).unwrap();
        answer
    }] {
        let (fake, cluster, mut kubernetes) = start(cluster(), token());
        cluster.lock().unwrap().watches.push_back(how);
        assert_eq!(next(&mut kubernetes).await.unwrap(), whole());
        cluster.lock().unwrap().pods.pop();
        cluster.lock().unwrap().version = 5_000;
        let again = next(&mut kubernetes).await.unwrap();
        assert!(again.whole && again.vms.len() == 2, "{again:?}");
        assert_eq!(next(&mut kubernetes).await.unwrap(), Observation::default());
        assert_eq!(fake.asked("watch=1").last().unwrap().query("resourceVersion").as_deref(), Some("5000"));
    }
}

#[tokio::test]
async fn a_list_that_is_forgotten_begins_anew_and_not_for_ever() {
    let (_fake, _, mut kubernetes) = start(Cluster { forgets: 2, ..cluster() }, token());
    assert_eq!(next(&mut kubernetes).await.unwrap(), whole());
    let (fake, _, mut kubernetes) = start(Cluster { forgets: 100, ..cluster() }, token());
    let fault = next(&mut kubernetes).await.unwrap_err();
    assert!(fault.kind == FaultKind::Unreachable && fake.asked("continue=").len() == 3, "{fault}");
}

#[tokio::test]
async fn a_list_without_an_end_is_given_up() {
    let fake = Fake::start(|_, _| {
        Answer::Json(200, json!({"metadata": {"resourceVersion": "1", "continue": "x"}, "items": []}))
    });
    let fault = next(&mut Kubernetes::new(settings(&fake, token())).unwrap()).await.unwrap_err();
    assert!(fault.kind == FaultKind::Unreadable && fault.message.contains("comes to no end"), "{fault}");
    assert_eq!(fake.asked("").len(), 2);
}

#[tokio::test]
async fn nodes_come_and_go() {
    let (fake, cluster, _) = start(cluster(), token());
    let often = Settings { look_every: Duration::ZERO, ..settings(&fake, token()) };
    let mut kubernetes = Kubernetes::new(often).unwrap();
    assert_eq!(next(&mut kubernetes).await.unwrap(), whole());
    cluster.lock().unwrap().nodes = vec![node("n1", "10.9.0.1"), node("n2", "10.9.0.22"), node("n4", "10.9.0.4")];
    let hypervisors = vec![hypervisor("n2", "10.9.0.22"), hypervisor("n4", "10.9.0.4")];
    let expected = Observation { hypervisors, gone: vec!["n3".into()], ..Observation::default() };
    assert_eq!(told(&mut kubernetes).await, expected);
}

#[tokio::test]
async fn a_token_that_is_renewed_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    fs::write(&file, "first\n").unwrap();
    let (fake, cluster, mut kubernetes) =
        start(Cluster { token: "first", ..cluster() }, Identity::TokenFile(file.clone()));
    cluster.lock().unwrap().watch(&[("ADDED", pod(4, "web-4", "n2", "10.244.2.4", 101))]);
    assert_eq!(next(&mut kubernetes).await.unwrap(), whole());
    assert_eq!(told(&mut kubernetes).await.vms.len(), 1);
    // The old one counts no more; the watch that was cut is begun with the new one, and nothing is lost.
    cluster.lock().unwrap().held.clear();
    cluster.lock().unwrap().token = "second";
    fs::write(&file, "second\n").unwrap();
    cluster.lock().unwrap().watch(&[("DELETED", pod(4, "web-4", "n2", "10.244.2.4", 102))]);
    assert_eq!(told(&mut kubernetes).await.gone, [uid(4)]);
    assert_eq!(fake.asked("/api/v1/pods?limit").len(), 2, "the list was read once");
    // And when the file lags behind, the fault says where to look.
    cluster.lock().unwrap().token = "third";
    cluster.lock().unwrap().held.clear();
    let fault = timeout(PATIENCE, async {
        loop {
            if let Err(fault) = kubernetes.next().await {
                return fault;
            }
        }
    });
    let fault = fault.await.unwrap();
    assert!(fault.kind == FaultKind::Refused && fault.message.contains("`token_file`"), "{fault}");
    assert!(!fault.message.contains("second"), "{fault}");
}

#[tokio::test]
async fn a_certificate_of_ours_is_shown_to_those_who_ask() {
    let mut cluster = cluster();
    let fake = Fake::for_the_known(move |asked, _| {
        assert_eq!(asked.header("authorization"), None);
        cluster.list(
            asked,
            "List",
            if asked.path() == "/api/v1/nodes" { cluster.nodes.clone() } else { cluster.pods.clone() },
        )
    });
    let own = |name: &str| {
        let file = |kind: &str| papers().file(&format!("{name}.{kind}"));
        Identity::Certificate(OwnCertificate { certificate: file("pem"), key: file("key") })
    };
    let mut known = Kubernetes::new(settings(&fake, own("tocsin"))).unwrap();
    assert_eq!(next(&mut known).await.unwrap(), whole());
    let mut stranger = Kubernetes::new(settings(&fake, token())).unwrap();
    let fault = next(&mut stranger).await.unwrap_err();
    assert!(fault.kind == FaultKind::Refused && fault.message.contains("`certificate` and `key`"), "{fault}");
    let missing = Kubernetes::new(settings(&fake, own("nobody"))).unwrap_err();
    assert!(missing.message.contains(&text_of(&papers().file("nobody.key"))), "{missing}");
}

#[tokio::test]
async fn who_may_not_look_is_told_what_is_missing() {
    let forbidden = || {
        failure(
            403,
            "Forbidden",
            "nodes is forbidden: User \"system:serviceaccount:ops:tocsin\" cannot list resource \"nodes\"",
        )
    };
    for (answer, kind, told) in [
        (Answer::Json(403, forbidden()), FaultKind::Refused, "give it a ClusterRole"),
        (Answer::Json(403, forbidden()), FaultKind::Refused, "cannot list resource"),
        (Answer::Json(401, failure(401, "Unauthorized", SECRET)), FaultKind::Refused, "`password` or `token_file`"),
        (Answer::Text(200, "ok"), FaultKind::Unreadable, "is there the API server of Kubernetes"),
        (Answer::Json(200, json!({"items": []})), FaultKind::Unreadable, "`resourceVersion`"),
        (Answer::Json(429, failure(429, "TooManyRequests", "")), FaultKind::Unreachable, "tried again"),
    ] {
        let mut answer = Some(answer);
        let fake = Fake::start(move |_, _| answer.take().unwrap_or(Answer::Text(500, "asked again")));
        let fault = next(&mut Kubernetes::new(settings(&fake, token())).unwrap()).await.unwrap_err();
        assert!(fault.kind == kind && fault.message.contains(told), "{fault}");
        assert!(!fault.message.contains(SECRET), "{fault}");
    }
}

#[tokio::test]
async fn a_change_that_is_none_begins_anew() {
    let (_fake, cluster, mut kubernetes) = start(cluster(), token());
    let (sender, answer) = lines();
    sender.send("{\"type\": \"ADDED\", \"object\"".into()).unwrap();
    cluster.lock().unwrap().watches.push_back(answer);
    next(&mut kubernetes).await.unwrap();
    let fault = next(&mut kubernetes).await.unwrap_err();
    assert!(fault.kind == FaultKind::Unreadable && fault.message.contains("not understood"), "{fault}");
    assert_eq!(next(&mut kubernetes).await.unwrap(), whole());
}
