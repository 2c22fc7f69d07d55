//! Senders as they are: crude scripts, old libraries and broken ones. Each gets a status that makes it do the right thing.

use anyhow::{Context as _, Result, ensure};
use e2e::{environment, http::Client, senders, tocsin::Tocsin};
use shared::{
    api::{EventDetail, EventRow, IncidentList, List, Receipt, Role},
    snippets::{self, Address},
    timeline::Outcome,
};
use std::process::Command;

struct Scene {
    server: Tocsin,
    path: String,
    viewer: Client,
}

fn scene() -> Result<Scene> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let path = format!("/ingest/{}", server.sender("script")?);
    let viewer = server.somebody(Role::Viewer)?;
    Ok(Scene { server, path, viewer })
}

impl Scene {
    fn hosts(&self) -> Result<Vec<String>> {
        let board: IncidentList = self.viewer.read("/api/v1/incidents")?;
        Ok(board.items.into_iter().filter_map(|row| row.host).collect())
    }

    /// Sends bytes as they are, on a connection of their own.
    fn raw(&self, path: &str, headers: &str, body: &[u8]) -> Result<e2e::http::Answer> {
        let head = format!("POST {path} HTTP/1.1\r\nHost: tocsin\r\nConnection: close\r\n{headers}\r\n");
        self.server.anybody().raw(&[head.as_bytes(), body].concat())
    }
}

