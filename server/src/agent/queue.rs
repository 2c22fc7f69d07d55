//! Samples that are not stored for good yet: the newest in memory, those of a server that is away on disk.
//!
//! A sample is let go when the server took it and says that it is stored, or when there is no more room; the oldest goes
//! first, and is counted if nobody took it.

mod segments;

use segments::Segments;
use serde::{Deserialize, Serialize};
use shared::{Timestamp, host::Sample};
use std::{collections::VecDeque, io, path::Path, sync::Arc};

/// In memory: a quarter of an hour by the second, or hours at the usual pace.
const SAMPLES_KEPT: usize = 900;
/// Of all that is kept in memory.
const BYTES_KEPT: usize = 8 * 1_024 * 1_024;

/// Some samples of the same series, the oldest first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) series: Arc<Vec<String>>,
    pub(super) samples: Vec<Sample>,
    from: Origin,
}

/// Where samples are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Memory,
    Disk(segments::Position),
}

/// A sample in memory, packed.
#[derive(Clone, Debug)]
struct Kept {
    at: Timestamp,
    series: Arc<Vec<String>>,
    packed: Vec<u8>,
    taken: bool,
}

/// A sample as it is packed.
#[derive(Debug, Serialize, Deserialize)]
struct Packed {
    at: Timestamp,
    values: Vec<Option<f64>>,
}

/// Everything that may have to be sent once more.
#[derive(Debug, Default)]
pub(super) struct Queue {
    memory: VecDeque<Kept>,
    bytes: usize,
    disk: Option<Segments>,
    /// The server does not answer: what comes goes to the disk at once, so that it survives a restart.
    away: bool,
    lost: u64,
}

