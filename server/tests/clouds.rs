//! The collectors of OpenStack, Proxmox VE and Kubernetes against fakes behind real TLS: nothing real is at hand where tests
//! run. The answers have the shapes of the projects' own references of their interfaces.

mod fake;
mod kubernetes;
mod openstack;
mod proxmox;
