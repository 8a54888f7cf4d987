package scheduler

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
func (s *Scheduler) RegisterTaskDefinition(ctx context.Context, d model.TaskDefinition) (model.TaskDefinition, error) {
	d.Status, d.RegisteredAt = active, time.Now()
	for {
		d.Revision = 1
		if all := s.definitions.List(d.Family + "/"); len(all) > 0 {
			d.Revision = all[len(all)-1].Revision + 1
		}
		d.ARN = s.cfg.Place.TaskDefinitionARN(d.Family, d.Revision)
		made, err := s.definitions.Update(ctx, definitionKey(d.Family, d.Revision), func(_ model.TaskDefinition, exists bool) (model.TaskDefinition, error) {
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

// TaskDefinition gives the definition that ref names: FAMILY (its latest ACTIVE
// revision), FAMILY:REVISION or an ARN.
func (s *Scheduler) TaskDefinition(ref string) (model.TaskDefinition, bool) {
	family, revision, given := strings.Cut(model.ARNTail(ref, 1), ":")
	if given {
		n, err := strconv.Atoi(revision)
		if err != nil {
			return model.TaskDefinition{}, false
		}
		return s.definitions.Get(definitionKey(family, n))
	}
	all := s.definitions.List(family + "/")
	for _, def := range slices.Backward(all) {
		if def.Status == active {
			return def, true
		}
	}
	return model.TaskDefinition{}, false
}

// TaskDefinitions gives all definitions by family and revision.
func (s *Scheduler) TaskDefinitions() []model.TaskDefinition { return s.definitions.List("") }

// DeregisterTaskDefinition makes a revision INACTIVE; what runs of it goes on.
// InvalidParameterException, ClientException.
func (s *Scheduler) DeregisterTaskDefinition(ctx context.Context, ref string) (model.TaskDefinition, error) {
	return s.changeDefinition(ctx, ref, func(d *model.TaskDefinition) error {
		if d.Status == active {
			d.Status, d.DeregisteredAt = inactive, time.Now()
		}
		return nil
	})
}

// DeleteTaskDefinition makes an INACTIVE revision DELETE_IN_PROGRESS.
// InvalidParameterException, ClientException.
func (s *Scheduler) DeleteTaskDefinition(ctx context.Context, ref string) (model.TaskDefinition, error) {
	return s.changeDefinition(ctx, ref, func(d *model.TaskDefinition) error {
		if d.Status == active {
			return invalid("The specified task definition is still in ACTIVE status. Please deregister the target and try again.")
		}
		d.Status = deleteInProgress
		return nil
	})
}

// changeDefinition changes the one revision that ref names.
func (s *Scheduler) changeDefinition(ctx context.Context, ref string, change func(*model.TaskDefinition) error) (model.TaskDefinition, error) {
	family, revision, ok := strings.Cut(model.ARNTail(ref, 1), ":")
	n, err := strconv.Atoi(revision)
	if !ok || err != nil {
		return model.TaskDefinition{}, invalid("Invalid revision number. Number: %s", revision)
	}
	return s.definitions.Update(ctx, definitionKey(family, n), func(cur model.TaskDefinition, exists bool) (model.TaskDefinition, error) {
		if !exists {
			return cur, model.Errorf(model.NotFound, "ClientException", "The specified task definition does not exist. Specify a valid account, family, revision and try again.")
		}
		err := change(&cur)
		return cur, err
	})
}

// runnable gives the definition for new tasks. ClientException when there is
// none or it is not ACTIVE.
func (s *Scheduler) runnable(ref string) (model.TaskDefinition, error) {
	d, ok := s.TaskDefinition(ref)
	if !ok {
		return d, model.Errorf(model.NotFound, "ClientException", "TaskDefinition not found.")
	}
	if d.Status != active {
		return d, model.Errorf(model.Conflict, "ClientException", "TaskDefinition is inactive")
	}
	return d, nil
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterException", format, args...)
}
