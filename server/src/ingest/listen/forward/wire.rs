//! MessagePack as the forward protocol uses it: where one value of a connection ends, and what it is.
//!
//! Lengths are what somebody else states, so nothing is set aside by them: a value is looked at as its bytes arrive, and a
//! nested one is read no deeper than JSON is here.

use engine::normalize;
use rmp::Marker;
use serde_json::{Map, Number, Value};

/// The longest value that is taken; Fluentd's own chunks have 8 MiB.
pub(super) const FRAME_MAX_BYTES: usize = 16 << 20;
/// As deep as JSON is read.
const DEPTH_MAX: u32 = 30;
/// Of each text in a record; what is longer is cut.
const TEXT_MAX_BYTES: usize = 64 << 10;
/// Of all texts in a record.
const RECORD_MAX_BYTES: usize = 512 << 10;
/// Values in a record; those beyond it are left out.
const RECORD_MAX_VALUES: usize = 4_096;

/// Why bytes are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("it is longer than 16 MiB; let `chunk_limit_size` be smaller")]
    TooLarge,
    #[error("it ends within a value")]
    Cut,
    #[error("it is no MessagePack")]
    Reserved,
    #[error("{0} was expected")]
    Expected(&'static str),
    #[error("it cannot be inflated")]
    Inflate,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Nil,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    /// A text, or bytes: older senders know no difference.
    Text,
    Array,
    Map,
    Extension(i8),
}

/// The head of a value.
struct Token {
    kind: Kind,
    /// Bytes of the head itself, and of what belongs to it and is no value of its own.
    head: usize,
    payload: usize,
    /// Values within it.
    children: u64,
}

impl Token {
    fn end(&self) -> usize {
        self.head.saturating_add(self.payload)
    }
}

/// What the bytes begin with; nothing while it is too early to say.
fn token(bytes: &[u8]) -> Result<Option<Token>, Fault> {
    use Marker::{
        Array16, Array32, Bin8, Bin16, Bin32, Ext8, Ext16, Ext32, F32, F64, False, FixArray, FixExt1, FixExt2, FixExt4,
        FixExt8, FixExt16, FixMap, FixNeg, FixPos, FixStr, I8, I16, I32, I64, Map16, Map32, Null, Reserved, Str8,
        Str16, Str32, True, U8, U16, U32, U64,
    };
    let Some(first) = bytes.first() else { return Ok(None) };
    let marker = Marker::from_u8(*first);
    let width = match marker {
        U8 | I8 | Str8 | Bin8 | Ext8 => 1,
        U16 | I16 | Str16 | Bin16 | Array16 | Map16 | Ext16 => 2,
        U32 | I32 | F32 | Str32 | Bin32 | Array32 | Map32 | Ext32 => 4,
        U64 | I64 | F64 => 8,
        _ => 0,
    };
    let fixed = match marker {
        FixExt1 => Some(1),
        FixExt2 => Some(2),
        FixExt4 => Some(4),
        FixExt8 => Some(8),
        FixExt16 => Some(16),
        _ => None,
    };
    let is_extension = fixed.is_some() || matches!(marker, Ext8 | Ext16 | Ext32);
    let head = 1 + width + usize::from(is_extension);
    let Some(after) = bytes.get(1..head) else { return Ok(None) };
    let digits = after.get(..width).unwrap_or_default();
    let number = digits.iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let length = usize::try_from(number).unwrap_or(usize::MAX);
    let plain = |kind| Token { kind, head, payload: 0, children: 0 };
    let text = |payload| Token { kind: Kind::Text, head, payload, children: 0 };
    let array = |children| Token { kind: Kind::Array, head, payload: 0, children };
    let map = |members: u64| Token { kind: Kind::Map, head, payload: 0, children: 2 * members };
    Ok(Some(match marker {
        Null => plain(Kind::Nil),
        True => plain(Kind::Bool(true)),
        False => plain(Kind::Bool(false)),
        FixPos(number) => plain(Kind::Unsigned(number.into())),
        FixNeg(number) => plain(Kind::Signed(number.into())),
        U8 | U16 | U32 | U64 => plain(Kind::Unsigned(number)),
        I8 | I16 | I32 | I64 => {
            let unused = 64 - 8 * width;
            plain(Kind::Signed((number << unused).cast_signed() >> unused))
        }
        F32 => plain(Kind::Float(f32::from_bits(u32::try_from(number).unwrap_or_default()).into())),
        F64 => plain(Kind::Float(f64::from_bits(number))),
        FixStr(length) => text(length.into()),
        Str8 | Str16 | Str32 | Bin8 | Bin16 | Bin32 => text(length),
        FixArray(count) => array(count.into()),
        Array16 | Array32 => array(number),
        FixMap(count) => map(count.into()),
        Map16 | Map32 => map(number),
        FixExt1 | FixExt2 | FixExt4 | FixExt8 | FixExt16 | Ext8 | Ext16 | Ext32 => {
            let kind = Kind::Extension(after.last().copied().unwrap_or_default().cast_signed());
            Token { kind, head, payload: fixed.unwrap_or(length), children: 0 }
        }
        Reserved => return Err(Fault::Reserved),
    }))
}

