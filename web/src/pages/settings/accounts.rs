//! Accounts: who may sign in, as what, and which person they are.

use super::reset;
use crate::{
    api::{self, ApiError, query},
    components::{
        field::{Field, choice},
        page::card,
        states::loaded,
    },
    state::{App, Remote},
    text::{settings as t, words},
};
use leptos::{prelude::*, task::spawn_local};
use shared::{
    PersonId,
    api::{AccountChange, AccountRow, List, NewAccount, PersonRow, Role},
    config::Language,
};

pub(super) const ROLES: [Role; 4] = [Role::Viewer, Role::Responder, Role::Network, Role::Admin];
const NO_CHANGE: AccountChange = AccountChange { name: None, role: None, person: None, disabled: None, password: None };

pub(super) fn roles(l: Language) -> Vec<(String, String)> {
    ROLES.map(|role| (role.as_str().to_owned(), words::role(l, role))).to_vec()
}

pub(super) fn part(app: App) -> AnyView {
    let l = app.l();
    let accounts = Remote::<List<AccountRow>>::new("/api/v1/accounts");
    let people = Remote::<List<PersonRow>>::new("/api/v1/people");
    let asked = RwSignal::new(None::<String>);
    let table = loaded(t::tab_accounts(l), accounts, 4, move |list| {
        let rows = list.items.into_iter().map(|row| line(app, accounts, people, asked, row)).collect_view();
        view! {
            <table class="table accounts">
                <thead><tr><th>{t::name(l)}</th><th>{t::person(l)}</th><th>{t::role(l)}</th><th><span class="sr">{t::disable(l)}</span></th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    });
    view! { {card(t::tab_accounts(l), table)}{new(app, accounts, people)}{reset::dialog(app, asked)} }.into_any()
}

fn change(app: App, accounts: Remote<List<AccountRow>>, login: String, change: AccountChange) {
    spawn_local(async move {
        let path = format!("/api/v1/accounts/{}", query::encoded(&login));
        if let Err(error) = api::put::<AccountRow>(&path, &change).await {
            app.toasts.bad(error.sentence(app.l()));
        }
        accounts.reload();
    });
}

fn line(
    app: App,
    accounts: Remote<List<AccountRow>>,
    people: Remote<List<PersonRow>>,
    asked: RwSignal<Option<String>>,
    row: AccountRow,
) -> impl IntoView {
    let l = app.l();
    let set = {
        let login = row.login.clone();
        move |wanted: AccountChange| change(app, accounts, login.clone(), wanted)
    };
    let (set_person, toggle, login) = (set.clone(), set.clone(), row.login.clone());
    let set_role = move |event| {
        if let Ok(role) = event_target_value(&event).parse() {
            set(AccountChange { role: Some(role), ..NO_CHANGE });
        }
    };
    let set_person = move |event| {
        set_person(AccountChange { person: Some(PersonId::from(event_target_value(&event))), ..NO_CHANGE })
    };
    let disabled = row.disabled;
    let toggle = move |_| toggle(AccountChange { disabled: Some(!disabled), ..NO_CHANGE });
    let options = ROLES
        .map(|role| view! { <option value=role.as_str() selected=role == row.role>{words::role(l, role)}</option> });
    let own = row.person.map(|person| person.0).unwrap_or_default();
    let persons = move || {
        let own = own.clone();
        person_options(l, people)
            .into_iter()
            .map(move |(id, name)| view! { <option selected=id == own value=id>{name}</option> })
            .collect_view()
    };
    view! {
        <tr class:off=disabled>
            <td><strong>{row.name}</strong><small class="muted mono block">{row.login} {disabled.then(|| format!(" · {}", t::disabled(l)))}</small></td>
            <td><select aria-label=t::person(l) on:change=set_person>{persons}</select></td>
            <td><select aria-label=t::role(l) on:change=set_role>{options.collect_view()}</select></td>
            <td class="end">
                <button type="button" class="btn small" on:click=move |_| asked.set(Some(login.clone()))>{t::reset(l)}</button>
                <button type="button" class="btn small" on:click=toggle>{if disabled { t::enable(l) } else { t::disable(l) }}</button>
            </td>
        </tr>
    }
}

/// Nobody, then everybody of the configuration.
fn person_options(l: Language, people: Remote<List<PersonRow>>) -> Vec<(String, String)> {
    let known = people.ready().map(|list| list.items).unwrap_or_default();
    let known = known.into_iter().map(|one| (one.id.to_string(), one.name));
    std::iter::once((String::new(), t::person_none(l))).chain(known).collect()
}

fn new(app: App, accounts: Remote<List<AccountRow>>, people: Remote<List<PersonRow>>) -> AnyView {
    let l = app.l();
    let fresh = || RwSignal::new(String::new());
    let (login, name, password, person) = (fresh(), fresh(), fresh(), fresh());
    let role = RwSignal::new(Role::Responder);
    let error = RwSignal::new(None::<ApiError>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let account = NewAccount {
            login: login.get_untracked(),
            name: name.get_untracked(),
            role: role.get_untracked(),
            person: Some(person.get_untracked()).filter(|id| !id.is_empty()).map(PersonId::from),
            password: password.get_untracked(),
        };
        spawn_local(async move {
            match api::post::<AccountRow>("/api/v1/accounts", &account).await {
                Ok(made) => {
                    app.toasts.good(t::account_made(l, &made.login), None);
                    for field in [login, name, password] {
                        field.set(String::new());
                    }
                    error.set(None);
                    accounts.reload();
                }
                Err(failed) => error.set(Some(failed)),
            }
        });
    };
    let person_menu = move || {
        let options = person_options(l, people);
        choice("account-person".to_owned(), t::person(l), options, move || person.get(), move |id| person.set(id))
    };
    let set_role = move |word: String| role.set(word.parse().unwrap_or(Role::Viewer));
    let form = view! {
        <form class="stack" on:submit=submit>
            <div class="row-fields">
                {Field::text("account-login", t::login(l), login).view()}
                {Field::text("account-name", t::name(l), name).view()}
                {Field::password("account-password", t::first_password(l), "new-password", password).view()}
                {choice("account-role".to_owned(), t::role(l), roles(l), move || role.get().as_str().to_owned(), set_role)}
                {person_menu}
            </div>
            <div role="alert">{move || error.get().map(|error| super::person::problem(app, &error))}</div>
            <div class="form-end"><button class="btn primary">{t::create(l)}</button></div>
        </form>
    };
    card(t::new_account(l), form.into_any())
}
