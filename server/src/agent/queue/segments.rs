//! Samples on disk: files that only grow, each a run of frames, the oldest file dropped when there is no more room.
//!
//! A frame is its length and its checksum (CRC-32), four bytes each, the smallest first; then one byte that says what it
//! is, and that, compressed: `N` the names of the series of what follows, `S` a sample. A program that is killed as it
//! writes leaves a frame that is cut off; it and what would follow are not read, and the next run begins a file of its own.

use super::pack;
use serde::de::DeserializeOwned;
use shared::Timestamp;
use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file is about this large; there are at least eight.
const FILE_BYTES: u64 = 1_024 * 1_024;
const NAME_START: &str = "samples-";
/// Nothing that is written is longer.
const FRAME_BYTES: u64 = 1_024 * 1_024;
/// Of what is unpacked.
const UNPACKED_BYTES: u64 = 16 * 1_024 * 1_024;
const NAMES: u8 = b'N';
const SAMPLE: u8 = b'S';

/// Where a reader is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// Of the file.
    number: u64,
    /// Frames of that file that were passed.
    frames: usize,
}

#[derive(Debug)]
struct Segment {
    number: u64,
    bytes: u64,
    frames: usize,
    samples: u64,
    newest: Timestamp,
}

/// Every file, and what of it the server has.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    most_bytes: u64,
    files: VecDeque<Segment>,
    /// The last of them is open for writing, with the names that its samples go by.
    writing: Option<(File, Arc<Vec<String>>)>,
    taken: Position,
    lost: u64,
}

/// Some samples of the same series with where they end.
type Run = (Position, Arc<Vec<String>>, Vec<Vec<u8>>);

impl Segments {
    pub(super) fn open(folder: &Path, most_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let number = |name: &str| name.strip_prefix(NAME_START)?.parse::<u64>().ok();
        let entries = fs::read_dir(folder)?.flatten();
        let mut numbers: Vec<u64> = entries.filter_map(|entry| number(entry.file_name().to_str()?)).collect();
        numbers.sort_unstable();
        let mut segments = Self {
            folder: folder.to_owned(),
            most_bytes,
            files: VecDeque::new(),
            writing: None,
            taken: Position::default(),
            lost: 0,
        };
        for number in numbers {
            let mut segment = Segment { number, bytes: 0, frames: 0, samples: 0, newest: Timestamp::from_ms(i64::MIN) };
            for frame in segments.read(number)? {
                segment.bytes += u64::try_from(frame.len()).unwrap_or_default() + 8;
                segment.frames += 1;
                if let Some(at) = instant(&frame) {
                    segment.samples += 1;
                    segment.newest = segment.newest.max(at);
                }
            }
            if segment.samples == 0 { segments.remove(number)? } else { segments.files.push_back(segment) }
        }
        Ok(segments)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{NAME_START}{number:020}"))
    }

    fn remove(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.path(number))
    }

    pub(super) const fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether there is something that the server does not have.
    pub(super) fn has_more(&self) -> bool {
        self.files.back().is_some_and(|last| self.taken < Position { number: last.number, frames: last.frames })
    }

    /// The frames of a file up to its end, or to where it is torn.
    fn read(&self, number: u64) -> io::Result<Vec<Vec<u8>>> {
        let mut bytes = Vec::new();
        File::open(self.path(number))?.take(4 * FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(frames(&bytes))
    }

    pub(super) fn append(&mut self, at: Timestamp, series: &Arc<Vec<String>>, packed: &[u8]) -> io::Result<()> {
        let is_full = self.files.back().is_none_or(|last| last.bytes >= FILE_BYTES);
        if is_full || self.writing.is_none() {
            self.begin()?;
        }
        let Some((file, names)) = &mut self.writing else { return Ok(()) };
        let Some(last) = self.files.back_mut() else { return Ok(()) };
        let mut bytes = Vec::new();
        if names != series {
            bytes = frame(NAMES, &pack(series.as_ref())?)?;
            names.clone_from(series);
            last.frames += 1;
        }
        bytes.extend(frame(SAMPLE, packed)?);
        if let Err(error) = file.write_all(&bytes) {
            // What was half written ends this file.
            self.writing = None;
            return Err(error);
        }
        last.frames += 1;
        last.samples += 1;
        last.bytes += u64::try_from(bytes.len()).unwrap_or_default();
        last.newest = last.newest.max(at);
        self.make_room()
    }

    fn begin(&mut self) -> io::Result<()> {
        // A number is never used twice, so that no position is of another file.
        let number = self.files.back().map_or(self.taken.number, |last| last.number) + 1;
        let file = OpenOptions::new().append(true).create_new(true).open(self.path(number))?;
        self.writing = Some((file, Arc::default()));
        let newest = Timestamp::from_ms(i64::MIN);
        self.files.push_back(Segment { number, bytes: 0, frames: 0, samples: 0, newest });
        Ok(())
    }

    fn make_room(&mut self) -> io::Result<()> {
        while self.files.len() > 1 && self.files.iter().map(|it| it.bytes).sum::<u64>() > self.most_bytes {
            let Some(gone) = self.files.pop_front() else { break };
            // What the server took before is not lost; how much of a file that is is not counted finer.
            if self.taken < (Position { number: gone.number, frames: gone.frames }) {
                self.lost += gone.samples;
            }
            self.remove(gone.number)?;
        }
        Ok(())
    }

    /// The oldest samples that the server does not have.
    pub(super) fn next(&mut self, most: usize) -> io::Result<Option<Run>> {
        loop {
            let open = |it: &&Segment| self.taken < Position { number: it.number, frames: it.frames };
            let Some(segment) = self.files.iter().find(open) else { return Ok(None) };
            let (number, frames) = (segment.number, segment.frames);
            let passed = if self.taken.number == number { self.taken.frames } else { 0 };
            match run(number, &self.read(number)?, passed, most) {
                Some(run) => return Ok(Some(run)),
                // Nothing more in it can be read.
                None => self.taken = Position { number, frames },
            }
        }
    }

    /// The server has everything before this.
    pub(super) fn took(&mut self, position: Position) {
        self.taken = self.taken.max(position);
    }

    /// Everything is to be sent again.
    pub(super) fn rewind(&mut self) {
        self.taken = Position { number: self.files.front().map_or(self.taken.number, |first| first.number), frames: 0 };
    }

    /// Drops files of which everything was taken and is stored for good.
    pub(super) fn stored(&mut self, until: Timestamp) -> io::Result<()> {
        while let Some(first) = self.files.front() {
            let end = Position { number: first.number, frames: first.frames };
            if self.taken < end || first.newest > until {
                break;
            }
            if self.files.len() == 1 {
                self.writing = None;
                self.taken.number = self.taken.number.max(first.number);
            }
            let number = first.number;
            self.files.pop_front();
            self.remove(number)?;
        }
        Ok(())
    }
}

