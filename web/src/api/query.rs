//! Query strings: written in a fixed order, without the parts that say nothing.

use shared::noun;

/// `?a=1&b=x%20y`, or nothing.
pub(crate) fn build(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        text.push(if text.is_empty() { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        noun::encode(value, &mut text);
    }
    text
}

/// One part of a path or query.
pub(crate) fn encoded(value: &str) -> String {
    let mut text = String::new();
    noun::encode(value, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::build;

    #[test]
    fn empty_parts_are_left_out_and_the_rest_is_escaped() {
        assert_eq!(build(&[("view", "open"), ("q", ""), ("group", "host")]), "?view=open&group=host");
        assert_eq!(build(&[("q", "a&b 主机")]), "?q=a%26b%20%E4%B8%BB%E6%9C%BA");
        assert_eq!(build(&[]), "");
    }
}
