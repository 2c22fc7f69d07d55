//! Telling a stored message again: the question before it, because it may page people, and what became of it.

use super::messages;
use crate::{
    api::{self, ApiError},
    components::{
        icon::{Icon, icon},
        modal::modal,
    },
    state::App,
    text::{frame, requests as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    EventId,
    api::{Receipt, Role},
};

/// Most members of a message that are told of one by one.
const MOST: usize = 5;

/// Asks before a message is told again; one stands on each page that can, outside of what is drawn anew when messages come.
#[derive(Clone, Copy)]
pub(crate) struct Again {
    app: App,
    event: RwSignal<EventId>,
    open: RwSignal<bool>,
    busy: RwSignal<bool>,
    answer: RwSignal<Option<Result<Receipt, ApiError>>>,
}

impl Again {
    /// For those who may answer alerts.
    pub(crate) fn new(app: App) -> Option<Self> {
        (app.role() >= Role::Responder).then(|| Self {
            app,
            event: RwSignal::new(EventId::default()),
            open: RwSignal::new(false),
            busy: RwSignal::new(false),
            answer: RwSignal::new(None),
        })
    }

    pub(crate) fn button(self, event: EventId) -> AnyView {
        let l = self.app.l();
        let ask = move |_| {
            self.event.set(event);
            self.answer.set(None);
            self.open.set(true);
        };
        view! {
            <button type="button" class="btn small again" aria-label=t::again_of(l, event.0) aria-haspopup="dialog" on:click=ask>
                {icon(Icon::Undo)}{t::again(l)}
            </button>
        }
        .into_any()
    }

    pub(crate) fn dialog(self) -> AnyView {
        let l = self.app.l();
        modal(
            self.open,
            "narrow",
            move || t::again_of(l, self.event.get().0),
            move || {
                let body = move || match self.answer.get() {
                    None => self.question(),
                    Some(Ok(receipt)) => self.told(&receipt),
                    Some(Err(error)) => self.failed(&error),
                };
                view! { <div class="stack" data-testid="again">{body}</div> }.into_any()
            },
        )
    }

    fn question(self) -> AnyView {
        let l = self.app.l();
        view! {
            <p class="notice warn">{icon(Icon::Warning)}<span>{t::again_warning(l)}</span></p>
            <p class="hint">{t::again_record(l)}</p>
            {self.buttons(t::again(l))}
        }
        .into_any()
    }

    fn failed(self, error: &ApiError) -> AnyView {
        let l = self.app.l();
        let what = if *error == ApiError::Unreachable { t::again_unsure(l) } else { t::again_failed(l) };
        view! {
            <div class="notice bad" role="alert">
                {icon(Icon::Warning)}
                <div><strong>{what}</strong><p>{error.sentence(l)}</p></div>
            </div>
            {self.buttons(frame::retry(l))}
        }
        .into_any()
    }

    fn buttons(self, go: String) -> AnyView {
        let l = self.app.l();
        view! {
            <div class="form-end">
                <button type="button" class="btn" on:click=move |_| self.open.set(false)>{frame::cancel(l)}</button>
                <button type="button" class="btn primary" disabled=move || self.busy.get() on:click=move |_| self.tell()>{go}</button>
            </div>
        }
        .into_any()
    }

    fn told(self, receipt: &Receipt) -> AnyView {
        let l = self.app.l();
        let close = move |_| self.open.set(false);
        let incident = receipt.outcomes.iter().find_map(shared::timeline::Outcome::incident);
        let way = match incident {
            Some(id) => view! {
                <div class="form-end"><a class="btn primary" href=format!("/incidents/{id}") on:click=close>{t::again_went(l, id.0)}</a></div>
            }
            .into_any(),
            None => view! { <p class="muted">{t::again_nobody(l)}</p> }.into_any(),
        };
        let outcomes =
            receipt.outcomes.iter().take(MOST).map(|it| view! { <li>{messages::outcome(self.app, it)}</li> });
        let others = receipt.outcomes.len().saturating_sub(MOST);
        let others = (others > 0).then(|| view! { <li class="muted">{t::again_more(l, others)}</li> });
        view! {
            <div role="status" class="stack">
                <p class="notice good">{icon(Icon::Check)}<a href=format!("/messages?id={}", receipt.event) on:click=close>{t::again_done(l, receipt.event.0)}</a></p>
                <ul class="plain">{outcomes.collect_view()}{others}</ul>
            </div>
            {way}
        }
        .into_any()
    }

    fn tell(self) {
        let event = self.event.get_untracked();
        self.busy.set(true);
        spawn_local(async move {
            let answer = api::post::<Receipt>(&format!("/api/v1/events/{event}/replay"), &()).await;
            self.busy.try_set(false);
            // Whoever asked for another meanwhile is not told of this one.
            if self.event.try_get_untracked() == Some(event) {
                self.answer.try_set(Some(answer));
            }
        });
    }
}
