//! The page of one silence: what it says and what it hid.

use super::{Desk, item, notices};
use crate::{
    components::{
        page::{card, name_page},
        states::loaded,
    },
    pages::incident::incidents,
    state::{App, Remote},
    text::silences as t,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use shared::api::SilenceDetail;

pub(crate) fn page() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get("id").and_then(|id| id.parse::<i64>().ok())));
    // Another silence is another page: nothing of the last one stays.
    move || id.get().map_or_else(|| view! { <p class="page">{t::not_found(App::here().l())}</p> }.into_any(), one)
}

fn one(id: i64) -> AnyView {
    let app = App::here();
    let l = app.l();
    let title = t::numbered(l, &t::silence(l), id);
    name_page(&title);
    let detail = Remote::<SilenceDetail>::new(format!("/api/v1/silences/{id}"));
    let desk = Desk::new(app, Callback::new(move |()| detail.reload()));
    let silence = Memo::new(move |_| detail.with(|detail| detail.silence.clone()));
    let hid = Memo::new(move |_| detail.with(|detail| (detail.hid.clone(), detail.silence.hidden)));
    let told = Memo::new(move |_| {
        detail.with(|detail| (detail.silence.clone(), detail.owner.as_ref().map(|owner| owner.to_string())))
    });
    let list = move || {
        let (rows, all) = hid.get()?;
        let words = match rows.len() {
            0 => t::hid_nothing(l),
            shown if shown < all as usize => t::hid_more(l, shown, all),
            _ => String::new(),
        };
        let words = (!words.is_empty()).then(|| view! { <p class="muted">{words}</p> });
        Some(card(t::hid_title(l), view! { <div data-testid="hid">{words}{incidents(app, &rows)}</div> }.into_any()))
    };
    view! {
        <div class="page">
            <h1><a class="muted" href="/silences">{t::title(l)}</a> " / " {id}</h1>
            {loaded(title, detail, 6, |_| ().into_any())}
            {move || silence.get().map(|silence| view! { <section class="card silences">{item::item(desk, silence, false)}</section> })}
            {list}
            {move || told.get().map(|(silence, owner)| notices::told(app, &silence, owner.as_deref()))}
        </div>
        {desk.dialogs()}
    }
    .into_any()
}
