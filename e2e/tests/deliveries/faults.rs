//! Receivers that misbehave in every way a network knows: each failure gets its class, the next contact is used long before the
//! rule says, and nobody else waits.

use super::PATIENCE;
use anyhow::{Context as _, Result, ensure};
use e2e::{hook::HookSink, tocsin::Tocsin, wait};
use shared::{
    AttemptState,
    api::{IncidentDetail, Role},
    timeline::Happening,
};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// The name, whether no try can help, and whether it may have been taken.
const FAULTS: [(&str, bool, bool); 10] = [
    ("refused-400", true, false),
    ("refused-401", true, false),
    ("broken-500", false, false),
    ("busy-429", false, false),
    ("redirect", true, false),
    ("closed", false, true),
    ("half-closed", false, true),
    ("drip", false, true),
    ("endless", false, false),
    ("garbage", false, true),
];

/// Misbehaves as the path says, for as long as the test runs.
fn misbehave(mut stream: TcpStream, trap: SocketAddr) {
    let mut head = [0; 16_384];
    let Ok(read) = stream.read(&mut head) else { return };
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let answer = match path.as_str() {
        "refused-400" => "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "refused-401" => "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "broken-500" => "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "busy-429" => "HTTP/1.1 429 Too Many Requests\r\nretry-after: 600\r\ncontent-length: 0\r\n\r\n".to_owned(),
        "redirect" => format!("HTTP/1.1 302 Found\r\nlocation: http://{trap}/\r\ncontent-length: 0\r\n\r\n"),
        "garbage" => "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        "closed" => return,
        "half-closed" => {
            stream.shutdown(std::net::Shutdown::Write).ok();
            // Whoever called decides when this ends.
            stream.read_to_end(&mut Vec::new()).ok();
            return;
        }
        "hang" => {
            stream.read_to_end(&mut Vec::new()).ok();
            return;
        }
        "endless" => {
            let more = [b'x'; 65_536];
            let head = b"HTTP/1.1 503 Service Unavailable\r\n\r\n";
            let mut sent = stream.write_all(head);
            while sent.is_ok() {
                sent = stream.write_all(&more);
            }
            return;
        }
        _ => {
            // One byte a second, of a head that has no end.
            while stream.write_all(b"x").is_ok() {
                wait::pass(Duration::from_secs(1));
            }
            return;
        }
    };
    stream.write_all(answer.as_bytes()).ok();
}

/// Takes connections and hands each to its own thread. Ends with the test's process.
fn listen(serve: impl Fn(TcpStream) + Send + Clone + 'static) -> Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let at = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    Ok(at)
}

/// For each fault somebody whose first contact has it and whose second would be used in an hour; and one who is well.
fn house(hook: &HookSink, faulty: SocketAddr) -> String {
    let mut text = "fallback = [\"person:well\"]\n\
        limits = []\n\
        storm = { incidents = 0 }\n\
        paging = { lease = \"10s\", retry_after = \"1s\", unproven_p0 = \"5s\" }\n\
        channels.webhook = { allow_networks = [\"127.0.0.0/8\"], allow_http = true }\n"
        .to_owned();
    let names = FAULTS.iter().map(|(name, ..)| *name).chain(["well"]);
    for name in names {
        let good = hook.url(&format!("/{name}"));
        let contacts = match name {
            "well" => format!("[{{ id = \"good\", webhook = \"{good}\" }}]"),
            _ => format!(
                "[{{ id = \"bad\", webhook = \"http://{faulty}/{name}\" }}, {{ id = \"good\", webhook = \"{good}\" }}]"
            ),
        };
        let steps = match name {
            "well" => "[{ contact = \"good\" }]",
            _ => "[{ contact = \"bad\" }, { contact = \"good\", after = \"1h\" }]",
        };
        text += &format!(
            "[[people]]\nid = \"{name}\"\nname = \"{name}\"\ncontacts = {contacts}\nrules = [{{ notify = {steps} }}]\n\
             [[policies]]\nid = \"{name}\"\nlevels = [{{ notify = [\"person:{name}\"], delay = \"2h\" }}]\n\
             [[routes]]\nid = \"{name}\"\nmatch = [\"host = {name}\"]\npolicy = \"{name}\"\n"
        );
    }
    text
}

