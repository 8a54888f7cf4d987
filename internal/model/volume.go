package model

// Volume is a directory that containers of a task mount. It is the task's own,
// empty when the task starts, and gone with it.
type Volume struct {
	Name string
}

// MountPoint is where a container sees a volume.
type MountPoint struct {
	Volume   string // its name
	Path     string // in the container, absolute
	ReadOnly bool
}

// VolumesFrom mounts all that another container of the task mounts, at the same
// places.
type VolumesFrom struct {
	Container string
	ReadOnly  bool // also where the other may write
}
