package elbv2

import (
	"github.com/aws/aws-sdk-go-v2/aws"

	"neargate/internal/aws/wire"
)

// required returns the value of a member that must be set.
func required(member string, v *string) (string, error) {
	if aws.ToString(v) == "" {
		var c wire.Checks
		c.Required(member, false)
		return "", c.Err("ValidationError")
	}
	return *v, nil
}

// checkName checks the name of a load balancer or target group: up to 32
// letters, digits and hyphens, no hyphen at either end.
func checkName(kind, name string) error {
	if len(name) > 32 {
		return invalid("%s name '%s' cannot be longer than '32' characters", kind, name)
	}
	for _, c := range name {
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return invalid("%s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", kind, name)
		}
	}
	if name[0] == '-' || name[len(name)-1] == '-' {
		return invalid("%s name '%s' cannot begin or end with '-'", kind, name)
	}
	return nil
}

// page cuts a page by PageSize (1 to 400) and Marker.
func page[T any](items []T, key func(T) string, marker *string, size *int32) ([]T, *string, error) {
	var c wire.Checks
	limit := c.Range("pageSize", size, 1, 400, 400)
	if err := c.Err("ValidationError"); err != nil {
		return nil, nil, err
	}
	out, next, ok := wire.Page(items, key, aws.ToString(marker), int(limit))
	if !ok {
		return nil, nil, invalid("Invalid marker '%s'", aws.ToString(marker))
	}
	if next == "" {
		return out, nil, nil
	}
	return out, &next, nil
}

// number checks a number that may be missing and returns it, else fallback.
func number(member string, v *int32, low, high, fallback int32) (int, error) {
	var c wire.Checks
	n := c.Range(member, v, low, high, fallback)
	return int(n), c.Err("ValidationError")
}
