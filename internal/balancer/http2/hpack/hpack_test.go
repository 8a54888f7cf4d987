package hpack

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	peer "golang.org/x/net/http2/hpack"
	"pgregory.net/rapid"
)

func lengthTag(name string) uint16 { return uint16(len(name)) }

func newDecoder(limit int) *Decoder {
	return NewDecoder(limit, lengthTag, NewStaticTags(lengthTag))
}

// decode decodes a block to lines of name and value.
func decode(d *Decoder, block []byte, limit int) ([]string, error) {
	a := NewArena(nil, limit)
	var lines []string
	d.Start(block)
	for {
		f, err := d.Next(&a)
		if errors.Is(err, io.EOF) {
			if a.Over() {
				return nil, errors.New("over")
			}
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
		if !a.Over() && f.Tag != lengthTag(f.Name) {
			return lines, fmt.Errorf("tag of %q is %d", f.Name, f.Tag)
		}
		if f.Static > 0 && !a.Over() && staticTable[f.Static].name != f.Name {
			return lines, fmt.Errorf("static entry of %q is %d", f.Name, f.Static)
		}
		lines = append(lines, f.Name+": "+f.Value)
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 7541, appendix C.
func TestDecoderExamples(t *testing.T) {
	first := ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com"
	second := ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\ncache-control: no-cache"
	third := ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\ncustom-key: custom-value"
	redirect := ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\nlocation: https://www.example.com"
	again := strings.Replace(redirect, "302", "307", 1)
	cookie := ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\nlocation: https://www.example.com\n" +
		"content-encoding: gzip\nset-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
	for name, c := range map[string]struct {
		limit        int
		blocks, want []string
	}{
		"C.3 requests": {4096, []string{
			"8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", "8286 84be 5808 6e6f 2d63 6163 6865",
			"8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
		}, []string{first, second, third}},
		"C.4 requests, packed": {4096, []string{
			"8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", "8286 84be 5886 a8eb 1064 9cbf",
			"8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
		}, []string{first, second, third}},
		"C.6 responses, packed, evicting": {256, []string{
			"4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
			"4883 640e ffc1 c0bf",
			"88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
		}, []string{redirect, again, cookie}},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDecoder(c.limit)
			for i, block := range c.blocks {
				lines, err := decode(d, unhex(t, block), 1<<16)
				if got := strings.Join(lines, "\n"); err != nil || got != c.want[i] {
					t.Errorf("block %d: got %s, %v, want %s", i, got, err, c.want[i])
				}
			}
		})
	}
}

func TestDecoderRefuses(t *testing.T) {
	for name, block := range map[string]string{
		"index 0":                           "80",
		"index beyond the tables":           "be",
		"name beyond the tables":            "7e 01 61",
		"endless integer":                   "ff ff ff ff ff ff ff ff",
		"integer cut off":                   "ff",
		"no value":                          "44",
		"value cut off":                     "44 03 61",
		"size update too large":             "3f e2 1f",
		"size update behind a field":        "82 20",
		"packed, padded with zeros":         "44 81 18",
		"packed, padded with an octet":      "44 82 1f ff",
		"packed, with the end of string":    "44 84 ff ff ff ff",
		"packed, a code that is cut within": "44 82 ff fa",
	} {
		t.Run(name, func(t *testing.T) {
			if lines, err := decode(newDecoder(4096), unhex(t, block), 1<<16); err == nil {
				t.Errorf("got %q without an error", lines)
			}
		})
	}
}

// What golang.org/x/net encodes, with a table that changes its size, is decoded
// to the same fields.
func TestDecoderAgainstPeer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDecoder(4096)
		var buf bytes.Buffer
		e := peer.NewEncoder(&buf)
		names := rapid.SampledFrom([]string{":path", "cookie", "x-a", "x-b", "accept", "content-length", "x-" + strings.Repeat("n", 300)})
		values := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "/", "a", "b", strings.Repeat("v", 3000), strings.Repeat("w", 5000)}))
		for range rapid.IntRange(1, 20).Draw(t, "blocks") {
			buf.Reset()
			var want []string
			if rapid.Bool().Draw(t, "resize") {
				e.SetMaxDynamicTableSize(rapid.Uint32Range(0, 4096).Draw(t, "size"))
			}
			for range rapid.IntRange(0, 12).Draw(t, "fields") {
				f := peer.HeaderField{Name: names.Draw(t, "name"), Value: values.Draw(t, "value"), Sensitive: rapid.Bool().Draw(t, "never")}
				if err := e.WriteField(f); err != nil {
					t.Fatal(err)
				}
				want = append(want, f.Name+": "+f.Value)
			}
			got, err := decode(d, buf.Bytes(), 1<<20)
			if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Fatalf("got %q, %v, want %q", got, err, want)
			}
		}
	})
}

