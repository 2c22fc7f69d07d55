//! Which machines are sensitive: only a second person may let somebody see their traffic.

use crate::matcher::{Text, regex};
use shared::config::{Condition, MirrorMode, Operator};

/// What conditions can see of a machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Machine<'a> {
    pub name: &'a str,
    /// What the system inside calls itself.
    pub hostname: Option<&'a str>,
    /// Tags, or labels as `key=value`.
    pub tags: &'a [String],
    pub cluster: Option<&'a str>,
    /// The name of the one it runs on.
    pub hypervisor: Option<&'a str>,
}

/// Conditions on machines: `name=~^pay-.*`, `tag=pci`, `cluster!=test`. One that holds is enough.
#[derive(Clone, Debug, Default)]
pub struct Sensitive(Vec<Test>);

#[derive(Clone, Debug)]
struct Test {
    field: Field,
    text: Text,
    negated: bool,
}

#[derive(Clone, Copy, Debug)]
enum Field {
    Name,
    Hostname,
    Tag,
    Cluster,
    Hypervisor,
}

impl Sensitive {
    /// Compiles conditions.
    ///
    /// # Errors
    /// What is wrong with each that cannot be read, with its place and the mend.
    pub fn compile(conditions: &[String]) -> Result<Self, Vec<(usize, String)>> {
        let (mut tests, mut faults) = (Vec::new(), Vec::new());
        for (place, condition) in conditions.iter().enumerate() {
            match test(condition) {
                Ok(test) => tests.push(test),
                Err(fault) => faults.push((place, fault)),
            }
        }
        if faults.is_empty() { Ok(Self(tests)) } else { Err(faults) }
    }

    /// Whether one of the conditions holds.
    #[must_use]
    pub fn holds(&self, machine: &Machine<'_>) -> bool {
        self.0.iter().any(|test| test.holds(machine))
    }
}

/// Whether a machine's traffic needs a second person. Where a condition cannot be read, every machine's does.
#[must_use]
pub fn sensitive(mode: &MirrorMode, machine: &Machine<'_>) -> bool {
    Sensitive::compile(&mode.sensitive).map_or(true, |conditions| conditions.holds(machine))
}

fn test(condition: &str) -> Result<Test, String> {
    let Condition { field: name, operator, value } = Condition::split(condition)?;
    let field = match name {
        "name" => Field::Name,
        "hostname" => Field::Hostname,
        "tag" => Field::Tag,
        "cluster" => Field::Cluster,
        "hypervisor" => Field::Hypervisor,
        _ => {
            return Err(format!(
                "`{condition}`: machines have no `{name}`; write name, hostname, tag, cluster or hypervisor"
            ));
        }
    };
    let text = match operator {
        Operator::Equal | Operator::NotEqual => Text::Equal(value.to_owned()),
        Operator::Like | Operator::NotLike => Text::Like(regex(condition, value)?),
        Operator::In | Operator::NotIn => {
            return Err(format!("`{condition}`: machines are compared with =, !=, =~ and !~ only"));
        }
    };
    Ok(Test { field, text, negated: operator.is_negated() })
}

impl Test {
    /// What a machine lacks reads as empty; of tags, one is enough.
    fn holds(&self, machine: &Machine<'_>) -> bool {
        let positive = match self.field {
            Field::Name => self.text.holds(machine.name),
            Field::Hostname => self.text.holds(machine.hostname.unwrap_or_default()),
            Field::Cluster => self.text.holds(machine.cluster.unwrap_or_default()),
            Field::Hypervisor => self.text.holds(machine.hypervisor.unwrap_or_default()),
            Field::Tag => machine.tags.iter().any(|tag| self.text.holds(tag)),
        };
        positive != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str, machine: &Machine<'_>) -> bool {
        Sensitive::compile(&[condition.to_owned()]).unwrap().holds(machine)
    }

    #[test]
    fn a_machine_is_sensitive_by_any_of_its_names() {
        let tags = ["pci".to_owned(), "env=prod".to_owned()];
        let machine = Machine {
            name: "pay-07",
            hostname: Some("pay07.example.org"),
            tags: &tags,
            cluster: Some("cards"),
            hypervisor: Some("esx-07"),
        };
        for condition in [
            "name=pay-07",
            "name=~pay-.*",
            "hostname=~.*[.]example[.]org",
            "tag=pci",
            "tag=env=prod",
            "tag=~env=.*",
            "cluster=cards",
            "cluster!=test",
            "hypervisor=~esx-.*",
            "tag!=lab",
        ] {
            assert!(holds(condition, &machine), "{condition}");
        }
        for condition in ["name=pay-0", "name=~pay", "tag=prod", "tag!=pci", "cluster!~c.*", "hypervisor=kvm"] {
            assert!(!holds(condition, &machine), "{condition}");
        }
        assert!(holds("cluster=", &Machine::default()), "what is absent reads as empty");
    }

    #[test]
    fn a_condition_that_cannot_be_read_makes_every_machine_sensitive() {
        let mode = |condition: &str| MirrorMode { sensitive: vec![condition.to_owned()], ..MirrorMode::default() };
        for (condition, why) in [
            ("nonsense", "is not a condition"),
            ("severity=P0", "machines have no `severity`"),
            ("name=~(", "not a regular expression"),
            ("name in office", "compared with"),
        ] {
            let faults = Sensitive::compile(&["tag=pci".to_owned(), condition.to_owned()]).unwrap_err();
            assert!(matches!(&faults[..], [(1, fault)] if fault.contains(why)), "{faults:?}");
            assert!(sensitive(&mode(condition), &Machine::default()), "{condition}");
        }
        assert!(!sensitive(&MirrorMode::default(), &Machine::default()));
        assert!(!sensitive(&mode("tag=pci"), &Machine::default()));
    }
}
