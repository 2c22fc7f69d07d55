//! The virtual window: which of many equally high lines are worth drawing.

/// Lines drawn beyond each edge, so that a flick does not show blank ones.
const OVERSCAN: usize = 6;

/// A stretch of lines, and how far down it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) offset_px: u32,
    pub(crate) total_px: u32,
}

/// The stretch visible at `scroll` in a viewport of `height` pixels.
pub(crate) fn window(lines: usize, line_px: u32, scroll: i32, height: i32) -> Window {
    let line = line_px.max(1) as usize;
    let scroll = usize::try_from(scroll.max(0)).unwrap_or(0);
    let height = usize::try_from(height.max(0)).unwrap_or(0);
    let top = (scroll / line).min(lines);
    let first = top.saturating_sub(OVERSCAN);
    let last = lines.min(top + height.div_ceil(line) + 1 + OVERSCAN);
    let px = |n: usize| u32::try_from(n * line).unwrap_or(u32::MAX);
    Window { first, last, offset_px: px(first), total_px: px(lines) }
}

/// Where to scroll so that line `index` is seen, or nowhere when it is.
pub(crate) fn reveal(index: usize, line_px: u32, scroll: i32, height: i32) -> Option<i32> {
    let line = i32::try_from(line_px).unwrap_or(1);
    let top = i32::try_from(index).unwrap_or(i32::MAX).saturating_mul(line);
    if top < scroll {
        Some(top)
    } else if top + line > scroll + height {
        Some(top + line - height)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_lines_of_many_are_drawn() {
        let window = window(10_000, 40, 4_000, 800);
        assert_eq!((window.first, window.last), (94, 127));
        assert_eq!((window.offset_px, window.total_px), (94 * 40, 400_000));
    }

    #[test]
    fn the_ends_are_not_overrun() {
        assert_eq!(window(3, 40, 0, 800), Window { first: 0, last: 3, offset_px: 0, total_px: 120 });
        assert_eq!(window(0, 40, 500, 800).last, 0);
        let past = window(10, 40, 100_000, 800);
        assert!(past.first <= past.last && past.last == 10);
    }

    #[test]
    fn a_line_out_of_sight_is_revealed_by_the_least_move() {
        assert_eq!(reveal(0, 40, 100, 400), Some(0));
        assert_eq!(reveal(5, 40, 0, 400), None);
        assert_eq!(reveal(20, 40, 0, 400), Some(440));
    }
}
