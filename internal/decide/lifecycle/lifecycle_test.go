package lifecycle

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestExpire(t *testing.T) {
	now := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	image := func(digest string, days int, tags ...string) Image {
		return Image{digest, tags, now.Add(-time.Duration(days)*24*time.Hour - time.Minute)}
	}
	images := []Image{image("e", 40), image("a", 1, "prod-3"), image("c", 9, "prod-1", "x"), image("b", 5, "prod-2", "x"), image("d", 20, "dev-1"), image("f", 2)}
	rule := func(priority int, s Selection) Rule {
		return Rule{Priority: priority, Selection: s, Action: Action{"expire"}}
	}
	for name, row := range map[string]struct {
		rules []Rule
		want  []Expired
	}{
		"untagged by age":           {[]Rule{rule(1, Selection{TagStatus: "untagged", CountType: "sinceImagePushed", Unit: "days", Number: 14})}, []Expired{{"e", 1}}},
		"any by number":             {[]Rule{rule(1, Selection{TagStatus: "any", CountType: "imageCountMoreThan", Number: 4})}, []Expired{{"d", 1}, {"e", 1}}},
		"prefix by number":          {[]Rule{rule(1, Selection{TagStatus: "tagged", Prefixes: []string{"prod-"}, CountType: "imageCountMoreThan", Number: 2})}, []Expired{{"c", 1}}},
		"all prefixes must fit":     {[]Rule{rule(1, Selection{TagStatus: "tagged", Prefixes: []string{"prod-", "x"}, CountType: "imageCountMoreThan", Number: 1})}, []Expired{{"c", 1}}},
		"pattern":                   {[]Rule{rule(1, Selection{TagStatus: "tagged", Patterns: []string{"*v-1"}, CountType: "sinceImagePushed", Unit: "days", Number: 1})}, []Expired{{"d", 1}}},
		"what a rule keeps is kept": {[]Rule{rule(2, Selection{TagStatus: "any", CountType: "imageCountMoreThan", Number: 1}), rule(1, Selection{TagStatus: "tagged", Prefixes: []string{"prod-"}, CountType: "imageCountMoreThan", Number: 3})}, []Expired{{"d", 2}, {"e", 2}}},
	} {
		p := Policy{row.rules}
		if fault := p.Fault(); fault != "" {
			t.Errorf("%s: refused: %s", name, fault)
		}
		if diff := cmp.Diff(row.want, p.Expire(images, now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestFaults(t *testing.T) {
	good := Selection{TagStatus: "untagged", CountType: "imageCountMoreThan", Number: 1}
	expire := Action{"expire"}
	for name, p := range map[string]Policy{
		"no rules":               {},
		"priority zero":          {[]Rule{{Selection: good, Action: expire}}},
		"priority twice":         {[]Rule{{Priority: 1, Selection: good, Action: expire}, {Priority: 1, Selection: good, Action: expire}}},
		"other action":           {[]Rule{{Priority: 1, Selection: good}}},
		"any before another":     {[]Rule{{Priority: 1, Selection: Selection{TagStatus: "any", CountType: "imageCountMoreThan", Number: 1}, Action: expire}, {Priority: 2, Selection: good, Action: expire}}},
		"tagged without a list":  {[]Rule{{Priority: 1, Selection: Selection{TagStatus: "tagged", CountType: "imageCountMoreThan", Number: 1}, Action: expire}}},
		"age without its unit":   {[]Rule{{Priority: 1, Selection: Selection{TagStatus: "any", CountType: "sinceImagePushed", Number: 1}, Action: expire}}},
		"unknown kind of number": {[]Rule{{Priority: 1, Selection: Selection{TagStatus: "any", CountType: "x", Number: 1}, Action: expire}}},
	} {
		if p.Fault() == "" {
			t.Errorf("%s was taken", name)
		}
	}
}
