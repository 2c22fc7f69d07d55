//! What to paste where, so that something beats.

use crate::{
    components::{copy::copy_button, field::segments},
    state::App,
    text::{frame, heartbeats as t},
};
use leptos::prelude::*;
use shared::config::Language;

struct Snippet {
    word: &'static str,
    name: fn(Language) -> String,
    hint: fn(Language) -> String,
    /// `URL` stands for the address.
    text: &'static str,
}

const SNIPPETS: [Snippet; 5] = [
    Snippet {
        word: "cron",
        name: t::cron,
        hint: t::cron_hint,
        text: "0 2 * * *  /usr/local/bin/backup && curl -fsS --retry 5 -o /dev/null 'URL'",
    },
    Snippet {
        word: "shell",
        name: t::shell,
        hint: t::shell_hint,
        text: "curl -fsS --retry 5 -o /dev/null 'URL/start'\n/usr/local/bin/backup > /tmp/backup.log 2>&1\n\
               curl -fsS --retry 5 -o /dev/null --data-binary \"$(tail -c 400 /tmp/backup.log)\" \"URL/$?\"",
    },
    Snippet {
        word: "systemd",
        name: t::systemd,
        hint: t::systemd_hint,
        text: "[Service]\nType=oneshot\nExecStart=/usr/local/bin/backup\n\
               ExecStartPost=/usr/bin/curl -fsS --retry 5 -o /dev/null URL\n\n[Unit]\nOnFailure=backup-failed.service",
    },
    Snippet {
        word: "powershell",
        name: t::powershell,
        hint: t::powershell_hint,
        text: "try {\n  & C:\\Scripts\\backup.ps1\n  Invoke-RestMethod -Uri 'URL' -TimeoutSec 10\n} catch {\n  \
               Invoke-RestMethod -Method Post -Uri 'URL/fail' -Body \"$_\" -TimeoutSec 10\n}",
    },
    Snippet {
        word: "watchdog",
        name: t::watchdog,
        hint: t::watchdog_hint,
        text: "route:\n  routes:\n    - matchers: [alertname=\"Watchdog\"]\n      receiver: tocsin-heartbeat\n      \
               group_wait: 0s\n      group_interval: 30s\n      repeat_interval: 1m\nreceivers:\n  \
               - name: tocsin-heartbeat\n    webhook_configs:\n      - url: 'URL'\n        send_resolved: false",
    },
];

pub(super) fn tabs(app: App, url: &str) -> AnyView {
    let l = app.l();
    let chosen = RwSignal::new(SNIPPETS[0].word);
    let url = url.to_owned();
    let snippet = move || SNIPPETS.iter().find(|snippet| snippet.word == chosen.get()).unwrap_or(&SNIPPETS[0]);
    let text = Memo::new(move |_| snippet().text.replace("URL", &url));
    let choice = segments(
        t::how(l),
        SNIPPETS.iter().map(|snippet| (snippet.word, (snippet.name)(l))).collect(),
        move || chosen.get(),
        move |word| chosen.set(word),
    );
    view! {
        <h3>{t::how(l)}</h3>
        <div class="snippet-tabs">{choice}</div>
        <p class="hint">{move || (snippet().hint)(l)}</p>
        <pre class="marked snippet" tabindex="0">{move || text.get()}</pre>
        <div>{copy_button(frame::copy(l), move || text.get_untracked())}</div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::SNIPPETS;

    #[test]
    fn every_snippet_names_the_address() {
        assert!(SNIPPETS.iter().all(|snippet| snippet.text.contains("URL")));
    }
}
