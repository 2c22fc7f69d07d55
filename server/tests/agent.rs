//! The agent as a process against a small receiver: what is measured arrives once and in order, whatever happens between.

use e2e::wait;
use flate2::read::GzDecoder;
use shared::{
    Timestamp,
    agent::{AgentAnswer, BEHIND, REPORT_PATH, SAMPLES_PATH, SampleAnswer, SampleReport},
    problem::Problem,
};
use std::{
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};
use tempfile::TempDir;

/// What the receiver does next with samples.
#[derive(Clone, Debug, Default)]
struct Mood {
    /// Cuts every connection.
    away: bool,
    /// Does not take what was kept for now, and counts how often.
    behind: Option<u32>,
    /// Refuses so many messages for good.
    refuse: u32,
    /// Says once that it lacks what is after this.
    again_after: Option<Timestamp>,
    stored_until: Option<Timestamp>,
}

/// What was taken, and how the next is answered.
#[derive(Debug, Default)]
struct Heard {
    mood: Mood,
    taken: Vec<SampleReport>,
    refused: Vec<SampleReport>,
    encodings: Vec<String>,
}

impl Heard {
    /// The instants of samples in the order in which they came.
    fn instants(&self) -> Vec<i64> {
        self.taken.iter().flat_map(|report| &report.samples).map(|sample| sample.at.ms()).collect()
    }
}

struct Receiver {
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

impl Receiver {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let shared = Arc::clone(&heard);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = Arc::clone(&shared);
                thread::spawn(move || while serve(&stream, &heard).is_ok_and(|more| more) {});
            }
        });
        Self { address, heard }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap()
    }

    fn wait(&self, what: &str, is_so: impl Fn(&Heard) -> bool) {
        wait::until(what, 2 * wait::PATIENCE, || is_so(&self.heard()).then_some(())).unwrap();
    }
}

/// Answers one request of a connection; gives whether there may be another.
fn serve(stream: &TcpStream, heard: &Mutex<Heard>) -> io::Result<bool> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(false);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut encoding) = (0, String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        match header.trim().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("content-encoding", value)) => value.clone_into(&mut encoding),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let answer = match path.as_str() {
        // Always here, and always of one mind: this is how the agent hears that somebody looks.
        REPORT_PATH => Some((
            200,
            serde_json::to_string(&AgentAnswer { every_ms: Some(1_000), ..AgentAnswer::default() }).unwrap(),
        )),
        SAMPLES_PATH => take(&body, encoding, &mut heard.lock().unwrap()),
        _ => Some((404, String::new())),
    };
    let Some((status, body)) = answer else { return Ok(false) };
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )?;
    Ok(true)
}

fn take(body: &[u8], encoding: String, heard: &mut Heard) -> Option<(u16, String)> {
    if heard.mood.away {
        return None;
    }
    let mut text = Vec::new();
    GzDecoder::new(body).read_to_end(&mut text).unwrap();
    let report: SampleReport = serde_json::from_slice(&text).unwrap();
    heard.encodings.push(encoding);
    if heard.mood.refuse > 0 {
        heard.mood.refuse -= 1;
        heard.refused.push(report);
        return Some(problem(422, "bad"));
    }
    // What was just measured comes with tables.
    if let (Some(times), None) = (&mut heard.mood.behind, &report.tables) {
        *times += 1;
        return Some(problem(503, BEHIND));
    }
    heard.taken.push(report);
    let again = heard.mood.again_after.take();
    let answer = SampleAnswer {
        every_ms: 1_000,
        stored_until: again.or(heard.mood.stored_until),
        again: again.is_some(),
        facts: false,
    };
    Some((200, serde_json::to_string(&answer).unwrap()))
}

fn problem(status: u16, code: &str) -> (u16, String) {
    let (code, title) = (code.to_owned(), "No".to_owned());
    let problem = Problem { status, code, title, detail: String::new(), field: None, findings: Vec::new() };
    (status, serde_json::to_string(&problem).unwrap())
}

/// An agent that ends with the test.
struct Agent(Child);

