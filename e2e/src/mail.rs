//! A real mail server on the loopback (aiosmtpd) that keeps what it is sent.

use crate::{environment, wait};
use anyhow::{Context as _, Result};
use serde::Deserialize;
use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

/// A message as its reader sees it.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    pub to: Vec<String>,
    pub subject: String,
    pub text: String,
    pub message_id: String,
    /// Milliseconds since 1970.
    #[serde(default)]
    pub at_ms: i64,
}

impl Mail {
    /// The first link with this in it.
    #[must_use]
    pub fn link(&self, part: &str) -> Option<&str> {
        self.text.split_whitespace().find(|word| word.starts_with("http") && word.contains(part))
    }
}

/// The mail server; ends with this process.
pub struct MailSink {
    port: u16,
    mails: Arc<Mutex<Vec<Mail>>>,
    child: Child,
}

/// Says its port first, then one line of JSON for each message; ends when its input does.
const SERVER: &str = r#"
import asyncio, email, email.policy, json, sys
from aiosmtpd.smtp import SMTP

class Keep:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        print(json.dumps({
            "to": envelope.rcpt_tos,
            "subject": str(mail["subject"]),
            "text": mail.get_body(("plain",)).get_content(),
            "message_id": str(mail["message-id"]),
        }), flush=True)
        return "250 2.0.0 kept"

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keep(), enable_SMTPUTF8=True), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)

asyncio.run(main())
"#;

impl MailSink {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// When Python or aiosmtpd is missing.
    pub fn start() -> Result<Self> {
        let mut python = Command::new(environment::python()?);
        python.args(["-c", SERVER]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().context("Python cannot be started")?;
        let mut lines = BufReader::new(child.stdout.take().context("Python has no output")?).lines();
        let port = lines.next().context("the mail server did not start; is aiosmtpd installed?")??;
        let port = port.parse().with_context(|| format!("the mail server said `{port}` instead of its port"))?;
        let mails: Arc<Mutex<Vec<Mail>>> = Arc::default();
        let kept = Arc::clone(&mails);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Ok(mail) = serde_json::from_str::<Mail>(&line) {
                    let mail = Mail { at_ms: wait::now_ms(), ..mail };
                    kept.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
                }
            }
        });
        Ok(Self { port, mails, child })
    }

    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Everything that was sent to an address, oldest first.
    #[must_use]
    pub fn to(&self, address: &str) -> Vec<Mail> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().filter(|mail| mail.to.iter().any(|to| to == address)).cloned().collect()
    }

    /// Waits for the n-th message (from 1) to an address.
    ///
    /// # Errors
    /// When it did not come.
    pub fn wait_for(&self, address: &str, n: usize, patience: Duration) -> Result<Mail> {
        wait::until(&format!("mail {n} to {address}"), patience, || self.to(address).into_iter().nth(n - 1))
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        // It ends with its input; killed, it ends at once.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
