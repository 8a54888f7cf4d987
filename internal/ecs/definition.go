package ecs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"neargate/internal/model"
)

func definitionKey(family string, revision int) string {
	return fmt.Sprintf("%s/%08d", family, revision)
}

var errTaken = errors.New("revision is taken")

// RegisterTaskDefinition keeps d as the next revision of its family.
func (c *Catalogue) RegisterTaskDefinition(ctx context.Context, d model.TaskDefinition) (model.TaskDefinition, error) {
	d.Status, d.RegisteredAt = model.Active, time.Now()
	for {
		d.Revision = 1
		if all := c.definitions.List(d.Family + "/"); len(all) > 0 {
			d.Revision = all[len(all)-1].Revision + 1
		}
		d.ARN = c.cfg.Place.TaskDefinitionARN(d.Family, d.Revision)
		made, err := c.definitions.Update(ctx, definitionKey(d.Family, d.Revision), func(_ model.TaskDefinition, exists bool) (model.TaskDefinition, error) {
			if exists {
				return d, errTaken
			}
			return d, nil
		})
		if !errors.Is(err, errTaken) {
			return made, err
		}
	}
}

// TaskDefinition returns the definition that ref names: FAMILY (its latest ACTIVE
// revision), FAMILY:REVISION or an ARN.
func (c *Catalogue) TaskDefinition(ref string) (model.TaskDefinition, bool) {
	family, revision, given := strings.Cut(model.ARNTail(ref, 1), ":")
	if given {
		n, err := strconv.Atoi(revision)
		if err != nil {
			return model.TaskDefinition{}, false
		}
		return c.definitions.Get(definitionKey(family, n))
	}
	all := c.definitions.List(family + "/")
	for _, def := range slices.Backward(all) {
		if def.Status == model.Active {
			return def, true
		}
	}
	return model.TaskDefinition{}, false
}

// TaskDefinitions returns all definitions by family and revision.
func (c *Catalogue) TaskDefinitions() []model.TaskDefinition { return c.definitions.List("") }

// DeregisterTaskDefinition makes a revision INACTIVE; what runs of it goes on.
// InvalidParameterException, ClientException.
func (c *Catalogue) DeregisterTaskDefinition(ctx context.Context, ref string) (model.TaskDefinition, error) {
	return c.changeDefinition(ctx, ref, func(d *model.TaskDefinition) error {
		if d.Status == model.Active {
			d.Status, d.DeregisteredAt = model.Inactive, time.Now()
		}
		return nil
	})
}

// DeleteTaskDefinition makes an INACTIVE revision DELETE_IN_PROGRESS.
// InvalidParameterException, ClientException.
func (c *Catalogue) DeleteTaskDefinition(ctx context.Context, ref string) (model.TaskDefinition, error) {
	return c.changeDefinition(ctx, ref, func(d *model.TaskDefinition) error {
		if d.Status == model.Active {
			return invalid("The specified task definition is still in ACTIVE status. Please deregister the target and try again.")
		}
		d.Status = model.DeleteInProgress
		return nil
	})
}

// changeDefinition changes the one revision that ref names.
func (c *Catalogue) changeDefinition(ctx context.Context, ref string, change func(*model.TaskDefinition) error) (model.TaskDefinition, error) {
	family, revision, ok := strings.Cut(model.ARNTail(ref, 1), ":")
	n, err := strconv.Atoi(revision)
	if !ok || err != nil {
		return model.TaskDefinition{}, invalid("Invalid revision number. Number: %s", revision)
	}
	return c.definitions.Update(ctx, definitionKey(family, n), func(cur model.TaskDefinition, exists bool) (model.TaskDefinition, error) {
		if !exists {
			return cur, model.Errorf(model.NotFound, "ClientException", "The specified task definition does not exist. Specify a valid account, family, revision and try again.")
		}
		err := change(&cur)
		return cur, err
	})
}

// Runnable returns the definition for new tasks. ClientException when there is
// none or it is not ACTIVE.
func (c *Catalogue) Runnable(ref string) (model.TaskDefinition, error) {
	d, ok := c.TaskDefinition(ref)
	if !ok {
		return d, model.Errorf(model.NotFound, "ClientException", "TaskDefinition not found.")
	}
	if d.Status != model.Active {
		return d, model.Errorf(model.Conflict, "ClientException", "TaskDefinition is model.Inactive")
	}
	return d, nil
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterException", format, args...)
}
