//! Charts of series in time: what is drawn is computed as data and tested without a browser, and a thin painter puts it
//! on a canvas.
//!
//! A [`Chart`](model::Chart) says what is to be seen; [`plot`] makes a picture of strokes and words of it for a size;
//! [`paint`] carries the picture out; [`view`] is the element around it, with its legend, keys and table.

pub(crate) mod axis;
pub(crate) mod cursor;
mod gesture;
pub(crate) mod line;
pub(crate) mod model;
pub(crate) mod paint;
pub(crate) mod plot;
pub(crate) mod stack;
pub(crate) mod table;
pub(crate) mod view;