/// How far a value was looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Looked {
    /// Its bytes that are known of, of which some may not be here yet.
    bytes: usize,
    /// Values that are still to come.
    missing: u64,
}

impl Looked {
    const NOTHING: Self = Self { bytes: 0, missing: 1 };

    /// Goes on; whether the value is whole.
    fn on(&mut self, value: &[u8]) -> Result<bool, Fault> {
        while self.missing > 0 {
            let Some(token) = token(value.get(self.bytes..).unwrap_or_default())? else { return Ok(false) };
            self.bytes = self.bytes.saturating_add(token.end());
            self.missing = self.missing.saturating_sub(1).saturating_add(token.children);
            // Each of them takes a byte at least.
            let least = usize::try_from(self.missing).unwrap_or(usize::MAX).saturating_add(self.bytes);
            if least > FRAME_MAX_BYTES {
                return Err(Fault::TooLarge);
            }
        }
        Ok(self.bytes <= value.len())
    }
}

/// Takes bytes and gives values, each in its own bytes. Holds at most one value and what was pushed since.
#[derive(Debug)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    at: usize,
    looked: Looked,
}

impl Default for Frames {
    fn default() -> Self {
        Self { bytes: Vec::new(), at: 0, looked: Looked::NOTHING }
    }
}

impl Frames {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes that wait for the rest of their value.
    pub(super) fn held(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// The next value that is whole.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !self.looked.on(rest)? {
            return Ok(None);
        }
        let frame = rest.get(..self.looked.bytes).unwrap_or_default().to_vec();
        self.at += frame.len();
        self.looked = Looked::NOTHING;
        if self.at == self.bytes.len() {
            // What was large does not stay.
            (self.bytes, self.at) = (Vec::new(), 0);
        }
        Ok(Some(frame))
    }
}

/// Reads values one behind the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

/// What a record may still take.
struct Room {
    bytes: usize,
    values: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What comes next, without going on.
    pub(super) fn peek(&self) -> Result<Kind, Fault> {
        Ok(token(self.rest)?.ok_or(Fault::Cut)?.kind)
    }

    fn take(&mut self) -> Result<(Token, &'a [u8]), Fault> {
        let token = token(self.rest)?.ok_or(Fault::Cut)?;
        let (whole, rest) = self.rest.split_at_checked(token.end()).ok_or(Fault::Cut)?;
        self.rest = rest;
        let payload = whole.get(token.head..).unwrap_or_default();
        Ok((token, payload))
    }

    /// The length of an array, whose values follow.
    pub(super) fn array(&mut self) -> Result<u64, Fault> {
        match self.take()? {
            (Token { kind: Kind::Array, children, .. }, _) => Ok(children),
            _ => Err(Fault::Expected("an array")),
        }
    }

    /// The number of members of a map, each of which is a name and a value.
    pub(super) fn map(&mut self) -> Result<u64, Fault> {
        match self.take()? {
            (Token { kind: Kind::Map, children, .. }, _) => Ok(children / 2),
            _ => Err(Fault::Expected("a map")),
        }
    }

