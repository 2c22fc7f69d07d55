//! The element around a chart: legend, canvas, keys, pointers and the table behind a key.

use super::{
    axis, cursor,
    cursor::Step,
    model::{Chart, Shape},
    paint::{self, Inks},
    plot::{self, DASHES, Place, Words},
    table,
};
use crate::{browser::watch, format::civil::Civil, state::App, text::charts as t};
use leptos::{ev, html, prelude::*};
use shared::Timestamp;
use std::sync::Arc;

/// What all charts of a page have together.
#[derive(Clone, Copy)]
pub(crate) struct Together {
    pub(crate) app: App,
    /// Where somebody points, in each of them.
    pub(crate) cursor: RwSignal<Option<i64>>,
    /// The stretch that is being dragged over.
    drag: RwSignal<Option<(i64, i64)>>,
    /// The system's colours changed so often.
    colours: RwSignal<u32>,
    /// A stretch was chosen; none: back to the range.
    pub(crate) zoom: Callback<Option<(i64, i64)>>,
}

impl Together {
    pub(crate) fn new(app: App, zoom: Callback<Option<(i64, i64)>>) -> Self {
        let colours = RwSignal::new(0);
        for query in ["(prefers-color-scheme: dark)", "(forced-colors: active)"] {
            // Kept until the page is left.
            let _ = StoredValue::new_local(watch::media(query, move || {
                colours.try_update(|n| *n += 1);
            }));
        }
        Self { app, cursor: RwSignal::new(None), drag: RwSignal::new(None), colours, zoom }
    }
}

/// A chart as it is now.
pub(crate) type Shown = Memo<Option<Arc<Chart>>>;

/// A chart of its own title. `seen` is told when it comes into sight and leaves it.
pub(crate) fn chart(together: Together, id: String, title: String, shown: Shown, seen: Callback<bool>) -> AnyView {
    let Together { app, cursor, .. } = together;
    let l = app.l();
    let as_table = RwSignal::new(false);
    let (heading, name) = (title.clone(), title.clone());
    let summary = Memo::new(move |_| {
        shown.with(|chart| chart.as_ref().map_or_else(|| name.clone(), |chart| table::summary(l, &name, chart)))
    });
    let said = move || {
        let at = cursor.get()?;
        shown.with(|chart| chart.as_ref().map(|chart| table::said_at(l, chart, at, &|at| wall(app, at))))
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let step = shown.with_untracked(|chart| {
            chart.as_ref().and_then(|chart| cursor::key(chart, cursor.get_untracked(), &event.key()))
        });
        let Some(step) = step else { return };
        event.prevent_default();
        event.stop_propagation();
        match step {
            Step::To(at) => cursor.set(Some(at)),
            Step::Leave => cursor.set(None),
            Step::Zoom(from, until) => together.zoom.run(Some((from, until))),
            Step::Whole => together.zoom.run(None),
            Step::Table => as_table.update(|it| *it = !*it),
        }
    };
    let box_ = NodeRef::<html::Div>::new();
    let (canvas, over) = (NodeRef::<html::Canvas>::new(), NodeRef::<html::Canvas>::new());
    let size = RwSignal::new((0.0, 0.0));
    observe(box_, size, seen);
    paint_when_due(together, shown, size, canvas, over);
    let pointers = pointers(together, shown, size, box_);
    let (at, whole) = (
        move || position(shown, cursor.get()),
        move || shown.with(|it| it.as_ref().map_or(0, |it| it.instants().len())),
    );
    let table_title = title.clone();
    let switch = move || if as_table.get() { t::picture_of(l, &title) } else { t::table_of(l, &title) };
    view! {
        <figure class="chart" id=format!("chart-{id}") data-testid=format!("chart-{id}")>
            <figcaption>
                <h3>{heading}</h3>
                <button type="button" class="btn ghost small" aria-label=switch on:click=move |_| as_table.update(|it| *it = !*it)>
                    {move || if as_table.get() { t::picture(l) } else { t::table(l) }}
                </button>
            </figcaption>
            {legend(together, shown)}
            <div
                class="chart-box" node_ref=box_ tabindex="0" role="slider" hidden=move || as_table.get()
                aria-label=move || summary.get() aria-description=t::keys(l) aria-orientation="horizontal"
                aria-valuemin="0" aria-valuemax=move || whole().saturating_sub(1).to_string() aria-valuenow=move || at().to_string()
                aria-valuetext=move || said().unwrap_or_else(|| summary.get())
                on:keydown=on_key
                on:pointerdown=pointers.clone() on:pointermove=pointers.clone() on:pointerup=pointers.clone()
                on:pointercancel=pointers.clone() on:pointerleave=pointers
                on:dblclick=move |_| together.zoom.run(None)
            >
                <canvas node_ref=canvas aria-hidden="true"></canvas>
                <canvas node_ref=over aria-hidden="true"></canvas>
            </div>
            {move || as_table.get().then(|| the_table(app, shown, &table_title))}
        </figure>
    }
    .into_any()
}

