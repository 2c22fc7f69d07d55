//! A stored part: the series of one host and feed over one span of time, compressed, each readable by itself.
//!
//! Numbers are LEB128. A part is: a checksum (CRC-32) of what follows, the length of the names, the names (one a line, in
//! order, deflated), and the body: version, values of each point, rows, columns, the instants (first differences' differences, zigzag), the length of
//! each column, and the columns ([`super::codec`]).

use super::{
    codec::{self, Broken},
    names::{Names, Series},
    rollup::{Point, ROLLED},
    table::Table,
};
use flate2::{Compression, Crc, read::DeflateDecoder, write::DeflateEncoder};
use std::{
    io::{Read as _, Write as _},
    sync::Arc,
};

const VERSION: u8 = 1;
const CHECK_BYTES: usize = 4;
/// A part has no more rows than this: twice ten minutes of seconds, for two feeds' clocks.
const ROWS_MAX: usize = 4_096;
/// A host has 2,000 series at one time; in a span some may go and others come.
const COLUMNS_MAX: usize = 16_384;
/// More than as many of the longest names as a host may have.
const NAMES_MAX_BYTES: u64 = 4 << 20;

/// The series of a part, in order.
pub(super) type Columns = Arc<[Arc<Series>]>;

/// Some series over some time.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) columns: Columns,
    body: Box<[u8]>,
}

/// What was read last: parts that follow each other mostly have the same series.
#[derive(Debug, Default)]
pub(super) struct Memo {
    written: Vec<u8>,
    columns: Option<Columns>,
}

impl Part {
    /// Compresses a table; it is cut where it is larger than a part may be.
    pub(super) fn of<const W: usize>(table: &Table<W>) -> Self {
        let rows = table.at.len().min(ROWS_MAX);
        let mut body = vec![VERSION, W as u8];
        codec::put_number(&mut body, rows as u64);
        codec::put_number(&mut body, table.columns.len().min(COLUMNS_MAX) as u64);
        let (mut last, mut step) = (0_i64, 0_i64);
        for at in table.at.iter().take(rows) {
            let next = at.wrapping_sub(last);
            codec::put_number(&mut body, codec::zigzag(next.wrapping_sub(step)));
            (last, step) = (*at, next);
        }
        let mut written = Vec::new();
        for values in table.columns.values().take(COLUMNS_MAX) {
            let before = written.len();
            write_column(&mut written, values, rows);
            codec::put_number(&mut body, (written.len() - before) as u64);
        }
        body.extend(written);
        Self { columns: table.columns.keys().take(COLUMNS_MAX).cloned().collect(), body: body.into() }
    }

    /// As it is stored.
    pub(super) fn write(&self) -> Vec<u8> {
        let names: Vec<&str> = self.columns.iter().map(|it| &*it.text).collect();
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
        // Memory takes everything.
        let names =
            deflated.write_all(names.join("\n").as_bytes()).and_then(|()| deflated.finish()).unwrap_or_default();
        let mut written = vec![0; CHECK_BYTES];
        codec::put_number(&mut written, names.len() as u64);
        written.extend(names);
        written.extend(&*self.body);
        if let Some((check, rest)) = written.split_first_chunk_mut() {
            *check = checksum(rest);
        }
        written
    }

