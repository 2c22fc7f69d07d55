//! API tokens: never their text again, only what each is for and when it was last used.

use super::accounts::roles;
use crate::{
    api,
    components::{
        copy::copy_button,
        field::{Field, choice},
        page::card,
        states::{empty, loaded},
    },
    state::{App, Remote},
    text::{frame, settings as t, words},
};
use leptos::{prelude::*, task::spawn_local};
use shared::api::{List, NewApiToken, NewToken, Role, TokenRow};

pub(super) fn part(app: App) -> AnyView {
    let l = app.l();
    let tokens = Remote::<List<TokenRow>>::new("/api/v1/tokens");
    let table = loaded(t::tab_tokens(l), tokens, 3, move |list| {
        if list.items.is_empty() {
            return empty(t::no_tokens(l), ().into_any());
        }
        let rows = list.items.into_iter().map(|row| line(app, tokens, row)).collect_view();
        view! {
            <table class="table tokens">
                <thead><tr><th>{t::token_name(l)}</th><th>{t::role(l)}</th><th>{t::last_used(l)}</th><th><span class="sr">{t::revoke(l)}</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    });
    view! { {card(t::tab_tokens(l), table)}{new(app, tokens)} }.into_any()
}

fn line(app: App, tokens: Remote<List<TokenRow>>, row: TokenRow) -> impl IntoView {
    let l = app.l();
    let id = row.id;
    let revoke = move |_| {
        spawn_local(async move {
            match api::delete(&format!("/api/v1/tokens/{id}")).await {
                Ok(()) => tokens.reload(),
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
        });
    };
    let used = row
        .last_used_at
        .map_or_else(|| t::never(l), |at| t::ago(l, &shared::text::span(l, app.now.get_untracked().ms_since(at))));
    view! {
        <tr>
            <td><strong>{row.name}</strong><small class="muted mono block">{format!("{}…", row.hint)}</small></td>
            <td>{words::role(l, row.role)}</td>
            <td>{used}</td>
            <td class="end"><button type="button" class="btn small danger" on:click=revoke>{t::revoke(l)}</button></td>
        </tr>
    }
}

fn new(app: App, tokens: Remote<List<TokenRow>>) -> AnyView {
    let l = app.l();
    let name = RwSignal::new(String::new());
    let role = RwSignal::new(Role::Viewer);
    let made = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let request = NewApiToken { name: name.get_untracked(), role: role.get_untracked() };
        spawn_local(async move {
            match api::post::<NewToken>("/api/v1/tokens", &request).await {
                Ok(token) => {
                    made.set(Some(token.token));
                    name.set(String::new());
                    tokens.reload();
                }
                Err(error) => app.toasts.bad(error.sentence(l)),
            }
        });
    };
    let set_role = move |word: String| role.set(word.parse().unwrap_or(Role::Viewer));
    let shown = move || {
        made.get().map(|token| {
            let copied = token.clone();
            view! {
                <p class="hint">{t::token_once(l)}</p>
                <div class="secret"><code class="mono" data-testid="api-token">{token}</code>{copy_button(frame::copy(l), move || copied.clone())}</div>
            }
        })
    };
    let form = view! {
        <form class="stack" on:submit=submit>
            <div class="row-fields">
                {Field::text("token-name", t::token_name(l), name).view()}
                {choice("token-role".to_owned(), t::role(l), roles(l), move || role.get().as_str().to_owned(), set_role)}
                <button class="btn primary">{t::create(l)}</button>
            </div>
            <div class="stack" role="status">{shown}</div>
        </form>
    };
    card(t::new_token(l), form.into_any())
}
