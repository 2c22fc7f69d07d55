package main

import (
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// tricks is what switches do otherwise than well, as a test wants it.
type tricks struct {
	mu sync.Mutex
	// So many changes find that somebody else was faster.
	concurrent int
	// A fault that the next change ends with: of its task, or of the call itself.
	taskFault, callFault types.BaseMethodFault
	// How long a change takes.
	slow time.Duration
	// The next change is called done, and is not.
	swallow bool
	// The next session that is added is stored otherwise than it was sent.
	twist bool
	// Ports that are promiscuous.
	promiscuous map[string]bool
}

var trick = &tricks{promiscuous: map[string]bool{}}

// mirrored gives a switch what sessions need: a version, uplinks with names, and what it can do.
func (s *portedSwitch) mirrored() {
	config := *s.Config.(*types.VMwareDVSConfigInfo)
	config.ConfigVersion, config.MaxMtu = "1", 1600
	config.ProductInfo = types.DistributedVirtualSwitchProductSpec{Name: "DVS", Vendor: "VMware, Inc.", Version: "7.0.3"}
	config.UplinkPortPolicy = &types.DVSNameArrayUplinkPortPolicy{UplinkPortName: []string{"Uplink 1", "Uplink 2"}}
	s.Config = &config
	s.able("all")
}

// able publishes what the switch can do: `all`, `plain` (no ERSPAN, as before 6.5) or `none` (it does not say).
func (s *portedSwitch) able(what string) {
	features := &types.VMwareDVSFeatureCapability{VspanSupported: types.NewBool(true)}
	if what != "none" {
		features.VspanCapability = &types.VMwareDVSVspanCapability{
			MixedDestSupported: true, DvportSupported: true, RemoteSourceSupported: true, RemoteDestSupported: true,
			EncapRemoteSourceSupported: true,
		}
	}
	if what == "all" {
		features.VspanCapability.ErspanProtocolSupported = types.NewBool(true)
		features.VspanCapability.MirrorNetstackSupported = types.NewBool(true)
	}
	s.Capability = types.DVSCapability{FeaturesSupported: features}
}

func (s *portedSwitch) ReconfigureDvsTask(req *types.ReconfigureDvs_Task) soap.HasFault {
	spec, ok := req.Spec.(*types.VMwareDVSConfigSpec)
	if !ok {
		return s.DistributedVirtualSwitch.ReconfigureDvsTask(req)
	}
	trick.mu.Lock()
	fault, slow := trick.callFault, trick.slow
	trick.callFault = nil
	trick.mu.Unlock()
	body := &methods.ReconfigureDvs_TaskBody{}
	if fault != nil {
		body.Fault_ = simulator.Fault("As told.", fault)
		return body
	}
	task := simulator.CreateTask(s, "reconfigureDvs", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		return nil, s.reconfigure(spec)
	})
	body.Res = &types.ReconfigureDvs_TaskResponse{Returnval: task.Self}
	if slow == 0 {
		task.Run()
		return body
	}
	task.Info.State, task.Info.Progress = types.TaskInfoStateRunning, 40
	go func() {
		time.Sleep(slow)
		simulator.Map.WithLock(s, func() { task.Run() })
	}()
	return body
}

func (s *portedSwitch) reconfigure(spec *types.VMwareDVSConfigSpec) types.BaseMethodFault {
	trick.mu.Lock()
	defer trick.mu.Unlock()
	config := *s.Config.(*types.VMwareDVSConfigInfo)
	bump := func() {
		version, err := strconv.Atoi(config.ConfigVersion)
		check(err)
		config.ConfigVersion = strconv.Itoa(version + 1)
	}
	if trick.concurrent > 0 {
		trick.concurrent--
		bump()
		s.Config = &config
	}
	if spec.ConfigVersion != config.ConfigVersion {
		return &types.ConcurrentAccess{}
	}
	if fault := trick.taskFault; fault != nil {
		trick.taskFault = nil
		return fault
	}
	if trick.swallow {
		trick.swallow = false
		return nil
	}
	sessions, fault := s.changed(config.VspanSession, spec.VspanConfigSpec)
	if fault != nil {
		return fault
	}
	bump()
	config.VspanSession = sessions
	simulator.Map.Update(s, []types.PropertyChange{{Name: "config", Val: &config}})
	return nil
}

// keys counts all sessions that there ever were.
var keys int

