//! Names of series: a metric and its tags, written as Open-Falcon writes a counter.

use std::{fmt, str::FromStr};

/// The longest name, tags included; Open-Falcon's own bound.
pub const SERIES_MAX_BYTES: usize = 510;

/// A metric and its tags: `disk.io.util/device=sda`. Tags are in the order of their names, so that one series has one
/// name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesName {
    pub metric: String,
    pub tags: Vec<(String, String)>,
}

/// Why a text names no series.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeriesFault {
    #[error("the metric is empty; write for example cpu.idle or df.bytes.used.percent/mount=/data")]
    Empty,
    #[error("`{0}` is not a tag; write name=value, and a comma between tags")]
    Tag(String),
    #[error("the name is longer than {SERIES_MAX_BYTES} bytes")]
    TooLong,
    #[error("the name has control characters, or a space or comma where none may be")]
    Characters,
}

impl SeriesName {
    /// A metric without tags.
    #[must_use]
    pub fn plain(metric: &str) -> Self {
        Self { metric: metric.to_owned(), tags: Vec::new() }
    }

    /// The value of a tag.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// Whether this series is meant by `pattern`: the same metric, and every tag of the pattern the same.
    #[must_use]
    pub fn is_of(&self, pattern: &Self) -> bool {
        self.metric == pattern.metric && pattern.tags.iter().all(|(name, value)| self.tag(name) == Some(value))
    }
}

impl FromStr for SeriesName {
    type Err = SeriesFault;

    fn from_str(text: &str) -> Result<Self, SeriesFault> {
        if text.len() > SERIES_MAX_BYTES {
            return Err(SeriesFault::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(SeriesFault::Characters);
        }
        // A metric has no slash; the value of a tag may.
        let (metric, rest) = text.split_once('/').map_or((text, None), |(metric, rest)| (metric, Some(rest)));
        let metric = metric.trim();
        if metric.is_empty() {
            return Err(SeriesFault::Empty);
        }
        if metric.contains([' ', ',']) {
            return Err(SeriesFault::Characters);
        }
        let mut tags = Vec::new();
        for part in rest.into_iter().flat_map(|rest| rest.split(',')).filter(|part| !part.trim().is_empty()) {
            match part.split_once('=') {
                Some((name, value)) if !name.trim().is_empty() => {
                    tags.push((name.trim().to_owned(), value.trim().to_owned()));
                }
                _ => return Err(SeriesFault::Tag(part.to_owned())),
            }
        }
        tags.sort();
        tags.dedup_by(|later, earlier| later.0 == earlier.0);
        Ok(Self { metric: metric.to_owned(), tags })
    }
}

impl fmt::Display for SeriesName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        for (n, (name, value)) in self.tags.iter().enumerate() {
            write!(f, "{}{name}={value}", if n == 0 { '/' } else { ',' })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_series_has_one_name() {
        let name: SeriesName = "df.bytes.used/mount=/data, fstype=ext4".parse().unwrap();
        assert_eq!(name.to_string(), "df.bytes.used/fstype=ext4,mount=/data");
        assert_eq!(name.tag("mount"), Some("/data"));
        assert!(name.is_of(&"df.bytes.used/mount=/data".parse().unwrap()));
        assert!(name.is_of(&SeriesName::plain("df.bytes.used")));
        assert!(!name.is_of(&"df.bytes.used/mount=/".parse().unwrap()));
    }

    #[test]
    fn what_names_nothing_says_why() {
        assert_eq!("".parse::<SeriesName>(), Err(SeriesFault::Empty));
        assert_eq!("/mount=/".parse::<SeriesName>(), Err(SeriesFault::Empty));
        assert_eq!("cpu.idle/core".parse::<SeriesName>(), Err(SeriesFault::Tag("core".into())));
        assert_eq!("cpu idle".parse::<SeriesName>(), Err(SeriesFault::Characters));
        assert_eq!("x".repeat(511).parse::<SeriesName>(), Err(SeriesFault::TooLong));
    }

    proptest! {
        #[test]
        fn a_name_reads_as_it_is_written(text in ".{0,80}") {
            if let Ok(name) = text.parse::<SeriesName>() {
                prop_assert_eq!(name.to_string().parse::<SeriesName>(), Ok(name));
            }
        }
    }
}
