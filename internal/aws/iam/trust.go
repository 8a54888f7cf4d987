package iam

import (
	"slices"
	"strings"
	"sync"
)

// Trusts reports whether the trust policy of the role with this ARN allows a
// service, such as ecs-tasks.amazonaws.com, to assume it. Conditions are not
// looked at.
func (s *IAM) Trusts(arn, service string) bool {
	r, ok := s.roles.Get(strings.ToLower(arn[strings.LastIndexByte(arn, '/')+1:]))
	return ok && s.arn(r) == arn && s.trusts.admits(r.Trust, service)
}

// maxTrusts is how many answers are remembered.
const maxTrusts = 1000

// trusts remembers which services trust policies admit: tasks ask each time that
// they fetch credentials.
type trusts struct {
	mu    sync.Mutex
	known map[trusted]bool // guarded by mu
}

type trusted struct{ policy, service string }

func (t *trusts) admits(policy, service string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := trusted{policy, service}
	admitted, ok := t.known[key]
	if !ok {
		d, err := parseDocument(policy, "")
		admitted = err == nil && slices.ContainsFunc(d.Statement, func(st statement) bool { return st.admits(service) })
		if len(t.known) >= maxTrusts || t.known == nil {
			t.known = map[trusted]bool{}
		}
		t.known[key] = admitted
	}
	return admitted
}
