package peers

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/bench/rig"
	"neargate/internal/cli/demo"
)

func splitWords(s string) []string { return strings.Fields(s) }

func (f *Field) write(name, content string) string {
	path := f.path(name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		panic(err) // the directory is ours
	}
	return path
}

// nginx, with a session cache and tickets.
func (f *Field) nginx(plain, secure string) []string {
	server := `ssl_certificate %[1]s/cert.pem; ssl_certificate_key %[1]s/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
		ssl_session_cache shared:x:10m; ssl_session_tickets on;`
	conf := fmt.Sprintf(`daemon off; worker_processes 2; pid %[1]s/nginx.pid; error_log stderr crit;
events { worker_connections 40000; }
http {
	access_log off; keepalive_requests 100000000; keepalive_timeout 600s;
	client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
	upstream targets { server %[2]s; keepalive 128; keepalive_requests 100000000; }
	server {
		listen %[3]s; listen %[4]s ssl http2;
		`+server+`
		location / {
			proxy_pass http://targets; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
			proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Port $server_port;
			proxy_set_header X-Amzn-Trace-Id Root=1-$request_id;
		}
	}
}`, f.dir, f.backend, plain, secure)
	return []string{"nginx", "-c", f.write("nginx.conf", conf), "-p", f.dir}
}

func (f *Field) haproxy(plain, secure string) []string {
	conf := fmt.Sprintf(`global
	nbthread 2
	maxconn 12000
	no strict-limits
	ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
	mode http
	timeout client 600s
	timeout server 600s
	timeout connect 10s
	timeout http-keep-alive 600s
	option http-keep-alive
	http-reuse always
frontend front
	bind %[3]s
	bind %[4]s ssl crt %[1]s/both.pem alpn h2,http/1.1
	option forwardfor
	http-request set-header X-Forwarded-Proto http if !{ ssl_fc }
	http-request set-header X-Forwarded-Proto https if { ssl_fc }
	http-request set-header X-Forwarded-Port %%[dst_port]
	http-request set-header X-Amzn-Trace-Id Root=1-%%[uuid()]
	default_backend targets
backend targets
	server one %[2]s
`, f.dir, f.backend, plain, secure)
	return []string{"haproxy", "-f", f.write("haproxy.cfg", conf), "-db"}
}

func (f *Field) caddy(plain, secure string) []string {
	conf := fmt.Sprintf(`{
	admin off
	skip_install_trust
	auto_https off
	default_bind 127.0.0.1
	log {
		level ERROR
	}
	servers {
		timeouts {
			idle 600s
		}
	}
}
http://:%[7]s {
	reverse_proxy %[2]s
}
https://%[5]s:%[6]s, https://%[4]s {
	tls %[1]s/cert.pem %[1]s/key.pem
	reverse_proxy %[2]s
}
`, f.dir, f.backend, plain, secure, Name, portOf(secure), portOf(plain))
	return []string{"caddy", "run", "--config", f.write("Caddyfile", conf), "--adapter", "caddyfile"}
}

func portOf(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}

// startOurs starts a server with a load balancer, as a user would.
func (f *Field) startOurs(ctx context.Context, binary string) (err error) {
	if f.server, err = rig.Start(ctx, binary, f.path("neargate")); err != nil {
		return err
	}
	plain, err := rig.FreePort(ctx)
	if err != nil {
		return err
	}
	secure, err := rig.FreePort(ctx)
	if err != nil {
		return err
	}
	cert, err := os.ReadFile(f.path("cert.pem"))
	if err != nil {
		return err
	}
	key, err := os.ReadFile(f.path("key.pem"))
	if err != nil {
		return err
	}
	imported, err := acm.NewFromConfig(f.server.Config()).ImportCertificate(ctx, &acm.ImportCertificateInput{Certificate: cert, PrivateKey: key})
	if err != nil {
		return err
	}
	client := elb.NewFromConfig(f.server.Config())
	lb, group, err := f.balance(ctx, client)
	if err != nil {
		return err
	}
	forward := []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: group}}
	if _, err := client.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb, Protocol: types.ProtocolEnumHttp, Port: aws.Int32(int32(plain)), DefaultActions: forward,
	}); err != nil {
		return err
	}
	if _, err := client.CreateListener(ctx, &elb.CreateListenerInput{
		LoadBalancerArn: lb, Protocol: types.ProtocolEnumHttps, Port: aws.Int32(int32(secure)), DefaultActions: forward,
		Certificates: []types.Certificate{{CertificateArn: imported.CertificateArn}}, SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06"),
	}); err != nil {
		return err
	}
	if err := f.awaitHealth(ctx, client, group); err != nil {
		return err
	}
	at := func(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
	f.Peers = append(f.Peers, &Peer{Name: Ours, Plain: at(plain), TLS: at(secure), PID: f.server.PID})
	return nil
}

// balance makes a load balancer and a target group with the backend.
func (f *Field) balance(ctx context.Context, client *elb.Client) (lb, group *string, err error) {
	s := f.server
	network, err := demo.FindNetwork(ctx, demo.Server{Endpoint: s.Endpoint, Region: s.Region, AccessKey: s.AccessKey, SecretKey: s.SecretKey})
	if err != nil {
		return nil, nil, err
	}
	made, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{Name: aws.String("bench"), Subnets: network.Subnets})
	if err != nil {
		return nil, nil, err
	}
	lb = made.LoadBalancers[0].LoadBalancerArn
	if _, err := client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: lb, Attributes: []types.LoadBalancerAttribute{{Key: aws.String("idle_timeout.timeout_seconds"), Value: aws.String("600")}},
	}); err != nil {
		return nil, nil, err
	}
	groups, err := client.CreateTargetGroup(ctx, &elb.CreateTargetGroupInput{
		Name: aws.String("bench"), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(80), TargetType: types.TargetTypeEnumIp, VpcId: made.LoadBalancers[0].VpcId,
		HealthCheckPath: aws.String("/100"),
	})
	if err != nil {
		return nil, nil, err
	}
	group = groups.TargetGroups[0].TargetGroupArn
	port, err := strconv.Atoi(portOf(f.backend))
	if err != nil {
		return nil, nil, err
	}
	_, err = client.RegisterTargets(ctx, &elb.RegisterTargetsInput{
		TargetGroupArn: group, Targets: []types.TargetDescription{{Id: aws.String("127.0.0.1"), Port: aws.Int32(int32(port))}},
	})
	return lb, group, err
}
