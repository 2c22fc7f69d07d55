//! Names that other senders give, made into ours: of hosts, and of series.

use shared::host::SeriesName;

/// The longest name of a host, in characters.
const HOST_MAX_CHARS: usize = 255;

/// Whether a text may be the name of a host.
pub(super) fn is_host(text: &str) -> bool {
    let chars = text.chars().count();
    (1..=HOST_MAX_CHARS).contains(&chars) && text.trim() == text && !text.chars().any(char::is_control)
}

/// The name of a series as it is written here. Characters that would end a metric or a tag are replaced; none when nothing
/// is left of it, or it is too long.
pub(super) fn series<'a>(metric: &str, tags: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let metric = clean(metric, &['/', ',', ' '], '_');
    let tags = tags.map(|(name, value)| (clean(name, &[',', '=', '/'], '_'), clean(value, &[','], '_')));
    let tags = tags.filter(|(name, _)| !name.is_empty()).collect();
    let name = SeriesName { metric, tags }.to_string();
    // Read again, so that one series has one name.
    name.parse::<SeriesName>().ok().map(|name| name.to_string())
}

fn clean(text: &str, bad: &[char], instead: char) -> String {
    let good = |it: char| if bad.contains(&it) || it.is_control() { instead } else { it };
    text.trim().chars().map(good).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_keeps_what_it_may_and_replaces_the_rest() {
        let name = |metric: &str, tags: &[(&str, &str)]| series(metric, tags.iter().copied());
        assert_eq!(name("cpu.idle", &[]).as_deref(), Some("cpu.idle"));
        assert_eq!(
            name("a b/c,d", &[("x,y", "1,2"), ("p", "/dev/sda")]).as_deref(),
            Some("a_b_c_d/p=/dev/sda,x_y=1_2")
        );
        assert_eq!(name(" ", &[]), None);
        assert_eq!(name(&"m".repeat(511), &[]), None);
        assert!(
            is_host("web-01.example.org")
                && is_host("数据库一")
                && !is_host(" web")
                && !is_host("")
                && !is_host("a\tb")
        );
    }

    proptest! {
        #[test]
        fn a_name_is_one_or_there_is_none(metric in ".{0,30}", tag in ".{0,10}", value in ".{0,30}") {
            if let Some(name) = series(&metric, [(tag.as_str(), value.as_str())].into_iter()) {
                prop_assert_eq!(name.parse::<SeriesName>().unwrap().to_string(), name);
            }
        }
    }
}
