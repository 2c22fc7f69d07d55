//! The ways I can be reached, each with a test that says how it went.

use super::{
    super::me::trial::{self, What},
    broken,
    draft::{self, Draft},
};
use crate::{
    components::{
        field::choice,
        icon::{Icon, icon},
    },
    state::App,
    text::{me, settings as t, words},
};
use leptos::prelude::*;
use shared::config::{Contact, ContactKind, Language};

pub(super) fn card(app: App, draft: Draft) -> impl IntoView {
    let l = app.l();
    let add = move |_| {
        draft.reshape(|person| {
            let id = draft::free_name(&person.contacts);
            person.contacts.push(Contact { id: id.as_str().into(), ntfy: Some(String::new()), ..Contact::default() });
        });
    };
    let rows = move || {
        draft.shape.track();
        let contacts = draft.with(|person| person.contacts.clone());
        if contacts.is_empty() {
            return view! { <p class="muted">{t::no_contacts(l)}</p> }.into_any();
        }
        contacts
            .into_iter()
            .enumerate()
            .map(|(index, contact)| row(app, draft, index, &contact))
            .collect_view()
            .into_any()
    };
    view! {
        <section class="card">
            <h2>{t::contacts(l)}</h2>
            <div class="stack">{rows}</div>
            <button type="button" class="btn small add" on:click=add>{icon(Icon::Plus)}{t::add_contact(l)}</button>
        </section>
    }
}

fn row(app: App, draft: Draft, index: usize, contact: &Contact) -> impl IntoView + use<> {
    let l = app.l();
    let (kind, address) =
        contact.address().map_or((ContactKind::Ntfy, String::new()), |(kind, text)| (kind, text.to_owned()));
    let kinds = ContactKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), words::channel(l, kind))).collect();
    let set_kind = move |word: String| {
        let Some(kind) = ContactKind::ALL.into_iter().find(|kind| kind.as_str() == word) else { return };
        draft.reshape(|person| {
            if let Some(contact) = person.contacts.get_mut(index) {
                draft::set_kind(contact, kind);
            }
        });
    };
    let set_address = move |event| {
        draft.edit(|person| {
            if let Some(contact) = person.contacts.get_mut(index) {
                draft::set_address(contact, kind, event_target_value(&event));
            }
        });
    };
    let set_name = move |event| draft.edit(|person| draft::rename(person, index, &event_target_value(&event)));
    let remove = move |_| draft.reshape(|person| drop(person.contacts.remove(index)));
    let (name_id, address_id) = (format!("contact-name-{index}"), format!("contact-address-{index}"));
    view! {
        <div class="contact">
            <div class="row-fields">
                {choice(format!("contact-kind-{index}"), t::contact_kind(l), kinds, move || kind.as_str().to_owned(), set_kind)}
                <div class="field">
                    <label for=name_id.clone()>{t::contact_name(l)}</label>
                    // Rules are redrawn with the new name once the field is left.
                    <input id=name_id type="text" required value=contact.id.to_string() on:input=set_name on:change=move |_| draft.reshape(|_| ())/>
                </div>
                {if kind == ContactKind::Push {
                    view! { <p class="field wide muted">{t::address_push(l)}</p> }.into_any()
                } else {
                    view! {
                        <div class="field wide">
                            <label for=address_id.clone()>{address_label(l, kind)}</label>
                            <input id=address_id type=input_type(kind) required autocomplete="off" value=address on:input=set_address/>
                        </div>
                    }
                    .into_any()
                }}
                <button type="button" class="btn square" aria-label=t::remove(l) title=t::remove(l) on:click=remove>{icon(Icon::Trash)}</button>
            </div>
            {kind.has_secret().then(|| secret(app, draft, index, kind, contact))}
            {kind.has_mention().then(|| mention(app, draft, index, contact))}
            {broken::note(app, contact.id.clone())}
            {test(app, draft, kind, contact)}
        </div>
    }
}

/// Webhooks are signed when there is something to sign with.
fn secret(app: App, draft: Draft, index: usize, kind: ContactKind, contact: &Contact) -> impl IntoView + use<> {
    let l = app.l();
    let (id, hint_id) = (format!("contact-secret-{index}"), format!("contact-secret-hint-{index}"));
    let set = move |event| {
        let text = event_target_value(&event).trim().to_owned();
        draft.edit(|person| {
            if let Some(contact) = person.contacts.get_mut(index) {
                contact.secret = Some(text).filter(|text| !text.is_empty());
            }
        });
    };
    view! {
        <div class="field">
            <label for=id.clone()>{if kind == ContactKind::Webhook { t::secret(l) } else { t::robot_secret(l) }}</label>
            <input id=id type="text" autocomplete="off" spellcheck="false" aria-describedby=hint_id.clone()
                value=contact.secret.clone().unwrap_or_default() on:input=set/>
            <p class="hint" id=hint_id>{if kind == ContactKind::Webhook { t::secret_hint(l) } else { t::robot_secret_hint(l) }}</p>
        </div>
    }
}

/// Robots call somebody by name in their group, so that their phone tells them.
fn mention(app: App, draft: Draft, index: usize, contact: &Contact) -> impl IntoView + use<> {
    let l = app.l();
    let id = format!("contact-mention-{index}");
    let set = move |event| {
        let text = event_target_value(&event).trim().to_owned();
        draft.edit(|person| {
            if let Some(contact) = person.contacts.get_mut(index) {
                contact.mention = Some(text).filter(|text| !text.is_empty());
            }
        });
    };
    view! {
        <div class="field">
            <label for=id.clone()>{t::mention(l)}</label>
            <input id=id type="tel" autocomplete="off" value=contact.mention.clone().unwrap_or_default() on:input=set/>
        </div>
    }
}

const fn input_type(kind: ContactKind) -> &'static str {
    match kind {
        ContactKind::Email => "email",
        ContactKind::Sms | ContactKind::Voice => "tel",
        _ => "text",
    }
}

fn address_label(l: Language, kind: ContactKind) -> String {
    match kind {
        ContactKind::Email => t::address_email(l),
        ContactKind::Ntfy => t::address_ntfy(l),
        ContactKind::Webhook => t::address_webhook(l),
        ContactKind::Push => t::address_push(l),
        ContactKind::Sms | ContactKind::Voice => t::address_number(l),
        ContactKind::Slack => t::address_slack(l),
        ContactKind::Teams => t::address_teams(l),
        ContactKind::Telegram => t::address_telegram(l),
        ContactKind::DingTalk | ContactKind::Feishu => t::address_robot(l),
        ContactKind::WeCom => t::address_wecom(l),
    }
}

/// A test of what is saved, followed as far as the channel can tell.
fn test(app: App, draft: Draft, kind: ContactKind, contact: &Contact) -> AnyView {
    let name = contact.id.to_string();
    let what = What { contact: Some(contact.id.clone()), device: None, name, by: None, proves: kind.proves() };
    let unsaved = move || (draft.edits.get() > 0).then(|| me::test_saved_only(app.l()));
    trial::view(app, what, unsaved, || ())
}
