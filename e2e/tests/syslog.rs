//! Syslog as real senders speak it: logger, Python's handler, rsyslog and syslog-ng, each to the port of an integration.
//!
//! The daemons run in a lab with files of their own; none of them sees this machine's log.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    environment,
    hook::{HookSink, Page},
    http::Client,
    lab::{Lab, Network},
    store_lock::StoreLock,
    tocsin::Tocsin,
    wait,
};
use shared::{
    Severity,
    api::{EventDetail, EventRow, IncidentList, IncidentRow, List, Role},
    snippets::{self, Address},
};
use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::Command,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn free() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

pub(super) fn listens(address: SocketAddr) -> Result<()> {
    // A connection to a free port can come out at that port itself, and is then one with nobody.
    let is_other = |stream: &TcpStream| stream.local_addr().is_ok_and(|own| own != address);
    let connect = || TcpStream::connect(address).ok().filter(is_other);
    wait::until(&format!("something to listen at {address}"), PATIENCE, connect).map(drop)
}

/// A server that hears syslog.
struct Scene {
    /// Somebody is paged.
    hook: HookSink,
    server: Tocsin,
    address: SocketAddr,
    viewer: Client,
}

impl Scene {
    fn new() -> Result<Self> {
        let address = free()?;
        let hook = HookSink::start()?;
        let mut server = Tocsin::fresh()?;
        server.apply(&format!(
            "{}[[integrations]]\nid = \"machines\"\n[integrations.syslog]\nudp = \"{address}\"\ntcp = \"{address}\"\n\
             from = [\"127.0.0.1\"]\nevents = [{{ match = [\"severity_word=~emerg|alert|crit\", \"service=oom\"] }}]\n",
            hook.people(&["wang"])
        ))?;
        server.start()?;
        listens(address)?;
        let viewer = server.somebody(Role::Viewer)?;
        Ok(Self { hook, server, address, viewer })
    }

    /// Where snippets of the page lead.
    fn pasted(&self, token: &str) -> Address {
        Address::new(&self.server.url(&format!("/ingest/{token}"))).listening(Some(&self.address.to_string()))
    }

    fn rows(&self) -> Result<Vec<IncidentRow>> {
        Ok(self.viewer.read::<IncidentList>("/api/v1/incidents?state=all&limit=200")?.items)
    }

    /// The incident of a machine, once it is there.
    fn row(&self, host: &str) -> Result<IncidentRow> {
        wait::attempt(&format!("an incident of {host}"), PATIENCE, || {
            Ok(self.rows()?.into_iter().find(|row| row.host.as_deref() == Some(host)))
        })
        .with_context(|| self.server.log())
    }

    /// What came by syslog and is stored, the newest first.
    fn messages(&self) -> Result<Vec<EventRow>> {
        Ok(self.viewer.read::<List<EventRow>>("/api/v1/events?integration=machines&limit=200")?.items)
    }

    fn counted(&self, transport: &str, result: &str) -> Result<u64> {
        let text = self.viewer.get("/metrics")?.is(200)?.text();
        let is_it = |line: &&str| {
            line.starts_with("tocsin_syslog_messages_total{")
                && [transport, result].iter().all(|it| line.contains(&format!("\"{it}\"")))
        };
        let value = text.lines().find(is_it).and_then(|line| line.rsplit(' ').next());
        Ok(value.map_or(Ok(0), str::parse)?)
    }
}

fn logger(lab: &mut Lab, to: SocketAddr, options: &str, text: &str) -> Result<()> {
    let command = format!("logger --server {} --port {} {options} -- '{text}'", to.ip(), to.port());
    lab.run(&command).map(drop)
}

/// What the page says to paste, with the address that the integration listens on.
#[test]
fn the_line_of_logger_that_the_page_shows_is_heard() -> Result<()> {
    let scene = Scene::new()?;
    let mut lab = Lab::new(Network::Ours)?;
    lab.run(&snippets::logger(&scene.pasted("TOKEN")).replace("\\\n", " "))?;
    ensure!(scene.row("db-07")?.severity == Severity::P0);
    Ok(())
}

