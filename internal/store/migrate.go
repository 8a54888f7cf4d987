package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// fileFormat is how tables lie in the file. In format 1 each table was a bucket
// named like it; from 2 on it is one of an account and region, and the bucket
// "meta" holds a header.
const fileFormat = 2

const (
	metaBucket = "meta"
	headerKey  = "header"
)

// header is what the file says of itself.
type header struct {
	Format int            `json:"format"`
	Tables map[string]int `json:"tables"` // the version of each table's records
}

// stored is a record as it lies in the file.
type stored struct {
	V     int             `json:"v"`
	Value json.RawMessage `json:"value"`
}

// migrate brings the file to today's format and versions, all or nothing.
func (db *DB) migrate() error {
	var now header
	var old int
	err := db.file.View(func(tx *bolt.Tx) (err error) {
		if now, err = readHeader(tx); err == nil {
			err = db.schema.fits(tx, now)
		}
		old = now.Format
		return err
	})
	want := db.schema.header(now)
	if err != nil || now.Format == want.Format && maps.Equal(now.Tables, want.Tables) {
		return err
	}
	if old > 0 {
		if err := db.file.Copy(fmt.Sprintf("%s.before-%d", db.path, old)); err != nil {
			return fmt.Errorf("copy the state before it is migrated: %w", err)
		}
	}
	return db.file.Update(func(tx *bolt.Tx) error { return db.schema.rewrite(tx, now, want) })
}

// readHeader returns what the file says of itself; format 0 is a new file.
func readHeader(tx *bolt.Tx) (header, error) {
	var h header
	meta := tx.Bucket([]byte(metaBucket))
	if meta == nil {
		if first, _ := tx.Cursor().First(); first == nil {
			return header{}, nil
		}
		return header{Format: 1}, nil
	}
	if err := json.Unmarshal(meta.Get([]byte(headerKey)), &h); err != nil {
		return h, &Damaged{Path: tx.DB().Path(), Err: fmt.Errorf("header: %w", err)}
	}
	return h, nil
}

// header returns the header of a file in today's versions.
func (s Schema) header(now header) header {
	h := header{Format: fileFormat, Tables: map[string]int{}}
	for _, t := range s.Tables {
		h.Tables[t.Name] = t.version()
	}
	if s.Tables == nil {
		maps.Copy(h.Tables, now.Tables)
	}
	return h
}

// fits reports whether this program can work with the file.
func (s Schema) fits(tx *bolt.Tx, h header) error {
	if h.Format > fileFormat {
		return fmt.Errorf("%w (format %d; this one reads up to %d)", ErrNewer, h.Format, fileFormat)
	}
	if s.Tables == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(h.Tables)) {
		spec, err := s.spec(name)
		if err != nil {
			return fmt.Errorf("%w (it has a table %s)", ErrNewer, name)
		}
		if v := h.Tables[name]; v > spec.version() {
			return fmt.Errorf("%w (table %s has version %d; this one reads up to %d)", ErrNewer, name, v, spec.version())
		}
	}
	if h.Format < fileFormat {
		return nil
	}
	return s.athome(tx)
}

var errStop = errors.New("enough")

// athome refuses a file that has records, but none of this account and region.
func (s Schema) athome(tx *bolt.Tx) error {
	if other, ok := s.other(tx); ok {
		return elsewhere(other, s.Home)
	}
	return nil
}

func elsewhere(is, wanted Scope) error {
	return fmt.Errorf("%w: it is of %s/%s, not of %s/%s", ErrElsewhere, is.Account, is.Region, part(wanted.Account), part(wanted.Region))
}

// other returns an account and region that the file has records of; ok is false
// where there are none, or some of this account and region.
func (s Schema) other(tx *bolt.Tx) (other Scope, ok bool) {
	home := part(s.Home.Account) + "/" + part(s.Home.Region)
	err := tx.ForEach(func(name []byte, b *bolt.Bucket) error {
		account, rest, _ := strings.Cut(string(name), "/")
		region, _, ok := strings.Cut(rest, "/")
		switch {
		case !ok || region == "-" && account == part(s.Home.Account):
		case account+"/"+region == home:
			return errStop
		case b.Stats().KeyN > 0:
			other = Scope{account, region}
		}
		return nil
	})
	return other, err == nil && other != Scope{} // errStop: there are records of this account and region
}

// rewrite brings every record to the wanted version, and every table to its
// place.
func (s Schema) rewrite(tx *bolt.Tx, now, want header) error {
	for _, t := range s.Tables {
		from, to := s.bucket(t), s.bucket(t)
		if now.Format == 1 {
			from = []byte(t.Name)
		}
		if err := t.rewrite(tx, from, to); err != nil {
			return fmt.Errorf("migrate table %s: %w", t.Name, err)
		}
	}
	if now.Format == 1 {
		if err := s.unknown(tx); err != nil {
			return err
		}
	}
	meta, err := tx.CreateBucketIfNotExists([]byte(metaBucket))
	if err != nil {
		return err
	}
	data, err := json.Marshal(want)
	if err != nil {
		return err
	}
	return meta.Put([]byte(headerKey), data)
}

// unknown refuses a file of format 1 with a table that the program lacks.
func (s Schema) unknown(tx *bolt.Tx) error {
	if s.Tables == nil {
		return nil
	}
	return tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
		if !bytes.Contains(name, []byte("/")) {
			return fmt.Errorf("%w (it has a table %s)", ErrNewer, name)
		}
		return nil
	})
}

// rewrite moves a table's records from one bucket to another, or leaves them
// where they are, each in today's version.
func (t TableSpec) rewrite(tx *bolt.Tx, from, to []byte) error {
	b := tx.Bucket(from)
	if b == nil {
		return nil
	}
	records := map[string][]byte{}
	err := b.ForEach(func(k, v []byte) error {
		data, err := t.migrate(v)
		if err != nil {
			return fmt.Errorf("record %q: %w", k, err)
		}
		records[string(k)] = data
		return nil
	})
	if err != nil {
		return err
	}
	if err := tx.DeleteBucket(from); err != nil {
		return err
	}
	return fill(tx, to, records)
}

// migrate returns a record in today's version.
func (t TableSpec) migrate(data []byte) ([]byte, error) {
	var r stored
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if r.V < 1 || r.V > t.version() {
		return nil, fmt.Errorf("%w (version %d)", ErrNewer, r.V)
	}
	for ; r.V < t.version(); r.V++ {
		next, err := t.Migrations[r.V-1](r.Value)
		if err != nil {
			return nil, fmt.Errorf("from version %d: %w", r.V, err)
		}
		r.Value = next
	}
	return json.Marshal(r)
}
