//! Kubernetes: the pods of a cluster and the nodes they run on.
//!
//! Pods are listed once and then watched: a change of one is told within seconds. Nodes change seldom and are large, so
//! they are asked for every so often.

mod object;
mod watch;

use super::{
    Collector, Fault, FaultKind, OwnCertificate,
    https::{
        Https, Trust,
        json::{Api, Refusal, Words, escaped, path_of},
    },
};
use crate::{clock::Stopwatch, outbound::quote};
use object::{Event, Failure, List, Node, Pod};
use reqwest::header::AUTHORIZATION;
use serde::de::DeserializeOwned;
use shared::inventory::{Hypervisor, Observation, Vm};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{select, task::spawn_blocking, time::sleep};
use watch::Lines;

/// How long it is waited for changes where nothing else is said.
pub const USUAL_WAIT: Duration = Duration::from_secs(30);
/// How often nodes are read anew where nothing longer is said.
pub const USUAL_LOOK: Duration = Duration::from_secs(300);
/// Objects of one answer; a pod is some ten KiB there.
const PAGE: usize = 250;
/// A cluster is said to be good for 150,000 pods.
const OBJECTS_MAX: usize = 400_000;
/// A list may take so long that the place to go on from is forgotten.
const LISTINGS: u32 = 3;
/// How long the server lets us watch before we ask anew.
const WATCH: Duration = Duration::from_secs(240);
/// For the end of a watch to arrive.
const GRACE: Duration = Duration::from_secs(30);
/// Changes that come so close together are told as one.
const SETTLE: Duration = Duration::from_millis(200);
/// Changes that are told at once.
const CHANGES: usize = 1_000;
/// Between a watch that brought nothing, or was cut soon again, and the next.
const REOPEN: Duration = Duration::from_secs(1);
/// How soon nodes are asked for again, when a pod runs on one without a name.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Of a file with a token.
const TOKEN_BYTES: u64 = 64 << 10;
const GONE: u16 = 410;

const WORDS: Words = Words {
    what: "the API server of Kubernetes, whose port is mostly 6443",
    login: "`password` or `token_file` (a bearer token), or `certificate` and `key`",
    rights: "a ClusterRole that may get, list and watch pods and nodes",
};

/// How a cluster is observed.
#[derive(Clone)]
pub struct Settings {
    /// `https://api.example.org:6443`, with a path where a proxy stands in front.
    pub url: String,
    pub identity: Identity,
    pub trust: Trust,
    /// How long to wait for changes; after it an empty observation says that all is as it was.
    pub wait: Duration,
    /// How often nodes are read anew.
    pub look_every: Duration,
}

/// By what the cluster knows us.
#[derive(Clone)]
pub enum Identity {
    Token(String),
    /// A file with a token, read for each question: tokens of service accounts are renewed while they are used.
    TokenFile(PathBuf),
    Certificate(OwnCertificate),
}

/// The collector of one cluster.
pub struct Kubernetes {
    server: Server,
    /// Taken out while it is brought up to date: whatever ends that in the middle, the next observation is the whole.
    known: Option<Known>,
    /// The last watch was of a version that is forgotten.
    in_vain: bool,
}

impl fmt::Debug for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kubernetes").field(&self.server.https).finish()
    }
}

/// The API server, and how we ask it.
struct Server {
    settings: Settings,
    https: Https,
}

/// What was told, and where the watching stands.
struct Known {
    /// After which the watch goes on.
    version: String,
    /// A digest of each pod as it was told, by its UID.
    pods: BTreeMap<String, u64>,
    nodes: BTreeMap<String, Hypervisor>,
    looked: Stopwatch,
    /// A pod runs on a node that is not among them.
    nameless: bool,
    lines: Option<Lines>,
}

/// Pods that changed, by UID; none for those that are gone.
type Changes = BTreeMap<String, Option<Vm>>;

/// Why the watch does not go on.
enum Trouble {
    /// What happened since is forgotten there: the whole must be read.
    Expired,
    Fault(Fault),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        if refusal.status == Some(GONE) { Self::Expired } else { Self::Fault(refusal.fault) }
    }
}

impl Kubernetes {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When the address, the trust or our certificate cannot be used.
    pub fn new(settings: Settings) -> Result<Self, Fault> {
        let https = https(&settings)?;
        Ok(Self { server: Server { settings, https }, known: None, in_vain: false })
    }

