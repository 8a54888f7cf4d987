package rig

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// errShort says that a goal was not met; the page says which.
var errShort = errors.New("a goal was not met")

// Finish prints a page of results, writes it to a file if one is named, and
// fails when a goal was not met.
func Finish(w io.Writer, page, file string, short bool) error {
	fmt.Fprint(w, "\n", page)
	if file != "" {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
	}
	if short {
		return errShort
	}
	return nil
}

// Verdict is the word for a goal.
func Verdict(met bool) string {
	if met {
		return "met"
	}
	return "short"
}
