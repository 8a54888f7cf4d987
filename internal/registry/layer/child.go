package layer

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
)

// child is the whole life of a process that unpacks a layer. It returns the
// exit code.
func child(install func([]byte) error) int {
	runtime.LockOSThread() // the rights are this thread's
	var a answer
	if r, err := unpackHere(install); err != nil {
		a.Error = err.Error()
	} else {
		a.DiffID, a.Bytes = r.DiffID, r.Bytes
		for _, name := range r.Opaque {
			a.Opaque = append(a.Opaque, []byte(name))
		}
		for _, name := range r.Implied {
			a.Implied = append(a.Implied, []byte(name))
		}
	}
	out := os.NewFile(answerFD, "answer")
	if err := json.NewEncoder(out).Encode(a); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func unpackHere(install func([]byte) error) (Result, error) {
	job, err := readOrder(os.Stdin)
	if err != nil {
		return Result{}, fmt.Errorf("read order: %w", err)
	}
	if err := confine(job, install); err != nil {
		return Result{}, err
	}
	return unpackTar(os.Stdin, "/", job.Limits)
}

func readOrder(in io.Reader) (Job, error) {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return Job{}, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxOrder {
		return Job{}, errors.New("too long")
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(in, data); err != nil {
		return Job{}, err
	}
	var job Job
	return job, json.Unmarshal(data, &job)
}
