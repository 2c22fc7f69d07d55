//! Conditions as they are written: a field, an operator and a value.

use std::fmt;

/// How a field is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// The value is a regular expression that matches all of the field.
    Like,
    NotLike,
    NotEqual,
    Equal,
    /// The value is a list: of networks, or of time windows.
    In,
    NotIn,
}

impl Operator {
    /// Every operator; of those that begin at the same place the longest comes first.
    pub const ALL: [Self; 6] = [Self::Like, Self::NotLike, Self::NotEqual, Self::Equal, Self::In, Self::NotIn];

    /// As it is written, with the spaces that words need.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Like => "=~",
            Self::NotLike => "!~",
            Self::NotEqual => "!=",
            Self::Equal => "=",
            Self::In => " in ",
            Self::NotIn => " not in ",
        }
    }

    /// Whether the comparison must fail.
    #[must_use]
    pub const fn is_negated(self) -> bool {
        matches!(self, Self::NotLike | Self::NotEqual | Self::NotIn)
    }
}

/// A condition taken apart; whether its field and value make sense is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Condition<'a> {
    /// Without the quotes that a label's name may need.
    pub field: &'a str,
    pub operator: Operator,
    /// Without the quotes around it.
    pub value: &'a str,
}

impl<'a> Condition<'a> {
    /// Takes a text apart; a label's name that holds an operator is written in quotes: `labels."a=b"=c`.
    ///
    /// # Errors
    /// A sentence with the mend.
    pub fn split(text: &'a str) -> Result<Self, String> {
        let quoted = text.strip_prefix("labels.\"").and_then(|rest| rest.split_once('"'));
        let (name, rest) = quoted.map_or((None, text), |(name, rest)| (Some(name), rest));
        // The leftmost operator, and of those that begin there the longest.
        let mut found: Option<(usize, Operator)> = None;
        for operator in Operator::ALL {
            if let Some(at) = rest.find(operator.sign()).filter(|at| found.is_none_or(|(first, _)| *at < first)) {
                found = Some((at, operator));
            }
        }
        let (at, operator) = found.ok_or_else(|| {
            format!(
                "`{text}` is not a condition; write field=value, field!=value, field=~regex, field!~regex, \
                 ip in 10.0.0.0/8 or time in office"
            )
        })?;
        let (before, after) = rest.split_at(at);
        let field = name.unwrap_or(before.trim());
        if field.is_empty() {
            return Err(format!("`{text}`: the field's name is missing before `{}`", operator.sign().trim()));
        }
        let value = unquoted(after.get(operator.sign().len()..).unwrap_or_default().trim());
        Ok(Self { field, operator, value })
    }
}

impl fmt::Display for Condition<'_> {
    /// Writes it so that it is read as the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, operator, value } = self;
        if Operator::ALL.into_iter().any(|it| field.contains(it.sign())) {
            write!(f, "labels.\"{field}\"")?;
        } else {
            f.write_str(field)?;
        }
        f.write_str(operator.sign())?;
        let quotes = matches!(operator, Operator::Like | Operator::NotLike)
            || *value != value.trim()
            || unquoted(value) != *value;
        if quotes { write!(f, "\"{value}\"") } else { f.write_str(value) }
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_apart_is_written_as_it_was_meant() {
        for text in [
            "severity=P0",
            "host=~\"db-.*\"",
            "service!=web",
            "labels.rack!~\"r[0-9]\"",
            "labels.\"a=b\"=c",
            "ip in 10.0.0.0/8, 2001:db8::/32",
            "time not in office",
            "service=",
            "summary=\" padded \"",
            "summary=\"\"quoted\"\"",
        ] {
            let condition = Condition::split(text).unwrap();
            let written = condition.to_string();
            assert_eq!(Condition::split(&written), Ok(condition), "{text} became {written}");
        }
        assert_eq!(Condition::split("host =~ \"a=b\"").unwrap().to_string(), "host=~\"a=b\"");
        assert_eq!(Condition::split("labels.\"a=b\"=c").unwrap().field, "a=b");
        assert!(Condition::split("nonsense").unwrap_err().contains("is not a condition"));
        assert!(Condition::split("=x").unwrap_err().contains("name is missing"));
    }
}
