//! What to paste where, sender by sender, with the real address in it.

use crate::{
    browser::dom,
    components::{copy::copy_button, field::segments},
    state::App,
    text::{frame, gallery as g, mapping as m, senders as t},
};
use leptos::prelude::*;
use shared::{
    api::IntegrationRow,
    config::Language,
    snippets::{self as text, Address},
};

pub(super) struct Snippet {
    pub(super) word: &'static str,
    /// What stands for it in the gallery.
    pub(super) glyph: &'static str,
    pub(super) name: fn(Language) -> String,
    /// What changes there, in a few words.
    pub(super) line: fn(Language) -> String,
    /// Where it goes.
    pub(super) place: fn(Language) -> String,
    pub(super) text: fn(&Address) -> String,
}

const fn snippet(
    (word, glyph): (&'static str, &'static str),
    name: fn(Language) -> String,
    line: fn(Language) -> String,
    place: fn(Language) -> String,
    text: fn(&Address) -> String,
) -> Snippet {
    Snippet { word, glyph, name, line, place, text }
}

pub(super) const SNIPPETS: [Snippet; 30] = [
    snippet(("bracket", "›_"), t::curl_bracket, m::g_line, t::place_bracket, text::curl_bracket),
    snippet(("json", "{ }"), t::curl_json, m::g_json, t::place_json, text::curl_json),
    snippet(("falcon", "OF"), t::falcon, m::g_falcon, t::place_falcon, text::falcon),
    snippet(("prometheus", "Pr"), t::prometheus, m::g_prometheus, t::place_prometheus, text::prometheus),
    snippet(("alertmanager", "Am"), t::alertmanager, m::g_alertmanager, t::place_alertmanager, text::alertmanager),
    snippet(("grafana", "Gr"), t::grafana, m::g_grafana, t::place_grafana, text::grafana),
    snippet(("zabbix", "Zx"), t::zabbix, m::g_zabbix, t::place_zabbix, text::zabbix),
    snippet(("nagios", "Na"), m::nagios, m::g_nagios, m::place_nagios, text::nagios),
    snippet(("nightingale", "N9"), m::nightingale, m::g_nightingale, m::place_nightingale, text::webhook),
    snippet(("kuma", "UK"), m::kuma, m::g_kuma, m::place_kuma, text::webhook),
    snippet(("netdata", "Nd"), m::netdata, m::g_netdata, m::place_netdata, text::netdata),
    snippet(("apprise", "Ap"), m::apprise, m::g_apprise, m::place_apprise, text::apprise),
    snippet(("alerta", "Al"), m::alerta, m::g_alerta, m::place_alerta, text::alerta),
    snippet(("slack", "Sl"), m::slack, m::g_slack, m::place_slack, text::slack),
    snippet(("pagerduty", "PD"), t::pagerduty, m::g_pagerduty, t::place_pagerduty, text::pagerduty),
    snippet(("opsgenie", "Og"), m::opsgenie, m::g_opsgenie, m::place_opsgenie, text::opsgenie),
    snippet(("github", "GH"), g::github, g::g_github, g::place_github, text::github),
    snippet(("sentry", "Se"), g::sentry, g::g_sentry, g::place_sentry, text::sentry),
    snippet(("sns", "Sn"), g::sns, g::g_sns, g::place_sns, text::sns),
    snippet(("cloudevents", "CE"), g::cloudevents, g::g_cloudevents, g::place_cloudevents, text::cloudevents),
    snippet(("logger", "$_"), g::logger, g::g_logger, g::place_logger, text::logger),
    snippet(("rsyslog", "rs"), g::rsyslog, g::g_rsyslog, g::place_rsyslog, text::rsyslog),
    snippet(("syslog-ng", "ng"), g::syslog_ng, g::g_syslog_ng, g::place_syslog_ng, text::syslog_ng),
    snippet(("fluent-bit", "FB"), g::fluent_bit, g::g_fluent_bit, g::place_fluent_bit, text::fluent_bit),
    snippet(("fluentd", "Fd"), g::fluentd, g::g_fluentd, g::place_fluentd, text::fluentd),
    snippet(("mail", "@"), g::mail, g::g_mail, g::place_mail, text::mail),
    snippet(("signed", "±"), g::signed, g::g_signed, g::place_signed, text::signed),
    snippet(("standard", "SW"), g::standard, g::g_standard, g::place_standard, text::standard_webhooks),
    snippet(("python", "Py"), t::python, m::g_python, t::place_python, text::python),
    snippet(("any", "{?}"), m::any_json, m::g_any, m::place_any, text::any_json),
];

/// An address with a gap where the token goes, which is shown only once, and where the sender is listened to for syslog.
pub(super) fn of_sender(app: App, row: Memo<Option<IntegrationRow>>) -> Signal<Address> {
    Memo::new(move |_| {
        let settings = row.get().and_then(|row| row.settings);
        let syslog = settings.and_then(|set| set.syslog_tcp.or(set.syslog_udp));
        Address::new(&address(app)).listening(syslog.as_deref())
    })
    .into()
}

/// An address with a gap where the token goes.
pub(super) fn address(app: App) -> String {
    let origin = app.info().map(|info| info.public_url).filter(|url| !url.is_empty()).unwrap_or_else(dom::origin);
    format!("{}/ingest/TOKEN", origin.trim_end_matches('/'))
}

pub(super) fn tabs(app: App, address: Signal<Address>) -> impl IntoView + use<> {
    let l = app.l();
    let chosen = RwSignal::new(SNIPPETS[0].word);
    let snippet = move || SNIPPETS.iter().find(|snippet| snippet.word == chosen.get()).unwrap_or(&SNIPPETS[0]);
    let text = Memo::new(move |_| address.with(|address| (snippet().text)(address)));
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
