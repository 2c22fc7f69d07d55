//! Names of series, each once in memory, whichever hosts have it.

use shared::host::{SeriesName, Unit, metric};
use std::{
    cmp::Ordering,
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// A series by its name; the order is that of the name as it is written.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: SeriesName,
    /// The name as it is written.
    pub(super) text: Box<str>,
    pub(super) unit: Unit,
}

impl PartialEq for Series {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Series {}

impl PartialOrd for Series {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Series {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

/// Every name that is in use.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: Mutex<BTreeMap<Box<str>, Arc<Series>>>,
}

impl Names {
    /// The one copy of a name.
    pub(super) fn of(&self, name: SeriesName) -> Arc<Series> {
        let text: Box<str> = name.to_string().into();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = known.get(&text) {
            return Arc::clone(series);
        }
        let unit = metric(&name.metric).map_or(Unit::Plain, |metric| metric.unit);
        let series = Arc::new(Series { name, text: text.clone(), unit });
        known.insert(text, Arc::clone(&series));
        series
    }

    /// Forgets names that nobody has any more.
    pub(super) fn forget_unused(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, series| Arc::strong_count(series) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_is_one_copy_until_nobody_has_it() {
        let names = Names::default();
        let (one, other) = (names.of("a/x=1,y=2".parse().unwrap()), names.of("a/y=2,x=1".parse().unwrap()));
        assert!(Arc::ptr_eq(&one, &other));
        drop((one, other));
        let kept = names.of(SeriesName::plain("cpu.idle"));
        names.forget_unused();
        let known = names.known.lock().unwrap();
        assert_eq!((known.keys().map(|it| &**it).collect::<Vec<_>>(), kept.unit), (vec!["cpu.idle"], Unit::Percent));
    }
}
