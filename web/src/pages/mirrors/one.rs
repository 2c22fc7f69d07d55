//! One mirror: where it is on its way, what was done, what was copied, and exactly what stands in the switch.

use super::{actions, approve, check, evidence, guide, look_again, parts, remember};
use crate::{
    components::{
        icon::{Icon, icon},
        page::{card, name_page},
        states::loaded,
        time::wall,
    },
    mirror::{
        path::{self, Stage, Standing, Step},
        rate::Seen,
        standing,
    },
    state::{App, Remote},
    text::{mirrors as t, rules},
};
use approve::Approver;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use shared::{
    MirrorId,
    api::MirrorBoard,
    mirror::{Mirror, MirrorStep},
    timeline::MirrorEvent,
};

pub(crate) fn page() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    // Another mirror is another page: nothing of the last one stays.
    move || {
        id.get().map_or_else(
            || view! { <p class="page">{t::not_found(App::here().l())}</p> }.into_any(),
            |id| one(MirrorId(id)),
        )
    }
}

fn one(id: MirrorId) -> AnyView {
    let app = App::here();
    let l = app.l();
    let title = t::mirror_n(l, id.0);
    name_page(&title);
    let remote = Remote::<Mirror>::new(format!("/api/v1/mirrors/{id}"));
    // For the names of switches only; without it their keys stand there.
    let board = Remote::<MirrorBoard>::new("/api/v1/mirrors");
    let reload = Callback::new(move |()| remote.reload());
    look_again(app, move || remote.with(standing::is_busy).unwrap_or(false), reload);
    let seen = RwSignal::new(Seen::default());
    Effect::new(move || {
        remote.with(|mirror| remember(seen, std::iter::once(mirror)));
    });
    let approver = Approver::new(app, reload);
    let mirror = Memo::new(move |_| remote.with(Clone::clone));
    let there = Memo::new(move |_| mirror.with(Option::is_some));
    let parts = move || {
        view! {
            {head(app, id, mirror, approver, reload)}
            {parts::picture(app, mirror, move || board.ready())}
            {way(app, mirror)}
            <div class="grid-wide">
                <div>
                    {of(mirror, move |it| evidence::evidence(l, it, seen))}
                    {of_plan(app, mirror)}
                </div>
                <div>
                    {of(mirror, move |it| about(app, it))}
                    {steps(app, id, mirror)}
                    {guide_card(app, mirror)}
                </div>
            </div>
        }
    };
    view! {
        <div class="page mirror-page">
            <h1><a class="muted" href="/mirrors">{t::title(l)}</a> " / " {id.0}</h1>
            {loaded(title, remote, 8, |_| ().into_any())}
            {move || there.get().then(parts)}
        </div>
        {approve::dialog(approver)}
    }
    .into_any()
}

/// Drawn anew whenever anything of the mirror changes: for what holds no focus.
fn of(mirror: Memo<Option<Mirror>>, draw: impl Fn(&Mirror) -> AnyView + Send + Sync + 'static) -> AnyView {
    (move || mirror.with(|it| it.as_ref().map(&draw))).into_any()
}

fn head(app: App, id: MirrorId, mirror: Memo<Option<Mirror>>, approver: Approver, reload: Callback<()>) -> AnyView {
    let state = Memo::new(move |_| mirror.with(|it| it.as_ref().map(|it| (it.state, it.verified, it.tries))));
    let state = move || {
        state.get()?;
        mirror.with_untracked(|it| it.as_ref().map(|it| parts::state_word(app, it)))
    };
    let trouble = Memo::new(move |_| mirror.with(|it| it.as_ref().and_then(|it| it.trouble.clone())));
    let progress = Memo::new(move |_| mirror.with(|it| it.as_ref().and_then(|it| it.progress.clone())));
    let l = app.l();
    view! {
        <section class="card mirror-head">
            <div role="status">{state}</div>
            {move || progress.get().map(|said| view! { <p class="muted">{t::progress(l)} ": " {said}</p> })}
            {parts::countdown(app, mirror)}
            {actions::buttons(app, id, mirror, Callback::new(move |it| approver.ask(it)), reload)}
        </section>
        {move || trouble.get().map(|trouble| view! {
            <p class="notice warn" role="status">{icon(Icon::Warning)} <span>{t::trouble(l)} " (" {wall(trouble.at)} "): " {trouble.message}</span></p>
        })}
    }
    .into_any()
}

/// The stages side by side: what is behind, where it is, what is to come.
fn way(app: App, mirror: Memo<Option<Mirror>>) -> AnyView {
    let l = app.l();
    let path = Memo::new(move |_| {
        mirror.with(|it| it.as_ref().map(|it| (path::path(it), it.needs_approval)).unwrap_or_default())
    });
    let drawn = move || {
        let (steps, needs_approval) = path.get();
        steps.into_iter().map(|step| stage(app, step, needs_approval)).collect_view()
    };
    card(t::way(l), view! { <ol class="mirror-path" data-testid="mirror-path">{drawn}</ol> }.into_any())
}

