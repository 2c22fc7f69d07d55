//! Conditions of threshold rules read back in words, so that whoever writes one sees what it means.

use crate::{
    chart::axis,
    text::{charts, host_rules as t},
};
use engine::threshold::{Expression, Function, Operator, Span};
use shared::{
    config::Language,
    host::{Unit, metric},
    text::span,
};

/// What a condition means, or what is wrong with it.
pub(crate) fn condition(l: Language, text: &str) -> Result<String, String> {
    let expression: Expression = text.parse()?;
    let name = &expression.series;
    let known = metric(&name.metric);
    let metric_name = known.map_or(name.metric.as_str(), |it| if l == Language::Zh { it.chinese } else { it.english });
    let tags: Vec<String> = name.tags.iter().map(|(tag, value)| format!("{tag} {value}")).collect();
    let subject =
        if tags.is_empty() { metric_name.to_owned() } else { t::of(l, metric_name, &tags.join(charts::comma(l))) };
    let unit = match expression.function {
        Function::Pdiff(_) => Unit::Percent,
        Function::Stddev(_) => Unit::Plain,
        _ => known.map_or(Unit::Plain, |it| it.unit),
    };
    let is = compared(l, expression.operator, &axis::value(l, unit, expression.threshold));
    let over = |stretch: Span| match stretch {
        Span::Points(1) => t::newest(l),
        Span::Points(n) => t::newest_n(l, n),
        Span::Time(time) => t::last(l, &span(l, time.0)),
    };
    Ok(match expression.function {
        Function::Nodata(time) => t::nodata(l, &subject, &span(l, time.0)),
        Function::All(stretch) => t::all(l, &subject, &is, &over(stretch)),
        Function::Sum(stretch) => t::sum(l, &subject, &is, &over(stretch)),
        Function::Avg(stretch) => t::avg(l, &subject, &is, &over(stretch)),
        Function::Max(stretch) => t::max(l, &subject, &is, &over(stretch)),
        Function::Min(stretch) => t::min(l, &subject, &is, &over(stretch)),
        Function::Diff(stretch) => t::diff(l, &subject, &is, &over(stretch)),
        Function::Pdiff(stretch) => t::pdiff(l, &subject, &is, &over(stretch)),
        Function::Lookup { least, span: stretch } => t::lookup(l, &subject, &is, least, &over(stretch)),
        Function::Stddev(stretch) => t::stddev(l, &subject, &is, &over(stretch)),
    })
}

fn compared(l: Language, operator: Operator, threshold: &str) -> String {
    match operator {
        Operator::Equal => t::equal(l, threshold),
        Operator::Unequal => t::unequal(l, threshold),
        Operator::Less => t::less(l, threshold),
        Operator::AtMost => t::at_most(l, threshold),
        Operator::Greater => t::greater(l, threshold),
        Operator::AtLeast => t::at_least(l, threshold),
    }
}

#[cfg(test)]
mod tests {
    use super::condition;
    use proptest::prelude::*;
    use shared::config::Language::{En, Zh};

    #[test]
    fn conditions_are_read_back() {
        let say = |text: &str| condition(En, text).unwrap();
        assert_eq!(say("all(#3) cpu.idle < 5"), "CPU idle is below 5 % in each of the newest 3 samples");
        assert_eq!(say("avg(5m) load.1min > 40"), "load, 1 min is above 40 on average over the last 5 min");
        assert_eq!(
            say("max(#2) df.bytes.used.percent/mount=/data >= 90"),
            "space used (mount /data) is at least 90 % at its highest in the newest 2 samples"
        );
        assert_eq!(say("nodata(5m) nginx.alive"), "nothing is heard of nginx.alive for 5 min");
        assert!(condition(Zh, "all(#3) cpu.idle < 5").unwrap().contains("CPU 空闲"));
        assert!(condition(En, "cpu.idle is low").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            let read = condition(En, &text);
            prop_assert!(read.map_or_else(|fault| fault, |words| words).len() < 2_000);
        }
    }
}
