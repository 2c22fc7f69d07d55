//! The collectors of OpenStack, Proxmox VE and Kubernetes against fakes behind real TLS: nothing real is at hand where tests
//! run. The answers have the shapes of the projects' own references of their interfaces.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[path = "clouds/fake.rs"]
mod fake;
#[path = "clouds/kubernetes.rs"]
mod kubernetes;
#[path = "clouds/openstack.rs"]
mod openstack;
#[path = "clouds/proxmox.rs"]
mod proxmox;
