//! What is pasted at a sender so that it speaks to us, with the real address in it. The page Integrations shows them, and the
//! tests run them.

mod hooks;
mod logs;

pub use hooks::{cloudevents, github, sentry, signed, sns, standard_webhooks};
pub use logs::{fluent_bit, fluentd, logger, mail, rsyslog, syslog_ng};

/// Where an integration is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The whole of it, `https://tocsin.example/ingest/TOKEN`.
    pub url: String,
    base: String,
    token: String,
    /// Where it listens for syslog, as senders reach it.
    syslog: (String, String),
}

/// What stands for a port for syslog as long as the integration has none.
const SYSLOG_PORT: &str = "5514";

impl Address {
    /// Takes an address apart; anything else than the address of an integration has no token.
    #[must_use]
    pub fn new(url: &str) -> Self {
        let (base, token) = url.split_once("/ingest/").unwrap_or((url, ""));
        let name = name_of(base.split_once("://").map_or(base, |(_, host)| host)).0.to_owned();
        let syslog = (name, SYSLOG_PORT.to_owned());
        Self { url: url.to_owned(), base: base.to_owned(), token: token.trim_matches('/').to_owned(), syslog }
    }

    /// With the address that the integration listens on for syslog; of all addresses at once the page's own name is as good.
    #[must_use]
    pub fn listening(mut self, syslog: Option<&str>) -> Self {
        if let Some((host, port)) = syslog.and_then(|at| at.rsplit_once(':')) {
            let host = host.trim_matches(['[', ']']);
            if !matches!(host, "" | "0.0.0.0" | "::") {
                host.clone_into(&mut self.syslog.0);
            }
            port.clone_into(&mut self.syslog.1);
        }
        self
    }

    /// Fills a text in: `{URL}` is the whole address, `{BASE}`, `{SCHEME}`, `{HOST}`, `{NAME}`, `{PORT}` and `{TOKEN}` are parts
    /// of it.
    fn fill(&self, template: &str) -> String {
        let (scheme, host) = self.base.split_once("://").unwrap_or(("https", &self.base));
        let (name, port) = name_of(host);
        let port = port.unwrap_or(if scheme == "http" { "80" } else { "443" });
        // No address has braces, so nothing of it is taken for a gap.
        let parts = [
            ("{NAME}", name),
            ("{PORT}", port),
            ("{TLS}", if scheme == "http" { "off" } else { "on" }),
            ("{SYSLOG_HOST}", &self.syslog.0),
            ("{SYSLOG_PORT}", &self.syslog.1),
            ("{URL}", self.url.as_str()),
            ("{BASE}", &self.base),
            ("{SCHEME}", scheme),
            ("{HOST}", host),
            ("{TOKEN}", &self.token),
        ];
        parts.into_iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// A host without its port, and that; an address of six has brackets around it.
fn name_of(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name.trim_matches(['[', ']']), Some(port)),
        _ => (host.trim_matches(['[', ']']), None),
    }
}

/// A line of the bracketed family, and its recovery.
#[must_use]
pub fn curl_bracket(to: &Address) -> String {
    let line = "curl -sS '{URL}' \\\n  --data-binary '[P0][STATUS][db-07][10.8.3.21][host is down]'";
    to.fill(&format!("{}\n\n{}", line.replace("STATUS", "PROBLEM"), line.replace("STATUS", "OK")))
}

/// An object with common names.
#[must_use]
pub fn curl_json(to: &Address) -> String {
    to.fill(
        r#"curl -sS '{URL}' -H 'content-type: application/json' --data-binary '{
  "severity": "P1", "status": "PROBLEM",
  "host": "db-07", "ip": "10.8.3.21",
  "summary": "replication lag 412 s",
  "labels": { "service": "mysql" }
}'"#,
    )
}

/// For the configuration of Open-Falcon's alarm.
#[must_use]
pub fn falcon(to: &Address) -> String {
    to.fill(
        r#""api": {
  "sms": "{BASE}/falcon/{TOKEN}/sms",
  "im": "{BASE}/falcon/{TOKEN}/im",
  "mail": "{BASE}/falcon/{TOKEN}/mail"
}"#,
    )
}

