package registry

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRepositoryNamesFollowTheRuleShown(t *testing.T) {
	rule := regexp.MustCompile(`^` + repositoryName + `$`)
	for _, name := range []string{"", "a", "a/b", "a//b", "/a", "a/", "a-b", "a--b", "a.", "-a", "A", "a/B", "ä", strings.Repeat("a", 300)} {
		if got, want := validRepository(name), rule.MatchString(name); got != want {
			t.Errorf("validRepository(%q) = %v, want %v", name, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[aZ0./_-]{0,12}`).Draw(t, "name")
		if got, want := validRepository(name), rule.MatchString(name); got != want {
			t.Fatalf("validRepository(%q) = %v, want %v", name, got, want)
		}
	})
}

func TestTagsFollowTheSpecification(t *testing.T) {
	rule := regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	for _, tag := range []string{"", "v1", "_", ".a", "-a", "a.b-c_D9", "a b", "a:b", "é", strings.Repeat("a", 128), strings.Repeat("a", 129)} {
		if got, want := validTag(tag), rule.MatchString(tag); got != want {
			t.Errorf("validTag(%q) = %v, want %v", tag, got, want)
		}
	}
}
