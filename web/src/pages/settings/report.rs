//! What a check found, what would change, and how the document's own tests went.

use crate::{
    components::icon::{Icon, icon},
    state::App,
    text::settings as t,
};
use leptos::prelude::*;
use shared::{
    api::{ConfigReport, TrialResult},
    config::{Finding, Language},
};

pub(super) fn report(app: App, report: &ConfigReport) -> AnyView {
    let l = app.l();
    let refused = report.findings.iter().any(|finding| finding.fatal);
    let (class, sign, words) = if refused {
        ("notice bad", Icon::Warning, t::refused(l))
    } else if report.applied {
        ("notice good", Icon::Check, t::applied(l, report.version))
    } else {
        ("notice", Icon::Check, t::checked(l))
    };
    let changes = if report.changes.is_empty() {
        view! { <span class="muted">{t::no_changes(l)}</span> }.into_any()
    } else {
        report
            .changes
            .iter()
            .map(|change| view! { <code class="label-pair mono">{change.clone()}</code> })
            .collect_view()
            .into_any()
    };
    let findings = report.findings.iter().map(|one| finding(l, one)).collect_view();
    let tests = report.tests.iter().map(|one| trial(l, one)).collect_view();
    view! {
        <p class=class>{icon(sign)}<strong>{words}</strong></p>
        <div><h3>{t::changes(l)}</h3><p class="label-pairs">{changes}</p></div>
        {(!report.findings.is_empty()).then(|| view! { <div><h3>{t::findings(l)}</h3><ul class="report">{findings}</ul></div> })}
        {(!report.tests.is_empty()).then(|| view! { <div><h3>{t::tests(l)}</h3><ul class="report">{tests}</ul></div> })}
    }
    .into_any()
}

fn finding(l: Language, finding: &Finding) -> impl IntoView + use<> {
    let (class, word) = if finding.fatal { ("bad", t::error(l)) } else { ("warn-text", t::warning(l)) };
    view! { <li><strong class=class>{word}</strong><span><code class="mono">{finding.path.clone()}</code> " " {finding.message.clone()}</span></li> }
}

fn trial(l: Language, trial: &TrialResult) -> impl IntoView + use<> {
    let (class, word) = if trial.passed { ("good", t::passed(l)) } else { ("bad", t::failed(l)) };
    view! { <li><strong class=class>{word}</strong><span>{trial.name.clone()} <small class="muted block">{trial.detail.clone()}</small></span></li> }
}
