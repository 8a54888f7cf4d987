package scenario_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	sdtypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
	"golang.org/x/sys/unix"
)

const ofECR = "000000000000.dkr.ecr.us-east-1.amazonaws.com/"

// tenantImages are the images that the examples name.
func tenantImages() []tenantImage {
	return []tenantImage{
		{name: "public.ecr.aws/nginx/nginx:1.27-alpine", listen: ":80", env: []string{"TENANT_PAGES=/usr/share/nginx/html"}},
		{name: ofECR + "site-content:2024-11", listen: ":8000"},
		{name: "wordpress:6.7-apache", listen: ":80", volumes: []string{"/var/www/html"}},
		{name: "mysql:8.4", listen: ":3306", volumes: []string{"/var/lib/mysql"}},
		// Longer than the target group and the container's check would bear.
		{name: ofECR + "spring-petclinic:3.4.0", listen: ":8080", env: []string{"TENANT_DELAY=25s"}},
		{name: ofECR + "order-worker:1.8.2", listen: ":7000"},
		{name: ofECR + "orders-migrate:42", listen: ":7001"},
		{name: ofECR + "envoy:v1.31", listen: ":9901", env: []string{"TENANT_DELAY=2s"}},
		{name: ofECR + "orders:42", listen: ":8080"},
		{name: ofECR + "uploads:2.1", listen: ":8080", user: "33"},
		{name: ofECR + "invoices:7", listen: ":3000"},
		{name: ofECR + "shop-catalog:11", listen: ":8080"},
		{name: ofECR + "shop-frontend:11", listen: ":8080"},
		{name: "public.ecr.aws/docker/library/redis:7.4-alpine", listen: ":6379", volumes: []string{"/data"}},
		{name: "quay.io/oliver006/redis_exporter:v1.66.0", listen: ":9121", user: "59000:59000"},
		{name: ofECR + "storefront:stable", listen: ":8080"},
		{name: "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable", listen: ":2020", env: []string{"TENANT_TAKES=/var/run/fluent.sock"}},
		{name: ofECR + "payments:3", listen: ":8080"},
	}
}

// publishedServices are the examples and what is checked of each.
func publishedServices() map[string]func(*published) {
	return map[string]func(*published){
		"nginx": nginxWithVolumes, "wordpress": wordpressWithDatabase, "petclinic": slowToStart, "worker": workerWithoutPorts, "orders": sidecars,
		"uploads": filesOfAll, "invoices": configured, "reports": actsAsItsRole, "catalog": serviceConnect, "cache": settings, "payments": routedLogs,
		"rolling":    byStrategy("rolling", ecstypes.DeploymentStrategyRolling),
		"blue-green": byStrategy("blue-green", ecstypes.DeploymentStrategyBlueGreen),
		"linear":     byStrategy("linear", ecstypes.DeploymentStrategyLinear),
		"canary":     byStrategy("canary", ecstypes.DeploymentStrategyCanary),
	}
}

// nginxWithVolumes: both tasks serve through the load balancer what their
// sidecar put into the volume that they share.
func nginxWithVolumes(p *published) {
	group, address := p.balance("nginx")
	p.values["TARGET_GROUP"] = group
	service := p.run("nginx", "")
	p.up(service)
	p.serves(address, "content of the sidecar")
	for _, n := range p.tenants(service, 80) {
		v := n.look()
		has(p.t, "the pages' mount is read-only", strings.HasPrefix(v.Mounts["/usr/share/nginx/html"], "ro"), true)
		n.fails("/inside/write", "path", "/usr/share/nginx/html/x", "read-only file system")
		n.fails("/inside/write", "path", "/x", "read-only file system")
		has(p.t, "the cache", must[string](p.t)(n.try("/inside/write", "path", "/var/cache/nginx/x")), "written")
	}
	for _, task := range p.tasks(service, ecstypes.DesiredStatusRunning) {
		has(p.t, "the task's health", task.HealthStatus, ecstypes.HealthStatusHealthy)
	}
	p.logged("/ecs/nginx", "nginx/nginx/", "started with")
	p.logged("/ecs/nginx", "content/content/", "started with [--into /site]")
}

