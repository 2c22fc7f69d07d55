//! The program as an operator types it: what goes to stdout, what to stderr, and with which exit code.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

const CONFIG: &str = r#"# ours
fallback = ["person:li"]
[[people]]
id = "li"
name = "Li"
contacts = [{ id = "bot", webhook = "https://bot.invalid/x", secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz" }]
[[policies]]
id = "p"
levels = [{ notify = ["person:li"], delay = "5m" }]
[[routes]]
id = "all"
policy = "p"
[[tests]]
name = "a P0 wakes Li"
integration = "x"
at = "2026-11-22T03:00:00Z"
payload = "[P0][PROBLEM][db-07][10.0.3.7][down]"
expect = [{ to = "person:li" }]
"#;

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for name in ["TOCSIN_DATABASE", "TOCSIN_DATA", "TOCSIN_LISTEN", "TOCSIN_CONFIG", "TOCSIN_PUBLIC_URL", "TOCSIN_DEMO"]
    {
        command.env_remove(name);
    }
    command
}

struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Said {
    command(folder, arguments).output().unwrap().into()
}

#[test]
fn a_configuration_goes_round() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("c.toml"), CONFIG).unwrap();
    let checked = run(folder, &["check", "c.toml"]);
    assert_eq!(checked.code, Some(0), "{}", checked.err);
    assert!(checked.out.contains("test a P0 wakes Li: ok") && checked.out.contains("1 person"), "{}", checked.out);
    let dry = run(folder, &["apply", "--dry-run", "c.toml"]);
    assert!(dry.out.contains("people +li") && dry.out.contains("version 0 stays"), "{}", dry.out);
    assert_eq!(run(folder, &["export"]).out, "");
    let applied = run(folder, &["apply", "c.toml"]);
    assert!(applied.out.contains("policies +p") && applied.out.contains("version 1 is in force"), "{}", applied.out);
    let exported = run(folder, &["export"]);
    assert!(
        exported.out.starts_with("# ours") && exported.out.contains("********") && !exported.out.contains("whsec_")
    );
    fs::write(folder.join("exported.toml"), &exported.out).unwrap();
    let again = run(folder, &["apply", "exported.toml"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert!(again.out.contains("nothing changes"), "{}", again.out);
    assert_eq!(run(folder, &["export", "--with-secrets"]).out, CONFIG);
    // A folder of files means the same.
    fs::create_dir(folder.join("parts")).unwrap();
    let (people, rest) = CONFIG.split_at(CONFIG.find("[[policies]]").unwrap());
    fs::write(folder.join("parts/1.toml"), people).unwrap();
    fs::write(folder.join("parts/2.toml"), rest).unwrap();
    assert!(run(folder, &["apply", "parts"]).out.contains("nothing changes"));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("c.toml"), "[paging]\ntrys = 1\n").unwrap();
    let checked = run(folder, &["check", "c.toml"]);
    assert_eq!(checked.code, Some(1));
    assert!(
        checked.err.contains("c.toml: line 2, column 1: there is no key `trys` here; did you mean `tries`?"),
        "{}",
        checked.err
    );
    fs::write(
        folder.join("c.toml"),
        CONFIG
            .replace("fallback = [\"person:li\"]", "")
            .replace("policy = \"p\"", "policy = \"p\"\nmatch = [\"host=x\"]"),
    )
    .unwrap();
    let deaf = run(folder, &["apply", "c.toml"]);
    assert_eq!(deaf.code, Some(1), "a P0 of another host reaches nobody: {}", deaf.err);
    fs::write(
        folder.join("c.toml"),
        CONFIG.replace("expect = [{ to = \"person:li\" }]", "expect = [{ to = \"person:li\", after = \"1h\" }]"),
    )
    .unwrap();
    let failing = run(folder, &["apply", "c.toml"]);
    assert_eq!(failing.code, Some(1));
    assert!(
        failing.out.contains("FAILED") && failing.err.contains("nothing was changed"),
        "{} {}",
        failing.out,
        failing.err
    );
    assert_eq!(run(folder, &["check", "none.toml"]).code, Some(1));
    assert_eq!(run(folder, &["check"]).code, Some(2), "wrong usage");
    let database = run(folder, &["--database", "mysql://h/d", "migrate"]);
    assert_eq!(database.code, Some(1));
    assert!(database.err.starts_with("error: ") && database.err.contains("write for example"), "{}", database.err);
}

