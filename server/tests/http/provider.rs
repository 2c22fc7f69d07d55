//! A provider on this machine: gives the same answer to everything, and tells what it was asked.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

const PATIENT: Duration = Duration::from_secs(10);
/// More requests than any test makes.
const WAITING: usize = 1_000;

pub(crate) struct Provider {
    pub(crate) at: SocketAddr,
    asked: Receiver<String>,
}

impl Provider {
    /// `answer` gives status and JSON for the first line of a request.
    pub(crate) fn new(answer: impl Fn(&str) -> (&'static str, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let (tell, asked) = sync_channel(WAITING);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !serve(stream, &answer, &tell) {
                    return;
                }
            }
        });
        Self { at, asked }
    }

    /// The next request, whole.
    pub(crate) async fn asked(&self) -> String {
        for _ in 0..500 {
            if let Ok(request) = self.asked.try_recv() {
                return request;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("nobody asked in 10 s");
    }

    /// Whether nobody asks any more for this while.
    pub(crate) async fn is_left_alone(&self, ms: u64) -> bool {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        self.asked.try_recv().is_err()
    }
}

fn serve(stream: TcpStream, answer: &impl Fn(&str) -> (&'static str, String), tell: &SyncSender<String>) -> bool {
    stream.set_read_timeout(Some(PATIENT)).unwrap();
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).is_err() || line.is_empty() {
            return true;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        text.push_str(&line);
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    text.push_str(std::str::from_utf8(&body).unwrap());
    let (status, said) = answer(text.lines().next().unwrap());
    let length = said.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    reader.get_mut().write_all(format!("{head}{said}").as_bytes()).ok();
    tell.send(text).is_ok()
}
