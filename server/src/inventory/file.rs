//! A CSV or JSON file on this server as a source, for machines that no interface tells of.
//!
//! One row is one interface of a machine; rows with the same `uuid`, or else the same `name`, are one machine. A file with
//! a fault in any row is not taken, and what it said before stays: half a list would make the other half disappear. For
//! the same reason one that is being written is waited for.

use super::{Collector, Fault, FaultKind};
use serde::Deserialize;
use shared::{
    inventory::{Hypervisor, IpHow, Nic, NicIp, Observation, Vm},
    net::Mac,
};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time;

/// The largest file: some hundred thousand rows.
const MOST_BYTES: u64 = 64 << 20;
/// What changed is taken once it reads alike this much later: whoever writes it is done then.
const SETTLES: Duration = Duration::from_millis(100);
/// So often it is looked whether it settles.
const LOOKS: usize = 50;
/// Faults that are told at once.
const TOLD: usize = 3;

/// A file that is looked at again and again.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    every: Duration,
    /// As it was read last.
    known: Option<Vec<u8>>,
}

impl File {
    /// Looks at the file every so often; it is read at once the first time.
    #[must_use]
    pub(super) fn new(path: impl Into<PathBuf>, every: Duration) -> Self {
        Self { path: path.into(), every, known: None }
    }

    async fn read(&self) -> Result<Vec<u8>, Fault> {
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || read(&path)).await;
        read.unwrap_or_else(|_| Err(Fault::new(FaultKind::Unreachable, "the server is stopping")))
    }
}

/// What a file says once nobody writes it any more; nothing when that is what it said before.
async fn settled<Reading>(known: Option<&Vec<u8>>, mut read: impl FnMut() -> Reading) -> Result<Option<Vec<u8>>, Fault>
where
    Reading: Future<Output = Result<Vec<u8>, Fault>>,
{
    let mut bytes = read().await?;
    for _ in 0..LOOKS {
        if known == Some(&bytes) {
            return Ok(None);
        }
        time::sleep(SETTLES).await;
        let again = read().await?;
        if again == bytes {
            return Ok(Some(bytes));
        }
        bytes = again;
    }
    let message = "the file changes all the time; write another one and give it this name when it is whole";
    Err(Fault::new(FaultKind::Unreadable, message))
}

/// The machines of a list as it is now, for who needs them once.
///
/// # Errors
/// When the file cannot be read, or has a fault in any row.
pub fn machines_of(path: &str) -> Result<Observation, Fault> {
    let path = Path::new(path.trim());
    parse(&read(path)?).map_err(|why| Fault::new(FaultKind::Unreadable, format!("{}: {why}", path.display())))
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => FaultKind::Unreachable,
            io::ErrorKind::PermissionDenied => FaultKind::Refused,
            _ => FaultKind::Unreadable,
        };
        Fault::new(kind, format!("{shown} cannot be read: {error}")).because(error)
    };
    let file = fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("{shown} is larger than {} MB; split it into several sources", MOST_BYTES >> 20);
        return Err(Fault::new(FaultKind::Unreadable, message));
    }
    Ok(bytes)
}

impl Collector for File {
    async fn next(&mut self) -> Result<Observation, Fault> {
        if self.known.is_some() {
            time::sleep(self.every).await;
        }
        let file = &*self;
        let bytes = match settled(file.known.as_ref(), || file.read()).await {
            Ok(None) => return Ok(Observation::default()),
            Ok(Some(bytes)) => bytes,
            Err(fault) => {
                self.known = None;
                return Err(fault);
            }
        };
        self.known = None;
        let observation = parse(&bytes)
            .map_err(|why| Fault::new(FaultKind::Unreadable, format!("{}: {why}", self.path.display())))?;
        self.known = Some(bytes);
        Ok(observation)
    }
}

/// One interface of a machine.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Row {
    name: String,
    hostname: Option<String>,
    uuid: Option<String>,
    mac: Option<String>,
    /// Several with spaces or semicolons between.
    ip: Option<String>,
    hypervisor: Option<String>,
    cluster: Option<String>,
    network: Option<String>,
    vlan: Option<String>,
    switch: Option<String>,
    port: Option<String>,
    /// Several with spaces or semicolons between.
    tags: Option<String>,
}

fn parse(bytes: &[u8]) -> Result<Observation, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not written in UTF-8".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err("it is empty; a list of no machines is its line of headings, or []".to_owned());
    }
    let rows = if text.trim_start().starts_with('[') { json(text)? } else { csv(text)? };
    let mut machines = Machines::default();
    let mut faults = Vec::new();
    for (place, row) in rows {
        if let Err(why) = machines.add(row) {
            faults.push(format!("{place}: {why}"));
        }
    }
    if faults.is_empty() {
        return Ok(machines.observation());
    }
    let more = faults.len().saturating_sub(TOLD);
    faults.truncate(TOLD);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Err(format!("{}{more}", faults.join("; ")))
}

