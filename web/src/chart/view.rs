//! The element around a chart: legend, canvas, keys, pointers and the table behind a key.

use super::{
    cursor,
    cursor::Step,
    gesture::{Did, Gesture, Moved, Pointer},
    model::{Chart, Known},
    paint::{self, Inks},
    plot::{self, DASHES, Place, Words},
    table::{self, Kind},
};
use crate::{
    browser::{dom, watch},
    format::civil::Civil,
    state::App,
    text::charts as t,
};
use leptos::{ev, html, prelude::*};
use shared::Timestamp;
use std::sync::Arc;
use wasm_bindgen::JsCast;

/// What changes the colours or the sharpness of what was painted.
const LOOKS: [&str; 6] = [
    "(prefers-color-scheme: dark)",
    "(forced-colors: active)",
    "(min-resolution: 1.1dppx)",
    "(min-resolution: 1.4dppx)",
    "(min-resolution: 1.9dppx)",
    "(min-resolution: 2.5dppx)",
];

/// What all charts of a page have together.
#[derive(Clone, Copy)]
pub(crate) struct Together {
    pub(crate) app: App,
    /// Where somebody points, in each of them.
    pub(crate) cursor: RwSignal<Option<i64>>,
    /// The stretch that is being dragged over.
    drag: RwSignal<Option<(i64, i64)>>,
    /// The system's colours, or the pixels of the screen, changed so often.
    colours: RwSignal<u32>,
    /// A stretch was chosen; none: back to the range.
    pub(crate) zoom: Callback<Option<(i64, i64)>>,
}

impl Together {
    pub(crate) fn new(app: App, zoom: Callback<Option<(i64, i64)>>) -> Self {
        let (colours, cursor) = (RwSignal::new(0), RwSignal::new(None));
        for query in LOOKS {
            // Kept until the page is left.
            let _ = StoredValue::new_local(watch::media(query, move || {
                colours.try_update(|n| *n += 1);
            }));
        }
        // A tap elsewhere takes the cursor away, except on what moves through time itself.
        let elsewhere = window_event_listener(ev::pointerup, move |event| {
            let target = event.target().and_then(|it| it.dyn_into::<web_sys::Element>().ok());
            let keeps = target.is_some_and(|it| it.closest(".chart, [data-cursor]").is_ok_and(|it| it.is_some()));
            if !keeps && cursor.get_untracked().is_some() {
                cursor.set(None);
            }
        });
        on_cleanup(move || elsewhere.remove());
        Self { app, cursor, drag: RwSignal::new(None), colours, zoom }
    }
}

/// A chart as it is now.
pub(crate) type Shown = Memo<Option<Arc<Chart>>>;

/// One chart of a page and what belongs to it.
#[derive(Clone, Copy)]
struct Figure {
    together: Together,
    shown: Shown,
    /// What its elements are called by.
    id: StoredValue<String>,
    title: StoredValue<String>,
    as_table: RwSignal<bool>,
    /// What is said of it: as it was when it was reached, so that nobody is talked to without end.
    said: RwSignal<String>,
}

/// A chart of its own title. `seen` is told when it comes into sight and leaves it.
pub(crate) fn chart(together: Together, id: String, title: String, shown: Shown, seen: Callback<bool>) -> AnyView {
    let l = together.app.l();
    let figure = Figure {
        together,
        shown,
        id: StoredValue::new(id.clone()),
        title: StoredValue::new(title.clone()),
        as_table: RwSignal::new(false),
        said: RwSignal::new(String::new()),
    };
    let whole = NodeRef::<html::Figure>::new();
    // The whole figure is watched: its table is in sight when its picture is not there.
    Effect::new(move || {
        if let Some(element) = whole.get() {
            let _ = StoredValue::new_local(watch::sight(&element, move |is| seen.run(is)));
        }
    });
    figure.describe_when_known();
    let heading = title.clone();
    let as_table = figure.as_table;
    let switch = move || if as_table.get() { t::picture_of(l, &title) } else { t::table_of(l, &title) };
    let is_awaited = Memo::new(move |_| {
        shown.with(|chart| chart.as_ref().is_none_or(|chart| chart.known == Known::Loading)).to_string()
    });
    view! {
        <figure class="chart" id=format!("chart-{id}") data-testid=format!("chart-{id}") node_ref=whole aria-busy=move || is_awaited.get()>
            <figcaption>
                <h3>{heading}</h3>
                <button type="button" class="btn ghost small" aria-label=switch on:click=move |_| as_table.update(|it| *it = !*it)>
                    {move || if as_table.get() { t::picture(l) } else { t::table(l) }}
                </button>
            </figcaption>
            {legend(figure)}
            {picture(figure)}
            {move || as_table.get().then(|| the_table(figure))}
        </figure>
    }
    .into_any()
}

