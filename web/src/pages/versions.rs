//! The configuration as it was: the list of its versions, and one thing of a version, read-only, with what became of it.

use super::{policies, routes};
use crate::{
    api::query,
    components::{
        icon::{Icon, icon},
        page::{card, page_head},
        states::loaded,
    },
    state::{App, Remote},
    text::versions as t,
};
use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};
use shared::{
    NounKind, Timestamp,
    api::{ConfigVersion, ConfigVersions, LineMark, NounLine, NounThen},
};

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let asked = use_query_map();
    let address = Memo::new(move |_| {
        let from = asked.with(|asked| asked.get("version")).unwrap_or_default();
        format!("/api/v1/versions{}", query::build(&[("version", &from)]))
    });
    let versions = Remote::<ConfigVersions>::idle("");
    Effect::new(move || versions.point(address.get()));
    let body = loaded(t::title(l), versions, 8, move |found| {
        let older = found.next.map(|next| {
            view! { <p><a class="btn" href=format!("/versions?version={next}")>{t::older(l)}</a></p> }
        });
        let rows = found.items.iter().map(|it| view! { <li>{row(app, it, found.today)}</li> }).collect_view();
        view! { <section class="card"><ul class="reasons" data-testid="versions">{rows}</ul>{older}</section> }
            .into_any()
    });
    view! { <div class="page">{page_head(t::title(l), t::lead(l), ().into_any())}{body}</div> }
}

/// Number, time and author of a version, and what it changed.
fn row(app: App, it: &ConfigVersion, today: i64) -> impl IntoView + use<> {
    let l = app.l();
    let chip = (it.version == today).then(|| view! { " " <span class="chip ok">{t::today(l, today)}</span> });
    let changes = if it.changes.is_empty() { t::no_changes(l) } else { it.changes.join(", ") };
    view! {
        <strong>{t::version(l, it.version)}</strong> {chip}
        <small>{in_force(app, it)} " · " {t::by(l, &it.by)}</small>
        <p class="mono">{changes}</p>
    }
}

fn in_force(app: App, it: &ConfigVersion) -> String {
    let (l, from) = (app.l(), app.clock_time(it.from));
    it.until.map_or_else(|| t::in_force_since(l, &from), |until| t::in_force(l, &from, &app.clock_time(until)))
}

/// One thing of a version, as the address names it.
pub(crate) fn noun() -> impl IntoView {
    let app = App::here();
    let (params, asked) = (use_params_map(), use_query_map());
    let address = Memo::new(move |_| {
        let part = |name: &str| query::encoded(&params.with(|params| params.get(name)).unwrap_or_default());
        let given = |name: &str| asked.with(|asked| asked.get(name)).unwrap_or_default();
        let rest = query::build(&[("version", &given("version")), ("at", &given("at"))]);
        format!("/api/v1/versions/{}/{}{rest}", part("kind"), part("id"))
    });
    let found = Remote::<NounThen>::idle("");
    Effect::new(move || found.point(address.get()));
    let number = move |name: &str| asked.with_untracked(|asked| asked.get(name)?.parse::<i64>().ok());
    let body = loaded(t::title(app.l()), found, 8, move |found| {
        let part = number("part").and_then(|part| u32::try_from(part).ok());
        shown(app, &found, part, number("at").map(Timestamp::from_ms))
    });
    view! { <div class="page">{body}</div> }
}

fn shown(app: App, found: &NounThen, part: Option<u32>, at: Option<Timestamp>) -> AnyView {
    let l = app.l();
    let name = if found.name.is_empty() { &found.id } else { &found.name };
    let title = format!("{}: {name}", t::kind(l, found.kind));
    let drawn = if let Some(policy) = &found.policy {
        view! { <div class="flows">{policies::flow(app, &app.names(), policy, None)}</div> }.into_any()
    } else if let Some(route) = &found.route {
        view! { <section class="card"><ul class="tree">{routes::once(app, route)}</ul></section> }.into_any()
    } else {
        ().into_any()
    };
    let part = part.map(|part| match found.kind {
        NounKind::Person => t::rule(l, part),
        _ => t::level(l, part),
    });
    let changed = found.lines.iter().any(|line| line.mark != LineMark::Same);
    let heading = if changed { t::changes(l) } else { t::as_it_was(l) };
    let since = (!found.since.is_empty()).then(|| {
        let later = found.since.iter().map(|it| {
            let number = t::version(l, it.version);
            view! {
                <li>
                    <a href=format!("/versions?version={}", it.version)>{number}</a>
                    <small>{app.clock_time(it.from)} " · " {t::by(l, &it.by)}</small>
                </li>
            }
        });
        card(t::since(l), view! { <ul class="before">{later.collect_view()}</ul> }.into_any())
    });
    view! {
        {page_head(title, found.id.clone(), ().into_any())}
        {band(app, found)}
        {part.map(|part| view! { <p data-testid="part">{part}</p> })}
        {on_call(app, found, at)}
        {drawn}
        {(!found.lines.is_empty()).then(|| card(heading, text(app, &found.lines)))}
        {since}
    }
    .into_any()
}

/// Which version this is, and how it stands to the one in force.
fn band(app: App, found: &NounThen) -> AnyView {
    let l = app.l();
    let then = &found.then;
    let version = format!("{}, {}", t::version(l, then.version), in_force(app, then));
    let is_today = then.version == found.today;
    let changed = found.lines.iter().any(|line| line.mark != LineMark::Same);
    let today = match (is_today, found.is, changed) {
        (true, ..) => None,
        (_, false, _) => Some(t::today_gone(l, found.today)),
        (.., true) => Some(t::today(l, found.today)),
        (.., false) => Some(t::today_same(l, found.today)),
    };
    let was_not = (!found.was).then(|| view! { <p>{t::was_not(l, then.version)}</p> });
    view! {
        <div class="notice" role="status" data-testid="version-band">
            {icon(Icon::Clock)}
            <div>
                <p>
                    <a href=format!("/versions?version={}", then.version)>{version}</a>
                    {today.map(|today| format!("; {today}"))}
                </p>
                {was_not}
            </div>
        </div>
    }
    .into_any()
}

fn on_call(app: App, found: &NounThen, at: Option<Timestamp>) -> AnyView {
    let l = app.l();
    let (Some(people), Some(at)) = (&found.on_call, at) else { return ().into_any() };
    let people = if people.is_empty() { t::nobody(l) } else { people.join(", ") };
    let calendar = format!("/oncall/{}", query::encoded(&found.id));
    let body = view! { <p data-testid="on-call-then">{people}</p><p><a href=calendar>{t::calendar(l)}</a></p> };
    card(t::on_call(l, &app.clock_time(at)), body.into_any())
}

/// The text with what became of each line.
fn text(app: App, lines: &[NounLine]) -> AnyView {
    let l = app.l();
    let line = |line: &NounLine| {
        let text = line.text.clone();
        match line.mark {
            LineMark::Same => view! { <span>{text}</span> }.into_any(),
            LineMark::Gone => view! { <del title=t::gone(l)>{text}</del> }.into_any(),
            LineMark::New => view! { <ins title=t::new(l)>{text}</ins> }.into_any(),
        }
    };
    view! { <pre class="noun-text mono" tabindex="0">{lines.iter().map(line).collect_view()}</pre> }.into_any()
}