    /// As it was stored.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn read(stored: &[u8], names: &Names, memo: &mut Memo) -> Result<Self, Broken> {
        let (check, mut rest) = stored.split_first_chunk().ok_or(Broken("its beginning"))?;
        if checksum(rest) != *check {
            return Err(Broken("it is not as it was written"));
        }
        let len = codec::take_number(&mut rest)? as usize;
        let (written, body) = rest.split_at_checked(len).ok_or(Broken("its names"))?;
        if memo.columns.is_none() || memo.written != written {
            let mut text = String::new();
            let mut inflated = DeflateDecoder::new(written).take(NAMES_MAX_BYTES);
            inflated.read_to_string(&mut text).map_err(|_| Broken("its names"))?;
            let each = text.lines().map(|line| line.parse().map(|name| names.of(name)));
            memo.columns = Some(each.collect::<Result<_, _>>().map_err(|_| Broken("a name"))?);
            memo.written = written.to_vec();
        }
        let columns = memo.columns.clone().unwrap_or_default();
        Ok(Self { columns, body: body.into() })
    }

    /// Begins to read.
    ///
    /// # Errors
    /// When it is no part.
    pub(super) fn open(&self) -> Result<Opened<'_>, Broken> {
        let [version, width, rest @ ..] = &*self.body else { return Err(Broken("its beginning")) };
        if *version != VERSION {
            return Err(Broken("its version"));
        }
        let mut rest = rest;
        let rows = codec::take_number(&mut rest)? as usize;
        let columns = codec::take_number(&mut rest)? as usize;
        if rows > ROWS_MAX || columns > COLUMNS_MAX || columns != self.columns.len() {
            return Err(Broken("its size"));
        }
        let mut at = Vec::with_capacity(rows);
        let (mut last, mut step) = (0_i64, 0_i64);
        for _ in 0..rows {
            step = step.wrapping_add(codec::unzigzag(codec::take_number(&mut rest)?));
            last = last.wrapping_add(step);
            at.push(last);
        }
        if !at.is_sorted() {
            return Err(Broken("its instants"));
        }
        let mut ends = Vec::with_capacity(columns);
        let mut end = 0_usize;
        for _ in 0..columns {
            end = end.checked_add(codec::take_number(&mut rest)? as usize).ok_or(Broken("its size"))?;
            ends.push(end);
        }
        if end != rest.len() {
            return Err(Broken("its size"));
        }
        Ok(Opened { width: usize::from(*width), at, ends, written: rest })
    }

    /// The whole of it.
    ///
    /// # Errors
    /// When it is no part of this kind.
    pub(super) fn table<const W: usize>(&self) -> Result<Table<W>, Broken> {
        let opened = self.open()?;
        let each = self.columns.iter().enumerate().map(|(n, series)| Ok((Arc::clone(series), opened.column(n)?)));
        let columns = each.collect::<Result<_, Broken>>()?;
        Ok(Table { at: opened.at, columns })
    }

    /// What it costs in memory, without the names.
    pub(super) fn bytes(&self) -> usize {
        self.body.len()
    }
}

/// A part whose beginning was read.
#[derive(Debug)]
pub(super) struct Opened<'a> {
    width: usize,
    pub(super) at: Vec<i64>,
    ends: Vec<usize>,
    written: &'a [u8],
}

impl Opened<'_> {
    /// The values of one series.
    ///
    /// # Errors
    /// When there is no such column, or it cannot be read.
    pub(super) fn column<const W: usize>(&self, n: usize) -> Result<[Vec<f32>; W], Broken> {
        if self.width != W {
            return Err(Broken("its kind"));
        }
        let from = n.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        let written = from.zip(self.ends.get(n)).and_then(|(from, end)| self.written.get(from..*end));
        read_column(written.ok_or(Broken("a column"))?, self.at.len())
    }

    /// The points of one series, whatever the kind of the part.
    ///
    /// # Errors
    /// As [`Opened::column`].
    pub(super) fn points(&self, n: usize) -> Result<Vec<Point>, Broken> {
        if self.width == 1 {
            let [values] = self.column::<1>(n)?;
            let each = self.at.iter().zip(values).filter(|(_, value)| !value.is_nan());
            return Ok(each.map(|(at, value)| Point::of(*at, value)).collect());
        }
        let [mean, least, greatest, last, counts] = self.column::<ROLLED>(n)?;
        let each = self.at.iter().zip(mean).zip(least).zip(greatest).zip(last).zip(counts);
        let points = each.filter(|(_, n)| !n.is_nan());
        Ok(points
            .map(|(((((at, mean), least), greatest), last), n)| {
                Point::from_values(*at, [mean, least, greatest, last, n])
            })
            .collect())
    }
}

fn checksum(written: &[u8]) -> [u8; CHECK_BYTES] {
    let mut check = Crc::new();
    check.update(written);
    check.sum().to_le_bytes()
}

/// The last of several columns is the count; where all others are the same, one of them is written.
fn write_column<const W: usize>(to: &mut Vec<u8>, values: &[Vec<f32>; W], rows: usize) {
    let cut = |values: &Vec<f32>| values.iter().take(rows).copied().collect::<Vec<f32>>();
    let [first, others @ .., counts] = values.as_slice() else {
        if let [only] = values.as_slice() {
            codec::put_values(to, &cut(only));
        }
        return;
    };
    let same = others.iter().all(|other| codec::are_same(first, other));
    to.push(u8::from(same));
    codec::put_values(to, &cut(first));
    if !same {
        others.iter().for_each(|other| codec::put_values(to, &cut(other)));
    }
    codec::put_values(to, &cut(counts));
}

