package app

import (
	"testing"

	"neargate/internal/model"
)

// The names of a namespace are those of the tasks of its VPC.
func TestOtherVPC(t *testing.T) {
	subnet := func(id string) (vpcID, zone string, ok bool) {
		vpcID, ok = map[string]string{"subnet-a": "vpc-a", "subnet-a2": "vpc-a", "subnet-b": "vpc-b"}[id]
		return vpcID, "us-east-1a", ok
	}
	for _, row := range []struct {
		name, at string // the subnet of its address
		within   []string
		want     bool
	}{
		{"in a subnet of the VPC", "subnet-a", []string{"subnet-a2"}, false},
		{"in one of another", "subnet-b", []string{"subnet-b"}, true},
		{"in the server's own network, for the VPC", "", []string{"subnet-a"}, false},
		{"in the server's own network, for another", "", []string{"subnet-b"}, true},
		{"in a subnet that is gone", "subnet-c", nil, false},
		{"in none", "", nil, false},
	} {
		task := model.Task{Subnet: row.at, Network: model.Network{Subnets: row.within}}
		if got := otherVPC(task, "vpc-a", subnet); got != row.want {
			t.Errorf("a task %s: %v", row.name, got)
		}
	}
}
