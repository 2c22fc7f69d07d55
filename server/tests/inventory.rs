//! The collectors against the real programs: Open vSwitch, libvirt and QEMU in namespaces of the tests' own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

#[path = "inventory/libvirt.rs"]
mod libvirt;
#[path = "inventory/ovsdb.rs"]
mod ovsdb;
#[path = "inventory/picture.rs"]
mod picture;
#[path = "inventory/qemu.rs"]
mod qemu;
#[path = "inventory/ssh.rs"]
mod ssh;
#[path = "inventory/tls.rs"]
mod tls;
