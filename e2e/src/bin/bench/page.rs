//! Row 17 of goals.md: how much the page weighs, and how long a slow phone waits for it.

use crate::{
    rows::QUIET,
    table::{self, Row, Stands},
};
use anyhow::{Context as _, Result};
use e2e::{browser::Browser, tocsin::Tocsin};
use serde::Deserialize;
use shared::api::Role;

const PASSWORD: &str = "kestrel anvil harbour 42";
const ALERTS: usize = 30;

/// What `first-content.spec.ts` says of one address: bytes, and milliseconds since the link was followed.
#[derive(Deserialize)]
struct Visit {
    bytes: f64,
    /// Anything: of an incident's link it is the card that the server writes.
    paint: f64,
    /// The frame of the application.
    application: f64,
    /// Rows of the board; the timeline of an incident.
    content: f64,
}

pub(crate) fn page() -> Result<()> {
    let mut server = Tocsin::fresh()?;
    server.start_with(&["--log", "warn"])?;
    server.apply(QUIET)?;
    server.account("chen", Role::Admin, PASSWORD)?;
    let path = format!("/ingest/{}", server.sender("page")?);
    for number in 1..=ALERTS {
        let alert = format!("[P1][PROBLEM][db-{number:02}][10.1.2.{number}][disk is full]");
        server.anybody().post(&path, &[("Content-Type", "text/plain")], alert.as_bytes())?.is(200)?;
    }
    let url = server.url("");
    let variables = [("TOCSIN_PAGE_URL", url.as_str()), ("TOCSIN_LOGIN", "chen"), ("TOCSIN_PASSWORD", PASSWORD)];
    let said = Browser::play("first-content.spec.ts", &variables)?.finish()?;
    let (board, incident) = (visit(&said, "board")?, visit(&said, "incident")?);
    let weight = board.bytes / 1_000.0;
    table::print(&[
        Row {
            number: "17",
            metric: "wasm, JS and CSS of the first load",
            measured: format!("{weight:.0} KB"),
            against: String::new(),
            must: "500 KB".to_owned(),
            moonshot: "300 KB".to_owned(),
            stands: Stands::falling(weight, 500.0, 300.0),
        },
        time("an incident by its link", &incident),
        time("the board", &board),
    ]);
    Ok(())
}

/// Judged by when there is something to read: of a link the incident itself, of the board only that it loads.
fn time(metric: &'static str, visit: &Visit) -> Row {
    Row {
        number: "17",
        metric,
        measured: format!(
            "painted {:.0} ms, application {:.0}, content {:.0}",
            visit.paint, visit.application, visit.content
        ),
        against: String::new(),
        must: "1500 ms".to_owned(),
        moonshot: "1000 ms".to_owned(),
        stands: Stands::falling(visit.paint, 1_500.0, 1_000.0),
    }
}

fn visit(said: &str, name: &str) -> Result<Visit> {
    let mark = format!("measured: {name} ");
    let line = said.lines().find_map(|line| line.split_once(&mark)).map(|(_, visit)| visit);
    let line = line.with_context(|| format!("the browser did not measure the {name}:\n{said}"))?;
    serde_json::from_str(line.trim()).with_context(|| format!("the browser measured `{line}`"))
}