impl Figure {
    fn describe(self) {
        let l = self.together.app.l();
        let words = self.shown.with_untracked(|chart| {
            self.title.with_value(|title| {
                chart.as_ref().map_or_else(|| title.clone(), |chart| table::summary(l, title, chart))
            })
        });
        drop(self.said.try_set(format!("{words}. {}", t::keys(l))));
    }

    /// Once it is here, and again when it is of another length of time; not with each sample.
    fn describe_when_known(self) {
        let of = Memo::new(move |_| {
            self.shown.with(|chart| chart.as_ref().map(|chart| (chart.known, chart.until - chart.from)))
        });
        Effect::new(move || {
            of.get();
            self.describe();
        });
    }

    /// The table in place of the picture, or the other way round; the keys stay with it.
    fn turn(self) {
        self.as_table.update(|it| *it = !*it);
        let (id, is_table) = (self.id.get_value(), self.as_table.get_untracked());
        let to = if is_table { ".chart-table" } else { ".chart-box" };
        request_animation_frame(move || dom::focus(&format!("#chart-{id} {to}")));
    }

    fn press(self, event: &ev::KeyboardEvent) {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let Together { cursor, zoom, .. } = self.together;
        let step = self.shown.with_untracked(|chart| {
            chart.as_ref().and_then(|chart| cursor::key(chart, cursor.get_untracked(), &event.key()))
        });
        let Some(step) = step else { return };
        event.prevent_default();
        event.stop_propagation();
        match step {
            Step::To(at) => cursor.set(Some(at)),
            Step::Leave => cursor.set(None),
            Step::Zoom(from, until) => zoom.run(Some((from, until))),
            Step::Whole => zoom.run(None),
            Step::Table => self.turn(),
        }
    }
}

/// The canvas, with what keys and pointers do on it.
fn picture(figure: Figure) -> AnyView {
    let Figure { together, shown, id, title, as_table, said } = figure;
    let Together { app, cursor, .. } = together;
    let l = app.l();
    let box_ = NodeRef::<html::Div>::new();
    let (canvas, over) = (NodeRef::<html::Canvas>::new(), NodeRef::<html::Canvas>::new());
    let size = RwSignal::new((0.0, 0.0));
    measure(box_, size);
    paint_when_due(together, shown, size, canvas, over);
    let pointers = pointers(together, shown, size, box_);
    let at_cursor = move || {
        let at = cursor.get()?;
        shown.with(|chart| chart.as_ref().map(|chart| table::said_at(l, chart, at, &|at| wall(app, at))))
    };
    // It moves when the cursor does, not with the time.
    let place = Memo::new(move |_| place(shown, cursor.get()));
    let described = id.with_value(|id| format!("said-{id}"));
    view! {
        <div
            class="chart-box" node_ref=box_ tabindex="0" role="slider" hidden=move || as_table.get()
            aria-label=title.get_value() aria-describedby=described.clone() aria-orientation="horizontal"
            aria-valuemin="0" aria-valuemax="100" aria-valuenow=move || place.get().to_string() aria-valuetext=at_cursor
            on:keydown=move |event| figure.press(&event) on:focus=move |_| figure.describe()
            on:pointerdown=pointers.clone() on:pointermove=pointers.clone() on:pointerup=pointers.clone()
            on:pointercancel=pointers.clone() on:pointerleave=pointers
            on:dblclick=move |_| together.zoom.run(None)
        >
            <canvas node_ref=canvas aria-hidden="true"></canvas>
            <canvas node_ref=over aria-hidden="true"></canvas>
        </div>
        <p class="sr" id=described>{move || said.get()}</p>
    }
    .into_any()
}

fn wall(app: App, at: i64) -> Civil {
    app.civil(Timestamp::from_ms(at))
}

/// How far along a chart somebody points, of a hundred; at its end when nobody does.
fn place(shown: Shown, cursor: Option<i64>) -> i64 {
    shown.with_untracked(|chart| {
        let at = chart.as_ref().zip(cursor).map(|(chart, at)| {
            at.saturating_sub(chart.from).saturating_mul(100) / chart.until.saturating_sub(chart.from).max(1)
        });
        at.unwrap_or(100).clamp(0, 100)
    })
}

