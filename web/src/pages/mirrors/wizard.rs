//! A mirror is described on one page: how, whose traffic, where to, how long, why. The picture, the rules and the plan
//! follow what is typed; nothing is sent before somebody begins.

mod destination;
mod options;
mod outcome;
mod source;

use super::{actions::fresh_key, check, may_mirror, offline};
use crate::{
    api::{self, ApiError},
    browser::dom,
    components::{
        icon::{Icon, icon},
        page::page_head,
        painted::painted,
        states::{empty, loaded},
    },
    mirror::{
        draft::{Draft, Kind, Picked, any_can},
        findings,
        picture::{self, Scene},
    },
    state::{App, Remote},
    text::{mirror_wizard as t, mirrors, rules},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::hooks::use_query_map;
use shared::{
    BackendId, Timestamp,
    api::{IncidentMirrors, MirrorBoard, MirrorCheck, MirrorPreset, SwitchRow},
    mirror::{MirrorFinding, MirrorSource, Needs, Weight},
    net::Mac,
};
use std::{collections::BTreeSet, time::Duration};

const TYPING_PAUSE: Duration = Duration::from_millis(350);
/// An answer is asked for anew after this: where machines are, and what is free, may have changed.
const CHECK_AGAIN_MS: i64 = 20_000;

/// What the server said, and of what.
#[derive(Clone, PartialEq)]
struct Checked {
    of: Draft,
    at: Timestamp,
    said: MirrorCheck,
}

/// Everything on the page.
#[derive(Clone, Copy)]
struct Wizard {
    app: App,
    board: Remote<MirrorBoard>,
    draft: RwSignal<Draft>,
    /// Fields that somebody has been in: only there it is said at once what they lack.
    touched: RwSignal<BTreeSet<&'static str>>,
    checked: RwSignal<Option<Checked>>,
    /// Why there is no answer.
    failed: RwSignal<Option<ApiError>>,
    asking: RwSignal<bool>,
    /// The number of the newest question: older answers are dropped.
    round: StoredValue<u32>,
    /// Rises when the same is to be asked once more.
    again: RwSignal<u32>,
    /// The same for as long as the page is open: begun twice it is one mirror.
    key: StoredValue<String>,
}

impl Wizard {
    fn new(app: App, board: Remote<MirrorBoard>, draft: Draft) -> Self {
        Self {
            app,
            board,
            draft: RwSignal::new(draft),
            touched: RwSignal::new(BTreeSet::new()),
            checked: RwSignal::new(None),
            failed: RwSignal::new(None),
            asking: RwSignal::new(false),
            round: StoredValue::new(0),
            again: RwSignal::new(0),
            key: StoredValue::new(fresh_key()),
        }
    }

    fn edit(self, field: &'static str, change: impl FnOnce(&mut Draft)) {
        self.draft.update(change);
        self.touch(field);
    }

    fn touch(self, field: &'static str) {
        if self.touched.with_untracked(|touched| !touched.contains(field)) {
            self.touched.update(|touched| {
                touched.insert(field);
            });
        }
    }

    /// A part of the draft that redraws only when it changed.
    fn part<T: PartialEq + Send + Sync + 'static>(self, read: impl Fn(&Draft) -> T + Send + Sync + 'static) -> Memo<T> {
        Memo::new(move |_| self.draft.with(&read))
    }

    fn with_check<T>(self, read: impl FnOnce(&MirrorCheck) -> T) -> Option<T> {
        self.checked.with(|checked| checked.as_ref().map(|checked| read(&checked.said)))
    }

    /// The switches that may be asked: that of the source, or all while it is not known.
    fn switches(self) -> Vec<SwitchRow> {
        if let Some(switch) = self.with_check(|check| check.switch.clone()).flatten() {
            return vec![switch];
        }
        let place = self.draft.with(|draft| draft.place.clone());
        let all = self.board.with(|board| board.backends.iter().flat_map(|it| it.switches.clone()).collect::<Vec<_>>());
        let mut all = all.unwrap_or_default();
        if let Some((backend, switch)) = place {
            all.retain(|it| it.backend == backend && it.switch == switch);
        }
        all
    }

    /// The switch that is meant, as soon as there is one.
    fn place(self) -> Option<(BackendId, String)> {
        let found = self.with_check(|check| check.switch.as_ref().map(|it| (it.backend.clone(), it.switch.clone())));
        found.flatten().or_else(|| self.draft.with(|draft| draft.place.clone()))
    }

    /// Whether the switch, or any switch, can do something.
    fn can(self, what: Needs) -> Memo<bool> {
        Memo::new(move |_| any_can(&self.switches(), what))
    }

    /// What is wrong with a field or worth knowing of it, drawn below it.
    fn said(self, field: &'static str) -> AnyView {
        let l = self.app.l();
        let lines = Memo::new(move |_| {
            if !self.touched.with(|touched| touched.contains(field)) {
                return Vec::new();
            }
            if self.draft.with(|draft| draft.unread().contains(&field)) {
                let words =
                    if matches!(field, "source" | "vlan_filter") { t::not_numbers(l) } else { t::not_a_number(l) };
                return vec![(true, words)];
            }
            let of = |it: &MirrorFinding| (it.weight == Weight::Blocks, rules::finding(l, it));
            let here = |check: &MirrorCheck| {
                check.findings.iter().filter(|it| findings::is_of(&it.path, field)).map(of).collect()
            };
            self.with_check(here).unwrap_or_default()
        });
        let drawn = move || {
            let line = |(blocks, words): (bool, String)| {
                let class = if blocks { "fault" } else { "fault mild" };
                view! { <span class=class>{words}</span> }
            };
            lines.get().into_iter().map(line).collect_view()
        };
        view! { <p class="field-said" id=format!("said-{}", field.replace('.', "-")) aria-live="polite">{drawn}</p> }
            .into_any()
    }
}

