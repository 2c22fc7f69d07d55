//! The product's promises, one scenario a file in `tests/scenarios`, each with its whole story beside it.
//!
//! A story that changed fails here with the difference; `cargo run -p engine --example stories` rewrites
//! the stories, and the review of the change shows what it means.

mod files;

use engine::scenario::parse;
use std::fmt::Write as _;

#[test]
fn every_scenario_tells_its_story() {
    let mut wrong = String::new();
    let scenarios = files::scenarios();
    assert!(scenarios.len() >= 30, "only {} scenarios were found", scenarios.len());
    for file in scenarios {
        let name = &file.name;
        match files::story(&file) {
            Err(failure) => writeln!(wrong, "{name}.scenario: {failure}").unwrap(),
            Ok(story) => {
                for failure in &story.failures {
                    writeln!(wrong, "{name}.scenario: {failure}").unwrap();
                }
                let difference = files::difference(file.golden.as_deref().unwrap_or_default(), &story.text);
                if let Some(difference) = difference {
                    writeln!(wrong, "{name}.golden differs (- stored, + now):\n{difference}").unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}\nIf this is meant: cargo run -p engine --example stories");
}

#[test]
fn a_story_is_the_same_every_time() {
    let file = files::scenarios().into_iter().next().expect("there are scenarios");
    assert_eq!(files::story(&file).unwrap().text, files::story(&file).unwrap().text);
}

fn error(text: &str) -> String {
    parse(&format!("title a\nconfig a.toml\n{text}")).expect_err(text).to_string()
}

#[test]
fn a_bad_line_names_its_place_and_the_mend() {
    for (text, expected) in [
        ("frobnicate", "line 3: `frobnicate` begins no line; begin a line with title"),
        ("at 5x post a b", "line 3: `5x` is not a length of time"),
        ("at 5m\nat 1m crash", "line 3: `` is no step; steps are post, ack"),
        ("at 5m crash\nat 1m crash", "line 4: 1m comes before the step above, at 5m; order the steps by time"),
        ("at 1m ack x by wang", "line 3: `x` is no number; write the incident's number"),
        ("at 1m ack 1", "line 3: nobody does it; add `by NAME`"),
        ("at 1m snooze 1 by wang", "line 3: it snoozes without an end; add `for 1h`"),
        ("at 1m reassign 1 to team:a by wang", "line 3: it is reassigned to nobody; add `to person:NAME`"),
        ("at 1m escalate 1 by wang level 0", "line 3: levels count from 1"),
        ("at 1m sleep 1h", "line 3: `for` is missing; add it"),
        ("provider mail explodes", "line 3: `explodes ` is nothing a provider does; providers accept"),
        ("at 1m expect joy", "line 3: `joy` cannot be expected; expect page, silence, incident, outcome or heartbeat"),
        ("at 1m expect page team:a", "line 3: a page goes to somebody"),
        ("at 1m expect page wang", "line 3: `wang` is not a target"),
        ("at 1m expect incident 1 gone", "line 3: `gone` is no state; states are triggered"),
        ("at 1m expect silence loudly", "line 3: `loudly` has no place here"),
        ("at 1m config\n[paging]", "line 3: the configuration never ends; close it with a line `end`"),
        ("start tomorrow", "line 3: `tomorrow` is not a time with a zone; write 2026-"),
    ] {
        let error = error(text);
        assert!(error.starts_with(expected), "{text:?} gives {error:?}");
    }
    assert!(parse("config a.toml").unwrap_err().to_string().contains("no title"));
    assert!(parse("title a").unwrap_err().to_string().contains("no configuration"));
}
