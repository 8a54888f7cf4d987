package local

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"neargate/internal/decide/volume"
	"neargate/internal/model"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/logfile"
	"neargate/internal/runtime/local/supervisor"
)

// order is what the supervisor is told: the task with its images resolved.
func (e *Engine) order(ctx context.Context, t *task, images []Rootfs) (*supervisor.Order, error) {
	spec, addr := t.rec.Spec, t.rec.Address
	profile, err := e.profile(ctx)
	if err != nil {
		return nil, err
	}
	o := &supervisor.Order{
		Dir: t.dir, CgroupPath: e.cgroupOf(t),
		SharePIDs: spec.SharePIDs,
		DiskBytes: int64(spec.EphemeralGiB) << 30,
		CPUQuota:  cpuPeriod * time.Duration(spec.CPUUnits) / 1024, CPUPeriod: cpuPeriod,
		// As EC2 names hosts in a VPC.
		Hostname: "ip-" + strings.ReplaceAll(addr.String(), ".", "-") + "." + e.cfg.Domain,
		Address:  addr, Gateway: e.net.GatewayOf(addr), GatewayMAC: e.net.GatewayMAC(),
		Resolv: resolvConf(e.net.Gateway(), e.cfg.Domain), Filter: e.filter, Profile: profile, Labels: t.rec.Labels,
	}
	for _, h := range spec.Hosts {
		o.Hosts = append(o.Hosts, h.Address.String()+" "+h.Name)
	}
	for i, c := range spec.Containers {
		if n := len(images[i].Config.Volumes); n > volume.MaxDeclared {
			return nil, &runtime.ContainerError{Container: c.Name, Err: model.Errorf(model.Invalid, runtime.CodeStart,
				"container %s: the image declares %d volumes, more than %d", c.Name, n, volume.MaxDeclared)}
		}
	}
	mounts := orderMounts(t.dir, spec, images)
	for i, c := range spec.Containers {
		oc, err := orderContainer(c, images[i])
		if err != nil {
			return nil, &runtime.ContainerError{Container: c.Name, Err: err}
		}
		oc.ID = model.RuntimeID(t.id, i)
		oc.Mounts = mounts[i]
		if c.LogTag != "" && spec.Router != nil {
			oc.LogTo = spec.Router.Container
		}
		for _, s := range c.SystemControls {
			o.Sysctls = append(o.Sysctls, supervisor.Sysctl(s))
		}
		o.Containers = append(o.Containers, oc)
	}
	return o, nil
}

func orderContainer(c model.ContainerSpec, image Rootfs) (supervisor.Container, error) {
	args := image.Config.Command
	entry := image.Config.EntryPoint
	if c.EntryPoint != nil { // it also does away with the image's command, as in Docker
		entry, args = c.EntryPoint, nil
	}
	if c.Command != nil {
		args = c.Command
	}
	args = slices.Concat(entry, args)
	if len(args) == 0 {
		return supervisor.Container{}, model.Errorf(model.Invalid, runtime.CodeStart,
			"container %s: no command specified, neither by the image nor by the task definition", c.Name)
	}
	env := slices.Clone(image.Config.Env)
	for _, kv := range c.Env {
		env = append(env, kv.Name+"="+kv.Value)
	}
	out := supervisor.Container{
		Name: c.Name, Layers: image.Layers, Args: args, Env: env,
		WorkingDir: first(c.WorkingDir, image.Config.WorkingDir), User: first(c.User, image.Config.User),
		MemoryBytes: int64(c.MemoryMiB) << 20, ReadonlyRoot: c.ReadonlyRoot,
		MemoryReservationBytes: int64(c.MemoryReservationMiB) << 20,
		AddCapabilities:        c.AddCapabilities, DropCapabilities: c.DropCapabilities,
		Essential: c.Essential, StopSignal: image.Config.StopSignal, StopTimeout: c.StopTimeout, StartTimeout: c.StartTimeout,
		Check: orderCheck(c.HealthCheck), Init: c.Init, Interactive: c.Interactive, Terminal: c.Terminal,
	}
	buffer, option, ok := c.Log.Buffer()
	if !ok {
		return supervisor.Container{}, fmt.Errorf("log option %s of container %s is %q", option, c.Name, c.Log.Options[option])
	}
	out.LogBuffer = logfile.Buffer(buffer)
	for _, f := range c.Files {
		out.Files = append(out.Files, supervisor.File(f))
	}
	if c.Restart != nil {
		out.Restart = new(supervisor.Restart(*c.Restart))
	}
	if c.CPUUnits > 0 {
		out.CPUShares = uint64(max(2, c.CPUUnits)) // the kernel's least
	}
	for _, u := range c.Ulimits {
		out.Ulimits = append(out.Ulimits, supervisor.Ulimit(u))
	}
	for _, d := range c.DependsOn {
		out.DependsOn = append(out.DependsOn, supervisor.Dependency(d))
	}
	return out, nil
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// orderCheck reads a health check's command: CMD runs as it stands, CMD-SHELL
// by the shell. Zero numbers get ECS's defaults.
func orderCheck(h *model.ContainerHealthCheck) *supervisor.Check {
	if h == nil || len(h.Command) == 0 || h.Command[0] == "NONE" {
		return nil
	}
	c := &supervisor.Check{
		Args: h.Command, Interval: h.Interval, Timeout: h.Timeout,
		StartPeriod: h.StartPeriod, Retries: h.Retries,
	}
	switch h.Command[0] {
	case "CMD":
		c.Args = h.Command[1:]
	case "CMD-SHELL":
		c.Args = append([]string{"/bin/sh", "-c"}, h.Command[1:]...)
	}
	if len(c.Args) == 0 {
		return nil
	}
	if c.Interval <= 0 {
		c.Interval = 30 * time.Second
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Retries <= 0 {
		c.Retries = 3
	}
	return c
}
