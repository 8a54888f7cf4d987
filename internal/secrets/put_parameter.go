package secrets

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"neargate/internal/model"
)

// NewParameter is what PutParameter takes.
type NewParameter struct {
	Name      string
	Overwrite bool
	Tags      []model.Tag
	// Version is the version to be, without its number; an empty member keeps
	// what the version before it has.
	Version ParameterVersion
	Value   string
}

// maxHistory is how many versions of a parameter are kept.
const maxHistory = 100

// Put keeps a new parameter, or a new version of one that is there, and returns
// the version. ValidationException, ParameterAlreadyExists,
// ParameterPatternMismatchException, HierarchyTypeMismatchException,
// ParameterMaxVersionLimitExceeded.
func (p *Parameters) Put(ctx context.Context, req NewParameter) (ParameterVersion, error) {
	now := p.now()
	parameter, err := p.table.Update(ctx, req.Name, func(cur Parameter, exists bool) (Parameter, error) {
		if exists && !req.Overwrite {
			return cur, model.Errorf(model.Conflict, "ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
		}
		if !exists {
			cur = Parameter{Name: req.Name, ARN: p.cfg.Place.ParameterARN(req.Name), Tags: req.Tags}
		}
		next, err := cur.next(req)
		if err != nil {
			return cur, err
		}
		next.ModifiedAt = now
		next.Sealed = p.cfg.Key.Seal([]byte(req.Value), cur.place(next.Number))
		if err := cur.makeRoom(); err != nil {
			return cur, err
		}
		cur.Versions = append(slices.Clip(cur.Versions), next)
		return cur, nil
	})
	if err != nil {
		return ParameterVersion{}, err
	}
	return parameter.Newest(), nil
}

// next returns the version that a request makes of a parameter.
func (p Parameter) next(req NewParameter) (ParameterVersion, error) {
	next, old := req.Version, ParameterVersion{}
	if len(p.Versions) > 0 {
		old = p.Newest()
	}
	next.Number = old.Number + 1
	next.Type = cmp.Or(next.Type, old.Type)
	next.DataType = cmp.Or(next.DataType, old.DataType, "text")
	next.Description = cmp.Or(next.Description, old.Description)
	next.AllowedPattern = cmp.Or(next.AllowedPattern, old.AllowedPattern)
	switch {
	case next.Type == "":
		return next, errValidation("A parameter type is required when you create a parameter.")
	case old.Type != "" && (old.Type == Secure) != (next.Type == Secure):
		return next, model.Errorf(model.Invalid, "HierarchyTypeMismatchException",
			"Parameter Store does not support changing a parameter type in a hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.")
	}
	if next.Type == Secure {
		next.KeyID = cmp.Or(next.KeyID, old.KeyID, "alias/aws/ssm")
	} else {
		next.KeyID = ""
	}
	var err error
	if next.Tier, err = tier(cmp.Or(next.Tier, old.Tier, standard), old.Tier, len(req.Value)); err != nil {
		return next, err
	}
	return next, checkPattern(next.AllowedPattern, req.Value)
}

// The tiers of parameters.
const (
	standard    = "Standard"
	advanced    = "Advanced"
	intelligent = "Intelligent-Tiering"
)

// The largest values, in characters.
const (
	maxStandard = 4096
	maxAdvanced = 8192
)

// tier returns the tier of a value. Advanced parameters stay so.
func tier(wanted, old string, length int) (string, error) {
	if wanted == intelligent {
		wanted = standard
		if length > maxStandard {
			wanted = advanced
		}
	}
	if old == advanced {
		wanted = advanced
	}
	switch {
	case wanted == standard && length > maxStandard:
		return "", errValidation("Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html")
	case length > maxAdvanced:
		return "", errValidation("Advanced tier parameters support a maximum parameter value of 8192 characters.")
	}
	return wanted, nil
}

func checkPattern(pattern, value string) error {
	if pattern == "" {
		return nil
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return model.Errorf(model.Invalid, "InvalidAllowedPatternException", "The request does not meet the regular expression requirement.")
	}
	if !re.MatchString(value) {
		return model.Errorf(model.Invalid, "ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", pattern)
	}
	return nil
}

// makeRoom drops the oldest version when there are as many as are kept; one
// with a label stays. [API_PutParameter].
func (p *Parameter) makeRoom() error {
	if len(p.Versions) < maxHistory {
		return nil
	}
	if oldest := p.Versions[0]; len(oldest.Labels) > 0 {
		return model.Errorf(model.Conflict, "ParameterMaxVersionLimitExceeded",
			"You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.",
			p.Name, oldest.Number)
	}
	p.Versions = p.Versions[1:]
	return nil
}

// CheckName refuses names that parameters cannot have. ValidationException,
// AccessDeniedException, HierarchyLevelLimitExceededException.
func CheckName(name string) error {
	valid := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("./-_", r)
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(name, "/"), "/")
	reserved := func(prefix string) bool { return strings.HasPrefix(strings.ToLower(first), prefix) }
	switch {
	case strings.HasPrefix(name, "/") && reserved("aws"):
		return model.Errorf(model.Denied, "AccessDeniedException", "No access to reserved parameter name: %s.", name)
	case reserved("aws") || reserved("ssm") || strings.TrimFunc(name, valid) != "" || strings.Contains(name, "//") || strings.HasSuffix(name, "/"):
		return errValidation(`Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive). If formed as a path, it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_`)
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return errValidation("Parameter name must be a fully qualified name.")
	case strings.Count(name, "/") > 15:
		return model.Errorf(model.Invalid, "HierarchyLevelLimitExceededException", "A parameter hierarchy can have a maximum of 15 levels. To store a parameter that includes more than 15 levels, use fewer levels.")
	}
	return nil
}

func errValidation(sentence string) error {
	return model.Errorf(model.Invalid, "ValidationException", "%s", sentence)
}
