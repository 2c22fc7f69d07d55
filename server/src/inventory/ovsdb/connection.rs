//! A connection to an OVSDB server (RFC 7047): requests with their replies, echo both ways, and what is monitored.
//!
//! One task owns the connection. Clients are handles on it; when the last is gone the connection is closed.

use crate::{
    inventory::{Endpoint, Fault, FaultKind, json_wire::JsonWire},
    outbound::quote,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, timeout},
};

/// The whole of a switch with twenty thousand interfaces fits.
const MESSAGE_BYTES: usize = 16 << 20;
/// For a reply, and for the other side to take what we send.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// When nothing was heard for so long we ask, as Open vSwitch's own programs do; after as long again it is dead.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// Requests that wait to be sent.
const ASKS_WAITING: usize = 64;
/// Updates that a follower has not taken yet. One who falls further behind is cut off and must begin anew.
const UPDATES_WAITING: usize = 256;

/// A handle on a connection; cheap to clone.
#[derive(Clone)]
pub struct Client {
    asks: mpsc::Sender<Ask>,
    ended: Ended,
    endpoint: Endpoint,
}

/// The updates of one monitor, in order.
pub struct Updates {
    received: mpsc::Receiver<Value>,
    client: Client,
}

/// Why the connection is over, told to everybody who still asks.
type Ended = Arc<OnceLock<(FaultKind, String)>>;

struct Ask {
    method: &'static str,
    params: Value,
    reply: oneshot::Sender<Result<Value, Value>>,
    /// The id of the monitor this request makes, and who follows it.
    follow: Option<(String, mpsc::Sender<Value>)>,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Those of [`Endpoint::connect`].
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, Fault> {
        let mut wire = JsonWire::connect(endpoint, MESSAGE_BYTES).await?;
        let (asks, mut asked) = mpsc::channel(ASKS_WAITING);
        let ended = Ended::default();
        let client = Self { asks, ended: Arc::clone(&ended), endpoint: endpoint.clone() };
        tokio::spawn(async move {
            let mut conversation = Conversation::default();
            if let Err(fault) = run(&mut wire, &mut asked, &mut conversation).await {
                // Said before those who wait are let go. Nobody else sets it.
                ended.set((fault.kind, fault.message)).ok();
            }
        });
        Ok(client)
    }

    /// Asks, and waits for the result.
    ///
    /// # Errors
    /// When the connection is gone, no reply comes in time, or the reply is an error.
    pub async fn call(&self, method: &'static str, params: Value) -> Result<Value, Fault> {
        self.ask(method, params, None).await
    }

    /// Monitors tables of a database: gives what is there (RFC 7047, 4.1.5), and then each update (4.1.6).
    ///
    /// # Errors
    /// Those of [`Client::call`].
    pub async fn monitor(&self, database: &str, tables: Value) -> Result<(Value, Updates), Fault> {
        let (sender, received) = mpsc::channel(UPDATES_WAITING);
        // A database needs one monitor a connection.
        let id = format!("tocsin-{database}");
        let params = json!([database, id, tables]);
        let initial = self.ask("monitor", params, Some((id, sender))).await?;
        Ok((initial, Updates { received, client: self.clone() }))
    }

    async fn ask(
        &self,
        method: &'static str,
        params: Value,
        follow: Option<(String, mpsc::Sender<Value>)>,
    ) -> Result<Value, Fault> {
        let (reply, replied) = oneshot::channel();
        let asked = async {
            self.asks.send(Ask { method, params, reply, follow }).await.ok()?;
            replied.await.ok()
        };
        match timeout(ANSWER_WITHIN, asked).await {
            Ok(Some(Ok(result))) => Ok(result),
            Ok(Some(Err(error))) => Err(self.refusal(method, &error)),
            Ok(None) => Err(self.over()),
            Err(_) => {
                let message = format!("{} did not answer `{method}` within {ANSWER_WITHIN:?}", self.endpoint);
                Err(Fault::new(FaultKind::Unreachable, message))
            }
        }
    }

