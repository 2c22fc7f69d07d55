//! Proxmox VE: the virtual machines and containers of a cluster, by the interface of any one of its nodes.
//!
//! One list names all machines with their node and state; how each is plugged in stands in its own configuration, which
//! has to be asked for one by one. Nothing tells when one changes, so those of machines that look different are read at
//! once, and a few of the others at each look.
//!
//! A node that does not answer must not hide the machines of the others: what is known is told, and the fault that names
//! the node follows at the next call.

mod config;

use super::{
    Collector, Fault, FaultKind,
    https::{
        Https, Trust,
        json::{Api, Refusal, Words},
    },
    pace::Pace,
};
use config::{Config, take_interfaces};
use futures_util::future::join_all;
use reqwest::header::AUTHORIZATION;
use serde_json::Value;
use shared::inventory::{Hypervisor, Observation, Power, Vm};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    time::Duration,
};

/// Configurations asked for at a time.
const AT_ONCE: usize = 4;
/// Configurations read in a look although their machines look as before: 2,000 machines take twenty looks.
const AGAIN: usize = 100;
/// A cluster has a few thousand.
const MACHINES_MAX: usize = 100_000;
/// A node says by these that it cannot reach the one that was asked for.
const NODE_AWAY: std::ops::RangeInclusive<u16> = 595..=599;

const WORDS: Words = Words {
    what: "Proxmox VE, whose port is 8006",
    login: "`username` (user@realm!token) and `password` (the token's secret)",
    rights: "the role PVEAuditor on `/`, with *propagate*, to the token as well as to its user",
};

/// How a cluster is observed.
#[derive(Clone)]
pub struct Settings {
    /// Of any node: `https://pve-1.example.org:8006`.
    pub url: String,
    /// An API token's full name, `user@realm!token`.
    pub token: String,
    pub secret: String,
    pub trust: Trust,
    /// How often it is asked.
    pub every: Duration,
    /// Whether to ask the systems inside for their addresses.
    pub ask_guests: bool,
}

/// Observes one cluster, or a node that is in none.
pub struct Proxmox {
    api: Api,
    ask_guests: bool,
    pace: Pace,
    /// By what the cluster calls them: `qemu/100`.
    known: BTreeMap<String, Machine>,
    looks: u64,
    /// What the last look lacked, to be told yet.
    owed: Option<Fault>,
}

/// One entry of the list of machines.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    /// `qemu` or `lxc`.
    kind: Kind,
    number: u64,
    node: String,
    name: String,
    status: String,
    tags: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Qemu,
    Lxc,
}

/// A machine as it is known.
#[derive(Debug)]
struct Machine {
    listed: Listed,
    /// None until it was read once.
    config: Option<Config>,
    /// The look in which it was read; none when it must be read at the next one.
    read_in: Option<u64>,
    /// It could not be read the last time. Once is no news: it may have moved or gone since it was listed.
    failed: bool,
}

/// What the cluster says of itself.
#[derive(Debug, Default)]
struct Nodes {
    cluster: Option<String>,
    ips: BTreeMap<String, IpAddr>,
    names: BTreeSet<String>,
    offline: BTreeSet<String>,
}

