package ecs

import (
	"fmt"
	"strings"

	"neargate/internal/model"
)

// checkRole refuses what is neither a role's name nor its ARN; "" is none.
// ClientException.
func checkRole(role string) error {
	if strings.HasPrefix(role, "arn:") {
		arn, ok := model.ParseARN(role)
		if !ok || arn.Service != "iam" || !strings.HasPrefix(arn.Resource, "role/") {
			return client("Role is not valid")
		}
		role = role[strings.LastIndexByte(role, '/')+1:]
		if role == "" {
			return client("Role is not valid")
		}
	}
	bad := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("+=,.@_-", r)
	}
	if len(role) > 64 || strings.ContainsFunc(role, bad) {
		return client("Role is not valid")
	}
	return nil
}

// assumable reports whether tasks can have a role; "" is none.
func (c *Catalogue) assumable(role string) bool {
	return role == "" || c.cfg.TaskMayHave == nil || c.cfg.TaskMayHave(role)
}

// CheckRole refuses a task whose role there is not, or does not trust ECS's
// tasks, in the words of a service's event.
func (c *Catalogue) CheckRole(t model.Task, def model.TaskDefinition) error {
	if role := t.Role(def); !c.assumable(role) {
		return &model.Error{Kind: model.Invalid, Msg: noRole(role)}
	}
	return nil
}

// noRole is what ECS answers where it cannot assume the role of a task.
func noRole(role string) string {
	return fmt.Sprintf("ECS was unable to assume the role '%s' that was provided for this task. Please verify that the role being passed "+
		"has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.", role)
}
