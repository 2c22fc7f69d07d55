//! A mapping while it is edited, the payload it is tried on, and what became of that.

use super::{
    merge::{Clash, merged},
    payload::{Base, Tree, rebased},
};
use crate::{
    api::{self, ApiError},
    text::mapping as t,
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    Action, EventId, IntegrationId, Severity, Timestamp,
    api::{MappingPreview, MappingTrial},
    config::{Language, MappedSeverity, MappedStatus, MappedWhen, Mapping, Texts},
};
use std::time::Duration;

/// How long nothing is typed before it is tried.
const PAUSE: Duration = Duration::from_millis(200);

/// A field of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Summary,
    Host,
    Severity,
    Status,
    Ip,
    Mac,
    Service,
    Key,
    Time,
    Url,
    Content,
    Label(String),
}

impl Field {
    pub(super) const ALL: [Self; 11] = [
        Self::Summary,
        Self::Host,
        Self::Severity,
        Self::Status,
        Self::Service,
        Self::Key,
        Self::Ip,
        Self::Mac,
        Self::Time,
        Self::Url,
        Self::Content,
    ];

    pub(super) fn name(&self, l: Language) -> String {
        match self {
            Self::Summary => t::summary(l),
            Self::Host => t::host(l),
            Self::Severity => t::severity(l),
            Self::Status => t::status(l),
            Self::Ip => t::ip(l),
            Self::Mac => t::mac(l),
            Self::Service => t::service(l),
            Self::Key => t::key(l),
            Self::Time => t::time(l),
            Self::Url => t::url(l),
            Self::Content => t::content(l),
            Self::Label(name) => t::label(l, name),
        }
    }

    /// As the configuration and the server's origins call it.
    pub(super) fn word(&self) -> String {
        let word = match self {
            Self::Summary => "summary",
            Self::Host => "host",
            Self::Severity => "severity",
            Self::Status => "status",
            Self::Ip => "ip",
            Self::Mac => "mac",
            Self::Service => "service",
            Self::Key => "dedup_key",
            Self::Time => "time",
            Self::Url => "link",
            Self::Content => "content",
            Self::Label(name) => return format!("labels.{name}"),
        };
        word.to_owned()
    }

    /// Whether several members make it up, rather than one instead of the other.
    const fn grows(&self) -> bool {
        matches!(self, Self::Summary | Self::Key)
    }

    pub(super) fn texts<'m>(&self, mapping: &'m Mapping) -> &'m [String] {
        let texts = match self {
            Self::Summary => Some(&mapping.summary),
            Self::Host => Some(&mapping.host),
            Self::Severity => mapping.severity.as_ref().map(|it| &it.from),
            Self::Status => mapping.status.as_ref().map(|it| &it.from),
            Self::Ip => Some(&mapping.ip),
            Self::Mac => Some(&mapping.mac),
            Self::Service => Some(&mapping.service),
            Self::Key => Some(&mapping.key),
            Self::Time => Some(&mapping.time),
            Self::Url => Some(&mapping.url),
            Self::Content => Some(&mapping.content),
            Self::Label(name) => mapping.labels.get(name),
        };
        texts.map_or(&[], |texts| &texts.0)
    }

    pub(super) fn set(&self, mapping: &mut Mapping, texts: Vec<String>) {
        let texts = Texts(texts);
        match self {
            Self::Summary => mapping.summary = texts,
            Self::Host => mapping.host = texts,
            Self::Ip => mapping.ip = texts,
            Self::Mac => mapping.mac = texts,
            Self::Service => mapping.service = texts,
            Self::Key => mapping.key = texts,
            Self::Time => mapping.time = texts,
            Self::Url => mapping.url = texts,
            Self::Content => mapping.content = texts,
            Self::Severity if texts.is_empty() => mapping.severity = None,
            Self::Severity => mapping.severity.get_or_insert_with(MappedSeverity::default).from = texts,
            Self::Status if texts.is_empty() => mapping.status = None,
            Self::Status => mapping.status.get_or_insert_with(MappedStatus::default).from = texts,
            Self::Label(name) if texts.is_empty() => drop(mapping.labels.remove(name)),
            Self::Label(name) => drop(mapping.labels.insert(name.clone(), texts)),
        }
    }

    /// Gives it a member of the payload, or takes it back.
    pub(super) fn assign(&self, mapping: &mut Mapping, pointer: &str) {
        let texts = match self.texts(mapping) {
            known if known.iter().any(|it| it == pointer) => {
                known.iter().filter(|it| *it != pointer).cloned().collect()
            }
            [first, ..] if self.grows() => {
                let gap = if matches!(self, Self::Key) { "/" } else { " " };
                let first = if first.starts_with(['/', '$']) { format!("{{{first}}}") } else { first.clone() };
                vec![format!("{first}{gap}{{{pointer}}}")]
            }
            _ => vec![pointer.to_owned()],
        };
        self.set(mapping, texts);
    }
}

