package ecs

import (
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// Each setting of a container changes what the scheduler is told, or is
// refused, or is on the list of those without effect: none is only echoed.
func TestEachSettingOfAContainerHasAnEffect(t *testing.T) {
	s, _ := newFace(t)
	face := New(s.ecs, s.tasks, Exec{}, s.place)
	register := func(family string, change func(*types.ContainerDefinition)) ([]model.ContainerDefinition, error) {
		in := definition(func(in *ecs.RegisterTaskDefinitionInput) {
			in.Family = &family
			change(&in.ContainerDefinitions[0])
		})
		if _, err := through(t, s, "RegisterTaskDefinition", s.registerTaskDefinition, in); err != nil {
			return nil, err
		}
		def, _ := s.ecs.TaskDefinition(family)
		return def.Containers, nil
	}
	base, err := register("base", func(*types.ContainerDefinition) {})
	if err != nil {
		t.Fatal(err)
	}
	c := reflect.TypeFor[types.ContainerDefinition]()
	for i := range c.NumField() {
		field := c.Field(i)
		kept := slices.ContainsFunc(face.Kept, func(k wire.Setting) bool { return k.Of == c && k.Field == field.Name })
		if !field.IsExported() || kept {
			continue
		}
		effect := false
		for _, yes := range []bool{true, false} {
			got, err := register(field.Name, func(c *types.ContainerDefinition) { fill(reflect.ValueOf(c).Elem().Field(i), yes) })
			effect = effect || err != nil || !cmp.Equal(base, got)
		}
		if !effect {
			t.Errorf("%s is accepted and changes nothing", field.Name)
		}
	}
}

// fill sets a value to something that is not zero, and the first of its members;
// booleans to yes.
func fill(v reflect.Value, yes bool) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), yes)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), yes)
	case reflect.Map:
		el := reflect.New(v.Type().Elem()).Elem()
		fill(el, yes)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("key").Convert(v.Type().Key()), el)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), yes)
				return
			}
		}
	case reflect.String:
		v.SetString("disabled")
	case reflect.Bool:
		v.SetBool(yes)
	default:
		v.SetInt(9)
	}
}
