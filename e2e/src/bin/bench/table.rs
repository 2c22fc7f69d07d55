//! The table at the end: what was measured, beside what must be and what is hoped for.

/// One row of goals.md.
pub(crate) struct Row {
    pub(crate) number: &'static str,
    pub(crate) metric: &'static str,
    pub(crate) measured: String,
    /// In proportion to a control of the same run.
    pub(crate) against: String,
    pub(crate) must: String,
    pub(crate) moonshot: String,
    pub(crate) stands: Stands,
}

/// Where a figure stands.
pub(crate) struct Stands {
    /// How many times better than it must be; 1 is just enough.
    score: f64,
    moonshot: f64,
    /// The score of each round, where there were several.
    rounds: Vec<f64>,
}

impl Stands {
    /// More is better.
    pub(crate) fn rising(value: f64, must: f64, moonshot: f64) -> Self {
        Self { score: value / must, moonshot: moonshot / must, rounds: Vec::new() }
    }

    /// Less is better.
    pub(crate) fn falling(value: f64, must: f64, moonshot: f64) -> Self {
        Self { score: must / value, moonshot: must / moonshot, rounds: Vec::new() }
    }

    /// Less is better, and the goals say only what is hoped for.
    pub(crate) fn hoped(value: f64, moonshot: f64) -> Self {
        Self::falling(value, value.max(moonshot), moonshot)
    }

    /// The worse of two.
    pub(crate) fn min(self, other: Self) -> Self {
        if other.rank() < self.rank() || (other.rank() == self.rank() && other.score < self.score) {
            other
        } else {
            self
        }
    }

    fn rank(&self) -> u8 {
        u8::from(self.score >= 1.0) + u8::from(self.score >= self.moonshot)
    }

    const fn name(rank: u8) -> &'static str {
        match rank {
            0 => "below must",
            1 => "must",
            _ => "moonshot",
        }
    }
}

/// Of several rounds, each with controls of its own, the middle one of every row: on a machine that others share, a disk
/// may stand still for a second in any of them. The last column says how all of them stood.
pub(crate) fn middle(rounds: Vec<Vec<Row>>) -> Vec<Row> {
    let mut by_metric: Vec<Vec<Row>> = Vec::new();
    for row in rounds.into_iter().flatten() {
        match by_metric
            .iter_mut()
            .find(|same| same.first().is_some_and(|it| (it.number, it.metric) == (row.number, row.metric)))
        {
            Some(same) => same.push(row),
            None => by_metric.push(vec![row]),
        }
    }
    let one = |mut same: Vec<Row>| {
        same.sort_by(|a, b| a.stands.score.total_cmp(&b.stands.score));
        let all: Vec<f64> = same.iter().map(|row| row.stands.score).collect();
        let mut row = same.into_iter().nth(all.len() / 2)?;
        row.stands.rounds = all;
        Some(row)
    };
    by_metric.into_iter().filter_map(one).collect()
}

fn stands(row: &Row) -> String {
    let name = Stands::name(row.stands.rank());
    let rounds: Vec<String> = row.stands.rounds.iter().map(|score| format!("{score:.2}")).collect();
    if rounds.is_empty() { name.to_owned() } else { format!("{name}: {} x must", rounds.join(" ")) }
}

pub(crate) fn print(rows: &[Row]) {
    let head = ["#", "metric", "measured", "against its control", "must", "moonshot", "stands at"].map(str::to_owned);
    let lines: Vec<[String; 7]> = std::iter::once(head)
        .chain(rows.iter().map(|row| {
            [
                row.number.to_owned(),
                row.metric.to_owned(),
                row.measured.clone(),
                row.against.clone(),
                row.must.clone(),
                row.moonshot.clone(),
                stands(row),
            ]
        }))
        .collect();
    let mut widths = [0; 7];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    println!();
    for (number, line) in lines.iter().enumerate() {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        println!("| {} |", cells.collect::<Vec<_>>().join(" | "));
        if number == 0 {
            println!("|{}|", widths.map(|width| "-".repeat(width + 2)).join("|"));
        }
    }
}
