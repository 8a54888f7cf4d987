package balancer

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"time"

	"neargate/internal/decide/routing"
	"neargate/internal/store"
)

// sealer encrypts the cookies of stickiness, with a key that is kept in the state
// so that they hold over restarts. Nobody else can make one or read it.
type sealer struct {
	aead cipher.AEAD // set before the listeners open
}

// cookieKey is the record of the key.
type cookieKey struct {
	Key []byte
}

// The kinds of cookies: one is not taken for another.
const (
	targetKind byte = 'T' // AWSALB
	groupKind  byte = 'G' // AWSALBTG
	appKind    byte = 'A' // AWSALBAPP
)

// open reads the key, or makes it. With an error the sealer can be used, but no
// session outlives it.
func (s *sealer) open(ctx context.Context, keys *store.Table[cookieKey]) error {
	const name = "stickiness"
	k, ok := keys.Get(name)
	if !ok || len(k.Key) != keySize {
		k.Key = make([]byte, keySize)
		_, _ = rand.Read(k.Key) // never fails
		if err := s.use(k.Key); err != nil {
			return err
		}
		return keys.Put(ctx, name, k)
	}
	return s.use(k.Key)
}

const keySize = 32

func (s *sealer) use(key []byte) error {
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	s.aead, err = cipher.NewGCM(block)
	return err
}

// sessionSize is a session's in a cookie: when, group, address, port.
const sessionSize = 8 + 8 + 16 + 2

// seal returns the value of a cookie.
func (s *sealer) seal(kind byte, v routing.Session) string {
	plain := make([]byte, 0, sessionSize)
	plain = binary.BigEndian.AppendUint64(plain, uint64(v.Issued.UnixMilli())) //nolint:gosec // after 1970
	plain = binary.BigEndian.AppendUint64(plain, v.Group)
	if v.Target.IsValid() {
		addr := v.Target.Addr().As16()
		plain = append(plain, addr[:]...)
		plain = binary.BigEndian.AppendUint16(plain, v.Target.Port())
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+sessionSize+s.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails
	return base64.StdEncoding.EncodeToString(s.aead.Seal(nonce, nonce, plain, []byte{kind}))
}

// unseal reads the value of a cookie; false where it is none of ours.
func (s *sealer) unseal(kind byte, value string) (v routing.Session, ok bool) {
	var buf [128]byte
	if base64.StdEncoding.DecodedLen(len(value)) > len(buf) {
		return v, false
	}
	n, err := base64.StdEncoding.Decode(buf[:], []byte(value))
	if err != nil || n < s.aead.NonceSize() {
		return v, false
	}
	nonce, sealed := buf[:s.aead.NonceSize()], buf[s.aead.NonceSize():n]
	plain, err := s.aead.Open(sealed[:0], nonce, sealed, []byte{kind})
	if err != nil || len(plain) < 16 {
		return v, false
	}
	v.Issued = time.UnixMilli(int64(binary.BigEndian.Uint64(plain))) //nolint:gosec // our own
	v.Group = binary.BigEndian.Uint64(plain[8:])
	if len(plain) == sessionSize {
		v.Target = netip.AddrPortFrom(netip.AddrFrom16([16]byte(plain[16:])).Unmap(), binary.BigEndian.Uint16(plain[32:]))
	}
	return v, true
}
