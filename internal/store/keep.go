package store

import "fmt"

// CopyOf returns where KeepCopy keeps the copy of a state file.
func CopyOf(path string) string { return path + ".good" }

// KeepCopy brings the copy of the state file up to date, unless nothing has been
// written since it last did. The copy is replaced only by one that is whole.
func (db *DB) KeepCopy() error {
	db.copyMu.Lock()
	defer db.copyMu.Unlock()
	now := db.lastCommit()
	if now == db.copied {
		return nil
	}
	if err := db.file.Copy(CopyOf(db.path)); err != nil {
		return fmt.Errorf("copy the state: %w", err)
	}
	db.copied = now
	return nil
}
