//! Where one message of a syslog connection ends and the next begins, however the bytes arrive.
//!
//! Each frame says itself how long it is: a number before it (RFC 6587, octet counting), or a line feed or NUL behind it.
//! Senders mix both, so every frame is looked at for itself.

/// The longest frame that is read; what a sender says beyond that is passed over.
pub const FRAME_MAX_BYTES: usize = 64 << 10;
/// A frame that calls itself longer is taken for a line that begins with a number.
const COUNT_MAX: usize = 1 << 20;
/// As many digits as [`COUNT_MAX`] has.
const COUNT_DIGITS: usize = 7;

/// Takes bytes and gives frames, without what ends them. Holds at most one frame and what was pushed since.
#[derive(Clone, Debug, Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Where what was not given yet begins.
    at: usize,
    /// How much of it was searched for the end of a line.
    searched: usize,
    skipped: Skipped,
}

/// What remains of a frame that was too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Skipped {
    #[default]
    Nothing,
    /// All up to the end of its line.
    Line,
    /// So many bytes.
    Bytes(usize),
}

/// How a frame begins.
enum Start {
    /// It is too early to say.
    Unknown,
    /// A count: where the frame itself begins, and its length.
    Counted {
        begin: usize,
        length: usize,
    },
    Line,
}

impl Frames {
    /// More of what the sender says.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether a frame has begun that is not whole yet.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.at < self.bytes.len()
    }

    /// What has begun and will not go on, as far as it came. What comes after it is a frame of its own.
    pub fn rest(&mut self) -> Option<Vec<u8>> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let (begin, missing) = match start(rest) {
            Start::Counted { begin, length } => (begin, length.saturating_sub(rest.len() - begin)),
            Start::Unknown | Start::Line => (0, 0),
        };
        let frame = trimmed(rest.get(begin..).unwrap_or_default());
        let frame = (!frame.is_empty()).then(|| frame.to_vec());
        self.bytes.clear();
        (self.at, self.searched) = (0, 0);
        if missing > 0 {
            self.skipped = Skipped::Bytes(missing);
        }
        frame
    }

    /// Passes over what remains of a frame that was too long; true once that is done.
    fn skip(&mut self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        match self.skipped {
            Skipped::Nothing => return true,
            Skipped::Line => match rest.iter().position(|byte| is_end(*byte)) {
                Some(end) => {
                    self.at += end + 1;
                    self.skipped = Skipped::Nothing;
                }
                None => self.at = self.bytes.len(),
            },
            Skipped::Bytes(count) => {
                let here = count.min(rest.len());
                self.at += here;
                self.skipped = if here == count { Skipped::Nothing } else { Skipped::Bytes(count - here) };
            }
        }
        self.skipped == Skipped::Nothing
    }

    /// Gives the bytes between, and goes on behind `next`.
    fn take(&mut self, begin: usize, end: usize, next: usize) -> Option<Vec<u8>> {
        let frame = trimmed(self.bytes.get(self.at + begin..self.at + end).unwrap_or_default());
        let frame = (!frame.is_empty()).then(|| frame.to_vec());
        self.at += next;
        self.searched = 0;
        frame
    }
}

impl Iterator for Frames {
    type Item = Vec<u8>;

    /// The next frame that is whole, or as long as a frame may be.
    fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if !self.skip() {
                return None;
            }
            // What ends lines may also stand between frames.
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            self.at += if self.searched == 0 { rest.iter().take_while(|byte| is_between(**byte)).count() } else { 0 };
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if rest.is_empty() {
                return None;
            }
            let found = match start(rest) {
                Start::Unknown => return None,
                Start::Counted { begin, length } if length > FRAME_MAX_BYTES => {
                    if rest.len() < begin + FRAME_MAX_BYTES {
                        return None;
                    }
                    self.skipped = Skipped::Bytes(length - FRAME_MAX_BYTES);
                    self.take(begin, begin + FRAME_MAX_BYTES, begin + FRAME_MAX_BYTES)
                }
                Start::Counted { begin, length } if rest.len() < begin + length => return None,
                Start::Counted { begin, length } => self.take(begin, begin + length, begin + length),
                Start::Line => {
                    let readable = rest.len().min(FRAME_MAX_BYTES + 1);
                    let new = rest.get(self.searched.min(readable)..readable).unwrap_or_default();
                    if let Some(end) = new.iter().position(|byte| is_end(*byte)) {
                        let end = self.searched + end;
                        self.take(0, end, end + 1)
                    } else if rest.len() > FRAME_MAX_BYTES {
                        self.skipped = Skipped::Line;
                        self.take(0, FRAME_MAX_BYTES, FRAME_MAX_BYTES)
                    } else {
                        self.searched = rest.len();
                        return None;
                    }
                }
            };
            if found.is_some() {
                return found;
            }
        }
    }
}

const fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | 0)
}

const fn is_between(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | b' ' | 0)
}

/// Without what may end a frame: some senders count it as a part of it.
pub(super) fn trimmed(mut frame: &[u8]) -> &[u8] {
    while let [before @ .., b'\n' | b'\r' | 0] = frame {
        frame = before;
    }
    frame
}

