//! Killed at every failpoint and at random moments, the server loses nothing it has acknowledged and pages as promised.
//!
//! Senders post with and without idempotency keys and send again until they are answered; a receiver of pages fails
//! now and then; somebody acknowledges. Meanwhile the process is killed and started again on the same store.

mod field;
mod verdict;

use anyhow::{Context as _, Result, ensure};
use e2e::{dice::Dice, environment, hook::HookSink, postgres, tocsin::Tocsin, wait};
use field::Field;
use std::{thread, time::Duration};

const SENDERS: usize = 4;
/// A failpoint that is not reached by then is dead.
const REACHED: Duration = Duration::from_secs(20);

#[test]
fn nothing_acknowledged_is_lost_on_sqlite() -> Result<()> {
    carnage(Tocsin::fresh()?, 3, 50)
}

#[test]
fn nothing_acknowledged_is_lost_on_postgresql() -> Result<()> {
    let postgres = postgres::Server::start()?;
    carnage(Tocsin::fresh_on(&postgres.create_database()?)?, 1, 20)
}

/// How the process is to die.
enum Death {
    /// By itself, at the n-th time it gets to a place.
    At { failpoint: String, n: u64 },
    /// After this long.
    After { ready: bool, length: Duration },
}

/// Every failpoint so many times, and random moments up to the whole number, shuffled.
fn deaths(failpoints: &[String], each: u64, total: usize, dice: &mut Dice) -> Vec<Death> {
    let mut deaths: Vec<Death> = Vec::new();
    for failpoint in failpoints {
        for round in 0..each {
            let n = if round == 0 { 1 } else { dice.between(2, 6) };
            deaths.push(Death::At { failpoint: failpoint.clone(), n });
        }
    }
    while deaths.len() < total {
        // Some before it is ready: while it migrates, or reads its state back.
        let ready = !dice.percent(15);
        deaths.push(Death::After { ready, length: Duration::from_millis(dice.between(0, 400)) });
    }
    for i in (1..deaths.len()).rev() {
        deaths.swap(i, dice.between(0, i as u64) as usize);
    }
    deaths
}

/// Every failpoint the binary knows: it names them when it is asked for one it does not know.
fn failpoints(server: &Tocsin) -> Result<Vec<String>> {
    let refusal = server.ask(&["serve", "--listen", "127.0.0.1:0", "--failpoint", "?"], "");
    let Err(refusal) = refusal else { anyhow::bail!("it started with a failpoint that does not exist") };
    let refusal = refusal.to_string();
    let (_, names) =
        refusal.split_once("there are ").with_context(|| format!("built without failpoints? {refusal}"))?;
    // Those of mirrors have a crash test of their own, with a switch.
    Ok(names.trim().split(", ").filter(|name| !name.starts_with("mirror.")).map(str::to_owned).collect())
}

fn carnage(mut server: Tocsin, each: u64, total: usize) -> Result<()> {
    let seed = environment::seed();
    println!("TOCSIN_SEED={seed}");
    let mut dice = Dice::new(seed);
    let hook = HookSink::start()?;
    field::misbehave(&hook);
    let failpoints = failpoints(&server)?;
    ensure!(failpoints.len() >= 6, "only {failpoints:?}");
    server.apply(&field::house(&hook))?;
    let field = Field::prepare(&server)?;
    let begun = wait::instant();
    let killed = thread::scope(|scope| {
        for sender in 0..SENDERS {
            let field = &field;
            scope.spawn(move || field.send(sender));
        }
        scope.spawn(|| field.answer_pages());
        // Whatever happens, the threads must end, or nothing would ever be told.
        let killed = kill_again_and_again(&mut server, deaths(&failpoints, each, total, &mut dice), &field);
        field.stop();
        killed
    })
    .with_context(|| format!("the server's log says:\n{}", server.log()))?;
    let verdict = verdict::reach(&server, &field, &hook, &killed)?;
    println!(
        "kills {}, acknowledged {}, acked-then-lost {}, pages {}, repeated with the same key {}, in {:?}",
        killed.len(),
        verdict.acknowledged,
        verdict.lost,
        verdict.pages,
        verdict.repeated,
        begun.elapsed()
    );
    server.stop()
}

/// Gives the moments at which the process was found dead; in the end it runs.
fn kill_again_and_again(server: &mut Tocsin, deaths: Vec<Death>, field: &Field) -> Result<Vec<std::time::Instant>> {
    let mut killed = Vec::new();
    for death in deaths {
        match death {
            Death::At { failpoint, n } => {
                let armed = format!("{failpoint}:{n}");
                server.spawn(&["--failpoint", &armed])?;
                field.moved_to(server.address());
                server.wait_for_abort(REACHED).with_context(|| format!("the failpoint {armed} did not fire"))?;
            }
            Death::After { ready, length } => {
                if ready {
                    server.start()?
                } else {
                    server.spawn(&[])?
                }
                field.moved_to(server.address());
                wait::pass(length);
                server.kill()?;
            }
        }
        killed.push(wait::instant());
    }
    server.start()?;
    field.moved_to(server.address());
    Ok(killed)
}
