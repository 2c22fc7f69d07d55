//! The picture of a mirror as data: machine, switch, the way of the copies, and where they end.

use super::{
    findings::{self, Part},
    rate, standing,
};
use crate::{markup::Node, text::mirrors as t};
use shared::{
    api::{CollectorRow, MirrorBoard, MirrorCheck},
    config::Language,
    mirror::{Direction, Mirror, MirrorFinding, MirrorSpec, Rule, Transport, Weight},
};

/// Machines that are named; of more, how many.
const NAMED_MAX: usize = 3;

/// What is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scene {
    /// Each with its port, where that is known.
    pub(crate) sources: Vec<(String, String)>,
    pub(crate) direction: Direction,
    /// As people know it, and what carries it out.
    pub(crate) switch: (String, String),
    pub(crate) transport: Transport,
    /// What is left out or cut off, in words.
    pub(crate) options: Vec<String>,
    /// Whose place the copies go to, and which.
    pub(crate) end: (String, String),
    /// Parts that something is the matter with, and whether that blocks.
    pub(crate) troubles: Vec<(Part, Weight)>,
    /// The copies would come back to where they are made.
    pub(crate) loops: bool,
    /// Copies are being counted.
    pub(crate) flows: bool,
    /// How much there would be.
    pub(crate) rate: Option<String>,
}

impl Scene {
    /// Of a mirror there is.
    pub(crate) fn of_mirror(l: Language, mirror: &Mirror, board: Option<&MirrorBoard>) -> Self {
        let ports = mirror.plan.sources.iter().map(|(_, port)| port.clone());
        let sources =
            standing::sources(mirror).into_iter().zip(ports.chain(std::iter::repeat(String::new()))).collect();
        let named = board.and_then(|board| collector(board, &mirror.spec.transport)).map(|it| it.name.clone());
        Self {
            sources,
            direction: mirror.spec.direction,
            switch: switch(board, mirror.plan.backend.as_str(), &mirror.plan.switch),
            transport: mirror.spec.transport.clone(),
            options: options(l, &mirror.spec),
            end: (named.unwrap_or_else(|| standing::destination(mirror)), standing::end(&mirror.spec.transport)),
            troubles: Vec::new(),
            loops: false,
            flows: mirror.state.is_running() && mirror.evidence.bps > 0,
            rate: None,
        }
    }

    /// Of one that is being described; `names` are those of the interfaces that were picked.
    pub(crate) fn of_spec(
        l: Language,
        spec: &MirrorSpec,
        names: Vec<String>,
        check: Option<&MirrorCheck>,
        board: &MirrorBoard,
    ) -> Self {
        let findings = check.map_or(&[][..], |check| &check.findings);
        let port = |name: &String| {
            let known = check.and_then(|check| check.sources.iter().find(|it| it.vm == *name));
            known.and_then(|it| it.port.clone()).unwrap_or_default()
        };
        let place = check.and_then(|check| check.switch.as_ref()).map(|it| (it.backend.as_str(), it.switch.as_str()));
        let place = place.or(spec.backend.as_ref().map(|it| it.as_str()).zip(spec.switch.as_deref()));
        let end = standing::end(&spec.transport);
        let blank = matches!(spec.transport, Transport::Erspan { remote, .. } if remote.is_unspecified());
        let collector = collector(board, &spec.transport).map(|it| it.name.clone());
        Self {
            sources: names.into_iter().map(|name| (name.clone(), port(&name))).collect(),
            direction: spec.direction,
            switch: place.map_or_else(Default::default, |(backend, it)| switch(Some(board), backend, it)),
            transport: spec.transport.clone(),
            options: options(l, spec),
            end: if blank { Default::default() } else { (collector.unwrap_or_else(|| end.clone()), end) },
            troubles: troubles(findings),
            loops: findings.iter().any(|it| it.rule == Rule::Loop && it.weight == Weight::Blocks),
            flows: false,
            rate: check.and_then(|check| check.projected).map(|it| rate::bits(it.copied_bps)),
        }
    }

    fn trouble(&self, part: Part) -> &'static str {
        let of = || self.troubles.iter().filter(|(own, _)| *own == part).map(|(_, weight)| *weight);
        if of().any(|weight| weight == Weight::Blocks) {
            " wrong"
        } else if of().next().is_some() {
            " warned"
        } else {
            ""
        }
    }
}

