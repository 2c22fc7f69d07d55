//! The form of a silence: what, from when, until when, why; and beside it what that would keep quiet.

use super::{WALLS, form_when, preview, words};
use crate::{
    api::{self, ApiError},
    browser::dom,
    components::{field::segments, modal::modal},
    pages::later::{self, Part},
    silence::draft::{Draft, offers},
    state::App,
    text::{frame, silences as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{Silence, SilenceKind, api::IncidentRow, config::Language};

/// Opens the form; one of these stands on each page that can set a silence.
#[derive(Clone, Copy)]
pub(crate) struct Maker {
    pub(super) app: App,
    pub(super) draft: RwSignal<Draft>,
    /// Why it was not set.
    error: RwSignal<Option<ApiError>>,
    /// Why the conditions could not be tried; they are while they are typed.
    pub(super) unread: RwSignal<Option<ApiError>>,
    open: RwSignal<bool>,
    /// Conditions to choose from.
    offers: RwSignal<Vec<String>>,
    /// Called once it was set.
    done: Option<Callback<()>>,
}

impl Maker {
    pub(crate) fn new(app: App, done: Option<Callback<()>>) -> Self {
        let draft = Draft::new(&app.prefs.zone.get_untracked(), app.clock(), WALLS);
        Self {
            app,
            draft: RwSignal::new(draft),
            error: RwSignal::new(None),
            unread: RwSignal::new(None),
            open: RwSignal::new(false),
            offers: RwSignal::new(Vec::new()),
            done,
        }
    }

    /// A new one, with conditions to choose from; all but what it was sent by are taken at first.
    pub(crate) fn open(self, offers: Vec<String>) {
        let mut draft = Draft::new(&self.app.prefs.zone.get_untracked(), self.app.clock(), WALLS);
        for offer in offers.iter().filter(|offer| !offer.starts_with("integration=")) {
            draft.toggle(offer);
        }
        self.show(draft, offers);
    }

    pub(crate) fn about(self, row: &IncidentRow) {
        self.open(offers(row));
    }

    pub(super) fn change(self, silence: &Silence) {
        self.show(Draft::of(silence, &self.app.prefs.zone.get_untracked(), self.app.clock(), WALLS), Vec::new());
    }

    fn show(self, draft: Draft, offers: Vec<String>) {
        self.draft.set(draft);
        self.error.set(None);
        self.unread.set(None);
        self.offers.set(offers);
        self.open.set(true);
    }

    /// Changes a field; what was wrong with it is forgotten.
    pub(super) fn edit(self, field: &'static str, change: impl FnOnce(&mut Draft)) {
        self.draft.update(change);
        if self.error.with_untracked(Option::is_some) {
            self.error.update(|error| forget(error, field));
        }
    }

    /// What the server said of a field, drawn below it.
    pub(super) fn fault(self, field: &'static str) -> AnyView {
        let l = self.app.l();
        // Conditions are tried more often than they are sent.
        let said = if field == "match" { self.unread } else { self.error };
        let words = move || said.with(|error| error.as_ref().map(|error| faults(l, error, field).join(" ")));
        view! { <p class="fault" id=format!("fault-{field}") aria-live="polite">{words}</p> }.into_any()
    }

    fn save(self) {
        let app = self.app;
        let l = app.l();
        let zone = app.prefs.zone.get_untracked();
        let (id, request) = self.draft.with_untracked(|draft| (draft.id, draft.request(&zone, app.clock(), WALLS)));
        spawn_local(async move {
            let answer = match id {
                Some(id) => api::put::<Silence>(&format!("/api/v1/silences/{id}"), &request).await,
                None => api::post::<Silence>("/api/v1/silences", &request).await,
            };
            match answer {
                Ok(silence) => {
                    self.open.try_set(false);
                    app.toasts.good(t::created(l, &words::name(l, &silence)), None);
                    if let Some(done) = self.done {
                        done.try_run(());
                    }
                }
                Err(error) => {
                    app.noticed(&error);
                    self.unread.try_set(Some(error.clone()));
                    self.error.try_set(Some(error));
                }
            }
        });
    }
}

/// The fields that have a place of their own for what is wrong with them.
const FIELDS: [&str; 5] = ["match", "starts_at", "ends_at", "recurs", "reason"];

fn is_part(path: &str, field: &str) -> bool {
    path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn forget(error: &mut Option<ApiError>, field: &str) {
    let Some(ApiError::Problem(problem)) = error else { return };
    problem.findings.retain(|finding| !is_part(&finding.path, field));
    if problem.findings.is_empty() {
        *error = None;
    }
}

/// Everything that is wrong with a field or a part of it.
fn faults(l: Language, error: &ApiError, field: &str) -> Vec<String> {
    let findings = error.findings();
    if findings.is_empty() {
        return error.field().filter(|path| is_part(path, field)).map(|_| error.detail(l)).into_iter().collect();
    }
    findings.into_iter().filter(|finding| is_part(&finding.path, field)).map(|finding| finding.message).collect()
}

pub(crate) fn dialog(maker: Maker) -> AnyView {
    let l = maker.app.l();
    let title = move || {
        maker.draft.with_untracked(|draft| match draft.id {
            Some(id) => t::change_title(l, &t::numbered(l, &words::kind(l, draft.kind), id.0)),
            None => t::new(l),
        })
    };
    let kept = StoredValue::new(maker);
    modal(maker.open, "wide", title, move || later::part(Part::SilenceForm(kept)))
}

/// What stands in the dialog.
pub(crate) fn form(maker: Maker) -> AnyView {
    let l = maker.app.l();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        maker.save();
    };
    // What belongs to none of the fields.
    let rest = move || {
        maker.error.with(|error| {
            let error = error.as_ref().filter(|error| FIELDS.iter().all(|field| faults(l, error, field).is_empty()))?;
            Some(view! { <p class="notice bad">{error.sentence(l)}</p> })
        })
    };
    let kind = segments(
        t::kind(l),
        vec![("silence", t::silence(l)), ("maintenance", t::maintenance(l))],
        move || maker.draft.with(|draft| crate::silence::class(draft.kind)),
        move |word| {
            let kind = if word == "silence" { SilenceKind::Silence } else { SilenceKind::Maintenance };
            maker.edit("kind", |draft| draft.kind = kind);
        },
    );
    // The browser itself sees `autofocus` only when the dialog opens, and this may have been fetched after that.
    Effect::new(|_| dom::focus("#silence-match"));
    let is_new = maker.draft.with_untracked(|draft| draft.id.is_none());
    let end = if is_new { t::create(l) } else { frame::save(l) };
    view! {
        <form class="silence-form" data-testid="silence-form" on:submit=submit>
            <div class="stack">
                {kind}
                {conditions(maker)}
                {form_when::fields(maker)}
                {line(maker, ("silence-reason", "reason"), "text", t::reason(l), t::reason_hint(l), |draft| &mut draft.reason)}
            </div>
            {preview::preview(maker)}
            <div class="silence-form-end">
                <div role="alert">{rest}</div>
                <div class="form-end">
                    <button type="button" class="btn" on:click=move |_| maker.open.set(false)>{frame::cancel(l)}</button>
                    <button class="btn primary" data-testid="silence-save">{end}</button>
                </div>
            </div>
        </form>
    }
    .into_any()
}

fn conditions(maker: Maker) -> AnyView {
    let l = maker.app.l();
    let offers = maker.offers.get_untracked();
    let chips = (!offers.is_empty()).then(|| {
        let chip = |offer: String| {
            let (own, shown) = (offer.clone(), offer.clone());
            view! {
                <button type="button" class="chip mono" aria-pressed=move || maker.draft.with(|draft| draft.has(&own)).to_string()
                    on:click=move |_| maker.edit("match", |draft| draft.toggle(&offer))>{shown}</button>
            }
        };
        view! { <div class="chips offers" role="group" aria-label=t::offers(l)>{offers.into_iter().map(chip).collect_view()}</div> }
    });
    view! {
        <div class="field">
            <label for="silence-match">{t::conditions(l)}</label>
            <textarea
                id="silence-match" class="code" rows="3" spellcheck="false" autocapitalize="off" autofocus required
                aria-describedby="silence-match-hint fault-match"
                prop:value=move || maker.draft.with(|draft| draft.conditions.clone())
                on:input=move |event| maker.edit("match", |draft| draft.conditions = event_target_value(&event))
            ></textarea>
            {maker.fault("match")}
            {chips}
            <p class="hint" id="silence-match-hint">{t::conditions_hint(l)}</p>
        </div>
    }
    .into_any()
}

/// A one-line field, with its hint and its fault; `place` is where its text stands in the draft.
pub(super) fn line(
    maker: Maker,
    (id, field): (&'static str, &'static str),
    kind: &'static str,
    label: String,
    hint: String,
    place: fn(&mut Draft) -> &mut String,
) -> AnyView {
    // Out of a copy, so that one path serves for reading and for writing.
    let value = move || std::mem::take(place(&mut maker.draft.get()));
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input
                id=id type=kind autocomplete="off" required aria-describedby=format!("fault-{field} {id}-hint")
                prop:value=value on:input=move |event| maker.edit(field, |draft| *place(draft) = event_target_value(&event))
            />
            // Hours have one place for all of them.
            {(field != "recurs").then(|| maker.fault(field))}
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=format!("{id}-hint")>{hint}</p> })}
        </div>
    }
    .into_any()
}
