//! What is looked at: a view of everything of some types, and which properties of it are wanted.

use super::{
    machine,
    soap::{Content, Object, Soap, Trouble},
    xml::Written,
};

const PLACES: [&str; 6] = [
    "ComputeResource",
    "Datastore",
    "DistributedVirtualPortgroup",
    "DistributedVirtualSwitch",
    "HostSystem",
    "OpaqueNetwork",
];

/// Makes a view of everything VMs refer to.
pub(super) async fn of_places(soap: &Soap, content: &Content) -> Result<Object, Trouble> {
    make(soap, content, &PLACES).await
}

/// Makes a view of all VMs and watches it.
pub(super) async fn watch_machines(soap: &Soap, content: &Content) -> Result<(), Trouble> {
    let view = make(soap, content, &["VirtualMachine"]).await?;
    // Without partial updates a change gives the whole property that was asked for, never a part of it.
    let filter = Written::default()
        .inside("spec", &spec(&view, &[("VirtualMachine", &machine::PROPERTIES)]))
        .text("partialUpdates", "false");
    soap.make("CreateFilter", &content.collector, &filter).await.map(drop)
}

async fn make(soap: &Soap, content: &Content, types: &[&str]) -> Result<Object, Trouble> {
    let arguments = Written::default()
        .reference("container", &content.root.kind, &content.root.id)
        .texts("type", types.iter().copied())
        .text("recursive", "true");
    soap.make("CreateContainerView", &content.views, &arguments).await
}

/// A `PropertyFilterSpec`: these properties of the objects of these types in a view. The order is the schema's.
pub(super) fn spec(view: &Object, wanted: &[(&str, &[&str])]) -> Written {
    let properties = wanted.iter().fold(Written::default(), |all, (kind, paths)| {
        let of_type = Written::default().text("type", kind).texts("pathSet", paths.iter().copied());
        all.inside("propSet", &of_type)
    });
    let through = Written::default().text("type", "ContainerView").text("path", "view").text("skip", "false");
    let from = Written::default().reference("obj", &view.kind, &view.id).text("skip", "true");
    properties.inside("objectSet", &from.typed("selectSet", "TraversalSpec", &through))
}
