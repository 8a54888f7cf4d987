package discovery

import (
	"cmp"
	"slices"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

// Operation is what AWS does for a while after a call that changes something.
// Here it is done when it is recorded.
type Operation struct {
	ID      string
	Type    string // CREATE_NAMESPACE, …
	Targets map[string]string
	At      time.Time
}

// The kinds of targets of an operation.
const (
	TargetNamespace = "NAMESPACE"
	TargetService   = "SERVICE"
	TargetInstance  = "INSTANCE"
)

// maxOperations is how many are kept. AWS keeps those of 30 days.
const maxOperations = 1000

// record adds an operation, and drops the oldest when there are too many.
func (t tables) record(kind string, targets map[string]string) string {
	op := Operation{ID: random.Hex(32) + "-" + random.Hex(8), Type: kind, Targets: targets, At: time.Now()}
	if all := t.operations.List(""); len(all) >= maxOperations {
		t.operations.Delete(slices.MinFunc(all, func(a, b Operation) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) }).ID)
	}
	t.operations.Put(op.ID, op)
	return op.ID
}

// Operation returns an operation. OperationNotFound.
func (d *Directory) Operation(id string) (Operation, error) {
	op, ok := d.operations.Get(id)
	if !ok {
		return op, model.Errorf(model.NotFound, "OperationNotFound", "Operation %s not found", id)
	}
	return op, nil
}

// Operations returns all operations that are kept, by ID.
func (d *Directory) Operations() []Operation { return d.operations.List("") }