/// What the mapping is tried on.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Payload {
    pub(super) text: String,
    /// As it is stored, from the first to the last byte.
    pub(super) event: Option<(EventId, Timestamp)>,
}

/// Typing redraws only what the alert would be; another member redraws the rules.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    sender: StoredValue<IntegrationId>,
    mapping: RwSignal<Mapping>,
    /// As it is in force, and in which version.
    stored: RwSignal<(Mapping, i64)>,
    pub(super) shape: RwSignal<u32>,
    pub(super) payload: RwSignal<Option<Payload>>,
    pub(super) tree: Memo<Option<Tree>>,
    /// The member whose uses are shown.
    pub(super) open: RwSignal<Option<String>>,
    pub(super) tried: RwSignal<Option<Result<MappingPreview, ApiError>>>,
    pub(super) refusal: RwSignal<Option<ApiError>>,
    /// What somebody else changed as well, in another way.
    pub(super) clashes: RwSignal<Vec<Clash>>,
    /// Rises when it is to be tried again as it is.
    pub(super) again: RwSignal<u32>,
}

impl Draft {
    pub(super) fn new(sender: IntegrationId) -> Self {
        let payload = RwSignal::new(None::<Payload>);
        let draft = Self {
            sender: StoredValue::new(sender),
            mapping: RwSignal::new(Mapping::default()),
            stored: RwSignal::new((Mapping::default(), 0)),
            shape: RwSignal::new(0),
            payload,
            tree: Memo::new(move |_| payload.with(|it| it.as_ref().and_then(|it| Tree::read(&it.text)))),
            open: RwSignal::new(None),
            tried: RwSignal::new(None),
            refusal: RwSignal::new(None),
            clashes: RwSignal::new(Vec::new()),
            again: RwSignal::new(0),
        };
        draft.follow();
        draft
    }

    pub(super) fn sender(self) -> IntegrationId {
        self.sender.get_value()
    }

    /// What is in force now. What was changed here stays changed, what somebody else changed is taken in, and where both
    /// changed the same somebody chooses.
    pub(super) fn arrived(self, stored: Mapping, version: i64) {
        let base = self.stored.with_untracked(|(base, _)| base.clone());
        let ours = self.mapping.get_untracked();
        let (mapping, clashes) = self.tree.with_untracked(|tree| merged(&base, &ours, &stored, tree.as_ref()));
        self.mapping.set(mapping);
        self.clashes.set(clashes);
        self.stored.set((stored, version));
        self.refusal.set(None);
        self.shape.update(|shape| *shape += 1);
    }

    /// What was just put in force is nobody else's change when it is read back.
    pub(super) fn settled(self, mapping: Mapping) {
        self.stored.update(|(stored, _)| *stored = mapping);
    }

    /// Somebody chose: ours is there already.
    pub(super) fn decide(self, clash: &Clash, is_theirs: bool) {
        self.clashes.update(|clashes| clashes.retain(|it| it.part != clash.part));
        if is_theirs {
            self.reshape(|mapping| clash.part.copy(&clash.theirs, mapping));
        }
    }

    pub(super) fn discard(self) {
        self.clashes.set(Vec::new());
        self.mapping.set(self.stored.with_untracked(|(stored, _)| stored.clone()));
        self.refusal.set(None);
        self.shape.update(|shape| *shape += 1);
    }

    pub(super) fn is_changed(self) -> bool {
        self.stored.with(|(stored, _)| self.mapping.with(|mapping| mapping != stored))
    }

    pub(super) fn is_stored(self) -> bool {
        self.stored.with(|(stored, _)| *stored != Mapping::default())
    }

    pub(super) fn version(self) -> i64 {
        self.stored.with_untracked(|(_, version)| *version)
    }

    pub(super) fn with<T>(self, look: impl FnOnce(&Mapping) -> T) -> T {
        self.mapping.with(look)
    }

    /// Without anything in it there is none.
    pub(super) fn mapping(self) -> Option<Mapping> {
        Some(self.mapping.get_untracked()).filter(|it| *it != Mapping::default())
    }

    pub(super) fn edit(self, change: impl FnOnce(&mut Mapping)) {
        self.mapping.update(change);
        self.refusal.set(None);
    }

    pub(super) fn reshape(self, change: impl FnOnce(&mut Mapping)) {
        self.edit(change);
        self.shape.update(|shape| *shape += 1);
    }

