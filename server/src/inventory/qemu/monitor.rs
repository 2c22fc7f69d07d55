//! QEMU's monitor (QMP): greeted, asked and left again, since it speaks with one client at a time.

use crate::{
    inventory::{Endpoint, Fault, FaultKind, json_wire::JsonWire},
    outbound::quote,
};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// No answer that we ask for comes near.
const ANSWER_BYTES: usize = 1 << 20;
/// A free monitor greets at once.
const GREETED_WITHIN: Duration = Duration::from_secs(2);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A monitor that listens to us. Dropping it leaves it to others.
pub(super) struct Monitor {
    wire: JsonWire,
    asked: u64,
}

impl Monitor {
    /// Connects, waits for the greeting and answers it.
    pub(super) async fn connect(endpoint: &Endpoint) -> Result<Self, Fault> {
        let mut wire = JsonWire::connect(endpoint, ANSWER_BYTES).await?;
        let greeting = timeout(GREETED_WITHIN, wire.next()).await.map_err(|_| {
            let message = format!(
                "{endpoint} is taken: QEMU's monitor speaks with one client at a time; give the machine a `-qmp` \
                 socket that only this server uses"
            );
            Fault::new(FaultKind::Unreachable, message)
        })??;
        if greeting.get("QMP").is_none() {
            let message = format!("{endpoint} does not greet as a QEMU monitor in QMP does; is it the right socket?");
            return Err(Fault::new(FaultKind::Unreadable, message));
        }
        let mut monitor = Self { wire, asked: 0 };
        monitor.ask("qmp_capabilities", json!({})).await?;
        Ok(monitor)
    }

    /// What a command returns.
    pub(super) async fn ask(&mut self, command: &str, arguments: Value) -> Result<Value, Fault> {
        self.try_to_ask(command, arguments).await?.map_err(|error| {
            let said = quote(error["desc"].as_str().unwrap_or_default(), &[]);
            Fault::new(FaultKind::Unreadable, format!("{} refuses `{command}`: {said}", self.wire.endpoint()))
        })
    }

    /// What a command returns, or the error it gives.
    pub(super) async fn try_to_ask(&mut self, command: &str, arguments: Value) -> Result<Result<Value, Value>, Fault> {
        self.asked += 1;
        let message = json!({"execute": command, "arguments": arguments, "id": self.asked});
        let asked = async {
            self.wire.send(&message).await?;
            loop {
                let mut answer = self.wire.next().await?;
                // Events come in between.
                if answer["id"] != self.asked {
                    continue;
                }
                return Ok(match answer.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(answer.get_mut("return").map(Value::take).unwrap_or_default()),
                });
            }
        };
        timeout(ANSWER_WITHIN, asked).await.unwrap_or_else(|_| {
            let message = format!("{} does not answer `{command}`; does QEMU hang?", self.wire.endpoint());
            Err(Fault::new(FaultKind::Unreachable, message))
        })
    }
}