fn wall(app: App, at: i64) -> Civil {
    app.civil(Timestamp::from_ms(at))
}

/// Which of its points is pointed at; the newest when none is.
fn position(shown: Shown, cursor: Option<i64>) -> usize {
    shown.with(|chart| {
        let Some(instants) = chart.as_ref().map(|chart| chart.instants()) else { return 0 };
        let last = instants.len().saturating_sub(1);
        cursor.map_or(last, |at| instants.partition_point(|it| *it < at).min(last))
    })
}

/// Follows the size of a box, and whether it is in sight.
fn observe(box_: NodeRef<html::Div>, size: RwSignal<(f64, f64)>, seen: Callback<bool>) {
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
        // Both end with the chart.
        let (sized, sighted) = (watch::size(&element, measure), watch::sight(&element, move |is| seen.run(is)));
        let _ = StoredValue::new_local((sized, sighted));
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
    with(&Words { l, wall: &wall, stale: &stale, nothing: t::nothing(l) })
}

/// What pointers do: point, and drag over a stretch with the mouse or two fingers. One finger up and down scrolls the page.
fn pointers(
    together: Together,
    shown: Shown,
    size: RwSignal<(f64, f64)>,
    box_: NodeRef<html::Div>,
) -> impl Fn(ev::PointerEvent) + Clone + 'static {
    // Where the drag began; and each finger with where it is.
    let began = StoredValue::new(None::<i64>);
    let fingers = StoredValue::new(Vec::<(i32, i64)>::new());
    move |event: ev::PointerEvent| {
        let (Some(element), Some(chart)) = (box_.get_untracked(), shown.get_untracked()) else { return };
        let (width, height) = size.get_untracked();
        let x = f64::from(event.client_x()) - element.get_bounding_client_rect().left();
        let at = Place::new(&chart, width, height).at(x);
        let is_mouse = event.pointer_type() == "mouse";
        let finish = || {
            let drag = together.drag.get_untracked();
            together.drag.set(None);
            began.set_value(None);
            if let Some(stretch) = drag.and_then(|(one, other)| cursor::dragged(&chart, one, other)) {
                together.cursor.set(None);
                together.zoom.run(Some(stretch));
            }
        };
        match event.type_().as_str() {
            "pointerdown" if is_mouse && event.button() == 0 => {
                began.set_value(Some(at));
                drop(element.set_pointer_capture(event.pointer_id()));
            }
            "pointerdown" if !is_mouse => {
                fingers.update_value(|fingers| fingers.push((event.pointer_id(), at)));
                together.cursor.set(cursor::snap(&chart, at));
            }
            "pointermove" => {
                fingers.update_value(|fingers| {
                    fingers.iter_mut().filter(|finger| finger.0 == event.pointer_id()).for_each(|finger| finger.1 = at);
                });
                if let [(_, one), (_, other)] = fingers.get_value().as_slice() {
                    together.drag.set(Some((*one, *other)));
                } else if let Some(from) = began.get_value() {
                    together.drag.set(Some((from, at)));
                } else {
                    together.cursor.set(cursor::snap(&chart, at));
                }
            }
            "pointerup" => {
                fingers.update_value(|fingers| fingers.retain(|finger| finger.0 != event.pointer_id()));
                finish();
            }
            "pointercancel" => {
                fingers.update_value(|fingers| fingers.retain(|finger| finger.0 != event.pointer_id()));
                began.set_value(None);
                together.drag.set(None);
            }
            "pointerleave" if is_mouse && began.get_value().is_none() => together.cursor.set(None),
            _ => {}
        }
    }
}