impl fmt::Debug for Proxmox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxmox").field("api", &self.api).field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl Proxmox {
    /// Connects to nobody yet.
    ///
    /// # Errors
    /// When the address or the trust cannot be used, or the token's name is none.
    pub fn new(settings: Settings) -> Result<Self, Fault> {
        let Settings { url, token, secret, trust, every, ask_guests } = settings;
        if !token.split_once('!').is_some_and(|(user, name)| user.contains('@') && !name.is_empty()) {
            let message =
                "`username` is no API token of Proxmox VE; write user@realm!token, and its secret as `password`";
            return Err(Fault::new(FaultKind::Refused, message));
        }
        let api = Api::new(Https::new(&url, &trust)?, "/api2/json", WORDS).keeping(&secret);
        let api = api.sending(AUTHORIZATION, format!("PVEAPIToken={token}={secret}"));
        Ok(Self { api, ask_guests, pace: Pace::new(every), known: BTreeMap::new(), looks: 0, owed: None })
    }

    async fn look(&mut self) -> Result<Observation, Fault> {
        self.looks += 1;
        let listed: Value = self.api.get("/cluster/resources?type=vm").await?;
        let nodes = self.nodes().await?;
        self.take_list(listed_of(&self.api, &listed)?)?;
        if self.known.is_empty() && nodes.names.is_empty() {
            let message = format!("the token sees neither a node nor a machine; give it {}", WORDS.rights);
            return Err(Fault::new(FaultKind::Refused, message));
        }
        let faults = self.read_configs(&nodes.offline).await;
        self.owed = Fault::one_of(faults);
        Ok(self.told(&nodes))
    }

    async fn nodes(&self) -> Result<Nodes, Fault> {
        let mut nodes = Nodes::default();
        let listed: Value = self.api.get("/cluster/resources?type=node").await?;
        nodes.take_list(&listed);
        match self.api.get("/cluster/status").await {
            Ok(status) => nodes.take_status(&status),
            // It wants a right on `/` that the lists do not.
            Err(refusal) if refusal.status == Some(403) => {}
            Err(refusal) => return Err(refusal.into()),
        }
        Ok(nodes)
    }

    /// Takes the list of machines: who is not in it is gone, and who is new or looks different is to be read.
    fn take_list(&mut self, listed: BTreeMap<String, Listed>) -> Result<(), Fault> {
        if listed.len() > MACHINES_MAX {
            let message = format!("{} has more than {MACHINES_MAX} machines", self.api.shown());
            return Err(Fault::new(FaultKind::Unreadable, message));
        }
        self.known.retain(|key, _| listed.contains_key(key));
        for (key, listed) in listed {
            match self.known.get_mut(&key) {
                Some(machine) if machine.listed == listed => {}
                Some(machine) => (machine.listed, machine.read_in) = (listed, None),
                None => {
                    self.known.insert(key, Machine { listed, config: None, read_in: None, failed: false });
                }
            }
        }
        Ok(())
    }

    /// The machines whose configurations are read in this look.
    fn due(&self, offline: &BTreeSet<String>) -> Vec<(String, Listed)> {
        let there = self.known.iter().filter(|(_, machine)| !offline.contains(&machine.listed.node));
        let (new, mut old): (Vec<_>, Vec<_>) = there.partition(|(_, machine)| machine.read_in.is_none());
        old.sort_by_key(|(_, machine)| machine.read_in);
        let due = new.into_iter().chain(old.into_iter().take(AGAIN));
        due.map(|(key, machine)| (key.clone(), machine.listed.clone())).collect()
    }

    async fn read_configs(&mut self, offline: &BTreeSet<String>) -> Vec<Fault> {
        let (mut faults, mut away) = (Vec::new(), BTreeSet::new());
        for some in self.due(offline).chunks(AT_ONCE) {
            let asked = some.iter().filter(|(_, listed)| !away.contains(&listed.node));
            let (api, ask_guests) = (&self.api, self.ask_guests);
            let asked = asked.map(|(key, listed)| async move { (key, listed, read(api, listed, ask_guests).await) });
            let answers = join_all(asked).await;
            for (key, listed, config) in answers {
                let Some(machine) = self.known.get_mut(key) else { continue };
                match config {
                    Ok(config) => {
                        (machine.config, machine.read_in, machine.failed) = (Some(config), Some(self.looks), false);
                    }
                    Err(refusal) if refusal.status.is_none_or(|status| NODE_AWAY.contains(&status)) => {
                        // The others of this node would each wait as long.
                        if away.insert(listed.node.clone()) {
                            faults.push(refusal.fault);
                        }
                    }
                    Err(refusal) => {
                        machine.read_in = None;
                        if std::mem::replace(&mut machine.failed, true) {
                            faults.push(refusal.fault);
                        }
                    }
                }
            }
        }
        faults
    }

    fn told(&self, nodes: &Nodes) -> Observation {
        let named = self.known.values().map(|machine| &machine.listed.node);
        let names: BTreeSet<&String> = nodes.names.iter().chain(named).collect();
        let hypervisor = |name: &String| Hypervisor {
            key: name.clone(),
            name: name.clone(),
            cluster: nodes.cluster.clone(),
            ips: nodes.ips.get(name).copied().into_iter().collect(),
        };
        let vms = self.known.iter().map(|(key, machine)| machine.told(key, &nodes.offline)).collect();
        let hypervisors = names.into_iter().map(hypervisor).collect();
        Observation { whole: true, hypervisors, vms, ..Observation::default() }
    }
}

