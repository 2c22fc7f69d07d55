//! Reads the configuration of other programs and writes ours, with every difference in meaning named.

mod alertmanager;
mod matchers;
mod receivers;
mod routes;
mod times;
mod write;

/// What became of another program's configuration.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Our document, with comments for whoever goes on from it.
    pub toml: String,
    /// What does not mean the same any more, in the order of the file; first what holds for all of it.
    pub differences: Vec<Difference>,
}

/// One thing that means something else in our document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where in the other program's file, such as `route.routes[0].repeat_interval`.
    pub place: String,
    pub what: String,
}

/// What an import collects on its way.
#[derive(Debug, Default)]
struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, place: impl Into<String>, what: impl Into<String>) {
        let difference = Difference { place: place.into(), what: what.into() };
        if !self.0.contains(&difference) {
            self.0.push(difference);
        }
    }
}

/// Reads an alertmanager.yml.
///
/// # Errors
/// When it is not one, in words: where, and what is wrong.
pub fn alertmanager(yaml: &str) -> Result<Imported, String> {
    let file = alertmanager::read(yaml)?;
    let mut differences = Differences::default();
    alertmanager::differences(yaml, &mut differences)?;
    let mut toml = write::Writer::new();
    write::head(&mut toml);
    let times = times::translate(&file, &mut toml, &mut differences)?;
    let policies = receivers::translate(&file, yaml, &mut toml, &mut differences)?;
    routes::translate(&file, &policies, &times, &mut toml, &mut differences)?;
    routes::inhibitions(&file, &mut toml, &mut differences)?;
    Ok(Imported { toml: toml.finish(), differences: differences.0 })
}