    /// From where pointers count.
    pub(super) fn base(self) -> Base {
        let each = self.mapping.with(|mapping| mapping.each.clone());
        self.tree.with(|tree| tree.as_ref().map_or(Base::Object(String::new()), |tree| Base::of(tree, each.as_deref())))
    }

    /// Takes the alerts from another list, or from where they are found.
    pub(super) fn set_each(self, each: Option<String>) {
        self.reshape(|mapping| {
            self.tree.with_untracked(|tree| match tree {
                Some(tree) => *mapping = rebased(mapping, tree, each),
                None => mapping.each = each,
            });
        });
    }

    pub(super) fn only_when(self, pointer: String, word: String) {
        self.reshape(|mapping| {
            mapping.when.retain(|test| test.at != pointer);
            mapping.when.push(MappedWhen { at: pointer, is: vec![word] });
        });
    }

    /// What the payload has at the places a field is read from, each once.
    pub(super) fn values(self, field: &Field) -> Vec<String> {
        let base = self.base();
        let places: Vec<String> = self.mapping.with(|mapping| field.texts(mapping).to_vec());
        let mut values = Vec::new();
        self.tree.with(|tree| {
            let Some(tree) = tree else { return };
            let members = match &base {
                Base::Each(at) => tree.at(at).map_or(0, |it| if let Tree::List(items) = it { items.len() } else { 0 }),
                Base::Object(_) => 1,
            };
            for index in 0..members.min(100) {
                let found = places.iter().find_map(|place| tree.at(&base.absolute(place, index)).and_then(Tree::leaf));
                if let Some(value) = found.filter(|it| !values.iter().any(|known| known == it) && values.len() < 12) {
                    values.push(value.to_owned());
                }
            }
        });
        values
    }

    /// Tries the mapping on the payload once nothing is typed for a moment.
    fn follow(self) {
        let turn = StoredValue::new(0_u32);
        Effect::new(move || {
            self.again.track();
            let payload = self.payload.get();
            let mapping = self.mapping.get();
            let now = turn.try_update_value(|turn| {
                *turn += 1;
                *turn
            });
            let Some(payload) = payload else { return self.tried.set(None) };
            let trial = MappingTrial {
                integration: Some(self.sender()),
                mapping: Some(mapping).filter(|it| *it != Mapping::default()),
                event: payload.event.map(|(event, _)| event),
                body: payload.event.is_none().then_some(payload.text),
            };
            let is_newest = move || turn.try_get_value() == now;
            let ask = move || {
                if !is_newest() {
                    return;
                }
                spawn_local(async move {
                    let answer = api::post::<MappingPreview>("/api/v1/preview/mapping", &trial).await;
                    if is_newest() {
                        self.tried.try_set(Some(answer));
                    }
                });
            };
            set_timeout(ask, PAUSE);
        });
    }
}

/// What a word of the sender means, where the mapping says it.
pub(super) fn severity_of(mapping: &Mapping, word: &str) -> Option<Severity> {
    mapping.severity.as_ref()?.words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, it)| *it)
}

pub(super) fn action_of(mapping: &Mapping, word: &str) -> Option<Action> {
    mapping.status.as_ref()?.words.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, it)| *it)
}

/// What a member is called as a label: its own name.
pub(super) fn label_name(pointer: &str) -> String {
    let name = pointer.rsplit('/').next().unwrap_or(pointer);
    name.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_given_taken_back_and_added() {
        let mut mapping = Mapping::default();
        Field::Host.assign(&mut mapping, "/a");
        Field::Host.assign(&mut mapping, "/b");
        assert_eq!(mapping.host.0, ["/b"]);
        Field::Host.assign(&mut mapping, "/b");
        assert_eq!(mapping, Mapping::default());
        Field::Summary.assign(&mut mapping, "/title");
        Field::Summary.assign(&mut mapping, "$/env");
        assert_eq!(mapping.summary.0, ["{/title} {$/env}"]);
        Field::Key.assign(&mut mapping, "/rule");
        Field::Key.assign(&mut mapping, "/host");
        assert_eq!(mapping.key.0, ["{/rule}/{/host}"]);
        Field::Label("team".to_owned()).assign(&mut mapping, "/crew");
        Field::Label("team".to_owned()).assign(&mut mapping, "/crew");
        assert!(mapping.labels.is_empty());
    }

    #[test]
    fn a_field_without_a_place_is_not_mapped() {
        let mut mapping = Mapping::default();
        for field in Field::ALL {
            field.assign(&mut mapping, "/a");
            assert_eq!(field.texts(&mapping), ["/a"], "{field:?}");
            field.assign(&mut mapping, "/a");
        }
        assert_eq!(mapping, Mapping::default());
    }
}
