//! One story in two worlds: each scenario is played by the simulator and lived through by the real server, and both
//! page the same people, in the same order, at the same times.

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{
    hook::{Call, HookSink, Reply},
    http::Client,
    tocsin::Tocsin,
    wait,
};
use engine::scenario::{Action, Behaviour, ConfigText, Expectation, Scenario, Step, Told, What, parse, play};
use shared::{
    Delay, Signal, SilenceRequest, Timestamp,
    api::{HeartbeatRow, IncidentRow, List, Receipt, Role},
    timeline::Outcome,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The real server starts, and the machine has other things to do.
const LATE: Duration = Duration::from_millis(2_500);
/// The clocks of the two worlds begin a moment apart.
const EARLY: Duration = Duration::from_millis(300);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

#[test]
fn the_server_lives_through_the_stories_as_the_simulator_tells_them() -> Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())?.flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "scenario"));
    files.sort();
    ensure!(files.len() >= 3, "only {} scenarios were found", files.len());
    // Together: they mostly wait.
    thread::scope(|scope| {
        let playing: Vec<_> = files.iter().map(|file| scope.spawn(move || both_worlds(file))).collect();
        for (file, playing) in files.iter().zip(playing) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let told = playing.join().map_err(|_| anyhow::anyhow!("{name} panicked"))?;
            println!("{name}: {} pages", told.with_context(|| name.clone())?);
        }
        Ok(())
    })
}

/// A page of either world.
#[derive(Clone, Debug)]
struct Page {
    at: Duration,
    /// `#1 person:wang via push (databases level 1)`.
    what: String,
}

/// How many pages both worlds sent.
fn both_worlds(file: &Path) -> Result<usize> {
    let scenario = parse(&fs::read_to_string(file)?)?;
    let told = simulated(&scenario)?;
    let lived = Life::live(&scenario)?;
    let compared = format!("told:\n{}lived:\n{}", listed(&told), listed(&lived));
    ensure!(told.len() == lived.len(), "different numbers of pages\n{compared}");
    for (told, lived) in told.iter().zip(&lived) {
        ensure!(told.what == lived.what, "told {}, lived {}\n{compared}", told.what, lived.what);
        let in_time = lived.at + EARLY >= told.at && lived.at <= told.at + LATE;
        ensure!(in_time, "{} was to come after {:?} and came after {:?}\n{compared}", told.what, told.at, lived.at);
    }
    Ok(lived.len())
}

fn listed(pages: &[Page]) -> String {
    pages.iter().map(|page| format!("  {:>6.1} s  {}\n", page.at.as_secs_f64(), page.what)).collect()
}

/// The document with the receiver's address in it.
fn document(text: &ConfigText, sink: &str) -> Result<String> {
    let text = match text {
        ConfigText::Inline(text) => text.clone(),
        ConfigText::File(name) => fs::read_to_string(folder().join(name)).with_context(|| name.clone())?,
    };
    Ok(text.replace("{sink}", sink))
}

fn simulated(scenario: &Scenario) -> Result<Vec<Page>> {
    let story = play(scenario, |text| {
        let text = document(text, "http://127.0.0.1:9").map_err(|error| format!("{error:#}"))?;
        toml::from_str(&text).map_err(|error| error.to_string())
    })?;
    ensure!(story.failures.is_empty(), "in the simulator: {:?}\n{}", story.failures, story.text);
    let pages = story.text.lines().filter_map(|line| line.split_once("-> "));
    pages
        .map(|(at, what)| {
            let at = Delay::parse(at).map_err(anyhow::Error::msg)?;
            Ok(Page { at: Duration::from_millis(at.0.unsigned_abs()), what: what.trim().to_owned() })
        })
        .collect()
}

/// How a receiver takes pages, and what it says of them later.
#[derive(Clone, Copy)]
struct Mood {
    reply: Reply,
    tells: Option<(Told, Duration)>,
}

/// The receivers of a story, and what went wrong with what they had to tell.
#[derive(Default)]
struct Receivers {
    moods: Mutex<BTreeMap<String, Mood>>,
    telling: Mutex<Vec<thread::JoinHandle<Result<()>>>>,
}

impl Receivers {
    /// Takes a call, and begins to tell what becomes of it.
    fn take(&self, call: &Call, server: &Client) -> Reply {
        let moods = self.moods.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mood) = moods.get(call.path.trim_start_matches('/')).copied() else { return Reply::Accept };
        if let Some((what, after)) = mood.tells {
            let (call, server) = (call.clone(), server.clone());
            let telling = thread::spawn(move || tell(&server, &call, what, after));
            self.telling.lock().unwrap_or_else(PoisonError::into_inner).push(telling);
        }
        mood.reply
    }

    /// Whether all that was to be told was heard.
    fn heard(&self) -> Result<()> {
        let telling = std::mem::take(&mut *self.telling.lock().unwrap_or_else(PoisonError::into_inner));
        telling.into_iter().try_for_each(|it| it.join().map_err(|_| anyhow::anyhow!("a receiver panicked"))?)
    }
}

