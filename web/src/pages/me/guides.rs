//! How a phone is made loud, for the system this browser runs on; the others are folded. And the contact to save.

use super::{
    agent::{self, Maker, System},
    register::{agent, has_touch},
};
use crate::{
    api,
    components::icon::{Icon, icon},
    state::App,
    text::me as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::config::Language;

const CARD: &str = "/api/v1/me/contact-card.vcf";

pub(super) fn cards(app: App) -> impl IntoView {
    let l = app.l();
    // Without a number of its own the server has no card.
    let has_card = RwSignal::new(false);
    spawn_local(async move {
        if api::get_text(CARD).await.is_ok_and(|card| !card.is_empty()) {
            has_card.try_set(true);
        }
    });
    let card = move || {
        has_card.get().then(|| {
            view! {
                <div class="contact-card">
                    <p><strong>{t::card_title(l)}</strong> <span class="hint">{t::card_hint(l)}</span></p>
                    <a class="btn" href=CARD download="tocsin.vcf" rel="external">{icon(Icon::OnCall)}{t::card_get(l)}</a>
                </div>
            }
        })
    };
    let here = agent::system(&agent(), has_touch());
    let android = matches!(here, System::Android(_));
    let maker = if let System::Android(maker) = here { Some(maker) } else { None };
    view! {
        <section class="card guides" aria-labelledby="guides-title">
            <h2 id="guides-title">{t::guides(l)}</h2>
            {card}
            <details open=here == System::Ios>
                <summary>{t::guide_ios(l)}</summary>
                <ol><li>{t::ios_home(l)}</li><li>{t::ios_focus(l)}</li><li>{t::ios_contact(l)}</li></ol>
            </details>
            <details open=android>
                <summary>{t::guide_android(l)}</summary>
                <ol>
                    <li>{t::android_install(l)}</li>
                    <li>{t::android_channel(l)}</li>
                    <li>{t::android_contact(l)}</li>
                    {batteries(l, maker)}
                </ol>
                <p class="hint">{t::china(l)}</p>
            </details>
        </section>
    }
}

/// Of the maker this phone is of, or of all of them where nobody can tell.
fn batteries(l: Language, own: Option<Maker>) -> impl IntoView {
    let wanted = Maker::ALL.into_iter().filter(|maker| own.is_none_or(|own| own == *maker));
    let lines = wanted.map(|maker| {
        let (name, way) = battery(l, maker);
        view! { <li><strong>{format!("{} · {name}", t::battery(l))}</strong> " " {way}</li> }
    });
    lines.collect_view()
}

fn battery(l: Language, maker: Maker) -> (String, String) {
    match maker {
        Maker::Xiaomi => (t::maker_xiaomi(l), t::battery_xiaomi(l)),
        Maker::Huawei => (t::maker_huawei(l), t::battery_huawei(l)),
        Maker::Oppo => (t::maker_oppo(l), t::battery_oppo(l)),
        Maker::Vivo => (t::maker_vivo(l), t::battery_vivo(l)),
        Maker::Samsung => (t::maker_samsung(l), t::battery_samsung(l)),
        Maker::Other => (t::maker_other(l), t::battery_other(l)),
    }
}
