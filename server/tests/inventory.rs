//! The collectors against the real programs: Open vSwitch, libvirt and QEMU in namespaces of the tests' own.

mod libvirt;
mod ovsdb;
mod picture;
mod qemu;
mod ssh;
mod tls;