    async fn begin(&mut self) -> Result<Observation, Fault> {
        // Our certificate may have been renewed.
        self.server.https = https(&self.server.settings)?;
        for _ in 0..LISTINGS {
            match Known::begin(&self.server).await {
                Ok((known, whole)) => {
                    self.known = Some(known);
                    return Ok(whole);
                }
                Err(Trouble::Expired) => {}
                Err(Trouble::Fault(fault)) => return Err(fault),
            }
        }
        let message = format!("{} forgot {LISTINGS} times what was to be listed", self.server.https.shown());
        Err(Fault::new(FaultKind::Unreachable, message))
    }
}

impl Collector for Kubernetes {
    async fn next(&mut self) -> Result<Observation, Fault> {
        let Some(mut known) = self.known.take() else { return self.begin().await };
        match known.wait(&self.server).await {
            Ok(told) => {
                (self.known, self.in_vain) = (Some(known), false);
                Ok(told)
            }
            Err(Trouble::Expired) => {
                // A server that forgets at once would be asked for everything without a pause.
                if std::mem::replace(&mut self.in_vain, true) {
                    sleep(LOOK_AGAIN).await;
                }
                self.begin().await
            }
            Err(Trouble::Fault(fault)) => Err(fault),
        }
    }
}

fn https(settings: &Settings) -> Result<Https, Fault> {
    let own = match &settings.identity {
        Identity::Certificate(own) => Some(own),
        Identity::Token(_) | Identity::TokenFile(_) => None,
    };
    Https::proving(&settings.url, &settings.trust, own)
}

impl Server {
    async fn api(&self) -> Result<Api, Fault> {
        let api = Api::new(self.https.clone(), &path_of(&self.settings.url), WORDS);
        let token = match &self.settings.identity {
            Identity::Certificate(_) => return Ok(api),
            Identity::Token(token) => token.clone(),
            Identity::TokenFile(path) => token_in(path.clone()).await?,
        };
        Ok(api.keeping(&token).sending(AUTHORIZATION, format!("Bearer {token}")))
    }

    /// Reads a list page by page, and gives the version it is of.
    async fn list<T: DeserializeOwned>(&self, path: &str, mut take: impl FnMut(T)) -> Result<String, Trouble> {
        let (mut places, mut more, mut objects) = (BTreeSet::new(), String::new(), 0_usize);
        loop {
            let api = self.api().await?;
            let page: List<T> = api.get(&format!("{path}?limit={PAGE}{more}")).await?;
            // A page may be empty and yet not the last.
            objects = objects.saturating_add(page.items.len()).saturating_add(1);
            page.items.into_iter().for_each(&mut take);
            if page.metadata.resource_version.is_empty() {
                return Err(api.unreadable(path, "there is no `resourceVersion`").into());
            }
            let place = page.metadata.r#continue;
            if place.is_empty() {
                return Ok(page.metadata.resource_version);
            }
            more = format!("&continue={}", escaped(&place));
            if objects > OBJECTS_MAX || !places.insert(place) {
                let message = format!("the list at {}{path} comes to no end after {objects}", self.https.shown());
                return Err(Fault::new(FaultKind::Unreadable, message).into());
            }
        }
    }

    async fn nodes(&self) -> Result<BTreeMap<String, Hypervisor>, Trouble> {
        let mut nodes = BTreeMap::new();
        let take = |node: Node| nodes.extend(node.told().map(|it| (it.key.clone(), it)));
        self.list("/api/v1/nodes", take).await?;
        Ok(nodes)
    }

    async fn watch(&self, version: &str) -> Result<Lines, Trouble> {
        let (version, seconds) = (escaped(version), WATCH.as_secs());
        let path =
            format!("/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={seconds}");
        Ok(Lines::new(self.api().await?.open(&path, WATCH.saturating_add(GRACE)).await?))
    }

    fn unreadable(&self, why: &str) -> Trouble {
        let message = format!("{} told of a change that is not understood: {why}", self.https.shown());
        Fault::new(FaultKind::Unreadable, message).into()
    }
}

impl Known {
    async fn begin(server: &Server) -> Result<(Self, Observation), Trouble> {
        let nodes = server.nodes().await?;
        let (mut pods, mut vms) = (BTreeMap::new(), Vec::new());
        let take = |pod: Pod| {
            if let Some(vm) = pod.told() {
                pods.insert(vm.key.clone(), digest(&vm));
                vms.push(vm);
            }
        };
        let version = server.list("/api/v1/pods", take).await?;
        let hypervisors = nodes.values().cloned().collect();
        let known = Self { version, pods, nodes, looked: Stopwatch::start(), nameless: false, lines: None };
        Ok((known, Observation { whole: true, hypervisors, vms, ..Observation::default() }))
    }

