package metadata

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// Protect protects the house's task where it is one of a service.
func (h *house) Protect(_ context.Context, t model.Task, enable bool, lasts *time.Duration) (model.Task, *Refusal, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if lasts != nil && *lasts > 48*time.Hour {
		return t, nil, model.Errorf(model.Invalid, "InvalidParameterException", "expiresInMinutes must be between 1 and 2880.")
	}
	if t.Service == "" {
		return t, &Refusal{ARN: t.ARN, Reason: "TASK_NOT_VALID"}, nil
	}
	if t.ProtectedUntil = (time.Time{}); enable {
		t.ProtectedUntil = time.Now().Add(time.Hour)
	}
	return t, nil, nil
}

// The answers are those of the ECS guide, "Amazon ECS task scale-in protection
// endpoint".
func TestProtection(t *testing.T) {
	h := newHouse()
	serve(t, h)
	alone := newHouse()
	alone.record.Service = ""
	serve(t, alone)
	path := "/api/" + first + "/task-protection/v1/state"
	for _, row := range []struct {
		name, method, path, body string
		of                       *house
		status                   int
		want                     string
	}{
		{"asked for", "GET", path, "", h, 200, `{"protection":{"ExpirationDate":null,"ProtectionEnabled":false,"TaskArn":"` + h.record.ARN + `"}}`},
		{"enabled", "PUT", path, `{"ProtectionEnabled":true,"ExpiresInMinutes":60}`, h, 200, `"ProtectionEnabled":true`},
		{"ended", "PUT", path, `{"ProtectionEnabled":false}`, h, 200, `"ProtectionEnabled":false`},
		{"no task of a service", "PUT", path, `{"ProtectionEnabled":true}`, alone, 202, `{"failure":{"Arn":"` + h.record.ARN + `","Detail":null,"Reason":"TASK_NOT_VALID"}}`},
		{"too long", "PUT", path, `{"ProtectionEnabled":true,"ExpiresInMinutes":9999}`, h, 400, `"Code":"InvalidParameterException"`},
		{"without what to do", "PUT", path, `{}`, h, 400, `does not contain 'ProtectionEnabled' field`},
		{"no JSON", "PUT", path, `{"Protec`, h, 400, `failed to decode request`},
		{"nothing", "PUT", path, ``, h, 400, `failed to decode request`},
		{"another task's", "GET", strings.Replace(path, taskID, otherID, 1), "", h, 404, `ResourceNotFoundException`},
		{"another page", "GET", "/api/" + first + "/x", "", h, 404, `page not found`},
		{"PUT elsewhere", "PUT", "/v4/" + first, `{}`, h, 405, `method not allowed`},
	} {
		req, err := http.NewRequestWithContext(t.Context(), row.method, "http://"+row.of.address+row.path, strings.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != row.status || !strings.Contains(string(body), row.want) {
			t.Errorf("%s: got %d %s, %v, want %d %s", row.name, resp.StatusCode, body, err, row.status, row.want)
		}
	}
}

// TestBodies: in pieces, and with the next request behind them.
func TestBodies(t *testing.T) {
	h := newHouse()
	serve(t, h)
	put := "PUT /api/" + first + "/task-protection/v1/state HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s"
	const body = `{"ProtectionEnabled":true}`
	back := bufio.NewReader(strings.NewReader(h.say(t, fmt.Sprintf(put, len(body), body)+"GET /v4/"+first+" HTTP/1.0\r\n\r\n")))
	for range 2 {
		resp, err := http.ReadResponse(back, nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("got %+v, %v", resp, err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
	}
	if got := h.say(t, fmt.Sprintf(put, maxBody+1, "")); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("a body that is too long: %q", got)
	}
}