#[test]
fn only_the_token_goes_to_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (arguments, prefix) in [
        (&["token", "create", "--kind", "integration", "--name", "Zabbix"][..], "tin_"),
        (&["token", "create", "--kind", "api", "--role", "admin", "--name", "ci"], "tap_"),
        (&["token", "create", "--kind", "agent", "--name", "segment-a/web-1"], "tag_"),
    ] {
        let said = run(folder, arguments);
        assert_eq!(said.code, Some(0), "{}", said.err);
        let token = said.out.strip_suffix('\n').unwrap();
        assert!(token.starts_with(prefix) && token.len() == 36 && !token.contains(char::is_whitespace), "{token}");
    }
    let list = run(folder, &["token", "list"]).out;
    assert_eq!(list.lines().count(), 3);
    assert!(list.contains("integration\tzabbix\t") && list.contains("api\tadmin\t"), "{list}");
    assert_eq!(run(folder, &["token", "revoke", "1"]).code, Some(0));
    assert_eq!(run(folder, &["token", "revoke", "1"]).code, Some(1));
    assert_eq!(
        run(folder, &["token", "create", "--kind", "integration", "--role", "admin", "--name", "x"]).code,
        Some(1)
    );
    assert_eq!(run(folder, &["token", "create", "--kind", "integration", "--name", "!!"]).code, Some(1));
}

#[test]
fn accounts_are_made_without_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let made = run(folder, &["user", "add", "root", "--role", "admin"]);
    assert_eq!(made.out.trim_end().len(), 32, "the password nobody knows yet: {}", made.out);
    let with_password = |arguments: &[&str], password: &str| -> Said {
        let mut child = command(folder, arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(password.as_bytes()).unwrap();
        child.wait_with_output().unwrap().into()
    };
    let add = ["user", "add", "li", "--password-stdin"];
    assert!(with_password(&add, "short\n").err.contains("at least 12 characters"));
    let said = with_password(&add, "three blind mice run\n");
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""));
    assert!(run(folder, &["user", "add", "LI"]).err.contains("already an account"));
    assert_eq!(run(folder, &["user", "disable", "li"]).code, Some(0));
    assert!(run(folder, &["user", "disable", "root"]).err.contains("last administrator"));
    let list = run(folder, &["user", "list"]).out;
    assert!(list.contains("li\tresponder\tdisabled") && list.contains("root\tadmin\tactive"), "{list}");
    let doctor = run(folder, &["doctor", "--offline"]);
    assert_eq!(doctor.code, Some(0), "{}", doctor.out);
    assert!(doctor.out.contains("record: 3 entries, none changed"), "{}", doctor.out);
}

#[test]
fn the_same_seed_has_the_same_trace() {
    let folder = tempfile::tempdir().unwrap();
    let last = |seed: &str| {
        let said = run(folder.path(), &["simulate", "--seed", seed, "--days", "1"]);
        assert_eq!(said.code, Some(0), "{}", said.err);
        said.out.lines().last().unwrap().to_owned()
    };
    let one = last("7");
    assert!(one.starts_with("trace ") && one.len() > 20, "{one}");
    assert_eq!(last("7"), one);
    assert_ne!(last("8"), one);
}

/// A house in Berlin, whose clock is set back in the night to 25 October 2026.
const BERLIN: &str = r#"
fallback = ["person:li"]
people = [
  { id = "li", name = "Li", time_zone = "Europe/Berlin", contacts = [{ id = "push", webhook = "https://bot.invalid/li" }] },
  { id = "anna", name = "Anna", time_zone = "Europe/Berlin", contacts = [{ id = "push", webhook = "https://bot.invalid/anna" }] },
]
[[schedules]]
id = "night"
name = "Night"
time_zone = "Europe/Berlin"
rotations = [{ people = ["li", "anna"], every = "day", handoff = "03:00", start = "2026-10-24" }]
[[policies]]
id = "p"
repeat = 1
levels = [{ notify = ["schedule:night"], delay = "45m" }, { notify = ["schedule:night"], delay = "1h" }]
[[routes]]
id = "all"
policy = "p"
"#;

