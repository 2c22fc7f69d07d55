//! The conversation with a switch's database: connected when it is needed, and anew when it was lost.

use super::tables::{Schema, Tables};
use crate::{
    clock::Stopwatch,
    inventory::{
        Endpoint, Fault, FaultKind,
        ovsdb::{Client, DATABASE},
    },
    outbound::quote,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::sync::Mutex;

/// A database, and the connection to it while there is one.
pub(super) struct Session {
    endpoint: Endpoint,
    connected: Mutex<Option<Arc<Connected>>>,
}

pub(super) struct Connected {
    client: Client,
    pub(super) schema: Schema,
}

/// What came of a transaction.
pub(super) enum Sent {
    /// It is in the database: the number by which the switch's program tells that it has carried it out.
    Done(i64),
    /// Nothing of it is.
    Refused(String),
    /// Something is not as it was when it was read; nothing of it is in the database.
    Stale,
}

impl Session {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, connected: Mutex::default() }
    }

    pub(super) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Everything as it is now. A connection that was lost since it was used last is made anew, once.
    pub(super) async fn read(&self) -> Result<(Arc<Connected>, Tables), Fault> {
        let (connected, is_new) = self.connected().await?;
        let (connected, read) = match connected.select().await {
            Err(_) if !is_new => {
                self.forget().await;
                let (connected, _) = self.connected().await?;
                let read = connected.select().await;
                (connected, read)
            }
            read => (connected, read),
        };
        if read.is_err() {
            self.forget().await;
        }
        let tables = Tables::read(&read?).map_err(|what| {
            Fault::new(FaultKind::Unreadable, format!("{} answered {what}; is it Open vSwitch's?", self.endpoint))
        })?;
        Ok((connected, tables))
    }

    async fn connected(&self) -> Result<(Arc<Connected>, bool), Fault> {
        let mut held = self.connected.lock().await;
        if let Some(connected) = &*held {
            return Ok((Arc::clone(connected), false));
        }
        let client = Client::connect(&self.endpoint).await?;
        let schema = client.call("get_schema", json!([DATABASE])).await?;
        let schema = Schema::read(&schema).map_err(|missing| {
            let message =
                format!("{} has a schema without {missing}; mirrors need Open vSwitch 2.5 or later", self.endpoint);
            Fault::new(FaultKind::Unreadable, message)
        })?;
        let connected = Arc::new(Connected { client, schema });
        *held = Some(Arc::clone(&connected));
        Ok((connected, true))
    }

    async fn forget(&self) {
        *self.connected.lock().await = None;
    }

    /// Sends a transaction that ends with [`closing`](super::request::closing). It is sent once: who does not know what
    /// came of it must look.
    pub(super) async fn send(&self, operations: Value) -> Result<Sent, Fault> {
        let (connected, _) = self.connected().await?;
        let answered = connected.client.call("transact", operations).await;
        if answered.is_err() {
            self.forget().await;
        }
        Ok(sent(&answered?))
    }

    /// Waits until the switch's program has carried out the change of this number; whether it has in time.
    pub(super) async fn carried_out(&self, number: i64, within: Duration) -> Result<bool, Fault> {
        let (connected, _) = self.connected().await?;
        let watch = Stopwatch::start();
        let within_ms = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
        loop {
            let read =
                json!([DATABASE, {"op": "select", "table": "Open_vSwitch", "where": [], "columns": ["cur_cfg"]}]);
            let answer = connected.client.call("transact", read).await?;
            let current = answer[0]["rows"][0]["cur_cfg"].as_i64().unwrap_or_default();
            let left = within_ms - watch.elapsed_ms();
            if current >= number || left <= 0 {
                return Ok(current >= number);
            }
            // The database itself says when that changes.
            let change = json!([DATABASE, {"op": "wait", "table": "Open_vSwitch", "where": [], "columns": ["cur_cfg"],
                "until": "!=", "rows": [{"cur_cfg": current}], "timeout": left}]);
            connected.client.call("transact", change).await?;
        }
    }
}

impl Connected {
    async fn select(&self) -> Result<Value, Fault> {
        let mut operations = vec![json!(DATABASE)];
        operations.extend(self.schema.selects.iter().cloned());
        self.client.call("transact", Value::Array(operations)).await
    }
}

/// Reads the answer to a transaction: one result an operation, and where one failed an error in its place or behind the
/// last (RFC 7047, 4.1.3).
fn sent(answer: &Value) -> Sent {
    let results = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    if let Some(failed) = results.iter().find(|result| result["error"].is_string()) {
        let text = |field: &str| failed[field].as_str().unwrap_or_default().to_owned();
        return match text("error").as_str() {
            "timed out" => Sent::Stale,
            error => Sent::Refused(quote(&format!("{error}: {}", text("details")), &[])),
        };
    }
    match results.last().and_then(|result| result["rows"][0]["next_cfg"].as_i64()) {
        Some(number) => Sent::Done(number),
        None => Sent::Refused(format!("the answer {} cannot be read", quote(&answer.to_string(), &[]))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_is_done_stale_or_refused() {
        let done = json!([{}, {"count": 1}, {"rows": [{"next_cfg": 7}]}]);
        assert!(matches!(sent(&done), Sent::Done(7)));
        let stale = json!([{"error": "timed out", "details": "wait"}, null, null]);
        assert!(matches!(sent(&stale), Sent::Stale));
        let wrong = json!([{}, {"rows": []}, {"error": "constraint violation", "details": "two ports"}]);
        assert!(matches!(sent(&wrong), Sent::Refused(why) if why.contains("two ports")));
        assert!(matches!(sent(&json!(null)), Sent::Refused(_)));
    }

    proptest! {
        #[test]
        fn any_answer_is_read(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
            sent(&serde_json::from_str(&text).unwrap_or(Value::String(text)));
        }
    }
}
