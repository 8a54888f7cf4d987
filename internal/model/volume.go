package model

// Volume is a directory that containers of a task mount. It is the task's own,
// empty when the task starts, and gone with it, unless it is a part of an EFS file
// system.
type Volume struct {
	Name string
	EFS  *EFSVolume
	// Shared is where EFS lies, found out for each start; nil: it is the task's own.
	Shared *SharedDirectory
}

// EFSVolume is a directory of an EFS file system, as a task definition names it.
// [API_EFSVolumeConfiguration].
type EFSVolume struct {
	FileSystemID  string
	AccessPointID string // "": none
	RootDirectory string // absolute; "" is the root of the file system
}

// SharedDirectory is a directory that outlives tasks, and that several may have at
// once.
type SharedDirectory struct {
	Base string // a directory of the machine's: nothing above it may be reached
	Path string // below Base, absolute; "/" is all of it
	User *PosixUser
}

// PosixUser is as whom all files are used, whoever a process runs as. Nil is the
// process's own user.
type PosixUser struct {
	UID, GID int64
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
