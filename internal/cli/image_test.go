package cli

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The hint on an image that has only a tag is the command that loads it.
func TestLoadHintsAtTheName(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"code":"ImageNameMissing","message":"no name","tag":"v1"}`))
	}))
	defer srv.Close()
	cmd := imageLoadCommand(func(*cobra.Command) (imageServer, error) {
		return imageServer{endpoint: srv.URL, client: srv.Client()}, nil
	})
	cmd.SetArgs([]string{os.DevNull})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	h, ok := errors.AsType[hinted](err)
	if want := "neargate image load " + os.DevNull + " --name NAME:v1"; !ok || h.hint != want {
		t.Errorf("error %v, hint %q, want hint %q", err, h.hint, want)
	}
}

// A directory is told from a file before anything is sent.
func TestLoadOfADirectory(t *testing.T) {
	dir := t.TempDir()
	cmd := imageLoadCommand(func(*cobra.Command) (imageServer, error) { return imageServer{}, nil })
	cmd.SetArgs([]string{dir})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	h, ok := errors.AsType[hinted](err)
	if want := "load images: " + dir + " is a directory"; !ok || err.Error() != want || !strings.Contains(h.hint, "tar -C "+dir) {
		t.Errorf("got %v, want %s and a hint of tar", err, want)
	}
}
