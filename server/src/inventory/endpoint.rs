//! Where a source answers: a socket of this machine, or another machine behind TLS or SSH. Plain TCP goes to ourselves only.

use super::{
    Fault, FaultKind,
    ssh::{Ended, Ssh},
};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
};
use std::{
    fmt, fs, io,
    io::Read as _,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    task::spawn_blocking,
    time::timeout,
};
use tokio_rustls::TlsConnector;

/// For the name, the connection and TLS together.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A larger file holds no certificates.
const PEM_BYTES: u64 = 1 << 20;

/// What a source is spoken with: bytes both ways.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// An open connection to a source.
pub type Stream = Box<dyn Wire>;

/// The files that prove who is who behind TLS, in PEM. They are read at each connection, so that renewed ones count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who must have signed the other side's certificate; nobody else is trusted.
    pub ca: PathBuf,
    /// Our own certificate and its key, for those who want to know us.
    pub own: Option<OwnCertificate>,
}

/// By which the other side knows us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCertificate {
    /// With those between it and the CA, if there are any.
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl OwnCertificate {
    /// The chain and its key, as the files hold them now.
    ///
    /// # Errors
    /// When a file cannot be read, or holds neither.
    pub(super) fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Fault> {
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?).map_err(|error| unusable(&self.key, error))?;
        Ok((certificates(&self.certificate)?, key))
    }
}

/// Why a text names no place at which a source may be asked. The text itself is not repeated: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("this is no address of a source; write unix:/path, tls:name:port, or tcp:127.0.0.1:port on this machine")]
    Form,
    #[error("the path of a socket must begin with `/`")]
    RelativePath,
    #[error("plain TCP to another machine can be read and forged on the way; use tls:, or forward it to 127.0.0.1")]
    PlainTcp,
    #[error("TLS needs the file of the CA that signed the other side's certificate")]
    NoCa,
    #[error(
        "this is no place for ssh; write ssh:user@name:port/path/of/the/socket, of which only the name is needed, in letters, \
         digits and . _ -"
    )]
    Ssh,
    #[error(
        "for ssh, `key` and `ca` (known hosts) are paths that begin with `/`, without blanks or signs with a meaning"
    )]
    SshFile,
}

/// Where a source answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Place);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Unix(PathBuf),
    Tcp(IpAddr, u16),
    Tls(String, u16, Credentials),
    Ssh(Ssh),
}

