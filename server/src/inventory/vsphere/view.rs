//! What is looked at: a view of everything of some types, which properties of it are wanted, and page after page of them.

use super::{
    PAGE, PAGES_MAX, machine,
    soap::{Content, Object, PATIENCE, Soap, Trouble},
    xml::{Element, Written},
};
use crate::inventory::{Fault, FaultKind};

const PLACES: [&str; 6] = [
    "ComputeResource",
    "Datastore",
    "DistributedVirtualPortgroup",
    "DistributedVirtualSwitch",
    "HostSystem",
    "OpaqueNetwork",
];

/// Makes a view of everything VMs refer to.
pub(crate) async fn of_places(soap: &Soap, content: &Content) -> Result<Object, Trouble> {
    make(soap, content, &PLACES).await
}

/// Makes a view of all VMs and watches it.
pub(crate) async fn watch_machines(soap: &Soap, content: &Content) -> Result<(), Trouble> {
    let view = make(soap, content, &["VirtualMachine"]).await?;
    // Without partial updates a change gives the whole property that was asked for, never a part of it.
    let filter = Written::default()
        .inside("spec", &spec(&view, &[("VirtualMachine", &machine::PROPERTIES)]))
        .text("partialUpdates", "false");
    soap.make("CreateFilter", &content.collector, &filter).await.map(drop)
}

/// Makes a view of everything of some types.
pub(crate) async fn make(soap: &Soap, content: &Content, types: &[&str]) -> Result<Object, Trouble> {
    let arguments = Written::default()
        .reference("container", &content.root.kind, &content.root.id)
        .texts("type", types.iter().copied())
        .text("recursive", "true");
    soap.make("CreateContainerView", &content.views, &arguments).await
}

/// Reads what a specification wants, page by page, each object as it arrives; at most `most` of them.
pub(crate) async fn each(
    soap: &Soap,
    content: &Content,
    wanted: &Written,
    most: usize,
    mut take: impl FnMut(&Element),
) -> Result<(), Trouble> {
    let options = Written::default().text("maxObjects", &PAGE.to_string());
    let first = Written::default().inside("specSet", wanted).inside("options", &options);
    let mut reply = soap.call("RetrievePropertiesEx", &content.collector, &first, PATIENCE).await?;
    let mut read = 0_usize;
    for _ in 0..PAGES_MAX {
        let mut token = None;
        while let Some(element) = reply.next(&["token", "objects"]).await? {
            if element.name == "token" {
                token = Some(element.text);
                continue;
            }
            take(&element);
            read += 1;
            if read > most {
                let message = format!("the vCenter has more than {most} hypervisors, datastores and networks");
                return Err(Fault::new(FaultKind::Unreadable, message).into());
            }
        }
        let Some(token) = token else { return Ok(()) };
        let next = Written::default().text("token", &token);
        reply = soap.call("ContinueRetrievePropertiesEx", &content.collector, &next, PATIENCE).await?;
    }
    let message = format!("the vCenter said {PAGES_MAX} times that there are more objects, and came to no end");
    Err(Fault::new(FaultKind::Unreadable, message).into())
}

/// The value of a property in what [`each`] gives.
pub(crate) fn value<'a>(object: &'a Element, name: &str) -> Option<&'a Element> {
    let mut all = object.all("propSet").filter(|set| set.text_at("name") == Some(name));
    all.find_map(|set| set.child("val"))
}

fn properties(wanted: &[(&str, &[&str])]) -> Written {
    wanted.iter().fold(Written::default(), |all, (kind, paths)| {
        let of_type = Written::default().text("type", kind).texts("pathSet", paths.iter().copied());
        all.inside("propSet", &of_type)
    })
}

/// A `PropertyFilterSpec`: these properties of these objects, which are all of one type.
pub(crate) fn of_each<'a>(kind: &str, ids: impl IntoIterator<Item = &'a str>, paths: &[&str]) -> Written {
    ids.into_iter().fold(properties(&[(kind, paths)]), |all, id| {
        all.inside("objectSet", &Written::default().reference("obj", kind, id).text("skip", "false"))
    })
}

/// A `PropertyFilterSpec`: these properties of the objects of these types in a view. The order is the schema's.
pub(crate) fn spec(view: &Object, wanted: &[(&str, &[&str])]) -> Written {
    let properties = properties(wanted);
    let through = Written::default().text("type", "ContainerView").text("path", "view").text("skip", "false");
    let from = Written::default().reference("obj", &view.kind, &view.id).text("skip", "true");
    properties.inside("objectSet", &from.typed("selectSet", "TraversalSpec", &through))
}
