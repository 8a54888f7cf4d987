package compat_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"neargate/internal/aws/elbv2"
	"neargate/internal/aws/s3"
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
		if f.SigningName == "elasticloadbalancing" {
			attributes(&b)
		}
	}
	objects(&b)
	return b.String()
}

// attributes writes which attributes of load balancers and what belongs to them are
// not obeyed.
func attributes(b *strings.Builder) {
	b.WriteString("\nAttributes that are not obeyed; all others are:\n\n| attribute | of a | |\n|---|---|---|\n")
	for _, a := range elbv2.AttributeNotes() {
		how := "kept"
		if a.Refused {
			how = "other values than the default are refused"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s: %s |\n", a.Key, a.Of, how, a.Why)
	}
}

// objects writes what is answered of S3, which is no face of wire's.
func objects(b *strings.Builder) {
	names := s3.Operations()
	slices.Sort(names)
	fmt.Fprintf(b, "\n## Amazon S3\n\n%d operations: `%s`. What is not among them answers NotImplemented, as does a `versionId` other than `null`.\n", len(names), strings.Join(names, "`, `"))
	b.WriteString("\nSubresources of buckets, kept and answered without effect, and what else is:\n\n| setting | |\n|---|---|\n")
	for _, set := range s3.Settings() {
		note := "kept as it was put, and answered"
		switch {
		case set.Fixed != "":
			note = "cannot be set; says that there is none"
		case set.Lacking != "":
			note += "; " + set.Lacking
		case set.Name == "acl":
			note = "accepted; the owner has full control in any case"
		}
		fmt.Fprintf(b, "| `?%s` | %s |\n", set.Name, note)
	}
	b.WriteString("| `x-amz-acl`, `x-amz-grant-*` | accepted; the owner has full control in any case |\n")
	b.WriteString("| `x-amz-server-side-encryption-customer-*`, `x-amz-object-lock-*`, `x-amz-write-offset-bytes` | refused |\n")
	b.WriteString("| `x-amz-server-side-encryption*` | accepted; every object is encrypted with the server's own key |\n")
	b.WriteString("| `x-amz-storage-class` | accepted; every object is STANDARD |\n")
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
