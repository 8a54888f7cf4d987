package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"neargate/internal/model"
)

// example is the key of AWS's examples.
type example struct{}

func (example) Key(accessKey string) (Key, bool) {
	return Key{Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, accessKey == "AKIAIOSFODNN7EXAMPLE"
}

func exampleVerifier() *Verifier {
	return New(example{}, Config{Now: func() time.Time { return time.Date(2013, 5, 24, 0, 0, 10, 0, time.UTC) }})
}

// exampleChunks is the request of Amazon S3 API reference, "sigv4-streaming",
// with a body that change makes of its body.
func exampleChunks(t *testing.T, change func(string) string) *http.Request {
	t.Helper()
	body := "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + strings.Repeat("a", 65536) + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + strings.Repeat("a", 1024) + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://s3.amazonaws.com/examplebucket/chunkObject.txt", strings.NewReader(change(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = 66824
	for name, value := range map[string]string{
		"X-Amz-Date": "20130524T000000Z", "X-Amz-Storage-Class": "REDUCED_REDUNDANCY", "X-Amz-Content-Sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
		"Content-Encoding": "aws-chunked", "X-Amz-Decoded-Content-Length": "66560",
		"Authorization": "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
			"SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class," +
			"Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
	} {
		r.Header.Set(name, value)
	}
	return r
}

func TestSignedChunks(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(string) string
		want   string // the code; "" when all is well
	}{
		{"as AWS signs it", func(b string) string { return b }, ""},
		{"a byte of the first chunk", func(b string) string { return strings.Replace(b, "aaaa", "aaba", 1) }, "SignatureDoesNotMatch"},
		{"a byte of the second", func(b string) string { return b[:66000] + "b" + b[66001:] }, "SignatureDoesNotMatch"},
		{"a chunk left out", func(b string) string { return b[strings.Index(b, "400;"):] }, "SignatureDoesNotMatch"},
		{"without its end", func(b string) string { return b[:strings.Index(b, "0;chunk-signature=b6c6")] }, "IncompleteBody"},
		{"broken off in a chunk", func(b string) string { return b[:2000] }, "IncompleteBody"},
		{"a size that is none", func(b string) string { return "x" + b }, "IncompleteBody"},
		{"a size that is negative", func(b string) string { return "-" + b }, "IncompleteBody"},
	} {
		p, err := exampleVerifier().Stream(exampleChunks(t, row.change), "s3")
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		content, err := io.ReadAll(p.Body)
		if got := codeOf(err); got != row.want {
			t.Errorf("%s: got %v, want %q", row.name, err, row.want)
		}
		if err == nil && string(content) != strings.Repeat("a", 66560) {
			t.Errorf("%s: got %d bytes", row.name, len(content))
		}
	}
}

func codeOf(err error) string {
	if e, ok := err.(*model.Error); ok { //nolint:errorlint // as a reader returns it
		return e.Code
	}
	if err != nil {
		return "?"
	}
	return ""
}

// Chunks without signatures bring what follows them as a trailer.
func TestTrailer(t *testing.T) {
	trailer := http.Header{}
	b, err := io.ReadAll(newChunks(strings.NewReader("5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"), trailer, nil))
	if err != nil || string(b) != "hello world" || trailer.Get("X-Amz-Checksum-Crc32") != "DUoRhQ==" {
		t.Errorf("got %q, %v, %v", b, trailer, err)
	}
}

// A body whose hash was signed is another when it ends, not before.
func TestSignedHash(t *testing.T) {
	for body, want := range map[string]string{"hello": "", "hullo": "XAmzContentSHA256Mismatch"} {
		sum := sha256.Sum256([]byte("hello"))
		_, err := io.ReadAll(&hashed{body: strings.NewReader(body), sum: sha256.New(), want: hex.EncodeToString(sum[:])})
		if codeOf(err) != want {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func TestServiceOf(t *testing.T) {
	r := exampleChunks(t, func(b string) string { return b })
	if got := ServiceOf(r); got != "s3" {
		t.Errorf("got %q", got)
	}
	r.Header.Del("Authorization")
	if got := ServiceOf(r); got != "" {
		t.Errorf("unsigned: got %q", got)
	}
	r.URL.RawQuery = "X-Amz-Credential=AKIA%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
	if got := ServiceOf(r); got != "s3" {
		t.Errorf("presigned: got %q", got)
	}
}
