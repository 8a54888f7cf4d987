package autoscaler

import (
	"context"
	"slices"
	"strings"

	"neargate/internal/model"
)

// ChangeTags replaces the tags of a scalable target by what change makes of
// them; a new timing takes effect at once. ResourceNotFoundException,
// TooManyTagsException, ValidationException.
func (a *Autoscaler) ChangeTags(ctx context.Context, arn string, change func([]model.Tag) []model.Tag) error {
	a.admin.Lock()
	defer a.admin.Unlock()
	before, err := a.byARN(arn)
	if err != nil {
		return err
	}
	after, err := a.targets.Update(ctx, before.ResourceID, func(cur model.ScalableTarget, _ bool) (model.ScalableTarget, error) {
		cur.Tags = change(slices.Clone(cur.Tags))
		slices.SortFunc(cur.Tags, func(x, y model.Tag) int { return strings.Compare(x.Key, y.Key) })
		return cur, checkTags(cur.Tags)
	})
	if err != nil || a.timing(before) == a.timing(after) {
		return err
	}
	for _, p := range a.policies.List(policyKey(after.ResourceID, "")) {
		if err := a.putAlarms(ctx, after, p); err != nil {
			return err
		}
	}
	return nil
}

// Tags returns the tags of a scalable target. ResourceNotFoundException.
func (a *Autoscaler) Tags(arn string) ([]model.Tag, error) {
	t, err := a.byARN(arn)
	return t.Tags, err
}

func (a *Autoscaler) byARN(arn string) (model.ScalableTarget, error) {
	for _, t := range a.targets.List("") {
		if t.ARN == arn {
			return t, nil
		}
	}
	return model.ScalableTarget{}, model.Errorf(model.NotFound, "ResourceNotFoundException", "Resource not found: %s", arn)
}
