package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"neargate/internal/store/boltfile"
	"neargate/internal/store/durable"
)

// Repaired describes what Repair has made of a state file.
type Repaired struct {
	Aside  string    // where the damaged file is now; "" if it was whole
	Copied time.Time // when the copy that stood in was made; zero: there is none
	Tables []RepairedTable
}

// RepairedTable is what is left of one table.
type RepairedTable struct {
	Name    string
	Records int
	Source  Source
}

// Source is where a table's records were found.
type Source string

// The sources of a repaired table.
const (
	FromFile Source = "the damaged file"
	FromCopy Source = "the copy"
	FromPart Source = "what could be read of the damaged file"
)

// ErrNothingLeft reports that neither a state file nor its copy has a record.
var ErrNothingLeft = errors.New("nothing is left to restore from")

// Repair makes a good state file of a damaged one and its copy. A table that can
// be read whole is kept as it is; another comes from the copy; without one, what
// can be read of it stays. The damaged file is put aside. A file that is whole is
// left alone. Errors: ErrLocked, ErrNewer, ErrElsewhere, ErrNothingLeft.
func (s Schema) Repair(path string) (Repaired, error) {
	err := s.Examine(path)
	if _, damaged := errors.AsType[*Damaged](err); !damaged && !errors.Is(err, fs.ErrNotExist) {
		return Repaired{}, err
	}
	if home, err := s.HomeOf(path); err == nil && home != s.Home {
		return Repaired{}, elsewhere(home, s.Home)
	}
	var r Repaired
	spare := CopyOf(path)
	haveCopy := boltfile.VerifyFile(spare) == nil
	if info, err := os.Stat(spare); err == nil && haveCopy {
		r.Copied = info.ModTime()
	}
	tables := map[string]map[string][]byte{}
	left := 0
	for _, t := range s.Tables {
		records, err := s.salvage(path, t)
		source := FromFile
		if err != nil && haveCopy {
			records, _ = s.salvage(spare, t) // the copy is whole; it may lack the table
			source = FromCopy
		} else if err != nil && !errors.Is(err, errNoBucket) {
			source = FromPart
		}
		tables[string(s.bucket(t))] = records
		left += len(records)
		r.Tables = append(r.Tables, RepairedTable{t.Name, len(records), source})
	}
	if left == 0 {
		return Repaired{}, fmt.Errorf("repair %s: %w", path, ErrNothingLeft)
	}
	r.Aside = fmt.Sprintf("%s.damaged-%d", path, time.Now().Unix())
	if err := s.replace(path, r.Aside, tables); err != nil {
		return Repaired{}, fmt.Errorf("repair %s: %w", path, err)
	}
	return r, nil
}

// Examine reports whether a state file is whole and can be opened, and changes
// nothing. Errors: fs.ErrNotExist, ErrLocked, ErrNewer, ErrElsewhere, *Damaged.
func (s Schema) Examine(path string) error {
	f, err := boltfile.Open(path, bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		return err
	}
	err = f.Verify()
	if err == nil {
		err = f.View(func(tx *bolt.Tx) error {
			h, err := readHeader(tx)
			if err != nil {
				return err
			}
			return s.fits(tx, h)
		})
	}
	for _, t := range s.Tables {
		if err != nil {
			break
		}
		if _, err = s.salvage(path, t); errors.Is(err, errNoBucket) {
			err = nil // nothing has been written to it
		}
	}
	return errors.Join(err, f.Close())
}

// HomeOf returns the account and region of a state: the schema's, unless there are
// records of another and none of these. A state file that is damaged is asked
// after its copy. Errors: those of Examine.
func (s Schema) HomeOf(path string) (Scope, error) {
	home, err := s.homeIn(boltfile.Open(path, bolt.Options{ReadOnly: true, PreLoadFreelist: true}))
	if _, damaged := errors.AsType[*Damaged](err); !damaged && !errors.Is(err, fs.ErrNotExist) {
		return home, err
	}
	if home, spareErr := s.homeIn(boltfile.Open(CopyOf(path), bolt.Options{ReadOnly: true, PreLoadFreelist: true})); spareErr == nil {
		return home, nil
	}
	return s.homeIn(boltfile.OpenDamaged(path))
}

// homeIn is HomeOf one file, which it closes.
func (s Schema) homeIn(f *boltfile.File, err error) (Scope, error) {
	if err != nil {
		return s.Home, err
	}
	home := s.Home
	err = f.View(func(tx *bolt.Tx) error {
		if other, ok := s.other(tx); ok {
			home = other
		}
		return nil
	})
	return home, errors.Join(err, f.Close())
}

// salvage reads a table's records, in today's version, as far as that is
// possible; the error says why that is not all of them. Errors: errNoBucket,
// *Damaged.
func (s Schema) salvage(path string, t TableSpec) (map[string][]byte, error) {
	records := map[string][]byte{}
	f, err := boltfile.OpenDamaged(path)
	if err != nil {
		return records, err
	}
	defer func() { _ = f.Close() }()
	err = f.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(s.bucket(t))
		if h, err := readHeader(tx); b == nil && err == nil && h.Format == 1 {
			b = tx.Bucket([]byte(t.Name))
		}
		if b == nil {
			return errNoBucket
		}
		last := ""
		return b.ForEach(func(k, v []byte) error {
			data, err := t.migrate(v)
			if err != nil {
				return fmt.Errorf("record %q: %w", k, err)
			}
			if string(k) <= last && last != "" { // a page that leads back
				return errors.New("records are not in order")
			}
			last = string(k)
			records[last] = data
			return nil
		})
	})
	if _, ok := errors.AsType[*Damaged](err); err != nil && !ok && !errors.Is(err, errNoBucket) {
		err = &Damaged{Path: path, Err: fmt.Errorf("table %s: %w", t.Name, err)}
	}
	return records, err
}

// errNoBucket reports that a file has no bucket of a table: nothing has been
// written to it, or the bucket is lost.
var errNoBucket = errors.New("the table is not there")

// replace puts the file at path aside and one with these tables in its place.
func (s Schema) replace(path, aside string, tables map[string]map[string][]byte) error {
	fresh := path + ".repaired"
	if err := errors.Join(os.RemoveAll(fresh), boltfile.Create(fresh)); err != nil {
		return err
	}
	f, err := boltfile.Open(fresh, bolt.Options{})
	if err != nil {
		return err
	}
	err = f.Update(func(tx *bolt.Tx) error {
		header, err := json.Marshal(s.header(header{}))
		if err != nil {
			return err
		}
		tables[metaBucket] = map[string][]byte{headerKey: header}
		for name, records := range tables {
			if err := fill(tx, []byte(name), records); err != nil {
				return err
			}
		}
		return nil
	})
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(path))
}

// fill writes a new bucket of records.
func fill(tx *bolt.Tx, name []byte, records map[string][]byte) error {
	b, err := tx.CreateBucket(name)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(records)) {
		if err := b.Put([]byte(key), records[key]); err != nil {
			return err
		}
	}
	return nil
}