// wordpressWithDatabase: the database is found by its name in Cloud Map and lets
// in whoever has the password of the secret.
func wordpressWithDatabase(p *published) {
	p.values["DATABASE_SECRET"] = p.v.secret("wordpress/database", `{"username":"wordpress","password":"pa55word","rootPassword":"r00t"}`)
	names := sd.New(sd.Options{Region: p.s.Region, BaseEndpoint: &p.s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(p.s.AccessKey, p.s.SecretKey, "")})
	op := must[*sd.CreatePrivateDnsNamespaceOutput](p.t)(names.CreatePrivateDnsNamespace(p.t.Context(), &sd.CreatePrivateDnsNamespaceInput{Name: aws.String("wordpress.local"), Vpc: aws.String(p.network.VPC)}))
	ns := must[*sd.GetOperationOutput](p.t)(names.GetOperation(p.t.Context(), &sd.GetOperationInput{OperationId: op.OperationId})).Operation.Targets["NAMESPACE"]
	p.values["CLOUD_MAP_SERVICE"] = registry(p.t, names, ns, "db", sdtypes.RecordTypeA)
	group, address := p.balance("wordpress")
	p.values["TARGET_GROUP"] = group
	database := p.run("wordpress", "database.")
	service := p.run("wordpress", "")
	p.up(database)
	p.up(service)
	p.serves(address, "")
	db := p.tenants(database, 3306)[0]
	v := db.look()
	has(p.t, "MYSQL_PASSWORD", v.Env["MYSQL_PASSWORD"], "pa55word")
	has(p.t, "MYSQL_ROOT_PASSWORD", v.Env["MYSQL_ROOT_PASSWORD"], "r00t")
	has(p.t, "a volume that the image declares", v.Mounts["/var/lib/mysql"] != "", true)
	for _, n := range p.tenants(service, 80) {
		found := must[string](p.t)(n.try("/inside/resolve", "name", "db.wordpress.local"))
		has(p.t, "db.wordpress.local", "http://"+found+":3306", db.base)
		has(p.t, "WORDPRESS_DB_PASSWORD", n.look().Env["WORDPRESS_DB_PASSWORD"], "pa55word")
	}
	p.logged("/ecs/wordpress", "web/wordpress/", "started with")
}

// slowToStart: neither the container's check nor the target group's ends a
// program that is slower than they are patient, for the start period and the
// service's grace period.
func slowToStart(p *published) {
	group, address := p.balance("petclinic")
	p.values["TARGET_GROUP"] = group
	service := p.run("petclinic", "")
	p.up(service)
	p.serves(address, "")
	if stopped := p.tasks(service, ecstypes.DesiredStatusStopped); len(stopped) > 0 {
		p.t.Errorf("%d tasks were replaced before they were up", len(stopped))
	}
	v := p.tenants(service, 8080)[0].look()
	p.limited(v, "Max open files", 65536)
	has(p.t, "SPRING_PROFILES_ACTIVE", v.Env["SPRING_PROFILES_ACTIVE"], "production")
}

// workerWithoutPorts: it runs as its user, with its arguments, and nothing more.
func workerWithoutPorts(p *published) {
	service := p.run("worker", "")
	p.up(service)
	v := p.tenants(service, 7000)[0].look()
	has(p.t, "user and group", [2]int{v.UID, v.GID}, [2]int{1000, 1000})
	has(p.t, "working directory", v.Dir, "/tmp")
	has(p.t, "capabilities", v.Caps, "0000000000000000")
	if want := []string{"--queue", "orders", "--concurrency", "4"}; !slices.Equal(v.Args, want) {
		p.t.Errorf("arguments: got %q, want %q", v.Args, want)
	}
	p.logged("/ecs/worker", "worker/worker/", "started with [--queue orders --concurrency 4]")
}

// sidecars: the service starts when the first container has ended well and the
// second is healthy, and sees what the first left.
func sidecars(p *published) {
	service := p.run("orders", "")
	p.up(service)
	n := p.tenants(service, 8080)[0]
	has(p.t, "what the migration left", n.read("/run/orders/migrated"), "done")
	n.fails("/inside/write", "path", "/run/orders/x", "read-only file system")
	must[string](p.t)(n.try("/inside/get", "url", "http://localhost:9901/ready"))
	has(p.t, "the sidecar's user", p.tenants(service, 9901)[0].look().UID, 1337)
	for _, task := range p.tasks(service, ecstypes.DesiredStatusRunning) {
		for _, k := range task.Containers {
			if *k.Name == "migrate" && (aws.ToString(k.LastStatus) != "STOPPED" || k.ExitCode == nil || *k.ExitCode != 0) {
				p.t.Errorf("migrate is %s, exit code %v", aws.ToString(k.LastStatus), k.ExitCode)
			}
		}
	}
}

// limited checks a limit; one above the machine's own cannot be had where root
// may not raise it.
func (p *published) limited(v insideView, name string, want uint64) {
	p.t.Helper()
	var ours unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &ours); err != nil {
		p.t.Fatal(err)
	}
	if got := fmt.Sprint(min(want, ours.Max)); v.Limits[name][1] != got && v.Limits[name][1] != fmt.Sprint(want) {
		p.t.Errorf("%s: got %v, want %d", name, v.Limits[name], want)
	}
}

// serves waits for an answer of a load balancer with a text.
func (p *published) serves(address, text string) {
	p.t.Helper()
	eventually(p.t, 20*time.Second, "the load balancer's answer", func() error {
		body, err := tenant{p.t, "http://" + address}.try("/", "", "")
		if err == nil && !strings.Contains(body, text) {
			err = fmt.Errorf("it answers %q", body)
		}
		return err
	})
}

// logged waits for a line in the streams of a group.
func (p *published) logged(group, stream, text string) {
	p.t.Helper()
	eventually(p.t, 20*time.Second, text+" in "+group, func() error {
		out, err := p.logs.FilterLogEvents(p.t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, LogStreamNamePrefix: &stream})
		if err != nil {
			return err
		}
		for _, e := range out.Events {
			if strings.Contains(*e.Message, text) {
				return nil
			}
		}
		return fmt.Errorf("%d other events", len(out.Events))
	})
}
