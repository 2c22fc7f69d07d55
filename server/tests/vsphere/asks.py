"""The calls of our collector, made by VMware's own client: what they look like is compared."""

import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl

Collector = vmodl.query.PropertyCollector

MACHINES = ["name", "config.instanceUuid", "config.hardware.device", "datastore", "guest.hostName", "guest.net",
            "runtime.host", "runtime.powerState"]
PLACES = {
    vim.HostSystem: ["name", "parent", "config.network.vnic", "config.network.portgroup"],
    vim.ComputeResource: ["name"],
    vim.Datastore: ["name"],
    vim.dvs.DistributedVirtualPortgroup: ["name", "key", "config.defaultPortConfig"],
    vim.OpaqueNetwork: ["name", "summary"],
    vim.DistributedVirtualSwitch: ["name", "uuid"],
}


def spec(view, wanted):
    through = Collector.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
    return Collector.FilterSpec(
        propSet=[Collector.PropertySpec(type=kind, pathSet=paths) for kind, paths in wanted.items()],
        objectSet=[Collector.ObjectSpec(obj=view, skip=True, selectSet=[through])])


def main(port, user, password):
    service = SmartConnect(protocol="http", host="127.0.0.1", port=int(port), user=user, pwd=password)
    content = service.RetrieveContent()
    collector, views = content.propertyCollector, content.viewManager
    machines = views.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
    places = views.CreateContainerView(content.rootFolder, list(PLACES), True)
    collector.CreateFilter(spec(machines, {vim.VirtualMachine: MACHINES}), False)
    page = collector.RetrievePropertiesEx([spec(places, PLACES)], Collector.RetrieveOptions(maxObjects=100))
    collector.ContinueRetrievePropertiesEx(page.token)
    collector.WaitForUpdatesEx("", Collector.WaitOptions(maxWaitSeconds=0, maxObjectUpdates=100))
    [switch] = [one for one in places.view if isinstance(one, vim.DistributedVirtualSwitch)]
    switch.FetchDVPorts(vim.dvs.PortCriteria(connected=True))
    switch.FetchDVPorts(vim.dvs.PortCriteria(portKey=["1"]))
    Disconnect(service)
    print("{}")


main(*sys.argv[1:])
