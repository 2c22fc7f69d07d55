//! What is set for one sender, in words, and where it is changed.

use crate::{
    components::{
        icon::{Icon, icon},
        time::wall,
    },
    state::App,
    text::requests as t,
};
use leptos::prelude::*;
use shared::{
    api::{IntegrationRow, Role, SenderSettings, SenderSignature},
    config::{Language, SignatureKind},
    text::span,
};

/// What is the clock of a sender that signs a time.
const TOLERANCE_MS: i64 = 300_000;

pub(super) fn card(app: App, row: Memo<Option<IntegrationRow>>) -> AnyView {
    let l = app.l();
    let body = move || row.get().and_then(|row| Some(facts(app, &row, row.settings.as_ref()?)));
    view! {
        <section class="card stack" id="settings" data-testid="sender-settings">
            <div><h2>{t::settings(l)}</h2><p class="hint">{t::settings_lead(l)}</p></div>
            {body}
        </section>
    }
    .into_any()
}

fn facts(app: App, row: &IntegrationRow, set: &SenderSettings) -> AnyView {
    let l = app.l();
    let limit = set.rate_limit.map_or_else(|| t::no_limit(l), |it| t::limit(l, it.messages, &span(l, it.within.0)));
    let silence = match row.silence.as_ref().map(|it| (it.after, it.severity)) {
        None => t::silence_off(l),
        Some((Some(after), severity)) => t::silence(l, &span(l, after.0), severity.as_str()),
        Some((None, _)) => t::silence_learning(l),
    };
    let said = |text: &Option<String>, none: String| text.clone().unwrap_or(none);
    let plain = [
        (t::limit_name(l), limit, "rate_limit"),
        (t::severity_name(l), set.default_severity.to_string(), "default_severity"),
        (t::charset_name(l), said(&set.charset, t::charset_found(l)), "charset"),
        (t::zone_name(l), set.time_zone.clone(), "time_zone"),
        (t::key_name(l), said(&set.dedup_key, t::key_own(l)), "dedup_key"),
        (t::silence_name(l), silence, "silent_after"),
        (t::syslog_name(l), syslog(l, set), "syslog"),
    ];
    let plain = plain.into_iter().map(|(name, value, word)| {
        view! { <div data-setting=word><dt>{name} <small class="mono muted">{word}</small></dt><dd>{value}</dd></div> }
    });
    view! {
        <dl class="settings-list">
            <div data-setting="signature"><dt>{t::signature_name(l)} <small class="mono muted">"signature"</small></dt><dd>{signature(l, set.signature.as_ref())}</dd></div>
            {plain.collect_view()}
        </dl>
        {way(app, row, set)}
    }
    .into_any()
}

fn syslog(l: Language, set: &SenderSettings) -> String {
    let at = |name: &str, at: &Option<String>| at.as_ref().map(|at| format!("{name} {at}"));
    let ports: Vec<String> = [at("UDP", &set.syslog_udp), at("TCP", &set.syslog_tcp)].into_iter().flatten().collect();
    if ports.is_empty() {
        return t::syslog_off(l);
    }
    let from =
        if set.syslog_from.is_empty() { t::from_anywhere(l) } else { t::from_nets(l, &set.syslog_from.join(", ")) };
    format!("{} · {from}", ports.join(", "))
}

fn signature(l: Language, signature: Option<&SenderSignature>) -> AnyView {
    let Some(it) = signature else { return t::unsigned(l).into_any() };
    let kind = match it.kind {
        SignatureKind::StandardWebhooks => "Standard Webhooks",
        SignatureKind::Grafana => "Grafana",
        SignatureKind::GitHub => "GitHub",
        SignatureKind::Sentry => "Sentry",
        SignatureKind::HmacSha256 => "HMAC-SHA256",
    };
    let header = it.header.as_ref().map(|name| view! { " · " <span class="mono">{name.clone()}</span> });
    let is_timed = it.kind == SignatureKind::StandardWebhooks || it.timestamp_header.is_some();
    let age = if is_timed {
        t::signed_within(l, &span(l, it.tolerance.map_or(TOLERANCE_MS, |it| it.0)))
    } else {
        t::signed_untimed(l)
    };
    let both = it.two_secrets.then(|| {
        let since = it.two_since.map(|at| view! { " " {wall(at)} });
        let words = if it.two_since.is_some() { t::two_secrets_since(l) } else { t::two_secrets(l) };
        view! { <small class="ends block">{icon(Icon::Clock)}<span>{words}{since}</span></small> }
    });
    view! { <strong>{kind}</strong>{header}<small class="muted block">{age}</small>{both} }.into_any()
}

/// Where it is changed, for those who may.
fn way(app: App, row: &IntegrationRow, set: &SenderSettings) -> AnyView {
    let l = app.l();
    if app.role() < Role::Admin {
        return view! { <p class="hint">{t::settings_admins(l)}</p> }.into_any();
    }
    let id = row.id.to_string();
    let example = (!set.declared).then(|| {
        let text = format!("[[integrations]]\nid = {id:?}\nname = {:?}\n", row.name);
        view! { <p class="hint">{t::undeclared(l)}</p><pre class="marked snippet" tabindex="0">{text}</pre> }
    });
    view! {
        {example}
        <div class="form-end"><a class="btn" href="/settings?tab=config">{icon(Icon::Settings)}{t::change_settings(l)}</a></div>
    }
    .into_any()
}