/// For prometheus.yml: Tocsin in place of, or beside, an Alertmanager.
#[must_use]
pub fn prometheus(to: &Address) -> String {
    to.fill(
        "alerting:\n  alertmanagers:\n    - scheme: {SCHEME}\n      path_prefix: /am/{TOKEN}\n      static_configs:\n        \
         - targets: ['{HOST}']\n",
    )
}

/// For alertmanager.yml.
#[must_use]
pub fn alertmanager(to: &Address) -> String {
    to.fill(
        "receivers:\n  - name: tocsin\n    webhook_configs:\n      - url: '{URL}'\n        send_resolved: true\n\n\
         route:\n  receiver: tocsin\n  group_by: ['...']\n  group_wait: 0s\n  group_interval: 5s\n",
    )
}

/// A contact point of Grafana as a file.
#[must_use]
pub fn grafana(to: &Address) -> String {
    to.fill(
        "apiVersion: 1\ncontactPoints:\n  - orgId: 1\n    name: Tocsin\n    receivers:\n      - uid: tocsin\n        \
         type: webhook\n        settings:\n          url: {URL}\n          httpMethod: POST",
    )
}

/// An event of PagerDuty's, as whoever speaks to PagerDuty sends it.
#[must_use]
pub fn pagerduty(to: &Address) -> String {
    to.fill(
        r#"curl -sS '{BASE}/v2/enqueue' -H 'content-type: application/json' --data-binary '{
  "routing_key": "{TOKEN}",
  "event_action": "trigger",
  "dedup_key": "db-07/lag",
  "payload": {
    "summary": "replication lag 412 s",
    "source": "db-07", "severity": "critical"
  }
}'"#,
    )
}

/// The script of a media type of Zabbix.
#[must_use]
pub fn zabbix(to: &Address) -> String {
    to.fill(
        r"var p = JSON.parse(value), request = new HttpRequest();
request.addHeader('Content-Type: application/json');
var answer = request.post('{URL}', JSON.stringify({
  status: p.value === '1' ? 'PROBLEM' : 'OK',
  severity: p.severity, host: p.host, ip: p.ip,
  summary: p.name, dedup_key: p.id
}));
if (request.getStatus() >= 300) throw request.getStatus() + ' ' + answer;
return 'OK';",
    )
}

/// A program of Python's own libraries.
#[must_use]
pub fn python(to: &Address) -> String {
    to.fill(
        r#"import json, urllib.request

body = json.dumps({
    "severity": "P1", "status": "PROBLEM",
    "host": "db-07", "summary": "replication lag 412 s",
}).encode()
request = urllib.request.Request(
    "{URL}", body, {"content-type": "application/json"})
print(urllib.request.urlopen(request, timeout=10).read().decode())"#,
    )
}

/// For whatever speaks to Opsgenie.
#[must_use]
pub fn opsgenie(to: &Address) -> String {
    to.fill(
        r#"curl -sS '{BASE}/v2/alerts' -H 'authorization: GenieKey {TOKEN}' \
  -H 'content-type: application/json' --data-binary '{
  "message": "replication lag 412 s", "alias": "db-07/lag",
  "entity": "db-07", "priority": "P2"
}'"#,
    )
}

/// The command of Nagios, and the file it reads the address from.
#[must_use]
pub fn nagios(to: &Address) -> String {
    to.fill(
        r"# as root, with tocsin_notify.sh of docs/integrations
install -m 755 tocsin_notify.sh /usr/local/bin/
install -m 400 -o nagios /dev/stdin /etc/nagios4/tocsin.url <<< '{URL}'

# nagios.cfg
enable_environment_macros=1

# beside the other commands; name it in a contact
define command {
  command_name  tocsin
  command_line  /usr/local/bin/tocsin_notify.sh /etc/nagios4/tocsin.url
}",
    )
}

/// The address alone, for senders that are given nothing else.
#[must_use]
pub fn webhook(to: &Address) -> String {
    to.fill("{URL}")
}

/// For health_alarm_notify.conf.
#[must_use]
pub fn netdata(to: &Address) -> String {
    to.fill(
        "SEND_ALERTA=\"YES\"\nALERTA_WEBHOOK_URL=\"{BASE}/alerta\"\nALERTA_API_KEY=\"{TOKEN}\"\n\
         DEFAULT_RECIPIENT_ALERTA=\"Production\"",
    )
}

