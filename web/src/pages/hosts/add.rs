//! How a host comes here: the agent with a token of its own, or what is there already.

use crate::{
    api::{self, ApiError},
    browser::dom,
    components::{copy::copy_button, field::Field, field::segments, modal::modal},
    state::App,
    text::{frame, hosts as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    api::{NewAgent, NewToken, Role},
    config::Language,
};

struct Way {
    word: &'static str,
    name: fn(Language) -> String,
    hint: fn(Language) -> String,
    /// `URL`, `TOKEN` and `NAME` stand for the server, the token and the host.
    text: &'static str,
}

const WAYS: [Way; 5] = [
    Way {
        word: "systemd",
        name: t::way_systemd,
        hint: t::way_systemd_hint,
        text: "install -m 755 tocsin-agent /usr/local/bin/\ninstall -d -m 700 /etc/tocsin\n\
               (umask 077; printf '%s' 'TOKEN' > /etc/tocsin/agent.token)\n\
               cat > /etc/systemd/system/tocsin-agent.service <<'END'\n[Unit]\nDescription=Tocsin agent\n\
               Wants=network-online.target\nAfter=network-online.target\n\n[Service]\n\
               ExecStart=/usr/local/bin/tocsin-agent --server URL --name NAME --token-file /etc/tocsin/agent.token\n\
               Restart=always\nRestartSec=5\n\n[Install]\nWantedBy=multi-user.target\nEND\n\
               systemctl enable --now tocsin-agent",
    },
    Way {
        word: "plain",
        name: t::way_plain,
        hint: t::way_plain_hint,
        text: "(umask 077; printf '%s' 'TOKEN' > agent.token)\n\
               ./tocsin-agent --server URL --name NAME --token-file agent.token",
    },
    Way {
        word: "prometheus",
        name: t::way_prometheus,
        hint: t::way_prometheus_hint,
        text: "remote_write:\n  - url: URL/api/v1/write\n    authorization:\n      credentials: 'TOKEN'\n    \
               write_relabel_configs:\n      - source_labels: [__name__]\n        regex: 'node_.*|up'\n        action: keep",
    },
    Way {
        word: "falcon",
        name: t::way_falcon,
        hint: t::way_falcon_hint,
        text: "curl -sS 'URL/v1/push' -H 'authorization: Bearer TOKEN' --data-binary '[{\n  \"endpoint\": \"NAME\", \
               \"metric\": \"nginx.active\", \"tags\": \"port=80\",\n  \"timestamp\": '\"$(date +%s)\"', \"step\": 60, \
               \"counterType\": \"GAUGE\", \"value\": 42\n}]'",
    },
    Way {
        word: "scrape",
        name: t::way_scrape,
        hint: t::way_scrape_hint,
        text: "[hosts]\nscrapes = [{ address = \"http://NAME:9100/metrics\", every = \"15s\" }]",
    },
];

pub(super) fn dialog(app: App, open: RwSignal<bool>) -> AnyView {
    modal(open, "wide", move || t::add(app.l()), move || ways(app))
}

/// The token's form and what to paste where.
pub(super) fn ways(app: App) -> AnyView {
    let l = app.l();
    let made = RwSignal::new(None::<(String, NewToken)>);
    let form = (app.role() == Role::Admin).then(|| form(app, made));
    view! { <div class="stack host-ways">{form} {move || made.get().map(|(name, token)| shown(app, &name, &token))} {snippets(app, l, made)}</div> }
        .into_any()
}

fn form(app: App, made: RwSignal<Option<(String, NewToken)>>) -> AnyView {
    let l = app.l();
    let (name, error) = (RwSignal::new(String::new()), RwSignal::new(None::<ApiError>));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let name = name.get_untracked().trim().to_owned();
        spawn_local(async move {
            let answer = api::post::<NewToken>("/api/v1/hosts", &NewAgent { name: name.clone() }).await;
            match answer {
                Ok(token) => {
                    error.try_set(None);
                    made.try_set(Some((name, token)));
                }
                Err(failed) => drop(error.try_set(Some(failed))),
            }
        });
    };
    view! {
        <form class="row-fields" on:submit=submit>
            {Field { hint: t::new_name_hint(l), ..Field::text("host-name", t::new_name(l), name) }.view()}
            <button class="btn primary" data-testid="host-token">{t::make_token(l)}</button>
        </form>
        <p class="bad" role="alert">{move || error.get().map(|error| error.sentence(l))}</p>
    }
    .into_any()
}

fn shown(app: App, name: &str, token: &NewToken) -> AnyView {
    let l = app.l();
    let (seen, copied) = (token.token.clone(), token.token.clone());
    view! {
        <div class="notice good" role="status">
            <div>
                <strong>{t::token_for(l, name)}</strong>
                <p>{t::token_once(l)}</p>
                <div class="secret"><code class="mono" data-testid="host-token-made">{seen}</code>{copy_button(frame::copy(l), move || copied.clone())}</div>
            </div>
        </div>
    }
    .into_any()
}

fn snippets(app: App, l: Language, made: RwSignal<Option<(String, NewToken)>>) -> AnyView {
    let chosen = RwSignal::new(WAYS[0].word);
    let way = move || WAYS.iter().find(|way| way.word == chosen.get()).unwrap_or(&WAYS[0]);
    let text = Memo::new(move |_| {
        let url = app.info().map(|info| info.public_url).filter(|url| !url.is_empty()).unwrap_or_else(dom::origin);
        let (name, token) = made.with(|made| {
            made.as_ref().map_or_else(
                || ("db-07".to_owned(), "TOKEN".to_owned()),
                |(name, token)| (name.clone(), token.token.clone()),
            )
        });
        filled(way().text, url.trim_end_matches('/'), &name, &token)
    });
    let choice = segments(
        t::how(l),
        WAYS.iter().map(|way| (way.word, (way.name)(l))).collect(),
        move || chosen.get(),
        move |word| chosen.set(word),
    );
    view! {
        <h2>{t::how(l)}</h2>
        <div class="snippet-tabs">{choice}</div>
        <p class="hint">{move || (way().hint)(l)}</p>
        <pre class="marked snippet" tabindex="0">{move || text.get()}</pre>
        <div>{copy_button(frame::copy(l), move || text.get_untracked())}</div>
    }
    .into_any()
}

fn filled(text: &str, url: &str, name: &str, token: &str) -> String {
    text.replace("URL", url).replace("NAME", name).replace("TOKEN", token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_is_filled_with_the_server_the_name_and_the_token() {
        for way in &WAYS {
            let text = filled(way.text, "https://t.example", "db-07", "tag_1");
            assert!(!text.contains("URL") && !text.contains("NAME") && !text.contains("TOKEN"), "{text}");
            assert!(way.word == "scrape" || text.contains("https://t.example") && text.contains("tag_1"), "{text}");
        }
    }
}