/// Follows the size of a box.
fn measure(box_: NodeRef<html::Div>, size: RwSignal<(f64, f64)>) {
    Effect::new(move || {
        let Some(element) = box_.get() else { return };
        let own = element.clone();
        let measure = move || {
            let now = (f64::from(own.client_width()), f64::from(own.client_height()));
            // A hidden box has no size; what was painted is kept.
            if now.0 > 0.0 && size.try_get_untracked().is_some_and(|before| before != now) {
                size.set(now);
            }
        };
        measure();
        // It ends with the chart.
        let _ = StoredValue::new_local(watch::size(&element, measure));
    });
}

/// Paints at most once a frame: the chart when it changed, what lies over it when somebody points.
fn paint_when_due(
    together: Together,
    shown: Shown,
    size: RwSignal<(f64, f64)>,
    canvas: NodeRef<html::Canvas>,
    over: NodeRef<html::Canvas>,
) {
    let app = together.app;
    let due = StoredValue::new(false);
    let draw = move || {
        let (Some(canvas), Some(Some(chart))) = (canvas.try_get_untracked().flatten(), shown.try_get_untracked())
        else {
            return;
        };
        let (width, height) = size.get_untracked();
        if width > 0.0 {
            with_words(app, |words| {
                paint::paint(&canvas, width, height, &Inks::now(), &plot::picture(&chart, words, width, height));
            });
        }
    };
    Effect::new(move || {
        shown.track();
        size.track();
        together.colours.track();
        app.prefs.theme.track();
        once_a_frame(due, draw);
    });
    let over_due = StoredValue::new(false);
    let draw_over = move || {
        let (Some(over), Some(Some(chart))) = (over.try_get_untracked().flatten(), shown.try_get_untracked()) else {
            return;
        };
        let (width, height) = size.get_untracked();
        let (cursor, drag) = (together.cursor.get_untracked(), together.drag.get_untracked());
        with_words(app, |words| {
            let mut all = cursor.map_or_else(Vec::new, |at| plot::cross(&chart, words, width, height, at));
            all.extend(drag.map(|drag| plot::selection(&chart, width, height, drag)));
            paint::paint(&over, width, height, &Inks::now(), &all);
        });
    };
    Effect::new(move || {
        together.cursor.track();
        together.drag.track();
        shown.track();
        size.track();
        together.colours.track();
        app.prefs.theme.track();
        once_a_frame(over_due, draw_over);
    });
}

fn once_a_frame(due: StoredValue<bool>, draw: impl Fn() + 'static) {
    if due.get_value() {
        return;
    }
    due.set_value(true);
    request_animation_frame(move || {
        // The page may be gone by then.
        if due.try_set_value(false).is_none() {
            draw();
        }
    });
}

/// What is written on charts, in the reader's language and on their wall.
pub(crate) fn with_words<R>(app: App, with: impl FnOnce(&Words<'_>) -> R) -> R {
    let l = app.l();
    let wall = |at: i64| wall(app, at);
    let stale = |at: i64| t::stale(l, &app.clock_time(Timestamp::from_ms(at)));
    let (nothing, loading, failed) = (t::nothing(l), t::loading(l), t::failed(l));
    with(&Words { l, wall: &wall, stale: &stale, nothing, loading, failed })
}

/// What pointers do: point, and drag over a stretch with the mouse or two fingers. One finger up and down scrolls the page.
fn pointers(
    together: Together,
    shown: Shown,
    size: RwSignal<(f64, f64)>,
    box_: NodeRef<html::Div>,
) -> impl Fn(ev::PointerEvent) + Clone + 'static {
    let gesture = StoredValue::new(Gesture::default());
    move |event: ev::PointerEvent| {
        let (Some(element), Some(chart)) = (box_.get_untracked(), shown.get_untracked()) else { return };
        let is_mouse = event.pointer_type() == "mouse";
        let moved = match event.type_().as_str() {
            "pointerdown" if is_mouse && event.button() != 0 => return,
            "pointerdown" => Moved::Down,
            "pointermove" => Moved::Move,
            "pointerup" => Moved::Up,
            "pointercancel" => Moved::Cancel,
            _ => Moved::Leave,
        };
        if is_mouse && moved == Moved::Down {
            drop(element.set_pointer_capture(event.pointer_id()));
        }
        let (width, height) = size.get_untracked();
        let x = f64::from(event.client_x()) - element.get_bounding_client_rect().left();
        let (y, at) = (f64::from(event.client_y()), Place::new(&chart, width, height).at(x));
        let pointer = Pointer { id: event.pointer_id(), is_mouse, x, y, at };
        let did = gesture.try_update_value(|gesture| gesture.step(moved, pointer));
        let Together { cursor, drag, zoom, .. } = together;
        match did.unwrap_or(Did::Nothing) {
            Did::Nothing => {}
            Did::Point(at) => {
                drag.set(None);
                cursor.set(cursor::snap(&chart, at));
            }
            Did::Leave => {
                drag.set(None);
                cursor.set(None);
            }
            Did::Drag(one, other) => drag.set(Some((one, other))),
            Did::Choose => {
                let dragged = drag.get_untracked();
                drag.set(None);
                if let Some(stretch) = dragged.and_then(|(one, other)| cursor::dragged(&chart, one, other)) {
                    cursor.set(None);
                    zoom.run(Some(stretch));
                }
            }
        }
    }
}

