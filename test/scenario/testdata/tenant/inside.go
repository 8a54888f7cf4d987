package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// inside is what the container is like, as its program sees it.
type inside struct {
	Args     []string
	Env      map[string]string
	UID, GID int
	Dir      string
	First    string               // the first process of the pid namespace
	Limits   map[string][2]string // soft and hard, by their names in /proc
	Mounts   map[string]string    // options by mount point
	Caps     string               // the effective ones, in hexadecimal
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", home)
	mux.HandleFunc("/login/{user}/{password}", login)
	mux.HandleFunc("/inside", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(look()) })
	answer := func(path, parameter string, f func(string) (string, error)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			text, err := f(r.FormValue(parameter))
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
			fmt.Fprint(w, text)
		})
	}
	answer("/inside/read", "path", func(path string) (string, error) {
		b, err := os.ReadFile(path)
		return string(b), err
	})
	answer("/inside/write", "path", func(path string) (string, error) {
		return "written", os.WriteFile(path, []byte("written\n"), 0o644)
	})
	answer("/inside/resolve", "name", func(name string) (string, error) {
		name, at, _ := strings.Cut(name, "@") // a name server, or the one that it was told
		resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if at != "" {
				address = net.JoinHostPort(at, "53")
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}}
		found, err := resolver.LookupHost(context.Background(), name)
		return strings.Join(found, " "), err
	})
	answer("/inside/get", "url", get)
	answer("/inside/taken", "", func(string) (string, error) { return taken.text(), nil })
	answer("/inside/exit", "code", func(code string) (string, error) {
		n, err := strconv.Atoi(code)
		if err == nil {
			os.Exit(n)
		}
		return "", err
	})
	return mux
}

// home answers as the service: with its page, if it has a directory of pages;
// with 503, if it has a database that does not let it in.
func home(w http.ResponseWriter, r *http.Request) {
	if host := os.Getenv("WORDPRESS_DB_HOST"); host != "" {
		if err := accepts(host, os.Getenv("WORDPRESS_DB_USER"), os.Getenv("WORDPRESS_DB_PASSWORD")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
	}
	if dir := os.Getenv("TENANT_PAGES"); dir != "" {
		http.ServeFile(w, r, dir+"/index.html")
		return
	}
	host, _ := os.Hostname()
	fmt.Fprintf(w, "%s %s\n", host, r.Host)
}

// login is the database's answer to a password.
func login(w http.ResponseWriter, r *http.Request) {
	want := map[string]string{"root": os.Getenv("MYSQL_ROOT_PASSWORD"), os.Getenv("MYSQL_USER"): os.Getenv("MYSQL_PASSWORD")}
	if p := want[r.PathValue("user")]; p == "" || p != r.PathValue("password") {
		http.Error(w, "access denied", http.StatusForbidden)
	}
}

func get(url string) (string, error) {
	resp, err := http.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status + ": " + string(b))
	}
	return string(b), err
}

func look() inside {
	in := inside{
		Args: os.Args[1:], Env: map[string]string{}, UID: syscall.Getuid(), GID: syscall.Getgid(),
		First: strings.TrimSpace(read("/proc/1/comm")), Limits: map[string][2]string{}, Mounts: map[string]string{},
	}
	in.Dir, _ = os.Getwd()
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		in.Env[name] = value
	}
	for line := range strings.Lines(read("/proc/self/limits")) {
		if len(line) > 26 {
			if f := strings.Fields(line[26:]); len(f) > 1 {
				in.Limits[strings.TrimSpace(line[:26])] = [2]string{f[0], f[1]}
			}
		}
	}
	for line := range strings.Lines(read("/proc/self/mountinfo")) {
		if f := strings.Fields(line); len(f) > 5 {
			in.Mounts[f[4]] = f[5]
		}
	}
	for line := range strings.Lines(read("/proc/self/status")) {
		if value, ok := strings.CutPrefix(line, "CapEff:"); ok {
			in.Caps = strings.TrimSpace(value)
		}
	}
	return in
}

func read(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}