    fn refusal(&self, method: &str, error: &Value) -> Fault {
        let said = quote(&error.to_string(), &[]);
        let (kind, mend) = if said.contains("permission") {
            (FaultKind::Refused, "; its role must allow us to read")
        } else {
            (FaultKind::Unreadable, "")
        };
        Fault::new(kind, format!("{} refuses `{method}`: {said}{mend}", self.endpoint))
    }

    fn over(&self) -> Fault {
        match self.ended.get() {
            Some((kind, message)) => Fault::new(*kind, message.clone()),
            None => Fault::new(FaultKind::Unreachable, format!("the connection to {} is over", self.endpoint)),
        }
    }
}

impl Updates {
    /// The next update. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// When the connection is gone, and when we took too long over updates that came before.
    pub async fn next(&mut self) -> Result<Value, Fault> {
        self.received.recv().await.ok_or_else(|| match self.client.ended.get() {
            Some(_) => self.client.over(),
            None => Fault::new(
                FaultKind::Unreachable,
                format!("{} changes faster than it is read; it is read anew", self.client.endpoint),
            ),
        })
    }

    /// An update that is there already.
    pub fn waiting(&mut self) -> Option<Value> {
        self.received.try_recv().ok()
    }
}

/// Carries the conversation until the last client is gone, or the connection.
async fn run(
    wire: &mut JsonWire,
    asked: &mut mpsc::Receiver<Ask>,
    conversation: &mut Conversation,
) -> Result<(), Fault> {
    let mut probe = interval(PROBE_EVERY);
    probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once.
    probe.tick().await;
    loop {
        let said = tokio::select! {
            ask = asked.recv() => match ask {
                Some(ask) => Some(conversation.ask(ask)),
                None => return Ok(()),
            },
            heard = wire.next() => conversation.hear(&heard?),
            _ = probe.tick() => match conversation.probe() {
                Ok(said) => said,
                Err(Dead) => return Err(dead(wire.endpoint())),
            },
        };
        if let Some(message) = said {
            match timeout(ANSWER_WITHIN, wire.send(&message)).await {
                Ok(Ok(())) => {}
                // Behind TLS the reason that we were refused waits to be read.
                Ok(Err(fault)) => {
                    let reason = timeout(ANSWER_WITHIN, wire.next()).await.ok().and_then(Result::err);
                    return Err(reason.unwrap_or(fault));
                }
                Err(_) => return Err(dead(wire.endpoint())),
            }
        }
    }
}

fn dead(endpoint: &Endpoint) -> Fault {
    Fault::new(FaultKind::Unreachable, format!("{endpoint} is connected but says nothing; does it hang?"))
}

/// The other side was asked whether it lives, and said nothing.
#[derive(Debug, PartialEq, Eq)]
struct Dead;

/// What was asked and is not answered, and who follows what. Takes and gives messages; sends none itself.
#[derive(Default)]
struct Conversation {
    asked: u64,
    unanswered: BTreeMap<u64, oneshot::Sender<Result<Value, Value>>>,
    followers: BTreeMap<String, mpsc::Sender<Value>>,
    /// How many probes went out since something was heard.
    silence: u32,
}

impl Conversation {
    fn ask(&mut self, ask: Ask) -> Value {
        // Who gave up waits no more.
        self.unanswered.retain(|_, reply| !reply.is_closed());
        self.asked += 1;
        self.unanswered.insert(self.asked, ask.reply);
        self.followers.extend(ask.follow);
        json!({"method": ask.method, "params": ask.params, "id": self.asked})
    }

    /// Takes a message in; gives the answer it needs, if any. What nobody asked for is passed over, as the RFC says.
    fn hear(&mut self, message: &Value) -> Option<Value> {
        self.silence = 0;
        match message["method"].as_str() {
            Some("echo") => return Some(json!({"result": message["params"], "error": null, "id": message["id"]})),
            Some("update") => self.pass_on(&message["params"]),
            Some(_) => {}
            None => {
                let reply = message["id"].as_u64().and_then(|id| self.unanswered.remove(&id))?;
                let result = match &message["error"] {
                    Value::Null => Ok(message["result"].clone()),
                    error => Err(error.clone()),
                };
                // Who gave up waits no more.
                reply.send(result).ok();
            }
        }
        None
    }

