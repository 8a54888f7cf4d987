package app

import (
	"context"

	"neargate/internal/balancer/connect"
	"neargate/internal/ecs"
	"neargate/internal/metadata"
	"neargate/internal/model"
	"neargate/internal/provision"
	"neargate/internal/vpc"
)

// preparation is what comes before a task's start.
type preparation struct {
	records *ecs.Catalogue
	network func() *vpc.Networks // opened after the scheduler
	connect *connect.Connect
	*provision.Provisioner
}

// Prepare refuses a task whose role cannot be assumed, and fills in its spec: the
// default security group of its VPC where it names none, the subnets that it may
// have an address of, the aliases of its namespace, and what its definition refers
// to.
func (p preparation) Prepare(ctx context.Context, t model.Task, def model.TaskDefinition, spec *model.TaskSpec) error {
	if err := p.records.CheckRole(t, def); err != nil {
		return err
	}
	if len(spec.SecurityGroups) == 0 {
		spec.SecurityGroups = []string{p.network().DefaultGroupOf(first(t.Network.Subnets))}
	}
	spec.Subnets = p.network().Ranges(t.Network.Subnets)
	if t.ConnectNamespace != "" {
		spec.Hosts = append(spec.Hosts, p.connect.Hosts(t.ConnectNamespace)...)
	}
	return p.Provisioner.Prepare(ctx, t, def, spec)
}

// taskRoles is what the metadata endpoint asks of STS.
type taskRoles struct{ *parts }

// Issued reports whether Credentials would return what was issued before.
func (t taskRoles) Issued(task model.Task, role string) bool {
	return t.tokens.HasForTask(task.Cluster, task.ID, role)
}

// Credentials returns what a task acts with as a role; ok is false where it
// cannot have the role.
func (t taskRoles) Credentials(ctx context.Context, task model.Task, role string) (c metadata.Credentials, ok bool, err error) {
	issued, ok, err := t.tokens.ForTask(ctx, task.Cluster, task.ID, role)
	return metadata.Credentials{
		RoleARN: issued.RoleARN, AccessKeyID: issued.AccessKey, SecretAccessKey: issued.Secret, Token: issued.Token, Expiration: issued.Expires,
	}, ok, err
}

// taskLives reports whether a task, by CLUSTER/ID, has not ended.
func (p *parts) taskLives(task string) bool {
	t, ok := p.ecs.TaskByKey(task)
	return ok && t.LastStatus != model.TaskStopped
}
