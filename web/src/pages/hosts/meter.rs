//! A value as a bar with its number: how full, how busy.

use crate::chart::axis;
use leptos::prelude::*;
use shared::{config::Language, host::Unit};

/// Of a hundred; empty and a dash where nothing is known.
pub(super) fn meter(percent: Option<f64>, words: String) -> AnyView {
    let width = percent.map_or(0.0, |it| it.clamp(0.0, 100.0));
    let class = match percent {
        Some(it) if it >= 90.0 => "meter most",
        Some(it) if it >= 75.0 => "meter much",
        _ => "meter",
    };
    view! { <span class=class><i style:width=format!("{width:.1}%")></i><b>{words}</b></span> }.into_any()
}

/// Of a hundred, said as such.
pub(super) fn percent(l: Language, value: Option<f32>) -> AnyView {
    let value = value.map(f64::from);
    meter(value, value.map_or_else(|| "–".to_owned(), |it| axis::value(l, Unit::Percent, it.round())))
}

/// A value of a unit, or a dash.
pub(super) fn number(l: Language, unit: Unit, value: Option<f32>) -> String {
    value.map_or_else(|| "–".to_owned(), |it| axis::value(l, unit, f64::from(it)))
}

/// Parts of a whole side by side: class and share of a hundred.
pub(super) fn parts(of: Vec<(&'static str, f64)>) -> AnyView {
    let part = |(class, share): (&'static str, f64)| {
        view! { <i class=class style:width=format!("{:.2}%", share.clamp(0.0, 100.0))></i> }
    };
    view! { <span class="parts" aria-hidden="true">{of.into_iter().map(part).collect_view()}</span> }.into_any()
}
