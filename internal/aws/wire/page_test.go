package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"neargate/internal/model"
)

func TestPageGivesEachItemOnce(t *testing.T) {
	items := []string{"a", "b", "c", "d", "e"}
	self := func(s string) string { return s }
	for limit := 1; limit <= 6; limit++ {
		var seen []string
		for token := ""; ; {
			page, next, ok := Page(items, self, token, limit)
			if !ok || len(page) > limit {
				t.Fatalf("limit %d: page %v, %v", limit, page, ok)
			}
			seen = append(seen, page...)
			if token = next; token == "" {
				break
			}
		}
		if diff := cmp.Diff(items, seen); diff != "" {
			t.Errorf("limit %d (-want +got):\n%s", limit, diff)
		}
	}
}

func TestPageTokenOutlivesItsItem(t *testing.T) {
	self := func(s string) string { return s }
	_, next, _ := Page([]string{"a", "b", "c"}, self, "", 2)
	page, _, ok := Page([]string{"a", "bb", "c"}, self, next, 2)
	if !ok || !slices.Equal(page, []string{"bb", "c"}) {
		t.Errorf("page %v, %v; want bb, c", page, ok)
	}
	for _, made := range []string{"!", "zzz", "AAAA", "Yg", "AAAAAGE", next + "A"} {
		if _, _, ok := Page([]string{"a"}, self, made, 2); ok {
			t.Errorf("a made-up token %q was taken", made)
		}
	}
}

func TestChecksWordTheirFindsAsAWSDoes(t *testing.T) {
	var c Checks
	if err := c.Err("ValidationError"); err != nil {
		t.Errorf("nothing checked: %v", err)
	}
	long, n := strings.Repeat("x", 5), int32(7)
	c.Text("roleName", nil, 1, 4)
	c.Text("path", &long, 1, 4)
	c.Range("maxItems", &n, 1, 5, 3)
	c.OneOf("scope", "Some", "All", "AWS")
	want := "4 validation errors detected: Value null at 'roleName' failed to satisfy constraint: Member must not be null; " +
		"Value 'xxxxx' at 'path' failed to satisfy constraint: Member must have length less than or equal to 4; " +
		"Value '7' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 5; " +
		"Value 'Some' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [All, AWS]"
	e, ok := errors.AsType[*model.Error](c.Err("ValidationError"))
	if !ok || e.Code != "ValidationError" || e.Msg != want {
		t.Errorf("got  %v\nwant %s", e, want)
	}
}
