package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// server is a running server, whose own pages commands read.
type server struct {
	endpoint string
	client   *http.Client
}

// findServer finds the server: a directory that was named, the environment, or
// the usual directory.
func findServer(data string, named bool) (server, error) {
	endpoint, ca := strings.TrimSuffix(os.Getenv("AWS_ENDPOINT_URL"), "/"), os.Getenv("AWS_CA_BUNDLE")
	if named || endpoint == "" {
		a, err := readAccess(data)
		if err != nil {
			return server{}, err
		}
		endpoint, ca = a.Local, a.CAFile
	}
	client, err := clientTrusting(ca)
	return server{endpoint, client}, err
}

const askTimeout = 10 * time.Second

// get reads one of the server's own pages, and returns the status it is answered
// with and its body.
func (s server) get(ctx context.Context, path string, query url.Values) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.endpoint+path+"?"+query.Encode(), nil)
	if err != nil {
		return 0, nil, fmt.Errorf("ask %s: %w", s.endpoint, err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0, nil, hinted{fmt.Errorf("no server answers at %s", s.endpoint), "start one: neargate serve; eval \"$(neargate env)\" says where it is"}
	}
	defer resp.Body.Close()
	if body, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil, fmt.Errorf("read the answer of %s: %w", s.endpoint, err)
	}
	return resp.StatusCode, body, nil
}