/// The collector that a transport leads to, if it is one that is known.
pub(crate) fn collector<'a>(board: &'a MirrorBoard, transport: &Transport) -> Option<&'a CollectorRow> {
    board.collectors.iter().find(|it| match transport {
        Transport::Erspan { remote, .. } => it.ip == Some(*remote),
        Transport::Span { port } | Transport::RspanDestination { port } => it.port.as_ref() == Some(port),
        Transport::RspanSource { vlan, .. } => it.vlan == Some(*vlan),
        Transport::Legacy => false,
    })
}

fn switch(board: Option<&MirrorBoard>, backend: &str, switch: &str) -> (String, String) {
    let of = board.and_then(|board| board.backends.iter().find(|it| it.id.as_str() == backend));
    let name = of.and_then(|of| of.switches.iter().find(|it| it.switch == switch)).map(|it| it.name.clone());
    let by = of.map(|of| of.name.clone()).filter(|name| !name.is_empty());
    (name.unwrap_or_else(|| switch.to_owned()), by.unwrap_or_else(|| backend.to_owned()))
}

fn options(l: Language, spec: &MirrorSpec) -> Vec<String> {
    let mut words = Vec::new();
    if !spec.vlan_filter.is_empty() {
        words.push(t::only_vlans(l, &spec.vlan_filter.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")));
    }
    words.extend(spec.snap_bytes.map(|n| t::cut_to(l, n)));
    words.extend(spec.sampling.map(|n| t::one_of(l, n)));
    words
}

fn troubles(findings: &[MirrorFinding]) -> Vec<(Part, Weight)> {
    findings.iter().filter_map(|it| Some((findings::part(it.rule)?, it.weight))).collect()
}

/// From the machine to the collector, in order; `says` is the same in a sentence.
pub(crate) fn draw(l: Language, scene: &Scene, class: &str, says: String) -> Node {
    let named = scene.sources.iter().take(NAMED_MAX).map(|(name, port)| {
        let port = (!port.is_empty()).then(|| Node::of("small", "mono", port.clone()));
        Node::new("span", "").with(Node::of("strong", "", name.clone())).maybe(port)
    });
    let more = scene.sources.len().saturating_sub(NAMED_MAX);
    let mut machines: Vec<Node> = named.collect();
    machines.extend((more > 0).then(|| Node::of("small", "", t::and_more(l, more))));
    if machines.is_empty() {
        machines.push(Node::of("span", "muted", t::not_chosen(l)));
    }
    let way = kind(l, &scene.transport);
    let options: Vec<Node> = scene.options.iter().map(|it| Node::of("small", "", it.clone())).collect();
    let rate = scene.rate.clone().map(|rate| Node::of("small", "flow-rate", rate));
    let back = scene.loops.then(|| Node::of("small", "loop", t::comes_back(l)));
    let taken = edge(scene.direction, scene.flows, scene.trouble(Part::Source)).with(Node::of(
        "small",
        "",
        t::direction(l, scene.direction),
    ));
    let sent = edge(Direction::FromVm, scene.flows, scene.trouble(Part::Way))
        .with(Node::of("b", "", way))
        .all(options)
        .maybe(rate)
        .maybe(back);
    let list = Node::new("ol", &format!("mirror-way {class}")).set("aria-label", says);
    list.with(node(&format!("machine{}", scene.trouble(Part::Source)), t::machine(l)).all(machines))
        .with(taken)
        .with(place(l, &format!("switch{}", scene.trouble(Part::Switch)), t::switch(l), &scene.switch))
        .with(sent)
        .with(place(l, &format!("collector{}", scene.trouble(Part::Destination)), t::collector(l), &scene.end))
}

fn node(class: &str, what: String) -> Node {
    Node::new("li", &format!("way-node {class}")).with(Node::of("small", "way-what", what))
}

fn place(l: Language, class: &str, what: String, (name, detail): &(String, String)) -> Node {
    let node = node(class, what);
    if name.is_empty() {
        return node.with(Node::of("span", "muted", t::not_chosen(l)));
    }
    let detail = (detail != name && !detail.is_empty()).then(|| Node::of("small", "mono", detail.clone()));
    node.with(Node::of("strong", "", name.clone())).maybe(detail)
}

/// An arrow; its head says which way packets go that are copied.
fn edge(direction: Direction, flows: bool, trouble: &str) -> Node {
    let heads = match direction {
        Direction::FromVm => "M40 2l7 6-7 6",
        Direction::ToVm => "M8 2L1 8l7 6",
        Direction::Both => "M40 2l7 6-7 6M8 2L1 8l7 6",
    };
    let svg = Node::new("svg", "").set("viewBox", "0 0 48 16").set("aria-hidden", "true");
    let line = Node::new("path", "line").set("d", "M2 8H46");
    let svg = svg.with(line).with(Node::new("path", "heads").set("d", heads));
    let flowing = if flows { " flows" } else { "" };
    Node::new("li", &format!("way-edge{flowing}{trouble}")).with(svg)
}

/// `ERSPAN II, session 7`.
pub(crate) fn kind(l: Language, transport: &Transport) -> String {
    use shared::mirror::Encapsulation;
    match transport {
        Transport::Span { .. } => "SPAN".to_owned(),
        Transport::RspanSource { vlan, .. } => t::rspan_in_vlan(l, *vlan),
        Transport::RspanDestination { .. } => t::rspan_out_of_port(l),
        Transport::Erspan { version: Encapsulation::Gre, session, .. } => t::gre_key(l, *session),
        Transport::Erspan { version: Encapsulation::Erspan2, session, .. } => t::erspan(l, "II", *session),
        Transport::Erspan { version: Encapsulation::Erspan3, session, .. } => t::erspan(l, "III", *session),
        Transport::Legacy => t::legacy(l),
    }
}

/// The picture in a sentence.
pub(crate) fn sentence(l: Language, scene: &Scene) -> String {
    let from = scene.sources.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
    let or = |text: &str| if text.is_empty() { t::not_chosen(l) } else { text.to_owned() };
    t::picture(l, &or(&from), &t::direction(l, scene.direction), &kind(l, &scene.transport), &or(&scene.end.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::sample::{board, mirror};
    use shared::mirror::{About, MirrorState};

    const EN: Language = Language::En;

    fn described(findings: Vec<MirrorFinding>) -> Scene {
        let all = board(vec![]);
        let spec = mirror(MirrorState::Active).spec;
        let check = MirrorCheck {
            spec: spec.clone(),
            findings,
            sources: vec![],
            plan: None,
            needs_approval: false,
            switch: Some(all.backends[0].switches[0].clone()),
            projected: None,
            error: None,
        };
        Scene::of_spec(EN, &spec, vec!["web01".into()], Some(&check), &all)
    }

    #[test]
    fn a_mirror_is_drawn_from_its_machine_to_its_collector() {
        let scene = Scene::of_mirror(EN, &mirror(MirrorState::Active), Some(&board(vec![])));
        let node = draw(EN, &scene, "", sentence(EN, &scene));
        assert_eq!(node.attribute("aria-label"), Some("web01, both ways, over ERSPAN II, session 3, to capture"));
        let words = node.words();
        for word in ["web01", "br-int", "KVM 1", "ERSPAN II, session 3", "capture", "10.77.0.9"] {
            assert!(words.contains(word), "{word}: {words}");
        }
    }

    #[test]
    fn what_is_wrong_is_seen_where_it_is() {
        let finding = |rule, weight| MirrorFinding { rule, weight, path: String::new(), about: About::NoReason };
        let scene = described(vec![finding(Rule::Loop, Weight::Blocks), finding(Rule::Unsettled, Weight::Warns)]);
        let node = draw(EN, &scene, "", String::new());
        assert_eq!(node.find("way-node").iter().filter(|it| !it.find("wrong").is_empty()).count(), 0);
        assert_eq!(node.find("way-node")[0].find("warned").len(), 1);
        assert_eq!(node.find("way-edge").iter().filter(|it| !it.find("wrong").is_empty()).count(), 1);
        assert_eq!(node.find("loop").len(), 1);
    }

    #[test]
    fn what_is_not_chosen_is_said_to_be_open() {
        let all = board(vec![]);
        let scene = Scene::of_spec(EN, &MirrorSpec::default(), vec![], None, &all);
        let node = draw(EN, &scene, "", sentence(EN, &scene));
        assert_eq!(node.words().matches("not chosen yet").count(), 3, "{}", node.words());
    }

    #[test]
    fn a_described_one_has_the_collectors_name() {
        assert_eq!(described(vec![]).end, ("capture".to_owned(), "10.77.0.9".to_owned()));
        assert_eq!(described(vec![]).switch, ("br-int".to_owned(), "KVM 1".to_owned()));
    }
}
