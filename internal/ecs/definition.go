package ecs

import (
	"context"
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

// TaskDefinition returns the definition that ref names: FAMILY (its latest
// ACTIVE revision), FAMILY:REVISION or an ARN.
func (c *Catalogue) TaskDefinition(ref string) (model.TaskDefinition, bool) {
	return findDefinition(c.definitions, ref)
}

func findDefinition(definitions reader[model.TaskDefinition], ref string) (model.TaskDefinition, bool) {
	family, revision, exact := strings.Cut(model.ARNTail(ref, 1), ":")
	if exact {
		n, err := strconv.Atoi(revision)
		if err != nil {
			return model.TaskDefinition{}, false
		}
		return definitions.Get(definitionKey(family, n))
	}
	for _, def := range slices.Backward(definitions.List(family + "/")) {
		if def.Status == model.Active {
			return def, true
		}
	}
	return model.TaskDefinition{}, false
}

// TaskDefinitions returns all definitions by family and revision.
func (c *Catalogue) TaskDefinitions() []model.TaskDefinition { return c.definitions.List("") }

// Runnable returns the definition for new tasks. ClientException when there is
// none or it is not ACTIVE, InvalidParameterException when it is not for
// Fargate.
func (c *Catalogue) Runnable(ref string) (model.TaskDefinition, error) {
	return runnable(c.definitions, ref)
}

func runnable(definitions reader[model.TaskDefinition], ref string) (model.TaskDefinition, error) {
	def, ok := findDefinition(definitions, ref)
	switch {
	case !ok:
		return def, errDefinitionNotFound()
	case def.Status != model.Active:
		return def, errDefinitionInactive()
	case def.CPUUnits == 0:
		return def, invalid("Task definition does not support launch_type FARGATE.")
	}
	return def, nil
}

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
			return cur, errRevisionNotFound()
		}
		err := change(&cur)
		return cur, err
	})
}
