// Command guest is what the tests run inside containers. Its first argument
// says what to do.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	switch what, args := os.Args[1], os.Args[2:]; what {
	case "serve": // until SIGTERM, then exit 0
		serve()
	case "wait": // until SIGTERM, then exit 0
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("ready")
		<-stop
	case "stubborn": // ignores SIGTERM
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		time.Sleep(time.Hour)
	case "exit":
		code, _ := strconv.Atoi(args[0])
		if len(args) > 1 { // after so many milliseconds
			ms, _ := strconv.Atoi(args[1])
			time.Sleep(time.Duration(ms) * time.Millisecond)
		}
		os.Exit(code)
	case "copy": // what it reads
		_, _ = io.Copy(os.Stdout, os.Stdin)
	case "window": // its terminal's size, until "end"
		window()
	case "spawn": // two daemons that hold nothing of its own, then "wait" or "exit"
		for range 2 {
			daemon := exec.Command("/proc/self/exe", "idle")
			daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			fmt.Println("daemon", daemon.Start())
		}
		if args[0] == "wait" {
			signal.Ignore(syscall.SIGHUP, syscall.SIGTERM)
			time.Sleep(time.Hour)
		}
	case "steady": // n lines, ten each millisecond, then serve
		n, _ := strconv.Atoi(args[0])
		for i := range n {
			if i%10 == 0 {
				time.Sleep(time.Millisecond)
			}
			fmt.Println("line", i)
		}
		serve()
	case "router":
		messages, _ := strconv.Atoi(args[2])
		route(args[0], args[1], messages)
	case "print":
		for _, a := range args {
			fmt.Println(a)
		}
	case "lines": // n lines, then serve
		n, _ := strconv.Atoi(args[0])
		for i := range n {
			fmt.Println("line", i)
		}
		serve()
	case "touch":
		_ = os.WriteFile(args[0], nil, 0o644)
		serve()
	case "write": // text into a file, then end with what came of it
		if err := os.WriteFile(args[0], []byte(args[1]), 0o644); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "read": // the content of a file as a line
		text, err := os.ReadFile(args[0])
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(string(text))
	case "count": // how often it has been started in its root file system, then end with that
		f, err := os.OpenFile("/starts", os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			fmt.Println(err)
			os.Exit(100)
		}
		_, _ = f.WriteString("x")
		info, _ := f.Stat()
		fmt.Println("start", info.Size())
		os.Exit(int(info.Size()))
	case "signal": // waits for any and prints it
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGUSR1, syscall.Signal(37))
		fmt.Println("ready")
		fmt.Println(<-stop)
	case "processes": // what runs beside it: pid, user, command line
		processes()
		writeProgram()
	case "orphan": // leaves a child behind that ends at once, one that stays, and waits
		orphan()
	case "fork-at-end": // until SIGTERM, then leaves a child behind in a session of its own, and ends
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Println("ready")
		<-stop
		leave("stubborn", args[0])
	case "leave": // a grandchild, so that its parent is gone
		leave(args...)
	case "input": // whether standard input has ended, and what the files are
		input()
	case "list": // what is below a directory: mode, owner, name
		list(args[0])
	case "have": // exits 0 when the file is there
		if _, err := os.Stat(args[0]); err != nil {
			os.Exit(1)
		}
	case "confined": // exits 0 when filter and no_new_privs are in force
		status, _ := os.ReadFile("/proc/self/status")
		if !strings.Contains(string(status), "Seccomp:\t2") || !strings.Contains(string(status), "NoNewPrivs:\t1") ||
			!strings.Contains(string(status), "CapEff:\t00000000a80425fb") {
			os.Exit(1)
		}
	case "label": // exits 0 when this is what confines it
		if label() != args[0] {
			os.Exit(1)
		}
	case "restricted": // prints what AppArmor leaves to root
		restricted()
	case "eat": // memory without end
		var kept [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := range b {
				b[i] = 1
			}
			kept = append(kept, b)
		}
	case "fill": // so many MiB of disk, then idle
		fill(args[0])
	case "hide": // so many MiB of disk where they are hard to find, then idle
		hide(args[0], args[1])
	case "litter": // so many empty files, then idle
		litter(args[0])
	case "spin":
		for {
		}
	case "idle": // until it is ended; it needs no port and no CPU
		time.Sleep(time.Hour)
	case "inspect":
		inspect()
	case "fetch": // the answer of a URL, tried for a while
		fetch(args[0])
	}
}

func window() {
	changes, ends := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(changes, syscall.SIGWINCH)
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan() && lines.Text() != "end"; {
		}
		close(ends)
	}()
	for {
		var size struct{ rows, columns, x, y uint16 }
		_, _, e := syscall.Syscall(syscall.SYS_IOCTL, 0, syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
		if e != 0 {
			fmt.Println("no terminal")
			return
		}
		fmt.Println(size.rows, size.columns)
		select {
		case <-changes:
		case <-ends:
			return
		}
	}
}

