//! The form of a rule, with its condition read back while it is written, beside what it would have done.

use super::{
    edit::{Desk, form_end, fresh_rule},
    trial,
};
use crate::{
    components::field::{Field, choice},
    host::meaning,
    text::{host_rules as t, words},
};
use leptos::prelude::*;
use shared::{
    Delay, Severity, TemplateId, ThresholdId,
    config::{Language, Template, Threshold},
    host::METRICS,
};

/// The rule as it is written, and whose it is.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    pub(super) rule: RwSignal<Threshold>,
    pub(super) template: RwSignal<String>,
    /// The fields that cannot be read.
    pub(super) faults: RwSignal<std::collections::BTreeSet<&'static str>>,
}

pub(super) fn rule(desk: Desk, place: Option<&(TemplateId, ThresholdId)>) -> AnyView {
    let l = desk.app.l();
    let known = desk.known();
    let Some(first_template) = known.templates.first() else {
        // A rule is always one of a template.
        return super::group::template(desk, None);
    };
    let template = place.and_then(|(id, _)| known.templates.iter().find(|it| it.id == *id)).unwrap_or(first_template);
    let old = place.and_then(|(_, id)| template.rules.iter().find(|it| it.id == *id)).cloned();
    let is_new = old.is_none();
    let first = old.unwrap_or_else(|| fresh_rule(template));
    let draft = Draft {
        rule: RwSignal::new(first.clone()),
        template: RwSignal::new(template.id.to_string()),
        faults: RwSignal::new(std::collections::BTreeSet::new()),
    };
    let (old_template, old_id) = (template.id.clone(), first.id.clone());
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if draft.faults.with_untracked(|faults| !faults.is_empty()) {
            return;
        }
        let (rule, into) = (draft.rule.get_untracked(), draft.template.get_untracked());
        let (old_template, old_id) = (old_template.clone(), old_id.clone());
        desk.apply(move |known| put(&mut known.templates, (!is_new).then_some((&old_template, &old_id)), &into, rule));
    };
    let (gone_template, gone_id) = (template.id.clone(), first.id.clone());
    let remove = (!is_new).then(|| {
        Callback::new(move |()| {
            let (template, id) = (gone_template.clone(), gone_id.clone());
            desk.apply(move |known| {
                if let Some(template) = known.templates.iter_mut().find(|it| it.id == template) {
                    template.rules.retain(|it| it.id != id);
                }
            });
        })
    });
    let templates = known.templates.iter().map(|it| (it.id.to_string(), it.title().to_owned())).collect();
    let heading = if is_new { t::new_rule(l) } else { t::editing(l, first.title()) };
    let fields = fields(desk, draft, &first, templates);
    view! {
        <div class="rule-editor">
            <form class="card stack" on:submit=submit data-testid="rule-form">
                <h2>{heading}</h2>
                {fields}
                {form_end(desk, first.title().to_owned(), remove)}
            </form>
            {trial::card(desk, draft)}
        </div>
    }
    .into_any()
}

/// Puts a rule into a template, in the place where it was if that is the same.
fn put(templates: &mut [Template], old: Option<(&TemplateId, &ThresholdId)>, into: &str, rule: Threshold) {
    let mut rule = Some(rule);
    if let Some((template, id)) = old
        && let Some(template) = templates.iter_mut().find(|it| it.id == *template)
    {
        let place = template.rules.iter().position(|it| it.id == *id);
        match place {
            Some(place) if template.id.as_str() == into => {
                if let Some(rule) = rule.take() {
                    template.rules[place] = rule;
                }
            }
            Some(place) => drop(template.rules.remove(place)),
            None => {}
        }
    }
    if let Some((template, rule)) = templates.iter_mut().find(|it| it.id.as_str() == into).zip(rule) {
        template.rules.push(rule);
    }
}

/// A text field whose text goes into the rule; a text that `write` refuses is said to be wrong.
fn text(
    draft: Draft,
    field: Field,
    fault: Option<String>,
    write: impl Fn(&mut Threshold, &str) -> bool + Send + Sync + 'static,
) -> AnyView {
    let (id, value) = (field.id, field.value);
    Effect::new(move |seen: Option<()>| {
        let now = value.get();
        // The first run only looks.
        if seen.is_some() {
            let mut rule = draft.rule.get_untracked();
            let is_good = write(&mut rule, now.trim());
            draft.faults.update(|faults| {
                if is_good {
                    faults.remove(id);
                } else {
                    faults.insert(id);
                }
            });
            if is_good {
                draft.rule.set(rule);
            }
        }
    });
    let wrong = move || {
        let is_wrong = draft.faults.with(|faults| faults.contains(id));
        fault.clone().filter(|_| is_wrong).map(|fault| view! { <p class="fault" role="alert">{fault}</p> })
    };
    view! { <div>{field.view()} {wrong}</div> }.into_any()
}

/// What a condition means, while it is written.
fn reading(l: Language, text: RwSignal<String>, id: &'static str) -> AnyView {
    let read = Memo::new(move |_| {
        let text = text.get();
        (!text.trim().is_empty()).then(|| meaning::condition(l, &text))
    });
    let words = move || {
        read.get().map(|read| match read {
            Ok(words) => view! { <p class="rule-reading">{t::reads(l, &words)}</p> }.into_any(),
            Err(fault) => view! { <p class="fault">{t::unreadable(l, &fault)}</p> }.into_any(),
        })
    };
    view! { <div aria-live="polite" data-testid=id>{words}</div> }.into_any()
}

