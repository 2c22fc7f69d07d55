//! Our notification command (docs/integrations/tocsin_notify.sh), run by a real Nagios of Debian.

use anyhow::{Context as _, Result, ensure};
use e2e::{
    hook::{HookSink, Reply},
    lab::{Lab, Network},
    senders,
    tocsin::Tocsin,
    wait::{self, PATIENCE},
};
use shared::{
    IncidentState, Severity,
    api::{IncidentDetail, IncidentList, Role},
};
use std::{fs, path::Path, process::Command};

/// A host and a service whose checks say what stands in files, looked at each second.
const OBJECTS: &str = r"
define timeperiod {
  timeperiod_name 24x7
  alias always
  monday 00:00-24:00
  tuesday 00:00-24:00
  wednesday 00:00-24:00
  thursday 00:00-24:00
  friday 00:00-24:00
  saturday 00:00-24:00
  sunday 00:00-24:00
}
define command {
  command_name check
  command_line /bin/sh {lab}/check $ARG1$
}
define command {
  command_name tocsin
  command_line {lab}/tocsin_notify.sh {lab}/tocsin.url
}
define contact {
  contact_name tocsin
  host_notification_commands tocsin
  service_notification_commands tocsin
  host_notification_options d,u,r,f,s
  service_notification_options w,u,c,r,f,s
  host_notification_period 24x7
  service_notification_period 24x7
}
define host {
  host_name db-07
  address 10.8.3.21
  check_command check!host
  max_check_attempts 1
  check_interval 1
  retry_interval 1
  check_period 24x7
  notification_period 24x7
  notification_interval 0
  contacts tocsin
}
define service {
  host_name db-07
  service_description MySQL lag
  check_command check!service
  max_check_attempts 1
  check_interval 1
  retry_interval 1
  check_period 24x7
  notification_period 24x7
  notification_interval 0
  contacts tocsin
}
";

const CONFIG: &str = r"
log_file={lab}/nagios.log
cfg_file={lab}/objects.cfg
object_cache_file={lab}/objects.cache
precached_object_file={lab}/objects.precache
status_file={lab}/status.dat
state_retention_file={lab}/retention.dat
lock_file={lab}/lock
temp_file={lab}/temp
temp_path={lab}
check_result_path={lab}/results
command_file={lab}/commands
query_socket={lab}/query
nagios_user=root
nagios_group=root
interval_length=1
enable_notifications=1
execute_service_checks=1
check_external_commands=1
enable_flap_detection=0
enable_environment_macros=1
use_syslog=0
";

struct Nagios {
    lab: Lab,
}

impl Nagios {
    fn start(address: &str) -> Result<Self> {
        let mut nagios = Self { lab: Lab::new(Network::Ours)? };
        let folder = nagios.lab.file("");
        let lab = folder.to_str().context("no path")?.trim_end_matches('/').to_owned();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integrations/tocsin_notify.sh");
        // Copied with the mode it is published with.
        fs::copy(script, folder.join("tocsin_notify.sh"))?;
        fs::write(folder.join("tocsin.url"), format!("{address}\n"))?;
        fs::write(folder.join("check"), format!("cat {lab}/$1.text; exit $(cat {lab}/$1.code)\n"))?;
        fs::create_dir(folder.join("results"))?;
        fs::write(folder.join("objects.cfg"), OBJECTS.replace("{lab}", &lab))?;
        fs::write(folder.join("nagios.cfg"), CONFIG.replace("{lab}", &lab))?;
        nagios.set("host", 0, "up")?;
        nagios.set("service", 0, "fine")?;
        nagios.lab.run(&format!("nagios4 {lab}/nagios.cfg > nagios.out 2>&1 &"))?;
        Ok(nagios)
    }

    /// What a check says from now on.
    fn set(&self, what: &str, code: u8, text: &str) -> Result<()> {
        fs::write(self.lab.file(&format!("{what}.text")), text)?;
        // Moved into place, so that no check reads half of it.
        let part = self.lab.file("part");
        fs::write(&part, code.to_string())?;
        fs::rename(part, self.lab.file(&format!("{what}.code")))?;
        Ok(())
    }