/// A command of Apprise.
#[must_use]
pub fn apprise(to: &Address) -> String {
    let scheme = if to.base.starts_with("http://") { "json" } else { "jsons" };
    let text = to.fill("{HOST}/ingest/{TOKEN}");
    format!("apprise -n failure -t 'disk on db-07' -b 'it is 95% full' \\\n  '{scheme}://{text}'")
}

/// A command of Alerta's client. With `TERM` set and no terminal it would read alerts from its input, and send none.
#[must_use]
pub fn alerta(to: &Address) -> String {
    to.fill(
        "ALERTA_ENDPOINT={BASE}/alerta ALERTA_API_KEY={TOKEN} TERM= \\\n  \
         alerta send -r db-07 -e ReplicationLag -E Production -s major -t 'replication lag 412 s'",
    )
}

/// A message as an incoming webhook of Slack's takes it.
#[must_use]
pub fn slack(to: &Address) -> String {
    to.fill(
        r#"# Slack: {BASE}/slack/{TOKEN}
# Mattermost: {BASE}/hooks/{TOKEN}
# Gotify: {BASE}/ with the token {TOKEN}
curl -sS '{BASE}/slack/{TOKEN}' -H 'content-type: application/json' --data-binary '{
  "text": "[P1] db-07: replication lag 412 s"
}'"#,
    )
}

/// JSON that only its sender knows: the page of the integration maps it.
#[must_use]
pub fn any_json(to: &Address) -> String {
    to.fill(
        r#"curl -sS '{URL}' -H 'content-type: application/json' --data-binary '{
  "what": { "title": "replication lag" }, "where": "db-07",
  "badness": "crit", "phase": "raised"
}'"#,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_names_the_address_and_leaves_no_gap() {
        let to = Address::new("https://t.example:8443/ingest/tk_1");
        let all = [
            curl_bracket,
            curl_json,
            any_json,
            falcon,
            prometheus,
            alertmanager,
            grafana,
            pagerduty,
            opsgenie,
            zabbix,
            nagios,
            webhook,
            netdata,
            apprise,
            alerta,
            slack,
            python,
            signed,
            standard_webhooks,
            github,
            sentry,
            sns,
            cloudevents,
            fluentd,
        ];
        for snippet in all {
            let text = snippet(&to);
            assert!(text.contains("t.example:8443") && text.contains("tk_1"), "{text}");
        }
        for snippet in all.into_iter().chain([syslog_ng, rsyslog, logger, fluent_bit, mail]) {
            let text = snippet(&to);
            assert!(text.contains("t.example"), "{text}");
            for gap in "URL STATUS BASE SCHEME HOST TOKEN NAME PORT TLS SYSLOG_HOST SYSLOG_PORT".split(' ') {
                assert!(!text.contains(&format!("{{{gap}}}")), "{gap}: {text}");
            }
        }
        assert!(prometheus(&to).contains("path_prefix: /am/tk_1\n"), "{}", prometheus(&to));
    }

    #[test]
    fn names_ports_and_listeners_are_as_they_are_reached() {
        let text = |url: &str, syslog: Option<&str>| logger(&Address::new(url).listening(syslog));
        for (url, syslog, said) in [
            ("https://t.example:8443/ingest/a", None, "--server t.example --port 5514 "),
            ("https://t.example/ingest/a", Some("0.0.0.0:1514"), "--server t.example --port 1514 "),
            ("https://t.example/ingest/a", Some("[::]:1514"), "--server t.example --port 1514 "),
            ("http://[fd00::1]:8080/ingest/a", Some("10.0.0.5:514"), "--server 10.0.0.5 --port 514 "),
            ("http://[fd00::1]:8080/ingest/a", None, "--server fd00::1 --port 5514 "),
        ] {
            assert!(text(url, syslog).contains(said), "{}", text(url, syslog));
        }
        let fluent = |url: &str| fluent_bit(&Address::new(url));
        assert!(fluent("https://t.example/ingest/a").contains("port             443\n"));
        assert!(fluent("http://[fd00::1]/ingest/a").contains("host             fd00::1\n    port             80\n"));
        assert_eq!(mail(&Address::new("https://t.example:8443/ingest/a")).lines().next(), Some("a@t.example"));
    }
}
