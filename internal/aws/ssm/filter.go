package ssm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"neargate/internal/model"
	"neargate/internal/secrets"
)

// matches reports whether a parameter has what every filter looks for.
// InvalidFilterKey, InvalidFilterOption. [API_ParameterStringFilter].
func matches(p secrets.Parameter, filters []types.ParameterStringFilter) (bool, error) {
	all := true
	for _, f := range filters {
		one, err := match(p, aws.ToString(f.Key), cmp.Or(aws.ToString(f.Option), "Equals"), f.Values)
		if err != nil {
			return false, err
		}
		all = all && one
	}
	return all, nil
}

func match(p secrets.Parameter, key, option string, values []string) (bool, error) {
	if key == "Path" {
		if option == "Equals" {
			option = "OneLevel"
		}
		if option != "Recursive" && option != "OneLevel" {
			return false, errOption(option)
		}
		return slices.ContainsFunc(values, func(path string) bool { return under(p.Name, path, option == "Recursive") }), nil
	}
	texts, err := texts(p, key)
	if err != nil {
		return false, err
	}
	var like func(s, value string) bool
	switch option {
	case "Equals":
		like = func(s, value string) bool { return s == value }
	case "BeginsWith":
		like = strings.HasPrefix
	case "Contains":
		like = strings.Contains
	default:
		return false, errOption(option)
	}
	if strings.HasPrefix(key, "tag:") && len(values) == 0 {
		return len(texts) > 0, nil
	}
	return slices.ContainsFunc(texts, func(s string) bool {
		return slices.ContainsFunc(values, func(value string) bool { return like(s, value) })
	}), nil
}

// texts are what a filter looks at.
func texts(p secrets.Parameter, key string) ([]string, error) {
	v := p.Newest()
	switch key {
	case "Name":
		return []string{p.Name}, nil
	case "Type":
		return []string{v.Type}, nil
	case "KeyId":
		return []string{v.KeyID}, nil
	case "Tier":
		return []string{v.Tier}, nil
	case "DataType":
		return []string{v.DataType}, nil
	case "Label":
		return v.Labels, nil
	}
	name, isTag := strings.CutPrefix(key, "tag:")
	if !isTag {
		return nil, model.Errorf(model.Invalid, "InvalidFilterKey", "The following filter key is not valid: %s. Valid filter keys include: [Path, Name, Type, KeyId, Tier, Label, DataType, tag:key].", key)
	}
	var values []string
	for _, t := range p.Tags {
		if t.Key == name {
			values = append(values, t.Value)
		}
	}
	return values, nil
}

func errOption(option string) error {
	return model.Errorf(model.Invalid, "InvalidFilterOption", "The following filter option is not valid: %s. Valid options include: [BeginsWith, Equals].", option)
}
