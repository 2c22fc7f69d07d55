"""What VMware's own client reads of a vCenter or ESXi, as the JSON that the test compares with."""

import json
import sys

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim

POWER = {"poweredOn": "on", "poweredOff": "off", "suspended": "paused"}


def vlan(setting):
    spec = getattr(setting, "vlan", None)
    return spec.vlanId if isinstance(spec, vim.dvs.VmwareDistributedVirtualSwitch.VlanIdSpec) and spec.vlanId else None


def everything(content, kind):
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    return sorted(view.view, key=lambda one: one._moId)


def ports(content):
    for switch in everything(content, vim.DistributedVirtualSwitch):
        for port in switch.FetchDVPorts(vim.dvs.PortCriteria(connected=True)):
            yield switch, port


def nic(card, vm, groups, by_key):
    said = {"mac": card.macAddress, "label": card.deviceInfo.label, "connected": card.connectable.connected}
    said["ips"] = sorted({ip for guest in vm.guest.net if guest.macAddress == card.macAddress for ip in guest.ipAddress}
                         | {ip.ipAddress for guest in vm.guest.net if guest.macAddress == card.macAddress
                            for ip in guest.ipConfig.ipAddress})
    said["iface_id"] = card.externalId or None
    if isinstance(card.backing, vim.vm.device.VirtualEthernetCard.DistributedVirtualPortBackingInfo):
        at = card.backing.port
        said["network"] = groups[at.portgroupKey]
        said["switch"], said["port"] = at.switchUuid, at.portKey
        said["vlan"] = vlan(by_key[at.switchUuid, at.portKey].config.setting)
    else:
        [group] = [group.spec for group in vm.runtime.host.config.network.portgroup
                   if group.spec.name == card.backing.deviceName]
        said["network"], said["switch"], said["port"] = group.name, group.vswitchName, None
        said["vlan"] = group.vlanId or None
    return said


def main(port, user, password):
    service = SmartConnect(protocol="http", host="127.0.0.1", port=int(port), user=user, pwd=password)
    content = service.RetrieveContent()
    groups = {group.key: group.name for group in everything(content, vim.dvs.DistributedVirtualPortgroup)}
    found = list(ports(content))
    by_key = {(switch.uuid, port.key): port for switch, port in found}
    machines = []
    for vm in everything(content, vim.VirtualMachine):
        cards = [card for card in vm.config.hardware.device if isinstance(card, vim.vm.device.VirtualEthernetCard)]
        machines.append({
            "key": vm._moId, "name": vm.name, "uuid": vm.config.instanceUuid, "hostname": vm.guest.hostName,
            "power": POWER[vm.runtime.powerState], "hypervisor": vm.runtime.host._moId,
            "datastores": [store.name for store in vm.datastore],
            "nics": [nic(card, vm, groups, by_key) for card in cards],
        })
    hypervisors = [{
        "key": host._moId, "name": host.name,
        "cluster": host.parent.name if isinstance(host.parent, vim.ClusterComputeResource) else None,
        "ips": [vnic.spec.ip.ipAddress for vnic in host.config.network.vnic],
    } for host in everything(content, vim.HostSystem)]
    told = [{
        "key": f"{switch.uuid}/{port.key}", "switch": switch.uuid, "switch_name": switch.name, "port": port.key,
        "mac": port.state.runtimeInfo.macAddress if port.connectee.type == "vmVnic" else None,
        "group": groups.get(port.portgroupKey), "vlan": vlan(port.config.setting),
        "vm_uuid": port.connectee.connectedEntity.config.instanceUuid if port.connectee.type == "vmVnic" else None,
        "hypervisor": port.proxyHost.name, "connected": port.state.runtimeInfo.linkUp,
    } for switch, port in found]
    json.dump({"vms": machines, "hypervisors": hypervisors, "ports": sorted(told, key=lambda one: one["key"])}, sys.stdout)
    Disconnect(service)


main(*sys.argv[1:])
