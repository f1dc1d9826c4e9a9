package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Header is the header of a request that holds its signature:
//
//	Resctl-Signature: t=1795384800,v1=5257a869…
//
// t is when the request was sent, in Unix seconds, and v1 the HMAC-SHA256 over t, a
// dot and the body, with the secret as its key, in hexadecimal.
const Header = "Resctl-Signature"

// Sign gives the value of Header.
func Sign(secret, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t, body))
}

// Verify says why a body is not what somebody with the secret has signed, at most
// tolerance before or after now; nil: it is. Parts of the header that it does not
// know are passed over, and one v1 of several is enough.
func Verify(secret []byte, header string, body []byte, tolerance time.Duration, now time.Time) error {
	var stamp string
	var signatures [][]byte
	for part := range strings.SplitSeq(header, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			stamp = value
		case "v1":
			if sum, err := hex.DecodeString(value); err == nil {
				signatures = append(signatures, sum)
			}
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || len(signatures) == 0 {
		return fmt.Errorf("%s: it has no t or no v1", Header)
	}
	want, same := mac(secret, stamp, body), false
	for _, s := range signatures {
		same = hmac.Equal(s, want) || same // constant time
	}
	if !same {
		return fmt.Errorf("%s: another secret, or another body", Header)
	}
	if now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return fmt.Errorf("%s: it was signed %s ago", Header, now.Sub(time.Unix(seconds, 0)).Round(time.Second))
	}
	return nil
}

func mac(secret []byte, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(stamp + "."))
	h.Write(body)
	return h.Sum(nil)
}
