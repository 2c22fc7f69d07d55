//! Puts a picture on a canvas: sharp on every screen, in the colours of the theme.

use super::plot::{Align, Draw, Ink};
use crate::components::badge;
use leptos::prelude::{document, window};
use shared::Severity;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

const FONT: &str = "11px system-ui, -apple-system, \"Segoe UI\", \"PingFang SC\", \"Noto Sans CJK SC\", sans-serif";
/// Pixels of a canvas along one side; more is refused by browsers.
const SIDE_MAX: f64 = 8_192.0;

/// The colours of the page as it is now; read once for all pictures of a frame.
pub(crate) struct Inks {
    series: [String; 6],
    severities: [String; 5],
    rest: String,
    text: String,
    muted: String,
    rule: String,
    surface: String,
    accent: String,
}

impl Inks {
    pub(crate) fn now() -> Self {
        let style = document().document_element().and_then(|root| window().get_computed_style(&root).ok().flatten());
        let read = |name: &str| {
            let value = style.as_ref().and_then(|style| style.get_property_value(name).ok()).unwrap_or_default();
            value.trim().to_owned()
        };
        Self {
            series: [1, 2, 3, 4, 5, 6].map(|n| read(&format!("--s{n}"))),
            severities: [0, 1, 2, 3, 4].map(|n| read(&format!("--p{n}-edge"))),
            rest: read("--line-strong"),
            text: read("--text"),
            muted: read("--muted"),
            rule: read("--line"),
            surface: read("--surface"),
            accent: read("--accent"),
        }
    }

    fn of(&self, ink: Ink) -> &str {
        match ink {
            Ink::Series(n) => self.series.get(n).unwrap_or(&self.rest),
            Ink::Rest => &self.rest,
            Ink::Text => &self.text,
            Ink::Muted => &self.muted,
            Ink::Rule => &self.rule,
            Ink::Surface => &self.surface,
            Ink::Accent => &self.accent,
            Ink::Severity(severity) => &self.severities[place(severity)],
        }
    }
}

fn place(severity: Severity) -> usize {
    match badge::class(severity) {
        "p0" => 0,
        "p1" => 1,
        "p2" => 2,
        "p3" => 3,
        _ => 4,
    }
}

/// Draws a picture of `width` by `height` pixels of the page; what was there before is gone.
pub(crate) fn paint(canvas: &HtmlCanvasElement, width: f64, height: f64, inks: &Inks, picture: &[Draw]) {
    let ratio = window().device_pixel_ratio().clamp(1.0, 4.0);
    let (wide, high) = ((width * ratio).round().min(SIDE_MAX), (height * ratio).round().min(SIDE_MAX));
    let context = canvas.get_context("2d").ok().flatten().and_then(|it| it.dyn_into::<CanvasRenderingContext2d>().ok());
    // A browser without a canvas still has the legend and the table.
    let Some(context) = context else { return };
    let side = |pixels: f64| pixels.max(1.0) as u32;
    if (canvas.width(), canvas.height()) != (side(wide), side(high)) {
        canvas.set_width(side(wide));
        canvas.set_height(side(high));
    }
    drop(context.set_transform(1.0, 0.0, 0.0, 1.0, 0.0, 0.0));
    context.clear_rect(0.0, 0.0, wide, high);
    drop(context.scale(ratio, ratio));
    context.set_font(FONT);
    context.set_text_baseline("middle");
    context.set_line_join("round");
    for draw in picture {
        one(&context, inks, draw);
    }
}

fn one(context: &CanvasRenderingContext2d, inks: &Inks, draw: &Draw) {
    match draw {
        Draw::Path { points, ink, width, dash } => {
            let dashes: js_sys::Array = dash.iter().map(|length| JsValue::from_f64(*length)).collect();
            drop(context.set_line_dash(&dashes));
            context.set_stroke_style_str(inks.of(*ink));
            context.set_line_width(*width);
            trace(context, points);
            context.stroke();
        }
        Draw::Fill { points, ink, alpha } => {
            context.set_fill_style_str(inks.of(*ink));
            context.set_global_alpha(*alpha);
            trace(context, points);
            context.close_path();
            context.fill();
            context.set_global_alpha(1.0);
        }
        Draw::Rect { at: [x, y, width, height], ink, alpha } => {
            context.set_fill_style_str(inks.of(*ink));
            context.set_global_alpha(*alpha);
            context.fill_rect(*x, *y, *width, *height);
            context.set_global_alpha(1.0);
        }
        Draw::Hatch { at, ink } => hatch(context, *at, inks.of(*ink)),
        Draw::Dot { at: [x, y], ink } => {
            context.set_fill_style_str(inks.of(*ink));
            context.begin_path();
            drop(context.arc(*x, *y, 3.0, 0.0, std::f64::consts::TAU));
            context.fill();
        }
        Draw::Text { at: [x, y], text, ink, align } => {
            context.set_fill_style_str(inks.of(*ink));
            context.set_text_align(match align {
                Align::Start => "left",
                Align::Middle => "center",
                Align::End => "right",
            });
            drop(context.fill_text(text, *x, *y));
        }
    }
}

fn trace(context: &CanvasRenderingContext2d, points: &[[f64; 2]]) {
    context.begin_path();
    for (n, [x, y]) in points.iter().enumerate() {
        if n == 0 { context.move_to(*x, *y) } else { context.line_to(*x, *y) }
    }
}

fn hatch(context: &CanvasRenderingContext2d, [x, y, width, height]: [f64; 4], colour: &str) {
    context.save();
    context.begin_path();
    context.rect(x, y, width, height);
    context.clip();
    context.set_global_alpha(0.45);
    context.set_stroke_style_str(colour);
    context.set_line_width(1.0);
    drop(context.set_line_dash(&js_sys::Array::new()));
    context.begin_path();
    let mut start = -height;
    while start < width {
        context.move_to(x + start, y + height);
        context.line_to(x + start + height, y);
        start += 8.0;
    }
    context.stroke();
    context.restore();
}
