package compat_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// reads returns for each face which members of structures its code reads, as
// PACKAGE.TYPE.FIELD. Assigning to a member is no reading of it, and neither is
// passing one on to the same member of an SDK's structure that nobody reads, such
// as an answer.
func reads(t *testing.T) map[string]map[string]bool {
	t.Helper()
	exports := map[string]string{}
	files := map[string][]string{}
	for _, p := range list(t) {
		exports[p.ImportPath] = p.Export
		if dir, ok := strings.CutPrefix(p.ImportPath, "neargate/internal/aws/"); ok {
			for _, name := range p.GoFiles {
				files[dir] = append(files[dir], filepath.Join(p.Dir, name))
			}
		}
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	all := map[string]map[string]bool{}
	for dir, names := range files {
		var parsed []*ast.File
		for _, name := range names {
			f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, f)
		}
		info := &types.Info{Selections: map[*ast.SelectorExpr]*types.Selection{}, Types: map[ast.Expr]types.TypeAndValue{}}
		cfg := types.Config{Importer: imports}
		if _, err := cfg.Check("neargate/internal/aws/"+dir, fset, parsed, info); err != nil {
			t.Fatal(err)
		}
		all[dir] = readsOf(parsed, info)
	}
	return all
}

type pkg struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// list returns the faces and all that they import, compiled.
func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "neargate/internal/aws/...")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}

// byName stands for the type where code reads a member of any type by its name.
const byName = "*."

func readsOf(files []*ast.File, info *types.Info) map[string]bool {
	written := map[ast.Expr]bool{}
	read := map[string]bool{}
	converted := map[string]string{} // from a type to the one that is then read
	passed := map[string]string{}    // likewise from a member to another
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok == token.ASSIGN {
					for _, left := range n.Lhs {
						written[left] = true
					}
				}
			case *ast.CompositeLit:
				for _, el := range n.Elts {
					if kv, ok := el.(*ast.KeyValueExpr); ok && passesOn(kv, info.Types[n].Type) {
						written[kv.Value] = true
						from := kv.Value.(*ast.SelectorExpr)
						if s := info.Selections[from]; s != nil {
							passed[nameOf(s)] = typeName(info.Types[n].Type) + "." + from.Sel.Name
						}
					}
				}
			case *ast.CallExpr:
				if to := info.Types[n.Fun]; to.IsType() && len(n.Args) == 1 {
					converted[typeName(info.Types[n.Args[0]].Type)] = typeName(to.Type)
				}
				if name, ok := fieldByName(n); ok {
					read[byName+name] = true
				}
			case *ast.SelectorExpr:
				if s := info.Selections[n]; s != nil && s.Kind() == types.FieldVal && !written[n] {
					read[nameOf(s)] = true
				}
			}
			return true
		})
	}
	for from, to := range passed {
		if read[to] {
			read[from] = true
		}
	}
	for name := range read {
		for from, to := range converted {
			if field, ok := strings.CutPrefix(name, to+"."); ok && to != "" && from != "" {
				read[from+"."+field] = true
			}
		}
	}
	return read
}

// fieldByName returns the member that a call of reflect's FieldByName reads.
func fieldByName(n *ast.CallExpr) (string, bool) {
	fn, ok := n.Fun.(*ast.SelectorExpr)
	if !ok || fn.Sel.Name != "FieldByName" || len(n.Args) != 1 {
		return "", false
	}
	lit, ok := n.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	return strings.Trim(lit.Value, "\""), true
}

// passesOn reports whether a member of an SDK's structure is set to the member
// of the same name of another.
func passesOn(kv *ast.KeyValueExpr, of types.Type) bool {
	key, isKey := kv.Key.(*ast.Ident)
	from, isMember := kv.Value.(*ast.SelectorExpr)
	named, _ := types.Unalias(of).(*types.Named)
	return isKey && isMember && key.Name == from.Sel.Name && named != nil && named.Obj().Pkg() != nil &&
		strings.HasPrefix(named.Obj().Pkg().Path(), "github.com/aws/aws-sdk-go-v2/service/")
}

func nameOf(s *types.Selection) string { return typeName(s.Recv()) + "." + s.Obj().Name() }

// typeName is PACKAGE.TYPE of a named type or a pointer to one, else "".
func typeName(t types.Type) string {
	if t == nil {
		return ""
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return ""
	}
	return named.Obj().Pkg().Path() + "." + named.Obj().Name()
}
