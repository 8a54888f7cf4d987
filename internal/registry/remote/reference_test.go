package remote

import "testing"

// Docker's rules for names (distribution/reference, normalize.go).
func TestReferencesFollowDockersRules(t *testing.T) {
	const d = "sha256:4242424242424242424242424242424242424242424242424242424242424242"
	for _, row := range []struct{ in, want string }{
		{"nginx", "docker.io/library/nginx:latest"},
		{"nginx:1.27", "docker.io/library/nginx:1.27"},
		{"library/nginx:1.27", "docker.io/library/nginx:1.27"},
		{"grafana/grafana", "docker.io/grafana/grafana:latest"},
		{"docker.io/nginx", "docker.io/library/nginx:latest"},
		{"index.docker.io/library/nginx", "docker.io/library/nginx:latest"},
		{"registry-1.docker.io/library/nginx", "docker.io/library/nginx:latest"},
		{"nginx@" + d, "docker.io/library/nginx@" + d},
		{"nginx:1.27@" + d, "docker.io/library/nginx:1.27@" + d},
		{"ghcr.io/owner/app:v1", "ghcr.io/owner/app:v1"},
		{"quay.io/prometheus/prometheus", "quay.io/prometheus/prometheus:latest"},
		{"public.ecr.aws/docker/library/redis:7", "public.ecr.aws/docker/library/redis:7"},
		{"111111111111.dkr.ecr.eu-west-1.amazonaws.com/app:v1", "111111111111.dkr.ecr.eu-west-1.amazonaws.com/app:v1"},
		{"localhost/app", "localhost/app:latest"},
		{"localhost:5000/app", "localhost:5000/app:latest"},
		{"[::1]:5000/a/b:c", "[::1]:5000/a/b:c"},
		{"my_app__x/y--z", "docker.io/my_app__x/y--z:latest"},
		{"", ""},
		{"UPPER", ""},
		{"a//b", ""},
		{"a/../b", ""},
		{"nginx:", ""},
		{"nginx:-x", ""},
		{"nginx@sha256:12", ""},
		{"nginx@sha512:" + d[7:] + d[7:], ""},
		{"host:port/app", ""},
		{"evil.test:80?x/app", ""},
		{"user:pass@evil.test/app", ""},
	} {
		got, err := Parse(row.in)
		if row.want == "" {
			if err == nil {
				t.Errorf("Parse(%q) = %v, want an error", row.in, got)
			}
			continue
		}
		if err != nil || got.String() != row.want {
			t.Errorf("Parse(%q) = %v, %v, want %s", row.in, got, err, row.want)
		}
	}
}

func TestMirrorsAreBaseURLs(t *testing.T) {
	for _, good := range []string{"http://127.0.0.1:5000", "https://mirror.lan", "https://mirror.lan:5000/hub", "http://localhost:5000/"} {
		if err := CheckMirror(good); err != nil {
			t.Errorf("CheckMirror(%q) = %v", good, err)
		}
	}
	for _, bad := range []string{"", "mirror.lan", "http://mirror.lan", "https://me:secret@mirror.lan", "ftp://mirror.lan", "https://mirror.lan/?x=1", "https://"} {
		if err := CheckMirror(bad); err == nil {
			t.Errorf("CheckMirror(%q) = nil, want an error", bad)
		}
	}
}
