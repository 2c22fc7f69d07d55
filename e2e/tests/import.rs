//! An imported alertmanager.yml sends every alert where Alertmanager's own tool says it goes.

use anyhow::{Context as _, Result, ensure};
use e2e::{dice::Dice, environment};
use engine::{Snapshot, matcher::Subject, route};
use shared::{AlertEvent, IntegrationId, Severity, Timestamp, alert::Format, config::Document};
use std::{collections::BTreeMap, fmt::Write as _, path::Path, process::Command};

/// Repeated runs ask the same questions.
const SEED: u64 = 20_261_121;
const TREES: usize = 60;
const ALERTS_PER_TREE: usize = 8;

const LABELS: [&str; 5] = ["alertname", "severity", "service", "host", "time"];
const VALUES: [&str; 9] = ["db", "web", "db-1", "web 2", "critical", "P0", "磁盘", "a\"b", "10.0.0.1:9100"];
const REGEXES: [&str; 10] =
    [".*", ".+", "db.*", "db|web", "(db|web)-?\\d*", "|db", "[^d].*", "web\\s\\d", "\\w+", "(?i)DB.*"];

type Labels = BTreeMap<&'static str, &'static str>;

/// A random tree as YAML; `receivers` counts how many it names.
struct Random {
    dice: Dice,
    receivers: usize,
}

impl Random {
    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.dice.between(0, of.len() as u64 - 1) as usize]
    }

    fn file(&mut self) -> String {
        let mut yaml = "route:\n  receiver: r0\n  routes:\n".to_owned();
        for _ in 0..self.dice.between(1, 5) {
            self.route(&mut yaml, 1);
        }
        yaml.push_str("receivers:\n");
        (0..=self.receivers).for_each(|n| _ = writeln!(yaml, "- name: r{n}"));
        yaml
    }

    fn route(&mut self, yaml: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        self.receivers += 1;
        let continues = self.dice.percent(40);
        _ = writeln!(yaml, "{indent}- continue: {continues}");
        if self.dice.percent(80) {
            _ = writeln!(yaml, "{indent}  receiver: r{}", self.dice.between(0, self.receivers as u64));
        }
        self.conditions(yaml, &indent);
        if depth < 4 && self.dice.percent(50) {
            _ = writeln!(yaml, "{indent}  routes:");
            (0..self.dice.between(1, 3)).for_each(|_| self.route(yaml, depth + 1));
        }
    }

    /// In each of the three ways a file may write them.
    fn conditions(&mut self, yaml: &mut String, indent: &str) {
        if self.dice.percent(20) {
            let (label, value) = (self.pick(&LABELS), self.pick(&VALUES).replace('"', "\\\""));
            _ = writeln!(yaml, "{indent}  match: {{ {label}: \"{value}\" }}");
        }
        if self.dice.percent(20) {
            let (label, regex) = (self.pick(&LABELS), self.pick(&REGEXES));
            _ = writeln!(yaml, "{indent}  match_re: {{ {label}: '{regex}' }}");
        }
        let matchers: Vec<String> = (0..self.dice.between(0, 2)).map(|_| self.matcher()).collect();
        match matchers.as_slice() {
            [] => {}
            [one, two] if self.dice.percent(50) => _ = writeln!(yaml, "{indent}  matchers: ['{{{one}, {two}}}']"),
            list => {
                _ = writeln!(yaml, "{indent}  matchers:");
                list.iter().for_each(|it| _ = writeln!(yaml, "{indent}  - '{it}'"));
            }
        }
    }

    fn matcher(&mut self) -> String {
        let (label, operator) = (self.pick(&LABELS), self.pick(&["=", "!=", "=~", "!~", " = ", " =~ "]));
        let value = match operator.contains('~') {
            true => self.pick(&REGEXES).replace('\\', "\\\\"),
            false if self.dice.percent(15) => String::new(),
            false => self.pick(&VALUES).replace('"', "\\\""),
        };
        format!("{label}{operator}\"{value}\"")
    }

    fn labels(&mut self) -> Labels {
        let mut labels = Labels::new();
        for label in LABELS {
            if self.dice.percent(60) {
                labels.insert(label, self.pick(&VALUES));
            }
        }
        labels
    }
}

