"""Port mirroring sessions by VMware's own client: how it writes them, what it reads of a switch, and sessions it makes."""

import json
import sys
from xml.etree import ElementTree

from pyVim.connect import Disconnect, SmartConnect
from pyVim.task import WaitForTask
from pyVmomi import SoapAdapter, VmomiSupport, vim

Dvs = vim.dvs.VmwareDistributedVirtualSwitch
ENDS = {"sourcePortTransmitted", "sourcePortReceived", "destinationPort"}
INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def session(fields):
    made = {name: Dvs.VspanPorts(**value) if name in ENDS else value for name, value in fields.items()}
    return Dvs.VspanSession(**made)


def spec(revision, changes):
    changes = [Dvs.VspanConfigSpec(vspanSession=session(fields), operation=operation) for operation, fields in changes]
    return Dvs.ConfigSpec(configVersion=revision, vspanConfigSpec=changes)


def told(value):
    """A data object as JSON, without what is not set."""
    if isinstance(value, VmomiSupport.DataObject):
        fields = {name: told(getattr(value, name)) for name in (info.name for info in value._GetPropertyList())}
        return {name: field for name, field in fields.items() if field not in (None, [], {})}
    return [told(one) for one in value] if isinstance(value, list) else value


def plain(element):
    """XML as nested lists, in its order and without prefixes."""
    kind = element.get(INSTANCE, "").rsplit(":")[-1]
    inside = [plain(child) for child in element] or (element.text or "")
    return [element.tag.rsplit("}")[-1], kind, inside]


def written(case):
    """What we write and what VMware's client writes of the same, at one version."""
    version = VmomiSupport.versionMap["vim25/" + case["version"]]
    info = VmomiSupport.Object(name="spec", type=vim.DistributedVirtualSwitch.ConfigSpec, flags=0, version=version)
    theirs = SoapAdapter.SerializeToStr(spec(*case["spec"]), info, version)
    ours = '<w xmlns="urn:vim25" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">' + case["ours"] + "</w>"
    [ours] = plain(ElementTree.fromstring(ours))[2]
    return {"ours": ours, "theirs": plain(ElementTree.fromstring(theirs))}


def on_switch(port, user, password, work):
    service = SmartConnect(protocol="http", host="127.0.0.1", port=int(port), user=user, pwd=password)
    content = service.RetrieveContent()
    [switch] = content.viewManager.CreateContainerView(content.rootFolder, [vim.DistributedVirtualSwitch], True).view
    said = work(switch)
    Disconnect(service)
    return said


def change(switch, changes):
    WaitForTask(switch.ReconfigureDvs_Task(spec(switch.config.configVersion, changes)))
    return read(switch)


def read(switch):
    return [told(one) for one in switch.config.vspanSession]


def main(do, *arguments):
    given = json.load(sys.stdin)
    if do == "write":
        print(json.dumps([written(case) for case in given]))
    else:
        print(json.dumps(on_switch(*arguments, lambda switch: change(switch, given) if given else read(switch))))


main(*sys.argv[1:])