/// Says what became of a page where every receiver may: under the end of the address by which it is answered.
fn tell(server: &Client, call: &Call, what: Told, after: Duration) -> Result<()> {
    wait::sleep_until(call.at + after);
    let ack_url = call.page()?.ack_url.context("the page cannot be answered")?;
    let cap = ack_url.rsplit('/').next().unwrap_or_default();
    let receipt = match what {
        Told::Delivered => "receipt=delivered",
        Told::Shown => "receipt=shown",
        Told::Opened => "receipt=opened",
        Told::Failed => "receipt=failed&detail=the+phone+is+switched+off",
    };
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = server.post(&format!("/cb/receipt/{cap}"), &form, receipt.as_bytes())?;
    ensure!((200..300).contains(&answer.status), "`{receipt}` was answered {}: {}", answer.status, answer.text());
    Ok(())
}

/// A scenario lived through by the server.
struct Life {
    server: Tocsin,
    hook: HookSink,
    token: String,
    senders: BTreeMap<String, String>,
    receivers: Arc<Receivers>,
    begun: Instant,
    outcomes: Vec<Outcome>,
}

impl Life {
    fn live(scenario: &Scenario) -> Result<Vec<Page>> {
        let hook = HookSink::start()?;
        let mut server = Tocsin::fresh()?;
        server.apply(&document(&scenario.config, &hook.url(""))?)?;
        let token = server.api_token(Role::Admin)?;
        let mut senders = BTreeMap::new();
        for step in &scenario.steps {
            if let What::Post { integration, .. } = &step.what
                && !senders.contains_key(integration.as_str())
            {
                senders.insert(integration.to_string(), server.sender(integration.as_str())?);
            }
        }
        server.start()?;
        let receivers: Arc<Receivers> = Arc::default();
        let (taking, heard_by) = (Arc::clone(&receivers), server.anybody());
        hook.script(move |call| taking.take(call, &heard_by));
        let begun = wait::instant();
        let mut life = Self { server, hook, token, senders, receivers, begun, outcomes: Vec::new() };
        for step in &scenario.steps {
            life.until(step.at);
            life.step(step).with_context(|| format!("line {}", step.line))?;
        }
        life.receivers.heard()?;
        life.pages()
    }

    fn until(&self, at: Delay) {
        wait::sleep_until(self.begun + Duration::from_millis(at.0.unsigned_abs()));
    }

    fn step(&mut self, step: &Step) -> Result<()> {
        match &step.what {
            What::Post { integration, key, body } => {
                let token = self.senders.get(integration.as_str()).context("a sender without a token")?;
                let headers = key.as_deref().map(|key| [("Idempotency-Key", key)]);
                let headers = headers.as_ref().map_or(&[][..], |headers| &headers[..]);
                let answer = self.server.anybody().post(&format!("/ingest/{token}"), headers, body.as_bytes())?;
                self.outcomes = answer.is(200)?.json::<Receipt>()?.outcomes;
                Ok(())
            }
            What::Beat { heartbeat, signal, note } => {
                let token =
                    self.server.ask(&["token", "create", "--kind", "heartbeat", "--name", heartbeat.as_str()], "")?;
                let said = match signal {
                    Signal::Beat => "",
                    Signal::Fail => "/fail",
                    Signal::Start => "/start",
                    Signal::Log => "/log",
                };
                let path = format!("/heartbeat/{token}{said}");
                self.server.anybody().post(&path, &[], note.as_bytes())?.is(200).map(drop)
            }
            What::Act { incident, act, refused, .. } => self.act(*incident, act, *refused),
            What::Silence { kind, after, length, matches, .. } => {
                let starts_at = wait::now_ms() + after.0;
                let request = SilenceRequest {
                    kind: *kind,
                    matches: matches.clone(),
                    starts_at: (after.0 > 0).then_some(Timestamp::from_ms(starts_at)),
                    ends_at: length.map(|length| Timestamp::from_ms(starts_at + length.0)),
                    until_recovered: length.is_none(),
                    reason: "a story".to_owned(),
                    ..SilenceRequest::default()
                };
                self.somebody("/api/v1/silences", &serde_json::to_value(request)?, 201)
            }
            What::EndSilence { silence, .. } => {
                self.somebody(&format!("/api/v1/silences/{silence}/end"), &serde_json::json!({}), 200)
            }
            What::Provider { contact, behaviour } => self.provider(contact, *behaviour),
            What::Config(text) => self.server.apply(&document(text, &self.hook.url(""))?),
            What::Crash { down } => {
                self.server.kill()?;
                self.until(Delay(step.at.0 + down.0));
                self.server.start()
            }
            What::Expect(expectation) => self.expect(expectation),
            What::Calendar { .. } => bail!("nobody keeps a calendar here"),
            What::Sleep { .. } => bail!("the whole machine cannot be put to sleep here"),
        }
    }

    fn somebody(&self, path: &str, body: &serde_json::Value, status: u16) -> Result<()> {
        self.server.anybody().bearer(&self.token).post_json(path, body)?.is(status).map(drop)
    }

