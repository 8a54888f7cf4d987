// Package compat_test holds that no setting of a call is accepted and ignored
// unless docs/compat.md says so, and writes that page.
package compat_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"neargate/internal/aws/acm"
	"neargate/internal/aws/applicationautoscaling"
	"neargate/internal/aws/cloudwatch"
	"neargate/internal/aws/ec2"
	"neargate/internal/aws/ecr"
	"neargate/internal/aws/ecs"
	"neargate/internal/aws/efs"
	"neargate/internal/aws/elbv2"
	"neargate/internal/aws/iam"
	"neargate/internal/aws/logs"
	"neargate/internal/aws/secretsmanager"
	"neargate/internal/aws/servicediscovery"
	"neargate/internal/aws/ssm"
	"neargate/internal/aws/sts"
	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// face is a service as callers know it, and the package that answers for it.
type face struct {
	name, pkg string
	wire.Service
}

// faces are all services; they are asked for nothing, so they have no hands.
func faces() []face {
	place := model.Place{Region: "us-east-1", Account: "000000000000"}
	return []face{
		{"Amazon ECS", "ecs", ecs.New(nil, nil, ecs.Exec{}, place)},
		{"Certificate Manager", "acm", acm.New(nil, nil)},
		{"Amazon EFS", "efs", efs.New(nil, place)},
		{"Elastic Load Balancing v2", "elbv2", elbv2.New(nil, elbv2.Config{Place: place})},
		{"Application Auto Scaling", "applicationautoscaling", applicationautoscaling.New(nil, place)},
		{"CloudWatch", "cloudwatch", cloudwatch.New(nil, nil)},
		{"CloudWatch Logs", "logs", logs.New(nil)},
		{"Amazon ECR", "ecr", ecr.New(nil, place, "")},
		{"Secrets Manager", "secretsmanager", secretsmanager.New(nil)},
		{"Systems Manager: Parameter Store, sessions", "ssm", ssm.New(nil, nil)},
		{"Cloud Map", "servicediscovery", servicediscovery.New(nil, place)},
		{"IAM", "iam", iam.New(nil)},
		{"STS", "sts", sts.New(nil)},
		{"Amazon EC2", "ec2", ec2.New(nil)},
	}
}

// member is a member of a structure that a call may set.
type member struct {
	of    reflect.Type
	field string
}

func (m member) String() string { return m.of.Name() + "." + m.field }

// wireName is how the page names a member: by the operation or the structure,
// and by its name on the wire.
func (f face) wireName(m member) string {
	name := m.field
	if f.Style == wire.LowerCamel {
		name = strings.ToLower(name[:1]) + name[1:]
	}
	return strings.TrimSuffix(m.of.Name(), "Input") + "." + name
}

// members returns every member that an input of the face's operations may set.
// What is refused or kept without effect is not looked into.
func (f face) members() []member {
	seen := map[reflect.Type]bool{}
	var all []member
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		if t = structure(t); t == nil || seen[t] {
			return
		}
		seen[t] = true
		for sf := range t.Fields() {
			if !sf.IsExported() {
				continue
			}
			m := member{t, sf.Name}
			all = append(all, m)
			if _, declared := find(f.Refused, m); declared {
				continue
			}
			if _, declared := find(f.Kept, m); !declared {
				walk(sf.Type)
			}
		}
	}
	for _, op := range f.Operations {
		walk(reflect.TypeOf(op.New()))
	}
	for _, u := range f.Unions {
		walk(reflect.TypeOf(u))
	}
	return all
}

// structure returns the structure that a member consists of, one or many; nil
// for a scalar.
func structure(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.PkgPath() == "time" {
		return nil
	}
	return t
}

func find(settings []wire.Setting, m member) (wire.Setting, bool) {
	i := slices.IndexFunc(settings, func(s wire.Setting) bool { return s.Of == m.of && s.Field == m.field })
	if i < 0 {
		return wire.Setting{}, false
	}
	return settings[i], true
}

