// Package layer unpacks one layer of an image into a directory that overlayfs
// can use as a lower one.
//
// Whoever may push an image writes what a layer holds, so no process of the
// server reads it. Unpack starts a process for each layer, which is this same
// program (Dispatch), sees nothing of the machine but the directory that it
// fills, has no network, no devices and few rights (confine.go), and is killed
// when its caller's context or the server ends. It gets the layer's bytes by a
// pipe and sends back a Result: what it could not do itself, as that takes a
// look at the layers beneath or rights that it does not have. Complete does
// that, without following any link.
//
// What becomes of a layer's entries:
//
//   - Files, directories, symbolic and hard links are made as they stand, also
//     through symbolic links of the layer, which lead nowhere outside it.
//   - Pipes are made, as Docker makes them.
//   - Whiteouts become those of overlayfs.
//   - Devices are left out, as by engines without the rights to make them:
//     containers have a /dev of their own.
//   - Attributes other than user.* and security.capability are left out.
//   - Holes and long runs of zeros take no room on disk, but count for the limit.
//
// The package knows no registry and no digest but that of the unpacked content.
package layer

import (
	"os"
)

// Argument is the hidden first argument of a process that unpacks a layer.
const Argument = "layer-unpack"

// Dispatch turns this process into one that unpacks a layer, when its arguments
// say so, and then does not return. main calls it before anything else, and so
// does TestMain of every package whose tests unpack. install puts a seccomp
// program on all threads of the process.
func Dispatch(install func(program []byte) error) {
	if len(os.Args) == 2 && os.Args[1] == Argument {
		os.Exit(child(install)) //nolint:forbidigo // a process of its own, which main handed over
	}
}

// Limits bound what a layer may hold.
type Limits struct {
	Bytes   int64 // of its files together, holes included; also of the tar
	Entries int   // files, directories, links and whiteouts
	// FreeBytes stay free on the file system, or 5 % of it where that is less.
	FreeBytes int64
}

// Job is a layer to unpack.
type Job struct {
	Dir    string // an empty directory; absolute
	Limits Limits
	Filter []byte // seccomp program for the process; nil: none
}

// Result is what a layer turned out to be.
type Result struct {
	DiffID  string   // digest of the tar
	Bytes   int64    // of the tar
	Opaque  []string // directories that hide what lies beneath them
	Implied []string // directories that no entry describes, parents first
}