/// What Alertmanager would do.
fn theirs(amtool: &Path, file: &Path, labels: &Labels) -> Result<Vec<String>> {
    let mut command = Command::new(amtool);
    command.args(["config", "routes", "test"]).arg(format!("--config.file={}", file.display()));
    for (label, value) in labels {
        command.arg(format!("{label}=\"{}\"", value.replace('"', "\\\"")));
    }
    let output = command.output().context("amtool does not start")?;
    let said = String::from_utf8(output.stdout)?;
    ensure!(output.status.success(), "amtool refuses: {said}{}", String::from_utf8_lossy(&output.stderr));
    let mut receivers: Vec<String> = Vec::new();
    // Whoever is named twice is paged once here.
    for receiver in said.trim().split(',') {
        if !receivers.iter().any(|known| known == receiver) {
            receivers.push(receiver.to_owned());
        }
    }
    Ok(receivers)
}

/// The document `tocsin import` prints, compiled.
fn imported(file: &Path) -> Result<(Snapshot, String)> {
    let output = Command::new(environment::binary()?).args(["import", "alertmanager"]).arg(file).output()?;
    let report = String::from_utf8(output.stderr)?;
    ensure!(output.status.success(), "the import failed: {report}");
    let text = String::from_utf8(output.stdout)?;
    let document: Document = toml::from_str(&text).with_context(|| format!("the output is no document:\n{text}"))?;
    let snapshot = Snapshot::compile(1, document);
    let snapshot = snapshot.map_err(|found| anyhow::anyhow!("the output does not compile: {found:?}\n{text}"))?;
    Ok((snapshot, report))
}

fn event(labels: &Labels) -> AlertEvent {
    AlertEvent {
        summary: "x".into(),
        host: Some("another".into()),
        labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        dedup_key: "x".into(),
        ..AlertEvent::blank(Format::Json, Severity::P3)
    }
}

#[test]
fn every_alert_goes_where_amtool_says() -> Result<()> {
    let amtool = environment::program("amtool")
        .context("amtool is missing; `cargo xtask test` installs it, or: apt-get install prometheus-alertmanager")?;
    let folder = tempfile::tempdir()?;
    let mut random = Random { dice: Dice::new(SEED), receivers: 0 };
    let (mut asked, mut elsewhere, mut several) = (0, 0, 0);
    for tree in 0..TREES {
        random.receivers = 0;
        let file = folder.path().join(format!("{tree}.yml"));
        let yaml = random.file();
        std::fs::write(&file, &yaml)?;
        let (snapshot, _) = imported(&file).with_context(|| yaml.clone())?;
        for _ in 0..ALERTS_PER_TREE {
            let labels = random.labels();
            let theirs = theirs(&amtool, &file, &labels).with_context(|| yaml.clone())?;
            let (event, integration) = (event(&labels), IntegrationId::from("am"));
            let subject = Subject {
                event: &event,
                integration: &integration,
                severity: event.severity,
                now: Timestamp::from_ms(0),
            };
            let routing = route::route(&snapshot.tree, &subject);
            let ours: Vec<String> = routing.policies.into_iter().map(|id| id.to_string()).collect();
            ensure!(ours == theirs, "{labels:?} goes to {ours:?} here and to {theirs:?} there:\n{yaml}");
            asked += 1;
            elsewhere += usize::from(theirs != ["r0"]);
            several += usize::from(theirs.len() > 1);
        }
    }
    // Most alerts at the root, or none that fans out, would prove little.
    ensure!(asked == TREES * ALERTS_PER_TREE && elsewhere > asked / 3 && several > asked / 10);
    Ok(())
}
