//! The lines of a watch, each a change, as they arrive.

use crate::inventory::https::Body;
use std::mem;
use tokio::io::AsyncBufReadExt as _;

/// An object of a cluster has at most a few MiB.
const LINE_BYTES: usize = 8 << 20;

/// A watch that is open.
pub(super) struct Lines {
    body: Body,
    /// The beginning of the next line. Kept here, so that whoever gives up waiting loses nothing.
    partial: Vec<u8>,
    barren: bool,
}

/// A line that is longer than any change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it has more than {} MiB", LINE_BYTES >> 20)]
pub(super) struct TooLong;

impl Lines {
    pub(super) fn new(body: Body) -> Self {
        Self { body, partial: Vec::new(), barren: true }
    }

    /// Whether it has brought nothing yet.
    pub(super) const fn is_barren(&self) -> bool {
        self.barren
    }

    /// The next line; none when the watch has ended, in whatever way. A line that was cut off is none.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        loop {
            let Ok(some) = self.body.fill_buf().await else { return Ok(None) };
            if some.is_empty() {
                return Ok(None);
            }
            let end = some.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(some.len(), |end| end + 1);
            self.partial.extend(some.iter().take(end.unwrap_or(taken)));
            self.body.consume(taken);
            if self.partial.len() > LINE_BYTES {
                return Err(TooLong);
            }
            if end.is_some() && !self.partial.is_empty() {
                self.barren = false;
                return Ok(Some(mem::take(&mut self.partial)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, BufReader};

    fn lines(text: &[u8], step: usize) -> Lines {
        Lines::new(Box::pin(BufReader::with_capacity(step, std::io::Cursor::new(text.to_vec()))))
    }

    async fn all(mut lines: Lines) -> Result<Vec<Vec<u8>>, TooLong> {
        let mut all = Vec::new();
        while let Some(line) = lines.next().await? {
            all.push(line);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn a_line_has_an_end_and_a_bound() {
        assert_eq!(all(lines(b"one\n\ntwo\nthr", 2)).await.unwrap(), [b"one", b"two"]);
        let mut nothing = lines(b"thr", 8);
        assert_eq!((nothing.next().await, nothing.is_barren()), (Ok(None), true));
        let endless = Lines::new(Box::pin(BufReader::new(tokio::io::repeat(b'x').take(u64::MAX))));
        assert_eq!(all(endless).await, Err(TooLong));
    }

    proptest! {
        #[test]
        fn any_bytes_are_lines(text in prop::collection::vec(prop::sample::select(b"ab\n".as_slice()), 0..60), step in 1_usize..9) {
            let expected: Vec<Vec<u8>> = {
                let mut parts: Vec<Vec<u8>> = text.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                parts.pop();
                parts.into_iter().filter(|part| !part.is_empty()).collect()
            };
            let told = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(all(lines(&text, step)));
            prop_assert_eq!(told.unwrap(), expected);
        }
    }
}
