//! Numbers as bytes: columns of values by `pco` (measured against XOR coding and shuffled bytes with deflate, it is a third
//! smaller and quick to read), and small numbers in few bytes.

use pco::{
    ChunkConfig,
    wrapped::{FileCompressor, FileDecompressor},
};

/// Finds nearly all that the highest level finds in columns of this length, in half of its time.
const LEVEL: usize = 4;
/// All values are the same.
const SAME: u8 = 0;
const PACKED: u8 = 1;
/// As they are, for what the library refuses.
const PLAIN: u8 = 2;

/// What cannot be read of something stored, and where that begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a stored part of a host's samples cannot be read: {0}")]
pub(super) struct Broken(pub(super) &'static str);

/// Seven bits a byte, the lowest first.
pub(super) fn put_number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Takes a number off the front.
pub(super) fn take_number(from: &mut &[u8]) -> Result<u64, Broken> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first().ok_or(Broken("a number"))?;
        *from = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Broken("a number"))
}

/// Small numbers of either sign as small numbers.
pub(super) const fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

pub(super) const fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

/// Whether two columns are the same, what is not a number included.
pub(super) fn are_same(one: &[f32], other: &[f32]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a.to_bits() == b.to_bits())
}

/// Writes the values of a column.
pub(super) fn put_values(to: &mut Vec<u8>, values: &[f32]) {
    let first = values.first().copied().unwrap_or(f32::NAN);
    if values.iter().all(|value| value.to_bits() == first.to_bits()) {
        to.push(SAME);
        to.extend(first.to_le_bytes());
    } else if let Some(packed) = packed(values) {
        to.push(PACKED);
        put_number(to, packed.len() as u64);
        to.extend(packed);
    } else {
        to.push(PLAIN);
        to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }
}

fn packed(values: &[f32]) -> Option<Vec<u8>> {
    let config = ChunkConfig::default().with_compression_level(LEVEL);
    let file = FileCompressor::default();
    let mut chunk = file.chunk_compressor(values, &config).ok()?;
    let packed = chunk.write_meta(file.write_header(Vec::new()).ok()?).ok()?;
    chunk.write_page(0, packed).ok()
}

/// Takes a column of so many values off the front.
pub(super) fn take_values(from: &mut &[u8], rows: usize) -> Result<Vec<f32>, Broken> {
    const BROKEN: Broken = Broken("the values of a column");
    let (kind, rest) = from.split_first().ok_or(BROKEN)?;
    *from = rest;
    let len = match *kind {
        SAME => 4,
        PACKED => take_number(from)? as usize,
        PLAIN => rows.checked_mul(4).ok_or(BROKEN)?,
        _ => return Err(BROKEN),
    };
    let (written, rest) = from.split_at_checked(len).ok_or(BROKEN)?;
    *from = rest;
    if *kind == PACKED {
        return unpacked(written, rows).ok_or(BROKEN);
    }
    let (each, _) = written.as_chunks::<4>();
    let values: Vec<f32> = each.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    match (*kind, values.first()) {
        (SAME, Some(value)) => Ok(vec![*value; rows]),
        _ => Ok(values),
    }
}

fn unpacked(written: &[u8], rows: usize) -> Option<Vec<f32>> {
    let (file, rest) = FileDecompressor::new(written).ok()?;
    let (mut chunk, rest) = file.chunk_decompressor::<f32, _>(rest).ok()?;
    let mut values = vec![0.0; rows];
    let read = chunk.page_decompressor(rest, rows).ok()?.read(&mut values).ok()?;
    (read.n_processed == rows).then_some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn given_back(values: &[f32]) -> Vec<f32> {
        let mut written = Vec::new();
        put_values(&mut written, values);
        let mut rest = &*written;
        let read = take_values(&mut rest, values.len()).unwrap();
        assert!(rest.is_empty());
        read
    }

    #[test]
    fn what_is_measured_takes_few_bytes() {
        let len = |values: &[f32]| {
            let mut written = Vec::new();
            put_values(&mut written, values);
            written.len()
        };
        assert_eq!((len(&[]), len(&[7.5; 60])), (5, 5));
        let loads: Vec<f32> = (0..60).map(|n| ((n * 7 % 11) as f32 + 120.0) / 100.0).collect();
        let counts: Vec<f32> = (0..60).map(|n| (n * 13 % 17 + 300) as f32).collect();
        for values in [loads, counts] {
            assert!(are_same(&given_back(&values), &values) && len(&values) < 90, "{}", len(&values));
        }
    }

    proptest! {
        #[test]
        fn any_values_are_given_back_to_the_bit(bits in prop::collection::vec(any::<u32>(), 0..200)) {
            let values: Vec<f32> = bits.into_iter().map(f32::from_bits).collect();
            prop_assert!(are_same(&given_back(&values), &values));
        }

        #[test]
        fn measured_values_with_gaps_are_given_back(
            values in prop::collection::vec(prop::option::weighted(0.9, -1000_i32..1000), 0..200)
        ) {
            let values: Vec<f32> = values.into_iter().map(|it| it.map_or(f32::NAN, |it| it as f32 / 10.0)).collect();
            prop_assert!(are_same(&given_back(&values), &values));
        }

        #[test]
        fn numbers_are_given_back_and_any_bytes_are_some_or_none(number: i64, bytes: Vec<u8>) {
            let mut written = Vec::new();
            put_number(&mut written, zigzag(number));
            prop_assert_eq!(take_number(&mut &*written).map(unzigzag), Ok(number));
            take_number(&mut &*bytes).ok();
        }
    }
}
