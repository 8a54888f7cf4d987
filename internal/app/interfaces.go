package app

import (
	"net"
	"net/netip"

	"neargate/internal/model"
	"neargate/internal/vpc"
)

// The accounts of AWS that attach network interfaces.
const (
	fargateOwner = "578734482556"
	elbOwner     = "amazon-elb"
)

// interfaces returns the network interfaces that tasks and load balancers have.
func (p *parts) interfaces() []vpc.Interface {
	var out []vpc.Interface
	for _, t := range p.ecs.AllTasks() {
		if t.IP != "" && t.LastStatus != model.TaskStopped {
			out = append(out, p.taskInterface(t))
		}
	}
	for _, lb := range p.balancer.LoadBalancers() {
		if address, ok := p.balancer.Source(lb.ARN); ok {
			out = append(out, vpc.Interface{
				ID: lb.InterfaceID(), Address: address, MAC: mac(address), Subnet: p.networks.SubnetAt(address, lb.Subnets), SecurityGroups: lb.SecurityGroups,
				Description: "ELB app/" + lb.Name + "/" + lb.ID, AttachmentID: "ela-attach-0" + lb.ID, Owner: elbOwner, CreatedAt: lb.CreatedAt,
			})
		}
	}
	return out
}

func (p *parts) taskInterface(t model.Task) vpc.Interface {
	address, _ := netip.ParseAddr(t.IP) // the engine's own
	groups := t.Network.SecurityGroups
	if len(groups) == 0 {
		groups = []string{p.networks.DefaultGroupOf(first(t.Network.Subnets))}
	}
	return vpc.Interface{
		ID: t.InterfaceID(), Address: address, MAC: t.MAC, Subnet: t.Place(), SecurityGroups: groups,
		Description:  p.cfg.Place.AttachmentARN(t.AttachmentID()),
		AttachmentID: "eni-attach-0" + t.ID[:16], Owner: fargateOwner, CreatedAt: t.CreatedAt,
	}
}

// mac is made of the address, as those of tasks.
func mac(a netip.Addr) string {
	b := a.As4()
	return net.HardwareAddr{0x02, 0x4e, b[0], b[1], b[2], b[3]}.String()
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
