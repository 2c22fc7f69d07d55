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

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stands {
    Below,
    Must,
    Moonshot,
}

impl Stands {
    pub(crate) fn rising(value: f64, must: f64, moonshot: f64) -> Self {
        if value >= moonshot {
            Self::Moonshot
        } else if value >= must {
            Self::Must
        } else {
            Self::Below
        }
    }

    pub(crate) fn falling(value: f64, must: f64, moonshot: f64) -> Self {
        Self::rising(-value, -must, -moonshot)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Below => "below must",
            Self::Must => "must",
            Self::Moonshot => "moonshot",
        }
    }
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
                row.stands.name().to_owned(),
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
