//! What of hosts is on screen: said to the server when it changes and on each connection, and who hears the answers.

use super::driver;
use shared::live::BrowserMessage;
use std::{cell::RefCell, rc::Rc};

type Hears = Rc<dyn Fn(&str)>;

#[derive(Default)]
struct Eye {
    /// Of the page that looks; another page's is another.
    page: u32,
    said: Option<BrowserMessage>,
    hears: Option<Hears>,
}

thread_local! {
    static EYE: RefCell<Eye> = RefCell::new(Eye::default());
}

/// A page begins to look; it alone hears what is measured, as text, until it ends or another one begins.
pub(crate) fn begin(hears: impl Fn(&str) + 'static) -> u32 {
    EYE.with_borrow_mut(|eye| {
        *eye = Eye { page: eye.page + 1, said: None, hears: Some(Rc::new(hears)) };
        eye.page
    })
}

/// Says what it looks at, if that changed.
pub(crate) fn at(page: u32, message: BrowserMessage) {
    let is_new = EYE.with_borrow_mut(|eye| {
        let is_new = eye.page == page && eye.said.as_ref() != Some(&message);
        if is_new {
            eye.said = Some(message.clone());
        }
        is_new
    });
    if is_new {
        driver::say(&message);
    }
}

/// The page was left.
pub(crate) fn end(page: u32) {
    let looked = EYE.with_borrow_mut(|eye| {
        let is_own = eye.page == page;
        if is_own {
            eye.hears = None;
        }
        is_own && eye.said.take().is_some()
    });
    if looked {
        driver::say(&BrowserMessage::Look { hosts: false, host: None });
    }
}

/// What is looked at now, for a server that does not know it yet.
pub(super) fn said() -> Option<BrowserMessage> {
    EYE.with_borrow(|eye| eye.said.clone())
}

pub(super) fn heard(text: &str) {
    // Not while it is borrowed: who hears may look at something else.
    let hears = EYE.with_borrow(|eye| eye.hears.clone());
    if let Some(hears) = hears {
        hears(text);
    }
}
