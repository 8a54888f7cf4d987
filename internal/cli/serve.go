package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"neargate/internal/app"
	"neargate/internal/handover"
	"neargate/internal/identity"
	"neargate/internal/runtime/local"
	"neargate/internal/store"
)

func serveCommand() *cobra.Command {
	cfg := app.Default()
	level, mode := "info", ""
	var mirrors, proxies, files []string
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server", Args: noArgs,
		Long: `Run the server until it is told to stop (Ctrl-C or SIGTERM). Tasks go on running
while the server is stopped; the next start with the same --data takes them over.
With --stop-tasks they are stopped first, and the next start makes those of services
anew; so it is where they could not outlive it, as a container's first process.
GET /_neargate/health answers 200 when the server is ready.

Who has the access key can do everything: IAM policies are kept and not enforced.
Where other machines can reach the server, it takes a certificate (--tls-cert and
--tls-key, or --tls self-signed), or --insecure. --advertise is the name that
clients use; it stands in the endpoint, in repository URIs and in the certificate.

Load balancers answer on loopback and to tasks. Those that are internet-facing
answer clients from outside too, at the addresses of --public, if their security
groups let them in; the VPC's default group lets nobody in. Internal ones do not.

Tasks send and receive what their security groups allow. Whatever those allow,
--task-reach bounds how far tasks reach: none (each other), internet (and public
addresses), lan (and private networks that this machine has a route to), all (and
this machine's own services, and link-local addresses such as 169.254.169.254).
This machine's name servers answer tasks in all but none.

Images come from this server's registry, from files (neargate image load), or from
any other registry: nginx is Docker Hub's, as everywhere. Private ones open with
a definition's repositoryCredentials, or with what docker login left in
~/.docker/config.json (or $DOCKER_CONFIG) of the server's user. HTTP_PROXY,
HTTPS_PROXY and NO_PROXY are obeyed. Plain HTTP is spoken on loopback only.`,
		Example: `  neargate serve --data /var/lib/neargate
  neargate serve --listen 0.0.0.0:4566 --advertise box.lan --tls self-signed
  neargate serve --public all        let other machines reach internet-facing load balancers
  neargate serve --timing aws-60     scale at AWS's own pace
  neargate serve --replace           take over from the server that runs, with these flags`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := newLogger(cmd.ErrOrStderr(), level)
			if err != nil {
				return err
			}
			switch mode {
			case "self-signed":
				cfg.TLS.SelfSigned = true
			case "":
			default:
				return misuse{hinted{fmt.Errorf("--tls %q: want self-signed", mode), "--tls-cert and --tls-key take a certificate from elsewhere"}}
			}
			if cfg.Images, err = images(cfg.Images, mirrors); err != nil {
				return misuse{err}
			}
			if cfg.Proxies, err = networks(proxies); err != nil {
				return misuse{hinted{err, "--proxy-protocol takes the addresses that PROXY headers come from, as 127.0.0.1 or 10.0.0.0/8"}}
			}
			cfg.Certificates = certificateFiles(files)
			if err := cfg.Validate(); err != nil {
				return misuse{explain(err)}
			}
			fromInit(&cfg)
			return serve(cmd.Context(), cfg, log)
		},
	}
	f := cmd.Flags()
	f.StringVar(&cfg.Data, "data", cfg.Data, "directory that keeps the server's state")
	f.BoolVar(&cfg.Replace, "replace", cfg.Replace, "take the place of the server that runs on --data: no connection is refused meanwhile")
	f.DurationVar(&cfg.Linger, "linger", cfg.Linger, "how long this server, once replaced, goes on serving the connections that it has; 0: until the last one ends")
	f.StringVar(&cfg.Listen, "listen", cfg.Listen, "address of the AWS APIs")
	f.StringVar(&cfg.Advertise, "advertise", cfg.Advertise, "name, or NAME:PORT, under which clients reach it; the address of --listen unless set")
	f.StringSliceVar(&cfg.Public, "public", cfg.Public, "where internet-facing load balancers answer clients from outside: an address of this machine, several, 0.0.0.0, :: or all")
	f.StringSliceVar(&cfg.LocalClients, "local-clients", cfg.LocalClients, "clients of --public whom security groups are not asked about, as those on loopback: addresses, networks, or gateway; for containers")
	f.StringVar(&cfg.Domain, "domain", cfg.Domain, "load balancers are named NAME.DOMAIN, as shop.example.test; below localhost unless set")
	f.StringSliceVar(&cfg.DNS, "dns", cfg.DNS, "ADDRESS:PORT, or several, where names are asked for: on loopback by programs of this machine, elsewhere by other machines")
	f.StringVar(&mode, "tls", mode, "self-signed: serve HTTPS with a certificate of the server's own")
	f.StringVar(&cfg.TLS.Cert, "tls-cert", cfg.TLS.Cert, "PEM file of the certificate to serve HTTPS with")
	f.StringVar(&cfg.TLS.Key, "tls-key", cfg.TLS.Key, "PEM file of its key")
	f.StringArrayVar(&files, "certificate", nil, "CERT.pem or CERT.pem,KEY.pem: a certificate in files for HTTPS listeners, followed as it is renewed; may be repeated")
	f.StringVar(&cfg.ACME.Directory, "acme", cfg.ACME.Directory, "URL of an ACME authority's directory, as https://acme-v02.api.letsencrypt.org/directory: certificates requested for names below --domain are ordered there, and its terms are agreed to")
	f.StringVar(&cfg.ACME.Email, "acme-email", cfg.ACME.Email, "where that authority sends warnings")
	f.StringSliceVar(&proxies, "proxy-protocol", nil, "addresses or networks of proxies in front, whose connections to load balancers begin with a PROXY header (v1 or v2); those of this machine without a value")
	f.Lookup("proxy-protocol").NoOptDefVal = "127.0.0.0/8,::1"
	f.BoolVar(&cfg.Insecure, "insecure", cfg.Insecure, "plain HTTP although other machines can reach --listen")
	f.StringVar(&cfg.Place.Region, "region", cfg.Place.Region, "region of the server: stands in ARNs, and requests must be signed for it")
	f.StringVar(&cfg.Place.Account, "account", cfg.Place.Account, "account that stands in ARNs, 12 digits")
	f.StringVar(&cfg.Timing, "timing", cfg.Timing, "how fast policies are obeyed: live, aws-60 or aws-20")
	f.Float64Var(&cfg.CPUOvercommit, "cpu-overcommit", cfg.CPUOvercommit, "how many times the machine's CPUs all tasks together may be given")
	f.Float64Var(&cfg.MemoryOvercommit, "memory-overcommit", cfg.MemoryOvercommit, "how many times the machine's memory all tasks together may be given")
	f.DurationVar(&cfg.StopTasks, "stop-tasks", cfg.StopTasks, "stop the tasks when told to stop, and kill what still runs after so long; 0: they go on running")
	f.StringVar(&cfg.TaskReach, "task-reach", cfg.TaskReach, "how far tasks reach: none, internet, lan or all")
	f.BoolVar(&cfg.SELinux, "selinux", cfg.SELinux, "give each task SELinux labels of its own, as container_t")
	f.StringArrayVar(&mirrors, "registry-mirror", nil, "REGISTRY=URL: ask URL for images of REGISTRY first, as docker.io=https://mirror.lan; may be repeated")
	f.IntVar(&cfg.Images.CacheGiB, "image-cache", cfg.Images.CacheGiB, "disk in GiB for pulled images; beyond it those not in use go, the longest unused first")
	f.StringVar(&level, "log-level", level, "debug, info, warn or error")
	return cmd
}