impl Queue {
    /// With a folder, what the run before left there is sent first.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub(super) fn new(folder: Option<&Path>, most_bytes: u64) -> io::Result<Self> {
        let disk = folder.map(|folder| Segments::open(folder, most_bytes)).transpose()?;
        Ok(Self { away: disk.as_ref().is_some_and(Segments::has_more), disk, ..Self::default() })
    }

    /// Samples that were given up since the agent started.
    pub(super) fn lost(&self) -> u64 {
        self.lost + self.disk.as_ref().map_or(0, Segments::lost)
    }

    /// Keeps a sample. An error of the disk leaves it in memory.
    pub(super) fn push(&mut self, series: &Arc<Vec<String>>, sample: &Sample) -> io::Result<()> {
        let packed = pack(&Packed { at: sample.at, values: sample.values.clone() })?;
        self.bytes += packed.len();
        // Names that did not change are held once.
        let series = self.memory.back().map(|it| &it.series).filter(|it| *it == series).unwrap_or(series).clone();
        self.memory.push_back(Kept { at: sample.at, series, packed, taken: false });
        self.trim();
        if self.away { self.spill() } else { Ok(()) }
    }

    /// Lets the oldest go where there are too many.
    fn trim(&mut self) {
        while self.memory.len() > SAMPLES_KEPT || self.bytes > BYTES_KEPT {
            let Some(gone) = self.memory.pop_front() else { break };
            self.bytes -= gone.packed.len();
            self.lost += u64::from(!gone.taken);
        }
    }

    /// The server does not answer: what it did not take goes to the disk.
    pub(super) fn server_is_away(&mut self) -> io::Result<()> {
        self.away = true;
        self.spill()
    }

    pub(super) fn server_is_back(&mut self) {
        self.away = false;
    }

    fn spill(&mut self) -> io::Result<()> {
        let (memory, bytes) = (&mut self.memory, &mut self.bytes);
        Self::with(&mut self.disk, |disk| {
            while let Some(place) = memory.iter().position(|it| !it.taken) {
                let Some(kept) = memory.get(place) else { break };
                disk.append(kept.at, &kept.series, &kept.packed)?;
                *bytes -= kept.packed.len();
                memory.remove(place);
            }
            Ok(())
        })
        .map(Option::unwrap_or_default)
    }

    /// Does something with the disk, if there is one. One that fails is not tried again: what is there stays for the next
    /// run.
    fn with<T>(disk: &mut Option<Segments>, act: impl FnOnce(&mut Segments) -> io::Result<T>) -> io::Result<Option<T>> {
        let Some(segments) = disk else { return Ok(None) };
        act(segments).map(Some).inspect_err(|_| *disk = None)
    }

    /// The newest sample, if it was not taken yet and is in memory: what whoever looks waits for.
    pub(super) fn newest(&self) -> Option<Frame> {
        let kept = self.memory.back().filter(|it| !it.taken)?;
        Some(Frame { series: kept.series.clone(), samples: vec![unpack(&kept.packed)?], from: Origin::Memory })
    }

    /// The oldest samples that were not taken, at most so many, all of the same series.
    pub(super) fn oldest(&mut self, most: usize) -> io::Result<Option<Frame>> {
        let run = Self::with(&mut self.disk, |disk| disk.next(most))?.flatten();
        if let Some((position, series, packed)) = run {
            let samples: Vec<Sample> = packed.iter().filter_map(|it| unpack(it)).collect();
            return Ok(Some(Frame { series, samples, from: Origin::Disk(position) }));
        }
        Ok(self.oldest_in_memory(most))
    }

    fn oldest_in_memory(&self, most: usize) -> Option<Frame> {
        let mut open = self.memory.iter().filter(|it| !it.taken);
        let first = open.next()?;
        let mut samples = vec![unpack(&first.packed)?];
        for kept in open.take(most.saturating_sub(1)) {
            let is_later = samples.last().is_some_and(|last| last.at < kept.at);
            let Some(sample) = unpack(&kept.packed).filter(|_| is_later && kept.series == first.series) else { break };
            samples.push(sample);
        }
        Some(Frame { series: first.series.clone(), samples, from: Origin::Memory })
    }

    /// The server has these.
    pub(super) fn took(&mut self, frame: &Frame) {
        match frame.from {
            Origin::Disk(position) => self.disk.iter_mut().for_each(|disk| disk.took(position)),
            Origin::Memory => {
                let is_it = |kept: &Kept| frame.samples.iter().any(|it| it.at == kept.at);
                self.memory.iter_mut().filter(|kept| is_it(kept)).for_each(|kept| kept.taken = true);
            }
        }
    }

    /// The server will never take these: they are given up.
    pub(super) fn give_up(&mut self, frame: &Frame) {
        self.lost += u64::try_from(frame.samples.len()).unwrap_or_default();
        self.took(frame);
        if frame.from == Origin::Memory {
            self.drop_where(|kept| frame.samples.iter().any(|it| it.at == kept.at));
        }
    }

    /// What was taken and is not after this is stored for good.
    pub(super) fn stored(&mut self, until: Timestamp) -> io::Result<()> {
        self.drop_where(|kept| kept.taken && kept.at <= until);
        Self::with(&mut self.disk, |disk| disk.stored(until)).map(drop)
    }

    fn drop_where(&mut self, is_gone: impl Fn(&Kept) -> bool) {
        self.memory.retain(|kept| !is_gone(kept));
        self.bytes = self.memory.iter().map(|kept| kept.packed.len()).sum();
    }

    /// The server began anew and lacks what is after this: all of it is to be sent again.
    pub(super) fn send_again(&mut self, after: Option<Timestamp>) {
        let is_after = |at: Timestamp| after.is_none_or(|after| at > after);
        self.memory.iter_mut().filter(|kept| is_after(kept.at)).for_each(|kept| kept.taken = false);
        self.disk.iter_mut().for_each(Segments::rewind);
    }
}

/// As it is kept in memory and on disk: JSON, compressed.
fn pack<T: Serialize>(it: &T) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    serde_json::to_writer(&mut encoder, it)?;
    encoder.finish()
}

fn unpack(bytes: &[u8]) -> Option<Sample> {
    let Packed { at, values } = segments::unpacked(bytes)?;
    Some(Sample { at, values })
}

#[cfg(test)]
mod tests;
