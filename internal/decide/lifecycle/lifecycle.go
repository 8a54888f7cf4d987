// Package lifecycle decides which images of a repository a lifecycle policy of
// ECR expires.
package lifecycle

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Policy is a lifecycle policy, as its document has it.
type Policy struct {
	Rules []Rule `json:"rules"`
}

// Rule expires the images that it selects beyond a number or an age.
type Rule struct {
	Priority    int       `json:"rulePriority"`
	Description string    `json:"description"`
	Selection   Selection `json:"selection"`
	Action      Action    `json:"action"`
}

// Action is what is done with the images: they expire.
type Action struct {
	Type string `json:"type"`
}

// Selection is which images a rule is about, and when they are too many or too
// old.
type Selection struct {
	TagStatus string   `json:"tagStatus"` // tagged, untagged or any
	Prefixes  []string `json:"tagPrefixList"`
	Patterns  []string `json:"tagPatternList"`
	CountType string   `json:"countType"` // imageCountMoreThan or sinceImagePushed
	Unit      string   `json:"countUnit"` // days
	Number    int      `json:"countNumber"`
}

// Image is what a policy looks at of an image.
type Image struct {
	Digest   string
	Tags     []string
	PushedAt time.Time
}

// Expired is an image that goes, and the priority of the rule by which.
type Expired struct {
	Digest   string
	Priority int
}

// Fault returns what ECR refuses in a policy, "" for nothing.
func (p Policy) Fault() string {
	if len(p.Rules) == 0 || len(p.Rules) > 50 {
		return "a policy has from 1 to 50 rules"
	}
	seen := map[int]bool{}
	lowest := slices.MaxFunc(p.Rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	for _, r := range p.Rules {
		switch {
		case r.Priority < 1:
			return "'rulePriority' must be at least 1"
		case seen[r.Priority]:
			return "'rulePriority' must be unique"
		case r.Selection.TagStatus == "any" && r.Priority != lowest.Priority:
			return "a rule with tagStatus 'any' must have the highest 'rulePriority'"
		case r.Action.Type != "expire":
			return "'action.type' must be 'expire'"
		}
		seen[r.Priority] = true
		if fault := r.Selection.fault(); fault != "" {
			return fault
		}
	}
	return ""
}

func (s Selection) fault() string {
	listed := len(s.Prefixes) > 0 || len(s.Patterns) > 0
	switch {
	case !slices.Contains([]string{"tagged", "untagged", "any"}, s.TagStatus):
		return "'tagStatus' must be one of 'tagged', 'untagged', 'any'"
	case (s.TagStatus == "tagged") != listed:
		return "'tagPrefixList' or 'tagPatternList' is given with tagStatus 'tagged', and only with it"
	case len(s.Prefixes) > 0 && len(s.Patterns) > 0:
		return "only one of 'tagPrefixList' and 'tagPatternList' may be given"
	case s.Number < 1:
		return "'countNumber' must be at least 1"
	case s.CountType == "sinceImagePushed" && s.Unit != "days":
		return "'countUnit' must be 'days' with countType 'sinceImagePushed'"
	case s.CountType == "imageCountMoreThan" && s.Unit != "":
		return "'countUnit' must not be given with countType 'imageCountMoreThan'"
	case s.CountType != "sinceImagePushed" && s.CountType != "imageCountMoreThan":
		return "'countType' must be one of 'imageCountMoreThan', 'sinceImagePushed'"
	}
	return ""
}

// Expire returns the images that a policy expires at a time, the newest first. An
// image that a rule selects is left alone by rules of lower priority, whether it
// expires or not.
func (p Policy) Expire(images []Image, now time.Time) []Expired {
	rules := slices.Clone(p.Rules)
	slices.SortFunc(rules, func(a, b Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	left := slices.Clone(images)
	slices.SortFunc(left, func(a, b Image) int {
		return cmp.Or(b.PushedAt.Compare(a.PushedAt), cmp.Compare(a.Digest, b.Digest))
	})
	var out []Expired
	for _, r := range rules {
		kept := 0
		left = slices.DeleteFunc(left, func(i Image) bool {
			if !r.Selection.selects(i) {
				return false
			}
			if kept++; r.Selection.beyond(i, kept, now) {
				out = append(out, Expired{i.Digest, r.Priority})
			}
			return true
		})
	}
	return out
}

// beyond reports whether an image, the n-th newest that is selected, is one too
// many or too old.
func (s Selection) beyond(i Image, n int, now time.Time) bool {
	if s.CountType == "imageCountMoreThan" {
		return n > s.Number
	}
	return now.Sub(i.PushedAt) > time.Duration(s.Number)*24*time.Hour
}

// selects reports whether an image has a tag for each prefix or pattern.
func (s Selection) selects(i Image) bool {
	switch s.TagStatus {
	case "any":
		return true
	case "untagged":
		return len(i.Tags) == 0
	}
	some := func(fit func(tag string) bool) bool { return slices.ContainsFunc(i.Tags, fit) }
	for _, p := range s.Prefixes {
		if !some(func(tag string) bool { return strings.HasPrefix(tag, p) }) {
			return false
		}
	}
	for _, p := range s.Patterns {
		if !some(func(tag string) bool { return matches(p, tag) }) {
			return false
		}
	}
	return true
}

// matches compares a tag with a pattern, in which * is any text.
func matches(pattern, tag string) bool {
	parts := strings.Split(pattern, "*")
	rest, ok := strings.CutPrefix(tag, parts[0])
	if !ok || len(parts) == 1 {
		return ok && rest == ""
	}
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, p)
		if i < 0 {
			return false
		}
		rest = rest[i+len(p):]
	}
	return strings.HasSuffix(rest, last)
}
