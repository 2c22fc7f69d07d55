//! A honeycomb: where each of many cells lies, and which one a key leads to.

/// Half the width of a cell, and its height from corner to corner.
const HALF: f64 = 10.0;
const HIGH: f64 = 23.0;
/// From one row to the next.
const ROW: f64 = 18.0;

/// A honeycomb of some cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Comb {
    pub(crate) columns: usize,
    count: usize,
}

impl Comb {
    /// About `shape` times as wide as high.
    pub(crate) fn new(count: usize, shape: f64) -> Self {
        let columns = (count as f64 * shape * ROW / (2.0 * HALF)).sqrt().ceil().max(1.0) as usize;
        Self { columns: columns.min(count.max(1)), count }
    }

    /// The size of the whole.
    pub(crate) fn size(&self) -> (f64, f64) {
        let rows = self.count.div_ceil(self.columns).max(1);
        (self.columns as f64 * 2.0 * HALF + HALF, (rows - 1) as f64 * ROW + HIGH)
    }

    /// The middle of a cell.
    pub(crate) fn middle(&self, n: usize) -> (f64, f64) {
        let (row, column) = (n / self.columns, n % self.columns);
        let shift = if row % 2 == 1 { HALF } else { 0.0 };
        (column as f64 * 2.0 * HALF + HALF + shift, row as f64 * ROW + HIGH / 2.0)
    }

    /// The outline of a cell, as the path of a picture.
    pub(crate) fn outline(&self, n: usize) -> String {
        let (x, y) = self.middle(n);
        let (half, high) = (HALF - 0.8, HIGH / 2.0 - 0.8);
        let quarter = high / 2.0;
        format!(
            "M{x:.1} {:.1}l{half:.1} {quarter:.1}v{high:.1}l-{half:.1} {quarter:.1}l-{half:.1} -{quarter:.1}v-{high:.1}z",
            y - high
        )
    }

    /// The cell a key leads to from another.
    pub(crate) fn step(&self, from: usize, key: &str) -> Option<usize> {
        let to = match key {
            "ArrowLeft" => from.checked_sub(1)?,
            "ArrowRight" => from + 1,
            "ArrowUp" => from.checked_sub(self.columns)?,
            "ArrowDown" => from + self.columns,
            "Home" => 0,
            "End" => self.count.checked_sub(1)?,
            _ => return None,
        };
        (to < self.count).then_some(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_cells_meet_and_all_are_inside() {
        for (count, shape) in [(1, 1.0), (7, 2.0), (340, 2.4), (1_000, 0.6)] {
            let comb = Comb::new(count, shape);
            let (width, height) = comb.size();
            for n in 0..count {
                let (x, y) = comb.middle(n);
                assert!(x - HALF >= -0.01 && x + HALF <= width + 0.01, "{n} of {count}: {x} in {width}");
                assert!(y - HIGH / 2.0 >= -0.01 && y + HIGH / 2.0 <= height + 0.01, "{n} of {count}: {y} in {height}");
                for other in n.saturating_sub(comb.columns + 1)..n {
                    let (ox, oy) = comb.middle(other);
                    assert!((ox - x).hypot(oy - y) > 2.0 * HALF - 0.01, "{n} and {other} of {count}");
                }
            }
            assert!(width / height < shape * 2.0 + 2.0);
        }
    }

    #[test]
    fn arrows_walk_through_it() {
        let comb = Comb::new(10, 1.0);
        let columns = comb.columns;
        assert_eq!(comb.step(0, "ArrowLeft"), None);
        assert_eq!(comb.step(0, "ArrowRight"), Some(1));
        assert_eq!(comb.step(0, "ArrowDown"), Some(columns));
        assert_eq!(comb.step(columns, "ArrowUp"), Some(0));
        assert_eq!((comb.step(3, "Home"), comb.step(3, "End"), comb.step(9, "ArrowRight")), (Some(0), Some(9), None));
        assert_eq!(comb.step(3, "x"), None);
    }
}
