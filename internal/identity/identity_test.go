package identity

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func open(t *testing.T, path string) (*Keys, *Key) {
	t.Helper()
	told := &Key{}
	keys, err := Open(path, time.Now, func(k Key) error { *told = k; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return keys, told
}

func TestRotateLeavesOneNewKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	keys, told := open(t, path)
	old := keys.Newest()
	if second, err := keys.Create(); err != nil || second.AccessKey == old.AccessKey {
		t.Fatal(second, err)
	}
	key, err := keys.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ AccessKey, SecretKey string }
	if b, err := os.ReadFile(path); err != nil || json.Unmarshal([]byte(strings.ReplaceAll(string(b), "_", "")), &file) != nil || file.AccessKey != key.AccessKey || file.SecretKey != key.SecretKey {
		t.Errorf("the file has %+v at its top, %v: programs that read it look for the newest key there", file, err)
	}
	again, _ := open(t, path)
	if list := again.List(); len(list) != 1 || list[0] != key || told.AccessKey != key.AccessKey {
		t.Errorf("kept %v, told %s, want only %s", list, told.AccessKey, key.AccessKey)
	}
	if _, ok := keys.Secret(old.AccessKey); ok {
		t.Error("the old key is still taken")
	}
	if secret, ok := keys.Secret(key.AccessKey); !ok || secret != key.SecretKey {
		t.Error("the new key is not taken")
	}
}

func TestFileOfOneKeyIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	const earlier = `{"endpoint": "", "region": "", "access_key": "AKIAEXAMPLE", "secret_key": "secret"}`
	if err := os.WriteFile(path, []byte(earlier), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, _ := open(t, path)
	if got := keys.Newest(); got.AccessKey != "AKIAEXAMPLE" || got.SecretKey != "secret" {
		t.Errorf("got %+v", got)
	}
}

func TestSpoiltFileIsNamed(t *testing.T) {
	for _, content := range []string{"", "{", "{}", `{"keys":[]}`, "[]"} {
		path := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, time.Now, nil); err == nil {
			t.Errorf("%q: taken", content)
		}
	}
}

// The keys never change without anybody's word: a file that has lost its content
// is restored, and without a copy the start is refused.
func TestKeysThatAreLostComeBack(t *testing.T) {
	for _, content := range []string{"", "{", "{}", "\x00\x00"} {
		path := filepath.Join(t.TempDir(), "keys.json")
		keys, err := Open(path, time.Now, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := keys.Newest()
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		for range 2 { // from the copy, then from the restored file
			if keys, err = Open(path, time.Now, nil); err != nil || keys.Newest() != want {
				t.Fatalf("with %q: %v, want the key as it was", content, err)
			}
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path + ".good"); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, time.Now, nil); err == nil || !strings.Contains(err.Error(), "has lost its content") {
			t.Errorf("with %q and no copy: %v, want it refused", content, err)
		}
	}
}