impl Endpoint {
    /// Reads `unix:/path`, `/path`, `tls:name[:port]` (Open vSwitch writes `ssl:`), and `tcp:address[:port]` for an
    /// address of this machine only.
    ///
    /// # Errors
    /// When it is none of them, and when TLS is meant and `credentials` are missing.
    pub fn parse(text: &str, usual_port: u16, credentials: Option<&Credentials>) -> Result<Self, EndpointError> {
        let text = text.trim();
        if text.starts_with('/') {
            return Ok(Self::unix(text));
        }
        let (scheme, rest) = text.split_once(':').ok_or(EndpointError::Form)?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::unix(rest)),
            "unix" => Err(EndpointError::RelativePath),
            "tls" | "ssl" => {
                let (name, port) = name_and_port(rest, usual_port)?;
                let credentials = credentials.ok_or(EndpointError::NoCa)?;
                Ok(Self(Place::Tls(name, port, credentials.clone())))
            }
            "tcp" => {
                let (name, port) = name_and_port(rest, usual_port)?;
                let address = name.parse::<IpAddr>().ok().filter(IpAddr::is_loopback).ok_or(EndpointError::PlainTcp)?;
                Ok(Self(Place::Tcp(address, port)))
            }
            _ => Err(EndpointError::Form),
        }
    }

    /// A socket of this machine.
    #[must_use]
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self(Place::Unix(path.into()))
    }

    /// A socket of another machine, by way of ssh.
    #[must_use]
    pub const fn ssh(ssh: Ssh) -> Self {
        Self(Place::Ssh(ssh))
    }

    /// Whether a certificate proves who the other side is.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        matches!(self.0, Place::Tls(..))
    }

    /// Connects within five seconds; behind TLS the other side has proved itself then.
    ///
    /// # Errors
    /// When nobody answers, or not the right one, or we may not ask.
    pub async fn connect(&self) -> Result<Stream, Fault> {
        timeout(CONNECT_WITHIN, self.open()).await.unwrap_or_else(|_| {
            let message = format!("{self} did not answer within {} s; is it running there?", CONNECT_WITHIN.as_secs());
            Err(Fault::new(FaultKind::Unreachable, message))
        })
    }

    async fn open(&self) -> Result<Stream, Fault> {
        let lost = |error| self.lost(error);
        match &self.0 {
            Place::Unix(path) => Ok(Box::new(UnixStream::connect(path).await.map_err(lost)?)),
            Place::Tcp(address, port) => Ok(Box::new(TcpStream::connect((*address, *port)).await.map_err(lost)?)),
            Place::Ssh(ssh) => ssh.open(),
            Place::Tls(name, port, credentials) => {
                let credentials = credentials.clone();
                let config = spawn_blocking(move || client_config(&credentials)).await;
                let config = config.map_err(|error| lost(io::Error::other(error)))??;
                // It was one when it was parsed.
                let who = ServerName::try_from(name.clone()).map_err(|error| lost(io::Error::other(error)))?;
                let stream = TcpStream::connect((name.as_str(), *port)).await.map_err(lost)?;
                let stream = TlsConnector::from(Arc::new(config)).connect(who, stream).await.map_err(lost)?;
                Ok(Box::new(stream))
            }
        }
    }

    /// What a failure to connect, read or write means here, and how to mend it.
    #[must_use]
    pub fn lost(&self, error: io::Error) -> Fault {
        let ended = error.get_ref().and_then(|inner| inner.downcast_ref::<Ended>());
        if let (Place::Ssh(ssh), Some(ended)) = (&self.0, ended) {
            return ssh.ended(ended).because(error);
        }
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let (kind, message) = match (tls, error.kind()) {
            (Some(rustls::Error::InvalidCertificate(reason)), _) => (
                FaultKind::Untrusted,
                format!(
                    "the certificate of {self} cannot be trusted ({reason}); it must be signed by the CA that is \
                     configured, and carry the name it is reached by as a subjectAltName"
                ),
            ),
            (Some(rustls::Error::AlertReceived(alert)), _) => (
                FaultKind::Refused,
                format!("{self} does not accept our certificate ({alert:?}); give one that its CA has signed"),
            ),
            (Some(other), _) => (FaultKind::Unreadable, format!("{self} does not speak TLS as it should ({other})")),
            (None, io::ErrorKind::PermissionDenied) => (
                FaultKind::Refused,
                format!("{self} may not be opened; put the account of this server into the socket's group"),
            ),
            (None, io::ErrorKind::NotFound) => {
                (FaultKind::Unreachable, format!("{self} is not there; is it running, and is this its path or name?"))
            }
            (None, io::ErrorKind::ConnectionRefused) => {
                (FaultKind::Unreachable, format!("nobody listens at {self}; is it running?"))
            }
            (None, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
                (FaultKind::Unreachable, format!("{self} hung up; its log may say why"))
            }
            (None, _) => (FaultKind::Unreachable, format!("{self} cannot be reached ({error})")),
        };
        Fault::new(kind, message).because(error)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Unix(path) => write!(f, "{}", path.display()),
            Place::Tcp(address, port) => write!(f, "tcp:{}", std::net::SocketAddr::new(*address, *port)),
            Place::Ssh(ssh) => write!(f, "{ssh}"),
            Place::Tls(name, port, _) if name.contains(':') => write!(f, "tls:[{name}]:{port}"),
            Place::Tls(name, port, _) => write!(f, "tls:{name}:{port}"),
        }
    }
}

/// `name`, `name:port`, `[v6]`, `[v6]:port` and `v6`.
pub(super) fn name_and_port(text: &str, usual_port: u16) -> Result<(String, u16), EndpointError> {
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, "")) => (name, None),
        Some((name, rest)) => (name, Some(rest.strip_prefix(':').ok_or(EndpointError::Form)?)),
        None if text.parse::<IpAddr>().is_ok() => (text, None),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let port = match port {
        Some(port) => port.parse::<u16>().ok().filter(|port| *port > 0).ok_or(EndpointError::Form)?,
        None => usual_port,
    };
    ServerName::try_from(name).map_err(|_| EndpointError::Form)?;
    Ok((name.to_owned(), port))
}

