//! Hands one message to the mail server, step by step, because the step at which it fails decides what it means:
//! once the content has been sent and no reply came, the server may have it.

use crate::outbound::{Deadlines, ambiguous, barred, gone, permanent, quote, transient};
use lettre::{
    address::Envelope,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use shared::{
    Failure,
    config::{EmailChannel, EmailTls},
};
use std::{error::Error as _, fmt, time::Duration};
use tokio::time::timeout;

/// Taking leave is a courtesy; the outcome is known by then.
const QUIT_PATIENCE: Duration = Duration::from_millis(200);

/// How far a conversation came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    SigningIn,
    Addressing,
    /// The server takes the sender, and is asked for the recipient.
    Recipient,
    /// The server said "go on" to DATA.
    Content,
}

/// The mail server, and how to talk to it.
pub(super) struct Relay {
    host: String,
    port: u16,
    tls: EmailTls,
    parameters: TlsParameters,
    credentials: Option<Credentials>,
    /// Never to be quoted.
    password: Option<String>,
    deadlines: Deadlines,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Relay {
    pub(super) fn new(config: &EmailChannel, deadlines: Deadlines) -> Result<Self, String> {
        let credentials = match (&config.username, &config.password) {
            (Some(user), Some(password)) => Some(Credentials::new(user.clone(), password.clone())),
            (None, None) => None,
            _ => return Err("email.username and email.password are set together or not at all".to_owned()),
        };
        let standard = match config.tls {
            EmailTls::None => 25,
            EmailTls::Starttls => 587,
            EmailTls::Tls => 465,
        };
        Ok(Self {
            host: config.host.clone(),
            port: config.port.unwrap_or(standard),
            tls: config.tls,
            parameters: TlsParameters::new(config.host.clone())
                .map_err(|_| format!("email.host `{}` is not a host", config.host))?,
            credentials,
            password: config.password.clone(),
            deadlines,
        })
    }

    /// The server's words on taking it, as its id of the message.
    pub(super) async fn send(
        &self,
        envelope: &Envelope,
        message: &[u8],
        mut secrets: Vec<String>,
    ) -> Result<String, Failure> {
        secrets.extend(self.password.clone());
        let (mut stage, mut line) = (Stage::Connecting, None);
        let outcome = timeout(self.deadlines.total, self.converse(envelope, message, &mut stage, &mut line)).await;
        // After silence or a broken line there is nobody to take leave of.
        let answered = outcome.as_ref().is_ok_and(|reply| reply.as_ref().err().is_none_or(|e| e.status().is_some()));
        if let Some(mut connection) = line.filter(|_| answered) {
            timeout(QUIT_PATIENCE, connection.abort()).await.ok();
        }
        match outcome {
            Ok(Ok(reply)) => Ok(quote(&reply, &secrets)),
            Ok(Err(error)) => Err(classify(stage, &error, &secrets)),
            Err(_) if stage == Stage::Content => Err(ambiguous("the mail server did not confirm the message in time")),
            Err(_) => Err(transient(format!("the mail server did not answer in time while {}", doing(stage)))),
        }
    }

    /// Leaves the connection in `line`, and in `stage` how far it came, also when it is cut short.
    async fn converse(
        &self,
        envelope: &Envelope,
        message: &[u8],
        stage: &mut Stage,
        line: &mut Option<AsyncSmtpConnection>,
    ) -> Result<String, Error> {
        let hello = ClientId::default();
        let wrapper = (self.tls == EmailTls::Tls).then(|| self.parameters.clone());
        let server = (self.host.as_str(), self.port);
        let connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(self.deadlines.connect), &hello, wrapper, None).await?;
        let connection = line.insert(connection);
        if self.tls == EmailTls::Starttls {
            connection.starttls(self.parameters.clone(), &hello).await?;
        }
        self.hand_over(connection, envelope, message, stage).await
    }

    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
        message: &[u8],
        stage: &mut Stage,
    ) -> Result<String, Error> {
        if let Some(credentials) = &self.credentials {
            *stage = Stage::SigningIn;
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        *stage = Stage::Addressing;
        let mut options = Vec::new();
        // A server that knows neither extension refuses in its own words what it cannot carry.
        let addresses = envelope.to().iter().chain(envelope.from());
        if addresses.into_iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii())
            && connection.server_info().supports_feature(Extension::SmtpUtfEight)
        {
            options.push(MailParameter::SmtpUtfEight);
        }
        if !message.is_ascii() && connection.server_info().supports_feature(Extension::EightBitMime) {
            options.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        connection.command(Mail::new(envelope.from().cloned(), options)).await?;
        *stage = Stage::Recipient;
        for recipient in envelope.to() {
            connection.command(Rcpt::new(recipient.clone(), Vec::new())).await?;
        }
        *stage = Stage::Addressing;
        connection.command(Data).await?;
        *stage = Stage::Content;
        let reply = connection.message(message).await?;
        Ok(reply.first_line().unwrap_or_default().to_owned())
    }
}

const fn doing(stage: Stage) -> &'static str {
    match stage {
        Stage::Connecting => "connecting",
        Stage::SigningIn => "signing in",
        Stage::Addressing | Stage::Recipient => "naming sender and recipient",
        Stage::Content => "handing over the message",
    }
}

fn classify(stage: Stage, error: &Error, secrets: &[String]) -> Failure {
    let words = quote(&error.source().map(ToString::to_string).unwrap_or_default(), secrets);
    let at = doing(stage);
    if let Some(code) = error.status() {
        let detail = format!("the mail server answered {code} while {at}: “{words}”");
        return match stage {
            _ if !error.is_permanent() => transient(detail),
            Stage::Recipient => gone(detail),
            Stage::Connecting | Stage::SigningIn => barred(detail),
            Stage::Addressing | Stage::Content => permanent(detail),
        };
    }
    if error.is_client() {
        // Neither STARTTLS nor a way to sign in that we know: only a change of settings helps.
        return barred(format!("the mail server does not fit its settings: {words}"));
    }
    if stage == Stage::Content {
        return ambiguous("the mail server did not confirm the message");
    }
    transient(format!("the mail server failed while {at}: {words}"))
}
