package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Schema describes what a state file holds: whose it is, its tables, and how
// the records of older versions become those of today.
type Schema struct {
	// Home is the account and region whose records the file's tables hold.
	Home Scope
	// Tables are all tables that the program knows; nil knows any, each in
	// version 1, as tests of one part do.
	Tables []TableSpec
	// Strict refuses records with fields that the program does not know. A
	// test reads with it what earlier versions wrote: nothing may be lost.
	Strict bool
}

// Scope is an account, or one region of it when Region is not "".
type Scope struct {
	Account, Region string
}

// TableSpec describes one table.
type TableSpec struct {
	Name string
	// Account is set for records that belong to the whole account, such as
	// IAM's: they are the same in each of its regions.
	Account bool
	// Migrations lead from version 1 of the records to that of today, one
	// step each. The version of a table is one more than it has migrations.
	Migrations []Migration
}

// Migration makes a record of one version into one of the next. It is a pure
// function over the JSON.
type Migration func(old json.RawMessage) (json.RawMessage, error)

func (t TableSpec) version() int { return 1 + len(t.Migrations) }

// spec returns what the schema says of a table.
func (s Schema) spec(name string) (TableSpec, error) {
	if s.Tables == nil {
		return TableSpec{Name: name}, nil
	}
	i := slices.IndexFunc(s.Tables, func(t TableSpec) bool { return t.Name == name })
	if i < 0 {
		return TableSpec{}, fmt.Errorf("table %s is not in the schema", name)
	}
	return s.Tables[i], nil
}

// bucket returns the name of a table's bucket: ACCOUNT/REGION/TABLE, with "-"
// for what has no part in it.
func (s Schema) bucket(t TableSpec) []byte {
	region := s.Home.Region
	if t.Account {
		region = ""
	}
	return []byte(part(s.Home.Account) + "/" + part(region) + "/" + t.Name)
}

func part(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// ErrNewer reports that a newer version of the program wrote the state file.
var ErrNewer = errors.New("a newer version of neargate wrote this state")

// ErrElsewhere reports that a state file belongs to another account or region.
var ErrElsewhere = errors.New("state of another account or region")
