package app

import (
	"fmt"
	"net/netip"
	"testing"

	"neargate/internal/model"
	"neargate/internal/names"
)

func view(from names.From) names.View {
	return names.View{From: from, At: netip.MustParseAddr("192.0.2.7")}
}

// text writes what a source says of a name.
func text(s names.Source, name string, from names.From) string {
	a, known := s.Lookup(name, view(from))
	if !known {
		return "unknown"
	}
	out := ""
	for _, r := range a.Records {
		if r.Pointer != "" {
			out += r.Pointer + " "
			continue
		}
		out += r.Address.String() + " "
	}
	return fmt.Sprintf("%v %s", a.Missing, out)
}

func TestNamesOfTheAPIs(t *testing.T) {
	everywhere, gateway := netip.IPv4Unspecified(), netip.MustParseAddr("172.31.0.1")
	n := apiNames{domain: "example.test", advertised: "box.lan", gateway: gateway, listen: netip.MustParseAddr("127.0.0.1")}
	open := n
	open.listen = everywhere
	for _, row := range []struct {
		source apiNames
		name   string
		from   names.From
		want   string
	}{
		{n, "neargate.internal", names.Task, "false 172.31.0.1 "},
		{n, "neargate.internal", names.Machine, "false 127.0.0.1 "},
		{n, "neargate.internal", names.World, "unknown"},
		{n, "example.test", names.Task, "false 172.31.0.1 "},
		{n, "example.test", names.World, "false "}, // it listens on loopback only
		{open, "example.test", names.World, "false 192.0.2.7 "},
		{n, "box.lan", names.Task, "false 172.31.0.1 "},
		{n, "box.lan", names.Machine, "unknown"},
		{n, "data-172.31.0.1", names.Task, "false 172.31.0.1 "},
		{n, "data-172.31.0.2", names.Task, "unknown"},
		{n, "data-neargate.internal", names.Machine, "false 127.0.0.1 "},
		{n, "data-127.0.0.1", names.Machine, "false 127.0.0.1 "},
		{n, "data-127.0.0.1", names.World, "unknown"},
		{apiNames{}, "", names.Task, "unknown"},
		{apiNames{}, "example.test", names.Task, "unknown"},
	} {
		if got := text(row.source, row.name, row.from); got != row.want {
			t.Errorf("%s from %d: %q, want %q", row.name, row.from, got, row.want)
		}
	}
}

func TestNamesOfHosts(t *testing.T) {
	subnet := netip.MustParsePrefix("172.31.16.0/20")
	for _, row := range []struct {
		region, name string
		from         names.From
		want         string
	}{
		{"us-east-1", "ip-172-31-16-5.ec2.internal", names.Task, "false 172.31.16.5 "},
		{"us-east-1", "ip-172-31-16-5.ec2.internal", names.Machine, "false 172.31.16.5 "},
		{"us-east-1", "ip-172-31-16-5.ec2.internal", names.World, "unknown"},
		{"eu-west-1", "ip-172-31-16-5.eu-west-1.compute.internal", names.Task, "false 172.31.16.5 "},
		{"eu-west-1", "ip-172-31-16-5.ec2.internal", names.Task, "unknown"},
		{"us-east-1", "ip-10-0-0-1.ec2.internal", names.Task, "unknown"}, // of the network that the machine is in
		{"us-east-1", "ip-172-31-16.ec2.internal", names.Task, "unknown"},
		{"us-east-1", "other.ec2.internal", names.Task, "unknown"},
		{"us-east-1", "5.16.31.172.in-addr.arpa", names.Task, "false ip-172-31-16-5.ec2.internal "},
		{"us-east-1", "1.0.0.10.in-addr.arpa", names.Task, "unknown"},
		{"us-east-1", "16.31.172.in-addr.arpa", names.Task, "unknown"},
	} {
		if got := text(hostNames{model.Place{Region: row.region}, subnet.Contains}, row.name, row.from); got != row.want {
			t.Errorf("%s in %s from %d: %q, want %q", row.name, row.region, row.from, got, row.want)
		}
	}
}

func TestNamesOfTheDomain(t *testing.T) {
	for name, want := range map[string]string{
		"gone.example.test": "true ", "example.test": "true ", "example.org": "unknown", "test": "unknown",
		"localhost": "false 127.0.0.1 ::1 ", "a.localhost": "false 127.0.0.1 ::1 ", "gone.us-east-1.elb.localhost": "true ",
	} {
		if got := text(domainNames{"example.test"}, name, names.Task); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := text(domainNames{}, "example.test", names.Task); got != "unknown" {
		t.Errorf("without a domain: %q", got)
	}
}

func TestNamesInTheConfiguration(t *testing.T) {
	for _, row := range []struct {
		domain, dns string
		ok          bool
	}{
		{"", "", true},
		{"example.test", "", true},
		{"lab", "", true},
		{"a-b.c1.example", "", true},
		{"Example.test", "", false},
		{"example.test.", "", false},
		{"-a.test", "", false},
		{"a..b", "", false},
		{"a b", "", false},
		{"localhost", "", false},
		{"x.localhost", "", false},
		{"local", "", false},
		{"elb.amazonaws.com", "", false},
		{"amazonaws.com", "", false},
		{"", "127.0.0.2:53", true},
		{"", "192.0.2.1:5353", true},
		{"", "[::1]:53", true},
		{"", "0.0.0.0:53", false},
		{"", "127.0.0.2", false},
		{"", "box.lan:53", false},
		{"", "[fe80::1%eth0]:53", false},
	} {
		c := Config{Domain: row.domain}
		if row.dns != "" {
			c.DNS = []string{row.dns}
		}
		if err := c.checkNames(); (err == nil) != row.ok {
			t.Errorf("%q, %q: %v", row.domain, row.dns, err)
		}
	}
}
