//! Who made an interface, by the IEEE's registers of address blocks, where this server has their files.
//!
//! The files are read at the first question and again when they change: a server that is never asked holds nothing.

use crate::{clock, outbound::visible};
use shared::net::Mac;
use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Read as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// The registers of blocks of 24, 28 and 36 bits, as the IEEE and Debian's `ieee-data` call their files.
const REGISTERS: [&[&str]; 3] =
    [&["oui.csv", "oui.txt"], &["mam.csv", "mam.txt", "oui28.csv", "oui28.txt"], &["oui36.csv", "oui36.txt"]];
/// The largest of them has 7 MB.
const FILE_BYTES: u64 = 32 << 20;
/// No line of theirs is so long; what is longer is no register.
const LINE_BYTES: u64 = 4_096;
/// All of them have 60,000 together.
const BLOCKS_MAX: usize = 500_000;
const NAME_CHARS: usize = 80;
/// Between two looks at whether a file changed.
const LOOK_EVERY_MS: i64 = 60_000;

/// The registers in one folder, or in one file.
#[derive(Default)]
pub struct Vendors {
    place: Option<PathBuf>,
    read: Mutex<Option<Reading>>,
}

impl fmt::Debug for Vendors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vendors({:?})", self.place)
    }
}

/// A file, its seconds and nanoseconds of the last change, and its length.
type Seen = (PathBuf, (i64, i64), u64);

/// What was read, of which files, and when they were looked at.
struct Reading {
    looked_at_ms: i64,
    files: Vec<Seen>,
    blocks: Blocks,
}

impl Vendors {
    /// Registers that are read when they are needed; a place that is not there knows nobody.
    #[must_use]
    pub const fn at(place: PathBuf) -> Self {
        Self { place: Some(place), read: Mutex::new(None) }
    }

    /// Who made the interface with this address. Reads files: not for where nobody may wait.
    #[must_use]
    pub fn of(&self, mac: Mac) -> Option<String> {
        let place = self.place.as_deref()?;
        let now = clock::now().ms();
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = read.as_ref().is_some_and(|read| (0..LOOK_EVERY_MS).contains(&(now - read.looked_at_ms)));
        if !is_fresh {
            let files = files(place);
            match read.as_mut().filter(|read| read.files == files) {
                Some(read) => read.looked_at_ms = now,
                None => *read = Some(Reading { looked_at_ms: now, blocks: load(&files), files }),
            }
        }
        read.as_ref()?.blocks.owner(mac).map(str::to_owned)
    }
}

/// The files that are there, with what tells that they changed.
fn files(place: &Path) -> Vec<Seen> {
    let seen = |path: PathBuf| {
        let meta = fs::metadata(&path).ok().filter(fs::Metadata::is_file)?;
        Some((path, (meta.mtime(), meta.mtime_nsec()), meta.len()))
    };
    if place.is_file() {
        return seen(place.to_owned()).into_iter().collect();
    }
    // Of each register one form is enough.
    REGISTERS.iter().filter_map(|names| names.iter().find_map(|name| seen(place.join(name)))).collect()
}

fn load(files: &[Seen]) -> Blocks {
    let mut building = Building::default();
    for (path, _, _) in files {
        let read = File::open(path).and_then(|file| building.read(BufReader::new(file.take(FILE_BYTES))));
        if let Err(error) = read {
            tracing::warn!(path = %path.display(), %error, "a register of address blocks cannot be read");
        }
    }
    building.done()
}

/// Blocks in order, each with its owner: eight bytes a block, and each name once.
///
/// A block is 36 bits of prefix, 2 of its kind, and 24 of the number of a name.
#[derive(Default)]
struct Blocks {
    blocks: Vec<u64>,
    names: String,
    /// Where each name ends.
    ends: Vec<u32>,
}

/// Bits of a block's prefix, by kind; the narrowest counts.
const BITS: [u32; 3] = [24, 28, 36];
const NAME_BITS: u32 = 24;

fn key(number: u64, kind: usize) -> u64 {
    let bits = BITS[kind];
    (number >> (48 - bits) << (36 - bits) << 2) | kind as u64
}

impl Blocks {
    fn owner(&self, mac: Mac) -> Option<&str> {
        let [first, ..] = mac.0;
        // Groups, and addresses that somebody made up, are nobody's.
        if first & 0b11 != 0 {
            return None;
        }
        let found = (0..BITS.len()).rev().find_map(|kind| {
            let wanted = key(mac.number(), kind);
            let at = self.blocks.partition_point(|block| block >> NAME_BITS < wanted);
            self.blocks.get(at).filter(|block| **block >> NAME_BITS == wanted)
        })?;
        let name = (found & ((1 << NAME_BITS) - 1)) as usize;
        let begin = name.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.names.get(begin as usize..*self.ends.get(name)? as usize).filter(|name| !name.is_empty())
    }
}

/// Blocks as they are read.
#[derive(Default)]
struct Building {
    blocks: Blocks,
    known: BTreeMap<String, u64>,
}

