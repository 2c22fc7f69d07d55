//! One browser's live connection: hello, what it missed, then every delta; too slow means to fetch anew.

use super::board::{Board, Frame};
use crate::hosts::{Looking, Seen};
use crate::{
    clock::{self, Stopwatch},
    http::{App, Principal},
};
use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Session};
use futures_util::StreamExt as _;
use shared::live::{BrowserMessage, LiveMessage, PING_MS, PROTOCOL, WATCHDOG_MS};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{MissedTickBehavior, interval, timeout},
};

/// A browser says hardly anything; the longest is which series are on screen.
const FRAME_MAX_BYTES: usize = 64 * 1_024;
/// A browser that takes nothing for this long is let go.
const SEND_PATIENCE: Duration = Duration::from_secs(10);
/// Its session is looked at this often; a frame never goes out on one that ended longer ago.
const SESSION_EVERY: Duration = Duration::from_secs(5);

/// Why a connection ends.
enum End {
    Left,
    SignedOut,
    TooSlow,
    BadMessage,
    Stopping,
}

/// Opens the live connection; the caller's layer has checked Origin and session.
pub async fn socket(
    request: HttpRequest,
    body: web::Payload,
    app: web::Data<App>,
    principal: Principal,
) -> actix_web::Result<HttpResponse> {
    let (response, session, stream) = actix_ws::handle(&request, body)?;
    let stream =
        stream.max_frame_size(FRAME_MAX_BYTES).aggregate_continuations().max_continuation_size(FRAME_MAX_BYTES);
    actix_web::rt::spawn(async move {
        let board = app.board.clone();
        board.joined(1);
        let connection = Connection { session: session.clone(), board: board.clone(), app, principal };
        let end = connection.serve(stream).await;
        board.joined(-1);
        let reason = match end {
            End::Left => None,
            End::SignedOut => Some(CloseReason::from(CloseCode::Policy)),
            End::TooSlow => Some(CloseReason::from(CloseCode::Again)),
            End::Stopping => Some(CloseReason::from(CloseCode::Away)),
            End::BadMessage => Some(CloseReason::from(CloseCode::Unsupported)),
        };
        // The other side may be gone already.
        drop(timeout(SEND_PATIENCE, session.close(reason)).await);
    });
    Ok(response)
}

struct Connection {
    session: Session,
    board: Arc<Board>,
    app: web::Data<App>,
    principal: Principal,
}

