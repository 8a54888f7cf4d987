package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"neargate/internal/decide/lifecycle"
	"neargate/internal/model"
)

// CheckLifecycle refuses a lifecycle policy's document as ECR does. Code:
// InvalidParameterException.
func CheckLifecycle(document string) error {
	var p lifecycle.Policy
	fault := "the text is not a JSON document of a policy"
	if json.Unmarshal([]byte(document), &p) == nil {
		fault = p.Fault()
	}
	if fault != "" {
		return model.Errorf(model.Invalid, "InvalidParameterException",
			"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: %s'", fault)
	}
	return nil
}

// Expiring returns the images of a repository that a policy would expire now,
// those aside that an index refers to. Code: RepositoryNotFoundException.
func (r *Registry) Expiring(repo, document string) ([]lifecycle.Expired, error) {
	images, err := r.Images(repo)
	if err != nil {
		return nil, err
	}
	var p lifecycle.Policy
	if err := json.Unmarshal([]byte(document), &p); err != nil {
		return nil, fmt.Errorf("read the lifecycle policy of %s: %w", repo, err)
	}
	var known []lifecycle.Image
	for _, i := range images {
		if _, child := r.childOf(repo, i.Digest); !child {
			known = append(known, lifecycle.Image{Digest: i.Digest, Tags: i.Tags, PushedAt: i.PushedAt})
		}
	}
	return p.Expire(known, r.now()), nil
}

// Expire removes the images that policies expire. Tasks that run them keep
// running.
func (r *Registry) Expire(ctx context.Context) error {
	var failed error
	for _, repo := range r.repos.List("") {
		if repo.Lifecycle == "" {
			continue
		}
		gone, err := r.Expiring(repo.Name, repo.Lifecycle)
		failed = errors.Join(failed, err)
		for _, e := range gone {
			if _, err := r.DeleteImage(ctx, repo.Name, e.Digest); err != nil {
				failed = errors.Join(failed, err)
				continue
			}
			r.log.Info("image expired", "repository", repo.Name, "digest", e.Digest, "rule", e.Priority)
		}
	}
	return failed
}

// PutLifecycle gives a repository a lifecycle policy, which is obeyed at once and
// then every hour; "" takes it away. Codes: RepositoryNotFoundException,
// InvalidParameterException.
func (r *Registry) PutLifecycle(ctx context.Context, repo, document string) (was model.Repository, err error) {
	if document != "" {
		if err := CheckLifecycle(document); err != nil {
			return was, err
		}
	}
	_, err = r.UpdateRepository(ctx, repo, func(m *model.Repository) error {
		was = *m
		m.Lifecycle, m.LifecycleAt = document, r.now()
		return nil
	})
	r.askCollect()
	return was, err
}