    fn act(&self, incident: i64, act: &Action, refused: bool) -> Result<()> {
        let until = |length: Delay| serde_json::json!(wait::now_ms() + length.0);
        let (verb, body) = match act {
            Action::Ack { length } => {
                ("ack", length.map_or_else(|| serde_json::json!({}), |it| serde_json::json!({ "until": until(it) })))
            }
            Action::Unack => ("unack", serde_json::json!({})),
            Action::Resolve => ("resolve", serde_json::json!({})),
            Action::Snooze { length } => ("snooze", serde_json::json!({ "until": until(*length) })),
            Action::Escalate { policy, level, version } => {
                // People count from 1.
                let level = level.map(|level| level + 1);
                ("escalate", serde_json::json!({ "policy": policy, "level": level, "version": version }))
            }
            Action::Reassign { to } => ("reassign", serde_json::json!({ "to": to })),
            Action::ApplyPolicy { version } => ("apply-policy", serde_json::json!({ "version": version })),
            Action::AddResponders { targets, version } => {
                ("responders", serde_json::json!({ "targets": targets, "version": version }))
            }
            Action::Note { text } => ("note", serde_json::json!({ "text": text })),
            Action::Merge { into, version } => ("merge", serde_json::json!({ "into": into, "version": version })),
            Action::Detach { alert, version } => ("detach", serde_json::json!({ "alert": alert, "version": version })),
        };
        let somebody = self.server.anybody().bearer(&self.token);
        let answer = somebody.post_json(&format!("/api/v1/incidents/{incident}/{verb}"), &body)?;
        ensure!((answer.status == 200) != refused, "{verb} was answered {}: {}", answer.status, answer.text());
        Ok(())
    }

    fn provider(&self, contact: &str, behaviour: Behaviour) -> Result<()> {
        ensure!(contact.contains('/'), "write `PERSON/{contact}`: the receiver knows contacts by their path");
        let reply = match behaviour {
            Behaviour::Accepts { .. } | Behaviour::Tells { .. } => Reply::Accept,
            Behaviour::Fails { permanently: false } => Reply::Status(500),
            Behaviour::Fails { permanently: true } => Reply::Status(404),
            Behaviour::RefusesUs => Reply::Status(401),
            Behaviour::TooMany { retry_after } => {
                Reply::TooMany(retry_after.map_or(1, |it| u32::try_from(it.0 / 1_000).unwrap_or(1)))
            }
            Behaviour::LosesTheAnswer => Reply::Drop,
            Behaviour::TimesOut => Reply::Hang(Duration::from_secs(60)),
        };
        let tells = match behaviour {
            Behaviour::Tells { what, after } => Some((what, Duration::from_millis(after.0.unsigned_abs()))),
            _ => None,
        };
        let mut moods = self.receivers.moods.lock().unwrap_or_else(PoisonError::into_inner);
        moods.insert(contact.to_owned(), Mood { reply, tells });
        drop(moods);
        Ok(())
    }

    /// Pages and silence are compared at the end, as a whole.
    fn expect(&self, expectation: &Expectation) -> Result<()> {
        match expectation {
            Expectation::Page { .. } | Expectation::Silence { .. } => Ok(()),
            Expectation::Outcome { name } => {
                let names: Vec<&str> = self.outcomes.iter().map(Outcome::name).collect();
                ensure!(names == [name.as_str()], "the post ended as {names:?}");
                Ok(())
            }
            Expectation::Heartbeat { heartbeat, state } => {
                let viewer = self.server.anybody().bearer(&self.token);
                let rows: List<HeartbeatRow> = viewer.read("/api/v1/heartbeats")?;
                let stands = rows.items.iter().find(|row| row.heartbeat.id == *heartbeat).map(|row| row.state);
                ensure!(stands == Some(*state), "heartbeat {heartbeat} stands as {stands:?}");
                Ok(())
            }
            Expectation::Incident { incident, state, severity } => {
                let viewer = self.server.anybody().bearer(&self.token);
                let detail: serde_json::Value = viewer.read(&format!("/api/v1/incidents/{incident}"))?;
                let row: IncidentRow = serde_json::from_value(detail["row"].clone())?;
                let stands = row.state == *state && severity.is_none_or(|severity| severity == row.severity);
                ensure!(stands, "it stands as {:?} {}", row.state, row.severity);
                Ok(())
            }
        }
    }

    /// What the receiver saw, in the simulator's words.
    fn pages(&self) -> Result<Vec<Page>> {
        let mut tries: BTreeMap<String, u32> = BTreeMap::new();
        // Whoever has a contact that does not work is told so by another one: that is no page.
        let pages = self.hook.calls().into_iter().filter(|call| !call.is_notice()).map(|call| {
            let page = call.page()?;
            let contact = call.path.rsplit('/').next().unwrap_or_default();
            let (id, level) = (page.incident.id, page.page.level);
            let tries = tries.entry(call.key().to_owned()).and_modify(|tries| *tries += 1).or_insert(1);
            let again = if *tries > 1 { format!(", try {tries}") } else { String::new() };
            // Every story here is about one policy: pages do not name it.
            let what = format!("#{id} person:{} via {contact} (databases level {level}{again})", page.page.recipient);
            Ok(Page { at: call.at.saturating_duration_since(self.begun), what })
        });
        pages.collect()
    }
}
