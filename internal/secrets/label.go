package secrets

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"neargate/internal/model"
)

// maxLabels is how many labels a version of a parameter may have.
const maxLabels = 10

// Label puts labels on a version of a parameter, 0 is the newest; a label that
// another version has moves. It returns the version and the labels that no
// version can have. ParameterNotFound, ParameterVersionNotFound,
// ParameterVersionLabelLimitExceeded.
func (p *Parameters) Label(ctx context.Context, name string, version int64, labels []string) (int64, []string, error) {
	var invalid []string
	_, err := p.change(ctx, name, func(parameter *Parameter) error {
		i, err := parameter.at(version)
		if err != nil {
			return err
		}
		version, invalid = parameter.Versions[i].Number, nil
		for _, label := range labels {
			if !validLabel(label) {
				invalid = append(invalid, label)
				continue
			}
			parameter.unlabel(label)
			parameter.Versions[i].Labels = append(parameter.Versions[i].Labels, label)
		}
		if len(parameter.Versions[i].Labels) > maxLabels {
			return model.Errorf(model.Throttled, "ParameterVersionLabelLimitExceeded",
				"A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.")
		}
		return nil
	})
	return version, invalid, err
}

// Unlabel takes labels off a version, and returns those that it had and those
// that it had not. ParameterNotFound, ParameterVersionNotFound.
func (p *Parameters) Unlabel(ctx context.Context, name string, version int64, labels []string) (removed, invalid []string, err error) {
	_, err = p.change(ctx, name, func(parameter *Parameter) error {
		removed, invalid = nil, nil
		i, err := parameter.at(version)
		if err != nil {
			return err
		}
		for _, label := range labels {
			if !slices.Contains(parameter.Versions[i].Labels, label) {
				invalid = append(invalid, label)
				continue
			}
			parameter.unlabel(label)
			removed = append(removed, label)
		}
		return nil
	})
	return removed, invalid, err
}

// at returns where a version stands; 0 is the newest.
func (p Parameter) at(version int64) (int, error) {
	if version == 0 {
		return len(p.Versions) - 1, nil
	}
	i := slices.IndexFunc(p.Versions, func(v ParameterVersion) bool { return v.Number == version })
	if i < 0 {
		return 0, errNoParameterVersion(strconv.FormatInt(version, 10), p.Name)
	}
	return i, nil
}

func (p *Parameter) unlabel(label string) {
	for i := range p.Versions {
		p.Versions[i].Labels = slices.DeleteFunc(p.Versions[i].Labels, func(l string) bool { return l == label })
	}
}

// validLabel: letters, digits and ".-_", no digit first, not "aws" or "ssm".
// [API_LabelParameterVersion].
func validLabel(label string) bool {
	valid := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(".-_", r)
	}
	lower := strings.ToLower(label)
	return label != "" && len(label) <= 100 && strings.TrimFunc(label, valid) == "" && (label[0] < '0' || label[0] > '9') &&
		!strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm")
}
