//! From a source as the configuration describes it to the collector that asks it.

use super::{
    Collector, Credentials, Endpoint, Fault, FaultKind, OwnCertificate, agents,
    file::File,
    https::Trust,
    kubernetes::{self, Kubernetes},
    libvirt::{self, Libvirt},
    openstack::{self, Openstack},
    ovsdb::{self, Ovsdb},
    proxmox::{self, Proxmox},
    qemu::Qemu,
    ssh::{Ssh, Usual},
    vsphere::{self, Vsphere},
};
use shared::{
    config::{Finding, Source, SourceKind},
    inventory::Observation,
};
use std::{
    collections::BTreeSet,
    fs,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

/// A source is asked no more often, and no less.
const EVERY_MS: RangeInclusive<i64> = 1_000..=86_400_000;
/// What addresses begin with that are reached through ssh; `key` is our own, `ca` the known hosts.
const SSH: &str = "ssh:";
/// Where Linux says what a machine is called.
const OWN_NAME: &str = "/proc/sys/kernel/hostname";

/// The collector of any kind of source.
#[derive(Debug)]
pub(super) enum Kind {
    File(File),
    Libvirt(Libvirt),
    Openvswitch(Ovsdb),
    Qemu(Qemu),
    Vsphere(Box<Vsphere>),
    Openstack(Box<Openstack>),
    Proxmox(Box<Proxmox>),
    Kubernetes(Box<Kubernetes>),
}

impl Kind {
    /// # Errors
    /// When the description cannot work, such as an address that is none.
    pub(super) fn of(source: &Source) -> Result<Self, Fault> {
        let every = Duration::from_millis(source.every.0.unsigned_abs());
        let endpoint = |usual_port, usual| endpoint(&Reach::of(source), usual_port, usual);
        Ok(match source.kind {
            SourceKind::File => Self::File(File::new(path(&source.address)?, every)),
            SourceKind::Libvirt => Self::Libvirt(Libvirt::new(libvirt::Settings {
                endpoint: endpoint(libvirt::USUAL_PORT, Usual::Libvirt)?,
                uri: libvirt::USUAL_URI.into(),
                every,
                ask_guests: source.guests,
            })),
            SourceKind::Openvswitch => Self::Openvswitch(Ovsdb::new(endpoint(ovsdb::USUAL_PORT, Usual::Openvswitch)?)),
            SourceKind::Vsphere => Self::Vsphere(Box::new(vsphere(source, every)?)),
            SourceKind::Openstack => Self::Openstack(Box::new(openstack(source, every)?)),
            SourceKind::Proxmox => Self::Proxmox(Box::new(proxmox(source, every)?)),
            SourceKind::Kubernetes => Self::Kubernetes(Box::new(kubernetes(source, every)?)),
            SourceKind::Agents => {
                return Err(Fault::new(FaultKind::Unreadable, "agents report by themselves; nothing is asked here"));
            }
            SourceKind::Qemu => {
                let sockets = source.address.split_whitespace().map(path).collect::<Result<Vec<_>, _>>()?;
                if sockets.is_empty() {
                    return Err(Fault::new(FaultKind::Unreadable, "name the monitor sockets, with spaces between"));
                }
                Self::Qemu(Qemu::new(sockets, own_name(), every))
            }
        })
    }
}

impl Collector for Kind {
    async fn next(&mut self) -> Result<Observation, Fault> {
        match self {
            Self::File(file) => file.next().await,
            Self::Libvirt(libvirt) => libvirt.next().await,
            Self::Openvswitch(switch) => switch.next().await,
            Self::Qemu(qemu) => qemu.next().await,
            Self::Vsphere(vsphere) => vsphere.next().await,
            Self::Openstack(openstack) => openstack.next().await,
            Self::Proxmox(proxmox) => proxmox.next().await,
            Self::Kubernetes(kubernetes) => kubernetes.next().await,
        }
    }
}

fn vsphere(source: &Source, every: Duration) -> Result<Vsphere, Fault> {
    let (Some(username), Some(password)) = (&source.username, &source.password) else {
        return Err(Fault::new(FaultKind::Refused, "a vCenter or an ESXi needs `username` and `password`"));
    };
    let mut settings = vsphere::Settings::new(&source.address, username, password, trust(source)?);
    // It tells of VMs by itself; what it does not tell of is much, and changes seldom.
    settings.look_every = settings.look_every.max(every);
    Vsphere::new(settings)
}

fn trust(source: &Source) -> Result<Trust, Fault> {
    Trust::named(source.ca.as_deref(), source.fingerprint.as_deref())
}

fn lacking(what: &str) -> Fault {
    Fault::new(FaultKind::Refused, what)
}

fn openstack(source: &Source, every: Duration) -> Result<Openstack, Fault> {
    let (Some(username), Some(password)) = (source.username.clone(), source.password.clone()) else {
        return Err(lacking(
            "OpenStack needs `username` and `password`: of a user, with `project`, or the id and secret of an application \
             credential",
        ));
    };
    let login = match &source.project {
        Some(project) => {
            let domain = source.domain.clone().unwrap_or_else(|| "Default".to_owned());
            openstack::Login::Password { username, password, project: project.clone(), domain }
        }
        None => openstack::Login::ApplicationCredential { id: username, secret: password },
    };
    let interface = match source.interface.as_deref() {
        None | Some("public") => openstack::Interface::Public,
        Some("internal") => openstack::Interface::Internal,
        Some(_) => return Err(lacking("`interface` is `public` or `internal`")),
    };
    let (url, region) = (source.address.clone(), source.region.clone());
    Openstack::new(openstack::Settings { url, login, trust: trust(source)?, region, interface, every })
}

fn proxmox(source: &Source, every: Duration) -> Result<Proxmox, Fault> {
    let (Some(token), Some(secret)) = (source.username.clone(), source.password.clone()) else {
        return Err(lacking(
            "Proxmox VE needs an API token: `username` (user@realm!token) and `password` (its secret)",
        ));
    };
    let (url, ask_guests) = (source.address.clone(), source.guests);
    Proxmox::new(proxmox::Settings { url, token, secret, trust: trust(source)?, every, ask_guests })
}

fn kubernetes(source: &Source, every: Duration) -> Result<Kubernetes, Fault> {
    let own = source.certificate.as_ref().zip(source.key.as_ref());
    let identity = match (&source.password, &source.token_file, own) {
        (Some(token), None, None) => kubernetes::Identity::Token(token.clone()),
        (None, Some(file), None) => kubernetes::Identity::TokenFile(path(file)?),
        (None, None, Some((certificate, key))) => {
            kubernetes::Identity::Certificate(OwnCertificate { certificate: path(certificate)?, key: path(key)? })
        }
        _ => {
            return Err(lacking(
                "Kubernetes needs one of these: `token_file` or `password` (a bearer token), or `certificate` and `key`",
            ));
        }
    };
    let url = source.address.clone();
    // Pods are told of by themselves; nodes are large, and change seldom.
    let (wait, look_every) = (kubernetes::USUAL_WAIT, every.max(kubernetes::USUAL_LOOK));
    Kubernetes::new(kubernetes::Settings { url, identity, trust: trust(source)?, wait, look_every })
}

/// A path of this server. One that is not absolute would depend on where the server was started.
fn path(text: &str) -> Result<PathBuf, Fault> {
    let path = Path::new(text.strip_prefix("unix:").unwrap_or(text));
    if path.is_absolute() {
        return Ok(path.to_owned());
    }
    Err(Fault::new(FaultKind::Unreadable, format!("`{text}` is not the path of a file here; it begins with `/`")))
}

/// How the configuration says that something is reached: where, with what of ours, and who it must be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach<'a> {
    pub(crate) address: &'a str,
    /// The CA behind TLS, the known hosts for ssh.
    pub(crate) ca: Option<&'a str>,
    pub(crate) certificate: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
}

