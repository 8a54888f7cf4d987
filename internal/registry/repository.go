package registry

import (
	"context"
	"fmt"
	"strings"

	"neargate/internal/model"
)

// repositoryName is the rule of ECR's API, CreateRepository "repositoryName", as
// its errors show it; it lies within what the OCI distribution specification
// allows.
const repositoryName = `(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`

// validRepository checks a name by that rule. It is written out because a
// regular expression would be compiled in every process that only contains
// this package, also in a container that starts under a quarter of a CPU.
func validRepository(name string) bool {
	between := true // at the beginning, or just after a separator
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
			between = false
		case strings.IndexByte("._-/", c) < 0 || between:
			return false
		default:
			between = true
		}
	}
	return !between
}

// CreateRepository creates a repository from the name, mutability, scanning and
// tags of spec. Codes: InvalidParameterException, RepositoryAlreadyExistsException.
func (r *Registry) CreateRepository(ctx context.Context, spec model.Repository) (model.Repository, error) {
	if len(spec.Name) < 2 || len(spec.Name) > 256 || !validRepository(spec.Name) {
		return model.Repository{}, model.Errorf(model.Invalid, "InvalidParameterException",
			"Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '%s''", repositoryName)
	}
	if spec.TagMutability == "" {
		spec.TagMutability = "MUTABLE"
	}
	spec.ARN, spec.URI, spec.CreatedAt = r.cfg.Place.RepositoryARN(spec.Name), "", r.now()
	repo, err := r.repos.Update(ctx, spec.Name, func(_ model.Repository, exists bool) (model.Repository, error) {
		if exists {
			return spec, model.Errorf(model.Conflict, "RepositoryAlreadyExistsException",
				"The repository with name '%s' already exists in the registry with id '%s'", spec.Name, r.cfg.Place.Account)
		}
		return spec, nil
	})
	return r.withURI(repo), err
}

// Repository returns a repository. Code: RepositoryNotFoundException.
func (r *Registry) Repository(name string) (model.Repository, error) {
	repo, ok := r.repos.Get(name)
	if !ok {
		return model.Repository{}, r.noRepository(name)
	}
	return r.withURI(repo), nil
}

// Repositories returns all repositories by name.
func (r *Registry) Repositories() []model.Repository {
	repos := r.repos.List("")
	for i := range repos {
		repos[i] = r.withURI(repos[i])
	}
	return repos
}

// UpdateRepository changes settings or tags of a repository. Code:
// RepositoryNotFoundException, and what change returns.
func (r *Registry) UpdateRepository(ctx context.Context, name string, change func(*model.Repository) error) (model.Repository, error) {
	repo, err := r.repos.Update(ctx, name, func(cur model.Repository, exists bool) (model.Repository, error) {
		if !exists {
			return cur, r.noRepository(name)
		}
		return cur, change(&cur)
	})
	return r.withURI(repo), err
}

// DeleteRepository removes a repository, with its images if force is set.
// Codes: RepositoryNotFoundException, RepositoryNotEmptyException.
func (r *Registry) DeleteRepository(ctx context.Context, name string, force bool) (model.Repository, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	repo, err := r.Repository(name)
	if err != nil {
		return model.Repository{}, err
	}
	images := r.images.List(name + "@")
	if len(images) > 0 && !force {
		return model.Repository{}, model.Errorf(model.Conflict, "RepositoryNotEmptyException",
			"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", name, r.cfg.Place.Account)
	}
	// The repository goes last: what a crash leaves can be deleted again.
	for _, t := range r.tags.List(name + ":") {
		if _, err := r.tags.Delete(ctx, name+":"+t.Name); err != nil {
			return model.Repository{}, fmt.Errorf("delete repository %s: %w", name, err)
		}
	}
	for _, img := range images {
		if _, err := r.images.Delete(ctx, name+"@"+img.Digest); err != nil {
			return model.Repository{}, fmt.Errorf("delete repository %s: %w", name, err)
		}
	}
	for _, l := range r.links.List(name + "@") {
		if _, err := r.links.Delete(ctx, name+"@"+l.Digest); err != nil {
			return model.Repository{}, fmt.Errorf("delete repository %s: %w", name, err)
		}
	}
	if _, err := r.repos.Delete(ctx, name); err != nil {
		return model.Repository{}, fmt.Errorf("delete repository %s: %w", name, err)
	}
	r.askCollect()
	return repo, nil
}

// withURI fills in what depends on where the server listens today.
func (r *Registry) withURI(repo model.Repository) model.Repository {
	repo.URI = r.cfg.Endpoint + "/" + repo.Name
	return repo
}

func (r *Registry) noRepository(name string) error {
	return model.Errorf(model.NotFound, "RepositoryNotFoundException",
		"The repository with name '%s' does not exist in the registry with id '%s'", name, r.cfg.Place.Account)
}
