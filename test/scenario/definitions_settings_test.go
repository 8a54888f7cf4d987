package scenario_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/efs"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	sdtypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// filesOfAll: what one task writes to the file system, the other reads; on disk it
// is the access point's user's.
func filesOfAll(p *published) {
	systems := efs.New(efs.Options{Region: p.s.Region, BaseEndpoint: &p.s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(p.s.AccessKey, p.s.SecretKey, "")})
	id, point, _ := p.fileSystem(systems)
	p.values["FILE_SYSTEM"], p.values["ACCESS_POINT"] = id, point
	service := p.run("uploads", "")
	p.up(service)
	all := p.tenants(service, 8080)
	if len(all) != 2 {
		p.t.Fatalf("%d tasks, want 2", len(all))
	}
	must[string](p.t)(all[0].try("/inside/write", "path", "/var/uploads/one"))
	has(p.t, "what the other wrote", all[1].read("/var/uploads/one"), "written")
	files := must[[]string](p.t)(filepath.Glob(filepath.Join(p.s.data, "efs", id, "shop/uploads/*")))
	has(p.t, "the file on disk", len(files), 1)
	for _, task := range p.tasks(service, ecstypes.DesiredStatusRunning) {
		has(p.t, "enableExecuteCommand", task.EnableExecuteCommand, true)
	}
}

// configured: variables come from the file, from the definition, which goes
// before the file, and from parameters.
func configured(p *published) {
	p.v.file("invoices-config-000000000000", "production.env", "# production\nCURRENCY=EUR\nLOG_FORMAT=text\nGREETING=Dear customer, here is #1\n")
	p.v.parameter("/invoices/production/smtp-host", "smtp.example.test", ssmtypes.ParameterTypeString)
	p.v.parameter("/invoices/production/smtp-password", "s3cr3t", ssmtypes.ParameterTypeSecureString)
	service := p.run("invoices", "")
	p.up(service)
	env := p.tenants(service, 3000)[0].look().Env
	for name, value := range map[string]string{
		"CURRENCY": "EUR", "LOG_FORMAT": "json", "GREETING": "Dear customer, here is #1", "SMTP_HOST": "smtp.example.test", "SMTP_PASSWORD": "s3cr3t",
	} {
		has(p.t, name, env[name], value)
	}
	for _, task := range p.tasks(service, ecstypes.DesiredStatusRunning) {
		if said := string(must[[]byte](p.t)(json.Marshal(task))); strings.Contains(said, "s3cr3t") {
			p.t.Error("DescribeTasks has the password")
		}
	}
}

// actsAsItsRole: an SDK in the task finds its credentials and this server.
func actsAsItsRole(p *published) {
	p.push("reports", buildWhoami(p.t))
	must[*secretsmanager.CreateSecretOutput](p.t)(p.v.secrets.CreateSecret(p.t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("db/password"), SecretString: aws.String("correct horse")}))
	service := p.run("reports", "")
	p.up(service)
	for arn := range p.tasks(service, ecstypes.DesiredStatusRunning) {
		id := arn[strings.LastIndexByte(arn, '/')+1:]
		inside{t: p.t, id: id, ip: p.addressesOf(service)[0]}.is("assumed-role/reportsTaskRole/" + id)
	}
	out := must[*ecs.DescribeTasksOutput](p.t)(p.ecs.DescribeTasks(p.t.Context(), &ecs.DescribeTasksInput{
		Tasks: slices.Collect(maps.Keys(p.tasks(service, ecstypes.DesiredStatusRunning))), Include: []ecstypes.TaskField{ecstypes.TaskFieldTags},
	}))
	if tags := out.Tasks[0].Tags; len(tags) != 1 || *tags[0].Key != "cost-centre" || *tags[0].Value != "4711" {
		p.t.Errorf("the task's tags are not its service's: %+v", tags)
	}
}

