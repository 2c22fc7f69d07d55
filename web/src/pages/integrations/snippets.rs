//! What to paste where, sender by sender, with the real address in it.

use crate::{
    components::{copy::copy_button, field::segments},
    state::App,
    text::{frame, senders as t},
};
use leptos::prelude::*;
use shared::config::Language;

struct Snippet {
    word: &'static str,
    name: fn(Language) -> String,
    /// Where it goes.
    place: fn(Language) -> String,
    text: fn(&str) -> String,
}

const SNIPPETS: [Snippet; 7] = [
    Snippet { word: "bracket", name: t::curl_bracket, place: t::place_bracket, text: curl_bracket },
    Snippet { word: "json", name: t::curl_json, place: t::place_json, text: curl_json },
    Snippet { word: "falcon", name: t::falcon, place: t::place_falcon, text: falcon },
    Snippet { word: "prometheus", name: t::alertmanager, place: t::place_alertmanager, text: alertmanager },
    Snippet { word: "grafana", name: t::grafana, place: t::place_grafana, text: grafana },
    Snippet { word: "zabbix", name: t::zabbix, place: t::place_zabbix, text: zabbix },
    Snippet { word: "python", name: t::python, place: t::place_python, text: python },
];

fn filled(template: &str, url: &str) -> String {
    template.replace("URL", url)
}

fn curl_bracket(url: &str) -> String {
    let line = "curl -sS 'URL' \\\n  --data-binary '[P0][STATUS][db-07][10.8.3.21][host is down]'";
    filled(&format!("{}\n\n{}", line.replace("STATUS", "PROBLEM"), line.replace("STATUS", "OK")), url)
}

fn curl_json(url: &str) -> String {
    let command = r#"curl -sS 'URL' -H 'content-type: application/json' --data-binary '{
  "severity": "P1", "status": "PROBLEM",
  "host": "db-07", "ip": "10.8.3.21",
  "summary": "replication lag 412 s",
  "labels": { "service": "mysql" }
}'"#;
    filled(command, url)
}

fn falcon(url: &str) -> String {
    let config = r#""api": {
  "sms": "URL",
  "im": "URL",
  "mail": "URL"
}"#;
    filled(config, url)
}

fn alertmanager(url: &str) -> String {
    let config = "receivers:\n  - name: tocsin\n    webhook_configs:\n      - url: 'URL'\n        send_resolved: true\n\n\
                  route:\n  receiver: tocsin\n  group_wait: 0s";
    filled(config, url)
}

fn grafana(url: &str) -> String {
    let config = "apiVersion: 1\ncontactPoints:\n  - orgId: 1\n    name: Tocsin\n    receivers:\n      - uid: tocsin\n        \
                  type: webhook\n        settings:\n          url: URL\n          httpMethod: POST";
    filled(config, url)
}

fn zabbix(url: &str) -> String {
    let script = r#"var p = JSON.parse(value), request = new HttpRequest();
request.addHeader('Content-Type: application/json');
var answer = request.post('URL', JSON.stringify({
  status: p.value === '1' ? 'PROBLEM' : 'OK',
  severity: p.severity, host: p.host, ip: p.ip,
  summary: p.name, dedup_key: p.id
}));
if (request.getStatus() >= 300) throw request.getStatus() + ' ' + answer;
return 'OK';"#;
    filled(script, url)
}

fn python(url: &str) -> String {
    let script = r#"import json, urllib.request

body = json.dumps({
    "severity": "P1", "status": "PROBLEM",
    "host": "db-07", "summary": "replication lag 412 s",
}).encode()
request = urllib.request.Request(
    "URL", body, {"content-type": "application/json"})
print(urllib.request.urlopen(request, timeout=10).read().decode())"#;
    filled(script, url)
}

pub(super) fn tabs(app: App, url: &str) -> impl IntoView + use<> {
    let l = app.l();
    let chosen = RwSignal::new(SNIPPETS[0].word);
    let url = url.to_owned();
    let snippet = move || SNIPPETS.iter().find(|snippet| snippet.word == chosen.get()).unwrap_or(&SNIPPETS[0]);
    let text = Memo::new(move |_| (snippet().text)(&url));
    let choice = segments(
        t::how(l),
        SNIPPETS.iter().map(|snippet| (snippet.word, (snippet.name)(l))).collect(),
        move || chosen.get(),
        move |word| chosen.set(word),
    );
    view! {
        <h3>{t::how(l)}</h3>
        <div class="snippet-tabs">{choice}</div>
        <p class="hint">{move || (snippet().place)(l)}</p>
        <pre class="marked snippet" tabindex="0">{move || text.get()}</pre>
        <div>{copy_button(frame::copy(l), move || text.get_untracked())}</div>
    }
}

#[cfg(test)]
mod tests {
    use super::SNIPPETS;

    #[test]
    fn every_snippet_names_the_address_and_leaves_no_gap() {
        for snippet in SNIPPETS {
            let text = (snippet.text)("https://t.example/ingest/tk_1");
            assert!(text.contains("https://t.example/ingest/tk_1"), "{text}");
            assert!(!text.contains("URL") && !text.contains("STATUS"), "{text}");
        }
    }
}