    /// What was not read yet.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Fault> {
        match self.take()? {
            (Token { kind: Kind::Text, .. }, payload) => Ok(payload),
            _ => Err(Fault::Expected("a text")),
        }
    }

    /// One value in its own bytes.
    pub(super) fn raw(&mut self) -> Result<&'a [u8], Fault> {
        let mut looked = Looked::NOTHING;
        if !looked.on(self.rest)? {
            return Err(Fault::Cut);
        }
        let (value, rest) = self.rest.split_at_checked(looked.bytes).ok_or(Fault::Cut)?;
        self.rest = rest;
        Ok(value)
    }

    /// One value as JSON; its texts in the charset that is stated, or in whatever they are written.
    pub(super) fn json(&mut self, charset: Option<&str>) -> Result<Value, Fault> {
        let mut room = Room { bytes: RECORD_MAX_BYTES, values: RECORD_MAX_VALUES };
        self.nested(charset, &mut room, 0)
    }

    /// Recursion is bounded by [`DEPTH_MAX`].
    fn nested(&mut self, charset: Option<&str>, room: &mut Room, depth: u32) -> Result<Value, Fault> {
        if depth > DEPTH_MAX {
            // What is above it says enough.
            return self.raw().map(|_| Value::Null);
        }
        let (token, payload) = self.take()?;
        Ok(match token.kind {
            Kind::Nil => Value::Null,
            Kind::Bool(value) => value.into(),
            Kind::Unsigned(number) => number.into(),
            Kind::Signed(number) => number.into(),
            Kind::Float(number) => Number::from_f64(number).map_or(Value::Null, Value::Number),
            Kind::Extension(_) => time(token.kind, payload).map_or(Value::Null, Value::String),
            Kind::Text => Value::String(text(payload, charset, room)),
            Kind::Array => {
                let mut items = Vec::new();
                for _ in 0..token.children {
                    if let Some(item) = self.member(charset, room, depth)? {
                        items.push(item);
                    }
                }
                Value::Array(items)
            }
            Kind::Map => {
                let mut members = Map::new();
                for _ in 0..token.children / 2 {
                    let Some(name) = self.member(charset, room, depth)? else {
                        self.raw()?;
                        continue;
                    };
                    let Some(value) = self.member(charset, room, depth)? else { continue };
                    let name = if let Value::String(name) = name { name } else { name.to_string() };
                    members.insert(name, value);
                }
                Value::Object(members)
            }
        })
    }

    /// A value of a list or an object, as long as there is room for any.
    fn member(&mut self, charset: Option<&str>, room: &mut Room, depth: u32) -> Result<Option<Value>, Fault> {
        if room.values == 0 {
            return self.raw().map(|_| None);
        }
        room.values -= 1;
        self.nested(charset, room, depth + 1).map(Some)
    }

    /// When a record was logged, for people: seconds, or Fluentd's own time.
    pub(super) fn time(&mut self) -> Result<Option<String>, Fault> {
        let (token, payload) = self.take()?;
        Ok(time(token.kind, payload))
    }
}

fn text(bytes: &[u8], charset: Option<&str>, room: &mut Room) -> String {
    let kept = bytes.len().min(TEXT_MAX_BYTES).min(room.bytes);
    room.bytes -= kept;
    normalize::decoded(bytes.get(..kept).unwrap_or_default(), charset)
}