#[test]
fn logger_is_heard_over_either_transport_in_either_header() -> Result<()> {
    let scene = Scene::new()?;
    let mut lab = Lab::new(Network::Ours)?;
    for (transport, options) in [("udp", "--udp"), ("lines", "--tcp"), ("counted", "--tcp --octet-count")] {
        for header in ["rfc3164", "rfc5424"] {
            let host = format!("{transport}-{header}");
            let text = format!("[P1][PROBLEM][{host}][10.8.3.21][it is down 95% <\"磁盘\">]");
            logger(&mut lab, scene.address, &format!("{options} --{header} --tag alert -p local0.crit"), &text)?;
            let row = scene.row(&host)?;
            ensure!(row.severity == Severity::P1 && row.ip.as_deref() == Some("10.8.3.21"), "{row:?}");
            ensure!(&*row.title == "it is down 95% <\"磁盘\">", "{row:?}");
        }
    }
    let stored = scene.messages()?;
    let newest: EventDetail = scene.viewer.read(&format!("/api/v1/events/{}", stored[0].id))?;
    ensure!(newest.text.starts_with("<130>1 ") && newest.text.contains(" alert - - [timeQuality"), "{}", newest.text);

    // What is logged pages nobody, whatever it calls itself; a rule says what does, and so does the level of the text.
    logger(&mut lab, scene.address, "--udp -p auth.emerg --tag sshd", "everything is lost")?;
    logger(&mut lab, scene.address, "--tcp -p local0.info --tag oom", "all is well")?;
    let element = "--sd-id alert@32473 --sd-param 'host=\"vm-7\"'";
    let rule = format!("--tcp --octet-count --rfc5424 {element} -p local0.crit --tag oom");
    logger(&mut lab, scene.address, &rule, "Out of memory: killed 812")?;
    logger(&mut lab, scene.address, &rule, "Out of memory: killed 93")?;
    let row = scene.row("vm-7")?;
    ensure!(row.severity == Severity::P1 && row.title.starts_with("Out of memory"), "{row:?}");
    logger(&mut lab, scene.address, "--udp --rfc5424=notime,notq,nohost --tag x", "[P0][PROBLEM][nobody][][x]")?;
    ensure!(scene.row("nobody")?.severity == Severity::P0);
    wait::attempt("what is no event to be counted", PATIENCE, || {
        let (udp, tcp) = (scene.counted("udp", "passed_over")?, scene.counted("tcp", "passed_over")?);
        ensure!(udp <= 1 && tcp <= 1, "{udp} and {tcp} were passed over");
        Ok((udp == 1 && tcp == 1).then_some(()))
    })?;
    ensure!(scene.messages()?.len() == 9, "{:?}", scene.messages()?);
    Ok(())
}

/// Sends by Python's own handler, and then as a sender that writes Chinese as GBK.
const PYTHON: &str = r#"
import logging, logging.handlers, socket, sys
host, port = sys.argv[1], int(sys.argv[2])
for name, kind in (("udp", socket.SOCK_DGRAM), ("tcp", socket.SOCK_STREAM)):
    handler = logging.handlers.SysLogHandler(address=(host, port), socktype=kind)
    log = logging.getLogger(name)
    log.propagate = False
    log.addHandler(handler)
    log.critical("[P1][PROBLEM][python-%s][][主机宕机]", name)
    log.critical("[P2][PROBLEM][python-%s-2][][第二]", name)
    handler.ident = "app[7]: "
    log.critical("[P1][OK][python-%s][][主机已恢复]", name)
    handler.close()
    gbk = f"<11>Nov 21 03:10:00 vm app: [P0][PROBLEM][gbk-{name}][10.8.3.21][主从延迟过大]".encode("gbk")
    plain = socket.socket(socket.AF_INET, kind)
    plain.connect((host, port))
    plain.sendall(gbk if kind == socket.SOCK_DGRAM else gbk + b"\n" + b"%d " % len(gbk) + gbk)
    plain.close()
"#;

#[test]
fn pythons_handler_and_chinese_in_gbk_are_read() -> Result<()> {
    let scene = Scene::new()?;
    let (ip, port) = (scene.address.ip().to_string(), scene.address.port().to_string());
    let output = Command::new(environment::python()?).args(["-c", PYTHON, &ip, &port]).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for transport in ["udp", "tcp"] {
        let row = scene.row(&format!("gbk-{transport}"))?;
        ensure!(row.severity == Severity::P0 && &*row.title == "主从延迟过大", "{row:?}");
        ensure!(scene.row(&format!("python-{transport}-2"))?.severity == Severity::P2);
        let name = format!("python-{transport}");
        wait::attempt("it to recover", PATIENCE, || {
            let row = scene.row(&name)?;
            Ok((row.state == shared::IncidentState::Resolved && &*row.title == "主机宕机").then_some(()))
        })?;
    }
    Ok(())
}

