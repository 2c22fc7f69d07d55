//! The tokens of one sender: which are taken and until when, and a new one while the old ones still are.

use super::{new, snippets};
use crate::{
    api::{self, ApiError, query},
    browser::dom,
    components::{
        field::choice,
        icon::{Icon, icon},
        time::wall,
    },
    state::{App, Remote},
    text::{requests as t, senders},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Delay, IntegrationId, Timestamp,
    api::{IntegrationRow, List, NewSenderToken, NewToken, Role},
    config::Language,
    snippets::Address,
};

/// How long the old ones may go on; a word each, as the menu has it. The server takes 90 days at most.
const OVERLAPS: [(&str, Delay); 5] = [
    ("1m", Delay::mins(1)),
    ("1h", Delay::mins(60)),
    ("1d", Delay::mins(24 * 60)),
    ("7d", Delay::mins(7 * 24 * 60)),
    ("30d", Delay::mins(30 * 24 * 60)),
];
const STAY: &str = "stay";

/// What was just made: it is shown once.
#[derive(Clone, Debug, PartialEq)]
struct Made {
    token: NewToken,
    /// Until when the old ones go on, if they end.
    old_until: Option<Timestamp>,
    had_old: bool,
}

pub(super) fn card(
    app: App,
    id: IntegrationId,
    row: Memo<Option<IntegrationRow>>,
    senders: Remote<List<IntegrationRow>>,
) -> AnyView {
    let l = app.l();
    let made = RwSignal::new(None::<Made>);
    let rows = move || row.get().map(|row| listed(l, &row));
    let form = (app.role() == Role::Admin).then(|| form(app, id, row, senders, made));
    view! {
        <section class="card stack" id="tokens" data-testid="sender-tokens">
            <div><h2>{t::tokens_title(l)}</h2><p class="hint">{t::tokens_lead(l)}</p></div>
            {rows}
            {form}
            {move || made.get().map(|made| shown(app, &made))}
        </section>
    }
    .into_any()
}

fn listed(l: Language, row: &IntegrationRow) -> AnyView {
    if row.tokens.is_empty() {
        return view! { <p class="notice warn">{icon(Icon::Warning)}{t::tokens_none(l)}</p> }.into_any();
    }
    // Two tokens may begin alike; as many of them end as are said to.
    let mut ending = row.ending.clone();
    let rows = row.tokens.iter().map(|hint| {
        let found = ending.iter().position(|it| it.hint == *hint).map(|at| ending.remove(at));
        let until = match found {
            Some(it) => view! { <span class="ends">{icon(Icon::Clock)}{until(l, it.until)}</span> }.into_any(),
            None => view! { <span class="muted">{t::token_stays(l)}</span> }.into_any(),
        };
        view! { <li><code class="mono">{format!("{hint}…")}</code>{until}</li> }
    });
    view! { <ul class="token-list">{rows.collect::<Vec<_>>()}</ul> }.into_any()
}

/// "taken until Fri 21 Nov 03:02:11".
fn until(l: Language, at: Timestamp) -> AnyView {
    let text = t::token_ends(l, "\u{1}");
    let (before, after) = text.split_once('\u{1}').unwrap_or((&text, ""));
    view! { <span>{before.to_owned()}{wall(at)}{after.to_owned()}</span> }.into_any()
}

fn form(
    app: App,
    id: IntegrationId,
    row: Memo<Option<IntegrationRow>>,
    senders: Remote<List<IntegrationRow>>,
    made: RwSignal<Option<Made>>,
) -> AnyView {
    let l = app.l();
    let chosen = RwSignal::new("1d".to_owned());
    let error = RwSignal::new(None::<ApiError>);
    let busy = RwSignal::new(false);
    let id = StoredValue::new(id);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let overlap = OVERLAPS.iter().find(|(word, _)| chosen.with_untracked(|chosen| chosen == word));
        let had_old = row.with_untracked(|row| row.as_ref().is_some_and(|row| !row.tokens.is_empty()));
        let old_until = overlap.filter(|_| had_old).map(|(_, overlap)| app.now.get_untracked().after(*overlap));
        busy.set(true);
        spawn_local(async move {
            let path = id.with_value(|id| format!("/api/v1/integrations/{}/tokens", query::encoded(id.as_str())));
            let answer = api::post::<NewToken>(&path, &NewSenderToken { old_until }).await;
            busy.try_set(false);
            match answer {
                Ok(token) => {
                    made.try_set(Some(Made { token, old_until, had_old }));
                    error.try_set(None);
                    senders.reload();
                    set_timeout(|| dom::focus("#new-token-title"), std::time::Duration::from_millis(50));
                }
                Err(failed) => drop(error.try_set(Some(failed))),
            }
        });
    };
    let options = OVERLAPS.iter().map(|(word, overlap)| ((*word).to_owned(), t::overlap_for(l, &span(l, *overlap))));
    let options: Vec<_> = options.chain([(STAY.to_owned(), t::overlap_stay(l))]).collect();
    view! {
        <form class="stack" on:submit=submit>
            <div class="row-fields">
                {choice("overlap".to_owned(), t::overlap(l), options, move || chosen.get(), move |word| chosen.set(word))}
                <button class="btn" disabled=move || busy.get()>{icon(Icon::Plus)}{t::token_new(l)}</button>
            </div>
            <p class="hint">{t::overlap_hint(l)}</p>
            <p class="bad" role="alert">{move || error.get().map(|error| error.sentence(l))}</p>
        </form>
    }
    .into_any()
}

/// A round time, without the parts that are nothing: `1 h`, and not `1 h 00`.
fn span(l: Language, delay: Delay) -> String {
    let minutes = delay.0 / 60_000;
    match (l, minutes) {
        (Language::En, 1_440..) => format!("{} d", minutes / 1_440),
        (Language::En, 60..) => format!("{} h", minutes / 60),
        (Language::En, _) => format!("{minutes} min"),
        (Language::Zh, 1_440..) => format!("{} 天", minutes / 1_440),
        (Language::Zh, 60..) => format!("{} 小时", minutes / 60),
        (Language::Zh, _) => format!("{minutes} 分钟"),
    }
}

fn shown(app: App, made: &Made) -> AnyView {
    let l = app.l();
    let url = new::address(app, &made.token);
    let old = match made.old_until {
        _ if !made.had_old => None,
        Some(until) => Some(t::old_until(l, &app.civil(until).full(l))),
        None => Some(t::old_stay(l)),
    };
    view! {
        <div class="made stack" data-testid="new-token">
            <h3 id="new-token-title" tabindex="-1">{t::token_made(l)}</h3>
            <p class="notice warn">{icon(Icon::Warning)}<span>{senders::token_once(l)} " " {old}</span></p>
            {new::secrets(&made.token.token, &url)}
            {snippets::tabs(app, Signal::stored(Address::new(&url)))}
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_overlap_is_said_without_what_is_nothing() {
        let said = OVERLAPS.map(|(_, overlap)| span(Language::En, overlap));
        assert_eq!(said, ["1 min", "1 h", "1 d", "7 d", "30 d"]);
        assert!(OVERLAPS.iter().all(|(_, overlap)| overlap.0 < Delay::mins(90 * 24 * 60).0));
    }
}
