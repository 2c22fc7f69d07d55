//! Short messages that come and go; errors stay until dismissed.

use leptos::prelude::*;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Good,
    Bad,
}

#[derive(Clone)]
pub(crate) struct Toast {
    pub(crate) id: u32,
    pub(crate) tone: Tone,
    pub(crate) text: String,
    /// Offered for ten seconds.
    pub(crate) undo: Option<Callback<()>>,
}

#[derive(Clone, Copy)]
pub(crate) struct Toasts {
    pub(crate) list: RwSignal<Vec<Toast>>,
    next: RwSignal<u32>,
}

const GOOD_FOR: Duration = Duration::from_secs(5);
/// Long enough to notice a slip and take it back.
const UNDO_FOR: Duration = Duration::from_secs(10);
const MOST: usize = 4;

impl Toasts {
    pub(crate) fn new() -> Self {
        Self { list: RwSignal::new(Vec::new()), next: RwSignal::new(0) }
    }

    pub(crate) fn good(self, text: String, undo: Option<Callback<()>>) {
        let shown_for = if undo.is_some() { UNDO_FOR } else { GOOD_FOR };
        let id = self.push(Tone::Good, text, undo);
        set_timeout(move || self.dismiss(id), shown_for);
    }

    pub(crate) fn bad(self, text: String) {
        self.push(Tone::Bad, text, None);
    }

    pub(crate) fn dismiss(self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }

    fn push(self, tone: Tone, text: String, undo: Option<Callback<()>>) -> u32 {
        let id = self.next.get_untracked();
        self.next.set(id + 1);
        self.list.update(|list| {
            list.push(Toast { id, tone, text, undo });
            if list.len() > MOST {
                list.remove(0);
            }
        });
        id
    }
}
