package metadata

import (
	"maps"
	"net/netip"
	"strconv"
	"time"

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
	CreatedAt     *time.Time `json:",omitempty"`
	StartedAt     *time.Time `json:",omitempty"`
	FinishedAt    *time.Time `json:",omitempty"`
	Type          string
	Health        *health           `json:",omitempty"`
	LogDriver     string            `json:",omitempty"`
	LogOptions    map[string]string `json:",omitempty"`
	ContainerARN  string
	Networks      []network
	RestartCount  *int `json:",omitempty"` // with a restart policy
}

// health is the verdict of a container's own health check.
type health struct {
	Status string `json:"status"`
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
	DomainNameServers        []string
	DomainNameSearchList     []string
	PrivateDNSName           string
	SubnetGatewayIpv4Address string
}

// container describes the i-th container of the task.
func (s subject) container(i int) container {
	c, kept, now := s.def.Containers[i], s.record.Containers[i], s.state.Containers[i]
	out := container{
		DockerID: now.RuntimeID, Name: c.Name, DockerName: c.Name, Image: c.Image, ImageID: now.ImageDigest,
		Labels: s.labels(c), DesiredStatus: string(s.record.DesiredStatus), KnownStatus: string(known(now)), ExitCode: now.ExitCode,
		Limits: containerLimits{CPU: kept.CPUUnits, Memory: kept.MemoryMiB}, Type: "NORMAL",
		CreatedAt: moment(now.CreatedAt), StartedAt: moment(now.StartedAt), FinishedAt: moment(now.FinishedAt),
		LogDriver: c.Log.Driver, LogOptions: s.logOptions(c), ContainerARN: kept.ARN, Networks: []network{s.network()},
	}
	if now.Running && now.StartedAt.IsZero() { // it was started before containers had times of their own
		out.CreatedAt, out.StartedAt = moment(s.state.PullStoppedAt), moment(s.state.StartedAt)
	}
	if c.Restart != nil {
		out.RestartCount = &now.RestartCount
	}
	if c.HealthCheck != nil {
		out.Health = &health{now.Health}
	}
	return out
}

// moment is t in JSON; nil: not yet.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// logOptions are the options of a container's log, with the stream that Fargate
// makes of the prefix.
func (s subject) logOptions(c model.ContainerDefinition) map[string]string {
	out := maps.Clone(c.Log.Options)
	if prefix, ok := out["awslogs-stream-prefix"]; ok {
		delete(out, "awslogs-stream-prefix")
		out["awslogs-stream"] = prefix + "/" + c.Name + "/" + s.record.ID
	}
	return out
}

// labels are the definition's, and those that ECS sets.
func (s subject) labels(c model.ContainerDefinition) map[string]string {
	all := map[string]string{}
	maps.Copy(all, c.DockerLabels)
	maps.Copy(all, map[string]string{
		"com.amazonaws.ecs.cluster":                 s.record.ClusterARN,
		"com.amazonaws.ecs.container-name":          c.Name,
		"com.amazonaws.ecs.task-arn":                s.record.ARN,
		"com.amazonaws.ecs.task-definition-family":  s.def.Family,
		"com.amazonaws.ecs.task-definition-version": strconv.Itoa(s.def.Revision),
	})
	return all
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
	subnet := s.cfg.Subnet
	if s.state.Subnet != "" && s.cfg.Range != nil {
		if known, ok := s.cfg.Range(s.state.Subnet); ok {
			subnet = known
		}
	}
	return network{
		NetworkMode: "awsvpc", IPv4Addresses: []string{s.state.IP}, MACAddress: s.state.MAC,
		DomainNameServers: []string{s.cfg.Gateway.String()}, DomainNameSearchList: []string{s.cfg.Place.PrivateDomain()},
		IPv4SubnetCIDRBlock: subnet.String(), PrivateDNSName: s.cfg.Place.PrivateDNSName(s.state.IP),
		SubnetGatewayIpv4Address: netip.PrefixFrom(subnet.Addr().Next(), subnet.Bits()).String(),
	}
}
