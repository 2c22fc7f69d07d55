//! The usual form of a UUID, by which the claims of several sources are joined.

/// Lower case, as `8-4-4-4-12` digits; none for anything else, and for all zeros, which stands for no UUID.
pub(super) fn usual(text: &str) -> Option<String> {
    let text = text.trim();
    let groups: Vec<&str> = text.split('-').collect();
    let digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let written = sizes == [8, 4, 4, 4, 12] && groups.iter().all(digits);
    let zero = || text.bytes().all(|byte| matches!(byte, b'0' | b'-'));
    (written && !zero()).then(|| text.to_ascii_lowercase())
}

/// The usual form of its sixteen bytes.
pub(super) fn of_bytes(bytes: [u8; 16]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &digits[group]).join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_usual_form_counts() {
        let uuid = "6fa459ea-ee8a-3ca4-894e-db77e160355e";
        assert_eq!(usual(" 6FA459EA-EE8A-3CA4-894E-DB77E160355E\n").as_deref(), Some(uuid));
        for text in ["", "6fa459eaee8a3ca4894edb77e160355e", "6fa459ea-ee8a-3ca4-894e-db77e160355g", "web-01", "----"] {
            assert_eq!(usual(text), None, "{text}");
        }
        assert_eq!(usual("00000000-0000-0000-0000-000000000000\n"), None);
    }

    proptest! {
        #[test]
        fn sixteen_bytes_have_a_usual_form(bytes in any::<[u8; 16]>()) {
            prop_assume!(bytes != [0; 16]);
            let text = of_bytes(bytes);
            prop_assert_eq!(usual(&text), Some(text.clone()));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            usual(&text);
        }
    }
}
