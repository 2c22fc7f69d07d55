//! The control socket of `ovs-vswitchd` (unixctl: JSON-RPC 1.0), for the one thing its database does not tell: by which
//! way its host reaches an address.

use crate::{
    inventory::{Endpoint, Fault, FaultKind, JsonWire},
    outbound::quote,
};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::Read as _,
    net::IpAddr,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::timeout;

/// More is no answer about a route.
const ANSWER_BYTES: usize = 64 << 10;
/// Somebody may be waiting for what the rules say.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// More digits are no process.
const PID_BYTES: u64 = 32;

/// Where it is: the socket, or the folder with the socket of the process that runs.
#[derive(Clone, Debug)]
pub(super) struct Control(PathBuf);

impl Control {
    /// Reads `unix:/path` or `/path`.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let path = Path::new(text.trim().strip_prefix("unix:").unwrap_or(text.trim()));
        if path.is_absolute() {
            return Ok(Self(path.to_owned()));
        }
        let wrong = "`control` is a socket of this machine, or the folder it is in: unix:/run/openvswitch";
        Err(Fault::new(FaultKind::Unreadable, wrong))
    }

    /// Through which device the switch's host sends to an address; none when it has no way there.
    ///
    /// # Errors
    /// When it does not answer, or answers what cannot be read.
    pub(super) async fn device(&self, to: IpAddr) -> Result<Option<String>, Fault> {
        let socket = self.socket()?;
        let asked = async {
            let mut wire = JsonWire::connect(&Endpoint::unix(&socket), ANSWER_BYTES).await?;
            wire.send(&json!({"method": "ovs/route/lookup", "params": [to.to_string()], "id": 0})).await?;
            wire.next().await
        };
        let answer = timeout(ANSWER_WITHIN, asked).await.unwrap_or_else(|_| {
            let message = format!("{} did not answer within {ANSWER_WITHIN:?}; does it hang?", socket.display());
            Err(Fault::new(FaultKind::Unreachable, message))
        })?;
        device(&answer).map_err(|said| {
            let message = format!("{} says of the way to {to}: {}", socket.display(), quote(&said, &[]));
            Fault::new(FaultKind::Unreadable, message)
        })
    }

    /// The socket is named after its process, whose number stands beside it.
    fn socket(&self) -> Result<PathBuf, Fault> {
        if !self.0.is_dir() {
            return Ok(self.0.clone());
        }
        let file = self.0.join("ovs-vswitchd.pid");
        let mut pid = String::new();
        let read = File::open(&file).and_then(|opened| opened.take(PID_BYTES).read_to_string(&mut pid));
        read.map_err(|error| {
            let message = format!("{} cannot be read ({error}); is ovs-vswitchd running?", file.display());
            Fault::new(FaultKind::Unreachable, message).because(error)
        })?;
        match pid.trim().parse::<u32>() {
            Ok(pid) => Ok(self.0.join(format!("ovs-vswitchd.{pid}.ctl"))),
            Err(error) => {
                let message = format!("{} holds no number of a process", file.display());
                Err(Fault::new(FaultKind::Unreadable, message).because(error))
            }
        }
    }
}

/// What `ovs/route/lookup` answered: lines of a word and its value, of which `dev` is one. An error is the answer that
/// there is no way, or what was said instead.
fn device(answer: &Value) -> Result<Option<String>, String> {
    if let Some(error) = answer["error"].as_str() {
        let none = error.trim().eq_ignore_ascii_case("not found");
        return if none { Ok(None) } else { Err(error.to_owned()) };
    }
    let lines = answer["result"].as_str().ok_or_else(|| answer.to_string())?;
    let device = lines.lines().find_map(|line| line.strip_prefix("dev ")).map(str::trim);
    device.filter(|name| !name.is_empty()).map(|name| Some(name.to_owned())).ok_or_else(|| lines.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_way_is_read() {
        let found = json!({"id": 0, "result": "src 10.0.0.1\ngateway 10.0.0.254\ndev br-ex\n", "error": null});
        assert_eq!(device(&found), Ok(Some("br-ex".to_owned())));
        assert_eq!(device(&json!({"id": 0, "result": null, "error": "Not found\n"})), Ok(None));
        let unknown = json!({"id": 0, "result": null, "error": "\"x\" is not a valid command"});
        assert!(device(&unknown).unwrap_err().contains("valid command"));
        assert!(device(&json!({"result": "src 10.0.0.1\n"})).is_err());
    }

    #[test]
    fn a_socket_is_a_path_of_this_machine() {
        assert!(Control::parse("run/openvswitch").is_err());
        assert_eq!(Control::parse("unix:/run/a.ctl").unwrap().socket().unwrap(), Path::new("/run/a.ctl"));
    }

    #[test]
    fn the_socket_of_a_folder_is_that_of_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let control = Control::parse(folder.path().to_str().unwrap()).unwrap();
        assert_eq!(control.socket().unwrap_err().kind, FaultKind::Unreachable);
        let pid = folder.path().join("ovs-vswitchd.pid");
        std::fs::write(&pid, "77\n").unwrap();
        assert_eq!(control.socket().unwrap(), folder.path().join("ovs-vswitchd.77.ctl"));
        std::fs::write(&pid, "../x\n").unwrap();
        assert_eq!(control.socket().unwrap_err().kind, FaultKind::Unreadable);
    }

    proptest! {
        #[test]
        fn any_answer_is_a_way_or_none(result in ".{0,40}", error in prop::option::of(".{0,40}")) {
            device(&json!({"result": result, "error": error})).ok();
            device(&Value::String(result)).ok();
        }
    }
}