// label is the AppArmor profile that confines this process, and its mode.
func label() string {
	data, err := os.ReadFile("/proc/self/attr/apparmor/current")
	if err != nil {
		data, err = os.ReadFile("/proc/self/attr/current")
	}
	if err != nil {
		return err.Error()
	}
	return strings.TrimRight(string(data), "\n\x00")
}

func restricted() {
	fmt.Println("label", label())
	for _, name := range []string{"/proc/version", "/proc/tty/drivers"} {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		fmt.Println("write", err)
		_ = f.Close()
	}
	f, err := os.OpenFile("/proc/self/comm", os.O_WRONLY, 0)
	fmt.Println("own", err)
	_ = f.Close()
	runtime.LockOSThread() // the tracer is a thread
	child := exec.Command("/proc/self/exe", "idle")
	fmt.Println("exec", child.Start())
	var status syscall.WaitStatus
	fmt.Println("attach", syscall.PtraceAttach(child.Process.Pid))
	_, err = syscall.Wait4(child.Process.Pid, &status, 0, nil)
	fmt.Println("traced", err, status.Stopped())
	fmt.Println("detach", syscall.PtraceDetach(child.Process.Pid))
	fmt.Println("kill", child.Process.Kill())
	fmt.Println("end", child.Wait())
}

func fill(mib string) {
	n, _ := strconv.Atoi(mib)
	f, err := os.Create("/filled")
	if err != nil {
		fmt.Println(err)
		return
	}
	block := make([]byte, 1<<20)
	for i := range int64(n) {
		var err error = syscall.EINTR // by which the Go runtime's own signals end it
		for errors.Is(err, syscall.EINTR) {
			err = syscall.Fallocate(int(f.Fd()), 0, i<<20, 1<<20)
		}
		if errors.Is(err, syscall.EOPNOTSUPP) {
			_, err = f.WriteAt(block, i<<20)
		}
		if err != nil {
			fmt.Println("full after", i, "MiB:", err)
			break
		}
		time.Sleep(time.Millisecond / 2)
	}
	fmt.Println("filled")
	time.Sleep(time.Hour)
}

func hide(how, mib string) {
	if how == "deep" {
		for range 1500 { // a path still has room for them
			if os.Mkdir("d", 0o755) != nil || os.Chdir("d") != nil {
				break
			}
		}
	}
	n, _ := strconv.Atoi(mib)
	f, err := os.Create("hidden")
	if err != nil {
		fmt.Println(err)
		return
	}
	if how == "unlinked" {
		_ = os.Remove("hidden")
	}
	for i := range int64(n) {
		if err := syscall.Fallocate(int(f.Fd()), 0, i<<20, 1<<20); err != nil {
			fmt.Println("full after", i, "MiB:", err)
			break
		}
		time.Sleep(time.Millisecond / 2)
	}
	time.Sleep(time.Hour)
}

func litter(files string) {
	n, _ := strconv.Atoi(files)
	for i := range n {
		if err := os.WriteFile("/file-"+strconv.Itoa(i), nil, 0o600); err != nil {
			fmt.Println("full after", i, "files:", err)
			break
		}
		time.Sleep(time.Millisecond / 2)
	}
	fmt.Println("littered")
	time.Sleep(time.Hour)
}

func processes() {
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		line, _ := os.ReadFile("/proc/" + e.Name() + "/cmdline")
		info, err := os.Stat("/proc/" + e.Name())
		if err != nil {
			continue
		}
		stat, _ := os.ReadFile("/proc/" + e.Name() + "/stat")
		_, after, _ := strings.Cut(string(stat), ") ")
		state, _, _ := strings.Cut(after, " ")
		root, err := os.ReadDir("/proc/" + e.Name() + "/root")
		fmt.Println(e.Name(), info.Sys().(*syscall.Stat_t).Uid, strings.ReplaceAll(string(line), "\x00", " "), state, "root:", err, root)
	}
}

func writeProgram() {
	f, err := os.OpenFile("/proc/1/exe", os.O_WRONLY, 0)
	fmt.Println("write the first one's program:", err)
	_ = f.Close()
}

// leave starts the guest again, which does not end with this process.
func leave(args ...string) {
	child := exec.Command("/proc/self/exe", args...)
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		fmt.Println(err)
	}
}

