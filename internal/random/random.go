// Package random creates the random identifiers that AWS gives to what it creates.
package random

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
)

// Hex returns n random hexadecimal digits; n is even.
func Hex(n int) string { return hex.EncodeToString(randomBytes(n / 2)) }

// UUID returns a UUID of version 4.
func UUID() string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Digits19 returns 19 decimal digits that do not begin with 0, as in the IDs of
// ECS deployments.
func Digits19() string {
	const low = 1_000_000_000_000_000_000
	n := new(big.Int).SetBytes(randomBytes(8))
	n.Mod(n, big.NewInt(8*low))
	return n.Add(n, big.NewInt(low)).String()
}

// Word returns n characters of the 64 that need no escape in a URL, as at the
// end of the ARNs of ECS service deployments.
func Word(n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	b := randomBytes(n)
	for i := range b {
		b[i] = letters[b[i]%64]
	}
	return string(b)
}

// Letters returns n letters and digits, as at the end of the ARNs of secrets.
func Letters(n int) string {
	return Of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", n)
}

// Of returns n characters of an alphabet of ASCII, each as likely as any other.
func Of(alphabet string, n int) string {
	b := make([]byte, 0, n)
	fair := 256 - 256%len(alphabet)
	for len(b) < n {
		for _, x := range randomBytes(n) {
			if int(x) < fair && len(b) < n {
				b = append(b, alphabet[int(x)%len(alphabet)])
			}
		}
	}
	return string(b)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand.Read
	return b
}
