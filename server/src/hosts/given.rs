//! Names that other senders give, made into ours: of hosts, of series, and what the name of an interface says.

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

/// What an interface is that rides on another, as agents call it in the tag `kind`. They know it from the kernel; of what
/// others measure only the name is known, and these are the names that people and their tools give.
pub(super) fn interface_kind(name: &str) -> Option<&'static str> {
    const BEGIN: [(&str, &str); 7] = [
        ("bond", "bond"),
        ("br-", "bridge"),
        ("team", "virtual"),
        ("tun", "tun"),
        ("vlan", "vlan"),
        ("vxlan", "vxlan"),
        ("wg", "wireguard"),
    ];
    const NUMBERED: [(&str, &str); 4] = [("br", "bridge"), ("bridge", "bridge"), ("tap", "tun"), ("vmbr", "bridge")];
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if name.rsplit_once('.').is_some_and(|(on, id)| !on.is_empty() && is_number(id)) {
        return Some("vlan");
    }
    let begins = BEGIN.into_iter().find(|(begin, _)| name.starts_with(begin));
    let numbered = || NUMBERED.into_iter().find(|(begin, _)| name.strip_prefix(begin).is_some_and(is_number));
    begins.or_else(numbered).map(|(_, kind)| kind)
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

    #[test]
    fn an_interface_that_rides_on_another_is_known_by_its_name() {
        for (name, kind) in [
            ("bond0", "bond"),
            ("bond0.100", "vlan"),
            ("eth0.7", "vlan"),
            ("vlan12", "vlan"),
            ("br0", "bridge"),
            ("br-lan", "bridge"),
            ("vmbr0", "bridge"),
            ("tun0", "tun"),
            ("tap3", "tun"),
            ("wg0", "wireguard"),
            ("team0", "virtual"),
        ] {
            assert_eq!(interface_kind(name), Some(kind), "{name}");
        }
        for name in ["eth0", "eno1", "enp3s0", "lo", "wlan0", "em1", "brcm", "ib0", ".1", "eth0.", "ens1f0np0"] {
            assert_eq!(interface_kind(name), None, "{name}");
        }
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
