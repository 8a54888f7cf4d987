package channel

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pluginMessage is a message as AWS's plugin writes it
// (SerializeClientMessage of its src/message).
const pluginMessage = "00000074696e7075745f73747265616d5f64617461202020202020202020202020202020000000010000018bcfe5687b" +
	"000000000000000700000000000000038899aabbccddeeff0011223344554677" +
	"1d887ce0f8672e4914d9000e801cd74ecd805dd9366c0bc42dc16adc0197dc2f00000001000000036c730d"

func TestMessageIsThePlugins(t *testing.T) {
	want, err := hex.DecodeString(pluginMessage)
	if err != nil {
		t.Fatal(err)
	}
	m := Message{
		Type: inputData, Number: 7, Flags: 3, Created: time.UnixMilli(1700000000123), Kind: Output, Data: []byte("ls\r"),
		ID: ID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
	}
	if got := m.Marshal(); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	got, err := Parse(want)
	if diff := cmp.Diff(m, got); err != nil || diff != "" {
		t.Errorf("got %v, %s", err, diff)
	}
	if id := got.ID.String(); id != "00112233-4455-4677-8899-aabbccddeeff" {
		t.Errorf("got ID %s", id)
	}
}

func TestParseRefuses(t *testing.T) {
	good, err := hex.DecodeString(pluginMessage)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]byte) []byte{
		"nothing":                   func([]byte) []byte { return nil },
		"half a header":             func(b []byte) []byte { return b[:60] },
		"a payload cut short":       func(b []byte) []byte { return b[:len(b)-1] },
		"bytes after it":            func(b []byte) []byte { return append(b, 0) },
		"another payload":           func(b []byte) []byte { b[len(b)-1]++; return b },
		"a header without an end":   func(b []byte) []byte { b[0] = 0xff; return b },
		"a header beyond the bytes": func(b []byte) []byte { b[3] = byte(len(b)); return b },
		"a short header":            func(b []byte) []byte { b[3] = 10; return b },
	} {
		if _, err := Parse(change(bytes.Clone(good))); !errors.Is(err, errMessage) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	good, _ := hex.DecodeString(pluginMessage) // TestMessageIsThePlugins has tried it
	f.Add(good)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil || len(m.Type) > typeBytes {
			return
		}
		again, err := Parse(m.Marshal())
		if err != nil || again.Number != m.Number || !bytes.Equal(again.Data, m.Data) {
			t.Errorf("got %+v and %v of %+v", again, err, m)
		}
	})
}
