//! What is said between a sender of mail and us.

use super::{super::door::Guest, message};
use crate::{
    auth::{keyring::Unfit, token},
    clock,
    http::App,
    ingest::{Posted, arrived},
    telemetry,
};
use actix_web::web;
use engine::normalize::mail::MAIL;
use message::Letter;
use shared::IntegrationId;
use smtp_proto::{
    Error, Request,
    request::receiver::{DataReceiver, RequestReceiver},
};
use std::{io, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::{sleep, timeout},
};

/// The largest message, in bytes; what is attached to an alert is small.
pub(super) const SIZE_MAX: usize = 4 << 20;
const READ_BYTES: usize = 16 << 10;
/// Recipients of one message.
const RECIPIENTS_MAX: usize = 32;
/// Messages of one connection.
const MESSAGES_MAX: usize = 256;
/// Whoever makes more mistakes than these does not speak with us.
const FAULTS_MAX: usize = 16;
/// Whoever says nothing for so long is hung up on.
const SILENT: Duration = Duration::from_secs(120);
const NAME: &str = "tocsin";
/// Who sends that gives no address.
const NOBODY: &str = "unknown";
/// Whoever does not listen for so long is hung up on.
const UNHEARD: Duration = Duration::from_secs(30);

/// Why a conversation is over.
pub(super) enum Ended<Stream> {
    Over,
    /// It goes on encrypted.
    Encrypt(Stream),
}

/// What comes next after a command.
enum Next {
    Command,
    Data,
    Encrypt,
    Over,
}

pub(super) struct Session {
    guest: Guest,
    app: web::Data<App>,
    /// Whether STARTTLS is offered.
    may_encrypt: bool,
    greeted: bool,
    /// The reverse-path, once it was named; a bounce has none.
    from: Option<String>,
    to: Vec<IntegrationId>,
    /// Recipients that were named, known or not.
    named: usize,
    messages: usize,
    faults: usize,
}

impl Session {
    pub(super) fn new(guest: Guest, app: web::Data<App>, may_encrypt: bool) -> Self {
        let (greeted, from, to) = (false, None, Vec::new());
        Self { guest, app, may_encrypt, greeted, from, to, named: 0, messages: 0, faults: 0 }
    }

    /// When its place is needed by others.
    pub(super) async fn needed(&self) {
        self.guest.slot.needed().await;
    }

    /// Talks until one of both has enough.
    pub(super) async fn talk<Stream>(&mut self, mut stream: Stream, is_first: bool) -> io::Result<Ended<Stream>>
    where
        Stream: AsyncRead + AsyncWrite + Unpin,
    {
        if is_first {
            say(&mut stream, &format!("220 {NAME} ESMTP\r\n")).await?;
        } else {
            (self.may_encrypt, self.greeted) = (false, false);
            self.forget();
        }
        let mut commands = RequestReceiver::default();
        let mut data: Option<(DataReceiver, Vec<u8>, bool)> = None;
        let mut bytes = vec![0; READ_BYTES];
        loop {
            let read = tokio::select! {
                () = self.guest.stop.asked() => None,
                () = self.guest.slot.needed() => None,
                () = sleep(SILENT) => None,
                read = stream.read(&mut bytes) => Some(read?),
            };
            let Some(count) = read else {
                say(&mut stream, &format!("421 {NAME} closes the connection; try again\r\n")).await?;
                return Ok(Ended::Over);
            };
            if count == 0 || !self.guest.senders.may_speak(self.guest.ip) {
                return Ok(Ended::Over);
            }
            self.guest.slot.heard();
            let mut rest = bytes.get(..count).unwrap_or_default().iter();
            loop {
                if let Some((receiver, held, is_too_large)) = &mut data {
                    let is_whole = receiver.ingest(&mut rest, held);
                    if held.len() > SIZE_MAX {
                        // The rest is passed over.
                        (*is_too_large, *held) = (true, Vec::new());
                    }
                    if !is_whole {
                        break;
                    }
                    let answer = if *is_too_large { self.too_large() } else { self.deliver(held).await };
                    data = None;
                    self.forget();
                    say(&mut stream, &answer).await?;
                    continue;
                }
                let request = match commands.ingest(&mut rest) {
                    Err(Error::NeedsMoreData { .. }) => break,
                    request => request,
                };
                let is_too_long = matches!(request, Err(Error::ResponseTooLong));
                let (answer, next) = match request {
                    Ok(request) => self.answer(request).await,
                    Err(error) => self.misunderstood(&error),
                };
                say(&mut stream, &answer).await?;
                match next {
                    Next::Command if self.faults > FAULTS_MAX || is_too_long => {
                        say(&mut stream, &format!("421 {NAME} has enough of this\r\n")).await?;
                        return Ok(Ended::Over);
                    }
                    Next::Command => {}
                    Next::Data => data = Some((DataReceiver::new(), Vec::new(), false)),
                    // What was said behind it was not encrypted, and does not count.
                    Next::Encrypt => return Ok(Ended::Encrypt(stream)),
                    Next::Over => return Ok(Ended::Over),
                }
            }
        }
    }

