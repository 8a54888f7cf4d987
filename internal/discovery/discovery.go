// Package discovery keeps the records of AWS Cloud Map and the rules by which
// they change: namespaces, services, instances, operations and tags; and it says
// what a name in a namespace means.
//
// Instances are of two kinds. Those that a client registered are kept here. The
// tasks of ECS services are not: they are asked for with every answer, so that
// what is answered is what runs, also after a crash.
//
// Operations that take AWS a while are done when the call returns; their records
// say so. Each call is one transaction: what it refuses has changed nothing.
//
// A Directory is safe for concurrent use.
package discovery

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"neargate/internal/model"
	"neargate/internal/store"
)

// members is where tasks are that belong to services of Cloud Map.
type members interface {
	// Members returns the instances of a service that are tasks.
	Members(registryARN string) []model.Instance
}

// Config sets where the directory's resources live.
type Config struct {
	Place model.Place
	// Members has the tasks; nil: there are none.
	Members members
	// HasVPC reports whether there is a VPC with the ID; nil takes any.
	HasVPC func(id string) bool
}

// Directory keeps the records. Open opens it.
type Directory struct {
	cfg Config
	db  *store.DB

	namespaces *store.Table[model.DiscoveryNamespace] // by ID
	services   *store.Table[model.DiscoveryService]   // by ID
	instances  *store.Table[model.Instance]           // by SERVICE/INSTANCE
	operations *store.Table[Operation]                // by ID

	index atomic.Pointer[index] // of namespaces and services
}

// Open opens the directory's tables in db.
func Open(db *store.DB, cfg Config) (*Directory, error) {
	d := &Directory{cfg: cfg, db: db}
	err := open(db, "discovery_namespaces", &d.namespaces)
	if err == nil {
		err = open(db, "discovery_services", &d.services)
	}
	if err == nil {
		err = open(db, "discovery_instances", &d.instances)
	}
	if err == nil {
		err = open(db, "discovery_operations", &d.operations)
	}
	if err != nil {
		return nil, fmt.Errorf("open the records of Cloud Map: %w", err)
	}
	d.reindex()
	return d, nil
}

func open[T any](db *store.DB, name string, into **store.Table[T]) error {
	t, err := store.NewTable[T](db, name)
	*into = t
	return err
}

// tables are the directory's tables within a transaction.
type tables struct {
	namespaces store.Records[model.DiscoveryNamespace]
	services   store.Records[model.DiscoveryService]
	instances  store.Records[model.Instance]
	operations store.Records[Operation]
}

// update runs fn as a transaction, after which names mean what it says.
func (d *Directory) update(ctx context.Context, fn func(t tables) error) error {
	err := d.db.Update(ctx, func(tx *store.Tx) error {
		return fn(tables{
			namespaces: d.namespaces.In(tx), services: d.services.In(tx),
			instances: d.instances.In(tx), operations: d.operations.In(tx),
		})
	})
	if err == nil {
		d.reindex()
	}
	return err
}

// id returns the ID in an ID or ARN.
func id(idOrARN string) string { return idOrARN[strings.LastIndexByte(idOrARN, '/')+1:] }

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidInput", format, args...)
}

func errNoNamespace(what string) error {
	return model.Errorf(model.NotFound, "NamespaceNotFound", "Namespace %s not found", what)
}

func errNoService(what string) error {
	return model.Errorf(model.NotFound, "ServiceNotFound", "Service %s not found", what)
}

func errNoInstance(what string) error {
	return model.Errorf(model.NotFound, "InstanceNotFound", "Instance %s not found", what)
}
