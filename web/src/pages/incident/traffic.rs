//! Looking at a machine's traffic from its incident: what runs, and two taps to begin.

use crate::{
    api::{self, ApiError},
    components::{
        icon::{Icon, icon},
        keyed::keyed,
        states::failure,
    },
    mirror::{draft, standing},
    pages::mirrors::{self, countdown, findings, offline, state_word},
    state::{App, Load, Remote},
    text::{frame, mirrors as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    IncidentId, MirrorId,
    api::{IncidentMirrors, MirrorCheck, MirrorPreset, MirrorRequest, NoPreset},
    mirror::{Mirror, MirrorSource, MirrorSpec, Weight},
    text::span,
};

const MINUTE_MS: i64 = 60_000;
/// How long a preset lasts that does not say.
const USUAL_MIN: i64 = 30;

#[derive(Clone, Copy)]
struct Desk {
    app: App,
    of: Remote<IncidentMirrors>,
    /// The preset that was tapped once.
    chosen: RwSignal<Option<MirrorPreset>>,
    /// What would come of it.
    check: RwSignal<Option<Result<MirrorCheck, ApiError>>>,
    sending: RwSignal<bool>,
    key: StoredValue<String>,
    reload: Callback<()>,
}

/// Nothing where nothing can be mirrored and nothing was.
pub(super) fn card(app: App, id: IncidentId) -> AnyView {
    let of = Remote::<IncidentMirrors>::new(format!("/api/v1/incidents/{id}/mirrors"));
    let reload = Callback::new(move |()| of.reload());
    mirrors::look_again(app, move || of.with(|of| of.items.iter().any(standing::is_busy)).unwrap_or(false), reload);
    let desk = Desk {
        app,
        of,
        chosen: RwSignal::new(None),
        check: RwSignal::new(None),
        sending: RwSignal::new(false),
        key: StoredValue::new(String::new()),
        reload,
    };
    let l = app.l();
    let may = mirrors::may_mirror(app);
    let shown = Memo::new(move |_| {
        let any =
            |of: &IncidentMirrors| !of.items.is_empty() || (may && (!of.presets.is_empty() || of.why_none.is_some()));
        of.with(any).unwrap_or(false)
    });
    let failed = Memo::new(move |_| match of.get() {
        Load::Failed(ApiError::Problem(problem)) if problem.status == 404 => None,
        Load::Failed(error) => Some(error),
        _ => None,
    });
    (move || {
        let body = if let Some(error) = failed.get() {
            failure(&t::traffic(l), &error, move || of.reload())
        } else if shown.get() {
            view! { {running(desk)} {may.then(|| presets(desk))} }.into_any()
        } else {
            return None;
        };
        Some(view! {
            <section class="card" data-testid="traffic">
                <div class="card-head"><h2>{t::traffic(l)}</h2> <a href=format!("/mirrors/new?incident={id}")>{may.then(|| t::new(l))}</a></div>
                <div class="stack">{body}</div>
            </section>
        })
    })
    .into_any()
}

/// Those of this incident that are not over, and how many were.
fn running(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let ids = |over: bool| {
        Memo::new(move |_| {
            let of = |of: &IncidentMirrors| {
                of.items.iter().filter(|it| it.is_over() == over).map(|it| it.id).collect::<Vec<_>>()
            };
            desk.of.with(of).unwrap_or_default()
        })
    };
    let (now, past) = (ids(false), ids(true));
    let rows = keyed(move || now.get(), ToString::to_string, move |id| row(desk, id));
    let none = move || now.with(Vec::is_empty).then(|| view! { <p class="muted">{t::none_here(l)}</p> });
    let earlier = move || {
        let n = past.with(Vec::len);
        (n > 0).then(|| view! { <p><a href="/mirrors">{t::earlier(l, n)}</a></p> })
    };
    view! { {none} <ul class="traffic-list">{rows}</ul> {earlier} }.into_any()
}

fn row(desk: Desk, id: MirrorId) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let mirror = Memo::new(move |_| desk.of.with(|of| of.items.iter().find(|it| it.id == id).cloned()).flatten());
    let what = move || {
        mirror.with(|it| {
            it.as_ref().map(|it| format!("{} → {}", standing::sources(it).join(", "), standing::destination(it)))
        })
    };
    let state = move || mirror.with(|it| it.as_ref().map(|it| state_word(app, it)));
    let stops = Memo::new(move |_| mirror.with(|it| it.as_ref().is_some_and(standing::can_stop)));
    let stop = move || {
        (stops.get() && mirrors::may_stop(app)).then(|| {
            view! {
                <button type="button" class="btn danger" aria-label=t::stop_label(l, id.0) disabled=move || offline(app)
                    on:click=move |_| mirrors::stop(app, id, desk.reload)>{t::stop_now(l)}</button>
            }
        })
    };
    view! {
        <li>
            <div class="grow"><a href=format!("/mirrors/{id}")>{t::mirror_n(l, id.0)}</a> " " <span>{what}</span> <div>{state}</div></div>
            {countdown(app, mirror)}
            {stop}
        </li>
    }
    .into_any()
}

