//! One silence in a list: what, why, who, until when, what it hid, and what can be done.

use super::{Desk, WALLS, may_respond, words};
use crate::{
    api,
    components::icon::{Icon, icon},
    silence::{Standing, class, draft, ends_soon},
    text::silences as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{Silence, SilenceKind};

/// `linked`: its name leads to its own page.
pub(super) fn item(desk: Desk, silence: Silence, linked: bool) -> AnyView {
    let app = desk.app;
    let l = app.l();
    let known = StoredValue::new(silence.clone());
    let standing = move || known.with_value(|silence| Standing::of(silence, app.now.get(), WALLS));
    let when = move || known.with_value(|silence| words::when(app, silence, standing()));
    let soon = Memo::new(move |_| known.with_value(|silence| ends_soon(silence, app.now.get())));
    let id = silence.id;
    let sign = match silence.kind {
        SilenceKind::Silence => Icon::Quiet,
        SilenceKind::Maintenance => Icon::Wrench,
    };
    let (name, href) = (words::name(l, &silence), format!("/silences/{id}"));
    let name = if linked { view! { <a href=href.clone()>{name}</a> }.into_any() } else { name.into_any() };
    let marked = move || soon.get().then(|| view! { <span class="chip warn">{t::ending_soon(l)}</span> });
    let heading = view! { {icon(sign)} {name} {marked} }.into_any();
    // On its own page it stands directly below the page's heading.
    let heading =
        if linked { view! { <h3>{heading}</h3> }.into_any() } else { view! { <h2>{heading}</h2> }.into_any() };
    let conditions = silence.matches.iter().map(|one| view! { <code class="chip">{one.clone()}</code> }).collect_view();
    let mut notes = Vec::new();
    if let Some(recurs) = &silence.recurs {
        notes.push(words::hours(l, recurs));
        notes.extend(silence.ends_at.map(|end| t::series_until(l, &app.clock_time(end))));
    }
    if silence.until_recovered {
        notes.push(t::until_recovered(l));
    }
    let since = app.clock_time(silence.created_at);
    notes.push(match &silence.configured {
        Some(name) => t::configured(l, name, &since),
        None => t::by(l, &silence.made_by(), &since),
    });
    let notes = notes.into_iter().map(|note| view! { <span>{note}</span> }).collect_view();
    let hid = silence.hidden;
    let hid = match (hid, linked) {
        (0, _) | (_, false) => view! { <span>{t::hid(l, hid)}</span> }.into_any(),
        _ => view! { <a href=href>{t::hid(l, hid)}</a> }.into_any(),
    };
    view! {
        <article class=format!("silence-item {}", class(silence.kind)) data-testid=format!("silence-{id}")>
            {heading}
            <p class="silence-when">{when}</p>
            <p class="silence-conditions">{conditions}</p>
            <p class="silence-reason">{silence.reason.clone()}</p>
            <p class="silence-notes">{notes} {hid}</p>
            <div class="silence-actions">{if silence.configured.is_some() && silence.ended.is_none() { elsewhere(desk) } else { buttons(desk, known).into_any() }}</div>
        </article>
    }
    .into_any()
}

/// One that stands in the configuration is changed there, and nowhere else.
fn elsewhere(desk: Desk) -> AnyView {
    let l = desk.app.l();
    view! { <p class="hint">{t::change_there(l)} " " <a href="/settings?tab=config">{t::to_configuration(l)}</a></p> }
        .into_any()
}

/// Only for one that is not over, and who may.
fn buttons(desk: Desk, known: StoredValue<Silence>) -> impl IntoView {
    let app = desk.app;
    let l = app.l();
    let open = Memo::new(move |_| {
        let standing = known.with_value(|silence| Standing::of(silence, app.now.get(), WALLS));
        may_respond(app) && !matches!(standing, Standing::Over(_))
    });
    move || {
        open.get().then(|| {
            let extend = known.with_value(|silence| silence.ends_at.is_some()).then(|| {
                view! {
                    <button type="button" class="btn small" on:click=move |_| extend(desk, known)>{t::extend(l)}</button>
                }
            });
            let change = move |_| desk.maker.change(&known.get_value());
            view! {
                {extend}
                <button type="button" class="btn small" on:click=change>{t::change(l)}</button>
                <button type="button" class="btn small danger" on:click=move |_| desk.ender.ask(known.get_value())>{t::end_now(l)}</button>
            }
        })
    }
}

fn extend(desk: Desk, known: StoredValue<Silence>) {
    let app = desk.app;
    let (path, body) =
        known.with_value(|silence| (format!("/api/v1/silences/{}", silence.id), draft::longer(silence, app.clock())));
    spawn_local(async move {
        match api::put::<Silence>(&path, &body).await {
            Ok(silence) => {
                let at = silence.ends_at.map(|end| app.clock_time(end)).unwrap_or_default();
                app.toasts.good(t::extended(app.l(), &at), None);
            }
            Err(error) => app.toasts.bad(error.sentence(app.l())),
        }
        desk.reload.try_run(());
    });
}