    /// Somebody does something at Nagios.
    fn command(&mut self, line: &str) -> Result<()> {
        let now = self.lab.run("date +%s")?;
        self.lab.run(&format!("printf '[%s] %s\\n' {} '{line}' > commands", now.trim()))?;
        Ok(())
    }
}

#[test]
fn a_problem_is_paged_answered_there_and_recovers_also_when_we_were_away() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let token = server.sender("nagios")?;
    let viewer = server.somebody(Role::Viewer)?;
    let mut nagios = Nagios::start(&server.url(&format!("/ingest/{token}")))?;
    let of = |what: &str, state: IncidentState| {
        let named = format!("{what} to be {state:?}");
        wait::attempt(&named, PATIENCE, || {
            let board: IncidentList = viewer.read("/api/v1/incidents?state=open,resolved")?;
            let mut rows = board.items.into_iter();
            Ok(rows.find(|row| row.host.as_deref() == Some("db-07") && row.title.contains(what) && row.state == state))
        })
    };

    nagios.set("service", 2, "lag is \"412\" s > 120; <b>磁盘 $HOME `id`|lag=412s")?;
    let row = of("MySQL lag", IncidentState::Triggered)?;
    ensure!(row.severity == Severity::P1 && row.ip.as_deref() == Some("10.8.3.21"), "{row:?}");
    ensure!(&*row.title == "MySQL lag is CRITICAL: lag is \"412\" s > 120: <b>磁盘 $HOME `id`", "{row:?}");

    nagios.command("ACKNOWLEDGE_SVC_PROBLEM;db-07;MySQL lag;1;1;0;li;it is mine")?;
    let row = of("MySQL lag", IncidentState::Acked)?;
    let found: IncidentDetail = viewer.read(&format!("/api/v1/incidents/{}", row.id))?;
    ensure!(found.incident.count == 1, "an answer is no repetition: {:?}", found.incident);

    // Away while it recovers: Nagios tells nobody twice, our command does.
    server.stop()?;
    nagios.set("service", 0, "fine again")?;
    let log = nagios.lab.file("nagios.log");
    let is_told =
        || fs::read_to_string(&log).is_ok_and(|it| it.contains("SERVICE NOTIFICATION: tocsin;db-07;MySQL lag;OK"));
    wait::until("Nagios to tell of the recovery", PATIENCE, || is_told().then_some(()))?;
    server.start_again()?;
    of("MySQL lag", IncidentState::Resolved)?;

    nagios.set("host", 2, "[P0] no ping")?;
    let row = of("db-07 is DOWN", IncidentState::Triggered)?;
    ensure!(row.severity == Severity::P0, "{row:?}");
    let version = senders::version_in(&nagios.lab.run("nagios4 --version")?).context("nagios4 names no version")?;
    senders::worked(
        "nagios4",
        &version,
        "problem, acknowledgement, recovery, host",
        "paged, answered, resolved after a restart",
    )
}

#[test]
fn the_command_says_what_is_wrong_and_no_token() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let folder = tempfile::tempdir()?;
    let address = folder.path().join("tocsin.url");
    fs::write(&address, server.url("/ingest/tin_nobody"))?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/integrations/tocsin_notify.sh");
    let run = |variables: &[(&str, &str)]| -> Result<(bool, String)> {
        let output = Command::new(&script).arg(&address).envs(variables.iter().copied()).output()?;
        Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
    };
    let (good, said) = run(&[])?;
    ensure!(!good && said.contains("enable_environment_macros=1"), "{said}");
    let macros = [("NAGIOS_NOTIFICATIONTYPE", "PROBLEM"), ("NAGIOS_HOSTNAME", "db-07"), ("NAGIOS_HOSTSTATE", "DOWN")];
    let (good, said) = run(&macros)?;
    ensure!(!good && said.contains("401") && !said.contains("tin_nobody"), "{said}");
    // A front that leads to another address: curl alone would call that a success.
    let front = HookSink::start()?;
    front.script(|_| Reply::Says(301, ""));
    fs::write(&address, front.url("/ingest/tin_nobody"))?;
    let (good, said) = run(&macros)?;
    ensure!(!good && said.contains("301"), "{said}");
    Ok(())
}
