package app

import (
	"log/slog"
	"path/filepath"

	"neargate/internal/filesystem"
)

// fileSystemsDir is where EFS's file systems lie, below the data directory.
const fileSystemsDir = "efs"

func (p *parts) openFileSystems(log *slog.Logger) (err error) {
	p.systems, err = filesystem.Open(p.db, filesystem.Config{
		Dir: filepath.Join(p.cfg.Data, fileSystemsDir), Place: p.cfg.Place,
		Networks: networks{p},
	}, log)
	return err
}