// declared reports whether a member is refused or kept: itself, or all that it
// consists of.
func (f face) declared(m member) bool {
	if _, ok := find(f.Refused, m); ok {
		return true
	}
	if _, ok := find(f.Kept, m); ok {
		return true
	}
	sf, _ := m.of.FieldByName(m.field)
	t := structure(sf.Type)
	if t == nil || t == m.of {
		return false
	}
	for sf := range t.Fields() {
		if sf.IsExported() && !f.declared(member{t, sf.Name}) {
			return false
		}
	}
	return true
}

// Every member that a call may set is read by its face, refused by name, or on
// the list of those kept without effect.
func TestNoSettingIsIgnored(t *testing.T) {
	read := reads(t)
	for _, f := range faces() {
		members := f.members()
		for _, m := range members {
			used := read[f.pkg][m.of.PkgPath()+"."+m.String()] || read[f.pkg][byName+m.field]
			if !used && !f.declared(m) {
				t.Errorf("%s: %s is neither read, nor refused, nor kept: obey it, or declare it in the face's settings", f.name, m)
			}
		}
		for _, s := range slices.Concat(f.Refused, f.Kept) {
			if !slices.Contains(members, member{s.Of, s.Field}) {
				t.Errorf("%s: %v.%s is declared, but no call can set it", f.name, s.Of, s.Field)
			}
		}
	}
}

// What is refused is refused: by an error that the caller is to blame for.
func TestRefusedSettingsAreRefused(t *testing.T) {
	for _, f := range faces() {
		for _, op := range f.Operations {
			for _, path := range f.paths(reflect.TypeOf(op.New()).Elem(), nil) {
				in := reflect.ValueOf(op.New())
				ask(in.Elem(), path)
				err := f.Check(op.Name, in.Interface())
				if model.KindOf(err) != model.Invalid {
					t.Errorf("%s: %s with %v: got %v, want it refused", f.name, op.Name, path, err)
				}
			}
		}
	}
}

// paths returns the ways through a structure to the members that are refused.
func (f face) paths(t reflect.Type, way []string) [][]string {
	if len(way) > 12 { // a structure within itself
		return nil
	}
	var all [][]string
	for sf := range t.Fields() {
		next := append(slices.Clone(way), sf.Name)
		if _, refused := find(f.Refused, member{t, sf.Name}); refused {
			all = append(all, next)
			continue
		}
		if _, kept := find(f.Kept, member{t, sf.Name}); kept || !sf.IsExported() {
			continue
		}
		if inner := structure(sf.Type); inner != nil && inner != t {
			all = append(all, f.paths(inner, next)...)
		}
	}
	return all
}

// ask sets the member at the end of a path, and what leads to it.
func ask(v reflect.Value, path []string) {
	at := v.FieldByName(path[0])
	for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice || at.Kind() == reflect.Map {
		switch at.Kind() {
		case reflect.Pointer:
			at.Set(reflect.New(at.Type().Elem()))
			at = at.Elem()
		case reflect.Slice:
			at.Set(reflect.MakeSlice(at.Type(), 1, 1))
			at = at.Index(0)
		default:
			el := reflect.New(at.Type().Elem()).Elem()
			if len(path) > 1 {
				ask(el, path[1:])
			}
			at.Set(reflect.MakeMap(at.Type()))
			at.SetMapIndex(reflect.ValueOf("key").Convert(at.Type().Key()), el)
			return
		}
	}
	switch {
	case len(path) > 1:
		ask(at, path[1:])
	case at.Kind() == reflect.String:
		at.SetString("x")
	case at.Kind() == reflect.Bool:
		at.SetBool(true)
	case at.CanInt():
		at.SetInt(1)
	case at.CanFloat():
		at.SetFloat(1)
	case at.Kind() == reflect.Struct: // something in it
		for i := range at.NumField() {
			if at.Type().Field(i).IsExported() {
				ask(at, []string{at.Type().Field(i).Name})
				return
			}
		}
	}
}