fn read_column<const W: usize>(written: &[u8], rows: usize) -> Result<[Vec<f32>; W], Broken> {
    let mut rest = written;
    let mut values = [(); W].map(|()| Vec::new());
    let [first, others @ .., counts] = values.as_mut_slice() else {
        if let [only] = values.as_mut_slice() {
            *only = codec::take_values(&mut rest, rows)?;
        }
        return Ok(values);
    };
    let (same, after) = rest.split_first().ok_or(Broken("a column"))?;
    rest = after;
    *first = codec::take_values(&mut rest, rows)?;
    for other in others {
        *other = if *same == 1 { first.clone() } else { codec::take_values(&mut rest, rows)? };
    }
    *counts = codec::take_values(&mut rest, rows)?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::{super::rollup::rolled, *};
    use proptest::prelude::*;
    use shared::host::SeriesName;
    use std::collections::BTreeMap;

    fn table(names: &Names, values: &BTreeMap<(u8, i64), f32>) -> Table<1> {
        let mut at: Vec<i64> = values.keys().map(|(_, at)| *at).collect();
        at.sort_unstable();
        at.dedup();
        let mut columns: BTreeMap<_, [Vec<f32>; 1]> = BTreeMap::new();
        for ((series, when), value) in values {
            let name = SeriesName { metric: "m".to_owned(), tags: vec![("n".to_owned(), series.to_string())] };
            let [column] = columns.entry(names.of(name)).or_insert_with(|| [vec![f32::NAN; at.len()]]);
            column[at.binary_search(when).unwrap()] = *value;
        }
        Table { at, columns }
    }

    fn are_same<const W: usize>(one: &Table<W>, other: &Table<W>) -> bool {
        let each = || one.columns.iter().zip(&other.columns);
        one.at == other.at
            && one.columns.len() == other.columns.len()
            && each().all(|((a, x), (b, y))| a == b && x.iter().zip(y).all(|(x, y)| codec::are_same(x, y)))
    }

    proptest! {
        #[test]
        fn what_is_put_is_given_back_whole_and_one_by_one(
            values in prop::collection::btree_map((0_u8..6, 1_800_000_000_000_i64..1_800_000_600_000), any::<f32>(), 0..80)
        ) {
            let values = values.into_iter().filter(|(_, value)| !value.is_nan()).collect();
            let (names, others) = (Names::default(), Names::default());
            let (mut memo, samples) = (Memo::default(), table(&names, &values));
            let part = Part::read(&Part::of(&samples).write(), &others, &mut memo).unwrap();
            prop_assert!(are_same(&part.table::<1>().unwrap(), &samples));
            prop_assert!(part.table::<ROLLED>().is_err() || part.columns.is_empty());
            let opened = part.open().unwrap();
            for (n, series) in part.columns.iter().enumerate() {
                let points = opened.points(n).unwrap();
                let number: u8 = series.name.tag("n").unwrap().parse().unwrap();
                let expected: Vec<_> = values.iter().filter(|((it, _), _)| *it == number).collect();
                prop_assert_eq!(points.len(), expected.len());
                for (point, ((_, at), value)) in points.iter().zip(expected) {
                    prop_assert_eq!((point.at, point.mean, point.n), (*at, *value, 1.0));
                }
            }
            let minutes = rolled(&samples, 60_000);
            let part = Part::read(&Part::of(&minutes).write(), &others, &mut memo).unwrap();
            prop_assert!(are_same(&part.table::<ROLLED>().unwrap(), &minutes));
        }

        #[test]
        fn any_bytes_are_a_part_or_none(bytes: Vec<u8>, flip in any::<prop::sample::Index>(), with in 1_u8..) {
            let names = Names::default();
            let read = |bytes: &[u8]| Part::read(bytes, &names, &mut Memo::default()).and_then(|it| it.table::<1>());
            read(&bytes).ok();
            let values = (0..40).map(|n| ((n % 3, i64::from(n)), f32::from(n) / 7.0)).collect();
            let mut written = Part::of(&table(&names, &values)).write();
            *flip.get_mut(&mut written) ^= with;
            prop_assert!(read(&written).is_err(), "a stored part that was changed is found out");
        }
    }
}
