// Package filesystem keeps EFS's file systems, with their access points and mount
// targets: each is a directory below the data directory, which tasks mount and
// which outlives them. There is no NFS: the machine's own file system is it.
//
// FileSystems is safe for concurrent use. It knows nothing of tasks.
package filesystem

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
	"neargate/internal/store"
)

// Config is what FileSystems need to be told.
type Config struct {
	Dir   string // where the file systems lie; absolute
	Place model.Place
	// Networks has the subnets and the security groups of mount targets.
	Networks networks
}

// networks is where subnets and security groups are looked up.
type networks interface {
	// Subnet returns the VPC and the availability zone of a subnet.
	Subnet(id string) (vpcID, zone string, ok bool)
	// GroupVPC returns the VPC of a security group.
	GroupVPC(id string) (vpcID string, ok bool)
}

// FileSystems are the file systems of an account and region.
type FileSystems struct {
	cfg     Config
	log     *slog.Logger
	db      *store.DB
	systems *store.Table[FileSystem]  // by ID
	points  *store.Table[AccessPoint] // by ID
	targets *store.Table[MountTarget] // by ID

	mu    sync.Mutex
	sizes map[string]size // guarded by mu; by ID
}

// FileSystem is one file system.
type FileSystem struct {
	ID, ARN, Token    string
	PerformanceMode   string
	ThroughputMode    string
	ProvisionedMiBps  float64
	Encrypted         bool
	KMSKeyID          string
	Zone              string // of a One Zone file system; "": it is regional
	Lifecycle         []Lifecycle
	Backup            string // ENABLED or DISABLED
	Policy            string // JSON; "": none
	OverwriteDisabled bool   // no replication may overwrite it
	Tags              []model.Tag
	CreatedAt         time.Time
}

// Lifecycle is when files move to another storage class; each is a word of
// AWS's, "" where the rule is about another class.
type Lifecycle struct{ ToIA, ToPrimary, ToArchive string }

// AccessPoint is a way into a file system: as a user, below a directory.
type AccessPoint struct {
	ID, ARN, Token string
	FileSystem     string
	User           *User // as whom all that comes this way acts; nil: as who they are
	Path           string
	Creation       *Creation // of the directory at Path; nil: it must be there
	Tags           []model.Tag
}

// User is a POSIX user.
type User struct {
	UID, GID int64
	Groups   []int64
}

// Creation is how the root directory of an access point is made.
type Creation struct {
	UID, GID int64
	Mode     uint32
}

// MountTarget is where a subnet reaches a file system.
type MountTarget struct {
	ID, FileSystem, Subnet, VPC, Zone string
	IP, Interface                     string
	Groups                            []string
}

// Open opens the file systems in a state. What a deletion that was cut short left
// of their directories is removed by Run.
func Open(db *store.DB, cfg Config, log *slog.Logger) (*FileSystems, error) {
	f := &FileSystems{cfg: cfg, log: log, db: db, sizes: map[string]size{}}
	var err error
	if f.systems, err = store.NewTable[FileSystem](db, "file-systems"); err != nil {
		return nil, fmt.Errorf("open the file systems: %w", err)
	}
	if f.points, err = store.NewTable[AccessPoint](db, "file-system-access-points"); err != nil {
		return nil, fmt.Errorf("open the file systems: %w", err)
	}
	if f.targets, err = store.NewTable[MountTarget](db, "file-system-mount-targets"); err != nil {
		return nil, fmt.Errorf("open the file systems: %w", err)
	}
	return f, nil
}

// dir is where a file system lies. Its ID is one of ours.
func (f *FileSystems) dir(id string) string { return filepath.Join(f.cfg.Dir, id) }

// Create makes a file system: its ID, ARN and time are set here. A token that was
// used before is FileSystemAlreadyExists.
func (f *FileSystems) Create(ctx context.Context, fs FileSystem) (FileSystem, error) {
	fs.ID, fs.CreatedAt = newID("fs-"), time.Now()
	fs.ARN = f.cfg.Place.FileSystemARN("file-system", fs.ID)
	if err := os.MkdirAll(f.cfg.Dir, 0o700); err != nil {
		return fs, fmt.Errorf("make file system: %w", err)
	}
	if err := os.Mkdir(f.dir(fs.ID), 0o755); err != nil {
		return fs, fmt.Errorf("make file system: %w", err)
	}
	err := f.db.Update(ctx, func(tx *store.Tx) error {
		t := f.systems.In(tx)
		for _, other := range t.List("") {
			if other.Token == fs.Token {
				return fault(model.Conflict, "FileSystemAlreadyExists", "File system '%s' already exists with creation token '%s'", other.ID, fs.Token)
			}
		}
		t.Put(fs.ID, fs)
		return nil
	})
	if err != nil {
		return fs, joinRemove(err, f.dir(fs.ID))
	}
	return fs, nil
}

func joinRemove(err error, dir string) error {
	if gone := os.Remove(dir); gone != nil {
		return fmt.Errorf("%w; and %w", err, gone)
	}
	return err
}

// List returns the file systems in the order of their IDs.
func (f *FileSystems) List() []FileSystem { return f.systems.List("") }

// Get returns a file system by its ID or ARN. FileSystemNotFound.
func (f *FileSystems) Get(id string) (FileSystem, error) {
	fs, ok := f.systems.Get(model.ARNTail(id, 1))
	if !ok {
		return fs, errNoFileSystem(id)
	}
	return fs, nil
}

// Change changes a file system. FileSystemNotFound.
func (f *FileSystems) Change(ctx context.Context, id string, change func(*FileSystem) error) (FileSystem, error) {
	return f.systems.Update(ctx, model.ARNTail(id, 1), func(cur FileSystem, exists bool) (FileSystem, error) {
		if !exists {
			return cur, errNoFileSystem(id)
		}
		err := change(&cur)
		return cur, err
	})
}

// newID returns an ID of AWS's form: 17 hexadecimal digits.
func newID(prefix string) string { return prefix + random.Hex(18)[1:] }

func fault(kind model.Kind, code, format string, args ...any) error {
	return model.Errorf(kind, code, format, args...)
}

func errNoFileSystem(id string) error {
	return fault(model.NotFound, "FileSystemNotFound", "File system '%s' does not exist.", id)
}
