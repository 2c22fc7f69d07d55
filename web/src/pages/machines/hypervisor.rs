//! One hypervisor: its VMs, those with something open first, so that one sees at a glance whether it is the hypervisor.

use super::{
    chain::{incidents, power},
    vm::asked,
};
use crate::{
    api::query,
    components::{
        page::{card, page_head},
        states::loaded,
    },
    state::{App, Remote},
    text::machines as t,
};
use leptos::prelude::*;
use shared::api::{HypervisorRow, Tenant};

pub(crate) fn page() -> impl IntoView {
    let app = App::here();
    let l = app.l();
    let row = Remote::<HypervisorRow>::new(asked("/api/v1/hypervisors/one"));
    let body = loaded(t::hypervisor(l), row, 8, move |row| draw(app, &row));
    view! { <div class="page" data-testid="hypervisor">{body}</div> }
}

fn draw(app: App, row: &HypervisorRow) -> AnyView {
    let l = app.l();
    let alerting = row.vms.iter().filter(|vm| !vm.incidents.is_empty()).count();
    let lead = [Some(t::tenants(l, row.vms.len(), alerting)), row.cluster.clone(), Some(row.source.to_string())];
    let lead: Vec<String> = lead.into_iter().flatten().collect();
    // One square a VM: the shape of the trouble is seen before a name is read.
    let squares = row.vms.iter().map(|vm| {
        let class = vm.incidents.first().map_or("calm", |it| crate::components::badge::class(it.severity));
        view! { <i class=class title=vm.name.clone()></i> }
    });
    let tenants = row.vms.iter().map(|vm| tenant(app, row, vm)).collect_view();
    view! {
        {page_head(row.name.clone(), lead.join(" · "), ().into_any())}
        <div class="squares" aria-hidden="true">{squares.collect_view()}</div>
        {card(t::tenants_title(l), view! { <ul class="tenants">{tenants}</ul> }.into_any())}
    }
    .into_any()
}

fn tenant(app: App, row: &HypervisorRow, vm: &Tenant) -> AnyView {
    let l = app.l();
    let href = format!("/machines/vm{}", query::build(&[("source", row.source.as_str()), ("key", &vm.key)]));
    view! {
        <li>
            <a href=href>{vm.name.clone()}</a> <small class="muted">{power(l, vm.power)}</small>
            {incidents(l, &vm.incidents)}
        </li>
    }
    .into_any()
}
