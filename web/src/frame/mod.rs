//! The frame around every page: rail, top bar, banners, palette, help, and the routes within.

mod banner;
mod connection;
pub(crate) mod help;
mod keys;
mod menu;
pub(crate) mod nav;
pub(crate) mod palette;
mod top;

pub(crate) use menu::{account, appearance, device, way_out};

use crate::{
    pages::{
        self, hosts,
        later::{Part, page as later},
    },
    state::App,
    text::frame as t,
};
use leptos::prelude::*;
use leptos_router::{
    components::{FlatRoutes, Route},
    path,
};

pub(crate) fn frame() -> impl IntoView {
    let app = App::here();
    keys::listen(app);
    view! {
        <a class="skip" href="#content" on:click=|_| crate::browser::dom::focus("#content")>{t::skip(app.l())}</a>
        <div class="frame">
            {nav::rail(app)}
            <div class="column">
                {top::top(app)}
                {banner::banners(app)}
                // A long page without a link in it is scrolled with the keyboard all the same.
                <main id="content" tabindex="0">{routes()}</main>
            </div>
            {nav::bottom_bar(app)}
        </div>
        {palette::palette(app)}
        {help::help(app)}
    }
}

fn routes() -> impl IntoView {
    view! {
        <FlatRoutes fallback=pages::missing::page>
            <Route path=path!("/") view=shown(|| pages::board::page().into_any())/>
            <Route path=path!("/signin") view=shown(|| pages::signin::done().into_any())/>
            <Route path=path!("/setup") view=shown(|| pages::signin::done().into_any())/>
            <Route path=path!("/incidents/:id") view=shown(|| pages::incident::page().into_any())/>
            <Route path=path!("/oncall") view=shown(|| later(Part::OnCall))/>
            <Route path=path!("/silences") view=shown(|| later(Part::Silences))/>
            <Route path=path!("/silences/:id") view=shown(|| later(Part::Silence))/>
            <Route path=path!("/oncall/:schedule") view=shown(|| later(Part::Calendar))/>
            <Route path=path!("/policies") view=shown(|| later(Part::Policies))/>
            <Route path=path!("/routes") view=shown(|| later(Part::Routes))/>
            <Route path=path!("/heartbeats") view=shown(|| later(Part::Heartbeats))/>
            <Route path=path!("/hosts") view=shown(|| later(hosts::Part::Board))/>
            <Route path=path!("/hosts/one") view=shown(|| later(hosts::Part::One))/>
            <Route path=path!("/hosts/rules") view=shown(|| later(hosts::Part::Rules))/>
            <Route path=path!("/deliveries") view=shown(|| later(hosts::Part::Deliveries))/>
            <Route path=path!("/machines") view=shown(|| later(Part::Machines))/>
            <Route path=path!("/machines/vm") view=shown(|| later(Part::Vm))/>
            <Route path=path!("/machines/hypervisor") view=shown(|| later(Part::Hypervisor))/>
            <Route path=path!("/mirrors") view=shown(|| later(Part::Mirrors))/>
            <Route path=path!("/mirrors/new") view=shown(|| later(Part::NewMirror))/>
            <Route path=path!("/mirrors/:id") view=shown(|| later(Part::Mirror))/>
            <Route path=path!("/integrations") view=shown(|| later(Part::Integrations))/>
            <Route path=path!("/integrations/:id") view=shown(|| later(Part::Integration))/>
            <Route path=path!("/messages") view=shown(|| later(Part::Messages))/>
            <Route path=path!("/me") view=shown(|| later(Part::Me))/>
            <Route path=path!("/settings") view=shown(|| later(Part::Settings))/>
            <Route path=path!("/analytics") view=shown(|| later(Part::Analytics))/>
            <Route path=path!("/status") view=shown(|| later(Part::Status))/>
            <Route path=path!("/versions") view=shown(|| later(Part::Versions))/>
            <Route path=path!("/versions/:kind/:id") view=shown(|| later(Part::Noun))/>
            <Route path=path!("/why-not") view=shown(|| later(Part::WhyNot))/>
            <Route path=path!("/more") view=shown(|| later(Part::More))/>
        </FlatRoutes>
    }
}

/// What a route shows, of one type for all of them: the router is compiled anew for each.
fn shown(page: fn() -> AnyView) -> impl Fn() -> AnyView + Copy + Send + 'static {
    move || page()
}
