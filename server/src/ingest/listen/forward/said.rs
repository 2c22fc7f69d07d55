//! What a sender of the forward protocol says at once, in any of its four modes: a tag, and records.

use super::wire::{Fault, Frames, Kind, Reader};
use engine::normalize;
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};
use std::io::Read;

/// The most that one of them may hold once it is inflated.
const INFLATED_MAX_BYTES: usize = 128 << 20;
/// Tags are a few dozen characters, and stand in each record that is stored.
const TAG_MAX_BYTES: usize = 1 << 10;
const READ_BYTES: usize = 64 << 10;
/// Names of chunks are a few dozen characters.
const CHUNK_MAX_BYTES: usize = 1 << 10;

/// A message: the modes Message, Forward, PackedForward and CompressedPackedForward.
pub(super) struct Said<'a> {
    tag: String,
    entries: Entries<'a>,
    /// What its sender wants to be told once it is stored.
    pub(super) chunk: Option<&'a [u8]>,
}

enum Entries<'a> {
    One {
        time: &'a [u8],
        record: &'a [u8],
    },
    /// One behind the other.
    Many {
        packed: &'a [u8],
        is_gzip: bool,
    },
}

impl<'a> Said<'a> {
    /// Nothing for a sender that only says that it is there.
    pub(super) fn read(frame: &'a [u8], charset: Option<&str>) -> Result<Option<Self>, Fault> {
        let mut reader = Reader::new(frame);
        if reader.peek()? == Kind::Nil {
            return Ok(None);
        }
        reader.array()?;
        let tag = reader.bytes()?;
        let tag = normalize::decoded(tag.get(..TAG_MAX_BYTES).unwrap_or(tag), charset);
        let (entries, option) = match reader.peek()? {
            Kind::Array => {
                let mut list = Reader::new(reader.raw()?);
                list.array()?;
                (Entries::Many { packed: list.rest(), is_gzip: false }, Options::of(reader)?)
            }
            Kind::Text => {
                let packed = reader.bytes()?;
                let option = Options::of(reader)?;
                (Entries::Many { packed, is_gzip: option.is_gzip }, option)
            }
            _ => {
                let (time, record) = (reader.raw()?, reader.raw()?);
                (Entries::One { time, record }, Options::of(reader)?)
            }
        };
        Ok(Some(Self { tag, entries, chunk: option.chunk }))
    }

    /// Its records in their order, each as it is to be stored.
    pub(super) fn records(&self, charset: Option<String>) -> Records<'_> {
        let mut frames = Frames::default();
        let input: Box<dyn Read + Send + '_> = match &self.entries {
            Entries::One { time, record } => {
                frames.push(&[&[0x92], *time, *record].concat());
                Box::new(std::io::empty())
            }
            Entries::Many { packed, is_gzip: false } => Box::new(*packed),
            Entries::Many { packed, is_gzip: true } => {
                Box::new(Bounded { inner: MultiGzDecoder::new(*packed), left: INFLATED_MAX_BYTES })
            }
        };
        Records { tag: &self.tag, charset, frames, input, bytes: vec![0; READ_BYTES] }
    }
}

/// What is longer than it may be is broken, and not at its end.
struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(bytes)?;
        self.left = self.left.checked_sub(count).ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

#[derive(Default)]
struct Options<'a> {
    chunk: Option<&'a [u8]>,
    is_gzip: bool,
}

impl<'a> Options<'a> {
    fn of(mut reader: Reader<'a>) -> Result<Self, Fault> {
        let mut found = Self::default();
        if reader.is_empty() || reader.peek()? != Kind::Map {
            return Ok(found);
        }
        for _ in 0..reader.map()? {
            let name = reader.raw()?;
            let value = reader.raw()?;
            let text = |raw| Reader::new(raw).bytes().ok();
            match text(name) {
                Some(b"chunk") => found.chunk = text(value).filter(|it| !it.is_empty()),
                Some(b"compressed") => match text(value) {
                    Some(b"gzip") => found.is_gzip = true,
                    Some(b"text") | None => {}
                    Some(_) => return Err(Fault::Expected("`compressed` gzip or text")),
                },
                _ => {}
            }
        }
        if found.chunk.is_some_and(|chunk| chunk.len() > CHUNK_MAX_BYTES) {
            return Err(Fault::Expected("a shorter name of the chunk"));
        }
        Ok(found)
    }
}

pub(super) struct Records<'a> {
    tag: &'a str,
    charset: Option<String>,
    frames: Frames,
    input: Box<dyn Read + Send + 'a>,
    bytes: Vec<u8>,
}