#[test]
fn rsyslog_forwards_by_count_and_by_line() -> Result<()> {
    let scene = Scene::new()?;
    let mut lab = Lab::new(Network::Ours)?;
    let (own, port) = (free()?, scene.address.port());
    let forward = format!("type=\"omfwd\" target=\"127.0.0.1\" port=\"{port}\" protocol=\"tcp\"");
    let config = format!(
        "global(workDirectory=\"{}\")\nmodule(load=\"imtcp\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{}\" SupportOctetCountedFraming=\"on\")\n\
         if $msg contains 'counted' then action({forward} TCP_Framing=\"octet-counted\" template=\"RSYSLOG_SyslogProtocol23Format\")\n\
         if $msg contains 'lines' then action({forward} TCP_Framing=\"traditional\" template=\"RSYSLOG_ForwardFormat\")\n\
         if $msg contains 'old' then action({forward} template=\"RSYSLOG_TraditionalForwardFormat\")\n{}",
        lab.file("").display(),
        own.port(),
        snippets::rsyslog(&scene.pasted("TOKEN"))
    );
    fs::write(lab.file("rsyslog.conf"), config)?;
    lab.run("rsyslogd -n -f $PWD/rsyslog.conf -i $PWD/rsyslog.pid >rsyslog.log 2>&1 &")?;
    listens(own).with_context(|| fs::read_to_string(lab.file("rsyslog.log")).unwrap_or_default())?;
    for kind in ["counted", "lines", "old", "pasted"] {
        for number in 1..=3 {
            let text = format!("[P1][PROBLEM][rsyslog-{kind}-{number}][10.8.3.21][disk is full]");
            // What the page says to paste takes one facility.
            let facility = if kind == "pasted" { "local0.crit" } else { "user.notice" };
            logger(&mut lab, own, &format!("--tcp --tag alert -p {facility}"), &text)?;
        }
    }
    for kind in ["counted", "lines", "old", "pasted"] {
        for number in 1..=3 {
            let row = scene.row(&format!("rsyslog-{kind}-{number}"))?;
            ensure!(row.severity == Severity::P1 && &*row.title == "disk is full", "{row:?}");
        }
    }
    ensure!(scene.messages()?.len() == 12, "{:?}", scene.messages()?);
    Ok(())
}

#[test]
fn syslog_ng_sends_over_tcp_and_posts() -> Result<()> {
    let scene = Scene::new()?;
    let token = scene.server.sender("posted")?;
    let mut lab = Lab::new(Network::Ours)?;
    let (own, port) = (free()?, scene.address.port());
    // The last two are what the page says to paste.
    let pasted = snippets::syslog_ng(&scene.pasted(&token));
    let config = format!(
        "@version: 3.38\noptions {{ keep-hostname(yes); }};\n\
         source s {{ network(ip(\"127.0.0.1\") port({}) transport(\"tcp\")); }};\n\
         destination d_lines {{ network(\"127.0.0.1\" port({port}) transport(\"tcp\") persist-name(\"c\")); }};\n\
         {pasted}\n\
         filter f_lines {{ match(\"lines\" value(\"MESSAGE\")); }};\n\
         filter f_counted {{ match(\"counted\" value(\"MESSAGE\")); }};\n\
         filter f_posted {{ match(\"posted\" value(\"MESSAGE\")); }};\n\
         log {{ source(s); filter(f_lines); destination(d_lines); }};\n\
         log {{ source(s); filter(f_counted); destination(d_tocsin); }};\n\
         log {{ source(s); filter(f_posted); destination(d_tocsin_http); }};\n",
        own.port()
    );
    fs::write(lab.file("ng.conf"), config)?;
    lab.run(
        "syslog-ng -F -f $PWD/ng.conf --persist-file=$PWD/ng.persist --pidfile=$PWD/ng.pid --control=$PWD/ng.ctl \
         --no-caps >ng.log 2>&1 &",
    )?;
    listens(own).with_context(|| fs::read_to_string(lab.file("ng.log")).unwrap_or_default())?;
    for kind in ["lines", "counted", "posted"] {
        for number in 1..=3 {
            let text = format!("[P1][PROBLEM][ng-{kind}-{number}][10.8.3.21][disk is full]");
            let sent = logger(&mut lab, own, "--tcp --rfc3164 --tag alert[12]", &text);
            sent.with_context(|| fs::read_to_string(lab.file("ng.log")).unwrap_or_default())?;
        }
    }
    for kind in ["lines", "counted", "posted"] {
        for number in 1..=3 {
            let row = scene.row(&format!("ng-{kind}-{number}"));
            let row = row.with_context(|| fs::read_to_string(lab.file("ng.log")).unwrap_or_default())?;
            ensure!(row.severity == Severity::P1 && &*row.title == "disk is full", "{row:?}");
        }
    }
    Ok(())
}

