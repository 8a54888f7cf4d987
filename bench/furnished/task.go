package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// The kinds of tasks are this program's argument in them.
const (
	plainTask     = "plain"
	furnishedTask = "furnished"
)

// What a furnished task has.
const (
	secrets    = 5
	parameters = 5

	scratch = "/scratch" // a volume of the task
	shared  = "/shared"  // one on EFS
)

// answer serves HTTP when everything that the task was promised is there.
func answer(furnished bool) error {
	if furnished {
		if err := errors.Join(values(), volumes(), fetch()); err != nil {
			return err
		}
	}
	srv := &http.Server{Addr: ":8080", Handler: http.NotFoundHandler(), ReadHeaderTimeout: time.Minute}
	return srv.ListenAndServe()
}

func variable(kind string, i int) string { return fmt.Sprintf("%s_%d", kind, i) }

// values looks at the variables.
func values() error {
	want := map[string]string{"OF_FILE": "value"}
	for i := range secrets {
		want[variable("SECRET", i)] = "value"
	}
	for i := range parameters {
		want[variable("PARAMETER", i)] = "value"
	}
	for name, value := range want {
		if got := os.Getenv(name); got != value {
			return fmt.Errorf("%s is %q", name, got)
		}
	}
	return nil
}

// volumes writes to each volume.
func volumes() error {
	for _, dir := range []string{scratch, shared} {
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// fetch asks for the credentials of the task's role.
func fetch() error {
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://169.254.170.2" + os.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) //nolint:noctx // it has a limit
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var got struct{ AccessKeyID, SecretAccessKey, Token string }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		return fmt.Errorf("read the credentials: %w", err)
	}
	if resp.StatusCode != http.StatusOK || got.Token == "" {
		return fmt.Errorf("the credentials are answered %s", resp.Status)
	}
	return nil
}
