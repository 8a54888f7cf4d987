// Command tenant stands in for the programs of examples/services: it behaves as
// they do towards those around them, and shows what it was given from inside.
// It is its images' shell, too, as far as health checks need one.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

func main() {
	if err := run(filepath.Base(os.Args[0]), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(name string, args []string) error {
	switch name {
	case "sh":
		return shell(strings.Join(args, " "))
	case "healthcheck":
		return answers(argument(args, "--url"))
	}
	return serve(args)
}

// serve is the service: it starts as slowly as TENANT_DELAY tells it to, writes
// the files that its arguments name, and answers at TENANT_LISTEN until SIGTERM.
func serve(args []string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Println("started with", args)
	if delay, err := time.ParseDuration(os.Getenv("TENANT_DELAY")); err == nil {
		select {
		case <-stop:
			return errors.New("stopped before it was up")
		case <-time.After(delay):
		}
	}
	if dir := argument(args, "--into"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("content of the sidecar\n"), 0o644); err != nil {
			return err
		}
	}
	if file := argument(args, "--done"); file != "" {
		return os.WriteFile(file, []byte("done\n"), 0o644)
	}
	if path := os.Getenv("TENANT_TAKES"); path != "" {
		if err := take(path); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", os.Getenv("TENANT_LISTEN"))
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- http.Serve(l, handler()) }()
	select {
	case err := <-failed:
		return err
	case <-stop:
		fmt.Println("stopped")
		return nil
	}
}

// argument returns what follows a flag.
func argument(args []string, flag string) string {
	for i, a := range args {
		if a == flag && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

// shell does what the health checks of the definitions ask of a shell.
func shell(command string) error {
	words := strings.Fields(strings.TrimPrefix(command, "-c "))
	for i, w := range words {
		switch {
		case strings.HasPrefix(w, "http://"):
			return answers(w)
		case w == "test" && words[i+1] == "-f":
			_, err := os.Stat(words[i+2])
			return err
		case w == "mysqladmin":
			return accepts("127.0.0.1:3306", "root", os.Getenv("MYSQL_ROOT_PASSWORD"))
		case w == "redis-cli":
			return answers("http://127.0.0.1:6379/")
		}
	}
	return fmt.Errorf("sh: %q is no command of this shell", command)
}

// answers returns an error unless a URL answers 200.
func answers(url string) error {
	resp, err := (&http.Client{Timeout: 3 * time.Second}).Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return nil
}

// accepts returns an error unless the database at an address takes a password.
func accepts(address, user, password string) error {
	return answers("http://" + address + "/login/" + user + "/" + password)
}
