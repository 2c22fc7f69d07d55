//! What somebody types at the collector, each line to be copied.

use crate::{
    components::{copy::copy_button, page::card},
    mirror::guide::{self, What},
    text::{frame, mirrors as t},
};
use leptos::prelude::*;
use shared::{config::Language, mirror::MirrorSpec};

/// Nothing for what comes in no tunnel.
pub(super) fn guide(l: Language, spec: &MirrorSpec) -> Option<AnyView> {
    let lines = guide::lines(spec);
    if lines.is_empty() {
        return None;
    }
    let line = |line: guide::Line| {
        let what = match line.what {
            What::Tcpdump => t::guide_tcpdump(l),
            What::Wireshark => t::guide_wireshark(l),
            What::Receiver => t::guide_receiver(l),
            What::Inside => t::guide_inside(l),
        };
        let copied = line.text.clone();
        view! {
            <li>
                <p>{what}</p>
                <div class="secret"><code class="mono">{line.text}</code>{copy_button(frame::copy(l), move || copied.clone())}</div>
            </li>
        }
    };
    let lines = lines.into_iter().map(line).collect_view();
    let body =
        view! { <p class="muted">{t::guide_lead(l)}</p> <ul class="mirror-guide" data-testid="guide">{lines}</ul> };
    Some(card(t::guide(l), body.into_any()))
}
