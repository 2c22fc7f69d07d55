//! Names of hosts with `*` and `?`: whether a name is meant.

/// Whether `name` is meant by `pattern`: `*` stands for any characters or none, `?` for one; the case of ASCII letters
/// does not count, as in names of machines. Takes no longer than the length of one times that of the other.
#[must_use]
pub fn is_meant(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    // After the last star: what follows it, and the name from where that was tried last.
    let mut star = None;
    loop {
        let (before, mut rest) = (name.clone(), pattern.clone());
        match (rest.next(), name.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                (pattern, name) = (rest.clone(), before.clone());
                star = Some((rest, before));
                continue;
            }
            (Some('?'), Some(_)) => {
                pattern = rest;
                continue;
            }
            (Some(wanted), Some(is)) if wanted.eq_ignore_ascii_case(&is) => {
                pattern = rest;
                continue;
            }
            (_, None) => return false,
            _ => {}
        }
        // The star takes one character more.
        let Some((after, tried)) = &mut star else { return false };
        if tried.next().is_none() {
            return false;
        }
        (pattern, name) = (after.clone(), tried.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_stand_for_anything_and_question_marks_for_one() {
        for (pattern, name) in [
            ("web-01", "WEB-01"),
            ("web-*", "web-"),
            ("web-*", "web-01.example.org"),
            ("*", ""),
            ("**", "x"),
            ("db-0?.example.org", "db-07.example.org"),
            ("*-a*-b", "x-a-ab-b-b"),
            ("数据库?", "数据库七"),
        ] {
            assert!(is_meant(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("web-01", "web-010"),
            ("web-?", "web-"),
            ("web-?", "web-01"),
            ("*-b", "a-bc"),
            ("", "x"),
            ("a*b*c", "a-c-b"),
        ] {
            assert!(!is_meant(pattern, name), "{pattern} {name}");
        }
    }

    /// By definition, however long it takes.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|n| naive(rest, &name[n..])),
            Some(('?', rest)) => !name.is_empty() && naive(rest, &name[1..]),
            Some((c, rest)) => name.first().is_some_and(|is| is.eq_ignore_ascii_case(c)) && naive(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_means_what_the_definition_says(pattern in "[aB?*]{0,8}", name in "[aAb]{0,8}") {
            let (chars, of_name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
            prop_assert_eq!(is_meant(&pattern, &name), naive(&chars, &of_name));
        }

        #[test]
        fn any_text_is_meant_by_itself_and_by_a_star(name in "[^*?]{0,40}", pattern in ".{0,40}") {
            prop_assert!(is_meant(&name, &name) && is_meant("*", &name));
            let longer = format!("{pattern}*");
            prop_assert!(!is_meant(&pattern, &name) || is_meant(&longer, &name));
        }
    }
}
