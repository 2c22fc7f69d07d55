//! What says which machines there are, where they run and how they are plugged in.

use crate::{Delay, SourceId};
use serde::{Deserialize, Serialize};

/// Something that knows machines. It is only ever asked, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Source {
    pub id: SourceId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    pub kind: SourceKind,
    /// Where it answers: `unix:/run/libvirt/libvirt-sock-ro`, `tls:kvm-1.example.org`, a file on this server, or the paths
    /// of QEMU's monitor sockets with spaces between. Agents have none: they report by themselves.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// A file on this server with the certificates (PEM) of those who may have signed its own, instead of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// SHA-256 of its certificate, in hexadecimal: this one is trusted, whoever signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Files on this server with the certificate (PEM) and key with which we show who we are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A file on this server with a bearer token, read again and again as it is renewed (Kubernetes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// In which `username` is a user (OpenStack); without it, `username` is the id of an application credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Of that user and project (OpenStack); `Default` if it is not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Which of a cloud's regions (OpenStack), where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Which addresses of a cloud's services (OpenStack): `public`, if it is not named, or `internal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// How often it is asked, where it does not tell by itself.
    #[serde(default = "default_every")]
    pub every: Delay,
    /// Also asks the systems inside for their addresses, where that takes a question more (libvirt, Proxmox VE).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guests: bool,
    /// Agents may be asked to look for addresses in these prefixes, as `10.0.0.0/24`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probe: Vec<String>,
    /// It is not asked; what it said stays, and grows old.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

/// What kind of source it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    Libvirt,
    /// QEMU processes on this machine, by their monitor sockets.
    Qemu,
    Openvswitch,
    /// A CSV or JSON file on this server, for what has no interface.
    File,
    /// A vCenter or a lone ESXi, at `https://…`.
    Vsphere,
    /// A cloud, or a project of it, at Keystone's `https://…/v3`.
    Openstack,
    /// A cluster or a lone node, at `https://…:8006`.
    Proxmox,
    /// A cluster's pods and nodes, at its API server's `https://…`.
    Kubernetes,
    /// `tocsin agent` on machines of a segment: which address answers at which interface.
    Agents,
}

const fn default_every() -> Delay {
    Delay::secs(60)
}

impl Source {
    /// What people call it.
    #[must_use]
    pub fn title(&self) -> &str {
        if self.name.is_empty() { self.id.as_str() } else { &self.name }
    }
}
