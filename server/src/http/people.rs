//! What is configured, as everybody may see it: people without addresses, schedules, policies, routes.

use super::{App, problem::ApiError};
use crate::{calendars, runtime::fingerprint};
use actix_web::web;
use engine::broken::Broken;
use shared::{
    api::{BrokenContact, List, PersonRow},
    config::{Contact, Person, Policy, Route, Schedule},
};

fn whole<T>(items: Vec<T>) -> web::Json<List<T>> {
    web::Json(List { items, next: None })
}

pub(super) async fn list_people(app: web::Data<App>) -> Result<web::Json<List<PersonRow>>, ApiError> {
    let config = app.runtime.config();
    let broken = app.db(|store| store.broken_contacts()).await?;
    let people = config.document.people.iter().map(|person| {
        let mut contacts: Vec<_> = person.contacts.iter().filter_map(Contact::address).map(|(kind, _)| kind).collect();
        contacts.sort_unstable();
        contacts.dedup();
        PersonRow {
            id: person.id.clone(),
            name: person.name.clone(),
            language: person.language,
            time_zone: person.time_zone.clone(),
            teams: config
                .document
                .teams
                .iter()
                .filter(|team| team.members.contains(&person.id))
                .map(|team| team.id.clone())
                .collect(),
            contacts,
            broken: broken.iter().filter_map(|it| still_broken(person, it)).collect(),
        }
    });
    Ok(whole(people.collect()))
}

/// None of another person's, and of one that was changed since.
fn still_broken(person: &Person, broken: &Broken) -> Option<BrokenContact> {
    let contact = person.contacts.iter().find(|it| it.id == broken.contact && person.id == broken.person)?;
    let Broken { contact: id, channel, at, why, address, .. } = broken.clone();
    (fingerprint(contact)? == address).then_some(BrokenContact { contact: id, channel, at, why })
}

pub(super) async fn list_schedules(app: web::Data<App>) -> web::Json<List<Schedule>> {
    let mut schedules = app.runtime.config().document.schedules.clone();
    // Whoever knows the address of a calendar may read all of it.
    for url in schedules.iter_mut().flat_map(|it| &mut it.layers).filter_map(|layer| layer.ical_url.as_mut()) {
        *url = format!("https://{}/…", calendars::host(url));
    }
    whole(schedules)
}

pub(super) async fn list_policies(app: web::Data<App>) -> web::Json<List<Policy>> {
    whole(app.runtime.config().document.policies.clone())
}

pub(super) async fn list_routes(app: web::Data<App>) -> web::Json<List<Route>> {
    whole(app.runtime.config().document.routes.clone())
}