#[test]
fn whatever_a_receiver_does_the_next_contact_is_used_and_nobody_else_waits() -> Result<()> {
    let hook = HookSink::start()?;
    let trapped = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&trapped);
    let trap = listen(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    })?;
    let faulty = listen(move |stream| misbehave(stream, trap))?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&house(&hook, faulty))?;
    let sender = server.anybody();
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let viewer = server.somebody(Role::Viewer)?;
    let mut incidents = Vec::new();
    for (name, permanent, ambiguous) in FAULTS {
        let line = format!("[P0][PROBLEM][{name}][10.1.2.3][host is down]");
        sender.post(&path, &[], line.as_bytes())?.is(200)?;
        incidents.push((name, super::number(&viewer, name)?, permanent, ambiguous));
    }
    sender.post(&path, &[], b"[P0][PROBLEM][well][10.1.2.4][host is down]")?.is(200)?;
    hook.wait_for("/well", 1, PATIENCE)?;
    for (name, incident, permanent, ambiguous) in incidents {
        hook.wait_for(&format!("/{name}"), 1, PATIENCE).with_context(|| format!("{name} leads nowhere"))?;
        let detail: IncidentDetail = viewer.read(&format!("/api/v1/incidents/{incident}"))?;
        let attempts = detail.incident.pages.iter().flat_map(|page| &page.attempts);
        let bad =
            attempts.clone().find(|it| it.contact.as_str() == "bad").context("no delivery to the faulty receiver")?;
        let failure = bad.failure.as_ref().with_context(|| format!("{name}: {bad:?}"))?;
        ensure!((failure.permanent, failure.ambiguous) == (permanent, ambiguous), "{name}: {failure:?}");
        ensure!(!permanent || bad.state == AttemptState::Failed, "{name}: {bad:?}");
        println!("{name}: {}", failure.detail);
    }
    ensure!(trapped.load(Ordering::Relaxed) == 0, "a redirect was followed");
    Ok(())
}

/// How many receivers hang at once.
const HANGING: usize = 100;

/// Everybody is paged at once, and all but one have a receiver of their own that never answers.
fn crowd(hook: &HookSink, hanging: &[SocketAddr]) -> String {
    let mut text = "fallback = [\"person:well\"]\n\
        limits = []\n\
        channels.webhook = { allow_networks = [\"127.0.0.0/8\"], allow_http = true }\n"
        .to_owned();
    let hang = hanging.iter().enumerate().map(|(n, at)| (format!("h{n}"), format!("http://{at}/hang")));
    let urls = hang.chain([("well".to_owned(), hook.url("/well"))]);
    let mut everybody = Vec::new();
    for (id, url) in urls {
        text += &format!(
            "[[people]]\nid = \"{id}\"\nname = \"{id}\"\ncontacts = [{{ id = \"hook\", webhook = \"{url}\" }}]\n"
        );
        everybody.push(format!("\"person:{id}\""));
    }
    text + &format!(
        "[[policies]]\nid = \"all\"\nlevels = [{{ notify = [{}], delay = \"2h\" }}]\n\
         [[routes]]\nid = \"all\"\npolicy = \"all\"\n",
        everybody.join(", ")
    )
}

#[test]
fn a_hundred_receivers_that_hang_hold_up_nobody_else() -> Result<()> {
    let hook = HookSink::start()?;
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
    let hanging = (0..HANGING).map(|_| listen(move |stream| misbehave(stream, nowhere))).collect::<Result<Vec<_>>>()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    server.apply(&crowd(&hook, &hanging))?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    server.anybody().post(&path, &[], b"[P1][PROBLEM][db-07][10.1.2.3][disk is full]")?.is(200)?;
    hook.wait_for("/well", 1, PATIENCE)?;
    let viewer = server.somebody(Role::Viewer)?;
    let incident = super::number(&viewer, "db-07")?;
    let detail = || viewer.read::<IncidentDetail>(&format!("/api/v1/incidents/{incident}"));
    let (first, failure) = wait::attempt("the first of them to be given up", PATIENCE, || {
        let failed = detail()?.timeline.into_iter().filter_map(|entry| match entry.what {
            Happening::Delivery { failure: Some(failure), .. } => Some((entry.at, failure)),
            _ => None,
        });
        Ok(failed.min_by_key(|(at, _)| *at))
    })?;
    ensure!(failure.ambiguous, "{failure:?}");
    // By the server's own record, however slow this machine is: everything began and one was taken before any of them let go.
    let detail = detail()?;
    let attempts: Vec<_> = detail.incident.pages.iter().flat_map(|page| &page.attempts).collect();
    let begun = attempts.iter().filter(|it| it.first_sent_at.is_some_and(|at| at <= first)).count();
    ensure!(begun == HANGING + 1, "{begun} had begun at {first:?}");
    let taken = attempts.iter().find(|it| it.state == AttemptState::Accepted).and_then(|it| it.finished_at);
    ensure!(taken.is_some_and(|at| at <= first), "taken at {taken:?}, and the first was given up at {first:?}");
    Ok(())
}
