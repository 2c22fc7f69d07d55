package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// world is what the simulator holds, changed by commands.
type world struct {
	machines int
}

// most is how many objects an answer has at most, whatever is asked for; a real one has such a limit too.
var most int32

// furnish gives the simulator's objects what they lack, and fills up to so many VMs.
func (w *world) furnish(machines int, page int32) {
	most = page
	simulator.Map.Put(&collector{PropertyCollector: *rootCollector()})
	for _, entity := range simulator.Map.All("DistributedVirtualSwitch") {
		ported := &portedSwitch{DistributedVirtualSwitch: *entity.(*simulator.DistributedVirtualSwitch)}
		ported.mirrored()
		simulator.Map.Put(ported)
	}
	for _, entity := range simulator.Map.All("DistributedVirtualPortgroup") {
		group := entity.(*simulator.DistributedVirtualPortgroup)
		group.Config.DefaultPortConfig = setting(100)
	}
	for _, host := range w.hosts() {
		network := *host.Config.Network
		network.Portgroup = append([]types.HostPortGroup(nil), network.Portgroup...)
		for i := range network.Portgroup {
			network.Portgroup[i].Spec.VlanId = 30
		}
		config := *host.Config
		config.Network = &network
		host.Config = &config
	}
	for _, vm := range w.vms() {
		w.plug(vm)
	}
	for like := w.vms()[0]; w.machines < machines; {
		w.add(fmt.Sprintf("grown-%05d", w.machines), like)
	}
}

func rootCollector() *simulator.PropertyCollector {
	content := simulator.Map.Get(types.ManagedObjectReference{Type: "ServiceInstance", Value: "ServiceInstance"}).(*simulator.ServiceInstance).Content
	return simulator.Map.Get(content.PropertyCollector).(*simulator.PropertyCollector)
}

func setting(vlan int32) *types.VMwareDVSPortSetting {
	return &types.VMwareDVSPortSetting{Vlan: &types.VmwareDistributedVirtualSwitchVlanIdSpec{VlanId: vlan}}
}

