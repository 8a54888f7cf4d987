package ecs

import (
	"strings"
	"testing"
)

func TestCheckRole(t *testing.T) {
	for role, valid := range map[string]bool{
		"":                                      true,
		"worker":                                true,
		"arn:aws:iam::000000000000:role/worker": true,
		"arn:aws:iam::000000000000:role/team/shop/worker":  true,
		"arn:aws:iam::000000000000:user/worker":            false,
		"arn:aws:s3:::role/worker":                         false,
		"arn:aws:iam::000000000000:role/":                  false,
		"arn:aws:iam":                                      false,
		"two words":                                        false,
		strings.Repeat("x", 65):                            false,
		"arn:aws:iam::000000000000:role/$(whatever)/x\ny":  false,
		"arn:aws:iam::000000000000:role/path/name.+=,.@-_": true,
	} {
		if err := checkRole(role); (err == nil) != valid {
			t.Errorf("%q: %v", role, err)
		}
	}
}