#[test]
fn what_the_page_says_to_paste_works() -> Result<()> {
    let scene = scene()?;
    let to = Address::new(&scene.server.url(&scene.path));
    for (name, program, argument, text, said) in [
        // The problem and its recovery.
        ("a line", "sh", "-c", snippets::curl_bracket(&to), "closed"),
        ("JSON", "sh", "-c", snippets::curl_json(&to), "opened"),
        ("PagerDuty", "sh", "-c", snippets::pagerduty(&to), "Event processed"),
        ("Python", "python", "-c", snippets::python(&to), "\"accepted\":1"),
    ] {
        let python = environment::python()?;
        let program = if program == "python" { python.as_path() } else { std::path::Path::new(program) };
        let output = Command::new(program).args([argument, &text]).output()?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success() && out.contains(said),
            "{name}: {out}{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let board: IncidentList = scene.viewer.read("/api/v1/incidents?state=all")?;
    // The pager's own word that nobody is configured is not one of them.
    let told: Vec<_> = board.items.iter().filter(|row| row.host.as_deref() == Some("db-07")).collect();
    ensure!(told.len() == 4, "{told:?}");
    Ok(())
}

/// What other products' own clients are given, each on a server that hears nobody else.
#[test]
fn so_does_what_it_says_of_other_products() -> Result<()> {
    let python = environment::python()?;
    let tools = python.parent().context("python stands in a folder")?;
    for (name, snippet) in [
        ("any JSON", snippets::any_json as fn(&Address) -> String),
        ("Opsgenie", snippets::opsgenie),
        ("Slack", snippets::slack),
        ("CloudEvents", snippets::cloudevents),
        ("Alerta", snippets::alerta),
        ("Apprise", snippets::apprise),
    ] {
        let scene = scene()?;
        let text = snippet(&Address::new(&scene.server.url(&scene.path)));
        let found = format!("PATH=\"$0:$PATH\"\n{text}");
        let output = Command::new("sh").args(["-c", &found]).arg(tools).output()?;
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        ensure!(output.status.success(), "{name}: {out}{err}");
        let board: IncidentList = scene.viewer.read("/api/v1/incidents")?;
        let told = board.items.iter().filter(|row| row.integration.as_str() != "tocsin").count();
        ensure!(told == 1, "{name}: {out}{err} {:?}", board.items);
    }
    Ok(())
}

/// The signed ones, each by a sender that takes nothing else.
#[test]
fn so_does_what_it_says_of_signing() -> Result<()> {
    let python = environment::python()?;
    let own = "whsec_dGhlIGZpcnN0IHNlY3JldCBvZiBhIHNlbmRlcg==";
    for (name, program, settings, secret, snippet) in [
        (
            "a shell",
            "sh",
            "kind = \"hmac_sha256\", header = \"X-Signature\"",
            "sesame",
            snippets::signed as fn(&Address) -> String,
        ),
        ("Standard Webhooks", "python", "kind = \"standard_webhooks\"", own, snippets::standard_webhooks),
    ] {
        let mut server = Tocsin::fresh()?;
        server.start()?;
        server.apply(&format!(
            "fallback = [\"person:li\"]\n[[people]]\nid = \"li\"\nname = \"Li\"\n\
             contacts = [{{ id = \"hook\", webhook = \"https://bot.invalid/x\" }}]\n\
             [[integrations]]\nid = \"signed\"\nsignature = {{ {settings}, secret = \"{secret}\" }}\n"
        ))?;
        let url = server.url(&format!("/ingest/{}", server.sender("signed")?));
        let program = if program == "python" { python.as_path() } else { std::path::Path::new(program) };
        for (secret, is_right) in [(secret, true), ("whsec_YW5vdGhlciBvbmUgb2YgdGhlIHNhbWUgc2l6ZQ==", false)] {
            let text = snippet(&Address::new(&url));
            let output = Command::new(program).args(["-c", &text]).env("SECRET", secret).output()?;
            let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            ensure!(out.contains("\"accepted\":1") == is_right, "{name}, {is_right}: {out}{err}");
        }
    }
    Ok(())
}

#[test]
fn a_token_may_stand_where_the_sender_can_put_it_and_a_body_may_be_packed() -> Result<()> {
    let scene = scene()?;
    let (url, token) = (scene.server.url("/ingest"), scene.path.trim_start_matches("/ingest/"));
    let (bearer, key) = (format!("Authorization: Bearer {token}"), format!("X-API-Key: {token}"));
    let (user, query) = (format!("anybody:{token}"), format!("{url}?token={token}"));
    for (host, arguments) in [
        ("bearer", &["-H", &bearer, &url][..]),
        ("key", &["-H", &key, &url]),
        ("basic", &["-u", &user, &url]),
        ("query", &[&query]),
    ] {
        let line = format!("[P1][PROBLEM][{host}][10.0.0.1][disk is full]");
        let curl = Command::new("curl").args(["-sS", "--fail-with-body", "--data", &line]).args(arguments).output()?;
        ensure!(curl.status.success(), "{host}: {}", String::from_utf8_lossy(&curl.stdout));
        ensure!(scene.hosts()?.contains(&host.to_owned()), "{host} is not among {:?}", scene.hosts()?);
    }
    let version = senders::version(Command::new("curl").arg("--version"))?;
    senders::worked("curl", &version, "a token in four places", "paged")?;
    let nobody = Command::new("curl").args(["-sS", "-w", "%{http_code}", "--data", "x", &url]).output()?;
    ensure!(String::from_utf8_lossy(&nobody.stdout).ends_with("401"), "{nobody:?}");
    let packed = "printf '[P1][PROBLEM][packed][10.0.0.1][disk is full]' | gzip | \
        curl -sS --fail-with-body -H 'Content-Encoding: gzip' --data-binary @- \"$0\"";
    let curl = Command::new("sh").args(["-c", packed, &scene.server.url(&scene.path)]).output()?;
    ensure!(curl.status.success(), "{}", String::from_utf8_lossy(&curl.stdout));
    ensure!(scene.hosts()?.contains(&"packed".to_owned()), "{:?}", scene.hosts()?);
    Ok(())
}

#[test]
fn curl_and_python_are_heard() -> Result<()> {
    let scene = scene()?;
    let url = scene.server.url(&scene.path);
    for (host, arguments) in [
        ("plain", &["--data"][..]),
        ("binary", &["-H", "Content-Type: text/plain; charset=utf-8", "--data-binary"]),
        ("form", &["--data-urlencode"]),
        ("old", &["--http1.0", "--data-raw"]),
    ] {
        let text = format!("[P1][PROBLEM][{host}][10.0.0.1][磁盘已满]");
        let text = if host == "form" { format!("content={text}") } else { text };
        let curl =
            Command::new("curl").args(["-sS", "--fail-with-body"]).args(arguments).args([&text, &url]).output()?;
        ensure!(curl.status.success(), "{host}: {}", String::from_utf8_lossy(&curl.stdout));
        ensure!(scene.hosts()?.contains(&host.to_owned()), "{host} is not among {:?}", scene.hosts()?);
    }
    // A form in GBK by the standard library, as the SMS gateways of old monitoring systems send it.
    let script = "import sys, urllib.parse, urllib.request\n\
        text = '[P2][PROBLEM][gbk][10.0.0.1][数据库连接数过高]'\n\
        body = urllib.parse.urlencode({'tos': '13800000000', 'content': text}, encoding='gbk').encode()\n\
        print(urllib.request.urlopen(sys.argv[1], body, timeout=10).read().decode())";
    let output = Command::new(environment::python()?).args(["-c", script, &url]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let receipt: Receipt = serde_json::from_slice(&output.stdout).context("Python got no receipt")?;
    let event: EventDetail = scene.viewer.read(&format!("/api/v1/events/{}", receipt.event))?;
    ensure!(
        event.text.contains("数据库连接数过高") && event.charset == "gb18030",
        "{} in {}",
        event.text,
        event.charset
    );
    ensure!(scene.hosts()?.contains(&"gbk".to_owned()));
    Ok(())
}

#[test]
fn a_body_is_read_whatever_its_headers_say() -> Result<()> {
    let scene = scene()?;
    let body = |host: &str| format!("[P2][PROBLEM][{host}][10.0.0.1][it is down]");
    let chunked = |text: &str| {
        let (first, second) = text.split_at(7);
        format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n", first.len(), second.len())
    };
    // Chunked, and without a type: what JavaScript's CloudEvents sends.
    scene.raw(&scene.path, "Transfer-Encoding: chunked\r\n", chunked(&body("chunked")).as_bytes())?.is(200)?;
    // JSON that says it is a form: what syslog-ng sends.
    let json = r#"{"severity":"P2","host":"liar","summary":"it is down"}"#;
    let headers = format!("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", json.len());
    scene.raw(&scene.path, &headers, json.as_bytes())?.is(200)?;
    // A slash too many, and the format in the path.
    for (host, suffix) in [("slash", "/"), ("named", "/bracket"), ("both", "/bracket/")] {
        let text = body(host);
        let headers = format!("Content-Length: {}\r\n", text.len());
        scene.raw(&format!("{}{suffix}", scene.path), &headers, text.as_bytes())?.is(200)?;
    }
    let hosts = scene.hosts()?;
    for host in ["chunked", "liar", "slash", "named", "both"] {
        ensure!(hosts.contains(&host.to_owned()), "{host} is not among {hosts:?}");
    }
    Ok(())
}

#[test]
fn no_sender_is_ever_sent_elsewhere() -> Result<()> {
    let scene = scene()?;
    let someone = scene.server.anybody();
    for path in ["", "/", "//", "/x", "/bracket/x", "/../../"] {
        for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"] {
            let answer = someone.send(method, &format!("{}{path}", scene.path), &[], b"")?;
            ensure!(!(300..400).contains(&answer.status), "{method} {path} leads to {:?}", answer.header("location"));
            let success = (200..300).contains(&answer.status);
            ensure!(!success, "{method} {path} without a body was answered {}: {}", answer.status, answer.text());
        }
    }
    Ok(())
}

#[test]
fn what_is_not_taken_is_refused_for_a_reason() -> Result<()> {
    const LIMIT: usize = 1 << 20;
    let scene = scene()?;
    let someone = scene.server.anybody();
    let code = |answer: &e2e::http::Answer| answer.json::<serde_json::Value>().map(|it| it["code"].clone());

    let answer = someone.post("/ingest/tin_nothing", &[], b"[P0][PROBLEM][a][b][c]")?.is(401)?;
    ensure!(code(&answer)? == "unknown_token", "{}", answer.text());
    let answer = someone.post(&format!("{}/morse", scene.path), &[], b"... --- ...")?.is(404)?;
    ensure!(code(&answer)? == "unknown_format", "{}", answer.text());
    let answer = someone.post(&scene.path, &[("Content-Encoding", "zstd")], b"\x28\xb5")?.is(415)?;
    ensure!(code(&answer)? == "encoded_body", "{}", answer.text());

    let answer = someone.post(&scene.path, &[("Content-Encoding", "gzip")], b"\x1f\x8b")?.is(400)?;
    ensure!(code(&answer)? == "broken_body", "{}", answer.text());

    someone.post(&scene.path, &[], &vec![b'x'; LIMIT])?.is(200)?;
    let answer = someone.post(&scene.path, &[], &vec![b'x'; LIMIT + 1])?.is(413)?;
    ensure!(code(&answer)? == "body_too_large", "{}", answer.text());

    // Not understood: told so, and kept for whoever looks for it.
    let answer = someone.post(&scene.path, &[("Content-Type", "application/json")], b"{\"half\": ")?.is(400)?;
    ensure!(code(&answer)? == "not_understood", "{}", answer.text());
    let kept: List<EventRow> = scene.viewer.read("/api/v1/events?outcome=rejected")?;
    let row = kept.items.first().context("the quarantine is empty")?;
    ensure!(row.text.contains("half") && matches!(row.outcomes.first(), Some(Outcome::Rejected { .. })), "{row:?}");
    // Revoked while the server runs.
    let list = scene.server.ask(&["token", "list"], "")?;
    let number = list.lines().find(|line| line.contains("integration")).and_then(|line| line.split('\t').next());
    scene.server.ask(&["token", "revoke", number.context("no token is listed")?], "")?;
    e2e::wait::attempt("the revoked token to be refused", e2e::wait::PATIENCE, || {
        Ok((someone.post(&scene.path, &[], b"[P0][PROBLEM][a][b][c]")?.status == 401).then_some(()))
    })
}

#[test]
fn the_same_key_is_the_same_message() -> Result<()> {
    let scene = scene()?;
    let someone = scene.server.anybody();
    for header in ["Idempotency-Key", "webhook-id", "X-GitHub-Delivery"] {
        let body = format!("[P2][PROBLEM][{header}][10.0.0.1][it is down]");
        let send = || someone.post(&scene.path, &[(header, "one")], body.as_bytes())?.is(200)?.json::<Receipt>();
        let first = send()?;
        // The three headers name the same thing: the second and third kind are told what the first was.
        ensure!(send()? == first, "{header}: sent again it became something else than {first:?}");
        ensure!(first.event.0 == 1, "{header}: {first:?}");
    }
    let board: IncidentList = scene.viewer.read("/api/v1/incidents")?;
    ensure!(board.items.len() == 1 && board.items.iter().all(|row| row.count == 1), "{:?}", board.items);
    Ok(())
}
