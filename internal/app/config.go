package app

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"time"

	"neargate/internal/certificates"
	"neargate/internal/decide/firewall"
	"neargate/internal/handover"
	"neargate/internal/model"
)

// Config is what a server is set up with.
type Config struct {
	Data   string // directory of the state
	Listen string // HOST:PORT of the APIs; port 0 takes a free one
	// Advertise is the HOST or HOST:PORT that clients use; "" is Listen's.
	Advertise string
	TLS       TLS
	// Public are the addresses at which internet-facing load balancers answer
	// clients from outside: addresses of this machine, "0.0.0.0" (all IPv4 ones),
	// "::" (all IPv6 ones) or "all".
	Public []string
	// LocalClients are addresses and networks of clients that count as this
	// machine's own, though they reach a public address; "gateway" is those of
	// the machine's default routes.
	LocalClients []string
	// Proxies are whose connections to load balancers begin with a PROXY header.
	Proxies []netip.Prefix
	// ACME is where certificates of public names are ordered.
	ACME ACME
	// Certificates are certificates in files, which load balancers may show.
	Certificates []certificates.File
	// Domain is where load balancers have their names: NAME.Domain. "": below
	// localhost.
	Domain string
	// DNS are the ADDRESS:PORTs at which names are asked for by others than tasks:
	// on loopback by programs of this machine, elsewhere by other machines.
	DNS []string
	// Insecure allows plain HTTP where other machines can reach it.
	Insecure bool

	Place  model.Place
	Timing string // live, aws-60 or aws-20
	// TaskReach is how far tasks reach, whatever their security groups allow:
	// none, internet, lan or all.
	TaskReach string
	// SELinux gives each task SELinux labels of its own.
	SELinux bool
	// StopTasks has the server stop its tasks when it is told to stop, each with
	// its stopTimeout but at most this long; 0: they go on running.
	StopTasks time.Duration
	// Replace has the server take the place of the one that runs on Data, if one does.
	Replace bool
	// Linger is how long a server that was replaced goes on serving the connections that
	// it has; 0: until the last one ends.
	Linger time.Duration
	// Sockets are those on which the server listens. nil: it opens all itself.
	Sockets *handover.Sockets
	// StartSuccessor starts the same command with Replace: of the program on disk, or of
	// the one that runs. nil: who wants another server starts it.
	StartSuccessor func(own bool) (*os.Process, error)
	// Notify is the socket at which an init system is told how the server is. "": none.
	Notify string
	// Ephemeral says that nothing in Data is worth keeping: when this process
	// dies without cleaning up, the next server to start removes it all.
	Ephemeral bool
	Images    Images
	Engine    Engines // what runs the tasks
	// CPUOvercommit and MemoryOvercommit are how many times what the engine's
	// machines have all tasks together may be given.
	CPUOvercommit, MemoryOvercommit float64
}

// Default is a server on 127.0.0.1:4566 that decides live.
func Default() Config {
	return Config{
		Data: "/var/lib/neargate", Listen: "127.0.0.1:4566", DNS: []string{defaultDNS}, Linger: time.Hour, Timing: "live", TaskReach: string(firewall.ReachLAN), Engine: Local{},
		Place: model.Place{Region: "us-east-1", Account: "000000000000"}, CPUOvercommit: 10, MemoryOvercommit: 1,
		Images: Images{CacheGiB: 20},
	}
}

// maxOvercommit is as good as no limit.
const maxOvercommit = 1e6

var (
	accountForm = regexp.MustCompile(`^[0-9]{12}$`)
	regionForm  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// Validate names everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	if c.Data == "" {
		errs = append(errs, errors.New("data: name a directory"))
	}
	for _, err := range []error{c.checkListen(), c.checkAdvertise(), c.checkPublic(), c.checkLocalClients(), c.checkNames(), c.TLS.check(), c.checkCertificates(), c.checkACME(), c.Images.check()} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if c.Linger < 0 {
		errs = append(errs, fmt.Errorf("linger %s: want 0 or more", c.Linger))
	}
	if c.StopTasks < 0 {
		errs = append(errs, fmt.Errorf("stop-tasks %s: want 0 or more", c.StopTasks))
	}
	if !accountForm.MatchString(c.Place.Account) {
		errs = append(errs, fmt.Errorf("account %q: want 12 digits", c.Place.Account))
	}
	if !regionForm.MatchString(c.Place.Region) {
		errs = append(errs, fmt.Errorf("region %q: want the form us-east-1", c.Place.Region))
	}
	if c.Engine == nil {
		errs = append(errs, errors.New("engine: there is none to run tasks"))
	}
	if !(c.CPUOvercommit > 0 && c.CPUOvercommit <= maxOvercommit) {
		errs = append(errs, fmt.Errorf("cpu-overcommit %v: want more than 0, at most %v", c.CPUOvercommit, maxOvercommit))
	}
	if !(c.MemoryOvercommit > 0 && c.MemoryOvercommit <= maxOvercommit) {
		errs = append(errs, fmt.Errorf("memory-overcommit %v: want more than 0, at most %v", c.MemoryOvercommit, maxOvercommit))
	}
	if _, err := firewall.ParseReach(c.TaskReach); err != nil {
		errs = append(errs, err)
	}
	switch c.Timing {
	case "live", "aws-60", "aws-20":
	default:
		errs = append(errs, fmt.Errorf("timing %q: want live, aws-60 or aws-20", c.Timing))
	}
	return errors.Join(errs...)
}