#[test]
fn one_message_can_be_lived_through_on_the_sunday_of_the_clock_change() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("c.toml"), BERLIN).unwrap();
    let at = |at: &str, more: &[&str]| {
        let arguments = [&["simulate", "--config", "c.toml", "--zone", "Europe/Berlin", "--at", at], more].concat();
        run(folder, &arguments)
    };
    let said = at("2026-10-25 02:30", &["--for", "2h30m"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    // Half past two comes twice, the first time in summer time; the hand-off at three is an hour later than it looks.
    assert!(
        said.out.contains("2026-10-25 02:30:00+02:00  +0s        -> li via push (webhook; p level 1)"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("2026-10-25 02:15:00+01:00  +45m       -> li via push (webhook; p level 2)"),
        "{}",
        said.out
    );
    assert!(said.out.contains("2026-10-25 03:15:00+01:00  +1h45m     -> anna via push"), "{}", said.out);
    assert!(said.out.contains("p level 1: schedule:night → Li"), "the reasons stand between: {}", said.out);
    let change = at("clock-change", &["--message", "[P0][PROBLEM][db-7][][down]"]);
    assert!(change.out.contains("-> ") && change.out.contains("[P0][PROBLEM][db-7]"), "{} {}", change.out, change.err);
    assert!(at("yesterday", &[]).err.contains("is not a time; write YYYY-MM-DD HH:MM"));
    assert_eq!(run(folder, &["simulate", "--at", "2026-10-25 02:30", "--seed", "1"]).code, Some(2));
    let nothing = run(folder, &["simulate", "--at", "2026-10-25 02:30"]);
    assert!(nothing.err.contains("there is no database at data/tocsin.db"), "{}", nothing.err);
}

#[test]
fn a_draft_is_replayed_beside_a_running_server_and_a_lost_p0_is_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert!(run(folder, &["replay"]).err.contains("there is no database"));
    fs::write(folder.join("c.toml"), CONFIG).unwrap();
    assert_eq!(run(folder, &["apply", "c.toml"]).code, Some(0));
    let server = Running::start(folder, &[]);
    let token = run(folder, &["token", "create", "--kind", "integration", "--name", "x"]).out;
    for body in ["[P0][PROBLEM][db-07][10.0.3.7][down]", "[P2][PROBLEM][web-1][10.0.3.8][slow]"] {
        let answer = server.post(&format!("/ingest/{}", token.trim()), "text/plain", body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let alone = run(folder, &["replay", "--days", "1"]);
    assert_eq!(alone.code, Some(0), "{}", alone.err);
    assert!(alone.out.contains("2 messages") && alone.out.contains("pages to li"), "{}", alone.out);
    assert!(alone.err.contains("%: 2 messages"), "{}", alone.err);
    let same = run(folder, &["replay", "--config", "c.toml"]);
    assert_eq!(same.code, Some(0), "{}", same.err);
    assert!(same.out.contains("Nothing would have been different."), "{}", same.out);
    let deaf = CONFIG
        .replace("fallback = [\"person:li\"]", "")
        .replace("id = \"all\"", "id = \"all\"\nmatch = [\"host=web-1\"]");
    fs::write(folder.join("deaf.toml"), deaf).unwrap();
    let lost = run(folder, &["replay", "--config", "deaf.toml", "--answer", "as-it-was"]);
    assert_eq!(lost.code, Some(1), "{}", lost.out);
    assert!(lost.out.contains("1 alerts would page nobody any more, 1 of them P0:"), "{}", lost.out);
    assert!(
        lost.out.contains("P0 db-07: down") && lost.out.contains("today li; then its levels came to nobody"),
        "{}",
        lost.out
    );
    assert!(lost.err.contains("error: with this draft 1 P0 alerts"), "{}", lost.err);
    let json = run(folder, &["replay", "--config", "deaf.toml", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(told["diff"]["lost_p0"], 1);
    assert_eq!(run(folder, &["replay", "--from", "2026-01-02 00:00", "--to", "2026-01-01 00:00"]).code, Some(1));
    assert_eq!(server.terminate(), Some(0));
}

/// A server that is stopped with the test.
struct Running {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    address: String,
}

impl Running {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_saying(" listens on ", folder, arguments)
    }

    /// Started as soon as it says so and where.
    fn start_saying(words: &str, folder: &Path, arguments: &[&str]) -> Self {
        let arguments = [&["serve", "--listen", "127.0.0.1:0"], arguments].concat();
        let mut child = command(folder, &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self { child, lines, address: String::new() };
        let greeting = running.line_with(words);
        let address = greeting.split("http://").nth(1).unwrap().split([',', ' ']).next().unwrap().trim_end();
        running.address = address.to_owned();
        running
    }

    fn line_with(&mut self, words: &str) -> String {
        let mut line = String::new();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            if line.contains(words) {
                return line;
            }
            line.clear();
        }
        panic!("the server said nothing with `{words}`");
    }

    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str, more: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{more}\r\n", self.address))
    }

    fn post(&self, path: &str, kind: &str, body: &str) -> String {
        let head = format!("POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        self.ask(&format!("{head}content-type: {kind}\r\ncontent-length: {}\r\n\r\n{body}", body.len()))
    }

    fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_server_without_configuration_works_and_stops_when_asked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut server = Running::start(folder, &[]);
    let link = server.line_with("Make the first administrator: ");
    let code = link.trim_end().split("code=").nth(1).unwrap().to_owned();
    assert!(server.get("/readyz", "").starts_with("HTTP/1.1 200"));
    let body = format!(r#"{{"code":"{code}","login":"root","name":"Root","password":"three blind mice run"}}"#);
    let made = server.post("/api/v1/setup", "application/json", &body);
    assert!(made.starts_with("HTTP/1.1 200") && made.contains("\"role\":\"admin\""), "{made}");
    // Another process makes a token, applies a configuration, and may not become a second server.
    let token = run(folder, &["token", "create", "--kind", "integration", "--name", "monitor"]).out;
    let sent =
        server.post(&format!("/ingest/{}", token.trim_end()), "text/plain", "[P0][PROBLEM][db-07][10.0.3.7][down]");
    assert!(sent.starts_with("HTTP/1.1 200") && sent.contains("\"outcome\":\"opened\""), "{sent}");
    let second = run(folder, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(1));
    assert!(second.err.contains("another Tocsin server is running"), "{}", second.err);
    fs::write(folder.join("c.toml"), CONFIG).unwrap();
    assert_eq!(run(folder, &["apply", "c.toml"]).code, Some(0));
    let key = run(folder, &["token", "create", "--kind", "api", "--name", "look"]).out;
    let header = format!("authorization: Bearer {}\r\n", key.trim_end());
    let taken_up = (0..40).any(|_| {
        std::thread::sleep(Duration::from_millis(250));
        server.get("/api/v1/policies", &header).contains("\"id\":\"p\"")
    });
    assert!(taken_up, "the applied configuration is in force");
    assert_eq!(server.terminate(), Some(0));
    // Everything is there again, and nobody is asked to set up.
    let server = Running::start(folder, &[]);
    assert!(server.get("/api/v1/setup", "").contains("\"needed\":false"));
    assert!(server.get("/api/v1/incidents", &header).contains("db-07"));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn a_configuration_file_is_taken_over_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("bad.toml"), "peple = 1\n").unwrap();
    let refused = run(folder, &["serve", "--listen", "127.0.0.1:0", "--config", "bad.toml"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("did you mean `people`?"), "{}", refused.err);
    fs::write(folder.join("c.toml"), CONFIG).unwrap();
    for _ in 0..2 {
        let server = Running::start(folder, &["--config", "c.toml"]);
        assert_eq!(server.terminate(), Some(0));
    }
    assert_eq!(run(folder, &["export", "--with-secrets"]).out, CONFIG);
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = busy.local_addr().unwrap().to_string();
    let refused = run(folder, &["serve", "--listen", &address]);
    assert!(refused.code == Some(1) && refused.err.contains("something listens there already"), "{}", refused.err);
}

#[test]
fn the_demo_lives() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start_demo(folder.path());
    assert!(folder.path().join("data/demo.db").exists() && !folder.path().join("data/tocsin.db").exists());
    let password = server.password.clone();
    let body = format!(r#"{{"login":"demo","password":"{password}"}}"#);
    let signed_in = server.running.post("/api/v1/session", "application/json", &body);
    let cookie = signed_in.split("set-cookie: ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let header = format!("cookie: {cookie}\r\n");
    let lives = (0..60).any(|_| {
        std::thread::sleep(Duration::from_millis(500));
        // Some recover within seconds, and some are answered by a snooze: what matters is that much happened.
        let board = server.running.get("/api/v1/incidents?state=all&limit=500", &header);
        board.matches("\"opened_at\":").count() >= 20
            && board.contains("\"state\":\"acked\"")
            && board.contains("\"best\":\"accepted\"")
    });
    assert!(lives, "{}", server.running.get("/api/v1/incidents?limit=500", &header));
}

struct Demo {
    running: Running,
    password: String,
}

impl Running {
    fn start_demo(folder: &Path) -> Demo {
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--demo"];
        let mut child = command(folder, &arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut running = Self { child, lines, address: String::new() };
        let password = running.line_with("Demo: sign in as `demo`");
        let password = password.split('`').nth(3).unwrap().to_owned();
        let greeting = running.line_with(" listens on ");
        running.address = greeting.split("http://").nth(1).unwrap().split([',', ' ']).next().unwrap().to_owned();
        Demo { running, password }
    }
}

#[test]
fn a_server_that_starts_before_its_database_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut postgres = e2e::postgres::Server::start_with(e2e::postgres::Durability::None).unwrap();
    let url = postgres.create_database().unwrap();
    postgres.stop().unwrap();
    let mut server = Running::start_saying(" answers 503 on ", folder.path(), &["--database", &url]);
    assert!(server.get("/healthz", "").starts_with("HTTP/1.1 200"), "the process lives");
    assert!(server.get("/readyz", "").starts_with("HTTP/1.1 503"), "and cannot store");
    let refused = server.post("/ingest/token", "text/plain", "[P0][PROBLEM][db-07][10.1.2.3][host is down]");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.to_lowercase().contains("retry-after"), "{refused}");
    postgres.restart().unwrap();
    server.line_with(" listens on ");
    assert!(server.get("/readyz", "").starts_with("HTTP/1.1 200"));
    assert_eq!(server.terminate(), Some(0));
}

#[test]
fn an_alertmanager_file_is_printed_as_ours_and_every_difference_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = "route: { receiver: ops, routes: [{ matchers: [team=db], receiver: db }] }\n\
                receivers: [{ name: ops }, { name: db, webhook_configs: [{ url: 'https://canary' }] }]\n";
    fs::write(folder.path().join("alertmanager.yml"), yaml).unwrap();
    let said = run(folder.path(), &["import", "alertmanager", "alertmanager.yml"]);
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.starts_with("alertmanager.yml: ") && said.err.contains("\n  receivers[1]: `db` is a placeholder"));
    assert!(!said.out.contains("canary") && !said.err.contains("canary"));
    // Refused while a P0 reaches nobody, and taken once somebody is named.
    fs::write(folder.path().join("ours.toml"), &said.out).unwrap();
    let refused = run(folder.path(), &["check", "ours.toml"]);
    assert!(refused.code == Some(1) && refused.err.contains("can reach nobody"), "{}", refused.err);
    let person = "fallback = [\"person:li\"]\n[[people]]\nid = \"li\"\nname = \"Li\"\n\
                  contacts = [{ id = \"bot\", webhook = \"https://bot.invalid/x\" }]\n";
    fs::write(folder.path().join("ours.toml"), format!("{person}{}", said.out)).unwrap();
    let taken = run(folder.path(), &["check", "ours.toml"]);
    assert_eq!(taken.code, Some(0), "{}", taken.err);
    fs::write(folder.path().join("alertmanager.yml"), "route: { receiver: nobody }\n").unwrap();
    let refused = run(folder.path(), &["import", "alertmanager", "alertmanager.yml"]);
    assert!(refused.code == Some(1) && refused.out.is_empty() && refused.err.contains("no receiver `nobody`"));
}
