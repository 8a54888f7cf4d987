package secrets

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
)

// Parameters are the parameters of an account and region.
type Parameters struct {
	cfg   Config
	now   func() time.Time // replaced in tests only
	db    *store.DB
	table *store.Table[Parameter] // by name
}

// OpenParameters opens the parameters in a state.
func OpenParameters(db *store.DB, cfg Config) (*Parameters, error) {
	table, err := store.NewTable[Parameter](db, "parameters")
	if err != nil {
		return nil, fmt.Errorf("open the parameters: %w", err)
	}
	return &Parameters{cfg: cfg, now: time.Now, db: db, table: table}, nil
}

// Parameter is one parameter with its history.
type Parameter struct {
	Name, ARN string
	Tags      []model.Tag
	Versions  []ParameterVersion // the oldest first; at least one
}

// ParameterVersion is a parameter as one PutParameter left it.
type ParameterVersion struct {
	Number         int64
	Type           string // String, StringList or SecureString
	Tier           string // Standard or Advanced
	DataType       string
	KeyID          string // of a SecureString, as the caller named it
	Description    string
	AllowedPattern string
	Labels         []string
	Sealed         []byte // its value, encrypted
	ModifiedAt     time.Time
	ModifiedBy     string // an ARN
}

// Secure is the type of parameters whose value is shown only on demand.
const Secure = "SecureString"

// Newest returns the version that a parameter has now.
func (p Parameter) Newest() ParameterVersion { return p.Versions[len(p.Versions)-1] }

func (p Parameter) place(version int64) string { return p.ARN + "/" + strconv.FormatInt(version, 10) }

// Named is a version of a parameter as a caller named it.
type Named struct {
	Parameter Parameter
	Version   ParameterVersion
	Selector  string // ":3" or ":LABEL"; "": the newest
}

// Get returns the parameter that a reference names: a name or an ARN, perhaps
// followed by ":VERSION" or ":LABEL". ParameterNotFound,
// ParameterVersionNotFound.
func (p *Parameters) Get(reference string) (Named, error) {
	name, selector := p.split(reference)
	parameter, ok := p.table.Get(name)
	if !ok {
		return Named{}, errNoParameter()
	}
	if selector == "" {
		return Named{parameter, parameter.Newest(), ""}, nil
	}
	for _, v := range parameter.Versions {
		if strconv.FormatInt(v.Number, 10) == selector || slices.Contains(v.Labels, selector) {
			return Named{parameter, v, ":" + selector}, nil
		}
	}
	if _, err := strconv.ParseInt(selector, 10, 64); err != nil {
		return Named{}, model.Errorf(model.NotFound, "ParameterVersionNotFound", "Systems Manager could not find label %s of %s. Verify the label and try again.", selector, name)
	}
	return Named{}, errNoParameterVersion(selector, name)
}

// split returns the name and the selector of a reference; "" as the name when
// it is an ARN of something else.
func (p *Parameters) split(reference string) (name, selector string) {
	if a, ok := model.ParseARN(reference); ok {
		tail, isParameter := strings.CutPrefix(a.Resource, "parameter/")
		if !isParameter || a.Service != "ssm" || a.Account != p.cfg.Place.Account || a.Region != p.cfg.Place.Region {
			return "", ""
		}
		name, selector, _ = strings.Cut(tail, ":")
		if _, ok := p.table.Get("/" + name); ok || strings.Contains(name, "/") {
			name = "/" + name
		}
		return name, selector
	}
	name, selector, _ = strings.Cut(reference, ":")
	return name, selector
}

// Value returns the value of a version. InternalServerError.
func (p *Parameters) Value(n Named) (string, error) {
	value, ok := p.cfg.Key.Open(n.Version.Sealed, n.Parameter.place(n.Version.Number))
	if !ok {
		return "", model.Errorf(model.Internal, "InternalServerError", "An error occurred on the server side.")
	}
	return string(value), nil
}

// List returns the parameters whose name begins with prefix, by name.
func (p *Parameters) List(prefix string) []Parameter { return p.table.List(prefix) }

// change is a transaction that changes a parameter. ParameterNotFound.
func (p *Parameters) change(ctx context.Context, name string, change func(*Parameter) error) (Parameter, error) {
	return p.table.Update(ctx, name, func(cur Parameter, exists bool) (Parameter, error) {
		if !exists {
			return cur, errNoParameter()
		}
		cur.Versions = slices.Clone(cur.Versions)
		for i := range cur.Versions {
			cur.Versions[i].Labels = slices.Clone(cur.Versions[i].Labels)
		}
		err := change(&cur)
		return cur, err
	})
}

// Delete deletes the parameters that have one of names and returns theirs.
func (p *Parameters) Delete(ctx context.Context, names ...string) (deleted []string, err error) {
	err = p.db.Update(ctx, func(tx *store.Tx) error {
		deleted = nil
		for _, name := range names {
			if p.table.In(tx).Delete(name) {
				deleted = append(deleted, name)
			}
		}
		return nil
	})
	return deleted, err
}

// Tag adds tags to a parameter. InvalidResourceId.
func (p *Parameters) Tag(ctx context.Context, name string, tags []model.Tag) error {
	return p.retag(ctx, name, func(old []model.Tag) []model.Tag { return model.MergeTags(old, tags) })
}

// Untag takes tags away. InvalidResourceId.
func (p *Parameters) Untag(ctx context.Context, name string, keys []string) error {
	return p.retag(ctx, name, func(old []model.Tag) []model.Tag { return model.RemoveTags(old, keys) })
}

func (p *Parameters) retag(ctx context.Context, name string, change func([]model.Tag) []model.Tag) error {
	_, err := p.change(ctx, name, func(parameter *Parameter) error {
		parameter.Tags = change(parameter.Tags)
		return nil
	})
	if model.KindOf(err) == model.NotFound {
		return errNoResource()
	}
	return err
}

// Tags returns the tags of a parameter. InvalidResourceId.
func (p *Parameters) Tags(name string) ([]model.Tag, error) {
	parameter, ok := p.table.Get(name)
	if !ok {
		return nil, errNoResource()
	}
	return slices.SortedFunc(slices.Values(parameter.Tags), func(a, b model.Tag) int { return cmp.Compare(a.Key, b.Key) }), nil
}

func errNoResource() error {
	return model.Errorf(model.NotFound, "InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again.")
}

// errNoParameter has no sentence, as AWS's has none.
func errNoParameter() error { return model.Errorf(model.NotFound, "ParameterNotFound", "") }

func errNoParameterVersion(version, name string) error {
	return model.Errorf(model.NotFound, "ParameterVersionNotFound",
		"Systems Manager could not find version %s of %s. Verify the version and try again.", version, name)
}