fn stage(app: App, step: Step, needs_approval: bool) -> AnyView {
    let l = app.l();
    let name = match step.stage {
        Stage::Planned => t::stage_planned(l),
        Stage::Approved => t::stage_approved(l),
        Stage::Applying => t::stage_applying(l),
        Stage::Applied => t::stage_applied(l),
        Stage::Active => t::stage_active(l),
        Stage::Stopping => t::stage_stopping(l),
        Stage::Stopped => t::stage_stopped(l),
        Stage::Proved => t::stage_proved(l),
    };
    let standing = match step.standing {
        Standing::Done => t::standing_done(l),
        Standing::Here => t::standing_here(l),
        Standing::Wrong => t::standing_wrong(l),
        Standing::Broken => t::standing_broken(l),
        Standing::ToCome => t::standing_to_come(l),
        Standing::Skipped => t::standing_skipped(l),
    };
    let free = step.stage == Stage::Approved && !needs_approval;
    let below = match (step.standing, step.at) {
        (Standing::Done, Some(_)) if free => view! { <small>{t::stage_needs_nobody(l)}</small> }.into_any(),
        (Standing::Wrong | Standing::Broken | Standing::Skipped, None) => {
            view! { <small>{standing.clone()}</small> }.into_any()
        }
        (_, Some(at)) => view! { <small>{wall(at)}</small> }.into_any(),
        (_, None) => ().into_any(),
    };
    let current = matches!(step.standing, Standing::Here | Standing::Wrong | Standing::Broken).then_some("step");
    view! {
        <li class=step.standing.class() aria-current=current>
            <i aria-hidden="true"></i><strong>{name}</strong><span class="sr">" " {standing}</span>{below}
        </li>
    }
    .into_any()
}

fn about(app: App, mirror: &Mirror) -> AnyView {
    let l = app.l();
    let mut facts: Vec<(String, AnyView)> = vec![(t::owner(l), mirror.by.name().into_any())];
    if let Some((by, at)) = &mirror.approved {
        facts.push((t::approved_by(l), view! { {by.name()} " " <small class="muted">{wall(*at)}</small> }.into_any()));
    }
    facts.extend(
        mirror
            .spec
            .incident
            .map(|id| (t::incident(l), view! { <a href=format!("/incidents/{id}")>{format!("#{id}")}</a> }.into_any())),
    );
    facts.push((t::reason(l), mirror.spec.reason.clone().into_any()));
    facts.push((t::when(l), view! { {wall(mirror.starts_at)} " – " {wall(mirror.expires_at)} }.into_any()));
    let facts =
        facts.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }).collect_view();
    card(t::about(l), view! { <dl class="mirror-about">{facts}</dl> }.into_any())
}

fn steps(app: App, id: MirrorId, mirror: Memo<Option<Mirror>>) -> AnyView {
    let l = app.l();
    let steps = Memo::new(move |_| mirror.with(|it| it.as_ref().map(|it| it.steps.clone()).unwrap_or_default()));
    let drawn = move || {
        let rows = steps.with(|steps| steps.iter().map(|step| line(app, id, step)).collect_view());
        let none = steps.with(Vec::is_empty).then(|| view! { <p class="muted">{t::no_steps(l)}</p> });
        view! { {none} <ol class="timeline mirror-steps" tabindex="0" aria-label=t::steps(l)>{rows}</ol> }
    };
    card(t::steps(l), view! { <div data-testid="mirror-steps">{drawn}</div> }.into_any())
}

fn line(app: App, mirror: MirrorId, step: &MirrorStep) -> AnyView {
    let l = app.l();
    let class = match &step.what {
        MirrorEvent::NotStopped { .. }
        | MirrorEvent::Refused { .. }
        | MirrorEvent::Drifted { .. }
        | MirrorEvent::StillCounted
        | MirrorEvent::Disarmed
        | MirrorEvent::NotCopying
        | MirrorEvent::NotExtended { .. } => "bad",
        MirrorEvent::Applied | MirrorEvent::Verified { .. } | MirrorEvent::ProvedStopped | MirrorEvent::Restored => {
            "ok"
        }
        MirrorEvent::Requested { .. } | MirrorEvent::Approved { .. } | MirrorEvent::Extended { .. } => "people",
        MirrorEvent::Sent { .. } | MirrorEvent::Ending { .. } | MirrorEvent::Stopped { .. } | MirrorEvent::Dropped => {
            ""
        }
    };
    view! { <li class=class>{wall(step.at)} <div>{rules::event(l, mirror, &step.what)} <small>{step.by.name()}</small></div></li> }.into_any()
}

fn of_plan(app: App, mirror: Memo<Option<Mirror>>) -> AnyView {
    let l = app.l();
    let plan = Memo::new(move |_| mirror.with(|it| it.as_ref().map(|it| (it.plan.clone(), it.findings.clone()))));
    let open = RwSignal::new(false);
    (move || {
        plan.with(|plan| {
            plan.as_ref().map(|(plan, found)| {
                view! {
                    {card(t::plan(l), check::plan(l, plan, open))}
                    {card(t::findings(l), check::findings(l, found))}
                }
            })
        })
    })
    .into_any()
}

/// What it is described by does not change, so neither does this.
fn guide_card(app: App, mirror: Memo<Option<Mirror>>) -> AnyView {
    let spec = Memo::new(move |_| mirror.with(|it| it.as_ref().map(|it| it.spec.clone())));
    (move || spec.with(|spec| spec.as_ref().and_then(|spec| guide::guide(app.l(), spec)))).into_any()
}