impl<'a> Reach<'a> {
    fn of(source: &'a Source) -> Self {
        let Source { address, ca, certificate, key, .. } = source;
        Self { address, ca: ca.as_deref(), certificate: certificate.as_deref(), key: key.as_deref() }
    }
}

/// Where that is.
///
/// # Errors
/// When it is no address, or lacks what its kind needs.
pub(crate) fn endpoint(reach: &Reach<'_>, usual_port: u16, usual: Usual) -> Result<Endpoint, Fault> {
    let told = |error: super::EndpointError| Fault::new(FaultKind::Unreadable, error.to_string());
    if let Some(place) = reach.address.trim().strip_prefix(SSH) {
        let (key, known) = (reach.key.map(Path::new), reach.ca.map(Path::new));
        return Ssh::parse(place, usual, key, known).map(Endpoint::ssh).map_err(told);
    }
    let own = reach.certificate.zip(reach.key);
    let own = own.map(|(certificate, key)| OwnCertificate { certificate: certificate.into(), key: key.into() });
    let credentials = reach.ca.map(|ca| Credentials { ca: ca.into(), own });
    Endpoint::parse(reach.address, usual_port, credentials.as_ref()).map_err(told)
}

/// What this machine is called.
#[must_use]
pub fn own_name() -> String {
    let name = fs::read_to_string(OWN_NAME).unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}

