//! From when, until when, and in which hours.

use super::{
    WALLS,
    form::{Maker, line},
    words,
};
use crate::{
    browser::zone,
    components::field::{choice, segments},
    format::civil::Civil,
    silence::draft::{End, How},
    text::{incident, silences as t},
};
use leptos::prelude::*;

const DAY_MS: i64 = 86_400_000;

pub(super) fn fields(maker: Maker) -> AnyView {
    let l = maker.app.l();
    // One that has begun is not begun anew.
    let begun = maker.draft.with_untracked(|draft| draft.id.is_some() && !draft.later);
    let how = segments(
        t::how(l),
        vec![("once", t::once(l)), ("recovered", t::recovered(l)), ("recurring", t::recurring(l))],
        move || match maker.draft.with(|draft| draft.how) {
            How::Once => "once",
            How::UntilRecovered => "recovered",
            How::Recurring => "recurring",
        },
        move |word| {
            let how = match word {
                "once" => How::Once,
                "recovered" => How::UntilRecovered,
                _ => How::Recurring,
            };
            maker.edit("ends_at", |draft| draft.choose(how));
        },
    );
    let chosen = Memo::new(move |_| maker.draft.with(|draft| draft.how));
    let of_how = move || match chosen.get() {
        How::Once => ().into_any(),
        How::UntilRecovered => view! { <p class="hint">{t::recovered_hint(l)}</p> }.into_any(),
        How::Recurring => hours(maker),
    };
    view! {
        <div class="field"><p class="label" aria-hidden="true">{t::how(l)}</p>{how}</div>
        {of_how}
        {(!begun).then(|| start(maker))}
        {end(maker)}
    }
    .into_any()
}

fn start(maker: Maker) -> AnyView {
    let l = maker.app.l();
    let later = Memo::new(move |_| maker.draft.with(|draft| draft.later));
    let when = segments(
        t::start(l),
        vec![("now", t::start_now(l)), ("later", t::start_later(l))],
        move || if later.get() { "later" } else { "now" },
        move |word| maker.edit("starts_at", |draft| draft.later = word == "later"),
    );
    let field = move || {
        later.get().then(|| {
            line(maker, ("silence-start", "starts_at"), "datetime-local", t::start_at(l), String::new(), |draft| {
                &mut draft.start
            })
        })
    };
    view! { <div class="field"><p class="label" aria-hidden="true">{t::start(l)}</p>{when}</div> {field} }.into_any()
}

fn end(maker: Maker) -> AnyView {
    let app = maker.app;
    let l = app.l();
    let chips = [
        (End::After(1), t::hours(l, 1)),
        (End::After(4), t::hours(l, 4)),
        (End::Morning, incident::snooze_morning(l)),
        (End::After(24), t::day(l)),
        (End::After(7 * 24), t::week(l)),
        (End::At, t::custom(l)),
        (End::Open, t::open(l)),
    ];
    let chip = |(end, name): (End, String)| {
        let is_chosen = move || maker.draft.with(|draft| draft.end == end);
        // Only what ends by itself can do without.
        let hidden = move || end == End::Open && maker.draft.with(|draft| draft.how == How::Once);
        view! {
            <button type="button" class="chip" hidden=hidden aria-pressed=move || is_chosen().to_string()
                on:click=move |_| maker.edit("ends_at", |draft| draft.end = end)>{name}</button>
        }
    };
    let label = move || {
        let once = maker.draft.with(|draft| draft.how == How::Once);
        if once { t::end(l) } else { t::end_latest(l) }
    };
    let typed = Memo::new(move |_| maker.draft.with(|draft| draft.end == End::At));
    let field = move || {
        typed.get().then(|| {
            line(maker, ("silence-until", "ends_at"), "datetime-local", t::end_at(l), String::new(), |draft| {
                &mut draft.until
            })
        })
    };
    let until = move || {
        let zone = app.prefs.zone.get_untracked();
        let ends =
            maker.draft.with(|draft| draft.ends_at(&zone, app.now.get(), WALLS).filter(|_| draft.end != End::At));
        ends.map(|at| t::quiet_until(l, &app.clock_time(at)))
    };
    view! {
        <div class="field">
            <p class="label" id="silence-end-label">{label}</p>
            <div class="chips" role="group" aria-labelledby="silence-end-label">{chips.map(chip).collect_view()}</div>
            <p class="hint">{until}</p>
            {move || (!typed.get()).then(|| maker.fault("ends_at"))}
        </div>
        {field}
    }
    .into_any()
}

fn hours(maker: Maker) -> AnyView {
    let l = maker.app.l();
    if let Some(kept) = maker.draft.with_untracked(|draft| draft.kept.clone()) {
        return view! { <p class="hint">{t::kept(l, &words::hours(l, &kept))}</p> }.into_any();
    }
    let day = |place: usize| {
        // The fifth of January 1970 was a Monday.
        let name = Civil::from_ms((place as i64 + 4) * DAY_MS).weekday_name(l);
        view! {
            <button type="button" class="chip" aria-pressed=move || maker.draft.with(|draft| draft.days[place]).to_string()
                on:click=move |_| maker.edit("recurs", |draft| draft.days[place] = !draft.days[place])>{name}</button>
        }
    };
    let zones = zone::all().into_iter().map(|name| (name.clone(), name)).collect();
    let own = maker.draft.with_untracked(|draft| draft.zone.clone());
    view! {
        <div class="field">
            <p class="label" aria-hidden="true">{t::days(l)}</p>
            <div class="chips" role="group" aria-label=t::days(l)>{(0..7).map(day).collect_view()}</div>
        </div>
        <div class="row-fields">
            {line(maker, ("silence-from", "recurs"), "time", t::from(l), String::new(), |draft| &mut draft.from)}
            {line(maker, ("silence-to", "recurs"), "time", t::to(l), String::new(), |draft| &mut draft.to)}
            {choice("silence-zone".to_owned(), t::zone(l), zones, move || own.clone(), move |zone| maker.edit("recurs", |draft| draft.zone = zone))}
        </div>
        {maker.fault("recurs")}
    }
    .into_any()
}