func serve(ctx context.Context, cfg app.Config, log *slog.Logger) error {
	// Who reads the log may go away (neargate serve 2>&1 | head -1); the server
	// stays, and its log lines are lost. Notify and not Ignore: what is ignored
	// would be ignored in containers, too.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	srv, err := app.Open(ctx, cfg, log)
	if err != nil {
		return explain(err)
	}
	defer srv.Close(ctx)
	log.Info("IAM policies are kept and not enforced: every valid key may do everything")
	log.Info("server ready", "endpoint", srv.Endpoint(), "data", cfg.Data, "timing", cfg.Timing)
	defer context.AfterFunc(ctx, func() { log.Info("server stopping") })()
	err = srv.Run(ctx)
	if err == nil {
		log.Info("server ended; another process serves in its place")
	}
	if errors.Is(err, errInterrupted) {
		if cfg.StopTasks > 0 {
			log.Info("server stopped, and its tasks with it")
		} else {
			log.Info("server stopped; its tasks go on running")
		}
		return nil
	}
	return err
}

// explain adds a hint to the failures that a person can do something about.
func explain(err error) error {
	if m, ok := errors.AsType[*local.Missing](err); ok {
		return hinted{err, m.Hint}
	}
	if m, ok := errors.AsType[*local.Moved](err); ok {
		return hinted{err, "move it back to " + m.From + " and start there; or end the tasks: neargate cleanup with the new --data"}
	}
	if u, ok := errors.AsType[*app.Untrusted](err); ok {
		return hinted{err, u.Hint}
	}
	if errors.Is(err, app.ErrUnencrypted) {
		return hinted{err, "--tls self-signed encrypts; --insecure is for networks that you trust"}
	}
	if errors.Is(err, app.ErrNoName) {
		return hinted{err, "--advertise NAME: the name or address under which other machines reach this one"}
	}
	if errors.Is(err, store.ErrLocked) {
		return hinted{err, "another neargate uses this --data; stop it, or name another directory"}
	}
	if lost, ok := errors.AsType[*identity.Lost](err); ok {
		return hinted{err, "put back a copy of your own; or remove " + lost.Path + ", and the next start makes a new key for your clients"}
	}
	if _, ok := errors.AsType[*store.Damaged](err); ok {
		return hinted{err, "run 'neargate repair' with the same --data: it restores the last good copy and what else can be read"}
	}
	if errors.Is(err, store.ErrNewer) {
		return hinted{err, "use the version that wrote it, or newer; a copy from before it was migrated may lie beside it as state.db.before-N"}
	}
	if errors.Is(err, store.ErrElsewhere) {
		return hinted{err, "name the --account and --region that it was made with, or another --data"}
	}
	if r, ok := errors.AsType[*handover.Refused](err); ok {
		return hinted{fmt.Errorf("the server was not replaced: %w", r), "it goes on serving"}
	}
	if u, ok := errors.AsType[*app.Unlistenable](err); ok {
		return hinted{err, u.Hint()}
	}
	return err
}

// freePort returns addr, or the next address at which nobody listens.
func freePort(ctx context.Context, addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("address %q: %w", addr, err)
	}
	first, err := strconv.Atoi(port)
	if err != nil {
		return "", fmt.Errorf("address %q: the port must be a number", addr)
	}
	for p := first; p < first+100; p++ {
		addr := net.JoinHostPort(host, strconv.Itoa(p))
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err == nil {
			return addr, l.Close()
		}
	}
	return "", fmt.Errorf("no free port from %s on", addr)
}
