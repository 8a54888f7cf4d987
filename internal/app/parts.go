package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"neargate/internal/acme"
	"neargate/internal/autoscaler"
	acmface "neargate/internal/aws/acm"
	autoscalingface "neargate/internal/aws/applicationautoscaling"
	cloudwatchface "neargate/internal/aws/cloudwatch"
	"neargate/internal/aws/ec2"
	ecrface "neargate/internal/aws/ecr"
	ecsface "neargate/internal/aws/ecs"
	"neargate/internal/aws/efs"
	"neargate/internal/aws/elbv2"
	"neargate/internal/aws/iam"
	logsface "neargate/internal/aws/logs"
	"neargate/internal/aws/secretsmanager"
	"neargate/internal/aws/servicediscovery"
	"neargate/internal/aws/sigv4"
	"neargate/internal/aws/ssm"
	"neargate/internal/aws/sts"
	"neargate/internal/aws/wire"
	"neargate/internal/balancer"
	"neargate/internal/balancer/connect"
	"neargate/internal/certificates"
	"neargate/internal/decide/firewall"
	"neargate/internal/decide/rollout"
	"neargate/internal/decide/scaling"
	"neargate/internal/discovery"
	"neargate/internal/ecs"
	"neargate/internal/filesystem"
	"neargate/internal/identity"
	"neargate/internal/logs"
	"neargate/internal/metadata"
	"neargate/internal/metric"
	"neargate/internal/metric/alarms"
	"neargate/internal/metric/collect"
	"neargate/internal/metric/insights"
	"neargate/internal/names"
	"neargate/internal/objects"
	"neargate/internal/provision"
	"neargate/internal/registry"
	"neargate/internal/runtime"
	"neargate/internal/runtime/local/seccomp"
	"neargate/internal/scheduler"
	"neargate/internal/secrets"
	"neargate/internal/session"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
	"neargate/internal/truststore"
	"neargate/internal/vpc"
)

// parts are the hands and faces of one server, made but not yet running.
type parts struct {
	cfg Config
	log *slog.Logger

	db           *store.DB
	registry     *registry.Registry
	logs         *logs.Logs
	engine       runtime.Engine
	names        *names.Server
	discovery    *discovery.Directory
	taskPorts    *taskPorts
	connect      *connect.Connect
	metadata     *metadata.Metadata
	balancer     *balancer.Balancer
	certificates *certificates.Certificates
	trustStores  *truststore.TrustStores
	acme         *acme.Client // nil: none
	authority    *localAuthority
	key          *sealed.Key // that encrypts what is kept
	ecs          *ecs.Catalogue
	scheduler    *scheduler.Scheduler
	sessions     *session.Sessions
	secrets      *secrets.Secrets
	parameters   *secrets.Parameters
	objects      *objects.Objects
	systems      *filesystem.FileSystems
	metrics      *metric.Store
	alarms       *alarms.Alarms
	autoscaler   *autoscaler.Autoscaler
	collector    *collect.Collector
	insights     *insights.Publisher
	networks     *vpc.Networks

	ungoverned bool           // security groups are put in force when the server serves
	deciding   sync.WaitGroup // the parts that do more than to serve connections
	closing    sync.Once

	tokens *sts.STS
	faces  []wire.Service
	auth   *sigv4.Verifier
}

// settle is AWS's wait until old tasks go for a task that nobody checks. One
// that is checked is counted on as soon as it is healthy.
const settle = 40 * time.Second

// reach is who reaches the server, and where.
type reach struct {
	keys     *identity.Keys
	endpoint string // URL of the APIs
	address  string // HOST:PORT of the same
	listen   netip.AddrPort
	// takesOver is set where another server serves until this one is ready, and knew is
	// what that one knew.
	takesOver bool
	knew      known
}

// newParts makes the parts over an open state, which it closes when it fails.
func newParts(ctx context.Context, cfg Config, db *store.DB, at reach, log *slog.Logger) (p *parts, err error) {
	p = &parts{cfg: cfg, db: db, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close(ctx))
			p = nil
		}
	}()
	if err = p.makeHands(ctx, at, log); err != nil {
		return p, err
	}
	return p, p.makeFaces(ctx, at, log)
}

