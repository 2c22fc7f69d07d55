//! The `.br` and `.gz` siblings the server sends to browsers that accept them.

use std::collections::BTreeMap;
use std::io::Write as _;

use crate::cargo::Profile;

pub(crate) struct Compressed {
    pub(crate) path: String,
    pub(crate) plain: Vec<u8>,
    /// `None` where compression gains nothing: pictures, tiny files.
    pub(crate) brotli: Option<Vec<u8>>,
    pub(crate) gzip: Option<Vec<u8>>,
}

impl Compressed {
    /// What a browser of today is sent: brotli, where there is one. Bytes.
    pub(crate) fn wire_len(&self) -> usize {
        self.brotli.as_ref().unwrap_or(&self.plain).len()
    }
}

/// Compresses every file once. Development builds are sent over loopback: there the fast settings do.
pub(crate) fn with_siblings(files: BTreeMap<String, Vec<u8>>, profile: Profile) -> Vec<Compressed> {
    let (brotli_quality, gzip_level) = match profile {
        Profile::Dev => (4, flate2::Compression::fast()),
        Profile::Release => (11, flate2::Compression::best()),
    };
    let compress = |(path, plain): (String, Vec<u8>)| {
        let gains = |content: &Vec<u8>| content.len() < plain.len();
        let (brotli, gzip) = if is_text_like(&path) {
            let small_brotli = Some(brotli(&plain, brotli_quality)).filter(gains);
            (small_brotli, Some(gzip(&plain, gzip_level)).filter(gains))
        } else {
            (None, None)
        };
        Compressed { path, plain, brotli, gzip }
    };
    files.into_iter().map(compress).collect()
}

fn is_text_like(path: &str) -> bool {
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    matches!(extension, "html" | "css" | "js" | "wasm" | "svg" | "json" | "webmanifest" | "txt" | "ico")
}

fn brotli(plain: &[u8], quality: u32) -> Vec<u8> {
    /// The largest window that every browser accepts (16 MiB).
    const WINDOW_BITS: u32 = 24;
    let mut out = Vec::new();
    let mut writer = brotli::CompressorWriter::new(&mut out, 1 << 16, quality, WINDOW_BITS);
    let written = writer.write_all(plain);
    drop(writer);
    // Writing to memory does not fail; an empty result would be taken for a gain, so it must not pass for one.
    if written.is_ok() { out } else { plain.to_vec() }
}

fn gzip(plain: &[u8], level: flate2::Compression) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), level);
    let written = writer.write_all(plain).and_then(|()| writer.finish());
    written.unwrap_or_else(|_| plain.to_vec())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn siblings_unpack_to_the_plain_file() {
        let plain = b"tocsin ".repeat(1000);
        let files = BTreeMap::from([("a.js".to_owned(), plain.clone())]);
        for profile in [Profile::Dev, Profile::Release] {
            let made = with_siblings(files.clone(), profile);
            let mut unpacked = Vec::new();
            brotli::Decompressor::new(made[0].brotli.as_deref().unwrap(), 4096).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain);
            unpacked.clear();
            flate2::read::GzDecoder::new(made[0].gzip.as_deref().unwrap()).read_to_end(&mut unpacked).unwrap();
            assert_eq!(unpacked, plain);
        }
    }

    #[test]
    fn pictures_and_tiny_files_get_no_siblings() {
        let files = BTreeMap::from([("a.png".to_owned(), vec![0; 5000]), ("b.txt".to_owned(), b"x".to_vec())]);
        let made = with_siblings(files, Profile::Dev);
        assert!(made.iter().all(|file| file.brotli.is_none() && file.gzip.is_none()));
    }
}
