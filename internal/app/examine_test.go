package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"neargate/internal/model"
	"neargate/internal/runtime/fake"
	"neargate/internal/store"
)

// findings examines a data directory and returns what is wrong, by subject.
func findings(t *testing.T, dir string) map[string]error {
	t.Helper()
	cfg := Default()
	cfg.Data, cfg.Place, cfg.Listen, cfg.Engine = dir, golden, "127.0.0.1:0", fakes{fake.New(fake.Config{})}
	bad := map[string]error{}
	for _, f := range Examine(t.Context(), cfg) {
		if f.Err != nil {
			bad[strings.Fields(f.Subject)[0]] = f.Err
		}
	}
	return bad
}

func TestExamineNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	state, metrics := unpack(t, "v1/state.db", dir), unpack(t, "v1/metrics", dir)
	if bad := findings(t, dir); len(bad) > 0 {
		t.Errorf("in a good directory: %v", bad)
	}
	cfg := Default()
	cfg.Data, cfg.Place = dir, golden
	db, err := openState(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if bad := findings(t, dir); len(bad) > 0 {
		t.Errorf("while a server has the state: %v", bad)
	}
	if err := db.KeepCopy(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	for path, content := range map[string]string{
		state: "", metrics: "garbage", store.CopyOf(state) + ".other": "", filepath.Join(dir, keysFile): "{",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	bad := findings(t, dir)
	for _, subject := range []string{"data", stateFile, "metrics", keysFile} {
		if bad[subject] == nil {
			t.Errorf("nothing is said of %s: %v", subject, bad)
		}
	}
	if len(bad) != 4 {
		t.Errorf("findings: %v", bad)
	}
	if _, err := RepairState(cfg); err != nil {
		t.Fatal(err)
	}
	if bad := findings(t, dir); bad[stateFile] != nil {
		t.Errorf("after the repair: %v", bad[stateFile])
	}
}

func TestPlaceIsTheStatesOwn(t *testing.T) {
	dir := t.TempDir()
	given := model.Place{Account: "999999999999", Region: "eu-north-1"}
	if got := PlaceOf(dir, given); got != given {
		t.Errorf("without a state: %v, want %v", got, given)
	}
	path := unpack(t, "v1/state.db", dir)
	cfg := Default()
	cfg.Data, cfg.Place = dir, golden
	db, err := openState(cfg) // migrates it: the first format has no account
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := schema(given).Examine(path); !errors.Is(err, store.ErrElsewhere) {
		t.Errorf("examined as of %v: %v, want ErrElsewhere", given, err)
	}
	got := PlaceOf(dir, given)
	if got.Account != golden.Account || got.Region != golden.Region {
		t.Errorf("got %v, want %v", got, golden)
	}
	if err := schema(got).Examine(path); err != nil {
		t.Errorf("examined as of its own place: %v", err)
	}
}

// A state that is damaged is repaired as that of its own account and region, which
// its copy knows; as another's it is left alone, copy and all.
func TestRepairIsOfTheStatesOwnPlace(t *testing.T) {
	given := model.Place{Account: "999999999999", Region: "eu-north-1"}
	for name, spoil := range map[string]func(path string) error{
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"text":    func(path string) error { return os.WriteFile(path, []byte("not a state"), 0o600) },
		"missing": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Default()
			cfg.Data, cfg.Place = t.TempDir(), golden
			path := unpack(t, "v1/state.db", cfg.Data)
			db, err := openState(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(db.KeepCopy(), db.Close(), spoil(path)); err != nil {
				t.Fatal(err)
			}
			cfg.Place = given
			if _, err := RepairState(cfg); !errors.Is(err, store.ErrElsewhere) {
				t.Errorf("repaired as of %v: %v, want ErrElsewhere", given, err)
			}
			cfg.Place = PlaceOf(cfg.Data, given)
			if cfg.Place.Account != golden.Account || cfg.Place.Region != golden.Region {
				t.Fatalf("the damaged state is of %v, want %v", cfg.Place, golden)
			}
			if r, err := RepairState(cfg); err != nil || r.Aside == "" {
				t.Errorf("repaired as of its own place: %+v, %v", r, err)
			}
		})
	}
}

// A directory that has been used has a state: without it, a start is refused.
func TestStateThatIsGoneIsNotNew(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"missing": os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			cfg := Default()
			cfg.Data = t.TempDir()
			db, err := openState(cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(cfg.Data, keysFile), []byte("{}"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := spoil(filepath.Join(cfg.Data, stateFile)); err != nil {
				t.Fatal(err)
			}
			if _, err := openState(cfg); err == nil || !strings.Contains(err.Error(), "is damaged") {
				t.Errorf("openState: %v, want it refused as damaged", err)
			}
		})
	}
}
