//! Where the database is, read from what an operator writes and shown without the password.

use crate::seal::KeyFile;
use std::{fmt, path::PathBuf};

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file; its folder is made when it is missing.
    Sqlite(PathBuf),
    /// A PostgreSQL connection string in the URL form.
    Postgres(String),
}

impl DatabaseUrl {
    /// Reads `sqlite:///absolute/path`, `sqlite:relative/path`, a plain path, `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    /// Says what is wrong and what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let example =
            "write for example data/tocsin.db, sqlite:///var/lib/tocsin/tocsin.db or postgres://user@host/name";
        let path = match text.split_once(':') {
            Some(("postgres" | "postgresql", rest)) if rest.starts_with("//") => {
                return if cfg!(feature = "postgres") {
                    Ok(Self::Postgres(text.to_owned()))
                } else {
                    Err("this tocsin was built without PostgreSQL; build it with --features postgres".to_owned())
                };
            }
            Some(("postgres" | "postgresql", _)) => {
                return Err(format!("`{}` lacks the `//` after the colon; {example}", hidden(text)));
            }
            Some(("sqlite", rest)) => match rest.strip_prefix("//") {
                Some(path) if path.starts_with('/') || path.is_empty() => path,
                Some(path) => {
                    return Err(format!("`{text}` would name a host; write sqlite:{path} or sqlite:///{path}"));
                }
                None => rest,
            },
            Some((scheme, rest)) if rest.starts_with("//") => {
                return Err(format!("`{scheme}` is not a database Tocsin knows; {example}"));
            }
            _ => text,
        };
        match path {
            "" => Err(format!("the database URL is empty; {example}")),
            ":memory:" => Err(format!("a database in memory would forget every alert with the process; {example}")),
            path if path.contains('\0') => Err("a path cannot hold a NUL character".to_owned()),
            path => Ok(Self::Sqlite(PathBuf::from(path))),
        }
    }

    /// Where the keys of its secrets are unless something else is said: beside a SQLite file. None for PostgreSQL.
    #[must_use]
    pub fn keys(&self) -> Option<KeyFile> {
        match self {
            Self::Sqlite(path) => {
                let mut name = path.clone().into_os_string();
                name.push(".key");
                Some(KeyFile::at(name.into()))
            }
            Self::Postgres(_) => None,
        }
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub const fn backend_name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

/// Without the password, so that it may be logged.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&hidden(url)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// The URL with its password replaced, wherever it stands. An unescaped `@`, `/` or `?` may stand in a password, so
/// everything up to the last `@` is taken for the user and its password: rather too little is shown than too much.
fn hidden(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let pairs = rest.split('&').map(|pair| match pair.rsplit_once('=') {
        Some((key, _)) if key.to_lowercase().contains("password") => format!("{key}=***"),
        _ => pair.to_owned(),
    });
    format!("{scheme}://{}", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_written_form_is_understood() {
        for (text, path) in [
            ("sqlite:///var/lib/t.db", "/var/lib/t.db"),
            ("sqlite:data/t.db", "data/t.db"),
            ("./data/t.db", "./data/t.db"),
            (" t.db ", "t.db"),
            ("sqlite:/abs/t.db", "/abs/t.db"),
        ] {
            assert_eq!(DatabaseUrl::parse(text), Ok(DatabaseUrl::Sqlite(path.into())), "{text}");
        }
        for text in ["postgres://u@h/d", "postgresql:///d?host=/run/pg"] {
            assert_eq!(DatabaseUrl::parse(text), Ok(DatabaseUrl::Postgres(text.into())));
        }
    }

    #[test]
    fn a_wrong_form_names_the_mend() {
        for text in ["", "sqlite:", "sqlite://", ":memory:", "mysql://h/d", "postgres:h/d", "sqlite://t.db"] {
            let error = DatabaseUrl::parse(text).unwrap_err();
            assert!(error.contains("write"), "{text}: {error}");
        }
    }

    #[test]
    fn no_password_is_ever_shown() {
        for text in [
            "postgres://u:geheim@h:5432/d",
            "postgres://u:ge@heim@h/d",
            "postgres://u:geheim/geheim@h/d",
            "postgres://u:geheim?geheim@h/d",
            "postgresql:///d?user=u&password=geheim&sslpassword=geheim",
        ] {
            let url = DatabaseUrl::parse(text).unwrap();
            assert!(!format!("{url} {url:?}").contains("heim"), "{url}");
        }
        assert_eq!(
            DatabaseUrl::parse("postgres://u:x@h:5432/d?a=b").unwrap().to_string(),
            "postgres://u:***@h:5432/d?a=b"
        );
    }
}
