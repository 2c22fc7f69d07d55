//! File systems, with the meaning of `df`: each device once, where it is mounted first.
//!
//! Those of the network are left out: a server that is away would hold up whoever asks, for as long as it likes.

use super::{
    fields::unescaped,
    roots::Roots,
    values::{Values, percent},
};
use procfs_core::process::MountInfo;
use rustix::fs::{StatVfs, statvfs};
use std::collections::BTreeMap;

/// File systems that are measured; by place, the first of more.
const MOUNTS_MAX: usize = 40;
/// Those that lie on a device of this machine and can become full.
const LOCAL: [&str; 18] = [
    "bcachefs", "btrfs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "hfsplus", "jfs", "nilfs2", "ntfs",
    "ntfs3", "reiserfs", "ubifs", "vfat", "xfs", "zfs",
];
/// Those that somebody else keeps.
const NETWORK: [&str; 15] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "fuse.ceph",
    "fuse.glusterfs",
    "fuse.sshfs",
    "gfs2",
    "lustre",
    "nfs",
    "nfs4",
    "ocfs2",
    "smb3",
    "virtiofs",
];

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    place: String,
    kind: String,
}

/// What is measured and what is left out, of the text of `mountinfo`.
fn chosen(text: &str) -> (Vec<Mount>, Vec<String>) {
    let mut by_device: BTreeMap<String, Mount> = BTreeMap::new();
    let mut network = Vec::new();
    for it in text.lines().filter_map(|line| MountInfo::from_line(line).ok()) {
        let place = unescaped(&it.mount_point.to_string_lossy());
        if NETWORK.contains(&it.fs_type.as_str()) {
            network.push(place);
            continue;
        }
        // A container's own root is an overlay, and so is that of a system that runs from a read-only medium.
        let is_root = place == "/" && it.fs_type == "overlay";
        if !is_root && !LOCAL.contains(&it.fs_type.as_str()) {
            continue;
        }
        let mount = Mount { place, kind: it.fs_type };
        by_device
            .entry(it.majmin)
            .and_modify(|kept| {
                if (mount.place.len(), &mount.place) < (kept.place.len(), &kept.place) {
                    *kept = mount.clone();
                }
            })
            .or_insert(mount);
    }
    let mut mounts: Vec<Mount> = by_device.into_values().collect();
    mounts.sort_by(|a, b| a.place.cmp(&b.place));
    (mounts, network)
}

pub(super) fn measure(roots: &Roots, out: &mut Values) {
    let (mut mounts, network) = chosen(&roots.text("proc/self/mountinfo").unwrap_or_default());
    if let Some(first) = network.first() {
        let told = format!(
            "file systems of the network are not measured ({first}, {} in all); measure them where they are",
            network.len()
        );
        out.lacks("df of the network", told);
    }
    if mounts.len() > MOUNTS_MAX {
        out.lacks("df", format!("the first {MOUNTS_MAX} of {} file systems are measured", mounts.len()));
    }
    mounts.truncate(MOUNTS_MAX);
    for mount in &mounts {
        match statvfs(roots.path(mount.place.trim_start_matches('/'))) {
            Ok(space) => put(mount, &space, out),
            Err(error) => out.lacks("df", format!("{} cannot be asked ({error})", mount.place)),
        }
    }
}

/// As `df` counts: free is what is left for everybody, without what is reserved for root; a percentage is of both.
fn put(mount: &Mount, space: &StatVfs, out: &mut Values) {
    let bytes = |blocks: u64| blocks as f64 * space.f_frsize as f64;
    let used = space.f_blocks.saturating_sub(space.f_bfree);
    let used_percent = percent(used, used.saturating_add(space.f_bavail));
    let inodes = percent(space.f_files.saturating_sub(space.f_ffree), space.f_files);
    let tags = [("fstype", mount.kind.as_str()), ("mount", mount.place.as_str())];
    out.put_of("df.bytes.total", &tags, bytes(space.f_blocks));
    out.put_of("df.bytes.used", &tags, bytes(used));
    out.put_of("df.bytes.free", &tags, bytes(space.f_bavail));
    out.put_of("df.bytes.used.percent", &tags, used_percent);
    out.put_of("df.bytes.free.percent", &tags, used_percent.map(|it| 100.0 - it));
    // Some make inodes as they need them, and count none.
    out.put_of("df.inodes.used.percent", &tags, inodes);
    out.put_of("df.inodes.free.percent", &tags, inodes.map(|it| 100.0 - it));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_device_is_measured_once_and_the_network_never() {
        let text = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
                    23 22 254:0 /var/lib/x /var/lib/x rw - ext4 /dev/vda rw\n\
                    24 22 0:5 / /proc rw - proc proc rw\n\
                    25 22 0:40 / /run rw - tmpfs tmpfs rw\n\
                    26 22 254:16 / /mnt/two\\040words rw - xfs /dev/vdb rw\n\
                    27 22 0:50 / /mnt/far rw - nfs4 10.0.0.1:/x rw\n\
                    28 22 0:60 / /var/lib/docker/overlay2/1 rw - overlay overlay rw\n\
                    29 22 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro\n\
                    half a line\n";
        let (mounts, network) = chosen(text);
        let told: Vec<_> = mounts.iter().map(|it| (it.place.as_str(), it.kind.as_str())).collect();
        assert_eq!(told, [("/", "ext4"), ("/mnt/two words", "xfs")]);
        assert_eq!(network, ["/mnt/far"]);
        let (mounts, _) = chosen("1 0 0:60 / / rw - overlay overlay rw\n");
        assert_eq!(mounts.len(), 1, "a container's own root");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(?s)([0-9:]{1,5}[ /a-z\\\\0-9-]{0,40}\n){0,5}.{0,60}") {
            chosen(&text);
        }
    }
}
