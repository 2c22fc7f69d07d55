//! Reads the configuration of other programs and writes ours, with every difference in meaning named.

mod alertmanager;
mod matchers;
mod receivers;
mod routes;
mod times;
mod write;

/// What became of another program's configuration.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Our document, with comments for whoever goes on from it.
    pub toml: String,
    /// What does not mean the same any more, in the order of the file; first what holds for all of it.
    pub differences: Vec<Difference>,
}

/// One thing that means something else in our document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where in the other program's file, such as `route.routes[0].repeat_interval`.
    pub place: String,
    pub what: String,
}

/// What an import collects on its way.
#[derive(Debug, Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, place: impl Into<String>, what: impl Into<String>) {
        let difference = Difference { place: place.into(), what: what.into() };
        if !self.0.contains(&difference) {
            self.0.push(difference);
        }
    }
}

/// Reads an alertmanager.yml.
///
/// # Errors
/// When it is not one, in words: where, and what is wrong.
pub fn alertmanager(yaml: &str) -> Result<Imported, String> {
    let file = alertmanager::read(yaml)?;
    let mut differences = Differences::default();
    alertmanager::differences(yaml, &mut differences)?;
    let mut toml = write::Writer::new();
    write::head(&mut toml);
    let times = times::translate(&file, &mut toml, &mut differences)?;
    let policies = receivers::translate(&file, yaml, &mut toml, &mut differences)?;
    routes::translate(&file, &policies, &times, &mut toml, &mut differences)?;
    routes::inhibitions(&file, &mut toml, &mut differences)?;
    Ok(Imported { toml: toml.finish(), differences: differences.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::Snapshot;

    const FILE: &str = r##"
global: { resolve_timeout: 5m, smtp_smarthost: "mail:25", smtp_auth_password: canary }
templates: ["*.tmpl"]
route:
  receiver: default
  group_by: [alertname, cluster]
  repeat_interval: 3h
  routes:
  - matchers: [severity="critical", 'team=~"db|dba"']
    receiver: "team db/pager"
    continue: yes
    active_time_intervals: [office]
    mute_time_intervals: [weekend]
    routes:
    - match: { version: 1.10 }
      group_by: ["..."]
      receiver: fallback
      labels: { owner: dba }
  - match_re: { severity: none|info }
    receiver: "null"
receivers:
- name: default
  email_configs: [{ to: ops@example.org }]
- name: team db/pager
  pagerduty_configs: [{ routing_key: canary }]
  slack_configs: [{ channel: "#db", api_url: "https://canary" }]
- name: fallback
  webhook_configs: [{ url: "https://canary" }]
- name: "null"
inhibit_rules:
- source_matchers: [severity="critical"]
  target_match_re: { severity: warning|info }
  equal: [cluster, severity]
- target_matchers: [test="yes"]
time_intervals:
- name: office
  time_intervals:
  - { weekdays: ["monday:friday"], times: [{ start_time: "09:00", end_time: "24:00" }], location: Asia/Shanghai }
- name: weekend
  time_intervals:
  - weekdays: [saturday, sunday]
"##;

    fn places(imported: &Imported) -> Vec<&str> {
        imported.differences.iter().map(|difference| difference.place.as_str()).collect()
    }

    fn compiled(toml: &str) -> Result<Snapshot, String> {
        let document = toml::from_str(toml).map_err(|error| error.to_string())?;
        Snapshot::compile(1, document).map_err(|found| format!("{found:?}"))
    }

    #[test]
    fn a_whole_file_becomes_a_document_people_can_go_on_from() {
        let imported = alertmanager(FILE).unwrap();
        let (document, inhibitions) = imported.toml.split_once("[[inhibitions]]").unwrap();
        assert_eq!(
            document.split_once("# Tried in order").unwrap().1,
            r#"; the first that matches wins, and what a route does not say is its parent's.
[[routes]]
id = "root"
policy = "default"
group = { by = ["labels.alertname", "labels.cluster"], missing_equal = true }

[[routes.routes]]
id = "critical-db-dba"
match = ['labels.severity="critical"', 'labels.team=~"db|dba"']
policy = "team-db-pager"
continue = true
active = ["office"]
mute = ["weekend"]

[[routes.routes.routes]]
id = "1.10"
match = ['labels.version="1.10"']
policy = "fallback-2"
group = { by = ["dedup_key"], missing_equal = true }
active = []
mute = []

[[routes.routes]]
id = "none-info"
match = ['labels.severity=~"none|info"']
policy = "null"

"#
        );
        assert_eq!(
            inhibitions,
            r#"
id = "inhibition-1"
source = ['labels.severity="critical"']
target = ['labels.severity=~"warning|info"']
equal = ["labels.cluster", "labels.severity"]
# Two alerts that both lack a label agree in it, as in Alertmanager.
missing_equal = true

[[inhibitions]]
id = "inhibition-2"
source = ['severity=~".*"']
target = ['labels.test="yes"']
equal = []
# Two alerts that both lack a label agree in it, as in Alertmanager.
missing_equal = true
"#
        );
        // Nobody is named yet, so the document reads and compiles, and `check` refuses it until somebody is.
        let snapshot = compiled(&imported.toml).unwrap();
        assert_eq!(snapshot.inhibitions.len(), 2);
        let findings = engine::lint::lint(&snapshot, shared::Timestamp::from_ms(1_795_244_400_000));
        assert!(findings.iter().any(|finding| finding.fatal && finding.path == "policies[default]"), "{findings:?}");
        assert!(!format!("{imported:?}").contains("canary"), "no secret goes anywhere");
    }

    #[test]
    fn every_difference_has_its_place() {
        let imported = alertmanager(FILE).unwrap();
        let places = places(&imported);
        for place in [
            "route",
            "global.resolve_timeout",
            "global.smtp_smarthost",
            "templates",
            "route.routes[0].routes[0].labels",
            "receivers[0]",
            "receivers[3]",
            "route.group_wait",
            "route.group_interval",
            "route.repeat_interval",
            "inhibit_rules",
        ] {
            assert!(places.contains(&place), "{place} is not among {places:?}");
        }
        let told = |place: &str| {
            imported.differences.iter().find(|it| it.place == place).map(|it| it.what.as_str()).unwrap_or_default()
        };
        assert!(told("receivers[1]").ends_with("it sent by pagerduty, slack (#db)"), "{}", told("receivers[1]"));
        assert!(told("route.repeat_interval").starts_with("3h is not carried over"));
        assert!(!places.iter().any(|place| place.contains("continue") || place.contains("matchers")));
    }

    #[test]
    fn a_condition_that_cannot_be_written_is_refused_by_the_document() {
        let yaml = "route:\n  receiver: a\n  routes:\n  - matchers: ['x=~\"\\\\pGreek\"']\nreceivers:\n- name: a\n";
        let imported = alertmanager(yaml).unwrap();
        let found = imported.differences.iter().find(|it| it.place == "route.routes[0]").unwrap();
        assert!(found.what.starts_with("to be mended by hand"), "{}", found.what);
        assert!(compiled(&imported.toml).unwrap_err().contains("routes[root].routes[pGreek].match[0]"));
    }

    #[test]
    fn what_alertmanager_would_not_start_with_is_refused_with_its_place() {
        let receivers = "receivers:\n- name: a\n";
        for (yaml, words) in [
            ("receivers: []", "the file has no `route`"),
            ("route: {}", "route.receiver: the first route must name a receiver"),
            ("route: { receiver: b }", "route.receiver: there is no receiver `b`"),
            ("route: { receiver: a, match: { x: y } }", "route: the first route takes everything"),
            ("route: { receiver: a, routes: [{ mute_time_intervals: [x] }] }", "there is no time interval `x`"),
            ("route: { receiver: a, routes: [{ matchers: [x] }] }", "route.routes[0]: `x` is not a matcher"),
            ("route: [", "this is no alertmanager.yml"),
        ] {
            let refused =
                alertmanager(&format!("{yaml}\n{receivers}").replace("receivers: []\nreceivers:", "receivers:"));
            let refused = refused.unwrap_err();
            assert!(refused.contains(words), "{yaml}: {refused}");
        }
    }
}