// makeHands makes the hands, the ones in need after those they need. Where two
// need each other, the callback of the first reaches the second by p.
func (p *parts) makeHands(ctx context.Context, at reach, log *slog.Logger) (err error) {
	cfg, part := p.cfg, func(name string) *slog.Logger { return log.With("part", name) }
	filter, err := seccomp.Default(nil)
	if err != nil {
		return fmt.Errorf("open the registry: %w", err)
	}
	p.registry, err = registry.Open(ctx, p.db, p.pulls(registry.Config{
		Dir: filepath.Join(cfg.Data, "registry"), Place: cfg.Place, Endpoint: at.address, TLS: cfg.TLS.on(), Filter: filter,
		Lives: func(accessKey string) bool { return p.tokens.Lives(accessKey) },
	}), part("registry"))
	if err != nil {
		return fmt.Errorf("open the registry: %w", err)
	}
	p.logs, err = logs.Open(p.db, logs.Config{Dir: filepath.Join(cfg.Data, "logs"), Place: cfg.Place}, part("logs"))
	if err != nil {
		return fmt.Errorf("open the logs: %w", err)
	}
	p.engine, err = cfg.Engine.Open(ctx, EngineParts{
		Data: cfg.Data, Ephemeral: cfg.Ephemeral, Reach: firewall.Reach(cfg.TaskReach), SELinux: cfg.SELinux, Domain: cfg.Place.PrivateDomain(), Images: p.registry, Logs: p.logs, Log: part("runtime"),
	})
	if err != nil {
		return fmt.Errorf("open the runtime: %w", err)
	}
	if err = p.openNames(ctx, at, part("names")); err != nil {
		return err
	}
	if p.taskPorts, err = openTaskPorts(ctx, cfg.Sockets, p.engine, p.names); err != nil {
		return err
	}
	parity := cfg.Timing != string(scaling.Live)
	local, err := cfg.localClients()
	if err != nil {
		return err
	}
	if p.key, err = sealed.OpenKey(filepath.Join(cfg.Data, secretsKey)); err != nil {
		return err
	}
	if err = p.openCertificates(part("certificates")); err != nil {
		return err
	}
	if err = cfg.warnAbsent(part("balancer")); err != nil {
		return err
	}
	p.balancer, err = balancer.New(p.db, part("balancer"), p.withSources(balancer.Config{
		Place: cfg.Place, FullDrain: parity, Grace: 5 * time.Second, MaxConns: maxConns(), Public: cfg.publicAddresses, Local: local, Domain: cfg.Domain,
		Listen: p.listen, Knew: at.knew.Targets,
		Logs: logBuckets{p}, Certificates: p.certificates, TrustStores: listenerTrust{p}, Proofs: listenerProofs{p}, Key: p.key, Proxies: cfg.Proxies,
		Awaken:         func(arn string) bool { return p.autoscaler.Awaken(arn) },
		OnTargetChange: func(arn string) { p.scheduler.TargetChanged(arn) },
		Roots:          p.authority.roots,
	}))
	if err != nil {
		return fmt.Errorf("open the balancer: %w", err)
	}
	schedule := scheduler.Default(cfg.Place)
	schedule.Platform = p.taskPorts.platform()
	schedule.CPUOvercommit, schedule.MemoryOvercommit = cfg.CPUOvercommit, cfg.MemoryOvercommit
	if parity {
		schedule.Timing = rollout.Timing{Unchecked: settle}
	}
	if p.discovery, err = discovery.Open(p.db, discovery.Config{
		Place: cfg.Place, Members: members{p}, HasVPC: func(id string) bool { return p.networks.HasVPC(id) },
	}); err != nil {
		return err
	}
	if err := p.openConnect(); err != nil { //nolint:contextcheck // its callbacks have none
		return err
	}
	p.ecs, err = ecs.Open(p.db, p.balancer, ecs.Config{
		Registries: p.discovery,
		Place:      cfg.Place, OnChange: p.serviceChanged, Namespaces: connectNamespaces{p},
		Networks:    networks{p},
		TaskMayHave: func(role string) bool { return p.tokens.TaskMayHave(role) },
	})
	if err != nil {
		return err
	}
	p.offer(ctx)
	if err := p.openSecrets(); err != nil {
		return err
	}
	if err := p.openFileSystems(part("file_systems")); err != nil {
		return err
	}
	p.metadata = p.newMetadata()
	p.scheduler = scheduler.New(scheduler.Parts{
		Records: p.ecs, Engine: p.engine, Targets: groups{p.balancer, p.connect, p}, Rules: p.balancer, Alarms: deploymentAlarms{p}, Logs: logGroups{p.logs},
		Prepare: preparation{p.ecs, func() *vpc.Networks { return p.networks }, p.connect, provision.New(values{p.secrets, p.parameters}, files{p.objects}, p.systems)},
	}, schedule, part("scheduler"))
	p.sessions = session.New(p.engine, p.logs, part("session"))
	if p.metrics, err = metric.Open(filepath.Join(cfg.Data, "metrics"), part("metric")); err != nil {
		return fmt.Errorf("open the metrics: %w", err)
	}
	if p.alarms, err = alarms.New(p.db, p.metrics, alarms.Config{
		Place: cfg.Place, Accepts: func(action string) error { return p.autoscaler.Accepts(action) },
	}, part("alarms")); err != nil {
		return fmt.Errorf("open the alarms: %w", err)
	}
	p.autoscaler, err = autoscaler.New(p.db, p.ecs, p.alarms, p.metrics, autoscaler.Config{
		Place: cfg.Place, Timing: scaling.Timing(cfg.Timing), History: p.metrics, Queues: p.balancer,
	}, part("autoscaler"))
	if err != nil {
		return fmt.Errorf("open the autoscaler: %w", err)
	}
	p.collector = collect.New(collect.Sources{Runtime: p.engine, Balancer: p.balancer, Connect: p.connect, Scheduler: p.scheduler}, p.metrics,
		collect.Config{OnSecond: p.autoscaler.Observe}, part("collector"))
	p.insights = insights.New(p.ecs, p.engine, p.metrics, part("insights"))
	return nil
}