impl Building {
    /// Reads a register in either form. Lines that say nothing are passed over.
    fn read(&mut self, mut from: impl io::BufRead) -> io::Result<()> {
        let is_csv = from.fill_buf()?.starts_with(b"Registry,");
        if is_csv { self.read_csv(from) } else { self.read_text(from) }
    }

    /// `MA-L,00000C,"Cisco Systems, Inc","170 West Tasman Drive …"`
    fn read_csv(&mut self, from: impl io::BufRead) -> io::Result<()> {
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(from);
        let mut row = csv::ByteRecord::new();
        while rows.read_byte_record(&mut row).map_err(io::Error::other)? {
            let (Some(digits), Some(name)) = (row.get(1), row.get(2)) else { continue };
            let digits = String::from_utf8_lossy(digits);
            let kind = match digits.len() {
                6 => 0,
                7 => 1,
                9 => 2,
                _ => continue,
            };
            let Some(number) = hex(&digits) else { continue };
            self.add(number << (48 - BITS[kind]), kind, &String::from_utf8_lossy(name))?;
        }
        Ok(())
    }

    /// `00-00-0C   (hex)  Cisco Systems, Inc`, then `00000C     (base 16)  Cisco Systems, Inc`; in the registers of narrower
    /// blocks the second line has their range within the first one's, `A00000-AFFFFF     (base 16)  …`.
    fn read_text(&mut self, mut from: impl io::BufRead) -> io::Result<()> {
        let (mut line, mut above) = (Vec::new(), None);
        loop {
            line.clear();
            if from.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&line);
            if let Some((digits, _)) = text.split_once("(hex)") {
                above = Some(digits.trim().replace('-', "")).filter(|digits| digits.len() == 6).and_then(|it| hex(&it));
            } else if let Some((range, name)) = text.split_once("(base 16)") {
                let (begin, end) = range.trim().split_once('-').unwrap_or((range.trim(), ""));
                let number = hex(begin).filter(|_| begin.len() == 6);
                let block = match (number, above, end) {
                    (Some(number), _, "") => Some((number << 24, 0)),
                    (Some(number), Some(above), end) => kind_of(number, end).map(|kind| (above << 24 | number, kind)),
                    _ => None,
                };
                if let Some((number, kind)) = block {
                    self.add(number, kind, name)?;
                }
            }
        }
    }

    fn add(&mut self, number: u64, kind: usize, name: &str) -> io::Result<()> {
        if self.blocks.blocks.len() >= BLOCKS_MAX {
            return Err(io::Error::other(format!("it has more than {BLOCKS_MAX} blocks")));
        }
        let name = visible(name).split_whitespace().collect::<Vec<_>>().join(" ");
        let name: String = name.chars().take(NAME_CHARS).collect();
        let Blocks { blocks, names, ends } = &mut self.blocks;
        let index = *self.known.entry(name).or_insert_with_key(|name| {
            names.push_str(name);
            // Both are bounded by how many blocks there may be.
            ends.push(u32::try_from(names.len()).unwrap_or(u32::MAX));
            ends.len() as u64 - 1
        });
        blocks.push(key(number, kind) << NAME_BITS | index);
        Ok(())
    }

    fn done(self) -> Blocks {
        let Blocks { mut blocks, mut names, mut ends } = self.blocks;
        blocks.sort_unstable();
        blocks.shrink_to_fit();
        names.shrink_to_fit();
        ends.shrink_to_fit();
        Blocks { blocks, names, ends }
    }
}

/// Which kind of block a range of the last 24 bits is.
fn kind_of(begin: u64, end: &str) -> Option<usize> {
    match hex(end).filter(|_| end.len() == 6)?.checked_sub(begin)? {
        0xf_ffff => Some(1),
        0xfff => Some(2),
        _ => None,
    }
}