fn json(text: &str) -> Result<Vec<(String, Row)>, String> {
    let rows: Vec<serde_json::Value> =
        serde_json::from_str(text).map_err(|error| format!("it is not a JSON array of objects: {error}"))?;
    let row = |(number, value): (usize, serde_json::Value)| {
        let place = format!("entry {}", number + 1);
        let row = serde_json::from_value(plain(value)).map_err(|error| format!("{place}: {error}"))?;
        Ok((place, row))
    };
    rows.into_iter().enumerate().map(row).collect()
}

/// Numbers as their digits, and lists as their members with spaces between.
fn plain(value: serde_json::Value) -> serde_json::Value {
    let serde_json::Value::Object(fields) = value else { return value };
    let field = |(name, value): (String, serde_json::Value)| {
        let value = match value {
            serde_json::Value::Number(number) => number.to_string().into(),
            serde_json::Value::Array(items) => {
                let item = |item: &serde_json::Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                items.iter().map(item).collect::<Vec<_>>().join(" ").into()
            }
            other => other,
        };
        (name, value)
    };
    fields.into_iter().map(field).collect()
}

fn csv(text: &str) -> Result<Vec<(String, Row)>, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
    let headings = reader.headers().map_err(|error| error.to_string())?.iter().map(str::to_lowercase).collect();
    reader.set_headers(headings);
    let mut rows = Vec::new();
    for row in reader.deserialize() {
        let row: Row = row.map_err(|error| error.to_string())?;
        rows.push((format!("row {}", rows.len() + 1), row));
    }
    Ok(rows)
}

/// Machines by what makes them one.
#[derive(Default)]
struct Machines {
    vms: BTreeMap<String, Vm>,
    hypervisors: BTreeMap<String, Hypervisor>,
}

impl Machines {
    fn add(&mut self, row: Row) -> Result<(), String> {
        let Row { name, hostname, uuid, mac, ip, hypervisor, cluster, network, vlan, switch, port, tags } = row;
        if name.is_empty() {
            return Err("`name` is empty; it is what people call the machine".to_owned());
        }
        let mac = match given(mac) {
            Some(text) => Some(text.parse::<Mac>().map_err(|fault| format!("`mac` {text} {fault}"))?),
            None => None,
        };
        let mut ips = Vec::new();
        for text in several(ip.as_deref()) {
            let ip: IpAddr = text.parse().map_err(|_| format!("`ip` {text} is not an IP address"))?;
            ips.push(NicIp { ip, how: IpHow::Recorded });
        }
        let vlan = match given(vlan) {
            Some(text) => Some(vlan_of(&text)?),
            None => None,
        };
        let uuid = given(uuid).map(|uuid| uuid.to_lowercase());
        let (hypervisor, cluster) = (given(hypervisor), given(cluster));
        if let Some(hypervisor) = &hypervisor {
            let known = self.hypervisors.entry(hypervisor.clone()).or_default();
            (known.key, known.name) = (hypervisor.clone(), hypervisor.clone());
            known.cluster = cluster.or(known.cluster.take());
        }
        let key = uuid.clone().unwrap_or_else(|| name.clone());
        let vm = self.vms.entry(key.clone()).or_insert_with(|| Vm { key, recorded: true, ..Vm::default() });
        vm.name = name;
        vm.uuid = uuid;
        vm.hostname = given(hostname).or(vm.hostname.take());
        vm.hypervisor = hypervisor.or(vm.hypervisor.take());
        for tag in several(tags.as_deref()) {
            if vm.tags.iter().all(|known| known != tag) {
                vm.tags.push(tag.to_owned());
            }
        }
        if mac.is_some() || !ips.is_empty() {
            let label = format!("net{}", vm.nics.len());
            let (network, switch, port) = (given(network), given(switch), given(port));
            vm.nics.push(Nic { mac, label, ips, network, vlan, switch, port, ..Nic::default() });
        }
        Ok(())
    }

    fn observation(self) -> Observation {
        let Self { vms, hypervisors } = self;
        let (vms, hypervisors) = (vms.into_values().collect(), hypervisors.into_values().collect());
        Observation { whole: true, hypervisors, vms, ..Observation::default() }
    }
}