// What the Append functions write is what golang.org/x/net reads.
func TestAppendAgainstPeer(t *testing.T) {
	for i := range staticTable[1:] {
		if got := staticName([]byte(staticTable[i+1].name)); got != nameIndex[i+1] {
			t.Errorf("entry of %q: got %d, want %d", staticTable[i+1].name, got, nameIndex[i+1])
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		status := rapid.IntRange(100, 999).Draw(t, "status")
		out := AppendStatus(AppendEmptyTable(nil), status)
		want := []peer.HeaderField{{Name: ":status", Value: fmt.Sprint(status)}}
		for range rapid.IntRange(0, 20).Draw(t, "fields") {
			name := rapid.OneOf(rapid.StringN(1, 300, -1), rapid.SampledFrom([]string{"Content-Type", "DATE", "x-amzn-trace-id", "Set-Cookie", "ETag"})).Draw(t, "name")
			value := rapid.OneOf(rapid.String(), rapid.Just(strings.Repeat("v", 70000))).Draw(t, "value")
			never := rapid.Bool().Draw(t, "never")
			if never {
				out = AppendNever(out, name, value)
			} else {
				out = AppendField(out, name, value)
			}
			lower := strings.Map(func(r rune) rune {
				if 'A' <= r && r <= 'Z' {
					return r | 0x20
				}
				return r
			}, name)
			want = append(want, peer.HeaderField{Name: lower, Value: value, Sensitive: never})
		}
		d := peer.NewDecoder(4096, nil)
		got, err := d.DecodeFull(out)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	})
}

// A block of small references to a large entry is not unpacked beyond the limit,
// and leaves the table in step.
func TestDecoderBomb(t *testing.T) {
	d := newDecoder(4096)
	block := append(AppendField(nil, "x-large", strings.Repeat("a", 4000)), bytes.Repeat([]byte{0x80 | 62}, 60000)...)
	block[0] |= 0x40
	a := NewArena(nil, 64<<10)
	d.Start(block)
	n := 0
	for ; ; n++ {
		if _, err := d.Next(&a); err != nil {
			break
		}
	}
	if n != 60001 || !a.Over() || cap(a.b) > 256<<10 {
		t.Errorf("got %d fields, over %t, %d octets of memory", n, a.Over(), cap(a.b))
	}
	if lines, err := decode(d, []byte{0x80 | 62}, 64<<10); err != nil || len(lines) != 1 || !strings.HasPrefix(lines[0], "x-large: a") {
		t.Errorf("afterwards got %.20q, %v", lines, err)
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte("\x82\x86\x84\x41\x0fwww.example.com"), []byte("\x82\x86\x84\xbe"))
	f.Add([]byte("\x40\x88\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x01a"), []byte("\x20\xbe"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		d := newDecoder(4096)
		p := peer.NewDecoder(4096, nil)
		for _, block := range [][]byte{one, two} {
			got, err := decode(d, block, 1<<24)
			fields, wantErr := p.DecodeFull(block)
			if wantErr == nil && err == nil {
				var want []string
				for _, f := range fields {
					want = append(want, f.Name+": "+f.Value)
				}
				if strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			// The peer takes larger integers, and updates of an empty table anywhere.
			lenient := errors.Is(err, errInteger) || errors.Is(err, errResize)
			if (err == nil) != (wantErr == nil) && !lenient {
				t.Errorf("got error %v, want %v, in %x", err, wantErr, block)
			}
			if err != nil || wantErr != nil {
				return
			}
		}
	})
}

func BenchmarkDecoder(b *testing.B) {
	var buf bytes.Buffer
	e := peer.NewEncoder(&buf)
	for _, f := range []peer.HeaderField{
		{Name: ":method", Value: "GET"},
		{Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: "my-load-balancer.example"},
		{Name: ":path", Value: "/computation?n=12"},
		{Name: "user-agent", Value: "h2load nghttp2/1.52.0"},
		{Name: "accept", Value: "*/*"},
	} {
		_ = e.WriteField(f)
	}
	first := bytes.Clone(buf.Bytes())
	buf.Reset()
	_ = e.WriteField(peer.HeaderField{Name: ":path", Value: fmt.Sprint("/computation?n=", rand.IntN(9)), Sensitive: true})
	second := append([]byte{0x80 | 2, 0x80 | 7, 0x80 | 65, 0x80 | 63, 0x80 | 62}, buf.Bytes()...)
	d := newDecoder(4096)
	if _, err := decode(d, first, 1<<16); err != nil {
		b.Fatal(err)
	}
	room := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		a := NewArena(room, 1<<16)
		d.Start(second)
		for {
			if _, err := d.Next(&a); err != nil {
				break
			}
		}
	}
}