/// Digits and nothing else.
fn hex(digits: &str) -> Option<u64> {
    let is_hex = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Inventory;
    use proptest::prelude::*;
    use shared::placement::Placement;

    const TEXT: &str = "OUI/MA-L\t\t\tOrganization\r\ncompany_id\t\t\tOrganization\r\n\r\n\
        3C-EC-EF   (hex)\t\tSuper Micro Computer, Inc.\r\n3CECEF     (base 16)\t\tSuper Micro Computer, Inc.\r\n\
        \t\t\t\t980 Rock Ave.\r\n\r\n40-ED-CF   (hex)\t\tApple, Inc.\r\n40EDCF     (base 16)\t\tApple, Inc.\r\n";
    const NARROW: &str = "28-36-13   (hex)\t\tShenzhen Lanxun\r\nA00000-AFFFFF     (base 16)\t\tShenzhen Lanxun\r\n\r\n\
        8C-1F-64   (hex)\t\tBender\r\n4B5000-4B5FFF     (base 16)\t\tBender\r\n";
    const CSV: &str = "Registry,Assignment,Organization Name,Organization Address\n\
        MA-L,3CECEF,\"Super Micro Computer, Inc.\",980 Rock Ave.\nMA-M,283613A,Shenzhen Lanxun,x\nMA-S,8C1F644B5,Bender,x\n";

    fn blocks(texts: &[&str]) -> Blocks {
        let mut building = Building::default();
        texts.iter().for_each(|text| building.read(text.as_bytes()).unwrap());
        building.done()
    }

    #[test]
    fn both_forms_say_the_same_and_the_narrowest_block_counts() {
        let wide = "28-36-13   (hex)\t\tIEEE\r\n283613     (base 16)\t\tIEEE\r\n";
        for blocks in [blocks(&[TEXT, wide, NARROW]), blocks(&[CSV, wide])] {
            let of = |text: &str| blocks.owner(text.parse().unwrap());
            assert_eq!(of("3c:ec:ef:00:00:01"), Some("Super Micro Computer, Inc."));
            assert_eq!(of("28:36:13:a0:00:01"), Some("Shenzhen Lanxun"));
            assert_eq!(of("28:36:13:b0:00:01"), Some("IEEE"));
            assert_eq!(of("8c:1f:64:4b:5f:ff"), Some("Bender"));
            assert_eq!(of("8c:1f:64:4b:60:00"), None);
            assert_eq!(of("3e:ec:ef:00:00:01"), None, "made up");
        }
    }

    #[test]
    fn files_are_read_when_they_are_there_and_again_when_they_change() {
        let folder = tempfile::tempdir().unwrap();
        let mac = "40:ed:cf:00:00:01".parse().unwrap();
        let vendors = Vendors::at(folder.path().to_owned());
        assert_eq!(vendors.of(mac), None);
        fs::write(folder.path().join("oui.txt"), TEXT).unwrap();
        // As a minute later.
        vendors.read.lock().unwrap().as_mut().unwrap().looked_at_ms = 0;
        assert_eq!(vendors.of(mac).as_deref(), Some("Apple, Inc."));
        fs::write(folder.path().join("oui.txt"), TEXT.replace("Apple, Inc.", "Pear")).unwrap();
        assert_eq!(vendors.of(mac).as_deref(), Some("Apple, Inc."), "not looked at each time");
        vendors.read.lock().unwrap().as_mut().unwrap().looked_at_ms = 0;
        assert_eq!(vendors.of(mac).as_deref(), Some("Pear"));
        assert_eq!(Vendors::at(folder.path().join("oui.txt")).of(mac).as_deref(), Some("Pear"));
        assert_eq!(Vendors::default().of(mac), None);
    }

    #[test]
    fn the_whole_register_takes_little_memory() {
        // As many blocks as there are today, each third of a company of its own.
        let text: String = (0..60_000_u32).map(|n| format!("MA-L,{n:06X},Company number {} Ltd.,x\n", n / 3)).collect();
        let blocks = blocks(&[&format!("Registry,Assignment,Organization Name,Organization Address\n{text}")]);
        let bytes = blocks.blocks.capacity() * 8 + blocks.names.capacity() + blocks.ends.capacity() * 4;
        assert!((500_000..1_500_000).contains(&bytes), "{bytes} bytes");
        assert_eq!(blocks.owner("00:04:00:00:00:01".parse().unwrap()), Some("Company number 341 Ltd."));
    }

    #[test]
    fn a_platform_that_gave_the_address_counts_for_more() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), TEXT.replace("3C-EC-EF", "00-50-56").replace("3CECEF", "005056")).unwrap();
        let inventory = Inventory::with_vendors(Vendors::at(file.path().to_owned()));
        let of = |mac: &str, vendor: Option<&str>| {
            let (mac, vendor) = (mac.parse().ok(), vendor.map(str::to_owned));
            let mut placement = Placement { mac, vendor, ..Placement::default() };
            inventory.name_vendor(&mut placement);
            placement.vendor
        };
        assert_eq!(of("00:50:56:00:00:01", Some("VMware")).as_deref(), Some("VMware"));
        assert_eq!(of("40:ed:cf:00:00:01", None).as_deref(), Some("Apple, Inc."));
        assert_eq!(of("40:ed:ce:00:00:01", None), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_passed_over(bytes in prop::collection::vec(any::<u8>(), 0..300), csv in any::<bool>()) {
            let bytes = if csv { [b"Registry,Assignment,a,b\n", &bytes[..]].concat() } else { bytes };
            let mut building = Building::default();
            building.read(&bytes[..]).ok();
            building.done().owner(Mac([0; 6]));
        }

        #[test]
        fn any_block_is_found_by_every_address_in_it(prefix in any::<[u8; 6]>(), other in any::<[u8; 6]>(), kind in 0..3_usize) {
            let mac = Mac([prefix[0] & 0xfc, prefix[1], prefix[2], prefix[3], prefix[4], prefix[5]]);
            let digits = format!("{:012x}", mac.number());
            let row = format!("Registry,Assignment,a,b\nMA-L,{},Owner,x\n", &digits[..BITS[kind] as usize / 4]);
            let blocks = blocks(&[&row]);
            prop_assert_eq!(blocks.owner(mac), Some("Owner"));
            let other = Mac(other);
            let is_inside = other.number() >> (48 - BITS[kind]) == mac.number() >> (48 - BITS[kind]);
            prop_assert_eq!(blocks.owner(other).is_some(), is_inside);
        }
    }
}