// serviceConnect: the shop's front finds the catalog by its alias, and both its
// tasks answer.
func serviceConnect(p *published) {
	names := servicediscovery.New(servicediscovery.Options{Region: p.s.Region, BaseEndpoint: &p.s.Endpoint, Credentials: credentials.NewStaticCredentialsProvider(p.s.AccessKey, p.s.SecretKey, "")})
	must[*servicediscovery.CreateHttpNamespaceOutput](p.t)(names.CreateHttpNamespace(p.t.Context(), &servicediscovery.CreateHttpNamespaceInput{
		Name: aws.String("shop.internal"), Tags: []sdtypes.Tag{{Key: aws.String("AmazonECSManaged"), Value: aws.String("true")}},
	}))
	group, address := p.balance("shop")
	p.values["TARGET_GROUP"] = group
	catalog := p.run("catalog", "")
	p.up(catalog)
	front := p.run("catalog", "frontend.")
	p.up(front)
	p.serves(address, "")
	n := p.tenants(front, 8080)[0]
	served := map[string]bool{}
	for range 6 {
		answer := must[string](p.t)(n.try("/inside/get", "url", n.look().Env["CATALOG_URL"]))
		host, asked, _ := strings.Cut(strings.TrimSpace(answer), " ")
		has(p.t, "the Host that the catalog sees", asked, "catalog:8080")
		served[host] = true
	}
	has(p.t, "tasks of the catalog that answered", len(served), 2)
}

// settings: the kernel's settings, limits and capabilities are as defined, the
// first process reaps, and what ends is started again in the same task.
func settings(p *published) {
	service := p.run("cache", "")
	p.up(service)
	redis, exporter := p.tenants(service, 6379)[0], p.tenants(service, 9121)[0]
	has(p.t, "net.core.somaxconn", redis.read("/proc/sys/net/core/somaxconn"), "1024")
	has(p.t, "net.ipv4.tcp_keepalive_time", exporter.read("/proc/sys/net/ipv4/tcp_keepalive_time"), "300")
	v := redis.look()
	has(p.t, "open files", v.Limits["Max open files"], [2]string{"10032", "10032"})
	has(p.t, "core files", v.Limits["Max core file size"], [2]string{"0", "0"})
	has(p.t, "capabilities", v.Caps, "00000000800405fb") // Docker's, less three
	if v.First == "tenant" || v.First != exporter.look().First {
		p.t.Errorf("the first processes are %q and %q", v.First, exporter.look().First)
	}
	before := slices.Collect(maps.Keys(p.tasks(service, ecstypes.DesiredStatusRunning)))
	started := *p.tasks(service, ecstypes.DesiredStatusRunning)[before[0]].StartedAt
	eventually(p.t, 90*time.Second, "the time after which a container is started again", func() error {
		if left := time.Until(started.Add(61 * time.Second)); left > 0 {
			return fmt.Errorf("%v left", left)
		}
		return nil
	})
	_, _ = exporter.try("/inside/exit", "code", "3") // its answer is the end of the connection
	eventually(p.t, 20*time.Second, "the exporter to run again", func() error {
		ctx, cancel := context.WithTimeout(p.t.Context(), time.Second)
		defer cancel()
		return send(ctx, http.DefaultTransport, exporter.base+"/")
	})
	if after := slices.Collect(maps.Keys(p.tasks(service, ecstypes.DesiredStatusRunning))); !slices.Equal(before, after) {
		p.t.Errorf("the task was replaced: %v, then %v", before, after)
	}
}

// routedLogs: the log router has the configuration that FireLens generates, and
// gets what the other container prints.
func routedLogs(p *published) {
	p.v.parameter("/payments/log-header", "Authorization Bearer t0ken", ssmtypes.ParameterTypeSecureString)
	service := p.run("payments", "")
	p.up(service)
	router := p.tenants(service, 2020)[0]
	config := router.read("/fluent-bit/etc/fluent-bit.conf")
	for _, line := range []string{"unix_path /var/run/fluent.sock", "Name http", "Host logs.example.test", "Match payments-firelens*", "ecs_cluster"} {
		if !strings.Contains(config, line) {
			p.t.Errorf("the router's configuration is without %q:\n%s", line, config)
		}
	}
	if strings.Contains(config, "t0ken") {
		p.t.Error("the router's configuration has a secret's value")
	}
	eventually(p.t, 20*time.Second, "the router to have what was printed", func() error {
		got, err := router.try("/inside/taken", "", "")
		if err == nil && !strings.Contains(got, "started with") {
			err = fmt.Errorf("it has %q", got)
		}
		return err
	})
}
