//! Every parser takes anything: what libFuzzer would try, tried from a seed, so that each run of CI tries the same and
//! needs no nightly compiler. `cargo xtask fuzz MINUTES [TARGET]` goes on for longer, with other seeds.

mod mutate;

use e2e::dice::Dice;
use engine::normalize::fuzz::Target;
use mutate::Mutator;
use server::ingest::fuzz::targets;
use std::{
    fs, panic,
    path::{Path, PathBuf},
    time::Duration,
};

/// Cases of each target in every run.
const CASES: u64 = 1_500;
const SEED: u64 = 20_261_124;
/// Nothing of a fuzzed size may take longer.
const SLOW: Duration = Duration::from_secs(5);

/// What whoever explores asks for (`cargo xtask fuzz`).
struct Wish {
    /// For so long each target, in place of so many cases.
    seconds: Option<u64>,
    seed: u64,
    target: Option<String>,
    /// One case alone, as it was written down.
    file: Option<PathBuf>,
    /// Where what is found is written down.
    found: PathBuf,
}

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to look for")]
fn wish() -> Wish {
    let said = |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty());
    let number = |name: &str| said(name).and_then(|it| it.parse().ok());
    Wish {
        seconds: number("TOCSIN_FUZZ_SECONDS"),
        seed: number("TOCSIN_FUZZ_SEED").unwrap_or(SEED),
        target: said("TOCSIN_FUZZ_TARGET"),
        file: said("TOCSIN_FUZZ_FILE").map(PathBuf::from),
        found: said("TOCSIN_FUZZ_FOUND").map_or_else(std::env::temp_dir, PathBuf::from),
    }
}

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/fuzz/found")
}

/// `bracket-0123456789abcdef` is a case of the target `bracket`.
fn target_of(file: &Path) -> Option<Target> {
    let name = file.file_name()?.to_str()?;
    targets()
        .find(|it| name.strip_prefix(it.name).is_some_and(|rest| rest.starts_with('-') && !rest[1..].contains('-')))
}

fn breaks(target: Target, data: &[u8]) -> Option<String> {
    let broken = panic::catch_unwind(|| (target.run)(data)).err()?;
    let said = broken.downcast_ref::<String>().map(String::as_str).or_else(|| broken.downcast_ref::<&str>().copied());
    Some(said.unwrap_or("it panicked").to_owned())
}

/// Leaves out what is not needed for it to break.
fn smaller(target: Target, mut data: Vec<u8>) -> Vec<u8> {
    let mut part = data.len() / 2;
    let mut tries = 400;
    while part > 0 {
        let mut at = 0;
        while at < data.len() && tries > 0 {
            tries -= 1;
            let mut less = data.clone();
            less.drain(at..(at + part).min(data.len()));
            if breaks(target, &less).is_some() {
                data = less;
            } else {
                at += part;
            }
        }
        part /= 2;
    }
    data
}

/// Writes down what breaks, and says how to see it again.
fn report(wish: &Wish, target: Target, seed: u64, data: Vec<u8>, why: &str) -> String {
    let data = smaller(target, data);
    let sum = data
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let file = wish.found.join(format!("{}-{sum:016x}", target.name));
    fs::create_dir_all(&wish.found).and_then(|()| fs::write(&file, &data)).unwrap();
    let (name, file) = (target.name, file.display());
    format!(
        "{name}: {why}\n  found with seed {seed}: {:?}\n  again: cargo xtask fuzz repeat {file}\n  once it is mended, keep it: \
         mv {file} engine/fuzz/found/",
        String::from_utf8_lossy(&data)
    )
}

#[expect(clippy::disallowed_methods, reason = "it says how many cases a second there were, and what is slow")]
fn explore(wish: &Wish, target: Target) -> Result<(), String> {
    let seed = wish.seed ^ target.name.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31) ^ u64::from(byte));
    let mut mutator = Mutator::new(Dice::new(seed));
    let began = std::time::Instant::now();
    let mut cases = 0;
    // What ends the process is found there afterwards.
    let now = wish.seconds.map(|_| wish.found.join(format!("{}-now", target.name)));
    fs::create_dir_all(&wish.found).unwrap();
    loop {
        let is_over = wish.seconds.map_or(cases >= CASES, |most| began.elapsed() >= Duration::from_secs(most));
        if is_over {
            break;
        }
        let data = mutator.case();
        if let Some(now) = &now {
            fs::write(now, &data).unwrap();
        }
        cases += 1;
        let one = std::time::Instant::now();
        if let Some(why) = breaks(target, &data) {
            return Err(report(wish, target, wish.seed, data, &why));
        }
        if one.elapsed() > SLOW {
            return Err(report(wish, target, wish.seed, data, &format!("it took {:?}", one.elapsed())));
        }
    }
    if let Some(now) = now {
        fs::remove_file(now).unwrap();
        let seconds = began.elapsed().as_secs_f64();
        println!("{}: {cases} cases in {seconds:.0} s, {:.0} a second", target.name, cases as f64 / seconds);
    }
    Ok(())
}

#[test]
fn every_parser_keeps_its_promises_whatever_it_is_given() {
    let wish = wish();
    if let Some(file) = &wish.file {
        let target = target_of(file).expect("a file is called TARGET-NUMBER");
        (target.run)(&fs::read(file).unwrap());
        return;
    }
    let asked = |target: &Target| wish.target.as_deref().is_none_or(|name| name == target.name);
    let wanted: Vec<Target> = targets().filter(asked).collect();
    assert!(!wanted.is_empty(), "there are {:?}", targets().map(|it| it.name).collect::<Vec<_>>());
    let found: Vec<String> = wanted.into_iter().filter_map(|target| explore(&wish, target).err()).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn what_was_found_once_stays_mended() {
    for entry in fs::read_dir(fuzz_folder()).unwrap() {
        let file = entry.unwrap().path();
        let Some(target) = target_of(&file) else { continue };
        let broken = breaks(target, &fs::read(&file).unwrap());
        assert_eq!(broken, None, "{}", file.display());
    }
}

#[test]
fn libfuzzer_knows_the_same_targets() {
    let manifest: toml::Table = toml::from_str(include_str!("../../engine/fuzz/Cargo.toml")).unwrap();
    let listed: Vec<&str> =
        manifest["bin"].as_array().unwrap().iter().map(|bin| bin["name"].as_str().unwrap()).collect();
    assert_eq!(listed, targets().map(|it| it.name).collect::<Vec<_>>());
}