// changed gives the sessions after some were added, edited and removed.
func (s *portedSwitch) changed(
	before []types.VMwareVspanSession, changes []types.VMwareDVSVspanConfigSpec,
) ([]types.VMwareVspanSession, types.BaseMethodFault) {
	sessions := append([]types.VMwareVspanSession(nil), before...)
	named := map[string]bool{}
	for _, change := range changes {
		session, at := change.VspanSession, -1
		for i := range sessions {
			if sessions[i].Key == session.Key {
				at = i
			}
		}
		if session.Key != "" && named[session.Key] {
			return nil, &types.InvalidArgument{InvalidProperty: "vspanConfigSpec.vspanSession.key"}
		}
		named[session.Key] = true
		if change.Operation != "add" && at < 0 {
			return nil, &types.NotFound{}
		}
		switch change.Operation {
		case "add":
			if session.Key != "" {
				return nil, &types.InvalidArgument{InvalidProperty: "vspanSession.key"}
			}
			keys++
			session.Key = fmt.Sprintf("52 0a 3e %02x", keys)
			if trick.twist {
				trick.twist, session.SamplingRate = false, 7
			}
			sessions = append(sessions, session)
		case "edit":
			sessions[at] = session
		case "remove":
			sessions = append(sessions[:at], sessions[at+1:]...)
			continue
		default:
			return nil, &types.InvalidArgument{InvalidProperty: "operation"}
		}
		if fault := s.refused(session, sessions); fault != nil {
			return nil, fault
		}
	}
	return sessions, nil
}

func ports(ends ...*types.VMwareVspanPort) map[string]bool {
	all := map[string]bool{}
	for _, end := range ends {
		if end != nil {
			for _, key := range end.PortKey {
				all[key] = true
			}
		}
	}
	return all
}

// refused says why a session cannot be among the others.
func (s *portedSwitch) refused(session types.VMwareVspanSession, all []types.VMwareVspanSession) types.BaseMethodFault {
	if session.MirroredPacketLength != 0 && session.MirroredPacketLength < 60 {
		return &types.InvalidArgument{InvalidProperty: "mirroredPacketLength"}
	}
	if session.ErspanId < 0 || session.ErspanId > 1023 {
		return &types.InvalidArgument{InvalidProperty: "erspanId"}
	}
	can := s.Capability.FeaturesSupported.(*types.VMwareDVSFeatureCapability).VspanCapability
	if can == nil || (session.EncapType != "" && can.ErspanProtocolSupported == nil) {
		return &types.NotSupported{}
	}
	destination, transmitted := ports(session.DestinationPort), ports(session.SourcePortTransmitted)
	for key := range destination {
		if ports(session.SourcePortTransmitted, session.SourcePortReceived)[key] {
			return &types.VspanSameSessionPortConflict{VspanSessionKey: session.Key, PortKey: key}
		}
	}
	for _, busy := range []map[string]bool{destination, transmitted} {
		for key := range busy {
			if trick.promiscuous[key] {
				return &types.VspanPromiscuousPortNotSupported{VspanSessionKey: session.Key, PortKey: key}
			}
		}
	}
	for _, other := range all {
		if other.Key == session.Key {
			continue
		}
		for key := range destination {
			if ports(other.DestinationPort)[key] {
				return &types.VspanDestPortConflict{VspanSessionKey1: session.Key, VspanSessionKey2: other.Key, PortKey: key}
			}
			if ports(other.SourcePortTransmitted)[key] {
				return &types.VspanPortConflict{VspanSessionKey1: session.Key, VspanSessionKey2: other.Key, PortKey: key}
			}
		}
		for key := range transmitted {
			if ports(other.DestinationPort)[key] {
				return &types.VspanPortConflict{VspanSessionKey1: session.Key, VspanSessionKey2: other.Key, PortKey: key}
			}
		}
	}
	return nil
}

func switches() []*portedSwitch {
	var all []*portedSwitch
	for _, entity := range simulator.Map.All("DistributedVirtualSwitch") {
		all = append(all, entity.(*portedSwitch))
	}
	return all
}

// tricky answers the commands that make switches do otherwise than well.
func tricky(mux *http.ServeMux, g *gate) {
	command := func(path string, run func(r *http.Request)) {
		mux.HandleFunc(path, func(_ http.ResponseWriter, r *http.Request) {
			trick.mu.Lock()
			defer trick.mu.Unlock()
			run(r)
		})
	}
	number := func(r *http.Request, name string) int {
		value, err := strconv.Atoi(r.FormValue(name))
		check(err)
		return value
	}
	command("/able", func(r *http.Request) {
		for _, one := range switches() {
			one.able(r.FormValue("to"))
		}
	})
	command("/concurrent", func(r *http.Request) { trick.concurrent = number(r, "times") })
	command("/slow", func(r *http.Request) { trick.slow = time.Duration(number(r, "ms")) * time.Millisecond })
	command("/swallow", func(*http.Request) { trick.swallow = true })
	command("/twist", func(*http.Request) { trick.twist = true })
	command("/promiscuous", func(r *http.Request) { trick.promiscuous[r.FormValue("port")] = true })
	command("/limit", func(*http.Request) { trick.taskFault = &types.LimitExceeded{} })
	command("/forbid", func(*http.Request) {
		trick.callFault = &types.NoPermission{PrivilegeId: "DVSwitch.Vspan"}
	})
	mux.HandleFunc("/lose", func(_ http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.lose = r.FormValue("when")
	})
}
