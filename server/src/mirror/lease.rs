//! What a watchdog beside this server needs: how to reach each switch, and until when this server answers for what runs.
//!
//! The file stands in the data folder. The credentials in it can change switches, so they are sealed with the key file as
//! they are in the store. It is written anew every few seconds; a watchdog that finds it old stops everything that this
//! Tocsin has in any switch.

use crate::seal::KeyFile;
use serde::{Deserialize, Serialize};
use shared::{Timestamp, config::Backend};
use std::{
    error::Error,
    fs, io,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The file's name in the data folder.
pub const FILE: &str = "mirrors.lease";
/// What the seal is bound to.
const PLACE: &str = "mirrors.lease";
/// The watchdog's own sign of life, beside it.
const ALIVE: &str = "mirrors.watchdog";

/// What stands in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    pub instance: String,
    pub renewed_at: Timestamp,
    pub backends: Vec<Backend>,
}

impl Lease {
    /// Writes it whole, or not at all.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self, folder: &Path, keys: &KeyFile) -> io::Result<()> {
        let plain = serde_json::to_string(&self.backends).map_err(io::Error::other)?;
        let keys = keys.read_or_make().map_err(io::Error::other)?;
        let backends = keys.seal(keys.newest(), PLACE, &plain).map_err(io::Error::other)?;
        let stored = Stored { instance: self.instance.clone(), renewed_at: self.renewed_at, backends };
        write_whole(folder, FILE, &serde_json::to_vec(&stored).map_err(io::Error::other)?)
    }

    /// Reads it.
    ///
    /// # Errors
    /// When it is not there, or is no lease; the message says which file.
    pub fn read(file: &Path, keys: &KeyFile) -> io::Result<Self> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", file.display()));
        let unreadable = |error: Box<dyn Error + Send + Sync>| named(io::Error::new(io::ErrorKind::InvalidData, error));
        let text = fs::read(file).map_err(named)?;
        let stored: Stored = serde_json::from_slice(&text).map_err(|error| unreadable(error.into()))?;
        let keys = keys.read_any().map_err(|error| unreadable(error.into()))?;
        let plain = keys.open(PLACE, &stored.backends).map_err(|error| unreadable(error.into()))?;
        let backends = serde_json::from_str(&plain).map_err(|error| unreadable(error.into()))?;
        Ok(Self { instance: stored.instance, renewed_at: stored.renewed_at, backends })
    }
}

/// As it stands in the file.
#[derive(Serialize, Deserialize)]
struct Stored {
    instance: String,
    renewed_at: Timestamp,
    /// As JSON, sealed.
    backends: String,
}

/// Where it stands.
#[must_use]
pub fn file(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

/// A watchdog of this lease says that it lives.
///
/// # Errors
/// When the folder cannot be written to.
pub fn say_alive(lease: &Path, at: Timestamp) -> io::Result<()> {
    write_whole(lease.parent().unwrap_or(Path::new(".")), ALIVE, at.ms().to_string().as_bytes())
}

/// When a watchdog said so last.
#[must_use]
pub fn alive_at(folder: &Path) -> Option<Timestamp> {
    let text = fs::read_to_string(folder.join(ALIVE)).ok()?;
    Some(Timestamp::from_ms(text.trim().parse().ok()?))
}

fn write_whole(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let (to, new) = (folder.join(name), folder.join(format!("{name}.new")));
    // One that a process left when it was killed.
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    drop(file);
    fs::rename(new, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_lease_is_read_back_and_is_nobody_elses_business() {
        let folder = tempfile::tempdir().unwrap();
        let keys = KeyFile::at(folder.path().join("tocsin.key"));
        let mut lease = Lease { instance: "ab12".into(), renewed_at: Timestamp::from_ms(5), backends: Vec::new() };
        lease.backends.push(Backend {
            id: "vc".into(),
            name: String::new(),
            kind: shared::mirror::BackendKind::Vsphere,
            source: None,
            address: "https://vc".into(),
            username: Some("tocsin".into()),
            password: Some("a-secret-of-ours".into()),
            ca: None,
            fingerprint: None,
            certificate: None,
            key: None,
            control: None,
            sessions: None,
            paused: false,
        });
        lease.write(folder.path(), &keys).unwrap();
        lease.write(folder.path(), &keys).unwrap();
        let file = file(folder.path());
        assert_eq!(Lease::read(&file, &keys).unwrap(), lease);
        assert!(!fs::read_to_string(&file).unwrap().contains("a-secret-of-ours"));
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(alive_at(folder.path()), None);
        say_alive(&file, Timestamp::from_ms(7)).unwrap();
        assert_eq!(alive_at(folder.path()), Some(Timestamp::from_ms(7)));
    }

    #[test]
    fn what_is_no_lease_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        let keys = KeyFile::at(folder.path().join("tocsin.key"));
        assert!(Lease::read(&file, &keys).unwrap_err().to_string().contains(FILE));
        fs::write(&file, "{").unwrap();
        assert_eq!(Lease::read(&file, &keys).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