impl Collector for Proxmox {
    async fn next(&mut self) -> Result<Observation, Fault> {
        if let Some(fault) = self.owed.take() {
            return Err(fault);
        }
        self.pace.wait().await;
        let seen = self.look().await;
        if seen.is_err() {
            self.pace.begin_anew();
        }
        seen
    }
}

impl Listed {
    /// A machine of the list, with its key; none for what is no machine, and for templates, which never run.
    fn of(said: &Value) -> Option<(String, Self)> {
        let kind = match said["type"].as_str()? {
            "qemu" => Kind::Qemu,
            "lxc" => Kind::Lxc,
            _ => return None,
        };
        let is_template = said["template"].as_u64() == Some(1) || said["template"].as_str() == Some("1");
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        let listed = Self {
            kind,
            number: said["vmid"].as_u64()?,
            node: text("node"),
            name: text("name"),
            status: text("status"),
            tags: text("tags"),
        };
        // It becomes a part of paths.
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        (!is_template && is_name(&listed.node)).then(|| (listed.key(), listed))
    }

    fn key(&self) -> String {
        let kind = match self.kind {
            Kind::Qemu => "qemu",
            Kind::Lxc => "lxc",
        };
        format!("{kind}/{}", self.number)
    }

    fn path(&self) -> String {
        format!("/nodes/{}/{}", self.node, self.key())
    }
}

impl Machine {
    fn told(&self, key: &str, offline: &BTreeSet<String>) -> Vm {
        let Listed { node, name, status, tags, .. } = &self.listed;
        let power = match status.as_str() {
            _ if offline.contains(node) => Power::Unknown,
            "running" => Power::On,
            "stopped" => Power::Off,
            "paused" | "suspended" => Power::Paused,
            _ => Power::Unknown,
        };
        let config = self.config.clone().unwrap_or_default();
        let tags = tags.split([';', ',', ' ']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
        Vm {
            key: key.to_owned(),
            name: if name.is_empty() { key.to_owned() } else { name.clone() },
            uuid: config.uuid,
            power,
            hypervisor: Some(node.clone()),
            datastores: config.datastores.into_iter().collect(),
            tags,
            nics: config.nics,
            ..Vm::default()
        }
    }
}

impl Nodes {
    fn take_list(&mut self, said: &Value) {
        for node in said["data"].as_array().into_iter().flatten().filter(|it| it["type"] == "node") {
            let Some(name) = node["node"].as_str() else { continue };
            self.names.insert(name.to_owned());
            if node["status"] == "offline" {
                self.offline.insert(name.to_owned());
            }
        }
    }

