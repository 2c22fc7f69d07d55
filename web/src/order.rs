//! Sorting in one copy: the standard library's is compiled anew, several kilobytes each, for every type and key.

use std::cmp::Ordering;

/// In order; equal ones stay as they were.
pub(crate) fn sorted<T>(items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort(&mut places, &|a, b| compare(&items[a], &items[b]));
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| items[place].take()).collect()
}

fn sort(places: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    places.sort_by(|a, b| compare(*a, *b));
}

#[cfg(test)]
mod tests {
    use super::sorted;

    #[test]
    fn equal_ones_keep_their_order() {
        let words = vec!["pear", "fig", "plum", "kiwi", "date"];
        assert_eq!(sorted(words, |a, b| a.len().cmp(&b.len())), ["fig", "pear", "plum", "kiwi", "date"]);
        assert!(sorted(Vec::<u8>::new(), Ord::cmp).is_empty());
    }
}