impl Agent {
    fn start(receiver: &Receiver, folder: &Path) -> Self {
        let token = folder.join("token");
        fs::write(&token, "tag_0123456789\n").unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tocsin"))
            .args(["agent", "--name", "web01", "--every", "1s", "--server"])
            .arg(format!("http://{}", receiver.address))
            .arg("--token-file")
            .arg(token)
            .arg("--buffer")
            .arg(folder.join("buffer"))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn buffered_bytes(folder: &Path) -> u64 {
    let files = fs::read_dir(folder.join("buffer")).into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

#[test]
fn samples_come_at_once_each_second_while_somebody_looks() {
    let (receiver, folder) = (Receiver::new(), TempDir::new().unwrap());
    let _agent = Agent::start(&receiver, folder.path());
    receiver.wait("four samples", |heard| heard.instants().len() >= 4);
    let heard = receiver.heard();
    let first = &heard.taken[0];
    assert_eq!(first.agent, "web01");
    assert!(first.facts.as_ref().is_some_and(|facts| facts.cpus > 0), "the facts come first");
    assert!(heard.taken[1..].iter().all(|it| it.facts.is_none()), "and once");
    assert!(heard.taken.iter().all(|it| it.tables.as_ref().is_some_and(|tables| tables.at == it.samples[0].at)));
    assert!(heard.encodings.iter().all(|it| it == "gzip"));
    let idle = first.series.iter().position(|it| it == "cpu.idle").unwrap();
    assert!(first.samples[0].values[idle].is_some(), "rates are known from the first sample on");
    for pair in heard.instants().windows(2).skip(1) {
        assert!((700..2_500).contains(&(pair[1] - pair[0])), "a steady beat: {:?}", heard.instants());
    }
    assert_eq!(heard.taken.iter().map(|it| it.lost).max(), Some(0));
}

#[test]
fn what_was_measured_while_the_server_was_away_comes_once_and_in_order_though_the_agent_was_killed() {
    let (receiver, folder) = (Receiver::new(), TempDir::new().unwrap());
    let agent = Agent::start(&receiver, folder.path());
    receiver.wait("two samples", |heard| heard.instants().len() >= 2);
    receiver.heard().mood.away = true;
    // Each sample that is measured now makes the buffer larger.
    let mut sizes = vec![buffered_bytes(folder.path())];
    wait::until("five samples in the buffer", 2 * wait::PATIENCE, || {
        let size = buffered_bytes(folder.path());
        if sizes.last() != Some(&size) {
            sizes.push(size);
        }
        (sizes.len() > 5).then_some(())
    })
    .unwrap();
    agent.kill();
    let before = receiver.heard().taken.len();
    let last_before = *receiver.heard().instants().last().unwrap();
    // A server that cannot store so much of the past takes what is measured now.
    receiver.heard().mood = Mood { behind: Some(0), ..Mood::default() };
    let agent = Agent::start(&receiver, folder.path());
    receiver.wait("what is measured now", |heard| {
        heard.taken.len() >= before + 2 && heard.mood.behind.is_some_and(|times| times > 0)
    });
    receiver.heard().mood = Mood { stored_until: Some(Timestamp::from_ms(i64::MAX)), ..Mood::default() };
    // What is kept comes in messages without tables, what was just measured with them.
    receiver.wait("what was kept", |heard| {
        let kept = heard.taken[before..].iter().filter(|it| it.tables.is_none());
        kept.map(|it| it.samples.len()).sum::<usize>() >= 5
    });
    receiver.wait("the buffer to be sent", |_| buffered_bytes(folder.path()) == 0);
    drop(agent);
    let heard = receiver.heard();
    let kept: Vec<i64> = heard.taken[before..]
        .iter()
        .filter(|it| it.tables.is_none())
        .flat_map(|it| &it.samples)
        .map(|sample| sample.at.ms())
        .collect();
    assert!(kept.is_sorted() && kept[0] > last_before, "{kept:?} after {last_before}");
    let mut all = heard.instants();
    all.sort_unstable();
    let once = all.len();
    all.dedup();
    assert_eq!(all.len(), once, "each once");
    assert_eq!(heard.taken.iter().map(|it| it.lost).max(), Some(0));
}

#[test]
fn a_server_that_began_anew_is_sent_what_it_lacks() {
    let (receiver, folder) = (Receiver::new(), TempDir::new().unwrap());
    let _agent = Agent::start(&receiver, folder.path());
    receiver.wait("four samples", |heard| heard.instants().len() >= 4);
    let instants = receiver.heard().instants();
    let (known, lacked) = (instants[1], &instants[2..]);
    receiver.heard().mood.again_after = Some(Timestamp::from_ms(known));
    let twice = |heard: &Heard, at: i64| heard.instants().iter().filter(|it| **it == at).count();
    receiver.wait("what it lacks", |heard| lacked.iter().all(|at| twice(heard, *at) == 2));
    // And what is measured after that still comes.
    let newest = *receiver.heard().instants().iter().max().unwrap();
    receiver.wait("another sample", |heard| heard.instants().iter().any(|at| *at > newest));
    let heard = receiver.heard();
    assert_eq!((twice(&heard, instants[0]), twice(&heard, known)), (1, 1), "what is stored is not sent again");
}

#[test]
fn a_message_that_is_refused_for_good_holds_up_nothing_and_is_counted() {
    let (receiver, folder) = (Receiver::new(), TempDir::new().unwrap());
    receiver.heard().mood.refuse = 2;
    let _agent = Agent::start(&receiver, folder.path());
    receiver.wait("three samples after the refused ones", |heard| heard.instants().len() >= 3);
    let heard = receiver.heard();
    let refused: Vec<i64> = heard.refused.iter().flat_map(|it| &it.samples).map(|it| it.at.ms()).collect();
    assert_eq!(refused.len(), 2);
    assert!(heard.instants().iter().all(|at| !refused.contains(at)));
    assert!(heard.taken.iter().all(|it| it.lost == 2), "the loss is told");
    assert!(heard.taken[0].facts.is_some(), "facts that were refused come again");
}