    fn pass_on(&mut self, params: &Value) {
        let Some(id) = params[0].as_str() else { return };
        let Some(follower) = self.followers.get(id) else { return };
        // A gap would be worse than the end: who is full is cut off, and reads the whole again.
        if follower.try_send(params[1].clone()).is_err() {
            self.followers.remove(id);
        }
    }

    fn probe(&mut self) -> Result<Option<Value>, Dead> {
        self.silence += 1;
        match self.silence {
            1 => Ok(None),
            2 => Ok(Some(json!({"method": "echo", "params": [], "id": "echo"}))),
            _ => Err(Dead),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(method: &'static str) -> (Ask, oneshot::Receiver<Result<Value, Value>>) {
        let (reply, replied) = oneshot::channel();
        (Ask { method, params: json!([]), reply, follow: None }, replied)
    }

    #[test]
    fn replies_find_who_asked_in_any_order() {
        let mut conversation = Conversation::default();
        let (first, mut first_replied) = ask("list_dbs");
        let (second, mut second_replied) = ask("get_schema");
        assert_eq!(conversation.ask(first), json!({"method": "list_dbs", "params": [], "id": 1}));
        assert_eq!(conversation.ask(second)["id"], 2);
        assert_eq!(conversation.hear(&json!({"id": 2, "result": null, "error": "no"})), None);
        assert_eq!(conversation.hear(&json!({"id": 1, "result": ["a"], "error": null})), None);
        assert_eq!(conversation.hear(&json!({"id": 9, "result": ["b"], "error": null})), None);
        assert_eq!(first_replied.try_recv(), Ok(Ok(json!(["a"]))));
        assert_eq!(second_replied.try_recv(), Ok(Err(json!("no"))));
    }

    #[test]
    fn who_gave_up_is_forgotten() {
        let mut conversation = Conversation::default();
        for _ in 0..100 {
            let (ask, replied) = ask("list_dbs");
            conversation.ask(ask);
            drop(replied);
        }
        assert_eq!(conversation.unanswered.len(), 1);
    }

    #[test]
    fn an_echo_is_answered_and_silence_is_asked_about() {
        let mut conversation = Conversation::default();
        let heard = json!({"method": "echo", "params": ["x"], "id": "e"});
        assert_eq!(conversation.hear(&heard), Some(json!({"result": ["x"], "error": null, "id": "e"})));
        assert_eq!(conversation.probe(), Ok(None));
        assert_eq!(conversation.probe().unwrap().unwrap()["method"], "echo");
        assert_eq!(conversation.hear(&json!({"result": [], "error": null, "id": "echo"})), None);
        assert_eq!(conversation.probe(), Ok(None));
        assert!(conversation.probe().unwrap().is_some());
        assert_eq!(conversation.probe(), Err(Dead));
    }

    #[test]
    fn a_follower_gets_its_own_updates_and_is_cut_off_when_it_falls_behind() {
        let mut conversation = Conversation::default();
        let (sender, mut received) = mpsc::channel(2);
        conversation.followers.insert("m".into(), sender);
        let update = |id: &str, n: u32| json!({"method": "update", "id": null, "params": [id, n]});
        conversation.hear(&update("other", 0));
        conversation.hear(&update("m", 1));
        conversation.hear(&update("m", 2));
        assert!(conversation.followers.contains_key("m"));
        conversation.hear(&update("m", 3));
        assert!(conversation.followers.is_empty());
        assert_eq!(received.try_recv().unwrap(), 1);
        assert_eq!(received.try_recv().unwrap(), 2);
        assert_eq!(received.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }

    proptest! {
        #[test]
        fn any_message_is_taken(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}", method in "(echo|update|)", id in any::<u8>()) {
            let mut conversation = Conversation::default();
            let (asked, _replied) = ask("list_dbs");
            conversation.ask(asked);
            let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            conversation.hear(&value);
            conversation.hear(&json!({"method": method, "params": value, "id": id}));
            conversation.hear(&json!({"id": id, "error": value}));
        }
    }
}