/// What stands in a cell, if anything does.
fn given(cell: Option<String>) -> Option<String> {
    cell.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn several(cell: Option<&str>) -> impl Iterator<Item = &str> {
    cell.unwrap_or_default().split([' ', ';', ',']).filter(|text| !text.is_empty())
}

fn vlan_of(text: &str) -> Result<u16, String> {
    let vlan = text.parse().ok().filter(|vlan| (1..=4094).contains(vlan));
    vlan.ok_or_else(|| format!("`vlan` {text} is not a number from 1 to 4094"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CSV: &str = "\u{feff}Name,uuid,mac,ip,hypervisor,cluster,vlan,tags
# the web tier
web01,,52-54-00-00-00-01,10.0.0.1 fd00::1,kvm-1,prod,42,web;blue
web01,,5254.0000.0002,10.1.0.1,kvm-1,,,
db01,5F3C0B2E-0000-4000-8000-000000000001,,10.0.0.2,kvm-2,,,
";

    fn said(text: &str) -> Observation {
        parse(text.as_bytes()).unwrap_or_else(|why| panic!("{why}"))
    }

    #[test]
    fn rows_of_one_name_are_one_machine_with_several_interfaces() {
        let observation = said(CSV);
        assert!(observation.whole);
        let [db01, web01] = &observation.vms[..] else { panic!("{:?}", observation.vms) };
        assert_eq!((web01.name.as_str(), web01.nics.len(), web01.hypervisor.as_deref()), ("web01", 2, Some("kvm-1")));
        assert_eq!((web01.nics[0].ips.len(), web01.nics[0].vlan, web01.nics[1].vlan), (2, Some(42), None));
        assert_eq!(web01.tags, ["web", "blue"]);
        assert_eq!(db01.uuid.as_deref(), Some("5f3c0b2e-0000-4000-8000-000000000001"));
        let clusters: Vec<_> =
            observation.hypervisors.iter().map(|it| (it.name.as_str(), it.cluster.as_deref())).collect();
        assert_eq!(clusters, [("kvm-1", Some("prod")), ("kvm-2", None)]);
    }

    #[test]
    fn json_says_the_same() {
        let text = r#"[{"name": "web01", "mac": "52:54:00:00:00:01", "ip": ["10.0.0.1", "fd00::1"], "vlan": 42,
            "hypervisor": "kvm-1", "cluster": "prod", "tags": ["web", "blue"]},
            {"name": "web01", "mac": "52:54:00:00:00:02", "ip": "10.1.0.1", "hypervisor": "kvm-1"},
            {"name": "db01", "uuid": "5f3c0b2e-0000-4000-8000-000000000001", "ip": "10.0.0.2", "hypervisor": "kvm-2"}]"#;
        assert_eq!(said(text), said(CSV));
        assert_eq!(said("[]").vms, []);
    }

    #[test]
    fn a_fault_names_its_row_and_what_is_wrong() {
        let why = |text: &str| parse(text.as_bytes()).unwrap_err();
        let text = "name,ip,mac,vlan\nweb01,10.0.0,,\n,10.0.0.1,,\nweb02,,ff:ff:ff:ff:ff:ff,\nweb03,,,5000\n";
        assert_eq!(
            why(text),
            "row 1: `ip` 10.0.0 is not an IP address; row 2: `name` is empty; it is what people call the machine; \
             row 3: `mac` ff:ff:ff:ff:ff:ff is the broadcast address: every machine on the segment; and 1 more"
        );
        assert!(
            why("name,adress\nweb01,10.0.0.1\n").contains("unknown field `adress`"),
            "{}",
            why("name,adress\na,b\n")
        );
        assert!(why("\u{feff} \n").starts_with("it is empty; "), "{}", why(" "));
        assert!(why("[1]").starts_with("entry 1: "), "{}", why("[1]"));
        assert!(why("[{").starts_with("it is not a JSON array of objects"), "{}", why("[{"));
    }

    #[actix_web::test]
    async fn what_is_being_written_is_waited_for() {
        let known = b"name\nweb01\n".to_vec();
        let reading = |reads: &[&str]| {
            let mut reads: Vec<Vec<u8>> = reads.iter().rev().map(|it| it.as_bytes().to_vec()).collect();
            move || std::future::ready(Ok(reads.pop().unwrap_or_default()))
        };
        let said = settled(Some(&known), reading(&["", "name\n", "name\nweb02\n", "name\nweb02\n"])).await;
        assert_eq!(said.unwrap().as_deref(), Some(&b"name\nweb02\n"[..]));
        let back = settled(Some(&known), reading(&["", "name\nweb01\n"])).await;
        assert_eq!(back.unwrap(), None, "it says what it said before");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall(bytes in prop::collection::vec(any::<u8>(), 0..400), text in "[\\[\\]{}\",:a-z0-9\n. ]{0,200}") {
            drop(parse(&bytes));
            drop(parse(text.as_bytes()));
        }
    }
}
