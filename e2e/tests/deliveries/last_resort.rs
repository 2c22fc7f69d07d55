//! Every delivery fails, the fallback's as well: the log, a file, a program of the operator's and the board say so, until
//! somebody answers.

use super::PATIENCE;
use anyhow::{Result, ensure};
use e2e::{
    hook::{HookSink, Reply},
    tocsin::Tocsin,
    wait,
};
use serde_json::json;
use shared::api::{IncidentList, Role};
use std::{fs, os::unix::fs::PermissionsExt as _};

/// Writes down what it is told of, and nothing of what is none of its business.
const SIREN: &str = r#"#!/bin/sh
echo "$TOCSIN_SEVERITY $TOCSIN_INCIDENT $TOCSIN_TITLE $TOCSIN_URL${TOCSIN_DATABASE:+ knows the database}" >> "$(dirname "$0")/sounded"
"#;

/// Zhao is paged, and Wang when Zhao cannot be. What the pager says of itself, such as that a policy reaches nobody, reaches
/// somebody.
const POLICY: &str = r#"
[[policies]]
id = "p"
levels = [{ notify = ["person:zhao"], delay = "1h" }]
[[policies]]
id = "ops"
levels = [{ notify = ["person:ops"], delay = "1h" }]
[[routes]]
id = "own"
match = ["integration = tocsin"]
policy = "ops"
[[routes]]
id = "all"
policy = "p"
"#;

#[test]
fn what_nobody_can_be_told_of_is_told_to_the_machine() -> Result<()> {
    let hook = HookSink::start()?;
    hook.script(|call| if call.path == "/ops" { Reply::Accept } else { Reply::Status(410) });
    let mut server = Tocsin::fresh()?;
    let siren = server.folder().join("siren");
    fs::write(&siren, SIREN)?;
    fs::set_permissions(&siren, fs::Permissions::from_mode(0o755))?;
    server.start_with(&["--last-resort", &siren.display().to_string()])?;
    server.apply(&(hook.people(&["wang", "zhao", "ops"]) + POLICY))?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    let responder = server.somebody(Role::Responder)?;
    // What is not urgent wakes nobody, not even the machine.
    server.anybody().post(&path, &[], b"[P3][PROBLEM][web-1][10.1.2.4][slow]")?.is(200)?;
    server.anybody().post(&path, &[], b"[P0][PROBLEM][db-07][10.1.2.3][host is down]")?.is(200)?;
    let incident = super::number(&responder, "db-07")?;

    let expected = format!("P0 {incident} P0 db-07 host is down {}", server.url(&format!("/incidents/{incident}")));
    wait::until("the siren", PATIENCE, || {
        let sounded = fs::read_to_string(server.folder().join("sounded")).ok()?;
        sounded.lines().any(|line| line == expected).then_some(())
    })?;
    let kept = fs::read_to_string(server.folder().join("data/last-resort.log"))?;
    ensure!(kept.contains("nobody can be reached about P0 db-07 host is down") && !kept.contains("web-1"), "{kept}");
    ensure!(server.log().contains("every delivery failed, the fallback's as well"), "{}", server.log());
    let board = || responder.read::<IncidentList>("/api/v1/incidents");
    ensure!(board()?.counts.unreached == 1);
    responder.post_json(&format!("/api/v1/incidents/{incident}/ack"), &json!({}))?.is(200)?;
    ensure!(board()?.counts.unreached == 0);
    Ok(())
}