impl Records<'_> {
    /// An entry as it is stored: nothing of it has to be known to read it again.
    fn body(&self, entry: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut reader = Reader::new(entry);
        reader.array()?;
        let time = if reader.peek()? == Kind::Array {
            // Fluent Bit has labels beside the time.
            let mut both = Reader::new(reader.raw()?);
            both.array()?;
            both.time()?
        } else {
            Reader::new(reader.raw()?).time()?
        };
        let record = match reader.json(self.charset.as_deref())? {
            Value::Object(members) => Value::Object(members),
            Value::String(text) => json!({ "message": text }),
            _ => return Err(Fault::Expected("an object for a record")),
        };
        let mut body = json!({ "tag": self.tag, "record": record });
        if let (Some(time), Value::Object(members)) = (time, &mut body) {
            members.insert("time".to_owned(), time.into());
        }
        Ok(body.to_string().into_bytes())
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Vec<u8>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.frames.next() {
                // The frame is whole, so what is missing in it is missing in no other.
                Ok(Some(entry)) => {
                    let not_cut =
                        |fault| if fault == Fault::Cut { Fault::Expected("a time and a record") } else { fault };
                    return Some(self.body(&entry).map_err(not_cut));
                }
                Ok(None) => {}
                Err(fault) => return Some(Err(fault)),
            }
            match self.input.read(&mut self.bytes) {
                Ok(0) if self.frames.held() > 0 => {
                    self.frames = Frames::default();
                    return Some(Err(Fault::Cut));
                }
                Ok(0) => return None,
                Ok(count) => self.frames.push(self.bytes.get(..count).unwrap_or_default()),
                Err(_) => {
                    self.input = Box::new(std::io::empty());
                    self.frames = Frames::default();
                    return Some(Err(Fault::Inflate));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use rmp::encode;
    use std::io::Write as _;

    fn entry(message: &str) -> Vec<u8> {
        let mut out = vec![0x92, 7, 0x81];
        encode::write_str(&mut out, "message").unwrap();
        encode::write_str(&mut out, message).unwrap();
        out
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn option(out: &mut Vec<u8>, members: &[(&str, &str)]) {
        encode::write_map_len(out, members.len() as u32).unwrap();
        for (name, value) in members {
            encode::write_str(out, name).unwrap();
            encode::write_str(out, value).unwrap();
        }
    }

    fn messages(frame: &[u8]) -> (Vec<String>, Option<Vec<u8>>) {
        let said = Said::read(frame, None).unwrap().unwrap();
        let told = |body: Result<Vec<u8>, Fault>| {
            let body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
            assert_eq!((body["tag"].as_str(), body["time"].as_str()), (Some("t"), Some("1970-01-01T00:00:07Z")));
            body["record"]["message"].as_str().unwrap().to_owned()
        };
        (said.records(None).map(told).collect(), said.chunk.map(<[u8]>::to_vec))
    }

    #[test]
    fn every_mode_says_the_same() {
        let both = [entry("a"), entry("b")].concat();
        let mut one = vec![0x94, 0xa1, b't'];
        one.extend(&entry("a")[1..]);
        option(&mut one, &[("chunk", "x")]);
        assert_eq!(messages(&one), (vec!["a".to_owned()], Some(b"x".to_vec())));
        let mut bare = vec![0x93, 0xa1, b't'];
        bare.extend(&entry("a")[1..]);
        assert_eq!(messages(&bare), (vec!["a".to_owned()], None));
        let want = (vec!["a".to_owned(), "b".to_owned()], Some(b"x".to_vec()));
        let mut listed = vec![0x93, 0xa1, b't', 0x92];
        listed.extend(&both);
        option(&mut listed, &[("size", "2"), ("chunk", "x")]);
        assert_eq!(messages(&listed), want);
        let mut packed = vec![0x93, 0xc4, 1, b't'];
        encode::write_bin(&mut packed, &both).unwrap();
        option(&mut packed, &[("chunk", "x")]);
        assert_eq!(messages(&packed), want);
        // Fluentd writes a member for each buffer that it joins.
        let mut squeezed = vec![0x93, 0xa1, b't'];
        encode::write_bin(&mut squeezed, &[gzip(&entry("a")), gzip(&entry("b"))].concat()).unwrap();
        option(&mut squeezed, &[("compressed", "gzip"), ("chunk", "x")]);
        assert_eq!(messages(&squeezed), want);
        assert!(Said::read(&[0xc0], None).unwrap().is_none(), "it only says that it is there");
    }

    #[test]
    fn what_is_broken_is_told_so_and_what_came_before_it_is_given() {
        let cut = [entry("a"), entry("b")[..5].to_vec()].concat();
        let mut frame = vec![0x92, 0xa1, b't'];
        encode::write_bin(&mut frame, &cut).unwrap();
        let said = Said::read(&frame, None).unwrap().unwrap();
        let told: Vec<_> = said.records(None).collect();
        assert!(told.len() == 2 && told[0].is_ok() && told[1] == Err(Fault::Cut), "{told:?}");
        let mut squeezed = vec![0x93, 0xa1, b't'];
        encode::write_bin(&mut squeezed, &gzip(&entry("a"))[..12]).unwrap();
        option(&mut squeezed, &[("compressed", "gzip")]);
        let said = Said::read(&squeezed, None).unwrap().unwrap();
        assert_eq!(said.records(None).collect::<Vec<_>>(), [Err(Fault::Inflate)]);
        let mut other = vec![0x93, 0xa1, b't', 0xc4, 0];
        option(&mut other, &[("compressed", "zstd")]);
        assert!(Said::read(&other, None).is_err());
        for odd in [&[0x90][..], &[0x91, 7], &[0x92, 0xa1, b't'], &[0x93, 0xa1, b't', 7, 7], &[7]] {
            let told = Said::read(odd, None).and_then(|it| it.unwrap().records(None).collect::<Result<Vec<_>, _>>());
            assert!(told.is_err(), "{odd:x?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(Some(said)) = Said::read(&bytes, None) {
                assert!(said.records(None).take(400).count() <= 400);
            }
        }
    }
}