/// A moment in the words of RFC 3339.
fn time(kind: Kind, payload: &[u8]) -> Option<String> {
    let (seconds, nanoseconds) = match kind {
        Kind::Unsigned(seconds) => (i64::try_from(seconds).ok()?, 0),
        Kind::Signed(seconds) => (seconds, 0),
        // A millisecond is as good as it gets for people.
        Kind::Float(seconds) if seconds.abs() < 1e12 => {
            let ms = (seconds * 1_000.0).round() as i64;
            (ms.div_euclid(1_000), i32::try_from(ms.rem_euclid(1_000)).ok()? * 1_000_000)
        }
        // EventTime.
        Kind::Extension(0) => {
            let (seconds, nanoseconds) = payload.split_first_chunk::<4>()?;
            let nanoseconds = u32::from_be_bytes(*nanoseconds.first_chunk::<4>()?);
            (u32::from_be_bytes(*seconds).into(), i32::try_from(nanoseconds).ok()?)
        }
        _ => return None,
    };
    jiff::Timestamp::new(seconds, nanoseconds).ok().map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rmp::encode;

    /// What JSON is in MessagePack.
    fn written(value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Null => encode::write_nil(out).unwrap(),
            Value::Bool(value) => encode::write_bool(out, *value).unwrap(),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(number), _) => drop(encode::write_uint(out, number).unwrap()),
                (_, Some(number)) => drop(encode::write_sint(out, number).unwrap()),
                _ => encode::write_f64(out, number.as_f64().unwrap()).unwrap(),
            },
            Value::String(text) => encode::write_str(out, text).unwrap(),
            Value::Array(items) => {
                encode::write_array_len(out, items.len() as u32).unwrap();
                items.iter().for_each(|item| written(item, out));
            }
            Value::Object(members) => {
                encode::write_map_len(out, members.len() as u32).unwrap();
                for (index, (name, value)) in members.iter().enumerate() {
                    // Older senders write texts as bytes.
                    if index % 2 == 0 {
                        encode::write_str(out, name).unwrap();
                    } else {
                        encode::write_bin(out, name.as_bytes()).unwrap();
                    }
                    written(value, out);
                }
            }
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e300..1e300).prop_map(Value::from),
            "[a-z磁盘 ]{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[a-z]{0,6}", inner, 0..6)
                    .prop_map(|it| Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// What is written comes back, however its bytes arrive.
        #[test]
        fn values_come_back_however_the_bytes_arrive(values in prop::collection::vec(json(), 1..6), cuts in prop::collection::vec(1..40_usize, 1..20)) {
            let mut bytes = Vec::new();
            values.iter().for_each(|value| written(value, &mut bytes));
            let (mut frames, mut found, mut rest) = (Frames::default(), Vec::new(), bytes.as_slice());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, more) = rest.split_at((*cut).min(rest.len()));
                frames.push(piece);
                while let Some(frame) = frames.next().unwrap() {
                    found.push(Reader::new(&frame).json(None).unwrap());
                }
                rest = more;
            }
            prop_assert_eq!(found, values);
            prop_assert_eq!(frames.held(), 0);
        }

        /// Any bytes are read or refused, and never take more than they are.
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut frames = Frames::default();
            frames.push(&bytes);
            while let Ok(Some(frame)) = frames.next() {
                let mut reader = Reader::new(&frame);
                drop(reader.json(None));
                drop(Reader::new(&frame).time());
                assert!(Reader::new(&frame).array().is_ok_and(|count| count <= u64::from(u32::MAX)) || reader.rest().len() <= frame.len());
            }
            let mut reader = Reader::new(&bytes);
            while !reader.is_empty() && reader.json(Some("gbk")).is_ok() {}
        }
    }

    #[test]
    fn what_states_to_be_long_is_refused_before_it_is_read() {
        for head in [
            [0xdb, 0xff, 0xff, 0xff, 0xff], // a text
            [0xc6, 0x01, 0x00, 0x00, 0x01], // bytes
            [0xdd, 0xff, 0xff, 0xff, 0xff], // an array
            [0xdf, 0xff, 0xff, 0xff, 0xff], // a map
            [0xc9, 0xff, 0xff, 0xff, 0xff], // an extension, with one byte more
        ] {
            let mut frames = Frames::default();
            frames.push(&head);
            frames.push(&[0]);
            assert_eq!(frames.next(), Err(Fault::TooLarge), "{head:x?}");
        }
        let mut frames = Frames::default();
        frames.push(&[0xc1]);
        assert_eq!(frames.next(), Err(Fault::Reserved));
    }

    #[test]
    fn what_is_nested_deep_and_what_is_wide_costs_little() {
        let deep = [vec![0x91; 100_000], vec![0xc0]].concat();
        let told = Reader::new(&deep).json(None).unwrap();
        assert_eq!(told.to_string(), format!("{}null{}", "[".repeat(31), "]".repeat(31)), "what is deeper is left out");
        let mut wide = vec![0xdd];
        wide.extend(1_000_000_u32.to_be_bytes());
        wide.extend(vec![0xc0; 1_000_000]);
        let Value::Array(items) = Reader::new(&wide).json(None).unwrap() else { panic!("no array") };
        assert_eq!(items.len(), RECORD_MAX_VALUES);
    }

    #[test]
    fn every_kind_of_time_is_told_alike() {
        let told = |bytes: &[u8]| Reader::new(bytes).time().unwrap();
        let at = Some("2026-11-21T03:10:00Z".to_owned());
        let seconds = 1_795_230_600_u32;
        let be = seconds.to_be_bytes();
        assert_eq!(told(&[&[0xce], be.as_slice()].concat()), at);
        assert_eq!(told(&[&[0xcb], f64::from(seconds).to_be_bytes().as_slice()].concat()), at);
        assert_eq!(told(&[&[0xd7, 0], be.as_slice(), &[0; 4]].concat()), at);
        assert_eq!(told(&[&[0xc7, 8, 0], be.as_slice(), &[0; 4]].concat()), at);
        assert_eq!(
            told(&[&[0xd7, 0], be.as_slice(), &500_000_000_u32.to_be_bytes()].concat()).unwrap(),
            "2026-11-21T03:10:00.5Z"
        );
        for odd in [&[0xc0][..], &[0xd7, 1, 0, 0, 0, 0, 0, 0, 0, 0], &[0xcf, 255, 255, 255, 255, 255, 255, 255, 255]] {
            assert_eq!(told(odd), None, "{odd:x?}");
        }
    }
}