    fn take_status(&mut self, said: &Value) {
        for it in said["data"].as_array().into_iter().flatten() {
            let Some(name) = it["name"].as_str().map(str::to_owned) else { continue };
            match it["type"].as_str() {
                Some("cluster") => self.cluster = Some(name),
                Some("node") => {
                    if let Some(ip) = it["ip"].as_str().and_then(|ip| ip.parse().ok()) {
                        self.ips.insert(name, ip);
                    }
                }
                _ => {}
            }
        }
    }
}

/// How a machine is plugged in, with the addresses that the system inside tells.
async fn read(api: &Api, listed: &Listed, ask_guests: bool) -> Result<Config, Refusal> {
    let path = listed.path();
    let said: Value = api.get(&format!("{path}/config")).await?;
    let mut config = match listed.kind {
        Kind::Qemu => Config::of_qemu(listed.number, &said["data"]),
        Kind::Lxc => Config::of_lxc(listed.number, &said["data"]),
    };
    let inside = match listed.kind {
        Kind::Qemu if config.has_agent => "agent/network-get-interfaces",
        Kind::Qemu => return Ok(config),
        Kind::Lxc => "interfaces",
    };
    if ask_guests && listed.status == "running" {
        // Nobody may be there to answer, or the token may not ask; the rest is known all the same.
        match api.get::<Value>(&format!("{path}/{inside}")).await {
            Ok(said) => take_interfaces(&mut config.nics, &said["data"]),
            Err(Refusal { status: Some(_), .. }) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(config)
}

fn listed_of(api: &Api, said: &Value) -> Result<BTreeMap<String, Listed>, Fault> {
    let Some(list) = said["data"].as_array() else {
        return Err(api.unreadable("/cluster/resources", "there is no list `data`"));
    };
    Ok(list.iter().filter_map(Listed::of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::https::{Fingerprint, json::any_json};
    use proptest::prelude::*;
    use serde_json::json;

    fn settings(token: &str) -> Settings {
        Settings {
            url: "https://127.0.0.1:8006".into(),
            token: token.into(),
            secret: "canary".into(),
            trust: Trust::Certificate(Fingerprint([0; 32])),
            every: Duration::from_secs(60),
            ask_guests: false,
        }
    }

    fn proxmox() -> Proxmox {
        Proxmox::new(settings("tocsin@pve!read")).unwrap()
    }

    fn listed(count: u64) -> BTreeMap<String, Listed> {
        let entry = |number| json!({"type": "qemu", "vmid": number, "node": "pve-1", "status": "running"});
        (1..=count).filter_map(|number| Listed::of(&entry(number))).collect()
    }

    #[test]
    fn a_user_is_no_token() {
        for token in ["root@pam", "root!read", "root@pam!", ""] {
            let fault = Proxmox::new(settings(token)).unwrap_err();
            assert!(fault.kind == FaultKind::Refused && fault.message.contains("user@realm!token"), "{fault}");
        }
        let shown = format!("{:?}", proxmox());
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn what_looks_different_is_read_and_some_of_the_others() {
        let mut proxmox = proxmox();
        proxmox.take_list(listed(250)).unwrap();
        let nobody = BTreeSet::new();
        assert_eq!(proxmox.due(&nobody).len(), 250, "all that are new");
        for (read_in, machine) in (1..).zip(proxmox.known.values_mut()) {
            machine.read_in = Some(read_in);
        }
        let again = proxmox.due(&nobody);
        let oldest: Vec<_> = proxmox.known.keys().take(AGAIN).collect();
        assert_eq!(again.iter().map(|(key, _)| key).collect::<Vec<_>>(), oldest);
        let mut changed = listed(250);
        changed.get_mut("qemu/99").unwrap().status = "stopped".into();
        proxmox.take_list(changed).unwrap();
        assert_eq!(proxmox.due(&nobody)[0].0, "qemu/99");
        assert_eq!(proxmox.due(&nobody).len(), 1 + AGAIN);
        assert_eq!(proxmox.due(&["pve-1".to_owned()].into()), [], "nobody is there to ask");
        proxmox.take_list(listed(1)).unwrap();
        assert_eq!(proxmox.known.len(), 1);
    }

    #[test]
    fn a_node_that_is_no_name_is_not_asked() {
        for node in ["", "..", "a/b", "a?b", "a b", "é"] {
            assert_eq!(Listed::of(&json!({"type": "qemu", "vmid": 1, "node": node})), None, "{node}");
        }
        let template = json!({"type": "qemu", "vmid": 1, "node": "pve", "template": 1});
        assert_eq!(Listed::of(&template), None);
        let (key, listed) = Listed::of(&json!({"type": "lxc", "vmid": 7, "node": "pve"})).unwrap();
        assert_eq!((key.as_str(), listed.path().as_str()), ("lxc/7", "/nodes/pve/lxc/7"));
    }

    proptest! {
        #[test]
        fn any_answer_is_taken_or_refused(said in any_json()) {
            let mut proxmox = proxmox();
            let mut nodes = Nodes::default();
            nodes.take_list(&said);
            nodes.take_list(&json!({"data": [{"type": "node", "node": said, "status": said}]}));
            nodes.take_status(&said);
            nodes.take_status(&json!({"data": [{"type": "node", "name": "a", "ip": said}]}));
            let entry = json!({"type": "qemu", "vmid": 1, "node": "a", "name": said, "status": said, "tags": said, "template": said});
            for list in [said.clone(), json!({"data": said}), json!({"data": [said, entry]})] {
                if let Ok(listed) = listed_of(&proxmox.api, &list) {
                    proxmox.take_list(listed).unwrap();
                }
            }
            let told = proxmox.told(&nodes);
            prop_assert_eq!(told.vms.len(), proxmox.known.len());
        }
    }
}