    fn forget(&mut self) {
        (self.from, self.named) = (None, 0);
        self.to.clear();
    }

    fn misunderstood(&mut self, error: &Error) -> (String, Next) {
        if matches!(error, Error::InvalidSenderAddress) && self.greeted && self.from.is_none() {
            // `MAIL FROM:<nagios>`. It is not answered, so it need be no address.
            self.from = Some(NOBODY.to_owned());
            return ("250 OK\r\n".to_owned(), Next::Command);
        }
        self.faults += 1;
        let answer = match error {
            Error::UnknownCommand => "500 There is no such command",
            Error::ResponseTooLong => "500 The line is too long",
            Error::InvalidRecipientAddress => "501 This is no recipient's address",
            Error::InvalidParameter { .. } | Error::UnsupportedParameter { .. } => {
                "555 This parameter is not known here"
            }
            _ => "501 This is not how the command is written",
        };
        (format!("{answer}\r\n"), Next::Command)
    }

    async fn answer(&mut self, request: Request<std::borrow::Cow<'_, str>>) -> (String, Next) {
        let line = |text: &str| format!("{text}\r\n");
        let (answer, next) = match request {
            Request::Ehlo { .. } => {
                self.greeted = true;
                self.forget();
                let encrypt = if self.may_encrypt { "250-STARTTLS\r\n" } else { "" };
                let answer = format!(
                    "250-{NAME}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n{encrypt}250 SIZE {SIZE_MAX}\r\n"
                );
                (answer, Next::Command)
            }
            Request::Helo { .. } => {
                self.greeted = true;
                self.forget();
                (line("250 tocsin"), Next::Command)
            }
            Request::Mail { .. } if !self.greeted => (line("503 Say EHLO first"), Next::Command),
            Request::Mail { .. } if self.from.is_some() => (line("503 There is a sender already"), Next::Command),
            Request::Mail { .. } if self.messages >= MESSAGES_MAX => {
                (line("421 Too many messages; connect again"), Next::Over)
            }
            Request::Mail { from } if from.size > SIZE_MAX => (self.too_large(), Next::Command),
            Request::Mail { from } => {
                self.from = Some(from.address.into_owned());
                (line("250 OK"), Next::Command)
            }
            Request::Rcpt { .. } if self.from.is_none() => (line("503 Say MAIL first"), Next::Command),
            Request::Rcpt { .. } if self.named >= RECIPIENTS_MAX => (line("452 Too many recipients"), Next::Command),
            Request::Rcpt { to } => (line(&self.recipient(&to.address).await), Next::Command),
            Request::Data if self.to.is_empty() => (line("554 There is no recipient"), Next::Command),
            Request::Data => (line("354 Go on; end with a dot"), Next::Data),
            Request::Rset => {
                self.forget();
                (line("250 OK"), Next::Command)
            }
            Request::Noop { .. } => (line("250 OK"), Next::Command),
            Request::Vrfy { .. } => (line("252 Try it"), Next::Command),
            Request::Quit => (line("221 Bye"), Next::Over),
            Request::StartTls if self.may_encrypt => (line("220 Go on"), Next::Encrypt),
            _ => {
                self.faults += 1;
                (line("502 This command is not offered"), Next::Command)
            }
        };
        (answer, next)
    }