fn client_config(credentials: &Credentials) -> Result<ClientConfig, Fault> {
    let mut trusted = RootCertStore::empty();
    for certificate in certificates(&credentials.ca)? {
        trusted.add(certificate).map_err(|error| unusable(&credentials.ca, error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::new(FaultKind::Untrusted, "TLS cannot be set up").because(error))?
        .with_root_certificates(trusted);
    let Some(own) = &credentials.own else { return Ok(builder.with_no_client_auth()) };
    let (chain, key) = own.read()?;
    builder.with_client_auth_cert(chain, key).map_err(|error| unusable(&own.certificate, error))
}

/// All of a file; there must be one at least.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(file)?).collect();
    let found = found.map_err(|error| unusable(file, error))?;
    if found.is_empty() {
        return Err(unusable(file, "it holds no certificate in PEM"));
    }
    Ok(found)
}

fn read(file: &Path) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    let opened = fs::File::open(file).map_err(|error| unusable(file, error))?;
    opened.take(PEM_BYTES).read_to_end(&mut bytes).map_err(|error| unusable(file, error))?;
    Ok(bytes)
}

/// Nothing of the file's content is quoted: one of them is a key.
fn unusable(file: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Fault {
    let error = error.into();
    let message = format!("the certificate or key file {} cannot be used ({error})", file.display());
    Fault::new(FaultKind::Untrusted, message).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn credentials() -> Credentials {
        Credentials { ca: "/etc/tocsin/ca.pem".into(), own: None }
    }

    fn shown(text: &str) -> Result<String, EndpointError> {
        Endpoint::parse(text, 6640, Some(&credentials())).map(|endpoint| endpoint.to_string())
    }

    #[test]
    fn places_are_read_in_every_form() {
        for (text, expected) in [
            ("unix:/run/a.sock", "/run/a.sock"),
            (" /run/a.sock ", "/run/a.sock"),
            ("tls:switch-7.example.org", "tls:switch-7.example.org:6640"),
            ("ssl:switch-7:7", "tls:switch-7:7"),
            ("tls:192.0.2.7:7", "tls:192.0.2.7:7"),
            ("tls:2001:db8::7", "tls:[2001:db8::7]:6640"),
            ("tls:[2001:db8::7]:7", "tls:[2001:db8::7]:7"),
            ("tcp:127.0.0.1", "tcp:127.0.0.1:6640"),
            ("tcp:127.9.9.9:7", "tcp:127.9.9.9:7"),
            ("tcp:[::1]:7", "tcp:[::1]:7"),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_place_or_no_safe_one_is_refused() {
        for (text, expected) in [
            ("", EndpointError::Form),
            ("run/a.sock", EndpointError::Form),
            ("unix:run/a.sock", EndpointError::RelativePath),
            ("http://127.0.0.1", EndpointError::Form),
            ("tls:", EndpointError::Form),
            ("tls:a:0", EndpointError::Form),
            ("tls:a:65536", EndpointError::Form),
            ("tls:[::1]7", EndpointError::Form),
            ("tls:user:secret@a", EndpointError::Form),
            ("tcp:192.0.2.7:6640", EndpointError::PlainTcp),
            ("tcp:0.0.0.0:6640", EndpointError::PlainTcp),
            ("tcp:localhost:6640", EndpointError::PlainTcp),
            ("tcp:[::ffff:192.0.2.7]", EndpointError::PlainTcp),
        ] {
            assert_eq!(shown(text), Err(expected), "{text}");
        }
        assert_eq!(Endpoint::parse("tls:a", 1, None), Err(EndpointError::NoCa));
    }

    #[tokio::test]
    async fn a_socket_that_is_not_there_is_named() {
        let fault = Endpoint::unix("/nowhere/tocsin.sock").connect().await.err().unwrap();
        assert_eq!(fault.kind, FaultKind::Unreachable);
        assert!(fault.message.contains("/nowhere/tocsin.sock"), "{fault}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            shown(&text).ok();
        }

        #[test]
        fn what_is_shown_is_read_again(text in "(tls|tcp|unix):[a-z0-9:/.\\[\\]]{1,20}") {
            if let Ok(once) = shown(&text) {
                prop_assert_eq!(shown(&once), Ok(once.clone()));
            }
        }
    }
}
