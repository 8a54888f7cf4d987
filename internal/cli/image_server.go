package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"neargate/internal/registry"
)

// imageServer is a server whose images are managed.
type imageServer struct {
	endpoint       string
	client         *http.Client
	user, password string
}

func (s imageServer) list(ctx context.Context) ([]registry.PulledImage, error) {
	return s.ask(ctx, http.MethodGet, "", nil, nil)
}

func (s imageServer) load(ctx context.Context, in io.Reader, name string) ([]registry.PulledImage, error) {
	return s.ask(ctx, http.MethodPost, "", url.Values{"name": {name}}, in)
}

func (s imageServer) remove(ctx context.Context, image string) error {
	_, err := s.ask(ctx, http.MethodDelete, "", url.Values{"image": {image}}, nil)
	return err
}

func (s imageServer) prune(ctx context.Context, all bool) ([]registry.PulledImage, error) {
	return s.ask(ctx, http.MethodPost, "/prune", url.Values{"all": {fmt.Sprint(all)}}, nil)
}

// ask sends a request and reads the answer.
func (s imageServer) ask(ctx context.Context, method, path string, query url.Values, body io.Reader) ([]registry.PulledImage, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.endpoint+registry.ImagesPath+path+"?"+query.Encode(), body)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.endpoint, err)
	}
	req.SetBasicAuth(s.user, s.password)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", s.endpoint, err)
	}
	defer resp.Body.Close()
	defer s.client.CloseIdleConnections()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", s.endpoint, err)
	}
	if resp.StatusCode == http.StatusOK {
		var answer registry.ImagesAnswer
		if err := json.Unmarshal(data, &answer); err != nil {
			return nil, fmt.Errorf("read the answer of %s: %w", s.endpoint, err)
		}
		return answer.Images, nil
	}
	var fault registry.ImagesFault
	if json.Unmarshal(data, &fault) != nil || fault.Code == "" {
		return nil, hinted{fmt.Errorf("what answers at %s keeps no images (%s)", s.endpoint, resp.Status), "name the server's directory with --data"}
	}
	switch fault.Code {
	case registry.ImageNameMissing:
		return nil, &unnamed{fault.Message, fault.Tag}
	case "ImageInUse":
		return nil, hinted{errors.New(fault.Message), "scale its service to 0 and delete it, or stop the task"}
	case "ImageNotFoundException":
		return nil, hinted{errors.New(fault.Message), "neargate image ls lists them"}
	}
	return nil, errors.New(fault.Message)
}