func orphan() {
	for _, what := range []string{"exit", "idle"} {
		if err := exec.Command("/proc/self/exe", "leave", what, "0").Run(); err != nil {
			fmt.Println(err)
		}
	}
	for range 300 { // until whoever has the one that has ended reaps it
		zombies := 0
		stats, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, s := range stats {
			text, _ := os.ReadFile(s)
			if strings.Contains(string(text), ") Z ") {
				zombies++
			}
		}
		if zombies == 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	processes()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	fmt.Println("ready")
	<-stop
	os.Exit(7)
}

func input() {
	ended := make(chan error, 1)
	go func() {
		_, err := os.Stdin.Read(make([]byte, 1))
		ended <- err
	}()
	select {
	case err := <-ended:
		fmt.Println("input ended:", err)
	case <-time.After(300 * time.Millisecond):
		fmt.Println("input is open")
	}
	for fd := range 3 {
		to, _ := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
		fmt.Println(fd, to)
	}
	fmt.Fprintln(os.Stderr, "to standard error")
}

func list(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			fmt.Println(err)
			return nil
		}
		info, err := d.Info()
		if err != nil {
			fmt.Println(err)
			return nil
		}
		st := info.Sys().(*syscall.Stat_t)
		fmt.Println(info.Mode(), st.Uid, st.Gid, path)
		return nil
	})
}

func serve() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	l, err := net.Listen("tcp", ":8080")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() {
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, "Hello from %s!", os.Getenv("HOSTNAME"))
		}))
	}()
	<-stop
}

func fetch(url string) {
	for range 200 {
		r, err := http.Get(url)
		if err == nil {
			fmt.Println("status", r.StatusCode)
			_, _ = io.Copy(os.Stdout, r.Body)
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	os.Exit(1)
}

// inspect prints what the tests look at.
func inspect() {
	name, _ := os.Hostname()
	fmt.Println("hostname", name)
	fmt.Println("env", os.Getenv("HOSTNAME"), os.Getenv("FROM_IMAGE"), os.Getenv("FROM_TASK"), os.Getenv("HOME"))
	cwd, _ := os.Getwd()
	fmt.Println("cwd", cwd)
	fmt.Println("ids", os.Getpid(), os.Getuid(), os.Getgid())
	groups, _ := os.Getgroups()
	fmt.Println("groups", groups)
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		for _, key := range []string{"CapEff", "CapBnd", "NoNewPrivs", "Seccomp:"} {
			if strings.HasPrefix(line, key) {
				fmt.Println(strings.Join(strings.Fields(line), " "))
			}
		}
	}
	fmt.Println("unshare", syscall.Unshare(syscall.CLONE_NEWUSER))
	fmt.Println("mount", syscall.Mount("none", "/tmp", "tmpfs", 0, ""))
	_, _, e := syscall.Syscall(syscall.SYS_ADD_KEY, 0, 0, 0)
	fmt.Println("add_key", e == syscall.EPERM)
	fmt.Println("write proc", os.WriteFile("/proc/sys/kernel/hostname", []byte("x"), 0))
	fmt.Println("write sys", os.WriteFile("/sys/kernel/profiling", []byte("x"), 0))
	kcore, err := os.ReadFile("/proc/timer_list")
	fmt.Println("masked", len(kcore), err)
	fmt.Println("write root", os.WriteFile("/file", nil, 0o600))
	for _, name := range []string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"} {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		fmt.Println("write", name, err)
		_ = f.Close()
	}
	for _, dev := range []string{"/dev/null", "/dev/zero", "/dev/urandom", "/dev/shm", "/dev/pts", "/dev/sda", "/dev/kmsg"} {
		_, err := os.Stat(dev)
		fmt.Println(dev, err == nil)
	}
	fmt.Println("device", syscall.Mknod("/tmp-device", syscall.S_IFBLK|0o600, 1<<8) == nil, open("/tmp-device"))
	hosts, _ := os.ReadFile("/etc/hosts")
	fmt.Println("hosts", strings.Contains(string(hosts), name), strings.Contains(string(hosts), "localhost"))
	resolv, err := os.ReadFile("/etc/resolv.conf")
	fmt.Println("resolv", err, len(resolv) > 0)
	var lim syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim)
	fmt.Println("nofile", lim.Cur > 1024, lim.Max)
	_ = syscall.Getrlimit(8, &lim) // RLIMIT_MEMLOCK
	fmt.Println("memlock", lim.Cur)
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		to, err := os.Readlink("/proc/self/fd/" + fd.Name())
		if err == nil {
			fmt.Println("fd", fd.Name(), to)
		}
	}
	entries, _ := os.ReadDir("/proc")
	procs := 0
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err == nil {
			procs++
		}
	}
	fmt.Println("processes", procs)
	links, _ := net.Interfaces()
	for _, l := range links {
		fmt.Println("link", l.Name, l.Flags&net.FlagUp != 0)
	}
}

func open(path string) error {
	f, err := os.Open(path)
	if err == nil {
		_ = f.Close()
	}
	return err
}
