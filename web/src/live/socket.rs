//! One WebSocket with its listeners; dropping it closes it and silences it.

use super::{driver, machine::Input, read};
use shared::live::BrowserMessage;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{MessageEvent, WebSocket};

pub(super) struct Socket {
    socket: WebSocket,
    _listeners: [Closure<dyn FnMut(JsValue)>; 3],
}

impl Socket {
    pub(super) fn open() -> Option<Self> {
        let location = leptos::prelude::location();
        let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
        let socket = WebSocket::new(&format!("{scheme}://{}/api/v1/live", location.host().ok()?)).ok()?;
        let opened = Closure::new(|_: JsValue| driver::feed(Input::Opened));
        let said = Closure::new(|event: JsValue| {
            let text = event.unchecked_into::<MessageEvent>().data().as_string();
            match text.as_deref().and_then(read::message) {
                Some(message) => driver::feed(Input::Said(message)),
                None => leptos::logging::warn!("a live message could not be read"),
            }
        });
        let closed = Closure::new(|_: JsValue| driver::feed(Input::Closed));
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(said.as_ref().unchecked_ref()));
        // A failed connection raises `error` and then `close`; the second is enough.
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        Some(Self { socket, _listeners: [opened, said, closed] })
    }

    pub(super) fn send(&self, message: &BrowserMessage) {
        if let Ok(text) = serde_json::to_string(message)
            && self.socket.send_with_str(&text).is_err()
        {
            leptos::logging::warn!("the live connection refused a message");
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        drop(self.socket.close());
    }
}
