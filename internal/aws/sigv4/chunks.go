package sigv4

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"neargate/internal/model"
)

// chunks reads a body in the form aws-chunked: each chunk begins with its size
// in hex, perhaps with its signature, and an empty one ends them; trailers may
// follow.
//
//	1000;chunk-signature=ad80…\r\n(4096 bytes)\r\n0;chunk-signature=b6c6…\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n
type chunks struct {
	src     *bufio.Reader
	trailer http.Header
	chain   *chain // nil: chunks are not signed

	left      int64 // of the chunk that is being read
	begun     bool
	signature string // of that chunk
	sum       hash.Hash
	err       error // how the body ended
}

// maxLine is the longest line between chunks.
const maxLine = 4096

func newChunks(body io.Reader, trailer http.Header, c *chain) *chunks {
	return &chunks{src: bufio.NewReaderSize(body, maxLine), trailer: trailer, chain: c, sum: sha256.New()}
}

// Read implements io.Reader.
func (c *chunks) Read(b []byte) (int, error) {
	for c.err == nil && c.left == 0 {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.src.Read(b[:min(int64(len(b)), c.left)])
	c.left -= int64(n)
	if c.chain != nil {
		c.sum.Write(b[:n])
	}
	if err != nil {
		c.err = errShort()
	}
	return n, c.err
}

// next ends a chunk and begins the one after it; io.EOF after the last.
func (c *chunks) next() error {
	if c.begun {
		if err := c.end(); err != nil {
			return err
		}
	}
	line, err := c.line()
	if err != nil { // the last chunk, an empty one, has not come
		return errShort()
	}
	size, extension, _ := strings.Cut(line, ";")
	n, err := strconv.ParseInt(size, 16, 64)
	if err != nil || n < 0 {
		return errShort()
	}
	c.begun, c.left, c.signature = true, n, strings.TrimPrefix(extension, "chunk-signature=")
	c.sum.Reset()
	if n > 0 {
		return nil
	}
	if err := c.checkChunk(); err != nil {
		return err
	}
	return c.readTrailer()
}

// end reads what follows a chunk's data, and checks its signature.
func (c *chunks) end() error {
	if line, err := c.line(); err != nil || line != "" {
		return errShort()
	}
	return c.checkChunk()
}

func (c *chunks) checkChunk() error {
	if c.chain == nil || hmac.Equal([]byte(c.chain.chunk(c.sum.Sum(nil))), []byte(c.signature)) {
		return nil
	}
	return errChunk()
}

// readTrailer reads the lines after the last chunk. io.EOF when all is well.
func (c *chunks) readTrailer() error {
	var lines strings.Builder
	signature := ""
	for {
		line, err := c.line()
		if errors.Is(err, io.EOF) || err == nil && line == "" {
			break
		}
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(name, "x-amz-trailer-signature") {
			signature = value
			continue
		}
		lines.WriteString(strings.ToLower(name) + ":" + strings.TrimSpace(value) + "\n")
		c.trailer.Set(name, strings.TrimSpace(value))
	}
	if c.chain != nil && lines.Len() > 0 && !hmac.Equal([]byte(c.chain.trailer(lines.String())), []byte(signature)) {
		return errChunk()
	}
	return io.EOF
}

// line reads a line without its end.
func (c *chunks) line() (string, error) {
	line, err := c.src.ReadSlice('\n')
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return "", io.EOF
	case err != nil:
		return "", errShort()
	}
	return strings.TrimRight(string(line), "\r\n"), nil
}

func errShort() error {
	return model.Errorf(model.Invalid, "IncompleteBody", "The request body terminated unexpectedly")
}

func errChunk() error {
	return denied("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.")
}
