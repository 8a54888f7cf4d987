package compat_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"neargate/internal/aws/wire"
)

var update = flag.Bool("update", false, "write docs/compat.md")

// The page of what is answered and what is not is that of this code.
func TestCompatPageIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "compat.md")
	want := page()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/compat.md is stale: run go test ./test/compat -update")
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(`# Compatibility

What Neargate answers of each AWS service, which settings it refuses, and which it accepts without effect. Every other setting of these operations is read and, where it has an effect here, obeyed. The page is written by ` + "`go test ./test/compat -update`" + `; a test fails when a call can set something that is neither read, nor refused, nor listed here.

An operation that is not listed answers AWS's error for an unknown operation.
`)
	for _, f := range faces() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", f.name, operations(f))
		f.list(&b, "Refused", f.Refused, func(s wire.Setting) string {
			if len(s.Allowed) > 0 {
				return "other than " + strings.Join(s.Allowed, ", ")
			}
			return s.Text
		})
		f.list(&b, "Accepted without effect", f.Kept, func(s wire.Setting) string { return s.Text })
	}
	return b.String()
}

func operations(f face) string {
	var names []string
	for _, op := range f.Operations {
		names = append(names, "`"+op.Name+"`")
	}
	slices.Sort(names)
	return fmt.Sprintf("%d operations: %s.", len(names), strings.Join(names, ", "))
}

// list writes settings as a table, if there are any.
func (f face) list(b *strings.Builder, title string, settings []wire.Setting, note func(wire.Setting) string) {
	if len(settings) == 0 {
		return
	}
	var rows []string
	for _, s := range settings {
		rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", f.wireName(member{s.Of, s.Field}), note(s)))
	}
	slices.Sort(rows)
	fmt.Fprintf(b, "\n%s:\n\n| setting | |\n|---|---|\n%s", title, strings.Join(rows, ""))
}