/// What is wrong with the sources of a document.
#[must_use]
pub fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut ids = BTreeSet::new();
    for source in sources {
        let path = |field: &str| format!("sources[{}].{field}", source.id);
        let mut fault = |field: &str, message: String| {
            findings.push(Finding { path: path(field), message, fatal: true });
        };
        if source.id.as_str().is_empty() {
            fault("id", "a source needs an id".to_owned());
        }
        if !ids.insert(&source.id) {
            fault("id", format!("there are two sources with the id `{}`; ids are unique", source.id));
        }
        if !EVERY_MS.contains(&source.every.0) {
            fault("every", "a source can be asked from every second to once a day (1s to 1d)".to_owned());
        }
        let has_key = source.key.is_some() && !source.address.trim().starts_with(SSH);
        if source.certificate.is_some() != has_key {
            fault("certificate", "a certificate and its key go together; name both or neither".to_owned());
        }
        if let Some((field, wrong)) = agents::check(source) {
            fault(field, wrong);
        }
        if source.kind != SourceKind::Agents
            && let Err(wrong) = Kind::of(source)
        {
            fault("address", wrong.message);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn faults(rest: &str) -> Vec<(String, String)> {
        let text = format!("[[sources]]\nid = \"s\"\n{rest}");
        let document = parse(&text).unwrap_or_else(|finding| panic!("{finding:?}"));
        check(&document.sources).into_iter().map(|it| (it.path, it.message)).collect()
    }

    #[test]
    fn every_kind_is_described_in_a_few_words() {
        for rest in [
            "kind = \"file\"\naddress = \"/srv/machines.csv\"",
            "kind = \"libvirt\"\naddress = \"/run/libvirt/libvirt-sock-ro\"\nguests = true",
            "kind = \"libvirt\"\naddress = \"tls:kvm-1.example.org\"\nca = \"/etc/ca.pem\"",
            "kind = \"libvirt\"\naddress = \"ssh:reader@kvm-1\"\nkey = \"/etc/tocsin/id\"\nca = \"/etc/tocsin/known\"",
            "kind = \"openvswitch\"\naddress = \"ssh:kvm-1:2222/run/ovs.sock\"",
            "kind = \"openvswitch\"\naddress = \"unix:/run/openvswitch/db.sock\"",
            "kind = \"qemu\"\naddress = \"/run/a.sock /run/b.sock\"\nevery = \"10s\"",
            "kind = \"openstack\"\naddress = \"https://cloud:5000/v3\"\nusername = \"a\"\npassword = \"b\"\nproject = \"p\"",
            "kind = \"openstack\"\naddress = \"https://cloud/identity\"\nusername = \"a\"\npassword = \"b\"\nregion = \"r\"",
            "kind = \"proxmox\"\naddress = \"https://pve:8006\"\nusername = \"a@pve!b\"\npassword = \"c\"\nguests = true",
            "kind = \"kubernetes\"\naddress = \"https://api:6443\"\ntoken_file = \"/run/token\"",
            "kind = \"kubernetes\"\naddress = \"https://api:6443\"\npassword = \"token\"",
            "kind = \"agents\"",
            "kind = \"agents\"\nprobe = [\"10.0.0.0/24\", \"fd00:7::/64\"]",
        ] {
            assert_eq!(faults(rest), [], "{rest}");
        }
    }

    #[test]
    fn what_cannot_work_is_said_with_the_mend() {
        let first = |rest: &str| faults(rest).into_iter().next().unwrap();
        let (path, why) = first("kind = \"openvswitch\"\naddress = \"tcp:10.0.0.1:6640\"");
        assert!(path == "sources[s].address" && why.contains("plain TCP"), "{path}: {why}");
        let option = first("kind = \"libvirt\"\naddress = \"ssh:-oProxyCommand=x\"");
        assert!(option.0 == "sources[s].address" && option.1.contains("ssh:user@name"), "{option:?}");
        assert!(first("kind = \"file\"\naddress = \"machines.csv\"").1.contains("begins with `/`"));
        assert!(first("kind = \"qemu\"\naddress = \" \"").1.contains("monitor sockets"));
        let cloud = "address = \"https://cloud\"\nusername = \"a\"";
        for (rest, told) in [
            (format!("kind = \"openstack\"\n{cloud}"), "`username` and `password`"),
            (
                format!("kind = \"openstack\"\n{cloud}\npassword = \"b\"\ninterface = \"admin\""),
                "`public` or `internal`",
            ),
            (format!("kind = \"proxmox\"\n{cloud}\npassword = \"b\""), "user@realm!token"),
            (format!("kind = \"proxmox\"\n{cloud}"), "an API token"),
            (format!("kind = \"kubernetes\"\n{cloud}"), "`token_file` or `password`"),
            (format!("kind = \"kubernetes\"\n{cloud}\npassword = \"b\"\ntoken_file = \"/t\""), "one of these"),
            (format!("kind = \"kubernetes\"\n{cloud}\ntoken_file = \"t\""), "begins with `/`"),
        ] {
            let why = first(&rest).1;
            assert!(why.contains(told), "{rest}: {why}");
        }
        let often = first("kind = \"file\"\naddress = \"/a\"\nevery = \"10ms\"");
        assert_eq!(often.0, "sources[s].every");
        let half = first("kind = \"libvirt\"\naddress = \"/a\"\ncertificate = \"/b\"");
        assert_eq!(half.0, "sources[s].certificate");
        assert!(first("kind = \"agents\"\naddress = \"/a\"").1.contains("tocsin token create --kind agent"));
        assert!(first("kind = \"agents\"\nprobe = [\"10.0.0.0\"]").1.contains("`10.0.0.0` is not a prefix"));
        let not_asked = first("kind = \"file\"\naddress = \"/a\"\nprobe = [\"10.0.0.0/24\"]");
        assert_eq!(not_asked.0, "sources[s].probe");
        let twice = "kind = \"file\"\naddress = \"/a\"\n[[sources]]\nid = \"s\"\nkind = \"file\"\naddress = \"/b\"";
        assert!(first(twice).1.contains("two sources with the id `s`"));
    }
}
