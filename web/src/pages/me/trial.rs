//! A test, and its way to the end: queued, taken, shown, touched, each with when. The server is asked once a second.

use crate::{
    api,
    components::icon::{Icon, icon},
    format,
    state::App,
    text::me as t,
};
use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};
use shared::{
    ContactId, DeliveryReceipt, Severity, Timestamp,
    api::{DeviceChange, DeviceRow, NewTestPage, TestHop, TestPage, TestStep},
    config::Language,
};

const ASK_EVERY_MS: u32 = 1_000;
/// A sign that is not there after so many questions will not come.
const ASKED_MOST: u32 = 60;
/// Questions in a row that nobody answered, after which nobody is asked.
const UNANSWERED_MOST: u32 = 5;

/// What is tried: one contact, or one device.
#[derive(Clone)]
pub(in crate::pages) struct What {
    pub(in crate::pages) contact: Option<ContactId>,
    pub(in crate::pages) device: Option<i64>,
    /// What it is called.
    pub(in crate::pages) name: String,
    /// Who carries it, if that is known.
    pub(in crate::pages) by: Option<String>,
    /// Whether what is shown is always told, so that a silence means something.
    pub(in crate::pages) proves: bool,
}

/// How a test stands.
#[derive(Clone, Debug, PartialEq)]
enum Run {
    Idle,
    Asked,
    Way { page: TestPage, waits: bool, lost: bool },
    Failed(String),
}

/// The buttons, and below them the way of the last test. `hindrance` says why none can be sent now; `done` is called when nothing more is to come.
pub(in crate::pages) fn view(
    app: App,
    what: What,
    hindrance: impl Fn() -> Option<String> + Copy + Send + Sync + 'static,
    done: impl Fn() + Copy + Send + Sync + 'static,
) -> AnyView {
    let l = app.l();
    let run = RwSignal::new(Run::Idle);
    let busy = move || run.with(|run| matches!(run, Run::Asked | Run::Way { waits: true, .. }));
    let asked = StoredValue::new(what.clone());
    let press = move |severity: Severity| {
        move |_| {
            run.set(Run::Asked);
            spawn_local(follow(app, asked.get_value(), severity, run, done));
        }
    };
    let device = what.device;
    let answered = RwSignal::new(false);
    let heard = move |heard: bool| {
        move |_: web_sys::MouseEvent| {
            answered.set(true);
            spawn_local(say_heard(app, device, heard, done));
        }
    };
    let rings = move || {
        let shown = run.with(|run| matches!(run, Run::Way { page, .. } if was_shown(page)));
        (device.is_some() && shown && !answered.get()).then(|| {
            view! {
                <div class="rings">
                    <span><strong>{t::did_it_ring(l)}</strong> <small>{t::try_states(l)}</small></span>
                    <button type="button" class="btn small" on:click=heard(true)>{t::yes(l)}</button>
                    <button type="button" class="btn small" on:click=heard(false)>{t::no(l)}</button>
                </div>
            }
        })
    };
    let way = move || run.with(|run| asked.with_value(|what| way(app, run, what)));
    let hint = move || hindrance().map(|why| view! { <span class="muted">{why}</span> });
    view! {
        <div class="trial">
            <div class="test">
                <button type="button" class="btn small" disabled=move || busy() || hindrance().is_some() aria-label=t::test_of(l, &what.name) on:click=press(Severity::P2)>
                    {icon(Icon::Bell)}{t::test(l)}
                </button>
                <button type="button" class="btn small" disabled=move || busy() || hindrance().is_some() aria-label=t::test_p0_of(l, &what.name) on:click=press(Severity::P0)>
                    {t::test_p0(l)}
                </button>
                {hint}
            </div>
            <div role="status">{way}</div>
            {rings}
        </div>
    }
    .into_any()
}

async fn follow(app: App, what: What, severity: Severity, run: RwSignal<Run>, done: impl Fn()) {
    let wanted = NewTestPage { contact: what.contact, device: what.device, severity };
    let mut page = match api::post::<TestPage>("/api/v1/me/test-pages", &wanted).await {
        Ok(page) => page,
        Err(error) => {
            app.noticed(&error);
            drop(run.try_set(Run::Failed(error.sentence(app.l()))));
            return;
        }
    };
    let (mut asked, mut unanswered) = (0, 0);
    while !page.over && asked < ASKED_MOST && unanswered < UNANSWERED_MOST {
        if run.try_set(Run::Way { page: page.clone(), waits: true, lost: false }).is_some() {
            return; // The page was left.
        }
        TimeoutFuture::new(ASK_EVERY_MS).await;
        match api::get::<TestPage>(&format!("/api/v1/me/test-pages/{}", page.id)).await {
            Ok(newer) => (page, unanswered) = (newer, 0),
            Err(_) => unanswered += 1,
        }
        asked += 1;
        // What a channel cannot prove is not waited for as long.
        if !what.proves && asked > ASKED_MOST / 2 {
            break;
        }
    }
    let lost = unanswered >= UNANSWERED_MOST;
    if run.try_set(Run::Way { page, waits: false, lost }).is_none() {
        done();
    }
}

