//! Rewrites the stored stories of `tests/scenarios`: `cargo run -p engine --example stories`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a developer's tool may panic")]

#[path = "../tests/scenarios/files.rs"]
mod files;

#[expect(clippy::disallowed_methods, reason = "the ban is for the engine; this tool writes files")]
fn main() {
    let mut broken = 0;
    for file in files::scenarios() {
        let story = match files::story(&file) {
            Ok(story) => story,
            Err(failure) => {
                println!("{}.scenario: {failure}", file.name);
                broken += 1;
                continue;
            }
        };
        for failure in &story.failures {
            println!("{}.scenario: {failure}", file.name);
            broken += 1;
        }
        if let Some(difference) = files::difference(file.golden.as_deref().unwrap_or_default(), &story.text) {
            std::fs::write(files::folder().join(&file.name).with_extension("golden"), &story.text)
                .expect("a story can be written");
            println!("{}.golden rewritten:\n{difference}", file.name);
        }
    }
    if broken > 0 {
        println!("{broken} promises do not hold");
        std::process::exit(1);
    }
}
