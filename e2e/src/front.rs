//! A front with TLS, as one stands before the server in production: for clients that speak to nobody without.

use crate::{environment, running::Running};
use anyhow::{Context as _, Result};
use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Stdio},
};
use tempfile::TempDir;

/// Takes connections with a certificate for `localhost` that signs itself, and hands what comes on.
const FRONT: &str = r#"
import asyncio, datetime, ipaddress, ssl, sys
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
folder, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
key = ec.generate_private_key(ec.SECP256R1())
name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
now = datetime.datetime.now(datetime.timezone.utc)
names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    .not_valid_after(now + datetime.timedelta(days=1)).add_extension(names, False)
    .add_extension(x509.BasicConstraints(ca=True, path_length=0), True).sign(key, hashes.SHA256()))
with open(folder + "/authority.pem", "wb") as file: file.write(made.public_bytes(serialization.Encoding.PEM))
with open(folder + "/key.pem", "wb") as file:
    file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/authority.pem", folder + "/key.pem")
async def hand_on(source, target):
    try:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    except (ConnectionError, ssl.SSLError): pass
    finally: target.close()
async def serve(reader, writer):
    try: theirs, ours = await asyncio.open_connection(host, port)
    except ConnectionError: return writer.close()
    await asyncio.gather(hand_on(reader, ours), hand_on(theirs, writer))
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

/// A front that runs until it is dropped.
pub struct Front {
    folder: TempDir,
    port: u16,
    _running: Running,
}

impl Front {
    /// Begins to hand on to a server.
    ///
    /// # Errors
    /// When Python cannot be run.
    pub fn start(to: SocketAddr) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut python = Command::new(environment::python()?);
        python.args(["-c", FRONT]).arg(folder.path()).args([to.ip().to_string(), to.port().to_string()]);
        let mut child = python.stdout(Stdio::piped()).spawn()?;
        let output = BufReader::new(child.stdout.take().context("no output")?);
        let running = Running(child);
        let line = output.lines().next().context("the front did not start")??;
        Ok(Self { folder, port: line.trim().parse()?, _running: running })
    }

    /// `localhost` and the port.
    #[must_use]
    pub fn host(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Who signed its certificate, in PEM.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }
}