// vms gives all VMs in the order of their names.
func (w *world) vms() []*simulator.VirtualMachine {
	var all []*simulator.VirtualMachine
	for _, entity := range simulator.Map.All("VirtualMachine") {
		all = append(all, entity.(*simulator.VirtualMachine))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

func (w *world) hosts() []*simulator.HostSystem {
	var all []*simulator.HostSystem
	for _, entity := range simulator.Map.All("HostSystem") {
		all = append(all, entity.(*simulator.HostSystem))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// groups gives the port groups of distributed switches that are for VMs, by name.
func groups() []*simulator.DistributedVirtualPortgroup {
	var all []*simulator.DistributedVirtualPortgroup
	for _, entity := range simulator.Map.All("DistributedVirtualPortgroup") {
		if group := entity.(*simulator.DistributedVirtualPortgroup); len(group.Tag) == 0 {
			all = append(all, group)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// plug gives a VM two interfaces of its own: one at a distributed switch where there is one, one at a standard switch; with
// MACs nobody else has, and the addresses its guest reports.
func (w *world) plug(vm *simulator.VirtualMachine) {
	n := w.machines
	w.machines++
	var devices []types.BaseVirtualDevice
	for _, device := range vm.Config.Hardware.Device {
		if _, ok := device.(types.BaseVirtualEthernetCard); !ok {
			devices = append(devices, device)
		}
	}
	first := &types.VirtualVmxnet3{}
	card(&first.VirtualEthernetCard, 4000, fmt.Sprintf("00:50:56:9a:%02x:%02x", n>>8, n&255), standard())
	if all := groups(); len(all) > 0 {
		group := all[n%len(all)]
		dvs := simulator.Map.Get(*group.Config.DistributedVirtualSwitch).(*portedSwitch)
		first.Backing = &types.VirtualEthernetCardDistributedVirtualPortBackingInfo{Port: types.DistributedVirtualSwitchPortConnection{
			SwitchUuid: dvs.Uuid, PortgroupKey: group.Key, PortKey: strconv.Itoa(n + 1),
		}}
	}
	second := &types.VirtualE1000e{}
	card(&second.VirtualEthernetCard, 4001, fmt.Sprintf("00:50:56:9b:%02x:%02x", n>>8, n&255), standard())
	second.ExternalId = fmt.Sprintf("external-%d", n)
	vm.Config.Hardware.Device = append(devices, first, second)
	guest := *vm.Guest
	guest.HostName = vm.Name + ".example.org"
	guest.Net = []types.GuestNicInfo{reported(first.MacAddress, 4000, fmt.Sprintf("10.77.%d.%d", n>>8, n&255))}
	vm.Guest = &guest
}

func card(card *types.VirtualEthernetCard, key int32, mac string, backing types.BaseVirtualDeviceBackingInfo) {
	card.Key, card.MacAddress, card.AddressType, card.Backing = key, mac, "assigned", backing
	card.DeviceInfo = &types.Description{Label: fmt.Sprintf("Network adapter %d", key-3999), Summary: "as furnished"}
	card.Connectable = &types.VirtualDeviceConnectInfo{StartConnected: true, Connected: true}
}

func standard() types.BaseVirtualDeviceBackingInfo {
	return &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "VM Network"},
	}
}

func reported(mac string, key int32, ip string) types.GuestNicInfo {
	return types.GuestNicInfo{
		MacAddress: mac, DeviceConfigId: key, Connected: true, IpAddress: []string{ip},
		IpConfig: &types.NetIpConfigInfo{IpAddress: []types.NetIpConfigInfoIpAddress{
			{IpAddress: ip, PrefixLength: 16}, {IpAddress: "fe80::1", PrefixLength: 64},
		}},
	}
}

// add makes a VM like another one, and beside it.
func (w *world) add(name string, like *simulator.VirtualMachine) {
	vm := *like
	config, hardware := *like.Config, like.Config.Hardware
	config.Hardware = hardware
	config.Name, config.InstanceUuid, config.Uuid = name, uuid.NewString(), uuid.NewString()
	vm.Name, vm.Config = name, &config
	hosts := w.hosts()
	host := hosts[w.machines%len(hosts)]
	vm.Runtime.Host = &host.Self
	w.plug(&vm)
	folder := simulator.Map.Get(*like.Parent).(*simulator.Folder)
	simulator.Map.NewEntity(&vm)
	folder.ChildEntity = append(folder.ChildEntity, vm.Self)
	simulator.Map.PutEntity(folder, &vm)
}

// collector answers in pages, which Debian's simulator does not.
type collector struct {
	simulator.PropertyCollector
	objects []types.ObjectContent
	page    int32
	pending *types.UpdateSet
}

func (c *collector) RetrievePropertiesEx(ctx *simulator.Context, req *types.RetrievePropertiesEx) soap.HasFault {
	all, ok := c.PropertyCollector.RetrievePropertiesEx(ctx, req).(*methods.RetrievePropertiesExBody)
	if !ok || all.Res == nil || all.Res.Returnval == nil || req.Options.MaxObjects == 0 {
		return all
	}
	c.objects, c.page = all.Res.Returnval.Objects, least(req.Options.MaxObjects)
	all.Res.Returnval.Objects, all.Res.Returnval.Token = c.next()
	return all
}

func (c *collector) ContinueRetrievePropertiesEx(req *types.ContinueRetrievePropertiesEx) soap.HasFault {
	body := &methods.ContinueRetrievePropertiesExBody{}
	if req.Token != c.token() {
		body.Fault_ = simulator.Fault("", &types.InvalidArgument{InvalidProperty: "token"})
		return body
	}
	body.Res = &types.ContinueRetrievePropertiesExResponse{}
	body.Res.Returnval.Objects, body.Res.Returnval.Token = c.next()
	return body
}

func (c *collector) token() string { return fmt.Sprintf("left-%d", len(c.objects)) }

func (c *collector) next() ([]types.ObjectContent, string) {
	if len(c.objects) <= int(c.page) {
		page := c.objects
		c.objects = nil
		return page, ""
	}
	page := c.objects[:c.page]
	c.objects = c.objects[c.page:]
	return page, c.token()
}

func (c *collector) WaitForUpdatesEx(ctx *simulator.Context, req *types.WaitForUpdatesEx) soap.HasFault {
	body := &methods.WaitForUpdatesExBody{Res: &types.WaitForUpdatesExResponse{Returnval: c.pending}}
	if c.pending == nil {
		all, ok := c.PropertyCollector.WaitForUpdatesEx(ctx, req).(*methods.WaitForUpdatesExBody)
		if !ok || all.Res == nil || all.Res.Returnval == nil {
			return all
		}
		body = all
	}
	size := most
	if req.Options != nil && req.Options.MaxObjectUpdates > 0 {
		size = least(req.Options.MaxObjectUpdates)
	}
	c.pending = cut(body.Res.Returnval, int(size))
	return body
}

func least(asked int32) int32 {
	if asked < most {
		return asked
	}
	return most
}

// cut leaves so many objects in a set and gives the rest of it.
func cut(set *types.UpdateSet, most int) *types.UpdateSet {
	for i := range set.FilterSet {
		filter := &set.FilterSet[i]
		if len(filter.ObjectSet) <= most {
			most -= len(filter.ObjectSet)
			continue
		}
		rest := &types.UpdateSet{Version: set.Version + "+", FilterSet: append([]types.PropertyFilterUpdate{
			{Filter: filter.Filter, ObjectSet: filter.ObjectSet[most:]},
		}, set.FilterSet[i+1:]...)}
		filter.ObjectSet = filter.ObjectSet[:most]
		set.FilterSet = set.FilterSet[:i+1]
		set.Truncated = types.NewBool(true)
		return rest
	}
	return nil
}

// portedSwitch knows what is plugged into its ports.
type portedSwitch struct {
	simulator.DistributedVirtualSwitch
}

func (s *portedSwitch) FetchDVPorts(req *types.FetchDVPorts) soap.HasFault {
	wanted := map[string]bool{}
	connected := false
	if req.Criteria != nil {
		for _, key := range req.Criteria.PortKey {
			wanted[key] = true
		}
		connected = req.Criteria.Connected != nil && *req.Criteria.Connected
	}
	body := &methods.FetchDVPortsBody{Res: &types.FetchDVPortsResponse{}}
	for _, port := range s.ports() {
		if (len(wanted) == 0 || wanted[port.Key]) && (!connected || port.Connectee != nil) {
			body.Res.Returnval = append(body.Res.Returnval, port)
		}
	}
	return body
}

func (s *portedSwitch) ports() []types.DistributedVirtualPort {
	w := world{}
	ports := []types.DistributedVirtualPort{{Key: "empty", DvsUuid: s.Uuid}}
	for _, host := range w.hosts() {
		self := host.Self
		ports = append(ports, types.DistributedVirtualPort{
			Key: "uplink-" + self.Value, DvsUuid: s.Uuid, ProxyHost: &self,
			Connectee: &types.DistributedVirtualSwitchPortConnectee{ConnectedEntity: &self, NicKey: "vmnic0", Type: "pnic"},
			Config:    types.DVPortConfigInfo{Name: "Uplink 1"},
			State:     &types.DVPortState{RuntimeInfo: &types.DVPortStatus{LinkUp: true, MacAddress: "00:25:90:00:00:01"}},
		}, types.DistributedVirtualPort{
			Key: "kernel-" + self.Value, DvsUuid: s.Uuid, ProxyHost: &self,
			Connectee: &types.DistributedVirtualSwitchPortConnectee{ConnectedEntity: &self, NicKey: "vmk1", Type: "hostVmkVnic"},
			State:     &types.DVPortState{RuntimeInfo: &types.DVPortStatus{LinkUp: true, MacAddress: "00:25:90:00:00:02"}},
		})
	}
	for _, vm := range w.vms() {
		for _, device := range vm.Config.Hardware.Device {
			if base, ok := device.(types.BaseVirtualEthernetCard); ok {
				if port := s.port(vm, base.GetVirtualEthernetCard()); port != nil {
					ports = append(ports, *port)
				}
			}
		}
	}
	return ports
}

func (s *portedSwitch) port(vm *simulator.VirtualMachine, card *types.VirtualEthernetCard) *types.DistributedVirtualPort {
	backing, ok := card.Backing.(*types.VirtualEthernetCardDistributedVirtualPortBackingInfo)
	if !ok || backing.Port.SwitchUuid != s.Uuid {
		return nil
	}
	self := vm.Self
	port := &types.DistributedVirtualPort{
		Key: backing.Port.PortKey, PortgroupKey: backing.Port.PortgroupKey, DvsUuid: s.Uuid, ProxyHost: vm.Runtime.Host,
		Connectee: &types.DistributedVirtualSwitchPortConnectee{
			ConnectedEntity: &self, NicKey: strconv.Itoa(int(card.Key)), Type: "vmVnic",
		},
	}
	port.Config.Setting = setting(100)
	if n, err := strconv.Atoi(port.Key); err == nil && n%10 == 0 {
		port.Config.Setting = setting(200)
	}
	trick.mu.Lock()
	if trick.promiscuous[port.Key] {
		setting := port.Config.Setting.(*types.VMwareDVSPortSetting)
		setting.MacManagementPolicy = &types.DVSMacManagementPolicy{AllowPromiscuous: types.NewBool(true)}
	}
	trick.mu.Unlock()
	// A port has run-time state while its VM runs.
	if vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn {
		port.State = &types.DVPortState{RuntimeInfo: &types.DVPortStatus{LinkUp: true, MacAddress: card.MacAddress}}
	}
	return port
}

// control answers the commands of tests.
func (w *world) control(g *gate) http.Handler {
	mux := http.NewServeMux()
	command := func(path string, run func(vm *simulator.VirtualMachine, r *http.Request) error) {
		mux.HandleFunc(path, func(out http.ResponseWriter, r *http.Request) {
			for _, vm := range w.vms() {
				if vm.Name == r.FormValue("vm") {
					if err := run(vm, r); err != nil {
						http.Error(out, err.Error(), http.StatusBadRequest)
					}
					return
				}
			}
			http.Error(out, "there is no such VM", http.StatusNotFound)
		})
	}
	update := func(vm *simulator.VirtualMachine, name string, value interface{}) error {
		simulator.Map.WithLock(vm, func() {
			simulator.Map.Update(vm, []types.PropertyChange{{Name: name, Val: value}})
		})
		return nil
	}
	command("/migrate", func(vm *simulator.VirtualMachine, r *http.Request) error {
		for _, host := range w.hosts() {
			if host.Name == r.FormValue("to") {
				return update(vm, "runtime.host", host.Self)
			}
		}
		return fmt.Errorf("there is no such hypervisor")
	})
	command("/address", func(vm *simulator.VirtualMachine, r *http.Request) error {
		mac := vm.Guest.Net[0].MacAddress
		return update(vm, "guest.net", []types.GuestNicInfo{reported(mac, 4000, r.FormValue("ip"))})
	})
	command("/power", func(vm *simulator.VirtualMachine, r *http.Request) error {
		return update(vm, "runtime.powerState", types.VirtualMachinePowerState(r.FormValue("state")))
	})
	command("/plug", func(vm *simulator.VirtualMachine, r *http.Request) error {
		for _, device := range vm.Config.Hardware.Device {
			card, ok := device.(*types.VirtualVmxnet3)
			if !ok {
				continue
			}
			backing := *card.Backing.(*types.VirtualEthernetCardDistributedVirtualPortBackingInfo)
			backing.Port.PortKey = r.FormValue("port")
			simulator.Map.WithLock(vm, func() { card.Backing = &backing })
			return nil
		}
		return fmt.Errorf("it is plugged into no distributed switch")
	})
	command("/add", func(vm *simulator.VirtualMachine, r *http.Request) error {
		w.add(r.FormValue("name"), vm)
		return nil
	})
	command("/remove", func(vm *simulator.VirtualMachine, r *http.Request) error {
		folder := simulator.Map.Get(*vm.Parent).(*simulator.Folder)
		simulator.RemoveReference(&folder.ChildEntity, vm.Self)
		for _, host := range w.hosts() {
			simulator.RemoveReference(&host.Vm, vm.Self)
		}
		simulator.Map.Remove(vm.Self)
		return nil
	})
	tricky(mux, g)
	mux.HandleFunc("/rename-hypervisor", func(out http.ResponseWriter, r *http.Request) {
		host := w.hosts()[0]
		simulator.Map.Update(host, []types.PropertyChange{{Name: "name", Val: r.FormValue("name")}})
	})
	mux.HandleFunc("/end-sessions", func(http.ResponseWriter, *http.Request) { g.endSessions() })
	mux.HandleFunc("/calls", func(out http.ResponseWriter, _ *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		check(json.NewEncoder(out).Encode(g.calls))
	})
	mux.HandleFunc("/asked", func(out http.ResponseWriter, _ *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		check(json.NewEncoder(out).Encode(g.asked))
	})
	return mux
}
