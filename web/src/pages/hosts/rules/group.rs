//! The forms of a group of hosts and of a template.

use super::edit::{Desk, form_end, fresh};
use crate::{
    components::field::{Field, choice},
    text::host_rules as t,
};
use leptos::prelude::*;
use shared::{
    HostGroupId, TemplateId,
    config::{HostGroup, Template},
};

fn words(list: &[String]) -> RwSignal<String> {
    RwSignal::new(list.join(" "))
}

fn listed(text: RwSignal<String>) -> Vec<String> {
    text.get_untracked().split([' ', ',', '\n']).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

pub(super) fn group(desk: Desk, id: Option<&HostGroupId>) -> AnyView {
    let l = desk.app.l();
    let known = desk.known();
    let old = id.and_then(|id| known.host_groups.iter().find(|it| it.id == *id)).cloned();
    let is_new = old.is_none();
    let ids = known.host_groups.iter().map(|it| it.id.as_str());
    let first = old.unwrap_or_else(|| HostGroup { id: fresh("group", ids).into(), ..HostGroup::default() });
    let (id, name) = (RwSignal::new(first.id.to_string()), RwSignal::new(first.name.clone()));
    let (hosts, except) = (words(&first.hosts), words(&first.except));
    let original = first.id.clone();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let (id, original) = (id.get_untracked(), original.clone());
        let group = HostGroup {
            id: id.trim().into(),
            name: name.get_untracked().trim().to_owned(),
            hosts: listed(hosts),
            except: listed(except),
        };
        desk.apply(move |known| match known.host_groups.iter_mut().find(|it| it.id == original) {
            Some(place) => *place = group,
            None => known.host_groups.push(group),
        });
    };
    let gone = first.id.clone();
    let remove = (!is_new).then(|| {
        Callback::new(move |()| {
            let gone = gone.clone();
            desk.apply(move |known| known.host_groups.retain(|it| it.id != gone));
        })
    });
    view! {
        <form class="card stack" on:submit=submit data-testid="group-form">
            <h2>{t::new_group(l)}</h2>
            {Field { hint: t::id_hint(l), ..Field::text("group-id", t::id(l), id) }.view()}
            {Field { required: false, ..Field::text("group-name", t::name(l), name) }.view()}
            {Field { hint: t::group_hosts_hint(l), ..Field::text("group-hosts", t::group_hosts(l), hosts) }.view()}
            {Field { required: false, ..Field::text("group-except", t::group_except(l), except) }.view()}
            {form_end(desk, first.title().to_owned(), remove)}
        </form>
    }
    .into_any()
}

pub(super) fn template(desk: Desk, id: Option<&TemplateId>) -> AnyView {
    let l = desk.app.l();
    let known = desk.known();
    let old = id.and_then(|id| known.templates.iter().find(|it| it.id == *id)).cloned();
    let is_new = old.is_none();
    let ids = known.templates.iter().map(|it| it.id.as_str());
    let first = old.unwrap_or_else(|| Template { id: fresh("template", ids).into(), ..Template::default() });
    let draft = RwSignal::new(first.clone());
    let (id, name) = (RwSignal::new(first.id.to_string()), RwSignal::new(first.name.clone()));
    let original = first.id.clone();
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let original = original.clone();
        let template = Template {
            id: id.get_untracked().trim().into(),
            name: name.get_untracked().trim().to_owned(),
            ..draft.get_untracked()
        };
        desk.apply(move |known| match known.templates.iter_mut().find(|it| it.id == original) {
            Some(place) => *place = template,
            None => known.templates.push(template),
        });
    };
    let gone = first.id.clone();
    let remove = (!is_new).then(|| {
        Callback::new(move |()| {
            let gone = gone.clone();
            desk.apply(move |known| known.templates.retain(|it| it.id != gone));
        })
    });
    let one = |group: &HostGroup| {
        let (id, is) = (group.id.clone(), first.groups.contains(&group.id));
        let press = move |event: web_sys::Event| {
            let on = event_target_checked(&event);
            draft.update(|draft| {
                draft.groups.retain(|it| *it != id);
                if on {
                    draft.groups.push(id.clone());
                }
            });
        };
        view! { <label class="check"><input type="checkbox" checked=is on:change=press/> <span>{group.title().to_owned()}</span></label> }
    };
    let groups = known.host_groups.iter().map(one).collect_view();
    let others =
        known.templates.iter().filter(|it| it.id != first.id).map(|it| (it.id.to_string(), it.title().to_owned()));
    let parents = std::iter::once((String::new(), t::no_parent(l))).chain(others).collect();
    let parent = choice(
        "template-parent".to_owned(),
        t::parent(l),
        parents,
        move || draft.with(|draft| draft.parent.as_ref().map(ToString::to_string).unwrap_or_default()),
        move |id| draft.update(|draft| draft.parent = (!id.is_empty()).then(|| id.as_str().into())),
    );
    let flag = |label: String, is: bool, set: fn(&mut Template, bool)| {
        let press = move |event: web_sys::Event| draft.update(|draft| set(draft, event_target_checked(&event)));
        view! { <label class="check"><input type="checkbox" checked=is on:change=press/> <span>{label}</span></label> }
    };
    view! {
        <form class="card stack" on:submit=submit data-testid="template-form">
            <h2>{if is_new { t::new_template(l) } else { first.title().to_owned() }}</h2>
            {Field { hint: t::id_hint(l), ..Field::text("template-id", t::id(l), id) }.view()}
            {Field { required: false, ..Field::text("template-name", t::name(l), name) }.view()}
            <fieldset class="checks"><legend>{t::groups(l)}</legend> {flag(t::every_host(l), first.every_host, |it, is| it.every_host = is)} {groups}</fieldset>
            {parent}
            {flag(t::is_paused(l), first.paused, |it, is| it.paused = is)}
            {form_end(desk, first.title().to_owned(), remove)}
        </form>
    }
    .into_any()
}