fn fields(desk: Desk, draft: Draft, first: &Threshold, templates: Vec<(String, String)>) -> AnyView {
    let l = desk.app.l();
    let signal = |text: &str| RwSignal::new(text.to_owned());
    let (when, clear) = (signal(&first.when), signal(first.clear.as_deref().unwrap_or_default()));
    let condition = |id, label, hint, value, required| Field { hint, required, ..Field::text(id, label, value) };
    let delay = |id, label: String, value: Delay, set: fn(&mut Threshold, Delay)| {
        let field = Field::text(id, label, signal(&value.to_string()));
        text(draft, field, Some(t::bad_delay(l)), move |rule, text| {
            Delay::parse(text).map(|delay| set(rule, delay)).is_ok()
        })
    };
    let whose = choice(
        "rule-template".to_owned(),
        t::template(l),
        templates,
        move || draft.template.get(),
        move |id| draft.template.set(id),
    );
    let levels = Severity::ALL.map(|it| (it.to_string(), words::severity(l, it))).to_vec();
    let severity = choice(
        "rule-severity".to_owned(),
        t::severity(l),
        levels,
        move || draft.rule.with(|rule| rule.severity.to_string()),
        move |word| {
            if let Some(severity) = Severity::ALL.into_iter().find(|it| it.as_str() == word) {
                draft.rule.update(|rule| rule.severity = severity);
            }
        },
    );
    let windows = desk.known().time_windows;
    let window = |it: &crate::pages::sections::Named| {
        let id: shared::WindowId = it.id().into();
        let is = first.during.contains(&id);
        let press = move |event: web_sys::Event| {
            let on = event_target_checked(&event);
            draft.rule.update(|rule| {
                rule.during.retain(|it| *it != id);
                if on {
                    rule.during.push(id.clone());
                }
            });
        };
        view! { <label class="check"><input type="checkbox" checked=is on:change=press/> <span>{it.title().to_owned()}</span></label> }
    };
    let during = (!windows.is_empty()).then(|| {
        view! { <fieldset class="checks"><legend>{t::windows(l)}</legend> {windows.iter().map(window).collect_view()}</fieldset> }
    });
    let known =
        METRICS.iter().map(|it| view! { <option value=format!("all(#3) {} ", it.name)></option> }).collect_view();
    let paused = move |event: web_sys::Event| draft.rule.update(|rule| rule.paused = event_target_checked(&event));
    let steps = Field::text("rule-steps", t::max_steps(l), signal(&first.max_steps.to_string()));
    // The field is one of many kinds of pages; that it offers beginnings of conditions is known here only.
    Effect::new(|| {
        request_animation_frame(|| {
            if let Ok(Some(field)) = document().query_selector("#rule-when") {
                drop(field.set_attribute("list", "rule-conditions"));
            }
        });
    });
    view! {
        <div class="row-fields">
            {text(draft, Field { hint: t::id_hint(l), ..Field::text("rule-id", t::id(l), signal(first.id.as_str())) }, None, |rule, text| { rule.id = text.into(); !text.is_empty() })}
            {text(draft, Field { required: false, ..Field::text("rule-name", t::name(l), signal(&first.name)) }, None, |rule, text| { text.clone_into(&mut rule.name); true })}
            {whose}
        </div>
        {text(draft, condition("rule-when", t::when(l), t::when_hint(l), when, true), None, |rule, text| { text.clone_into(&mut rule.when); true })}
        {reading(l, when, "rule-reads")}
        {text(draft, condition("rule-clear", t::clear(l), t::clear_hint(l), clear, false), None, |rule, text| { rule.clear = (!text.is_empty()).then(|| text.to_owned()); true })}
        {reading(l, clear, "rule-clear-reads")}
        <div class="row-fields">
            {delay("rule-hold", t::hold(l), first.hold, |rule, delay| rule.hold = delay)}
            {severity}
            {text(draft, Field { hint: t::max_steps_hint(l), ..steps }, Some(t::bad_number(l)), |rule, text| text.parse().map(|n| rule.max_steps = n).is_ok())}
            {delay("rule-every", t::every(l), first.every, |rule, delay| rule.every = delay)}
        </div>
        {during}
        {text(draft, Field { hint: t::note_hint(l), required: false, ..Field::text("rule-note", t::note(l), signal(first.note.as_deref().unwrap_or_default())) }, None, |rule, text| { rule.note = (!text.is_empty()).then(|| text.to_owned()); true })}
        <label class="check"><input type="checkbox" checked=first.paused on:change=paused/> <span>{t::is_paused(l)}</span></label>
        <datalist id="rule-conditions">{known}</datalist>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_stays_in_its_place_or_moves_to_another_template() {
        let rule = |id: &str| Threshold { id: id.into(), ..fresh_rule(&Template::default()) };
        let template = |id: &str, rules: &[&str]| Template {
            id: id.into(),
            rules: rules.iter().map(|id| rule(id)).collect(),
            ..Template::default()
        };
        let ids = |templates: &[Template]| {
            templates
                .iter()
                .map(|it| it.rules.iter().map(|rule| rule.id.to_string()).collect::<Vec<_>>().join(" "))
                .collect::<Vec<_>>()
        };
        let mut templates = vec![template("a", &["x", "y"]), template("b", &["z"])];
        let (a, x): (TemplateId, ThresholdId) = ("a".into(), "x".into());
        put(&mut templates, Some((&a, &x)), "a", rule("renamed"));
        assert_eq!(ids(&templates), ["renamed y", "z"]);
        put(&mut templates, Some((&a, &"renamed".into())), "b", rule("moved"));
        assert_eq!(ids(&templates), ["y", "z moved"]);
        put(&mut templates, None, "a", rule("new"));
        assert_eq!(ids(&templates), ["y new", "z moved"]);
    }
}
