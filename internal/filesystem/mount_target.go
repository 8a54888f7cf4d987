package filesystem

import (
	"context"
	"slices"

	"neargate/internal/model"
	"neargate/internal/store"
)

// CreateMountTarget lets a subnet reach a file system. FileSystemNotFound,
// SubnetNotFound, SecurityGroupNotFound, MountTargetConflict.
func (f *FileSystems) CreateMountTarget(ctx context.Context, t MountTarget) (MountTarget, error) {
	var ok bool
	if t.VPC, t.Zone, ok = f.cfg.Networks.Subnet(t.Subnet); !ok {
		return t, fault(model.Invalid, "SubnetNotFound", "The subnet ID '%s' does not exist", t.Subnet)
	}
	if err := f.checkGroups(t.Groups, t.VPC); err != nil {
		return t, err
	}
	t.ID, t.Interface = newID("fsmt-"), newID("eni-")
	err := f.db.Update(ctx, func(tx *store.Tx) error {
		fs, ok := f.systems.In(tx).Get(model.ARNTail(t.FileSystem, 1))
		if !ok {
			return errNoFileSystem(t.FileSystem)
		}
		t.FileSystem = fs.ID
		all := f.targets.In(tx)
		for _, other := range all.List("") {
			if other.FileSystem == fs.ID && other.Zone == t.Zone {
				return fault(model.Conflict, "MountTargetConflict", "mount target already exists in this AZ")
			}
		}
		all.Put(t.ID, t)
		return nil
	})
	return t, err
}

// checkGroups refuses security groups that the mount target's VPC does not have.
func (f *FileSystems) checkGroups(ids []string, vpcID string) error {
	for _, id := range ids {
		if of, ok := f.cfg.Networks.GroupVPC(id); !ok || of != vpcID {
			return fault(model.Invalid, "SecurityGroupNotFound", "The security group '%s' does not exist", id)
		}
	}
	return nil
}

// MountTargets returns those of a file system, "" for all, in the order of their
// IDs.
func (f *FileSystems) MountTargets(fileSystem string) []MountTarget {
	return slices.DeleteFunc(f.targets.List(""), func(t MountTarget) bool { return fileSystem != "" && t.FileSystem != fileSystem })
}

// MountTarget returns a mount target. MountTargetNotFound.
func (f *FileSystems) MountTarget(id string) (MountTarget, error) {
	t, ok := f.targets.Get(id)
	if !ok {
		return t, errNoMountTarget(id)
	}
	return t, nil
}

// SetGroups changes the security groups of a mount target. MountTargetNotFound,
// SecurityGroupNotFound.
func (f *FileSystems) SetGroups(ctx context.Context, id string, groups []string) error {
	_, err := f.targets.Update(ctx, id, func(cur MountTarget, exists bool) (MountTarget, error) {
		if !exists {
			return cur, errNoMountTarget(id)
		}
		cur.Groups = groups
		return cur, f.checkGroups(groups, cur.VPC)
	})
	return err
}

// DeleteMountTarget takes the way to a file system from a subnet; tasks that have
// it mounted keep it. MountTargetNotFound.
func (f *FileSystems) DeleteMountTarget(ctx context.Context, id string) error {
	return f.db.Update(ctx, func(tx *store.Tx) error {
		if !f.targets.In(tx).Delete(id) {
			return errNoMountTarget(id)
		}
		return nil
	})
}

func errNoMountTarget(id string) error {
	return fault(model.NotFound, "MountTargetNotFound", "Mount target '%s' does not exist.", id)
}