func (p *parts) makeFaces(ctx context.Context, at reach, log *slog.Logger) (err error) {
	place := p.cfg.Place
	roles, err := iam.Open(p.db, iam.Config{Place: place, Keys: at.keys, Log: log.With("part", "iam")})
	if err != nil {
		return fmt.Errorf("open IAM: %w", err)
	}
	if p.tokens, err = sts.Open(p.db, roles, sts.Config{Place: place, Keys: at.keys, TaskLives: p.taskLives}); err != nil {
		return fmt.Errorf("open STS: %w", err)
	}
	if err := p.openNetworks(ctx, at.takesOver); err != nil {
		return err
	}
	p.auth = sigv4.New(p.tokens, sigv4.Config{Region: place.Region})
	p.faces = []wire.Service{
		acmface.New(p.certificates, p.authority),
		autoscalingface.New(p.autoscaler, place),
		cloudwatchface.New(p.metrics, p.alarms),
		ec2.New(p.networks),
		ecrface.New(p.registry, place, at.endpoint),
		efs.New(p.systems, place),
		ecsface.New(p.ecs, p.scheduler, ecsface.Exec{Sessions: p.sessions, Endpoint: at.endpoint}, place),
		elbv2.New(p.balancer, elbv2.Config{Place: place, Subnet: p.networks.Subnet, HasVPC: p.networks.HasVPC, HasGateway: p.networks.HasGateway, Holds: p.networks.Holds, Groups: p.networks, TrustStores: p.trustStores, Objects: files{p.objects}}),
		iam.New(roles),
		logsface.New(p.logs),
		secretsmanager.New(p.secrets),
		ssm.New(p.parameters, p.sessions),
		servicediscovery.New(p.discovery, place),
		sts.New(p.tokens),
	}
	return nil
}

// listen opens a socket of a load balancer.
func (p *parts) listen(ctx context.Context, network, address string) (net.Listener, error) {
	return p.cfg.Sockets.Listen(ctx, net.ListenConfig{}, "balancer", network, address)
}

// run starts every part; they end with ctx.
func (p *parts) run(ctx context.Context, group *errgroup.Group) {
	serves := map[string]bool{"balancer": true, "connect": true} // these go on when a successor takes over
	for name, run := range map[string]func(context.Context) error{
		"names": p.answerNames, "runtime": p.engine.Serve, "registry": p.registry.Run, "logs": p.logs.Run, "balancer": p.balancer.Run, "certificates": p.certificates.Run, "connect": p.connect.Run,
		"scheduler": p.schedule, "metrics": p.metrics.Run, "alarms": p.alarms.Run,
		"autoscaler": p.autoscaler.Run, "collector": p.collector.Run, "insights": p.insights.Run, "copies": p.keepCopies,
		"secrets": p.secrets.Run, "file systems": p.systems.Run, "sessions": p.sessions.Run,
	} {
		if !serves[name] {
			p.deciding.Add(1)
		}
		group.Go(func() error {
			if !serves[name] {
				defer p.deciding.Done()
			}
			if err := run(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("run the %s: %w", name, err)
			}
			return nil
		})
	}
}

// schedule runs the scheduler, which needs to know at its start which targets
// there are.
func (p *parts) schedule(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-p.balancer.Ready():
	}
	if err := p.govern(ctx); err != nil {
		return fmt.Errorf("put security groups in force: %w", err)
	}
	return p.scheduler.Run(ctx)
}

// close releases what was opened, in the reverse order, once.
func (p *parts) close(ctx context.Context) (err error) {
	p.closing.Do(func() { err = p.release(ctx) })
	return err
}

func (p *parts) release(ctx context.Context) error {
	var errs []error
	if p.metrics != nil {
		errs = append(errs, p.metrics.Close())
	}
	if p.taskPorts != nil {
		errs = append(errs, p.taskPorts.close())
	}
	if p.names != nil {
		p.names.Close()
	}
	if p.engine != nil {
		errs = append(errs, p.engine.Close(ctx))
	}
	if p.db != nil {
		errs = append(errs, p.db.Close())
	}
	return errors.Join(errs...)
}