/// Each line with its stroke, its name and its value where somebody points, or the newest.
fn legend(figure: Figure) -> AnyView {
    let Figure { together, shown, .. } = figure;
    let l = together.app.l();
    let entries = Memo::new(move |_| {
        let cursor = together.cursor.get();
        shown.with(|chart| chart.as_ref().map(|chart| table::legend(l, chart, cursor))).unwrap_or_default()
    });
    let kinds =
        Memo::new(move |_| entries.with(|all| all.iter().map(|it| (it.name.clone(), it.kind)).collect::<Vec<_>>()));
    let items = move || {
        let item = |(n, (name, kind)): (usize, (String, Kind))| {
            let value = move || entries.with(|all| all.get(n).map(|it| it.value.clone()));
            let most = move || {
                let most = entries.with(|all| all.get(n).and_then(|it| it.most.clone()));
                most.map(|most| view! { " " <small>{t::most(l, &most)}</small> })
            };
            let class = match kind {
                Kind::Colour(n) => format!("s{}", n + 1),
                Kind::Rest => "rest".to_owned(),
                Kind::Most => "most".to_owned(),
            };
            let dash = match kind {
                Kind::Colour(n) => DASHES.get(n),
                _ => None,
            };
            let dash = dash.map(|dash| dash.iter().map(|it| format!("{it} ")).collect::<String>());
            view! {
                <li class=class>
                    <svg viewBox="0 0 22 8" aria-hidden="true"><path d="M0 4h22" stroke-dasharray=dash></path></svg>
                    <span>{name}</span> <b>{value}{most}</b>
                </li>
            }
        };
        kinds.get().into_iter().enumerate().map(item).collect_view()
    };
    view! { <ul class="chart-legend">{items}</ul> }.into_any()
}

/// The table; it follows what is shown, and its key leads back to the picture.
fn the_table(figure: Figure) -> AnyView {
    let Figure { together: Together { app, .. }, shown, title, .. } = figure;
    let l = app.l();
    let name = title.with_value(|title| t::table_of(l, title));
    let made =
        Memo::new(move |_| shown.with(|chart| chart.as_ref().map(|chart| table::table(l, chart, &|at| wall(app, at)))));
    let head = move || {
        let columns = made.with(|made| made.as_ref().map(|it| it.columns.clone()).unwrap_or_default());
        columns.into_iter().map(|name| view! { <th scope="col" class="num">{name}</th> }).collect_view()
    };
    let row = |(time, cells): (String, Vec<String>)| {
        let cells = cells.into_iter().map(|cell| view! { <td class="num">{cell}</td> }).collect_view();
        view! { <tr><th scope="row">{time}</th>{cells}</tr> }
    };
    let rows = move || {
        let rows = made.with(|made| made.as_ref().map(|it| it.rows.clone()).unwrap_or_default());
        rows.into_iter().map(row).collect_view()
    };
    let back = move |event: ev::KeyboardEvent| {
        let is_plain = !(event.ctrl_key() || event.meta_key() || event.alt_key());
        if is_plain && matches!(event.key().as_str(), "t" | "T" | "Escape") {
            event.prevent_default();
            event.stop_propagation();
            figure.turn();
        }
    };
    view! {
        <div class="scrolls chart-table" tabindex="0" role="region" aria-label=name on:keydown=back>
            <table>
                <thead><tr><th scope="col">{t::time(l)}</th>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// One of many small charts: no axes, no keys; what it shows is said by the link around it.
pub(crate) fn small(together: Together, shown: Shown, seen: Callback<bool>) -> AnyView {
    let box_ = NodeRef::<html::Div>::new();
    let (canvas, over) = (NodeRef::<html::Canvas>::new(), NodeRef::<html::Canvas>::new());
    let size = RwSignal::new((0.0, 0.0));
    measure(box_, size);
    Effect::new(move || {
        if let Some(element) = box_.get() {
            let _ = StoredValue::new_local(watch::sight(&element, move |is| seen.run(is)));
        }
    });
    paint_when_due(together, shown, size, canvas, over);
    view! { <div class="chart-box small" node_ref=box_><canvas node_ref=canvas aria-hidden="true"></canvas></div> }
        .into_any()
}
