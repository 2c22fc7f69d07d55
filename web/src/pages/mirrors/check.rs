//! What the rules say and what would be sent, as the wizard, an approval and a mirror's own page show it.

use crate::{
    components::icon::{Icon, icon},
    mirror::findings,
    text::{mirrors as t, rules},
};
use leptos::prelude::*;
use shared::{
    config::Language,
    mirror::{MirrorFinding, Plan, PlanStep, Weight},
};

/// The beginning of a hash, for people.
pub(super) fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// What blocks and what is to be known apart, each with its code.
pub(crate) fn findings(l: Language, all: &[MirrorFinding]) -> AnyView {
    if all.is_empty() {
        return view! { <p class="findings-none">{icon(Icon::Check)} <span>{t::no_findings(l)}</span></p> }.into_any();
    }
    let (blocks, warns) = findings::parted(all);
    let part = |title: String, class: &'static str, part: Vec<&MirrorFinding>| {
        (!part.is_empty()).then(|| {
            let rows = part.into_iter().map(|it| finding(l, it)).collect_view();
            view! { <h3>{title}</h3> <ul class=format!("findings {class}")>{rows}</ul> }
        })
    };
    view! { {part(t::blocks(l), "blocks", blocks)} {part(t::warns(l), "warns", warns)} }.into_any()
}

fn finding(l: Language, finding: &MirrorFinding) -> AnyView {
    let sign = if finding.weight == Weight::Blocks { Icon::Cross } else { Icon::Warning };
    let code = findings::code(finding.rule);
    view! {
        <li>{icon(sign)} <span>{rules::finding(l, finding)}</span> <small class="mono">{code}</small></li>
    }
    .into_any()
}

/// The changes line by line, with exactly what is sent folded below; `open` is kept by whoever draws it anew.
pub(super) fn plan(l: Language, plan: &Plan, open: RwSignal<bool>) -> AnyView {
    let changes = plan.steps.iter().flat_map(|step| &step.changes).map(|line| change(l, line)).collect_view();
    let undo = plan.steps.iter().filter(|step| !step.undo.is_empty()).map(|step| {
        view! { <p class="hint">{t::plan_undo(l, &step.undo)}</p> }
    });
    let sent = plan.steps.iter().map(sent).collect_view();
    let hash = plan.hash.clone();
    view! {
        <div class="plan" data-testid="plan">
            <p class="plan-hash"><small>{t::plan_hash(l)} " "</small><code title=hash.clone()>{short(&hash).to_owned()}</code></p>
            <ul class="plan-diff" aria-label=t::plan(l)>{changes}</ul>
            {undo.collect_view()}
            <details prop:open=move || open.get_untracked() on:toggle=move |event| open.set(is_open(&event))>
                <summary>{t::plan_sent(l, plan.steps.len())}</summary>
                {sent}
            </details>
        </div>
    }
    .into_any()
}

fn is_open(event: &web_sys::Event) -> bool {
    use wasm_bindgen::JsCast;
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    element.is_some_and(|element| element.has_attribute("open"))
}

fn change(l: Language, line: &str) -> AnyView {
    let (class, word) = match line.chars().next() {
        Some('+') => ("adds", t::plan_adds(l)),
        Some('-') => ("removes", t::plan_removes(l)),
        Some('~') => ("changes", t::plan_changes(l)),
        _ => ("", String::new()),
    };
    view! { <li class=class><span class="sr">{word} " "</span>{line.to_owned()}</li> }.into_any()
}

fn sent(step: &PlanStep) -> AnyView {
    view! { <p class="plan-call">{step.call.clone()}</p> <pre class="plan-sent" tabindex="0">{step.sent.clone()}</pre> }
        .into_any()
}