/// Each line with its stroke, its name and its value where somebody points, or the newest.
fn legend(together: Together, shown: Shown) -> AnyView {
    let l = together.app.l();
    let kinds = Memo::new(move |_| {
        shown
            .with(|chart| {
                let chart = chart.as_ref().filter(|chart| chart.shape != Shape::Heat)?;
                let line = |(n, line): (usize, &super::line::Line)| (line.name.clone(), chart.colour(n));
                Some(chart.lines.iter().enumerate().map(line).collect::<Vec<_>>())
            })
            .unwrap_or_default()
    });
    let items = move || {
        let item = |(n, (name, colour)): (usize, (String, Option<usize>))| {
            let value = move || {
                let at = together.cursor.get();
                shown.with(|chart| {
                    let chart = chart.as_ref()?;
                    let line = chart.lines.get(n)?;
                    let value = match at {
                        Some(at) => line.at(at),
                        None => line.last().map(|(_, value)| value),
                    };
                    let say = |it| axis::value(l, chart.unit, it);
                    Some(value.map_or_else(|| "–".to_owned(), |value| say(value.mean)))
                })
            };
            let class = colour.map_or_else(|| "rest".to_owned(), |n| format!("s{}", n + 1));
            let dash = colour
                .and_then(|n| DASHES.get(n))
                .map(|dash| dash.iter().map(|it| format!("{it} ")).collect::<String>());
            view! {
                <li class=class>
                    <svg viewBox="0 0 22 8" aria-hidden="true"><path d="M0 4h22" stroke-dasharray=dash></path></svg>
                    <span>{name}</span> <b>{value}</b>
                </li>
            }
        };
        kinds.get().into_iter().enumerate().map(item).collect_view()
    };
    view! { <ul class="chart-legend">{items}</ul> }.into_any()
}

fn the_table(app: App, shown: Shown, title: &str) -> AnyView {
    let l = app.l();
    let name = t::table_of(l, title);
    let made = shown.with_untracked(|chart| chart.as_ref().map(|chart| table::table(l, chart, &|at| wall(app, at))));
    let Some(made) = made else { return ().into_any() };
    let head = made.columns.into_iter().map(|name| view! { <th scope="col" class="num">{name}</th> }).collect_view();
    let row = |(time, cells): (String, Vec<String>)| {
        let cells = cells.into_iter().map(|cell| view! { <td class="num">{cell}</td> }).collect_view();
        view! { <tr><th scope="row">{time}</th>{cells}</tr> }
    };
    view! {
        <div class="scrolls chart-table" tabindex="0" role="region" aria-label=name>
            <table>
                <thead><tr><th scope="col">{t::time(l)}</th>{head}</tr></thead>
                <tbody>{made.rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// One of many small charts: no axes, no keys; what it shows is said by the link around it.
pub(crate) fn small(app: App, shown: Shown, seen: Callback<bool>) -> AnyView {
    let box_ = NodeRef::<html::Div>::new();
    let (canvas, over) = (NodeRef::<html::Canvas>::new(), NodeRef::<html::Canvas>::new());
    let size = RwSignal::new((0.0, 0.0));
    observe(box_, size, seen);
    let together = Together {
        app,
        cursor: RwSignal::new(None),
        drag: RwSignal::new(None),
        colours: RwSignal::new(0),
        zoom: Callback::new(|_| ()),
    };
    paint_when_due(together, shown, size, canvas, over);
    view! { <div class="chart-box small" node_ref=box_><canvas node_ref=canvas aria-hidden="true"></canvas></div> }
        .into_any()
}