/// Where what is said of a field stands.
fn said_id(field: &str) -> String {
    format!("said-{}", field.replace('.', "-"))
}

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let board = Remote::<MirrorBoard>::new("/api/v1/mirrors");
    let query = use_query_map().get_untracked();
    let asked = |name: &str| query.get(name).unwrap_or_default();
    let (incident, macs, preset) = (asked("incident"), asked("mac"), asked("preset"));
    let there = Memo::new(move |_| board.with(|_| ()).is_some());
    let form = move || {
        let usual = board.with(|board| board.limits.usual_ms)?;
        let mut draft = Draft::new(usual);
        draft.incident.clone_from(&incident);
        let addresses = macs.split(',').filter_map(|mac| mac.trim().parse::<Mac>().ok());
        draft.nics = addresses.map(|mac| Picked { mac, name: mac.to_string() }).collect();
        let wizard = Wizard::new(app, board, draft);
        if !preset.is_empty() && !incident.is_empty() {
            take_preset(wizard, incident.clone(), preset.clone(), usual);
        }
        Some(parts(wizard))
    };
    view! {
        <div class="page mirror-wizard-page">
            {page_head(t::title(l), t::lead(l), ().into_any())}
            {loaded(mirrors::title(l), board, 8, |_| ().into_any())}
            // Made once: later answers about the switches leave what is typed alone.
            {move || there.get().then(|| untrack(&form))}
        </div>
    }
}

/// What the incident's page offers, by the collector it sends to and the machine, where that is named.
fn take_preset(wizard: Wizard, incident: String, preset: String, usual_ms: i64) {
    let path = format!("/api/v1/incidents/{}/mirrors", api::query::encoded(&incident));
    spawn_local(async move {
        let named = wizard.draft.with_untracked(|draft| draft.nics.first().map(|it| it.mac));
        let is_of = |source: &MirrorSource| match source {
            MirrorSource::Nics { macs } => named.is_none_or(|mac| macs.contains(&mac)),
            MirrorSource::Vlans { .. } => named.is_none(),
        };
        let wanted = |it: &MirrorPreset| it.collector.as_str() == preset && is_of(&it.spec.source);
        if let Ok(of) = api::get::<IncidentMirrors>(&path).await
            && let Some(found) = of.presets.into_iter().find(wanted)
        {
            let mut draft = Draft::of(&found.spec, usual_ms, wizard.app.clock());
            draft.collector = Some(found.collector);
            draft.incident = incident;
            wizard.draft.try_set(draft);
        }
    });
}

fn parts(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let empty_board = wizard.board.with(|board| board.backends.is_empty()).unwrap_or(true);
    if empty_board {
        let lead = view! { <p>{mirrors::no_backends_lead(l)}</p> };
        return view! { <section class="card">{empty(mirrors::no_backends(l), lead.into_any())}</section> }.into_any();
    }
    follow(wizard);
    view! {
        <div class="mirror-wizard">
            <form class="wizard-parts" data-testid="mirror-form" on:submit=|event| event.prevent_default()>
                {section(1, t::type_title(l), kinds(wizard))}
                {section(2, t::source_title(l), source::source(wizard))}
                {section(3, t::destination_title(l), destination::destination(wizard))}
                {section(4, t::options_title(l), options::options(wizard))}
                {section(5, t::why_title(l), options::why(wizard))}
                {section(6, t::plan_title(l), outcome::outcome(wizard))}
            </form>
            {outcome::beside(wizard)}
        </div>
    }
    .into_any()
}

fn section(number: u32, title: String, body: AnyView) -> AnyView {
    let id = format!("part-{number}");
    let own = id.clone();
    view! {
        <section class="card wizard-part" aria-labelledby=id>
            <h2 id=own><b aria-hidden="true">{number}</b> {title}</h2>
            {body}
        </section>
    }
    .into_any()
}