impl Connection {
    async fn serve(mut self, mut stream: AggregatedMessageStream) -> End {
        let hello = LiveMessage::Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seq: self.board.seq(),
            now: clock::now(),
        };
        if let Err(end) = self.say(&hello).await {
            return end;
        }
        let mut frames: Option<Receiver<Frame>> = None;
        let mut looking: Option<Looking> = None;
        let mut last_seq = 0;
        let mut ping = interval(Duration::from_millis(PING_MS.unsigned_abs()));
        let mut check = interval(SESSION_EVERY);
        for timer in [&mut ping, &mut check] {
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            timer.tick().await;
        }
        let mut heard = Stopwatch::start();
        let mut closing = self.board.closing();
        loop {
            let step = tokio::select! {
                message = stream.next() => {
                    heard = Stopwatch::start();
                    self.hear(message.transpose(), &mut frames, &mut last_seq, &mut looking).await
                }
                frame = next(&mut frames) => self.pass_on(frame, &mut last_seq).await,
                seen = seen(&mut looking) => self.show(seen).await,
                _ = ping.tick() => {
                    if heard.elapsed_ms() > WATCHDOG_MS { Err(End::Left) } else { self.say(&LiveMessage::Ping { now: clock::now() }).await }
                }
                _ = check.tick() => self.check_session().await,
                _ = closing.wait_for(|is_closed| *is_closed) => Err(End::Stopping),
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn hear(
        &mut self,
        message: Result<Option<AggregatedMessage>, actix_ws::ProtocolError>,
        frames: &mut Option<Receiver<Frame>>,
        last_seq: &mut u64,
        looking: &mut Option<Looking>,
    ) -> Result<(), End> {
        let text = match message {
            Ok(Some(AggregatedMessage::Text(text))) => text,
            Ok(Some(AggregatedMessage::Ping(bytes))) => return self.session.pong(&bytes).await.map_err(|_| End::Left),
            Ok(Some(AggregatedMessage::Pong(_))) => return Ok(()),
            Ok(Some(AggregatedMessage::Binary(_))) | Err(_) => return Err(End::BadMessage),
            Ok(Some(AggregatedMessage::Close(_)) | None) => return Err(End::Left),
        };
        match serde_json::from_str(&text) {
            Ok(BrowserMessage::Pong) => Ok(()),
            Ok(BrowserMessage::Look { hosts, host }) => {
                // What was looked at before ends after, so that a host that stays on screen keeps its pace.
                *looking = (hosts || host.is_some()).then(|| self.app.hosts.look(hosts, host));
                Ok(())
            }
            Ok(BrowserMessage::Resume { seq }) => {
                let (missed, receiver) = self.board.resume(seq);
                *frames = Some(receiver);
                *last_seq = seq;
                match missed {
                    Some(missed) => {
                        for frame in missed {
                            self.pass_on(Ok(frame), last_seq).await?;
                        }
                        Ok(())
                    }
                    None => self.resync(last_seq).await,
                }
            }
            Err(_) => Err(End::BadMessage),
        }
    }

    /// Hands a frame on as it was encoded for everybody.
    async fn pass_on(&mut self, frame: Result<Frame, RecvError>, last_seq: &mut u64) -> Result<(), End> {
        match frame {
            Ok(frame) if frame.seq <= *last_seq => Ok(()),
            Ok(frame) => {
                *last_seq = frame.seq;
                let sent = timeout(SEND_PATIENCE, self.session.text(frame.text)).await;
                sent.map_err(|_| End::TooSlow)?.map_err(|_| End::Left)
            }
            Err(RecvError::Lagged(_)) => self.resync(last_seq).await,
            Err(RecvError::Closed) => Err(End::Left),
        }
    }

    /// Hands on what is seen of hosts.
    async fn show(&mut self, seen: Seen) -> Result<(), End> {
        match seen {
            Seen::Board(text) => {
                let sent = timeout(SEND_PATIENCE, self.session.text(text)).await;
                sent.map_err(|_| End::TooSlow)?.map_err(|_| End::Left)
            }
            Seen::Host(message) => self.say(&message).await,
        }
    }

    async fn resync(&mut self, last_seq: &mut u64) -> Result<(), End> {
        let seq = self.board.seq();
        *last_seq = seq;
        self.say(&LiveMessage::Resync { seq }).await
    }

    /// Roles and sessions end while sockets are open.
    async fn check_session(&mut self) -> Result<(), End> {
        match self.principal.still_holds(&self.app).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.say(&LiveMessage::SignedOut).await?;
                Err(End::SignedOut)
            }
            // While the store does not answer, nobody is thrown out; the board shows what is in memory.
            Err(_) => Ok(()),
        }
    }

    async fn say(&mut self, message: &LiveMessage) -> Result<(), End> {
        let text = serde_json::to_string(message).map_err(|_| End::BadMessage)?;
        let sent = timeout(SEND_PATIENCE, self.session.text(text)).await;
        sent.map_err(|_| End::TooSlow)?.map_err(|_| End::Left)
    }
}

/// The next thing that is seen of hosts, once the browser has said what it looks at.
async fn seen(looking: &mut Option<Looking>) -> Seen {
    match looking {
        Some(looking) => looking.next().await,
        None => std::future::pending().await,
    }
}

/// The next frame, once the browser has said what it knows.
async fn next(frames: &mut Option<Receiver<Frame>>) -> Result<Frame, RecvError> {
    match frames {
        Some(frames) => frames.recv().await,
        None => std::future::pending().await,
    }
}
