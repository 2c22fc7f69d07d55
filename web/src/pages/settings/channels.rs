//! Channels: which are set up, how each does, and the addresses that their providers are to be given.

use crate::{
    components::{copy::copy_button, page::card, states::loaded},
    pages::deliveries::health_word,
    state::{App, Remote},
    text::{charts, frame, settings as t, words},
};
use leptos::prelude::*;
use shared::{
    api::{ChannelRow, List},
    config::{ContactKind, Language},
};

pub(super) fn part(app: App) -> AnyView {
    let l = app.l();
    let channels = Remote::<List<ChannelRow>>::new("/api/v1/channels");
    let list = loaded(t::tab_channels(l), channels, 4, move |list| {
        let (configured, others): (Vec<_>, Vec<_>) = list.items.into_iter().partition(|row| row.configured);
        let others = others.into_iter().map(|row| name(l, &row.name)).collect::<Vec<_>>().join(charts::comma(l));
        let rest = (!others.is_empty()).then(|| view! { <p class="hint">{t::channels_others(l, &others)}</p> });
        let rows = configured.into_iter().map(|row| line(l, row)).collect_view();
        view! { <ul class="channels">{rows}</ul>{rest} }.into_any()
    });
    card(t::tab_channels(l), view! { <p class="hint">{t::channels_lead(l)}</p>{list} }.into_any())
}

fn line(l: Language, row: ChannelRow) -> impl IntoView {
    let health = row.health.iter().map(|it| health_word(l, it.state)).collect_view();
    let addresses = row.callback.into_iter().map(|address| {
        let copied = address.clone();
        view! { <div class="secret"><code class="mono">{address}</code>{copy_button(frame::copy(l), move || copied.clone())}</div> }
    });
    view! {
        <li data-testid=format!("channel-{}", row.name)>
            <p class="channel-head"><strong>{name(l, &row.name)}</strong>{health}</p>
            {addresses.collect_view()}
        </li>
    }
}

/// As its makers write it; a gateway is called what its administrator calls it.
fn name(l: Language, row: &str) -> String {
    let kind = ContactKind::ALL.into_iter().find(|kind| kind.as_str() == row);
    match (kind, row) {
        (Some(kind), _) => words::channel(l, kind),
        (None, "twilio") => "Twilio".to_owned(),
        (None, "aliyun") => t::aliyun(l),
        (None, "tencent") => t::tencent(l),
        (None, other) => other.to_owned(),
    }
}
