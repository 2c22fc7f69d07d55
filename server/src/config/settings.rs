//! The settings of the process: where it listens, where it stores, what it may believe of a proxy.

use crate::{db::DatabaseUrl, seal::KeyFile};
use clap::{Args, ValueEnum};
use ipnet::IpNet;
use std::{net::SocketAddr, path::PathBuf};

/// Where everything is kept; the same for every command.
#[derive(Args, Clone, Debug)]
pub struct Storage {
    /// The database: a path, sqlite:PATH or postgres://USER@HOST/NAME [default: tocsin.db in the data folder]
    #[arg(long, global = true, env = "TOCSIN_DATABASE", value_name = "URL", hide_env_values = true)]
    pub database: Option<String>,
    /// The folder for everything the server writes
    #[arg(long, global = true, env = "TOCSIN_DATA", value_name = "DIR", default_value = "data")]
    pub data: PathBuf,
    /// The file with the keys that seal what is secret in the database [default: beside a SQLite database, with .key behind
    /// its name; tocsin.key in the data folder for PostgreSQL]
    #[arg(long, global = true, env = "TOCSIN_SECRET_KEY_FILE", value_name = "FILE")]
    pub secret_key_file: Option<PathBuf>,
}

impl Storage {
    /// The database asked for, or `file` in the data folder.
    ///
    /// # Errors
    /// Says what is wrong with the URL and what to write.
    pub fn database(&self, file: &str) -> Result<DatabaseUrl, String> {
        match &self.database {
            Some(text) => DatabaseUrl::parse(text),
            None => Ok(DatabaseUrl::Sqlite(self.data.join(file))),
        }
    }

    /// Where the keys of this database are.
    #[must_use]
    pub fn keys(&self, url: &DatabaseUrl) -> KeyFile {
        let named = self.secret_key_file.clone().map(KeyFile::at);
        named.or_else(|| url.keys()).unwrap_or_else(|| KeyFile::at(self.data.join("tocsin.key")))
    }
}

/// How logs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people, with colours on a terminal.
    #[default]
    Pretty,
    /// One JSON object a line, for machines.
    Json,
}

/// Settings of `tocsin serve`.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// Where to listen; may be given several times
    #[arg(
        long,
        env = "TOCSIN_LISTEN",
        value_name = "ADDR",
        value_delimiter = ',',
        value_parser = listen_address,
        default_value = "127.0.0.1:8080"
    )]
    pub listen: Vec<SocketAddr>,
    /// A configuration (file, or folder of *.toml) that is applied at start when it differs from the stored one
    #[arg(long, env = "TOCSIN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show a demo organisation with live synthetic alerts, in a database of its own
    #[arg(long, env = "TOCSIN_DEMO")]
    pub demo: bool,
    /// Where browsers and phones reach this server; overrules `public_url` of the configuration
    #[arg(long, env = "TOCSIN_PUBLIC_URL", value_name = "URL", value_parser = public_url)]
    pub public_url: Option<String>,
    /// Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8
    #[arg(long = "trusted-proxy", env = "TOCSIN_TRUSTED_PROXIES", value_name = "NETWORK", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// The IEEE's registers of address blocks, by which interfaces are told whose make they are: a folder with oui.txt or
    /// oui.csv (and mam, oui36), or one such file; read when it is there
    #[arg(long, env = "TOCSIN_OUI_DATA", value_name = "PATH", default_value = "/usr/share/ieee-data")]
    pub oui_data: PathBuf,
    /// A program that is run when nobody can be reached by any delivery, the fallback's included: to sound a siren, or
    /// write to a console. What is wrong is in TOCSIN_INCIDENT, TOCSIN_SEVERITY, TOCSIN_TITLE and TOCSIN_URL
    #[arg(long, env = "TOCSIN_LAST_RESORT", value_name = "PROGRAM")]
    pub last_resort: Option<PathBuf>,
    /// How logs are written
    #[arg(long, env = "TOCSIN_LOG_FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,
    /// What is logged: a level, or parts such as `info,server::ingest=debug`
    #[arg(long, env = "TOCSIN_LOG", value_name = "FILTER", default_value = "info,actix_server=warn")]
    pub log: String,
    /// After how many milliseconds without a turn the engine is taken for hung, and the process ends; for tests
    #[arg(long, value_name = "MS", hide = true, default_value_t = 60_000)]
    pub hung_ms: i64,
    /// Where this process is to die or to hang, and at the how manieth time it gets there; for tests
    #[cfg(feature = "failpoints")]
    #[arg(long, value_name = "NAME[:N][=hang]", hide = true)]
    pub failpoint: Option<String>,
}

/// `8080`, `:8080`, `localhost:8080` and `[::]:8080` all say where to listen.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let port_only = text.strip_prefix(':').unwrap_or(text);
    if let Ok(port) = port_only.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| format!("`{text}` is not an address; write for example 127.0.0.1:8080 or [::]:8080"))
}

fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map_err(|_| format!("`{text}` is not a network; write for example 10.0.0.0/8 or 192.0.2.7"))
}

/// An address people can open, without a path: links are made by appending one.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    let bad = || format!("`{text}` is not an address; write for example https://tocsin.example.org");
    let url = url::Url::parse(text.trim()).map_err(|_| bad())?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !matches!(url.path(), "/" | "") {
        return Err(bad());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(bad());
    }
    Ok(url.origin().ascii_serialization())
}

/// What people open when nothing else is said: the address that is listened on.
#[must_use]
pub fn fallback_url(address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_short() {
        for (text, address) in [
            ("8080", "127.0.0.1:8080"),
            (":9", "127.0.0.1:9"),
            ("localhost:80", "127.0.0.1:80"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(listen_address(text).map(|it| it.to_string()), Ok(address.to_owned()), "{text}");
        }
        assert!(listen_address("example.org").unwrap_err().contains("write"));
    }

    #[test]
    fn a_public_url_is_an_origin() {
        assert_eq!(public_url("https://tocsin.example.org/"), Ok("https://tocsin.example.org".to_owned()));
        assert_eq!(public_url("http://10.0.0.1:8080"), Ok("http://10.0.0.1:8080".to_owned()));
        for text in ["tocsin.example.org", "ftp://x", "https://x/path", "https://u:p@x", "https://x/?a", ""] {
            assert!(public_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_single_proxy_is_a_network_too() {
        assert_eq!(network("192.0.2.7").map(|it| it.to_string()), Ok("192.0.2.7/32".to_owned()));
        assert!(network("nowhere").is_err());
    }
}
