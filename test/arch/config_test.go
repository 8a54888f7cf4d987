package arch_test

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A setting that only tests make is dead code, or a part that nobody has wired:
// the server does without what the tests show. Set is what any code writes that
// is no test, a package that fills in what its own Config leaves open included:
// such a field works without being wired.
func TestEveryConfigFieldIsSetInProduction(t *testing.T) {
	c := &configs{fields: map[string]bool{}, set: map[string]bool{}}
	for _, p := range typed(t) {
		path := strings.TrimPrefix(p.path, module+"/")
		if path == "internal/runtime/fake" || forTests(path) || strings.HasPrefix(path, "test/") {
			continue
		}
		// The simulator's faults are there for the tests of decisions.
		if r := ring(path); r != "outside" && r != "simulator" {
			c.declared(p)
		}
		for _, f := range p.files {
			c.settings(p, f)
		}
	}
	if len(c.fields) < 50 {
		t.Fatalf("found only %d fields of Config types: this test looks in the wrong place", len(c.fields))
	}
	var unset []string
	for f := range c.fields {
		if !c.set[f] {
			unset = append(unset, f)
		}
	}
	slices.Sort(unset)
	for _, f := range unset {
		t.Errorf("%s is set by nobody but tests: wire it in app, or delete it", f)
	}
}

// typedPackage is a package of the module with its types.
type typedPackage struct {
	path  string
	files []*ast.File
	types *types.Package
	info  *types.Info
}

// typed type-checks the module's packages against the compiler's export data.
func typed(t *testing.T) []typedPackage {
	t.Helper()
	var ours []pkg
	exports := map[string]string{}
	for _, p := range packages(t, "-export", "-deps") {
		exports[p.ImportPath] = p.Export
		if strings.HasPrefix(p.ImportPath, module+"/") {
			ours = append(ours, p)
		}
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	var all []typedPackage
	for _, p := range ours {
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
		checked, err := (&types.Config{Importer: imports}).Check(p.ImportPath, fset, files, info)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, typedPackage{p.ImportPath, files, checked, info})
	}
	return all
}

// configs are the fields of Config types as PACKAGE.TYPE.FIELD, and which of
// them are set.
type configs struct{ fields, set map[string]bool }

func (c *configs) declared(p typedPackage) {
	for _, name := range p.types.Scope().Names() {
		obj, ok := p.types.Scope().Lookup(name).(*types.TypeName)
		if !ok || !strings.HasSuffix(name, "Config") {
			continue
		}
		if s, ok := obj.Type().Underlying().(*types.Struct); ok {
			for f := range s.Fields() {
				if f.Exported() {
					c.fields[configName(obj.Type())+"."+f.Name()] = true
				}
			}
		}
	}
}

// configName is PACKAGE.TYPE of a Config type, or of a pointer to one; else "".
func configName(t types.Type) string {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || !strings.HasSuffix(named.Obj().Name(), "Config") {
		return ""
	}
	return strings.TrimPrefix(named.Obj().Pkg().Path(), module+"/") + "." + named.Obj().Name()
}

// settings notes what a file sets.
func (c *configs) settings(p typedPackage, file *ast.File) {
	for _, decl := range file.Decls {
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				c.literal(p, n)
			case *ast.AssignStmt:
				for _, to := range n.Lhs {
					c.selected(p, to)
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND { // a flag's, or a decoder's
					c.selected(p, n.X)
				}
			}
			return true
		})
	}
}

func (c *configs) literal(p typedPackage, lit *ast.CompositeLit) {
	t := p.info.Types[lit].Type
	name := configName(t)
	if name == "" {
		return
	}
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			c.set[name+"."+kv.Key.(*ast.Ident).Name] = true
		} else if s, ok := t.Underlying().(*types.Struct); ok {
			c.set[name+"."+s.Field(i).Name()] = true
		}
	}
}

func (c *configs) selected(p typedPackage, e ast.Expr) {
	for {
		s, ok := e.(*ast.SelectorExpr)
		if !ok {
			return
		}
		if sel := p.info.Selections[s]; sel != nil && sel.Kind() == types.FieldVal {
			if name := configName(sel.Recv()); name != "" {
				c.set[name+"."+s.Sel.Name] = true
			}
		}
		e = s.X // cfg.Place.Region sets Place
	}
}
