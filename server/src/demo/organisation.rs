//! The demo's organisation: twelve people in two countries, four teams, and who is paged for what.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The person the demo's account is.
pub(super) const VISITOR: &str = "li.wei";

/// Its senders: id and name.
pub(super) const SENDERS: &[(&str, &str)] = &[
    ("open-falcon", "Open-Falcon"),
    ("sms-gateway", "短信网关 SMS gateway"),
    ("prometheus", "Prometheus, Berlin"),
    ("shop", "商城 Shop"),
];

/// The configuration, with pages going to a port of this machine.
pub(super) fn document(port: u16, machines: &Path) -> String {
    let text = include_str!("organisation.toml").replace("{sink}", &format!("http://127.0.0.1:{port}"));
    // As a string of TOML is written, whatever the folder is called.
    text.replace("\"{machines}\"", &toml_edit::Value::from(machines.display().to_string()).to_string())
}

/// Its virtual machines: a list that is a source of machines, and what its switches have ports for.
///
/// # Errors
/// When the folder cannot be written to.
pub(super) fn machines(folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.canonicalize()?.join("demo-machines.csv");
    fs::write(&path, include_str!("machines.csv"))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config,
        demo::{beats::JOBS, trouble::TROUBLES},
    };
    use shared::Timestamp;

    #[test]
    fn the_organisation_passes_its_own_check() {
        let folder = tempfile::tempdir().unwrap();
        let list = machines(folder.path()).unwrap();
        let checked =
            config::check(&document(9, &list), 1, std::sync::Arc::default(), Timestamp::from_ms(1_795_000_000_000));
        let checked = checked.unwrap_or_else(|refused| panic!("{:#?}", refused.findings));
        assert!(checked.tests.iter().all(|test| test.passed), "{:?}", checked.tests);
        let document = checked.document;
        assert_eq!((document.people.len(), document.teams.len()), (12, 4));
        for (id, _) in SENDERS {
            assert!(document.integrations.iter().any(|sender| sender.id.as_str() == *id), "{id}");
        }
        let heartbeats: Vec<&str> = document.heartbeats.iter().map(|it| it.id.as_str()).collect();
        assert_eq!(heartbeats, JOBS.iter().map(|(id, _)| *id).collect::<Vec<_>>());
        for trouble in TROUBLES {
            assert!(SENDERS.iter().any(|(id, _)| *id == trouble.sender), "{trouble:?}");
        }
        assert!(document.people.iter().any(|person| person.id.as_str() == VISITOR));
    }
}
