//! Chance for the demo: a small generator, good enough to look alive and to be replayed.

/// SplitMix64.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    state: std::cell::Cell<u64>,
}

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: std::cell::Cell::new(seed) }
    }

    /// Dice of their own.
    pub(super) fn another(&self) -> Self {
        Self::new(self.next())
    }

    fn next(&self) -> u64 {
        let state = self.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state.set(state);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `n`.
    pub(super) fn below(&self, n: usize) -> usize {
        let n = u64::try_from(n.max(1)).unwrap_or(1);
        usize::try_from(self.next() % n).unwrap_or(0)
    }

    /// From `least` to `most`, both included.
    pub(super) fn between(&self, least: u64, most: u64) -> u64 {
        least + self.next() % (most.saturating_sub(least) + 1)
    }

    /// True `n` times of a hundred.
    pub(super) fn percent(&self, n: u64) -> bool {
        self.next() % 100 < n
    }

    /// One of them.
    pub(super) fn pick<'a, T>(&self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn the_dice_stay_within_their_bounds_and_replay() {
        let (one, other) = (Dice::new(7), Dice::new(7));
        for _ in 0..1_000 {
            assert!(one.below(6) < 6 && (3..=5).contains(&one.between(3, 5)));
            other.below(6);
            other.between(3, 5);
        }
        assert_eq!(one.below(1_000), other.below(1_000));
        assert_eq!(one.pick::<u8>(&[]), None);
        assert_eq!(
            (0..10_000).filter(|_| one.percent(10)).count() / 100,
            (0..10_000).filter(|_| other.percent(10)).count() / 100
        );
    }
}
