//! The frame around every page: rail, top bar, banners, palette, help, and the routes within.

mod banner;
mod connection;
mod help;
mod keys;
mod menu;
pub(crate) mod nav;
mod palette;
mod top;

pub(crate) use menu::{appearance, sign_out};

use crate::{
    pages::{
        self,
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
            <Route path=path!("/") view=pages::board::page/>
            <Route path=path!("/signin") view=pages::signin::done/>
            <Route path=path!("/setup") view=pages::signin::done/>
            <Route path=path!("/incidents/:id") view=pages::incident::page/>
            <Route path=path!("/oncall") view=|| later(Part::OnCall)/>
            <Route path=path!("/silences") view=|| later(Part::Silences)/>
            <Route path=path!("/silences/:id") view=|| later(Part::Silence)/>
            <Route path=path!("/oncall/:schedule") view=|| later(Part::Calendar)/>
            <Route path=path!("/policies") view=|| later(Part::Policies)/>
            <Route path=path!("/routes") view=|| later(Part::Routes)/>
            <Route path=path!("/heartbeats") view=|| later(Part::Heartbeats)/>
            <Route path=path!("/integrations") view=|| later(Part::Integrations)/>
            <Route path=path!("/messages") view=|| later(Part::Messages)/>
            <Route path=path!("/settings") view=|| later(Part::Settings)/>
            <Route path=path!("/analytics") view=|| later(Part::Analytics)/>
            <Route path=path!("/status") view=|| later(Part::Status)/>
            <Route path=path!("/versions") view=|| later(Part::Versions)/>
            <Route path=path!("/versions/:kind/:id") view=|| later(Part::Noun)/>
            <Route path=path!("/why-not") view=|| later(Part::WhyNot)/>
            <Route path=path!("/more") view=|| later(Part::More)/>
        </FlatRoutes>
    }
}
