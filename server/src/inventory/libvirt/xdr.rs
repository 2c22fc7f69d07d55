//! XDR (RFC 4506), as far as libvirt's calls need it: everything is big-endian and in steps of four bytes.

/// Writes the arguments of a call.
#[derive(Debug, Default)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn u32(mut self, value: u32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(super) fn i32(mut self, value: i32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    /// Bytes whose number both sides know.
    pub(super) fn fixed(mut self, bytes: &[u8]) -> Self {
        self.0.extend(bytes);
        self.pad(bytes.len())
    }

    pub(super) fn text(mut self, text: &str) -> Self {
        self = self.u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.0.extend(text.as_bytes());
        self.pad(text.len())
    }

    /// A text that could be left out.
    pub(super) fn some_text(self, text: &str) -> Self {
        self.u32(1).text(text)
    }

    fn pad(mut self, length: usize) -> Self {
        self.0.resize(self.0.len() + padding(length), 0);
        self
    }

    pub(super) fn done(self) -> Vec<u8> {
        self.0
    }
}

const fn padding(length: usize) -> usize {
    length.wrapping_neg() % 4
}

/// What was sent is not what the call gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum XdrError {
    #[error("it ends too early")]
    Short,
    #[error("it has {0} members where {1} are the most")]
    TooMany(usize, usize),
    #[error("a value is there or not, and this says neither")]
    NeitherNor,
}

/// Reads what a call gave.
#[derive(Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> Result<[u8; N], XdrError> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(XdrError::Short)?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, XdrError> {
        self.bytes().map(u32::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, XdrError> {
        self.bytes().map(i32::from_be_bytes)
    }

    /// A text; what is no UTF-8 in it is replaced.
    pub(super) fn text(&mut self) -> Result<String, XdrError> {
        let length = usize::try_from(self.u32()?).map_err(|_| XdrError::Short)?;
        let text = self.0.get(..length).ok_or(XdrError::Short)?;
        self.0 = length.checked_add(padding(length)).and_then(|end| self.0.get(end..)).ok_or(XdrError::Short)?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// A value that may be left out.
    pub(super) fn maybe<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, XdrError>,
    ) -> Result<Option<T>, XdrError> {
        match self.u32()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(XdrError::NeitherNor),
        }
    }

    /// A list of at most so many. Room is made as members come, so that a lie about their number costs nothing.
    pub(super) fn list<T>(
        &mut self,
        most: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, XdrError>,
    ) -> Result<Vec<T>, XdrError> {
        let count = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if count > most {
            return Err(XdrError::TooMany(count, most));
        }
        (0..count).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_laid_out_as_the_rfc_says() {
        let bytes = Writer::default().u32(1).i32(-2).text("abcde").some_text("").fixed(&[7; 2]).done();
        let expected = [
            [0, 0, 0, 1],
            [255, 255, 255, 254],
            [0, 0, 0, 5],
            [b'a', b'b', b'c', b'd'],
            [b'e', 0, 0, 0],
            [0, 0, 0, 1],
            [0, 0, 0, 0],
            [7, 7, 0, 0],
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn what_is_cut_or_lies_is_refused() {
        let text = Writer::default().text("abcde").done();
        for end in 0..text.len() {
            assert_eq!(Reader::new(&text[..end]).text(), Err(XdrError::Short), "{end}");
        }
        let many = Writer::default().u32(u32::MAX).done();
        assert_eq!(Reader::new(&many).text(), Err(XdrError::Short));
        assert!(matches!(Reader::new(&many).list(5, Reader::u32), Err(XdrError::TooMany(_, 5))));
        assert_eq!(Reader::new(&many).maybe(Reader::u32), Err(XdrError::NeitherNor));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(number in any::<u32>(), signed in any::<i32>(), texts in prop::collection::vec(".{0,9}", 0..5)) {
            let count = u32::try_from(texts.len()).unwrap();
            let written = Writer::default().u32(number).i32(signed).u32(count);
            let bytes = texts.iter().fold(written, |written, text| written.text(text)).done();
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!((reader.u32(), reader.i32()), (Ok(number), Ok(signed)));
            prop_assert_eq!(reader.list(5, Reader::text), Ok(texts));
            prop_assert_eq!(reader.u32(), Err(XdrError::Short));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let mut reader = Reader::new(&bytes);
            reader.list(16, |reader| reader.maybe(Reader::text)).ok();
            reader.bytes::<16>().ok();
        }
    }
}
