// Package arch_test checks the shape of the tree: which package may import
// which, and that docs/ARCHITECTURE.md names every package and every direct
// dependency.
package arch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "neargate"

type pkg struct {
	ImportPath string
	Dir        string
	Doc        string
	Imports    []string
	GoFiles    []string
	Export     string // file: the compiler's export data, with the flag -export
}

// packages returns the module's packages as "go list" with flags shows them.
func packages(t *testing.T, flags ...string) []pkg {
	t.Helper()
	args := append([]string{"list", "-json=ImportPath,Dir,Doc,Imports,GoFiles,Export"}, flags...)
	cmd := exec.Command("go", append(args, module+"/...")...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(out); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return pkgs
}

// ring says where a package stands; p is its path without the module.
func ring(p string) string {
	if p == "internal/runtime" { // what is below it are its engines
		return "contract"
	}
	for _, r := range []struct{ prefix, ring string }{
		{"internal/model", "nouns"},
		{"internal/decide", "brain"},
		{"internal/traffic", "brain"},
		{"internal/sim", "simulator"},
		{"internal/store", "ground"},
		{"internal/random", "ground"},
		{"internal/tree", "ground"},
		{"internal/aws/wire", "protocol"},
		{"internal/aws/sigv4", "protocol"},
		{"internal/aws", "faces"},
		{"internal/console", "faces"},
		{"internal/app", "wiring"},
		{"internal/cli", "cli"},
		{"cmd", "cli"},
		{"internal", "hands"},
	} {
		if p == r.prefix || strings.HasPrefix(p, r.prefix+"/") {
			return r.ring
		}
	}
	return "outside" // examples, test, bench
}

// inward lists the rings that each ring may import, besides itself where that
// is said.
var inward = map[string][]string{
	"nouns":     {},
	"brain":     {"nouns", "brain"},
	"simulator": {"nouns", "brain"},
	"ground":    {},
	"contract":  {"nouns", "brain"},
	"hands":     {"nouns", "brain", "ground", "contract"},
	"protocol":  {"nouns", "ground", "protocol"},
	"faces":     {"nouns", "brain", "ground", "hands", "protocol"},
	"wiring":    {"nouns", "brain", "ground", "contract", "hands", "protocol", "faces"},
	"cli":       {"nouns", "brain", "simulator", "ground", "hands", "faces", "wiring", "cli", "outside"},
}

// pure is all that the nouns and the brain may use of the standard library.
var pure = []string{"cmp", "errors", "fmt", "maps", "math", "net/netip", "path", "regexp", "slices", "sort", "strconv", "strings", "time"}

func TestImportsPointInwards(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module+"/")
			if why := forbidden(from, to, ours); why != "" {
				t.Errorf("%s imports %s: %s", from, imp, why)
			}
		}
	}
}

func forbidden(from, to string, ours bool) string {
	r := ring(from)
	switch {
	case r == "outside":
		return ""
	case !forTests(from) && (to == "testing" || strings.HasPrefix(to, "testing/") || ours && forTests(to)):
		return "test code does not belong into the binary"
	case !ours && (r == "nouns" || r == "brain") && !slices.Contains(pure, to):
		return fmt.Sprintf("the %s may use only %s of the standard library", r, strings.Join(pure, ", "))
	case !ours:
		return ""
	case sameTree(from, to):
		return ""
	case !slices.Contains(inward[r], ring(to)):
		return fmt.Sprintf("%s must not import %s", r, ring(to))
	}
	return ""
}

// forTests reports whether only tests import a package: one named as
// runtime/runtimetest is.
func forTests(p string) bool { return path.Base(p) == path.Base(path.Dir(p))+"test" }

// sameTree says that two packages belong to the same part: balancer and
// balancer/http1.
func sameTree(a, b string) bool {
	cut := func(s string) string {
		depth := 2
		if strings.HasPrefix(s, "internal/aws/") {
			depth = 3
		}
		parts := strings.Split(s, "/")
		return strings.Join(parts[:min(depth, len(parts))], "/")
	}
	return cut(a) == cut(b)
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestArchitecturePageNamesEveryPackageAndDependency(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages(t) {
		path := strings.TrimPrefix(p.ImportPath, module+"/")
		if len(p.GoFiles) > 0 && !strings.Contains(string(page), "`"+strings.TrimPrefix(path, "internal/")+"`") {
			t.Errorf("docs/ARCHITECTURE.md does not name `%s`", strings.TrimPrefix(path, "internal/"))
		}
	}
	for _, dep := range directDependencies(t) {
		if !strings.Contains(string(page), "`"+dep+"`") {
			t.Errorf("docs/ARCHITECTURE.md does not name the dependency `%s`", dep)
		}
	}
}

func directDependencies(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{if not (or .Indirect .Main)}}{{.Path}}{{end}}", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// The server refuses to start with a table that its schema does not know.
func TestSchemaNamesEveryTable(t *testing.T) {
	schema, err := os.ReadFile("../../internal/app/schema.go")
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?:store\.NewTable\[[^(]*\]|\bopen)\(\w+, "([^"]+)"`)
	found := 0
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range table.FindAllSubmatch(text, -1) {
				found++
				if !strings.Contains(string(schema), fmt.Sprintf("{Name: %q", m[1])) {
					t.Errorf("%s keeps table %s, which internal/app/schema.go does not list", p.ImportPath, m[1])
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("found %d tables: the pattern does not fit the code any more", found)
	}
}
