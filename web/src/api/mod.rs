//! Requests to the server: typed answers, and errors that say what to do.

mod client;
mod error;
pub(crate) mod json;
pub(crate) mod query;

pub(crate) use client::{delete, get, get_text, post, post_raw, put, put_seen, read, send_action};
pub(crate) use error::ApiError;
