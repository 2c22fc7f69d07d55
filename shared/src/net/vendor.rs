//! Which platform gave an interface its address: the prefixes of hypervisors and container engines, most of which no
//! public register names.

use super::Mac;

/// Prefixes, in whole bytes, and whose they are. Sources: the IEEE register of MA-L for what is registered, else each
/// platform's own documentation.
const PLATFORMS: &[(&[u8], &str)] = &[
    (&[0x00, 0x05, 0x69], "VMware"),
    (&[0x00, 0x0c, 0x29], "VMware"),
    (&[0x00, 0x1c, 0x14], "VMware"),
    (&[0x00, 0x50, 0x56], "VMware"),
    (&[0x00, 0x15, 0x5d], "Microsoft Hyper-V"),
    (&[0x00, 0x16, 0x3e], "Xen"),
    (&[0x00, 0x1c, 0x42], "Parallels"),
    (&[0x02, 0x42], "Docker"),
    (&[0x08, 0x00, 0x27], "VirtualBox"),
    (&[0x0a, 0x58], "Kubernetes (OVN)"),
    (&[0x52, 0x54, 0x00], "QEMU/KVM"),
    (&[0xbc, 0x24, 0x11], "Proxmox VE"),
    (&[0xfa, 0x16, 0x3e], "OpenStack"),
];

/// The platform whose addresses begin like this one.
#[must_use]
pub fn platform(mac: Mac) -> Option<&'static str> {
    PLATFORMS.iter().find(|(prefix, _)| mac.0.starts_with(prefix)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_known_by_their_prefix() {
        let of = |text: &str| platform(text.parse().unwrap());
        assert_eq!(of("52:54:00:12:34:56"), Some("QEMU/KVM"));
        assert_eq!(of("02:42:ac:11:00:02"), Some("Docker"));
        assert_eq!(of("3c:ec:ef:00:00:01"), None);
    }
}
