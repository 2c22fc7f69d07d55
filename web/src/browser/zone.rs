//! Time zones: the browser's `Intl` knows every offset, so none is compiled in.

use crate::{format::civil::Civil, order::sorted};
use js_sys::{Array, Function, Object, Reflect};
use std::{cell::RefCell, collections::HashMap};
use wasm_bindgen::{JsCast, JsValue};

thread_local! {
    /// One formatter a zone: making one takes longer than a hundred uses.
    static FORMATTERS: RefCell<HashMap<String, Option<Function>>> = RefCell::new(HashMap::new());
}

/// The wall clock of a zone (an IANA name, or empty for the browser's own) at an instant.
pub(crate) fn civil(zone: &str, at_ms: i64) -> Civil {
    let text = FORMATTERS.with_borrow_mut(|formatters| {
        let format = formatters.entry(zone.to_owned()).or_insert_with(|| formatter(zone)).as_ref()?;
        format.call1(&JsValue::UNDEFINED, &JsValue::from_f64(at_ms as f64)).ok()?.as_string()
    });
    text.as_deref().and_then(Civil::parse).unwrap_or_else(|| Civil::from_ms(at_ms))
}

/// The instant of a wall-clock time in a zone; one that does not exist is moved by the gap.
pub(crate) fn instant(zone: &str, wall: Civil) -> i64 {
    wall.instant(&|at_ms| civil(zone, at_ms))
}

/// The browser's own zone.
pub(crate) fn own() -> String {
    let text = || -> Option<String> {
        let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
        let class: Function = Reflect::get(&intl, &"DateTimeFormat".into()).ok()?.dyn_into().ok()?;
        let format = Reflect::construct(&class, &Array::new()).ok()?;
        let resolve: Function = Reflect::get(&format, &"resolvedOptions".into()).ok()?.dyn_into().ok()?;
        let options = resolve.call0(&format).ok()?;
        Reflect::get(&options, &"timeZone".into()).ok()?.as_string()
    };
    text().unwrap_or_else(|| "UTC".to_owned())
}

/// Every zone the browser knows, for choosing one.
pub(crate) fn all() -> Vec<String> {
    let names = || -> Option<Array> {
        let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
        let list: Function = Reflect::get(&intl, &"supportedValuesOf".into()).ok()?.dyn_into().ok()?;
        list.call1(&intl, &"timeZone".into()).ok()?.dyn_into().ok()
    };
    let mut zones: Vec<String> =
        names().map(|list| list.iter().filter_map(|v| v.as_string()).collect()).unwrap_or_default();
    zones.push("UTC".to_owned());
    let mut zones = sorted(zones, Ord::cmp);
    zones.dedup();
    zones
}

fn formatter(zone: &str) -> Option<Function> {
    let options = Object::new();
    let set = |key: &str, value: &str| Reflect::set(&options, &key.into(), &value.into()).is_ok();
    let mut complete = true;
    for key in ["month", "day", "hour", "minute", "second"] {
        complete &= set(key, "2-digit");
    }
    complete &= set("year", "numeric") && set("hourCycle", "h23");
    if !zone.is_empty() {
        complete &= set("timeZone", zone);
    }
    if !complete {
        return None;
    }
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let class: Function = Reflect::get(&intl, &"DateTimeFormat".into()).ok()?.dyn_into().ok()?;
    // Sweden writes 2026-11-21 03:02:11: the only order a program should have to read.
    let format = Reflect::construct(&class, &Array::of2(&"sv-SE".into(), &options)).ok()?;
    Reflect::get(&format, &"format".into()).ok()?.dyn_into().ok()
}
