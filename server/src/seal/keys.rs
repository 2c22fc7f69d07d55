//! The file of keys: one a line in base64, the newest first. It is made once, readable by its owner only, and never
//! overwritten in place.

use super::{KEY_BYTES, Key, Keys, SealError};
use crate::entropy;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Far more than anybody keeps.
const FILE_BYTES_MAX: u64 = 16 * 1024;
const HEADER: &str =
    "# Seals the secrets in Tocsin's database. Keep it apart from the database's backups, and do not lose it.\n";

/// Where keys are. The file is read each time: it is small, and another process may add a key.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: Option<PathBuf>,
}

impl KeyFile {
    #[must_use]
    pub const fn at(path: PathBuf) -> Self {
        Self { path: Some(path) }
    }

    /// For a store that has no folder and was told of no file: it can keep no secrets.
    #[must_use]
    pub const fn nowhere() -> Self {
        Self { path: None }
    }

    /// Reads the file for what is sealed with the key of this name.
    ///
    /// # Errors
    /// When it is missing, lacks the key, or is no file of keys.
    pub fn read(&self, name: &str) -> Result<Keys, SealError> {
        let path = self.path()?;
        let keys = match read(path)? {
            Some(keys) => keys,
            None => return Err(SealError::Missing { path: path.to_owned(), key: name.to_owned() }),
        };
        keys.require(name)?;
        Ok(keys)
    }

    /// Reads the file for whatever is sealed with any of its keys.
    ///
    /// # Errors
    /// As [`KeyFile::read`].
    pub fn read_any(&self) -> Result<Keys, SealError> {
        let path = self.path()?;
        read(path)?.ok_or_else(|| SealError::Missing { path: path.to_owned(), key: "?".to_owned() })
    }

    /// Reads the file, and makes it with one new key when there is none. Of two who make it at once, both get the same.
    ///
    /// # Errors
    /// When it cannot be made, or is no file of keys.
    pub fn read_or_make(&self) -> Result<Keys, SealError> {
        let path = self.path()?;
        if let Some(keys) = read(path)? {
            return Ok(keys);
        }
        let fault =
            |error: io::Error| SealError::File { path: path.to_owned(), what: format!("it cannot be made: {error}") };
        if let Some(folder) = folder(path) {
            fs::create_dir_all(folder).map_err(fault)?;
        }
        // Whole before it has its name, and never in place of another.
        let draft = draft(path);
        write(&draft, &[Key::new(entropy::bytes())]).map_err(fault)?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft).ok();
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fault(error)),
            _ => keep_name(path).map_err(fault)?,
        }
        self.read_any()
    }

    /// Waits for nobody: whoever changes the file is alone in it as long as this value lives.
    ///
    /// # Errors
    /// When somebody else does so already.
    pub fn lock(&self) -> Result<File, SealError> {
        let path = self.path()?;
        let fault = |what: String| SealError::File { path: path.to_owned(), what };
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&name);
        let file = file.map_err(|error| fault(format!("{} cannot be opened: {error}", name.display())))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => {
                Err(fault("another `tocsin secrets` changes it; wait until it ended".to_owned()))
            }
            Err(TryLockError::Error(error)) => Err(fault(format!("it cannot be locked: {error}"))),
        }
    }

    /// Puts a new key first; all others stay.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&self) -> Result<Keys, SealError> {
        let mut keys = self.read_or_make()?;
        keys.list.insert(0, Key::new(entropy::bytes()));
        self.put(&keys)?;
        Ok(keys)
    }

    /// Drops every key but the one of this name.
    ///
    /// # Errors
    /// When the file lacks it, or cannot be written.
    pub fn keep_only(&self, name: &str) -> Result<(), SealError> {
        let mut keys = self.read(name)?;
        keys.list.retain(|key| key.name == name);
        self.put(&keys)
    }

    /// Who besides its owner may read the file, in words; none when nobody may.
    #[must_use]
    pub fn exposed(&self) -> Option<String> {
        let path = self.path.as_deref()?;
        let mode = fs::metadata(path).ok()?.permissions().mode();
        (mode & 0o007 != 0).then(|| format!("every account of this machine may read {}: chmod 600 it", path.display()))
    }

    fn path(&self) -> Result<&Path, SealError> {
        self.path.as_deref().ok_or(SealError::Unnamed)
    }

    fn put(&self, keys: &Keys) -> Result<(), SealError> {
        let path = self.path()?;
        let draft = draft(path);
        let done = write(&draft, &keys.list).and_then(|()| fs::rename(&draft, path)).and_then(|()| keep_name(path));
        done.map_err(|error| SealError::File { path: path.to_owned(), what: format!("it cannot be written: {error}") })
    }
}