/// A count is followed by a blank and a message, which begins with its priority: `106 <130>…`. Anything else that begins with
/// a digit is a line.
fn start(bytes: &[u8]) -> Start {
    let digits = bytes.iter().take(COUNT_DIGITS + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > COUNT_DIGITS || bytes.first() == Some(&b'0') {
        return Start::Line;
    }
    let behind = bytes.get(digits..).unwrap_or_default();
    let priority = behind.iter().skip(2).take(4).take_while(|byte| byte.is_ascii_digit()).count();
    match (behind.first(), behind.get(1), behind.get(2 + priority)) {
        (None, ..) | (Some(b' '), None, _) => Start::Unknown,
        (Some(b' '), Some(b'<'), None) if priority <= 3 => Start::Unknown,
        (Some(b' '), Some(b'<'), Some(b'>')) if (1..=3).contains(&priority) => {
            let number = bytes.iter().take(digits).fold(0, |sum, byte| sum * 10 + usize::from(byte - b'0'));
            if number > COUNT_MAX { Start::Line } else { Start::Counted { begin: digits + 1, length: number } }
        }
        _ => Start::Line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The frames of a connection that says this, piece by piece, and is closed.
    fn frames<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
        let mut frames = Frames::default();
        let mut found = Vec::new();
        for piece in pieces {
            frames.push(piece);
            found.extend(frames.by_ref());
        }
        found.extend(frames.rest());
        found
    }

    #[test]
    fn each_frame_says_how_long_it_is() {
        let said =
            b"<1>a\n<2>b\r\n<3>c\x005 <4>\nd6 <5>ee\n\n\0 <6>f\n12 monkeys\n0 <7>\n7 x\n9999999 <8>\n12345678 <9>\n8";
        let want: [&[u8]; 13] = [
            b"<1>a",
            b"<2>b",
            b"<3>c",
            b"<4>\nd",
            b"<5>ee",
            b"<6>f",
            b"12 monkeys",
            b"0 <7>",
            b"7 x",
            b"9999999 <8>",
            b"12345678 <9>",
            b"8",
            b"",
        ];
        assert_eq!(frames([said.as_slice()]), want.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>());
        assert_eq!(frames([b"9 <1>abc".as_slice()]), [b"<1>abc".to_vec()]);
        assert_eq!(frames([b"".as_slice(), b"\n\n\0", b" "]), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn a_number_before_what_is_no_priority_counts_nothing() {
        let said = b"  401000 <main>: push %rbp\n<11>[P0][PROBLEM][db-07][][down]\n9 <>\n9 <1234>\n9 <12";
        let want: [&[u8]; 5] =
            [b"401000 <main>: push %rbp", b"<11>[P0][PROBLEM][db-07][][down]", b"9 <>", b"9 <1234>", b"9 <12"];
        assert_eq!(frames([said.as_slice()]), want);
        assert_eq!(frames(said.chunks(1)), want);
    }

    #[test]
    fn what_is_too_long_is_cut_and_the_next_frame_is_whole() {
        let long = b"<1>".iter().chain(&[b'x'; 80_000]).copied().collect::<Vec<u8>>();
        let counted = [b"80003 ".as_slice(), &long, b"4 <2>b"].concat();
        let line = [&long, b"\n<2>b".as_slice()].concat();
        for said in [counted, line] {
            let found = frames(said.chunks(1_000));
            assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [FRAME_MAX_BYTES, 4]);
            assert_eq!(found[1], b"<2>b");
        }
        let exact = [&long[..FRAME_MAX_BYTES], b"\n<2>b".as_slice()].concat();
        assert_eq!(frames([exact.as_slice()])[1], b"<2>b");
    }

    #[test]
    fn a_sender_that_stops_within_a_frame_is_heard_as_far_as_it_came() {
        let mut stalled = Frames::default();
        stalled.push(b"10 <1>abc");
        assert!(stalled.next().is_none() && stalled.has_begun());
        assert_eq!(stalled.rest().unwrap(), b"<1>abc");
        stalled.push(b"defg<2>b\n");
        assert_eq!(stalled.collect::<Vec<_>>(), [b"<2>b"]);
    }

    /// What senders say, and what they do not.
    fn said() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            "[0-9]{1,8} ?<?[a-z]{0,6}".prop_map(String::into_bytes),
            "<[0-9]{1,3}>[ -~]{0,20}[\n\\x00]".prop_map(String::into_bytes),
            "<[0-9]{1,3}>[ -~\n]{0,20}".prop_map(|it| format!("{} {it}", it.len()).into_bytes()),
            prop::collection::vec(any::<u8>(), 0..20),
            (60_000_usize..70_000).prop_map(|it| [b"<7>", vec![b'y'; it].as_slice()].concat()),
            (60_000_usize..70_000)
                .prop_map(|it| [format!("{} <7>", it + 3).as_bytes(), vec![b'z'; it].as_slice()].concat()),
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_splitting_gives_the_same_frames(said in said(), cuts in prop::collection::vec(1_usize..200_000, 0..6), small in 1_usize..9) {
            let whole = frames([said.as_slice()]);
            prop_assert!(whole.iter().all(|frame| !frame.is_empty() && frame.len() <= FRAME_MAX_BYTES));
            let mut pieces = Vec::new();
            let mut rest = said.as_slice();
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = after;
            }
            pieces.push(rest);
            prop_assert_eq!(&frames(pieces), &whole);
            if said.len() < 4_000 {
                prop_assert_eq!(&frames(said.chunks(small)), &whole);
            }
        }

        #[test]
        fn what_was_framed_is_found_again(messages in prop::collection::vec("<[0-9]{1,3}>[ -~]{0,30}[!-~]", 1..8), how in prop::collection::vec(0_u8..3, 8)) {
            let mut said = Vec::new();
            for (message, how) in messages.iter().zip(how) {
                match how {
                    0 => said.extend(format!("{message}\n").bytes()),
                    1 => said.extend(format!("{message}\0").bytes()),
                    _ => said.extend(format!("{} {message}", message.len()).bytes()),
                }
            }
            let want: Vec<Vec<u8>> = messages.into_iter().map(String::into_bytes).collect();
            prop_assert_eq!(frames([said.as_slice()]), want);
        }
    }
}