    /// Whose address it is: `TOKEN@…` or `NAME+TOKEN@…`.
    async fn recipient(&mut self, address: &str) -> String {
        self.named += 1;
        let Some((local, domain)) = address.rsplit_once('@') else {
            return self.refused("550 There is no such mailbox");
        };
        let domains = self.guest.senders.terms().domains;
        if !domains.is_empty() && !domains.iter().any(|known| known.eq_ignore_ascii_case(domain)) {
            return self.refused("550 Mail for this domain is not taken here");
        }
        let token = local.rsplit('+').next().unwrap_or(local);
        let found = self.app.keyring.find_integration(token, &self.app.readers, clock::now()).await;
        let integration = match found {
            Ok(integration) => integration,
            Err(unfit) => {
                telemetry::refused("token");
                return self.refused(match unfit {
                    Unfit::Unknown => "550 There is no such mailbox",
                    Unfit::Expired => "550 This address has ended; another one took its place",
                });
            }
        };
        let settings = self.app.runtime.config().integrations.get(&integration).map(|it| it.signature.is_some());
        if settings == Some(true) {
            telemetry::refused("signature");
            return self.refused("550 This integration takes signed messages only, which mail is not");
        }
        if !self.to.contains(&integration) {
            self.to.push(integration);
        }
        "250 OK".to_owned()
    }

    fn refused(&mut self, answer: &str) -> String {
        self.faults += 1;
        answer.to_owned()
    }

    fn too_large(&self) -> String {
        telemetry::mailed("too_large", 1);
        format!("552 A message has at most {SIZE_MAX} bytes\r\n")
    }

    /// Stores a message for each of its recipients; what is stored already is a repetition when it comes again.
    async fn deliver(&mut self, raw: &[u8]) -> String {
        self.messages += 1;
        let Letter { mail, id } = message::read(raw, self.from.as_deref().unwrap_or_default());
        let body = mail.write();
        // There are programs that name every message alike, and some write no date: what they say again is another message.
        let dated = id.filter(|_| !mail.date.is_empty());
        let key = dated.map(|id| format!("mail {}", token::hash_hex(&format!("{id} {body}"))));
        let mut kept = None;
        let mut unstored = None;
        for integration in self.to.clone() {
            let posted = Posted { integration: integration.clone(), format: None, body: body.clone().into_bytes() };
            let mut arrived = arrived(&self.app, posted, Some(MAIL), self.guest.ip);
            arrived.key.clone_from(&key);
            let limit = self.app.runtime.config().integration(&integration).rate_limit.filter(|_| !arrived.urgent);
            let received_at = arrived.received_at;
            if let Some(limit) = limit
                && let Err(seconds) = self.app.pace.take(&integration, limit, received_at)
            {
                telemetry::refused("rate_limit");
                unstored = Some(format!("this integration has sent as much as it may; try again in {seconds} s"));
                continue;
            }
            match self.app.runtime.ingest(arrived).await {
                Ok(receipt) => {
                    telemetry::mailed("stored", 1);
                    kept = Some(receipt.event);
                }
                Err(why) => {
                    if limit.is_some() {
                        self.app.pace.give_back(&integration, received_at);
                    }
                    telemetry::mailed("unstored", 1);
                    unstored = Some(why.to_string());
                }
            }
        }
        match (unstored, kept) {
            (Some(why), _) => format!("451 The message was not stored: {why}\r\n"),
            (None, Some(event)) => format!("250 OK, kept as message {event}\r\n"),
            (None, None) => "554 There is no recipient\r\n".to_owned(),
        }
    }
}

async fn say<Stream: AsyncWrite + Unpin>(stream: &mut Stream, text: &str) -> io::Result<()> {
    let said = async {
        stream.write_all(text.as_bytes()).await?;
        stream.flush().await
    };
    timeout(UNHEARD, said).await?
}
