// Package ecs keeps the records of Amazon ECS and the rules by which they
// change: clusters, task definitions, services with their deployments and
// events, tasks, tags and account settings.
//
// Each call is one transaction: what it refuses or fails has changed nothing.
//
// It runs nothing. The scheduler reads what is desired here, moves what runs
// towards it, and writes down what came of it; it is told of each service that
// changes by Config.OnChange.
//
// A Catalogue is safe for concurrent use.
package ecs

import (
	"context"
	"fmt"

	"neargate/internal/model"
	"neargate/internal/store"
)

// targetGroups is where the target groups of services are looked up.
type targetGroups interface {
	TargetGroup(arn string) (model.TargetGroup, bool)
	// TargetGroupLoadBalancers returns the load balancers that use a group.
	TargetGroupLoadBalancers(arn string) []string
	// Forwards returns where a listener rule sends requests. Codes: RuleNotFound.
	Forwards(rule string) ([]model.WeightedTargetGroup, error)
}

// networks is where the subnets and security groups of tasks are looked up.
type networks interface {
	// Subnet returns the VPC and the availability zone of a subnet.
	Subnet(id string) (vpcID, zone string, ok bool)
	// GroupVPC returns the VPC of a security group.
	GroupVPC(id string) (vpcID string, ok bool)
}

// Config sets where the catalogue's resources live and who hears of changes.
type Config struct {
	Place model.Place
	// OnChange is told the cluster and the name of a service whose desired
	// state has changed. It must not block.
	OnChange func(cluster, service string)
	// Networks has the subnets and the security groups; nil takes any.
	Networks networks
	// Registries has the services of Cloud Map; nil: there are none.
	Registries registries
	// TaskMayHave reports whether tasks can have the role with the name or ARN;
	// nil takes any.
	TaskMayHave func(role string) bool
	// Namespaces are those of Service Connect; nil: there is none.
	Namespaces namespaces
}

// namespaces are the namespaces of Cloud Map.
type namespaces interface {
	// Namespace returns the namespace with the name or ARN.
	Namespace(nameOrARN string) (model.Namespace, bool)
	// CreateNamespace creates a namespace for API calls, or returns the one that
	// has the name.
	CreateNamespace(ctx context.Context, name string) (model.Namespace, error)
}

// Catalogue keeps the records. Open opens it.
type Catalogue struct {
	cfg    Config
	db     *store.DB
	groups targetGroups

	clusters    *store.Table[model.Cluster]           // by name
	definitions *store.Table[model.TaskDefinition]    // by FAMILY/REVISION, eight digits
	services    *store.Table[model.Service]           // by CLUSTER/NAME
	tasks       *store.Table[model.Task]              // by CLUSTER/ID
	events      *store.Table[[]model.ServiceEvent]    // by CLUSTER/NAME, newest first
	history     *store.Table[model.ServiceDeployment] // by CLUSTER/NAME/DEPLOYMENT
	settings    *store.Table[string]                  // account settings by name

	members members
}

// Open opens the catalogue's tables in db.
func Open(db *store.DB, groups targetGroups, cfg Config) (*Catalogue, error) {
	c := &Catalogue{cfg: cfg, db: db, groups: groups, members: members{by: map[string]map[string]model.Instance{}}}
	err := firstError(
		open(db, "clusters", &c.clusters),
		open(db, "task-definitions", &c.definitions),
		open(db, "services", &c.services),
		open(db, "tasks", &c.tasks),
		open(db, "service-events", &c.events),
		open(db, "service-deployments", &c.history),
		open(db, "ecs-account-settings", &c.settings),
	)
	if err != nil {
		return nil, fmt.Errorf("open the records of ECS: %w", err)
	}
	c.enlist(c.tasks.List(""))
	return c, nil
}

func open[T any](db *store.DB, name string, into **store.Table[T]) error {
	t, err := store.NewTable[T](db, name)
	*into = t
	return err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// tables are the catalogue's tables within a transaction.
type tables struct {
	clusters    store.Records[model.Cluster]
	definitions store.Records[model.TaskDefinition]
	services    store.Records[model.Service]
	tasks       store.Records[model.Task]
	events      store.Records[[]model.ServiceEvent]
	history     store.Records[model.ServiceDeployment]
}

// update runs fn as a transaction.
func (c *Catalogue) update(ctx context.Context, fn func(t tables) error) error {
	return c.db.Update(ctx, func(tx *store.Tx) error {
		return fn(tables{
			clusters: c.clusters.In(tx), definitions: c.definitions.In(tx), services: c.services.In(tx),
			tasks: c.tasks.In(tx), events: c.events.In(tx), history: c.history.In(tx),
		})
	})
}

func (c *Catalogue) changed(svc model.Service) {
	if c.cfg.OnChange != nil {
		c.cfg.OnChange(svc.Cluster, svc.Name)
	}
}

// Zone returns the availability zone of a task; where its subnet is not known, or
// there no more, the region's first.
func (c *Catalogue) Zone(t model.Task) string {
	if c.cfg.Networks != nil {
		if _, zone, ok := c.cfg.Networks.Subnet(t.Place()); ok {
			return zone
		}
	}
	return c.cfg.Place.Region + "a"
}