#[test]
fn what_is_sent_over_tcp_while_nothing_can_be_stored_is_stored_later() -> Result<()> {
    let scene = Scene::new()?;
    let token = scene.server.sender("other")?;
    let mut lab = Lab::new(Network::Ours)?;
    let lock = StoreLock::take(&scene.server.folder().join("data/tocsin.db"))?;
    for number in 1..=20 {
        let text = format!("[P0][PROBLEM][held-{number}][][x]");
        logger(&mut lab, scene.address, "--tcp --octet-count --rfc5424 --tag alert", &text)?;
    }
    // By then whoever waits for an answer is told that there is none.
    let answer = scene.server.anybody().post(&format!("/ingest/{token}"), &[], b"[P3][PROBLEM][told-so][][x]")?.is(503);
    answer?;
    drop(lock);
    for number in 1..=20 {
        scene.row(&format!("held-{number}"))?;
    }
    wait::attempt("all of them to be counted as stored", PATIENCE, || {
        let (stored, lost) = (scene.counted("tcp", "stored")?, scene.counted("tcp", "lost")?);
        ensure!(lost == 0, "{lost} were given up");
        Ok((stored == 20).then_some(()))
    })?;
    ensure!(scene.messages()?.len() == 20, "what is offered again is no message of its own: {:?}", scene.messages()?);
    Ok(())
}

#[test]
fn a_p0_pages_at_once_although_what_came_before_it_cannot_be_stored_and_is_stored_once() -> Result<()> {
    let scene = Scene::new()?;
    let lock = StoreLock::take(&scene.server.folder().join("data/tocsin.db"))?;
    let udp = UdpSocket::bind("127.0.0.1:0")?;
    let mut tcp = TcpStream::connect(scene.address)?;
    udp.send_to(b"<11>[P3][PROBLEM][udp-p3][][x]", scene.address)?;
    tcp.write_all(b"<11>[P3][PROBLEM][tcp-p3][][x]\n")?;
    // One after the other: each is paged although the one before it waits as well.
    for round in 0..3 {
        udp.send_to(format!("<11>[P0][PROBLEM][udp-{round}][][x]").as_bytes(), scene.address)?;
        tcp.write_all(format!("<11>[P0][PROBLEM][tcp-{round}][][x]\n").as_bytes())?;
        for host in [format!("udp-{round}"), format!("tcp-{round}")] {
            wait::attempt(&format!("the unrecorded page of {host}"), PATIENCE, || {
                let is_it = |page: &Page| page.unrecorded && page.incident.host.as_ref() == Some(&host);
                let calls = scene.hook.calls();
                Ok(calls.iter().any(|call| call.page().is_ok_and(|page| is_it(&page))).then_some(()))
            })?;
        }
    }
    // It was over before anything could be stored: one problem and one recovery, however often both are offered.
    tcp.write_all(
        b"<11>[P0][PROBLEM][pair][][x]\n<11>[P0][OK][pair][][x]\n<11>[P1][PROBLEM][low][][x]\n<11>[P1][OK][low][][x]\n",
    )?;
    drop(lock);
    for host in ["udp-p3", "tcp-p3", "udp-2", "tcp-2", "pair", "low"] {
        scene.row(host)?;
    }
    wait::attempt("all of them to be counted as stored", PATIENCE, || {
        let stored = scene.counted("tcp", "stored")? + scene.counted("udp", "stored")?;
        Ok((stored == 12).then_some(()))
    })?;
    ensure!(scene.messages()?.len() == 12, "{:?}", scene.messages()?);
    let rows = scene.rows()?;
    let over = |host| rows.iter().filter(|it| it.host.as_deref() == Some(host)).map(|it| it.state).collect::<Vec<_>>();
    let resolved = [shared::IncidentState::Resolved];
    ensure!(rows.len() == 10 && over("pair") == resolved && over("low") == resolved, "{rows:?}");
    Ok(())
}

#[test]
fn datagrams_that_do_not_fit_are_counted_and_those_that_wait_are_stored() -> Result<()> {
    let scene = Scene::new()?;
    let lock = StoreLock::take(&scene.server.folder().join("data/tocsin.db"))?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    wait::attempt("the queue to be full", PATIENCE, || {
        for number in 0..500 {
            let text = format!("<11>app: [P1][PROBLEM][db-07][10.8.3.21][it is down for {number} s]");
            socket.send_to(text.as_bytes(), scene.address)?;
        }
        Ok((scene.counted("udp", "lost")? > 0).then_some(()))
    })?;
    drop(lock);
    wait::attempt("what waits to be stored", PATIENCE, || Ok((scene.counted("udp", "stored")? > 3_900).then_some(())))?;
    let row = scene.row("db-07")?;
    ensure!(row.alerts == 1, "{row:?}");
    Ok(())
}
