package iam

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"

	"neargate/internal/model"
)

// Sizes of policy documents without white space, as IAM's quotas count them.
const (
	maxTrustSize  = 2048
	maxPolicySize = 6144
	maxInlineSize = 10240 // of all inline policies of a role
)

// policyDocument is what the form check needs of a policy.
type policyDocument struct {
	Version   *string
	Statement statements
}

// statements is one statement or a list of them.
type statements []statement

type statement struct {
	Effect                  string
	Principal, NotPrincipal json.RawMessage
	Action, NotAction       json.RawMessage
	Resource, NotResource   json.RawMessage
}

// UnmarshalJSON takes both forms.
func (s *statements) UnmarshalJSON(b []byte) error {
	if strings.HasPrefix(strings.TrimSpace(string(b)), "[") {
		return json.Unmarshal(b, (*[]statement)(s))
	}
	var one statement
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*s = statements{one}
	return nil
}

// checkTrust checks the form of an assume-role policy.
func checkTrust(text string) error {
	d, err := parseDocument(text, "This policy contains invalid Json")
	if err != nil {
		return err
	}
	if size(text) > maxTrustSize {
		return model.Errorf(model.Conflict, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: %d", maxTrustSize)
	}
	for _, st := range d.Statement {
		switch {
		case st.Resource != nil || st.NotResource != nil:
			return malformedPolicy("Has prohibited field Resource")
		case st.Principal == nil && st.NotPrincipal == nil:
			return malformedPolicy("Missing required field Principal")
		case st.Action == nil && st.NotAction == nil:
			return malformedPolicy("Missing required field Action")
		}
	}
	return nil
}

// admits reports whether a statement of a trust policy lets a service assume the
// role.
func (s statement) admits(service string) bool {
	return s.Effect == "Allow" && includes(s.Action, "sts:AssumeRole") && s.principal(service)
}

func (s statement) principal(service string) bool {
	var kinds map[string]json.RawMessage
	if json.Unmarshal(s.Principal, &kinds) == nil {
		return includes(kinds["Service"], service)
	}
	return includes(s.Principal, service)
}

// includes reports whether a pattern, or one of a list, matches a name, in
// whatever case. A pattern may end in *.
func includes(patterns json.RawMessage, name string) bool {
	var all []string
	if json.Unmarshal(patterns, &all) != nil {
		all = make([]string, 1)
		if json.Unmarshal(patterns, &all[0]) != nil {
			return false
		}
	}
	name = strings.ToLower(name)
	return slices.ContainsFunc(all, func(p string) bool {
		p = strings.ToLower(p)
		begin, open := strings.CutSuffix(p, "*")
		return p == name || open && strings.HasPrefix(name, begin)
	})
}

// checkPolicy checks the form of an identity policy.
func checkPolicy(text string) error {
	d, err := parseDocument(text, "Syntax errors in policy.")
	if err != nil {
		return err
	}
	for _, st := range d.Statement {
		switch {
		case st.Principal != nil || st.NotPrincipal != nil:
			return malformedPolicy("Policy document should not specify a principal.")
		case st.Action == nil && st.NotAction == nil:
			return malformedPolicy("Policy statement must contain actions.")
		case st.Resource == nil && st.NotResource == nil:
			return malformedPolicy("Policy statement must contain resources.")
		}
	}
	return nil
}

func parseDocument(text, syntax string) (policyDocument, error) {
	var d policyDocument
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d, malformedPolicy(syntax)
	}
	if d.Version != nil && *d.Version != "2012-10-17" && *d.Version != "2008-10-17" {
		return d, malformedPolicy("The policy must contain a valid version string")
	}
	if len(d.Statement) == 0 {
		return d, malformedPolicy(syntax)
	}
	for _, st := range d.Statement {
		if st.Effect != "Allow" && st.Effect != "Deny" {
			return d, malformedPolicy("Invalid effect: " + st.Effect)
		}
	}
	return d, nil
}

// size counts the characters that are not white space.
func size(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func malformedPolicy(msg string) error {
	return model.Errorf(model.Invalid, "MalformedPolicyDocument", "%s", msg)
}