/// A name of our own beside the file.
fn draft(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(entropy::token(".new-"));
    PathBuf::from(name)
}

fn folder(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

/// A new file with these keys, on the disk when this returns.
fn write(path: &Path, keys: &[Key]) -> io::Result<()> {
    let mut text = Zeroizing::new(HEADER.to_owned());
    for key in keys {
        text.push_str(&Zeroizing::new(STANDARD.encode(key.bytes.as_slice())));
        text.push('\n');
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The folder's entry is on the disk, too.
fn keep_name(path: &Path) -> io::Result<()> {
    File::open(folder(path).unwrap_or(Path::new(".")))?.sync_all()
}

fn read(path: &Path) -> Result<Option<Keys>, SealError> {
    let fault = |what: String| SealError::File { path: path.to_owned(), what };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(format!("it cannot be read: {error}"))),
    };
    let mut text = Zeroizing::new(String::new());
    let read = file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(|error| fault(format!("it cannot be read: {error}")))?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(fault(format!("it is over {FILE_BYTES_MAX} bytes long, and so no file of keys")));
    }
    Ok(Some(Keys { path: path.to_owned(), list: parse(&text).map_err(fault)? }))
}

/// Lines of base64; empty ones and those that begin with `#` say nothing.
fn parse(text: &str) -> Result<Vec<Key>, String> {
    let mut list = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let bytes = STANDARD.decode(line).map(Zeroizing::new).ok();
        let bytes: Option<[u8; KEY_BYTES]> = bytes.and_then(|bytes| bytes.as_slice().try_into().ok());
        list.push(Key::new(bytes.ok_or_else(|| {
            format!("line {} is not the base64 of {KEY_BYTES} bytes; put back the file as it was", number + 1)
        })?));
    }
    if list.is_empty() { Err("it holds no key; put back the file as it was".to_owned()) } else { Ok(list) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_is_made_once_for_its_owner_and_the_next_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/tocsin.key");
        let file = KeyFile::at(path.clone());
        assert!(matches!(file.read("0123abcd"), Err(SealError::Missing { .. })));
        let made = file.read_or_make().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(file.exposed(), None);
        assert_eq!(file.read_or_make().unwrap().newest(), made.newest());
        assert!(matches!(file.read("0123abcd"), Err(SealError::Unknown { .. })));
        assert_eq!(fs::read_dir(folder.path().join("deep")).unwrap().count(), 1, "nothing is left beside it");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(file.exposed().unwrap().contains("chmod 600"));
    }

    #[test]
    fn a_new_key_stands_first_and_the_old_one_goes_when_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tocsin.key");
        let file = KeyFile::at(path.clone());
        let old = file.read_or_make().unwrap();
        let both = file.add().unwrap();
        assert_ne!(both.newest(), old.newest());
        assert_eq!(file.read(old.newest()).unwrap().newest(), both.newest());
        let alone = file.lock().unwrap();
        assert!(file.lock().unwrap_err().to_string().contains("another"));
        drop(alone);
        file.keep_only(both.newest()).unwrap();
        assert!(file.read(old.newest()).is_err() && file.read(both.newest()).is_ok());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn of_many_who_make_it_at_once_all_get_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::at(folder.path().join("tocsin.key"));
        let made: Vec<String> = std::thread::scope(|scope| {
            let makers: Vec<_> =
                (0..8).map(|_| scope.spawn(|| file.read_or_make().unwrap().newest().to_owned())).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert!(made.iter().all(|name| *name == made[0]), "{made:?}");
    }

    #[test]
    fn what_is_no_file_of_keys_is_refused_without_a_word_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tocsin.key");
        for (text, told) in [("", "no key"), ("# x\n\n", "no key"), ("geheim\n", "line 1"), ("QUJD\n", "line 1")] {
            fs::write(&path, text).unwrap();
            let error = KeyFile::at(path.clone()).read_or_make().unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("geheim") && error.contains("tocsin.key"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text, "it stays");
        }
        fs::write(&path, "#".repeat(20_000)).unwrap();
        assert!(KeyFile::at(path).read_or_make().unwrap_err().to_string().contains("16384"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            drop(parse(&text));
        }
    }
}
