//! A server on the loopback with a certificate of its own authority, that answers as it is told to and keeps what it was
//! asked.

use rustls::{
    RootCertStore, ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::WebPkiClientVerifier,
};
use serde_json::Value;
use server::inventory::https::Trust;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex, OnceLock,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// What nobody may ever see.
pub(crate) const SECRET: &str = "canary-of-the-clouds";
/// A test that waits longer for what must come has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// A question as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    /// A part of the query, as it was meant.
    pub(crate) fn query(&self, name: &str) -> Option<String> {
        let url = url::Url::parse("https://fake").unwrap().join(&self.target).unwrap();
        url.query_pairs().find(|(found, _)| found == name).map(|(_, text)| text.into_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, text)| text.as_str())
    }
}

/// What becomes of a question.
pub(crate) enum Answer {
    Json(u16, Value),
    /// With one header more.
    With(u16, &'static str, String, Value),
    Text(u16, &'static str),
    /// Lines as they come. When there are no more the connection is cut, without a word.
    Lines(Receiver<String>),
}

/// Something to write lines into, and the answer that brings them.
pub(crate) fn lines() -> (SyncSender<String>, Answer) {
    let (sender, receiver) = sync_channel(100);
    (sender, Answer::Lines(receiver))
}

/// The server; it goes on until the test ends.
pub(crate) struct Fake {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    /// Questions that are being answered, and the most that were at a time.
    at_once: Arc<Mutex<(usize, usize)>>,
}

impl Fake {
    /// Answers each question as `answer` says, which is given the server's address, too.
    pub(crate) fn start(answer: impl FnMut(&Asked, &str) -> Answer + Send + 'static) -> Self {
        Self::serve(answer, false)
    }

    /// The same, for those only who show a certificate that the authority has signed.
    pub(crate) fn for_the_known(answer: impl FnMut(&Asked, &str) -> Answer + Send + 'static) -> Self {
        Self::serve(answer, true)
    }

    fn serve(answer: impl FnMut(&Asked, &str) -> Answer + Send + 'static, asks_who: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (config, answer) = (Arc::new(papers().config(asks_who)), Arc::new(Mutex::new(answer)));
        let at_once = Arc::new(Mutex::new((0, 0)));
        let fake = Self { url: url.clone(), asked: Arc::clone(&asked), at_once: Arc::clone(&at_once) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                stream.set_nodelay(true).unwrap();
                let (config, answer) = (Arc::clone(&config), Arc::clone(&answer));
                let (asked, url, at_once) = (Arc::clone(&asked), url.clone(), Arc::clone(&at_once));
                thread::spawn(move || {
                    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
                    while let Some(question) = read(&mut tls) {
                        {
                            let mut at_once = at_once.lock().unwrap();
                            at_once.0 += 1;
                            at_once.1 = at_once.1.max(at_once.0);
                        }
                        asked.lock().unwrap().push(question.clone());
                        let said = (*answer.lock().unwrap())(&question, &url);
                        // Before who asked can see the answer and ask again.
                        at_once.lock().unwrap().0 -= 1;
                        if write(&mut tls, said).is_err() {
                            break;
                        }
                    }
                });
            }
        });
        fake
    }

    /// How many questions were answered at a time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.at_once.lock().unwrap().1
    }

    /// The paths, with their queries, that were asked for and contain this.
    pub(crate) fn asked(&self, part: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.target.contains(part)).cloned().collect()
    }
}

fn read(tls: &mut Tls) -> Option<Asked> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        tls.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let header = |line: &str| line.split_once(": ").map(|(name, text)| (name.to_lowercase(), text.to_owned()));
    let headers: Vec<(String, String)> = lines.filter_map(header).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, text)| text.parse().unwrap());
    let mut body = vec![0; length];
    tls.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).unwrap_or_default();
    Some(Asked { method: first.next()?, target: first.next()?, headers, body })
}

fn write(tls: &mut Tls, answer: Answer) -> std::io::Result<()> {
    let (status, more, kind, body) = match answer {
        Answer::Json(status, body) => (status, String::new(), "application/json", body.to_string()),
        Answer::With(status, name, text, body) => {
            (status, format!("{name}: {text}\r\n"), "application/json", body.to_string())
        }
        Answer::Text(status, body) => (status, String::new(), "text/html", body.to_owned()),
        Answer::Lines(lines) => {
            write!(tls, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            tls.flush()?;
            for line in lines {
                write!(tls, "{:x}\r\n{line}\n\r\n", line.len() + 1)?;
                tls.flush()?;
            }
            return Err(std::io::ErrorKind::ConnectionAborted.into());
        }
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} It\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n");
    tls.write_all((head + &body).as_bytes())?;
    tls.flush()
}

/// Certificates for the loopback, made once.
pub(crate) struct Papers {
    folder: TempDir,
}

pub(crate) fn papers() -> &'static Papers {
    static PAPERS: OnceLock<Papers> = OnceLock::new();
    PAPERS.get_or_init(Papers::make)
}

/// The fakes' authority.
pub(crate) fn trust() -> Trust {
    Trust::Authorities(fs::read_to_string(papers().file("ca.pem")).unwrap())
}

impl Papers {
    fn make() -> Self {
        let papers = Self { folder: tempfile::tempdir().unwrap() };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
        fs::write(papers.file("extensions"), "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n").unwrap();
        papers.openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /CN=fakes"));
        for name in ["fake", "tocsin"] {
            papers.openssl(&format!("req {key} -keyout {name}.key -out {name}.csr -subj /CN={name}"));
            let sign = format!("x509 -req -in {name}.csr -out {name}.pem -days 2 -extfile extensions");
            papers.openssl(&format!("{sign} -CA ca.pem -CAkey ca.key -CAcreateserial"));
        }
        papers
    }

    fn openssl(&self, arguments: &str) {
        let output =
            Command::new("openssl").args(arguments.split(' ')).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self, asks_who: bool) -> ServerConfig {
        let pem = |name: &str| fs::read(self.file(name)).unwrap();
        let certificates =
            |name: &str| CertificateDer::pem_slice_iter(&pem(name)).map(Result::unwrap).collect::<Vec<_>>();
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.unwrap();
        let builder = if asks_who {
            let mut roots = RootCertStore::empty();
            certificates("ca.pem").into_iter().for_each(|it| roots.add(it).unwrap());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::from_pem_slice(&pem("fake.key")).unwrap();
        builder.with_single_cert(certificates("fake.pem"), key).unwrap()
    }
}

/// Where a test keeps a file.
pub(crate) fn text_of(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