    /// Waits for changes; gives what changed, or nothing if nothing did.
    async fn wait(&mut self, server: &Server) -> Result<Observation, Trouble> {
        let mut told = self.look(server).await?;
        let changes = self.changes(server).await?;
        for (key, vm) in changes {
            match vm {
                Some(vm) => told.vms.push(vm),
                None => told.gone.push(key),
            }
        }
        Ok(told)
    }

    /// Reads the nodes anew, when it is time.
    async fn look(&mut self, server: &Server) -> Result<Observation, Trouble> {
        let age = Duration::from_millis(u64::try_from(self.looked.elapsed_ms()).unwrap_or(u64::MAX));
        let mut told = Observation::default();
        if age < server.settings.look_every && !(self.nameless && age >= LOOK_AGAIN) {
            return Ok(told);
        }
        let nodes = server.nodes().await?;
        told.hypervisors = nodes.values().filter(|node| self.nodes.get(&node.key) != Some(node)).cloned().collect();
        told.gone = self.nodes.keys().filter(|name| !nodes.contains_key(*name)).cloned().collect();
        (self.nodes, self.looked, self.nameless) = (nodes, Stopwatch::start(), false);
        Ok(told)
    }

    async fn changes(&mut self, server: &Server) -> Result<Changes, Trouble> {
        let mut changes = Changes::new();
        let mut over = Box::pin(sleep(server.settings.wait));
        let mut was_cut = false;
        loop {
            let mut lines = match self.lines.take() {
                Some(lines) => lines,
                None => server.watch(&self.version).await?,
            };
            let line = select! {
                () = &mut over => {
                    self.lines = Some(lines);
                    return Ok(changes);
                }
                line = lines.next() => line,
            };
            match line {
                Ok(Some(line)) => {
                    self.lines = Some(lines);
                    let nothing_before = changes.is_empty();
                    self.take(server, &line, &mut changes)?;
                    if changes.len() >= CHANGES {
                        return Ok(changes);
                    }
                    if nothing_before && !changes.is_empty() {
                        over.set(sleep(SETTLE));
                    }
                }
                // The server ends every watch after a while, and connections are cut: it goes on from where it was.
                Ok(None) => {
                    if std::mem::replace(&mut was_cut, true) || lines.is_barren() {
                        sleep(REOPEN).await;
                    }
                }
                Err(too_long) => return Err(server.unreadable(&too_long.to_string())),
            }
        }
    }

    fn take(&mut self, server: &Server, line: &[u8], changes: &mut Changes) -> Result<(), Trouble> {
        let event = serde_json::from_slice(line).map_err(|error| server.unreadable(&quote(&error.to_string(), &[])))?;
        let (pod, is_gone) = match event {
            Event::Added(pod) | Event::Modified(pod) => (pod, false),
            Event::Deleted(pod) => (pod, true),
            Event::Bookmark(marked) => {
                self.advance(marked.metadata.resource_version);
                return Ok(());
            }
            Event::Error(Failure { code, .. }) if code == GONE => return Err(Trouble::Expired),
            Event::Error(Failure { code, message }) => {
                let message = quote(&message, &[]);
                let message = format!("{} ended the watch with {code} (“{message}”)", server.https.shown());
                return Err(Fault::new(FaultKind::Unreachable, message).into());
            }
        };
        self.advance(pod.version().to_owned());
        let Some(vm) = pod.told() else { return Ok(()) };
        let key = vm.key.clone();
        if is_gone {
            if self.pods.remove(&key).is_some() {
                changes.insert(key, None);
            }
            return Ok(());
        }
        let digest = digest(&vm);
        if self.pods.insert(key.clone(), digest) != Some(digest) {
            self.nameless |= vm.hypervisor.as_ref().is_some_and(|node| !self.nodes.contains_key(node));
            changes.insert(key, Some(vm));
        }
        if self.pods.len() > OBJECTS_MAX {
            return Err(server.unreadable(&format!("there are more than {OBJECTS_MAX} pods")));
        }
        Ok(())
    }

    fn advance(&mut self, version: String) {
        if !version.is_empty() {
            self.version = version;
        }
    }
}

/// What tells a pod that changed from one that is told of again: much of a pod is nothing to us.
fn digest(vm: &Vm) -> u64 {
    engine::placement::digest(serde_json::to_string(vm).unwrap_or_default().as_bytes())
}