/// Samples of the same series, each after the one before it, from the frame `passed` on.
fn run(number: u64, frames: &[Vec<u8>], passed: usize, most: usize) -> Option<Run> {
    let mut names: Arc<Vec<String>> = Arc::default();
    let mut samples: Vec<Vec<u8>> = Vec::new();
    let mut last = None;
    let mut end = passed;
    for (n, frame) in frames.iter().enumerate() {
        let Some((kind, packed)) = frame.split_first() else { continue };
        match *kind {
            NAMES if samples.is_empty() => names = Arc::new(unpacked(packed)?),
            NAMES => break,
            SAMPLE if n >= passed => {
                let at = instant(frame);
                if samples.len() >= most || (last.is_some() && at <= last) {
                    break;
                }
                last = at;
                samples.push(packed.to_vec());
            }
            _ => {}
        }
        end = end.max(n + 1);
    }
    (!samples.is_empty()).then_some((Position { number, frames: end }, names, samples))
}

/// The instant of a frame, if it holds a sample.
fn instant(frame: &[u8]) -> Option<Timestamp> {
    let (kind, packed) = frame.split_first()?;
    (*kind == SAMPLE).then(|| unpacked::<super::Packed>(packed)).flatten().map(|it| it.at)
}

/// What was packed; none if it is not whole.
pub(super) fn unpacked<T: DeserializeOwned>(packed: &[u8]) -> Option<T> {
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(packed).take(UNPACKED_BYTES).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn frame(kind: u8, packed: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(packed.len() + 1).ok().filter(|it| u64::from(*it) <= FRAME_BYTES);
    let length = length.ok_or_else(|| io::Error::other("a sample is larger than the buffer takes"))?;
    let mut sum = flate2::Crc::new();
    sum.update(&[kind]);
    sum.update(packed);
    let mut bytes = length.to_le_bytes().to_vec();
    bytes.extend(sum.sum().to_le_bytes());
    bytes.push(kind);
    bytes.extend(packed);
    Ok(bytes)
}

/// The frames of some bytes, up to the first that is cut off or not as it was written.
fn frames(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let number = |bytes: &[u8], at: usize| bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes);
    while let (Some(length), Some(expected)) = (number(bytes, 0), number(bytes, 4)) {
        let Some(frame) = bytes.get(8..8_usize.saturating_add(length as usize)) else { break };
        let mut sum = flate2::Crc::new();
        sum.update(frame);
        if frame.is_empty() || sum.sum() != expected {
            break;
        }
        frames.push(frame.to_vec());
        bytes = bytes.get(8 + frame.len()..).unwrap_or_default();
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_torn_end_is_not_read_and_nothing_before_it_is_lost() {
        let whole = [frame(NAMES, b"a").unwrap(), frame(SAMPLE, b"bc").unwrap()].concat();
        assert_eq!(frames(&whole), [b"Na".to_vec(), b"Sbc".to_vec()]);
        for cut in 10..whole.len() {
            assert_eq!(frames(&whole[..cut]).len(), 1, "{cut}");
        }
        let mut turned = whole.clone();
        *turned.last_mut().unwrap() ^= 1;
        assert_eq!(frames(&turned).len(), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200), junk in prop::collection::vec(any::<u8>(), 0..60)) {
            let found = frames(&bytes);
            run(1, &found, 0, 10);
            let sound = frame(SAMPLE, &junk).unwrap();
            let found = frames(&[sound, bytes].concat());
            prop_assert!(!found.is_empty());
            run(1, &found, 0, 10);
        }
    }
}
