//! What would come of it: the picture and the load beside the form, what the rules say, the plan, and the beginning.

use super::{Checked, Wizard, check, drawn, may_mirror, mild, offline};
use crate::{
    api::{self, ApiError},
    mirror::rate,
    text::{mirror_wizard as t, mirrors},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use shared::{
    api::{MirrorRequest, Projected},
    mirror::{Mirror, Weight},
};

/// Beside the form: it stays in sight while one types.
pub(super) fn beside(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    view! {
        <aside class="wizard-beside" aria-label=t::picture(l)>
            <section class="card" data-testid="mirror-picture">
                <h2>{t::picture(l)}</h2>
                {drawn(wizard)}
                {load(wizard)}
            </section>
        </aside>
    }
    .into_any()
}

/// How much of what is free the copies would take.
fn load(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let projected = Memo::new(move |_| wizard.with_check(|check| check.projected).flatten());
    let bar = move || match projected.get() {
        None => view! { <p class="muted">{t::load_unknown(l)}</p> }.into_any(),
        Some(Projected { copied_bps, room_bps: None }) => {
            view! { <p>{t::load_room_unknown(l, &rate::bits(copied_bps))}</p> }.into_any()
        }
        Some(Projected { copied_bps, room_bps: Some(room) }) => {
            let percent = copied_bps.saturating_mul(100) / room.max(1);
            let class = match percent {
                0..50 => "load-bar",
                50..80 => "load-bar much",
                _ => "load-bar too-much",
            };
            let words = t::load_of(l, &rate::bits(copied_bps), &rate::bits(room), percent);
            view! {
                <div class=class aria-hidden="true">
                    <i style:width=format!("{}%", percent.min(100))></i><b class="at-50"></b><b class="at-80"></b>
                </div>
                <p>{words}</p>
                <p class="hint">{t::load_marks(l)}</p>
            }
            .into_any()
        }
    };
    view! { <div class="mirror-load" data-testid="mirror-load"><h3>{t::load(l)}</h3>{bar}</div> }.into_any()
}

pub(super) fn outcome(wizard: Wizard) -> AnyView {
    let app = wizard.app;
    let l = app.l();
    let open = RwSignal::new(false);
    let state = move || {
        if wizard.asking.get() {
            return t::checking(l);
        }
        let at = wizard.checked.with(|checked| checked.as_ref().map(|checked| checked.at));
        at.map(|at| t::checked(l, &app.civil(at).time())).unwrap_or_default()
    };
    let failed = move || {
        let of_switch = wizard.with_check(|check| check.error.clone()).flatten();
        let words = wizard
            .failed
            .with(|failed| failed.as_ref().map(|error| format!("{}: {}", t::check_failed(l), error.sentence(l))));
        let words = words.or(of_switch.map(|error| format!("{}: {error}", t::switch_silent(l))));
        words.map(mild)
    };
    let said = Memo::new(move |_| wizard.with_check(|check| check.findings.clone()));
    let plan = Memo::new(move |_| wizard.with_check(|check| check.plan.clone()).flatten());
    let found = move || said.with(|said| said.as_ref().map(|said| check::findings(l, said)));
    let planned = move || {
        plan.with(|plan| match plan {
            Some(plan) => check::plan(l, plan, open),
            None => view! { <p class="muted">{t::plan_awaited(l)}</p> }.into_any(),
        })
    };
    view! {
        <div class="stack">
            <p class="hint check-state" data-testid="check-state">{state}</p>
            <div aria-live="polite" data-testid="findings">{failed} {found}</div>
            {planned}
            {begin(wizard)}
        </div>
    }
    .into_any()
}

/// What may be begun: an answer about exactly what stands there, with a plan and nothing in the way.
fn ready(wizard: Wizard) -> Option<Checked> {
    let checked = wizard.checked.get()?;
    let blocked = checked.said.findings.iter().any(|it| it.weight == Weight::Blocks);
    let same = wizard.draft.with(|draft| *draft == checked.of);
    (same && !blocked && checked.said.plan.is_some()).then_some(checked)
}

fn begin(wizard: Wizard) -> AnyView {
    let app = wizard.app;
    let l = app.l();
    let sending = RwSignal::new(false);
    let error = RwSignal::new(None::<(bool, String)>);
    let navigate = use_navigate();
    let go = move |_| {
        let Some(checked) = untrack(|| ready(wizard)) else { return };
        let Some(plan) = checked.said.plan else { return };
        let request = MirrorRequest { spec: checked.said.spec, hash: plan.hash, key: Some(wizard.key.get_value()) };
        let navigate = navigate.clone();
        sending.set(true);
        error.set(None);
        spawn_local(async move {
            let answer = api::post::<Mirror>("/api/v1/mirrors", &request).await;
            if sending.try_set(false).is_some() {
                // The page was left meanwhile.
                return;
            }
            match answer {
                Ok(mirror) => navigate(&format!("/mirrors/{}", mirror.id), NavigateOptions::default()),
                Err(ApiError::Problem(problem)) if problem.status == 409 => {
                    error.set(Some((true, problem.detail.clone())));
                    wizard.again.update(|again| *again += 1);
                }
                Err(failed) => {
                    app.noticed(&failed);
                    error.set(Some((false, failed.sentence(l))));
                }
            }
        });
    };
    let needs = Memo::new(move |_| wizard.with_check(|check| check.needs_approval).unwrap_or(false));
    let ends =
        Memo::new(move |_| wizard.with_check(|check| check.spec.expires_at.filter(|_| check.plan.is_some())).flatten());
    let can = Memo::new(move |_| ready(wizard).is_some());
    let why = move || {
        if !may_mirror(app) {
            return Some(mild(t::may_not(l)));
        }
        offline(app).then(|| mild(t::offline(l)))
    };
    let failed = move || {
        error.get().map(|(changed, words)| {
            let words = if changed { format!("{} {words}", t::plan_changed(l)) } else { words };
            view! { <p class="notice bad" data-testid="begin-failed"><span>{words}</span></p> }
        })
    };
    view! {
        {move || needs.get().then(|| mild(t::needs_approval(l)))}
        {why}
        <div role="alert">{failed}</div>
        <div class="form-end">
            <span class="muted">{move || ends.get().map(|at| t::ends_at(l, &app.clock_time(at)))}</span>
            <a class="btn" href="/mirrors">{mirrors::title(l)}</a>
            <button type="button" class="btn primary" data-testid="mirror-begin"
                disabled=move || !can.get() || sending.get() || offline(app) || !may_mirror(app) on:click=go>
                {move || if needs.get() { t::ask_approval(l) } else { t::begin(l) }}
            </button>
        </div>
    }
    .into_any()
}
