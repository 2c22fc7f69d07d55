//! The next page of a list, added below what is there.

use crate::{
    api::{self, query},
    state::{App, Remote},
    text::frame as t,
};
use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use shared::api::List;

/// Nothing when the list has no further page; `path` is the list's address, with or without a query.
pub(crate) fn more<T>(remote: Remote<List<T>>, list: &List<T>, path: &str) -> Option<AnyView>
where
    T: DeserializeOwned + Clone + Send + Sync + 'static,
{
    let app = App::here();
    let l = app.l();
    let after = list.next.clone()?;
    let sign = if path.contains('?') { '&' } else { '?' };
    let (path, items) = (format!("{path}{sign}after={}", query::encoded(&after)), list.items.clone());
    let on_click = move |_| {
        let (path, mut items) = (path.clone(), items.clone());
        spawn_local(async move {
            match api::get::<List<T>>(&path).await {
                Ok(page) => {
                    items.extend(page.items);
                    remote.set(List { items, next: page.next });
                }
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
        });
    };
    Some(view! { <button type="button" class="btn more" on:click=on_click>{t::load_more(l)}</button> }.into_any())
}
