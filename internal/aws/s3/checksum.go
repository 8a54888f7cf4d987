package s3

import (
	"crypto/md5"  //nolint:gosec // S3's Content-MD5
	"crypto/sha1" //nolint:gosec // one of S3's checksums
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strings"

	"neargate/internal/aws/sigv4"
	"neargate/internal/model"
	"neargate/internal/objects"
)

// crc64NVME is the polynomial of CRC64NVME, reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

// algorithms are S3's checksums. [Amazon S3 user guide, "Checking object
// integrity"].
func algorithms() map[string]func() hash.Hash {
	return map[string]func() hash.Hash{
		"CRC32":     func() hash.Hash { return crc32.NewIEEE() },
		"CRC32C":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
		"CRC64NVME": func() hash.Hash { return crc64.New(crc64.MakeTable(crc64NVME)) },
		"SHA1":      sha1.New,
		"SHA256":    sha256.New,
	}
}

const checksumHeader = "X-Amz-Checksum-"

// checksum is what a client says of a content, in its head or its trailer.
type checksum struct {
	algorithm string // "": nothing
	hash      hash.Hash
}

// answer tells of a checksum.
func (checksum) answer(h http.Header, c objects.Checksum) {
	if c.Algorithm != "" {
		h.Set(checksumHeader+c.Algorithm, c.Value)
		h.Set("X-Amz-Checksum-Type", "FULL_OBJECT")
	}
}

// checkedBody is a body that is compared with what the client says of it.
type checkedBody struct {
	io.Reader
	head    http.Header
	payload *sigv4.Payload
	sum     checksum
	md5     hash.Hash
	md5Want string
}

// checked returns a request's body. InvalidDigest.
func (r *request) checked() (*checkedBody, error) {
	c := &checkedBody{Reader: r.payload.Body, head: r.Header, payload: r.payload, md5: md5.New(), md5Want: r.Header.Get("Content-Md5")} //nolint:gosec // as above
	if raw, err := base64.StdEncoding.DecodeString(c.md5Want); err != nil || c.md5Want != "" && len(raw) != md5.Size {
		return nil, model.Errorf(model.Invalid, "InvalidDigest", "The Content-MD5 you specified was invalid.")
	}
	trailer := strings.ToUpper(r.Header.Get("X-Amz-Trailer"))
	for name, sum := range algorithms() {
		if r.Header.Get(checksumHeader+name) != "" || trailer == strings.ToUpper(checksumHeader)+name {
			c.sum = checksum{name, sum()}
			c.Reader = io.TeeReader(c.Reader, c.sum.hash)
			break // S3 takes one
		}
	}
	if c.md5Want != "" {
		c.Reader = io.TeeReader(c.Reader, c.md5)
	}
	return c, nil
}

// verify reports, at the body's end, what the client said of it. BadDigest.
func (c *checkedBody) verify() (objects.Checksum, error) {
	if c.md5Want != "" && base64.StdEncoding.EncodeToString(c.md5.Sum(nil)) != c.md5Want {
		return objects.Checksum{}, model.Errorf(model.Invalid, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	if c.sum.algorithm == "" {
		return objects.Checksum{}, nil
	}
	name := checksumHeader + c.sum.algorithm
	want := c.head.Get(name)
	if want == "" {
		want = c.payload.Trailer.Get(name)
	}
	got := base64.StdEncoding.EncodeToString(c.sum.hash.Sum(nil))
	if got != want {
		return objects.Checksum{}, model.Errorf(model.Invalid, "BadDigest", "The %s you specified did not match the calculated checksum.", c.sum.algorithm)
	}
	return objects.Checksum{Algorithm: c.sum.algorithm, Value: got}, nil
}