fn kinds(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let one = |kind: Kind| {
        let (name, is) = t::kind(l, kind);
        let can = wizard.can(kind.needs());
        let chosen = wizard.part(move |draft| draft.kind == kind);
        let choose = move |_| {
            wizard.edit("transport", |draft| {
                draft.kind = kind;
                draft.collector = None;
            });
        };
        view! {
            <label class="choice-card">
                <input type="radio" name="mirror-kind" prop:checked=move || chosen.get() disabled=move || !can.get() on:change=choose/>
                <span>
                    <strong>{name}</strong>
                    <small>{move || if can.get() { is.clone() } else { t::why_not(l, kind.needs()) }}</small>
                </span>
            </label>
        }
    };
    view! { <div class="choice-cards" role="radiogroup" aria-label=t::type_title(l)>{Kind::ALL.map(one).into_iter().collect_view()}</div> }.into_any()
}

/// Asks the server what would come of it, a moment after the last key and now and then after that.
fn follow(wizard: Wizard) {
    let app = wizard.app;
    let turn = Memo::new(move |before: Option<&i64>| {
        let turn = app.now.get().ms() / CHECK_AGAIN_MS;
        // Nobody looks: what was asked for last stays.
        if dom::is_hidden() { before.copied().unwrap_or(turn) } else { turn }
    });
    Effect::new(move || {
        turn.get();
        wizard.again.track();
        let draft = wizard.draft.get();
        let round = wizard.round.get_value() + 1;
        wizard.round.set_value(round);
        if !draft.is_begun() || !draft.unread().is_empty() {
            wizard.checked.set(None);
            wizard.asking.set(false);
            return;
        }
        // The same asked once more changes nothing for whoever is about to begin.
        let is_known = wizard.checked.with_untracked(|checked| checked.as_ref().is_some_and(|it| it.of == draft));
        wizard.asking.set(!is_known);
        set_timeout(move || ask(wizard, round, draft.clone()), TYPING_PAUSE);
    });
}

fn ask(wizard: Wizard, round: u32, draft: Draft) {
    let is_newest = move || wizard.round.try_get_value() == Some(round);
    if !is_newest() {
        return;
    }
    let at = wizard.app.clock();
    let Some(spec) = draft.spec(at) else { return };
    spawn_local(async move {
        let answer = api::post::<MirrorCheck>("/api/v1/mirrors/check", &spec).await;
        if !is_newest() {
            return;
        }
        wizard.asking.set(false);
        match answer {
            Ok(said) => {
                wizard.failed.set(None);
                wizard.checked.set(Some(Checked { of: draft, at, said }));
            }
            Err(error) => {
                wizard.app.noticed(&error);
                wizard.failed.set(Some(error));
            }
        }
    });
}

/// A one-line field with its hint and what is said of it; `place` is where its text stands in the draft.
fn line(
    wizard: Wizard,
    (id, field): (&'static str, &'static str),
    label: String,
    hint: AnyView,
    can: Option<Memo<bool>>,
    place: fn(&mut Draft) -> &mut String,
) -> AnyView {
    // Out of a copy, so that one path serves for reading and for writing.
    let value = move || std::mem::take(place(&mut wizard.draft.get()));
    let is_off = move || can.is_some_and(|can| !can.get());
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id type="text" autocomplete="off" autocapitalize="off" spellcheck="false" disabled=is_off
                aria-describedby=format!("{id}-hint {}", said_id(field))
                prop:value=value
                on:input=move |event| wizard.edit(field, |draft| *place(draft) = event_target_value(&event))
                on:blur=move |_| wizard.touch(field)
            />
            {wizard.said(field)}
            <p class="hint" id=format!("{id}-hint")>{hint}</p>
        </div>
    }
    .into_any()
}

/// The picture of what is described so far.
fn drawn(wizard: Wizard) -> AnyView {
    let l = wizard.app.l();
    let scene = Memo::new(move |_| {
        let (spec, names) = wizard.draft.with(|draft| {
            let names = if draft.takes_vlans() {
                let vlans = draft.vlans.split([',', ' ', '，']).filter(|it| !it.is_empty());
                vlans.map(|vlan| format!("VLAN {vlan}")).collect()
            } else {
                draft.nics.iter().map(|it| it.name.clone()).collect::<Vec<_>>()
            };
            (draft.spec(Timestamp::from_ms(0)).unwrap_or_default(), names)
        });
        let check = wizard.with_check(Clone::clone);
        wizard.board.with(|board| Scene::of_spec(l, &spec, names, check.as_ref(), board))
    });
    let nodes = move || {
        scene.with(|scene| scene.iter().map(|it| picture::draw(l, it, "down", picture::sentence(l, it))).collect())
    };
    painted("mirror-picture", nodes, |_, _| {})
}

/// A word with a mark, for what stands in the way of beginning.
fn mild(words: String) -> AnyView {
    view! { <p class="notice warn">{icon(Icon::Warning)} <span>{words}</span></p> }.into_any()
}
