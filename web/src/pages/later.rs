//! What nobody needs in the first second: in modules of their own, fetched once the first page is shown or as soon as
//! something of them is.

use super::{
    analytics, calendar, first_run, heartbeats, hosts,
    incident::further,
    integrations, machines, me, messages, mirrors, more, oncall, policies, routes, settings, setup,
    silences::{self, Maker},
    status, versions, why_not,
};
use crate::{
    browser::dom,
    components::{
        icon::{Icon, icon},
        page::page_head,
        states::skeleton,
    },
    frame::{self, help, palette},
    state::{App, app::Rest},
    text::frame as t,
};
use leptos::{
    prelude::*,
    task::spawn_local,
    wasm_split::{SplitLoaderError, wasm_split},
};
use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

/// What the module of pages draws.
#[derive(Clone, Copy)]
pub(crate) enum Part {
    /// What the account menu opens.
    Account,
    Analytics,
    Calendar,
    /// The steps of an empty server; with them all done, what is given.
    FirstRun(fn(App) -> AnyView),
    Heartbeats,
    /// All the keys.
    Help,
    Hypervisor,
    Integration,
    Integrations,
    Machines,
    Me,
    Messages,
    Mirror,
    Mirrors,
    More,
    NewMirror,
    Noun,
    OnCall,
    Palette,
    Policies,
    Routes,
    Settings,
    Setup,
    Silence,
    SilenceForm(StoredValue<Maker>),
    Silences,
    Status,
    Versions,
    Vm,
    WhyNot,
}

/// The only way into the module of pages: what is reached through here alone is not in the first one.
#[wasm_split(pages, wasm_split_path = leptos::wasm_split, fallible, preload(fetch_module))]
fn draw(part: Part) -> Result<AnyView, SplitLoaderError> {
    Ok(match part {
        Part::Account => frame::account(App::here()),
        Part::Analytics => analytics::page().into_any(),
        Part::Calendar => calendar::page().into_any(),
        Part::FirstRun(well) => first_run::or(App::here(), well),
        Part::Heartbeats => heartbeats::page().into_any(),
        Part::Help => help::keys(App::here()),
        Part::Hypervisor => machines::hypervisor().into_any(),
        Part::Machines => machines::page().into_any(),
        Part::Vm => machines::vm().into_any(),
        Part::Integration => integrations::one::page().into_any(),
        Part::Integrations => integrations::page().into_any(),
        Part::Me => me::page().into_any(),
        Part::Messages => messages::page().into_any(),
        Part::Mirror => mirrors::one().into_any(),
        Part::Mirrors => mirrors::page().into_any(),
        Part::NewMirror => mirrors::new().into_any(),
        Part::More => more::page().into_any(),
        Part::Noun => versions::noun().into_any(),
        Part::OnCall => oncall::page().into_any(),
        Part::Palette => palette::content(App::here()),
        Part::Policies => policies::page().into_any(),
        Part::Routes => routes::page().into_any(),
        Part::Settings => settings::page().into_any(),
        Part::Setup => setup::page().into_any(),
        Part::Silence => silences::one().into_any(),
        Part::SilenceForm(maker) => silences::form(maker.get_value()),
        Part::Silences => silences::page().into_any(),
        Part::Status => status::page().into_any(),
        Part::Versions => versions::page().into_any(),
        Part::WhyNot => why_not::page().into_any(),
    })
}

/// What the pages' module does once it is here, whatever page is shown: it listens to what is pushed, and renews what was
/// registered.
#[wasm_split(pages, wasm_split_path = leptos::wasm_split, fallible)]
fn begin(app: App) -> Result<(), SplitLoaderError> {
    me::ring::listen(app);
    spawn_local(me::start::renew(app));
    Ok(())
}

/// Begins that, if the module is here or arrives.
pub(crate) async fn begun(app: App) {
    drop(begin(app).await);
}

/// The modules there are besides the first.
#[derive(Clone, Copy)]
pub(crate) enum Module {
    /// What is measured of hosts, and charts.
    Hosts,
    /// What explains an incident, and the questions before an action.
    Incident,
    /// Every page but the first ones.
    Pages,
}

impl Module {
    const fn arrival(self, app: App) -> RwSignal<Rest> {
        match self {
            Self::Hosts => app.measured,
            Self::Incident => app.further,
            Self::Pages => app.rest,
        }
    }

    async fn arrives(self) -> bool {
        match self {
            Self::Hosts => hosts::arrives().await,
            Self::Incident => further::arrives().await,
            Self::Pages => fetch_module().await.is_ok(),
        }
    }

    /// Fetches it, unless it is here; one that did not arrive is asked for again.
    pub(crate) async fn fetch(self, app: App) {
        let arrival = self.arrival(app);
        if arrival.get_untracked() == Rest::Here {
            return;
        }
        arrival.set(Rest::Awaited);
        arrival.set(if self.arrives().await { Rest::Here } else { Rest::Missing });
    }
}

/// Something that a later module draws.
pub(crate) trait Later: Copy + Send + Sync + 'static {
    const MODULE: Module;
    /// Draws it; nothing when the module is not here.
    fn drawn(self) -> Option<AnyView>;
}

impl Later for Part {
    const MODULE: Module = Module::Pages;

    fn drawn(self) -> Option<AnyView> {
        at_once(draw(self)).and_then(Result::ok)
    }
}

/// A whole page; one that did not arrive is still a page, with a heading.
pub(crate) fn page<It: Later>(part: It) -> AnyView {
    let app = App::here();
    drawn(app, part, move || {
        let head = page_head(t::part_missing(app.l()), String::new(), ().into_any());
        view! { <div class="page">{head}{missing(app, It::MODULE)}</div> }.into_any()
    })
}

/// A part of a page that is here.
pub(crate) fn part<It: Later>(part: It) -> AnyView {
    let app = App::here();
    drawn(app, part, move || missing(app, It::MODULE))
}

/// A part that can be done without.
pub(crate) fn part_or(part: Part, otherwise: fn(App) -> AnyView) -> AnyView {
    let app = App::here();
    drawn(app, part, move || otherwise(app))
}

fn drawn<It: Later>(app: App, part: It, missing: impl Fn() -> AnyView + Send + Sync + 'static) -> AnyView {
    arriving(app, It::MODULE, Box::new(move || part.drawn()), Box::new(missing))
}

/// What is shown, if there is anything to show.
type Shown<T> = Box<dyn Fn() -> T + Send + Sync>;

fn arriving(app: App, module: Module, draw: Shown<Option<AnyView>>, missing: Shown<AnyView>) -> AnyView {
    spawn_local(module.fetch(app));
    let arrival = module.arrival(app);
    (move || match arrival.get() {
        Rest::Awaited => skeleton(6),
        // What a page reads while it is drawn must not draw it again.
        Rest::Here => untrack(&draw).unwrap_or_else(&missing),
        Rest::Missing => missing(),
    })
    .into_any()
}

/// The value of a future that has nothing to wait for, such as a call into a module that is here.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Without a connection, or when a newer server no longer has the files of this page.
fn missing(app: App, module: Module) -> AnyView {
    let l = app.l();
    view! {
        <div class="notice bad" role="alert" data-testid="part-missing">
            {icon(Icon::Warning)}
            <div><p>{t::part_missing_why(l)}</p></div>
            <button type="button" class="btn" on:click=move |_| spawn_local(module.fetch(app))>{t::retry(l)}</button>
            <button type="button" class="btn" on:click=|_| dom::reload()>{t::reload(l)}</button>
        </div>
    }
    .into_any()
}
