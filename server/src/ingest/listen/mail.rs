//! Mail to integrations, by SMTP: the token in the recipient's address says whose alert it is.
//!
//! A recipient that is nobody's is refused when it is named, and a message is taken with 250 only once it is stored. Nothing is
//! sent on, so nobody has to prove who they are.

mod message;
mod session;

use super::door::Guest;
use crate::http::App;
use actix_web::web;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use session::{Ended, Session};
use shared::config::Certificate;
use std::{fs, io, sync::Arc, time::Duration};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsAcceptor;

/// The longest that anybody stays.
const TOGETHER: Duration = Duration::from_secs(900);
const HANDSHAKE: Duration = Duration::from_secs(30);

/// Hears a sender of mail until it is done.
pub(super) async fn hear(guest: Guest, stream: TcpStream, app: web::Data<App>) -> io::Result<()> {
    timeout(TOGETHER, talk(guest, stream, app)).await?
}

async fn talk(guest: Guest, stream: TcpStream, app: web::Data<App>) -> io::Result<()> {
    // Before it is offered: whoever takes the offer would not go on without.
    let acceptor = match guest.senders.terms().certificate {
        Some(certificate) => {
            let read = actix_web::rt::task::spawn_blocking(move || acceptor(&certificate)).await;
            let told = |error: &io::Error| tracing::error!(%error, "mail is taken in the clear alone; see `mail.tls`");
            read.map_err(io::Error::other)?.inspect_err(told).ok()
        }
        None => None,
    };
    let mut session = Session::new(guest, app, acceptor.is_some());
    let Ended::Encrypt(stream) = session.talk(stream, true).await? else { return Ok(()) };
    let Some(acceptor) = acceptor else { return Ok(()) };
    let stream = tokio::select! {
        stream = timeout(HANDSHAKE, acceptor.accept(stream)) => stream??,
        () = session.needed() => return Ok(()),
    };
    session.talk(stream, false).await.map(drop)
}

/// Reads the files again each time: certificates are renewed.
fn acceptor(certificate: &Certificate) -> io::Result<TlsAcceptor> {
    let told = |path: &str, error: &dyn std::fmt::Display| io::Error::other(format!("{path}: {error}"));
    let read = |path: &str| fs::read(path).map_err(|error| told(path, &error));
    let Certificate { certificate_file, key_file } = certificate;
    let chain = read(certificate_file)?;
    let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| told(certificate_file, &error))?;
    let key = PrivateKeyDer::from_pem_slice(&read(key_file)?).map_err(|error| told(key_file, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(io::Error::other)?.with_no_client_auth().with_single_cert(chain, key);
    config.map(|config| TlsAcceptor::from(Arc::new(config))).map_err(|error| told(certificate_file, &error))
}
