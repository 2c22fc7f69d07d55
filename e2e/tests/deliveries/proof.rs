//! The record of what was sent: an operator checks it with the program, and whoever rewrites it is found out.

use super::{PATIENCE, house};
use anyhow::{Context as _, Result, ensure};
use e2e::{environment, hook::HookSink, tocsin::Tocsin, wait};
use std::process::Command;

/// Opens the database as somebody does who has its file, and makes a delivery a minute earlier: the guards against changes are
/// taken away first.
const FORGE: &str = "import sqlite3, sys\n\
    db = sqlite3.connect(sys.argv[1])\n\
    for (name,) in db.execute(\"SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'proof'\").fetchall():\n\
    \x20   db.execute(f'DROP TRIGGER {name}')\n\
    changed = db.execute('UPDATE proof SET at = at - 60000 WHERE id = 1').rowcount\n\
    db.commit()\n\
    print(changed)";

#[test]
fn the_program_checks_the_proof_and_finds_what_was_rewritten() -> Result<()> {
    let hook = HookSink::start()?;
    let mut server = Tocsin::fresh()?;
    server.start()?;
    let verify = ["proof", "verify"];
    ensure!(server.ask(&verify, "")? == "the proof has no link yet");
    server.apply(&house(&hook))?;
    let path = format!("/ingest/{}", server.sender("falcon")?);
    server.anybody().post(&path, &[], b"[P0][PROBLEM][db-07][10.1.2.3][host is down]")?.is(200)?;
    hook.wait_for("/wang", 1, PATIENCE)?;
    // Beside a server that runs, as an operator would.
    let said = wait::attempt("the delivery to be in the proof", PATIENCE, || {
        let said = server.ask(&verify, "")?;
        Ok(said.contains("none changed").then_some(said))
    })?;
    let links = said.split(' ').next().and_then(|n| n.parse::<u32>().ok()).with_context(|| said.clone())?;
    let newest = said.rsplit(' ').next().unwrap_or_default();
    ensure!(links > 0 && newest.len() == 64 && newest.bytes().all(|it| it.is_ascii_hexdigit()), "{said}");

    server.stop()?;
    let forged =
        Command::new(environment::python()?).args(["-c", FORGE]).arg(server.data().join("tocsin.db")).output()?;
    let changed = String::from_utf8_lossy(&forged.stdout).trim().to_owned();
    ensure!(forged.status.success() && changed == "1", "{changed} {}", String::from_utf8_lossy(&forged.stderr));
    let found = server.command().args(verify).output()?;
    let why = String::from_utf8_lossy(&found.stderr).into_owned();
    ensure!(found.status.code() == Some(1) && why.contains("was tampered with"), "{:?}: {why}", found.status);
    Ok(())
}
