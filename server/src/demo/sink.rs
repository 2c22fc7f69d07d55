//! Where demo pages end: a receiver on the loopback that takes most of them, is slow at times, and fails now and then.

use super::dice::Dice;
use crate::entropy;
use actix_web::{
    App, HttpResponse, HttpServer,
    dev::Server,
    http::StatusCode,
    web::{self, Path},
};
use std::{io, sync::Mutex, time::Duration};

/// Of a hundred calls.
const REFUSED: u64 = 6;
const OVERLOADED: u64 = 3;
const SLOW: u64 = 10;

/// A port that is taken, and the receiver that will answer there.
pub(super) struct Bound {
    pub(super) port: u16,
    server: Server,
}

impl Bound {
    pub(super) async fn run(self) {
        if let Err(error) = self.server.await {
            tracing::warn!(%error, "the demo's receiver has stopped");
        }
    }
}

pub(super) fn bind() -> io::Result<Bound> {
    let dice = web::Data::new(Mutex::new(Dice::new(u64::from_le_bytes(entropy::bytes::<8>()))));
    let server =
        HttpServer::new(move || App::new().app_data(dice.clone()).route("/page/{who}/{contact}", web::post().to(take)))
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))?;
    let port = server.addrs().first().map_or(0, std::net::SocketAddr::port);
    Ok(Bound { port, server: server.run() })
}

enum Mood {
    Takes,
    Waits(u64),
    Fails(StatusCode),
}

async fn take(dice: web::Data<Mutex<Dice>>, to: Path<(String, String)>, body: web::Bytes) -> HttpResponse {
    let mood = {
        let dice = dice.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if dice.percent(REFUSED) {
            Mood::Fails(StatusCode::SERVICE_UNAVAILABLE)
        } else if dice.percent(OVERLOADED) {
            Mood::Fails(StatusCode::TOO_MANY_REQUESTS)
        } else if dice.percent(SLOW) {
            Mood::Waits(dice.between(500, 3_000))
        } else {
            Mood::Takes
        }
    };
    match mood {
        Mood::Fails(status) => return HttpResponse::build(status).body("the demo receiver is in a bad mood"),
        Mood::Waits(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        Mood::Takes => {}
    }
    let (who, contact) = to.into_inner();
    tracing::debug!(who, contact, bytes = body.len(), "demo page taken");
    HttpResponse::NoContent().finish()
}
