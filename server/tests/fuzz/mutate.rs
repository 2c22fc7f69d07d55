//! Cases for fuzzing: the payloads of all tables of formats, changed a little, the same ones for the same seed.

use e2e::dice::Dice;
use std::{collections::BTreeSet, fs, path::Path};

/// Bodies are mostly short; what is long is made by repeating.
const MOST_BYTES: usize = 8 << 10;
const LONG_BYTES: usize = 96 << 10;

/// What parsers look for.
const WORDS: &[&[u8]] = &[
    b"[P0]",
    b"[P0][PROBLEM]",
    b"[P1][OK]",
    b"[",
    b"]",
    b"][",
    b"[O1 2026-11-21 03:10:00]",
    "【P0】".as_bytes(),
    "［".as_bytes(),
    "】".as_bytes(),
    b"\xa1\xbe",
    b"\xa1\xbf",
    b"{",
    b"}",
    b"{}",
    b"[]",
    b"\"",
    b"\\",
    b"\\\"",
    b"\\u0000",
    b"\\ud800",
    b":",
    b",",
    b"null",
    b"true",
    b"-1e400",
    b"0",
    b"18446744073709551616",
    b"\"severity\":\"P0\"",
    b"\"alerts\":[",
    b"\"labels\":{",
    b"\"status\":\"resolved\"",
    b"\"routing_key\":\"x\"",
    b"\"event_action\":\"trigger\"",
    b"\"alias\":",
    b"\"attachments\":[",
    b"\"fields\":[",
    b"\"endsAt\":",
    b"2026-11-21T03:10:00Z",
    b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:59.999999999+14:00",
    b"content=",
    b"payload=",
    b"&",
    b"=",
    b"%",
    b"%5BP0%5D",
    b"%d6%f7",
    b"+",
    b"\n",
    b"\r\n",
    b"\0",
    b"\t",
    b"<11>",
    b"<191>1 ",
    b"9 <1>",
    b"1048576 <1>",
    b"- - - ",
    b"[a@1 b=\"",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xd6\xf7\xb4\xd3",
    b"\x84\x31\xa4\x37",
    b"\xe4\xb8",
    b"\x80",
    b"\xf0\x9f",
    "\u{202e}".as_bytes(),
    "\u{3000}".as_bytes(),
    b"{/a}",
    b"/a/0",
    b"~1",
    b"~",
    b"$/",
    b"{host}",
    b"{labels.a}",
    b"a=~\"b|c\"",
    b"!=",
    b"v1,",
    b"sha256=",
    b"1614265330",
    b" all(#3) m a=b 1>=2",
    b"e.g. ",
    b"http://a/b",
];

pub(super) struct Mutator {
    dice: Dice,
    corpus: Vec<Vec<u8>>,
}

impl Mutator {
    pub(super) fn new(dice: Dice) -> Self {
        Self { dice, corpus: corpus() }
    }

    fn upto(&mut self, most: usize) -> usize {
        usize::try_from(self.dice.between(0, most as u64)).unwrap()
    }

    fn seed(&mut self) -> Vec<u8> {
        let at = self.upto(self.corpus.len() - 1);
        self.corpus[at].clone()
    }

    /// One case: a byte or more that pick how it is read, and a changed body.
    pub(super) fn case(&mut self) -> Vec<u8> {
        let mut body = self.seed();
        for _ in 0..self.upto(5) {
            self.change(&mut body);
        }
        body.truncate(LONG_BYTES);
        let mut data: Vec<u8> = (0..self.upto(3)).map(|_| self.dice.roll().to_le_bytes()[0]).collect();
        data.append(&mut body);
        data
    }

    fn change(&mut self, body: &mut Vec<u8>) {
        let at = self.upto(body.len());
        let length = self.upto(16.min(body.len() - at));
        match self.upto(8) {
            0 => body.insert(at, self.dice.roll().to_le_bytes()[0]),
            1 => drop(body.drain(at..at + length)),
            2 => body.truncate(at),
            3 if at < body.len() => body[at] ^= 1 << self.upto(7),
            4 => {
                let part = body[at..at + length].to_vec();
                let often = if self.dice.percent(5) { 2_000 } else { 4 };
                let to = self.upto(body.len());
                body.splice(to..to, part.repeat(self.upto(often)));
            }
            5 => {
                let other = self.seed();
                let from = self.upto(other.len());
                let to = (from + self.upto(200)).min(other.len());
                body.splice(at..at, other[from..to].iter().copied());
            }
            6 => {
                let other = self.seed();
                let from = self.upto(other.len());
                body.truncate(at);
                body.extend_from_slice(&other[from..]);
            }
            _ => {
                let word = WORDS[self.upto(WORDS.len() - 1)];
                body.splice(at..at + if self.dice.percent(50) { length } else { 0 }, word.iter().copied());
            }
        }
        if !self.dice.percent(5) {
            body.truncate(MOST_BYTES);
        }
    }
}

/// The payloads of every table, whatever format it is about; pointers and templates besides.
fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/tests/normalize");
    let mut tables: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    tables.sort();
    let mut bodies: BTreeSet<Vec<u8>> = WORDS.iter().map(|word| word.to_vec()).collect();
    for table in tables.iter().filter(|path| path.extension().is_some_and(|it| it == "toml")) {
        let table: toml::Table = toml::from_str(&fs::read_to_string(table).unwrap()).unwrap();
        for case in table["case"].as_array().unwrap() {
            let text = |name: &str| case.get(name).and_then(toml::Value::as_str);
            let body = text("body").map(|it| it.as_bytes().to_vec());
            let hex = |it: &str| {
                it.as_bytes()
                    .chunks(2)
                    .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
                    .collect()
            };
            let gbk = |it: &str| engine::normalize::fuzz::in_gbk(it);
            bodies.extend(body.or_else(|| text("hex").map(hex)).or_else(|| text("gbk").map(gbk)));
        }
    }
    for line in [
        "/title|/host|{/id}/{/host}|/at|/badness|/phase|/data/items",
        "{/what/title} on {/where/machine}",
        "{host}/{labels.service}",
        "{summary}",
        "instance=~\"db-.*\"",
        "alertname!=\"a b\"",
    ] {
        bodies.insert(
            [line, "\n{\"title\":\"a\",\"host\":\"db-1\",\"data\":{\"items\":[{\"id\":7}]}}"].concat().into_bytes(),
        );
        bodies.insert(line.as_bytes().to_vec());
    }
    for text in [
        "# TYPE node_load1 gauge\nnode_load1 0.5\nup{instance=\"a:9100\"} 1 1614265330\n",
        "[{\"endpoint\":\"a\",\"metric\":\"cpu.idle\",\"timestamp\":1614265330,\"step\":60,\"value\":\"93.5\",\"counterType\":\"GAUGE\",\"tags\":\"a=b\"}]",
        "\n\u{e}\n\u{c}\n\u{8}__name__\u{12}\u{2}up",
        "Basic dXNlcjp0a18x",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=\n1795201920\n{\"test\": 2432232314}",
    ] {
        bodies.insert(text.as_bytes().to_vec());
    }
    bodies.into_iter().collect()
}
