//! Drawing a stretch on the final row with the mouse; everything it does can be done with the dialog alone.

use super::{Page, ask::Ask};
use crate::calendar::{days::days, drag::dragged};
use leptos::prelude::*;
use shared::Timestamp;
use wasm_bindgen::JsCast;
use web_sys::{DomRect, Element, HtmlElement, PointerEvent};

const HOUR_MS: i64 = 3_600_000;
/// Less is a press and not a drag.
const SLIP_PX: f64 = 6.0;

/// A drag that has begun.
#[derive(Clone)]
struct Held {
    track: Element,
    strip: (Timestamp, Timestamp),
    begun: f64,
    ghost: Option<HtmlElement>,
}

pub(super) fn draggable(page: Page, strips: AnyView) -> AnyView {
    let held = StoredValue::new_local(None::<Held>);
    // The click that ends a drag is no press of the bar below it.
    let dragged_now = StoredValue::new(false);
    let down = move |event: PointerEvent| {
        dragged_now.set_value(false);
        if page.may() && event.pointer_type() == "mouse" && event.button() == 0 {
            held.set_value(hold(page, &event));
        }
    };
    let moved = move |event: PointerEvent| {
        held.update_value(|held| {
            let Some(held) = held else { return };
            if (f64::from(event.client_x()) - held.begun).abs() >= SLIP_PX && held.ghost.is_none() {
                held.ghost = ghost(&held.track);
                dragged_now.set_value(true);
            }
            held.draw(&event);
        });
    };
    let up = move |event: PointerEvent| {
        let Some(held) = held.try_update_value(Option::take).flatten() else { return };
        let Some(ghost) = &held.ghost else { return };
        ghost.remove();
        let now = page.app.clock();
        if let Some((from, until)) = held.stretch(&event).filter(|(_, until)| *until > now) {
            page.asked.ask(Ask::Cover { from: from.max(now), until, of: None });
        }
    };
    let click = move |event: web_sys::MouseEvent| {
        if dragged_now.get_value() {
            dragged_now.set_value(false);
            event.stop_propagation();
        }
    };
    view! {
        <div class="cal-hand" on:pointerdown=down on:pointermove=moved on:pointerup=up
            on:pointerleave=move |_| drop_ghost(held) on:click:capture=click>
            {strips}
        </div>
    }
    .into_any()
}

fn drop_ghost(held: StoredValue<Option<Held>, LocalStorage>) {
    if let Some(ghost) = held.try_update_value(Option::take).flatten().and_then(|held| held.ghost) {
        ghost.remove();
    }
}

fn hold(page: Page, event: &PointerEvent) -> Option<Held> {
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let track = target.closest("[data-strip]").ok()??;
    let number: usize = track.get_attribute("data-strip")?.parse().ok()?;
    let (firsts, length) = page.view.get_untracked().strips(page.at.get_untracked());
    let days = days(&page.wall(), *firsts.get(number)?, length);
    let strip = (days.first()?.from, days.last()?.until);
    Some(Held { track, strip, begun: f64::from(event.client_x()), ghost: None })
}

fn ghost(track: &Element) -> Option<HtmlElement> {
    let made = document().create_element("i").ok()?.dyn_into::<HtmlElement>().ok()?;
    made.set_class_name("cal-ghost");
    track.append_child(&made).ok()?;
    Some(made)
}

impl Held {
    fn stretch(&self, event: &PointerEvent) -> Option<(Timestamp, Timestamp)> {
        let rect: DomRect = self.track.get_bounding_client_rect();
        let place = |x: f64| (x - rect.left()) / rect.width().max(1.0);
        let day = self.strip.1.ms_since(self.strip.0) < 2 * 24 * HOUR_MS;
        let step_ms = if day { HOUR_MS / 4 } else { HOUR_MS };
        dragged(self.strip, place(self.begun), place(f64::from(event.client_x())), step_ms)
    }

    fn draw(&self, event: &PointerEvent) {
        let (Some(ghost), Some((from, until))) = (&self.ghost, self.stretch(event)) else { return };
        if let Some(span) = crate::shifts::span(from, until, self.strip) {
            drop(ghost.style().set_property("left", &format!("{:.3}%", span.left)));
            drop(ghost.style().set_property("width", &format!("{:.3}%", span.width)));
        }
    }
}