async fn token_in(path: PathBuf) -> Result<String, Fault> {
    let shown = path.display().to_string();
    let read = spawn_blocking(move || read(&path)).await.unwrap_or_else(|error| Err(io::Error::other(error)));
    let fault = |why: String| Fault::new(FaultKind::Refused, format!("the token in {shown} (`token_file`) {why}"));
    let token = read.map_err(|error| fault(format!("cannot be read: {error}")).because(error))?;
    if token.trim().is_empty() {
        return Err(fault("is empty".to_owned()));
    }
    Ok(token.trim().to_owned())
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(TOKEN_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::https::{Fingerprint, json::any_json};
    use proptest::prelude::*;
    use serde_json::json;

    fn server() -> Server {
        let settings = Settings {
            url: "https://127.0.0.1:6443/k8s/".into(),
            identity: Identity::Token("canary".into()),
            trust: Trust::Certificate(Fingerprint([0; 32])),
            wait: Duration::from_secs(1),
            look_every: Duration::from_secs(60),
        };
        Kubernetes::new(settings).unwrap().server
    }

    fn known() -> Known {
        let (pods, nodes) = (BTreeMap::new(), BTreeMap::new());
        Known { version: "1".into(), pods, nodes, looked: Stopwatch::start(), nameless: false, lines: None }
    }

    fn event(kind: &str, uid: &str, node: &str, version: &str) -> Vec<u8> {
        let metadata = json!({"name": uid, "namespace": "default", "uid": uid, "resourceVersion": version});
        json!({"type": kind, "object": {"metadata": metadata, "spec": {"nodeName": node}}}).to_string().into_bytes()
    }

    #[test]
    fn only_what_changed_is_told() {
        let (server, mut known, mut changes) = (server(), known(), Changes::new());
        let mut take = |line: Vec<u8>| {
            let taken = known.take(&server, &line, &mut changes);
            assert!(taken.is_ok());
            (std::mem::take(&mut changes), known.version.clone())
        };
        let (told, version) = take(event("ADDED", "a", "n1", "2"));
        assert!(told["a"].is_some() && version == "2");
        assert_eq!(take(event("MODIFIED", "a", "n1", "3")), (Changes::new(), "3".into()));
        assert!(take(event("MODIFIED", "a", "n2", "4")).0["a"].is_some());
        assert_eq!(take(event("BOOKMARK", "", "", "9")), (Changes::new(), "9".into()));
        assert_eq!(take(event("DELETED", "a", "n2", "10")).0, Changes::from([("a".into(), None)]));
        assert_eq!(take(event("DELETED", "a", "n2", "11")).0, Changes::new());
    }

    #[test]
    fn an_end_of_the_watch_is_told_apart() {
        let (server, mut known, mut changes) = (server(), known(), Changes::new());
        let mut take = |object: serde_json::Value| {
            let line = json!({"type": "ERROR", "object": object}).to_string();
            known.take(&server, line.as_bytes(), &mut changes).unwrap_err()
        };
        let expired =
            take(json!({"kind": "Status", "status": "Failure", "code": 410, "message": "too old resource version"}));
        assert!(matches!(expired, Trouble::Expired));
        let Trouble::Fault(fault) = take(json!({"code": 500, "message": "etcd\nfailed"})) else {
            panic!("is forgotten")
        };
        assert!(fault.kind == FaultKind::Unreachable && fault.message.contains("500 (“etcd failed”)"), "{fault}");
    }

    #[tokio::test]
    async fn a_token_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let fault = token_in(file.clone()).await.unwrap_err();
        assert!(fault.kind == FaultKind::Refused && fault.message.contains("`token_file`"), "{fault}");
        std::fs::write(&file, " \n").unwrap();
        assert!(token_in(file.clone()).await.unwrap_err().message.contains("is empty"));
        std::fs::write(&file, "zebra\n").unwrap();
        assert_eq!(token_in(file).await.unwrap(), "zebra");
    }

    proptest! {
        #[test]
        fn any_line_is_taken_or_refused(object in any_json(), bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let (server, mut known, mut changes) = (server(), known(), Changes::new());
            drop(known.take(&server, &bytes, &mut changes));
            for kind in ["ADDED", "MODIFIED", "BOOKMARK", "DELETED", "ERROR", "OTHER"] {
                let pod = json!({"metadata": {"uid": "u", "name": "a"}, "spec": object, "status": object});
                for object in [object.clone(), pod, json!({"metadata": object})] {
                    let line = json!({"type": kind, "object": object}).to_string();
                    drop(known.take(&server, line.as_bytes(), &mut changes));
                }
            }
            prop_assert!(changes.keys().all(|key| !key.is_empty()));
        }
    }
}