async fn say_heard(app: App, device: Option<i64>, heard: bool, done: impl Fn()) {
    let Some(id) = device else { return };
    let change = DeviceChange { label: None, private: None, heard: Some(heard) };
    match api::put::<DeviceRow>(&format!("/api/v1/me/devices/{id}"), &change).await {
        Ok(_) => done(),
        Err(error) => app.toasts.bad(error.sentence(app.l())),
    }
}

fn was_shown(page: &TestPage) -> bool {
    page.hops.iter().any(|hop| matches!(&hop.step, TestStep::Heard { receipt, .. } if receipt.is_shown()))
}

fn way(app: App, run: &Run, what: &What) -> AnyView {
    let l = app.l();
    let (page, waits, lost) = match run {
        Run::Idle => return ().into_any(),
        Run::Asked => return view! { <p class="muted">{t::hop_waits(l)}</p> }.into_any(),
        Run::Failed(why) => {
            return view! { <p class="bad">{t::test_failed(l, why)}</p> }.into_any();
        }
        Run::Way { page, waits, lost } => (page, *waits, *lost),
    };
    let begun = page.hops.first().map_or(Timestamp::from_ms(0), |hop| hop.at);
    let mut hops: Vec<&TestHop> = page.hops.iter().collect();
    hops.sort_by_key(|hop| hop.at);
    let items = hops.into_iter().map(|hop| {
        let (mark, class, words) = said(app, hop, what);
        let after = (hop.at > begun).then(|| format!("+{}", format::delay(l, hop.at.ms_since(begun))));
        view! { <li class=class>{icon(mark)}<span>{words}</span>{after.map(|after| view! { <small>{after}</small> })}</li> }
    });
    let items = items.collect_view();
    let end = ending(l, page, waits, lost, what.proves)
        .map(|(class, words)| view! { <li class=class>{icon(Icon::Clock)}<span>{words}</span></li> });
    view! { <ol class="hops" aria-label=t::hops(l) data-testid="hops">{items}{end}</ol> }.into_any()
}

/// What is said below the steps: that something is awaited, or that it did not come.
fn ending(l: Language, page: &TestPage, waits: bool, lost: bool, proves: bool) -> Option<(&'static str, String)> {
    if page.over {
        return None;
    }
    if waits {
        return Some(("hop waits", t::hop_waits(l)));
    }
    if lost {
        return Some(("hop bad", t::test_lost(l)));
    }
    if was_shown(page) {
        return None;
    }
    Some(if proves { ("hop bad", t::hop_silence(l)) } else { ("hop", t::hop_no_receipt(l)) })
}

fn said(app: App, hop: &TestHop, what: &What) -> (Icon, &'static str, String) {
    let l = app.l();
    match &hop.step {
        TestStep::Queued => {
            let tenth = hop.at.ms().rem_euclid(1_000) / 100;
            (Icon::Arrow, "hop", t::hop_queued(l, &format!("{}.{tenth}", app.civil(hop.at).time())))
        }
        TestStep::Taken => {
            (Icon::Check, "hop good", { t::hop_taken(l, what.by.as_ref().unwrap_or(&t::hop_provider(l))) })
        }
        TestStep::Refused { why } => (Icon::Cross, "hop bad", t::hop_refused(l, why)),
        TestStep::Heard { receipt, device } => {
            let on = device.clone().unwrap_or_else(|| t::screen(l));
            match receipt {
                DeliveryReceipt::Delivered => (Icon::Check, "hop good", t::hop_delivered(l)),
                DeliveryReceipt::Shown => (Icon::Check, "hop good", t::hop_shown(l, &on)),
                DeliveryReceipt::Opened => (Icon::Hand, "hop good", t::hop_opened(l)),
                DeliveryReceipt::Dismissed => (Icon::Hand, "hop good", t::hop_dismissed(l)),
                DeliveryReceipt::Failed { failure } => (Icon::Cross, "hop bad", t::hop_refused(l, &failure.detail)),
            }
        }
    }
}
