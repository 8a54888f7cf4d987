package rig

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// With has measure run on a server of its own, as a user runs one, and takes it and
// all that it left away. binary is the program.
func With(ctx context.Context, measure func(s *Server, binary string) error) (err error) {
	dir, err := os.MkdirTemp("", "neargate-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	binary, err := Build(ctx, dir)
	if err != nil {
		return err
	}
	s, err := Start(ctx, binary, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Remove(ctx)) }()
	return measure(s, binary)
}
