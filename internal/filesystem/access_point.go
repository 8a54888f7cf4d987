package filesystem

import (
	"context"
	"slices"

	"neargate/internal/model"
	"neargate/internal/store"
)

// CreateAccessPoint makes an access point of a file system: its ID and ARN are set
// here. FileSystemNotFound, AccessPointAlreadyExists.
func (f *FileSystems) CreateAccessPoint(ctx context.Context, p AccessPoint) (AccessPoint, error) {
	p.ID = newID("fsap-")
	p.ARN = f.cfg.Place.FileSystemARN("access-point", p.ID)
	err := f.db.Update(ctx, func(tx *store.Tx) error {
		fs, ok := f.systems.In(tx).Get(model.ARNTail(p.FileSystem, 1))
		if !ok {
			return errNoFileSystem(p.FileSystem)
		}
		p.FileSystem = fs.ID
		t := f.points.In(tx)
		for _, other := range t.List("") {
			if other.Token == p.Token {
				return fault(model.Conflict, "AccessPointAlreadyExists", "Access point '%s' already exists with client token '%s'", other.ID, p.Token)
			}
		}
		t.Put(p.ID, p)
		return nil
	})
	return p, err
}

// AccessPoints returns those of a file system, "" for all, in the order of their
// IDs.
func (f *FileSystems) AccessPoints(fileSystem string) []AccessPoint {
	return slices.DeleteFunc(f.points.List(""), func(p AccessPoint) bool { return fileSystem != "" && p.FileSystem != fileSystem })
}

// AccessPoint returns an access point by its ID or ARN. AccessPointNotFound.
func (f *FileSystems) AccessPoint(id string) (AccessPoint, error) {
	p, ok := f.points.Get(model.ARNTail(id, 1))
	if !ok {
		return p, errNoAccessPoint(id)
	}
	return p, nil
}

// TagAccessPoint changes the tags of an access point. AccessPointNotFound.
func (f *FileSystems) TagAccessPoint(ctx context.Context, id string, change func([]model.Tag) ([]model.Tag, error)) error {
	_, err := f.points.Update(ctx, model.ARNTail(id, 1), func(cur AccessPoint, exists bool) (AccessPoint, error) {
		if !exists {
			return cur, errNoAccessPoint(id)
		}
		var err error
		cur.Tags, err = change(cur.Tags)
		return cur, err
	})
	return err
}

// DeleteAccessPoint deletes an access point; the directory that it leads to stays.
// AccessPointNotFound.
func (f *FileSystems) DeleteAccessPoint(ctx context.Context, id string) error {
	return f.db.Update(ctx, func(tx *store.Tx) error {
		if !f.points.In(tx).Delete(model.ARNTail(id, 1)) {
			return errNoAccessPoint(id)
		}
		return nil
	})
}

func errNoAccessPoint(id string) error {
	return fault(model.NotFound, "AccessPointNotFound", "Access point '%s' does not exist.", id)
}
