package metadata

import (
	"net/netip"
	"strconv"

	"neargate/internal/model"
)

// container is a container in the endpoint's form [ECS guide, "Task metadata v4
// JSON response for tasks on Fargate"].
type container struct {
	DockerID      string `json:"DockerId"`
	Name          string
	DockerName    string
	Image         string
	ImageID       string `json:",omitempty"`
	Labels        map[string]string
	DesiredStatus string
	KnownStatus   string
	ExitCode      *int `json:",omitempty"`
	Limits        containerLimits
	Type          string
	LogDriver     string            `json:",omitempty"`
	LogOptions    map[string]string `json:",omitempty"`
	ContainerARN  string
	Networks      []network
}

// containerLimits are in CPU units and MiB.
type containerLimits struct {
	CPU    int
	Memory int `json:",omitempty"`
}

// network is the task's network interface.
type network struct {
	NetworkMode              string
	IPv4Addresses            []string
	AttachmentIndex          int
	MACAddress               string
	IPv4SubnetCIDRBlock      string
	DomainNameServers        []string `json:",omitempty"`
	PrivateDNSName           string
	SubnetGatewayIpv4Address string
}

// container describes the i-th container of the task.
func (s subject) container(i int) container {
	c, kept, now := s.def.Containers[i], s.record.Containers[i], s.state.Containers[i]
	out := container{
		DockerID: now.RuntimeID, Name: c.Name, DockerName: c.Name, Image: c.Image, ImageID: now.ImageDigest,
		Labels: s.labels(c.Name), DesiredStatus: string(s.record.DesiredStatus), KnownStatus: string(known(now)), ExitCode: now.ExitCode,
		Limits: containerLimits{CPU: kept.CPUUnits, Memory: kept.MemoryMiB}, Type: "NORMAL",
		LogDriver: c.Log.Driver, ContainerARN: kept.ARN, Networks: []network{s.network()},
	}
	return out
}

func (s subject) labels(container string) map[string]string {
	return map[string]string{
		"com.amazonaws.ecs.cluster":                 s.record.ClusterARN,
		"com.amazonaws.ecs.container-name":          container,
		"com.amazonaws.ecs.task-arn":                s.record.ARN,
		"com.amazonaws.ecs.task-definition-family":  s.def.Family,
		"com.amazonaws.ecs.task-definition-version": strconv.Itoa(s.def.Revision),
	}
}

func known(c model.ContainerState) model.TaskStatus {
	switch {
	case c.Running:
		return model.TaskRunning
	case c.ExitCode != nil:
		return model.TaskStopped
	}
	return model.TaskPending
}

func (s subject) network() network {
	return network{
		NetworkMode: "awsvpc", IPv4Addresses: []string{s.state.IP}, MACAddress: s.state.MAC,
		IPv4SubnetCIDRBlock: s.cfg.Subnet.String(), PrivateDNSName: s.cfg.Place.PrivateDNSName(s.state.IP),
		SubnetGatewayIpv4Address: netip.PrefixFrom(s.cfg.Gateway, s.cfg.Subnet.Bits()).String(),
	}
}
