//! A tone, for a tab that rings. Browsers play nothing before somebody pressed something in the page.

use leptos::prelude::window_event_listener_untyped;
use std::cell::RefCell;
use web_sys::{AudioContext, AudioContextState};

thread_local! {
    static CONTEXT: RefCell<Option<AudioContext>> = const { RefCell::new(None) };
}

/// High, low, high, low: seconds from the start and hertz.
const NOTES: [(f64, f32); 6] = [(0.0, 880.0), (0.22, 660.0), (0.44, 880.0), (0.66, 660.0), (0.88, 880.0), (1.1, 660.0)];
const NOTE_S: f64 = 0.18;
const LOUD: f32 = 0.35;

/// Waits for the first press or key; after it tones can be played.
pub(crate) fn unlock_by_gesture() {
    for event in ["pointerdown", "keydown"] {
        std::mem::forget(window_event_listener_untyped(event, |_| unlock()));
    }
}

fn unlock() {
    CONTEXT.with_borrow_mut(|context| {
        if context.is_none() {
            *context = AudioContext::new().ok();
        }
        if let Some(context) = context.as_ref().filter(|it| it.state() != AudioContextState::Running) {
            drop(context.resume());
        }
    });
}

/// Whether somebody pressed something, so that a tone would be heard.
pub(crate) fn is_unlocked() -> bool {
    CONTEXT.with_borrow(Option::is_some)
}

/// Plays it once, for a little more than a second; nothing where the browser does not let us.
pub(crate) fn play() {
    CONTEXT.with_borrow(|context| {
        if let Some(context) = context {
            for (after, hertz) in NOTES {
                drop(note(context, context.current_time() + after, hertz));
            }
        }
    });
}

fn note(context: &AudioContext, at: f64, hertz: f32) -> Result<(), wasm_bindgen::JsValue> {
    let (voice, gain) = (context.create_oscillator()?, context.create_gain()?);
    voice.frequency().set_value(hertz);
    // Without a soft begin and end it clicks.
    gain.gain().set_value_at_time(0.0, at)?;
    gain.gain().linear_ramp_to_value_at_time(LOUD, at + 0.01)?;
    gain.gain().linear_ramp_to_value_at_time(0.0, at + NOTE_S)?;
    voice.connect_with_audio_node(&gain)?;
    gain.connect_with_audio_node(&context.destination())?;
    voice.start_with_when(at)?;
    voice.stop_with_when(at + NOTE_S + 0.02)
}
