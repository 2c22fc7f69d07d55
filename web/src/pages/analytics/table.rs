//! Tables of figures, and those of noise: what to mend first, by identity, route and policy.

use super::picture::{Look, card};
use crate::{
    api::query::encoded,
    format::grouped,
    markup::Node,
    text::{analytics as t, words},
};
use shared::{
    api::{ChannelFigures, DeliveryCount, Noise, QuietBy, QuietKind},
    config::Language,
    text::span as length_of,
};

/// Identities that are drawn; the CSV has more.
const SHOWN: usize = 25;

/// The heading of a column.
pub(super) struct Column {
    name: String,
    is_number: bool,
}

impl Column {
    pub(super) const fn text(name: String) -> Self {
        Self { name, is_number: false }
    }

    pub(super) const fn number(name: String) -> Self {
        Self { name, is_number: true }
    }
}

pub(super) fn row_head(words: String) -> Node {
    Node::of("th", "", words).set("scope", "row")
}

pub(super) fn text(words: String) -> Node {
    Node::of("td", "n", words)
}

pub(super) fn num(n: u32) -> Node {
    Node::of("td", if n == 0 { "n none" } else { "n" }, grouped(n.into()))
}

/// A table that scrolls sideways by itself where it is too wide, also with the keyboard.
pub(super) fn table(name: &str, columns: &[Column], rows: Vec<Vec<Node>>) -> Node {
    let heading = |column: &Column| {
        Node::of("th", if column.is_number { "n" } else { "" }, column.name.clone()).set("scope", "col")
    };
    let head = Node::new("tr", "").all(columns.iter().map(heading).collect());
    let rows = rows.into_iter().map(|cells| Node::new("tr", "").all(cells)).collect();
    let table = Node::new("table", "figures-table")
        .with(Node::new("thead", "").with(head))
        .with(Node::new("tbody", "").all(rows));
    Node::new("div", "scroll-x").set("tabindex", "0").set("role", "region").set("aria-label", name).with(table)
}

/// A table to take away.
pub(super) fn csv(look: &Look<'_>, name: &str, what: &str) -> Node {
    Node::of("a", "btn small", t::csv(look.l))
        .set("href", format!("{}&format=csv&table={name}", look.csv))
        .set("download", format!("tocsin-{name}.csv"))
        .set("aria-label", t::csv_of(look.l, what))
}

fn columns(l: Language) -> Vec<Column> {
    let numbers = [
        t::unneeded(l),
        t::pages(l),
        t::incidents(l),
        t::acknowledged(l),
        t::by_itself(l),
        t::again(l),
        t::flapped(l),
        t::silenced(l),
    ];
    std::iter::once(Column::text(t::what(l))).chain(numbers.map(Column::number)).collect()
}

fn row(first: Node, it: &Noise) -> Vec<Node> {
    let counts =
        [it.unneeded, it.pages, it.incidents, it.acknowledged, it.by_itself, it.again, it.flapped, it.silenced];
    std::iter::once(first).chain(counts.map(num)).collect()
}

fn link(href: String, words: &str) -> Node {
    Node::of("a", "", words).set("href", href)
}

/// The noisiest: the newest incident of each, and the board searched for its machine.
pub(super) fn identities(look: &Look<'_>) -> Node {
    let l = look.l;
    let of = look.figures;
    let rows = of.identities.iter().take(SHOWN).map(|it| {
        let host = it.host.as_deref().map(|host| {
            let words = t::search_board(l, host);
            link(format!("/?q={}", encoded(host)), host)
                .set("class", "mono")
                .set("aria-label", &*words)
                .set("title", words)
        });
        let first = Node::new("th", "what").set("scope", "row");
        row(first.with(link(format!("/incidents/{}", it.newest), &it.title)).maybe(host), it)
    });
    let rows: Vec<_> = rows.collect();
    let more = (of.identities_total as usize > rows.len()).then(|| {
        let (shown, total) = (grouped(rows.len() as u64), grouped(of.identities_total.into()));
        Node::of("p", "hint", t::more_in_csv(l, &shown, &total))
    });
    card(look, t::noise(l), t::noise_is(l), &[("identities", t::noise(l))])
        .with(table(&t::noise(l), &columns(l), rows))
        .maybe(more)
}