/// A button for each place the copies could go to; the first tap says what would happen, the second begins.
fn presets(desk: Desk) -> AnyView {
    let l = desk.app.l();
    let offers = Memo::new(move |_| desk.of.with(|of| (of.presets.clone(), of.why_none)).unwrap_or_default());
    let buttons = move || {
        let (presets, why_none) = offers.get();
        if presets.is_empty() {
            return why_none.map(|why| {
                let words = match why {
                    NoPreset::MachineUnknown => t::no_preset_machine(l),
                    NoPreset::OutOfReach => t::no_preset_reach(l),
                };
                view! { <p class="muted">{words}</p> }.into_any()
            });
        }
        let several = presets.iter().any(|it| it.spec.source != presets[0].spec.source);
        let button = |preset: MirrorPreset| {
            let time = span(l, length(desk.app, &preset.spec) * MINUTE_MS);
            let label = if several {
                t::preset_of(l, &preset.spec.title, &time, preset.collector.as_str())
            } else {
                t::preset(l, &time, preset.collector.as_str())
            };
            let own = preset.clone();
            let is_chosen = move || {
                let same = |it: &MirrorPreset| it.collector == own.collector && it.spec.source == own.spec.source;
                desk.chosen.with(|it| it.as_ref().is_some_and(same))
            };
            view! {
                <button type="button" class="btn" aria-pressed=move || is_chosen().to_string() disabled=move || offline(desk.app)
                    on:click=move |_| choose(desk, preset.clone())>{icon(Icon::Mirrors)} {label}</button>
            }
        };
        Some(view! { <div class="traffic-presets">{presets.into_iter().map(button).collect_view()}</div> }.into_any())
    };
    view! { {buttons} <div aria-live="polite" data-testid="traffic-asked">{move || desk.chosen.get().map(|it| asked(desk, it))}</div> }.into_any()
}

/// Whole minutes that a preset lasts; asked for anew each quarter of a minute, so that it is as fresh as the page.
fn length(app: App, spec: &MirrorSpec) -> i64 {
    spec.expires_at.map_or(USUAL_MIN, |end| draft::minutes(end.ms_since(app.clock())))
}

fn choose(desk: Desk, preset: MirrorPreset) {
    let now = desk.app.clock();
    let mut spec = preset.spec.clone();
    spec.expires_at = Some(now.plus_ms(length(desk.app, &spec) * MINUTE_MS));
    desk.key.set_value(mirrors::fresh_key());
    desk.check.set(None);
    let key = desk.key.get_value();
    desk.chosen.set(Some(preset));
    spawn_local(async move {
        let answer = api::post::<MirrorCheck>("/api/v1/mirrors/check", &spec).await;
        // Another one was tapped meanwhile, or the page was left.
        if desk.key.try_get_value() == Some(key) {
            desk.check.set(Some(answer));
        }
    });
}

fn asked(desk: Desk, preset: MirrorPreset) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let mac = match &preset.spec.source {
        MirrorSource::Nics { macs } => macs.first().map(ToString::to_string).unwrap_or_default(),
        MirrorSource::Vlans { .. } => String::new(),
    };
    let incident = preset.incident.to_string();
    let parts = [("incident", &*incident), ("preset", preset.collector.as_str()), ("mac", &mac)];
    let change = format!("/mirrors/new{}", api::query::build(&parts));
    let kept = StoredValue::new(preset);
    let said = move || match desk.check.get() {
        None => view! { <p class="muted">{t::preset_looks(l)}</p> }.into_any(),
        Some(Err(error)) => view! { <p class="notice bad"><span>{error.sentence(l)}</span></p> }.into_any(),
        Some(Ok(check)) => {
            let error = check.error.clone().map(|error| view! { <p class="notice warn"><span>{error}</span></p> });
            view! { <p>{sentence(desk, &check, &kept.get_value())}</p> {error} {findings(l, &check.findings)} }
                .into_any()
        }
    };
    // What is in the way is said above; then there is nothing to begin.
    let begin = move || {
        let check = desk.check.get()?.ok()?;
        if check.plan.is_none() || check.findings.iter().any(|it| it.weight == Weight::Blocks) {
            return None;
        }
        let word = if check.needs_approval { t::preset_ask(l) } else { t::preset_begin(l) };
        Some(view! {
            <button type="button" class="btn primary" data-testid="traffic-begin"
                disabled=move || offline(app) || desk.sending.get() on:click=move |_| begin(desk)>{word}</button>
        })
    };
    view! {
        <div class="traffic-asked stack">
            {said}
            <div class="form-end">
                <button type="button" class="btn ghost" on:click=move |_| desk.chosen.set(None)>{frame::cancel(l)}</button>
                <a class="btn" href=change>{t::preset_change(l)}</a>
                {begin}
            </div>
        </div>
    }
    .into_any()
}

fn sentence(desk: Desk, check: &MirrorCheck, preset: &MirrorPreset) -> String {
    let l = desk.app.l();
    let vms: Vec<&str> = check.sources.iter().map(|it| it.vm.as_str()).collect();
    let until = check.spec.expires_at.map(|at| desk.app.clock_time(at)).unwrap_or_default();
    t::preset_says(l, &vms.join(", "), &t::direction(l, check.spec.direction), preset.collector.as_str(), &until)
}

fn begin(desk: Desk) {
    let Some(Some(Ok(check))) = desk.check.try_get_untracked() else { return };
    let Some(plan) = check.plan else { return };
    let (app, l) = (desk.app, desk.app.l());
    let request = MirrorRequest { spec: check.spec, hash: plan.hash, key: Some(desk.key.get_value()) };
    desk.sending.set(true);
    spawn_local(async move {
        let answer = api::post::<Mirror>("/api/v1/mirrors", &request).await;
        desk.sending.try_set(false);
        match answer {
            Ok(mirror) => {
                let said = if mirror.needs_approval {
                    t::preset_approval(l, mirror.id.0)
                } else {
                    t::preset_begun(l, mirror.id.0)
                };
                app.toasts.good(said, None);
                desk.chosen.try_set(None);
            }
            Err(error) => {
                app.noticed(&error);
                app.toasts.bad(error.sentence(l));
                // The plan may be another one by now.
                if let Some(Some(preset)) = desk.chosen.try_get_untracked() {
                    choose(desk, preset);
                }
            }
        }
        desk.reload.try_run(());
    });
}
