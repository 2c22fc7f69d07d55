//! Columns of text that are as wide as what is in them, and no wider together than the terminal.

use super::Style;

/// At which side a column's texts stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

pub(super) struct Grid<'a, const N: usize> {
    head: &'a [(&'a str, Side); N],
    rows: Vec<[String; N]>,
}

impl<'a, const N: usize> Grid<'a, N> {
    pub(super) const fn new(head: &'a [(&'a str, Side); N]) -> Self {
        Self { head, rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: [String; N]) {
        self.rows.push(cells);
    }

    /// Nothing where there are no rows.
    pub(super) fn drawn(&self, style: Style) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let head: Vec<String> = self.head.iter().map(|(title, _)| (*title).to_owned()).collect();
        let all = || std::iter::once(head.as_slice()).chain(self.rows.iter().map(<[String; N]>::as_slice));
        let widest = |n: usize| all().filter_map(|row| row.get(n)).map(|it| width(it)).max().unwrap_or_default();
        let widths: Vec<usize> = (0..N).map(widest).collect();
        let mut text = String::new();
        for (n, row) in all().enumerate() {
            let line = self.line(row, &widths, style.width);
            let is_bold = n == 0 && style.colour;
            text.push_str(&if is_bold { format!("\u{1b}[1m{line}\u{1b}[0m") } else { line });
            text.push('\n');
        }
        text
    }

    fn line(&self, row: &[String], widths: &[usize], most: usize) -> String {
        let mut line = String::new();
        let mut used = 0;
        for (n, ((cell, wide), (_, side))) in row.iter().zip(widths).zip(self.head).enumerate() {
            if n > 0 {
                line.push_str("  ");
                used += 2;
            }
            let room = most.saturating_sub(used);
            if *wide > room && n + 1 < row.len() {
                break;
            }
            let cell = if width(cell) > room { cut(cell, room) } else { cell.clone() };
            let padding = " ".repeat(wide.min(&room).saturating_sub(width(&cell)));
            match side {
                Side::Right => line.extend([padding.as_str(), cell.as_str()]),
                Side::Left => line.extend([cell.as_str(), padding.as_str()]),
            }
            used += wide;
        }
        line.trim_end().to_owned()
    }
}

/// How many characters of a text are seen: colours are not.
pub(super) fn width(text: &str) -> usize {
    let mut inside = false;
    let is_seen = |c: &char| {
        let seen = !inside && *c != '\u{1b}';
        inside = if inside { *c != 'm' } else { *c == '\u{1b}' };
        seen
    };
    text.chars().filter(is_seen).count()
}

fn cut(text: &str, room: usize) -> String {
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}