/// The same by route or by policy, with a link to where it is mended.
pub(super) fn rules(look: &Look<'_>, of: &[Noise], name: &str, title: String, page: &str) -> Option<Node> {
    let rows = of.iter().map(|it| {
        let first = Node::new("th", "what").set("scope", "row");
        row(first.with(link(page.to_owned(), &it.id)), it)
    });
    let table = table(&title, &columns(look.l), rows.collect());
    let says = t::noise_is(look.l);
    (!of.is_empty()).then(|| card(look, title.clone(), says, &[(name, title)]).with(table))
}

/// How messages fared by channel, and by day.
pub(super) fn channels(look: &Look<'_>) -> Option<Node> {
    let l = look.l;
    let of = &look.figures.channels;
    let length = |ms: Option<i64>| text(ms.map_or_else(|| "–".to_owned(), |ms| length_of(l, ms)));
    let cells = |first: Vec<Node>, it: &DeliveryCount| -> Vec<Node> {
        let counts = [it.sent, it.accepted, it.failed, it.waiting, it.cancelled, it.retried].map(num);
        first.into_iter().chain(counts).chain([it.p50_ms, it.p90_ms].map(length)).collect()
    };
    let columns = |first: Vec<String>| -> Vec<Column> {
        let numbers = [
            t::sent(l),
            t::accepted(l),
            t::failed(l),
            t::not_known(l),
            t::cancelled(l),
            t::retried(l),
            "50 %".to_owned(),
            "90 %".to_owned(),
        ];
        first.into_iter().map(Column::text).chain(numbers.map(Column::number)).collect()
    };
    let name = |it: &ChannelFigures| row_head(words::channel(l, it.channel));
    let all = of.iter().map(|it| cells(vec![name(it)], &it.all)).collect();
    let days = of.iter().flat_map(|it| {
        it.days.iter().map(move |day| cells(vec![name(it), Node::of("td", "", day.day.clone())], &day.count))
    });
    let by_day = table(&t::by_day(l), &columns(vec![t::channel(l), t::day(l)]), days.collect());
    let by_day = Node::new("details", "").with(Node::of("summary", "", t::by_day(l))).with(by_day);
    (!of.is_empty()).then(|| {
        card(look, t::channels(l), t::channels_is(l), &[("channels", t::channels(l))])
            .with(table(&t::channels(l), &columns(vec![t::channel(l)]), all))
            .with(by_day)
    })
}

/// What silences, maintenance, inhibition and waiting routes did.
pub(super) fn quiet(look: &Look<'_>) -> Option<Node> {
    let l = look.l;
    let row = |it: &QuietBy| {
        let (kind, page) = match it.kind {
            QuietKind::Silence => (t::silence(l), format!("/silences/{}", it.id)),
            QuietKind::Maintenance => (t::maintenance(l), format!("/silences/{}", it.id)),
            QuietKind::Inhibition => (t::inhibition(l), String::new()),
            QuietKind::Suspect => (t::suspect(l), String::new()),
            QuietKind::Mute => (t::mute(l), "/routes".to_owned()),
            QuietKind::Hold => (t::hold(l), "/policies".to_owned()),
        };
        let name = Node::new("td", "what");
        let name = if page.is_empty() { Node { text: it.id.clone(), ..name } } else { name.with(link(page, &it.id)) };
        vec![row_head(kind), name, num(it.incidents), num(it.paged)]
    };
    let columns = [
        Column::text(t::kind(l)),
        Column::text(t::name(l)),
        Column::number(t::incidents(l)),
        Column::number(t::rang(l)),
    ];
    let of = &look.figures.quiet;
    let table = table(&t::quiet(l), &columns, of.iter().map(row).collect());
    (!of.is_empty()).then(|| card(look, t::quiet(l), t::quiet_is(l), &[("quiet", t::quiet(l))]).with(table))
}
