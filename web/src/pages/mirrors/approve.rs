//! Agreeing to somebody else's mirror: the plan and its hash are looked at first, and that hash is what is signed.

use super::{check, offline};
use crate::{
    api,
    components::modal::modal,
    state::App,
    text::{frame, mirrors as t},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{api::MirrorApproval, mirror::Mirror};

/// Opens the question.
#[derive(Clone, Copy)]
pub(super) struct Approver {
    app: App,
    about: RwSignal<Option<Mirror>>,
    open: RwSignal<bool>,
    done: Callback<()>,
}

impl Approver {
    pub(super) fn new(app: App, done: Callback<()>) -> Self {
        Self { app, about: RwSignal::new(None), open: RwSignal::new(false), done }
    }

    pub(super) fn ask(self, mirror: Mirror) {
        self.about.set(Some(mirror));
        self.open.set(true);
    }

    fn agree(self) {
        let Some((id, hash)) = self.about.with_untracked(|it| it.as_ref().map(|it| (it.id, it.plan.hash.clone())))
        else {
            return;
        };
        let (app, l) = (self.app, self.app.l());
        self.open.set(false);
        spawn_local(async move {
            match api::post::<Mirror>(&format!("/api/v1/mirrors/{id}/approve"), &MirrorApproval { hash }).await {
                Ok(_) => app.toasts.good(t::approve_done(l, id.0), None),
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
            self.done.try_run(());
        });
    }
}

pub(super) fn dialog(approver: Approver) -> AnyView {
    let app = approver.app;
    let l = app.l();
    let title =
        move || approver.about.with(|it| it.as_ref().map(|it| t::approve_title(l, it.id.0)).unwrap_or_default());
    let content = move || {
        let Some(mirror) = approver.about.get_untracked() else { return ().into_any() };
        view! {
            <div class="stack">
                <p>{t::approve_lead(l, &mirror.by.name())}</p>
                <p><q>{mirror.spec.reason.clone()}</q></p>
                {check::findings(l, &mirror.findings)}
                {check::plan(l, &mirror.plan, RwSignal::new(false))}
                <div class="form-end">
                    <button type="button" class="btn" on:click=move |_| approver.open.set(false)>{frame::cancel(l)}</button>
                    <button type="button" class="btn primary" data-testid="approve-plan" disabled=move || offline(app)
                        on:click=move |_| approver.agree()>{t::approve_plan(l, check::short(&mirror.plan.hash))}</button>
                </div>
            </div>
        }
        .into_any()
    };
    modal(approver.open, "wide", title, content)
}
